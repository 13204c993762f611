"""Panels of a report: fixed margins, a title that fits, a legend below the axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from results.drawing import panels
from results.look import PALE, Look, Style

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# of a legend, in its font size
HANDLE, PAD, BETWEEN, ROW = 2.6, 0.6, 1.4, 1.37


@lru_cache(maxsize=4096)
def text_width(text: str, family: str, size: float) -> float:
    """In inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family=[family], size=size)
    width, _, _ = text_to_path.get_text_width_height_descent(text, font, ismath=False)
    return float(width) / 72


def wrap(text: str, width: float, look: Look) -> str:
    """The text in lines of at most ``width`` inches, as far as its words allow."""
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and text_width(longer, look.fonts[0], look.text) > width:
            lines.append(word)
        else:
            lines[-1] = longer
    return "\n".join(lines)


def legend_columns(labels: Sequence[str], width: float, look: Look) -> int:
    """How many columns of a legend fit into ``width`` inches, at least one."""
    beside = (HANDLE + PAD) * look.small / 72
    widths = [text_width(label, look.fonts[0], look.small) + beside for label in labels]
    for columns in range(min(len(labels), 5), 1, -1):
        needed = sum(max(column) for column in np.array_split(widths, columns))  # as matplotlib fills them
        if needed + (columns - 1) * BETWEEN * look.small / 72 <= width:
            return columns
    return 1


def canvas(
    look: Look,
    title: str,
    handles: Sequence[Artist] = (),
    *,
    rows: int = 1,
    columns: int = 1,
    size: tuple[float, float] | None = None,
    gaps: tuple[float, float] = (0.15, 0.4),
    left: float | None = None,
    right: float | None = None,
    bottom: float | None = None,
    above: float = 0.0,
    **options: Any,
) -> tuple[Figure, Any]:
    """A figure of panels under a title, with a legend below in as many columns as fit.

    Args:
        look: how it is set; call this within its context.
        title: left out where the look has none.
        handles: of the legend, with labels.
        rows, columns: how many panels.
        size: width and height of the axes of one, in inches; by default the look's.
        gaps: between panels, in inches, across and down.
        left, right, bottom: margins in inches, the legend aside; by default with room for numbers and labels.
        above: inches between the title and the axes, for what is written there.
        **options: of ``Figure.subplots``.

    Returns:
        the figure, and its axes, an array [rows, columns].
    """
    left = 6.0 * look.em if left is None else left
    right = 1.8 * look.em if right is None else right
    bottom = 3.7 * look.em if bottom is None else bottom
    within = look.width - left - right - (columns - 1) * gaps[0]
    size = (within / columns, look.height) if size is None else size
    width = left + columns * size[0] + (columns - 1) * gaps[0] + right
    edge = 0.6 * look.em
    shown = wrap(title, width - 2 * edge, look) if look.titled else ""
    top = (1.25 * (shown.count("\n") + 1) + 1.0 if shown else 0.6) * look.em + above
    labels = [str(handle.get_label()) for handle in handles]
    in_columns = legend_columns(labels, width - 2 * edge, look)
    legend_height = (ROW * math.ceil(len(labels) / in_columns) + 0.9) * look.small / 72 if labels else 0.0
    margins = (left, right, bottom + legend_height, top)
    figure, axes = panels(rows, columns, size, gaps, margins, narrowest=0, **options)
    height = figure.get_figheight()
    if shown:
        figure.text(edge / width, 1 - 0.5 * look.em / height, shown, va="top", ha="left")
    if labels:
        figure.legend(
            handles=list(handles),
            loc="lower center",
            ncols=in_columns,
            frameon=False,
            handlelength=HANDLE,
            handletextpad=PAD,
            columnspacing=BETWEEN,
            labelspacing=0.35,
            borderpad=0.2,
            borderaxespad=0.2,
        )
    return figure, axes


def legend_of(labels: Sequence[str], styles: Mapping[str, Style]) -> list[Artist]:
    """A line for each label; a single one, the last, for all that are pale."""
    from matplotlib.lines import Line2D

    shown = {label: styles[label] for label in labels if styles[label] is not PALE}
    if len(shown) < len(labels):
        shown[f"{len(labels) - len(shown)} more"] = PALE
    return [Line2D([0, 0.5, 1], [0, 0, 0], label=label, **_marked_once(style)) for label, style in shown.items()]


def _marked_once(style: Style) -> dict[str, Any]:
    return style.line() | {"markevery": (1, 2)}


def log_axis(
    axes: Axes, name: Literal["x", "y"], low: float, high: float, *, most: int = 7, floor: float = 0.0
) -> None:
    """Makes an axis logarithmic, from ``low`` to ``high``, labelled with at most ``most`` plain numbers.

    Below ``floor``, where 0 is drawn, there is no label.
    """
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    axes.set(**{f"{name}scale": "log", f"{name}lim": (low, high)})
    axis = axes.xaxis if name == "x" else axes.yaxis
    subs: tuple[float, ...] = (1,)
    if most > 3:
        span = high / low
        subs = (1, 1.5, 2, 3, 5, 7) if span < 5 else (1, 2, 5) if span < 30 else (1, 3) if span < 1000 else (1,)
    axis.set_major_locator(LogLocator(subs=subs, numticks=most))
    axis.set_major_formatter(FuncFormatter(lambda value, _: plain(value) if value > floor else ""))
    axis.set_minor_locator(NullLocator())  # minor ticks take half of the time that drawing does


def plain(value: float) -> str:
    """A round number for an axis: 0.01, 10,000, or a power of ten as matplotlib's mathtext."""
    if 1e-4 < value < 999_999:
        return f"{value:,.6g}"
    factor, _, power = f"{value:e}".partition("e")
    times = "" if float(factor) == 1 else rf"{float(factor):g}\cdot "
    return rf"$\mathdefault{{{times}10^{{{int(power)}}}}}$"


def mark_floor(axes: Axes, floor: float, look: Look) -> None:
    """The line on which a regret of 0 is drawn."""
    axes.axhline(floor, color="0.55", linewidth=0.6, zorder=1)
    place = "axes fraction", "data"
    axes.annotate(
        "0: best of the table", (0, floor), (3, 2), place, "offset points", fontsize=look.small - 1, color="0.35"
    )
