"""ASNG on ordinal variables, against its equations written down a second time, a numerical Fisher matrix, and numbers
recorded from the authors' own code.

``Plain`` is one seed in loops over numbers. It shares nothing with the optimizer but the equations and the uniforms of
a stream. It holds E[x] and E[x^2] where the optimizer holds mean and variance, and gets the square root of the Fisher
matrix from singular vectors.

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
``test_bug_eigenvectors`` and ``test_bug_the_last_rank_widens``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import pytest

from optimizers.asng import ASNG
from optimizers.streams import Streams
from search_spaces.errors import ArenaError
from search_spaces.space import Categorical, Integer, Ordinal, SearchSpace

Arrays = dict[str, np.ndarray]


def space_of(kinds: str) -> SearchSpace:
    """ "c4 o8" is a categorical of 4 and an ordinal of 8 values, which are far from evenly spaced: only ranks count."""
    return SearchSpace(
        Ordinal(f"v{v}", [2.0**k for k in range(int(kind[1:]))])
        if kind[0] == "o"
        else Categorical(f"v{v}", [f"c{k}" for k in range(int(kind[1:]))])
        for v, kind in enumerate(kinds.split())
    )


def load(optimizer: ASNG, **changes: Any) -> None:
    optimizer.load_state_dict({**optimizer.state_dict(), **changes})


def uniforms(seeds: Any, lam: int, V: int) -> np.ndarray:
    """What the first step of these seeds draws: [R, lam, V]."""
    return np.moveaxis(Streams(list(seeds), "natural_gradient", 0, "ask").draw(lam, V), -1, 0)


def normals(seeds: Any, lam: int, V: int) -> np.ndarray:
    """The same as normal quantiles, mirrored in pairs."""
    u = uniforms(seeds, lam, V)
    z = np.array([NormalDist().inv_cdf(p) for p in u.ravel()]).reshape(u.shape)
    z[:, 1::2] = -z[:, : lam - 1 : 2]
    return z


def weights(losses: np.ndarray) -> np.ndarray:
    """Utilities over lam, [R, lam, 1]."""
    return np.array([utilities(row) for row in losses.tolist()])[..., None] / losses.shape[1]


# --- the equations ---------------------------------------------------------------------------------------------------


def utilities(losses: list[float]) -> list[float]:
    """1/mu for the best mu = ceil(lam / 4), -1/mu for the worst mu, else 0; equal losses share their mean."""
    lam, order = len(losses), sorted(losses)
    mu = math.ceil(lam / 4)
    by_rank = [Fraction((i < mu) - (i >= lam - mu), mu) for i in range(lam)]
    ranks = [[i for i in range(lam) if order[i] == loss] for loss in losses]
    return [float(sum(by_rank[i] for i in same) / len(same)) for same in ranks]


class Plain:
    def __init__(self, space: SearchSpace, seed: int, lam: int, alpha: float = 1.5, delta_init: float = 1.0) -> None:
        self.lam, self.alpha, self.delta_init = lam, alpha, delta_init
        self.streams, self.V = Streams([seed], "natural_gradient", 0, "ask"), len(space)
        sizes = dict(enumerate(space.sizes.tolist()))
        self.theta = {v: [1 / K] * K for v, K in sizes.items() if not space.ordinal[v]}
        self.top = {v: K - 1 for v, K in sizes.items() if space.ordinal[v] and K > 1}
        self.m = {v: top / 2 for v, top in self.top.items()}
        self.q = {v: (top / 2) ** 2 + (top / 2) ** 2 for v, top in self.top.items()}
        self.s = [0.0] * (sum(len(row) - 1 for row in self.theta.values()) + 2 * len(self.top))
        self.gamma, self.Delta = 0.0, 1.0

    def ask(self) -> list[list[int]]:
        u = self.streams.draw(self.lam, self.V)[:, :, 0].tolist()
        self.archs, self.x = [[0] * self.V for _ in u], [dict.fromkeys(self.top, 0.0) for _ in u]
        for i, arch in enumerate(self.archs):
            for v, theta in self.theta.items():
                arch[v] = sum(u[i][v] >= edge for edge in accumulate(theta[:-1]))
            for v, top in self.top.items():
                z = NormalDist().inv_cdf(max(u[i - i % 2][v], 2**-54)) * (-1) ** i
                self.x[i][v] = self.m[v] + math.sqrt(self.q[v] - self.m[v] ** 2) * z
                arch[v] = round(min(max(self.x[i][v], 0), top))
        return self.archs

    def tell(self, losses: list[float]) -> None:
        u, lam = utilities(losses), self.lam
        G = {
            v: [sum(u[i] * ((self.archs[i][v] == k) - p) for i in range(lam)) / lam for k, p in enumerate(theta)]
            for v, theta in self.theta.items()
        }
        G_m = {v: sum(u[i] * (self.x[i][v] - self.m[v]) for i in range(lam)) / lam for v in self.top}
        G_q = {v: sum(u[i] * (self.x[i][v] ** 2 - self.q[v]) for i in range(lam)) / lam for v in self.top}
        roots = {v: self.gaussian_root(self.m[v], self.q[v] - self.m[v] ** 2, G_m[v], G_q[v]) for v in self.top}
        root = [x for v, theta in self.theta.items() for x in self.categorical_root(theta, G[v])]
        root += [roots[v][0] for v in self.top] + [roots[v][1] for v in self.top]
        norm = math.sqrt(sum(x * x for x in root))
        if norm <= 1e-12:
            return
        delta = self.delta_init / self.Delta
        beta = min(1.0, delta / math.sqrt(len(root)))
        n_v = sum(len(theta) > 1 for theta in self.theta.values())
        for v, theta in self.theta.items():
            if (K := len(theta)) > 1:
                low = 1 / (2 * K) if n_v * (K - 1) <= K else 1 / (n_v * (K - 1))
                moved = [max(p + delta / norm * g, low) for p, g in zip(theta, G[v], strict=True)]
                excess, free = sum(moved) - 1, sum(moved) - low * K
                moved = [p - excess * (p - low) / free for p in moved]
                self.theta[v] = [p / sum(moved) for p in moved]
        for v, top in self.top.items():
            m, q = self.m[v] + delta / norm * G_m[v], self.q[v] + delta / norm * G_q[v]
            self.m[v] = min(max(m, 0.0), top)
            self.q[v] = self.m[v] ** 2 + min(max(q - m**2, 1 / 16), (top / 2) ** 2)
        self.s = [(1 - beta) * s + math.sqrt(beta * (2 - beta)) * x / norm for s, x in zip(self.s, root, strict=True)]
        self.gamma = (1 - beta) ** 2 * self.gamma + beta * (2 - beta)
        self.Delta *= math.exp(beta * (self.gamma - sum(s * s for s in self.s) / self.alpha))

    @staticmethod
    def categorical_root(theta: list[float], G: list[float]) -> list[float]:
        shared = sum(G[:-1]) / (theta[-1] + math.sqrt(theta[-1]))
        return [g / math.sqrt(p) + math.sqrt(p) * shared for p, g in zip(theta[:-1], G[:-1], strict=True)]

    @staticmethod
    def gaussian_root(m: float, v: float, G_m: float, G_q: float) -> list[float]:
        """(x - m, x^2 - q) = A (z, (z^2 - 1) / sqrt 2), of unit covariance: F^-1 = A A', and F^(1/2) is U S^-1 U'.

        An eigendecomposition of F itself would square the condition number.
        """
        std = math.sqrt(v)
        U, S, _ = np.linalg.svd([[std, 0.0], [2 * m * std, math.sqrt(2) * v]])
        root: list[float] = (U @ ((U.T @ [G_m, G_q]) / S)).tolist()
        return root

    def state(self) -> dict[str, Any]:
        Kmax = max(map(len, self.theta.values()), default=0)
        return {
            "s": self.s,
            "gamma": self.gamma,
            "Delta": self.Delta,
            "mean": list(self.m.values()),
            "variance": [self.q[v] - m**2 for v, m in self.m.items()],
            "theta": [row + [0.0] * (Kmax - len(row)) for row in self.theta.values()],
        }


Loss = Callable[[np.ndarray], np.ndarray]


def convex(archs: np.ndarray) -> np.ndarray:
    """The best ranks are below and above the centres, and at both ends."""
    target = np.array([5, 1, 0, 3, 2, 11])[: archs.shape[-1]]
    return ((archs - target) ** 2 * 1.0).sum(-1)


def rugged(archs: np.ndarray) -> np.ndarray:
    """With structure, ties and both signs."""
    weights = np.arange(1, archs.shape[-1] + 1)
    return np.round((archs * weights).sum(-1) * -0.5 + (archs.sum(-1) % 3), 1)


LOSSES: dict[str, Loss] = {
    "convex": convex,
    "rugged": rugged,
    "tied": lambda archs: convex(archs) // 5 - 2,
    "infinite": lambda archs: np.where(archs[..., 0] % 3 == 0, np.inf, convex(archs)),
    "outward": lambda archs: -archs.sum(-1) - 0.01 * archs[..., 0],  # the best ranks are all the last ones
    "constant": lambda archs: np.zeros(archs.shape[:-1]),
}


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


# --- the metric ------------------------------------------------------------------------------------------------------


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


# --- what follows from the equations ---------------------------------------------------------------------------------


def test_two_samples_only_narrow() -> None:
    """A pair's x^2 - q has no part of its own: the variance loses the square of what the mean moves."""
    optimizer, random = ASNG(space_of("o9 o30 o4"), range(500), lam=2), np.random.default_rng(0)
    top = optimizer.space.sizes - 1
    mean, std = random.uniform(0, top, (500, 3)), random.uniform(0.25, top / 2, (500, 3))
    load(optimizer, mean=mean, variance=std**2)
    losses, z = random.normal(size=(500, 2)), normals(range(500), 2, 3)[:, 0]
    optimizer.tell(optimizer.ask(), losses)
    state = optimizer.state_dict()
    share = z**2 / (z**2).sum(1, keepdims=True)  # a variable's part of the squared norm is z^2
    np.testing.assert_allclose((state["s"].reshape(500, 2, 3) ** 2).sum(1) / state["gamma"][:, None], share, rtol=1e-9)
    moved = np.where(losses[:, :1] < losses[:, 1:], 1, -1) * std * np.sign(z) * np.sqrt(share)
    np.testing.assert_allclose(state["mean"], np.clip(mean + moved, 0, top), atol=1e-10)
    inside = (state["mean"] > 0) & (state["mean"] < top)
    expected = np.maximum(std**2 - moved**2, 1 / 16)
    np.testing.assert_allclose(state["variance"][inside], expected[inside], rtol=1e-9)
    assert inside.mean() > 0.5
    for _ in range(100):
        before = optimizer.state_dict()["variance"]
        optimizer.tell(optimizer.ask(), random.normal(size=(500, 2)))
        state = optimizer.state_dict()
        inside = (state["mean"] > 0) & (state["mean"] < top)
        assert (state["variance"] <= before)[inside].all()


