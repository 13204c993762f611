"""Search spaces: variables, ranks and architectures."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.errors import ArenaError
from search_spaces.space import MOST_VALUES, Categorical, Integer, Ordinal, SearchSpace

MIXED = SearchSpace(
    [Categorical("activation", ["relu", "tanh"]), Integer("layers", 1, 4), Ordinal("rate", [0.0005, 0.01, 0.1])]
)


def space_of(*sizes: int) -> SearchSpace:
    return SearchSpace(Categorical(f"v{v}", map(str, range(size))) for v, size in enumerate(sizes))


@st.composite
def mixed_spaces(draw: st.DrawFn) -> SearchSpace:
    """Up to ten variables of every kind, in any order."""
    kinds = draw(st.lists(st.tuples(st.sampled_from("coi"), st.integers(1, 50)), min_size=1, max_size=10))
    return SearchSpace(
        Integer(f"v{v}", -3, size - 4)
        if kind == "i"
        else Ordinal(f"v{v}", (1.5**value for value in range(size)))
        if kind == "o"
        else Categorical(f"v{v}", map(str, range(size)))
        for v, (kind, size) in enumerate(kinds)
    )


def test_rank_counts_the_last_variable_fastest() -> None:
    space = space_of(2, 3, 4)
    grid = np.array(list(itertools.product(range(2), range(3), range(4))))
    np.testing.assert_array_equal(space.index(grid), np.arange(24))
    np.testing.assert_array_equal(space.architectures(np.arange(24)), grid)


@given(mixed_spaces(), st.lists(st.integers(0, 2**63 - 1), min_size=1, max_size=20))
def test_rank_and_architecture_are_inverse(space: SearchSpace, numbers: list[int]) -> None:
    ranks = np.array([number % space.size for number in numbers])
    archs = space.architectures(ranks)
    assert archs.shape == (len(ranks), len(space))
    assert ((archs >= 0) & (archs < space.sizes)).all()
    np.testing.assert_array_equal(space.index(archs), ranks)
    for rank, arch in zip(ranks.tolist(), archs, strict=True):
        assert space.architectures(rank).tolist() == arch.tolist()
        assert (
            int(space.index(arch))
            == rank
            == sum(value * math.prod(space.sizes[v + 1 :].tolist()) for v, value in enumerate(arch.tolist()))
        )


@given(mixed_spaces(), st.integers(0, 2**32))
def test_architecture_and_rank_are_inverse(space: SearchSpace, seed: int) -> None:
    archs = np.random.default_rng(seed).integers(0, space.sizes, size=(2, 5, len(space)))
    np.testing.assert_array_equal(space.architectures(space.index(archs)), archs)


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
def test_wrong_architectures_are_named(archs: Any, message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        space_of(2, 3, 4).index(archs)


@pytest.mark.parametrize("rank", [-1, 24])
def test_wrong_ranks_are_named(rank: int) -> None:
    with pytest.raises(ArenaError, match="between 0 and 23"):
        space_of(2, 3, 4).architectures(rank)


# variables


def test_an_integer_is_the_ordinal_of_its_whole_numbers() -> None:
    assert Integer("depth", -1, 3) == Ordinal("depth", [-1, 0, 1, 2, 3])
    assert Integer("depth", 2, 2) == Ordinal("depth", [2])
    assert len(Integer("depth", 1, MOST_VALUES)) == MOST_VALUES


def test_a_space_says_which_variables_are_ordinal() -> None:
    assert MIXED.ordinal.tolist() == [False, True, True]
    assert MIXED.sizes.tolist() == [2, 4, 3]
    assert MIXED.size == 24
    assert len(MIXED) == 3
    assert space_of(2, 3).ordinal.tolist() == [False, False]
    assert SearchSpace([Integer("alone", 0, 1)]).ordinal.tolist() == [True]


@pytest.mark.parametrize("name", ["sizes", "ordinal"])
def test_what_a_space_says_of_its_variables_is_read_only(name: str) -> None:
    with pytest.raises(ValueError, match="read-only"):
        getattr(MIXED, name)[0] = 1


def test_an_opened_space_has_the_same_architectures_without_order() -> None:
    opened = MIXED.opened()
    assert opened.variables == (
        Categorical("activation", ["relu", "tanh"]),
        Categorical("layers", ["1", "2", "3", "4"]),
        Categorical("rate", ["0.0005", "0.01", "0.1"]),
    )
    assert not opened.ordinal.any()
    archs = MIXED.architectures(np.arange(MIXED.size))
    np.testing.assert_array_equal(opened.index(archs), np.arange(MIXED.size))
    assert opened.opened() == opened != MIXED
    assert space_of(2, 3).opened() == space_of(2, 3)


def test_a_space_describes_itself_for_json() -> None:
    assert json.loads(json.dumps(MIXED.to_dict())) == {
        "variables": [
            {"kind": "categorical", "name": "activation", "choices": ["relu", "tanh"]},
            {"kind": "ordinal", "name": "layers", "values": [1, 2, 3, 4]},
            {"kind": "ordinal", "name": "rate", "values": [0.0005, 0.01, 0.1]},
        ]
    }


def test_spaces_are_equal_by_their_variables() -> None:
    again = SearchSpace(MIXED.variables)
    assert again == MIXED
    assert hash(again) == hash(MIXED)
    assert SearchSpace(MIXED.variables[::-1]) != MIXED


WRONG: list[tuple[Callable[[], object], str]] = [
    (lambda: Categorical("empty", []), "variable 'empty' has no choices; give at least one"),
    (lambda: Categorical("twice", "aba"), "variable 'twice' repeats a choice: a, b, a"),
    (lambda: Ordinal("empty", []), "ordinal 'empty' has no values; give at least one"),
    (lambda: Ordinal("down", [2, 1]), "'down' must be finite numbers that increase, not [2, 1]; make it a Categorical"),
    (lambda: Ordinal("equal", [1, 1.0]), "'equal' must be finite numbers that increase, not [1, 1.0]"),
    (lambda: Ordinal("text", ["1", "2"]), "'text' must be finite numbers that increase, not ['1', '2']"),  # type: ignore[list-item]
    (lambda: Ordinal("mixed", [1, None]), "'mixed' must be finite numbers"),  # type: ignore[list-item]
    (lambda: Ordinal("complex", [1j]), "'complex' must be finite numbers"),  # type: ignore[list-item]
    (lambda: Ordinal("end", [1, math.inf]), "'end' must be finite numbers that increase, not [1, inf]"),
    (lambda: Ordinal("hole", [math.nan]), "'hole' must be finite numbers that increase, not [nan]"),
    (lambda: Ordinal("long", range(99, 0, -1)), "not [99, 98, 97, 96, 95, 94, ...];"),
    (lambda: Integer("back", 3, 2), "integer 'back' runs from 3 to 2; give the lower end first"),
    (lambda: Integer("vast", 0, MOST_VALUES), "integer 'vast' has 1,000,001 values"),
    (lambda: SearchSpace([]), "a search space needs at least one variable"),
    (lambda: SearchSpace([Categorical("x", "ab"), Integer("x", 0, 1)]), "repeats a variable's name: x, x"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message[:24] for _, message in WRONG])
def test_spaces_that_cannot_be(make: Callable[[], object], message: str) -> None:
    with pytest.raises(ArenaError) as told:
        make()
    assert message in str(told.value)
    assert len(str(told.value).splitlines()) == 1
