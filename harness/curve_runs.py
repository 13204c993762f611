"""What MLflow is told of a curve of cells: one run, whose steps are the values of the setting that is swept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.cell_runs import Drawer, OnRecord, cell_plans
from harness.pages import table_key, table_page
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
from results.curves import Curve, curve_key, curves, is_number
from results.record import CellRecord
from results.statistics import Floats, mean_interval
from results.tables import reported_number

STEPS_A_DECADE = 100
ANSWERS = ("recommended", "best_seen")  # one and the same of an optimizer that recommends the best seen


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
    first, steps = curve.cells[0], steps_of(curve.values)
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
    content.describe = lambda experiment, run: _description(curve, experiment)
    return content


def level_plans(on_record: OnRecord, values: Sequence[Any], colour: str, draw: Drawer) -> Iterator[RunPlan]:
    """The runs that a cell beside curves should have: its regret is a level line in their chart.

    Args:
        on_record: what is there of the cell.
        values: of the swept setting, on the curves.
        colour: of the line, as #RRGGBB.
        draw: makes the drawing of an architecture.
    """
    for plan in cell_plans(on_record, colour, draw):
        yield _levelled(plan, on_record, values) if plan.kind == "summary" else plan


def _levelled(plan: RunPlan, on_record: OnRecord, values: Sequence[Any]) -> RunPlan:
    state = digest([plan.state, *values])
    return RunPlan(plan.kind, plan.key, state, lambda: level(plan.make(), on_record.cell, values))


def level(content: RunContent, cell: CellRecord, values: Sequence[Any]) -> RunContent:
    """A summary whose curve for the chart of a benchmark is level; what ranks a sweep's table is there, too.

    Args:
        content: of the summary, changed.
        cell: that it is of.
        values: of the swept setting, on the curves beside it.
    """
    metric, last = curve_metric(cell.about["benchmark"]), cell.about["report_at"][-1]
    content.points = [point for point in content.points if point[0] != metric]
    regrets = {answer: cell.at(last, f"{answers(cell).get(answer, 'incumbent')}_regret").mean() for answer in ANSWERS}
    for answer, regret in regrets.items():
        content.log(at_budget(last, answer, "best_regret"), regret)
    steps = np.unique(steps_of(np.array(sorted(values), dtype=float)))
    content.log(metric, np.full(len(steps), regrets["recommended"]), steps)
    return content


def steps_of(values: Floats) -> NDArray[np.int64]:
    """MLflow's steps of the values of a setting, which are whole numbers."""
    if not _spread(values):
        return np.arange(len(values))
    return np.round(STEPS_A_DECADE * np.log10(values)).astype(np.int64)


def axis_of(values: Sequence[Any]) -> str:
    """What a step is, in words, given the values of a setting; those that are no numbers are left out."""
    numbers = np.array([value for value in values if is_number(value)], dtype=float)
    return f"a step is {STEPS_A_DECADE} x log10 of it" if _spread(numbers) else "a step is the place of the value"


def _spread(values: Floats) -> bool:
    return bool((values > 0).all())


def _description(curve: Curve, experiment: str) -> str:
    wording = curve.cells[0].about["benchmark"]["wording"]
    return "\n\n".join(
        [
            links(experiment, {"all on this benchmark": table_page(experiment, table_key(curve.benchmark))}),
            f"**{curve.label}** on **{curve.benchmark}** over {len(curve.values)} values of **{curve.sweep}**.",
            f"The axis of every curve is {curve.sweep}: {axis_of(curve.values.tolist())}; sweep/{curve.sweep} has the "
            "values.",
            f"Searched by {wording['searched']}; regrets are means over seeds in {wording['regret_unit']} with 95 % "
            "normal intervals; recommended: what the optimizer would hand over.",
        ]
    )
