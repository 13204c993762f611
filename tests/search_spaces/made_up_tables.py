"""Small made-up tables, whose every answer can be told by hand, and benchmarks of them."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from search_spaces.benchmark import Tables, TabularBenchmark, Wording
from search_spaces.space import Categorical, Integer, SearchSpace

NAN, INF = math.nan, math.inf
SPACE = SearchSpace([Integer("x", 1, 3), Categorical("y", "ab")])
WORDING = Wording(unit="points", searched="a made-up loss", reported="another", kind="test")
# ranks 1 and 4, the architectures [0, 1] and [2, 0], have no record
TABLES = Tables(
    search=np.array([[9.0, INF, 8.0, 7.0, INF, 6.0], [4.0, INF, 1.0, 100.0, INF, 10.0]]),
    final=np.array([3.0, NAN, 2.0, 20.0, NAN, 0.5]),
    seconds=np.array([[1.0, 1.0, 2.0, 3.0, 1.0, 4.0], [10.0, 10.0, 20.0, 30.0, 10.0, 40.0]]),
    trials=np.array([[3.0, 5.0], [NAN, NAN], [1.0, NAN], [90.0, 110.0], [NAN, NAN], [9.0, 11.0]]),
    trial_counts=np.array([2, 0, 1, 2, 0, 2]),
    secondary={"parameters": np.array([1.0, NAN, 3.0, 4.0, NAN, 6.0])},
)
ALL = SPACE.architectures(np.arange(SPACE.size))


def benchmark(
    *, space: SearchSpace = SPACE, fidelities: tuple[int, ...] = (1, 9), scale: Any = "linear", **changes: Any
) -> TabularBenchmark:
    return TabularBenchmark(
        dataset="made-up",
        space=space,
        fidelities=fidelities,
        wording=replace(WORDING, scale=scale),
        tables=replace(TABLES, **changes),
    )


def counted(losses: Any, final: Any = None, scale: Any = "linear") -> TabularBenchmark:
    """One variable that counts through a table of losses."""
    losses = np.asarray(losses, dtype=float)
    return TabularBenchmark(
        dataset="made-up",
        space=SearchSpace([Integer("rank", 1, losses.size)]),
        fidelities=(1,),
        wording=replace(WORDING, scale=scale),
        tables=Tables(search=losses[None], final=losses if final is None else np.asarray(final, dtype=float)),
    )
