"""Local search against one seed of it in loops, and by what can be told from the architectures that it asks for."""

from __future__ import annotations

import math
from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from asng_oracle import space_of
from plain_search import LEVELS, table_of, uniforms_of
from scipy.stats import chisquare

from optimizers.local_search import LocalSearch
from search_spaces.errors import ArenaError
from search_spaces.space import SearchSpace

SIZES = [(2,), (5, 3, 1, 4), (1, 1), (2,) * 7, (12,)]


def plain(optimizer: LocalSearch, seed: int, loss_of: dict[tuple[int, ...], float], steps: int) -> list[list[int]]:
    """The architectures that one seed asks for."""
    sizes = optimizer.space.sizes.tolist()
    changes = [(v, by) for v, K in enumerate(sizes) for by in range(1, K)]
    uniforms = uniforms_of(optimizer, seed, len(sizes) + 1)
    asked: list[list[int]] = []

    def evaluate(arch: list[int]) -> float:
        asked.append(arch)
        return loss_of[tuple(arch)]

    while len(asked) < steps:
        _, *us = next(uniforms)
        arch = [int(u * K) for u, K in zip(us, sizes, strict=True)]
        loss = evaluate(arch)
        better = True
        while better and len(asked) < steps:
            best, best_loss = arch, loss
            for place in range(len(changes)):
                u = next(uniforms)[0]
                other = place + int(u * (len(changes) - place))
                changes[place], changes[other] = changes[other], changes[place]
                v, by = changes[place]
                neighbour = [(k + by) % sizes[v] if i == v else k for i, k in enumerate(arch)]
                neighbour_loss = evaluate(neighbour)
                if neighbour_loss < best_loss:
                    best, best_loss = neighbour, neighbour_loss
                    if optimizer.improvement == "first":
                        break
            better = best_loss < loss
            arch, loss = best, best_loss
    return asked[:steps]


@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("improvement", ["first", "best"])
def test_it_asks_as_one_seed_in_loops(improvement: str, sizes: tuple[int, ...], levels: str) -> None:
    space = space_of(*sizes)
    table = table_of(space, LEVELS[levels], 2)
    optimizer = LocalSearch(space, [9, 2, 40], improvement=improvement)
    archs = run(optimizer, table, 200)
    losses = np.where(np.isnan(table), math.inf, table)
    loss_of = dict(zip(every(space), losses.tolist(), strict=True))
    for r, seed in enumerate(optimizer.seeds):
        assert archs[r].tolist() == plain(optimizer, seed, loss_of, 200)


def run(optimizer: LocalSearch, table: np.ndarray, steps: int) -> np.ndarray:
    """The architectures of each seed: [R, steps, V]."""
    asked = []
    for _ in range(steps):
        asked.append(optimizer.ask())
        optimizer.tell(asked[-1], table[optimizer.space.index(asked[-1])])
    return np.concatenate(asked, axis=1)


@pytest.mark.parametrize("improvement", ["first", "best"])
def test_it_leaves_an_architecture_for_a_better_neighbour_or_when_there_is_none(improvement: str) -> None:
    space = space_of(4, 3, 2, 5)
    neighbours = {one: {other for other in every(space) if differ(one, other) == 1} for one in every(space)}
    table = table_of(space, [], 5)
    loss_of = dict(zip(every(space), table.tolist(), strict=True))
    archs = run(LocalSearch(space, range(8), improvement=improvement), table, 400)
    minima = 0
    for trace in archs.tolist():
        current, tried = tuple(trace[0]), set()
        for arch in map(tuple, trace[1:]):
            better = [other for other in tried if loss_of[other] < loss_of[current]]
            swept = len(tried) == len(neighbours[current])
            if better and (improvement == "first" or swept):
                current, tried = min(better, key=loss_of.__getitem__), set()
            elif swept:  # all neighbours were tried in vain: a local minimum, from which it starts again
                assert all(loss_of[other] > loss_of[current] for other in neighbours[current])
                current, tried = arch, set()
                minima += 1
                continue
            assert arch in neighbours[current] - tried
            tried.add(arch)
    assert minima > 50


def every(space: SearchSpace) -> list[tuple[int, ...]]:
    """All architectures, in the order of a table."""
    return [tuple(arch) for arch in space.architectures(np.arange(space.size)).tolist()]


def differ(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def test_every_order_of_the_neighbours_is_equally_likely() -> None:
    """The first time, and again after the search has started anew, whatever the order was before."""
    space, seeds = space_of(2, 2, 2), 3000
    archs = run(LocalSearch(space, range(seeds)), np.zeros(8), 8)  # nothing is ever better: 1 start, 3 neighbours, ...
    variables = np.stack([(archs[:, [s + 1, s + 2, s + 3]] != archs[:, [s]]).argmax(-1) for s in (0, 4)])
    orders = [tuple(map(tuple, pair)) for pair in variables.transpose(1, 0, 2).tolist()]
    counts = Counter(orders)
    every_order = [*permutations(range(3))]
    assert chisquare([counts[one, two] for one in every_order for two in every_order]).pvalue > 1e-3
    starts = Counter(map(tuple, archs[:, [0, 4]].reshape(-1, 3).tolist()))
    assert chisquare([starts[arch] for arch in every(space)]).pvalue > 1e-3


def test_a_step_draws_as_much_wherever_its_seeds_are() -> None:
    optimizer = LocalSearch(space_of(3, 1, 4), range(3))
    run(optimizer, table_of(optimizer.space, [], 1), 30)
    assert optimizer.streams.position == 30 * 4


def test_a_word_for_the_improvement_that_is_none() -> None:
    with pytest.raises(ArenaError, match="improvement must be 'first' or 'best', not 'worst'"):
        LocalSearch(space_of(2, 2), [0], improvement="worst")
