"""Adaptive stochastic natural gradient (Akimoto et al., ICML 2019) for categorical, ordinal and mixed spaces."""

from __future__ import annotations

from collections.abc import Iterable

from optimizers.base import Floats
from optimizers.natural_gradient import NaturalGradient, Utility
from optimizers.step_rules import AdaptiveStep
from search_spaces.space import SearchSpace


class ASNG(NaturalGradient):
    """ASNG: the step size delta adapts to the signal-to-noise ratio of the accumulated direction.

    It grows while successive steps agree and shrinks when they do not. Recommends the mode of the distribution.

    Args:
        lam: lambda, the number of architectures an update, at least 2. By default 2 as in the paper, and 12 on spaces
            with ordinals: with lam = 2 a Gaussian's standard deviation can only shrink. On tables 8 is the better
            choice: docs/step_size.md.
        alpha: the threshold on the signal-to-noise ratio, above 1: a larger one makes the step size more cautious.
        delta_init: the initial step size delta, in Fisher length, above 0.
        utility: "quarter", the paper's, or "log_rank", CatCMA's: see :class:`NaturalGradient`.
        theta_min: a factor on the paper's lower bound of the probabilities, above 0 and at most 1.

    Attributes:
        step_size: float [R], the delta that the next update will use.

    ``state_dict`` holds besides that of the distribution ``s`` [R, n] (the accumulated direction; n free parameters: of
    the categorical variables all values but the last, variable by variable, then all means, then all second moments),
    ``gamma`` [R] and ``Delta`` [R], with delta = delta_init / Delta.
    """

    version = 2
    citation = "Akimoto et al., Adaptive Stochastic Natural Gradient Method for One-Shot NAS, ICML 2019"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        lam: int | None = None,
        alpha: float = 1.5,
        delta_init: float = 1.0,
        utility: Utility = "quarter",
        theta_min: float = 1.0,
        stream: str | int = 0,
    ) -> None:
        self._adaptive = AdaptiveStep(delta_init, alpha=alpha)
        self.alpha = alpha
        super().__init__(
            space, seeds, rule=self._adaptive, lam=lam, utility=utility, theta_min=theta_min, stream=stream
        )

    @property
    def step_size(self) -> Floats:
        return self._outward(self._adaptive.step_size)
