"""What goes wrong around the mirror: no server, hands in the store, a cell that fails.

``test_mirror.py`` tells what the mirror says when all is well, ``test_mirror_dies.py`` what becomes of one that dies
anywhere, and ``test_store_faults.py`` what a store can do to it.
"""

from __future__ import annotations

import socket
import sqlite3
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from mlflow.entities import Metric, ViewType
from stored_runs import assert_mirrored, client_of, content_of, ids_of, place, runs_of

from harness.cli import main
from nas_arena import Study, StudyRun, read_study, run

NAME = "faults"
BENCHMARK = "nasbench201(reported=validation)"


@pytest.fixture
def dead_server() -> Iterator[str]:
    """The address of a server where nobody listens, kept so that nobody else will."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": NAME,
        "optimizers": ["asng", "random_search"],
        "benchmarks": [BENCHMARK],
        "seeds": 25,
        "budget": 40,
    }
    return Study(**(values | changes))


def mirrored(arena: Path, **changes: Any) -> StudyRun:
    result = run(study(**changes), arena=arena, jobs=1)
    assert result.mirror_problem == ""
    return result


def shards_of(arena: Path) -> dict[Path, tuple[int, bytes]]:
    return {path: held for path, held in content_of(arena).items() if path.suffix == ".parquet"}


# the server


def keep_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undoes afterwards what the command does to its process."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)


def command(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["compare", "--name", NAME, "-b", BENCHMARK, "-o", "asng", "--seeds", "25", "--budget", "40", *arguments])
    return int(ended.value.code or 0)


def test_a_dead_server_costs_one_line_and_a_later_run_mirrors_it_all(
    arena: Path, dead_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_process(monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", dead_server)
    began = time.monotonic()
    assert command("-j", "1") == 0
    assert time.monotonic() - began < 60  # MLflow's own default waits four minutes a call
    shown = capsys.readouterr()
    assert shown.err.startswith(f"nas-arena: warning: MLflow at {dead_server} is behind: ")
    assert shown.err.count("\n") == 1
    assert "MLflow  " not in shown.out, "it names no store to look at"
    (cell,) = read_study(arena / NAME)
    assert len(cell.seeds) == 25
    before = shards_of(arena)

    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    assert command("-j", "1") == 0
    shown = capsys.readouterr()
    assert shown.err == ""
    assert "mlflow.db  (browse it with: nas-arena ui faults)" in shown.out
    assert shards_of(arena) == before
    assert_mirrored(arena / NAME, arena)


def test_without_tracking_there_is_no_store(
    tmp_path: Path, dead_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_process(monkeypatch)
    monkeypatch.chdir(tmp_path)
    assert command("-j", "1", "--no-tracking") == 0
    monkeypatch.setenv("MLFLOW_TRACKING_URI", dead_server)
    assert command("-j", "1", "--no-tracking") == 0
    assert capsys.readouterr().err == ""
    assert [path.name for path in tmp_path.iterdir()] == ["arena"]


# runs that come, go and stay


def test_nothing_missing_writes_nothing(arena: Path) -> None:
    result = mirrored(arena, seeds=3)
    assert_mirrored(result.folder, arena)
    before = {(one.info.run_id, one.info.end_time) for one in runs_of(arena, NAME, view=ViewType.ALL)}
    records = shards_of(arena)
    mirrored(arena, seeds=3)
    assert {(one.info.run_id, one.info.end_time) for one in runs_of(arena, NAME, view=ViewType.ALL)} == before
    assert shards_of(arena) == records


def test_more_seeds_replace_summary_and_report_and_keep_trials(arena: Path) -> None:
    mirrored(arena, seeds=3)
    before = ids_of(arena, NAME)
    mirrored(arena, seeds=5)
    assert_mirrored(arena / NAME, arena)
    now = ids_of(arena, NAME)
    assert Counter(kind for kind, _ in now) == {"trial": 10, "summary": 2, "report": 1}
    kept = {key for key, run_id in before.items() if now[key] == run_id}
    assert kept == {key for key in before if key[0] == "trial"}
    deleted = {one.info.run_id for one in runs_of(arena, NAME, view=ViewType.DELETED_ONLY)}
    assert deleted == {before[key] for key in before if key not in kept}


@pytest.mark.parametrize(("seeds", "expected"), [(20, 20), (21, 0)])
def test_only_cells_of_at_most_twenty_seeds_have_trials(arena: Path, seeds: int, expected: int) -> None:
    result = mirrored(arena, seeds=seeds, optimizers="asng", budget=5)
    assert_mirrored(result.folder, arena)
    names = sorted(int(one.data.params["seed"]) for one in runs_of(arena, NAME) if place(one)[0] == "trial")
    assert names == list(range(expected))


@pytest.mark.parametrize("seeds", [21, 1], ids=["more than twenty", "fewer"])
def test_trials_that_a_cell_no_longer_has_are_deleted(arena: Path, seeds: int) -> None:
    """Also one that a kill left half written, which would run for ever."""
    mirrored(arena, seeds=2, optimizers="asng", budget=5)
    half = next(one for one in runs_of(arena, NAME) if one.data.tags.get("seed") == "1")
    client_of(arena).update_run(half.info.run_id, status="RUNNING")
    result = mirrored(arena, seeds=seeds, optimizers="asng", budget=5)
    assert_mirrored(result.folder, arena)


def test_no_metric_in_the_store_is_infinite(arena: Path) -> None:
    """In three evaluations few seeds come to the target: the time to it is infinite, for MLflow 1.8e308."""
    mirrored(arena, budget=3)
    with closing(sqlite3.connect(arena.parent / "mlflow.db")) as store:
        names = dict(store.execute("SELECT key, max(abs(value)) FROM metrics GROUP BY key"))
        (nans,) = store.execute("SELECT count(*) FROM metrics WHERE is_nan").fetchone()
    assert names["final/target_success"] < 0.5
    assert "final/evaluations_to_target" not in names
    assert max(names.values()) < 1e300
    assert nans == 0


@pytest.mark.parametrize("kind", ["summary", "trial", "report"])
def test_a_run_deleted_by_hand_comes_back(arena: Path, kind: str) -> None:
    result = mirrored(arena, seeds=2)
    before = ids_of(arena, NAME)
    victim = [one for one in runs_of(arena, NAME) if place(one)[0] == kind][-1]
    client_of(arena).delete_run(victim.info.run_id)
    mirrored(arena, seeds=2)
    assert_mirrored(result.folder, arena)
    now = ids_of(arena, NAME)
    assert {key for key in now if now[key] != before[key]} == {place(victim)}
    assert list(now) == list(before), "in its place in the list"


def test_an_experiment_deleted_by_hand_is_restored(arena: Path) -> None:
    result = mirrored(arena)
    (experiment,) = {one.info.experiment_id for one in runs_of(arena, NAME)}
    client_of(arena).delete_experiment(experiment)
    mirrored(arena)
    assert client_of(arena).get_experiment(experiment).lifecycle_stage == "active"
    assert_mirrored(result.folder, arena)


@pytest.mark.parametrize("kind", ["summary", "trial", "report"])
def test_a_run_that_was_never_finished_is_replaced(arena: Path, kind: str) -> None:
    """A kill between creating and finishing a run leaves one that has the right state, some numbers, and runs on."""
    result = mirrored(arena, seeds=2)
    client = client_of(arena)
    victim = next(one for one in runs_of(arena, NAME) if place(one)[0] == kind)
    half = client.create_run(victim.info.experiment_id, tags=victim.data.tags)
    client.log_batch(half.info.run_id, metrics=[Metric("regret/best_seen", 1.0, 0, 1)])
    client.delete_run(victim.info.run_id)
    mirrored(arena, seeds=2)
    assert half.info.run_id in {one.info.run_id for one in runs_of(arena, NAME, view=ViewType.DELETED_ONLY)}
    assert_mirrored(result.folder, arena)


# a cell that fails


def test_a_study_with_a_failing_cell_mirrors_the_others(arena: Path, faults: Any) -> None:
    """And when the cell is mended, the next run completes both record and mirror."""
    optimizers = [faults.optimizer(0), faults.optimizer(1, fault="error")]
    first = run(study(optimizers=optimizers), arena=arena, jobs=1)
    assert [("a bug of its own" in error, "number=1" in label) for label, error in first.failures] == [(True, True)]
    assert_mirrored(arena / NAME, arena)
    assert len(first.cells) == 1
    second = run(study(optimizers=optimizers), arena=arena, jobs=1)
    assert second.failures == []
    assert len(second.cells) == 2
    assert_mirrored(arena / NAME, arena)
