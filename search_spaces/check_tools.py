"""What the checks of a benchmark, and the examples that they print, are written in."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from search_spaces.benchmark import Floats, TabularBenchmark
from search_spaces.space import Ints

Make = Callable[..., TabularBenchmark]

LOOKUPS = ("search_loss", "final_loss", "seconds", "feasible")


def every_architecture(benchmark: TabularBenchmark) -> Ints:
    """int [N, V], by rank."""
    return benchmark.space.architectures(np.arange(benchmark.space.size))


def some_architectures(benchmark: TabularBenchmark) -> Ints:
    """int [n, V]: the first, the last, every so many between, and some infeasible ones where there are any."""
    size = benchmark.space.size
    infeasible = np.flatnonzero(~benchmark.is_feasible)[:50]
    return benchmark.space.architectures(
        np.concatenate([np.linspace(0, size - 1, min(size, 500)).astype(int), infeasible])
    )


def recorded_trials(benchmark: TabularBenchmark) -> tuple[Floats, Ints]:
    """The trials [N, T] of every architecture, and how many of them exist [N]."""
    trials, counts = benchmark.tables.trials, benchmark.tables.trial_counts
    assert trials is not None, "tables.trials is None"
    assert counts is not None, "tables.trial_counts is None"
    return trials, counts


def same(one: Any, other: Any) -> bool:
    """Whether two arrays, or two numbers, are equal; NaN equals NaN."""
    first, second = np.asarray(one), np.asarray(other)
    return np.array_equal(first, second, equal_nan=first.dtype.kind == second.dtype.kind == "f")


def table_difference(one: TabularBenchmark, other: TabularBenchmark) -> str:
    """The first table in which two benchmarks differ, or ""."""
    for name in ("search", "final", "seconds", "trials", "trial_counts"):
        first, second = getattr(one.tables, name), getattr(other.tables, name)
        if (first is None) != (second is None) or (first is not None and not same(first, second)):
            return f"table {name!r} differs"
    secondary = one.tables.secondary, other.tables.secondary
    if secondary[0].keys() != secondary[1].keys():
        return "the secondary numbers have other names"
    return next((f"table {name!r} differs" for name in secondary[0] if not same(*(s[name] for s in secondary))), "")


def global_random_state() -> bytes:
    """The states of numpy's global generator and of Python's."""
    return pickle.dumps((np.random.get_state(), random.getstate()))  # noqa: NPY002 whether others use it
