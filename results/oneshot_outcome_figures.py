"""Figures of what one-shot searches came to: test accuracies beside random architectures, and rank correlations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from results.canvas import canvas
from results.drawing import Drawing, stem
from results.look import GREY, SOLID, Look, Style
from results.oneshot_comparison import OneShotRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OTHER = Style(GREY, SOLID)  # of random and of given architectures
ROW = 2.2  # height of a row, in text sizes
LONGEST = 26  # characters of a label that are shown


def outcomes(rows: Sequence[OneShotRow], prefix: str, look: Look, styles: Mapping[str, Style]) -> list[Drawing]:
    """All figures of outcomes that there are numbers for.

    Args:
        rows: of one table.
        prefix: of the drawings' names.
        look, styles: how they are set.
    """
    made = (retrained(rows, prefix, look, styles), correlations(rows, prefix, look, styles))
    return [drawing for drawing in made if drawing is not None]


def retrained(rows: Sequence[OneShotRow], prefix: str, look: Look, styles: Mapping[str, Style]) -> Drawing | None:
    """Test accuracy after training from scratch, a point a search or architecture; None where nothing was trained."""
    import pandas as pd  # 0.5 s

    shown = [row for row in rows if not np.isnan(row.retrained).all()]
    if not shown:
        return None
    title = f"Trained from scratch: test accuracy on {shown[0].cell.about['images']['label']}"
    random = next((row for row in shown if row.is_random), None)
    with look.context():
        figure, axes = _rows(title, shown, look)
        if random is not None:
            axes.axvline(float(np.nanmean(random.retrained)), color="0.3", linewidth=0.7, zorder=1)
        for place, row in enumerate(shown):
            style, values = styles.get(row.label, OTHER), row.retrained
            axes.plot(values, place + _apart(len(values)), "o", color=style.colour, markersize=4, alpha=0.7)
            axes.plot(np.nanmean(values), place, "|", color=style.colour, markersize=13, markeredgewidth=1.5)
        axes.set_xlabel("test accuracy (%)")
    caption = (
        "Test accuracy after training from scratch: a point a search, or a random architecture, the mean over its "
        "trainings (of a given architecture a point a training); the short upright line is the mean."
        + ("" if random is None else " The line through all rows is the mean of the random architectures.")
    )
    data = pd.DataFrame(
        {"cell": row.label, "seed": run.seed, "test_accuracy": value}
        for row in shown
        for run, value in zip(row.cell.runs, row.retrained, strict=True)
    )
    return Drawing(stem(prefix, "retrained"), title, caption, figure, data, look)


def correlations(rows: Sequence[OneShotRow], prefix: str, look: Look, styles: Mapping[str, Style]) -> Drawing | None:
    """Kendall's tau of shared weights and table with its error, a point a search; None where there is none."""
    import pandas as pd

    shown = [row for row in rows if not np.isnan(row.ranking("tau")).all()]
    if not shown:
        return None
    parts = {"tau": ("all", True), "tau_better_half": ("better half", False)}
    title, data = "Rank correlation of shared weights and table", list[dict[str, Any]]()
    with look.context():
        figure, axes = _rows(title, shown, look)
        axes.axvline(0, color="0.3", linewidth=0.7, zorder=1)
        for place, row in enumerate(shown):
            colour = styles[row.label].colour
            for side, (name, (of, filled)) in zip((-0.2, 0.2), parts.items(), strict=True):
                tau, error = row.ranking(name), row.ranking(f"{name}_error")
                at = place + side + 0.8 * _apart(len(tau))
                inside = colour if filled else "white"
                axes.hlines(at, tau - error, tau + error, color=colour, linewidth=0.9)
                axes.plot(tau, at, "o", color=colour, markerfacecolor=inside, markersize=4)
                seeds = [run.seed for run in row.cell.runs]
                data += [
                    {"cell": row.label, "seed": seed, "of": of, "tau": value, "error": one}
                    for seed, value, one in zip(seeds, tau, error, strict=True)
                ]
        axes.set_xlabel("Kendall's tau")
    caption = (
        "Kendall's rank correlation between the accuracy of random architectures with shared weights and their number "
        "in the table, a point a search, ± its standard error: filled over all of them, open over the better half "
        "by the table."
    )
    return Drawing(stem(prefix, "tau"), title, caption, figure, pd.DataFrame(data), look)


def _rows(title: str, rows: Sequence[OneShotRow], look: Look) -> tuple[Any, Axes]:
    """A panel with a row a cell, the first at the top, and its name beside it."""
    labels = [row.label if len(row.label) <= LONGEST else f"{row.label[: LONGEST - 3]}..." for row in rows]
    widest = max(map(len, labels))
    left = (0.55 * widest + 1.5) * look.small / 72
    size = (look.width - left - 1.8 * look.em, (len(rows) + 0.5) * ROW * look.em)
    figure, grid = canvas(look, title, size=size, left=left)
    axes: Axes = grid[0, 0]
    axes.set(yticks=range(len(rows)), yticklabels=labels, ylim=(len(rows) - 0.4, -0.6))
    axes.tick_params(axis="y", length=0)
    axes.grid(visible=True, axis="x")
    return figure, axes


def _apart(count: int) -> Any:
    """Where points of a row lie above and below its middle, so that equal ones are seen: float [count]."""
    return (np.arange(count) - (count - 1) / 2) * min(0.15, 0.5 / max(count, 1))
