"""Ranks of treatments over blocks, of whose scores lower is better: optimizers over families of benchmarks.

After Demsar 2006, "Statistical comparisons of classifiers over multiple data sets".
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from results.statistics import Floats, TooLittleData

MIN_BLOCKS = 5


def mean_ranks(scores: ArrayLike) -> Floats:
    """The rank of each treatment, the mean over blocks: 1 is the best, ties share the mean of their ranks.

    Args:
        scores: float [B, K], of blocks by treatments; +inf is the worst.

    Returns:
        float [K].

    Raises:
        TooLittleData: without a block, or with a score that is NaN.
    """
    from scipy.stats import rankdata  # 0.5 s

    return np.asarray(rankdata(_complete(scores), axis=1).mean(axis=0))


def friedman(scores: ArrayLike) -> tuple[float, float]:
    """Friedman's test of whether treatments differ at all, with its correction for ties.

    Args:
        scores: float [B, K], of independent blocks by treatments.

    Returns:
        the statistic and its p-value, by the chi-square distribution with K - 1 degrees of freedom.

    Raises:
        TooLittleData: below five blocks or three treatments, with a NaN, or where all treatments tie on every block.
    """
    from scipy.stats import friedmanchisquare  # 0.5 s

    values = _complete(scores)
    _enough_blocks(len(values))
    if values.shape[1] < 3:
        raise TooLittleData(f"a test over blocks needs 3 treatments, there are {values.shape[1]}")
    if (values == values[:, :1]).all():
        raise TooLittleData("all treatments are equal on every block: nothing tells them apart")
    statistic, p = friedmanchisquare(*values.T)
    return float(statistic), float(p)


def critical_difference(treatments: int, blocks: int, level: float = 0.05) -> float:
    """By how much two mean ranks must differ to be told apart, among all pairs: Nemenyi's, Demsar 2006 section 3.2.2.

    Args:
        treatments: K, how many are ranked.
        blocks: B, independent ones.
        level: how often treatments that are all alike have such a pair.

    Raises:
        TooLittleData: below five blocks or two treatments.
    """
    from scipy.stats import studentized_range  # 0.5 s

    _enough_blocks(blocks)
    if treatments < 2:
        raise TooLittleData(f"a difference of ranks needs 2 treatments, there are {treatments}")
    quantile = float(studentized_range.ppf(1 - level, treatments, math.inf)) / math.sqrt(2)
    return quantile * math.sqrt(treatments * (treatments + 1) / (6 * blocks))


def indistinguishable(ranks: ArrayLike, critical: float) -> list[tuple[int, ...]]:
    """The largest groups of two or more treatments whose mean ranks all differ by less than the critical difference.

    Args:
        ranks: float [K].
        critical: the difference from which two are told apart.

    Returns:
        groups of places in ``ranks``, the best group first, each from its best to its worst.
    """
    values = np.asarray(ranks, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    groups: list[tuple[int, ...]] = []
    last = 0
    for begin, best in enumerate(order):
        end = int((values - values[best] < critical).sum())
        if end > max(last, begin + 1):
            groups.append(tuple(int(place) for place in order[begin:end]))
            last = end
    return groups


def _complete(scores: ArrayLike) -> Floats:
    values = np.asarray(scores, dtype=np.float64)
    if not len(values):
        raise TooLittleData("ranks need a block, there is none")
    if missing := int(np.isnan(values).sum()):
        raise TooLittleData(f"ranks need a score of every treatment on every block, {missing} are missing")
    return values


def _enough_blocks(blocks: int) -> None:
    if blocks < MIN_BLOCKS:
        raise TooLittleData(
            f"a test over blocks needs {MIN_BLOCKS} independent ones, there are {blocks}; "
            "data sets of one search space are not independent blocks"
        )
