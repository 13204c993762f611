"""The toy problem of the ASNG paper, against a plain loop over one trial, closed forms, and the authors' numbers."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
from scipy.special import ndtri

from harness.toy import ToyProblem, ToyResult, run_toy
from optimizers.adam_sng import AdamSNG
from optimizers.asng import ASNG
from optimizers.base import SamplingOptimizer
from optimizers.sng import SNG
from optimizers.streams import Streams
from search_spaces.errors import ArenaError

SMALL = ToyProblem(variables=4, values=3, eta_x=0.02, iterations=400)
RULES: list[tuple[type[SamplingOptimizer], dict[str, Any]]] = [
    (ASNG, {"lam": 2, "delta_init": 1.0}),
    (SNG, {"lam": 2, "delta_init": 0.5}),
    (AdamSNG, {"lam": 4, "delta_init": 0.05}),
]


def plain_trial(problem: ToyProblem, optimizer: SamplingOptimizer, seed: int) -> dict[str, float]:
    """One trial, number by number, as the paper describes it."""
    D, K = problem.variables, problem.values
    draws = Streams([seed], "toy", "noise")
    start = Streams([seed], "toy", "start").draw(D * K)[:, 0]
    x = [[float(ndtri(start[d * K + k])) for k in range(K)] for d in range(D)]
    momentum = [[0.0] * K for _ in range(D)]

    def loss(arch: list[int], t: list[float]) -> float:
        return sum(k / K + (x[d][k] - t[d]) ** 2 for d, k in enumerate(arch))

    def draw() -> list[float]:
        return [float(ndtri(u)) / K if problem.noise else 0.0 for u in draws.draw(D)[:, 0]]

    outcome = {"by_loss": math.inf, "by_mode": math.inf}
    deltas = [optimizer.diagnostics().get("step_size", [math.nan])[0]]
    for i in range(problem.iterations):
        scores = []
        t = draw()
        gradient = [[0.0] * K for _ in range(D)]
        for arch in optimizer.sample(2)[0].tolist():
            scores.append(loss(arch, [0.0] * D))
            for d, k in enumerate(arch):
                gradient[d][k] += 2 * (x[d][k] - t[d]) / 2
        rate = problem.eta_x * (1 + math.cos(math.pi * i / problem.iterations)) / 2
        for d in range(D):
            for k in range(K):
                momentum[d][k] = problem.momentum * momentum[d][k] + gradient[d][k]
                x[d][k] -= rate * momentum[d][k]
        t = draw()
        archs = optimizer.ask()
        scores += [loss(arch, [0.0] * D) for arch in archs[0].tolist()]
        optimizer.tell(archs, [[loss(arch, t) for arch in archs[0].tolist()]])
        succeeded = min(scores) <= 1 / K
        if succeeded or (i + 1) % 10 == 0 or i + 1 == problem.iterations:
            deltas.append(optimizer.diagnostics().get("step_size", [math.nan])[0])
            if not optimizer.recommend().any():
                outcome["by_mode"] = min(outcome["by_mode"], i + 1)
        if succeeded:
            outcome["by_loss"] = i + 1
            break
    probabilities = optimizer.probabilities
    assert probabilities is not None
    outcome["convergence"] = probabilities[0].max(axis=1).mean()
    outcome["step_size_low"], outcome["step_size_high"] = min(deltas), max(deltas)
    return outcome


@pytest.mark.parametrize(("optimizer", "settings"), RULES)
@pytest.mark.parametrize("noise", [True, False])
def test_trials_are_those_of_a_plain_loop(
    optimizer: type[SamplingOptimizer], settings: dict[str, Any], noise: bool
) -> None:
    problem = ToyProblem(variables=4, values=3, eta_x=0.02, iterations=400, noise=noise)
    seeds = [3, 14, 15, 92]
    result = run_toy(problem, optimizer, settings, seeds)
    for row, seed in enumerate(seeds):
        alone = optimizer(problem.space, [seed], stream="toy", **settings)
        for name, value in plain_trial(problem, alone, seed).items():
            assert getattr(result, name)[row] == pytest.approx(value, rel=1e-6, nan_ok=True), name
    assert len(set(result.by_loss)) > 1, "they end at different times"


@pytest.mark.parametrize(("optimizer", "settings"), RULES)
def test_a_trial_is_the_same_alone_or_in_a_crowd_that_shrinks(
    optimizer: type[SamplingOptimizer], settings: dict[str, Any]
) -> None:
    seeds = list(range(17))
    crowd = run_toy(SMALL, optimizer, settings, seeds)
    assert len(set(crowd.by_loss)) > 5, "it shrinks often"
    for some in (*([seed] for seed in seeds[:4]), [4, 5], [6, 7, 8], [16, 9, 2, 11, 0]):
        same(run_toy(SMALL, optimizer, settings, some), crowd)


def test_trials_that_run_out_of_iterations_are_failures() -> None:
    crowd = run_toy(SMALL, ASNG, {}, range(9))
    middle = int(np.median(crowd.by_loss))
    short = ToyProblem(variables=4, values=3, eta_x=0.02, iterations=middle)
    result = run_toy(short, ASNG, {}, range(9))
    assert 0 < np.isinf(result.by_loss).sum() < 9
    assert np.isfinite(result.convergence).all()
    same(run_toy(short, ASNG, {}, [5, 2]), result)


class Stubborn(SamplingOptimizer):
    """Proposes one architecture, whatever it is told."""

    def __init__(self, space: Any, seeds: Any, *, arch: tuple[int, ...], stream: str | int = 0) -> None:
        super().__init__(space, seeds, stream=stream)
        self.arch = np.array(arch)[:, None].repeat(self.columns, axis=1)

    def _draw(self, uniforms: Any) -> Any:
        return self.arch[None].repeat(len(uniforms), axis=0)

    def _ask(self) -> Any:
        return self.arch[None].repeat(2, axis=0)

    def _tell(self, archs: Any, losses: Any) -> None:
        pass

    def _recommend(self) -> Any:
        return self.arch

    def _state(self) -> Any:
        return {}

    def _load(self, state: Any) -> None:
        pass


def test_success_is_the_architecture_of_zeros_with_small_weights() -> None:
    """Without noise every weight that is always chosen follows x'' = -2 rate x with friction: solved here as such."""
    problem = ToyProblem(variables=3, values=4, eta_x=0.001, iterations=5000, noise=False)
    seeds = range(6)
    result = run_toy(problem, Stubborn, {"arch": (0, 0, 0)}, seeds)
    x = ndtri(Streams(seeds, "toy", "start").draw(3, 4))[:, 0]
    assert ((x**2).sum(axis=0) > 1 / 4).all(), "none succeeds at the start"
    velocity, expected, iteration = np.zeros_like(x), np.full(6, np.inf), 0
    while np.isinf(expected).any():
        iteration += 1
        velocity = 0.9 * velocity + 2 * x
        x = x - problem.rate(iteration) * velocity
        expected[np.isinf(expected) & ((x**2).sum(axis=0) < 1 / 4)] = iteration
    np.testing.assert_array_equal(result.by_loss, expected)
    np.testing.assert_array_equal(result.by_mode, np.minimum(expected, 10))
    assert np.isnan(result.step_size_low).all()

    for arch in [(1, 0, 0), (0, 0, 1), (3, 3, 3)]:
        result = run_toy(problem, Stubborn, {"arch": arch}, [0, 1])
        assert np.isinf(result.by_loss).all()
        assert np.isinf(result.by_mode).all()


def test_weights_that_diverge_are_a_failure() -> None:
    problem = ToyProblem(variables=3, values=10, eta_x=1.0, momentum=0.999, iterations=8000)
    result = run_toy(problem, ASNG, {}, [0, 1])
    assert np.isinf(result.by_loss).any()


def test_the_learning_rate_falls_as_half_a_cosine() -> None:
    problem = ToyProblem(eta_x=0.2, iterations=100)
    assert problem.rate(1) == 0.2
    assert problem.rate(51) == pytest.approx(0.1)
    assert problem.rate(101) == 0
    assert ToyProblem().parameters == 120


def test_iterations_and_step_sizes_of_another_implementation() -> None:
    """Its 10 trials: median 1014, quartiles 961 and 1030, step sizes .083 to .256."""
    result = run_toy(ToyProblem(eta_x=0.005), ASNG, {"lam": 2, "delta_init": 120**-0.5}, range(20))
    assert 961 < np.median(result.by_loss) < 1030
    assert result.step_size_low.min() == pytest.approx(0.083, abs=0.01)
    assert result.step_size_high.max() == pytest.approx(0.256, abs=0.03)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ({"variables": 0}, "variables .* at least 1, not 0"),
        ({"values": 1}, "values .* at least 2, not 1"),
        ({"iterations": 0}, "iterations .* at least 1"),
        ({"eta_x": 0.0}, "eta_x"),
        ({"eta_x": math.nan}, "eta_x"),
        ({"momentum": 1.0}, "momentum"),
    ],
)
def test_settings_out_of_range(setting: dict[str, Any], message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        ToyProblem(**setting)


def same(some: ToyResult, crowd: ToyResult) -> None:
    """Bit by bit, what is in both."""
    rows = [crowd.seeds.tolist().index(seed) for seed in some.seeds]
    for field in fields(ToyResult):
        np.testing.assert_array_equal(getattr(some, field.name), getattr(crowd, field.name)[rows], field.name)
