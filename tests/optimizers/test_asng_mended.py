"""Where the authors' code goes wrong, and ASNG here does not."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from asng_oracle import advanced, space_of

from optimizers.asng import ASNG

STATE = ("theta", "s", "gamma", "Delta")


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
