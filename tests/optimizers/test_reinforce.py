"""REINFORCE against the formulas of its sources, written down a second time, and what they show."""

from __future__ import annotations

import math
from fractions import Fraction
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest
from asng_oracle import space_of
from plain_search import LEVELS, PlainSearch, follow, table_of, uniforms_of
from scipy.stats import kstest

from optimizers.check_tools import advance, difference, seen
from optimizers.reinforce import REINFORCE
from search_spaces.errors import ArenaError


class PlainREINFORCE(PlainSearch):
    """The moving average as the authors' code keeps it, a sum over the sum of its weights; Adam as in its paper."""

    batch = 1

    def __init__(self, optimizer: REINFORCE, seed: int) -> None:
        super().__init__(optimizer, seed)
        self.lr = optimizer.lr
        first = next(uniforms_of(optimizer, seed, max(self.sizes), len(self.sizes), purpose="initial logits"))
        normal = NormalDist(0, 1e-3)
        self.logits = [[normal.inv_cdf(first[k, v]) for k in range(K)] for v, K in enumerate(self.sizes)]
        self.m, self.v = ([[0.0] * K for K in self.sizes] for _ in range(2))
        self.numerator = self.denominator = Fraction(0)  # exact: what is equal has no advantage at all
        self.finite: list[float] = []
        self.t = 0
        self.normalise()

    def normalise(self) -> None:
        for v, row in enumerate(self.logits):
            weights = [math.exp(logit - max(row)) for logit in row]
            self.theta[v] = [weight / sum(weights) for weight in weights]

    def tell(self, archs: list[list[int]], losses: list[float]) -> None:
        (arch,), (loss,) = archs, losses
        if math.isfinite(loss):
            self.finite.append(max(-1e150, min(loss, 1e150)))
            loss = self.finite[-1]
        elif not self.finite:
            return
        else:
            loss = min(self.finite) if loss == -math.inf else max(self.finite)
        self.t += 1
        decay, reward = Fraction(0.9), Fraction(-loss)
        self.numerator = decay * self.numerator + (1 - decay) * reward
        self.denominator = decay * self.denominator + (1 - decay)
        advantage = float(reward - self.numerator / self.denominator)
        for v, K in enumerate(self.sizes):
            for k in range(K):
                g = -advantage * ((k == arch[v]) - self.theta[v][k])  # of the policy's loss
                self.m[v][k] = 0.9 * self.m[v][k] + 0.1 * g
                self.v[v][k] = 0.999 * self.v[v][k] + 0.001 * g * g
                m, second = self.m[v][k] / (1 - 0.9**self.t), self.v[v][k] / (1 - 0.999**self.t)
                self.logits[v][k] -= self.lr * m / (math.sqrt(second) + 1e-8)
        self.normalise()

    def state(self) -> dict[str, Any]:
        return {"logits": self.padded(self.logits), "updates": self.t}


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("sizes", [(2,), (5, 3, 1, 4), (2,) * 8])
@pytest.mark.parametrize("lr", [0.01, 0.1, 0.5])
def test_it_follows_the_formulas(lr: float, sizes: tuple[int, ...], levels: str) -> None:
    follow(lambda *given: REINFORCE(*given, lr=lr), PlainREINFORCE, space_of(*sizes), levels)


def told(losses: list[float], lr: float = 0.1) -> REINFORCE:
    """One seed after steps with the architectures (0, 0), (1, 1), (2, 2), (0, 0), ..."""
    optimizer = REINFORCE(space_of(3, 3), [0], lr=lr)
    for step, loss in enumerate(losses):
        optimizer.tell([[[step % 3, step % 3]]], [[loss]])
    return optimizer


@pytest.mark.parametrize("loss", [93.7, 0.1, -1e-3, 0.0, 1e6, 1.7e308, -1.7e308])
def test_equal_losses_teach_nothing(loss: float) -> None:
    """Exactly nothing, however many there are; and so does the first loss, whatever comes."""
    np.testing.assert_array_equal(told([loss] * 200).state_dict()["logits"], told([]).state_dict()["logits"])


