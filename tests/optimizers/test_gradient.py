"""What the optimizers that follow gradients share."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np
import pytest
import torch
from gradient_problems import SIZES, SPACE, Broken, Mixed

from harness.check import check
from harness.listing import optimizers as listed
from harness.study import Study
from optimizers.darts import DARTS
from optimizers.gdas import GDAS
from optimizers.gradient import GradientOptimizer
from optimizers.registry import OPTIMIZERS
from search_spaces.errors import ArenaError, MissingExtra, Unsuited

CASES: dict[str, tuple[type[GradientOptimizer], dict[str, Any]]] = {
    "darts": (DARTS, {}),
    "differences": (DARTS, {"order": 2}),
    "exact": (DARTS, {"order": 2, "hessian": "exact"}),
    "gdas": (GDAS, {}),
}
LOSSES = {"darts": 1, "differences": 4, "exact": 3, "gdas": 1}  # a step asks for
every_case = pytest.mark.parametrize("case", CASES)


def make(case: str, seed: int = 1, steps: int = 20, **changes: Any) -> GradientOptimizer:
    cls, settings = CASES[case]
    return cls(SPACE, seed, steps, **{"learning_rate": 0.1, **settings, **changes})


def after(optimizer: GradientOptimizer, steps: int) -> dict[str, Any]:
    problem = Mixed()
    for _ in range(steps):
        optimizer.gates(training=True)
        optimizer.update(problem)
    return optimizer.state_dict()


def equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(np.array_equal(one[name], other[name]) for name in one) and one.keys() == other.keys()


@every_case
def test_a_seed_and_its_stream_say_what_a_run_is(case: str) -> None:
    run = after(make(case), 5)
    assert equal(run, after(make(case), 5))
    for other in (make(case, seed=2), make(case, stream="nasbench201/cifar10")):
        assert (after(other, 5)["alpha"] != run["alpha"])[np.arange(4) < np.array(SIZES)[:, None]].all()


@every_case
def test_a_run_that_is_restored_midway_goes_on_to_the_same_bits(case: str) -> None:
    whole, first, second = make(case), make(case), make(case, seed=7)
    second.streams = make(case).streams  # the seed is a setting; the state holds how far its stream is
    end = after(whole, 9)
    second.load_state_dict(after(first, 4))
    assert equal(after(second, 5), end)
    assert second.diagnostics() == whole.diagnostics()


@every_case
def test_a_state_is_a_copy(case: str) -> None:
    optimizer = make(case)
    before = optimizer.state_dict()
    kept = {name: np.copy(value) for name, value in before.items()}
    after(optimizer, 2)
    assert equal(before, kept)
    assert not equal(optimizer.state_dict(), kept)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"exp_avg": None}, "the state lacks 'exp_avg'; it needs alpha,"),
        ({"alpha": np.zeros((3, 3))}, r"needs \[3, 4\]"),
    ],
)
def test_states_of_something_else(changed: dict[str, Any], message: str) -> None:
    state = {name: value for name, value in {**make("gdas").state_dict(), **changed}.items() if value is not None}
    with pytest.raises(ArenaError, match=message):
        make("gdas").load_state_dict(state)


@every_case
def test_it_starts_near_uniform_and_stays_on_the_simplex(case: str) -> None:
    optimizer, exists = make(case), np.arange(4) < np.array(SIZES)[:, None]
    uniform = exists / np.array(SIZES)[:, None]
    np.testing.assert_allclose(optimizer.probabilities, uniform, atol=2e-3)
    entropy = sum(math.log(size) for size in SIZES)
    assert optimizer.diagnostics()["entropy"] == pytest.approx(entropy, abs=1e-5)
    after(optimizer, 15)
    found = optimizer.probabilities
    assert found.dtype == np.float64
    assert (found[~exists] == 0).all()
    np.testing.assert_allclose(found.sum(1), 1.0)
    assert optimizer.diagnostics()["entropy"] < entropy - 0.05
    assert optimizer.recommend().dtype == np.int64
    np.testing.assert_array_equal(optimizer.recommend(), found.argmax(1))


@every_case
@pytest.mark.parametrize("error", [None, KeyError("of the supernet")], ids=["NaN", "raises"])
def test_weights_are_as_they_were_whatever_happens(case: str, error: Exception | None) -> None:
    """At every loss that a step asks for, and after a step without trouble; alpha moves in the last case alone."""
    for calls in range(1, LOSSES[case] + 2):
        problem, optimizer = Broken(calls, error), make(case)
        problem.weights[4].requires_grad_(False)
        problem.weights[1].grad = torch.full_like(problem.weights[1], 3.0)
        weights = [weight.detach().clone() for weight in problem.weights]
        start = optimizer.state_dict()
        if calls <= LOSSES[case]:
            told = ArenaError if error is None else KeyError
            with pytest.raises(told, match="loss is nan in step 1 of 20 of" if error is None else "of the supernet"):
                optimizer.update(problem)
            assert np.array_equal(optimizer.state_dict()["alpha"], start["alpha"])
            assert optimizer.state_dict()["updates"] == 0
        else:
            optimizer.update(problem)
            assert not np.array_equal(optimizer.state_dict()["alpha"], start["alpha"])
        assert all(torch.equal(one, other) for one, other in zip(problem.weights, weights, strict=True))
        assert [place for place, weight in enumerate(problem.weights) if not weight.requires_grad] == [4]
        assert [place for place, weight in enumerate(problem.weights) if weight.grad is not None] == [1]
        assert (problem.weights[1].grad == 3.0).all()


@every_case
def test_a_missing_gradient_counts_as_zero(case: str) -> None:
    """A dead cell's loss depends on no gate, and on few weights or none."""

    class Dead(Mixed):
        def loss(self, *_: Any) -> torch.Tensor:
            return torch.tensor(2.3)

    optimizer = make(case, weight_decay=0.0)
    start = optimizer.state_dict()["alpha"]
    optimizer.update(Dead())
    assert np.array_equal(optimizer.state_dict()["alpha"], start)
    assert optimizer.updates == 1


