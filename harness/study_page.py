"""What the page of a study shows before anything is opened: its description, and views of its runs."""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.pages import SUMMARIES, VIEW_TAG, run_page, runs_page
from harness.runs import at_budget, curve_metric, final, reported_of
from harness.study_runs import REPORT, StudyRuns
from results.report.gather import StudyFolder
from results.report.render import blocks_as_markdown
from results.report.summary_section import Found, find, summary_section
from results.report.words import decimals_of, estimate, times

MOST_CHARACTERS = 5_000  # of a description; the database of an older server holds no more
MOST_VIEWS = 20  # of a benchmark each
HEADLINE = 4  # optimizers that it names

Json = dict[str, Any]


def description(runs: StudyRuns, experiment: str, report: str) -> str:
    """What was found, in words. The page shows the first line alone until it is unfolded.

    Args:
        runs: of the study.
        experiment: its id.
        report: the id of the run with the report.
    """
    study = runs.study
    tab = f"artifacts/{REPORT}" if (runs.folder / REPORT).exists() else "artifacts"
    paragraphs = [f"[report]({run_page(experiment, report, tab)})"]
    if study.cells:
        found = find([study])
        paragraphs[0] += f" · {_headline(found)}" if found.best_seen else ""
        paragraphs += blocks_as_markdown(summary_section([study], found).blocks)
    tables = [
        f"[{label}]({runs_page(experiment, *_selection(study, label))})"
        for label in dict.fromkeys(cell.benchmark for cell in study.cells)
    ]
    paragraphs += [f"Tables: {' · '.join(tables)}"] if tables else []
    paragraphs += [runs.description] if runs.description else []
    kept: list[str] = []
    for paragraph in paragraphs:
        if sum(map(len, kept)) + len(paragraph) < MOST_CHARACTERS - 100:
            kept.append(paragraph)
    return "\n\n".join(kept)


def _headline(found: Found) -> str:
    """Who is first on how many benchmarks, and how fast: what fits into one line."""
    if len(found.best_seen) == 1:
        ((label, one),) = found.best_seen.items()
        row = next(row for row in one.table.rows if row.optimizer == one.first.optimizer)
        regret = estimate(row.regrets[-1], decimals_of(one.table.about))
        return (
            f"**{one.first.optimizer}** is first on {label}: regret {regret} after {one.table.budgets[-1]:,} "
            f"{one.table.unit}, at the target after {times(row.target)} evaluations"
        )
    counts = Counter(one.first.optimizer for one in found.best_seen.values())
    first = ", ".join(f"**{optimizer}** on {count}" for optimizer, count in counts.most_common(HEADLINE))
    return f"First of {len(found.best_seen)} benchmarks: {first}"


def views(runs: StudyRuns, now_ms: int) -> dict[str, str]:
    """Saved views of the runs, as tags of the experiment: the curves of all benchmarks, and a table for each.

    MLflow 3.17 lists them in its menu "Views". Their form is not documented: it was read from what the UI writes, and
    where it is no longer understood the UI shows the runs in its own way.
    """
    study = runs.study
    tags = {VIEW_TAG: _saved("Curves of all benchmarks", _curves(study), now_ms)}
    labels = list(dict.fromkeys(cell.benchmark for cell in study.cells))
    for place, label in enumerate(labels[:MOST_VIEWS]):
        tags[f"{VIEW_TAG}-{place + 1}"] = _saved(f"Table of {label}", _table(study, label), now_ms - 1 - place)
    return tags


def _saved(name: str, state: Json, at_ms: int) -> str:
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode(), 9)).decode()
    return json.dumps({"name": name, "createdAt": at_ms, "state": f"deflate;{packed}"})


def _state(where: str, order: str, ascending: bool) -> Json:
    """What all views have: which rows, and that all of them are drawn."""
    return {
        "searchFilter": where,
        "orderByKey": order,
        "orderByAsc": ascending,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "runsHiddenMode": "SHOW_ALL",
        "hideEmptyCharts": True,
        "useGroupedValuesInCharts": False,
        "groupBy": None,
    }


def _curves(study: StudyFolder) -> Json:
    sections, charts = [], []
    for place, (title, metrics) in enumerate(_chart_sections(study)):
        key = f"section-{place}"
        sections.append(
            {"uuid": key, "name": title, "display": True, "isReordered": True, "columns": 2 if len(metrics) < 3 else 3}
        )
        scale = "linear" if study.sweep else "log"  # a sweep's steps are logarithms already
        charts += [_chart(f"{key}-{number}", key, metric, scale) for number, metric in enumerate(metrics)]
    return {
        **_state(SUMMARIES, "attributes.start_time", ascending=False),
        "selectedColumns": [],
        "compareRunSections": sections,
        "compareRunCharts": charts,
        "isAccordionReordered": True,
    }


def _chart_sections(study: StudyFolder) -> Iterator[tuple[str, list[str]]]:
    if study.trials:
        problems = dict.fromkeys(f"eta_x {record.problem['eta_x']:g}" for record in study.trials)
        yield "Share of trials that have succeeded", [f"{problem}/success" for problem in problems]
        return
    title = f"Regret over {study.sweep}" if study.sweep else "Regret of the best seen"
    yield title, list(dict.fromkeys(curve_metric(cell.about["benchmark"]) for cell in study.cells))
    if not study.sweep:
        states = dict.fromkeys(
            f"{cell.about['optimizer']['name'].rpartition(':')[2]}/{column.removeprefix('diagnostic.')}"
            for cell in study.cells
            for column in cell.columns
            if column.startswith("diagnostic.")
        )
        if states:
            yield "State of the optimizers", sorted(states, key=lambda metric: not metric.endswith("/step_size"))


def _chart(key: str, section: str, metric: str, x_scale: str) -> Json:
    return {
        "uuid": key,
        "type": "LINE",
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "metricSectionId": section,
        "deleted": False,
        "isGenerated": False,
        "runsCountToCompare": 100,
        "lineSmoothness": 0,
        "xAxisKey": "step",
        "xAxisScaleType": x_scale,
        "scaleType": "linear",
        "selectedXAxisMetricKey": "",
        "range": {},
        "useGlobalXaxisKey": True,
        "useGlobalLineSmoothing": True,
    }


def _table(study: StudyFolder, label: str) -> Json:
    where, best = _selection(study, label)
    columns = [f"metrics.`{metric}`" for metric in _columns(study, label)]
    return {
        **_state(where, f"metrics.`{best}`", ascending=True),
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": dict.fromkeys(columns, 210),
    }


def _selection(study: StudyFolder, label: str) -> tuple[str, str]:
    """The filter and the order of a benchmark's table: best first, by the first of its columns."""
    return f"{SUMMARIES} and tags.benchmark = '{label}'", _columns(study, label)[0]


def _columns(study: StudyFolder, label: str) -> Sequence[str]:
    """The metrics of a benchmark's table, the one that sorts it first."""
    cells = [cell for cell in study.cells if cell.benchmark == label]
    first = cells[0]
    budgets = sorted(set.intersection(*(set(cell.about["report_at"]) for cell in cells)), reverse=True)
    if study.sweep:
        return list(_sweep_columns(first.about["report_at"][-1], study.sweep))
    return [
        *(at_budget(budget, "best_seen", "regret") for budget in budgets),
        final("best_seen", reported_of(first)),
        "final/evaluations_to_target",
        "final/target_success",
    ]


def _sweep_columns(budget: int, sweep: str) -> Iterable[str]:
    for answer in ("recommended", "best_seen"):
        yield at_budget(budget, answer, "best_regret")
        yield at_budget(budget, answer, f"best_{sweep}")
