"""PBIL against its update rule, written down a second time, and against closed forms of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from asng_oracle import Plain, space_of, theta_min
from plain_search import LEVELS, PlainSearch, follow

from optimizers.pbil import PBIL
from search_spaces.errors import ArenaError


class PlainPBIL(PlainSearch):
    def __init__(self, optimizer: PBIL, seed: int) -> None:
        self.batch, self.lr = optimizer.population, optimizer.lr
        super().__init__(optimizer, seed)

    def tell(self, archs: list[list[int]], losses: list[float]) -> None:
        losses = [math.inf if math.isnan(loss) else loss for loss in losses]
        if len(set(losses)) == 1:
            return
        best = archs[losses.index(min(losses))]
        for v, K in enumerate(self.sizes):
            if K > 1:
                moved = [p * (1 - self.lr) + self.lr * (k == best[v]) for k, p in enumerate(self.theta[v])]
                self.theta[v] = Plain.restricted(moved, theta_min(self.sizes, K))


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("sizes", [(2,), (5, 3, 1, 4), (2,) * 8])
@pytest.mark.parametrize("settings", [{}, {"lr": 0.7, "population": 3}], ids=str)
def test_it_follows_the_rule(settings: dict[str, Any], sizes: tuple[int, ...], levels: str) -> None:
    follow(lambda *given: PBIL(*given, **settings), PlainPBIL, space_of(*sizes), levels)


def told(optimizer: PBIL, losses: list[float], archs: list[list[int]]) -> np.ndarray:
    """The probabilities of the one seed after a step that is given to it."""
    optimizer.tell([archs], [losses])
    assert optimizer.probabilities is not None
    return optimizer.probabilities[0]


def test_what_is_always_best_is_approached_geometrically() -> None:
    """1 - p falls by the factor 1 - lr a step, until the probabilities of the other values are at theta_min."""
    optimizer = PBIL(space_of(*(4,) * 5), [0], lr=0.2)
    low = theta_min([4] * 5, 4)
    for step in range(1, 30):
        found = told(optimizer, [3.0, -1.0, 3.0], [[0] * 5, [2] * 5, [1] * 5])
        best = 1 - max(0.8**step * 0.75, 3 * low)
        np.testing.assert_allclose(found[:, 2], best, rtol=1e-12)
        np.testing.assert_allclose(found[:, [0, 1, 3]], (1 - best) / 3, rtol=1e-12)
    assert best == 1 - 3 * low
    assert optimizer.recommend().tolist() == [[2] * 5]


@pytest.mark.parametrize("loss", [93.7, 0.0, -1e300, math.inf, math.nan])
def test_equal_losses_move_nothing(loss: float) -> None:
    """Not by a rounding error: six times 1/6 is not 1."""
    optimizer = PBIL(space_of(3, 6), [0])
    start = optimizer.probabilities
    np.testing.assert_array_equal(told(optimizer, [loss] * 3, [[0, 0], [1, 1], [2, 2]])[None], start)


def test_the_first_of_equally_good_ones_is_the_best() -> None:
    found = told(PBIL(space_of(3, 3), [0], lr=1.0), [2.0, 1.0, 1.0], [[0, 0], [1, 2], [2, 1]])
    assert found.argmax(axis=1).tolist() == [1, 2]


def test_a_seed_that_learns_nothing_does_not_hold_up_another() -> None:
    optimizer = PBIL(space_of(3, 3), [0, 1])
    optimizer.tell([[[0, 0], [1, 1]]] * 2, [[1.0, 1.0], [1.0, 2.0]])
    assert optimizer.probabilities is not None
    np.testing.assert_array_equal(optimizer.probabilities[0], 1 / 3)
    np.testing.assert_allclose(optimizer.probabilities[1], [[0.4, 0.3, 0.3]] * 2)


@pytest.mark.parametrize(
    ("setting", "value"), [("lr", 0.0), ("lr", 1.01), ("lr", math.nan), ("population", 1), ("population", 0)]
)
def test_settings_that_cannot_be(setting: str, value: Any) -> None:
    with pytest.raises(ArenaError, match=f"{setting} must be .*, not {value}"):
        PBIL(space_of(2, 2), [0], **{setting: value})


def test_a_batch_of_one_is_refused() -> None:
    with pytest.raises(ArenaError, match="at least 2 architectures"):
        told(PBIL(space_of(2, 2), [0]), [1.0], [[0, 0]])
