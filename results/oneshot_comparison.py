"""What searches with shared weights found against random architectures, both trained from scratch in the same way."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from results.architecture import names_of
from results.comparison import holm
from results.oneshot_record import OneShotCell, place_of
from results.statistics import Floats

RANDOM_ARCHITECTURES = "random architectures"  # the label of the cell that trains them
LEVEL = 0.05  # of p-values, after Holm's correction


@dataclass(frozen=True)
class MeanDifference:
    """The first's mean less the second's.

    Attributes:
        value: in the unit of both; NaN where a side is empty.
        low, high: its 95 % interval; NaN where the data cannot tell, for the ``reason``.
        p: of Welch's test of equal means; NaN where there is no interval.
        runs: of the first and of the second.
        reason: why there is no interval; else "".
    """

    value: float
    low: float
    high: float
    p: float
    runs: tuple[int, int]
    reason: str = ""

    @property
    def has_interval(self) -> bool:
        return not self.reason


def mean_difference(first: ArrayLike, second: ArrayLike) -> MeanDifference:
    """The difference of two means with Welch's t interval, which lets the two scatter differently.

    There is no interval where a side has a single run, and none where all runs of a side are equal: accuracies are
    counts of a few hundred images, so that two searches agree in one case of ten by rounding alone, and taking the
    scatter for 0 would promise what nobody has measured.

    Of two normal runs against ten the interval covers 88 % to 95 %, least where the two scatter at least as much as the
    ten; of three 93 % to 95 %, of five or more 94 % to 95 % (20,000 simulations each, scatters from a quarter of the
    ten's to four times as much).

    Args:
        first, second: float [m], [n]; runs that are NaN are left out.
    """
    one, other = (np.asarray(values, dtype=np.float64) for values in (first, second))
    one, other = one[~np.isnan(one)], other[~np.isnan(other)]
    runs = len(one), len(other)
    value = float(one.mean() - other.mean()) if min(runs) else math.nan
    reason = _why_no_interval(one, other)
    if reason:
        return MeanDifference(value, math.nan, math.nan, math.nan, runs, reason)
    from scipy.stats import ttest_ind  # 0.5 s

    test = ttest_ind(one, other, equal_var=False)
    interval = test.confidence_interval(0.95)
    return MeanDifference(value, float(interval.low), float(interval.high), float(test.pvalue), runs)


def _why_no_interval(one: Floats, other: Floats) -> str:
    for values in (one, other):
        if not len(values):
            return "a side has no run"
        if len(values) == 1:
            return "a single run tells no scatter"
        if (values == values[0]).all():
            return f"all {len(values)} runs of a side are equal, which tells no scatter"
    return ""


@dataclass(frozen=True)
class OneShotRow:
    """One cell, as a row of the table.

    Attributes:
        cell: its record.
        against: of the test accuracies after training from scratch, the means of its searches less those of the random
            architectures, in percentage points: a search counts once, with the mean over its trainings, and so does a
            random architecture; of a given architecture each training counts. None for the random architectures
            themselves, and where there are none to compare with.
        p: of that difference, corrected after Holm for all rows with an interval; NaN without one.
    """

    cell: OneShotCell
    against: MeanDifference | None
    p: float = math.nan

    @classmethod
    def of(cls, cell: OneShotCell, random: OneShotCell | None) -> OneShotRow:
        """A row before the correction for being several; ``random`` is the cell of the random architectures."""
        row = cls(cell, None)
        if random is None or cell is random or np.isnan(row.retrained).all():
            return row
        return replace(row, against=mean_difference(row.retrained, cls(random, None).retrained))

    @property
    def label(self) -> str:
        return self.cell.label

    @property
    def is_random(self) -> bool:
        """Whether it is the row of the random architectures."""
        return not self.cell.is_search and self.label == RANDOM_ARCHITECTURES

    @property
    def retrained(self) -> Floats:
        """The test accuracy in percent after training from scratch, the mean over a run's trainings: float [runs]."""
        trained = [run.test_accuracies for run in self.cell.runs]
        return np.array([values.mean() if values.size else math.nan for values in trained], dtype=np.float64)

    @property
    def reported(self) -> Floats:
        """The table's reported number of what was found: float [runs]."""
        return self.of_runs(lambda result: (result.get("true") or {}).get("reported", math.nan))

    @property
    def better(self) -> bool | None:
        """Whether it is better than random architectures, or worse; None where nothing tells them apart."""
        if self.against is None or not self.p < LEVEL:
            return None
        return self.against.value > 0

    def number(self, name: str) -> Floats:
        """An entry of the result, NaN where there is none: float [runs]."""
        return self.of_runs(lambda result: result.get(name, math.nan))

    def ranking(self, name: str) -> Floats:
        """An entry of the ranking of architectures by shared weights, NaN where there is none: float [runs]."""
        return self.of_runs(lambda result: (result.get("ranking") or {}).get(name, math.nan))

    def count(self, operation: str) -> Floats:
        """How often what was found has an operation: float [runs]."""
        return self.of_runs(lambda result: result["counts"].get(operation, 0))

    def of_runs(self, read: Callable[[Mapping[str, Any]], Any]) -> Floats:
        """A number of every run's result: float [runs]."""
        return np.array([read(run.result) for run in self.cell.runs], dtype=np.float64)


def oneshot_rows(cells: Sequence[OneShotCell]) -> list[OneShotRow]:
    """The rows of a table: searches, the best after training from scratch first, random and given architectures.

    Args:
        cells: on the same supernet and images, as :func:`by_problem` has them.
    """
    rows = [OneShotRow.of(cell, random_of(cell, cells)) for cell in cells]
    tested = [place for place, row in enumerate(rows) if row.against is not None and row.against.has_interval]
    corrected = holm([row.against.p for place in tested if (row := rows[place]).against is not None])
    for place, p in zip(tested, corrected.tolist(), strict=True):
        rows[place] = replace(rows[place], p=p)

    def order(row: OneShotRow) -> tuple[bool, bool, float]:
        mean = float(row.retrained.mean())
        return not row.cell.is_search, not row.is_random, math.inf if math.isnan(mean) else -mean

    return sorted(rows, key=order)


def by_problem(cells: Sequence[OneShotCell]) -> dict[str, list[OneShotCell]]:
    """The cells that can stand in one table, by the name of the supernet and the images."""
    groups: dict[str, list[OneShotCell]] = {}
    for cell in cells:
        groups.setdefault(place_of(cell.about), []).append(cell)
    return groups


def random_of(cell: OneShotCell, cells: Sequence[OneShotCell]) -> OneShotCell | None:
    """The random architectures that were trained as the cell's were; None where there are none.

    How many trainings each got may differ: what is compared are means.
    """
    return next(
        (other for other in cells if OneShotRow(other, None).is_random and _trained(other) == _trained(cell)), None
    )


def _trained(cell: OneShotCell) -> dict[str, Any] | None:
    """How it was trained from scratch, the number of trainings aside."""
    settings: dict[str, Any] | None = cell.about["retraining"]
    return settings and {name: value for name, value in settings.items() if name != "seeds"}


def operations_of(cells: Sequence[OneShotCell]) -> list[str]:
    """The operations that are counted in what was found: skip connections and convolutions, where a space has any.

    How many of each a search prefers tells much of why it is good or bad: short trainings prefer few convolutions, and
    some methods end in nothing but skip connections.
    """
    names = dict.fromkeys(name for names in names_of(cells[0].about["supernet"]["space"]) for name in names)
    return [name for name in names if "conv" in name or "skip" in name]


def found(cell: OneShotCell) -> list[tuple[Mapping[str, Any], list[int]]]:
    """The different architectures of a cell, the most frequent first: the result of the first such run, its seeds."""
    groups: dict[str, tuple[Mapping[str, Any], list[int]]] = {}
    for run in cell.runs:
        groups.setdefault(run.result["string"], (run.result, []))[1].append(run.seed)
    return sorted(groups.values(), key=lambda group: -len(group[1]))
