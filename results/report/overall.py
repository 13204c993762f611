"""All benchmarks of a report together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from results.blocks import critical_difference, friedman, indistinguishable, mean_ranks
from results.comparison import Effect, probability_of_improvement
from results.record import CellRecord
from results.report.words import listed
from results.statistics import (
    Floats,
    TooLittleData,
    interquartile_mean,
    pooled_interquartile_mean,
    pooled_interquartile_mean_interval,
)
from results.tables import Estimate


@dataclass(frozen=True)
class Ranks:
    """Mean ranks over families of benchmarks.

    Attributes:
        families: the names; data sets of one search space are one family, their ranks averaged.
        by_family: float [families, optimizers], ranks from 1, the best.
        mean: float [optimizers].
        critical: the critical difference of mean ranks; None where the data cannot carry it, for the ``reason``.
        p: of Friedman's test.
        groups: of optimizers that are not told apart, by their places.
        reason: why there is none.
    """

    families: tuple[str, ...]
    by_family: Floats
    mean: Floats
    critical: float | None
    p: float
    groups: tuple[tuple[int, ...], ...]
    reason: str


@dataclass(frozen=True)
class Overall:
    """What the optimizers that ran on all benchmarks come to, the normalised regret of one answer pooled.

    Attributes:
        answer: "incumbent" or "recommended".
        benchmarks: the labels.
        budgets: at which pooled regret is told, with the unit.
        budget: at which optimizers are compared: the largest of them at which not two or more have most of their runs
            at the best; the smallest where there is none.
        labels: the optimizers, by pooled regret at that budget.
        elsewhere: optimizers that are missing on some benchmark and therefore here.
        scores: by optimizer, normalised regret [R] of every benchmark at that budget.
        pooled: by optimizer and budget, over all runs of all benchmarks.
        improvement: by optimizer and optimizer, how probable it is that a run of the first is better than one of the
            second; None where all runs tie.
        ranks: over families.
    """

    answer: str
    benchmarks: tuple[str, ...]
    budgets: tuple[int, ...]
    unit: str
    budget: int
    labels: tuple[str, ...]
    elsewhere: tuple[str, ...]
    scores: dict[str, list[Floats]]
    pooled: tuple[tuple[Estimate, ...], ...]
    improvement: tuple[tuple[Effect | None, ...], ...]
    ranks: Ranks


def overall(groups: Mapping[str, Sequence[CellRecord]], answer: str = "incumbent") -> Overall:
    """Compares over benchmarks.

    Args:
        groups: cells by benchmark, two or more, each comparable.
        answer: whose regret is taken.

    Raises:
        TooLittleData: when no aggregate can be made, with the reason.
    """
    if len(groups) < 2:
        raise TooLittleData("there is one benchmark; an aggregate needs two or more")
    limits = {tuple(cell.about["budget"].values()) for cells in groups.values() for cell in cells}
    if len(limits) > 1:
        named = ", ".join(f"{limit:,} {unit}" for unit, limit in sorted(limits))
        raise TooLittleData(f"the benchmarks have different budgets ({named}); only equal ones are put together")
    flat = [label for label, cells in groups.items() if not cells[0].about["benchmark"]["landmarks"]["median_regret"]]
    if flat:
        raise TooLittleData(
            f"the median architecture of {listed(flat)} is at its best, by which nothing can be normalised"
        )
    by_label = [{cell.optimizer: cell for cell in cells} for cells in groups.values()]
    everywhere = [label for label in by_label[0] if all(label in cells for cells in by_label)]
    if not everywhere:
        raise TooLittleData("no optimizer ran on all benchmarks")
    budgets = sorted(set.intersection(*(set(cells[0].about["report_at"]) for cells in groups.values())))
    columns = {label: [cells[label] for cells in by_label] for label in everywhere}
    pooled = {label: [_pooled(_normalised(columns[label], at, answer)) for at in budgets] for label in everywhere}
    open_at = [place for place in range(len(budgets)) if sum(row[place].mostly_at_best for row in pooled.values()) < 2]
    place = max(open_at, default=0)
    labels = sorted(everywhere, key=lambda label: pooled[label][place].rank)
    scores = {label: _normalised(columns[label], budgets[place], answer) for label in labels}
    return Overall(
        answer=answer,
        benchmarks=tuple(groups),
        budgets=tuple(budgets),
        budget=budgets[place],
        unit=groups[next(iter(groups))][0].about["budget"]["unit"],
        labels=tuple(labels),
        elsewhere=tuple(sorted({label for cells in by_label for label in cells} - set(everywhere))),
        scores=scores,
        pooled=tuple(tuple(pooled[label]) for label in labels),
        improvement=tuple(tuple(_improvement(scores[one], scores[other]) for other in labels) for one in labels),
        ranks=_ranks(groups, [columns[label] for label in labels], budgets[place], answer),
    )


def _normalised(cells: Sequence[CellRecord], budget: int, answer: str) -> list[Floats]:
    """Regret [R] over that of the table's median architecture, of every cell."""
    return [
        cell.at(budget, f"{answer}_regret") / cell.about["benchmark"]["landmarks"]["median_regret"] for cell in cells
    ]


def _pooled(tasks: Sequence[Floats]) -> Estimate:
    low, high = pooled_interquartile_mean_interval(tasks)
    at_best = sum(int((task == 0).sum()) for task in tasks)
    return Estimate(pooled_interquartile_mean(tasks), low, high, sum(map(len, tasks)), at_best)


def _improvement(one: Sequence[Floats], other: Sequence[Floats]) -> Effect | None:
    try:
        return probability_of_improvement(list(zip(one, other, strict=True)))
    except TooLittleData:
        return None


def _ranks(
    groups: Mapping[str, Sequence[CellRecord]], columns: Sequence[Sequence[CellRecord]], budget: int, answer: str
) -> Ranks:
    """Ranks by the interquartile mean on every data set, then their mean over the data sets of a family."""
    regrets = [[cell.at(budget, f"{answer}_regret") for cell in column] for column in columns]
    scores = np.array([[float(interquartile_mean(regret)) for regret in row] for row in regrets])
    per_data_set = np.array([mean_ranks(row[None]) for row in scores.T])
    family_of = [cells[0].about["benchmark"]["name"] for cells in groups.values()]
    families = tuple(dict.fromkeys(family_of))
    by_family = np.array([per_data_set[[name == family for name in family_of]].mean(axis=0) for family in families])
    mean = by_family.mean(axis=0)
    try:
        critical = critical_difference(len(columns), len(families))
        _, p = friedman(by_family)
    except TooLittleData as error:
        return Ranks(families, by_family, mean, None, 1.0, (), str(error))
    return Ranks(families, by_family, mean, critical, p, tuple(indistinguishable(mean, critical)), "")
