"""ENAS against one controller of torch's own parts in float64, and what its updates must and must not do."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from asng_oracle import space_of
from scipy.stats import chisquare

from optimizers.check_tools import advance, difference, seen
from optimizers.enas import ENAS
from search_spaces.errors import ArenaError, MissingExtra
from search_spaces.registry import get_benchmark

CELL = torch.nn.LSTMCell(32, 32).double()
PAPER: dict[str, Any] = {}
MICRO = {"lr": 0.0035, "beta1": 0.0, "eps": 1e-3}
NASBENCH201 = {"batch": 20, "lr": 0.001, "beta1": 0.0, "eps": 1e-3}


def log_probabilities(flat: torch.Tensor, sizes: list[int], arch: tuple[int, ...]) -> Iterator[torch.Tensor]:
    """Of the values of each variable, given those of an architecture before it."""
    width = 32 * math.ceil(max(sizes) / 32)
    shapes = [(1 + sum(sizes[:-1]), 32), (32, width), (1, width), (64, 128), (1, 128), (64, 128), (1, 128)]
    lengths = [rows * length for rows, length in shapes]
    inputs, head, head_bias, *layers = (
        part.reshape(shape) for part, shape in zip(flat.split(lengths), shapes, strict=True)
    )
    states: list[Any] = [None, None]
    below, row = inputs[:1], 1
    for size, value in zip(sizes, arch, strict=True):
        for n, layer in enumerate(zip(layers[::2], layers[1::2], strict=True)):
            # ours are the gates f, i, o and the candidate g; torch's are i, f, g, o
            matrix, bias = (torch.cat([part.split(32, 1)[place] for place in (1, 0, 3, 2)], 1) for part in layer)
            weights = {"weight_ih": matrix[:32].T, "weight_hh": matrix[32:].T, "bias_ih": bias[0]}
            weights["bias_hh"] = torch.zeros_like(bias[0])
            states[n] = torch.func.functional_call(CELL, weights, (below, states[n]))
            below = states[n][0]
        yield torch.log_softmax(2.5 * torch.tanh((below @ head + head_bias)[0, :size] / 5), 0)
        below, row = inputs[row + value : row + value + 1], row + size


class OneSeed:
    """One controller that is trained by autograd and torch's own Adam on what an optimizer asked and was told."""

    def __init__(self, optimizer: ENAS, place: int) -> None:
        self.sizes, self.scale, self.baseline = optimizer.space.sizes.tolist(), optimizer.scale, math.nan
        self.flat = torch.tensor(optimizer.state_dict()["weights"][place], dtype=torch.float64, requires_grad=True)
        betas = optimizer.beta1, 0.999
        self.adam = torch.optim.Adam([self.flat], lr=optimizer.lr, betas=betas, eps=optimizer.eps)

    def update(self, archs: np.ndarray, losses: np.ndarray) -> float:
        """Gives the norm of the gradient before it is clipped."""
        distributions = [list(log_probabilities(self.flat, self.sizes, arch)) for arch in archs.tolist()]
        entropy = torch.stack([-sum((one.exp() * one).sum() for one in written) for written in distributions]).detach()
        log_prob = torch.stack(
            [
                sum(one[value] for one, value in zip(written, arch, strict=True))
                for written, arch in zip(distributions, archs.tolist(), strict=True)
            ]
        )
        rewards = 1e-4 * entropy - torch.from_numpy(losses) / self.scale
        mean = rewards.mean().item()
        self.baseline = mean if math.isnan(self.baseline) else 0.99 * self.baseline + 0.01 * mean
        self.adam.zero_grad()
        (-(rewards - self.baseline) * log_prob).mean().backward()
        norm = torch.nn.utils.clip_grad_norm_([self.flat], 5.0).item()
        self.adam.step()
        return norm

    def probability(self, arch: tuple[int, ...]) -> float:
        written = zip(log_probabilities(self.flat, self.sizes, arch), arch, strict=True)
        return math.exp(sum(one[value].item() for one, value in written))

    def mode(self) -> list[int]:
        arch = [0] * len(self.sizes)
        for v in range(len(arch)):
            arch[v] = int([*log_probabilities(self.flat, self.sizes, tuple(arch))][v].argmax())
        return arch


