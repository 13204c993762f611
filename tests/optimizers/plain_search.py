"""One seed of an optimizer with categorical probabilities, in loops over numbers: the frame for oracles of a few lines.

They share the optimizers' uniforms, which have tests of their own, and nothing else.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from optimizers.base import Optimizer
from optimizers.streams import Streams
from search_spaces.space import SearchSpace

LEVELS: dict[str, list[float]] = {  # what the losses of a table can be; without any they are all different
    "different": [],
    "ties": [1.0, 2.0, 3.0],
    "infeasible": [-1.0, 0.0, 0.5, 3.0, np.inf, np.nan],
    "infinite": [-np.inf, -2.0, 0.0, 1.0, np.inf],
    "huge": [-1.7e308, -1e300, 0.0, 1e200, 1.7e308],
}


def uniforms_of(optimizer: Optimizer, seed: int, *shape: int, purpose: str = "ask") -> Iterator[np.ndarray]:
    """The uniforms of one seed of an optimizer made without a stream, a block of some shape at a time."""
    streams = Streams([seed], type(optimizer).__name__, 0, purpose)
    while True:
        yield streams.draw(*shape)[..., 0]


def table_of(space: SearchSpace, levels: Sequence[float], random: int) -> np.ndarray:
    """A loss for every architecture."""
    generator = np.random.default_rng(random)
    return generator.choice(levels, space.size) if levels else generator.normal(size=space.size)


class PlainSearch(ABC):
    """Draws ``batch`` architectures a step; a subclass writes ``tell`` and ``state``."""

    batch: int
    theta: list[list[float]]

    def __init__(self, optimizer: Any, seed: int) -> None:
        self.sizes = optimizer.space.sizes.tolist()
        self.theta = [[1 / K] * K for K in self.sizes]
        self.uniforms = uniforms_of(optimizer, seed, self.batch, len(self.sizes))

    def ask(self) -> list[list[int]]:
        return [[self.drawn(row, u) for row, u in zip(self.theta, us, strict=True)] for us in next(self.uniforms)]

    @staticmethod
    def drawn(row: list[float], uniform: float) -> int:
        total = 0.0
        for k, probability in enumerate(row):
            total += probability
            if uniform < total:
                return k
        return len(row) - 1

    @abstractmethod
    def tell(self, archs: list[list[int]], losses: list[float]) -> None:
        """Takes the losses of the architectures that were asked."""

    def state(self) -> dict[str, Any]:
        return {"theta": self.padded(self.theta)}

    @staticmethod
    def padded(rows: list[list[float]]) -> np.ndarray:
        Kmax = max(map(len, rows))
        return np.array([row + [0.0] * (Kmax - len(row)) for row in rows])


def follow(make: Callable[..., Optimizer], plain: Callable[..., PlainSearch], space: SearchSpace, levels: str) -> None:
    """Three seeds side by side ask, and come to the state, that the oracle does, over 80 steps."""
    seeds = [4, 0, 31]
    ours = make(space, seeds)
    oracles = [plain(ours, seed) for seed in seeds]
    table = table_of(space, LEVELS[levels], 1)
    for step in range(80):
        archs = ours.ask()
        losses = table[space.index(archs)]
        ours.tell(archs, losses)
        state = ours.state_dict()
        for r, oracle in enumerate(oracles):
            asked = oracle.ask()
            assert archs[r].tolist() == asked, f"step {step} of seed {seeds[r]}"
            oracle.tell(asked, losses[r].tolist())
            for key, value in oracle.state().items():
                message = f"{key} of seed {seeds[r]} after step {step}"
                np.testing.assert_allclose(state[key][r], value, rtol=1e-9, atol=1e-12, err_msg=message)