@pytest.mark.parametrize(("lam", "share"), [(2, 0), (3, 1 / 3), (4, 1 / 3), (8, (1 - 24 / 28 / 15) / 2)])
def test_more_samples_widen_too(lam: int, share: float) -> None:
    """On noise: half of the steps whose best and worst are not the same pairs."""
    optimizer = ASNG(space_of("o101 o101 o101"), range(3000), lam=lam, delta_init=1e-3)
    load(optimizer, mean=np.full((3000, 3), 40.0), variance=np.full((3000, 3), 100.0))
    optimizer.tell(optimizer.ask(), np.random.default_rng(lam).normal(size=(3000, lam)))
    # 3 variables of a seed share the losses: at least 3000 independent ones, and 4.5 standard deviations
    assert (optimizer.state_dict()["variance"] > 100).mean() == pytest.approx(share, abs=0.041 if share else 0)


@pytest.mark.parametrize("lam", [2, 3, 4, 5, 8])
def test_samples_come_in_mirrored_pairs(lam: int) -> None:
    optimizer = ASNG(space_of("o21 o10 c5 o2"), range(300), lam=lam)
    load(optimizer, mean=np.tile([10, 4.5, 0.5], (300, 1)), variance=np.tile([30, 9, 0.2], (300, 1)))
    archs = optimizer.ask()
    first, second = archs[:, : lam - lam % 2 : 2], archs[:, 1::2]
    for v, top in ((0, 20), (1, 9), (3, 1)):
        np.testing.assert_array_equal(first[..., v] + second[..., v], top)
        assert len(np.unique(archs[:, ::2, v])) == top + 1
    assert (first[..., 2] == second[..., 2]).mean() < 0.35  # a fifth: categoricals are independent
    if lam % 2:  # the last one has no partner and is drawn as the first of a pair
        high = uniforms(range(300), lam, 4)[:, -1] >= 0.5
        np.testing.assert_array_equal(archs[:, -1, 3], high[:, 3])
        np.testing.assert_array_equal(archs[:, -1, 0] >= 10, high[:, 0] | (archs[:, -1, 0] == 10))