def table_loss(archs: np.ndarray) -> np.ndarray:
    """Error rates in percent that depend on how the values go together."""
    return 20 + 60 * np.abs(np.sin(archs.astype(float) @ np.arange(1.0, archs.shape[-1] + 1) + archs[..., 0] ** 2))


@pytest.mark.parametrize("scale", [100.0, 0.01])
@pytest.mark.parametrize("settings", [PAPER, MICRO, NASBENCH201], ids=["paper", "micro", "nasbench201"])
def test_updates_are_those_of_autograd_and_torchs_adam(settings: dict[str, Any], scale: float) -> None:
    """At 0.01 the rewards are 10,000 times larger, and gradients are clipped."""
    optimizer = ENAS(space_of(5, 3, 1, 4), range(3), scale=scale, **settings)
    one, start = OneSeed(optimizer, 1), optimizer.state_dict()["weights"][1]
    norms = []
    for _ in range(6):
        archs = optimizer.ask()
        optimizer.tell(archs, table_loss(archs))
        norms.append(one.update(archs[1], table_loss(archs)[1]))
    assert (max(norms) > 5) == (scale < 1)
    state, moments = optimizer.state_dict(), one.adam.state[one.flat]
    for ours, theirs in (("m", -moments["exp_avg"]), ("v", moments["exp_avg_sq"])):
        np.testing.assert_allclose(state[ours][1], theirs, rtol=1e-3, atol=1e-5 * theirs.abs().max().item())
    moved, theirs = state["weights"][1] - start, one.flat.detach().numpy() - start
    assert np.abs(moved - theirs).max() < 0.02 * np.abs(theirs).max()
    assert np.sqrt(np.mean((moved - theirs) ** 2)) < 1e-3 * np.sqrt(np.mean(theirs**2))
    assert state["baseline"][1] == pytest.approx(one.baseline, rel=1e-6)


def test_samples_and_the_mode_are_of_the_controllers_distribution() -> None:
    optimizer = ENAS(space_of(3, 4, 1, 2), [5, 6], lr=0.02)
    advance(optimizer, 15, table_loss)
    one = OneSeed(optimizer, 0)
    every = [*itertools.product(*map(range, (3, 4, 1, 2)))]
    expected = np.array([one.probability(arch) for arch in every])
    assert expected.sum() == pytest.approx(1, abs=1e-9)
    assert expected.max() > 3 / len(every)  # it is far from uniform, so that the test says something
    counts = np.bincount(optimizer.space.index(optimizer.sample(20_000)[0]), minlength=len(every))
    assert chisquare(counts, expected * 20_000).pvalue > 1e-3
    assert optimizer.recommend()[0].tolist() == one.mode()


def test_weights_start_uniform_and_each_seed_has_its_own() -> None:
    weights = ENAS(space_of(5, 3, 4), [2, 7]).state_dict()["weights"]
    assert np.abs(weights).max() < 0.1
    assert weights.std() == pytest.approx(0.2 / math.sqrt(12), rel=0.02)
    assert (weights[0] != weights[1]).mean() > 0.999


@pytest.mark.parametrize("batch", [1, 10])
def test_one_seed_or_a_full_shard_run_the_same_to_the_last_bit(batch: int) -> None:
    """Up to the most seeds that it takes, more than the contract's check tries; whatever torch's threads and types."""
    space = space_of(5, 5, 5, 5, 5, 5)
    crowd = ENAS(space, range(ENAS.most_seeds), batch=batch, lr=0.01)
    advance(crowd, 5, table_loss)
    threads = torch.get_num_threads()
    torch.set_num_threads(2)
    torch.set_default_dtype(torch.float64)
    try:
        for few in (1, 2, 3, 5, 8, 17):
            apart = ENAS(space, range(few), batch=batch, lr=0.01)
            with torch.no_grad():
                advance(apart, 5, table_loss)
            assert torch.get_num_threads() == 2
            assert not difference(seen(crowd), seen(apart), slice(few))
    finally:
        torch.set_num_threads(threads)
        torch.set_default_dtype(torch.float32)


