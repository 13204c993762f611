"""Figures of one-shot searches over their epochs: what they would hand over, the shared weights, their state."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from results.architecture import values_at
from results.canvas import canvas, legend_of, log_axis
from results.drawing import Drawing, stem
from results.look import Look, Style
from results.oneshot_comparison import operations_of
from results.oneshot_record import OneShotCell, OneShotRun
from results.statistics import Floats
from results.tables import best_in_words, reported_heading

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

FEW = 5  # seeds of a cell; of more, single ones are not drawn beside their mean
# columns of a record: heading, whether the axis is logarithmic
STATES = {"step_size": ("step size delta", True), "entropy": ("entropy (nats)", False)}

Curves = Mapping[str, Floats]  # [seeds, epochs] by label, NaN where there is no number


def over_epochs(cells: Sequence[OneShotCell], prefix: str, look: Look, styles: Mapping[str, Style]) -> list[Drawing]:
    """All figures over epochs that there are numbers for.

    Args:
        cells: on one supernet and one set of images; those that searched nothing are left out.
        prefix: of the drawings' names.
        look, styles: how they are set.
    """
    searches = [cell for cell in cells if cell.is_search]
    if not searches:
        return []
    made = [
        table_accuracy(searches, prefix, look, styles),
        shared_accuracy(searches, prefix, look, styles),
        operations(searches, prefix, look, styles),
        *(state(searches, column, prefix, look, styles) for column in STATES),
    ]
    return [drawing for drawing in made if drawing is not None]


def table_accuracy(
    cells: Sequence[OneShotCell], prefix: str, look: Look, styles: Mapping[str, Style]
) -> Drawing | None:
    """The table's number of the recommendation after every epoch; None where no table knows the architectures."""
    about, curves = cells[0].about["table"], curves_of(cells, "true_reported")
    if about is None or not curves:
        return None
    measure = " ".join(reported_heading(about))
    title = f"Recommendation over epochs: {measure} in {about['label']}"
    lines = {best_in_words(about): about["best_reported"], "median of the table": about["median_reported"]}
    with look.context():
        figure, grid = canvas(look, title, legend_of(list(curves), styles))
        axes = grid[0, 0]
        _draw(axes, curves, styles)
        _mark(axes, lines, look)
        axes.set(xlabel="epoch", ylabel=measure)
    other = "" if about["same_images"] else " The table is of other images than were searched on."
    caption = (
        f"{about['wording']['reported']} in {about['label']} of the architecture that each optimizer would hand over "
        f"after every epoch: {_mean_in_words(curves)}. What counts is the last epoch, never the best; the search does "
        f"not see these numbers. Horizontal lines: {' and '.join(lines)}.{other}"
    )
    data = _frame(cells, curves, measure)
    return Drawing(stem(prefix, "table"), title, caption[0].upper() + caption[1:], figure, data, look)


def shared_accuracy(
    cells: Sequence[OneShotCell], prefix: str, look: Look, styles: Mapping[str, Style]
) -> Drawing | None:
    """The accuracy of the recommendation with shared weights after every epoch; None where it was not looked at."""
    curves = curves_of(cells, "shared_accuracy")
    if not curves:
        return None
    title, classes = "Recommendation over epochs: accuracy with shared weights", cells[0].about["images"]["classes"]
    with look.context():
        figure, grid = canvas(look, title, legend_of(list(curves), styles))
        _draw(grid[0, 0], curves, styles)
        _mark(grid[0, 0], {"chance": 100 / classes}, look)
        grid[0, 0].set(xlabel="epoch", ylabel="validation accuracy (%)")
    caption = (
        "Accuracy with the weights of the supernet, on a fixed part of the validation images, of the architecture that "
        f"each optimizer would hand over after every epoch: {_mean_in_words(curves)}."
    )
    return Drawing(stem(prefix, "shared"), title, caption, figure, _frame(cells, curves, "shared_accuracy"), look)


def operations(cells: Sequence[OneShotCell], prefix: str, look: Look, styles: Mapping[str, Style]) -> Drawing | None:
    """How often the recommendation has convolutions and skip connections; None for a space that has neither."""
    import pandas as pd  # 0.5 s

    names = operations_of(cells)
    if not names:
        return None
    by_name = {name: _curves(cells, _counted(name)) for name in names}
    most = len(cells[0].about["supernet"]["space"]["variables"])
    title = "Recommendation over epochs: operations"
    with look.context():
        width = (look.width - 5.5 * look.em - (len(names) - 1) * 0.15) / len(names)
        figure, grid = canvas(
            look,
            title,
            legend_of([cell.label for cell in cells], styles),
            columns=len(names),
            size=(width, 0.7 * look.height),
            left=3.7 * look.em,
            above=1.3 * look.em,
            sharey=True,
        )
        for axes, (name, curves) in zip(grid[0], by_name.items(), strict=True):
            _draw(axes, curves, styles)
            axes.set_title(name, y=1.0, pad=3, fontsize=look.small)
            axes.set(xlabel="epoch", ylim=(-0.03 * most, 1.03 * most))
        grid[0, 0].set_ylabel(f"of {most} choices")
    some = next(iter(by_name.values()))
    caption = (
        f"How many of the {most} choices of the architecture that each optimizer would hand over are "
        f"{', '.join(names)}, after every epoch: {_mean_in_words(some)}."
    )
    frames = [_frame(cells, curves, "count").assign(operation=name) for name, curves in by_name.items()]
    return Drawing(stem(prefix, "operations"), title, caption, figure, pd.concat(frames, ignore_index=True), look)


