"""CatCMA with margin (Hamano et al., GECCO 2025), ASNG's own successor: the class of the package cmaes."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.adapter import Adapter, imported
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace

Places = NDArray[np.intp]  # of variables in an architecture


class CatCMAwM(Adapter):
    """CMA-ES on ordinals beside ASNG on categorical variables, a generation a step; recommends the best seen.

    Ordinals go in by their ranks. One of two values goes in as a categorical variable, as the package advises. Only the
    order of losses counts, and ties are not handled: constant losses make its distribution drift.

    In small spaces, and in runs of thousands of generations, its step sizes can overshoot until a number is no longer
    finite; plain cmaes then asks nonsense or raises. Here that seed starts again with the next seed of the package, as
    CMA-ES is restarted.

    Args:
        population: architectures a generation, at least 2. By default 4 + floor(3 log n) on n variables with a choice.
    """

    package = "cmaes"
    citation = "Hamano et al., CatCMA with Margin: Stochastic Optimization for Mixed-Variable Problems, GECCO 2025"

    def __init__(
        self, space: SearchSpace, seeds: Iterable[int], *, population: int | None = None, stream: str | int = 0
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        if population is not None and population < 2:
            raise ArenaError(f"population must be at least 2, not {population}")
        library = imported("cmaes", "cmaes")
        ranked = space.ordinal & (space.sizes > 2)
        self._integer, self._categorical = np.flatnonzero(ranked), np.flatnonzero(~ranked & (space.sizes > 1))
        self._make = partial(
            library.CatCMAwM,
            z_space=[range(size) for size in space.sizes[self._integer].tolist()] or None,
            c_space=space.sizes[self._categorical].tolist() or None,
            population_size=population,
        )
        self.population = population
        if population is None:
            self.population = self._make(seed=0).population_size if space.size > 1 else 1
        self._begin()

    def _run(self, seed: int) -> _Generations:
        return _Generations(self._make, seed, len(self.space), self._integer, self._categorical)


class _Generations:
    """The search of one seed."""

    def __init__(self, make: Callable[..., Any], seed: int, V: int, integer: Places, categorical: Places) -> None:
        self._make, self._seed, self._V = make, seed, V
        self._integer, self._categorical = integer, categorical
        self._start()

    def _start(self) -> None:
        with np.errstate(divide="ignore"):  # a rate that is 0 in populations of 2 and 3; what it divides ends as inf
            self._library = self._make(seed=self._seed)

    def ask(self) -> Ints:
        self._asked = [self._library.ask() for _ in range(self._library.population_size)]
        archs = np.zeros((len(self._asked), self._V), dtype=np.int64)
        for arch, solution in zip(archs, self._asked, strict=True):
            if self._integer.size:
                arch[self._integer] = solution.z
            if self._categorical.size:
                arch[self._categorical] = solution.c.argmax(axis=1)
        return archs

    def tell(self, losses: list[float]) -> None:
        try:
            with np.errstate(divide="raise", over="raise", invalid="raise"):
                self._library.tell(list(zip(self._asked, losses, strict=True)))
        except (FloatingPointError, AssertionError):  # not finite any more; a number above 1e32, which cmaes asserts
            self._seed = (self._seed + 1) % 2**32
            self._start()
