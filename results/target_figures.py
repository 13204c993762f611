"""How soon optimizers reach targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from results.anytime import unit_of
from results.canvas import canvas, legend_of, log_axis
from results.drawing import Drawing, seeds_of, stem
from results.figures import AXES, PALE_LINE, pale_in_words
from results.look import PALE, Look, Style
from results.record import CellRecord
from results.statistics import Floats, hitting_times, share_reached

GRID = 120  # points of a curve


def targets_reached(cells: Sequence[CellRecord], look: Look, styles: Mapping[str, Style]) -> Drawing | None:
    """The share of pairs of a seed and a target that are reached, over evaluations or simulated seconds.

    A target is reached when the best seen has its search regret or less; what is not reached within the budget counts
    as not reached (Hansen et al., COCO, 2021, without simulated restarts).

    Args:
        cells: of one benchmark.
        look, styles: how it is set.

    Returns:
        the drawing, with a row a point; None where the record names no targets, or none was reached.
    """
    import pandas as pd  # 0.5 s

    about, axis = cells[0].about["benchmark"], unit_of(cells[0])
    targets: dict[str, float] = about["landmarks"].get("targets", {})
    times = {cell.optimizer: _times(cell, targets) for cell in cells}
    reached = np.concatenate([values[np.isfinite(values)] for values in times.values()])
    if reached.size == 0:
        return None
    low, limit = float(reached.min()), float(cells[0].about["budget"]["limit"])
    at = np.geomspace(low, max(limit, 1.1 * low), GRID)
    at = np.unique(at.round()) if axis == "evaluations" else at
    shares = {label: share_reached(values, at) for label, values in times.items()}
    title = f"{about['label']}: targets reached by the best seen"
    with look.context():
        figure, grid = canvas(look, title, legend_of(list(shares), styles))
        axes = grid[0, 0]
        log_axis(axes, "x", float(at[0]), float(at[-1]))
        axes.grid(visible=True)
        axes.set(xlabel=AXES[axis], ylabel="share of seeds and targets", ylim=(0, 1.02))
        for label, share in shares.items():
            pale = {"linewidth": PALE_LINE, "zorder": 1.5} if styles[label] is PALE else {}
            axes.plot(at, share, drawstyle="steps-post", **styles[label].line(len(at)), **pale)
    named = ", ".join(name for name in targets if name != "best")
    caption = (
        f"Share of pairs of a seed and a target that the best seen has reached on {about['label']}, of "
        f"{seeds_of(cells)} and {len(targets)} targets: the best {named} of the table, and its best. "
        f"Higher and further left is better.{pale_in_words(shares, styles)}"
    )
    data = pd.concat(
        [pd.DataFrame({"optimizer": label, axis: at, "share": share}) for label, share in shares.items()],
        ignore_index=True,
    )
    return Drawing(stem(about["label"], "targets"), title, caption, figure, data, look)


def _times(cell: CellRecord, targets: Mapping[str, float]) -> Floats:
    """Of every target and seed: float [T * R], +inf where it was never reached."""
    improved = cell.improvements
    times = [
        hitting_times(cell.seeds, improved["seed"], improved[unit_of(cell)], improved["regret"] <= regret)
        for regret in targets.values()
    ]
    return np.concatenate([*times, np.zeros(0)])