def test_limits() -> None:
    """The mean is clipped to the ranks and the std to 1/4 .. (K - 1) / 2, each as if the other were not.

    With one ordinal and a pair the mean moves by delta std, towards the better sample.
    """
    top = 6.0
    means, stds = [*np.linspace(0, top, 25), 0.01, 5.99], [0.25, 0.26, 1.0, 2.9, 3.0]
    mean, std, delta, sign = map(np.ravel, np.meshgrid(means, stds, [0.3, 1.0, 2.5], [-1.0, 1.0]))
    R = len(mean)
    optimizer = ASNG(space_of("o7"), range(R), lam=2)
    load(optimizer, mean=mean[:, None], variance=std[:, None] ** 2, Delta=1 / delta)
    archs = optimizer.ask()
    higher = np.where(uniforms(range(R), 2, 1)[:, :1, 0] > 0.5, [1.0, -1.0], [-1.0, 1.0])
    optimizer.tell(archs, -sign[:, None] * higher)
    moved = sign * delta * std
    clipped = np.clip(mean + moved, 0, top)
    unbounded = std**2 - moved**2
    state = optimizer.state_dict()
    np.testing.assert_allclose(state["mean"][:, 0], clipped, rtol=0, atol=1e-12)
    np.testing.assert_allclose(state["variance"][:, 0], np.clip(unbounded, 1 / 16, 9), rtol=1e-12, atol=1e-12)
    assert ((state["mean"] >= 0) & (state["mean"] <= top)).all()
    assert ((state["variance"] >= 1 / 16) & (state["variance"] <= 9)).all()
    seen = {(bool(m in (0, top)), bool(v < 1 / 16), bool(v > 9)) for m, v in zip(clipped, unbounded, strict=True)}
    assert seen >= {(False, False, False), (False, True, False), (True, False, False), (True, True, False)}


