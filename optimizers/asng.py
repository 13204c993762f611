"""Adaptive stochastic natural gradient (Akimoto et al., ICML 2019) for categorical variables.

The architecture is drawn from independent categorical distributions with probabilities theta. In these (expectation)
parameters the natural gradient of a sample's log-likelihood is its one-hot code minus theta. A step follows the mean
of these, weighted by the ranks of the losses, and has the length delta in the Fisher metric. Delta adapts to the
signal-to-noise ratio of the accumulated direction: it grows while successive steps agree and shrinks when they do not.

Where the authors' code goes wrong for some inputs this file departs from it, each time with the reason.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.base import Floats, SamplingOptimizer
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace

# Utilities are multiples of about 1/lam, so a Fisher norm this small is the rounding error of a zero gradient.
ZERO_NORM = 1e-12


class ASNG(SamplingOptimizer):
    """ASNG; recommends the most probable architecture (the mode of the distribution).

    Args:
        lam: lambda, the number of architectures an update, at least 2.
        alpha: the threshold on the signal-to-noise ratio, above 1: a larger one makes the step size more cautious.
        delta_init: the initial step size delta, in Fisher length, above 0.

    Attributes:
        probabilities: float [R, V, Kmax], zero beyond a variable's number of values.
        step_size: float [R], the delta that the next update will use.

    ``state_dict`` holds ``theta`` [R, V, Kmax], ``s`` [R, n] (the accumulated direction; n free parameters, variable
    by variable, the last value of each left out), ``gamma`` [R] and ``Delta`` [R], with delta = delta_init / Delta.
    """

    stream_name = "natural_gradient"
    replayable = True
    recommends = "mode"
    citation = "Akimoto et al., Adaptive Stochastic Natural Gradient Method for One-Shot NAS, ICML 2019"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        lam: int = 2,
        alpha: float = 1.5,
        delta_init: float = 1.0,
        stream: str | int = 0,
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        if lam < 2:
            raise ArenaError(f"lam must be at least 2, not {lam}: a step compares architectures with each other")
        if not 1 < alpha < math.inf:
            raise ArenaError(
                f"alpha must be above 1 and finite, not {alpha}: below 1, delta grows without end even on pure noise"
            )
        if not 0 < delta_init < math.inf:
            raise ArenaError(f"delta_init must be above 0 and finite, not {delta_init}")
        self.lam, self.alpha, self.delta_init = lam, alpha, delta_init

        sizes = space.sizes
        V, K = len(space), int(sizes.max())
        exists = np.arange(K)[:, None] < sizes  # [K, V]
        # rows of the free parameters, in the order of the reference: variable by variable, all values but the last
        self._free_v, self._free_k = np.nonzero((exists & (np.arange(K)[:, None] < sizes - 1)).T)
        self._last = sizes - 1, np.arange(V)
        self._cell = np.arange(V)[:, None] * self.columns + np.arange(self.columns)  # where [k, v, r] lies, with k = 0
        self._low = np.where(exists, smallest_probabilities(sizes), 0.0)[:, :, None]  # [K, V, 1]
        self._low_total = self._low.sum(axis=0)

        self._theta = np.where(exists, 1.0 / sizes, 0.0)[:, :, None].repeat(self.columns, axis=2)  # [K, V, columns]
        self._s = np.zeros((len(self._free_v), self.columns))
        self._gamma = np.zeros(self.columns)
        self._Delta = np.ones(self.columns)

    @property
    def probabilities(self) -> Floats:
        return self._outward(self._theta.swapaxes(0, 1))

    @property
    def step_size(self) -> Floats:
        return self._outward(self.delta_init / self._Delta)

    def _ask(self) -> Ints:
        return self._draw(self.streams.draw(self.lam, len(self.space)))

    def _draw(self, uniforms: Floats) -> Ints:
        archs = np.zeros(uniforms.shape, dtype=np.int64)
        edge = np.zeros(self._theta.shape[1:])
        for probability in self._theta[:-1]:
            edge += probability
            archs += uniforms >= edge
        # Rounding can leave the last edge a little below 1; the reference then draws no value at all.
        np.minimum(archs, self.space.sizes[:, None] - 1, out=archs)
        return archs

    def _tell(self, archs: Ints, losses: Floats) -> None:
        if len(archs) < 2:
            raise ArenaError("an update compares at least 2 architectures")
        if self._s.size == 0:  # no variable has two values: there is nothing to learn
            return
        gradient = self._natural_gradient(archs, rank_utilities(losses))
        root = self._fisher_root(gradient)
        norm = np.sqrt((root * root).sum(axis=0))
        # Equal losses give utilities of 0. Samples of one and the same architecture give a gradient of 0 even when
        # their losses differ; the reference's versions then divide by 0 or let delta shrink. Nothing was learnt in
        # either case, so nothing changes.
        live = norm > ZERO_NORM
        norm = np.where(live, norm, 1.0)

        delta = self.delta_init / self._Delta
        theta = self._restricted(self._theta + np.where(live, delta / norm, 0.0) * gradient)
        self._theta = theta if live.all() else np.where(live, theta, self._theta)

        # The reference lets beta pass 1 where delta passes sqrt(n), and takes the root of a negative number beyond 2.
        beta = np.where(live, np.minimum(delta / math.sqrt(len(root)), 1.0), 0.0)
        gain = beta * (2.0 - beta)
        self._s = (1.0 - beta) * self._s + (np.sqrt(gain) / norm) * root
        self._gamma = (1.0 - beta) ** 2 * self._gamma + gain
        self._Delta = self._Delta * np.exp(beta * (self._gamma - (self._s * self._s).sum(axis=0) / self.alpha))

    def _natural_gradient(self, archs: Ints, utilities: Floats) -> Floats:
        """The mean of u_i (onehot(c_i) - theta): [K, V, columns]. The utilities sum to 0, so theta cancels."""
        gradient = np.zeros(self._theta.size)
        for arch, utility in zip(archs, utilities / len(archs), strict=True):
            gradient[arch * self._cell.size + self._cell] += utility
        shaped: Floats = gradient.reshape(self._theta.shape)
        return shaped

    def _fisher_root(self, gradient: Floats) -> Floats:
        """F^(1/2) times the gradient of the free parameters: [n, columns]; its square is the Fisher norm exactly."""
        free = self._free_k, self._free_v
        root_theta = np.sqrt(self._theta[free])
        theta_last = self._theta[self._last]
        shared = -gradient[self._last] / (theta_last + np.sqrt(theta_last))  # a gradient sums to 0 over a variable
        root: Floats = gradient[free] / root_theta + root_theta * shared[self._free_v]
        return root

    def _restricted(self, unbounded: Floats) -> Floats:
        """Theta with no probability below its bound, scaled back to a sum of 1 for every variable."""
        theta: Floats = np.maximum(unbounded, self._low)
        total = theta.sum(axis=0)
        theta -= (total - 1.0) / (total - self._low_total) * (theta - self._low)
        theta /= theta.sum(axis=0)
        return theta

    def _recommend(self) -> Ints:
        mode: Ints = self._theta.argmax(axis=0)
        return mode

    def _diagnostics(self) -> dict[str, Floats]:
        square = (self._s * self._s).sum(axis=0)
        log_theta = np.log(np.where(self._theta > 0, self._theta, 1.0))
        return {
            "step_size": self.delta_init / self._Delta,
            # of the accumulated direction; delta grows where it is above alpha. NaN until the first step.
            "signal_to_noise": np.divide(square, self._gamma, out=np.full_like(square, np.nan), where=self._gamma > 0),
            "entropy": -(self._theta * log_theta).sum(axis=(0, 1)),  # nats, of the whole architecture
            "largest_probability": self._theta.max(axis=0).mean(axis=0),
        }

    def _state(self) -> dict[str, NDArray[Any]]:
        return {"theta": self._theta.swapaxes(0, 1), "s": self._s, "gamma": self._gamma, "Delta": self._Delta}

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        self._theta = np.ascontiguousarray(state["theta"].swapaxes(0, 1))
        self._s, self._gamma, self._Delta = state["s"], state["gamma"], state["Delta"]


def smallest_probabilities(sizes: Ints) -> Floats:
    """The lower bound theta_min of each variable's probabilities: float [V].

    With n variables of more than one value it is 1 / (n (K - 1)): at the bound one variable an architecture is
    expected to differ from the mode. That is only possible where it is below 1 / K; with one variable, or two binary
    ones, it is not, and the reference ends in NaN. There it is 1 / (2K), half of uniform.
    """
    n = max(int((sizes > 1).sum()), 1)
    free = np.maximum(sizes - 1, 1)
    return np.where(n * free > sizes, 1.0 / (n * free), 0.5 / sizes)


def rank_utilities(losses: Floats) -> Floats:
    """Utilities by rank: 1/mu for the best mu = ceil(B/4) of B, -1/mu for the worst mu, else 0.

    Equal losses share the mean of their utilities. The reference compares with a tolerance relative to the loss,
    which is negative for negative losses and 0 for 0, so that it misses such ties; equality here is exact, for any
    sign, and +inf equals +inf.

    Args:
        losses: float [B, columns], without NaN.

    Returns:
        float [B, columns].
    """
    better = np.zeros(losses.shape, dtype=np.int64)
    equal = np.zeros(losses.shape, dtype=np.int64)
    for other in losses:
        better += other < losses
        equal += other == losses
    return _mean_utilities(len(losses))[better, equal]


@cache
def _mean_utilities(B: int) -> Floats:
    """Entry [a, m] is the mean utility of the m ranks from a on; float [B, B + 1]."""
    mu = math.ceil(B / 4)
    by_rank = np.zeros(B)
    by_rank[:mu], by_rank[B - mu :] = 1 / mu, -1 / mu
    means = np.zeros((B, B + 1))
    for a in range(B):
        for m in range(1, B - a + 1):
            means[a, m] = by_rank[a : a + m].mean()
    return means
