"""Small pure functions over arrays of runs."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

RESAMPLES = 2000


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
    means = _resample_weights(n) @ flat
    low, high = np.percentile(means, [50 * (1 - level), 50 * (1 + level)], axis=0)
    shape = ordered.shape[1:]
    return (
        np.where(missing, np.nan, low.reshape(shape)),
        np.where(missing, np.nan, high.reshape(shape)),
    )


@lru_cache(maxsize=8)
def _resample_weights(n: int) -> Floats:
    """What each place of the ordered sample weighs in the interquartile mean of each resample: float [2000, n].

    A resample repeats the i-th smallest run c_i times; ordered, it holds that run at the places from the sum of the
    c before i on, and the interquartile mean takes the part of them that lies between the cuts.
    """
    rng = np.random.default_rng(0)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    cut = n // 4
    edges = np.clip(np.cumsum(counts, axis=1), cut, n - cut)
    return np.diff(edges, axis=1, prepend=cut) / (n - 2 * cut)


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
