"""The figure of a toy study: iterations to success against the initial step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from results.drawing import COLOURS, TITLE, Drawing, panels
from results.look import SCREEN
from results.statistics import Floats
from results.toy_table import ToyRow

SIZE, GAPS, MARGINS = (3.2, 2.6), (0.15, 0.4), (0.8, 0.15, 0.8, 0.35)  # in inches


def toy_figure(rows: Sequence[ToyRow], name: str = "iterations") -> Drawing:
    """The median of the iterations with its 95 % bootstrap interval, a panel a learning rate of x.

    A cross at the upper edge is a median that was never reached.

    Args:
        rows: of the study's table; those whose initial step is not n^-k are left out.
        name: of the drawing.

    Returns:
        the drawing, with a row of the table a row.
    """
    import pandas as pd
    from matplotlib.lines import Line2D

    drawn = [row for row in rows if row.record.k is not None]
    rates = sorted({row.record.problem["eta_x"] for row in drawn}) or [0.0]
    variants = dict.fromkeys(row.record.variant for row in drawn)
    colours = {variant: COLOURS[place % len(COLOURS)] for place, variant in enumerate(variants)}
    never = max((row.record.problem["iterations"] for row in drawn), default=1)
    lowest = min((row.low for row in drawn), default=1)
    with SCREEN.context():
        figure, grid = panels(1, len(rates), SIZE, GAPS, MARGINS, sharey=True, sharex=True)
        for rate, axes in zip(rates, grid[0], strict=True):
            axes.set(yscale="log", xlabel="k (initial step n^-k)", ylim=(min(lowest, never) / 1.5, never * 1.5))
            axes.set_title(f"eta_x {rate:g}", y=TITLE, fontsize=9)
            axes.grid(visible=True)
            for variant, colour in colours.items():
                group = [row for row in drawn if row.record.variant == variant and row.record.problem["eta_x"] == rate]
                k = [row.record.k for row in group]
                median = np.array([row.median for row in group])
                low, high = (np.minimum([getattr(row, end) for row in group], never) for end in ("low", "high"))
                axes.plot(k, np.minimum(median, never), linewidth=1.4, color=colour)
                axes.vlines(k, low, high, color=colour, linewidth=1.4)
                for value, mark in ((np.where(np.isfinite(median), median, np.nan), "o"), (_at(never, median), "x")):
                    axes.plot(k, value, marker=mark, markersize=4 if mark == "o" else 8, linestyle="", color=colour)
        grid[0][0].set_ylabel("iterations to success, median", fontsize=9)
        handles = [
            Line2D([], [], color=colour, marker="o", markersize=4, label=name) for name, colour in colours.items()
        ]
        figure.legend(handles=handles, loc="lower center", ncols=min(len(handles), 6) or 1, fontsize=8, frameon=False)
    caption = (
        "Iterations to success over k, the initial step being n^-k: the median with its 95 % bootstrap interval. A "
        "cross at the upper edge is a median that was never reached."
    )
    data = pd.DataFrame(
        [
            {"optimizer": row.record.variant, "eta_x": row.record.problem["eta_x"], "k": row.record.k}
            | {"median": row.median, "low": row.low, "high": row.high, "successes": row.successes}
            for row in drawn
        ]
    )
    return Drawing(name, "Iterations to success", caption, figure, data)


def _at(place: float, median: Floats) -> Floats:
    """``place`` where a median is infinite."""
    return np.where(np.isinf(median), place, np.nan)
