"""What a one-shot search has found so far: by its shared weights, and by the table where there is one.

A judge never changes the search: it draws from streams of its own and leaves weights and buffers as they are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from harness.machine import MachineLoad
from harness.oneshot import Method, has_mode, recommended
from harness.oneshot_settings import LoopSettings
from optimizers.base import SamplingOptimizer, uniform_values
from optimizers.gradient import GradientOptimizer
from optimizers.streams import Streams
from results.rank_correlation import by_accuracy_then_loss, kendall
from results.tables import reported_number
from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError
from search_spaces.gates import Gates
from search_spaces.space import Ints
from search_spaces.supernet import SupernetSpace

if TYPE_CHECKING:
    import torch

    from harness.shared_weights import SharedWeights

MOST_DRAWS = 1000  # for each architecture that is wanted alive


class Judge:
    """Looks at a search after every epoch, and at its end.

    Args:
        weights: of the search.
        space: of its supernet.
        table: of the same search space, None where there is none.
        settings: of the loop, complete ones.
        seed: of the search.
        device: on which the search is.
    """

    def __init__(
        self,
        weights: SharedWeights,
        space: SupernetSpace,
        table: TabularBenchmark | None,
        settings: LoopSettings,
        seed: int,
        device: torch.device,
    ) -> None:
        import torch

        from harness.training import generator

        self._weights, self._space, self._table, self._settings = weights, space, table, settings
        order = torch.randperm(len(weights.valid_half), generator=generator(seed, "monitor"))
        self._images = weights.valid_half[order.to(weights.valid_half.device)]
        self._draws = Streams((seed,), "monitor")
        self._load = MachineLoad(device)

    def look(self, method: Method) -> dict[str, float]:
        """The recommendation, or for a method without a mode the best of some samples: its ``recommended`` rank, its
        ``shared_accuracy`` (%) and ``shared_loss`` on the monitoring images, what the table knows of it
        (``true_searched`` and ``true_reported``; NaN without), and memory and load of the machine.
        """
        images = self._images[: self._settings.monitor_images]
        candidates = self._candidates(method, self._settings.monitor_samples)
        accuracies, losses = self._judged(candidates, images)
        best = _best(accuracies, losses)
        return {
            "recommended": float(self._space.space.index(candidates[best])),
            "shared_accuracy": float(accuracies[best]),
            "shared_loss": float(losses[best]),
            **{f"true_{name}": value for name, value in true_numbers(self._table, candidates[best]).items()},
            **self._load.since_last(),
        }

    def conclude(self, method: Method) -> dict[str, Any]:
        """The answer of the search, judged on the whole validation half, and how well shared weights rank."""
        wanted = self._settings.final_candidates or 0
        candidates = method.sample(wanted)[0] if wanted and isinstance(method, SamplingOptimizer) else None
        chosen_by = f"best of {wanted} samples by shared weights" if wanted else method.recommends
        archs = recommended(method)[None] if candidates is None else candidates
        distinct = np.unique(archs, axis=0)
        accuracies, losses = self._judged(distinct, self._images)
        best = _best(accuracies, losses)
        return {
            **about_architecture(self._space, distinct[best]),
            "chosen_by": chosen_by,
            "shared_accuracy": float(accuracies[best]),
            "shared_loss": float(losses[best]),
            "shared_images": len(self._images),
            "true": true_numbers(self._table, distinct[best]) if self._table else None,
            "ranking": self._ranking() if self._table and self._settings.ranking_architectures else None,
        }

    def _candidates(self, method: Method, samples: int) -> Ints:
        """What the method would hand over; where that says nothing, samples of its distribution."""
        if has_mode(method) or isinstance(method, GradientOptimizer):
            return recommended(method)[None]
        uniforms = self._draws.draw(samples, len(self._space.space))[..., 0]
        drawn: Ints = method.sample(samples, uniforms=uniforms[None])[0]
        return drawn

    def _ranking(self) -> dict[str, Any]:
        """Kendall's tau between shared-weight and table accuracy of random architectures, the same for all searches."""
        if self._table is None:
            raise ValueError("there is no table to rank by")
        images = self._images[: self._settings.ranking_images]
        archs = random_architectures(self._space, range(self._settings.ranking_architectures))
        shared = by_accuracy_then_loss(*self._judged(archs, images))
        true = -self._table.search_loss(archs)
        better = true >= np.median(true)
        whole, half = kendall(shared, true), kendall(shared[better], true[better])
        return {
            "architectures": whole.count,
            "images": len(images),
            "tau": whole.value,
            "tau_error": whole.error,
            "better_half": half.count,
            "tau_better_half": half.value,
            "tau_better_half_error": half.error,
            "batchnorm": self._settings.batchnorm,
            "measure": "shared-weight accuracy, ties by loss",
        }

    def _judged(self, archs: Ints, images: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self._weights.judge([Gates.of_arch(arch) for arch in archs], images)


def _best(accuracies: NDArray[np.float64], losses: NDArray[np.float64]) -> int:
    return int(by_accuracy_then_loss(accuracies, losses).argmax())


def random_architectures(space: SupernetSpace, numbers: Sequence[int]) -> Ints:
    """Random architectures of a space by their numbers, each with a path from input to output: int [n, V].

    The same number gives the same architecture everywhere; a study compares what it finds with these.

    Raises:
        ArenaError: where hardly any architecture of the space has such a path.
    """
    found = []
    for number in numbers:
        draws = Streams((number,), "random architecture").draw(MOST_DRAWS, len(space.space))[..., 0]
        archs = uniform_values(draws, space.space.sizes)
        alive = space.alive(archs)
        if not alive.any():
            raise ArenaError(
                f"none of {MOST_DRAWS:,} random architectures has a path from input to output, says "
                f"{type(space).__name__}.alive; mend that, or ask for neither random architectures nor a ranking"
            )
        found.append(archs[int(alive.argmax())])
    return np.array(found)


def about_architecture(space: SupernetSpace, arch: Ints) -> dict[str, Any]:
    """What a record says of an architecture: its rank, its name, how often it takes each value."""
    chosen = Counter(
        getattr(variable, "choices", range(len(variable)))[value]
        for variable, value in zip(space.space.variables, arch, strict=True)
    )
    known = dict.fromkeys(str(name) for variable in space.space.variables for name in getattr(variable, "choices", ()))
    return {
        "architecture": [int(value) for value in arch],
        "rank": int(space.space.index(arch)),
        "string": space.architecture_string(arch),
        "counts": {name: chosen[name] for name in known},
    }


def true_numbers(table: TabularBenchmark | None, arch: Ints) -> dict[str, float]:
    """What a table says of an architecture, in the numbers that reports give; NaN without a table."""
    if table is None:
        return {"searched": np.nan, "reported": np.nan}
    about = {"wording": asdict(table.wording)}
    losses = {"searched": table.search_loss(arch), "reported": table.final_loss(arch)}
    return {name: float(reported_number(about, loss)) for name, loss in losses.items()}
