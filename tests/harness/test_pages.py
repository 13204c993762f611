"""Addresses of pages in the MLflow UI, and what the page of a study holds: descriptions and saved views."""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from planted_studies import exactly, plant

from harness.pages import (
    SUMMARIES,
    VIEW,
    VIEW_TAG,
    artifact,
    run_page,
    runs_page,
    study_page,
    table_key,
    table_page,
    table_tag,
)
from harness.study_page import MOST_CHARACTERS, StudyPage
from harness.study_runs import StudyRuns

NOW = 1_750_000_000_000
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=60)
LINK = re.compile(r"\]\((#[^)\s]*)\)")  # in Markdown an address ends at a bracket or a blank


def parsed(address: str) -> tuple[str, dict[str, str]]:
    """The place behind the mark of an address, and its parameters."""
    path, _, query = address.removeprefix("#").partition("?")
    values = parse_qs(query, keep_blank_values=True, strict_parsing=True)
    assert all(len(given) == 1 for given in values.values())
    return path, {name: given[0] for name, given in values.items()}


@given(where=TEXT, charts=st.booleans())
def test_an_address_holds_the_filter_that_it_was_made_from(where: str, charts: bool) -> None:
    address = runs_page("7", where, charts=charts)
    assert LINK.fullmatch(f"]({address})"), "it can stand in Markdown"
    path, parameters = parsed(address)
    assert path == "/experiments/7/runs"
    assert parameters.pop("workflowType") == "machine_learning"
    assert parameters.pop("compareRunsMode") == ("CHART" if charts else "TABLE")
    assert parameters.pop("searchFilter") == where
    assert not parameters


@given(name=TEXT.filter(bool))
def test_an_address_of_a_file_holds_its_name(name: str) -> None:
    path, _ = parsed(run_page("7", "ab12", f"artifacts/{name}"))
    assert unquote(path) == f"/experiments/7/runs/ab12/artifacts/{name}"
    address = urlsplit(artifact("ab12", name))
    assert (address.path, parse_qs(address.query)) == ("get-artifact", {"path": [name], "run_uuid": ["ab12"]})
    for written in (run_page("7", "ab12", name), artifact("ab12", name)):
        assert not re.search(r"[()\s]", written), "it can stand in Markdown"


@given(benchmark=TEXT)
def test_an_address_of_a_table_holds_the_key_of_its_view(benchmark: str) -> None:
    key = table_key(benchmark)
    assert re.fullmatch(r"nas-arena-[A-Za-z0-9_.-]*", key), "MLflow takes no other tag"
    path, parameters = parsed(table_page("7", key))
    assert path == "/experiments/7/runs"
    assert parameters == {"compareRunsMode": "TABLE", "viewStateShareKey": key, "workflowType": "machine_learning"}


def test_a_study_opens_at_its_view_or_without_one_at_the_same_rows() -> None:
    assert parsed(study_page("7"))[1] == {
        "compareRunsMode": "CHART",
        "viewStateShareKey": VIEW,
        "workflowType": "machine_learning",
    }
    assert parsed(study_page("7", saved_view=False))[1]["searchFilter"] == SUMMARIES


# the page of a study


