"""Adaptive stochastic natural gradient (Akimoto et al., ICML 2019) for categorical, ordinal and mixed spaces.

The architecture is drawn from independent distributions, categorical ones and, for ordinals, Gaussian ones over the
ranks. In expectation parameters the natural gradient of a sample's log-likelihood is its sufficient statistics minus
the parameters. A step follows the mean of these, weighted by the ranks of the losses, and has the length delta in the
Fisher metric of all variables together. Delta adapts to the signal-to-noise ratio of the accumulated direction: it
grows while successive steps agree and shrinks when they do not.

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
from optimizers.categorical import CategoricalBlock
from optimizers.gaussian import GaussianBlock
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace

# Utilities are multiples of about 1/lam, so a Fisher norm this small is the rounding error of a zero gradient.
ZERO_NORM = 1e-12

LAM_CATEGORICAL, LAM_ORDINAL = 2, 12  # of the paper; what measured best over 15 tables: docs/ordinals.md


class ASNG(SamplingOptimizer):
    """ASNG; recommends the mode of the distribution: the most probable categories, the ranks nearest to the means.

    Args:
        lam: lambda, the number of architectures an update, at least 2. By default 2 as in the paper, and 12 on spaces
            with ordinals: with lam = 2 a Gaussian's standard deviation can only shrink.
        alpha: the threshold on the signal-to-noise ratio, above 1: a larger one makes the step size more cautious.
        delta_init: the initial step size delta, in Fisher length, above 0.

    Attributes:
        probabilities: float [R, V, Kmax], zero beyond a variable's number of values.
        step_size: float [R], the delta that the next update will use.
        replayable: on categorical spaces; the update of an ordinal needs the real number behind its rank.

    ``state_dict`` holds ``theta`` [R, Vc, Kmax] of the Vc variables with a categorical distribution, ``mean`` and
    ``variance`` [R, Vg] of those with a Gaussian, ``s`` [R, n] (the accumulated direction; n free parameters: of the
    categorical variables all values but the last, variable by variable, then all means, then all second moments),
    ``gamma`` [R] and ``Delta`` [R], with delta = delta_init / Delta.
    """

    version = 2
    stream_name = "natural_gradient"
    recommends = "mode"
    citation = "Akimoto et al., Adaptive Stochastic Natural Gradient Method for One-Shot NAS, ICML 2019"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        lam: int | None = None,
        alpha: float = 1.5,
        delta_init: float = 1.0,
        stream: str | int = 0,
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        if lam is None:
            lam = LAM_ORDINAL if space.ordinal.any() else LAM_CATEGORICAL
        if lam < 2:
            raise ArenaError(f"lam must be at least 2, not {lam}: a step compares architectures with each other")
        if not 1 < alpha < math.inf:
            raise ArenaError(
                f"alpha must be above 1 and finite, not {alpha}: below 1, delta grows without end even on pure noise"
            )
        if not 0 < delta_init < math.inf:
            raise ArenaError(f"delta_init must be above 0 and finite, not {delta_init}")
        self.lam, self.alpha, self.delta_init = lam, alpha, delta_init

        gaussian = space.ordinal & (space.sizes > 1)  # an ordinal of one value has nothing to learn
        self.replayable = not gaussian.any()
        kinds = (~gaussian, CategoricalBlock), (gaussian, GaussianBlock)
        self._blocks: list[tuple[Any, CategoricalBlock | GaussianBlock]] = [
            (slice(None) if which.all() else np.flatnonzero(which), block(space.sizes[which], self.columns))
            for which, block in kinds
            if which.any()
        ]
        n = sum(block.parameters for _, block in self._blocks)
        self._s = np.zeros((n, self.columns))
        self._gamma = np.zeros(self.columns)
        self._Delta = np.ones(self.columns)

    @property
    def probabilities(self) -> Floats:
        return self._outward(self._probabilities().swapaxes(0, 1))

    @property
    def step_size(self) -> Floats:
        return self._outward(self.delta_init / self._Delta)

    def _ask(self) -> Ints:
        uniforms = self.streams.draw(self.lam, len(self.space))
        return self._joined(uniforms.shape, [block.propose(uniforms[:, which]) for which, block in self._blocks])

    def _draw(self, uniforms: Floats) -> Ints:
        return self._joined(uniforms.shape, [block.draw(uniforms[:, which]) for which, block in self._blocks])

    def _joined(self, shape: tuple[int, ...], parts: list[Ints]) -> Ints:
        """Architectures [..., V, columns] from the values of each block."""
        if len(parts) == 1:
            return parts[0]
        archs = np.empty(shape, dtype=np.int64)
        for (which, _), part in zip(self._blocks, parts, strict=True):
            archs[..., which, :] = part
        return archs

    def _tell(self, archs: Ints, losses: Floats) -> None:
        if len(archs) < 2:
            raise ArenaError("an update compares at least 2 architectures")
        if self._s.size == 0:  # no variable has two values: there is nothing to learn
            return
        weights = rank_utilities(losses) / len(archs)
        gradients = [block.natural_gradient(archs[:, which], weights) for which, block in self._blocks]
        roots = [block.fisher_root(gradient) for (_, block), gradient in zip(self._blocks, gradients, strict=True)]
        root = roots[0] if len(roots) == 1 else np.concatenate(roots)
        norm = np.sqrt((root * root).sum(axis=0))
        # Equal losses give utilities of 0. Samples of one and the same architecture give a gradient of 0 even when
        # their losses differ; the reference's versions then divide by 0 or let delta shrink. Nothing was learnt in
        # either case, so nothing changes.
        live = norm > ZERO_NORM
        all_live = bool(live.all())
        if not all_live:
            norm = np.where(live, norm, 1.0)

        delta = self.delta_init / self._Delta
        step = delta / norm if all_live else np.where(live, delta / norm, 0.0)
        for (_, block), gradient in zip(self._blocks, gradients, strict=True):
            block.move(step * gradient, None if all_live else live)

        # The reference lets beta pass 1 where delta passes sqrt(n), and takes the root of a negative number beyond 2.
        beta = np.minimum(delta / math.sqrt(len(root)), 1.0)
        if not all_live:
            beta = np.where(live, beta, 0.0)
        gain = beta * (2.0 - beta)
        self._s = (1.0 - beta) * self._s + (np.sqrt(gain) / norm) * root
        self._gamma = (1.0 - beta) ** 2 * self._gamma + gain
        self._Delta = self._Delta * np.exp(beta * (self._gamma - (self._s * self._s).sum(axis=0) / self.alpha))

    def _recommend(self) -> Ints:
        return self._joined((len(self.space), self.columns), [block.mode for _, block in self._blocks])

    def _probabilities(self) -> Floats:
        """float [Kmax, V, columns]."""
        if len(self._blocks) == 1:
            return self._blocks[0][1].probabilities
        joined = np.zeros((int(self.space.sizes.max()), len(self.space), self.columns))
        for which, block in self._blocks:
            part = block.probabilities
            joined[: len(part), which] = part
        return joined

    def _diagnostics(self) -> dict[str, Floats]:
        square = (self._s * self._s).sum(axis=0)
        probabilities = self._probabilities()
        logarithm = np.log(np.where(probabilities > 0, probabilities, 1.0))
        diagnostics = {
            "step_size": self.delta_init / self._Delta,
            # of the accumulated direction; delta grows where it is above alpha. NaN until the first step.
            "signal_to_noise": np.divide(square, self._gamma, out=np.full_like(square, np.nan), where=self._gamma > 0),
            "entropy": -(probabilities * logarithm).sum(axis=(0, 1)),  # nats, of the whole architecture
            "largest_probability": probabilities.max(axis=0).mean(axis=0),
        }
        for _, block in self._blocks:
            diagnostics |= block.diagnostics()
        return diagnostics

    def _state(self) -> dict[str, NDArray[Any]]:
        state: dict[str, NDArray[Any]] = {}
        for _, block in self._blocks:
            state |= block.state()
        return {**state, "s": self._s, "gamma": self._gamma, "Delta": self._Delta}

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        for _, block in self._blocks:
            block.load(state)
        self._s, self._gamma, self._Delta = state["s"], state["gamma"], state["Delta"]


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
    """Entry [a, m] is the mean utility of the m ranks from a on, where there are so many; float [B, B + 1]."""
    mu = math.ceil(B / 4)
    signs = np.zeros(B + 1, dtype=np.int64)
    signs[1 : mu + 1], signs[B - mu + 1 :] = 1, -1
    sums = np.cumsum(signs)  # of whole numbers, so that a group of ties that should have no utility has exactly none
    first, count = np.arange(B)[:, None], np.arange(B + 1)
    means: Floats = (sums[np.minimum(first + count, B)] - sums[first]) / (np.maximum(count, 1) * mu)
    return means
