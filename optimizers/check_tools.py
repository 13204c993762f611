"""What the checks of an optimizer, and the examples that they print, are written in."""

from __future__ import annotations

import pickle
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.base import Floats, Optimizer
from search_spaces.space import Ints, SearchSpace

Make = Callable[..., Optimizer]


@dataclass(frozen=True)
class Loss:
    """A loss of architectures int [..., V], by the expression that an example shows; nothing in it is transcendental,
    so that it is the same to the last bit for one architecture and for thousands."""

    expression: str

    def __call__(self, archs: Ints) -> Floats:
        losses: Floats = _function(self.expression)(archs)
        return losses


@cache
def _function(expression: str) -> Callable[[Ints], Any]:
    function: Callable[[Ints], Any] = eval(f"lambda archs: {expression}", {"np": np})
    return function


def advance(optimizer: Optimizer, steps: int, loss: Callable[[Ints], Floats]) -> list[Ints]:
    """The architectures of some steps."""
    asked = []
    for _ in range(steps):
        asked.append(optimizer.ask())
        optimizer.tell(asked[-1], loss(asked[-1]))
    return asked


def described(value: object) -> str:
    """The type, shape and memory order of what should be an array."""
    if not isinstance(value, np.ndarray):
        return type(value).__name__
    order = "" if value.flags.c_contiguous else ", not C-contiguous"
    return f"{value.dtype} {list(value.shape)}{order}"


def outside(archs: Ints, space: SearchSpace) -> str:
    """The first architecture of [..., V] with a value out of its variable's range, or ""."""
    bad = ((archs < 0) | (archs >= space.sizes)).any(-1)
    return f"{archs[bad][0].tolist()}, with {space.sizes.tolist()} values" if bad.any() else ""


def off_simplex(probabilities: Floats | None, space: SearchSpace) -> str:
    """What is wrong with distributions [R, V, Kmax] of a space's variables, or ""; None is no distribution."""
    if probabilities is None:
        return ""
    if not (probabilities >= 0).all():
        return f"a probability of {probabilities[~(probabilities >= 0)][0]}"
    beyond = np.arange(probabilities.shape[-1]) >= space.sizes[:, None]
    if (probabilities[:, beyond] != 0).any():
        return "a probability above 0 beyond a variable's number of values"
    total = probabilities.sum(-1)
    return "" if np.allclose(total, 1, rtol=0, atol=1e-9) else f"probabilities that sum to {total.flat[_worst(total)]}"


def _worst(total: Floats) -> int:
    return int(np.abs(total - 1).argmax())


def seen(optimizer: Optimizer) -> dict[str, Any]:
    """Everything that can be seen of an optimizer between a tell and an ask, by how it was asked for."""
    found: dict[str, Any] = {"recommend()": optimizer.recommend()}
    found |= {f"diagnostics()[{name!r}]": values for name, values in optimizer.diagnostics().items()}
    found |= {f"state_dict()[{name!r}]": value for name, value in optimizer.state_dict().items()}
    probabilities = optimizer.probabilities
    return found if probabilities is None else {**found, "probabilities": probabilities}


def difference(one: Mapping[str, Any], other: Mapping[str, Any], places: Any = slice(None)) -> str:
    """The first difference of what was seen of two optimizers, or ""; ``places`` picks seeds of the first."""
    if one.keys() != other.keys():
        return f"{', '.join(sorted(one.keys() ^ other.keys()))} is there once only"
    for name, value in one.items():
        first, second = np.asarray(value), np.asarray(other[name])
        first = first[places] if first.ndim else first
        if first.shape != second.shape:
            return f"{name} has the shapes {list(first.shape)} and {list(second.shape)}"
        unequal = first != second
        if first.dtype.kind == second.dtype.kind == "f":
            unequal &= ~(np.isnan(first) & np.isnan(second))
        if unequal.any():
            place = tuple(int(i) for i in np.argwhere(unequal)[0])
            return f"{name}{list(place) or ''} is {first[place]!s} and {second[place]!s}"
    return ""


def unequal(one: Ints, other: Ints) -> str:
    """The first architectures in which two asks or samples [R, B, V] differ, or ""."""
    if one.shape != other.shape:
        return f"{list(one.shape)} and {list(other.shape)} architectures"
    differ = (one != other).any(-1)
    if not differ.any():
        return ""
    r, b = np.argwhere(differ)[0].tolist()
    return f"{one[r, b].tolist()} and {other[r, b].tolist()} (number {b} of the seed in place {r})"


def spoil(found: Mapping[str, Any]) -> None:
    """Overwrites every array that can be."""
    for value in found.values():
        if isinstance(value, np.ndarray) and value.flags.writeable:
            value[...] = 1


def global_random_state() -> bytes:
    """The states of numpy's global generator and of Python's."""
    return pickle.dumps((np.random.get_state(), random.getstate()))  # noqa: NPY002 whether others use it


def first_best(archs: list[Ints], losses: list[Floats]) -> Ints:
    """The architecture of the lowest loss, a seed: [R, B, V] and [R, B] a step to int64 [R, V]. The first of ties; NaN
    counts as +inf."""
    every_arch, every_loss = np.concatenate(archs, axis=1), np.concatenate(losses, axis=1)
    first: NDArray[np.int64] = np.where(np.isnan(every_loss), np.inf, every_loss).argmin(axis=1)
    best: Ints = every_arch[np.arange(len(first)), first]
    return best
