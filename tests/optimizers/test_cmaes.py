"""CatCMAwM through the adapter against the plain loop of its package."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cmaes import CatCMAwM as Plain
from scipy.stats import mannwhitneyu

from optimizers.check import PLAIN, RUGGED, categorical, mixed
from optimizers.check_runs import restored_states_go_on
from optimizers.check_tools import Loss, advance
from optimizers.cmaes import CatCMAwM
from search_spaces.errors import ArenaError
from search_spaces.space import Categorical, Integer, Ordinal, SearchSpace

CONSTANT = Loss("np.zeros(archs.shape[:-1])")
LETTERS, RATES = Categorical("letter", "abcde"), Ordinal("rate", (0.001, 0.01, 1.0, 50.0))

# a space, its ordinals of more than two values, its other variables with a choice
SPACES = [
    (PLAIN, [], [0, 1, 2]),
    (categorical(3, 1, 2), [], [0, 2]),
    (SearchSpace([RATES, Integer("depth", 3, 12)]), [0, 1], []),
    (
        SearchSpace([LETTERS, RATES, Integer("one", 4, 4), Integer("two", 1, 2), Integer("depth", 3, 12)]),
        [1, 4],
        [0, 3],
    ),
]


def plain_run(
    space: SearchSpace, integer: list[int], others: list[int], seed: int, generations: int, **settings: Any
) -> list[list[int]]:
    """The architectures of the loop that the package's own documentation shows."""
    sizes = [len(variable) for variable in space.variables]
    spaces = {"z_space": [list(range(sizes[v])) for v in integer], "c_space": [sizes[v] for v in others]}
    optimizer = Plain(**{name: given for name, given in spaces.items() if given}, seed=seed, **settings)
    asked = []
    for _ in range(generations):
        solutions = []
        for _ in range(optimizer.population_size):
            solution = optimizer.ask()
            arch = [0] * len(sizes)
            for place, v in enumerate(integer):
                arch[v] = int(solution.z[place])
            for place, v in enumerate(others):
                arch[v] = [bool(one) for one in solution.c[place]].index(True)
            asked.append(arch)
            solutions.append((solution, float(RUGGED(np.array(arch)))))
        optimizer.tell(solutions)
    return asked


@pytest.mark.parametrize("settings", [{}, {"population": 5}], ids=str)
@pytest.mark.parametrize(("space", "integer", "others"), SPACES)
def test_the_adapter_runs_the_plain_loop(
    space: SearchSpace, integer: list[int], others: list[int], settings: dict[str, int]
) -> None:
    optimizer = CatCMAwM(space, (7, 3), **settings)
    asked = np.concatenate(advance(optimizer, 40, RUGGED), axis=1)
    named = {"population_size": settings["population"]} if settings else {}
    for seed, ours in zip(optimizer.state_dict()["library_seeds"].tolist(), asked.tolist(), strict=True):
        assert ours == plain_run(space, integer, others, seed, 40, **named)
    assert {v for v in range(len(space)) if len({arch[v] for arch in asked[0].tolist()}) > 1} == {*integer, *others}


def test_losses_that_are_not_finite_are_ranked() -> None:
    """The plain loop is told numbers in the same order instead."""
    space = categorical(5, 3, 4)
    levels = {0: 1.0, 1: math.inf, 2: -math.inf, 3: math.nan, 4: 0.0}
    finite = {0: 1.0, 1: 9.0, 2: -9.0, 3: 9.0, 4: 0.0}
    one, other = CatCMAwM(space, range(4)), CatCMAwM(space, range(4))
    asked = advance(one, 30, lambda archs: np.vectorize(levels.get)(archs[..., 0]))
    same = advance(other, 30, lambda archs: np.vectorize(finite.get)(archs[..., 0]))
    np.testing.assert_array_equal(np.concatenate(asked), np.concatenate(same))


@pytest.mark.parametrize("space", [categorical(2), PLAIN, mixed(4), mixed(*(4, 3) * 10), categorical(2, 1, 1)])
def test_the_population_is_that_of_the_package_by_default(space: SearchSpace) -> None:
    optimizer = CatCMAwM(space, [0])
    free = int((space.sizes > 1).sum())
    assert optimizer.ask().shape[1] == optimizer.population == 4 + math.floor(3 * math.log(free))


def test_a_population_of_one_is_refused() -> None:
    with pytest.raises(ArenaError, match="population must be at least 2, not 1"):
        CatCMAwM(PLAIN, [0], population=1)


def broken(seed: int, generations: int) -> int:
    """The generation, on one variable of two values and constant losses, after which cmaes calculates with NaN."""
    plain = Plain(c_space=[2], seed=seed)
    with np.errstate(invalid="ignore"):
        for generation in range(generations):
            plain.tell([(plain.ask(), 0.0) for _ in range(plain.population_size)])
            if np.isnan(plain._Delta):
                return generation
    return generations


def test_a_seed_starts_again_when_cmaes_breaks_down() -> None:
    """Its step size overshoots: beta above 2 and the root of a negative number. All that it asks then is value 0."""
    optimizer = CatCMAwM(categorical(2), range(16))
    asked = np.stack(advance(optimizer, 400, CONSTANT))[..., 0]  # generations, seeds, population
    seeds = optimizer.state_dict()["library_seeds"].tolist()
    ends = [broken(seed, 400) for seed in seeds]
    assert min(ends) < 300
    for column, (seed, end) in enumerate(zip(seeds, ends, strict=True)):
        fresh = Plain(c_space=[2], seed=(seed + 1) % 2**32)
        expected = [int(fresh.ask().c[0, 1]) for _ in range(4)]
        if end < 399:
            assert asked[end + 1, column].tolist() == expected
        assert asked[300:, column].any()


def test_a_state_is_restored_across_a_new_start() -> None:
    seeds = [0, 1, 2, 3, 4, 5, 6, 7]
    restored_states_go_on(CatCMAwM, categorical(2), seeds, 400, 0, CONSTANT, CONSTANT)


def test_order_helps() -> None:
    """On ten ordinals of 12 values and a loss along them, their ranks are worth more than their names after 30
    generations."""
    space = SearchSpace(Integer(f"v{v}", 0, 11) for v in range(10))
    found = []
    for searched in (space, space.opened()):
        optimizer = CatCMAwM(searched, range(8))
        advance(optimizer, 30, lambda archs: np.abs(archs - 8).sum(-1) * 1.0)
        found.append(np.abs(optimizer.recommend() - 8).sum(-1))
    assert mannwhitneyu(*found, alternative="less").pvalue < 0.01
