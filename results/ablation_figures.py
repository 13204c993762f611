"""Figures of a sweep over a setting: regret against its steps."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from results.ablation import Comparison
from results.canvas import log_axis
from results.curves import Curve
from results.drawing import COLOURS, TITLE, Drawing, floor_of, panels, title_at_left
from results.robustness import robustness
from results.statistics import Floats, mean_interval

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.lines import Line2D

SIZE, GAPS = (3.1, 2.4), (0.15, 0.45)  # of panels, in inches
LEGEND_COLUMNS = 4
LINES: dict[str, Literal["-", "--"]] = {"recommended": "-", "incumbent": "--"}


def regret_figure(comparisons: Sequence[Comparison], sweep: str, name: str) -> Drawing:
    """Mean search regret against the swept setting: a row a comparison, a column a budget.

    Solid lines are what the optimizers recommend, dashed ones the best seen; bands are 95 % intervals of the mean, by
    the normal approximation. Curves of too few steps to span a window are marks, filled and hollow.

    Args:
        comparisons: whose budgets are the same.
        sweep: the setting that was varied.
        name: of the drawing.

    Returns:
        the drawing, with a row a value, budget and answer of every curve.
    """
    rows, columns = len(comparisons), len(comparisons[0].budgets)
    rules = list(dict.fromkeys(rule for comparison in comparisons for rule in comparison.curves))
    colours = {rule: COLOURS[place % len(COLOURS)] for place, rule in enumerate(rules)}
    handles = _legend(comparisons, colours)
    lines = math.ceil(len(handles) / LEGEND_COLUMNS)
    figure, grid = panels(rows, columns, SIZE, GAPS, (0.8, 0.15, 0.6 + 0.17 * lines, 0.65), sharex=True, sharey=True)
    drawn = np.concatenate([_drawn(comparison) for comparison in comparisons])
    floor = floor_of(drawn)
    # set before anything is drawn, since matplotlib would find them anew for every line and band
    limits = {"x": _ends(comparisons), "y": (0.7 * floor, 2 * max(float(np.nanmax(drawn, initial=0.0)), floor))}
    for (comparison, budget), axes in zip(product(comparisons, comparisons[0].budgets), grid.flat, strict=True):
        log_axis(axes, "y", *limits["y"], floor=floor)
        if comparison.in_decades:
            log_axis(axes, "x", *limits["x"])
        else:
            axes.set_xlim(*limits["x"])
        axes.grid(visible=True)
        for rule, curve in comparison.curves.items():
            for answer in curve.answers:
                _draw(axes, curve, budget, answer, floor, colours[rule])
        _draw_levels(axes, comparison, budget, floor)
        unit = "s" if comparison.unit == "seconds" else "evaluations"
        held = f"{comparison.held}, " if comparison.held else ""
        axes.set_title(f"{comparison.benchmark}\n{held}{budget:,} {unit}", y=TITLE, fontsize=8)
    for axes in grid[-1]:
        axes.set_xlabel(sweep)
    for axes, comparison in zip(grid[:, 0], comparisons, strict=True):
        axes.set_ylabel(f"mean search regret\n({comparison.about['wording']['regret_unit']})", fontsize=8)

    figure.legend(handles=handles, loc="lower center", ncols=LEGEND_COLUMNS, fontsize=8, frameon=False)
    seeds = " or ".join(str(count) for count in sorted({comparison.seeds for comparison in comparisons}))
    of = comparisons[0].about["wording"]["searched"]
    title = f"Mean of {seeds} seeds, 95 % interval; {of}"
    title_at_left(figure, title)
    caption = (
        f"Mean search regret of {seeds} seeds over {sweep}, with 95 % intervals, by {of}. Grey: up to here a value is "
        "good, that is within the tolerance of the best."
    )
    return Drawing(name, f"Regret over {sweep}", caption, figure, _numbers(comparisons, sweep))


def _numbers(comparisons: Sequence[Comparison], sweep: str) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for comparison in comparisons:
        for (rule, curve), budget in product(comparison.curves.items(), comparison.budgets):
            for answer in curve.answers:
                mean, half = mean_interval(curve.regrets(budget, answer))
                of = {"benchmark": comparison.benchmark, "held": comparison.held, "budget": budget, "rule": rule}
                rows += [
                    {**of, "answer": curve.named(answer), sweep: value, "mean": at, "low": at - off, "high": at + off}
                    for value, at, off in zip(curve.values.tolist(), mean.tolist(), half.tolist(), strict=True)
                ]
    return pd.DataFrame(rows)


def _legend(comparisons: Sequence[Comparison], colours: Mapping[str, str]) -> list[Line2D]:
    from matplotlib.lines import Line2D

    handles = [Line2D([], [], color=colour, label=rule) for rule, colour in colours.items()]
    curves = [curve for comparison in comparisons for curve in comparison.curves.values()]
    named = {(answer, curve.named(answer)): None for curve in curves for answer in curve.answers}
    handles += [Line2D([], [], color="0.3", linestyle=LINES[answer], label=name) for answer, name in named]
    base = {f"{cell.optimizer} ({cell.answer})": None for comparison in comparisons for cell in comparison.baselines}
    handles += [_baseline(place, label=label) for place, label in enumerate(base)]
    return [*handles, Line2D([], [], color="0.75", linewidth=3, label="up to here good: best + tolerance")]


def _ends(comparisons: Sequence[Comparison]) -> tuple[float, float]:
    """Of the axis of steps, with some room beside them."""
    values = np.concatenate([curve.values for comparison in comparisons for curve in comparison.curves.values()])
    low, high = float(values.min()), float(values.max())
    if all(comparison.in_decades for comparison in comparisons):
        room = max((high / low) ** 0.04, 1.1)
        return low / room, high * room
    room = 0.04 * (high - low) or 1.0
    return low - room, high + room


def _drawn(comparison: Comparison) -> Floats:
    return np.concatenate(
        [
            curve.regrets(budget, answer).mean(axis=-1)
            for curve in comparison.curves.values()
            for budget in comparison.budgets
            for answer in curve.answers
        ]
    )


def _draw(axes: Axes, curve: Curve, budget: int, answer: str, floor: float, colour: str) -> None:
    mean, half = mean_interval(curve.regrets(budget, answer))
    known = ~np.isnan(mean)
    steps, mean, half = curve.values[known], mean[known], half[known]
    if curve.spans:
        axes.plot(steps, np.maximum(mean, floor), color=colour, linestyle=LINES[answer], linewidth=1.4)
        shade = 0.18 if answer == curve.answers[0] else 0.08
        low, high = np.maximum(mean - half, floor), np.maximum(mean + half, floor)
        axes.fill_between(steps, low, high, color=colour, alpha=shade, linewidth=0)
    else:
        inside = colour if answer == curve.answers[0] else "none"
        axes.plot(steps, np.maximum(mean, floor), "o", color=colour, markerfacecolor=inside, markersize=4)


def _draw_levels(axes: Axes, comparison: Comparison, budget: int, floor: float) -> None:
    """The regrets that a panel is read against: other optimizers', the bar of good steps, and 0."""
    for place, cell in enumerate(comparison.baselines):
        regret = cell.at(budget, "recommended_regret").mean()
        if not np.isnan(regret):
            line = _baseline(place)
            axes.axhline(max(float(regret), floor), color=line.get_color(), linestyle=line.get_linestyle(), linewidth=1)
    bars = next((found for answer in LINES if (found := robustness(comparison, budget, answer))), [])
    if bars and np.isfinite(bars[0].bar):
        axes.axhline(max(bars[0].bar, floor), color="0.75", linewidth=3, zorder=0)
    axes.axhline(floor, color="0.7", linewidth=0.8)
    axes.annotate("0: best of the table", (0, floor), (4, 3), ("axes fraction", "data"), "offset points", fontsize=6)


def _baseline(place: int, **style: Any) -> Line2D:
    from matplotlib.lines import Line2D

    return Line2D([], [], color="0.35", linestyle=(":", "-.", (0, (5, 1)))[place % 3], linewidth=1, **style)
