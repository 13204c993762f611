"""Two samples of runs, of which lower is better: how often one is below the other, by how much, and whether it counts.

docs/statistics.md says how sure these numbers are.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit, logit, ndtri

from results.resampling import middle_half, resample_counts, resample_weights, weighted_means
from results.statistics import Floats, TooLittleData, interquartile_mean


@dataclass(frozen=True)
class Effect:
    """How often a run of the first is below one of the second, a tie counting half: 1 always, 0.5 as often as not.

    Attributes:
        value: from 0 to 1.
        low, high: its interval.
        variance: of the value, as estimated; that of an A12 is 0 at 0 and 1.
        runs: of the smaller sample, summed over tasks.
    """

    value: float
    low: float
    high: float
    variance: float
    runs: int

    def turned(self) -> Effect:
        """How often a run of the second is below one of the first."""
        return replace(self, value=1 - self.value, low=1 - self.high, high=1 - self.low)


@dataclass(frozen=True)
class Difference:
    """The first's interquartile mean less the second's, with bootstrap intervals.

    Attributes:
        value: below 0 where the first is better.
        low, high: its 95 % interval.
        low90, high90: its 90 % interval.
        paired: whether both samples shared their resamples.
    """

    value: float
    low: float
    high: float
    low90: float
    high90: float
    paired: bool

    def within(self, margin: float) -> bool:
        """Whether the two are equivalent: the 90 % interval is inside ± margin.

        That is two one-sided tests at 5 % each (Schuirmann 1987).
        """
        return -margin < self.low90 and self.high90 < margin

    def turned(self) -> Difference:
        """The second's less the first's."""
        return Difference(-self.value, -self.high, -self.low, -self.high90, -self.low90, self.paired)


def a12(first: ArrayLike, second: ArrayLike, level: float = 0.95) -> Effect:
    """P(first < second) + P(equal) / 2 of runs: the effect size of Vargha and Delaney 2000.

    The variance is that of DeLong et al. 1988, from how many of the other sample each run is below. The interval is
    symmetric on the logit scale. At 0 and 1, where that variance says nothing, it is the Clopper-Pearson interval of as
    many successes as the smaller sample has runs.

    Args:
        first, second: float [m], [n]; +inf is the worst.
        level: the coverage aimed at.

    Raises:
        TooLittleData: below two runs on a side, with a run that is NaN, or where all runs of both tie.
    """
    one, other = _samples(first, second)
    if _all_tie(one, other):
        raise TooLittleData("all runs of both are equal")
    return _a12(one, other, level)


def probability_of_improvement(tasks: Sequence[tuple[ArrayLike, ArrayLike]], level: float = 0.95) -> Effect:
    """The mean of the tasks' A12: how often the first is below the second on a task drawn at random.

    From Agarwal et al. 2021, section 4.3, in closed form: the tasks' variances are summed and divided by the square of
    their number. A task where all runs tie counts 0.5 without a variance. A task where the two do not overlap shows no
    variance; it enters with that of a normal interval as wide as its Clopper-Pearson interval, or one such task for and
    one against would make a certain 0.5.

    Args:
        tasks: first and second, float [m_t], [n_t] each.
        level: the coverage aimed at.

    Raises:
        TooLittleData: without a task, where all runs of all tasks tie, below two runs on a side, or with a NaN.
    """
    pairs = [_samples(first, second) for first, second in tasks]
    if not pairs:
        raise TooLittleData("a probability of improvement needs a task, there is none")
    apart = [_a12(*pair, level) for pair in pairs if not _all_tie(*pair)]
    if not apart:
        raise TooLittleData("all runs of both are equal on every task")
    runs = sum(min(map(len, pair)) for pair in pairs)
    value = (sum(effect.value for effect in apart) + (len(pairs) - len(apart)) / 2) / len(pairs)
    z = float(ndtri((1 + level) / 2))
    variances = [effect.variance or ((effect.high - effect.low) / z) ** 2 for effect in apart]
    variance = sum(variances) / len(pairs) ** 2
    return Effect(value, *_logit_interval(value, variance, runs, level), variance, runs)


def mann_whitney(first: ArrayLike, second: ArrayLike) -> float:
    """The two-sided p-value of Mann and Whitney's test, exact for up to 8 runs without ties, else ties corrected.

    Args:
        first, second: float [m], [n]; +inf is the worst.

    Raises:
        TooLittleData: below two runs on a side, with a run that is NaN, or where all runs of both tie.
    """
    from scipy.stats import mannwhitneyu  # 0.5 s

    one, other = _samples(first, second)
    if _all_tie(one, other):
        raise TooLittleData("all runs of both are equal")
    return float(mannwhitneyu(one, other, alternative="two-sided").pvalue)


def holm(p_values: ArrayLike) -> Floats:
    """P-values adjusted for being several, in the order given: below 0.05 is significant among all of them (Holm 1979).

    Args:
        p_values: float [m].

    Raises:
        ValueError: for a number that is no probability.
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise ValueError(f"p-values are from 0 to 1, these are {p}")
    order = np.argsort(p, kind="stable")
    adjusted = np.empty_like(p)
    adjusted[order] = np.minimum(np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)), 1)
    return adjusted


