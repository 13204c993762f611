"""Ranks over blocks against Demsar's tables, the formulas written out, and permutations."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.blocks import MIN_BLOCKS, critical_difference, friedman, indistinguishable, mean_ranks
from results.statistics import TooLittleData

SCORES = np.array([[0.1, 0.2, 0.3], [0.5, 0.4, 0.9], [1.0, 1.0, 2.0], [3.0, 4.0, np.inf], [0.0, 0.1, 0.0]])


def test_mean_ranks_share_ties() -> None:
    expected = np.mean([[1, 2, 3], [2, 1, 3], [1.5, 1.5, 3], [1, 2, 3], [1.5, 3, 1.5]], axis=0)
    np.testing.assert_allclose(mean_ranks(SCORES), expected)
    np.testing.assert_array_equal(mean_ranks([[0.3, 0.1, 0.3]]), [2.5, 1, 2.5])


def test_friedman_is_the_formula_with_ties() -> None:
    """Conover 1999: (K - 1) times the squares of the rank sums' deviations over those of all ranks."""
    ranks = np.array([[1, 2, 3], [2, 1, 3], [1.5, 1.5, 3], [1, 2, 3], [1.5, 3, 1.5]])
    expected = 2 * ((ranks.sum(axis=0) - 10) ** 2).sum() / ((ranks - 2) ** 2).sum()
    statistic, p = friedman(SCORES)
    assert statistic == pytest.approx(expected, rel=1e-12)
    assert p == pytest.approx(np.exp(-expected / 2), rel=1e-12)  # chi-square with 2 degrees of freedom


def test_friedmans_p_value_is_near_that_of_all_permutations() -> None:
    """6^5 permutations of three treatments on five blocks; the chi-square is an approximation of what they give."""
    scores = np.array([[1, 2, 3], [1, 3, 2], [1, 2, 3], [2, 1, 3], [1, 2, 3]])
    orders = np.array(list(itertools.permutations([1, 2, 3])))
    sums = orders[np.array(list(itertools.product(range(6), repeat=5)))].sum(axis=1)
    spread = ((sums - 10) ** 2).sum(axis=1)
    exact = (spread >= ((scores.sum(axis=0) - 10) ** 2).sum()).mean()
    assert friedman(scores)[1] == pytest.approx(exact, abs=0.015)


@pytest.mark.parametrize(
    ("treatments", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (5, 2.728), (6, 2.850), (8, 3.031), (10, 3.164)]
)
def test_critical_difference_has_demsars_quantiles(treatments: int, q: float) -> None:
    """His table 5(a), of three decimals."""
    unit = np.sqrt(treatments * (treatments + 1) / (6 * 7))
    assert critical_difference(treatments, 7) / unit == pytest.approx(q, abs=0.001)


def test_critical_difference_of_demsars_example() -> None:
    """Four classifiers on 14 data sets: 1.25 at 5 % and, with q = 2.291, 1.12 at 10 %."""
    assert critical_difference(4, 14) == pytest.approx(1.25, abs=0.005)
    assert critical_difference(4, 14, level=0.1) == pytest.approx(1.12, abs=0.005)


def test_groups_of_demsars_example() -> None:
    """At 5 % none is told from another; at 10 % the first is worse than the second and the fourth."""
    ranks = [3.143, 2.000, 2.893, 1.964]
    assert indistinguishable(ranks, 1.25) == [(3, 1, 2, 0)]
    assert indistinguishable(ranks, 1.12) == [(3, 1, 2), (2, 0)]


def test_groups_are_told_apart_from_the_critical_difference_on() -> None:
    assert indistinguishable([1.0, 2.0, 3.0], 1.0) == []
    assert indistinguishable([3.0, 1.0, 2.0], 1.5) == [(1, 2), (2, 0)]
    assert indistinguishable([2.0, 2.0, 2.0], 0.5) == [(0, 1, 2)]


@given(st.lists(st.integers(2, 16).map(lambda x: x / 2), min_size=1, max_size=7), st.sampled_from([0.5, 1.2, 2.0, 9.0]))
def test_groups_are_the_largest_that_are_alike(ranks: list[float], critical: float) -> None:
    """By trying all subsets: every group whose ranks all differ by less, that no larger one holds."""
    subsets = [
        set(subset)
        for size in range(2, len(ranks) + 1)
        for subset in itertools.combinations(range(len(ranks)), size)
        if np.ptp([ranks[place] for place in subset]) < critical
    ]
    largest = [subset for subset in subsets if not any(subset < other for other in subsets)]
    found = indistinguishable(ranks, critical)
    assert sorted(map(sorted, found)) == sorted(map(sorted, largest))
    for group in found:
        assert sorted(group, key=lambda place: (ranks[place], place)) == list(group)
    assert found == sorted(found, key=lambda group: ranks[group[0]])


def test_too_few_blocks_are_refused() -> None:
    message = "needs 5 independent ones, there are 4; data sets of one search space are not independent blocks"
    with pytest.raises(TooLittleData, match=message):
        friedman(SCORES[:4])
    with pytest.raises(TooLittleData, match=message):
        critical_difference(3, MIN_BLOCKS - 1)


def test_other_things_that_blocks_cannot_carry_are_refused() -> None:
    with pytest.raises(TooLittleData, match="3 treatments, there are 2"):
        friedman(SCORES[:, :2])
    with pytest.raises(TooLittleData, match="2 treatments, there are 1"):
        critical_difference(1, 5)
    with pytest.raises(TooLittleData, match="all treatments are equal"):
        friedman(np.repeat(np.arange(5.0)[:, None], 3, axis=1))
    with pytest.raises(TooLittleData, match="1 are missing"):
        mean_ranks([[1.0, np.nan]])
    with pytest.raises(TooLittleData, match="ranks need a block"):
        mean_ranks(np.empty((0, 3)))
