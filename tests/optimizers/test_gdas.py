"""GDAS: what is drawn, how gradients pass through it, and the temperature."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gradient_problems import SIZES, SPACE, Mixed

from optimizers.gdas import GDAS
from optimizers.relaxation import straight_through
from search_spaces.gates import Gates


def test_gates_are_exactly_one_hot() -> None:
    optimizer = GDAS(SPACE, 0, 10)
    for _ in range(200):
        gates = optimizer.gates(training=True)
        assert gates.values is not None
        assert gates.values.requires_grad
        assert gates.weighted == (True,) * 3
        chosen = [active[0] for active in gates.active]
        expected = np.zeros((3, 4))
        expected[np.arange(3), chosen] = 1.0
        np.testing.assert_array_equal(gates.values.detach().numpy(), expected)
        assert gates.detached().weighted == (False,) * 3


def test_the_gradient_passes_to_the_probabilities_unchanged() -> None:
    probabilities = torch.rand(3, 4, dtype=torch.float64, requires_grad=True)
    gradient = torch.randn(3, 4, dtype=torch.float64)
    rows = straight_through(probabilities, torch.tensor([2, 0, 3]))
    assert rows.tolist() == [[0, 0, 1, 0], [1, 0, 0, 0], [0, 0, 0, 1]]
    assert torch.equal(torch.autograd.grad(rows, probabilities, gradient)[0], gradient)


def test_what_was_not_drawn_gets_no_gradient_of_its_gate() -> None:
    """And alpha gets that of the softmax over the temperature, the noise of the draw included."""
    kept: list[Gates] = []

    class Seen(Mixed):
        def valid_loss(self, gates: Gates) -> torch.Tensor:
            assert gates.values is not None
            gates.values.retain_grad()
            gates.values.register_hook(lambda gradient: slopes.append(gradient.clone()))
            kept.append(gates)
            return super().valid_loss(gates)

    slopes: list[torch.Tensor] = []
    optimizer = GDAS(SPACE, 4, 10, beta1=0.0, weight_decay=0.0, temperature_start=3.0)
    before, position = optimizer.state_dict()["alpha"], optimizer.streams.position
    optimizer.update(Seen())
    chosen = torch.zeros(3, 4, dtype=torch.bool)
    for v, active in enumerate(kept[0].active):
        chosen[v, active[0]] = True
    assert ((slopes[0] != 0) == chosen).all()

    again = GDAS(SPACE, 4, 10)
    again.streams.position = position
    uniforms = again.streams.draw(3, 4)[..., 0]
    alpha = torch.tensor(before, requires_grad=True)
    exists = torch.arange(4) < torch.tensor(SIZES)[:, None]
    noisy = torch.where(exists, (alpha - torch.from_numpy(np.log(-np.log(uniforms)))) / 3.0, -torch.inf)
    assert noisy.argmax(1).tolist() == [active[0] for active in kept[0].active]
    expected = torch.autograd.grad(noisy.softmax(1), alpha, slopes[0])[0]
    np.testing.assert_allclose(optimizer.state_dict()["exp_avg"], expected, rtol=1e-10, atol=1e-16)


def test_values_are_drawn_as_often_as_they_are_probable() -> None:
    """Whatever the temperature: Gumbel noise on log-probabilities is a draw from them."""
    optimizer = GDAS(SPACE, 2, 10, temperature_start=0.1)
    state = optimizer.state_dict()
    alpha = np.where(state["alpha"] != 0, np.array([0.0, 1.0, -1.0, 0.5]), 0.0)
    optimizer.load_state_dict({**state, "alpha": alpha})
    counts, n = np.zeros((3, 4)), 3000
    for _ in range(n):
        for v, active in enumerate(optimizer.gates(training=True).active):
            counts[v, active[0]] += 1
    expected = optimizer.probabilities
    deviation = np.sqrt(n * expected * (1 - expected))
    assert (np.abs(counts - n * expected) <= 4 * deviation).all()


@pytest.mark.parametrize("steps", [1, 2, 11])
def test_the_temperature_falls_linearly_from_the_first_step_to_the_last(steps: int) -> None:
    optimizer, problem, seen = GDAS(SPACE, 0, steps, temperature_start=5.0, temperature_end=1.0), Mixed(), []
    for _ in range(steps):
        seen.append(optimizer.diagnostics()["temperature"])
        optimizer.update(problem)
    np.testing.assert_allclose(seen, np.linspace(5.0, 1.0, steps), rtol=1e-12)
    assert optimizer.temperature == seen[-1] or steps == 1


def test_every_call_in_training_draws_anew_and_no_other() -> None:
    optimizer = GDAS(SPACE, 0, 10)
    start = optimizer.streams.position
    assert optimizer.gates(training=False) == Gates.of_arch(optimizer.recommend())
    assert optimizer.streams.position == start
    drawn = {optimizer.gates(training=True).active for _ in range(100)}
    assert len(drawn) > 12  # of 24
    assert optimizer.streams.position == start + 100 * 12


def test_a_uniform_of_zero_is_no_infinite_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    optimizer = GDAS(SPACE, 0, 10, temperature_start=1e-3)

    def zeros(*shape: int) -> np.ndarray[Any, Any]:
        return np.zeros((*shape, 1))

    monkeypatch.setattr(optimizer.streams, "draw", zeros)
    optimizer.update(Mixed())
    assert np.isfinite(optimizer.state_dict()["alpha"]).all()
