"""The study behind ``nas-arena ablate``: some optimizers with their settings varied, and random search beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.study import Study
from results.curves import is_number
from search_spaces.errors import ArenaError
from search_spaces.plugins import parse_selection, parse_values

BASELINE = "random_search"
LEAST_OF_A_CURVE = 3  # values; fewer are better read as rows


def ablation(
    optimizers: Sequence[str], vary: Sequence[str], benchmarks: Sequence[str], sweep: str | None, **others: Any
) -> Study:
    """A study of every combination.

    Args:
        optimizers: such as "asng", or "asng(lam=8)" where a setting is fixed.
        vary: such as "alpha=1.1,1.5,2", each the values of one setting.
        benchmarks: as in a study.
        sweep: the setting over which curves are drawn; None for the one with the most numeric values, if it has at
            least three.
        others: of :class:`~harness.study.Study`: name, seeds, budget, report_at.

    Raises:
        ArenaError: for values that cannot be read, and whatever a study refuses.
    """
    grid: dict[str, list[Any]] = {}
    for text in vary:
        name, equals, values = (part.strip() for part in text.partition("="))
        if not equals or not name.isidentifier():
            raise ArenaError(f"cannot read --vary {text!r}; write a setting and its values, as in alpha=1.1,1.5,2")
        if name in grid:
            raise ArenaError(f"--vary gives {name!r} twice; give all its values at once, as in {name}=1,2,3")
        grid[name] = parse_values(values)
    numeric = {name: len(values) for name, values in grid.items() if all(map(is_number, values))}
    if sweep is None:
        sweep = max(numeric, key=lambda name: numeric[name], default="")
        sweep = sweep if numeric.get(sweep, 0) >= LEAST_OF_A_CURVE else ""
    tables: list[Any] = []
    for text in optimizers:
        name, settings = parse_selection(text)
        tables.append({"name": name, **settings, "vary": grid})
    if not any(name == BASELINE for name, _ in map(parse_selection, optimizers)):
        tables.append(BASELINE)
    return Study(optimizers=tables, benchmarks=tuple(benchmarks), sweep=sweep, **others)
