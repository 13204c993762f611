"""Kendall's tau against scipy, and its error against repeated sampling."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from results.rank_correlation import by_accuracy_then_loss, kendall


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=5, max_size=40))
def test_tau_is_scipys(pairs: list[tuple[int, int]]) -> None:
    x, y = np.array(pairs, dtype=float).T
    expected = stats.kendalltau(x, y).statistic
    found = kendall(x, y)
    assert found.count == len(pairs)
    np.testing.assert_allclose(found.value, expected, atol=1e-12, equal_nan=True)


@pytest.mark.parametrize("correlation", [0.0, 0.5, -0.8])
def test_the_error_is_the_spread_over_samples(correlation: float) -> None:
    random = np.random.default_rng(3)
    noise = random.multivariate_normal([0, 0], [[1, correlation], [correlation, 1]], size=(400, 60))
    taus = [kendall(sample[:, 0], sample[:, 1]) for sample in noise]
    spread = np.std([tau.value for tau in taus])
    assert np.mean([tau.error for tau in taus]) == pytest.approx(spread, rel=0.15)


def test_too_few_say_nothing() -> None:
    assert np.isnan(kendall([1, 2, 3], [1, 2, 3]).value)
    assert np.isnan(kendall(np.ones(10), np.arange(10)).value)


def test_equal_accuracies_are_ordered_by_loss() -> None:
    order = by_accuracy_then_loss([50, 60, 60, 40, 60], [1.0, 0.9, 0.5, 3.0, 0.9])
    np.testing.assert_array_equal(order, [1, 2, 3, 0, 2])
