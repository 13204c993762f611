"""The rules of a natural-gradient step, the utilities and the bound: against the authors' code and closed forms.

``reference_step_rules.npz`` holds numbers only, recorded as those of test_asng_reference.py from the same repository:
``SNG`` of toy/sng.py and ``Adam`` of toy/adam.py, 60 updates a run, in which no direction cancels while losses differ.
Run i has, under the names "i/...", ``rule`` ("sng" or "adam"), ``sizes`` [V], ``delta_init``, ``archs`` [T, B, V],
``losses`` [T, B], and ``theta`` [T + 1, V, Kmax] before the first update and after every one.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from optimizers.adam_sng import AdamSNG
from optimizers.asng import ASNG
from optimizers.check import MIXED, PLAIN, RUGGED, categorical
from optimizers.check_tools import advance
from optimizers.natural_gradient import NaturalGradient
from optimizers.sng import SNG
from optimizers.step_rules import FixedStep
from optimizers.utilities import log_rank, quarter
from search_spaces.errors import ArenaError

Run = dict[str, np.ndarray]
CLASSES: dict[str, type[NaturalGradient]] = {"sng": SNG, "adam": AdamSNG, "asng": ASNG}


def load_runs() -> list[Run]:
    with np.load(Path(__file__).with_name("reference_step_rules.npz")) as file:
        count = len({name.split("/")[0] for name in file.files})
        return [{key: file[f"{i}/{key}"] for key in Keys} for i in range(count)]


Keys = ("rule", "sizes", "delta_init", "archs", "losses", "theta")
RUNS = load_runs()


@pytest.mark.parametrize("run", RUNS, ids=lambda run: f"{run['rule']}-lam{run['archs'].shape[1]}-{run['delta_init']}")
def test_whole_runs_are_those_of_the_reference(run: Run) -> None:
    """To 1e-6: it adds 1e-8 or 1e-9 to the norm of the direction."""
    archs = run["archs"].astype(np.int64)
    optimizer: Any = CLASSES[str(run["rule"])](
        categorical(*run["sizes"].tolist()), [0], lam=archs.shape[1], delta_init=float(run["delta_init"])
    )
    for t in range(len(archs)):
        optimizer.tell(archs[t][None], run["losses"][t][None])
        np.testing.assert_allclose(optimizer.state_dict()["theta"][0], run["theta"][t + 1], rtol=0, atol=1e-6)


def test_the_runs_cover_what_they_should() -> None:
    assert {(str(run["rule"]), run["archs"].shape[1], len(set(run["sizes"])) > 1) for run in RUNS} == {
        (rule, lam, unequal) for rule in ("sng", "adam") for lam in (2, 4, 8) for unequal in (False, True)
    }
    skipped = [(run["losses"] == run["losses"][:, :1]).all(1).any() for run in RUNS]
    assert np.mean(skipped) > 0.5  # after a skipped update Adam's count is one more than its updates


@pytest.mark.parametrize("space", [PLAIN, MIXED], ids=["categorical", "mixed"])
def test_a_fixed_step_has_its_length_in_the_fisher_metric(space: Any) -> None:
    """KL of the new from the old distribution is about delta^2 / 2, so the ratio of two small steps' KL is known."""
    lengths = []
    for delta in (1e-3, 2e-3):
        optimizer = SNG(space, range(50), lam=4, delta_init=delta)
        theta, rest = optimizer.state_dict()["theta"], optimizer.state_dict()
        archs = optimizer.ask()
        optimizer.tell(archs, RUGGED(archs) + np.random.default_rng(0).normal(size=archs.shape[:2]))
        moved = optimizer.state_dict()
        exists = theta > 0
        square = np.where(exists, (moved["theta"] - theta) ** 2 / np.where(exists, theta, 1.0), 0.0).sum((1, 2))
        if "mean" in moved:
            shift, v = moved["mean"] - rest["mean"], rest["variance"]
            widened = moved["variance"] + shift**2 - v  # the component of q - 2 m m
            square += (shift**2 / v + widened**2 / (2 * v**2)).sum(1)
            square = square[(moved["variance"] < v).all(1)]  # at their upper limit variances were cut
        lengths.append(np.sqrt(square))
        np.testing.assert_allclose(lengths[-1], delta, rtol=1e-9)
        assert len(square) > 3


def test_a_step_that_is_not_normalised_is_delta_times_the_gradient() -> None:
    gradient = np.array([[[0.1, -0.3]], [[-0.1, 0.3]]])
    norm = np.array([2.0, 5.0])
    assert FixedStep(0.5, normalise=False).displace([gradient], gradient[0], norm, None)[0].tolist() == [
        [[0.05, -0.15]],
        [[-0.05, 0.15]],
    ]
    live = np.array([True, False])
    cut = FixedStep(0.5, normalise=True).displace([gradient], gradient[0], norm, live)[0]
    np.testing.assert_allclose(cut, [[[0.025, 0]], [[-0.025, 0]]])


