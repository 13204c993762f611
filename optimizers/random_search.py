"""Random search: every architecture equally likely, independent of all before. The baseline of every comparison."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from optimizers.base import BestSeen, Floats, SamplingOptimizer, uniform_values
from search_spaces.space import Ints, SearchSpace


class RandomSearch(SamplingOptimizer):
    """Draws uniformly, with replacement, one architecture a step; recommends the best seen."""

    recommends = "best seen"
    citation = "Bergstra and Bengio, JMLR 2012; Li and Talwalkar, UAI 2019"

    def __init__(self, space: SearchSpace, seeds: Iterable[int], *, stream: str | int = 0) -> None:
        super().__init__(space, seeds, stream=stream)
        self._sizes = space.sizes[:, None]
        self._best = BestSeen(space, self.columns)

    def _draw(self, uniforms: Floats) -> Ints:
        return uniform_values(uniforms, self._sizes)

    def _ask(self) -> Ints:
        return self._draw(self.streams.draw(1, len(self.space)))

    def _tell(self, archs: Ints, losses: Floats) -> None:
        self._best.update(archs, losses)

    def _recommend(self) -> Ints:
        return self._best.arch

    def _state(self) -> dict[str, NDArray[Any]]:
        return self._best.state()

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        self._best.load(state)
