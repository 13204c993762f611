"""Who is better on a benchmark, and how sure that is: every pair of optimizers compared at one budget."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal

import numpy as np

from results.ablation import tolerance_of
from results.comparison import Difference, Effect, a12, difference, holm, mann_whitney
from results.record import CellRecord
from results.statistics import Floats, TooLittleData, expected_running_time
from results.tables import BenchmarkTable, benchmark_table, evaluations_to_target

LEVEL = 0.05  # of p-values, after Holm's correction
MOST_PAIRED = 40  # cells; of more, each is compared with the first alone: all pairs would be thousands

Verdict = Literal["better", "worse", "equivalent", "not told apart"]


@dataclass(frozen=True)
class Pair:
    """Two optimizers on one benchmark.

    Attributes:
        first, second: their labels.
        effect: how probable it is that a run of the first is better than one of the second; None where the data
            cannot tell, for the ``reason``.
        p: of a Mann-Whitney test, corrected after Holm for all pairs on the benchmark.
        difference: of the interquartile means, first minus second; None where times are compared.
        verdict: of the first: "better" or "worse" where p is below .05; "equivalent" where it is not, and the 90 %
            interval of the difference lies inside the margin; else "not told apart".
        within_noise: whether the difference is smaller than the trial sd of the table.
    """

    first: str
    second: str
    effect: Effect | None
    p: float
    difference: Difference | None
    verdict: Verdict
    within_noise: bool
    reason: str = ""


@dataclass(frozen=True)
class Findings:
    """What was found on one benchmark.

    Attributes:
        table: its numbers, best first.
        cells: in the order of the table.
        answer: the column that is compared, "incumbent" or "recommended".
        budget: the one at which it is compared: the largest that is not solved; None where all are, and the
            evaluations to the target are compared instead.
        margin: by how much regrets may differ that count as equal, and where that comes from.
        trial_sd: how far repeated trainings of the best architectures scatter, None where it is not known.
        pairs: all pairs in the order of the table, or those with the first alone where there are very many cells.
    """

    table: BenchmarkTable
    cells: tuple[CellRecord, ...]
    answer: str
    budget: int | None
    margin: float
    margin_is: str
    trial_sd: float | None
    pairs: tuple[Pair, ...]

    @property
    def benchmark(self) -> str:
        return self.table.label

    @property
    def unit(self) -> str:
        """The unit of what is compared."""
        return "evaluations" if self.budget is None else str(self.table.about["wording"]["regret_unit"])

    @property
    def first(self) -> CellRecord:
        return self.cells[0]

    def of(self, first: str, second: str) -> Pair | None:
        """A pair in this order; None where it was not compared."""
        for pair in self.pairs:
            if (pair.first, pair.second) == (first, second):
                return pair
            if (pair.second, pair.first) == (first, second):
                return _turned(pair)
        return None


def findings(cells: Sequence[CellRecord], answer: str = "incumbent") -> Findings:
    """Compares the cells of one benchmark.

    Args:
        cells: comparable ones.
        answer: "incumbent", the best seen, or "recommended", what each optimizer hands over.
    """
    table = benchmark_table(cells, answer)
    by_label = {cell.optimizer: cell for cell in cells}
    ordered = tuple(by_label[label] for label in dict.fromkeys(row.optimizer for row in table.rows))
    unsolved = [budget for budget, solved in zip(table.budgets, table.solved, strict=True) if not solved]
    budget = max(unsolved) if unsolved else None
    margin, margin_is = tolerance_of(table.about)
    trial_sd = table.about["landmarks"]["trial_sd"]
    chosen = combinations(ordered, 2) if len(ordered) <= MOST_PAIRED else ((ordered[0], cell) for cell in ordered[1:])
    pairs = [_pair(first, second, answer, budget) for first, second in chosen]
    corrected = holm([pair.p for pair in pairs])
    return Findings(
        table=table,
        cells=ordered,
        answer=answer,
        budget=budget,
        margin=margin,
        margin_is=margin_is,
        trial_sd=trial_sd,
        pairs=tuple(_judged(pair, p, margin, trial_sd) for pair, p in zip(pairs, corrected.tolist(), strict=True)),
    )


def running_time(cell: CellRecord, target: float) -> float:
    """The expected running time to a regret of at most ``target``, in evaluations."""
    return expected_running_time(evaluations_to_target(cell, target), cell.columns["evaluations"][:, -1])


def _values(cell: CellRecord, answer: str, budget: int | None) -> Floats:
    if budget is None:
        return evaluations_to_target(cell)
    values: Floats = cell.at(budget, f"{answer}_regret")
    return values


def _pair(first: CellRecord, second: CellRecord, answer: str, budget: int | None) -> Pair:
    """A pair before it is judged, its p not corrected yet; 1 where nothing can be tested."""
    one, other = (_values(cell, answer, budget) for cell in (first, second))
    pair = Pair(first.optimizer, second.optimizer, None, 1.0, None, "not told apart", within_noise=False)
    if np.isnan(one).any() or np.isnan(other).any():
        return replace(pair, reason="one of them has no answer by then")
    try:
        effect = a12(one, other)
    except TooLittleData as error:
        gap = None if budget is None or min(len(one), len(other)) < 2 else difference(one, other)
        return replace(pair, difference=gap, reason=str(error))
    gap = None
    if budget is not None:
        # seeds of one optimizer share their random streams, whatever its settings; those of two share nothing
        same = first.about["optimizer"]["name"] == second.about["optimizer"]["name"]
        gap = difference(one, other, paired=same and np.array_equal(first.seeds, second.seeds))
    return replace(pair, effect=effect, p=mann_whitney(one, other), difference=gap)


def _judged(pair: Pair, p: float, margin: float, trial_sd: float | None) -> Pair:
    verdict: Verdict = "not told apart"
    if pair.effect is not None and p < LEVEL:
        verdict = "better" if pair.effect.value > 0.5 else "worse"
    elif pair.difference is not None and pair.difference.within(margin):
        verdict = "equivalent"
    within = trial_sd is not None and pair.difference is not None and abs(pair.difference.value) < trial_sd
    return replace(pair, p=p, verdict=verdict, within_noise=within)


def _turned(pair: Pair) -> Pair:
    """The same pair seen from the second."""
    turned: dict[Verdict, Verdict] = {"better": "worse", "worse": "better"}
    return replace(
        pair,
        first=pair.second,
        second=pair.first,
        effect=pair.effect and pair.effect.turned(),
        difference=pair.difference and pair.difference.turned(),
        verdict=turned.get(pair.verdict, pair.verdict),
    )