@pytest.mark.parametrize("draw", range(3))
def test_probabilities_are_those_of_the_samples(draw: int) -> None:
    """Of a normal that is clipped to the ranks and rounded, over 200,000 samples."""
    space, random = space_of("o2 c3 o3 o50"), np.random.default_rng(draw)
    optimizer = ASNG(space, [draw])
    K = space.sizes[space.ordinal]
    mean, std = random.uniform(0, K - 1), [0.25, 0.25, 0.25] if draw == 0 else random.uniform(0.25, (K - 1) / 2)
    load(optimizer, mean=mean[None], variance=np.square(std)[None])
    probabilities = optimizer.probabilities[0]
    assert probabilities.shape == (4, 50)
    assert (probabilities >= 0).all()
    np.testing.assert_allclose(probabilities.sum(-1), 1, atol=1e-14)
    np.testing.assert_allclose(probabilities[1, :3], 1 / 3, atol=1e-15)
    for d, v in enumerate(np.flatnonzero(space.ordinal)):
        below = [0.0, *(NormalDist(mean[d], std[d]).cdf(k + 0.5) for k in range(K[d] - 1)), 1.0]
        np.testing.assert_allclose(probabilities[v, : K[d]], np.diff(below), atol=1e-12)
        assert (probabilities[v, K[d] :] == 0).all()
    share = (optimizer.sample(200_000)[0, :, :, None] == np.arange(50)).mean(0)
    # 5 standard deviations, if the two of a pair always agreed, and 10 samples
    allowed = 5 * np.sqrt(2 * probabilities * (1 - probabilities) / 200_000) + 10 / 200_000
    assert (abs(share - probabilities) <= allowed).all()
    assert all(np.isfinite(value).all() for name, value in optimizer.diagnostics().items() if name != "signal_to_noise")
    np.testing.assert_array_equal(optimizer.recommend()[0, space.ordinal], np.rint(mean))


