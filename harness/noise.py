"""The noise of a cell: how a study writes it, and what it is called."""

from __future__ import annotations

from typing import Any

from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError, unknown

MOST_NOISE = 1e100  # a standard deviation with which losses are still finite


def parse_noise(given: Any, where: str, benchmark: TabularBenchmark) -> str | float | None:
    """The noise of a cell from ``"trials"``, a standard deviation as a number or as ``{"sd": x}``, "none" or None."""
    if given is None or given == "none":
        return None
    if isinstance(given, dict) and set(given) == {"sd"}:
        given = given["sd"]
    if isinstance(given, (int, float)) and not isinstance(given, bool):
        if not 0 < given <= MOST_NOISE:
            raise ArenaError(f"the standard deviation of noise must be above 0 and at most {MOST_NOISE:g}, not {given}")
        return float(given)
    if given not in benchmark.noise_kinds:
        known = [*benchmark.noise_kinds, "none", f"a standard deviation in {benchmark.wording.unit} as noise=5"]
        raise unknown(f"noise for {where}:", given, known)
    return str(given)


def noise_suffix(noise: str | float | None) -> str:
    """What noise adds to the label of a benchmark."""
    if noise is None:
        return ""
    if isinstance(noise, str):
        return f"-{noise}"
    return f"-noise{int(noise) if noise == int(noise) else noise}"


def noise_in_words(noise: str | float | None, unit: str) -> str:
    """What noise adds to the sentence on what the search sees."""
    if noise is None:
        return ""
    if isinstance(noise, str):
        return ", seen as single recorded trials"
    return f", seen with normal noise of sd {noise:g} {unit}"