def difference(first: ArrayLike, second: ArrayLike, *, paired: bool = False) -> Difference:
    """The difference of two interquartile means, with percentile bootstrap intervals of 2,000 resamples.

    Args:
        first, second: float [m], [n].
        paired: whether run i of both had the same seed and the same random streams, as settings of one optimizer have:
            the same seeds are then resampled for both. Different optimizers share no streams.

    Raises:
        TooLittleData: below two runs on a side, or with a run that is NaN or infinite.
        ValueError: for pairs of different length.
    """
    one, other = _samples(first, second)
    if infinite := int(np.isinf(one).sum() + np.isinf(other).sum()):
        raise TooLittleData(f"a difference needs finite numbers, {infinite} of {len(one) + len(other)} runs have none")
    if paired and len(one) != len(other):
        raise ValueError(f"pairs need as many runs on either side, there are {len(one)} and {len(other)}")
    if paired:
        drawn = _resampled(one) - _resampled(other)
    else:
        drawn = weighted_means(resample_weights(len(one), 0), np.sort(one))
        drawn -= weighted_means(resample_weights(len(other), 1), np.sort(other))
    low, low90, high90, high = (float(end) for end in np.percentile(drawn, [2.5, 5, 95, 97.5]))
    value = float(interquartile_mean(one) - interquartile_mean(other))
    return Difference(value, low, high, low90, high90, paired)


def _resampled(runs: Floats) -> Floats:
    """Interquartile means of resamples that hold the same seeds whatever the runs are: float [2000]."""
    order = np.argsort(runs, kind="stable")
    return weighted_means(middle_half(resample_counts(len(runs))[:, order]), runs[order])


def _samples(first: ArrayLike, second: ArrayLike) -> tuple[Floats, Floats]:
    one, other = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    if min(len(one), len(other)) < 2:
        raise TooLittleData(f"a comparison needs 2 runs on either side, there are {len(one)} and {len(other)}")
    if missing := int(np.isnan(one).sum() + np.isnan(other).sum()):
        raise TooLittleData(f"a comparison needs a number of every run, {missing} of {len(one) + len(other)} have none")
    return one, other


def _all_tie(one: Floats, other: Floats) -> bool:
    return bool((one == one[0]).all() and (other == one[0]).all())


def _a12(one: Floats, other: Floats, level: float) -> Effect:
    first, second = _share_above(one, other), _share_above(other, one)
    value = float(first.mean())
    variance = float(first.var(ddof=1) / len(one) + second.var(ddof=1) / len(other))
    runs = min(len(one), len(other))
    return Effect(value, *_logit_interval(value, variance, runs, level), variance, runs)


def _share_above(own: Floats, other: Floats) -> Floats:
    """The share of the other sample that is above each of its own, ties half: DeLong's placements."""
    ordered = np.sort(other)
    places = np.searchsorted(ordered, own, side="left") + np.searchsorted(ordered, own, side="right")
    return 1 - places / (2 * len(ordered))


def _logit_interval(value: float, variance: float, runs: int, level: float) -> tuple[float, float]:
    if value in (0, 1):
        bound = ((1 - level) / 2) ** (1 / runs)
        return (bound, 1.0) if value else (0.0, 1 - bound)
    half = float(ndtri((1 + level) / 2)) * math.sqrt(variance) / (value * (1 - value))
    return float(expit(logit(value) - half)), float(expit(logit(value) + half))
