"""What the mirror in MLflow says. ``test_mirror_faults.py`` tells what becomes of it when something goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from harness.run import StudyRun, run
from harness.study import Study


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "mirrored",
        "optimizers": ["asng", "random_search"],
        "benchmarks": ["nasbench201(reported=validation)"],
        "seeds": 25,
        "budget": 60,
        "report_at": [20],
    }
    return Study(**(values | changes))


def mirror(arena: Path, **changes: Any) -> StudyRun:
    result = run(study(**changes), arena=arena, jobs=1)
    assert result.mirror_problem == ""
    return result


def client_of(arena: Path) -> MlflowClient:
    return MlflowClient(tracking_uri=f"sqlite:///{arena.parent / 'mlflow.db'}")


def runs_of(arena: Path, kind: str = "", view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    client = client_of(arena)
    experiment = client.get_experiment_by_name("mirrored")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], run_view_type=view)
    return [run for run in found if kind in ("", run.data.tags["kind"])]


def test_a_summary_says_what_the_record_says(arena: Path) -> None:
    result = mirror(arena)
    summaries = {run.data.tags["variant"]: run for run in runs_of(arena, "summary")}
    assert set(summaries) == {"asng", "random_search"}
    for cell in result.cells:
        summary = summaries[cell.optimizer]
        metrics, params, tags = summary.data.metrics, summary.data.params, summary.data.tags
        ordered = np.sort(cell.at(20, "incumbent_regret"))
        assert metrics["final/regret_best_seen_at_20"] == pytest.approx(ordered[6:-6].mean())
        assert metrics["final/validation_best_seen"] == pytest.approx(100 - cell.at(60, "incumbent_final").mean())
        history = client_of(arena).get_metric_history(summary.info.run_id, "regret/best_seen")
        assert len({point.step for point in history}) == len(history) <= 30
        assert {20, 60} <= {point.step for point in history}
        assert params["seeds"] == "25"
        assert (tags["space"], tags["dataset"], tags["study"]) == ("nasbench201", "cifar10", "mirrored")
        assert "25 seeds" in tags["mlflow.note.content"]
    asng, random = summaries["asng"].data, summaries["random_search"].data
    assert asng.params["optimizer.lam"] == "2"
    assert {"asng/step_size", "asng/entropy", "regret/recommended"} <= set(asng.metrics)
    assert "regret/recommended" not in random.metrics, "it recommends the best seen"
    (report,) = runs_of(arena, "report")
    files = {file.path for file in client_of(arena).list_artifacts(report.info.run_id)}
    assert files == {"tables.txt", *(figure.name for figure in result.figures)}
    assert runs_of(arena)[0].info.run_id == report.info.run_id, "the report is on top of the list"


def test_cells_of_few_seeds_have_a_run_a_seed(arena: Path) -> None:
    result = mirror(arena, seeds=3)
    trials = [run for run in runs_of(arena, "trial") if run.data.tags["variant"] == "asng"]
    assert sorted(run.data.tags["seed"] for run in trials) == ["0", "1", "2"]
    (cell,) = (cell for cell in result.cells if cell.optimizer == "asng")
    for trial in trials:
        row = int(trial.data.tags["seed"])
        assert trial.data.metrics["final/regret_best_seen"] == cell.at(60, "incumbent_regret")[row]
    mirror(arena, seeds=4)
    assert len(runs_of(arena, "trial")) == 8


def test_two_folders_that_share_a_store_leave_each_other_alone(
    arena: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror(arena)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{arena.parent / 'mlflow.db'}")
    mirror(tmp_path / "another", seeds=30)
    mirror(arena)
    assert sorted(run.data.params["seeds"] for run in runs_of(arena, "summary")) == ["25", "25", "30", "30"]


def test_a_store_that_is_none_costs_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlflow.db").write_text("not a database", encoding="utf-8")
    result = run(study(), arena=tmp_path / "arena", jobs=1)
    assert "mlflow.db is behind" in result.mirror_problem
    assert len(result.cells) == 2