def told(*steps: list[float], seeds: int = 1, **settings: Any) -> ENAS:
    """After steps in which each seed was told these losses of a batch."""
    optimizer = ENAS(space_of(3, 3), range(seeds), batch=len(steps[0]), **settings)
    for losses in steps:
        optimizer.tell(optimizer.ask(), [losses] * seeds)
    return optimizer


@pytest.mark.parametrize("worst", [math.inf, math.nan])
def test_an_infinite_loss_is_the_worst_finite_one_seen(worst: float) -> None:
    """And minus infinity the best one."""
    infinite = told([5.0, worst], [worst, 7.0], [worst, -math.inf], [2.0, 1.0], [worst, worst])
    finite = told([5.0, 5.0], [7.0, 7.0], [7.0, 5.0], [2.0, 1.0], [7.0, 7.0])
    assert not difference(seen(infinite), seen(finite))


def test_before_a_finite_loss_nothing_changes_and_other_seeds_are_not_held_up() -> None:
    both = ENAS(space_of(3, 3), [0, 1], batch=2)
    alone = ENAS(space_of(3, 3), [1], batch=2)
    before = both.state_dict()
    for losses in ([4.0, 3.0], [2.0, 5.0]):
        both.tell(both.ask(), [[math.inf, math.inf], losses])
        alone.tell(alone.ask(), [losses])
    after = both.state_dict()
    for name in ("weights", "m", "v", "updates", "baseline", "best_loss", "worst_loss"):
        np.testing.assert_array_equal(after[name][0], before[name][0])
        np.testing.assert_array_equal(after[name][1], alone.state_dict()[name][0])
    assert after["updates"].tolist() == [0, 2]
    both.tell(both.ask(), [[1.0, 2.0]] * 2)
    assert both.state_dict()["updates"].tolist() == [1, 3]


@pytest.mark.parametrize("scale", [1e-300, 100.0, 1e300])
@pytest.mark.parametrize("size", [1e-300, 1.0, 1e200, 1.7e308])
def test_no_loss_leaves_a_state_that_is_not_finite(size: float, scale: float) -> None:
    """And warnings are errors."""
    steps = [[math.inf, size], [-size, size], [size, -size], [-math.inf, 0.0], [size, math.inf]] * 4
    state = told(*steps, scale=scale, lr=1.0).state_dict()
    for name, value in state.items():
        assert np.isfinite(value).all(), name


@pytest.mark.parametrize("settings", [{"lr": 0.0035}, {"batch": 1}], ids=["micro lr, batch 10", "paper, batch 1"])
def test_the_controller_learns(settings: dict[str, Any]) -> None:
    """Each of 8 seeds writes better cells after 500 evaluations than a uniform draw is, and by far."""
    table = get_benchmark("nasbench201", dataset="cifar100")
    uniform = table.search_loss(np.stack(np.unravel_index(np.arange(table.space.size), table.space.sizes), -1))
    optimizer = ENAS(table.space, range(8), **settings)
    advance(optimizer, 500 // optimizer.batch, table.search_loss)
    written = table.search_loss(optimizer.sample(100)).mean(axis=1)
    assert (written < uniform.mean()).all()
    assert written.mean() < uniform.mean() - 0.1 * uniform.std()


def test_torch_that_is_not_installed_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtra, match=r"enas needs the package torch; .*pip install 'nas-arena\[supernet\]'"):
        ENAS(space_of(2, 2), [0])


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("batch", 0, "batch must be at least 1, not 0"),
        ("lr", 0.0, "lr must be above 0 and at most 1, not 0.0"),
        ("lr", math.nan, "lr must be above 0 and at most 1, not nan"),
        ("beta1", 1.0, "beta1 must be at least 0 and below 1, not 1.0"),
        ("eps", 0.0, "eps must be between 1e-30, which float32 can still hold, and 1, not 0.0"),
        ("scale", math.inf, "scale must be above 0 and finite, not inf"),
    ],
)
def test_settings_that_cannot_be(setting: str, value: float, message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        ENAS(space_of(2, 2), [0], **{setting: value})
