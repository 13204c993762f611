"""Kill it: a study killed at any moment, and run again, ends as if nothing had happened.

A kill is placed by watching the folder and the store. Before each, the study is frozen and looked at once more, so that
what is asserted of the moment is true of it, however slow the machine. A study that was through before it was looked at
is set back and run again.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from stored_runs import plans_of

from harness.run import run
from results.record import read_study

CELLS, SEEDS = 40, 25  # of more than 20 seeds a cell has a summary and no trials
STUDY = f"""
description = "forty cells"
optimizers = [
    "asng", "asng(lam=3)", "asng(lam=4)", "asng(lam=6)", "asng(lam=8)", "asng(alpha=1.1)", "asng(delta_init=0.5)",
    "random_search", "regularized_evolution", "regularized_evolution(population=20, sample_size=5)",
]
benchmarks = [
    "nasbench201(dataset=cifar10, reported=validation)",
    "nasbench201(dataset=cifar100, reported=validation)",
    "nasbench201(dataset=imagenet16-120, reported=validation)",
    "nasbench201(dataset=cifar10, reported=validation, noise=trials)",
]
seeds = {SEEDS}
budget = {{ evaluations = 300 }}
report_at = [100]
"""
PATIENCE = 300.0  # seconds; longer than any phase on any machine

RUNS = """
    SELECT runs.run_uuid, kind.value, key.value, state.value, runs.status, runs.lifecycle_stage,
        (SELECT count(*) FROM metrics WHERE metrics.run_uuid = runs.run_uuid)
    FROM runs
    JOIN tags AS kind ON kind.run_uuid = runs.run_uuid AND kind.key = 'kind'
    JOIN tags AS key ON key.run_uuid = runs.run_uuid AND key.key = 'arena.key'
    JOIN tags AS state ON state.run_uuid = runs.run_uuid AND state.key = 'arena.state'
