"""What MLflow is told of a curve of cells: one run, whose steps are the values of the setting that is swept."""

from __future__ import annotations

import numpy as np

from harness.runs import RunContent, answers, digest, of_cell, reported_of, state_of
from results.curves import Curve
from results.statistics import mean_interval
from results.tables import reported_number

STEPS_A_DECADE = 100


def curve_summary(curve: Curve) -> RunContent:
    """Mean regrets over the seeds at every value and reported budget, and the reported number at the whole budget.

    MLflow's steps are whole numbers: a step is 100 times the decimal logarithm of the value, or the value's place
    where one is not above 0. The metric named after the setting holds the values themselves.
    """
    first, positive = curve.cells[0], bool((curve.values > 0).all())
    steps = np.arange(len(curve.values))
    if positive:
        steps = np.round(STEPS_A_DECADE * np.log10(curve.values)).astype(np.int64)
    state = digest([state_of(cell) for cell in curve.cells])
    # what stays the same when values are added, so that the curve of before is then replaced
    settings = sorted((name, str(value)) for name, value in curve.settings.items())
    budget = first.about["budget"], first.about["report_at"]
    key = digest([first.about["optimizer"]["name"], settings, curve.sweep, first.benchmark, budget])
    content = of_cell(first, "summary", key, state, "")
    content.name = (
        f"{curve.label} over {curve.sweep} · {curve.benchmark.removeprefix(first.about['benchmark']['name'] + '-')}"
    )
    content.tags |= {"variant": curve.label, "sweep": curve.sweep}
    content.tags["mlflow.note.content"] = _description(curve, positive)
    content.tags["arena.cells"] = ", ".join(f"{cell.about['id']}:{state_of(cell)}" for cell in curve.cells)
    content.params[f"optimizer.{curve.sweep}"] = f"{curve.values.min():g} to {curve.values.max():g}"
    content.params["seeds"] = str(len(first.seeds))
    content.log(f"sweep/{curve.sweep}", curve.values, steps)
    for answer, column in answers(first).items():
        for budget in first.about["report_at"]:
            mean, half = mean_interval(curve.regrets(budget, column))
            name = f"regret/{answer}_at_{budget}"
            content.log(name, mean, steps)
            content.log(f"{name}_low", mean - half, steps)
            content.log(f"{name}_high", mean + half, steps)
            if np.isfinite(mean).any():  # where no value has an answer yet there is no best
                content.log(f"final/best_regret_{answer}_at_{budget}", np.nanmin(mean))
                content.log(f"final/best_{curve.sweep}_{answer}_at_{budget}", curve.values[np.nanargmin(mean)])
        final = [
            reported_number(cell.about["benchmark"], cell.columns[f"{column}_final"][:, -1]) for cell in curve.cells
        ]
        content.log(f"{reported_of(first)}/{answer}", [values.mean() for values in final], steps)
    return content


def _description(curve: Curve, positive: bool) -> str:
    steps = f"{STEPS_A_DECADE} x log10 of it, rounded" if positive else "the places of its values"
    wording = curve.cells[0].about["benchmark"]["wording"]
    return "\n\n".join(
        [
            f"**{curve.label}** on **{curve.benchmark}** over {len(curve.values)} values of **{curve.sweep}**.",
            f"The axis of every curve is {curve.sweep}: a step is {steps}; sweep/{curve.sweep} has the values.",
            f"Searched by {wording['searched']}; regrets are means over seeds in {wording['regret_unit']} with 95 % "
            "normal intervals; recommended: what the optimizer would hand over.",
        ]
    )
