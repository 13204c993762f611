"""How much a swept setting matters: how wide the window of good values is, and what tuning and not tuning it cost."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from results.ablation import Comparison
from results.curves import Curve
from results.statistics import Floats
from results.tuning import cross_fitted, cross_fitted_lowest, longest_run, resampled_means

TRIES = (1, 2, 4, 8)  # of how many random values the best is told


@dataclass(frozen=True)
class Robustness:
    """How much the swept setting matters to one answer of one curve at one budget. Its values are called steps.

    Attributes:
        rule: which curve of the comparison.
        budget, answer: of what; the answer is the column "recommended" or "incumbent".
        bar: the mean regret up to which a step is good: the best of all curves and steps of the comparison,
            cross-fitted, and the tolerance. Curves that span no window set none, if there are others.
        good: the first and the last step of the longest run of good ones; None where no step is good, or the curve
            spans no window.
        width: how long that run is, in decades (in the setting's unit where steps are not all above 0), else 0.
        interval: a 95 % bootstrap interval of the width.
        touches: whether the run reaches the lower or the upper end of the steps that were tried.
        best_step: the one with the lowest mean regret.
        zeros: the share of seeds whose answer there is the best of the table.
        best, median, worst: mean regret over the steps that have an answer by then; best and worst are cross-fitted.
        best_of: by k, the expected mean regret of the best of k steps drawn at random, cross-fitted.
    """

    rule: str
    budget: int
    answer: str
    bar: float
    good: tuple[float, float] | None
    width: float
    interval: tuple[float, float]
    touches: bool
    best_step: float
    zeros: float
    best: float
    median: float
    worst: float
    best_of: dict[int, float]


def robustness(comparison: Comparison, budget: int, answer: str) -> list[Robustness]:
    """How much the swept setting matters, of every curve with such an answer ("recommended" or "incumbent")."""
    curves = {rule: curve for rule, curve in comparison.curves.items() if answer in curve.answers}
    if not curves:
        return []
    regrets = {rule: curve.regrets(budget, answer) for rule, curve in curves.items()}
    halves = {rule: resampled_means(values) for rule, values in regrets.items()}
    judges = [rule for rule, curve in curves.items() if curve.spans] or list(curves)
    first, second = (np.concatenate([halves[rule][half] for rule in judges], axis=1) for half in (0, 1))
    bars = cross_fitted_lowest(first, second, _share(regrets[judges[0]])) + comparison.tolerance
    return [
        _of_curve(rule, curve, budget, answer, regrets[rule], halves[rule], bars, comparison.in_decades)
        for rule, curve in curves.items()
    ]


def _of_curve(
    rule: str,
    curve: Curve,
    budget: int,
    answer: str,
    regrets: Floats,
    halves: tuple[Floats, Floats],
    bars: Floats,
    in_decades: bool,
) -> Robustness:
    S = len(regrets)
    first, second = halves
    share = _share(regrets)
    means = share * first + (1 - share) * second
    positions = np.log10(curve.values) if in_decades else curve.values
    begin, end = longest_run(np.isfinite(means) & (means <= bars[:, None]), positions)
    widths = np.where(begin < 0, 0.0, positions[end] - positions[begin])
    low, high = np.percentile(widths[1:], [2.5, 97.5], method="nearest")
    known = curve.spans and begin[0] >= 0
    answered = ~np.isnan(first[0] + second[0])  # before its first update an optimizer recommends nothing
    one, other, count = first[0][answered], second[0][answered], int(answered.sum())
    best = int(np.argmin(np.where(np.isnan(means[0]), np.inf, means[0])))
    return Robustness(
        rule=rule,
        budget=budget,
        answer=answer,
        bar=float(bars[0]),
        good=(float(curve.values[begin[0]]), float(curve.values[end[0]])) if known else None,
        width=float(widths[0]) if known else 0.0,
        interval=(float(low), float(high)),
        touches=bool(known and (begin[0] == 0 or end[0] == S - 1)),
        best_step=float(curve.values[best]),
        zeros=float((regrets[best] == 0).mean()),
        best=cross_fitted(one, other, share, count),
        median=float(np.median(means[0][answered])) if count else math.nan,
        worst=-cross_fitted(-one, -other, share, count),
        best_of={k: cross_fitted(one, other, share, k) for k in TRIES if k <= count},
    )


def _share(regrets: Floats) -> float:
    """Of the seeds that are in the first half; a single one is either."""
    R = int(regrets.shape[1])
    return (R - R // 2) / R if R > 1 else 0.5