"""


@dataclass(frozen=True)
class StoredRun:
    """A run as it lies in the store."""

    id: str
    kind: str
    key: str
    state: str
    status: str
    stage: str
    points: int


@dataclass(frozen=True)
class Moment:
    """What there was when the study was killed."""

    phase: str
    shards: int
    creating: int | None
    store: bool
    finished: int
    running: tuple[str, ...]


class Killable:
    """The folder of a study that is run in a process of its own."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder, self.store, self._scratch = folder, folder / "mlflow.db", scratch
        self.kills: list[Moment] = []
        self.recorded: dict[Path, tuple[int, int]] = {}  # by the first kill that found them; inode and time
        (folder / "forty.toml").write_text(STUDY, encoding="utf-8")

    def finish(self) -> None:
        process = self._start()
        try:
            _, errors = process.communicate(timeout=PATIENCE)
        finally:
            end(process)
        assert (process.returncode, errors) == (0, "")

    def kill_in_search(self, shards: int) -> None:
        """Kills it when at least so many shards are on record, and not yet all."""

        def set_back() -> None:
            for path in self.shards():
                path.unlink()
            self.recorded.clear()

        self._kill("search", lambda moment: shards <= moment.shards < CELLS, set_back)

    def kill_in_creation(self, size: int) -> None:
        """Kills it when the store is being created, under its other name, and its file is larger than so many bytes."""
        self._remove_store()
        self._kill(
            "creation",
            lambda moment: moment.creating is not None and moment.creating > size and not moment.store,
            self._remove_store,
        )

    def kill_in_mirror(self, finished: int) -> None:
        """Kills it when at least so many summaries, and not yet all, are finished and one is half written."""
        self._kill(
            "mirror",
            lambda moment: finished <= moment.finished < CELLS and len(moment.running) == 1,
            self._remove_store,
        )

    def shards(self) -> list[Path]:
        return list(self.folder.glob("arena/forty/*/seeds-*.parquet"))

    def runs(self) -> list[StoredRun]:
        """What the store holds, read from a copy: a frozen process may hold the lock of the store itself."""
        if not self.store.exists():
            return []
        for ending in ("", "-journal"):  # a journal that was left undoes half a transaction, as it would in place
            copy = self._scratch / f"copy.db{ending}"
            copy.unlink(missing_ok=True)
            with suppress(FileNotFoundError):
                copy.write_bytes(Path(f"{self.store}{ending}").read_bytes())
        with closing(sqlite3.connect(self._scratch / "copy.db")) as store:
            return [StoredRun(*row) for row in store.execute(RUNS)]

    def _start(self) -> subprocess.Popen[str]:
        command = [sys.executable, "-c", "from harness.cli import main; main()", "run", "forty.toml", "--jobs", "2"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=environment,
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def _kill(self, phase: str, wanted: Callable[[Moment], bool], set_back: Callable[[], object]) -> None:
        for _ in range(4):
            old = {one.id for one in self.runs()}
            process = self._start()
            try:
                moment = self._wait_for(process, phase, wanted, old)
            finally:
                end(process)
            if moment:
                assert process.returncode == -signal.SIGKILL
                self.kills.append(moment)
                for path in self.shards():
                    self.recorded.setdefault(path, file_of(path))
                return
            assert process.returncode == 0
            set_back()
        pytest.fail(f"no moment of the phase {phase!r} was ever seen")

    def _wait_for(
        self, process: subprocess.Popen[str], phase: str, wanted: Callable[[Moment], bool], old: set[str]
    ) -> Moment | None:
        """Kills the process in a moment that is wanted, None where it ended without one."""
        deadline = time.monotonic() + PATIENCE
        while process.poll() is None:
            assert time.monotonic() < deadline, f"neither the phase {phase!r} nor an end"
            moment = self._look(process, phase, old)
            if moment and wanted(moment) and freeze(process):
                moment = self._look(process, phase, old)
                if moment and wanted(moment):
                    process.kill()
                    process.wait()
                    return moment
                os.killpg(process.pid, signal.SIGCONT)
            time.sleep(0.02 if phase == "mirror" else 0.002)  # a look into the store costs milliseconds
        return None

    def _look(self, process: subprocess.Popen[str], phase: str, old: set[str]) -> Moment | None:
        """What there is, None where it cannot be told."""
        try:
            creating: int | None = (self.folder / f".mlflow.db-creating-{process.pid}").stat().st_size
        except FileNotFoundError:
            creating = None
        try:
            active = [one for one in self.runs() if one.stage == "active"] if phase == "mirror" else []
        except sqlite3.DatabaseError:  # it was written while it was copied
            return None
        return Moment(
            phase=phase,
            shards=len(self.shards()),
            creating=creating,
            store=self.store.exists(),
            finished=sum(one.kind == "summary" and one.status == "FINISHED" for one in active),
            running=tuple(one.kind for one in active if one.status == "RUNNING" and one.id not in old),
        )

    def _remove_store(self) -> None:
        for path in (self.store, Path(f"{self.store}-journal")):
            path.unlink(missing_ok=True)


def freeze(process: subprocess.Popen[str]) -> bool:
    """Stops a process and its workers where they are; whether it was still alive."""
    os.killpg(process.pid, signal.SIGSTOP)
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    if os.WIFSTOPPED(status):
        return True
    process.returncode = os.waitstatus_to_exitcode(status)
    return False


def end(process: subprocess.Popen[str]) -> None:
    """Ends a process and what it started: joblib's workers outlive a killed parent by minutes.

    They are asked first: joblib's resource tracker then cleans up behind them, which it could not when killed.
    """
    if process.poll() is None:
        process.kill()
        process.wait()
    for ending in (signal.SIGTERM, signal.SIGCONT):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, ending)
    try:
        process.communicate(timeout=30)  # ends when nobody holds its standard error any more
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    except ValueError:
        pass  # it was communicated with before


