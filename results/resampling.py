"""The resamples behind every bootstrap interval: drawn once, kept, and the same at every call."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

RESAMPLES = 2000


@lru_cache(maxsize=16)
def resample_counts(n: int, stream: int = 0) -> NDArray[np.int64]:
    """How often each of n runs is in each of 2,000 resamples: int [2000, n], the same at every call.

    Args:
        n: runs.
        stream: resamples of different streams are independent.
    """
    counts: NDArray[np.int64] = np.random.default_rng(stream).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    counts.flags.writeable = False
    return counts


@lru_cache(maxsize=8)
def resample_weights(n: int, stream: int = 0) -> Floats:
    """What each place of the ordered sample weighs in the interquartile mean of each resample: float [2000, n]."""
    weights = middle_half(resample_counts(n, stream))
    weights.flags.writeable = False
    return weights


def middle_half(counts: NDArray[np.int64]) -> Floats:
    """What each place of an ordered sample weighs in the interquartile mean of its resamples.

    A resample repeats the i-th smallest run c_i times; ordered, it holds that run at the places from the sum of the
    c before i on, and the interquartile mean takes the part of them that lies between the cuts.

    Args:
        counts: int [resamples, n], how often the i-th smallest run is in each; every row sums to n.

    Returns:
        float [resamples, n]; every row sums to 1.
    """
    n = counts.shape[1]
    cut = n // 4
    edges = np.clip(np.cumsum(counts, axis=1), cut, n - cut)
    weights: Floats = np.diff(edges, axis=1, prepend=cut) / (n - 2 * cut)
    return weights


def weighted_means(weights: Floats, runs: Floats) -> Floats:
    """What each resample comes to: float [resamples].

    Args:
        weights: float [resamples, n].
        runs: float [n], ordered as the weights are.
    """
    # not @: on a busy machine the threads of BLAS wait for each other, 5 ms and more where this takes 0.4
    return np.asarray(np.einsum("ij,j->i", weights, runs))
