"""The speed of tabular search, whole loop with recording.

    pytest speed

The goals on two cores: 1,000 seeds x 1,000 evaluations of nasbench201 at 0.45 us an evaluation for asng (0.25 in
reach), sng and adam_sng, 0.4 for regularized evolution, 0.25 for random search, 0.7 for reinforce, pbil, cga and local
search; enas, in shards of its own size, 80 us an evaluation at ten architectures an update; 80 us a step of a single
seed of asng; less than 300 MiB a worker at 10,000 seeds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.cell import Cell
from harness.engine import run_shards
from harness.run import missing_shards
from harness.study import Study
from optimizers.registry import OPTIMIZERS
from search_spaces.data import data_folder_file
from search_spaces.registry import get_benchmark

WORKERS = 2
MADE_UP_FOLDER = Path("speed/nothing-on-record")  # so that every seed is missing


def one_cell(optimizer: str, budget: int, benchmark: str = "nasbench201") -> Cell:
    (cell,) = Study(name="speed", optimizers=[optimizer], benchmarks=[benchmark], seeds=1, budget=budget).cells()
    return cell


@pytest.mark.parametrize(
    ("optimizer", "benchmark_name"),
    [
        ("asng(lam=2)", "nasbench201"),
        ("asng(lam=8)", "nasbench201"),
        ("sng(lam=2)", "nasbench201"),
        ("sng(lam=8)", "nasbench201"),
        ("adam_sng(lam=2)", "nasbench201"),
        ("adam_sng(lam=8)", "nasbench201"),
        ("regularized_evolution", "nasbench201"),
        ("random_search", "nasbench201"),
        ("reinforce", "nasbench201"),
        ("pbil", "nasbench201"),
        ("cga", "nasbench201"),
        ("local_search", "nasbench201"),
        ("asng", "nats_size"),
        ("asng", "hpolib"),
    ],
)
def test_a_thousand_seeds_in_warm_workers(benchmark: Any, optimizer: str, benchmark_name: str) -> None:
    if benchmark_name == "nats_size" and data_folder_file("nats_sss.npz") is None:
        pytest.skip("nats_size is in NAS_ARENA_DATA alone")
    cell = one_cell(optimizer, 1000, benchmark_name)
    shards = missing_shards([cell], range(1000), MADE_UP_FOLDER)
    for outcome in run_shards(shards, WORKERS):  # imports and tables: the workers are warm after this
        assert not outcome.error, outcome.error
    outcomes = benchmark.pedantic(lambda: list(run_shards(shards, WORKERS)), rounds=5)
    assert sum(len(outcome.shard.seeds) for outcome in outcomes) == 1000
    benchmark.extra_info["per"] = 1000 * 1000, "evaluation"


@pytest.mark.parametrize("optimizer", ["asng(lam=2)", "regularized_evolution", "random_search"])
def test_a_step_of_one_seed(benchmark: Any, optimizer: str) -> None:
    """Ask, look up, tell."""
    cell = one_cell(optimizer, 1000)
    table, searcher = cell.load(), cell.make_optimizer((0,))

    def steps() -> None:
        for _ in range(1000):
            ranks = table.space.index(archs := searcher.ask())
            searcher.tell(archs, table.search_loss_at(ranks))

    benchmark.pedantic(steps, rounds=5, warmup_rounds=1)
    benchmark.extra_info["per"] = 1000, "step"


def test_ten_thousand_seeds(benchmark: Any) -> None:
    cell = one_cell("asng", 1000)
    shards = missing_shards([cell], range(10_000), MADE_UP_FOLDER)
    outcomes = benchmark.pedantic(lambda: list(run_shards(shards, WORKERS)), rounds=1)
    assert not any(outcome.error for outcome in outcomes)
    benchmark.extra_info["per"] = 10_000 * 1000, "evaluation"
    peak = max(outcome.cost["peak_mebibytes"] for outcome in outcomes)
    benchmark.extra_info["largest worker"] = f"{peak:.0f} MiB"


@pytest.mark.parametrize("name", ["nasbench201", "nasbench_graph", "hpolib", "hpobench"])
def test_a_cached_table(benchmark: Any, name: str) -> None:
    get_benchmark(name)
    benchmark.pedantic(get_benchmark, args=(name,), rounds=5)
    benchmark.extra_info["per"] = 1, "table"


@pytest.mark.parametrize(("optimizer", "budget"), [("enas(batch=10)", 1000), ("enas(batch=1)", 200)])
def test_full_shards_of_what_is_slow(benchmark: Any, optimizer: str, budget: int) -> None:
    """One shard a worker, as large as the optimizer takes. Last, as torch then stays in the workers' memory."""
    cell = one_cell(optimizer, budget)
    seeds = WORKERS * OPTIMIZERS.load(cell.optimizer).most_seeds
    shards = missing_shards([cell], range(seeds), MADE_UP_FOLDER)
    assert len(shards) == WORKERS
    for outcome in run_shards(shards, WORKERS):
        assert not outcome.error, outcome.error
    benchmark.pedantic(lambda: list(run_shards(shards, WORKERS)), rounds=3)
    benchmark.extra_info["per"] = seeds * budget, "evaluation"
