"""Random streams: one a seed, the same however they are buffered."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.random import Generator, Philox

from optimizers.streams import Streams


def test_a_stream_is_philox_of_its_seed() -> None:
    """The stream of a seed is one plain sequence, whatever the shapes that it is drawn in."""
    streams = Streams([7, 8], "asng", "nasbench201/cifar10")
    drawn = np.concatenate(
        [streams.draw(*shape).reshape(-1, 2) for shape in [(3,), (2, 5), (1,), (4000,), (5000,), (7,)]]
    )
    [(seed, digest), _] = streams._keys
    assert seed == 7
    plain = Generator(Philox(key=np.array([7, digest], dtype=np.uint64))).random(len(drawn))
    np.testing.assert_array_equal(drawn[:, 0], plain)
    assert (drawn[:, 0] != drawn[:, 1]).all()


@pytest.mark.parametrize("R", [1, 2, 100, 5000])
def test_buffers_do_not_show(R: int) -> None:
    """How many seeds share a buffer decides its length, never the numbers."""
    many, one = Streams(range(R), "x"), Streams([R - 1], "x")
    for count in (1, 30, 500, 3):
        np.testing.assert_array_equal(many.draw(count)[:, -1], one.draw(count)[:, 0])


@pytest.mark.parametrize("position", [0, 1, 2, 3, 4, 5, 31, 32, 1000, 4097])
def test_a_stream_goes_on_from_a_position(position: int) -> None:
    whole = Streams([1, 2], "x").draw(position + 20)
    streams = Streams([1, 2], "x")
    streams.position = position
    np.testing.assert_array_equal(streams.draw(20), whole[position:])
    assert streams.position == position + 20


def test_keys_make_streams_independent() -> None:
    draws = [Streams([5], *key).draw(2000)[:, 0] for key in (("a", "b"), ("ab",), ("a", "c"), ("a", "b", 0))]
    correlations = np.corrcoef(draws)[np.triu_indices(4, 1)]
    assert (np.abs(correlations) < 0.1).all()


def test_large_seeds() -> None:
    assert Streams([2**63 - 1, 2**64 - 1], "x").draw(3).shape == (3, 2)
