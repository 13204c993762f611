"""Where shards run: in this process, in local processes by joblib, or on a Ray cluster (``ray_engine``).

A shard gives the same numbers everywhere.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from time import perf_counter, process_time
from typing import Any, Generic, Protocol, TypeVar

from harness.cell import Cell
from harness.machine import machine, peak_mebibytes
from harness.tabular import SearchResult, checkpoints, search
from optimizers.streams import Streams
from search_spaces.errors import ArenaError, unknown

ENGINES = ("processes", "ray")
KILLED = "its worker process was killed, twice (out of memory?)"


class Work(Protocol):
    """What one worker runs at a time. It is pickled, and so is what it comes to."""

    @property
    def name(self) -> str:
        """What it is called where it fails."""

    @property
    def seeds(self) -> tuple[int, ...]: ...

    def run(self) -> Any:
        """The result."""


W = TypeVar("W", bound=Work)


@dataclass(frozen=True)
class Shard:
    """Some seeds of a cell."""

    cell: Cell
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.cell.name

    def run(self) -> SearchResult:
        """Searches."""
        cell, benchmark = self.cell, self.cell.load()
        return search(
            cell.make_optimizer(self.seeds),
            benchmark,
            cell.budget,
            checkpoints(cell.budget, cell.report_at, benchmark, cell.time_factor),
            time_factor=cell.time_factor,
            noise=None if cell.noise is None else Streams(self.seeds, "noise", cell.stream),
            report=cell.load_report(),
            noise_sd=cell.noise if isinstance(cell.noise, float) else None,
        )


@dataclass(frozen=True)
class Outcome(Generic[W]):
    """What became of a shard: a result, what it cost and where, or why there is none."""

    shard: W
    result: Any
    cost: dict[str, Any]
    error: str = ""


def run_shard(shard: W) -> Outcome[W]:
    """Runs one shard. An error is returned and not raised, so that the other shards go on."""
    wall, cpu = perf_counter(), process_time()
    try:
        result = shard.run()
    except ArenaError as error:  # it tells the mend
        return Outcome(shard, None, {}, str(error))
    except Exception:
        return Outcome(shard, None, {}, traceback.format_exc())
    cost = {
        "wall_seconds": perf_counter() - wall,
        "cpu_seconds": process_time() - cpu,
        "peak_mebibytes": peak_mebibytes(),
    }
    return Outcome(shard, result, {**machine(), **cost})


def check_engine(engine: str) -> None:
    """Raises ArenaError for an engine that is unknown, or whose package is not installed."""
    if engine not in ENGINES:
        raise unknown("engine", engine, ENGINES)
    if engine == "ray":
        from harness.ray_engine import load_ray

        load_ray()


def run_shards(shards: Sequence[W], jobs: int | None, engine: str = "processes") -> Generator[Outcome[W], None, None]:
    """Runs all shards, ``jobs`` at a time, and gives each outcome as it comes. To be closed, wherever one stops.

    Raises:
        ArenaError: for a Ray cluster that cannot be reached or started.
    """
    if engine == "ray":
        from harness.ray_engine import run_on_ray

        return run_on_ray(shards, jobs)
    return _run_in_processes(shards, min(jobs or default_jobs(), max(len(shards), 1)))


def _run_in_processes(shards: Sequence[W], jobs: int) -> Generator[Outcome[W], None, None]:
    """A shard whose worker was killed is tried once more, alone, so that it can take no other shard with it again."""
    if jobs == 1 or len(shards) == 1:
        yield from map(run_shard, shards)
        return
    rest = list(range(len(shards)))
    while rest:
        lost = set(rest)
        for place, outcome in _in_processes(shards, rest, jobs):
            lost.discard(place)
            yield outcome
        # joblib hands shards out in their order, 2 * jobs ahead: the one whose worker died is among the first
        suspects, rest = sorted(lost)[: 2 * jobs], sorted(lost)[2 * jobs :]
        for place in suspects:
            again = [outcome for _, outcome in _in_processes(shards, [place], 2)]  # joblib runs 1 job in this process
            yield from again or [Outcome(shards[place], None, {}, KILLED)]


def default_jobs() -> int:
    """One process a core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def absolute_path() -> list[str]:
    """``sys.path`` as other processes can use it: "" is the current folder of this one, and theirs may be another."""
    return [str(Path(folder).absolute()) for folder in sys.path]


def _in_processes(shards: Sequence[W], places: list[int], jobs: int) -> Iterator[tuple[int, Outcome[W]]]:
    """Outcomes until all are there or a worker dies."""
    from joblib import Parallel, delayed  # 0.2 s
    from joblib.externals.loky.process_executor import TerminatedWorkerError

    parallel = Parallel(n_jobs=jobs, return_as="generator_unordered", batch_size=1)
    try:
        yield from parallel(delayed(_in_worker)(place, shards[place], absolute_path()) for place in places)
    except TerminatedWorkerError:
        return


def _in_worker(place: int, shard: W, path: list[str]) -> tuple[int, Outcome[W]]:
    _end_with_parent()
    warnings.filterwarnings("ignore", message="cannot write the cache")  # the parent has said so
    sys.path[:] = path  # a worker may be older than the folder of a user's own optimizer in its parent's path
    return place, run_shard(shard)


@cache
def _end_with_parent() -> None:
    """Has this worker end soon after the process that it works for: killed, that one could not tell it, and a search
    would go on for hours for nobody, writing into the log of the one that takes its place.
    """
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()
