"""The compact genetic algorithm (Harik, Lobo and Goldberg, 1999): a distribution in the place of a population.

A population of n members changes the share of a value by 1/n when the winner of a tournament of two replaces the
loser. So do the probabilities here, for variables with any number of values. The original ends when every probability
is 0 or 1, and a value at 0 never returns; here the lower bound of ASNG keeps every value possible.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from optimizers.base import Floats
from optimizers.categorical_search import CategoricalSearch
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace


class CompactGA(CategoricalSearch):
    """Draws two architectures a step: each value of the better one gains 1/n, each of the worse one loses 1/n.

    Recommends the mode. Where the two are equally good, nothing moves.

    Args:
        population: n, the size of the population that the distribution stands for, at least 1.
    """

    citation = "Harik, Lobo and Goldberg, The Compact Genetic Algorithm, IEEE TEVC 1999"

    def __init__(
        self, space: SearchSpace, seeds: Iterable[int], *, population: int = 50, stream: str | int = 0
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        if population < 1:
            raise ArenaError(f"population must be at least 1, not {population}")
        self.population = population

    def _ask(self) -> Ints:
        return self._draw(self.streams.draw(2, len(self.space)))

    def _tell(self, archs: Ints, losses: Floats) -> None:
        if len(archs) != 2:
            raise ArenaError(f"a tournament is one of 2 architectures, not {len(archs)}")
        better, worse = losses < losses[::-1], losses > losses[::-1]
        weights = (better.astype(np.float64) - worse) / self.population
        # where weights sum to 0 the natural gradient is the sum of the weighted one-hot codes
        self._block.move(self._block.natural_gradient(archs, weights), better[0] | worse[0])
