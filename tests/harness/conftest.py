"""What the tests of the harness share: a store that is made once, a current folder, a module in which things fail."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_lines import Fails, the_line
from mlflow import MlflowClient

from harness.cli import main
from harness.engine import Shard
from harness.store import create_sqlite
from harness.study import Study

BENCHMARK = "nasbench201(reported=validation)"


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new store; making one takes seconds, so that tests copy it."""
    path = tmp_path_factory.mktemp("store") / "mlflow.db"
    create_sqlite(path, lambda uri: MlflowClient(tracking_uri=uri).search_experiments())
    return path


@pytest.fixture
def arena(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The arena folder of an empty current folder with a store."""
    monkeypatch.chdir(tmp_path)
    shutil.copyfile(empty_store, tmp_path / "mlflow.db")
    return tmp_path / "arena"


FAULTY = '''
import os, signal, time
from pathlib import Path

from optimizers.random_search import RandomSearch
from search_spaces.nasbench201 import NASBench201


class Faulty(RandomSearch):
    """Notes its start and its end; fails in the given way, once or always."""

    def __init__(self, space, seeds, *, notes: str, number: int = 0, fault: str = "", always: bool = False, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.notes, self.number, self.fault, self.always = Path(notes), number, fault, always
        self.asked = False

    def note(self, what):
        with (self.notes / "log").open("a") as log:
            log.write(f"{self.number} {what} {os.getpid()} {time.monotonic()}\\n")

    def _ask(self):
        if not self.asked:
            self.asked = True
            self.note("start")
            time.sleep(0.1)
            fail(self.notes / str(self.number), self.fault, self.always)
            self.note("end")
        return super()._ask()


class FaultyBenchmark(NASBench201):
    """Fails in a worker when it is loaded."""

    def __init__(self, dataset: str = "cifar10", *, notes: str, parent: int, fault: str = "", always: bool = False):
        super().__init__(dataset, reported="validation")
        self.options = {"notes": notes, "parent": parent, "fault": fault, "always": always}
        if os.getpid() != parent:
            fail(Path(notes) / "benchmark", fault, always)


def fail(marker, fault, always):
    if fault and (always or not marker.exists()):
        marker.touch()
        if fault == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("a bug of its own")
'''


@dataclass
class Faults:
    """Shards of a module of a user, of which some fail."""

    notes: Path
    module: str

    def optimizer(self, number: int, **settings: Any) -> dict[str, Any]:
        return {"name": f"{self.module}:Faulty", "notes": str(self.notes), "number": number, **settings}

    def shards(self, optimizers: list[dict[str, Any]], benchmark: Any = BENCHMARK) -> list[Shard]:
        cells = Study(name="faults", optimizers=optimizers, benchmarks=benchmark, seeds=2, budget=3).cells()
        return [Shard(cell, (0, 1)) for cell in cells]

    def noted(self, what: str) -> list[tuple[int, float]]:
        """Number of the shard and time of every note."""
        lines = [line.split() for line in (self.notes / "log").read_text(encoding="utf-8").splitlines()]
        return [(int(number), float(at)) for number, noted, _, at in lines if noted == what]


@pytest.fixture
def faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Faults:
    module = "faulty_" + "".join(letter if letter.isalnum() else "_" for letter in request.node.name)
    (tmp_path / f"{module}.py").write_text(FAULTY, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    return Faults(tmp_path, module)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty; modules in it can be imported, and importing them writes nothing there."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return here


@pytest.fixture
def fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> Fails:
    """Runs the command in this process, and gives the one line that it complains with."""

    def call(*arguments: str) -> str:
        before = _content(folder.parent)
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        printed = capsys.readouterr()
        line = the_line(printed.err)
        assert end.value.code == 2
        assert printed.out == ""
        assert _content(folder.parent) == before, "something was written"
        return line

    return call


def _content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}
