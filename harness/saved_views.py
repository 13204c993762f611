"""Saved views of a study's runs: what the UI shows of them, and how.

MLflow 3.17 lists them in a menu. Their form is not documented: it was read from what the UI writes, and where it is no
longer understood the UI shows the runs in its own way.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from harness.curve_runs import axis_of
from harness.pages import SUMMARIES
from harness.runs import curve_metric, reported_of
from results.report.gather import StudyFolder

COLUMN_WIDTH = 140  # in pixels: beside the Assistant, which opens by itself, there is room for four

Json = dict[str, Any]


def saved(name: str, state: Json, at_ms: int) -> str:
    """What the tag of a view holds.

    Args:
        name: in the menu of views, which has the youngest on top.
        state: of the UI.
        at_ms: when it was made, in milliseconds since 1970.
    """
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


def curves_view(study: StudyFolder) -> Json:
    """Charts of all summaries: the regret on every benchmark, then the state of the optimizers."""
    scale = "linear" if study.sweep else "log"  # a sweep's steps are logarithms already
    return charts_view(SUMMARIES, _chart_sections(study), _folded(study), scale)


def charts_view(where: str, shown: Iterable[tuple[str, list[str]]], folded: Iterable[str], scale: str) -> Json:
    """Charts of the runs that a filter selects.

    Args:
        where: the filter.
        shown: title and metrics of every section of charts.
        folded: sections that the UI makes of other metrics, closed.
        scale: of the steps: "linear" or "log".
    """
    sections, charts = [], []
    for place, (title, metrics) in enumerate(shown):
        key = f"section-{place}"
        sections.append(
            {"uuid": key, "name": title, "display": True, "isReordered": True, "columns": 2 if len(metrics) < 3 else 3}
        )
        charts += [_chart(f"{key}-{number}", key, metric, scale) for number, metric in enumerate(metrics)]
    sections += [{"uuid": f"section-{name}", "name": name, "display": False, "isReordered": True} for name in folded]
    return {
        **_state(where, "attributes.start_time", ascending=False),
        "selectedColumns": [],
        "compareRunSections": sections,
        "compareRunCharts": charts,
        "isAccordionReordered": True,
    }


def _chart_sections(study: StudyFolder) -> Iterator[tuple[str, list[str]]]:
    """Title of every section, which tells what a step is, and its metrics."""
    if study.trials:
        problems = dict.fromkeys(f"eta_x {record.problem['eta_x']:g}" for record in study.trials)
        yield "Share of trials that have succeeded, over iterations", [f"{one}/success" for one in problems]
        return
    regrets = list(dict.fromkeys(curve_metric(cell.about["benchmark"]) for cell in study.cells))
    if study.sweep:
        values = [cell.about["optimizer"]["settings"].get(study.sweep) for cell in study.cells]
        yield f"Regret over {study.sweep} ({axis_of(values)})", regrets
        return
    unit = study.cells[0].about["budget"]["unit"]
    steps = "simulated seconds" if unit == "seconds" else unit
    yield f"Regret of the best seen, over {steps}", regrets
    states = dict.fromkeys(
        f"{cell.about['optimizer']['name'].rpartition(':')[2]}/{column.removeprefix('diagnostic.')}"
        for cell in study.cells
        for column in cell.columns
        if column.startswith("diagnostic.")
    )
    if states:
        step_sizes_first = sorted(states, key=lambda metric: not metric.endswith("/step_size"))
        yield f"State of the optimizers, over {steps}", step_sizes_first


def _folded(study: StudyFolder) -> Iterator[str]:
    """Sections that the UI makes of the other metrics: closed, as their charts have all benchmarks in one."""
    if study.trials:
        yield from ("success", "final", "iterations", "step_size")
        return
    yield from ("sweep", "regret") if study.sweep else ("regret",)
    yield from dict.fromkeys(reported_of(cell) for cell in study.cells)
    budgets = {budget for cell in study.cells for budget in cell.about["report_at"]}
    yield from (f"at_{budget}" for budget in sorted(budgets))
    yield from ("final", "time")


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


def table_view(where: str, columns: Sequence[str], *, smallest_first: bool = True) -> Json:
    """A table of the runs that a filter selects; the first of the metrics ranks it."""
    names = [f"metrics.`{metric}`" for metric in columns]
    return {
        **_state(where, names[0], ascending=smallest_first),
        "selectedColumns": names,
        "columnOrder": names,
        "columnWidths": dict.fromkeys(names, COLUMN_WIDTH),
    }


def rows_on(benchmark: str) -> str:
    """The filter for the summaries on a benchmark, of all where that is ""."""
    return f"{SUMMARIES} and tags.benchmark = '{benchmark}'" if benchmark else SUMMARIES
