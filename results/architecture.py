"""Architectures on record: from a rank in a space to the names of its values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def names_of(space: Mapping[str, Any]) -> list[list[str]]:
    """The values of every variable, by name; a number as it is written.

    Args:
        space: as ``cell.json`` has it.
    """
    variables = space["variables"]
    return [
        list(one["choices"]) if "choices" in one else [f"{value:g}" for value in one["values"]] for one in variables
    ]


def values_at(space: Mapping[str, Any], ranks: ArrayLike) -> NDArray[np.str_]:
    """The names that architectures take: str [..., V].

    Args:
        space: as ``cell.json`` has it.
        ranks: int [...], mixed-radix, the last variable counting fastest.
    """
    names = names_of(space)
    places = np.unravel_index(np.asarray(ranks), [len(values) for values in names])
    return np.stack([np.array(values)[place] for values, place in zip(names, places, strict=True)], axis=-1)
