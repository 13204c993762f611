"""Figures of how the state of an optimizer develops, by the steps of a swept setting."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from results.curves import Curve, in_digits
from results.drawing import TITLE, Drawing, panels, title_at_left
from results.state_figures import TRACES, trace_of
from results.statistics import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE, GAPS = (3.0, 2.1), (0.5, 0.5)  # of panels, in inches
SHOWN = 5  # steps of a curve, the lowest and the highest among them


def traced(curve: Curve) -> tuple[str, ...]:
    """The columns of a curve's cells that have traces."""
    return tuple(column for column in TRACES if column in curve.cells[0].columns)


def trace_figure(curves: Sequence[Curve], name: str) -> Drawing:
    """Step size, signal to noise and entropy over the budget, a row a curve, for a few of its steps.

    Lines are medians over seeds, bands lie between the quartiles.

    Args:
        curves: each with some of these among its diagnostics.
        name: of the drawing.

    Returns:
        the drawing, with a row a point.
    """
    import pandas as pd
    from matplotlib import colormaps

    shown = [column for column in TRACES if any(column in traced(curve) for curve in curves)]
    figure, grid = panels(len(curves), len(shown), SIZE, GAPS, (0.5, 1.6, 0.5, 0.7), sharex=True, sharey="col")
    numbers: list[dict[str, Any]] = []
    for curve, row in zip(curves, grid, strict=True):
        places = np.unique(np.linspace(0, len(curve.values) - 1, SHOWN).round().astype(int))
        colours = [colormaps["viridis"](share) for share in np.linspace(0, 0.92, len(places))]
        for axes, column in zip(row, shown, strict=True):
            heading, logarithmic = TRACES[column]
            if column not in traced(curve):
                axes.set_axis_off()
                continue
            for place, colour in zip(places, colours, strict=True):
                cell = curve.cells[place]
                label = f"{curve.sweep} = {in_digits(curve.values[place])}"
                trace = trace_of(cell, column)
                _draw(axes, trace, colour, label)
                of = {"benchmark": curve.benchmark, "curve": curve.label, curve.sweep: curve.values[place]}
                numbers += [
                    {**of, "state": heading, "at": at, "quartile_1": low, "median": median, "quartile_3": high}
                    for at, low, median, high in trace.T.tolist()
                ]
            if column == "diagnostic.signal_to_noise" and "alpha" in curve.settings:
                axes.axhline(curve.settings["alpha"], color="0.5", linewidth=0.8, linestyle=":")
                place_of = "axes fraction", "data"
                axes.annotate("alpha", (0, curve.settings["alpha"]), (4, 2), place_of, "offset points", fontsize=7)
            axes.set(xscale="log", yscale="log" if logarithmic else "linear")
            axes.minorticks_off()
            axes.grid(visible=True)
            axes.set_title(f"{heading}: {curve.label}\n{curve.benchmark}", y=TITLE, fontsize=8)
        drawn = [axes for axes in row if axes.lines]
        if drawn:
            drawn[-1].legend(fontsize=7, frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    in_time = curves[0].cells[0].about["budget"]["unit"] == "seconds"
    for axes in grid[-1]:
        axes.set_xlabel("simulated seconds" if in_time else "evaluations")
    counts = " or ".join(map(str, sorted({curve.seeds for curve in curves})))
    title = f"Median of {counts} seeds, bands between the quartiles"
    title_at_left(figure, title)
    sweep = curves[0].sweep
    caption = f"Median of {counts} seeds over the budget, bands between the quartiles, for some values of {sweep}."
    return Drawing(name, f"State by {sweep}", caption, figure, pd.DataFrame(numbers))


def _draw(axes: Axes, trace: Floats, colour: object, label: str) -> None:
    at, low, median, high = trace
    if at.size:
        axes.plot(at, median, color=colour, linewidth=1.4, label=label)
        axes.fill_between(at, low, high, color=colour, alpha=0.15, linewidth=0)