def advance(optimizer: ASNG, steps: int, loss: Loss = rugged) -> list[np.ndarray]:
    asked = []
    for _ in range(steps):
        asked.append(optimizer.ask())
        optimizer.tell(asked[-1], loss(asked[-1]))
    return asked


def snapshot(optimizer: ASNG) -> Arrays:
    state = {key: value for key, value in optimizer.state_dict().items() if np.ndim(value)}
    shown = {"probabilities": optimizer.probabilities, "recommended": optimizer.recommend()}
    return {**state, **shown, **optimizer.diagnostics()}


@pytest.mark.parametrize("lam", [2, 3, 8])
def test_a_tie_changes_nothing(lam: int) -> None:
    """Of a seed beside others, to the last bit and at the limits too."""
    optimizer = ASNG(space_of("o8 c4 o3 o13"), range(20), lam=lam)
    advance(optimizer, 60, LOSSES["outward"])
    before, archs = optimizer.state_dict(), optimizer.ask()
    noise = np.random.default_rng(0).normal(size=(20, lam))
    optimizer.tell(archs, np.where(np.arange(20)[:, None] % 2, noise, -0.5))
    after = optimizer.state_dict()
    assert (before["mean"] == [7, 2, 12]).any()
    assert (before["variance"] == 1 / 16).any()
    for key in ("theta", "mean", "variance", "s", "gamma", "Delta"):
        np.testing.assert_array_equal(after[key][::2], before[key][::2], err_msg=key)
        assert (after[key] != before[key])[1::2].any(), key


def test_samples_between_ask_and_tell_do_not_enter_the_gradient() -> None:
    plain, sampled = (ASNG(space_of("o8 c4 o3"), [1, 2]) for _ in range(2))
    for optimizer in (plain, sampled):
        archs = optimizer.ask()
        if optimizer is sampled:
            optimizer.sample(8)
        optimizer.tell(archs, rugged(archs))
    np.testing.assert_array_equal(plain.state_dict()["mean"], sampled.state_dict()["mean"])


def test_a_uniform_of_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    """Once in 2^53 draws; its normal quantile is infinite, and the mean would be NaN."""
    optimizer = ASNG(space_of("o8"), [1], lam=2)
    monkeypatch.setattr(optimizer.streams, "draw", lambda *shape: np.zeros((*shape, optimizer.columns)))
    np.testing.assert_array_equal(optimizer.ask(), [[[0], [7]]])
    optimizer.tell([[[0], [7]]], [[1, 2]])
    assert optimizer.state_dict()["mean"][0, 0] == 0


