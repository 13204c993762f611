"""NAS-Bench-Graph as its package has it, whose code runs in tests alone."""

from __future__ import annotations

import pickle
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces.nasbench_graph import LINKS, OPERATIONS, PROTEINS_OPERATIONS, NASBenchGraph
from search_spaces.registry import get_benchmark
from search_spaces.space import Ints

NAMES = ("cora", "citeseer", "pubmed", "cs", "physics", "photo", "computers", "arxiv", "proteins")
METRICS = {"latency_seconds": "latency", "parameters_millions": "para"}
REINSTALL = "pip install --force-reinstall --no-deps nas-bench-graph==1.4.0"
COUNTS = {"cora": (59_049, 59_040, 26_206), "proteins": (5_625, 5_616, 2_021)}  # encodings, feasible, records
SKIP = OPERATIONS.index("skip")


@cache
def load(name: str) -> NASBenchGraph:
    benchmark = get_benchmark("nasbench_graph", dataset=name)
    assert isinstance(benchmark, NASBenchGraph)
    return benchmark


def wheel(name: str) -> Path:
    return Path(str(metadata.distribution("nas-bench-graph").locate_file(f"nas_bench_graph/light/{name}.bench")))


@cache
def records(name: str) -> dict[int, dict[str, float]]:
    """What numpy itself reads of the package's file."""
    found: dict[int, dict[str, float]] = pickle.loads(wheel(name).read_bytes())
    return found


def operations(name: str) -> tuple[str, ...]:
    return PROTEINS_OPERATIONS if name == "proteins" else OPERATIONS


def official(name: str, arch: Any) -> Any:
    """An architecture of the package's own class."""
    from nas_bench_graph import Arch

    return Arch(list(LINKS[arch[0]]), [operations(name)[value] for value in arch[1:]])


def official_key(name: str, arch: Any) -> int:
    key: int = official(name, arch).valid_hash()
    return key


def places(name: str, count: int = 1000) -> Ints:
    """Random architectures, drawn by value: their ranks are the benchmark's business."""
    most = len(operations(name))
    rng = np.random.default_rng(2022)
    return np.column_stack([rng.integers(0, 9, count), rng.integers(0, most, (count, 4))])


def everything(name: str) -> Ints:
    space = load(name).space
    return space.architectures(np.arange(space.size))
