"""nas-arena sync, and nas-arena report where the study's runs are in MLflow: the store is brought up to date apart from
a run. ``test_mirror_faults.py`` and ``test_store_faults.py`` tell what becomes of it when something goes wrong.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import sys
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from command_lines import the_line
from mlflow.entities import ViewType
from stored_runs import NOTE, assert_mirrored, client_of, content_of, experiment_of, ids_of, place, runs_of

from harness.cli import main
from harness.pages import VIEW_TAG
from harness.run import run
from harness.running import StudyRun
from harness.study import Study
from harness.toy_run import run_toy_study
from harness.toy_study import ToyStudy
from results.files import read_json

NAME = "synced"
BENCHMARK = "nasbench201(reported=validation)"


def searched(arena: Path, **changes: Any) -> StudyRun:
    """A small study, on record and in no store."""
    values: dict[str, Any] = {"name": NAME, "optimizers": ["asng", "random_search"], "benchmarks": [BENCHMARK]}
    study = Study(**({**values, "seeds": 2, "budget": 10} | changes))
    return run(study, arena=arena, jobs=1, tracking=False)


@pytest.fixture
def nas_arena(arena: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command in the folder above the arena, and gives its status and what it printed."""
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    monkeypatch.setattr("harness.study_runs.drawer", lambda: lambda cell, index: b"<svg/>")  # most of the time

    def call(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        printed = capsys.readouterr()
        return int(end.value.code or 0), printed.out, printed.err

    return call


def stored(arena: Path) -> Path:
    return arena.parent / "mlflow.db"


# what it brings


def test_a_study_that_was_run_without_tracking_is_brought_whole_and_once(arena: Path, nas_arena: Any) -> None:
    folder = searched(arena).folder
    records = content_of(folder)
    done = nas_arena("sync", NAME)
    assert done == (0, f"{NAME:9} sqlite:///{stored(arena)}: 7 runs written, 0 deleted\n", "")
    assert_mirrored(folder, arena)
    runs = {(one.info.run_id, one.info.end_time) for one in runs_of(arena, NAME, view=ViewType.ALL)}
    store = stored(arena).read_bytes()
    assert nas_arena("sync") == (0, f"{NAME:9} sqlite:///{stored(arena)}: nothing was missing\n", "")
    assert stored(arena).read_bytes() == store, "nothing at all is written"
    assert {(one.info.run_id, one.info.end_time) for one in runs_of(arena, NAME, view=ViewType.ALL)} == runs
    assert content_of(folder) == records


def test_it_takes_all_studies_of_the_arena_toys_and_sweeps_as_well(arena: Path, nas_arena: Any) -> None:
    swept = {"name": "asng", "vary": {"delta_init": [0.1, 1.0]}}
    plain, sweep = searched(arena), searched(arena, name="swept", optimizers=[swept, "cga"], sweep="delta_init")
    (arena.parent / "toy.toml").write_text(
        'kind = "toy"\nseeds = 4\noptimizers = [{ name = "asng", variables = 8, values = 4, iterations = 400 }]',
        encoding="utf-8",
    )
    toy = run_toy_study(ToyStudy.load("toy.toml"), arena=arena, jobs=1, tracking=False)
    status, printed, errors = nas_arena("sync")
    assert (status, errors) == (0, "")
    assert [line.split()[0] for line in printed.splitlines()] == ["swept", "synced", "toy"]
    for result in (plain, sweep, toy):
        assert_mirrored(result.folder, arena)
    kinds = Counter(run.data.tags["kind"] for run in runs_of(arena, "swept"))
    assert kinds == {"summary": 2, "trial": 2, "report": 1}, "a curve is one run, and cga has no such setting"


def test_a_copy_of_a_folder_goes_to_the_store_of_the_arena_that_is_named(
    arena: Path, nas_arena: Any, tmp_path: Path
) -> None:
    original = searched(arena).folder
    copy = tmp_path / "from" / "a colleague"
    shutil.copytree(original, copy)
    other = tmp_path / "other" / "arena"
    other.parent.mkdir()
    shutil.copyfile(stored(arena), stored(other))
    assert nas_arena("sync", str(copy), "--arena", str(other))[0] == 0
    assert_mirrored(copy, other)
    assert client_of(arena).get_experiment_by_name(NAME) is None
    assert not list(copy.parent.glob("ml*"))
    artifacts = {Path(run.info.artifact_uri.removeprefix("file://")) for run in runs_of(other, NAME)}
    assert {path.parents[2] for path in artifacts} == {other.parent / "mlruns"}


def test_runs_of_cells_that_the_study_no_longer_names_go(arena: Path, nas_arena: Any) -> None:
    searched(arena)
    nas_arena("sync")
    before = ids_of(arena, NAME)
    result = searched(arena, optimizers=["random_search"])
    assert len(result.left_over) == 1
    gone = f"{VIEW_TAG}-of-a-benchmark-that-was"
    client_of(arena).set_experiment_tag(client_of(arena).get_experiment_by_name(NAME).experiment_id, gone, "{}")
    assert "1 runs written, 4 deleted" in nas_arena("sync")[1]
    assert gone not in client_of(arena).get_experiment_by_name(NAME).tags
    assert_mirrored(result.folder, arena)
    (cell,) = result.cells
    kept = {key: run_id for key, run_id in before.items() if key[1].startswith(cell.about["id"])}
    assert len(kept) == 3
    assert kept.items() <= ids_of(arena, NAME).items()
    for shard in result.folder.glob("*/seeds-*.parquet"):
        shard.unlink()
    nas_arena("sync")
    assert runs_of(arena, NAME) == []


def test_a_study_with_a_cell_that_fails_is_brought_without_it(arena: Path, nas_arena: Any, faults: Any) -> None:
    result = searched(arena, optimizers=[faults.optimizer(0), faults.optimizer(1, fault="error")])
    assert len(result.failures) == 1
    assert nas_arena("sync")[0] == 0
    assert_mirrored(result.folder, arena)
    assert searched(arena, optimizers=[faults.optimizer(0), faults.optimizer(1, fault="error")]).failures == []
    assert nas_arena("sync")[0] == 0
    assert_mirrored(result.folder, arena)
    assert len(runs_of(arena, NAME, "summary")) == 2


def test_a_description_changed_by_hand_is_kept(arena: Path, nas_arena: Any) -> None:
    searched(arena)
    nas_arena("sync")
    experiment = experiment_of(arena, NAME)
    ours, view = experiment.tags[NOTE], experiment.tags[VIEW_TAG]
    assert ours.startswith("[report](#/experiments/")
    client_of(arena).set_experiment_tag(experiment.experiment_id, NOTE, "mine")
    searched(arena, optimizers=["asng", "cga", "random_search"], report_at=[5])
    nas_arena("sync")
    tags = experiment_of(arena, NAME).tags
    assert tags[NOTE] == "mine"
    assert tags[VIEW_TAG] != view, "views are still brought up to date"
    client_of(arena).set_experiment_tag(experiment.experiment_id, NOTE, "")
    searched(arena, seeds=3)
    nas_arena("sync")
    assert NOTE not in experiment_of(arena, NAME).tags or experiment_of(arena, NAME).tags[NOTE] == ""


# the report


def files_of_the_report(arena: Path) -> set[str]:
    (report,) = runs_of(arena, NAME, "report")
    return {file.path for file in client_of(arena).list_artifacts(report.info.run_id)}


def test_a_report_is_brought_while_it_is_new(arena: Path, nas_arena: Any) -> None:
    folder = searched(arena).folder
    nas_arena("sync")
    assert "report.html" not in files_of_the_report(arena)
    assert nas_arena("report", NAME)[0] == 0
    assert {"report.html", "report.md"} <= files_of_the_report(arena)
    assert_mirrored(folder, arena)
    assert "artifacts/report.html" in experiment_of(arena, NAME).tags[NOTE]
    before = ids_of(arena, NAME)
    assert nas_arena("report", NAME, "--html", "elsewhere.html")[0] == 0
    assert nas_arena("report", NAME, "--no-tracking")[0] == 0
    assert ids_of(arena, NAME) == before

    searched(arena, seeds=3)
    nas_arena("sync")
    assert "report.html" not in files_of_the_report(arena), "it is older than a record"
    assert "artifacts/report.html" not in experiment_of(arena, NAME).tags[NOTE]
    assert_mirrored(folder, arena)


def test_without_a_store_a_report_makes_none(arena: Path, nas_arena: Any) -> None:
    searched(arena)
    stored(arena).unlink()
    assert nas_arena("report", NAME)[::2] == (0, "")
    assert not stored(arena).exists()


def test_a_report_goes_to_no_store_where_it_is_not_to(arena: Path, nas_arena: Any) -> None:
    searched(arena)
    searched(arena, name="another")
    store = stored(arena).read_bytes()
    assert nas_arena("report", NAME, "--no-tracking")[0] == 0
    assert nas_arena("report")[0] == 0, "of several"
    assert stored(arena).read_bytes() == store


def test_a_report_is_made_where_the_store_is_out_of_order(arena: Path, nas_arena: Any) -> None:
    folder = searched(arena).folder
    stored(arena).write_bytes(b"not a database")
    status, _, errors = nas_arena("report", NAME)
    assert status == 0
    assert the_line(errors).startswith("warning: MLflow at sqlite:///")
    assert (folder / "report.html").exists()


# what cannot be brought


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["syncde"], "did you mean 'synced'?"),
        (["mlruns"], "mlruns is a folder without study.json"),
        (["synced", "--arena=nowhere"], "unknown study in nowhere"),
        (["--arena=nowhere"], "no study in nowhere"),
    ],
)
def test_what_is_no_study(arena: Path, nas_arena: Any, arguments: list[str], named: str) -> None:
    searched(arena)
    (arena.parent / "mlruns").mkdir()
    before = content_of(arena.parent)
    status, printed, errors = nas_arena("sync", *arguments)
    assert (status, printed) == (2, "")
    assert named in the_line(errors)
    assert content_of(arena.parent) == before


