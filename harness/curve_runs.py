"""What MLflow is told of a curve of cells: one run, whose steps are the values of the setting that is swept."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from harness.cell_runs import CellRuns
from harness.pages import runs_page
from harness.runs import (
    CONTENT_VERSION,
    RunContent,
    RunPlan,
    answers,
    at_budget,
    curve_metric,
    digest,
    links,
    of_cell,
    reported_of,
    short_benchmark,
)
from results.curves import Curve, curve_key, curves
from results.files import read_json
from results.record import CELL_FILE
from results.statistics import mean_interval
from results.tables import reported_number

STEPS_A_DECADE = 100


class CurveRuns:
    """The run that a curve of cells should have.

    Args:
        folders: of the cells, which differ in the setting ``sweep`` alone.
        seeds: those that each of them gets.
        colour: of the curve, as #RRGGBB.
    """

    def __init__(self, folders: Sequence[Path], seeds: Sequence[Sequence[int]], sweep: str, colour: str) -> None:
        self._sweep, self._colour = sweep, colour
        self._cells = [CellRuns(folder, own, colour) for folder, own in zip(folders, seeds, strict=True)]
        about = read_json(folders[0] / CELL_FILE)
        # what stays the same when values are added, so that the curve of before is then replaced
        self._key = digest([curve_key(about, (sweep,)), sweep, about["budget"], about["report_at"]])

    def plans(self) -> Iterator[RunPlan]:
        """None where no seed of any cell is on record."""
        cells = [runs for runs in self._cells if any(True for _ in runs.plans())]
        if cells:
            state = digest([CONTENT_VERSION, *(runs.state for runs in cells)])
            yield RunPlan("summary", self._key, state, lambda: self._make(cells))

    def _make(self, cells: Sequence[CellRuns]) -> RunContent:
        (curve,) = curves([runs.cell for runs in cells], self._sweep)
        return curve_summary(curve, self._colour)


def curve_summary(curve: Curve, colour: str) -> RunContent:
    """Mean regrets over the seeds at every value and reported budget, and the reported number at the whole budget.

    MLflow's steps are whole numbers: a step is 100 times the decimal logarithm of the value, or the value's place
    where one is not above 0. The metric named after the setting holds the values themselves.
    """
    first, positive = curve.cells[0], bool((curve.values > 0).all())
    steps = np.arange(len(curve.values))
    if positive:
        steps = np.round(STEPS_A_DECADE * np.log10(curve.values)).astype(np.int64)
    content = of_cell(first)
    content.name = f"{curve.label} over {curve.sweep} · {short_benchmark(first.about['benchmark'])}"
    content.tags |= {"variant": curve.label, "sweep": curve.sweep, "mlflow.runColor": colour}
    content.tags["arena.cell"] = ", ".join(cell.about["id"] for cell in curve.cells)
    content.params[f"optimizer.{curve.sweep}"] = f"{curve.values.min():g} to {curve.values.max():g}"
    content.params["seeds"] = str(len(first.seeds))
    content.seconds = sum(made["wall_seconds"] for cell in curve.cells for made in cell.made)
    content.log(f"sweep/{curve.sweep}", curve.values, steps)
    for answer, column in answers(first).items():
        for budget in first.about["report_at"]:
            mean, half = mean_interval(curve.regrets(budget, column))
            name = f"regret/{answer}_at_{budget}"
            content.log(name, mean, steps)
            content.log(f"{name}_low", mean - half, steps)
            content.log(f"{name}_high", mean + half, steps)
            if np.isfinite(mean).any():  # where no value has an answer yet there is no best
                content.log(at_budget(budget, answer, "best_regret"), np.nanmin(mean))
                content.log(at_budget(budget, answer, f"best_{curve.sweep}"), curve.values[np.nanargmin(mean)])
        final = [
            reported_number(cell.about["benchmark"], cell.columns[f"{column}_final"][:, -1]) for cell in curve.cells
        ]
        content.log(f"{reported_of(first)}/{answer}", [values.mean() for values in final], steps)
    last = first.about["report_at"][-1]
    mean, _ = mean_interval(curve.regrets(last, curve.answers[0]))
    content.log(curve_metric(first.about["benchmark"]), mean, steps)
    content.describe = lambda experiment, run: _description(curve, positive, experiment)
    return content


def _description(curve: Curve, positive: bool, experiment: str) -> str:
    steps = f"{STEPS_A_DECADE} x log10 of it, rounded" if positive else "the places of its values"
    wording = curve.cells[0].about["benchmark"]["wording"]
    same = f"tags.kind = 'summary' and tags.benchmark = '{curve.benchmark}'"
    return "\n\n".join(
        [
            f"**{curve.label}** on **{curve.benchmark}** over {len(curve.values)} values of **{curve.sweep}**.",
            links(experiment, all_on_this_benchmark=runs_page(experiment, same)),
            f"The axis of every curve is {curve.sweep}: a step is {steps}; sweep/{curve.sweep} has the values.",
            f"Searched by {wording['searched']}; regrets are means over seeds in {wording['regret_unit']} with 95 % "
            "normal intervals; recommended: what the optimizer would hand over.",
        ]
    )
