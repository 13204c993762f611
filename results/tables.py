"""The table that ends a run: one a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from results.record import BEST_SEEN, CellRecord
from results.statistics import Floats, hitting_times, interquartile_mean, interquartile_mean_interval


@dataclass(frozen=True)
class Estimate:
    """An interquartile mean with its 95 % bootstrap interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One answer of one optimizer.

    Attributes:
        answer: "best seen" (the incumbent) or "mode" (what the optimizer recommends, the mode of its distribution;
            an optimizer without one "recommended").
        recommends_best_seen: whether the optimizer's recommendation is the best seen, so that it has no row.
        regrets: search regret at every reported budget.
        reported: mean and standard deviation over seeds of the reported number at the whole budget.
        reports: the same on every other benchmark that the study reports on.
        target: evaluations until the incumbent was in the target, the median over all seeds, +inf where fewer than half
            came there; None in a row that is not about the incumbent.
        success: the share of seeds that came there.
        infeasible: how many seeds' answers at the whole budget are architectures without a record.
    """

    optimizer: str
    answer: str
    recommends_best_seen: bool
    regrets: tuple[Estimate, ...]
    reported: tuple[float, float]
    reports: tuple[tuple[float, float], ...]
    target: float | None
    success: float | None
    infeasible: int


@dataclass(frozen=True)
class BenchmarkTable:
    """What a study found on one benchmark.

    Attributes:
        label: the benchmark.
        about: the part of ``cell.json`` on the benchmark.
        unit: of the budgets.
        seeds: the numbers of seeds, of all cells.
        budgets: the reported budgets.
        solved: of each, whether two or more optimizers' median seed has no regret left.
        rows: best first.
        best_by_validation: the reported number of the architecture that is best by what the search sees.
        reports: the other benchmarks on which the answers are reported, by name, as ``about``; and
        best_of_reports: the number of the architecture that is best by what a search there sees.
    """

    label: str
    about: dict[str, Any]
    unit: str
    seeds: tuple[int, ...]
    budgets: tuple[int, ...]
    solved: tuple[bool, ...]
    rows: tuple[Row, ...]
    best_by_validation: float
    reports: dict[str, dict[str, Any]]
    best_of_reports: tuple[float, ...]


def benchmark_tables(cells: Sequence[CellRecord]) -> list[BenchmarkTable]:
    """One table a benchmark, in the order of the cells.

    Rows are ranked by the regret of the best seen at the largest budget that is not solved, then by evaluations to the
    target.
    """
    groups: dict[str, list[CellRecord]] = {}
    for cell in cells:
        groups.setdefault(cell.benchmark, []).append(cell)
    return [_table(label, group) for label, group in groups.items()]


def reported_number(about: dict[str, Any], final_loss: Floats) -> Floats:
    """The number that the report gives, from the final loss: an accuracy is 100 minus it; or its logarithm."""
    wording = about["wording"]
    if wording["complement"]:
        return 100.0 - final_loss
    return np.log10(final_loss) if wording["scale"] == "log10" else final_loss


def reported_heading(about: dict[str, Any]) -> tuple[str, str]:
    """What the reported number is called above a column: its kind ("test", "hold-out", ...) and its measure."""
    wording = about["wording"]
    return wording["kind"], ("log10 " if wording["scale"] == "log10" else "") + wording["measure"]


def evaluations_to_target(cell: CellRecord) -> Floats:
    """Evaluations until the incumbent was in the target: float [R], +inf where it never was."""
    improved = cell.improvements
    hit = improved["regret"] <= cell.about["benchmark"]["landmarks"]["target_regret"]
    return hitting_times(cell.seeds, improved["seed"], improved["evaluations"], hit)


def _table(label: str, cells: list[CellRecord]) -> BenchmarkTable:
    about = cells[0].about["benchmark"]
    budgets = tuple(cells[0].about["report_at"])
    medians = [[float(np.median(cell.at(budget, "incumbent_regret"))) for budget in budgets] for cell in cells]
    solvers = [
        {cell.about["optimizer"]["name"] for cell, row in zip(cells, medians, strict=True) if row[place] == 0}
        for place in range(len(budgets))
    ]
    solved = tuple(len(names) >= 2 for names in solvers)
    unsolved = max((place for place in range(len(budgets)) if not solved[place]), default=None)

    def rank(cell: CellRecord) -> tuple[float, float]:
        if unsolved is None:
            return 0.0, float(np.median(evaluations_to_target(cell)))
        regret = float(interquartile_mean(cell.at(budgets[unsolved], "incumbent_regret")))
        return (np.inf if np.isnan(regret) else regret), float(np.median(evaluations_to_target(cell)))

    rows = tuple(row for cell in sorted(cells, key=rank) for row in _rows(cell, about, budgets))
    return BenchmarkTable(
        label=label,
        about=about,
        unit=cells[0].about["budget"]["unit"],
        seeds=tuple(sorted({len(cell.seeds) for cell in cells})),
        budgets=budgets,
        solved=solved,
        rows=rows,
        best_by_validation=_best(about),
        reports=(reports := cells[0].about.get("report", {})),
        best_of_reports=tuple(_best(other) for other in reports.values()),
    )


def _best(about: dict[str, Any]) -> float:
    return float(reported_number(about, np.array(about["landmarks"]["best_final_loss"])))


def _rows(cell: CellRecord, about: dict[str, Any], budgets: tuple[int, ...]) -> list[Row]:
    times = evaluations_to_target(cell)
    success = float(np.isfinite(times).mean())
    median = float(np.percentile(times, 50, method="higher"))  # with inf on both sides an average would be NaN
    best_seen = _row(cell, about, budgets, "incumbent", BEST_SEEN)
    rows = [Row(**{**best_seen, "target": median, "success": success})]
    if not cell.recommends_incumbent:
        rows.append(Row(**_row(cell, about, budgets, "recommended", cell.answer)))
    return rows


def _row(cell: CellRecord, about: dict[str, Any], budgets: tuple[int, ...], column: str, answer: str) -> dict[str, Any]:
    regrets = np.column_stack([cell.at(budget, f"{column}_regret") for budget in budgets])
    low, high = interquartile_mean_interval(regrets)
    reports = cell.about.get("report", {})
    return {
        "optimizer": cell.optimizer,
        "answer": answer,
        "recommends_best_seen": cell.recommends_incumbent,
        "regrets": tuple(map(Estimate, interquartile_mean(regrets).tolist(), low.tolist(), high.tolist())),
        "reported": _spread(reported_number(about, cell.at(budgets[-1], f"{column}_final"))),
        "reports": tuple(
            _spread(reported_number(other, cell.at(budgets[-1], f"{column}_final.{name}")))
            for name, other in reports.items()
        ),
        "target": None,
        "success": None,
        "infeasible": int(cell.at(budgets[-1], f"{column}_infeasible").sum()),
    }


def _spread(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else float("nan")
