"""Variables and search spaces. An architecture is a row of V integers, one value number a variable."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import pairwise
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.errors import ArenaError

Ints = NDArray[np.int64]

MOST_VALUES = 1_000_000  # of an Integer: every value is kept


@dataclass(frozen=True)
class Categorical:
    """A variable that takes one of several named choices, without order."""

    name: str
    choices: tuple[str, ...]

    def __init__(self, name: str, choices: Iterable[str]) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "choices", tuple(choices))
        if not self.choices:
            raise ArenaError(f"variable {name!r} has no choices; give at least one")
        if len(set(self.choices)) < len(self.choices):
            raise ArenaError(f"variable {name!r} repeats a choice: {', '.join(map(str, self.choices))}")

    def __len__(self) -> int:
        return len(self.choices)

    def to_dict(self) -> dict[str, Any]:
        """A description for JSON."""
        return {"kind": "categorical", "name": self.name, "choices": list(self.choices)}


@dataclass(frozen=True)
class Ordinal:
    """A variable that takes one of several numbers in increasing order. Optimizers see the rank, 0 to K-1."""

    name: str
    values: tuple[float, ...]

    def __init__(self, name: str, values: Iterable[float]) -> None:
        object.__setattr__(self, "name", name)
        plain = (value.item() if isinstance(value, np.generic) else value for value in values)  # JSON knows no numpy
        object.__setattr__(self, "values", tuple(plain))
        if not self.values:
            raise ArenaError(f"ordinal {name!r} has no values; give at least one")
        numbers = all(isinstance(value, Real) and math.isfinite(value) for value in self.values)
        if not numbers or any(low >= high for low, high in pairwise(self.values)):
            raise ArenaError(
                f"the values of ordinal {name!r} must be finite numbers that increase, not {_shown(self.values)}; "
                "make it a Categorical if they have no order"
            )

    def __len__(self) -> int:
        return len(self.values)

    def to_dict(self) -> dict[str, Any]:
        """A description for JSON."""
        return {"kind": "ordinal", "name": self.name, "values": list(self.values)}


def Integer(name: str, low: int, high: int) -> Ordinal:  # noqa: N802 it makes a variable, as the classes do
    """The ordinal of all whole numbers from ``low`` to ``high``, both included."""
    if high < low:
        raise ArenaError(f"integer {name!r} runs from {low} to {high}; give the lower end first")
    if high - low >= MOST_VALUES:
        raise ArenaError(
            f"integer {name!r} has {high - low + 1:,} values; an Ordinal takes {MOST_VALUES:,}, spaced wider"
        )
    return Ordinal(name, range(low, high + 1))


Variable = Categorical | Ordinal


@dataclass(frozen=True)
class SearchSpace:
    """The product of V variables.

    Attributes:
        variables: the variables, in the order of an architecture's columns.
        sizes: int [V], the number of values of each variable.
        ordinal: bool [V], which variables are ordinal.
        size: the number of architectures, a Python int (it may pass 2^63).
    """

    variables: tuple[Variable, ...]
    sizes: Ints = field(init=False, repr=False, compare=False)
    ordinal: NDArray[np.bool_] = field(init=False, repr=False, compare=False)
    size: int = field(init=False, compare=False)

    def __init__(self, variables: Iterable[Variable]) -> None:
        object.__setattr__(self, "variables", tuple(variables))
        if not self.variables:
            raise ArenaError("a search space needs at least one variable")
        names = [variable.name for variable in self.variables]
        if len(set(names)) < len(names):
            raise ArenaError(f"a search space repeats a variable's name: {', '.join(names)}")
        sizes = np.array([len(variable) for variable in self.variables], dtype=np.int64)
        ordinal = np.array([isinstance(variable, Ordinal) for variable in self.variables])
        for name, array in (("sizes", sizes), ("ordinal", ordinal)):
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        object.__setattr__(self, "size", math.prod(len(variable) for variable in self.variables))

    def __len__(self) -> int:
        return len(self.variables)

    def index(self, archs: ArrayLike) -> Ints:
        """The mixed-radix rank of architectures, the last variable counting fastest.

        Args:
            archs: int [..., V].

        Returns:
            int64 [...], between 0 and ``size`` - 1.

        Raises:
            ArenaError: for a wrong shape, a value out of range, or a space of 2^63 architectures and more.
        """
        archs = np.asarray(archs)
        if archs.ndim == 0 or archs.shape[-1] != len(self) or archs.dtype.kind not in "iu":
            raise ArenaError(
                f"architectures must be integers of shape [..., {len(self)}], not {archs.dtype} {list(archs.shape)}"
            )
        if self.size >= 2**63:
            raise ArenaError(f"a space of {self.size:.3g} architectures has no rank in 64 bits; only below 2^63")
        archs = archs.astype(np.int64, copy=False)
        if (archs.view(np.uint64) >= self.sizes.view(np.uint64)).any():  # a negative value is huge when unsigned
            bad = archs[((archs < 0) | (archs >= self.sizes)).any(-1)][0]
            raise ArenaError(
                f"architecture {bad.tolist()} is out of range; variables have {self.sizes.tolist()} values"
            )
        rank: Ints = archs[..., 0].copy()
        for v in range(1, len(self)):
            rank *= self.sizes[v]
            rank += archs[..., v]
        return rank

    def architectures(self, ranks: ArrayLike) -> Ints:
        """The architectures of given ranks: the inverse of :meth:`index`. int [...] to int64 [..., V]."""
        given = np.asarray(ranks)
        if given.dtype.kind not in "iu":
            raise ArenaError(f"ranks must be integers, not {given.dtype}")
        if given.size and (given.min() < 0 or int(given.max()) >= min(self.size, 2**63)):
            raise ArenaError(f"a rank lies between 0 and {min(self.size, 2**63) - 1}")
        rest = given.astype(np.int64)
        archs = np.empty((*rest.shape, len(self)), dtype=np.int64)
        for v in reversed(range(len(self))):
            rest, archs[..., v] = np.divmod(rest, self.sizes[v])
        return archs

    def opened(self) -> SearchSpace:
        """The same architectures with every ordinal as a categorical, which shows what an order is worth."""
        return SearchSpace(
            Categorical(variable.name, map(str, variable.values)) if isinstance(variable, Ordinal) else variable
            for variable in self.variables
        )

    def to_dict(self) -> dict[str, Any]:
        """A description for JSON: every variable's kind, name and values."""
        return {"variables": [variable.to_dict() for variable in self.variables]}


def _shown(values: tuple[Any, ...]) -> str:
    return str(list(values)) if len(values) <= 8 else f"[{', '.join(map(str, values[:6]))}, ...]"