# --- the contract ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kinds", ["o1", "o1 o1 c1", "o1 o5 o1", "o1 c3 c4", "c3 o1 o6 c1 o1"])
@pytest.mark.parametrize("lam", [2, 5])
def test_an_ordinal_of_one_value(kinds: str, lam: int) -> None:
    space = space_of(kinds)
    optimizer = ASNG(space, [3, 8], lam=lam)
    plain = [Plain(space, seed, lam) for seed in (3, 8)]
    for _ in range(60):
        archs = optimizer.ask()
        np.testing.assert_array_equal(archs, [one.ask() for one in plain])
        np.testing.assert_array_equal(archs[..., space.sizes == 1], 0)
        optimizer.tell(archs, rugged(archs))
        for one, losses in zip(plain, rugged(archs), strict=True):
            one.tell(losses.tolist())
        for key in ("s", "gamma", "Delta"):
            np.testing.assert_allclose(optimizer.state_dict()[key], [one.state()[key] for one in plain], atol=1e-9)
    np.testing.assert_array_equal(optimizer.recommend()[:, space.sizes == 1], 0)
    np.testing.assert_allclose(optimizer.probabilities[:, space.sizes == 1, 0], 1, atol=1e-14)
    assert np.isfinite(optimizer.probabilities).all()
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.sample(5)


def test_only_categorical_runs_are_replayable() -> None:
    """The real numbers behind the ranks are in no record."""
    categorical, ordinal = ASNG(space_of("c3 c4"), [0]), ASNG(SearchSpace([Integer("width", 3, 9)]), [0])
    assert categorical.replayable
    assert not ordinal.replayable
    assert categorical.ask().shape == (1, 2, 2)
    assert ordinal.lam > 2  # with 2 it could only narrow
    archs = ordinal.ask()
    ordinal.tell(archs, archs[..., 0])
    with pytest.raises(ArenaError, match="without ask"):
        ordinal.tell(archs, archs[..., 0])
    archs = ordinal.ask()
    with pytest.raises(ArenaError, match="exactly the architectures"):
        ordinal.tell((archs + 1) % 7, archs[..., 0])


@pytest.mark.parametrize("lam", [2, 5, 8])
@pytest.mark.parametrize("kinds", ["o8 c4 o3 c5 o1 c2 o13", "o30", "o2 o2 o9 o9"])
def test_a_seed_runs_the_same_alone_or_in_a_crowd(kinds: str, lam: int) -> None:
    space = space_of(kinds)
    crowd = ASNG(space, range(257), lam=lam)
    asked, seen = advance(crowd, 60), snapshot(crowd)
    for R in (1, 2, 3, 5, 17):
        few = ASNG(space, list(range(257))[-R:], lam=lam)
        for ours, theirs in zip(advance(few, 60), asked, strict=True):
            np.testing.assert_array_equal(ours, theirs[-R:])
        for key, value in snapshot(few).items():
            np.testing.assert_array_equal(value, seen[key][-R:], err_msg=f"{key} at R = {R}")


@pytest.mark.parametrize("lam", [2, 5])
def test_a_restored_state_goes_on_to_the_last_bit(lam: int) -> None:
    space = space_of("o8 c4 o3 c5 o13")
    whole, restored = (ASNG(space, [3, 1, 7], lam=lam) for _ in range(2))
    advance(whole, 37)
    state = whole.state_dict()
    copy = {key: np.copy(value) for key, value in state.items()}
    advance(restored, 5, convex)
    restored.load_state_dict(state)
    for ours, theirs in zip(advance(restored, 40), advance(whole, 40), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    expected = snapshot(whole)
    for key, value in snapshot(restored).items():
        np.testing.assert_array_equal(value, expected[key], err_msg=key)
    for key, value in copy.items():
        np.testing.assert_array_equal(state[key], value, err_msg=f"{key} of the saved state")


@pytest.mark.parametrize("target", [[1, 6, 2, 5, 1], [6, 1, 5, 2, 6], [0] * 5, [7] * 5])
def test_bug_the_last_rank_widens(target: list[int]) -> None:
    """Keeping E[x^2] where the mean is clipped, the reference widens at each step beyond the last rank, by about
    2 (K - 1) steps, and learns no optimum there. Ours learns any of 5 ordinals of 8 values in 2,000 evaluations.
    """
    optimizer = ASNG(space_of("o8 o8 o8 o8 o8"), range(50), lam=8)
    advance(optimizer, 250, lambda archs: ((archs - target) ** 2).sum(-1))
    assert (optimizer.recommend() == target).all(-1).sum() >= 45
