"""The equations of ASNG on categorical variables, written down a second time for tests.

``Plain`` is one seed in loops over numbers. It shares nothing with the optimizer but the equations, and finds ties,
ranks and a direction of zero in exact fractions.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np

from optimizers.asng import ASNG
from search_spaces.space import Categorical, SearchSpace


def space_of(*sizes: int) -> SearchSpace:
    return SearchSpace(Categorical(f"v{v}", [f"c{k}" for k in range(size)]) for v, size in enumerate(sizes))


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


def advanced(optimizer: ASNG, steps: int = 12) -> ASNG:
    """After some steps of a deterministic loss, so that theta, s, gamma and Delta are no more what they were."""
    for _ in range(steps):
        archs = optimizer.ask()
        optimizer.tell(archs, (archs * np.arange(1, archs.shape[-1] + 1)).sum(-1))
    return optimizer
