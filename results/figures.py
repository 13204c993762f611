"""Figures of what a study found on one benchmark, over the budget."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from results.anytime import EXACT, Answer, AnytimeCurve, Unit, anytime_curves, unit_of
from results.canvas import canvas, legend_of, log_axis, mark_floor
from results.drawing import DPI, Drawing, floor_of, save, seeds_of, stem
from results.look import BUILT_IN, PALE, SCREEN, Look, Style, in_colour, styles, with_pale
from results.record import BEST_SEEN, CellRecord
from results.statistics import mean_interval
from results.tables import best_in_words, reported_heading, reported_number

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

AXES: dict[Unit, str] = {"evaluations": "evaluations", "seconds": "simulated seconds"}
FEW = 8  # curves; more have fainter bands
PALE_LINE = 0.8  # width in points


def answer_in_words(cells: Sequence[CellRecord], answer: Answer) -> str:
    """What an answer is called: "best seen", or what the optimizers call their own, "mode" or "recommendation"."""
    if answer == "incumbent":
        return BEST_SEEN
    named = {cell.answer for cell in cells if not cell.recommends_incumbent}
    return named.pop() if len(named) == 1 else "recommendation"


def who_recommends_the_best_seen(cells: Sequence[CellRecord], answer: Answer) -> str:
    """A sentence for a caption, after a space; none where it tells nothing."""
    same = dict.fromkeys(cell.about["optimizer"]["name"] for cell in cells if cell.recommends_incumbent)
    return f" The best seen is what is recommended by {', '.join(same)}." if same and answer == "recommended" else ""


def pale_in_words(labels: Iterable[str], styles: Mapping[str, Style]) -> str:
    """A sentence for a caption, after a space, on the curves that have no colour; none where all have one."""
    pale = sum(styles[label] is PALE for label in labels)
    return (
        f" In colour: the best optimizers, each with its best setting; grey: {pale} more, named in the CSV."
        if pale
        else ""
    )


def anytime(
    cells: Sequence[CellRecord], answer: Answer, axis: Unit, look: Look, styles: Mapping[str, Style]
) -> Drawing | None:
    """Search regret over evaluations or simulated seconds, on logarithmic axes.

    Args:
        cells: of one benchmark.
        answer: the best seen or the optimizers' own recommendation.
        axis: evaluations or simulated seconds, whatever the unit of the budget.
        look, styles: how it is set.

    Returns:
        the drawing, with a row a point; None where nothing can be drawn, as over time where the table has none.
    """
    about = cells[0].about["benchmark"]
    curves = anytime_curves(cells, answer, axis)
    if not curves:
        return None
    words = answer_in_words(cells, answer)
    title = f"{about['label']}: {words} over {AXES[axis]}"
    floor = floor_of(np.concatenate([curve.regret for curve in curves]))
    with look.context():
        figure, grid = canvas(look, title, legend_of([curve.label for curve in curves], _known(styles)))
        _draw_anytime(grid[0, 0], curves, floor, look, styles)
        grid[0, 0].set(xlabel=AXES[axis], ylabel=f"search regret ({about['wording']['regret_unit']})")
    caption = (
        f"Search regret of the {words} on {about['label']} over {AXES[axis]}: interquartile mean of {seeds_of(cells)} "
        f"with its 95 % bootstrap interval. The search sees the {about['wording']['searched']}. Below {floor:.2g} all "
        "is drawn at the line of 0."
    )
    caption += pale_in_words([curve.label for curve in curves], _known(styles))
    caption += who_recommends_the_best_seen(cells, answer)
    if curves[-1].label == EXACT:
        caption += " Random search was not run; its curve is computed from the table."
    name = stem(about["label"], "anytime", BEST_SEEN if answer == "incumbent" else answer, axis)
    return Drawing(name, title, caption, figure, _frame(curves, axis), look)


def reported(cells: Sequence[CellRecord], answer: Answer, look: Look, styles: Mapping[str, Style]) -> Drawing | None:
    """The reported number over the budget, the mean over seeds, with the line of the architecture that is best.

    The arguments are those of :func:`anytime`.

    Returns:
        the drawing, with a row a point; None where no checkpoint has an answer of every seed.
    """
    about, axis = cells[0].about["benchmark"], unit_of(cells[0])
    curves = [curve for cell in cells if (curve := _reported_curve(cell, answer)).at.size]
    if not curves:
        return None
    words, measure = answer_in_words(cells, answer), " ".join(reported_heading(about))
    title = f"{about['label']}: {measure} of the {words}"
    best = float(reported_number(about, np.array(about["landmarks"]["best_final_loss"])))
    best_by = best_in_words(about)
    with look.context():
        figure, grid = canvas(look, title, legend_of([curve.label for curve in curves], styles))
        axes = grid[0, 0]
        _draw_curves(axes, curves, styles)
        axes.axhline(best, color="0.3", linewidth=0.7, zorder=1)
        above = 2 if about["wording"]["complement"] else -look.small - 1
        place = "axes fraction", "data"
        axes.annotate(best_by, (0, best), (3, above), place, "offset points", fontsize=look.small - 1, color="0.25")
        log_axis(axes, "x", *_ends(curves))
        axes.set(xlabel=AXES[axis], ylabel=measure, ylim=_second_half(curves, best))
        axes.grid(visible=True)
    caption = (
        f"{about['wording']['reported']} of the {words} on {about['label']} over {AXES[axis]}: mean of "
        f"{seeds_of(cells)} with its 95 % interval. Horizontal line: the architecture that is {best_by}; no honest "
        "search can be expected to be beyond it. Early values may lie outside of the frame."
        + pale_in_words([curve.label for curve in curves], styles)
        + who_recommends_the_best_seen(cells, answer)
    )
    name = stem(about["label"], "reported", BEST_SEEN if answer == "incumbent" else answer)
    return Drawing(name, title, caption[0].upper() + caption[1:], figure, _frame(curves, axis, "reported"), look)


def anytime_figure(cells: Sequence[CellRecord], path: Path) -> None:
    """Draws the search regret over the budget of all optimizers on one benchmark, as a PNG or SVG file.

    At the left the best seen, at the right the optimizers' own recommendations, where any has another. Bands are 95 %
    bootstrap intervals of the interquartile mean.

    Args:
        cells: of one benchmark.
        path: where the figure goes; its ending tells the format.
    """
    about, axis, look = cells[0].about["benchmark"], unit_of(cells[0]), SCREEN
    answers: list[Answer] = ["incumbent"]
    if not all(cell.recommends_incumbent for cell in cells):
        answers.append("recommended")
    curves = [anytime_curves(cells, answer, axis) for answer in answers]
    drawn = [curve.regret for group in curves for curve in group]
    floor = floor_of(np.concatenate(drawn) if drawn else np.zeros(0))
    ends = {curve.label: float(curve.regret[-1]) for curve in curves[0]}
    best_first = sorted((cell.optimizer for cell in cells), key=lambda label: ends.get(label, np.inf))
    of = _known(with_pale(styles(cells), in_colour(best_first)))
    labels = dict.fromkeys(curve.label for group in curves for curve in group)
    title = f"{about['label']}, {seeds_of(cells)}; {about['wording']['searched']}"
    with look.context():
        size = (3.7, 2.6) if len(answers) > 1 else (5.4, 3.0)
        handles, above = legend_of(list(labels), of), 1.4 * look.em * (len(answers) > 1)
        figure, grid = canvas(
            look, title, handles, columns=len(answers), size=size, gaps=(0.35, 0), above=above, sharey=True
        )
        for axes, answer, group in zip(grid[0], answers, curves, strict=True):
            _draw_anytime(axes, group, floor, look, of)
            axes.set(xlabel=AXES[axis])
            if len(answers) > 1:
                axes.set_title(answer_in_words(cells, answer), loc="left", y=1.0, pad=4)
        top = max((float(values.max()) for values in drawn), default=floor)
        grid[0, 0].set(
            ylabel=f"search regret ({about['wording']['regret_unit']})", ylim=(0.8 * floor, 1.3 * max(top, 2 * floor))
        )
        save(figure, path, DPI)


def _draw_anytime(
    axes: Axes, curves: Sequence[AnytimeCurve], floor: float, look: Look, styles: Mapping[str, Style]
) -> None:
    axes.grid(visible=True)
    top = max((float(curve.regret.max()) for curve in curves), default=floor)
    log_axis(axes, "y", 0.8 * floor, 1.3 * max(top, 2 * floor), floor=floor)
    if curves:
        log_axis(axes, "x", *_ends(curves))
    _draw_curves(axes, curves, _known(styles), floor)
    mark_floor(axes, floor, look)


def _draw_curves(
    axes: Axes, curves: Sequence[AnytimeCurve], styles: Mapping[str, Style], floor: float = -np.inf
) -> None:
    coloured = [curve for curve in curves if styles[curve.label] is not PALE]
    shade = 0.18 if len(coloured) <= FEW else 0.08
    for curve in curves:
        if styles[curve.label] is PALE:
            axes.plot(curve.at, np.maximum(curve.regret, floor), **PALE.line(), linewidth=PALE_LINE, zorder=1.5)
    for curve in coloured:
        style = styles[curve.label]
        low, high = np.maximum(curve.low, floor), np.maximum(curve.high, floor)
        axes.fill_between(curve.at, low, high, color=style.colour, alpha=shade, linewidth=0)
        axes.plot(curve.at, np.maximum(curve.regret, floor), **style.line(len(curve.at)))


def _reported_curve(cell: CellRecord, answer: Answer) -> AnytimeCurve:
    final = cell.columns[f"{answer}_final"]
    known = ~np.isnan(final).any(axis=0)
    mean, half = mean_interval(reported_number(cell.about["benchmark"], final[:, known]).T)
    at = cell.checkpoints[known].astype(np.float64)
    return AnytimeCurve(cell.optimizer, len(cell.seeds), at, mean, mean - half, mean + half)


def _second_half(curves: Iterable[AnytimeCurve], best: float) -> tuple[float, float]:
    """The limits of an axis that shows what the curves do in the second half of the logarithm of the budget."""
    shown = [curve.regret[curve.at >= np.sqrt(curve.at[0] * curve.at[-1])] for curve in curves]
    values = np.append(np.concatenate(shown), best)
    room = 0.08 * (values.max() - values.min()) or 0.5
    return float(values.min() - room), float(values.max() + room)


def _ends(curves: Iterable[AnytimeCurve]) -> tuple[float, float]:
    ends = [(float(curve.at[0]), float(curve.at[-1])) for curve in curves]
    low, high = min(low for low, _ in ends), max(high for _, high in ends)
    return low, max(high, 1.1 * low)


def _known(styles: Mapping[str, Style]) -> dict[str, Style]:
    return {EXACT: Style(*BUILT_IN["random_search"]), **styles}


def _frame(curves: Sequence[AnytimeCurve], axis: Unit, value: str = "regret") -> pd.DataFrame:
    import pandas as pd

    parts = [
        {"optimizer": curve.label, "seeds": curve.seeds, axis: curve.at, value: curve.regret}
        | {"low": curve.low, "high": curve.high}
        for curve in curves
    ]
    return pd.concat([pd.DataFrame(part) for part in parts], ignore_index=True)
