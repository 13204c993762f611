"""What optimizers have in common whose whole distribution is one of independent categories, ordinals' ranks too."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy.typing import NDArray

from optimizers.base import Floats, SamplingOptimizer
from optimizers.categorical import CategoricalBlock, spread
from search_spaces.space import Ints, SearchSpace


class CategoricalSearch(SamplingOptimizer):
    """Recommends the mode; a subclass writes ``_ask`` and ``_tell``, and changes the distribution ``self._block``.

    Attributes:
        probabilities: float [R, V, Kmax], zero beyond a variable's number of values.

    ``state_dict`` holds the probabilities as ``theta``.
    """

    replayable = True
    recommends = "mode"

    def __init__(self, space: SearchSpace, seeds: Iterable[int], *, stream: str | int = 0) -> None:
        super().__init__(space, seeds, stream=stream)
        self._block = CategoricalBlock(space.sizes, self.columns)

    @property
    def probabilities(self) -> Floats:
        return self._outward(self._block.theta.swapaxes(0, 1))

    def _draw(self, uniforms: Floats) -> Ints:
        return self._block.draw(uniforms)

    def _recommend(self) -> Ints:
        return self._block.mode

    def _diagnostics(self) -> dict[str, Floats]:
        return spread(self._block.theta)

    def _state(self) -> dict[str, NDArray[Any]]:
        return self._block.state()

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        self._block.load(state)
