"""What the page of a study shows before anything is opened: its description, and views of its runs."""

from __future__ import annotations

import base64
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from harness.pages import SUMMARIES, VIEW_TAG, run_page, runs_page
from harness.runs import at_budget, curve_metric, final, reported_of
from harness.study_runs import REPORT, StudyRuns
from results.record import CellRecord
from results.report.gather import StudyFolder
from results.report.render import blocks_as_markdown
from results.report.summary_section import find, summary_section
from results.report.words import after, decimals_of, times
from results.statistics import interquartile_mean
from results.tables import Ranking, evaluations_to_target, rank

MOST_CHARACTERS = 5_000  # of a description; the database of an older server holds no more
MOST_VIEWS = 20  # of a benchmark each
HEADLINE = 4  # optimizers that it names
MOST_IN_WORDS = 10  # cells on a benchmark
COLUMN_WIDTH = 170  # in pixels

Json = dict[str, Any]


class StudyPage:
    """The page of a study.

    Args:
        runs: of the study, of which something is finished.
    """

    def __init__(self, runs: StudyRuns) -> None:
        self._runs, self._study = runs, runs.study
        groups: dict[str, list[CellRecord]] = {}
        for cell in self._study.cells:
            groups.setdefault(cell.benchmark, []).append(cell)
        self._rankings = {label: rank(cells) for label, cells in groups.items()}

    def description(self, experiment: str, report: str) -> str:
        """What was found, in words. The page shows the first line alone until it is unfolded.

        Args:
            experiment: its id.
            report: the id of the run with the report.
        """
        tab = f"artifacts/{REPORT}" if self._runs.page else "artifacts"
        first = [f"[report]({run_page(experiment, report, tab)})"]
        if not self._study.sweep and self._rankings:
            first.append(_headline(self._rankings))
        paragraphs = [" · ".join(first), *self._in_words(), self._runs.description]
        tables = [
            f"[{label}]({runs_page(experiment, _where(label), self._columns(label)[0])})" for label in self._rankings
        ]
        paragraphs += [f"Tables: {' · '.join(tables)}"] if tables else []
        kept: list[str] = []
        for paragraph in filter(None, paragraphs):
            if sum(map(len, kept)) + len(paragraph) < MOST_CHARACTERS - 100:
                kept.append(paragraph)
        return "\n\n".join(kept)

    def _in_words(self) -> list[str]:
        """What the report says, where that is soon found out: a pair of cells takes 30 ms."""
        if max((len(of.cells) for of in self._rankings.values()), default=0) > MOST_IN_WORDS:
            return []
        found = find([self._study])
        return list(blocks_as_markdown(summary_section([self._study], found).blocks)) if found.best_seen else []

    def views(self, now_ms: int) -> dict[str, str]:
        """Saved views of the runs, as tags of the experiment: the curves of all benchmarks, and a table for each.

        MLflow 3.17 lists them in a menu. Their form is not documented: it was read from what the UI writes, and where
        it is no longer understood the UI shows the runs in its own way.
        """
        tags = {VIEW_TAG: _saved("Curves of all benchmarks", _curves(self._study), now_ms)}
        for place, label in enumerate(list(self._rankings)[:MOST_VIEWS], 1):
            state = _table(_where(label), self._columns(label))
            tags[f"{VIEW_TAG}-{place}"] = _saved(f"Table of {label}", state, now_ms - place)
        return tags

    def _columns(self, label: str) -> list[str]:
        """The metrics of a benchmark's table, the one that ranks it first."""
        ranking = self._rankings[label]
        last = ranking.budgets[-1]
        if self._study.sweep:
            recommending = any(not cell.recommends_incumbent for cell in ranking.cells)
            answers = ("recommended", "best_seen") if recommending else ("best_seen",)
            names = ("best_regret", f"best_{self._study.sweep}")
            return [at_budget(last, answer, name) for answer in answers for name in names]
        columns = ["final/evaluations_to_target"]
        for budget, solved in zip(ranking.budgets, ranking.solved, strict=True):
            columns.append(at_budget(budget, "best_seen", "regret"))
            columns += [at_budget(budget, "best_seen", "share_at_best")] if solved else []
        columns.append(final("best_seen", reported_of(ranking.cells[0])))
        if ranking.ranked_at:
            first = at_budget(ranking.ranked_at, "best_seen", "regret")
            columns = [first, *(column for column in columns if column != first)]
        return columns


def _headline(rankings: Mapping[str, Ranking]) -> str:
    """Who is first on how many benchmarks; on a single one how far and how fast."""
    if len(rankings) > 1:
        counts = Counter(ranking.cells[0].optimizer for ranking in rankings.values())
        first = ", ".join(f"**{optimizer}** on {count}" for optimizer, count in counts.most_common(HEADLINE))
        return f"First of {len(rankings)} benchmarks: {first}"
    ((label, ranking),) = rankings.items()
    best, at = ranking.cells[0], ranking.ranked_at or ranking.budgets[-1]
    regret = float(interquartile_mean(best.at(at, "incumbent_regret")))
    to_target = float(np.percentile(evaluations_to_target(best), 50, method="higher"))
    return (
        f"**{best.optimizer}** is first on {label}: regret {regret:.{decimals_of(best.about['benchmark'])}f} after "
        f"{after(at, best.about['budget']['unit'])}, at the target after {times(to_target)} evaluations"
    )


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


def _table(where: str, columns: Sequence[str]) -> Json:
    names = [f"metrics.`{metric}`" for metric in columns]
    return {
        **_state(where, names[0], ascending=True),
        "selectedColumns": names,
        "columnOrder": names,
        "columnWidths": dict.fromkeys(names, COLUMN_WIDTH),
    }


def _where(label: str) -> str:
    return f"{SUMMARIES} and tags.benchmark = '{label}'"
