"""Stochastic natural gradient with a fixed step size: what the ASNG paper compares its adaptation with."""

from __future__ import annotations

from collections.abc import Iterable

from optimizers.natural_gradient import NaturalGradient, Utility
from optimizers.step_rules import FixedStep
from search_spaces.space import SearchSpace


class SNG(NaturalGradient):
    """SNG: every step has the same length. Recommends the mode of the distribution.

    Args:
        lam: lambda, the number of architectures an update, at least 2; by default 2, and 12 on spaces with ordinals.
        delta_init: the step size delta of every step, in Fisher length, above 0; named as in ASNG, where it is that of
            the first.
        utility: "quarter", the paper's, or "log_rank", CatCMA's: see :class:`NaturalGradient`.
        theta_min: a factor on the paper's lower bound of the probabilities, above 0 and at most 1.
        normalise: whether a step has the Fisher length delta; else it is delta times the natural gradient, longer where
            the gradient is.
    """

    citation = "Akimoto et al., Adaptive Stochastic Natural Gradient Method for One-Shot NAS, ICML 2019: fixed step"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        lam: int | None = None,
        delta_init: float = 0.3,
        utility: Utility = "quarter",
        theta_min: float = 1.0,
        normalise: bool = True,
        stream: str | int = 0,
    ) -> None:
        self.normalise = normalise
        rule = FixedStep(delta_init, normalise=normalise)
        super().__init__(space, seeds, rule=rule, lam=lam, utility=utility, theta_min=theta_min, stream=stream)
