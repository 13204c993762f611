"""What the mirror in MLflow costs.

    python speed/mirror.py [REPEATS]

Prints the median and the range over the repeats, for a study of 300 cells (200 seeds of 1,000 evaluations each) and one
of 1,020 trials (60 cells of 17 seeds): seconds to mirror it into a new SQLite store, and again with nothing missing,
each by `nas-arena sync` in a process of its own, the start of which counts. The goals are 40, 60 and 3 seconds. Then
how long the search itself takes with and without tracking, from the start of a run in this process until the last cell
is on record: it is to wait for none of it. The data folder is not needed.
"""

from __future__ import annotations

import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter
from typing import Any

from harness.engine import Outcome
from nas_arena import Study, run

DATASETS = ("cifar10", "cifar100", "imagenet16-120")
NASBENCH201 = [f"nasbench201(dataset={dataset}, reported=validation)" for dataset in DATASETS]
GRID = {"lam": [2, 4, 6, 8], "alpha": [1.2, 1.5, 2.0, 2.5, 3.0]}
CELLS: dict[str, Any] = {
    "name": "cells",
    "optimizers": [{"name": "asng", "vary": {**GRID, "delta_init": [0.1, 0.3, 1.0, 2.0, 3.0]}}],
    "benchmarks": NASBENCH201,
    "seeds": 200,
    "budget": 1000,
    "report_at": [100, 300],
}
TRIALS: dict[str, Any] = {
    "name": "trials",
    "optimizers": [{"name": "asng", "vary": {**GRID, "lam": [2, 8]}}, "random_search", "regularized_evolution"],
    "benchmarks": [*NASBENCH201, "hpolib(dataset=protein_structure)", "nasbench_graph(dataset=cora)"],
    "seeds": 17,
    "budget": 1000,
    "report_at": [100, 300],
}


class Clock:
    """Reads how long a run takes until everything is on record."""

    def __init__(self) -> None:
        self.began = self.seconds = perf_counter()

    def planned(self, searches: int) -> None:
        pass

    def done(self, outcome: Outcome[Any]) -> None:
        self.seconds = perf_counter() - self.began

    def finished(self, result: Any) -> None:
        pass


def seconds_to_sync(folder: Path) -> float:
    command = [str(Path(sys.executable).with_name("nas-arena")), "sync", folder.name]
    began = perf_counter()
    subprocess.run(command, cwd=folder.parents[1], check=True, capture_output=True)
    return perf_counter() - began


def seconds_to_search(arena: Path, tracking: bool) -> float:
    clock = Clock()
    result = run(Study(**CELLS), arena=arena, tracking=tracking, progress=clock)
    if result.mirror_problem:
        raise RuntimeError(result.mirror_problem)
    return clock.seconds


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    times: dict[str, list[float]] = {}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as place:
            arena = Path(place) / "arena"
            times.setdefault("search of 300 cells, no tracking", []).append(seconds_to_search(arena, tracking=False))
            run(Study(**TRIALS), arena=arena, tracking=False)
            for study, called in ((CELLS, "300 cells"), (TRIALS, "1,020 trials")):
                times.setdefault(f"{called}, new store", []).append(seconds_to_sync(arena / study["name"]))
                times.setdefault(f"{called}, nothing missing", []).append(seconds_to_sync(arena / study["name"]))
                shutil.rmtree(arena.parent / "mlruns")
                (arena.parent / "mlflow.db").unlink()
            tracked = Path(place) / "tracked" / "arena"
            times.setdefault("search of 300 cells, tracked", []).append(seconds_to_search(tracked, tracking=True))
    print(
        f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, {repeats} repeats; ", end=""
    )
    print("seconds: median [lowest, highest]")
    for name, values in sorted(times.items()):
        print(f"{name:35} {statistics.median(values):7.2f} [{min(values):.2f}, {max(values):.2f}]")


if __name__ == "__main__":
    main()
