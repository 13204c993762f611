"""ASNG against its own equations, written down a second time, and against the bugs of the authors' code.

``Plain`` is one seed in loops over numbers. It shares nothing with optimizers/asng.py but the equations, and finds
ties, ranks and a direction of zero in exact fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from optimizers.asng import ASNG, rank_utilities
from search_spaces.errors import ArenaError
from search_spaces.space import Categorical, SearchSpace

STATE = ("theta", "s", "gamma", "Delta")


def space_of(*sizes: int) -> SearchSpace:
    return SearchSpace(Categorical(f"v{v}", [f"c{k}" for k in range(size)]) for v, size in enumerate(sizes))


# --- the equations ---------------------------------------------------------------------------------------------------


def utilities(losses: list[float]) -> list[Fraction]:
    """1/mu for the best mu = ceil(lam / 4), -1/mu for the worst mu, else 0; equal losses share their mean."""
    losses = [math.inf if math.isnan(loss) else loss for loss in losses]
    lam = len(losses)
    mu = math.ceil(lam / 4)
    by_rank = [Fraction(1, mu) if i < mu else Fraction(-1, mu) if i >= lam - mu else Fraction(0) for i in range(lam)]
    order = sorted(losses)
    shared = []
    for loss in losses:
        ranks = [i for i in range(lam) if order[i] == loss]
        shared.append(sum((by_rank[i] for i in ranks), Fraction(0)) / len(ranks))
    return shared


def theta_min(sizes: list[int], K: int) -> float:
    """The least probability that a variable of K > 1 values may have."""
    n_v = sum(size > 1 for size in sizes)
    return 1 / (2 * K) if n_v * (K - 1) <= K else 1 / (n_v * (K - 1))


def fisher_root(theta: list[float], G: list[float]) -> list[float]:
    """The square root of the Fisher matrix of one variable's free parameters, times G."""
    S = sum(G[:-1])
    shared = S / (theta[-1] + math.sqrt(theta[-1]))
    return [g / math.sqrt(p) + math.sqrt(p) * shared for p, g in zip(theta[:-1], G[:-1], strict=True)]


class Plain:
    def __init__(self, sizes: list[int], alpha: float, delta_init: float) -> None:
        self.sizes, self.alpha, self.delta_init = sizes, alpha, delta_init
        self.theta = [[1 / K] * K for K in sizes]
        self.s = [0.0] * sum(K - 1 for K in sizes)
        self.gamma, self.Delta = 0.0, 1.0

    def tell(self, archs: list[list[int]], losses: list[float]) -> None:
        u = utilities(losses)
        # The utilities sum to 0, so mean(u (onehot - theta)) = mean(u onehot).
        exact = [
            [sum((u[i] for i in range(len(u)) if archs[i][v] == k), Fraction(0)) / len(u) for k in range(K)]
            for v, K in enumerate(self.sizes)
        ]
        if not any(g for row in exact for g in row):
            return
        G = [[float(g) for g in row] for row in exact]
        sG = [x for v in range(len(self.sizes)) for x in fisher_root(self.theta[v], G[v])]
        norm = math.sqrt(sum(x * x for x in sG))
        delta = self.delta_init / self.Delta
        beta = min(1.0, delta / math.sqrt(len(sG)))
        for v, K in enumerate(self.sizes):
            if K > 1:
                moved = [self.theta[v][k] + delta / norm * G[v][k] for k in range(K)]
                self.theta[v] = self.restricted(moved, theta_min(self.sizes, K))
        self.s = [(1 - beta) * s + math.sqrt(beta * (2 - beta)) * x / norm for s, x in zip(self.s, sG, strict=True)]
        self.gamma = (1 - beta) ** 2 * self.gamma + beta * (2 - beta)
        self.Delta *= math.exp(beta * (self.gamma - sum(s * s for s in self.s) / self.alpha))

    @staticmethod
    def restricted(theta: list[float], low: float) -> list[float]:
        theta = [max(p, low) for p in theta]
        total = sum(theta)
        theta = [p - (total - 1) * (p - low) / (total - low * len(theta)) for p in theta]
        total = sum(theta)
        return [p / total for p in theta]

    def state(self) -> dict[str, Any]:
        Kmax = max(self.sizes)
        return {
            "theta": np.array([row + [0.0] * (Kmax - len(row)) for row in self.theta]),
            "s": np.array(self.s),
            "gamma": self.gamma,
            "Delta": self.Delta,
        }


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
        np.testing.assert_array_equal(rank_utilities(losses)[:, 0], np.array(expected)[order])
    ties = np.array([[-3.0, -3.0, 0.0, 0.0, 7.0], [1, 1, 1, 1, 1], [2, 1, 2, 2, 2]])
    shared = np.array([[0.5, 0.5, -0.25, -0.25, -0.5], [0, 0, 0, 0, 0], [-0.125, 0.5, -0.125, -0.125, -0.125]])
    np.testing.assert_allclose(rank_utilities(ties.T).T, shared, atol=1e-15)


