"""Regularized evolution (Real, Aggarwal, Huang and Le, AAAI 2019): tournament selection where the oldest dies."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.base import BestSeen, Floats, Optimizer, uniform_values
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace


class RegularizedEvolution(Optimizer):
    """Ageing evolution, one architecture a step; recommends the best seen.

    The first ``population`` architectures are uniform. Each later step draws ``sample_size`` members with replacement,
    takes the best of them (ties to the first drawn) as the parent, changes one of its variables to another value, each
    variable and value equally likely, and puts the child in the place of the oldest member.

    Args:
        population: the number of members that live, at least 1.
        sample_size: the number of members drawn for a tournament, at least 1.
    """

    recommends = "best seen"
    citation = "Real, Aggarwal, Huang and Le, Regularized Evolution for Image Classifier Architecture Search, AAAI 2019"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        population: int = 50,
        sample_size: int = 10,
        stream: str | int = 0,
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        for name, value in (("population", population), ("sample_size", sample_size)):
            if value < 1:
                raise ArenaError(f"{name} must be at least 1, not {value}")
        self.population, self.sample_size = population, sample_size
        self._sizes = space.sizes[:, None]
        self._mutable = np.flatnonzero(space.sizes > 1)  # a variable with one value has no other
        self._column = np.arange(self.columns)
        self._best = BestSeen(space, self.columns)
        # the living are a ring: the member told at step t lies at t % population, so the oldest is overwritten
        self._archs = np.zeros((population, len(space), self.columns), dtype=np.int64)
        self._losses = np.full((population, self.columns), np.inf)
        self._told = 0

    def _ask(self) -> Ints:
        if self._told < self.population or self._mutable.size == 0:
            return uniform_values(self.streams.draw(1, len(self.space)), self._sizes)
        uniforms = self.streams.draw(self.sample_size + 2)
        drawn = (uniforms[:-2] * self.population).astype(np.int64)
        winner = self._losses[drawn, self._column].argmin(axis=0)
        child = self._archs[drawn[winner, self._column], :, self._column].T
        variable = self._mutable[(uniforms[-2] * self._mutable.size).astype(np.int64)]
        size = self.space.sizes[variable]
        step = 1 + uniform_values(uniforms[-1], size - 1)
        child[variable, self._column] = (child[variable, self._column] + step) % size
        return child[None]

    def _tell(self, archs: Ints, losses: Floats) -> None:
        self._archs[self._told % self.population] = archs[0]
        self._losses[self._told % self.population] = losses[0]
        self._told += 1
        self._best.update(archs, losses)

    def _recommend(self) -> Ints:
        return self._best.arch

    def _state(self) -> dict[str, NDArray[Any]]:
        told = np.full(self.columns, self._told)
        return {"archs": self._archs, "losses": self._losses, "told": told, **self._best.state()}

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        self._archs, self._losses = state["archs"].copy(), state["losses"].copy()
        self._told = int(state["told"][0])
        self._best.load(state)
