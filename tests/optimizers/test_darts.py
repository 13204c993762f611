"""DARTS: its steps by hand, and the second order against finite differences of what it is the gradient of."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gradient_problems import SIZES, SPACE, Mixed
from torch import Tensor

from optimizers import darts
from optimizers.darts import DARTS
from search_spaces.gates import Gates

EXISTS = np.arange(4) < np.array(SIZES)[:, None]


def direction(problem: Mixed, **settings: Any) -> np.ndarray:
    """What the first step descends along: with beta1 = 0 it is all that Adam remembers."""
    optimizer = DARTS(SPACE, 3, 10, beta1=0.0, weight_decay=0.0, **settings)
    optimizer.update(problem)
    found: np.ndarray = optimizer.state_dict()["exp_avg"]
    return found


def unrolled(problem: Mixed, alpha: np.ndarray) -> float:
    """The validation loss after the step that SGD takes on the training loss, both with these parameters."""
    logits = torch.from_numpy(np.where(EXISTS, alpha, -np.inf))
    gates = Gates.of_values(logits.softmax(1), SIZES)
    start = [weight.detach().clone() for weight in problem.weights]
    slopes = torch.autograd.grad(problem.train_loss(gates), problem.weights)
    with torch.no_grad():
        for weight, slope in zip(problem.weights, slopes, strict=True):
            momentum = problem.momentum_of(weight)
            moved = problem.weight_decay * weight + slope + (0 if momentum is None else problem.momentum * momentum)
            weight.sub_(problem.learning_rate * moved)
        loss = problem.valid_loss(gates).item()
        for weight, before in zip(problem.weights, start, strict=True):
            weight.copy_(before)
    return loss


def by_finite_differences(problem: Mixed) -> np.ndarray:
    alpha = DARTS(SPACE, 3, 10).state_dict()["alpha"]
    found = np.zeros_like(alpha)
    for place in np.argwhere(EXISTS):
        step = np.zeros_like(alpha)
        step[tuple(place)] = 1e-5
        found[tuple(place)] = (unrolled(problem, alpha + step) - unrolled(problem, alpha - step)) / 2e-5
    return found


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Relative to the other."""
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def test_a_first_order_update_is_a_step_of_adam_by_the_validation_loss() -> None:
    optimizer, problem = DARTS(SPACE, 5, 10, learning_rate=0.02), Mixed()
    alpha = optimizer.state_dict()["alpha"]
    m = v = np.zeros_like(alpha)
    for step in range(1, 4):
        followed = torch.tensor(np.where(EXISTS, alpha, -np.inf), requires_grad=True)
        problem.valid_loss(Gates.of_values(followed.softmax(1), SIZES)).backward()
        assert followed.grad is not None
        gradient = np.where(EXISTS, followed.grad.numpy(), 0.0) + 1e-3 * alpha
        m, v = 0.5 * m + 0.5 * gradient, 0.999 * v + 0.001 * gradient**2
        alpha = alpha - 0.02 * (m / (1 - 0.5**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-8)
        optimizer.update(problem)
        np.testing.assert_allclose(optimizer.state_dict()["alpha"], alpha, rtol=1e-10, atol=1e-14)
        for weight in problem.weights:
            weight.grad = None  # of the backward above


def test_the_exact_second_order_is_the_gradient_of_the_loss_one_step_ahead() -> None:
    problem = Mixed()
    expected = by_finite_differences(problem)
    found = direction(problem, order=2, hessian="exact")
    assert apart(found, expected) < 1e-6
    assert apart(direction(problem, order=1), expected) > 0.05  # the test can tell the orders apart


def test_differences_agree_with_the_exact_product_on_a_smooth_network() -> None:
    for seed in range(5):
        problem = Mixed(seed=seed)
        found, exact = (direction(problem, order=2, hessian=hessian) for hessian in ("differences", "exact"))
        assert 0 < apart(found, exact) < 1e-2


def test_differences_agree_with_the_exact_product_on_relus_when_no_kink_is_stepped_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problem = Mixed(torch.relu)
    exact = direction(problem, order=2, hessian="exact")
    coarse = apart(direction(problem, order=2), exact)
    monkeypatch.setattr(darts, "DIFFERENCE", 1e-6)
    fine = apart(direction(problem, order=2), exact)
    assert fine < 1e-5 < coarse


def test_differences_are_taken_a_hundredth_away_to_either_side() -> None:
    """In the norm over all weights, as in the paper, however long the gradient there is."""

    class Watched(Mixed):
        def train_loss(self, gates: Gates) -> Tensor:
            at.append(torch.cat([weight.detach().flatten() for weight in self.weights]))
            return super().train_loss(gates)

    at: list[Tensor] = []
    direction(Watched(), order=2)
    start, one, other = at
    assert torch.linalg.vector_norm(one - start).item() == pytest.approx(0.01)
    torch.testing.assert_close(one - start, start - other)


def test_a_weight_without_gradient_is_not_moved_by_the_step_ahead() -> None:
    """As SGD leaves it alone; and a momentum that is not there counts as none."""

    class Lopsided(Mixed):
        """Its training loss depends on one weight fewer than the validation loss."""

        def __init__(self) -> None:
            super().__init__()
            self.extra = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
            self.weights.append(self.extra)
            self.buffers.append(torch.tensor(50.0, dtype=torch.float64))
            self.seen: list[float] = []

        def valid_loss(self, gates: Gates) -> Tensor:
            self.seen.append(self.extra.item())
            return super().valid_loss(gates) * self.extra

    problem = Lopsided()
    assert problem.momentum_of(problem.extra) is not None
    for hessian in ("differences", "exact"):
        assert np.isfinite(direction(problem, order=2, hessian=hessian)).all()
    assert problem.seen == [2.0, 2.0]


def test_gates_are_the_softmax_in_training_and_out_of_it() -> None:
    optimizer = DARTS(SPACE, 5, 10)
    training, held = optimizer.gates(training=True), optimizer.gates(training=False)
    assert training.values is not None
    assert held.values is not None
    assert training.values.requires_grad
    assert not held.values.requires_grad
    assert torch.equal(training.values, held.values)
    np.testing.assert_array_equal(held.values.numpy(), optimizer.probabilities)
    assert [len(active) for active in held.active] == [*SIZES]
