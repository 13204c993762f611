"""Numbers that papers report, each with its source and how sure it is."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any


def published(benchmark: str) -> list[dict[str, Any]]:
    """The published results on a benchmark.

    Each has ``method``, ``protocol`` (one of the file's protocols), ``checked`` (whether the digits were confirmed in a
    text that quotes them; else they are from memory and must not be printed as published), ``source``, and by data set
    ``[mean, standard deviation]`` of the test accuracy in percent.
    """
    results: list[dict[str, Any]] = _read(benchmark)["result"]
    return results


def toy_reference() -> dict[str, Any]:
    """Numbers on the toy problem to compare with: ``source``, ``problem`` and ``rows``, as the file explains."""
    return _read("step_size_toy")


def _read(name: str) -> dict[str, Any]:
    text = resources.files("results.published").joinpath(f"{name}.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)
