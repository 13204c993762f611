"""One seed of a cell of a one-shot study, from the first weights to the network that was trained from scratch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.identity import seed_name
from harness.machine import MachineLoad
from harness.oneshot import Columns, search
from harness.oneshot_cell import SearchCell, TrainingCell
from harness.progress_log import ProgressLog
from harness.scene import Scene

if TYPE_CHECKING:
    import torch

    from harness.retrain import Trained


@dataclass(frozen=True)
class OneShotResult:
    """What goes on record of a seed.

    Attributes:
        epochs: by name a number an epoch.
        result: what it came to in the end.
        made: which attempt it was, and on which device.
        torch: the version of it.
    """

    epochs: Columns
    result: dict[str, Any]
    made: dict[str, Any]
    torch: str


@dataclass(frozen=True)
class OneShotShard:
    """One seed of a cell, to be run anywhere.

    Attributes:
        cell: a search, or a training.
        seeds: the one.
        folder: of the cell, where the progress log goes.
    """

    cell: SearchCell | TrainingCell
    seeds: tuple[int]
    folder: Path

    @property
    def name(self) -> str:
        return seed_name(self.cell.name, self.seeds[0])

    def run(self) -> OneShotResult:
        """Searches and trains what was found, or trains."""
        import torch

        from harness.training import choose_device, telling_memory

        (seed,) = self.seeds
        scene = self.cell.scene
        log, device = ProgressLog(self.folder, seed), choose_device(scene.device)
        made = {
            "attempt": log.attempt,
            "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        }
        with telling_memory():  # of weights and images; what knows the batch has told it
            if isinstance(self.cell, SearchCell):
                epochs, found = _search(self.cell, seed, device, log)
                trained = _train(scene, found["architecture"], _trainings(scene, seed), device)
            else:
                found, trainings = _given(self.cell, seed)
                trained = _train(scene, found["architecture"], trainings, device, log)
                epochs = trained[0].epochs
        result = {
            **found,
            "parameters": _parameters(scene, found["architecture"]),
            "epochs": len(epochs["epoch"]),
            "retrained": [one.result for one in trained],
        }
        return OneShotResult(epochs, result, made, torch.__version__)


def _search(cell: SearchCell, seed: int, device: torch.device, log: ProgressLog) -> tuple[Columns, dict[str, Any]]:
    """The epochs of a search, and its answer."""
    from harness.judge import Judge
    from harness.shared_weights import SharedWeights
    from harness.training import telling_memory
    from search_spaces.device_images import DeviceImages

    scene, space, data = cell.scene, cell.scene.load_supernet(), cell.scene.load_images()
    make = partial(space.supernet, data.train_images.shape[1], len(data.classes))
    with _threads(cell.loop.threads), telling_memory(cell.loop.batch_size):
        weights = SharedWeights(make, DeviceImages.of_data(data, "train", device), cell.loop, seed)
        method = cell.make_optimizer(seed, weights.steps_per_epoch * cell.loop.epochs)
        judge = Judge(weights, space, scene.load_table(), cell.loop, seed, device)
        epochs = search(method, weights, cell.loop, judge, space.architecture_string, log.epoch)
        found = judge.conclude(method)
    return epochs, {**found, "steps": int(epochs["step"][-1]), "search_seconds": epochs["seconds"][-1]}


def _given(cell: TrainingCell, seed: int) -> tuple[dict[str, Any], list[int]]:
    """An architecture that was not searched, and the seeds of its trainings."""
    from harness.judge import about_architecture, random_architectures, true_numbers

    space, table = cell.scene.load_supernet(), cell.scene.load_table()
    named = cell.architecture is not None
    arch = np.array(cell.architecture) if named else random_architectures(space, [seed])[0]
    found = {**about_architecture(space, arch), "true": true_numbers(table, arch) if table else None}
    return found, [seed] if named else _trainings(cell.scene, seed)


def _trainings(scene: Scene, seed: int) -> list[int]:
    """The seeds of the trainings of what a search or a random draw gave, no two of which share one."""
    count = scene.retraining.seeds if scene.retraining else 0
    return list(range(seed * count, (seed + 1) * count))


def _train(
    scene: Scene, arch: Sequence[int], seeds: Sequence[int], device: torch.device, log: ProgressLog | None = None
) -> list[Trained]:
    """Trains an architecture from scratch, a training a seed; the log is told of the first."""
    if scene.retraining is None:
        return []
    from harness.retrain import retrain
    from search_spaces.device_images import DeviceImages

    space, data, settings = scene.load_supernet(), scene.load_images(), scene.retraining
    make = partial(space.network, arch, data.train_images.shape[1], len(data.classes))
    train, test = (DeviceImages.of_data(data, split, device) for split in ("train", "test"))
    load = MachineLoad(device)
    trained = []
    with _threads(settings.threads):
        for seed in seeds:
            watched = log if seed == seeds[0] else None
            trained.append(retrain(make, train, test, settings, seed, partial(_watch, watched, load)))
    return trained


def _watch(log: ProgressLog | None, load: MachineLoad, row: dict[str, float]) -> None:
    """Adds the load of the machine to the numbers of an epoch."""
    row |= load.since_last()
    if log:
        log.epoch(row)


def _parameters(scene: Scene, arch: Sequence[int]) -> int:
    from harness.retrain import parameters

    data = scene.load_images()
    return parameters(scene.load_supernet().network(arch, data.train_images.shape[1], len(data.classes)))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """So many threads of torch for the time of a with statement."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