@pytest.mark.parametrize(
    ("case", "changes", "message"),
    [
        ("darts", {"seed": -1}, "seed must be an integer from 0 on, not -1"),
        ("darts", {"steps": 0}, "steps must be at least 1, not 0"),
        ("darts", {"learning_rate": 0.0}, "learning_rate must be above 0 and finite, not 0.0"),
        ("darts", {"learning_rate": math.nan}, "learning_rate must be above 0 and finite, not nan"),
        ("darts", {"beta2": 1.0}, "beta2 must be at least 0 and below 1, not 1.0"),
        ("gdas", {"weight_decay": -1.0}, "weight_decay must be at least 0 and finite, not -1.0"),
        ("darts", {"order": 3}, "order of darts must be 1 or 2, not 3"),
        ("darts", {"hessian": "difference"}, "did you mean 'differences'"),
        ("gdas", {"temperature_end": 0.0}, "temperature_end must be above 0 and finite, not 0.0"),
    ],
)
def test_settings_that_cannot_be(case: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        make(case, **changes)


def test_torch_that_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"darts needs the package torch; .*pip install 'nas-arena\[supernet\]'"):
        make("darts")


@pytest.mark.parametrize("name", ["darts", "gdas"])
def test_it_has_a_name_and_a_table_is_nothing_for_it(name: str) -> None:
    assert OPTIMIZERS.load(name) is CASES[name][0]
    line = next(line for line in listed() if line.startswith(f"{name}("))
    assert "learning_rate=0.0003" in line
    assert not [word for word in ("seed", "steps", "stream", "space") if word in line]
    study = Study(name="s", optimizers=[name, "asng"], benchmarks=["nasbench201"], seeds=1, budget=3)
    with pytest.raises(Unsuited, match=f"{name} follows gradients .* study of kind oneshot"):
        study.cells()
    plan = study.model_copy(update={"skip_unsuited": True}).plan()
    assert [cell.optimizer for cell in plan.cells] == ["asng"]
    assert len(plan.skipped) == 1
    with pytest.raises(ArenaError, match=f"{name} follows gradients: it is not asked and told"):
        check(name)
