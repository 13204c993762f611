"""Population-based incremental learning (Baluja, 1994): probabilities move towards the best of a population.

Baluja's variables are bits; here a variable has any number of values, and its probabilities move towards the one-hot
code of the best architecture's value. Two things of the report are left out: its mutation, which moves probabilities
at random, and the step away from the worst architecture. A lower bound on probabilities, that of ASNG, does the
mutation's work: no value is lost for ever.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from optimizers.base import Floats
from optimizers.categorical_search import CategoricalSearch
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace


class PBIL(CategoricalSearch):
    """Moves the distribution by a fixed share of the way to the best of each population; recommends the mode.

    The first drawn of equally good ones is the best. Where all losses are equal nothing was learnt, and nothing moves.

    Args:
        lr: the learning rate, the share of the way, above 0 and at most 1.
        population: the number of architectures an update, at least 2.
    """

    citation = "Baluja, Population-Based Incremental Learning, CMU-CS-94-163, 1994"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        lr: float = 0.1,
        population: int = 10,
        stream: str | int = 0,
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        if not 0 < lr <= 1:
            raise ArenaError(f"lr must be above 0 and at most 1, not {lr}: it is the share of the way to the best")
        if population < 2:
            raise ArenaError(f"population must be at least 2, not {population}: its best is found by comparison")
        self.lr, self.population = lr, population

    def _ask(self) -> Ints:
        return self._draw(self.streams.draw(self.population, len(self.space)))

    def _tell(self, archs: Ints, losses: Floats) -> None:
        if len(archs) < 2:
            raise ArenaError("an update compares at least 2 architectures")
        weights = np.where(np.arange(len(losses))[:, None] == losses.argmin(axis=0), self.lr, 0.0)
        displacement = self._block.natural_gradient(archs, weights, self.lr)  # lr (onehot(best) - theta)
        self._block.move(displacement, (losses != losses[0]).any(axis=0))
