"""Small pure functions over arrays of runs of one optimizer; docs/statistics.md says how sure they are."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.resampling import RESAMPLES, middle_half, resample_counts, resample_weights, weighted_means

Floats = NDArray[np.float64]

RELIABLE_FROM = 20  # runs; with fewer a bootstrap interval of an interquartile mean is too short


class TooLittleData(ValueError):  # noqa: N818  (a report prints it where a number would stand: it is no fault)
    """What the data cannot carry: one line for readers of a report that says what is missing and how much is needed."""


def interquartile_mean(values: ArrayLike) -> Floats:
    """The mean of the middle half of n runs, int(n / 4) of them cut at either end.

    Args:
        values: float [n, ...].

    Returns:
        float [...]; NaN where any run is NaN.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=0)  # NaN goes last
    cut = len(ordered) // 4
    result: Floats = np.asarray(ordered[cut : len(ordered) - cut].mean(axis=0))
    return np.where(np.isnan(ordered[-1]), np.nan, result)


def interquartile_mean_interval(values: ArrayLike, level: float = 0.95) -> tuple[Floats, Floats]:
    """A percentile bootstrap interval of the interquartile mean, with 2,000 resamples of the n runs.

    All columns share their resamples, so that a curve costs one matrix product.

    Args:
        values: float [n, ...].
        level: the coverage aimed at.

    Returns:
        the lower and the upper end, float [...] each; NaN where any run is NaN.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64), axis=0)
    n = len(ordered)
    missing = np.isnan(ordered[-1])
    flat = np.where(np.isnan(ordered), 0.0, ordered).reshape(n, -1)
    means = resample_weights(n) @ flat
    low, high = np.percentile(means, [50 * (1 - level), 50 * (1 + level)], axis=0)
    low, high = (np.where(missing, np.nan, end.reshape(ordered.shape[1:])) for end in (low, high))
    return low, high


def pooled_interquartile_mean(tasks: Sequence[ArrayLike]) -> float:
    """The mean of the middle half of all N runs of all tasks, int(N / 4) of them cut at either end.

    In one unit, such as normalised regret, or the quarter that is cut is simply the hardest task. A task counts as much
    as it has runs. From Agarwal et al. 2021, "Deep reinforcement learning at the edge of the statistical precipice".

    Args:
        tasks: float [n_t] each.

    Returns:
        NaN where any run is NaN.

    Raises:
        TooLittleData: without a task, or with a task that has no run.
    """
    return float(interquartile_mean(np.concatenate(_ordered(tasks))))


def pooled_interquartile_mean_interval(tasks: Sequence[ArrayLike], level: float = 0.95) -> tuple[float, float]:
    """A stratified percentile bootstrap interval of it, of 2,000 resamples of each task's runs (Agarwal et al. 2021).

    Args:
        tasks: float [n_t] each.
        level: the coverage aimed at.

    Returns:
        the lower and the upper end; NaN where any run is NaN.

    Raises:
        TooLittleData: without a task, or with a task that has no run.
    """
    ordered = _ordered(tasks)
    pooled = np.concatenate(ordered)
    if np.isnan(pooled).any():
        return math.nan, math.nan
    order = np.argsort(pooled, kind="stable")
    counts = np.concatenate([resample_counts(len(runs), task) for task, runs in enumerate(ordered)], axis=1)
    means = weighted_means(middle_half(counts[:, order]), pooled[order])
    low, high = np.percentile(means, [50 * (1 - level), 50 * (1 + level)])
    return float(low), float(high)


def performance_profile(
    tasks: Sequence[ArrayLike], thresholds: ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats, Floats]:
    """The share of runs with a score up to each threshold, the mean over tasks, with a stratified bootstrap band.

    The run-score distribution of Agarwal et al. 2021, section 4.2, for scores of which lower is better. The band holds
    for one threshold at a time, and is a point where all runs of all tasks are on one side.

    Args:
        tasks: float [n_t] each; a run that is NaN reaches no threshold.
        thresholds: float [G].
        level: the coverage aimed at.

    Returns:
        the share, and the lower and the upper end of its band, float [G] each.

    Raises:
        TooLittleData: without a task, or with a task that has no run.
    """
    at = np.asarray(thresholds, dtype=np.float64)
    share, drawn, ordered = np.zeros(len(at)), np.zeros((RESAMPLES, len(at))), _ordered(tasks)
    for task, runs in enumerate(ordered):
        n = len(runs)
        reached = np.searchsorted(runs, at, side="right")
        up_to = np.pad(np.cumsum(resample_counts(n, task), axis=1), ((0, 0), (1, 0)))  # runs before each place
        share += reached / (n * len(ordered))
        drawn += up_to[:, reached] / (n * len(ordered))
    low, high = np.percentile(drawn, [50 * (1 - level), 50 * (1 + level)], axis=0)
    return share, low, high


def _ordered(tasks: Sequence[ArrayLike]) -> list[Floats]:
    ordered = [np.sort(np.asarray(runs, dtype=np.float64)) for runs in tasks]  # NaN goes last
    if not ordered or not all(map(len, ordered)):
        raise TooLittleData("an aggregate needs a run of every task, and a task")
    return ordered


def mean_interval(values: ArrayLike) -> tuple[Floats, Floats]:
    """The mean of n runs and half the width of its 95 % interval by the normal approximation, 0 for a single run.

    Args:
        values: float [..., n].

    Returns:
        float [...] each; NaN where any run is NaN.
    """
    runs = np.asarray(values, dtype=np.float64)
    n = runs.shape[-1]
    mean = np.asarray(runs.mean(axis=-1))
    return mean, 1.96 * runs.std(axis=-1, ddof=1) / np.sqrt(n) if n > 1 else np.zeros_like(mean)


def median_interval(values: ArrayLike, level: float = 0.95) -> tuple[float, float, float]:
    """The median of n runs with a percentile bootstrap interval, of 2,000 resamples.

    All three are among the runs, the lower one where two are in the middle: runs may be +inf, and nothing is
    interpolated between a number and infinity.

    Args:
        values: float [n].
        level: the coverage aimed at.

    Returns:
        the median, and the lower and the upper end of the interval.
    """
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    n = len(ordered)
    places = np.sort(np.random.default_rng(0).integers(n, size=(RESAMPLES, n)), axis=1)[:, (n - 1) // 2]
    low, high = np.percentile(places, [50 * (1 - level), 50 * (1 + level)], method="nearest")
    return float(ordered[(n - 1) // 2]), float(ordered[low]), float(ordered[high])


def hitting_times(
    seeds: NDArray[np.int64], seed_of: NDArray[np.int64], time: ArrayLike, hit: NDArray[np.bool_]
) -> Floats:
    """When each seed first hit, from rows in order of time: float [R], +inf where it never did.

    Args:
        seeds: int [R], ascending.
        seed_of: int [I], the seed of each row.
        time: number [I].
        hit: bool [I].
    """
    first = np.full(len(seeds), np.inf)
    np.minimum.at(first, np.searchsorted(seeds, seed_of[hit]), np.asarray(time, dtype=np.float64)[hit])
    return first


def expected_running_time(times: ArrayLike, spent: ArrayLike) -> float:
    """What all runs spent up to their success or their end, a success: the expected cost of restarting until one.

    COCO's ERT: Hansen et al. 2021, "COCO: a platform for comparing continuous optimizers in a black-box setting".

    Args:
        times: float [R], when each run succeeded, +inf where never; evaluations or seconds.
        spent: float [R], what each run was given; a success after that is none.

    Returns:
        +inf without a success.
    """
    when, end = np.asarray(times, dtype=np.float64), np.asarray(spent, dtype=np.float64)
    successes = int((when <= end).sum())
    return float(np.minimum(when, end).sum()) / successes if successes else math.inf


def share_reached(times: ArrayLike, at: ArrayLike) -> Floats:
    """The share of all times that are not after each moment: the empirical distribution of run times.

    Args:
        times: float [...], say runs by targets, +inf where a target was never reached.
        at: float [G], finite.

    Returns:
        float [G].

    Raises:
        TooLittleData: without a time.
    """
    ordered = np.sort(np.asarray(times, dtype=np.float64), axis=None)
    if not len(ordered):
        raise TooLittleData("a share of runs needs a run, there is none")
    return np.searchsorted(ordered, np.asarray(at, dtype=np.float64), side="right") / len(ordered)


def wilson_interval(successes: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """The score interval of a success rate, from Wilson 1927: it stays inside 0 to 1 and is no point at either end.

    Args:
        successes: how many of the runs.
        n: runs.
        level: the coverage aimed at.

    Returns:
        the lower and the upper end.

    Raises:
        TooLittleData: without a run.
        ValueError: for successes that are no number from 0 to n.
    """
    from scipy.special import ndtri  # 0.1 s that tables and figures need not pay

    if n < 1:
        raise TooLittleData("a success rate needs a run, there is none")
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n} runs")
    share, square = successes / n, float(ndtri((1 + level) / 2)) ** 2 / n
    middle = (share + square / 2) / (1 + square)
    half = math.sqrt(square * (share * (1 - share) + square / 4)) / (1 + square)
    return (middle - half if successes else 0.0), (middle + half if successes < n else 1.0)
