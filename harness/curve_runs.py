"""What MLflow is told of a curve of cells: one run, whose steps are the values of the setting that is swept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.cell_runs import OnRecord
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
from results.statistics import mean_interval
from results.tables import reported_number

STEPS_A_DECADE = 100


def curve_plans(cells: Sequence[OnRecord], about: Mapping[str, Any], sweep: str, colour: str) -> Iterator[RunPlan]:
    """The run that a curve of cells should have: none where no seed of any cell is on record.

    Args:
        cells: what is on record of them; they differ in the setting ``sweep`` alone.
        about: the content of ``cell.json`` of one of them.
        sweep: the setting.
        colour: of the curve, as #RRGGBB.
    """
    there = [one for one in cells if one.seeds]
    if there:
        # what stays the same when values are added, so that the curve of before is then replaced
        key = digest([curve_key(about, (sweep,)), sweep, about["budget"], about["report_at"]])
        state = digest([CONTENT_VERSION, colour, *((one.id, one.seeds) for one in there)])
        yield RunPlan("summary", key, state, lambda: _content(there, sweep, colour))


def _content(cells: Sequence[OnRecord], sweep: str, colour: str) -> RunContent:
    (curve,) = curves([one.cell for one in cells], sweep)
    return curve_summary(curve, colour)


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
