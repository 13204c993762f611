"""A study killed at any moment, and run again, ends as if nothing had happened."""

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
from pathlib import Path

import numpy as np
import pytest

from harness.run import run
from results.record import read_study

CELLS = 40
STUDY = """
description = "forty cells"
optimizers = [{optimizers}]
benchmarks = [
    "nasbench201(dataset=cifar10, reported=validation)",
    "nasbench201(dataset=cifar100, reported=validation)",
]
seeds = 25
budget = {{ evaluations = 400 }}
report_at = [100]
"""


class Killable:
    """The folder of a study that is run in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        optimizers = ", ".join(f'"asng(lam={lam})"' for lam in range(2, 2 + CELLS // 2))
        (folder / "forty.toml").write_text(STUDY.format(optimizers=optimizers), encoding="utf-8")

    def start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", "from harness.cli import main; main()", "run", "forty.toml", "--jobs", "2"]
        return subprocess.Popen(
            command, cwd=self.folder, start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    def kill_when(self, reached: Callable[[], bool]) -> None:
        """Runs the study and kills it the moment that something is seen in its folder."""
        process = self.start()
        deadline = time.monotonic() + 120
        while not reached():
            assert process.poll() is None, f"it ended before it could be killed: {process.communicate()}"
            assert time.monotonic() < deadline, "what the kill waits for never came"
            time.sleep(0.002)
        assert process.poll() is None
        process.kill()
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # joblib's workers outlive their parent by minutes
        process.communicate()
        assert process.returncode == -signal.SIGKILL

    def finish(self) -> str:
        process = self.start()
        _, errors = process.communicate(timeout=180)
        assert process.returncode == 0, errors.decode()
        return errors.decode()

    def shards(self) -> int:
        return len(list(self.folder.glob("arena/forty/*/seeds-*.parquet")))

    def store_bytes(self) -> int:
        """The size of a store that is being created, 0 where none is."""
        with suppress(FileNotFoundError):
            return max((path.stat().st_size for path in self.folder.glob(".mlflow.db-creating-*[0-9]")), default=0)
        return 0

    def runs(self) -> list[tuple[str, str, str, str]]:
        """Kind, key, status and life-cycle stage of every run in the store."""
        path = self.folder / "mlflow.db"
        if not path.exists():
            return []
        query = """
            SELECT kind.value, key.value, runs.status, runs.lifecycle_stage FROM runs
            JOIN tags AS kind ON kind.run_uuid = runs.run_uuid AND kind.key = 'kind'
            JOIN tags AS key ON key.run_uuid = runs.run_uuid AND key.key = 'arena.key'
        """
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)) as store:
            return store.execute(query).fetchall()

    def kill_in_search(self, shards: int) -> None:
        self.kill_when(lambda: self.shards() >= shards)
        assert shards <= self.shards() < CELLS

    def kill_in_creation(self, store_bytes: int) -> None:
        self.kill_when(lambda: self.store_bytes() > store_bytes)
        assert not (self.folder / "mlflow.db").exists()

    def kill_in_mirror(self, runs: int) -> None:
        self.kill_when(lambda: len(self.runs()) >= runs)
        assert sum(status == "FINISHED" for _, _, status, _ in self.runs()) < CELLS


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Killable:
    """A study that was killed ten times and then left alone."""
    study = Killable(tmp_path_factory.mktemp("killed"))
    for shards in (5, 15, 25):
        study.kill_in_search(shards)
    for store_bytes in (0, 100_000, 300_000):
        study.kill_in_creation(store_bytes)
    for runs in (1, 8, 20, 35):
        study.kill_in_mirror(runs)
    study.finish()
    return study


def test_every_cell_is_there_once_with_the_numbers_of_an_undisturbed_run(
    killed: Killable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(killed.folder)
    undisturbed = run("forty.toml", arena=tmp_path, tracking=False).cells
    found = read_study(killed.folder / "arena" / "forty")
    assert len(found) == len(list((killed.folder / "arena" / "forty").glob("*/cell.json"))) == CELLS
    for cell, expected in zip(found, undisturbed, strict=True):
        assert cell.about == expected.about
        np.testing.assert_array_equal(cell.seeds, np.arange(25))
        for name, values in expected.columns.items():
            np.testing.assert_array_equal(cell.columns[name], values, err_msg=name)
        for name, values in expected.improvements.items():
            np.testing.assert_array_equal(cell.improvements[name], values, err_msg=name)


def test_mlflow_has_each_summary_once(killed: Killable) -> None:
    cells = {cell.about["id"] for cell in read_study(killed.folder / "arena" / "forty")}
    active = [one for one in killed.runs() if one[3] == "active"]
    assert Counter(active) == Counter(
        [("summary", cell, "FINISHED", "active") for cell in cells] + [("report", "forty", "FINISHED", "active")]
    )


def test_nothing_half_written_is_left(killed: Killable) -> None:
    assert not list(killed.folder.rglob("*.part"))
    assert not list(killed.folder.glob(".mlflow.db-creating-*"))


def test_running_it_again_changes_nothing(killed: Killable) -> None:
    before = killed.runs()
    records = {path: path.stat().st_mtime_ns for path in killed.folder.glob("arena/forty/*/seeds-*")}
    assert killed.finish() == ""
    assert killed.runs() == before
    assert {path: path.stat().st_mtime_ns for path in killed.folder.glob("arena/forty/*/seeds-*")} == records
