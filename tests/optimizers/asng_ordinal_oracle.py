"""The equations of ASNG on ordinal variables, written down a second time for tests; and losses to run it on.

``Plain`` is one seed in loops over numbers. It shares nothing with the optimizer but the equations and the uniforms of
a stream. It holds E[x] and E[x^2] where the optimizer holds mean and variance, and gets the square root of the Fisher
matrix from singular vectors.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import accumulate
from statistics import NormalDist
from typing import Any

import numpy as np
from asng_oracle import fisher_root, theta_min, utilities

from optimizers.asng import ASNG
from optimizers.streams import Streams
from search_spaces.space import Categorical, Ordinal, SearchSpace

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
    return np.array([utilities(row) for row in losses.tolist()], dtype=float)[..., None] / losses.shape[1]


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
        root = [x for v, theta in self.theta.items() for x in fisher_root(theta, G[v])]
        root += [roots[v][0] for v in self.top] + [roots[v][1] for v in self.top]
        norm = math.sqrt(sum(x * x for x in root))
        if norm <= 1e-12:
            return
        delta = self.delta_init / self.Delta
        beta = min(1.0, delta / math.sqrt(len(root)))
        sizes = [len(theta) for theta in self.theta.values()]
        for v, theta in self.theta.items():
            if (K := len(theta)) > 1:
                low = theta_min(sizes, K)
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


def snapshot(optimizer: ASNG) -> Arrays:
    state = {key: value for key, value in optimizer.state_dict().items() if np.ndim(value)}
    shown = {"probabilities": optimizer.probabilities, "recommended": optimizer.recommend()}
    return {**state, **shown, **optimizer.diagnostics()}
