"""Command lines that tests give, and what is expected of the one line that a mistake ends in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

BENCHMARK = "nasbench201(reported=validation)"  # the same with and without NAS_ARENA_DATA
MODULE = """
from nas_arena import SamplingOptimizer
from optimizers.random_search import RandomSearch

class Mine(RandomSearch):
    def __init__(self, space, seeds, *, shift: int = 0, stream=0):
        super().__init__(space, seeds, stream=stream)
"""

VALUES: dict[str, Any] = {
    "name": "mine",
    "optimizers": ["asng"],
    "benchmarks": [BENCHMARK],
    "seeds": 1,
    "budget": 5,
}

Fails = Callable[..., str]


def comparison(
    *options: str, optimizers: tuple[str, ...] = ("random_search",), benchmark: str = BENCHMARK
) -> list[str]:
    chosen = [part for optimizer in optimizers for part in ("-o", optimizer)]
    return ["compare", "-b", benchmark, *chosen, "--seeds=1", "--budget=5", "--jobs=1", *options]


def optimizer(text: str) -> list[str]:
    return comparison(optimizers=(text,))


def benchmark(text: str) -> list[str]:
    return comparison(benchmark=text)


def the_line(text: str) -> str:
    """The only line of standard error."""
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1, text
    assert text.startswith("nas-arena: ")
    assert "Traceback" not in text
    return text.removesuffix("\n").removeprefix("nas-arena: ")
