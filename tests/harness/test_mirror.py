"""The mirror in MLflow: idempotent, and never in the way."""

from __future__ import annotations

import math
import socket
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run, ViewType

from harness.run import StudyRun, run
from harness.store import create_sqlite, serve
from harness.study import Study
from search_spaces.errors import ArenaError


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


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new store; making one takes seconds, so that tests copy it."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    create_sqlite(path, lambda uri: MlflowClient(tracking_uri=uri).search_experiments())
    return path


@pytest.fixture
def arena(tmp_path: Path, empty_store: Path) -> Path:
    (tmp_path / "mlflow.db").write_bytes(empty_store.read_bytes())
    return tmp_path / "arena"


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


def test_no_metric_is_infinite(arena: Path) -> None:
    """No seed reaches the target in five evaluations: its time to it is infinite, and therefore not logged."""
    mirror(arena, budget=5, report_at=[])
    for one in runs_of(arena):
        assert all(math.isfinite(value) and abs(value) < 1e300 for value in one.data.metrics.values())
    assert "final/evaluations_to_target" not in runs_of(arena, "summary")[0].data.metrics


def test_what_is_up_to_date_is_left_alone(arena: Path) -> None:
    mirror(arena)
    before = {run.info.run_id for run in runs_of(arena, view=ViewType.ALL)}
    mirror(arena)
    assert {run.info.run_id for run in runs_of(arena, view=ViewType.ALL)} == before


def test_more_seeds_make_a_new_summary_in_place_of_the_old(arena: Path) -> None:
    mirror(arena)
    mirror(arena, seeds=30)
    assert [run.data.params["seeds"] for run in runs_of(arena, "summary")] == ["30", "30"]
    assert len(runs_of(arena, "report")) == 1


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


def test_a_run_deleted_by_hand_comes_back(arena: Path) -> None:
    mirror(arena)
    client_of(arena).delete_run(runs_of(arena, "summary")[0].info.run_id)
    assert len(runs_of(arena, "summary")) == 1
    mirror(arena)
    assert len(runs_of(arena, "summary")) == 2


def test_an_experiment_deleted_by_hand_is_restored(arena: Path) -> None:
    mirror(arena)
    client_of(arena).delete_experiment(runs_of(arena)[0].info.experiment_id)
    mirror(arena)
    assert len(runs_of(arena, "summary")) == 2


def test_a_run_that_was_never_finished_is_replaced(arena: Path) -> None:
    """As a kill between creating and finishing a run leaves it."""
    mirror(arena)
    client, summary = client_of(arena), runs_of(arena, "summary")[0]
    keys = ("kind", "arena.owner", "arena.key", "arena.state")
    half = client.create_run(summary.info.experiment_id, tags={key: summary.data.tags[key] for key in keys})
    client.delete_run(summary.info.run_id)
    mirror(arena)
    active = runs_of(arena, "summary")
    assert {run.info.status for run in active} == {"FINISHED"}
    assert len(active) == 2
    assert half.info.run_id not in {run.info.run_id for run in active}


def test_two_folders_that_share_a_store_leave_each_other_alone(
    arena: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror(arena)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{arena.parent / 'mlflow.db'}")
    mirror(tmp_path / "another", seeds=30)
    mirror(arena)
    assert sorted(run.data.params["seeds"] for run in runs_of(arena, "summary")) == ["25", "25", "30", "30"]


def test_without_tracking_there_is_no_store(tmp_path: Path) -> None:
    result = run(study(), arena=tmp_path / "arena", jobs=1, tracking=False)
    assert result.store == ""
    assert [path.name for path in tmp_path.iterdir()] == ["arena"]


def test_a_dead_server_costs_a_warning_and_the_mirror_catches_up(arena: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{port}")
    began = time.monotonic()
    result = run(study(), arena=arena, jobs=1)
    assert time.monotonic() - began < 60  # MLflow's own default waits four minutes a call
    assert len(result.cells) == 2
    assert str(port) in result.mirror_problem
    assert "the next run of the study catches up" in result.mirror_problem
    assert "\n" not in result.mirror_problem
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    mirror(arena)
    assert len(runs_of(arena, "summary")) == 2


def test_a_store_that_is_none_costs_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlflow.db").write_text("not a database", encoding="utf-8")
    result = run(study(), arena=tmp_path / "arena", jobs=1)
    assert "mlflow.db is behind" in result.mirror_problem
    assert len(result.cells) == 2


def test_the_ui_needs_a_store(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ArenaError, match="run a study first"):
        serve(tmp_path / "arena", "127.0.0.1", 5000)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://mlflow.example:5000")
    serve(tmp_path / "arena", "127.0.0.1", 5000)
    assert "http://mlflow.example:5000" in capsys.readouterr().out
