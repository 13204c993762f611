"""Two samples against double loops, exact enumeration and scipy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, mannwhitneyu, norm, permutation_test, trim_mean

from results.comparison import Difference, a12, difference, holm, mann_whitney, probability_of_improvement
from results.statistics import TooLittleData

FIRST, SECOND = [0.3, 1.0, 1.0, 2.5, 7.0], [1.0, 0.2, 3.0, 3.0, 4.0, 9.0]

# few values, so that ties are common
samples = st.lists(st.integers(0, 5) | st.just(np.inf), min_size=2, max_size=9).map(lambda x: np.array(x, dtype=float))


def counted(first: np.ndarray, second: np.ndarray) -> float:
    """By a double loop."""
    wins = sum((x < y) + (x == y) / 2 for x, y in itertools.product(first, second))
    return float(wins) / (len(first) * len(second))


@given(samples, samples)
def test_a12_is_a_double_loop(first: np.ndarray, second: np.ndarray) -> None:
    if len({*first, *second}) == 1:
        with pytest.raises(TooLittleData, match="all runs of both are equal"):
            a12(first, second)
        return
    effect = a12(first, second)
    assert effect.value == pytest.approx(counted(first, second), abs=1e-12)
    assert 0 <= effect.low <= effect.value <= effect.high <= 1
    assert effect.runs == min(len(first), len(second))
    other = a12(second, first)
    assert (other.value, other.low, other.high) == pytest.approx((1 - effect.value, 1 - effect.high, 1 - effect.low))


@given(samples, samples)
def test_a12_has_delongs_variance(first: np.ndarray, second: np.ndarray) -> None:
    """Of the wins of all pairs: the variances of their means over either sample."""
    if len({*first, *second}) == 1:
        return
    wins = (first[:, None] < second) + (first[:, None] == second) / 2
    by_first, by_second = np.var(wins.mean(axis=1), ddof=1), np.var(wins.mean(axis=0), ddof=1)
    assert a12(first, second).variance == pytest.approx(by_first / len(first) + by_second / len(second), abs=1e-12)


def test_a12_interval_is_normal_on_the_logit_scale() -> None:
    effect = a12(FIRST, SECOND, level=0.8)
    odds = [np.log(p / (1 - p)) for p in (effect.low, effect.value, effect.high)]
    half = norm.ppf(0.9) * np.sqrt(effect.variance) / (effect.value * (1 - effect.value))
    np.testing.assert_allclose(np.diff(odds), [half, half], rtol=1e-12)


def test_a12_of_samples_apart_has_the_bound_of_clopper_and_pearson() -> None:
    effect = a12([1, 2, 3, np.nextafter(4, 0)], [4, 5, 6, 7, np.inf])
    assert (effect.value, effect.high, effect.variance) == (1, 1, 0)
    assert effect.low == pytest.approx(beta.ppf(0.025, 4, 1), rel=1e-12)
    effect = a12([4, 5], [1, 2, 3], level=0.9)
    assert (effect.value, effect.low) == (0, 0)
    assert effect.high == pytest.approx(beta.ppf(0.95, 1, 2), rel=1e-12)


def test_probability_of_improvement_is_the_mean_with_the_variances_added() -> None:
    tasks = [(FIRST, SECOND), (SECOND[::2], FIRST), ([1.0, 1.0], [1.0] * 7)]
    one, other = a12(*tasks[0]), a12(*tasks[1])
    effect = probability_of_improvement(tasks)
    assert effect.value == pytest.approx((one.value + other.value + 0.5) / 3)
    assert effect.variance == pytest.approx((one.variance + other.variance) / 9)
    assert effect.runs == 5 + 3 + 2
    half = norm.ppf(0.975) * np.sqrt(effect.variance) / (effect.value * (1 - effect.value))
    odds = [np.log(p / (1 - p)) for p in (effect.low, effect.value, effect.high)]
    np.testing.assert_allclose(np.diff(odds), [half, half], rtol=1e-9)


def test_probability_of_improvement_on_one_task_is_its_a12() -> None:
    assert probability_of_improvement([(FIRST, SECOND)]) == a12(FIRST, SECOND)
    assert probability_of_improvement([([1, 2], [3, 4])]).low == a12([1, 2], [3, 4]).low


def test_one_task_for_and_one_against_are_no_certain_draw() -> None:
    """Neither task shows a variance; the interval is as wide as their Clopper-Pearson intervals say."""
    below, above = [1.0, 2.0, 3.0], [4.0, 5.0, 6.0]
    effect = probability_of_improvement([(below, above), (above, below)])
    width = 1 - beta.ppf(0.025, 3, 1)
    assert effect.value == 0.5
    assert effect.variance == pytest.approx(2 * (width / norm.ppf(0.975)) ** 2 / 4, rel=1e-9)
    assert effect.low < 0.2
    assert effect.high > 0.8


def test_tasks_all_apart_have_the_bound_of_all_runs() -> None:
    effect = probability_of_improvement([([1.0, 2.0], [3.0, 4.0, 5.0])] * 3)
    assert (effect.value, effect.high, effect.runs) == (1, 1, 6)


def test_mann_whitney_is_exact_by_permutation() -> None:
    first, second = [0.3, 1.1, 2.5, 0.7], [1.0, 3.2, 4.0, 2.7, 9.0]
    exact = permutation_test((first, second), counted, vectorized=False, n_resamples=np.inf)
    assert mann_whitney(first, second) == pytest.approx(exact.pvalue, rel=1e-12)


def test_mann_whitney_corrects_for_ties() -> None:
    first, second = np.repeat([0.0, 1, 2], 7), np.repeat([0.0, 1, 3], 9)
    m, n, N = len(first), len(second), len(first) + len(second)
    ties = np.unique(np.concatenate([first, second]), return_counts=True)[1]
    sd = np.sqrt(m * n / 12 * (N + 1 - (ties**3 - ties).sum() / (N * (N - 1))))
    z = (abs(counted(first, second) - 0.5) * m * n - 0.5) / sd  # with continuity
    assert mann_whitney(first, second) == pytest.approx(2 * norm.sf(z), rel=1e-12)
    assert mann_whitney(first, second) == mannwhitneyu(second, first).pvalue


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
def test_holm_rejects_what_its_step_down_rejects(p_values: list[float]) -> None:
    """Holm's procedure as he wrote it, at a level: from the smallest on until one is not below its share of it."""
    adjusted = holm(p_values)
    for level in (0.01, 0.05, 0.3):
        rejected = set()
        for step, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
            if p_values[place] * (len(p_values) - step) > level:
                break
            rejected.add(place)
        assert {place for place, p in enumerate(adjusted) if p <= level} == rejected


