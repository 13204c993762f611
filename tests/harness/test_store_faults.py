"""What a store can do to the mirror: its server is killed, its database is locked, its disk is full.

Each time a study is mirrored afterwards, there is one run a cell or seed and no other, and what is on record is as it
was, to the byte and the time.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from time import monotonic, sleep
from typing import IO, Any

import pytest
from mlflow import MlflowClient
from sqlalchemy import Engine, event
from sqlalchemy.pool import Pool
from stored_runs import assert_mirrored, client_of, content_of, ids_of, runs_of

from harness.run import run
from harness.study import Study
from harness.sync import sync

NAME = "stored"
SWEEP: dict[str, Any] = {"optimizers": [{"name": "asng", "vary": {"delta_init": [0.1, 1.0, 3.0]}}, "cga"]}
PATIENCE = 120.0  # seconds; longer than a server takes to start on any machine


@pytest.fixture(params=["cells", "curves"])
def folder(arena: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a small study that is in no store: four cells, or a curve, another cell, and their trials."""
    monkeypatch.setattr("harness.study_runs.drawer", lambda: lambda cell, index: b"<svg/>")  # most of the time
    return searched(arena, **({**SWEEP, "sweep": "delta_init"} if request.param == "curves" else {}))


def searched(arena: Path, **changes: Any) -> Path:
    values: dict[str, Any] = {
        "name": NAME,
        "benchmarks": ["nasbench201(reported=validation)"],
        "seeds": 2,
        "budget": 10,
    }
    study = Study(**{**values, "optimizers": ["asng", "cga", "random_search"], **changes})
    return run(study, arena=arena, jobs=1, tracking=False).folder


def at_call(
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    number: int,
    act: Callable[[], object],
    failed: Callable[[Exception], object] = lambda error: None,
) -> None:
    """Acts before one of the calls of a name to MLflow, and when that fails."""
    original, made = getattr(MlflowClient, name), [0]

    def acting(*arguments: Any, **settings: Any) -> Any:
        made[0] += 1
        if made[0] != number:
            return original(*arguments, **settings)
        act()
        try:
            return original(*arguments, **settings)
        except Exception as error:
            failed(error)
            raise

    monkeypatch.setattr(MlflowClient, name, acting)


def assert_mended(folder: Path, arena: Path, records: dict[Path, tuple[int, bytes]]) -> None:
    """One sync brings all, and the next one finds nothing to do."""
    assert sync(folder, arena).problem == ""
    assert_mirrored(folder, arena)
    again = sync(folder, arena)
    assert (again.problem, again.written, again.deleted) == ("", 0, 0)
    assert content_of(folder) == records


# a server


class Server:
    """A real one, in a process of its own; its files stay when it is killed."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self.uri, self._folder = f"http://127.0.0.1:{self._port}", folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        store = ["--backend-store-uri", f"sqlite:///{self._folder / 'server.db'}"]
        artifacts = ["--artifacts-destination", str(self._folder / "artifacts"), "--workers", "1"]
        where = ["--host", "127.0.0.1", "--port", str(self._port)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "server", *store, *artifacts, *where],
            cwd=self._folder,
            env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        began = monotonic()
        while not self._answers():
            assert self._process.poll() is None, "the server has ended"
            assert monotonic() - began < PATIENCE, "the server does not answer"
            sleep(0.1)

    def kill(self) -> None:
        """With all its workers."""
        if self._process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
        except OSError:
            return False
        return True


@pytest.fixture
def server(arena: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on an empty store, which the environment names."""
    folder = arena.parent / "server"
    folder.mkdir()
    shutil.copyfile(empty_store, folder / "server.db")
    started = Server(folder)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", started.uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")  # else seconds pass between them
    monkeypatch.delenv("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", raising=False)
    try:
        started.start()
        yield started
    finally:
        started.kill()


