"""Figures that compare optimizers with each other, over one or several benchmarks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from results.canvas import canvas, legend_of, log_axis, text_width
from results.drawing import Drawing, floor_of
from results.figures import PALE_LINE, pale_in_words
from results.look import BLUE, PALE, VERMILLION, Look, Style
from results.statistics import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Profile = tuple[Floats, Floats, Floats, Floats]


def profile(shares: Mapping[str, Profile], of: str, look: Look, styles: Mapping[str, Style]) -> Drawing:
    """A performance profile: the share of runs whose normalised regret is at most a threshold (Agarwal et al., 2021).

    Args:
        shares: thresholds ascending, the share of runs, and the lower and upper end of its 95 % band, float [G] each,
            by label.
        of: what it is of, for the caption, such as "the best seen of 200 seeds on 7 benchmarks".
        look, styles: how it is set.

    Returns:
        the drawing, with a row a point.
    """
    import pandas as pd  # 0.5 s

    title = "Share of runs by normalised regret"
    thresholds = np.concatenate([numbers[0] for numbers in shares.values()])
    floor = floor_of(thresholds)
    with look.context():
        figure, grid = canvas(look, title, legend_of(list(shares), styles))
        axes = grid[0, 0]
        log_axis(axes, "x", floor, max(float(thresholds.max()), 2 * floor))
        axes.grid(visible=True)
        for label, (at, share, low, high) in shares.items():
            drawn = np.maximum(at, floor)
            if styles[label] is PALE:
                axes.plot(drawn, share, drawstyle="steps-post", **PALE.line(), linewidth=PALE_LINE, zorder=1.5)
                continue
            axes.fill_between(drawn, low, high, color=styles[label].colour, alpha=0.15, linewidth=0, step="post")
            axes.plot(drawn, share, drawstyle="steps-post", **styles[label].line(len(at)))
        axes.set(
            xlabel="normalised search regret (1: a random pick)", ylabel="share of runs at or below", ylim=(0, 1.02)
        )
    caption = (
        f"Performance profile of {of}: the share of runs whose normalised search regret is at most that of the axis, "
        "with its 95 % bootstrap band. Higher and further left is better; at the left edge is what has regret 0 or "
        f"less than {floor:.2g}.{pale_in_words(shares, styles)}"
    )
    columns = ("threshold", "share", "low", "high")
    data = pd.concat(
        [
            pd.DataFrame({"optimizer": label} | dict(zip(columns, numbers, strict=True)))
            for label, numbers in shares.items()
        ],
        ignore_index=True,
    )
    return Drawing("performance-profile", title, caption, figure, data, look)


def improvement_matrix(labels: Sequence[str], values: ArrayLike, of: str, look: Look) -> Drawing:
    """A heat map of the probability that the optimizer of a row is better than that of a column.

    Args:
        labels: of K optimizers, the best first.
        values: float [K, K]; NaN where all runs are tied. The diagonal is not drawn.
        of: what it is of, for the caption.
        look: how it is set.

    Returns:
        the drawing, with a row a pair.
    """
    import pandas as pd
    from matplotlib.colors import LinearSegmentedColormap, Normalize

    values = np.asarray(values, dtype=np.float64)
    K = len(labels)
    title = "Probability that the row is better than the column"
    colours = LinearSegmentedColormap.from_list("better", [VERMILLION, "#F7F7F7", BLUE])
    shown = np.where(np.eye(K, dtype=bool), np.nan, values)
    rows = [f"{label}  {place}" for place, label in enumerate(labels, 1)]
    left = max(text_width(row, look.fonts[0], look.small) for row in rows) + 1.2 * look.em
    across = max(2.9 * look.small / 72, min((look.width - left - 0.6 * look.em) / K, 0.6))
    down = max(2.1 * look.small / 72, 0.55 * across)
    with look.context():
        size = (K * across, K * down)
        right = max(0.6 * look.em, look.width - left - size[0])
        figure, grid = canvas(look, title, size=size, left=left, right=right, bottom=2.2 * look.em)
        axes = grid[0, 0]
        # cells are drawn without antialiased seams, as many small rectangles of an SVG would have
        axes.imshow(shown, norm=Normalize(0, 1), cmap=colours, aspect="auto", interpolation="nearest")
        axes.set_facecolor("0.92")
        for (row, column), value in np.ndenumerate(values):
            if row != column:
                _cell_text(axes, row, column, float(value), look)
        axes.set_xticks(range(K), [str(place) for place in range(1, K + 1)])
        axes.set_yticks(range(K), rows)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    caption = (
        f"Probability that a run of the row's optimizer is better than one of the column's, ties counted half: {of}. "
        "Columns have the numbers of the rows. Blue: the row is better; orange: the column; =: all runs are tied."
    )
    pairs = [(row, column) for row in range(K) for column in range(K) if row != column]
    data = pd.DataFrame(
        {
            "row": [labels[row] for row, _ in pairs],
            "column": [labels[column] for _, column in pairs],
            "probability": [values[pair] for pair in pairs],
        }
    )
    return Drawing("probability-of-improvement", title, caption, figure, data, look)


def rank_diagram(
    labels: Sequence[str], ranks: ArrayLike, critical: float, groups: Sequence[Sequence[int]], of: str, look: Look
) -> Drawing:
    """A critical-difference diagram (Demsar, JMLR 2006): mean ranks on a line, bars over what is not told apart.

    Args:
        labels: of K optimizers.
        ranks: float [K], mean ranks; 1 is the best.
        critical: the difference from which on two ranks differ.
        groups: places in ``labels`` of those that are not told apart.
        of: what it is of, for the caption.
        look: how it is set.

    Returns:
        the drawing, with a row an optimizer, the best first.
    """
    import pandas as pd

    ranks = np.asarray(ranks, dtype=np.float64)
    order = np.argsort(ranks, kind="stable")
    K, half = len(labels), (len(labels) + 1) // 2
    title = "Mean ranks over benchmark families"
    side = max(text_width(f"{label}  00.0", look.fonts[0], look.small) for label in labels) + 1.0 * look.em
    step = 1.9 * look.small / 72  # inches from one line to the next
    above, bars = 2.6 * step, 0.5 * step * len(groups) + 0.4 * step
    height = above + bars + half * step
    width = max(look.width - 2 * side, 0.13 * K, 1.5)
    with look.context():
        figure, grid = canvas(look, title, size=(width, height), left=side, right=side, bottom=0.4 * look.em)
        axes = grid[0, 0]
        axes.set(xlim=(1, max(K, 2)), ylim=(height, 0))
        axes.set_axis_off()
        axes.hlines(above, 1, K, color="0.2", linewidth=0.8, clip_on=False)
        for rank in range(1, K + 1, 1 if K <= 12 else 2):
            axes.vlines(rank, above - 0.25 * step, above, color="0.2", linewidth=0.8, clip_on=False)
            axes.text(rank, above - 0.4 * step, str(rank), ha="center", va="bottom", fontsize=look.small)
        _critical_bar(axes, critical, K, step, look)
        for place, group in enumerate(groups):
            ends, at = ranks[list(group)], above + (0.5 * place + 0.5) * step
            axes.hlines(at, ends.min() - 0.03, ends.max() + 0.03, color="0.2", linewidth=2.4, clip_on=False)
        for place, one in enumerate(order):
            at_left = place < half
            line = above + bars + (place if at_left else K - 1 - place) * step + 0.3 * step
            end, towards = (1, "right") if at_left else (max(K, 2), "left")
            axes.plot([ranks[one], ranks[one], end], [above, line, line], color="0.45", linewidth=0.7, clip_on=False)
            text = f"{labels[one]}  {ranks[one]:.1f}" if at_left else f"{ranks[one]:.1f}  {labels[one]}"
            beside = (-3, 0) if at_left else (3, 0)
            axes.annotate(
                text, (end, line), beside, "data", "offset points", ha=towards, va="center", fontsize=look.small
            )
    caption = (
        f"Mean ranks, 1 is the best: {of}. Optimizers under one thick bar are not told apart: their ranks differ by "
        f"less than the critical difference of {critical:.2f} (Nemenyi)."
    )
    data = pd.DataFrame({"optimizer": [labels[one] for one in order], "mean_rank": ranks[order]})
    return Drawing("mean-ranks", title, caption, figure, data, look)


def _critical_bar(axes: Axes, critical: float, K: int, step: float, look: Look) -> None:
    end = min(1 + critical, max(K, 2))
    at = 0.8 * step
    axes.hlines(at, 1, end, color="0.2", linewidth=0.8, clip_on=False)
    axes.vlines(
        [1, end] if end == 1 + critical else [1], at - 0.18 * step, at + 0.18 * step, color="0.2", linewidth=0.8
    )
    axes.annotate(
        f"critical difference {critical:.2f}", (1, at), (0, 3), "data", "offset points", fontsize=look.small - 1
    )


def _cell_text(axes: Axes, row: int, column: int, value: float, look: Look) -> None:
    tied = bool(np.isnan(value))
    text = "=" if tied else "1" if value >= 0.995 else "0" if value < 0.005 else f"{value:.2f}"[1:]
    colour = "0.45" if tied else "white" if abs(value - 0.5) > 0.38 else "black"
    axes.text(column, row, text, ha="center", va="center", fontsize=look.small - 0.5, color=colour)