def file_of(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_ino, about.st_mtime_ns


def test_a_study_of_forty_cells_killed_ten_times(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = Killable(tmp_path, tmp_path_factory.mktemp("scratch"))
    for shards in (3, 13, 23):
        study.kill_in_search(shards)
    half_written = next(tmp_path.glob("arena/forty/*/cell.json")).with_name(".seeds-0-24.parquet-x.part")
    half_written.write_bytes(b"PAR1")  # as a kill in the middle of writing a shard leaves it
    for size in (0, 100_000, 300_000):
        study.kill_in_creation(size)
    abandoned = list(tmp_path.glob(".mlflow.db-creating-*"))
    for finished in (0, 9, 18, 27):
        study.kill_in_mirror(finished)
    print(*study.kills, sep="\n")  # pytest shows it when the rest fails
    study.finish()

    assert Counter(kill.phase for kill in study.kills) == {"search": 3, "creation": 3, "mirror": 4}
    assert abandoned, "a kill in the creation leaves its file"
    assert_the_records_are_those_of_an_undisturbed_run(study, tmp_path_factory.mktemp("undisturbed"), monkeypatch)
    assert_mlflow_has_every_run_once(study)
    assert not list(tmp_path.rglob("*.part"))
    assert not list(tmp_path.glob(".mlflow.db-creating-*"))

    before = study.runs()
    assert run(str(tmp_path / "forty.toml"), arena=tmp_path / "arena").mirror_problem == ""
    assert study.runs() == before


def assert_the_records_are_those_of_an_undisturbed_run(
    killed: Killable, elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = killed.folder / "arena" / "forty"
    monkeypatch.chdir(elsewhere)
    undisturbed = run(str(killed.folder / "forty.toml"), tracking=False, jobs=1)
    found = read_study(folder)
    assert len(found) == len(list(folder.glob("*/cell.json"))) == len(killed.shards()) == CELLS
    assert killed.recorded, "some shards were on record at a kill"
    assert {path: file_of(path) for path in killed.recorded} == killed.recorded, "what is on record stays as it is"
    for cell, expected in zip(found, undisturbed.cells, strict=True):
        assert cell.about == expected.about
        np.testing.assert_array_equal(cell.seeds, np.arange(SEEDS))
        np.testing.assert_array_equal(cell.checkpoints, expected.checkpoints)
        assert set(cell.columns) == set(expected.columns)
        for name, values in expected.columns.items():
            np.testing.assert_array_equal(cell.columns[name], values, err_msg=name)
        assert set(cell.improvements) == set(expected.improvements)
        for name, values in expected.improvements.items():
            np.testing.assert_array_equal(cell.improvements[name], values, err_msg=name)
        np.testing.assert_array_equal(cell.distribution, expected.distribution)
    tables = "tables.txt"
    assert (folder / tables).read_text(encoding="utf-8") == (undisturbed.folder / tables).read_text(encoding="utf-8")


def assert_mlflow_has_every_run_once(killed: Killable) -> None:
    cells = read_study(killed.folder / "arena" / "forty")
    expected = plans_of(killed.folder / "arena" / "forty")
    assert {plan.place for plan in expected} == {
        *(("summary", cell.about["id"]) for cell in cells),
        ("report", "forty"),
    }
    active = [one for one in killed.runs() if one.stage == "active"]
    assert Counter((one.kind, one.key, one.state, one.status, one.points) for one in active) == Counter(
        (plan.kind, plan.key, plan.state, "FINISHED", len(plan.make().points)) for plan in expected
    )
    (only_report,) = (one for one in active if one.kind == "report")
    figures = {f"figures/{path.name}" for path in killed.folder.glob("arena/forty/figures/*.png")}
    assert len(figures) == 4
    artifacts = killed.folder / "mlruns" / "forty" / only_report.id / "artifacts"
    files = {path.relative_to(artifacts).as_posix() for path in artifacts.rglob("*") if path.is_file()}
    assert files == figures | {"tables.txt", "results.parquet"}