@pytest.mark.parametrize("folder", ["curves"], indirect=True)
def test_a_server_that_is_killed_in_mid_mirror(
    arena: Path,
    folder: Path,
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """While it is sent the files of a run; and then somebody deletes two runs on it."""
    records = content_of(folder)
    capfd.readouterr()
    with monkeypatch.context() as killing:
        at_call(killing, "log_artifact", 2, server.kill)
        problem = sync(folder, arena).problem
    assert problem.startswith(f"MLflow at {server.uri} is behind: ")
    assert "\n" not in problem
    server.start()
    assert [one.info.status for one in runs_of(arena, NAME)].count("RUNNING") == 1
    assert_mended(folder, arena, records)
    victims = [
        next(one for one in runs_of(arena, NAME) if one.data.tags["kind"] == kind) for kind in ("summary", "report")
    ]
    for victim in victims:
        client_of(arena).delete_run(victim.info.run_id)
    assert_mended(folder, arena, records)
    assert not (arena.parent / "mlruns").exists(), "the server keeps the files"
    assert capfd.readouterr() == ("", ""), "MLflow prints two lines a run unless told not to"


# a database


BUSY = re.compile(r"PRAGMA busy_timeout *= *\d+")


@pytest.fixture
def impatient() -> Iterator[None]:
    """Has MLflow wait for a locked database for a moment only: its own 20 seconds are the same to the mirror."""

    def shorter(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> tuple[str, Any]:
        return BUSY.sub("PRAGMA busy_timeout = 20", statement), parameters

    event.listen(Engine, "before_cursor_execute", shorter, retval=True)
    yield
    event.remove(Engine, "before_cursor_execute", shorter)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("call", "number"), [("create_run", 1), ("log_batch", 2), ("set_terminated", 3)])
def test_a_database_that_is_locked_for_a_while_costs_nothing(
    arena: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    """The lock ends with the first call that it fails, as one of 30 seconds does after the 20 that MLflow waits."""
    records = content_of(folder)
    failed: list[str] = []
    with closing(sqlite3.connect(arena.parent / "mlflow.db", isolation_level=None, check_same_thread=False)) as other:

        def release(error: Exception) -> None:
            failed.append(str(error))
            other.execute("ROLLBACK")

        at_call(monkeypatch, call, number, lambda: other.execute("BEGIN EXCLUSIVE"), release)
        assert sync(folder, arena).problem == ""
        assert len(failed) == 1
        assert "database is locked" in failed[0]
    assert_mirrored(folder, arena)
    assert_mended(folder, arena, records)


@pytest.mark.usefixtures("impatient")
def test_a_database_that_stays_locked(
    arena: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    records = content_of(folder)
    with closing(sqlite3.connect(arena.parent / "mlflow.db", isolation_level=None, check_same_thread=False)) as other:
        with monkeypatch.context() as locking:
            at_call(locking, "log_batch", 2, lambda: other.execute("BEGIN EXCLUSIVE"))
            problem = sync(folder, arena).problem
        assert "mlflow.db is behind: " in problem
        assert "database is locked" in problem
        assert "\n" not in problem
        assert capfd.readouterr().err == "", "MLflow's own account of it is for its developers"
    assert_mended(folder, arena, records)


def test_a_full_disk_under_the_database(arena: Path, folder: Path) -> None:
    """A database that may not grow any more gives the same error: from the start, and after some runs."""
    records, store = content_of(folder), arena.parent / "mlflow.db"
    most = 0

    def limit(connection: Any, *_: Any) -> None:
        if most:
            connection.execute(f"PRAGMA max_page_count = {most}")

    event.listen(Pool, "checkout", limit)
    try:
        for more in (0, 8):
            with closing(sqlite3.connect(store)) as looking:
                most = looking.execute("PRAGMA page_count").fetchone()[0] + more
            problem = sync(folder, arena).problem
            assert "database or disk is full" in problem
            assert "\n" not in problem
        most = 2**30
        assert_mended(folder, arena, records)
    finally:
        event.remove(Pool, "checkout", limit)


def test_a_full_disk_under_the_artifacts(arena: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a file is left, as it is where a disk gets full."""
    records = content_of(folder)

    def full(source: IO[bytes], target: IO[bytes], length: int = 0) -> None:
        target.write(source.read()[:-1])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as filling:
        filling.setattr(shutil, "copyfileobj", full)
        problem = sync(folder, arena).problem
    assert "No space left on device" in problem
    assert "\n" not in problem
    running = [one for one in runs_of(arena, NAME) if one.info.status == "RUNNING"]
    assert running, "it has left one half written"
    assert_mended(folder, arena, records)


@pytest.mark.parametrize("kind", ["summary", "trial", "report"])
def test_a_run_that_somebody_deletes(arena: Path, folder: Path, kind: str) -> None:
    records = content_of(folder)
    sync(folder, arena)
    before = ids_of(arena, NAME)
    for victim in (one for one in runs_of(arena, NAME) if one.data.tags["kind"] == kind):
        client_of(arena).delete_run(victim.info.run_id)
    assert_mended(folder, arena, records)
    now = ids_of(arena, NAME)
    assert {place for place in now if now[place] != before[place]} == {place for place in now if place[0] == kind}
