"""ASNG on ordinal variables, against its equations (``asng_ordinal_oracle``), a numerical Fisher matrix, and numbers
recorded from the authors' own code.

``reference_ordinal.npz`` was recorded by running ``AdaptiveSNG`` of inpainting/inpainting_int/asng_int.py in
https://github.com/shirakawas/ASNG-NAS at commit a13c482 (MIT licence, Copyright (c) 2019 Shinichi Shirakawa) as it is,
with integers from 0 to K-1 and ``numpy.random.rand`` and ``randn`` replaced by uniforms of our own streams and their
normal quantiles, so that it draws what ours draws. It holds numbers only: of run i, under the names "i/...", with T
updates of B architectures of V variables,

    kinds       str, the space, for ``space_of``
    settings    float [3], seed, alpha and delta_init
    archs       int [T, B, V], what was drawn
    losses      int [T, B], above zero
    steps       int [S], after how many updates the next ones were recorded, in the units of ``state_dict``
    theta, s, gamma, Delta, mean, variance      float [S, ...]

No mean in it is 0 at an update with 2 variance > 1, nor clipped to the ranks: there the reference is wrong, see
``test_bug_eigenvectors`` and ``test_bug_the_last_rank_widens`` in test_asng_ordinal_behaviour.py.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from asng_ordinal_oracle import (
    LOSSES,
    Arrays,
    Plain,
    load,
    normals,
    space_of,
    weights,
)

from optimizers.asng import ASNG


@pytest.mark.parametrize(
    ("kinds", "lam", "loss", "alpha", "delta_init"),
    [
        ("o8 o3 o5", 2, "convex", 1.5, 1.0),
        ("o8 o2 o5 o3", 3, "rugged", 1.5, 1.0),
        ("o8 o8 o8 o8 o8", 4, "convex", 2.5, 1.0),
        ("o12 o3 o50", 4, "rugged", 1.5, 0.3),
        ("o8 o3 o5", 5, "tied", 1.1, 1.0),
        ("o2 o2 o2", 8, "convex", 1.5, 0.1),
        ("o3", 8, "infinite", 1.5, 3.0),  # beta is capped
        ("o40 o5", 8, "outward", 1.5, 1.0),
        ("o8 c4 o3 c5 c2 o13", 2, "convex", 1.5, 1.0),
        ("c3 o8 o2 c1 c4", 3, "infinite", 1.5, 0.3),
        ("c3 c3 o12 o4", 4, "tied", 1.5, 1.0),
        ("o6 c2 o6", 5, "rugged", 1.5, 1.0),  # one categorical: its bound is half of uniform, not that of 3 variables
        ("o8 c4 o3 c5 c2 o13", 8, "rugged", 2.5, 1.0),
        ("o8 c4 o3 c5 c2 o13", 8, "infinite", 1.5, 1.0),
        ("o8 c4", 2, "constant", 1.5, 1.0),
    ],
)
def test_it_follows_the_equations(kinds: str, lam: int, loss: str, alpha: float, delta_init: float) -> None:
    """300 steps. ``Plain`` takes variances of 1/16 from squares of up to 49^2, and loses 5 of 16 digits to that.

    The optimizer does not. Over thousands of random runs they differed by up to 1e-8, without large ranks by 1e-10.
    """
    space, seeds = space_of(kinds), [11, 4]
    ours = ASNG(space, seeds, lam=lam, alpha=alpha, delta_init=delta_init)
    plain = [Plain(space, seed, lam, alpha, delta_init) for seed in seeds]
    for step in range(300):
        archs = ours.ask()
        np.testing.assert_array_equal(archs, [one.ask() for one in plain], err_msg=f"step {step}")
        losses = LOSSES[loss](archs)
        ours.tell(archs, losses)
        state = ours.state_dict()
        for r, one in enumerate(plain):
            one.tell(losses[r].tolist())
            for key, value in one.state().items():
                if np.size(value):
                    message = f"{key} of seed {seeds[r]} after step {step}"
                    np.testing.assert_allclose(state[key][r], value, rtol=1e-8, atol=1e-8, err_msg=message)
    modes = [[round(one.m[v]) if v in one.m else np.argmax(one.theta[v]) for v in range(len(space))] for one in plain]
    np.testing.assert_array_equal(ours.recommend(), modes)


def load_runs() -> list[Arrays]:
    with np.load(Path(__file__).with_name("reference_ordinal.npz")) as file:
        runs: list[Arrays] = [{} for _ in {name.split("/")[0] for name in file.files}]
        for name in file.files:
            number, key = name.split("/")
            runs[int(number)][key] = file[name]
    return runs


@pytest.mark.parametrize(
    "run", [pytest.param(run, id=f"lam{run['archs'].shape[1]} {run['kinds']}") for run in load_runs()]
)
def test_a_whole_run_is_that_of_the_reference(run: Arrays) -> None:
    """To 2e-7: in each of 60 steps of theta the reference adds 1e-9 to the norm."""
    seed, alpha, delta_init = run["settings"].tolist()
    optimizer = ASNG(
        space_of(str(run["kinds"])), [int(seed)], lam=run["archs"].shape[1], alpha=alpha, delta_init=delta_init
    )
    rows = {step: row for row, step in enumerate(run["steps"].tolist())}
    for t, (archs, losses) in enumerate(zip(run["archs"], run["losses"], strict=True)):
        np.testing.assert_array_equal(optimizer.ask()[0], archs, err_msg=f"step {t}")
        optimizer.tell(archs[None], losses[None])
        if t + 1 in rows:
            state = optimizer.state_dict()
            for key in ("theta", "s", "gamma", "Delta", "mean", "variance"):
                message = f"{key} after {t + 1} updates"
                np.testing.assert_allclose(state[key][0], run[key][rows[t + 1]], rtol=2e-7, atol=2e-7, err_msg=message)


def numerical_fisher(m: float, v: float) -> np.ndarray:
    """The Fisher matrix in (E[x], E[x^2]) without algebra: complex-step scores, squared under Gauss-Hermite nodes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    x = m + math.sqrt(v) * nodes

    def score(of_m: float, of_q: float) -> np.ndarray:
        mean, square = m + 1e-30j * of_m, m * m + v + 1e-30j * of_q
        variance = square - mean**2
        return (-0.5 * np.log(variance) - (x - mean) ** 2 / (2 * variance)).imag / 1e-30

    scores = np.array([score(1, 0), score(0, 1)])
    fisher: np.ndarray = scores * weights / weights.sum() @ scores.T
    return fisher


