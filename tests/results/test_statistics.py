"""Statistics against closed forms, exact enumeration and scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, ecdf, trim_mean

from results.statistics import (
    TooLittleData,
    expected_running_time,
    hitting_times,
    interquartile_mean,
    interquartile_mean_interval,
    median_interval,
    performance_profile,
    pooled_interquartile_mean,
    pooled_interquartile_mean_interval,
    share_reached,
    wilson_interval,
)


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


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=6), min_size=1, max_size=4))
def test_pooled_interquartile_mean_is_scipys_trimmed_mean_of_all_runs(tasks: list[list[int]]) -> None:
    assert pooled_interquartile_mean(tasks) == pytest.approx(trim_mean(np.concatenate(tasks), 0.25), rel=1e-12)


def test_pooled_interval_of_one_task_is_that_of_the_interquartile_mean() -> None:
    runs = np.random.default_rng(7).exponential(size=37)
    pooled = pooled_interquartile_mean_interval([runs], level=0.8)
    assert pooled == pytest.approx(np.array(interquartile_mean_interval(runs, level=0.8)), rel=1e-12)


def test_pooled_interval_is_the_exact_stratified_bootstrap_distribution() -> None:
    """All 4^4 times 3^3 resamples: every task keeps its number of runs."""
    tasks = [0.3, 1.1, 2.5, 4.0], [1.0, 1.2, 6.0]
    resamples = itertools.product(*(itertools.product(runs, repeat=len(runs)) for runs in tasks))
    exact = [trim_mean(np.concatenate(pair), 0.25) for pair in resamples]
    for end, share in zip(pooled_interquartile_mean_interval(tasks), (0.025, 0.975), strict=True):
        # the drawn quantile lies between quantiles of the exact distribution that 2,000 draws can reach
        near = np.quantile(exact, [share - 0.012, share + 0.012])
        assert near[0] - 1e-12 <= end <= near[1] + 1e-12


def test_tasks_of_as_many_runs_do_not_share_their_resamples() -> None:
    """Two tasks with the same runs: the variance is half that of one. Shared resamples would leave it as it was."""
    runs = np.random.default_rng(8).normal(size=400)
    one, two = (np.ptp(pooled_interquartile_mean_interval([runs] * tasks)) for tasks in (1, 2))
    assert two / one == pytest.approx(np.sqrt(0.5), rel=0.06)


def test_pooled_numbers_with_missing_runs_are_missing() -> None:
    tasks = [[1.0, 2.0], [np.nan, 3.0]]
    assert np.isnan([pooled_interquartile_mean(tasks), *pooled_interquartile_mean_interval(tasks)]).all()


@pytest.mark.parametrize("tasks", [[], [[1.0], []]])
def test_an_aggregate_without_runs_is_refused(tasks: list[list[float]]) -> None:
    for aggregate in (pooled_interquartile_mean, pooled_interquartile_mean_interval):
        with pytest.raises(TooLittleData, match="needs a run of every task"):
            aggregate(tasks)
    with pytest.raises(TooLittleData, match="needs a run of every task"):
        performance_profile(tasks, [0.0])


def test_performance_profile_counts_runs_at_the_threshold_and_weighs_tasks_alike() -> None:
    tasks = [[0.0, 1.0, 2.0, 2.0], [1.0, np.nan]]
    share, low, high = performance_profile(tasks, [-1.0, 0.0, 1.0, 2.0, np.inf])
    np.testing.assert_allclose(share, [0, 1 / 8, (1 / 2 + 1 / 2) / 2, (1 + 1 / 2) / 2, (1 + 1 / 2) / 2])
    assert (low[0], high[0]) == (0, 0)
    assert (low[-1], high[-1]) == (0.5, 1)  # the task without missing runs always, the other's two runs or none


def test_band_of_a_performance_profile_is_a_binomials() -> None:
    """The number of runs up to a threshold in a resample is binomial; drawn quantiles are off by at most one run."""
    runs = np.random.default_rng(9).normal(size=50)
    share, low, high = performance_profile([runs], [-1.0, 0.0, 0.5], level=0.9)
    np.testing.assert_allclose(low, binom.ppf(0.05, 50, share) / 50, atol=0.0201)
    np.testing.assert_allclose(high, binom.ppf(0.95, 50, share) / 50, atol=0.0201)


def test_expected_running_time_counts_what_all_runs_spent() -> None:
    assert expected_running_time([10, np.inf, 30], [100, 100, 100]) == (10 + 100 + 30) / 2
    assert expected_running_time([10, 60, np.inf], [50, 50, 20]) == 10 + 50 + 20  # a success too late is none
    assert expected_running_time([50], [50]) == 50
    assert expected_running_time([np.inf, np.inf], [9, 9]) == np.inf


@given(st.lists(st.integers(0, 6), min_size=1, max_size=12), st.integers(0, 5))
def test_share_reached_is_scipys_ecdf(times: list[int], never: int) -> None:
    known = [float(t) for t in times] + [np.inf] * never
    at = np.arange(-0.5, 7, 0.5)
    expected = [ecdf(times).cdf.evaluate(at) * len(times) / len(known)]
    np.testing.assert_allclose([share_reached(known, at)], expected, rtol=1e-12)
    np.testing.assert_allclose([share_reached([known, known], at)], expected, rtol=1e-12)


def test_share_of_nothing_is_refused() -> None:
    with pytest.raises(TooLittleData, match="needs a run"):
        share_reached([], [1.0])


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize(("successes", "n"), [(0, 1), (1, 1), (0, 20), (20, 20), (3, 7), (150, 500)])
def test_wilson_interval_is_scipys(successes: int, n: int, level: float) -> None:
    expected = binomtest(successes, n).proportion_ci(level, method="wilson")
    assert wilson_interval(successes, n, level) == pytest.approx((expected.low, expected.high), rel=1e-12)


def test_wilson_interval_refuses() -> None:
    with pytest.raises(TooLittleData, match="needs a run"):
        wilson_interval(0, 0)
    for wrong in (-1, 4):
        with pytest.raises(ValueError, match="successes of 3 runs"):
            wilson_interval(wrong, 3)
