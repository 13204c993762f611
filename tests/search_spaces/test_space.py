"""Search spaces: ranks and architectures."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.errors import ArenaError
from search_spaces.space import Categorical, SearchSpace


def space_of(*sizes: int) -> SearchSpace:
    return SearchSpace(Categorical(f"v{v}", map(str, range(size))) for v, size in enumerate(sizes))


def test_rank_counts_the_last_variable_fastest() -> None:
    space = space_of(2, 3, 4)
    grid = np.array(list(itertools.product(range(2), range(3), range(4))))
    np.testing.assert_array_equal(space.index(grid), np.arange(24))
    np.testing.assert_array_equal(space.architectures(np.arange(24)), grid)


@given(st.lists(st.integers(1, 50), min_size=1, max_size=10), st.integers(0, 2**63 - 1))
def test_rank_and_architecture_are_inverse(sizes: list[int], number: int) -> None:
    space = space_of(*sizes)
    rank = number % space.size
    arch = space.architectures(rank)
    assert arch.shape == (len(sizes),)
    assert int(space.index(arch)) == rank


def test_small_integers_do_not_overflow() -> None:
    space = space_of(*(5,) * 6)
    last = np.full((2, 3, 6), 4, dtype=np.int8)
    np.testing.assert_array_equal(space.index(last), np.full((2, 3), 15_624))


def test_huge_spaces_have_a_size_but_no_rank() -> None:
    space = space_of(*(5,) * 40)
    assert space.size == 5**40
    with pytest.raises(ArenaError, match="2\\^63"):
        space.index(np.zeros(40, dtype=np.int64))
    below = space_of(*(2,) * 62)
    assert int(below.index(np.ones(62, dtype=np.int64))) == 2**62 - 1


@pytest.mark.parametrize(
    ("archs", "message"),
    [
        ([0, 3, 0], r"\[0, 3, 0\] is out of range"),
        ([0, 0, -1], r"\[0, 0, -1\] is out of range"),
        ([[0, 0]], r"shape \[\.\.\., 3\]"),
        ([0.0, 0.0, 0.0], "float64"),
        (1, "shape"),
    ],
)
def test_wrong_architectures_are_named(archs: object, message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        space_of(2, 3, 4).index(archs)


@pytest.mark.parametrize("rank", [-1, 24])
def test_wrong_ranks_are_named(rank: int) -> None:
    with pytest.raises(ArenaError, match="between 0 and 23"):
        space_of(2, 3, 4).architectures(rank)


def test_spaces_that_cannot_be() -> None:
    with pytest.raises(ArenaError, match="no choices"):
        Categorical("empty", [])
    with pytest.raises(ArenaError, match="repeats a choice"):
        Categorical("twice", "aa")
    with pytest.raises(ArenaError, match="at least one variable"):
        SearchSpace([])
    with pytest.raises(ArenaError, match="repeats a variable"):
        SearchSpace([Categorical("x", "ab"), Categorical("x", "ab")])
