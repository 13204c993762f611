"""Statistics against closed forms, exact enumeration and scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.stats import binom, trim_mean

from results.statistics import hitting_times, interquartile_mean, interquartile_mean_interval, median_interval


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 8, 101, 200])
def test_interquartile_mean_is_scipys_trimmed_mean(n: int) -> None:
    values = np.random.default_rng(n).exponential(size=(n, 6))
    np.testing.assert_allclose(interquartile_mean(values), trim_mean(values, 0.25, axis=0), rtol=1e-12)


def test_interquartile_mean_of_missing_runs_is_missing() -> None:
    np.testing.assert_array_equal(interquartile_mean([[1.0, 1.0], [np.nan, 3.0]]), [np.nan, 2.0])
    low, high = interquartile_mean_interval([[1.0, 1.0], [np.nan, 3.0]])
    np.testing.assert_array_equal(np.isnan([low, high]), [[True, False], [True, False]])


def test_interval_is_the_exact_bootstrap_distribution_of_a_small_sample() -> None:
    """All 5^5 resamples of five runs, enumerated."""
    values = np.array([0.3, 1.1, 1.2, 2.5, 4.0])
    exact = [float(interquartile_mean(resample)) for resample in itertools.product(values, repeat=5)]
    low, high = interquartile_mean_interval(values)
    for end, share in ((low, 0.025), (high, 0.975)):
        # the drawn quantile lies between quantiles of the exact distribution that 2,000 draws can reach
        near = np.quantile(exact, [share - 0.012, share + 0.012])
        assert near[0] - 1e-12 <= end <= near[1] + 1e-12


def test_interval_agrees_with_plain_resampling() -> None:
    values = np.random.default_rng(3).gamma(2, size=(60, 2))
    rng = np.random.default_rng(4)
    plain = np.array([interquartile_mean(values[rng.integers(60, size=60)]) for _ in range(20_000)])
    low, high = interquartile_mean_interval(values)
    np.testing.assert_allclose(low, np.percentile(plain, 2.5, axis=0), atol=0.03)
    np.testing.assert_allclose(high, np.percentile(plain, 97.5, axis=0), atol=0.03)


def test_interval_covers_as_often_as_it_says() -> None:
    """The true interquartile mean of normal runs is 0; at n = 50 the interval covers it in 92 to 97 of 100 cases."""
    values = np.random.default_rng(5).normal(size=(50, 2000))
    low, high = interquartile_mean_interval(values)
    assert 0.92 <= ((low <= 0) & (high >= 0)).mean() <= 0.97


def test_columns_do_not_mix() -> None:
    values = np.random.default_rng(6).normal(size=(30, 4))
    together = np.array(interquartile_mean_interval(values))
    alone = np.array([interquartile_mean_interval(column) for column in values.T]).T
    np.testing.assert_allclose(together, alone, rtol=1e-12)


def test_hitting_times_take_the_first_hit_of_each_seed() -> None:
    times = hitting_times(
        np.array([2, 5, 9]),
        np.array([2, 2, 2, 5, 9]),
        [1, 4, 6, 3, 8],
        np.array([False, True, True, False, True]),
    )
    np.testing.assert_array_equal(times, [4, np.inf, 8])


@pytest.mark.parametrize("n", [1, 2, 5, 30, 101])
def test_interval_of_the_median_is_the_exact_bootstrap_distribution(n: int) -> None:
    """The lower median of a resample is at most run j where at least half of it, rounded up, is among the first j."""
    values = np.random.default_rng(n).permutation(n).astype(np.float64)
    median, low, high = median_interval(values)
    assert median == (n - 1) // 2
    share = binom.sf((n + 1) // 2 - 1, n, np.arange(1, n + 1) / n)  # of resamples whose median is at most j - 1
    for end, quantile in ((low, 0.025), (high, 0.975)):
        # the drawn quantile lies between quantiles of the exact distribution that 2,000 draws can reach
        nearest = [int(np.argmax(share >= min(quantile + off, 1 - 1e-9))) for off in (-0.012, 0.012)]
        assert nearest[0] <= end <= nearest[1]


def test_interval_of_the_median_with_runs_that_never_came() -> None:
    assert median_interval([3.0, np.inf, 1.0]) == (3.0, 1.0, np.inf)
    assert median_interval([1.0, np.inf]) == (1.0, 1.0, np.inf)
    assert median_interval([np.inf] * 4) == (np.inf, np.inf, np.inf)
