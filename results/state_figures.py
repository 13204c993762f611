"""Figures of how the state of an optimizer develops."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from results.anytime import unit_of
from results.canvas import canvas, legend_of, log_axis
from results.drawing import COLOURS, Drawing, seeds_of, stem
from results.figures import AXES, PALE_LINE, pale_in_words
from results.look import PALE, Look, Style
from results.record import CellRecord
from results.statistics import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

# columns of a record: heading, whether the axis is logarithmic
TRACES = {
    "diagnostic.step_size": ("step size delta", True),
    "diagnostic.signal_to_noise": ("signal to noise |s|²/γ", True),
    "diagnostic.entropy": ("entropy (nats)", False),
}
QUARTILES = (25, 50, 75)
NARROWEST = 0.65  # inches: what the numbers below a panel need
SHORTEST = 0.12  # share of a panel's height: what is lower has no label beside it


def diagnostic(cells: Sequence[CellRecord], column: str, look: Look, styles: Mapping[str, Style]) -> Drawing | None:
    """One diagnostic over the budget: the median over seeds, with a band between the quartiles.

    Args:
        cells: of one benchmark.
        column: one of ``TRACES``.
        look, styles: how it is set.

    Returns:
        the drawing, with a row a point; None where no cell has it.
    """
    import pandas as pd  # 0.5 s

    having = [cell for cell in cells if column in cell.columns]
    traces = {cell.optimizer: trace_of(cell, column) for cell in having}
    traces = {label: trace for label, trace in traces.items() if trace.shape[1]}
    if not traces:
        return None
    (heading, logarithmic), about, axis = TRACES[column], cells[0].about["benchmark"], unit_of(cells[0])
    title = f"{about['label']}: {heading}"
    alphas = _alphas(having) if column == "diagnostic.signal_to_noise" else []
    every = np.concatenate([trace[1:].ravel() for trace in traces.values()] + [np.array(alphas)])
    with look.context():
        figure, grid = canvas(look, title, legend_of(list(traces), styles))
        axes = grid[0, 0]
        if logarithmic and (positive := every[every > 0]).size:
            log_axis(axes, "y", 0.8 * float(positive.min()), 1.25 * float(positive.max()))
        ends = np.concatenate([trace[0] for trace in traces.values()])
        log_axis(axes, "x", float(ends.min()), max(float(ends.max()), 1.1 * float(ends.min())))
        axes.grid(visible=True)
        axes.set(xlabel=AXES[axis], ylabel=heading)
        for label, (at, low, median, high) in traces.items():
            if styles[label] is PALE:
                axes.plot(at, median, **PALE.line(), linewidth=PALE_LINE, zorder=1.5)
                continue
            axes.fill_between(at, low, high, color=styles[label].colour, alpha=0.15, linewidth=0)
            axes.plot(at, median, **styles[label].line(len(at)))
        for alpha in alphas:
            axes.axhline(alpha, color="0.3", linewidth=0.8, linestyle=":")
            place = "axes fraction", "data"
            axes.annotate(f"alpha {alpha:g}", (0, alpha), (3, 2), place, "offset points", fontsize=look.small - 1)
    caption = (
        f"{heading[0].upper() + heading[1:]} on {about['label']} over {AXES[axis]}: median of {seeds_of(having)}, "
        f"band between the quartiles.{pale_in_words(traces, styles)}"
    )
    if alphas:
        caption += " The step size grows while the signal to noise is above alpha, the dotted line."
    names = (axis, "q1", "median", "q3")
    data = pd.concat(
        [pd.DataFrame({"optimizer": label} | dict(zip(names, trace, strict=True))) for label, trace in traces.items()],
        ignore_index=True,
    )
    name = stem(about["label"], column.partition(".")[2].replace("_", "-"))
    return Drawing(name, title, caption, figure, data, look)


def distribution_path(cell: CellRecord, look: Look) -> Drawing | None:
    """The probabilities of every variable's values over the budget, the mean over seeds, stacked: a panel a variable.

    Returns:
        the drawing, with a row a checkpoint, variable and value; None for an optimizer without a distribution.
    """
    import pandas as pd
    from matplotlib.patches import Patch

    if cell.distribution is None:
        return None
    about, axis = cell.about["benchmark"], unit_of(cell)
    variables = about["space"]["variables"]
    choices = [_choices(variable) for variable in variables]
    known = ~np.isnan(cell.distribution).any(axis=(1, 2))
    at, paths = cell.checkpoints[known].astype(np.float64), cell.distribution[known]
    if len(at) < 2:
        return None
    shared = all(names == choices[0] for names in choices)
    title = f"{cell.optimizer} on {about['label']}: probabilities"
    with look.context():
        keys = [
            Patch(color=colour, label=name) for colour, name in zip(_colours(variables[0]), choices[0], strict=True)
        ]
        beside = 0.35 if shared else 0.75
        left, right = 3.0 * look.em, 1.2 * look.em if shared else beside - 0.1
        widths = [(look.width - left - right - (many - 1) * beside) / many for many in (1, 2, 3)]
        columns = min(sum(width >= NARROWEST for width in widths), len(variables))
        rows, width = -(-len(variables) // columns), widths[columns - 1]
        figure, grid = canvas(
            look,
            title,
            keys if shared else (),
            rows=rows,
            columns=columns,
            size=(width, 0.8),
            gaps=(beside, 0.36),
            left=left,
            right=right,
            above=1.2 * look.em,
        )
        for axes in grid.flat[len(variables) :]:
            axes.set_axis_off()
        for place, (axes, variable, names) in enumerate(zip(grid.flat, variables, choices, strict=False)):
            colours = _colours(variable)
            values = paths[:, place, : len(names)]
            axes.stackplot(at, values.T, colors=colours, edgecolor="white", linewidth=0.3)
            log_axis(axes, "x", float(at[0]), float(at[-1]), most=3)
            _few_ticks(axes, at, inner=place % columns > 0, above=place + columns < len(variables))
            axes.set_title(variable["name"].replace("->", "→"), y=1.0, pad=3, fontsize=look.small)
            if not shared:
                _label_last(axes, values[-1], names, colours, look)
        figure.supxlabel(
            AXES[axis],
            x=(left + (look.width - right)) / 2 / look.width,
            y=_below(figure, grid, look),
            va="top",
            fontsize=look.text,
        )
    caption = (
        f"Distribution of {cell.optimizer} on {about['label']} over {AXES[axis]}: probability of every value of every "
        f"variable, the first at the bottom; mean of {seeds_of([cell])}. One colour at the right edge: a decision that "
        "all seeds share."
    )
    data = pd.DataFrame(
        [
            (int(checkpoint), variable["name"], name, float(paths[row, place, value]))
            for row, checkpoint in enumerate(at)
            for place, variable in enumerate(variables)
            for value, name in enumerate(choices[place])
        ],
        columns=[axis, "variable", "value", "probability"],
    )
    return Drawing(stem(about["label"], cell.optimizer, "distribution"), title, caption, figure, data, look)


def trace_of(cell: CellRecord, column: str) -> Floats:
    """Checkpoints and quartiles: float [4, G]."""
    values = cell.columns[column]
    known = ~np.isnan(values).any(axis=0)
    quartiles = np.percentile(values[:, known], QUARTILES, axis=0)
    return np.vstack([cell.checkpoints[known].astype(np.float64), quartiles])


def _alphas(cells: Sequence[CellRecord]) -> list[float]:
    settings = [cell.about["optimizer"]["settings"] for cell in cells]
    return sorted({float(of["alpha"]) for of in settings if "alpha" in of})


def _choices(variable: Mapping[str, Any]) -> list[str]:
    if "choices" in variable:
        return list(variable["choices"])
    return [f"{value:g}" for value in variable["values"]]


def _colours(variable: Mapping[str, Any]) -> list[Any]:
    """Names have colours that differ, numbers a scale from dark to light."""
    from matplotlib import colormaps

    many = len(_choices(variable))
    if "choices" in variable and many <= len(COLOURS) + 1:
        return [*COLOURS, "#999999"][:many]
    return [colormaps["viridis"](share) for share in np.linspace(0.05, 0.95, many)]


def _few_ticks(axes: Axes, at: Floats, *, inner: bool, above: bool) -> None:
    axes.set(ylim=(0, 1), xlim=(at[0], at[-1]), yticks=[0, 0.5, 1])
    axes.set_yticklabels([] if inner else ["0", "0.5", "1"])
    axes.tick_params(length=2, pad=2, labelbottom=not above)


def _label_last(axes: Axes, last: Floats, names: Sequence[str], colours: Sequence[Any], look: Look) -> None:
    """Beside a panel, the names of the values that are probable at the end, at their height."""
    middles = np.cumsum(last) - last / 2
    for name, share, middle, colour in zip(names, last, middles, colours, strict=True):
        if share >= SHORTEST:
            axes.text(
                1.04, middle, name, transform=axes.transAxes, va="center", fontsize=look.small - 1, color=_dark(colour)
            )


def _dark(colour: Any) -> tuple[float, ...]:
    """The colour, dark enough for text on white."""
    from matplotlib.colors import to_rgb

    return tuple(0.7 * part for part in to_rgb(colour))


def _below(figure: Any, grid: Any, look: Look) -> float:
    """Where the label of all x axes is, as a share of the figure's height."""
    return float(grid[-1, 0].get_position().y0 - 1.9 * look.em / figure.get_figheight())
