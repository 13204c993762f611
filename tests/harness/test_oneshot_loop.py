"""The loop of one-shot search: it learns what can be learnt, is the tabular loop where losses come from a table, and
tells what went wrong.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from time import sleep
from typing import Any

import numpy as np
import pytest
import torch
from planted_task import RIGHT, SIGNAL, SPACE, PlantedNet, planted_images

from harness.oneshot import LossNotFinite, complete, recommended, search
from harness.oneshot_settings import LoopSettings
from harness.shared_weights import SharedWeights
from harness.tabular import Budget
from harness.tabular import search as search_table
from optimizers.registry import OPTIMIZERS
from search_spaces.device_images import DeviceImages
from search_spaces.errors import ArenaError
from search_spaces.gates import Gates
from search_spaces.image_sets.base import Augmentation
from search_spaces.registry import get_benchmark

PLANTED = LoopSettings(epochs=12, batch_size=64, weights_lr=0.2)
METHODS: dict[str, dict[str, Any]] = {
    "asng": {},
    "enas": {"batch": 4, "lr": 0.01, "scale": 1.0},
    "darts": {"learning_rate": 0.02},
    "gdas": {"learning_rate": 0.02},
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


class Blind:
    """Looks at nothing."""

    def look(self, method: Any) -> dict[str, float]:
        return {}


def name_of(arch: Any) -> str:
    return str(list(arch))


def make(name: str, space: Any, seed: int, steps: int, **settings: Any) -> Any:
    cls = OPTIMIZERS.load(name)
    return cls(space, seed, steps, **settings) if name in ("darts", "gdas") else cls(space, (seed,), **settings)


def planted(name: str, seed: int, settings: LoopSettings = PLANTED, **own: Any) -> tuple[Any, SharedWeights, Any]:
    """The method, the weights and the epochs of a search on the planted task."""
    weights = SharedWeights(PlantedNet, planted_images(2048), settings, seed)
    method = make(name, SPACE, seed, weights.steps_per_epoch * settings.epochs, **(METHODS[name] | own))
    epochs = search(method, weights, complete(settings, method), Blind(), name_of)
    return method, weights, epochs


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", METHODS)
def test_the_planted_operation_is_found(name: str, seed: int) -> None:
    method, _, epochs = planted(name, seed)
    assert recommended(method)[SIGNAL] == RIGHT
    assert len(epochs["epoch"]) == PLANTED.epochs


def test_only_the_planted_operation_is_better_than_chance() -> None:
    """Each operation trained alone on the edge that sees the label, the others on a fixed operation."""
    accuracies = []
    for value in range(5):
        weights = SharedWeights(PlantedNet, planted_images(2048), PLANTED, 0)
        gates = Gates.of_arch([1, 1, value, 1, 1, 1])
        for _ in range(PLANTED.epochs * weights.steps_per_epoch):
            weights.next_train()
            weights.train([gates])
        (accuracy,), _ = weights.judge([gates], weights.valid_half)
        accuracies.append(accuracy)
    assert accuracies[RIGHT] > 95
    chance = [accuracy for value, accuracy in enumerate(accuracies) if value != RIGHT]
    assert max(chance) < 50 + 4 * 100 * 0.5 / np.sqrt(1024)


class TableWeights:
    """A "supernet" whose losses stand in a table: its weights learn nothing."""

    steps_per_epoch, learning_rate, momentum, weight_decay = 10, 0.0, 0.0, 0.0
    weights: tuple[()] = ()

    def __init__(self, table: Any) -> None:
        self._table = table

    def next_train(self) -> None: ...

    def next_valid(self) -> None: ...

    def train(self, gates: Sequence[Gates]) -> float:
        return float(self.valid_losses(gates).mean())

    def valid_losses(self, gates: Sequence[Gates]) -> Any:
        return self._table.search_loss(np.array([[value for (value,) in one.active] for one in gates]))


def test_the_two_halves_are_one() -> None:
    """ASNG on losses of a table: the one-shot loop gives, to the last bit, what the tabular loop gives."""
    table, steps = get_benchmark("nasbench201", reported="validation"), 300
    asng = OPTIMIZERS.load("asng")
    here = asng(table.space, (7,), stream="nasbench201/cifar10")
    told: list[Any] = []
    original = here._tell
    here._tell = lambda archs, losses: (told.append((archs.copy(), losses.copy())), original(archs, losses))
    settings = complete(LoopSettings(epochs=steps // 10, batch_size=2), here)
    epochs = search(here, TableWeights(table), settings, Blind(), name_of)

    there = asng(table.space, (7,), stream="nasbench201/cifar10")
    tabular: list[Any] = []
    original_there = there._tell
    there._tell = lambda archs, losses: (tabular.append((archs.copy(), losses.copy())), original_there(archs, losses))
    result = search_table(there, table, budget := Budget("evaluations", 2 * steps), np.array([budget.limit]))
    assert len(told) == len(tabular) == steps
    for (archs, losses), (others, their_losses) in zip(told, tabular, strict=True):
        np.testing.assert_array_equal(archs, others)
        np.testing.assert_array_equal(losses, their_losses)
    mine, theirs = here.state_dict(), there.state_dict()
    assert mine.pop("sample_position") > 0, "the steps of the weights draw from a stream of their own"
    theirs.pop("sample_position")
    for name, value in theirs.items():
        np.testing.assert_array_equal(mine[name], value, err_msg=name)
    assert epochs["step_size"][-1] == result.columns["diagnostic.step_size"][0, -1]


def test_the_time_of_watching_does_not_count() -> None:
    class Slow:
        def look(self, method: Any) -> dict[str, float]:
            sleep(0.2)
            return {}

    table = get_benchmark("nasbench201", reported="validation")
    asng = make("asng", table.space, 0, 1)
    epochs = search(asng, TableWeights(table), complete(LoopSettings(epochs=2), asng), Slow(), name_of)
    assert epochs["monitor_seconds"][1] > 0.39
    assert epochs["seconds"][0] < epochs["seconds"][1] < 0.2


def test_weights_that_were_not_sampled_stay_as_they_are() -> None:
    """Momentum and decay included, also after they were used once."""
    weights = SharedWeights(PlantedNet, planted_images(256), PLANTED, 0)
    net = weights._net
    weights.next_train()
    weights.train([Gates.of_arch([3] * 6)])
    before = {name: value.clone() for name, value in net.state_dict().items()}
    for _ in range(2):
        weights.next_train()
        weights.train([Gates.of_arch([3, 3, 2, 1, 0, 4]), Gates.of_arch([3, 1, 2, 1, 0, 4])])
    after = net.state_dict()
    changed = {name for name in after if not torch.equal(before[name], after[name])}
    untouched = {f"convolutions.{edge}.3.{kind}" for edge in range(2, 6) for kind in ("weight", "bias")}
    untouched |= {f"convolutions.{edge}.2.{kind}" for edge in (0, 1, 3, 4, 5) for kind in ("weight", "bias")}
    untouched |= {f"stems.4.{kind}" for kind in ("weight", "bias")}
    assert changed == set(after) - untouched


@pytest.mark.parametrize("name", ["asng", "darts"])
def test_steps_follow_the_mean_loss(name: str) -> None:
    """One step of the weights against SGD written out: Nesterov, decay, clipping, cosine."""
    settings = LoopSettings(epochs=2, batch_size=64, weights_lr=0.3, gradient_clip=0.5)
    weights = SharedWeights(PlantedNet, planted_images(256), settings, 3)
    method = make(name, SPACE, 3, 4)
    gates = [Gates.of_arch(arch) for arch in method.sample(2)[0]] if name == "asng" else [method.gates(True).detached()]
    velocity = [torch.zeros_like(weight) for weight in weights.weights]
    expected = [weight.detach().clone() for weight in weights.weights]
    for step in range(2):
        weights.next_train()
        loss = sum(weights.train_loss(one) for one in gates) / len(gates)
        gradients = torch.autograd.grad(loss, weights.weights, allow_unused=True)
        norm = torch.sqrt(sum((gradient**2).sum() for gradient in gradients if gradient is not None))
        lr = 0.001 + 0.299 * (1 + np.cos(np.pi * step / 4)) / 2
        told = weights.train(gates)
        assert told == pytest.approx(loss.item(), rel=1e-6)
        for place, gradient in enumerate(gradients):
            if gradient is not None:
                pulled = gradient * min(1.0, 0.5 / (norm.item() + 1e-6)) + 5e-4 * expected[place]
                velocity[place] = 0.9 * velocity[place] + pulled
                expected[place] = expected[place] - lr * (pulled + 0.9 * velocity[place])
        for found, wanted in zip(weights.weights, expected, strict=True):
            torch.testing.assert_close(found.detach(), wanted, rtol=1e-4, atol=1e-6)


def test_halves_are_disjoint_and_the_same_for_every_method() -> None:
    images = planted_images(301)
    weights = SharedWeights(PlantedNet, images, PLANTED, 5)
    halves = {*weights.train_half.tolist()}, {*weights.valid_half.tolist()}
    assert not halves[0] & halves[1]
    assert len(halves[0] | halves[1]) == 301
    again, other = SharedWeights(PlantedNet, images, PLANTED, 5), SharedWeights(PlantedNet, images, PLANTED, 6)
    assert torch.equal(again.train_half, weights.train_half)
    assert not torch.equal(other.train_half, weights.train_half)
    for one, two, three in zip(weights.weights, again.weights, other.weights, strict=True):
        assert torch.equal(one, two)
        assert not torch.equal(one, three)


def test_weights_and_method_see_their_own_half_alone() -> None:
    """Of images that tell their number, every batch, and those by which statistics are recalibrated."""
    numbers = np.arange(200, dtype=np.uint8)
    plain = {"mean": [0.0], "deviation": [1 / 255], "augmentation": Augmentation(pad=0, flip=False, cutout=0)}
    images = DeviceImages(numbers[:, None, None, None], numbers % 2, **plain, device="cpu")
    settings = LoopSettings(epochs=1, batch_size=30, recalibration_images=40)
    weights = SharedWeights(lambda: torch.nn.Conv2d(1, 2, 1), images, settings, 0)
    seen: dict[str, list[int]] = {"train": [], "valid": []}
    for _ in range(6):
        for half in seen:
            getattr(weights, f"next_{half}")()
            seen[half] += getattr(weights, f"_{half}")[0].flatten().int().tolist()
    train, valid = weights.train_half.tolist(), weights.valid_half.tolist()
    for half, own in (("train", train), ("valid", valid)):
        assert set(seen[half]) <= set(own)
        assert [len(set(seen[half][start : start + 90])) for start in (0, 90)] == [90, 90], "once an epoch"
        assert seen[half][:90] != seen[half][90:], "in a new order"
    assert set(weights._recalibrating.tolist()) <= set(train)
    assert len(weights._recalibrating) == 40


def test_a_seed_is_a_run() -> None:
    short = LoopSettings(epochs=2, batch_size=32, weights_lr=0.05)
    for name in METHODS:
        runs = [planted(name, seed, short) for seed in (1, 1, 2)]
        finals = [[weight.detach() for weight in weights.weights] for _, weights, _ in runs]
        assert all(torch.equal(one, two) for one, two in zip(*finals[:2], strict=True))
        assert runs[0][2]["valid_loss"] == runs[1][2]["valid_loss"] != runs[2][2]["valid_loss"]


@pytest.mark.parametrize(
    ("phases", "epoch"),
    [
        ("interleaved", ["next_train", "next_valid", "train 2", "valid_losses 3"] * 4),
        ("alternating", ["next_train", "train 2"] * 4 + ["next_valid", "valid_losses 3"] * 7),
    ],
)
def test_what_follows_what(phases: Any, epoch: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights and method in turn, or an epoch of the weights and then the method's own steps, as in ENAS."""
    settings = LoopSettings(epochs=3, batch_size=64, phases=phases, optimizer_steps=7, weight_samples=2)
    weights = SharedWeights(PlantedNet, planted_images(512), settings, 0)
    enas = make("enas", SPACE, 0, 1, batch=3)
    order: list[str] = []

    def noted(name: str, done: Any) -> Any:
        def call(*gates: Sequence[Gates]) -> Any:
            order.append(" ".join([name, *(str(len(some)) for some in gates)]))
            return done(*gates)

        return call

    for name in ("next_train", "next_valid", "train", "valid_losses"):
        monkeypatch.setattr(weights, name, noted(name, getattr(weights, name)))
    search(enas, weights, complete(settings, enas), Blind(), name_of)
    assert order == epoch * 3


