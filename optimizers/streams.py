"""One random stream a seed, so that a seed's run is the same alone or beside thousands of others."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.random import Generator, Philox
from numpy.typing import NDArray

SMALLEST_UNIFORM = 2.0**-54  # in the place of 0, whose normal quantile is infinite

_BLOCK_BYTES = 1 << 20  # of buffered draws over all seeds: about what stays in a core's cache


class Streams:
    """Streams of float64 uniforms in [0, 1), one a seed, drawn side by side.

    A stream is Philox with the key (seed, digest of ``key``): streams of different seeds or keys are independent, and
    making one costs microseconds. Nothing but uniforms is drawn, and every seed takes the same number of them, so that
    one count is the whole state and a stream does not depend on how it is buffered.

    Args:
        seeds: R seeds, each between 0 and 2^64 - 1.
        key: what else the streams depend on: the optimizer's stream name, the benchmark, the purpose.
    """

    def __init__(self, seeds: Sequence[int], *key: str | int) -> None:
        digest = hashlib.blake2b(repr(key).encode(), digest_size=8).digest()
        self._keys = [(int(seed), int.from_bytes(digest)) for seed in seeds]
        self._length = min(max(_BLOCK_BYTES // (8 * len(self._keys)), 32), 4096)
        self.position = 0

    @property
    def position(self) -> int:
        """How many uniforms each stream has given; set it to go on from there."""
        return self._position

    @position.setter
    def position(self, position: int) -> None:
        self._position = position
        self._generators = []
        for key in self._keys:
            philox = Philox(key=np.array(key, dtype=np.uint64))
            philox.advance(position // 4)  # one step of its counter makes four numbers
            generator = Generator(philox)
            generator.random(position % 4)
            self._generators.append(generator)
        self._buffer = np.empty((0, len(self._keys)))
        self._used = 0

    def draw(self, *shape: int) -> NDArray[np.float64]:
        """The next uniforms of every stream: float64 [*shape, R], a view that is valid until it is written to."""
        count = int(np.prod(shape))
        if self._used + count > len(self._buffer):
            self._refill(count)
        taken = self._buffer[self._used : self._used + count]
        self._used += count
        self._position += count
        return taken.reshape(*shape, len(self._keys))

    def _refill(self, count: int) -> None:
        rest = self._buffer[self._used :]
        fresh = np.empty((len(self._generators), max(self._length, count)))
        for row, generator in zip(fresh, self._generators, strict=True):
            generator.random(out=row)
        self._buffer = np.concatenate([rest, fresh.T])
        self._used = 0


def normal_quantiles(uniforms: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard normal numbers, one from each uniform in [0, 1)."""
    from scipy.special import ndtri  # 0.1 s that listing the optimizers need not pay

    quantiles: NDArray[np.float64] = ndtri(np.maximum(uniforms, SMALLEST_UNIFORM))
    return quantiles
