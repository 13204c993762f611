"""Every optimizer keeps the contract, and finds more than random search."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from harness.check import check_optimizer
from optimizers.base import Optimizer
from optimizers.check import LOSSES, MIXED, PLAIN, RUGGED, SLOW_SEEDS, SLOW_STEPS, categorical
from optimizers.check_runs import any_loss_is_taken
from optimizers.check_tools import Loss, advance, off_simplex, outside
from optimizers.registry import OPTIMIZERS
from search_spaces.space import Categorical, Integer, SearchSpace

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "adam_sng": [{}, {"lam": 8, "utility": "log_rank", "theta_min": 0.5}],
    "asng": [{}, {"lam": 3}, {"lam": 8, "alpha": 2.0, "delta_init": 0.3}, {"lam": 14, "utility": "log_rank"}],
    "cga": [{}, {"population": 10}],
    "cmaes": [{}],
    "enas": [{"batch": 1, "lr": 0.0035}],
    "local_search": [{}, {"improvement": "best"}],
    "optuna": [{}],
    "pbil": [{}, {"lr": 0.3, "population": 4}],
    "random_search": [{}],
    "reinforce": [{}, {"lr": 0.1}, {"lr": 0.5}],
    "regularized_evolution": [{}, {"population": 5, "sample_size": 3}],
    "sng": [{}, {"lam": 8, "normalise": False}],
}
EXTREMES: dict[str, list[dict[str, Any]]] = {  # they search badly, but keep the contract
    "adam_sng": [{"delta_init": 1e6}],
    "asng": [{"lam": 17, "delta_init": 20.0}, {"theta_min": 1e-9}],
    "cga": [{"population": 1}],
    "cmaes": [{"population": 2}],
    "enas": [{}, {"batch": 3, "lr": 1.0, "beta1": 0.0, "eps": 1e-30, "scale": 1e-300}],
    "pbil": [{"lr": 1.0, "population": 2}],
    "reinforce": [{"lr": 10.0}],
    "regularized_evolution": [{"population": 1, "sample_size": 1}],
    "sng": [{"lam": 3, "delta_init": 1e6}, {"utility": "log_rank", "theta_min": 0.1}],
}
BY_VALUE = {"enas", "reinforce"}  # the losses enter their steps as numbers; what that means is tested with each


def cases(chosen: dict[str, list[dict[str, Any]]]) -> list[Any]:
    return [pytest.param(name, one, id=f"{name}{one or ''}") for name in chosen for one in chosen[name]]


SEARCHING = cases(SETTINGS)
every_case = pytest.mark.parametrize(("name", "settings"), SEARCHING + cases(EXTREMES))


def make(name: str, settings: dict[str, Any], space: SearchSpace, seeds: Any) -> Optimizer:
    optimizer: Optimizer = OPTIMIZERS.load(name)(space, seeds, **settings)
    return optimizer


def at_its_pace(name: str, full: int) -> int:
    """So many steps or variables, or fewer for what is slow."""
    return min(full, SLOW_STEPS) if OPTIMIZERS.load(name).most_seeds <= SLOW_SEEDS else full


@st.composite
def spaces(draw: st.DrawFn) -> SearchSpace:
    """Any mix of up to 200 categorical and ordinal variables of 1 to 60 values."""
    size = st.one_of(st.integers(1, 5), st.sampled_from([1, 2, 9, 30, 60]))
    some = draw(st.lists(st.tuples(size, st.booleans()), min_size=1, max_size=20))
    many = (some * draw(st.sampled_from([1, 1, 1, 4, 10, 200])))[:200]
    return SearchSpace(
        Integer(f"v{v}", 1, size) if is_ordinal else Categorical(f"v{v}", map(str, range(size)))
        for v, (size, is_ordinal) in enumerate(many)
    )


@every_case
def test_it_keeps_the_whole_contract(name: str, settings: dict[str, Any]) -> None:
    check_optimizer(OPTIMIZERS.load(name), **settings).raise_if_violated()


@every_case
@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.expression)
def test_no_loss_makes_it_calculate_with_what_is_not_finite(name: str, settings: dict[str, Any], loss: Loss) -> None:
    """The check alone passes warnings by; here they are errors."""
    cls = OPTIMIZERS.load(name)
    seeds, steps = [*range(min(20, cls.most_seeds))], at_its_pace(name, 80)
    for space in (PLAIN,) if cls.categorical_only else (PLAIN, MIXED):
        any_loss_is_taken(lambda *given: make(name, settings, *given), space, seeds, steps, loss)


@every_case
@given(space=spaces(), seed=st.integers(0, 2**63 - 1), loss=st.sampled_from((RUGGED, *LOSSES)))
@hypothesis_settings(max_examples=40)
def test_any_space(name: str, settings: dict[str, Any], space: SearchSpace, seed: int, loss: Loss) -> None:
    if OPTIMIZERS.load(name).categorical_only:
        space = space.opened()
    space = SearchSpace(space.variables[: at_its_pace(name, 200)])
    optimizer = make(name, settings, space, [seed, (seed + 1) % 2**63])
    for archs in advance(optimizer, at_its_pace(name, 60), loss):
        assert not outside(archs, space)
    assert not off_simplex(optimizer.probabilities, space)
    assert not outside(optimizer.recommend(), space)


@pytest.mark.parametrize(
    ("name", "settings"), [case for case in SEARCHING + cases(EXTREMES) if case.values[0] not in BY_VALUE]
)
@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_only_the_order_of_losses_counts(name: str, settings: dict[str, Any], factor: float) -> None:
    space = categorical(5, 3, 2, 4)
    plain, scaled = (make(name, settings, space, range(5)) for _ in range(2))
    asked = advance(plain, 60, RUGGED), advance(scaled, 60, lambda archs: RUGGED(archs) * factor)
    np.testing.assert_array_equal(np.concatenate(asked[0], 1), np.concatenate(asked[1], 1))


@pytest.mark.parametrize(("name", "settings"), [case for case in SEARCHING if case.values[0] != "random_search"])
def test_it_finds_more_than_random_search(name: str, settings: dict[str, Any]) -> None:
    """Counting wrong values of 12 variables, 300 evaluations, 40 seeds (150 and 8 or 16 of adapters): the best
    recommended, one-sided, p < 0.01."""
    space = categorical(*(4,) * 12)
    most = OPTIMIZERS.load(name).most_seeds
    budget, seeds = (300, range(40)) if most >= 40 else (150, range(most))

    def found(optimizer: Optimizer) -> np.ndarray:
        evaluations = 0
        while evaluations < budget:
            evaluations += advance(optimizer, 1, lambda archs: (archs != 2).sum(-1) * 1.0)[0].shape[1]
        return (optimizer.recommend() != 2).sum(-1)

    ours, random = found(make(name, settings, space, seeds)), found(make("random_search", {}, space, range(40)))
    assert mannwhitneyu(ours, random, alternative="less").pvalue < 0.01


def test_every_optimizer_is_tested_with_settings() -> None:
    """Those that are asked and told; test_gradient.py is about the others."""
    assert set(SETTINGS) == {name for name in OPTIMIZERS.names() if issubclass(OPTIMIZERS.load(name), Optimizer)}