# --- where the authors' code is wrong --------------------------------------------------------------------------------


def advanced(optimizer: ASNG, steps: int = 12) -> ASNG:
    """After some steps of a deterministic loss, so that theta, s, gamma and Delta are no more what they were."""
    for _ in range(steps):
        archs = optimizer.ask()
        optimizer.tell(archs, (archs * np.arange(1, archs.shape[-1] + 1)).sum(-1))
    return optimizer


def assert_unchanged(optimizer: ASNG, archs: Any, losses: Any) -> None:
    before = optimizer.state_dict()
    optimizer.tell(archs, losses)
    for key, value in optimizer.state_dict().items():
        np.testing.assert_array_equal(value, before[key], err_msg=key)


DIFFERENT = np.arange(8)[:, None] * [1, 1, 1] % [5, 3, 4]


@pytest.mark.parametrize("loss", [-1.0, -91.3, 0.0, -0.0, 1.0, -np.inf, np.inf, np.nan, -5e-324])
@pytest.mark.parametrize("lam", [2, 3, 8])
def test_bug_negative_or_zero_ties_are_no_ties(loss: float, lam: int) -> None:
    """The reference's tolerance has the sign of the loss: (-1, -1) and (0, 0) send it in a random direction."""
    optimizer = advanced(ASNG(space_of(5, 3, 4), [1, 2], lam=lam))
    archs = np.stack([DIFFERENT[:lam]] * 2)
    assert_unchanged(optimizer, archs, np.full((2, lam), loss))
    assert_unchanged(optimizer, archs, [[0.0] * (lam - 1) + [-0.0]] * 2)


def test_bug_near_losses_are_tied() -> None:
    """Neighbouring floats are different losses; the reference's tolerance of 1e-14 makes them one."""
    optimizer = ASNG(space_of(5, 3, 4), [1])
    optimizer.tell(DIFFERENT[None, :2], [[1.0, np.nextafter(1.0, 2.0)]])
    assert (optimizer.probabilities[0, :, 0] > optimizer.probabilities[0, :, 1]).all()


def test_constant_losses_leave_theta_uniform() -> None:
    """To the last bit: no drift by the scaling to a sum of 1."""
    sizes = [3, 6, 1, 5, 2]
    for loss in (-0.7, 0.0, 0.7):
        optimizer = ASNG(space_of(*sizes), range(3), lam=5)
        for _ in range(20):
            optimizer.tell(optimizer.ask(), np.full((3, 5), loss))
        for v, K in enumerate(sizes):
            np.testing.assert_array_equal(optimizer.probabilities[:, v, :K], 1.0 / K)
        np.testing.assert_array_equal(optimizer.step_size, 1.0)