def test_gradient_optimizers_take_turns_with_gates_held_for_the_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = LoopSettings(epochs=1, batch_size=64)
    weights = SharedWeights(PlantedNet, planted_images(256), settings, 0)
    darts = make("darts", SPACE, 0, 2)
    held: list[bool] = []
    train = weights.train
    monkeypatch.setattr(
        weights, "train", lambda gates: (held.extend(not one.values.requires_grad for one in gates), train(gates))[1]
    )
    search(darts, weights, complete(settings, darts), Blind(), name_of)
    assert held == [True, True]
    assert darts.updates == 2
    with pytest.raises(ArenaError, match="leave phases at interleaved"):
        complete(LoopSettings(phases="alternating"), darts)


def test_what_depends_on_the_method_is_filled_in() -> None:
    def of(name: str, **own: Any) -> tuple[int | None, int | None]:
        settings = complete(LoopSettings(**own), make(name, SPACE, 0, 1))
        return settings.weight_samples, settings.final_candidates

    assert of("asng") == (2, 0)
    assert of("random_search") == (1, 100)
    assert of("random_search", final_candidates=0, weight_samples=4) == (4, 0)
    assert of("darts") == (1, 0)
    with pytest.raises(ArenaError, match="draws no samples; leave final_candidates out"):
        of("gdas", final_candidates=5)


