"""What a study names: optimizers and benchmarks with their settings, and grids of settings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from search_spaces.errors import ArenaError
from search_spaces.plugins import parse_selection

MOST_CELLS = 1_000_000  # of a grid: more are a slip of the keyboard

Settings = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Selection:
    """A name with the settings that were given with it.

    Attributes:
        name: of an optimizer or a benchmark.
        settings: by name, sorted.
        seeds: how many of the study's seeds it gets, the first ones; None for all.
        varied: the names of the settings that a grid gave it.
    """

    name: str
    settings: Settings = ()
    seeds: int | None = None
    varied: tuple[str, ...] = ()

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={value}" for name, value in self.settings)
        return self.name + (f"({inside})" if inside else "")

    @classmethod
    def parse_all(cls, given: Any) -> Iterator[Selection]:
        """From ``"asng(lam=8)"``, or a table of a study file such as ``{"name": "asng", "lam": 8}``.

        A table may hold ``vary``, lists of values by setting: it stands for every combination, the last name fastest.
        """
        if isinstance(given, Selection):
            yield given
            return
        if isinstance(given, str):
            name, settings = parse_selection(given)
        elif isinstance(given, dict) and isinstance(given.get("name"), str):
            name, settings = given["name"], {key: value for key, value in given.items() if key != "name"}
        else:
            raise ArenaError(f"cannot read {given!r}; write 'asng(lam=8)' or a table with a name")
        seeds = settings.pop("seeds", None)
        if seeds is not None and (type(seeds) is not int or seeds < 1):
            raise ArenaError(f"seeds of {name} must be a whole number from 1 on, how many it gets, not {seeds!r}")
        for chosen in combinations(name, settings, settings.pop("vary", {})):
            yield cls(name, tuple(sorted({**settings, **chosen}.items())), seeds, tuple(sorted(chosen)))


def combinations(name: str, fixed: dict[str, Any], grid: Any) -> Iterator[dict[str, Any]]:
    """Every combination of the values of a grid, one empty one where there is none.

    Raises:
        ArenaError: for a grid that is none, an empty one, or a setting that is fixed as well.
    """
    if not isinstance(grid, dict):
        raise ArenaError(f"vary of {name} must be lists of values by setting, as {{alpha = [1.1, 1.5]}}, not {grid!r}")
    for setting, values in grid.items():
        if not isinstance(values, (list, tuple)):
            raise ArenaError(f"the values of {setting!r} to vary must be a list, not {values!r}")
        if not values:
            raise ArenaError(f"there are no values of {setting!r} to vary; give at least one")
        if setting in fixed:
            raise ArenaError(f"{setting!r} of {name} is both given and varied; leave one of them out")
    count = math.prod(len(values) for values in grid.values())
    if count > MOST_CELLS:
        raise ArenaError(f"varying {', '.join(grid)} of {name} gives {count:,} combinations; give fewer values")
    return (dict(zip(grid, chosen, strict=True)) for chosen in product(*grid.values()))