@pytest.mark.parametrize("lam", [2, 3, 4, 8])
@pytest.mark.parametrize("kinds", ["o9 o30 o4", "c3 o9 c4 o30 o4 c2"])
def test_a_step_has_length_delta_in_a_numerical_fisher_metric(kinds: str, lam: int) -> None:
    """Along the natural gradient of ``Plain``'s samples; s is the symmetric root of that matrix times the step."""
    space, seeds, delta, random = space_of(kinds), range(40), 0.01, np.random.default_rng(lam)
    optimizer = ASNG(space, seeds, lam=lam, delta_init=delta)
    K = space.sizes[space.ordinal]
    mean, std = random.uniform(0.2, K - 1.2, (40, 3)), random.uniform(0.3, 0.9 * (K - 1) / 2, (40, 3))
    load(optimizer, mean=mean, variance=std**2)
    archs, losses = optimizer.ask(), random.normal(size=(40, lam))
    theta = optimizer.probabilities
    optimizer.tell(archs, losses)
    after = optimizer.state_dict()
    q, q_after = mean**2 + std**2, after["mean"] ** 2 + after["variance"]
    x = mean[:, None] + std[:, None] * normals(seeds, lam, len(space))[..., space.ordinal]
    w = weights(losses)
    G = np.stack([(w * (x - mean[:, None])).sum(1), (w * (x**2 - q[:, None])).sum(1)], -1)
    moved = np.stack([after["mean"] - mean, q_after - q], -1)
    for r in range(40):
        F = [numerical_fisher(mean[r, d], std[r, d] ** 2) for d in range(3)]
        exists = ~space.ordinal[:, None] & (theta[r] > 0)
        G_cat = (w[r, :, :, None] * (archs[r, ..., None] == np.arange(theta.shape[-1]))).sum(0)[exists]
        norm = math.sqrt(sum(g @ f @ g for g, f in zip(G[r], F, strict=True)) + (G_cat**2 / theta[r][exists]).sum())
        np.testing.assert_allclose(moved[r], delta / norm * G[r], rtol=1e-8, atol=1e-11)
        np.testing.assert_allclose((optimizer.probabilities[r] - theta[r])[exists], delta / norm * G_cat, atol=1e-12)
        roots = []
        for g, f in zip(G[r], F, strict=True):
            values, vectors = np.linalg.eigh(f)
            roots.append(vectors @ (np.sqrt(values) * (vectors.T @ g)))
        s = math.sqrt(after["gamma"][r]) / norm * np.array(roots)
        np.testing.assert_allclose(after["s"][r, -6:], s.T.ravel(), rtol=1e-6, atol=1e-8)
        assert (after["s"][r] ** 2).sum() == pytest.approx(after["gamma"][r], rel=1e-12)
    n = after["s"].shape[1]
    beta = delta / math.sqrt(n)
    assert n == 6 + (space.sizes - 1)[~space.ordinal].sum()
    np.testing.assert_allclose(after["gamma"], beta * (2 - beta), rtol=1e-12)


@pytest.mark.parametrize("m", [0.0, 1e-12, 4e-9, 1e-6])
@pytest.mark.parametrize("v", [0.07, 0.5, 0.6, 4.0, 12.0])
def test_bug_eigenvectors(m: float, v: float) -> None:
    """At |2 m| < 1e-8 the reference pairs the eigenvectors with the wrong eigenvalues if 2 v > 1."""
    optimizer = ASNG(space_of("o9 o9"), range(50), lam=4)
    load(optimizer, mean=np.full((50, 2), m), variance=np.full((50, 2), v))
    losses = np.random.default_rng(0).normal(size=(50, 4))
    optimizer.tell(optimizer.ask(), losses)
    w, z = weights(losses), normals(range(50), 4, 2)
    # F is here diag(1 / v, 1 / (2 v^2)), to order m
    root = np.concatenate([(w * z).sum(1), (w * (z**2 - 1)).sum(1) / math.sqrt(2)], axis=1)
    assert (abs(root).max(0) > 0.5).all()  # of the second moment too, which one pair alone cannot move
    expected = root / np.linalg.norm(root, axis=1, keepdims=True)
    state = optimizer.state_dict()
    np.testing.assert_allclose(state["s"] / np.sqrt(state["gamma"])[:, None], expected, atol=1e-8 + 10 * m)