def test_holm_refuses_what_is_no_probability() -> None:
    assert holm([]).shape == (0,)
    for wrong in ([0.5, 1.1], [-0.1], [np.nan]):
        with pytest.raises(ValueError, match="p-values are from 0 to 1"):
            holm(wrong)


def test_difference_is_the_exact_bootstrap_distribution() -> None:
    """All pairs of the 4^4 and 3^3 resamples; the drawn quantile lies where 2,000 draws can reach."""
    first, second = np.array([0.3, 1.1, 2.5, 4.0]), np.array([0.5, 1.9, 2.0])
    means = [[trim_mean(x, 0.25) for x in itertools.product(runs, repeat=len(runs))] for runs in (first, second)]
    exact = np.subtract.outer(*map(np.array, means)).ravel()
    found = difference(first, second)
    assert found.value == pytest.approx(trim_mean(first, 0.25) - trim_mean(second, 0.25))
    _assert_ends(found, exact)


def test_paired_difference_is_the_exact_bootstrap_distribution() -> None:
    """All 5^5 resamples of five seeds, the same for both."""
    first, second = np.array([2.5, 0.3, 4.0, 1.1, 1.2]), np.array([2.7, 0.1, 4.9, 1.3, 0.6])
    places = np.array(list(itertools.product(range(5), repeat=5)))
    exact = trim_mean(first[places], 0.25, axis=1) - trim_mean(second[places], 0.25, axis=1)
    found = difference(first, second, paired=True)
    assert found.paired
    _assert_ends(found, exact)
    assert found.high - found.low < 0.7 * np.subtract(*np.array(_ends(difference(first, second)))[[3, 0]])