@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e100])
@pytest.mark.parametrize("better", [False, True])
def test_the_first_step_that_teaches_is_one_of_adam(better: bool, scale: float) -> None:
    """Adam's second, after a gradient of 0: lr (0.1 / (1 - 0.9^2)) / sqrt(0.001 / (1 - 0.999^2)) in every logit."""
    before = told([]).state_dict()["logits"][0]
    moved = told([2 * scale, (1 if better else 3) * scale]).state_dict()["logits"][0] - before
    length = 0.1 * (0.1 / 0.19) / math.sqrt(0.001 / (1 - 0.999**2))
    sign = 1 if better else -1
    np.testing.assert_allclose(moved, [[-sign * length, sign * length, -sign * length]] * 2, rtol=1e-3)


def test_logits_start_normal() -> None:
    logits = REINFORCE(space_of(5, 5, 5, 5), range(200)).state_dict()["logits"]
    assert kstest(logits.ravel() / 1e-3, "norm").pvalue > 1e-3


@pytest.mark.parametrize("worst", [math.inf, math.nan])
def test_an_infinite_loss_is_the_worst_finite_one_seen(worst: float) -> None:
    """And minus infinity the best one; before any finite one nothing happens."""
    infinite, finite = told([5.0, 7.0, worst, 2.0, -math.inf, worst, 9.0]), told([5.0, 7.0, 7.0, 2.0, 2.0, 7.0, 9.0])
    assert not difference(seen(infinite), seen(finite))
    assert not difference(seen(told([worst, -math.inf, worst])), seen(told([])))


def test_a_seed_that_is_skipped_does_not_hold_up_another() -> None:
    both = REINFORCE(space_of(3, 3), [0, 1])
    alone = REINFORCE(space_of(3, 3), [1])
    for step, loss in enumerate([math.inf, 4.0, 3.0]):
        arch = [[step, step]]
        both.tell([arch] * 2, [[loss if step == 0 else 1.0], [loss + 1 if step else 2.0]])
        alone.tell([arch], [[loss + 1 if step else 2.0]])
    np.testing.assert_array_equal(both.state_dict()["logits"][1], alone.state_dict()["logits"][0])
    assert both.state_dict()["updates"].tolist() == [2, 3]


def test_the_scale_of_losses_hardly_counts_until_it_is_that_of_eps() -> None:
    """Adam divides by the scale, but adds 1e-8 to it: the steps of losses a trillionth as large are far shorter."""
    space = space_of(5, 3, 2, 4)
    table = table_of(space, [], 1)

    def run(factor: float) -> tuple[np.ndarray, np.ndarray]:
        optimizer = REINFORCE(space, range(5), lr=0.1)
        asked = advance(optimizer, 100, lambda archs: table[space.index(archs)] * factor)
        return np.concatenate(asked, axis=1), optimizer.state_dict()["logits"]

    archs, logits = run(1.0)
    for factor in (1e-3, 1e12, 1e120):
        scaled_archs, scaled_logits = run(factor)
        np.testing.assert_array_equal(scaled_archs, archs)
        np.testing.assert_allclose(scaled_logits, logits, atol=1e-3)
    assert np.abs(run(1e-12)[1]).max() < 0.01 * np.abs(logits).max()


@pytest.mark.parametrize("lr", [0.0, -1.0, 11.0, math.nan, math.inf])
def test_learning_rates_that_cannot_be(lr: float) -> None:
    with pytest.raises(ArenaError, match=f"lr must be above 0 and at most 10, not {lr}"):
        REINFORCE(space_of(2, 2), [0], lr=lr)


def test_a_batch_is_refused() -> None:
    with pytest.raises(ArenaError, match="a step takes 1 architecture, not 2"):
        REINFORCE(space_of(2, 2), [0]).tell([[[0, 0], [1, 1]]], [[1.0, 2.0]])