@pytest.mark.parametrize("utility", ["quarter", "log_rank"])
@pytest.mark.parametrize("cls", CLASSES.values())
def test_constant_losses_leave_the_distribution_where_it_is(cls: Any, utility: str) -> None:
    for loss in (0.0, -3.0, math.inf):
        optimizer = cls(PLAIN, range(20), lam=5, utility=utility)
        before = optimizer.state_dict()["theta"]
        advance(optimizer, 300, lambda archs, loss=loss: np.full(archs.shape[:2], loss))
        np.testing.assert_array_equal(optimizer.state_dict()["theta"], before)


def test_log_rank_weights() -> None:
    """Of CatCMA: log((lam + 1) / 2) - log(rank) of the better half, their sum 1; ties share."""
    raw = [math.log(4.5 / rank) for rank in (1, 2, 3, 4)]
    losses = np.array([[5.0, 1.0, 9.0, 3.0, 7.0, 2.0, 8.0, 4.0]]).T  # ranks 5 1 8 3 6 2 7 4
    expected = np.array([0, raw[0], 0, raw[2], 0, raw[1], 0, raw[3]]) / sum(raw)
    weights, total = log_rank(losses)
    np.testing.assert_allclose(weights[:, 0], expected, rtol=1e-13)
    assert total == pytest.approx(weights.sum(), rel=1e-12)
    tied, _ = log_rank(np.array([[1.0, 1.0, 2.0, 2.0]]).T)
    raw = [math.log(2.5 / rank) for rank in (1, 2)]
    np.testing.assert_allclose(tied[:, 0], [0.5, 0.5, 0, 0], rtol=1e-13)


def test_weights_with_a_sum_move_as_the_equation_says() -> None:
    """theta + delta / |F^(1/2) G| * G with G = sum of w_i (onehot(c_i) - theta), written out for one seed."""
    optimizer = SNG(PLAIN, [0], lam=6, delta_init=0.05, utility="log_rank")
    advance(optimizer, 3, RUGGED)
    theta = optimizer.state_dict()["theta"][0]
    archs = optimizer.ask()
    losses = np.arange(6.0)[None]
    optimizer.tell(archs, losses)
    weights = log_rank(losses.T)[0][:, 0]
    G = sum(w * (np.eye(5)[arch] - theta) for w, arch in zip(weights, archs[0], strict=True)) * (theta > 0)
    norm = math.sqrt((G[theta > 0] ** 2 / theta[theta > 0]).sum())
    np.testing.assert_allclose(optimizer.state_dict()["theta"][0], theta + 0.05 / norm * G, atol=1e-12)


def test_utilities_of_equal_losses_tell_nothing_or_are_equal() -> None:
    for losses in (np.zeros((7, 2)), np.full((7, 2), math.inf)):
        assert (quarter(losses)[0] == 0).all()
        np.testing.assert_allclose(log_rank(losses)[0], 1 / 7, rtol=1e-13)


@pytest.mark.parametrize("factor", [1.0, 0.5, 0.01])
@pytest.mark.parametrize("cls", CLASSES.values())
def test_theta_min_is_a_factor_on_the_bound(cls: Any, factor: float) -> None:
    """With three variables of 5, 3 and 4 values it is 1 / (3 (K - 1))."""
    optimizer = cls(PLAIN, range(20), delta_init=3.0, theta_min=factor)
    advance(optimizer, 200, lambda archs: (archs != 1).sum(-1) * 1.0)
    theta = optimizer.state_dict()["theta"]
    for v, K in enumerate((5, 3, 4)):
        lowest = theta[:, v, :K].min()
        assert lowest == pytest.approx(factor / (3 * (K - 1)), rel=0.2)
        assert lowest >= factor / (3 * (K - 1)) * (1 - 1e-9)


def test_the_three_share_their_streams_and_differ_by_their_steps() -> None:
    first = [cls(PLAIN, range(9), stream="one").ask() for cls in CLASSES.values()]
    assert all(np.array_equal(first[0], other) for other in first)
    later = [np.concatenate(advance(cls(PLAIN, range(9)), 40, RUGGED), 1) for cls in CLASSES.values()]
    assert not np.array_equal(later[0], later[1])
    assert not np.array_equal(later[1], later[2])


def test_settings_out_of_range_are_told() -> None:
    for cls in CLASSES.values():
        for wrong in ({"theta_min": 0.0}, {"theta_min": 1.5}, {"lam": 1}, {"delta_init": 0.0}):
            with pytest.raises(ArenaError, match=f"{next(iter(wrong))}.*not"):
                cls(PLAIN, [0], **wrong)  # type: ignore[call-arg]
