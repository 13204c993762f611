"""A heat map of regret over two settings of an optimizer."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from results.curves import SPANS_FROM, in_digits, is_number, label_of
from results.drawing import TITLE, Drawing, floor_of, panels, title_at_left
from results.record import BEST_SEEN, CellRecord
from results.statistics import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import LogNorm

# in inches
VALUE = (0.46, 0.32)  # width and height of a value
NARROWEST = 2.3  # a panel, so that its title fits
ABREAST = 10  # values across, up to which two grids stand side by side
GAPS, MARGINS = (0.15, 0.8), (0.6, 0.95, 0.7, 0.75)  # between panels and around them


@dataclass(frozen=True)
class Grid:
    """Mean regrets of one optimizer over two settings, its others fixed.

    Attributes:
        label: the optimizer, with the other settings that are not the defaults.
        answers: what an answer is called, by its column in a record.
        x, y: the values, ascending.
        regrets: float [Y, X] an answer, the mean over seeds and then over benchmarks; NaN where a value is missing.
        unit: of the regrets.
        benchmarks: their labels.
    """

    label: str
    answers: dict[str, str]
    x: Floats
    y: Floats
    regrets: dict[str, Floats]
    unit: str
    benchmarks: tuple[str, ...]


def grids(cells: Iterable[CellRecord], x: str, y: str, budget: int) -> list[Grid]:
    """The grids of a study over two numeric settings.

    A value that was tried with a single value of the other setting is left out, since it compares nothing, and so is a
    grid of two by two. Over several benchmarks regrets are normalised: divided by that of the table's median
    architecture.

    Args:
        cells: of a study.
        x, y: the names of the settings.
        budget: one at which the study reports.
    """
    both = [cell for cell in cells if all(is_number(_setting(cell, name)) for name in (x, y))]
    groups: dict[str, list[CellRecord]] = {}
    for cell in both:
        groups.setdefault(label_of(cell, (x, y)), []).append(cell)
    crossed = {label: kept for label, group in groups.items() if (kept := _crossed(group, x, y))}
    found = [_grid(label, group, x, y, budget) for label, group in crossed.items()]
    return [grid for grid in found if max(len(grid.x), len(grid.y)) >= SPANS_FROM]


def heat_map(found: Sequence[Grid], x: str, y: str, budget: str, name: str) -> Drawing:
    """Grids of regrets, a row each, a column an answer; wide ones all below each other.

    Args:
        found: at least one.
        x, y: the names of the settings.
        budget: what the title says of it, such as "1,000 evaluations".
        name: of the drawing.

    Returns:
        the drawing, with a row a pair of values and answer.
    """
    import pandas as pd
    from matplotlib.colors import LogNorm

    regrets = np.concatenate([values.ravel() for grid in found for values in grid.regrets.values()])
    floor = floor_of(regrets)
    scale = LogNorm(floor, max(float(np.nanmax(regrets, initial=0.0)), 2 * floor))
    widest = max(len(grid.x) for grid in found)
    columns = 1 if widest > ABREAST else max(len(grid.answers) for grid in found)
    lines = [
        (grid, tuple(grid.answers)[first : first + columns])
        for grid in found
        for first in range(0, len(grid.answers), columns)
    ]
    heights = [len(grid.y) for grid, _ in lines]
    size = max(VALUE[0] * widest, NARROWEST), VALUE[1] * sum(heights) / len(heights)
    _, right, bottom, top = MARGINS
    figure, rows = panels(len(lines), columns, size, GAPS, MARGINS, height_ratios=heights)
    for (grid, answers), row in zip(lines, rows, strict=True):
        for axes in row[len(answers) :]:
            axes.set_axis_off()
        for axes, answer in zip(row, answers, strict=False):
            _draw(axes, grid.regrets[answer], floor, scale)
            axes.set_xticks(range(len(grid.x)), [in_digits(value) for value in grid.x], fontsize=7, rotation=45)
            axes.set_yticks(range(len(grid.y)), [in_digits(value) for value in grid.y] if axes is row[0] else [])
            axes.tick_params(axis="y", labelsize=7)
            axes.set_title(f"{grid.label}: {grid.answers[answer]}", y=TITLE, fontsize=8)
        row[0].set_ylabel(y, fontsize=8)
    for axes in rows[-1]:
        axes.set_xlabel(x, fontsize=8)
    width, height = figure.get_size_inches()
    bar = figure.add_axes((1 - (right - 0.15) / width, bottom / height, 0.15 / width, 1 - (bottom + top) / height))
    figure.colorbar(rows[0][0].images[0], cax=bar).set_label(found[0].unit, fontsize=8)
    bar.tick_params(labelsize=7)
    names = ", ".join(found[0].benchmarks) if len(found[0].benchmarks) == 1 else f"{len(found[0].benchmarks)} tables"
    title_at_left(figure, f"Mean search regret at {budget}\n{names}")
    caption = (
        f"Mean search regret at {budget} over {x} and {y}, in {found[0].unit}, on {', '.join(found[0].benchmarks)}."
    )
    data = pd.DataFrame([row for grid in found for row in _numbers(grid, x, y)])
    return Drawing(name, f"Regret over {x} and {y}", caption, figure, data)


def _numbers(grid: Grid, x: str, y: str) -> Iterator[dict[str, Any]]:
    for answer, named in grid.answers.items():
        for (line, place), value in np.ndenumerate(grid.regrets[answer]):
            yield {"optimizer": grid.label, "answer": named, x: grid.x[place], y: grid.y[line], "regret": value}


def _draw(axes: Axes, regrets: Floats, floor: float, scale: LogNorm) -> None:
    drawn = np.maximum(regrets, floor)
    axes.imshow(drawn, norm=scale, cmap="viridis_r", origin="lower", aspect="auto")
    dark = scale(drawn) > 0.5
    for (line, place), value in np.ndenumerate(regrets):
        if not np.isnan(value):
            colour = "white" if dark[line, place] else "black"
            axes.text(place, line, f"{value:.2g}", ha="center", va="center", fontsize=6.5, color=colour)


def _setting(cell: CellRecord, name: str) -> Any:
    return cell.about["optimizer"]["settings"].get(name)


def _crossed(cells: list[CellRecord], x: str, y: str) -> list[CellRecord]:
    """The cells whose values of both settings were tried with two or more of the other; none where that is no grid."""
    while True:
        partners: dict[tuple[str, Any], set[Any]] = {}
        for cell in cells:
            partners.setdefault((x, _setting(cell, x)), set()).add(_setting(cell, y))
            partners.setdefault((y, _setting(cell, y)), set()).add(_setting(cell, x))
        kept = [cell for cell in cells if all(len(partners[name, _setting(cell, name)]) > 1 for name in (x, y))]
        if len(kept) == len(cells):
            return kept
        cells = kept


def _grid(label: str, cells: list[CellRecord], x: str, y: str, budget: int) -> Grid:
    first = cells[0]
    benchmarks = tuple(dict.fromkeys(cell.benchmark for cell in cells))
    answers = {} if first.recommends_incumbent else {"recommended": first.answer}
    answers["incumbent"] = BEST_SEEN
    xs, ys = (np.unique([_setting(cell, name) for cell in cells]).astype(np.float64) for name in (x, y))
    regrets = {answer: np.full((len(benchmarks), len(ys), len(xs)), np.nan) for answer in answers}
    for cell in cells:
        place = np.searchsorted(ys, _setting(cell, y)), np.searchsorted(xs, _setting(cell, x))
        landmark = cell.about["benchmark"]["landmarks"]["median_regret"] if len(benchmarks) > 1 else 1.0
        for answer in answers:
            mean = cell.at(budget, f"{answer}_regret").mean()
            regrets[answer][(benchmarks.index(cell.benchmark), *place)] = mean / landmark
    return Grid(
        label=label,
        answers=answers,
        x=xs,
        y=ys,
        regrets={answer: values.mean(axis=0) for answer, values in regrets.items()},
        unit="normalised search regret" if len(benchmarks) > 1 else first.about["benchmark"]["wording"]["regret_unit"],
        benchmarks=benchmarks,
    )