@pytest.fixture(autouse=True)
def _undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted cells are of no space that could be drawn."""
    monkeypatch.setattr("harness.study_runs.drawer", lambda: lambda cell, index: b"<svg/>")


def decoded(view: str) -> tuple[str, int, dict[str, Any]]:
    """Name, time and state of a saved view, as the UI reads it."""
    saved = json.loads(view)
    assert set(saved) == {"name", "createdAt", "state"}
    way, _, packed = saved["state"].partition(";")
    assert way == "deflate"
    return saved["name"], saved["createdAt"], json.loads(zlib.decompress(base64.b64decode(packed, validate=True)))


def metrics_of(runs: StudyRuns) -> dict[str, set[str]]:
    """What the summaries on every benchmark log."""
    metrics: dict[str, set[str]] = {}
    for group in runs.groups.values():
        for content in (plan.make() for plan in runs.plans_of(group) if plan.kind == "summary"):
            metrics.setdefault(content.tags["benchmark"], set()).update(name for name, *_ in content.points)
    return metrics


SWEPT = {f'asng("delta_init": {step})': exactly(2.0 + step, 5) for step in (0.1, 1.0, 3.0)}
STUDIES: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = [
    ({"one-x": {"a": exactly(2.0, 5), "b": exactly(3.0, 5)}, "one-y": {"a": exactly(1.0, 5)}}, {}),
    ({"one-x": {"a": np.zeros(5), "b": np.zeros(5)}}, {}),
    ({"one-x": SWEPT, "one-y": SWEPT}, {"sweep": "delta_init"}),
    ({"one-x": SWEPT}, {"sweep": "delta_init", "modes": {"one-x": SWEPT}}),
    ({f"space-{'long' * 20}{place}": {"a": exactly(2.0, 5)} for place in range(60)}, {}),
]
CASES = ["plain", "solved", "sweep", "sweep with modes", "very many"]


@pytest.mark.parametrize(("planted", "about"), STUDIES, ids=CASES)
def test_views_are_the_rows_and_metrics_that_the_study_has(
    tmp_path: Path, planted: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    runs = StudyRuns(plant(tmp_path / "study", planted, **about))
    views = StudyPage(runs).views(NOW)
    metrics = metrics_of(runs)
    assert set(metrics) == set(planted)
    assert next(iter(views)) == VIEW_TAG
    _, at, curves = decoded(views[VIEW_TAG])
    assert (at, curves["searchFilter"]) == (NOW, SUMMARIES)
    charted = [chart["metricKey"] for chart in curves["compareRunCharts"]]
    assert len(charted) == len(set(charted)) == len(planted)
    for benchmark in planted:
        (own,) = metrics[benchmark] & set(charted)
        assert not any(own in others for other, others in metrics.items() if other != benchmark)
    sections = {section["uuid"] for section in curves["compareRunSections"]}
    shown = {section["uuid"] for section in curves["compareRunSections"] if section["display"]}
    assert len(sections) == len(curves["compareRunSections"])
    assert {chart["metricSectionId"] for chart in curves["compareRunCharts"]} == shown

    assert set(views) == {VIEW_TAG, *(table_tag(benchmark) for benchmark in planted)}
    tables = [decoded(view) for key, view in views.items() if key != VIEW_TAG]
    assert len({at, *(when for _, when, _ in tables)}) == 1 + len(tables), "the menu lists them by time"
    for benchmark, (name, _, state) in zip(planted, tables, strict=True):
        assert name == f"Table of {benchmark}"
        assert state["searchFilter"] == f"{SUMMARIES} and tags.benchmark = '{benchmark}'"
        columns = [column.removeprefix("metrics.`").removesuffix("`") for column in state["selectedColumns"]]
        assert len(columns) == len(set(columns)) >= 2
        # where fewer than half of the seeds come to the target in every cell, none has a number of evaluations to it
        assert set(columns) - {"final/evaluations_to_target"} <= metrics[benchmark]
        assert state["orderByKey"] == state["selectedColumns"][0]


@pytest.mark.parametrize(("planted", "about"), STUDIES, ids=CASES)
def test_a_description_fits_and_its_links_lead_to_what_is_there(
    tmp_path: Path, planted: Mapping[str, Any], about: Mapping[str, Any]
) -> None:
    runs = StudyRuns(plant(tmp_path / "study", planted, description="what it is " * 20, **about))
    text = StudyPage(runs).description("7", "ab12")
    assert len(text) < MOST_CHARACTERS
    assert ("what it is " * 20).strip() in text
    first, *others = (parsed(link) for link in LINK.findall(text))
    assert first == ("/experiments/7/runs/ab12/artifacts", {"workflowType": "machine_learning"})
    assert {path for path, _ in others} <= {"/experiments/7/runs"}
    keys = [parameters["viewStateShareKey"] for _, parameters in others]
    assert {f"mlflow.sharedViewState.{key}" for key in keys} <= set(StudyPage(runs).views(NOW))
    if len(planted) < 10:
        assert keys == [table_key(benchmark) for benchmark in planted]


def test_the_first_line_says_who_is_first(tmp_path: Path) -> None:
    """It is all that the page shows of a description until that is unfolded."""
    one = plant(tmp_path / "one", {"one-x": {"a": exactly(2.0, 5, 0.1), "b": exactly(1.0, 5, 0.1)}})
    line = StudyPage(StudyRuns(one)).description("7", "ab12").splitlines()[0]
    assert "**b** is first on one-x: regret 1.0" in line
    assert "after 100 evaluations" in line
    worse, better = exactly(2.0, 5), exactly(1.0, 5)
    three = {"one-x": {"a": worse, "b": better}, "one-y": {"a": worse, "b": better}, "one-z": {"a": better, "b": worse}}
    line = StudyPage(StudyRuns(plant(tmp_path / "three", three))).description("7", "ab12").splitlines()[0]
    assert line.endswith("First of 3 benchmarks: **b** on 2, **a** on 1")
    (one / "report.html").write_text("", encoding="utf-8")
    assert "/artifacts/report.html?" in StudyPage(StudyRuns(one)).description("7", "ab12").splitlines()[0]