def state(
    cells: Sequence[OneShotCell], column: str, prefix: str, look: Look, styles: Mapping[str, Style]
) -> Drawing | None:
    """One of ``STATES`` after every epoch; None where no optimizer has it."""
    heading, logarithmic = STATES[column]
    curves = curves_of(cells, column)
    if not curves:
        return None
    title = f"{heading[0].upper()}{heading[1:]} over epochs"
    with look.context():
        figure, grid = canvas(look, title, legend_of(list(curves), styles))
        _draw(grid[0, 0], curves, styles)
        every = np.concatenate([curve[~np.isnan(curve)] for curve in curves.values()])
        if logarithmic and (every > 0).all():
            log_axis(grid[0, 0], "y", 0.8 * float(every.min()), 1.25 * float(every.max()))
        grid[0, 0].set(xlabel="epoch", ylabel=heading)
    caption = f"{heading[0].upper()}{heading[1:]} of the optimizers that have one, after every epoch: "
    caption += f"{_mean_in_words(curves)}."
    return Drawing(stem(prefix, column.replace("_", "-")), title, caption, figure, _frame(cells, curves, column), look)


def curves_of(cells: Sequence[OneShotCell], column: str) -> dict[str, Floats]:
    """A column of every search that has it: [seeds, epochs] by label."""

    def read(cell: OneShotCell, run: OneShotRun) -> Floats:
        values: Floats = run.epochs.get(column, np.full(len(run.epochs["epoch"]), np.nan)).astype(np.float64)
        return values

    return _curves(cells, read)


def _curves(cells: Sequence[OneShotCell], read: Callable[[OneShotCell, OneShotRun], Floats]) -> dict[str, Floats]:
    curves = {cell.label: np.stack([read(cell, run) for run in cell.runs]) for cell in cells if cell.runs}
    return {label: values for label, values in curves.items() if not np.isnan(values).all()}


def _counted(operation: str) -> Callable[[OneShotCell, OneShotRun], Floats]:
    """Reads how often the recommendation of every epoch has an operation."""

    def read(cell: OneShotCell, run: OneShotRun) -> Floats:
        chosen = values_at(cell.about["supernet"]["space"], run.epochs["recommended"].astype(np.int64))
        counts: Floats = (chosen == operation).sum(axis=-1).astype(np.float64)
        return counts

    return read


def _draw(axes: Axes, curves: Curves, styles: Mapping[str, Style]) -> None:
    from matplotlib.ticker import MaxNLocator

    for label, values in curves.items():
        at, style = np.arange(1, values.shape[1] + 1), styles[label]
        if 1 < len(values) <= FEW:
            axes.plot(at, values.T, color=style.colour, linewidth=0.6, alpha=0.45)
        axes.plot(at, values.mean(axis=0), **style.line(len(at)))
    axes.grid(visible=True)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))


def _mark(axes: Axes, lines: Mapping[str, float], look: Look) -> None:
    """Horizontal lines with their names: that of the highest above it, of others below, where they are closer."""
    for name, at in lines.items():
        axes.axhline(at, color="0.3", linewidth=0.7, zorder=1)
        above = at == max(lines.values())
        axes.annotate(
            name,
            (0, at),
            (3, 2 if above else -2),
            ("axes fraction", "data"),
            "offset points",
            va="bottom" if above else "top",
            fontsize=look.small - 1,
            color="0.25",
        )


def _mean_in_words(curves: Curves) -> str:
    counts = sorted({len(values) for values in curves.values()})
    seeds = f"{' or '.join(map(str, counts))} seed{'' if counts == [1] else 's'}"
    thin = ", thin lines single seeds" if any(1 < count <= FEW for count in counts) else ""
    return f"mean of {seeds}{thin}"


def _frame(cells: Sequence[OneShotCell], curves: Curves, name: str) -> pd.DataFrame:
    """A row a seed and epoch; the mean is in no row."""
    import pandas as pd

    frames = []
    for cell in cells:
        if cell.label in curves:
            values, seeds = curves[cell.label], [run.seed for run in cell.runs]
            epochs = values.shape[1]
            columns = {"optimizer": cell.label, "seed": np.repeat(seeds, epochs)}
            columns |= {"epoch": np.tile(np.arange(1, epochs + 1), len(seeds)), name: values.ravel()}
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)
