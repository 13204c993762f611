"""The compact genetic algorithm against its update rule, written down a second time, and against counts."""

from __future__ import annotations

import math

import numpy as np
import pytest
from asng_oracle import Plain, space_of, theta_min
from plain_search import LEVELS, PlainSearch, follow

from optimizers.cga import CompactGA
from search_spaces.errors import ArenaError


class PlainCGA(PlainSearch):
    batch = 2

    def __init__(self, optimizer: CompactGA, seed: int) -> None:
        self.n = optimizer.population
        super().__init__(optimizer, seed)

    def tell(self, archs: list[list[int]], losses: list[float]) -> None:
        first, second = (math.inf if math.isnan(loss) else loss for loss in losses)
        if first == second:
            return
        winner, loser = archs if first < second else archs[::-1]
        for v, K in enumerate(self.sizes):
            if K > 1:
                moved = list(self.theta[v])
                moved[winner[v]] += 1 / self.n
                moved[loser[v]] -= 1 / self.n
                self.theta[v] = Plain.restricted(moved, theta_min(self.sizes, K))


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("sizes", [(2,), (5, 3, 1, 4), (2,) * 8])
@pytest.mark.parametrize("population", [50, 8, 1])
def test_it_follows_the_rule(population: int, sizes: tuple[int, ...], levels: str) -> None:
    follow(lambda *given: CompactGA(*given, population=population), PlainCGA, space_of(*sizes), levels)


def test_it_counts_the_members_of_a_population() -> None:
    """While no value is near its bound, n times the probabilities are whole shares of a population of n."""
    optimizer = CompactGA(space_of(4, 4, 4, 2), [0], population=100)
    counts = np.array([[25.0] * 4] * 3 + [[50, 50, 0, 0]])
    generator = np.random.default_rng(3)
    for _ in range(12):
        winner, loser = generator.integers(0, [4, 4, 4, 2], (2, 4))
        optimizer.tell([[loser, winner]], [[1.5, -1.5]])
        for v in range(4):
            counts[v, winner[v]] += 1
            counts[v, loser[v]] -= 1
    assert optimizer.probabilities is not None
    np.testing.assert_allclose(optimizer.probabilities[0], counts / 100, atol=1e-14)


def test_no_value_is_lost() -> None:
    """Where the original would end, at a probability of 0, a value stays at theta_min, and can win again."""
    optimizer = CompactGA(space_of(*(3,) * 4), [0], population=10)
    low = theta_min([3] * 4, 3)
    for _ in range(30):
        optimizer.tell([[[0] * 4, [1] * 4]], [[1.0, 0.0]])
        optimizer.tell([[[0] * 4, [2] * 4]], [[1.0, 0.0]])
    assert optimizer.probabilities is not None
    np.testing.assert_allclose(optimizer.probabilities[0, :, 0], low, rtol=1e-12)
    for _ in range(30):
        optimizer.tell([[[0] * 4, [1] * 4]], [[0.0, 1.0]])
        optimizer.tell([[[0] * 4, [2] * 4]], [[0.0, 1.0]])
    np.testing.assert_allclose(optimizer.probabilities[0, :, 0], 1 - 2 * low, rtol=1e-12)
    assert optimizer.recommend().tolist() == [[0] * 4]


@pytest.mark.parametrize("loss", [93.7, 0.0, -1e300, math.inf, math.nan])
def test_equal_losses_move_nothing(loss: float) -> None:
    """In one of two seeds, not even by a rounding error; the other goes on."""
    optimizer = CompactGA(space_of(6, 3), [0, 1], population=7)
    generator = np.random.default_rng(8)
    for _ in range(100):
        pairs = generator.integers(0, [6, 3], (2, 2, 2))
        optimizer.tell(pairs, [[1.0, 2.0]] * 2)
        before = optimizer.probabilities
        optimizer.tell(pairs, [[loss, loss], [2.0, 1.0]])
        after = optimizer.probabilities
        assert before is not None
        assert after is not None
        np.testing.assert_array_equal(after[0], before[0])
        assert (after[1] != before[1]).any() or (pairs[1, 0] == pairs[1, 1]).all()


def test_what_cannot_be() -> None:
    with pytest.raises(ArenaError, match="population must be at least 1, not 0"):
        CompactGA(space_of(2, 2), [0], population=0)
    with pytest.raises(ArenaError, match="a tournament is one of 2 architectures, not 3"):
        CompactGA(space_of(2, 2), [0]).tell([[[0, 0]] * 3], [[1.0, 2.0, 3.0]])
