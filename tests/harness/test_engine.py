"""Shards in processes: a worker that dies or fails costs its own shard and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from harness.engine import Outcome, run_shards

BENCHMARK = "nasbench201(reported=validation)"


def number_of(outcome: Outcome) -> int:
    return int(dict(outcome.shard.cell.settings)["number"])


def errors_of(outcomes: list[Outcome]) -> dict[int, str]:
    assert all((outcome.result is None) == bool(outcome.error) for outcome in outcomes)
    return {number_of(outcome): outcome.error for outcome in outcomes if outcome.error}


def test_a_worker_killed_once_costs_no_shard(faults: Any) -> None:
    shards = faults.shards([faults.optimizer(number, fault="killed" if number == 3 else "") for number in range(8)])
    outcomes = list(run_shards(shards, jobs=2))
    assert sorted(map(number_of, outcomes)) == list(range(8))
    assert errors_of(outcomes) == {}
    starts = Counter(number for number, _ in faults.noted("start"))
    assert starts[3] == 2
    assert max(starts.values()) == 2, "every shard is tried at most twice"


def test_two_workers_killed_once_each_cost_no_shard(faults: Any) -> None:
    """The second shard is not begun when the first one's worker dies: it has both of its own tries before it."""
    shards = faults.shards(
        [faults.optimizer(number, fault="killed" if number in (0, 11) else "") for number in range(12)]
    )
    outcomes = list(run_shards(shards, jobs=2))
    assert sorted(map(number_of, outcomes)) == list(range(12))
    assert errors_of(outcomes) == {}


def test_a_worker_killed_always_costs_its_own_shard_alone(faults: Any) -> None:
    """Two of them, one in flight beside the other."""
    bad = {"fault": "killed", "always": True}
    shards = faults.shards([faults.optimizer(number, **(bad if number in (2, 3) else {})) for number in range(7)])
    outcomes = list(run_shards(shards, jobs=2))
    assert sorted(map(number_of, outcomes)) == list(range(7))
    errors = errors_of(outcomes)
    assert set(errors) == {2, 3}
    assert all("killed" in error for error in errors.values())


def test_after_a_killed_worker_the_others_still_run_side_by_side(faults: Any) -> None:
    shards = faults.shards([faults.optimizer(number, fault="killed" if number == 0 else "") for number in range(20)])
    assert errors_of(list(run_shards(shards, jobs=2))) == {}
    ends = dict(faults.noted("end"))
    starts = dict(faults.noted("start"))
    late = sorted(range(12, 20), key=starts.__getitem__)
    assert any(starts[after] < ends[before] for before, after in pairwise(late))


def test_an_error_is_its_own_shards_alone(faults: Any) -> None:
    """An error is no accident: it is told at once, with its traceback, and not tried again."""
    shards = faults.shards(
        [faults.optimizer(number, **({"fault": "error", "always": True} if number == 1 else {})) for number in range(5)]
    )
    outcomes = list(run_shards(shards, jobs=2))
    assert sorted(map(number_of, outcomes)) == list(range(5))
    errors = errors_of(outcomes)
    assert set(errors) == {1}
    assert "RuntimeError: a bug of its own" in errors[1]
    assert [number for number, _ in faults.noted("start")].count(1) == 1


@pytest.mark.parametrize(
    ("fault", "always", "failing"), [("killed", False, False), ("killed", True, True), ("error", True, True)]
)
def test_a_benchmark_that_fails_in_a_worker(faults: Any, fault: str, always: bool, failing: bool) -> None:
    benchmarks = [
        BENCHMARK,
        {
            "name": f"{faults.module}:FaultyBenchmark",
            "notes": str(faults.notes),
            "parent": os.getpid(),
            "fault": fault,
            "always": always,
        },
    ]
    outcomes = list(run_shards(faults.shards([faults.optimizer(0), faults.optimizer(1)], benchmarks), jobs=2))
    failed = [outcome for outcome in outcomes if outcome.error]
    assert len(outcomes) == 4
    assert [outcome.shard.cell.benchmark for outcome in failed] == [benchmarks[1]["name"]] * (2 * failing)
    assert all(("killed" if fault == "killed" else "a bug of its own") in outcome.error for outcome in failed)


SLEEPERS = """
import os, sys, time
from dataclasses import dataclass
from pathlib import Path

@dataclass(frozen=True)
class Sleeper:
    seeds: tuple
    name: str = "sleeper"

    def run(self):
        Path(f"{os.getpid()}.pid").touch()
        time.sleep(60)

if __name__ == "__main__":
    from harness.engine import run_shards
    from sleepers import Sleeper
    list(run_shards([Sleeper((seed,)) for seed in range(2)], 2))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
def test_workers_end_with_a_process_that_is_killed(tmp_path: Path) -> None:
    (tmp_path / "sleepers.py").write_text(SLEEPERS)
    with subprocess.Popen([sys.executable, "sleepers.py"], cwd=tmp_path) as parent:
        workers = _until(lambda: found if len(found := list(tmp_path.glob("*.pid"))) == 2 else None)
        parent.kill()
    assert _until(lambda: not any(_runs(file.stem) for file in workers))


def _runs(pid: str) -> bool:
    """Whether a process is at work; one that nobody has waited for yet is not."""
    try:
        return Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _until(look: Callable[[], Any]) -> Any:
    """What is seen in the end; a minute is longer than workers take to start, and shorter than they sleep."""
    end = time.monotonic() + 50
    while not (seen := look()) and time.monotonic() < end:
        time.sleep(0.1)
    return seen
