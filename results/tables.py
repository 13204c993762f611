"""The table that ends a run: one a benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from results.record import BEST_SEEN, CellRecord
from results.statistics import (
    RELIABLE_FROM,
    Floats,
    expected_running_time,
    hitting_times,
    interquartile_mean,
    interquartile_mean_interval,
    wilson_interval,
)


@dataclass(frozen=True)
class Estimate:
    """The regret of some runs: the interquartile mean with its 95 % bootstrap interval, and how many have none left.

    Where more than half of the runs have no regret left, the mean says nothing any more and its interval is far too
    short; the share of those that have none is then told in its place.

    Attributes:
        value, low, high: the mean and the ends of its interval.
        runs: how many there are.
        at_best: how many of them have regret 0.
    """

    value: float
    low: float
    high: float
    runs: int
    at_best: int

    @property
    def mostly_at_best(self) -> bool:
        return self.at_best > self.runs / 2

    @property
    def share_at_best(self) -> tuple[float, float, float]:
        """The share of runs without regret, with its 95 % interval after Wilson."""
        return self.at_best / self.runs, *wilson_interval(self.at_best, self.runs)

    @property
    def rank(self) -> float:
        """What sorts estimates: of those that are mostly at the best, the one with the larger share comes first."""
        return -self.at_best / self.runs if self.mostly_at_best else self.value

    @property
    def too_short(self) -> bool:
        """Whether the interval covers less than it says, since there are few runs."""
        return self.runs < RELIABLE_FROM


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
        running_time: the expected running time to the target, in evaluations: all that the seeds spent until they were
            there or their budget ended, over how many came there; +inf where none did.
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
    running_time: float | None
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
    return [benchmark_table(group) for group in groups.values()]


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


def best_in_words(about: dict[str, Any]) -> str:
    """What the architecture with the best searched number is called: that is not always a validation number."""
    return "best by validation" if "validation" in about["wording"]["searched"] else "best by search"


def evaluations_to_target(cell: CellRecord, regret: float | None = None) -> Floats:
    """Evaluations until the incumbent was in the target, or had at most such a regret: float [R], +inf for never."""
    improved = cell.improvements
    hit = improved["regret"] <= (cell.about["benchmark"]["landmarks"]["target_regret"] if regret is None else regret)
    return hitting_times(cell.seeds, improved["seed"], improved["evaluations"], hit)


@dataclass(frozen=True)
class Ranking:
    """The order of a table's rows.

    Attributes:
        budgets: what all cells report at.
        solved: of each, whether two or more optimizers' median seed has no regret left.
        ranked_at: the largest budget that is not solved, whose regret ranks; None where all are solved, and then the
            evaluations to the target do.
        cells: best first.
    """

    budgets: tuple[int, ...]
    solved: tuple[bool, ...]
    ranked_at: int | None
    cells: tuple[CellRecord, ...]


def rank(cells: Sequence[CellRecord], answer: str = "incumbent") -> Ranking:
    """Ranks the cells of one benchmark; see :func:`benchmark_table`."""
    budgets = tuple(sorted(set.intersection(*(set(cell.about["report_at"]) for cell in cells))))
    medians = [[float(np.median(cell.at(budget, f"{answer}_regret"))) for budget in budgets] for cell in cells]
    solvers = [
        {cell.about["optimizer"]["name"] for cell, row in zip(cells, medians, strict=True) if row[place] == 0}
        for place in range(len(budgets))
    ]
    solved = tuple(len(names) >= 2 for names in solvers)
    ranked_at = max((budget for budget, is_solved in zip(budgets, solved, strict=True) if not is_solved), default=None)

    def key(cell: CellRecord) -> tuple[float, float]:
        median = float(np.median(evaluations_to_target(cell)))
        if ranked_at is None:
            return 0.0, median
        regret = float(interquartile_mean(cell.at(ranked_at, f"{answer}_regret")))
        return (np.inf if np.isnan(regret) else regret), median

    return Ranking(budgets, solved, ranked_at, tuple(sorted(cells, key=key)))


def benchmark_table(cells: Sequence[CellRecord], answer: str = "incumbent") -> BenchmarkTable:
    """The table of one benchmark.

    Args:
        cells: of the benchmark, with one budget; the table has what all of them report at.
        answer: the column whose regret ranks and says what is solved: "incumbent", the best seen, or "recommended".
    """
    about = cells[0].about["benchmark"]
    ranking = rank(cells, answer)
    rows = tuple(row for cell in ranking.cells for row in _rows(cell, about, ranking.budgets))
    return BenchmarkTable(
        label=cells[0].benchmark,
        about=about,
        unit=cells[0].about["budget"]["unit"],
        seeds=tuple(sorted({len(cell.seeds) for cell in cells})),
        budgets=ranking.budgets,
        solved=ranking.solved,
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
    spent = expected_running_time(times, cell.columns["evaluations"][:, -1])
    rows = [Row(**{**best_seen, "target": median, "success": success, "running_time": spent})]
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
        "regrets": tuple(
            Estimate(mean, *ends, len(regrets), at_best)
            for mean, ends, at_best in zip(
                interquartile_mean(regrets).tolist(),
                zip(low.tolist(), high.tolist(), strict=True),
                (regrets == 0).sum(axis=0).tolist(),
                strict=True,
            )
        ),
        "reported": _spread(reported_number(about, cell.at(budgets[-1], f"{column}_final"))),
        "reports": tuple(
            _spread(reported_number(other, cell.at(budgets[-1], f"{column}_final.{name}")))
            for name, other in reports.items()
        ),
        "target": None,
        "success": None,
        "running_time": None,
        "infeasible": int(cell.at(budgets[-1], f"{column}_infeasible").sum()),
    }


def _spread(values: Floats) -> tuple[float, float]:
    return float(values.mean()), float(values.std(ddof=1)) if len(values) > 1 else float("nan")
