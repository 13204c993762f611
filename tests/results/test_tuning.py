"""Runs of good values and the best of k against enumeration, the choice on one half against what it must not be."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from results.tuning import (
    chances_of_best,
    cross_fitted,
    cross_fitted_lowest,
    expected_best,
    longest_run,
    resampled_means,
)

HALVES = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), min_size=1, max_size=6)


# the best of k


@pytest.mark.parametrize(("n", "k"), [(1, 1), (5, 1), (5, 2), (6, 4), (6, 6), (15, 8)])
def test_chances_are_those_of_all_subsets(n: int, k: int) -> None:
    best = [min(subset) for subset in itertools.combinations(range(n), k)]
    expected = [best.count(place) / math.comb(n, k) for place in range(n)]
    np.testing.assert_allclose(chances_of_best(n, k), expected, rtol=1e-12)


@given(HALVES, st.integers(1, 6))
def test_the_best_of_k_is_the_mean_over_all_subsets(values: list[tuple[int, int]], k: int) -> None:
    """Every subset chooses its lowest, each of equal ones as often as the others."""
    k = min(k, len(values))
    counted = []
    for subset in itertools.combinations(values, k):
        lowest = min(chosen for chosen, _ in subset)
        counted.append(np.mean([judged for chosen, judged in subset if chosen == lowest]))
    chosen_by, judged_by = np.array(values, dtype=float).T
    assert expected_best(chosen_by, judged_by, k) == pytest.approx(np.mean(counted), abs=1e-12)


def test_the_best_of_k_agrees_with_draws() -> None:
    rng = np.random.default_rng(1)
    chosen_by, judged_by = rng.normal(size=(2, 15))
    drawn = np.argsort(rng.random((100_000, 15)), axis=1)[:, :4]
    plain = judged_by[np.take_along_axis(drawn, chosen_by[drawn].argmin(axis=1)[:, None], axis=1)]
    assert expected_best(chosen_by, judged_by, 4) == pytest.approx(plain.mean(), abs=4 * plain.std() / 100_000**0.5)


def test_one_try_is_the_mean_of_all_seeds() -> None:
    values = np.random.default_rng(2).normal(size=(5, 7))
    first, second = values[:, ::2].mean(axis=1), values[:, 1::2].mean(axis=1)
    assert cross_fitted(first, second, 4 / 7, 1) == pytest.approx(values.mean())


# choosing and judging on different seeds


@given(HALVES, st.floats(0.5, 0.8))
def test_the_cross_fitted_lowest_is_never_below_the_lowest_mean(values: list[tuple[int, int]], share: float) -> None:
    first, second = np.array(values, dtype=float).T
    lowest = cross_fitted_lowest(first, second, share)
    assert lowest >= (share * first + (1 - share) * second).min() - 1e-12


def test_the_lowest_of_many_equal_ones_is_not_below_them() -> None:
    """Fifteen settings that all have the mean 0: the plain minimum says -0.25, the cross-fitted one 0."""
    values = np.random.default_rng(3).normal(size=(4000, 15, 2)) / math.sqrt(50)
    lowest = cross_fitted_lowest(values[..., 0], values[..., 1], 0.5)
    assert values.mean(axis=-1).min(axis=-1).mean() < -0.15
    assert abs(lowest.mean()) < 4 * lowest.std() / math.sqrt(len(lowest))
    one = [cross_fitted(first, second, 0.5, 15) for first, second in values[:50].transpose(0, 2, 1)]
    np.testing.assert_allclose(one, lowest[:50], rtol=1e-12)


def test_what_has_no_answer_is_never_the_lowest() -> None:
    nan = math.nan
    assert cross_fitted_lowest(np.array([nan, 2.0]), np.array([nan, 4.0]), 0.5) == 3
    assert cross_fitted_lowest(np.array([nan]), np.array([nan]), 0.5) == math.inf


# halves


@pytest.mark.parametrize("seeds", [1, 2, 5, 40])
def test_halves_and_their_resamples(seeds: int) -> None:
    values = np.random.default_rng(seeds).exponential(size=(3, seeds))
    first, second = resampled_means(values)
    np.testing.assert_allclose(first[0], values[:, ::2].mean(axis=1))
    np.testing.assert_allclose(second[0], (values[:, 1::2] if seeds > 1 else values).mean(axis=1))
    for half, of in ((first, values[:, ::2]), (second, values[:, 1::2] if seeds > 1 else values)):
        error = of.std(axis=1) / math.sqrt(of.shape[1])  # of the mean of a resample
        np.testing.assert_allclose(half[1:].std(axis=0), error, rtol=0.12, atol=1e-12)
        np.testing.assert_allclose(half[1:].mean(axis=0), of.mean(axis=1), atol=0.15 * error.max() + 1e-12)


# runs


@given(
    st.lists(st.lists(st.booleans(), min_size=5, max_size=5), min_size=1, max_size=4),
    st.lists(st.integers(1, 3), min_size=5, max_size=5),
)
def test_the_longest_run_is_the_longest_of_all(good: list[list[bool]], gaps: list[int]) -> None:
    positions = np.cumsum(gaps).astype(float)
    first, last = longest_run(np.array(good), positions)
    for row, begin, end in zip(good, first, last, strict=True):
        runs = [(i, j) for i in range(5) for j in range(i, 5) if all(row[i : j + 1])]
        longest = max(runs, key=lambda run: (positions[run[1]] - positions[run[0]], -run[0]), default=(-1, -1))
        assert (begin, end) == longest
