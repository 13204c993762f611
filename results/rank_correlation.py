"""How well one number orders what another orders: Kendall's tau, with its error."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST = 5  # pairs of numbers from which a tau says anything


@dataclass(frozen=True)
class Tau:
    """Kendall's tau-b.

    Attributes:
        value: between -1 and 1; NaN for fewer than 5 pairs, or where one side is all equal.
        error: its standard error over what was sampled, by the jackknife.
        count: how many were compared.
    """

    value: float
    error: float
    count: int


def kendall(one: ArrayLike, other: ArrayLike) -> Tau:
    """Tau-b of two rows of numbers, float [n] each (Kendall, Biometrika 33, 1945).

    The error is the jackknife's (Efron and Stein, Annals of Statistics 9, 1981), which for such a mean over pairs is
    right for large n.
    """
    x, y = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    n = len(x)
    if n < FEWEST:
        return Tau(np.nan, np.nan, n)
    signs_x, signs_y = (np.sign(values[:, None] - values[None, :]) for values in (x, y))
    value = _tau(signs_x, signs_y)
    without = np.array([_tau(*(_left_out(signs, i) for signs in (signs_x, signs_y))) for i in range(n)])
    error = float(np.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum()))
    return Tau(value, error, n)


def by_accuracy_then_loss(accuracies: ArrayLike, losses: ArrayLike) -> NDArray[np.float64]:
    """Numbers [n] that order by accuracy and, where that is equal, by the lower loss; on few images many are equal."""
    pairs = np.stack([np.asarray(accuracies, dtype=np.float64), -np.asarray(losses, dtype=np.float64)], axis=1)
    _, order = np.unique(pairs, axis=0, return_inverse=True)
    return order.reshape(-1).astype(np.float64)


def _tau(signs_x: NDArray[np.float64], signs_y: NDArray[np.float64]) -> float:
    untied = np.sqrt((signs_x != 0).sum() * (signs_y != 0).sum())
    return float((signs_x * signs_y).sum() / untied) if untied else np.nan


def _left_out(signs: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    return np.delete(np.delete(signs, place, axis=0), place, axis=1)
