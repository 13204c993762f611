"""Stochastic natural gradient on independent categorical and Gaussian distributions, whatever the rule of its steps.

The architecture is drawn from independent distributions, categorical ones and, for ordinals, Gaussian ones over the
ranks. In expectation parameters the natural gradient of a sample's log-likelihood is its sufficient statistics minus
the parameters. A step follows the mean of these, weighted by the ranks of the losses; how far it goes is up to a
:class:`~optimizers.step_rules.StepRule` (Akimoto et al., ICML 2019).

Where the authors' code goes wrong for some inputs this file departs from it, each time with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from optimizers.base import Floats, SamplingOptimizer
from optimizers.categorical import CategoricalBlock, spread
from optimizers.gaussian import GaussianBlock
from optimizers.step_rules import StepRule
from optimizers.utilities import UTILITIES
from search_spaces.errors import ArenaError, unknown
from search_spaces.space import Ints, SearchSpace

# Utilities are multiples of about 1/lam, so a Fisher norm this small is the rounding error of a zero gradient.
ZERO_NORM = 1e-12

LAM_CATEGORICAL, LAM_ORDINAL = 2, 12  # of the paper; what measured best over 15 tables: docs/ordinals.md

Utility = Literal["quarter", "log_rank"]


class NaturalGradient(SamplingOptimizer):
    """What ASNG, SNG and Adam on the natural gradient have in common.

    Recommends the mode of the distribution: the most probable categories, the ranks nearest to the means.

    Args:
        rule: how far a step goes; an object of its own for every optimizer.
        lam: lambda, the number of architectures an update, at least 2. By default 2 as in the paper, and 12 on spaces
            with ordinals: with lam = 2 a Gaussian's standard deviation can only shrink.
        utility: what a sample weighs by its rank. "quarter" is the paper's: the best quarter and the worst quarter
            count alike, with opposite signs. "log_rank" is CatCMA's: the better half, by the logarithm of the rank, and
            no sample with a negative sign.
        theta_min: a factor on the lower bound of every category's probability, above 0 and at most 1, the paper's.

    Attributes:
        probabilities: float [R, V, Kmax], zero beyond a variable's number of values.
        replayable: on categorical spaces; the update of an ordinal needs the real number behind its rank.

    ``state_dict`` holds ``theta`` [R, Vc, Kmax] of the Vc variables with a categorical distribution, ``mean`` and
    ``variance`` [R, Vg] of those with a Gaussian, and what the rule keeps.
    """

    stream_name = "natural_gradient"
    recommends = "mode"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        rule: StepRule,
        lam: int | None,
        utility: Utility,
        theta_min: float,
        stream: str | int,
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        if lam is None:
            lam = LAM_ORDINAL if space.ordinal.any() else LAM_CATEGORICAL
        if lam < 2:
            raise ArenaError(f"lam must be at least 2, not {lam}: a step compares architectures with each other")
        if not 0 < theta_min <= 1:
            raise ArenaError(
                f"theta_min is a factor on the paper's lower bound, above 0 and at most 1, not {theta_min}"
            )
        if utility not in UTILITIES:
            raise unknown("utility", utility, UTILITIES)
        self.lam, self.utility, self.theta_min = lam, utility, theta_min
        self.delta_init = rule.delta_init
        self._rule, self._utilities = rule, UTILITIES[utility]

        gaussian = space.ordinal & (space.sizes > 1)  # an ordinal of one value has nothing to learn
        self.replayable = not gaussian.any()
        self._blocks: list[tuple[Any, CategoricalBlock | GaussianBlock]] = []
        if not gaussian.all():
            categorical = CategoricalBlock(space.sizes[~gaussian], self.columns, theta_min)
            self._blocks.append((_places(~gaussian), categorical))
        if gaussian.any():
            self._blocks.append((_places(gaussian), GaussianBlock(space.sizes[gaussian], self.columns)))
        self._parameters = sum(block.parameters for _, block in self._blocks)
        rule.start([block.gradient_shape for _, block in self._blocks], self._parameters, self.columns)

    @property
    def probabilities(self) -> Floats:
        return self._outward(self._probabilities().swapaxes(0, 1))

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
        if self._parameters == 0:  # no variable has two values: there is nothing to learn
            return
        weights, total = self._utilities(losses)
        gradients = [block.natural_gradient(archs[:, which], weights, total) for which, block in self._blocks]
        roots = [block.fisher_root(gradient) for (_, block), gradient in zip(self._blocks, gradients, strict=True)]
        root = roots[0] if len(roots) == 1 else np.concatenate(roots)
        norm = np.sqrt((root * root).sum(axis=0))
        # Samples of one and the same architecture give a gradient of 0 even when their losses differ; the reference's
        # versions then divide by 0 or let delta shrink. Equal losses of different ones tell nothing either, whatever
        # the utility. Nothing was learnt, so nothing changes.
        live = norm > ZERO_NORM
        if total:  # else the utilities of equal losses are 0, and so is the norm
            live &= (losses != losses[0]).any(axis=0)
        if live.all():
            some = None
        else:
            some, norm = live, np.where(live, norm, 1.0)
        displacements = self._rule.displace(gradients, root, norm, some)
        for (_, block), displacement in zip(self._blocks, displacements, strict=True):
            block.move(displacement, some)

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
        diagnostics = {**self._rule.diagnostics(), **spread(self._probabilities())}
        for _, block in self._blocks:
            diagnostics |= block.diagnostics()
        return diagnostics

    def _state(self) -> dict[str, NDArray[Any]]:
        state: dict[str, NDArray[Any]] = {}
        for _, block in self._blocks:
            state |= block.state()
        return {**state, **self._rule.state()}

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        for _, block in self._blocks:
            block.load(state)
        self._rule.load(state)


def _places(which: NDArray[np.bool_]) -> Any:
    """What picks the variables of a block: a slice, which copies nothing, where that is all."""
    return slice(None) if which.all() else np.flatnonzero(which)
