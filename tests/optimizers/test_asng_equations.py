"""ASNG against its own equations, as ``asng_oracle`` writes them down, and what they show."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from asng_oracle import Plain, advanced, fisher_root, space_of, theta_min
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from optimizers.asng import ASNG
from optimizers.utilities import quarter
from search_spaces.errors import ArenaError

STATE = ("theta", "s", "gamma", "Delta")
SPECIAL = [-math.inf, -1e300, -3.0, -1.0, -1e-300, -0.0, 0.0, 1e-300, 0.5, 1.0, 1e300, math.inf, math.nan]


@st.composite
def problems(draw: st.DrawFn) -> dict[str, Any]:
    return {
        "sizes": draw(st.lists(st.integers(1, 6), min_size=1, max_size=8)),
        "lam": draw(st.integers(2, 9)),
        "alpha": draw(st.floats(1, 3, exclude_min=True)),
        "delta_init": 10 ** draw(st.floats(-2, 1)),
        # what the losses can be, from good to bad; without any they are all different, of both signs
        "levels": draw(st.lists(st.sampled_from(SPECIAL), max_size=6)),
        "noise": draw(st.integers(0, 3)),
        "seeds": draw(st.sampled_from([[4], [7, 0, 31]])),
        "random": draw(st.integers(0, 2**32 - 1)),
    }


def problem(**changes: Any) -> dict[str, Any]:
    usual = {"lam": 4, "alpha": 1.5, "delta_init": 1.0, "levels": [], "noise": 0, "seeds": [4], "random": 1}
    return {**usual, **changes}


@given(problem=problems())
@example(problem(sizes=[1], lam=2))  # nothing to learn
@example(problem(sizes=[2]))  # one free parameter: beta is capped at once
@example(problem(sizes=[6], delta_init=10.0))
@example(problem(sizes=[2, 2]))  # the guard of theta_min holds up to here
@example(problem(sizes=[2, 2, 1]))
@example(problem(sizes=[2, 2, 2]))  # and no longer here
@example(problem(sizes=[2, 3]))  # for one of the two
@example(problem(sizes=[3, 3]))
@example(problem(sizes=[5, 5, 4], lam=8, levels=[-3.0, -1.0, 0.0], seeds=[1, 2, 3]))
@example(problem(sizes=[5, 2], lam=2, levels=[1.0], noise=2))  # the same architecture with other losses
@example(problem(sizes=[4, 3], lam=5, levels=[0.0, math.inf, math.nan]))
@settings(max_examples=80)
def test_it_follows_the_equations(problem: dict[str, Any]) -> None:
    """30 updates with architectures that ASNG asked for: near uniform at first, much repeated in the end."""
    sizes, alpha, delta_init, levels = (problem[key] for key in ("sizes", "alpha", "delta_init", "levels"))
    seeds = problem["seeds"]
    ours = ASNG(space_of(*sizes), seeds, lam=problem["lam"], alpha=alpha, delta_init=delta_init)
    plain = [Plain(sizes, alpha, delta_init) for _ in seeds]
    random = np.random.default_rng(problem["random"])
    target = random.integers(0, sizes)
    for step in range(30):
        archs = ours.ask()
        wrong = (archs != target).sum(-1) + random.integers(0, problem["noise"] + 1, archs.shape[:2])
        losses = np.append(levels, levels[-1])[np.minimum(wrong, len(levels))] if levels else wrong - 2.0
        if not levels:
            losses = losses + random.normal(size=losses.shape)
        ours.tell(archs, losses)
        for one, a, f in zip(plain, archs, losses, strict=True):
            one.tell(a.tolist(), f.tolist())
        state = ours.state_dict()
        for r, one in enumerate(plain):
            for key, value in one.state().items():
                np.testing.assert_allclose(
                    state[key][r], value, rtol=1e-9, atol=1e-9, err_msg=f"{key} of seed {r} after step {step}"
                )


@given(
    weights=st.lists(st.lists(st.floats(0.05, 1), min_size=2, max_size=6), min_size=3, max_size=5),
    lam=st.integers(2, 9),
    random=st.integers(0, 2**32 - 1),
)
@settings(max_examples=50)
def test_the_fisher_root_squares_to_the_fisher_norm(weights: list[list[float]], lam: int, random: int) -> None:
    """|s|^2 = sum of G_k^2 / theta_k, in ``Plain`` and, as the length delta of a step, in ASNG."""
    sizes = [len(row) for row in weights]
    space = space_of(*sizes)
    delta = 1e-6  # too small for a probability to come to its bound
    optimizer = ASNG(space, [0], lam=lam, delta_init=delta)
    theta = np.zeros((1, len(sizes), max(sizes)))
    for v, row in enumerate(weights):  # halfway to uniform, away from the bounds
        low = theta_min(sizes, len(row)) * 1.01
        theta[0, v, : len(row)] = low + (1 - low * len(row)) * np.array(row) / sum(row)
    n = sum(sizes) - len(sizes)
    optimizer.load_state_dict({"theta": theta, "s": np.zeros((1, n)), "gamma": [0.0], "Delta": [1.0]})
    generator = np.random.default_rng(random)
    archs = generator.integers(0, sizes, (1, lam, len(sizes)))
    archs[0, 0], archs[0, 1] = 0, 1  # the best and the worst differ
    losses = generator.normal(size=(1, lam))
    losses[0, :2] = -100, 100
    optimizer.tell(archs, losses)
    state = optimizer.state_dict()
    G = state["theta"] - theta
    exists = theta > 0
    length = (G[exists] ** 2 / theta[exists]).sum()
    np.testing.assert_allclose(length, delta**2, rtol=1e-6)
    assert (state["s"] ** 2).sum() == pytest.approx(state["gamma"][0], rel=1e-12)  # s was sqrt(gain) of length 1
    assert state["gamma"][0] > 0
    root = [x for v, K in enumerate(sizes) for x in fisher_root(theta[0, v, :K].tolist(), G[0, v, :K].tolist())]
    assert sum(x * x for x in root) == pytest.approx(length, rel=1e-6)
    np.testing.assert_allclose(state["s"][0], np.array(root) * np.sqrt(state["gamma"][0] / length), atol=1e-8)


def test_utilities_by_rank() -> None:
    for lam, expected in {
        2: [1, -1],
        3: [1, 0, -1],
        4: [1, 0, 0, -1],
        5: [0.5, 0.5, 0, -0.5, -0.5],
        8: [0.5, 0.5, 0, 0, 0, 0, -0.5, -0.5],
    }.items():
        order = np.random.default_rng(lam).permutation(lam)
        losses = order[:, None].astype(np.float64)
        np.testing.assert_array_equal(quarter(losses)[0][:, 0] * lam, np.array(expected)[order])
    ties = np.array([[-3.0, -3.0, 0.0, 0.0, 7.0], [1, 1, 1, 1, 1], [2, 1, 2, 2, 2]])
    shared = np.array([[0.5, 0.5, -0.25, -0.25, -0.5], [0, 0, 0, 0, 0], [-0.125, 0.5, -0.125, -0.125, -0.125]])
    np.testing.assert_allclose(quarter(ties.T)[0].T * 5, shared, atol=1e-15)


def test_samples_follow_theta() -> None:
    optimizer = ASNG(space_of(4, 2, 3), [3, 8], lam=20_000)
    theta = np.zeros((2, 3, 4))
    theta[0] = [[0.1, 0.2, 0.3, 0.4], [0.8, 0.2, 0, 0], [0.3, 0.5, 0.2, 0]]
    theta[1] = [[0.7, 0.1, 0.1, 0.1], [0.4, 0.6, 0, 0], [0.25, 0.25, 0.5, 0]]
    optimizer.load_state_dict({**optimizer.state_dict(), "theta": theta})
    for archs in (optimizer.ask(), optimizer.sample(20_000)):
        counts = (archs[..., None] == np.arange(4)).sum(1)
        np.testing.assert_array_equal(counts[theta == 0], 0)
        for r, v in np.ndindex(2, 3):
            exists = theta[r, v] > 0
            assert chisquare(counts[r, v, exists], 20_000 * theta[r, v, exists]).pvalue > 1e-4, (r, v)
        pairs = ((archs[..., 0] == 0) & (archs[..., 2] == 0)).mean(1)  # the variables are independent
        np.testing.assert_allclose(pairs, theta[:, 0, 0] * theta[:, 2, 0], atol=0.014)  # over 4 standard deviations


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        *[("alpha", value) for value in (1.0, 0.5, -2.0, math.nan, math.inf)],
        *[("lam", value) for value in (1, 0, -2)],
        *[("delta_init", value) for value in (0.0, -1.0, math.nan, math.inf)],
    ],
)
def test_settings_that_cannot_be(setting: str, value: float) -> None:
    with pytest.raises(ArenaError, match=setting):
        ASNG(space_of(2, 3), [0], **{setting: value})  # type: ignore[arg-type]


def test_bug_a_batch_of_one() -> None:
    """Its utility would be -1: the reference moves away from the only sample."""
    with pytest.raises(ArenaError, match="at least 2"):
        ASNG(space_of(2, 3), [0]).tell([[[0, 1]]], [[1.0]])


@pytest.mark.parametrize(("lam", "delta_init"), [(2, 1.0), (3, 0.2), (8, 5.0)])
@pytest.mark.parametrize("sizes", [(5, 2, 3, 1, 6), (2, 2, 2), (3,), (2, 2, 1)])
def test_probabilities_and_step_size(lam: int, delta_init: float, sizes: tuple[int, ...]) -> None:
    optimizer = ASNG(space_of(*sizes), range(5), lam=lam, delta_init=delta_init)
    reached = False
    for _ in range(60):
        advanced(optimizer, 1)
        Delta = optimizer.state_dict()["Delta"]
        np.testing.assert_array_equal(optimizer.step_size, delta_init / Delta)
        np.testing.assert_array_equal(optimizer.diagnostics()["step_size"], optimizer.step_size)
        theta = optimizer.probabilities
        np.testing.assert_array_equal(theta, optimizer.state_dict()["theta"])
        np.testing.assert_allclose(theta.sum(-1), 1, atol=1e-14)
        for v, K in enumerate(sizes):
            assert (theta[:, v, K:] == 0).all()
            if K == 1:
                np.testing.assert_array_equal(theta[:, v, 0], 1)
            else:
                low = theta_min(list(sizes), K)
                assert (theta[:, v, :K] >= low - 1e-12).all()
                reached |= bool((theta[:, v, :K] < low + 1e-9).any())
    assert reached  # else the bound was not tested
    np.testing.assert_array_equal(optimizer.recommend(), optimizer.probabilities.argmax(-1))