@pytest.mark.parametrize("lam", [2, 8])
def test_bug_one_architecture_with_different_losses(lam: int) -> None:
    """The direction is 0. The toy version then shrinks delta; the integer version divides by 0."""
    optimizer = advanced(ASNG(space_of(5, 3, 4), [1, 2], lam=lam))
    archs = np.broadcast_to([2, 0, 3], (2, lam, 3))
    assert_unchanged(optimizer, archs, np.random.default_rng(0).normal(size=(2, lam)))
    assert_unchanged(optimizer, archs, np.stack([np.arange(lam)] * 2) // 2)


@pytest.mark.parametrize("lam", range(4, 10))
def test_bug_rounding_is_taken_for_a_direction(lam: int) -> None:
    """Shared utilities such as 1/3 do not cancel to the last bit; the remaining 1e-17 must not become a full step."""
    optimizer = advanced(ASNG(space_of(5, 3, 4), range(100), lam=lam))
    archs = np.broadcast_to([2, 0, 3], (100, lam, 3))
    assert_unchanged(optimizer, archs, np.random.default_rng(0).integers(0, 4, (100, lam)))


def test_a_seed_that_is_skipped_does_not_hold_up_another() -> None:
    optimizer = ASNG(space_of(5, 3, 4), [1, 2])
    before = optimizer.state_dict()
    optimizer.tell([[[0, 0, 0], [0, 0, 0]], [[0, 0, 0], [1, 1, 1]]], [[1.0, 2.0], [1.0, 2.0]])
    after = optimizer.state_dict()
    for key in STATE:
        np.testing.assert_array_equal(after[key][0], before[key][0], err_msg=key)
        assert (after[key][1] != before[key][1]).any(), key


def test_nan_is_worst() -> None:
    """As +inf, with which it ties; the reference relies on where argsort puts it."""
    archs = DIFFERENT[None, :4]

    def told(*losses: float) -> dict[str, Any]:
        optimizer = ASNG(space_of(5, 3, 4), [1])
        optimizer.tell(archs, [losses])
        return optimizer.state_dict()

    for key in STATE:
        np.testing.assert_array_equal(told(np.nan, 0, 1, 2)[key], told(9, 0, 1, 2)[key], err_msg=key)
        np.testing.assert_array_equal(told(np.nan, 0, np.inf, 2)[key], told(9, 0, 9, 2)[key], err_msg=key)
    assert told(np.nan, 0, 1, 2)["theta"][0, 0, 0] < 0.2 < told(np.nan, 0, 1, 2)["theta"][0, 0, 1]


@pytest.mark.parametrize("sizes", [(2,), (5,), (2, 2), (1, 2, 1), (2, 1, 2)])
def test_bug_few_variables_end_in_nan(sizes: tuple[int, ...]) -> None:
    """The reference's bound is then 1/K or more, and it divides 0 by 0. Ours is half of uniform, and is reached."""
    space = space_of(*sizes)
    optimizer = ASNG(space, range(10), lam=4)
    for _ in range(100):
        archs = optimizer.ask()
        optimizer.tell(archs, archs.sum(-1))
    assert (optimizer.recommend() == 0).all()
    probabilities = optimizer.probabilities
    for v, K in enumerate(sizes):
        if K > 1:
            np.testing.assert_allclose(probabilities[:, v, 0], 1 - (K - 1) / (2 * K), atol=1e-12)


def test_bug_beta_passes_one() -> None:
    """With delta above sqrt(n) the reference flips the sign of s, and with twice that takes the root of -1."""
    optimizer = ASNG(space_of(3, 3, 3), [1], delta_init=10.0)
    s = np.linspace(-1, 1, 6)[None]
    optimizer.load_state_dict({**optimizer.state_dict(), "s": s, "gamma": [0.5]})
    optimizer.tell([[[0, 0, 0], [1, 1, 1]]], [[1.0, 2.0]])
    state = optimizer.state_dict()
    assert state["gamma"][0] == 1  # nothing is left of the past
    assert (state["s"] ** 2).sum() == pytest.approx(1, rel=1e-12)
    assert state["Delta"][0] == pytest.approx(math.exp(1 - 1 / 1.5), rel=1e-12)


def test_bug_a_sum_below_one_draws_no_value() -> None:
    """Where rounding leaves the last edge below a uniform, the reference draws none; here, exaggerated, the last."""
    sizes = [2, 5, 3]  # a variable of fewer values than another must stop at its own last one
    optimizer = ASNG(space_of(*sizes), [1])
    theta = [[1e-9 if k < K else 0.0 for k in range(5)] for K in sizes]
    optimizer.load_state_dict({**optimizer.state_dict(), "theta": [theta]})
    np.testing.assert_array_equal(optimizer.sample(1000), np.broadcast_to(np.array(sizes) - 1, (1, 1000, 3)))


# --- what it shows ---------------------------------------------------------------------------------------------------


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
