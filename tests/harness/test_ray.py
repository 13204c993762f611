"""Shards on a Ray cluster: the same records as elsewhere, and what dies or cannot be reached costs no more than itself.

The cluster has two nodes of one CPU each, both on this machine.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import ray
from ray.cluster_utils import Cluster

from harness.engine import Shard, run_shards
from nas_arena import ArenaError, Study, StudyRun, read_study, run
from results.record import CellRecord

pytestmark = pytest.mark.xdist_group("ray")  # one cluster, not one for each worker of pytest

BENCHMARK = "nasbench201(reported=validation)"
PATIENCE = 60.0  # seconds; longer than anything here takes on any machine

NOTING = '''
import json, os, time
from pathlib import Path

from optimizers.random_search import RandomSearch


class Noting(RandomSearch):
    """Notes where it runs, if that is on Ray, and goes on when so many nodes are noted. On one node it may stay."""

    def __init__(self, space, seeds, *, notes: str, number: int = 0, nodes: int = 1, stay_on: str = "", stream=0):
        super().__init__(space, seeds, stream=stream)
        self.notes, self.nodes, self.stay_on, self.asked = Path(notes), nodes, stay_on, False

    def _ask(self):
        if not self.asked:
            self.asked = True
            self.note()
        return super()._ask()

    def note(self):
        import ray

        if not ray.is_initialized():
            return
        node = ray.get_runtime_context().get_node_id()
        about = {name: os.environ.get(name) for name in ("NAS_ARENA_DATA", "XDG_CACHE_HOME")}
        (self.notes / f"{node}-{time.monotonic_ns()}").write_text(json.dumps(about))
        deadline = time.monotonic() + 60
        while len({path.name.partition("-")[0] for path in self.notes.iterdir()}) < self.nodes:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        if self.stay_on in (node, "any"):
            time.sleep(1000)
'''


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")  # as RAY_ADDRESS expects it
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        try:
            nodes.add_node(num_cpus=1)
            yield nodes
        finally:
            ray.shutdown()
            nodes.shutdown()


@pytest.fixture
def address(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("RAY_ADDRESS", cluster.address)
    return str(cluster.address)


@pytest.fixture
def notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder for the notes of ``noting:Noting``, a class of the current folder."""
    (tmp_path / "noting.py").write_text(NOTING, encoding="utf-8")
    (tmp_path / "notes").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path, ""])
    monkeypatch.delitem(sys.modules, "noting", raising=False)
    return tmp_path / "notes"


def search(arena: Path, *optimizers: Any, **how: Any) -> StudyRun:
    study = Study(name="small", optimizers=optimizers, benchmarks=BENCHMARK, seeds=how.pop("seeds", 4), budget=30)
    return run(study, arena=arena, tracking=False, **how)


def assert_same(one: CellRecord, other: CellRecord) -> None:
    assert one.about == other.about
    np.testing.assert_array_equal(one.seeds, other.seeds)
    np.testing.assert_array_equal(one.checkpoints, other.checkpoints)
    np.testing.assert_array_equal(one.distribution, other.distribution)
    for values, others in ((one.columns, other.columns), (one.improvements, other.improvements)):
        assert set(values) == set(others)
        for name in values:
            np.testing.assert_array_equal(values[name], others[name], err_msg=name)


def nodes_of(notes: Path) -> set[str]:
    return {path.name.partition("-")[0] for path in notes.iterdir()}


