"""The contract of an optimizer, run over every one that there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from scipy.stats import mannwhitneyu

from optimizers.base import Optimizer, SamplingOptimizer
from optimizers.registry import OPTIMIZERS
from search_spaces.errors import ArenaError
from search_spaces.space import Categorical, SearchSpace

SETTINGS: dict[str, list[dict[str, Any]]] = {
    "asng": [{}, {"lam": 3}, {"lam": 8, "alpha": 2.0, "delta_init": 0.3}],
    "random_search": [{}],
    "regularized_evolution": [{}, {"population": 5, "sample_size": 3}],
}
CASES = [pytest.param(name, one, id=f"{name}{one or ''}") for name in OPTIMIZERS.names() for one in SETTINGS[name]]
every_case = pytest.mark.parametrize(("name", "settings"), CASES)
SAMPLING = [case for case in CASES if issubclass(OPTIMIZERS.load(case.values[0]), SamplingOptimizer)]

Loss = Callable[[np.ndarray], np.ndarray]


def space_of(*sizes: int) -> SearchSpace:
    return SearchSpace(Categorical(f"v{v}", [f"c{k}" for k in range(size)]) for v, size in enumerate(sizes))


def rugged(archs: np.ndarray) -> np.ndarray:
    """A deterministic loss with structure, ties and both signs: far from the last value is bad, with a twist."""
    weights = np.arange(1, archs.shape[-1] + 1)
    return np.round((archs * weights).sum(-1) * -0.5 + (archs.sum(-1) % 3), 1)


def make(name: str, settings: dict[str, Any], space: SearchSpace, seeds: Any, stream: str | int = 0) -> Optimizer:
    optimizer: Optimizer = OPTIMIZERS.load(name)(space, seeds, stream=stream, **settings)
    return optimizer


def advance(optimizer: Optimizer, steps: int, loss: Loss = rugged) -> list[np.ndarray]:
    """The architectures of some steps."""
    asked = []
    for _ in range(steps):
        asked.append(optimizer.ask())
        optimizer.tell(asked[-1], loss(asked[-1]))
    return asked


def snapshot(optimizer: Optimizer) -> dict[str, np.ndarray]:
    """Everything that can be seen of an optimizer, by name."""
    state = {f"state {key}": np.asarray(value) for key, value in optimizer.state_dict().items() if np.ndim(value)}
    said = {f"diagnostic {key}": value for key, value in optimizer.diagnostics().items()}
    return {"recommended": optimizer.recommend(), **state, **said}


@every_case
def test_what_crosses_the_interface_leads_with_seeds(name: str, settings: dict[str, Any]) -> None:
    space = space_of(5, 2, 3, 1)
    optimizer = make(name, settings, space, range(4))
    for archs in advance(optimizer, 60):
        assert archs.dtype == np.int64
        assert archs.flags.c_contiguous
        assert archs.shape == (4, archs.shape[1], 4)
        assert ((archs >= 0) & (archs < space.sizes)).all()
    assert optimizer.recommend().shape == (4, 4)
    assert optimizer.recommend().dtype == np.int64
    assert all(values.shape == (4,) for values in optimizer.diagnostics().values())
    assert optimizer.probabilities is None or optimizer.probabilities.shape == (4, 4, 5)


@every_case
@pytest.mark.parametrize("sizes", [(5,) * 6, (2,) * 40, (7, 3, 1, 4)], ids=["nasbench201", "binary", "mixed"])
def test_a_seed_runs_the_same_alone_or_in_a_crowd(name: str, settings: dict[str, Any], sizes: tuple[int, ...]) -> None:
    space = space_of(*sizes)
    crowd = make(name, settings, space, range(257))
    asked = advance(crowd, 70)
    seen = snapshot(crowd)
    for R in (1, 2, 3, 5, 8, 17, 256):
        seeds = list(range(257))[-R:]  # not the first ones: a seed's place does not matter either
        few = make(name, settings, space, seeds)
        for ours, theirs in zip(advance(few, 70), asked, strict=True):
            np.testing.assert_array_equal(ours, theirs[-R:])
        for key, value in snapshot(few).items():
            np.testing.assert_array_equal(value, seen[key][-R:], err_msg=f"{key} at R = {R}")


@every_case
def test_a_restored_state_goes_on_to_the_last_bit(name: str, settings: dict[str, Any]) -> None:
    space = space_of(5, 5, 4, 2)
    whole = make(name, settings, space, [3, 1, 7])
    advance(whole, 37)
    state = whole.state_dict()
    restored = make(name, settings, space, [3, 1, 7])
    advance(restored, 5, lambda archs: -rugged(archs))  # whatever it knew before is gone
    restored.load_state_dict(state)
    for ours, theirs in zip(advance(restored, 40), advance(whole, 40), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    after, expected = snapshot(restored), snapshot(whole)
    for key, value in expected.items():
        np.testing.assert_array_equal(after[key], value, err_msg=key)


@every_case
def test_a_state_is_not_changed_by_what_comes_after(name: str, settings: dict[str, Any]) -> None:
    optimizer = make(name, settings, space_of(5, 5, 4), [1, 2])
    advance(optimizer, 30)
    state = optimizer.state_dict()
    copy = {key: np.copy(value) for key, value in state.items()}
    advance(optimizer, 30)
    optimizer.load_state_dict(state)
    advance(optimizer, 30)
    for key, value in copy.items():
        np.testing.assert_array_equal(state[key], value, err_msg=key)


@every_case
def test_ask_and_tell_keep_their_order(name: str, settings: dict[str, Any]) -> None:
    optimizer = make(name, settings, space_of(5, 5, 4), [1, 2])
    archs = optimizer.ask()
    with pytest.raises(ArenaError, match="ask\\(\\) was called twice"):
        optimizer.ask()
    with pytest.raises(ArenaError, match="between ask\\(\\) and tell"):
        optimizer.state_dict()
    with pytest.raises(ArenaError, match="exactly the architectures"):
        optimizer.tell((archs + 1) % [5, 5, 4], rugged(archs))
    with pytest.raises(ArenaError, match="losses must be"):
        optimizer.tell(archs, rugged(archs)[:, :-1])
    optimizer.tell(archs, rugged(archs))
    if not optimizer.replayable:
        with pytest.raises(ArenaError, match="without ask"):
            optimizer.tell(archs, rugged(archs))


@every_case
def test_changing_what_was_asked_does_not_fool_it(name: str, settings: dict[str, Any]) -> None:
    optimizer = make(name, settings, space_of(5, 5, 4), [1, 2])
    archs = optimizer.ask()
    archs[...] = (archs + 1) % 2
    with pytest.raises(ArenaError, match="exactly the architectures"):
        optimizer.tell(archs, rugged(archs))


@every_case
def test_streams_depend_on_seed_and_benchmark(name: str, settings: dict[str, Any]) -> None:
    space = space_of(*(5,) * 12)
    first, again, other = (make(name, settings, space, range(50), stream=stream) for stream in ("a", "a", "b"))
    here, there, elsewhere = (advance(optimizer, 1)[0] for optimizer in (first, again, other))
    np.testing.assert_array_equal(here, there)
    assert len(np.unique(here[:, 0], axis=0)) == 50
    assert (here == elsewhere).mean() < 0.3  # as unrelated draws: a fifth


@every_case
@pytest.mark.parametrize(
    "loss",
    [
        lambda archs: np.zeros(archs.shape[:-1]),
        lambda archs: np.full(archs.shape[:-1], np.inf),
        lambda archs: np.where(archs[..., 0] == 0, np.nan, rugged(archs)),
        lambda archs: np.where(archs[..., 0] == 1, np.inf, rugged(archs)),
        lambda archs: np.where(archs[..., 0] == 1, -np.inf, rugged(archs)),
        lambda archs: rugged(archs) * 1e300,
        lambda archs: rugged(archs) * 1e-300,
    ],
    ids=["ties", "all infinite", "NaN", "some infinite", "minus infinity", "huge", "tiny"],
)
def test_any_loss_leaves_it_sane(name: str, settings: dict[str, Any], loss: Loss) -> None:
    space = space_of(5, 3, 2)
    optimizer = make(name, settings, space, range(20))
    for archs in advance(optimizer, 80, loss):
        assert ((archs >= 0) & (archs < space.sizes)).all()
    if optimizer.probabilities is not None:
        np.testing.assert_allclose(optimizer.probabilities.sum(-1), 1, atol=1e-12)


@every_case
@pytest.mark.parametrize("factor", [1e-12, 1e12])
def test_only_the_order_of_losses_counts(name: str, settings: dict[str, Any], factor: float) -> None:
    space = space_of(5, 3, 2, 4)
    plain, scaled = (make(name, settings, space, range(5)) for _ in range(2))
    asked = advance(plain, 60), advance(scaled, 60, lambda archs: rugged(archs) * factor)
    np.testing.assert_array_equal(np.concatenate(asked[0], 1), np.concatenate(asked[1], 1))


@every_case
@given(sizes=st.lists(st.integers(1, 9), min_size=1, max_size=12), seed=st.integers(0, 2**63 - 1))
@hypothesis_settings(max_examples=25)
def test_any_categorical_space(name: str, settings: dict[str, Any], sizes: list[int], seed: int) -> None:
    space = space_of(*sizes)
    optimizer = make(name, settings, space, [seed, (seed + 1) % 2**63])
    for archs in advance(optimizer, 60):
        assert ((archs >= 0) & (archs < space.sizes)).all()
    if optimizer.probabilities is not None:
        assert (optimizer.probabilities >= 0).all()
        np.testing.assert_allclose(optimizer.probabilities.sum(-1), 1, atol=1e-12)
    assert ((optimizer.recommend() >= 0) & (optimizer.recommend() < space.sizes)).all()


@every_case
def test_two_hundred_variables(name: str, settings: dict[str, Any]) -> None:
    space = space_of(*[1, 2, 3, 30] * 50)
    for archs in advance(make(name, settings, space, range(3)), 20):
        assert ((archs >= 0) & (archs < space.sizes)).all()


@pytest.mark.parametrize(("name", "settings"), SAMPLING)
def test_samples_are_drawn_aside(name: str, settings: dict[str, Any]) -> None:
    """`sample` changes nothing of the search, follows the distribution, and is part of the saved state."""
    space = space_of(5, 3)
    plain, sampled = (make(name, settings, space, range(3)) for _ in range(2))
    assert isinstance(sampled, SamplingOptimizer)
    first = sampled.sample(4)
    assert first.shape == (3, 4, 2)
    assert first.dtype == np.int64
    for _ in range(30):
        sampled.sample(2)
        np.testing.assert_array_equal(advance(plain, 1)[0], advance(sampled, 1)[0])
    state = sampled.state_dict()
    expected = sampled.sample(1000)
    sampled.load_state_dict(state)
    np.testing.assert_array_equal(sampled.sample(1000), expected)
    if sampled.probabilities is not None:
        share = (expected[:, :, 0, None] == np.arange(5)).mean(1)
        np.testing.assert_allclose(share, sampled.probabilities[:, 0], atol=0.06)


@pytest.mark.parametrize(("name", "settings"), [case for case in CASES if case.values[0] != "random_search"])
def test_it_finds_more_than_random_search(name: str, settings: dict[str, Any]) -> None:
    """Counting wrong values of 12 variables, 300 evaluations, 40 seeds: the best recommended, one-sided, p < 0.01."""
    space = space_of(*(4,) * 12)

    def found(optimizer: Optimizer) -> np.ndarray:
        evaluations = 0
        while evaluations < 300:
            evaluations += advance(optimizer, 1, lambda archs: (archs != 2).sum(-1))[0].shape[1]
        return (optimizer.recommend() != 2).sum(-1)

    ours, random = found(make(name, settings, space, range(40))), found(make("random_search", {}, space, range(40)))
    assert mannwhitneyu(ours, random, alternative="less").pvalue < 0.01


@pytest.mark.parametrize("seeds", [[], [-1], [1, 1]])
def test_seeds_that_cannot_be(seeds: list[int]) -> None:
    with pytest.raises(ArenaError, match="seeds must be"):
        make("random_search", {}, space_of(2), seeds)


def test_every_optimizer_is_tested_with_settings() -> None:
    assert set(SETTINGS) == set(OPTIMIZERS.names())
