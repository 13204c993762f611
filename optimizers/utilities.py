"""What a sample weighs in a natural-gradient step, by the rank of its loss among the samples of the step.

Each takes losses float [B, columns] without NaN and gives the weights float [B, columns] of a step, and their sum, the
same in every column. Equal losses share the mean of their weights. The reference compares with a tolerance relative to
the loss, which is negative for negative losses and 0 for 0, so that it misses such ties; equality here is exact, for
any sign, and +inf equals +inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def quarter(losses: Floats) -> tuple[Floats, float]:
    """1/(mu B) for the best mu = ceil(B/4) of B, -1/(mu B) for the worst mu, else 0 (Akimoto et al., ICML 2019)."""
    return _by_rank(losses, _mean_quarter(len(losses))) / len(losses), 0.0


def log_rank(losses: Floats) -> tuple[Floats, float]:
    """log((B + 1) / 2) - log(rank) where that is positive, with the sum 1 (Hamano et al., CatCMA, GECCO 2024)."""
    return _by_rank(losses, _mean_log_rank(len(losses))), 1.0


UTILITIES: dict[str, Callable[[Floats], tuple[Floats, float]]] = {"quarter": quarter, "log_rank": log_rank}


def _by_rank(losses: Floats, means: Floats) -> Floats:
    better = np.zeros(losses.shape, dtype=np.int64)
    equal = np.zeros(losses.shape, dtype=np.int64)
    for other in losses:
        better += other < losses
        equal += other == losses
    return means[better, equal]


@cache
def _mean_quarter(B: int) -> Floats:
    mu = math.ceil(B / 4)
    signs = np.zeros(B, dtype=np.int64)
    signs[:mu], signs[B - mu :] = 1, -1
    return _mean_of_ranks(signs, mu)


@cache
def _mean_log_rank(B: int) -> Floats:
    weights = np.maximum(math.log((B + 1) / 2) - np.log(np.arange(1, B + 1)), 0.0)
    return _mean_of_ranks(weights, weights.sum())


def _mean_of_ranks(weights: NDArray[np.int64] | Floats, scale: float) -> Floats:
    """Entry [a, m] is the mean weight over ``scale`` of the m ranks from a on, where there are so many: [B, B + 1].

    Sums of whole numbers are exact: a group of ties that should weigh nothing weighs exactly nothing.
    """
    B = len(weights)
    sums = np.concatenate([[0], np.cumsum(weights)])
    first, count = np.arange(B)[:, None], np.arange(B + 1)
    means: Floats = (sums[np.minimum(first + count, B)] - sums[first]) / (np.maximum(count, 1) * scale)
    return means
