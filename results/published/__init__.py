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
    text = resources.files("results.published").joinpath(f"{benchmark}.toml").read_text(encoding="utf-8")
    results: list[dict[str, Any]] = tomllib.loads(text)["result"]
    return results