def _ends(found: Difference) -> tuple[float, float, float, float]:
    return found.low, found.low90, found.high90, found.high


def _assert_ends(found: Difference, exact: np.ndarray) -> None:
    for end, share in zip(_ends(found), (0.025, 0.05, 0.95, 0.975), strict=True):
        off = 3.5 * np.sqrt(share * (1 - share) / 2000)
        near = np.quantile(exact, [share - off, share + off])
        assert near[0] - 1e-12 <= end <= near[1] + 1e-12


def test_difference_of_a_constant_shift_by_pairs_is_certain() -> None:
    """The same seeds are resampled for both, whatever the order of the runs."""
    runs = np.random.default_rng(1).permutation(np.arange(40.0) ** 1.5)
    found = difference(runs + 3, runs, paired=True)
    assert [found.value, *_ends(found)] == pytest.approx([3] * 5, rel=1e-9)
    assert difference(runs + 3, runs).low < 0  # and is not without the pairs


@pytest.mark.parametrize("paired", [False, True])
def test_difference_turns_round(paired: bool) -> None:
    rng = np.random.default_rng(2)
    first, second = rng.exponential(size=(2, 200))
    found, turned = difference(first, second, paired=paired), difference(second, first, paired=paired)
    assert turned.value == -found.value
    np.testing.assert_allclose(_ends(turned), -np.array(_ends(found))[::-1], atol=0.02)


def test_within_asks_for_the_90_percent_interval_inside_the_margin() -> None:
    found = Difference(0.0, -3.0, 3.0, -1.0, 2.0, paired=False)
    assert found.within(2.1)
    assert not found.within(2.0)
    assert not Difference(0.0, -3.0, 3.0, -2.0, 1.0, paired=False).within(2.0)
    assert not difference([1.0, 1.0], [1.0, 1.0]).within(0.0)


@pytest.mark.parametrize("of", [a12, mann_whitney, difference, lambda x, y: probability_of_improvement([(x, y)])])
def test_what_two_samples_cannot_carry_is_refused(of) -> None:
    with pytest.raises(TooLittleData, match="2 runs on either side, there are 3 and 1"):
        of([1.0, 2.0, 3.0], [1.0])
    with pytest.raises(TooLittleData, match="2 runs on either side, there are 0 and 2"):
        of([], [1.0, 2.0])
    with pytest.raises(TooLittleData, match="2 of 5 have none"):
        of([1.0, 2.0, np.nan], [1.0, np.nan])


@pytest.mark.parametrize("of", [a12, mann_whitney, lambda x, y: probability_of_improvement([(x, y)] * 2)])
def test_all_ties_are_refused(of) -> None:
    for value in (0.0, np.inf):
        with pytest.raises(TooLittleData, match="all runs of both are equal"):
            of([value] * 3, [value] * 4)


def test_differences_without_a_number_are_refused() -> None:
    with pytest.raises(TooLittleData, match="1 of 4 runs have none"):
        difference([1.0, np.inf], [1.0, 2.0])
    with pytest.raises(ValueError, match="as many runs on either side, there are 2 and 3"):
        difference([1.0, 2.0], [1.0, 2.0, 3.0], paired=True)
    with pytest.raises(TooLittleData, match="needs a task"):
        probability_of_improvement([])
