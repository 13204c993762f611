"""The base of optimizers that are other packages': one object of theirs a seed, saved by replaying what it was told.

Such an object draws its own random numbers, from a seed of 32 bits that is drawn from the stream of ours, and hides its
state. Both are deterministic: made anew and told the same losses, it goes on as the first one would have.
"""

from __future__ import annotations

import importlib
from abc import abstractmethod
from collections.abc import Iterable
from typing import Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from optimizers.base import BestSeen, Floats, Optimizer
from search_spaces.errors import ArenaError, missing_extra
from search_spaces.space import Ints, SearchSpace


class Run(Protocol):
    """The search of one seed."""

    def ask(self) -> Ints:
        """The next architectures: int64 [B, V]."""

    def tell(self, losses: list[float]) -> None:
        """Takes their losses, in their order; none is NaN, +inf is the worst."""


class Adapter(Optimizer):
    """Runs the object of a package a seed, one after the other; recommends the best seen.

    A subclass names its ``package``, imports it by :func:`imported` when it is made, writes ``_run``, and calls
    ``_begin`` when its settings are there. ``_run`` is never called on a space with a single architecture.

    Raises:
        MissingExtra: where the package is not installed.
    """

    recommends = "best seen"
    most_seeds = 16
    histories: ClassVar[tuple[str, ...]] = ("archs", "losses")

    def __init__(self, space: SearchSpace, seeds: Iterable[int], *, stream: str | int = 0) -> None:
        super().__init__(space, seeds, stream=stream)
        self._library_seeds = (self.streams.draw(1)[0] * 2**32).astype(np.int64)

    @abstractmethod
    def _run(self, seed: int) -> Run:
        """The search of one seed, from its start; ``seed`` is below 2^32."""

    def _begin(self) -> None:
        seeds = self._library_seeds[: len(self.seeds)].tolist() if self.space.size > 1 else []
        self._runs = [self._run(seed) for seed in seeds]
        self._best = BestSeen(self.space, self.columns)
        self._archs = [np.empty((0, len(self.space), self.columns), dtype=np.int64)]
        self._losses = [np.empty((0, self.columns))]

    def _ask(self) -> Ints:
        if not self._runs:
            return np.zeros((1, len(self.space), self.columns), dtype=np.int64)
        return self._inward(np.stack([run.ask() for run in self._runs]))

    def _tell(self, archs: Ints, losses: Floats) -> None:
        for column, run in enumerate(self._runs):
            run.tell(losses[:, column].tolist())
        self._archs.append(archs)
        self._losses.append(losses)
        self._best.update(archs, losses)

    def _recommend(self) -> Ints:
        return self._best.arch

    def _state(self) -> dict[str, NDArray[Any]]:
        archs, losses = np.concatenate(self._archs), np.concatenate(self._losses)
        return {"library_seeds": self._library_seeds, "archs": archs, "losses": losses}

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        self._library_seeds = state["library_seeds"]
        self._begin()
        told = 0
        while told < len(state["losses"]):
            archs = self._ask()
            batch = slice(told, told + len(archs))
            if not np.array_equal(archs, state["archs"][batch]):
                raise ArenaError(
                    f"{self.package} asks for other architectures than the state holds from evaluation {told} on; "
                    "load it with the settings and the version that it was saved with"
                )
            self._tell(archs, state["losses"][batch])
            told += len(archs)


def imported(package: str, user: str, extra: str = "") -> Any:
    """A package that only an extra of ours brings; that of the same name, if no other is given.

    Raises:
        MissingExtra: where it is not installed.
    """
    try:
        return importlib.import_module(package)
    except ModuleNotFoundError as error:
        if error.name != package:  # it is there, and lacks something itself
            raise
        raise missing_extra(user, package, extra or package) from None
