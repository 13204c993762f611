"""Adam on the stochastic natural gradient: the other baseline of the ASNG paper, categorical spaces only."""

from __future__ import annotations

from collections.abc import Iterable

from optimizers.natural_gradient import NaturalGradient, Utility
from optimizers.step_rules import AdamStep
from search_spaces.space import SearchSpace


class AdamSNG(NaturalGradient):
    """Adam in the space of the probabilities, on the natural gradient of unit Fisher norm. Recommends the mode.

    Ordinals are refused: a step a parameter could leave a Gaussian's second moment below the square of its mean.

    Args:
        lam: lambda, the number of architectures an update, at least 2.
        delta_init: Adam's learning rate, above 0: a step a probability, not a Fisher length, so that equal numbers here
            and in ASNG or SNG do not mean the same.
        utility: "quarter", the paper's, or "log_rank", CatCMA's: see :class:`NaturalGradient`.
        theta_min: a factor on the paper's lower bound of the probabilities, above 0 and at most 1.
    """

    categorical_only = True
    citation = "Akimoto et al., ICML 2019: Adam (Kingma and Ba, ICLR 2015) on the Fisher-normalised natural gradient"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        lam: int | None = None,
        delta_init: float = 0.05,
        utility: Utility = "quarter",
        theta_min: float = 1.0,
        stream: str | int = 0,
    ) -> None:
        rule = AdamStep(delta_init)
        super().__init__(space, seeds, rule=rule, lam=lam, utility=utility, theta_min=theta_min, stream=stream)