@pytest.mark.parametrize("name", METHODS)
def test_a_loss_that_is_not_finite_stops_the_run(name: str) -> None:
    settings = LoopSettings(epochs=5, batch_size=64, weights_lr=1e30, weights_lr_end=1e30, gradient_clip=0.0)
    with pytest.raises(
        ArenaError, match=r"loss is (nan|inf) in epoch \d, step \d+, at \[.*a lower weights_lr than 1e\+30"
    ):
        planted(name, 0, settings)


@pytest.mark.parametrize("measured", ["train", "valid_losses"])
def test_which_loss_is_not_finite_is_told_and_nothing_has_moved(measured: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = SharedWeights(PlantedNet, planted_images(256), PLANTED, 0)
    weights.next_train()
    weights.next_valid()
    loss = weights._loss
    monkeypatch.setattr(
        weights, "_loss", lambda batch, gates: loss(batch, gates) * (np.nan if gates.active[0] == (2,) else 1)
    )
    before = [weight.detach().clone() for weight in weights.weights]
    with pytest.raises(LossNotFinite) as told:
        getattr(weights, measured)([Gates.of_arch([value] * 6) for value in (1, 3, 2, 2)])
    assert told.value.place == 2
    assert np.isnan(told.value.value)
    assert all(torch.equal(weight, one) for weight, one in zip(weights.weights, before, strict=True))


def test_a_batch_larger_than_half_the_data_is_refused() -> None:
    with pytest.raises(ArenaError, match=r"batch_size = 64 is larger than half of the 100 .* give at most 50"):
        SharedWeights(PlantedNet, planted_images(100), PLANTED, 0)


def test_an_error_of_arithmetic_is_not_taken_for_a_loss(monkeypatch: pytest.MonkeyPatch) -> None:
    weights = SharedWeights(PlantedNet, planted_images(256), PLANTED, 0)
    asng = make("asng", SPACE, 0, 1)

    def fail(*_: Any) -> None:
        raise ZeroDivisionError("of an optimizer")

    monkeypatch.setattr(asng, "tell", fail)
    with pytest.raises(ZeroDivisionError, match="of an optimizer"):
        search(asng, weights, complete(PLANTED, asng), Blind(), name_of)


def test_the_random_state_of_torch_is_left_as_it_was() -> None:
    torch.manual_seed(987)
    before = torch.get_rng_state()
    planted("gdas", 0, LoopSettings(epochs=1, batch_size=512))
    assert torch.equal(torch.get_rng_state(), before)