def test_records_are_those_of_one_process_and_of_processes(
    address: str, notes: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nine shards of three cells, on both nodes."""
    monkeypatch.setattr("optimizers.base.Optimizer.most_seeds", 4)
    optimizers = ["asng", "regularized_evolution", {"name": "noting:Noting", "notes": str(notes), "nodes": 2}]
    ways = {"one": {"jobs": 1}, "processes": {"jobs": 2}, "ray": {"engine": "ray"}}
    found = {name: search(tmp_path / name, *optimizers, seeds=12, **how) for name, how in ways.items()}
    assert not ray.is_initialized(), "the connection was ended"
    assert len(nodes_of(notes)) == 2
    for result in found.values():
        assert not result.failures
        assert [len(cell.made) for cell in result.cells] == [3, 3, 3]
    for one, same, there in zip(*(result.cells for result in found.values()), strict=True):
        assert_same(one, same)
        assert_same(one, there)
        assert set(one.made[0]) == set(there.made[0])


def test_a_worker_that_dies_or_fails_costs_its_own_shard(address: str, tmp_path: Path, faults: Any) -> None:
    """Killed once it is tried once more; killed twice, or with an error, it is told; all others run once."""
    bad = {
        1: {"fault": "killed"},
        2: {"fault": "killed", "always": True},
        3: {"fault": "error", "always": True},
    }
    optimizers = [faults.optimizer(number, **bad.get(number, {})) for number in range(7)]
    result = search(tmp_path / "arena", *optimizers, engine="ray")
    assert sorted(dict(cell.about["optimizer"]["settings"])["number"] for cell in result.cells) == [0, 1, 4, 5, 6]
    assert all(cell.seeds.tolist() == [0, 1, 2, 3] for cell in result.cells)
    assert Counter(number for number, _ in faults.noted("start")) == Counter(range(7)) + Counter([1, 2])
    told = {label.partition("number=")[2][0]: error for label, error in result.failures}
    assert set(told) == {"2", "3"}
    assert "killed, twice" in told["2"]
    assert "RuntimeError: a bug of its own" in told["3"]


def test_a_node_that_dies_costs_no_shard(cluster: Cluster, address: str, notes: Path) -> None:
    """It is killed when a shard has ended on the other: by then one has begun there, which would stay for ever."""
    (second,) = cluster.worker_nodes
    noting = {"name": "noting:Noting", "notes": str(notes), "nodes": 2, "stay_on": second.node_id}
    study = Study(
        name="noting",
        optimizers=[{**noting, "number": number} for number in range(6)],
        benchmarks=BENCHMARK,
        seeds=2,
        budget=3,
    )
    outcomes = []
    try:
        for outcome in run_shards([Shard(cell, (0, 1)) for cell in study.cells()], None, "ray"):
            outcomes.append(outcome)
            if second in cluster.worker_nodes:
                cluster.remove_node(second, allow_graceful=False)
    finally:
        cluster.add_node(num_cpus=1)
    assert [outcome.error for outcome in outcomes] == [""] * 6
    assert sorted(dict(outcome.shard.cell.settings)["number"] for outcome in outcomes) == list(range(6))
    there = [path.name.startswith(second.node_id) for path in notes.iterdir()]
    assert (there.count(True), there.count(False)) == (1, 6)


def test_one_shard_runs_at_a_time_where_that_is_asked_for(address: str, faults: Any) -> None:
    shards = faults.shards([faults.optimizer(number) for number in range(8)])
    assert not any(outcome.error for outcome in run_shards(shards, 1, "ray"))
    ends = dict(faults.noted("end"))
    in_order = sorted(faults.noted("start"), key=lambda start: start[1])
    assert not any(after < ends[before] for (before, _), (_, after) in pairwise(in_order))


@pytest.mark.parametrize("jobs", [2, None])
def test_shards_run_together_where_that_is_asked_for_or_nothing(address: str, notes: Path, jobs: int | None) -> None:
    """Each waits until two have begun; one at a time they would wait in vain, and tell it as an error."""
    noting = {"name": "noting:Noting", "notes": str(notes), "nodes": 2}
    optimizers = [{**noting, "number": number} for number in range(2)]
    study = Study(name="noting", optimizers=optimizers, benchmarks=BENCHMARK, seeds=2, budget=3)
    outcomes = run_shards([Shard(cell, (0, 1)) for cell in study.cells()], jobs, "ray")
    assert [outcome.error for outcome in outcomes] == ["", ""]
    assert len(nodes_of(notes)) == 2


def test_the_callers_connection_is_used_and_left_alone(address: str, tmp_path: Path) -> None:
    ray.init(address, log_to_driver=False, logging_level="ERROR")
    try:
        job = ray.get_runtime_context().get_job_id()
        assert not search(tmp_path, "random_search", engine="ray").failures
        assert ray.get_runtime_context().get_job_id() == job
    finally:
        ray.shutdown()


def start(optimizer: str, folder: Path, **variables: str) -> subprocess.Popen[str]:
    """A comparison from the command line, in a session of its own."""
    command = [
        sys.executable,
        "-c",
        # what runs in the background ignores Ctrl-C, and so would this
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); from harness.cli import main; main()",
        "compare",
        "-b",
        BENCHMARK,
        "-o",
        optimizer,
    ]
    command += ["--seeds", "3", "--budget", "30", "--engine", "ray", "--no-tracking"]
    pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
    return subprocess.Popen(
        command, cwd=folder, env=os.environ | variables, start_new_session=True, stdout=nowhere, stderr=pipe, text=True
    )


def test_a_class_of_the_current_folder_and_the_data_are_found(address: str, notes: Path, tmp_path: Path) -> None:
    """By workers that were started in another folder, with another environment."""
    (tmp_path / "data").mkdir()
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    optimizer = f"noting:Noting(notes={notes})"
    process = start(optimizer, tmp_path, NAS_ARENA_DATA="data", XDG_CACHE_HOME=cache)
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "")
    (cell,) = read_study(tmp_path / "arena" / "compare")
    assert cell.seeds.tolist() == [0, 1, 2]
    (note,) = notes.iterdir()
    about = {"NAS_ARENA_DATA": str(tmp_path / "data"), "XDG_CACHE_HOME": cache}
    assert json.loads(note.read_text(encoding="utf-8")) == about


def test_a_cluster_that_is_not_there_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))  # and nobody listens
        address = f"127.0.0.1:{closed.getsockname()[1]}"
        process = start("random_search", tmp_path, RAY_ADDRESS=address)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 2
    (line,) = errors.splitlines()
    assert line.startswith(f"nas-arena: RAY_ADDRESS names '{address}', where no Ray cluster can be reached")
    assert line.endswith("correct it, or unset it to search on this machine")


@pytest.mark.parametrize("address", ["nonsense", "auto:auto", "://", "127.0.0.1:99999"])
def test_an_address_that_cannot_be_one_is_named(address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", address)
    with pytest.raises(ArenaError) as told:
        search(tmp_path, "random_search", engine="ray")
    assert str(told.value).startswith(f"RAY_ADDRESS names {address!r}")
    assert len(str(told.value).splitlines()) == 1


def test_without_ray_it_is_told_how_to_install_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ArenaError, match=re.escape('pip install "nas-arena[ray]"')):
        search(tmp_path, "random_search", engine="ray")
    assert not list(tmp_path.iterdir())


def test_an_unknown_engine_is_told(tmp_path: Path) -> None:
    with pytest.raises(ArenaError, match=re.escape("unknown engine 'process'; did you mean 'processes'?")):
        search(tmp_path, "random_search", engine="process")
    assert not list(tmp_path.iterdir())


def session_of(process: subprocess.Popen[str]) -> dict[int, str]:
    """The commands of all processes of its session, by their numbers."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has just ended
            name, _, fields = (folder / "stat").read_text().rpartition(")")
            state, _, _, session = fields.split()[:4]
            if int(session) == process.pid and state != "Z":
                found[int(folder.name)] = name.partition("(")[2]
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("when", ["when Ray starts", "when shards run"])
def test_ctrl_c_leaves_nothing_of_a_local_ray(when: str, notes: Path, tmp_path: Path) -> None:
    optimizer = f"noting:Noting(notes={notes}, stay_on=any)"
    process = start(optimizer, tmp_path, RAY_ADDRESS="")
    deadline = time.monotonic() + PATIENCE
    while not (any(notes.iterdir()) if when == "when shards run" else "gcs_server" in session_of(process).values()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert errors == "\nstopped; what was finished is on record, and the same command goes on from there\n"
    assert session_of(process) == {}
