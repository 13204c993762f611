"""Figures of a study."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from results.record import CellRecord, write_atomically
from results.statistics import Floats, interquartile_mean, interquartile_mean_interval

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

# Okabe and Ito's colours, told apart by the colour-blind too
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#F0E442")

NARROWEST = 7.5  # inches: what a title and a legend of four columns need
LEGEND_INSIDE = 10  # more curves have their legend beside the axes
TITLE = 1.01  # height of a panel's title; to find one by itself, matplotlib measures all texts again


def anytime_figure(cells: Sequence[CellRecord], path: Path) -> None:
    """Draws the search regret over the budget of all optimizers on one benchmark, as a PNG or SVG file.

    Solid lines are the best seen, dashed ones the optimizer's own recommendation where it is another. Bands are 95 %
    bootstrap intervals of the interquartile mean.

    Args:
        cells: of one benchmark.
        path: where the figure goes; its ending tells the format.
    """
    from matplotlib.figure import Figure  # 0.5 s

    about = cells[0].about["benchmark"]
    in_time = cells[0].about["budget"]["unit"] == "seconds"
    floor = _floor(cells)
    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    axes = figure.add_subplot()
    for place, cell in enumerate(cells):
        colour = COLOURS[place % len(COLOURS)]
        _draw_curve(axes, cell, "incumbent", floor, color=colour, label=cell.optimizer)
        if not cell.recommends_incumbent:
            label = f"{cell.optimizer}: {cell.answer}"
            _draw_curve(axes, cell, "recommended", floor, color=colour, label=label, linestyle="--")
    axes.set(
        xscale="log",
        yscale="log",
        xlabel="simulated seconds" if in_time else "evaluations",
        ylabel=f"search regret ({about['wording']['regret_unit']})",
    )
    axes.set_title(f"{about['label']}, {len(cells[0].seeds)} seeds\n{about['wording']['searched']}", fontsize=9)
    axes.axhline(floor, color="0.7", linewidth=0.8)
    axes.annotate("0: best of the table", (0, floor), (4, 3), ("axes fraction", "data"), "offset points", fontsize=7)
    axes.grid(alpha=0.25)
    curves = len(axes.lines) - 1
    if curves <= LEGEND_INSIDE:
        axes.legend(fontsize=8, frameon=False)
    else:
        figure.set_size_inches(9.0, max(4.2, 0.18 * curves + 0.6))
        figure.legend(loc="outside right upper", fontsize=8, frameon=False)
    save(figure, path)


def save(figure: Figure, path: Path) -> None:
    """Writes a figure atomically; the path's ending tells the format."""
    image_format = path.suffix.lstrip(".")
    write_atomically(path, lambda stream: figure.savefig(stream, format=image_format, dpi=150))


def panels(
    rows: int,
    columns: int,
    size: tuple[float, float],
    gaps: tuple[float, float],
    margins: tuple[float, float, float, float],
    **options: Any,
) -> tuple[Figure, Any]:
    """A figure of panels with fixed margins: matplotlib's own layout would take as long as all the drawing.

    Args:
        rows, columns: how many panels.
        size: width and height of a panel (of the mean one), in inches.
        gaps: between panels, across and down.
        margins: left, right, bottom and top of all.
        **options: of ``Figure.subplots``.

    Returns:
        the figure, and its axes, an array [rows, columns].
    """
    from matplotlib.figure import Figure  # 0.5 s

    left, right, bottom, top = margins
    size = max(size[0], (NARROWEST - left - right - (columns - 1) * gaps[0]) / columns), size[1]
    width = left + columns * size[0] + (columns - 1) * gaps[0] + right
    height = bottom + rows * size[1] + (rows - 1) * gaps[1] + top
    place = {
        "left": left / width,
        "right": 1 - right / width,
        "bottom": bottom / height,
        "top": 1 - top / height,
        "wspace": gaps[0] / size[0],
        "hspace": gaps[1] / size[1],
    }
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(rows, columns, squeeze=False, gridspec_kw=place, **options)


def label_decades(axis: Axis, low: float, high: float) -> None:
    """Labels a logarithmic axis also between the powers of ten where it spans less than two decades."""
    from matplotlib.ticker import FuncFormatter, LogLocator

    if high < 100 * low:
        axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def floor_of(drawn: Floats) -> float:
    """Where a regret of 0 is drawn on a logarithmic axis: below all that is drawn at its own place."""
    drawn = drawn[drawn > 0]
    return float(max(drawn.min() / 2, drawn.max() * 1e-4)) if drawn.size else 1e-3


def _floor(cells: Sequence[CellRecord]) -> float:
    curves = [
        interquartile_mean(cell.columns[f"{column}_regret"])
        for cell in cells
        for column in ("incumbent", "recommended")
    ]
    return floor_of(np.concatenate(curves))


def _draw_curve(axes: Axes, cell: CellRecord, column: str, floor: float, **style: Any) -> None:
    regret = cell.columns[f"{column}_regret"]
    known = ~np.isnan(regret).any(axis=0)
    if not known.any():
        return
    regret, at = regret[:, known], cell.checkpoints[known]
    low, high = interquartile_mean_interval(regret)
    colour = style["color"]
    axes.plot(at, np.maximum(interquartile_mean(regret), floor), linewidth=1.6, **style)
    axes.fill_between(at, np.maximum(low, floor), np.maximum(high, floor), color=colour, alpha=0.18, linewidth=0)