def test_a_study_that_is_in_use(arena: Path, nas_arena: Any) -> None:
    folder = searched(arena).folder
    store = stored(arena).read_bytes()
    with (folder / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # another open file is another holder, be it of the same process
        status, printed, errors = nas_arena("sync", NAME)
        assert (status, printed) == (2, "")
        assert the_line(errors).startswith(f"study '{NAME}' is in use by process {os.getpid()} on ")
        status, _, errors = nas_arena("report", NAME)
        assert status == 0
        assert the_line(errors).startswith(f"warning: the report is not in MLflow: study '{NAME}' is in use by ")
    assert stored(arena).read_bytes() == store


@pytest.mark.parametrize("kept", [0, 20, -40], ids=["empty", "its begin", "all but its end"])
def test_a_damaged_shard(arena: Path, nas_arena: Any, kept: int) -> None:
    result = searched(arena)
    shard = next(result.folder.glob("random*/seeds-*.parquet"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:kept])
    before = content_of(result.folder)
    status, printed, errors = nas_arena("sync", NAME)
    assert (status, printed) == (2, "")
    line = the_line(errors)
    assert line.startswith(f"cannot read arena/{shard.relative_to(arena)}: ")
    assert line.endswith("delete it and run the study again")
    assert content_of(result.folder) == before
    shard.write_bytes(whole)
    assert nas_arena("sync", NAME)[0] == 0
    assert_mirrored(result.folder, arena)


def test_a_shard_whose_numbers_alone_are_damaged(arena: Path, nas_arena: Any) -> None:
    """Its seeds can be read, so that it is found when a run is made of it; those of other cells are brought."""
    result = searched(arena)
    shard = next(result.folder.glob("random*/seeds-*.parquet"))
    whole = shard.read_bytes()
    shard.write_bytes(whole[:2000] + bytes(len(whole) // 4) + whole[2000 + len(whole) // 4 :])
    assert nas_arena("sync", NAME)[0] == 2
    assert {place(run)[0] for run in runs_of(arena, NAME)} >= {"summary", "trial"}
    shard.write_bytes(whole)
    assert nas_arena("sync", NAME)[0] == 0
    assert_mirrored(result.folder, arena)


@pytest.mark.parametrize("file", ["study.json", "*/cell.json"])
def test_a_damaged_folder(arena: Path, nas_arena: Any, file: str) -> None:
    folder = searched(arena).folder
    path = min(folder.glob(file))
    path.write_text("{", encoding="utf-8")
    status, printed, errors = nas_arena("sync", NAME)
    assert (status, printed) == (2, "")
    assert the_line(errors).startswith(f"cannot read arena/{path.relative_to(arena)}: ")


def test_a_server_that_is_not_there(arena: Path, nas_arena: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = searched(arena).folder
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    status, printed, errors = nas_arena("sync", NAME)
    assert (status, printed) == (1, "")
    assert the_line(errors).startswith("MLflow at http://127.0.0.1:9 is behind: no answer (")
    assert f"'nas-arena sync {NAME}'" in errors
    assert read_json(folder / "study.json")["name"] == NAME


def test_a_study_that_cannot_be_brought_keeps_no_other_out(arena: Path, nas_arena: Any) -> None:
    searched(arena)
    (arena / "broken").mkdir()
    (arena / "broken" / "study.json").write_text("{", encoding="utf-8")
    status, printed, errors = nas_arena("sync")
    assert status == 2
    assert "broken" in the_line(errors)
    assert printed.startswith(NAME)
