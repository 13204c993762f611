"""How much a swept setting matters: how wide the window of good values is, and what tuning and not tuning it cost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from results.ablation import Comparison, Curve
from results.statistics import Floats
from results.tuning import cross_fitted, cross_fitted_lowest, longest_run, resampled_means

TRIES = (1, 2, 4, 8)  # of how many random values the best is told


@dataclass(frozen=True)
class Robustness:
    """How much the swept setting matters to one answer of one curve at one budget.

    Attributes:
        curve, budget, answer: of what.
        bar: the mean regret up to which a step is good: that of the best of all curves and steps of the comparison,
            cross-fitted, and the tolerance.
        good: the first and the last step of the longest run of good ones; None where no step is good, or a curve has
            too few to span a window.
        width: how long that run is, in decades (or in the setting's unit where steps are not all above 0).
        interval: a 95 % bootstrap interval of the width.
        touches: whether the run reaches the lower and the upper end of the steps that were tried.
        best_step: the one with the lowest mean regret.
        zeros: the share of seeds whose answer there is the best of the table.
        best, median, worst: mean regret over the steps; best and worst are cross-fitted.
        best_of: by k, the expected mean regret of the best of k steps drawn at random, cross-fitted.
    """

    curve: Curve
    budget: int
    answer: str
    bar: float
    good: tuple[float, float] | None
    width: float
    interval: tuple[float, float]
    touches: tuple[bool, bool]
    best_step: float
    zeros: float
    best: float
    median: float
    worst: float
    best_of: dict[int, float]


def robustness(comparison: Comparison, budget: int, answer: str) -> list[Robustness]:
    """How much the swept setting matters, of every curve with such an answer ("recommended" or "incumbent")."""
    curves = [curve for curve in comparison.curves if answer in curve.answers]
    regrets = {curve.label: curve.regrets(budget, answer) for curve in curves}
    halves = {label: resampled_means(values) for label, values in regrets.items()}
    judges = [halves[curve.label] for curve in comparison.judges if answer in curve.answers]
    if not judges:
        return []
    best = cross_fitted_lowest(*(np.concatenate(parts, axis=1) for parts in zip(*judges, strict=True)))
    bars = best + comparison.tolerance
    return [
        _robustness(comparison, curve, budget, answer, regrets[curve.label], halves[curve.label], bars)
        for curve in curves
    ]


def _robustness(
    comparison: Comparison,
    curve: Curve,
    budget: int,
    answer: str,
    regrets: Floats,
    halves: tuple[Floats, Floats],
    bars: Floats,
) -> Robustness:
    S, R = regrets.shape
    first, second = halves
    odd = R // 2 if R > 1 else 1
    means = (first * (R - R // 2) + second * odd) / (R - R // 2 + odd)
    positions = np.log10(curve.steps) if comparison.in_decades else curve.steps
    good = np.isfinite(means) & (means <= bars[:, None])
    begin, end = longest_run(good, positions)
    widths = np.where(begin < 0, 0.0, positions[end] - positions[begin])
    low, high = np.percentile(widths[1:], [2.5, 97.5], method="nearest")
    known = curve.spans and begin[0] >= 0
    best = int(np.argmin(np.where(np.isnan(means[0]), np.inf, means[0])))
    return Robustness(
        curve=curve,
        budget=budget,
        answer=answer,
        bar=float(bars[0]),
        good=(float(curve.steps[begin[0]]), float(curve.steps[end[0]])) if known else None,
        width=float(widths[0]),
        interval=(float(low), float(high)),
        touches=(bool(known and begin[0] == 0), bool(known and end[0] == S - 1)),
        best_step=float(curve.steps[best]),
        zeros=float((regrets[best] == 0).mean()),
        best=cross_fitted(first[0], second[0], S),
        median=float(np.median(means[0])),
        worst=-cross_fitted(-first[0], -second[0], S),
        best_of={k: cross_fitted(first[0], second[0], k) for k in TRIES if k <= S},
    )
