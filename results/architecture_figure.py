"""A drawing of the architecture that was found most often."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from results.anytime import Answer
from results.architecture import names_of, values_at
from results.canvas import canvas
from results.drawing import Drawing, stem, svg_of
from results.figures import answer_in_words
from results.look import BLUE, GREEN, ORANGE, PINK, SKY, VERMILLION, Look
from results.record import BEST_SEEN, CellRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ABSENT = "none"  # the choice of an edge that is not there
IN_A_ROW = 3  # boxes of a chain
NODE = 15  # diameter in points


def found_architecture(cell: CellRecord, answer: Answer, look: Look) -> Drawing | None:
    """The most frequent final answer over seeds: a graph where the benchmark has edges, else a chain of boxes.

    Args:
        cell: whose record has the table index of every answer.
        answer: the best seen or the recommendation. Of equally frequent ones the lowest index is drawn.
        look: how it is set.

    Returns:
        the drawing, with a row a variable; None where no seed has an answer.
    """
    most = most_found(cell, answer)
    if most is None:
        return None
    (best, count, distinct), seeds = most, len(cell.seeds)
    about = cell.about["benchmark"]
    words = answer_in_words([cell], answer)
    title = f"{cell.optimizer} on {about['label']}: {words} found most often"
    regret = float(cell.columns[f"{answer}_regret"][cell.columns[answer][:, -1] == best, -1][0])
    caption = (
        f"Most frequent final {words} of {cell.optimizer} on {about['label']}: of {count:,} of {seeds:,} seeds "
        f"({100 * count / seeds:.0f} %), among {distinct:,} that differ. Number {best:,} of the table; search "
        f"regret {regret:.3g} {about['wording']['regret_unit']}."
    )
    name = stem(about["label"], cell.optimizer, "found", BEST_SEEN if answer == "incumbent" else answer)
    return architecture_drawing(about, best, name, title, caption, look, seeds=count, share=count / seeds)


def architecture_drawing(
    about: Mapping[str, Any], index: int, name: str, title: str, caption: str, look: Look, **numbers: float
) -> Drawing:
    """One architecture of a space: a graph where its variables are edges, else a chain of boxes.

    Args:
        about: with "space", and "edges" where there are some.
        index: of the architecture in its space.
        name, title, caption: of the drawing; what is chosen is added to the caption.
        look: how it is set.
        **numbers: columns beside the index.

    Returns:
        the drawing, with a row a variable.
    """
    import pandas as pd  # 0.5 s

    names, chosen = _variables(about), values_at(about["space"], index).tolist()
    told = ", ".join(f"{name.replace('->', '→')}: {value}" for name, value in zip(names, chosen, strict=True))
    data = pd.DataFrame({"variable": names, "value": chosen, "index": index} | numbers)
    return Drawing(name, title, f"{caption} {told}.", _figure(about, index, title, look), data, look)


def most_found(cell: CellRecord, answer: Answer) -> tuple[int, int, int] | None:
    """The most frequent final answer over seeds; None where no seed has one.

    Returns:
        its index in the table, the lowest of equally frequent ones; how many seeds have it; how many different ones
        there are.
    """
    found = cell.columns[answer][:, -1]
    indices, counts = np.unique(found[found >= 0], return_counts=True)
    return (int(indices[counts.argmax()]), int(counts.max()), indices.size) if indices.size else None


def architecture_svg(about: Mapping[str, Any], index: int, look: Look) -> bytes:
    """One architecture of a benchmark, as an SVG file.

    Args:
        about: the part of ``cell.json`` on the benchmark.
        index: of the architecture in its table.
        look: how it is set.
    """
    title = f"{about['label']}: number {index:,} of the table"
    return svg_of(_figure(about, index, title, look), title, look)


def _figure(about: Mapping[str, Any], index: int, title: str, look: Look) -> Figure:
    edges, chosen = about.get("edges"), values_at(about["space"], index).tolist()
    with look.context():
        if edges:
            return _graph(title, edges, chosen, _colours(names_of(about["space"])), look)
        return _chain(title, _variables(about), chosen, look)


def _variables(about: Mapping[str, Any]) -> list[str]:
    return [variable["name"] for variable in about["space"]["variables"]]


def _colours(values: Sequence[Sequence[str]]) -> dict[str, str]:
    """Of every choice; the same for any architecture of the space."""
    palette = (SKY, GREEN, VERMILLION, BLUE, ORANGE, PINK)
    names = [name for name in dict.fromkeys(name for names in values for name in names) if name != ABSENT]
    return {name: palette[place % len(palette)] for place, name in enumerate(names)} | {ABSENT: "0.8"}


def _graph(
    title: str, edges: Sequence[tuple[int, int]], chosen: Sequence[str], colours: Mapping[str, str], look: Look
) -> Figure:
    """Nodes on a line, an arrow an edge: to the next node straight, else over or under the line."""
    nodes = sorted({node for edge in edges for node in edge})
    last = len(nodes) - 1
    margin = 0.5 * look.em
    spans = [(nodes.index(source), nodes.index(target)) for source, target in edges]
    peaks = [_bend(*ends) * (ends[1] - ends[0]) / 2 for ends in spans]  # an arc rises to half of its control point
    unit = (look.width - 2 * margin) / (last + 0.5)  # inches between nodes
    room = 2.2 * look.small / 72 / unit
    low, high = min(*peaks, 0) - room, max(*peaks, 0) + room
    size = (look.width - 2 * margin, unit * (high - low))  # as many inches a unit across as up
    figure, grid = canvas(look, title, size=size, left=margin, right=margin, bottom=margin)
    axes = grid[0, 0]
    axes.set(xlim=(-0.25, last + 0.25), ylim=(low, high))
    axes.set_axis_off()
    for ends, peak, choice in zip(spans, peaks, chosen, strict=True):
        _edge(axes, ends, peak, choice, colours[choice], look)
    axes.scatter(range(last + 1), [0] * (last + 1), NODE**2, "white", edgecolors="0.2", linewidths=0.9, zorder=4)
    for place, node in enumerate(nodes):
        text = "in" if place == 0 else "out" if place == last else str(node)
        axes.text(place, 0, text, ha="center", va="center_baseline", fontsize=look.small - 0.5, zorder=5)
    return figure


def _bend(start: int, end: int) -> float:
    """Of an edge, positive upwards: two over two nodes go to either side, the longest above all."""
    span = end - start
    if span == 1:
        return 0.0
    return 0.62 if span > 2 else -0.5 if start % 2 else 0.5


def _edge(axes: Axes, ends: tuple[int, int], peak: float, choice: str, colour: str, look: Look) -> None:
    from matplotlib.patches import FancyArrowPatch

    start, end = ends
    absent = choice == ABSENT
    arrow = FancyArrowPatch(
        (start, 0),
        (end, 0),
        connectionstyle=f"arc3,rad={-_bend(start, end)}",
        arrowstyle="-" if absent else "-|>,head_length=5,head_width=2.5",
        color=colour,
        linewidth=0.9 if absent else look.line,
        linestyle=":" if absent else "-",
        mutation_scale=1,
        shrinkA=NODE / 2,
        shrinkB=NODE / 2 + 1,
    )
    axes.add_patch(arrow)
    beside = (0, -3 if peak < 0 else 3)
    axes.annotate(
        choice,
        ((start + end) / 2, peak),
        beside,
        "data",
        "offset points",
        ha="center",
        va="top" if peak < 0 else "bottom",
        fontsize=look.small - (1 if peak == 0 else 0.5),
        color="0.6" if absent else "0.1",
        zorder=3,
    )


def _chain(title: str, names: Sequence[str], chosen: Sequence[str], look: Look) -> Figure:
    """A box a variable, its name above and its value in it, row by row."""
    from matplotlib.patches import FancyBboxPatch

    rows = -(-len(names) // IN_A_ROW)
    margin, line = 0.8 * look.em, 3.9 * look.small / 72
    size = (look.width - 2 * margin, rows * line)
    figure, grid = canvas(look, title, size=size, left=margin, right=margin, bottom=margin)
    axes = grid[0, 0]
    across = size[0] / IN_A_ROW
    axes.set(xlim=(0, size[0]), ylim=(rows * line, 0))
    axes.set_axis_off()
    for place, (name, value) in enumerate(zip(names, chosen, strict=True)):
        row, column = divmod(place, IN_A_ROW)
        x, y = column * across + 0.05 * across, row * line + 0.42 * line
        width, height = 0.8 * across, 0.44 * line
        box = FancyBboxPatch(
            (x, y), width, height, "round,pad=0,rounding_size=0.05", facecolor="#EAF3FA", edgecolor=BLUE
        )
        box.set_linewidth(0.8)
        axes.add_patch(box)
        axes.text(x + width / 2, y + height / 2, value, ha="center", va="center", fontsize=look.small)
        axes.text(x, y - 0.08 * line, name, va="bottom", fontsize=look.small - 1, color="0.35")
        if column < IN_A_ROW - 1 and place < len(names) - 1:
            axes.plot([x + width, x + across], [y + height / 2] * 2, color="0.6", linewidth=0.8, zorder=0)
    return figure
