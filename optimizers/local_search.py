"""Local search with restarts (White, Nolen and Savani, 2021): downhill by one variable at a time.

The neighbours of an architecture are all that differ in one variable, by any of its other values, ordinals alike.
From the authors' code (naszilla) this differs in what it remembers: it starts at one uniform architecture, theirs at
the best of ten, and it evaluates a neighbour again that it has met before, theirs never.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from optimizers.base import BestSeen, Floats, Optimizer, uniform_values
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace


class LocalSearch(Optimizer):
    """Evaluates neighbours in random order, one a step, and moves to a strictly better one; recommends the best seen.

    Each move draws the order of all neighbours anew. When none of them is better, the search starts again at a uniform
    architecture. The best seen is that of the losses told: with noisy losses it is often one that was lucky.

    Args:
        improvement: "first" moves to the first better neighbour, "best" to the best of all, the first of equals.
    """

    recommends = "best seen"
    citation = "White, Nolen and Savani, Exploring the Loss Landscape in Neural Architecture Search, UAI 2021"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        improvement: Literal["first", "best"] = "first",
        stream: str | int = 0,
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        if improvement not in ("first", "best"):
            raise ArenaError(f"improvement must be 'first' or 'best', not {improvement!r}")
        self.improvement = improvement
        self._sizes = space.sizes[:, None]
        # neighbour i changes variable self._variable[i], by self._step[i] values, around the end
        self._variable = np.repeat(np.arange(len(space)), space.sizes - 1)
        self._step = np.concatenate([np.arange(1, size) for size in space.sizes])
        self._neighbours = len(self._variable)
        self._column = np.arange(self.columns)
        self._best = BestSeen(space, self.columns)
        self._arch = np.zeros((len(space), self.columns), dtype=np.int64)
        self._loss = np.full(self.columns, np.inf)
        # the best so far of the architecture and its neighbours
        self._next_arch, self._next_loss = self._arch, self._loss
        # The first self._tried neighbours of the order are those evaluated since the last move; a seed that has tried
        # all of them starts again, as does one that has no architecture yet.
        self._order = np.arange(self._neighbours)[:, None].repeat(self.columns, axis=1)
        self._tried = np.full(self.columns, self._neighbours)

    def _ask(self) -> Ints:
        uniforms = self.streams.draw(len(self.space) + 1)
        fresh = uniform_values(uniforms[1:], self._sizes)
        if self._neighbours == 0:
            return fresh[None]
        # Fisher and Yates' shuffle, a place a step: it starts from any order, so that of the last sweep does
        starts = self._tried == self._neighbours
        place = np.minimum(self._tried, self._neighbours - 1)
        other = place + uniform_values(uniforms[0], self._neighbours - place)
        neighbour = self._order[other, self._column]
        self._order[other, self._column] = self._order[place, self._column]
        self._order[place, self._column] = neighbour

        variable = self._variable[neighbour]
        arch = self._arch.copy()
        value = arch[variable, self._column] + self._step[neighbour]
        arch[variable, self._column] = value % self.space.sizes[variable]
        return np.where(starts, fresh, arch)[None]

    def _tell(self, archs: Ints, losses: Floats) -> None:
        starts = self._tried == self._neighbours
        better = starts | (losses[0] < self._next_loss)
        self._next_arch = np.where(better, archs[0], self._next_arch)
        self._next_loss = np.where(better, losses[0], self._next_loss)
        tried = np.where(starts, self._neighbours, self._tried + 1)
        moves = starts | (self._next_loss < self._loss)
        if self.improvement == "best":
            moves &= tried == self._neighbours
        self._arch = np.where(moves, self._next_arch, self._arch)
        self._loss = np.where(moves, self._next_loss, self._loss)
        self._tried = np.where(moves, 0, tried)
        self._best.update(archs, losses)

    def _recommend(self) -> Ints:
        return self._best.arch

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            "arch": self._arch,
            "loss": self._loss,
            "next_arch": self._next_arch,
            "next_loss": self._next_loss,
            "order": self._order,
            "tried": self._tried,
            **self._best.state(),
        }

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        self._arch, self._loss = state["arch"], state["loss"]
        self._next_arch, self._next_loss = state["next_arch"], state["next_loss"]
        self._order, self._tried = state["order"], state["tried"]
        self._best.load(state)
