"""How the regrets of the seeds are distributed at a budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from results.anytime import Answer, unit_of
from results.canvas import canvas, log_axis, text_width
from results.drawing import Drawing, floor_of, seeds_of, stem
from results.figures import AXES, answer_in_words, who_recommends_the_best_seen
from results.look import Look, Style
from results.record import BEST_SEEN, CellRecord
from results.statistics import Floats, interquartile_mean


def final_distribution(
    cells: Sequence[CellRecord], budget: int, answer: Answer, look: Look, styles: Mapping[str, Style]
) -> Drawing:
    """How the search regrets of the seeds are distributed at a budget, a row an optimizer, the best first.

    Args:
        cells: of one benchmark.
        budget: a checkpoint of all.
        answer, look, styles: as of :func:`anytime`.

    Returns:
        the drawing, with a row an optimizer.
    """
    import pandas as pd  # 0.5 s

    about = cells[0].about["benchmark"]
    data = pd.DataFrame([_summary(cell, budget, answer) for cell in cells]).sort_values("iqm", kind="stable")
    words = answer_in_words(cells, answer)
    title = f"{about['label']}: {words} at {budget:,} {AXES[unit_of(cells[0])]}"
    numbers = data[["p5", "q1", "iqm", "median", "q3", "p95"]]
    floor = floor_of(numbers.to_numpy().ravel())
    drawn = numbers.clip(lower=floor)
    height = max(1.9 * look.small / 72 * len(data), 0.9)
    with look.context():
        left = _label_room(data["optimizer"], look)
        size = max(look.width - left - 4.5 * look.em, 13 * look.em), height
        above = 0.0 if look.titled else 0.5 * look.em  # for half of the line of headings
        figure, grid = canvas(look, title, size=size, left=left, right=4.5 * look.em, above=above)
        axes = grid[0, 0]
        log_axis(axes, "x", 0.8 * floor, 1.15 * float(np.nanmax(drawn.to_numpy(), initial=2 * floor)), floor=floor)
        rows = np.arange(len(data))
        colours = [styles[label].colour for label in data["optimizer"]]
        axes.hlines(rows, drawn["p5"], drawn["p95"], colors=colours, linewidth=0.8)
        axes.barh(rows, drawn["q3"] - drawn["q1"], 0.62, drawn["q1"], color=colours, alpha=0.35)
        axes.vlines(drawn["median"], rows - 0.31, rows + 0.31, colors=colours, linewidth=1.4)
        axes.scatter(drawn["iqm"], rows, 14, colours, marker="D", edgecolors="white", linewidths=0.5, zorder=3)
        axes.axvline(floor, color="0.55", linewidth=0.6, zorder=1)
        axes.set_yticks(rows, data["optimizer"])
        axes.tick_params(axis="y", length=0)
        axes.set_ylim(len(data) - 0.4, -1.0)
        beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "ha": "right", "fontsize": look.small}
        right = 1 + 4.0 * look.em / size[0]
        axes.text(right, -1.0, "at 0", va="center", color="0.35", **beside)
        axes.text(
            floor, -1.0, "0", va="center", ha="center", fontsize=look.small, color="0.35", backgroundcolor="white"
        )
        for row, share in zip(rows, data["share_at_0"], strict=True):
            axes.text(right, row, f"{100 * share:.0f} %", va="center", **beside)
        axes.set_xlabel(f"search regret ({about['wording']['regret_unit']})")
        axes.grid(visible=True, axis="x")
    caption = (
        f"Search regret of the {words} on {about['label']} at {budget:,} {AXES[unit_of(cells[0])]}, {seeds_of(cells)}. "
        "Box: quartiles and median; whiskers: 5th to 95th percentile; diamond: interquartile mean; at the right the "
        f"share of seeds with regret 0. Below {floor:.2g} all is drawn at the line of 0."
        + who_recommends_the_best_seen(cells, answer)
    )
    name = stem(about["label"], "final", BEST_SEEN if answer == "incumbent" else answer, f"{budget}")
    return Drawing(name, title, caption, figure, data.reset_index(drop=True), look)


def _summary(cell: CellRecord, budget: int, answer: Answer) -> dict[str, Any]:
    regret: Floats = cell.at(budget, f"{answer}_regret")
    p5, q1, median, q3, p95 = np.percentile(regret, [5, 25, 50, 75, 95]).tolist()
    numbers = {"p5": p5, "q1": q1, "median": median, "q3": q3, "p95": p95, "iqm": float(interquartile_mean(regret))}
    return {"optimizer": cell.optimizer, "seeds": len(regret), **numbers, "share_at_0": float((regret == 0).mean())}


def _label_room(labels: Iterable[str], look: Look) -> float:
    return max(text_width(label, look.fonts[0], look.small) for label in labels) + 1.2 * look.em
