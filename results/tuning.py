"""Numbers about the values of a setting: runs of good ones, and what the best of a few random ones comes to.

A number that was chosen as the lowest of several is too low. So what is chosen by one half of the seeds is judged by
the other, and the other way round; a mean of the two counts each by the seeds that judged.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from results.statistics import Floats

Ints = NDArray[np.int64]

RESAMPLES = 1000


def resampled_means(values: Floats) -> tuple[Floats, Floats]:
    """Means of either half of R seeds, every other one: in the first row as they are, then of bootstrap resamples.

    Halves are resampled apart; equal numbers of seeds share their resamples, whatever the values. The first half has
    the odd seed; a single one is either half.

    Args:
        values: float [S, R].

    Returns:
        float [1 + 1000, S] of each half.
    """
    first, second = values[:, ::2], values[:, 1::2] if values.shape[1] > 1 else values
    return _weights(first.shape[1], 0) @ first.T, _weights(second.shape[1], 1) @ second.T


@lru_cache(maxsize=8)
def _weights(n: int, half: int) -> Floats:
    resampled = np.random.default_rng(half).multinomial(n, np.full(n, 1 / n), size=RESAMPLES)
    return np.concatenate([np.ones((1, n)), resampled]) / n


def longest_run(good: NDArray[np.bool_], positions: Floats) -> tuple[Ints, Ints]:
    """The longest run of neighbours that are all good, from the first to the last of them; of equal ones the lowest.

    Args:
        good: bool [..., S].
        positions: float [S], ascending; a run from i to j is positions[j] - positions[i] long.

    Returns:
        its first and its last place, int [...]; -1 where none is good.
    """
    start = np.zeros(good.shape[:-1], dtype=np.int64)
    first, last = np.full_like(start, -1), np.full_like(start, -1)
    longest = np.full(start.shape, -np.inf)
    before = np.zeros(start.shape, dtype=bool)
    for place in range(good.shape[-1]):
        now = good[..., place]
        start = np.where(now & ~before, place, start)
        length = positions[place] - positions[start]
        longer = now & (length > longest)
        first, last = np.where(longer, start, first), np.where(longer, place, last)
        longest = np.where(longer, length, longest)
        before = now
    return first, last


@lru_cache(maxsize=256)
def chances_of_best(n: int, k: int) -> Floats:
    """How likely each of n values is the best of k different ones that are drawn: float [n], from the best on.

    The i-th best is if it is drawn, and the other k - 1 are among the n - 1 - i that are worse.
    """
    return np.array([math.comb(n - 1 - place, k - 1) / math.comb(n, k) for place in range(n)])


def expected_best(chosen_by: Floats, judged_by: Floats, k: int) -> float:
    """What the best of k different values drawn at random comes to, in closed form.

    Args:
        chosen_by: float [n], of each value, lower is better; equals are equally likely to be chosen.
        judged_by: float [n], what the chosen one counts.
        k: 1 to n.
    """
    _, order, count = np.unique(chosen_by, return_inverse=True, return_counts=True)
    chances = chances_of_best(len(chosen_by), k)
    ends = np.cumsum(count)
    shared = np.array([chances[end - equal : end].mean() for end, equal in zip(ends, count, strict=True)])
    return float((shared[order] * judged_by).sum())


def cross_fitted(first: Floats, second: Floats, share: float, k: int) -> float:
    """:func:`expected_best`, chosen by one half and judged by the other, both ways.

    Args:
        first, second: float [n], of either half.
        share: of the seeds that are in the first half: what its judgement counts.
        k: 1 to n; 0 gives NaN.
    """
    if k < 1:
        return math.nan
    return (1 - share) * expected_best(first, second, k) + share * expected_best(second, first, k)


def cross_fitted_lowest(first: Floats, second: Floats, share: float) -> Floats:
    """The lowest of the last axis, chosen by one half and judged by the other, both ways.

    It is never below the lowest mean of all seeds. float [..., n] twice to [...]; NaN is never chosen.
    """
    first, second = (np.where(np.isnan(half), np.inf, half) for half in (first, second))
    judged_by_second, judged_by_first = (
        np.take_along_axis(judge, choose.argmin(axis=-1)[..., None], axis=-1)[..., 0]
        for choose, judge in ((first, second), (second, first))
    )
    lowest: Floats = (1 - share) * judged_by_second + share * judged_by_first
    return lowest
