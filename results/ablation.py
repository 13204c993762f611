"""Which curves of a sweep over a setting can be compared, and by how much their regrets must differ to count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from results.curves import Curve, curves, is_number, label_of
from results.files import RecordError
from results.record import CellRecord

# Architectures an update: it changes what a step is worth, so that rules are compared where it is the same.
HELD = "lam"
SHARE_OF_MEDIAN = 0.02  # of the median regret: what counts as equal where no repeated trainings are recorded


@dataclass(frozen=True)
class Comparison:
    """Curves on one benchmark (data set and noise are part of it) with the same number of architectures an update.

    Attributes:
        benchmark: its label.
        about: the part of ``cell.json`` on it.
        unit: of the budgets.
        budgets: the reported ones.
        held: in what setting the curves agree, such as "lam = 8"; "" where they have none of that name.
        curves: by rule, the name of a curve without that setting.
        baselines: cells on the benchmark whose optimizer has no such setting.
        tolerance: by how much mean regrets may differ that count as equally good.
        tolerance_is: where that comes from.
    """

    benchmark: str
    about: dict[str, Any]
    unit: str
    budgets: tuple[int, ...]
    held: str
    curves: dict[str, Curve]
    baselines: tuple[CellRecord, ...]
    tolerance: float
    tolerance_is: str

    @property
    def in_decades(self) -> bool:
        """Whether steps are compared by their ratio: all are above 0."""
        return all((curve.values > 0).all() for curve in self.curves.values())

    @property
    def seeds(self) -> int:
        """Of the curve that has most."""
        return max(curve.seeds for curve in self.curves.values())


def compare(cells: Sequence[CellRecord], sweep: str) -> list[Comparison]:
    """The comparisons that a study makes over one of its settings.

    Args:
        cells: of a study.
        sweep: the setting's name.

    Raises:
        RecordError: when no optimizer of the study has a number under that name.
    """
    groups: dict[tuple[str, str], list[Curve]] = {}
    for curve in curves(cells, sweep):
        held = f"{HELD} = {curve.settings[HELD]}" if HELD in curve.settings else ""
        groups.setdefault((curve.benchmark, held), []).append(curve)
    if not groups:
        raise RecordError(f"no optimizer of the study has a numeric setting {sweep!r}; name one that they have")
    without = [cell for cell in cells if not is_number(cell.about["optimizer"]["settings"].get(sweep))]
    return [
        _comparison(held, group, [cell for cell in without if cell.benchmark == benchmark])
        for (benchmark, held), group in groups.items()
    ]


def _comparison(held: str, group: Sequence[Curve], baselines: Sequence[CellRecord]) -> Comparison:
    about, sweep = group[0].cells[0].about, group[0].sweep
    tolerance, tolerance_is = tolerance_of(about["benchmark"])
    return Comparison(
        benchmark=group[0].benchmark,
        about=about["benchmark"],
        unit=about["budget"]["unit"],
        budgets=tuple(about["report_at"]),
        held=held,
        curves={label_of(curve.cells[0], (sweep, HELD)): curve for curve in group},
        baselines=tuple(baselines),
        tolerance=tolerance,
        tolerance_is=tolerance_is,
    )


def tolerance_of(about: dict[str, Any]) -> tuple[float, str]:
    """By how much regrets on a benchmark may differ that count as equally good, and where that comes from."""
    deviation, median = about["landmarks"].get("trial_sd"), about["landmarks"]["median_regret"]
    if deviation is None:
        return SHARE_OF_MEDIAN * median, (
            f"{SHARE_OF_MEDIAN} of the table's median regret, since it records no repeated trainings"
        )
    return deviation, "the standard deviation of repeated trainings of the table's best"
