"""The figure of a toy study: iterations to success against the initial step."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from results.figures import COLOURS, TITLE, panels, save
from results.toy_table import ToyRow

SIZE, GAPS, MARGINS = (3.2, 2.8), (0.15, 0.4), (0.8, 0.15, 0.55, 0.55)  # in inches


def toy_figure(rows: Sequence[ToyRow], path: Path) -> None:
    """Draws the median of the iterations with its 95 % bootstrap interval, a panel a learning rate of x.

    A crossed mark at the upper edge is a median that was never reached.

    Args:
        rows: of the study's table; those whose initial step is not n^-k are left out.
        path: where the figure goes; its ending tells the format.
    """

    drawn = [row for row in rows if row.record.k is not None]
    rates = sorted({row.record.problem["eta_x"] for row in drawn}) or [0.0]
    variants = list(dict.fromkeys(row.record.variant for row in drawn))
    colours = {variant: COLOURS[place % len(COLOURS)] for place, variant in enumerate(variants)}
    top = max((row.record.problem["iterations"] for row in drawn), default=1)
    figure, grid = panels(1, len(rates), SIZE, GAPS, MARGINS, sharey=True, sharex=True)
    for rate, axes in zip(rates, grid[0], strict=True):
        axes.set(yscale="log", xlabel="k (initial step n^-k)", ylim=(None, top * 1.3))
        axes.set_title(f"eta_x {rate:g}", y=TITLE, fontsize=9)
        axes.grid(alpha=0.25)
        for variant, colour in colours.items():
            group = [row for row in drawn if row.record.variant == variant and row.record.problem["eta_x"] == rate]
            if not group:
                continue
            k = [row.record.k for row in group]
            median, low, high = (
                np.minimum([getattr(row, name) for row in group], top) for name in ("median", "low", "high")
            )
            axes.plot(k, median, marker="o", markersize=3.5, linewidth=1.4, color=colour)
            axes.vlines(k, low, high, color=colour, linewidth=1.4)
            never = [one for one, row in zip(k, group, strict=True) if np.isinf(row.median)]
            axes.plot(never, [top] * len(never), marker="x", markersize=9, linestyle="", color=colour)
    grid[0][0].set_ylabel("iterations to success, median", fontsize=9)
    legends = {
        label: handle for axes in grid[0] for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    grid[0][-1].legend(legends.values(), legends.keys(), fontsize=7, frameon=False)
    save(figure, path)
