"""Two runs at the same time do no harm."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from harness.lock import locked
from harness.run import run
from harness.study import Study
from search_spaces.errors import ArenaError


def start(folder: Path, name: str) -> subprocess.Popen[str]:
    arguments = ["-b", "nasbench201(reported=validation)", "-o", "asng", "--seeds", "30", "--budget", "300"]
    command = [sys.executable, "-c", "from harness.cli import main; main()", "compare", "--name", name, *arguments]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_a_second_run_of_a_study_names_the_first_and_ends(tmp_path: Path) -> None:
    study = Study(name="s", optimizers="asng", benchmarks="nasbench201(reported=validation)", seeds=2, budget=20)
    (tmp_path / "s").mkdir()
    with (
        locked(tmp_path / "s" / ".lock", wait=False, what="study 's'"),
        pytest.raises(ArenaError, match=r"study 's' is in use by process \d+ on .+ since .+; wait"),
    ):
        run(study, arena=tmp_path, tracking=False)
    assert [path.name for path in (tmp_path / "s").iterdir()] == [".lock"]
    assert len(run(study, arena=tmp_path, tracking=False).cells) == 1


def test_two_processes_with_one_study(tmp_path: Path) -> None:
    """Started together, one of them does the study; the other has nothing to do by then or is told who is at it."""
    first, second = start(tmp_path, "same"), start(tmp_path, "same")
    ended = [(process.communicate(timeout=180), process.returncode) for process in (first, second)]
    assert 0 in {status for _, status in ended}
    for (_, errors), status in ended:
        assert status in (0, 2), errors
        if status == 2:
            assert errors.startswith("nas-arena: study 'same' is in use by process")
            assert errors.count("\n") == 1
    assert len(list(tmp_path.glob("arena/same/*/seeds-*.parquet"))) == 1


def test_two_studies_that_make_one_store(tmp_path: Path) -> None:
    """Two clients that create one SQLite store at the same time would both die; ours wait for each other."""
    processes = [start(tmp_path, name) for name in ("one", "other")]
    for process in processes:
        _, errors = process.communicate(timeout=180)
        assert (process.returncode, errors) == (0, "")
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    for name in ("one", "other"):
        experiment = client.get_experiment_by_name(name)
        assert experiment is not None
        runs = client.search_runs([experiment.experiment_id])
        assert sorted(run.data.tags["kind"] for run in runs) == ["report", "summary"]
