"""Two runs at the same time do no harm.

One of them is frozen where it must not be disturbed, so that the other truly meets it there.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from mlflow import MlflowClient

from harness.lock import locked
from harness.run import run
from harness.study import Study
from search_spaces.errors import ArenaError

PATIENCE = 120.0  # seconds; longer than any run on any machine


class Running:
    """A run of a study in a process of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        arguments = ["-b", "nasbench201(reported=validation)", "-o", "asng", "--seeds", "30", "--budget", "300"]
        command = [sys.executable, "-c", "from harness.cli import main; main()", "compare", "--name", name, *arguments]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        self.process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def freeze_when(self, reached: Callable[[], bool]) -> None:
        """Stops it as soon as something is seen, which must still be so then."""
        self.wait_until(reached)
        os.killpg(self.process.pid, signal.SIGSTOP)
        _, status = os.waitpid(self.process.pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            self.process.returncode = os.waitstatus_to_exitcode(status)
        assert self.process.returncode is None, "it ended before it was frozen"
        assert reached()

    def go_on(self) -> None:
        os.killpg(self.process.pid, signal.SIGCONT)

    def wait_until(self, reached: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not reached():
            assert self.process.poll() is None, f"it ended too early: {self.process.communicate()}"
            assert time.monotonic() < deadline
            time.sleep(0.002)

    def end(self) -> tuple[int, str]:
        """Its exit status, and what it said on standard error."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


@contextmanager
def started(folder: Path, name: str) -> Iterator[Running]:
    running = Running(folder, name)
    try:
        yield running
    finally:
        if running.process.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(running.process.pid, signal.SIGKILL)
            running.process.wait()


def kinds_of_runs(folder: Path, name: str) -> list[str]:
    client = MlflowClient(tracking_uri=f"sqlite:///{folder / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(name)
    assert experiment is not None
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.status for run in runs} == {"FINISHED"}
    return sorted(run.data.tags["kind"] for run in runs)


def test_a_second_run_of_a_study_names_the_first_and_ends(tmp_path: Path) -> None:
    study = Study(name="s", optimizers="asng", benchmarks="nasbench201(reported=validation)", seeds=2, budget=20)
    (tmp_path / "s").mkdir()
    with (
        locked(tmp_path / "s" / ".lock", wait=False, what="study 's'"),
        pytest.raises(ArenaError, match=rf"study 's' is in use by process {os.getpid()} on .+ since .+; wait"),
    ):
        run(study, arena=tmp_path, tracking=False)
    assert [path.name for path in (tmp_path / "s").iterdir()] == [".lock"]
    assert len(run(study, arena=tmp_path, tracking=False).cells) == 1


def test_two_processes_with_one_study(tmp_path: Path) -> None:
    """The second ends at once, though the first is frozen, says who is at it, and writes nothing."""
    lock = tmp_path / "arena" / "same" / ".lock"
    with started(tmp_path, "same") as first:
        holder = f"process {first.process.pid} on "
        first.freeze_when(lambda: lock.exists() and lock.read_text(encoding="utf-8").startswith(holder))
        before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
        with started(tmp_path, "same") as second:
            status, errors = second.end()
        assert status == 2
        assert errors.startswith(f"nas-arena: study 'same' is in use by {holder}")
        assert errors.count("\n") == 1
        assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before
        first.go_on()
        assert first.end() == (0, "")
    assert len(list(tmp_path.glob("arena/same/*/seeds-*.parquet"))) == 1
    assert kinds_of_runs(tmp_path, "same") == ["report", "summary"]


def test_two_studies_that_make_one_store(tmp_path: Path) -> None:
    """Two clients that create one SQLite store at the same time would both die; ours wait for each other."""
    with started(tmp_path, "one") as one:
        creating = tmp_path / f".mlflow.db-creating-{one.process.pid}"
        one.freeze_when(lambda: creating.exists() and creating.stat().st_size > 0)
        with started(tmp_path, "other") as other:
            other.wait_until((tmp_path / "arena" / "other" / "tables.txt").exists)
            with pytest.raises(subprocess.TimeoutExpired):  # only its mirror is left, and has to wait
                other.process.wait(timeout=4)
            assert [path.name for path in tmp_path.glob(".mlflow.db-creating-*[0-9]")] == [creating.name]
            assert not (tmp_path / "mlflow.db").exists()
            one.go_on()
            assert one.end() == (0, "")
            assert other.end() == (0, "")
    assert not list(tmp_path.glob(".mlflow.db-creating-*"))
    for name in ("one", "other"):
        assert kinds_of_runs(tmp_path, name) == ["report", "summary"]
