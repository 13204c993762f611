"""The section of a report on a study that sweeps over a setting."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from results.ablation import Comparison, compare
from results.ablation_report import ablation_drawings
from results.ablation_table import number, width, window
from results.curves import in_digits
from results.drawing import stem
from results.report.document import Block, Column, Fold, Paragraph, Picture, Pictures, Section, Table
from results.report.gather import StudyFolder
from results.report.words import after
from results.robustness import TRIES, Robustness, robustness


def sweep_section(study: StudyFolder) -> Section:
    """Windows of good values, what tuning gains, and figures over the setting."""
    sweep = study.sweep
    comparisons = compare(study.cells, sweep)
    drawings = list(ablation_drawings(study.cells, comparisons, sweep))
    blocks: list[Block] = [
        Paragraph(
            f"The sweep varies `{sweep}`. Width: of the longest run of neighbouring values that are good, with a 95 % "
            "bootstrap interval; ≥ where it reaches an end of what was tried. Good: a mean regret within the stated "
            "tolerance of the best of all rules and values in the same table. Best, worst and best of k, the expected "
            "regret of the best of k values drawn at random from the window, are chosen by one half of the seeds and "
            "judged by the other."
        ),
        Pictures(tuple(Picture(drawing, wide=True) for drawing in drawings)),
    ]
    for comparison in comparisons:
        title = f"{comparison.benchmark}{f', {comparison.held}' if comparison.held else ''}"
        blocks.append(Fold(title, tuple(_tables(study.name, comparison)), open=len(comparisons) == 1))
    return Section(f"The sweep of `{study.name}`", tuple(blocks), f"sweep-{study.name}")


def _tables(study: str, comparison: Comparison) -> Iterator[Block]:
    results = [
        result
        for budget in comparison.budgets
        for answer in ("recommended", "incumbent")
        for result in robustness(comparison, budget, answer)
    ]
    unit = comparison.about["wording"]["regret_unit"]
    yield Paragraph(
        f"Searched: {comparison.about['wording']['searched']}. Good: within {number(comparison.tolerance)} {unit} of "
        f"the best ({comparison.tolerance_is}). {_baselines(comparison)}"
    )
    yield _table(study, comparison, results)


def _table(study: str, comparison: Comparison, results: Sequence[Robustness]) -> Table:
    import pandas as pd

    def column(heading: str, texts: Iterator[str], keys: Iterator[float] | None = None) -> Column:
        return Column(heading, tuple(texts), None if keys is None else tuple(keys), numeric=keys is not None)

    curves = comparison.curves
    columns = [
        column("rule", (f"`{result.rule}`" for result in results)),
        column("values tried", (window(curves[result.rule]) for result in results)),
        column(
            "budget",
            (after(result.budget, comparison.unit) for result in results),
            (result.budget for result in results),
        ),
        column("answer", (curves[result.rule].named(result.answer) for result in results)),
        column(
            "width" + (", decades" if comparison.in_decades else ""),
            (width(result) if curves[result.rule].spans else "-" for result in results),
            (result.width for result in results),
        ),
        column("best value", (in_digits(result.best_step) for result in results), (r.best_step for r in results)),
    ]
    for heading in ("best", "median", "worst"):
        values = [getattr(result, heading) for result in results]
        columns.append(column(heading, map(number, values), iter(values)))
    for k in TRIES:
        values = [result.best_of.get(k, float("nan")) for result in results]
        columns.append(column(f"best of {k}", map(number, values), iter(values)))
    frame = pd.DataFrame(
        {
            "rule": result.rule,
            "budget": result.budget,
            "answer": curves[result.rule].named(result.answer),
            "bar": result.bar,
            "good_from": result.good[0] if result.good else None,
            "good_to": result.good[1] if result.good else None,
            "width": result.width,
            "width_low": result.interval[0],
            "width_high": result.interval[1],
            "touches_an_end": result.touches,
            "best_value": result.best_step,
            "best": result.best,
            "median": result.median,
            "worst": result.worst,
            **{f"best_of_{k}": value for k, value in result.best_of.items()},
        }
        for result in results
    )
    label = f"{comparison.benchmark} {comparison.held}".strip()
    title = f"Regrets over the values, `{label}`, {comparison.seeds} seeds"
    return Table(f"{stem(study)}-{stem(label)}-sweep", title, tuple(columns), frame)


def _baselines(comparison: Comparison) -> str:
    told = []
    for cell in comparison.baselines:
        at = ", ".join(
            f"{number(float(cell.at(budget, 'recommended_regret').mean()))} after {after(budget, comparison.unit)}"
            for budget in comparison.budgets
        )
        told.append(f"For comparison `{cell.optimizer}` ({cell.answer}): {at}.")
    return " ".join(told)
