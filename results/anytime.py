"""Curves of search regret over evaluations or simulated time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.record import CellRecord
from results.statistics import Floats, interquartile_mean, interquartile_mean_interval

Answer = Literal["incumbent", "recommended"]
Unit = Literal["evaluations", "seconds"]

GRID = 60  # points of a curve that is not read at the checkpoints
QUANTILES = 200  # of the middle half, in the exact mean of random search
EXACT = "random search (exact)"


@dataclass(frozen=True)
class AnytimeCurve:
    """The interquartile mean of the search regret with its 95 % bootstrap interval.

    Attributes:
        label: of the optimizer.
        seeds: how many; 0 where the numbers are computed without any.
        at: number [G], where it was read, ascending.
        regret, low, high: float [G].
    """

    label: str
    seeds: int
    at: Floats
    regret: Floats
    low: Floats
    high: Floats


def unit_of(cell: CellRecord) -> Unit:
    """The unit of a cell's budget."""
    return "seconds" if cell.about["budget"]["unit"] == "seconds" else "evaluations"


def anytime_curves(cells: Sequence[CellRecord], answer: Answer, axis: Unit) -> list[AnytimeCurve]:
    """The curves of cells of one benchmark, without those that have no point, and random search in any case.

    Where no cell is of random search it is computed from the table, over evaluations, where the search sees no noise
    and the record has the regrets by rank.
    """
    curves = [_curve(cell, answer, axis) for cell in cells]
    first = cells[0]
    landmarks, table_size = (first.about["benchmark"][name] for name in ("landmarks", "table_size"))
    known = "regret_by_rank" in landmarks and first.about["benchmark"].get("noise") is None
    missing = all(cell.about["optimizer"]["name"] != "random_search" for cell in cells)
    if missing and known and axis == unit_of(first) == "evaluations":
        at = first.checkpoints.astype(np.float64)
        regret = random_search_regret(landmarks["regret_by_rank"], table_size, first.checkpoints)
        curves.append(AnytimeCurve(EXACT, 0, at, regret, regret, regret))
    return [curve for curve in curves if curve.at.size]


def _curve(cell: CellRecord, answer: Answer, axis: Unit) -> AnytimeCurve:
    at, regret = regret_over(cell, answer, axis)
    low, high = interquartile_mean_interval(regret)
    return AnytimeCurve(cell.optimizer, len(cell.seeds), at, interquartile_mean(regret), low, high)


def regret_over(cell: CellRecord, answer: Answer, axis: Unit) -> tuple[Floats, Floats]:
    """The search regret of every seed over evaluations or simulated seconds.

    On the axis of the budget it is read at the checkpoints. On the other it is read at points in geometric order, from
    where every seed has an answer to where the first of them ends; the best seen there is exact, the recommendation is
    that of the last checkpoint before.

    Returns:
        where it was read, float [G], and float [R, G]; G is 0 where that is nowhere, or the table has no times.
    """
    column = cell.columns[f"{answer}_regret"]
    if axis == unit_of(cell):
        known = ~np.isnan(column).any(axis=0)
        return cell.checkpoints[known].astype(np.float64), column[:, known]
    R, C = column.shape
    if answer == "incumbent":
        row = np.searchsorted(cell.seeds, cell.improvements["seed"])
        time, value = cell.improvements[axis], cell.improvements["regret"]
    else:
        known = ~np.isnan(column)
        row, time, value = np.repeat(np.arange(R), C)[known.ravel()], cell.columns[axis][known], column[known]
    ends = cell.columns[axis][:, -1]
    if np.isnan(ends).any() or len(np.unique(row)) < R:
        return np.zeros(0), np.zeros((R, 0))
    starts = np.full(R, np.inf)
    np.minimum.at(starts, row, time)
    low, high = float(starts.max()), float(ends.min())
    if not low < high:
        return np.zeros(0), np.zeros((R, 0))
    at = np.geomspace(low, high, GRID)
    at[0], at[-1] = low, high
    if axis == "evaluations":
        at = np.unique(at.round())
    return at, steps(row, time, value, at, R)


def steps(row: NDArray[np.int64], time: ArrayLike, value: ArrayLike, at: Floats, rows: int) -> Floats:
    """Reads step curves: of each row the last value whose time is at or before a point.

    Args:
        row: int [I], ascending.
        time: number [I], ascending within a row.
        value: float [I].
        at: float [G], ascending.
        rows: R.

    Returns:
        float [R, G]; NaN before a row's first value.
    """
    counts = np.zeros((rows, len(at) + 1), dtype=np.int64)
    np.add.at(counts, (row, np.searchsorted(at, np.asarray(time, dtype=np.float64))), 1)
    so_far = counts[:, :-1].cumsum(axis=1)
    first = np.searchsorted(row, np.arange(rows))
    values = np.append(np.asarray(value, dtype=np.float64), np.nan)
    return np.where(so_far > 0, values[first[:, None] + so_far - 1], np.nan)


def random_search_regret(by_rank: Mapping[str, Any], table_size: int, evaluations: ArrayLike) -> Floats:
    """The interquartile mean of the regret of random search, without a search.

    The best of n uniform draws with replacement has rank at most r with probability 1 - (1 - r/N)^n, so its quantile u
    is the regret at rank ceil(N (1 - (1-u)^(1/n))).

    Args:
        by_rank: "rank", some of 1 to N ascending, and their "regret"; between them the regret is interpolated in the
            logarithm of the rank.
        table_size: N.
        evaluations: number [G], n.

    Returns:
        float [G].
    """
    n = np.asarray(evaluations, dtype=np.float64)[:, None]
    u = 0.25 + 0.5 * (np.arange(QUANTILES) + 0.5) / QUANTILES
    rank = np.clip(np.ceil(-table_size * np.expm1(np.log1p(-u) / n)), 1, table_size)
    return np.asarray(np.interp(np.log(rank), np.log(by_rank["rank"]), by_rank["regret"]).mean(axis=1))
