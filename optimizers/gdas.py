"""GDAS (Dong and Yang, CVPR 2019): an architecture is drawn in every step, and gradients pass through the draw.

The values of a step are those of the largest log-probability plus Gumbel noise; forward their gates are 1, backward the
gradient passes to the softmax of the same sums over a temperature that falls from step to step.

From the authors' code for NAS-Bench-201 (AutoDL-Projects, f46486e) this departs as follows. Gates are exactly one-hot:
there they are ``one_hot - p.detach() + p``, 1 up to rounding. Operations that were not drawn do not run, so that their
gates get gradient 0; there the bare gates of an edge are added to its output, which gives each operation that was not
drawn the sum of the output's gradient. The temperature falls by step and not by epoch. A uniform of 0 counts as 2^-54
where noise is drawn again there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from optimizers.gradient import BilevelProblem, GradientOptimizer
from optimizers.streams import SMALLEST_UNIFORM
from search_spaces.errors import ArenaError
from search_spaces.gates import Gates
from search_spaces.space import SearchSpace

if TYPE_CHECKING:
    from torch import Tensor


class GDAS(GradientOptimizer):
    """Runs one drawn architecture a step, and descends the validation loss in alpha by straight-through gradients.

    Recommends the most probable value of every variable.

    Args:
        learning_rate: of Adam, above 0. The default is for tens of thousands of steps; in a few hundred it learns
            next to nothing.
        beta1: Adam's decay of the mean gradient, at least 0 and below 1.
        beta2: Adam's decay of the mean square, at least 0 and below 1.
        weight_decay: times alpha is added to its gradient, at least 0.
        temperature_start: in the first step, above 0.
        temperature_end: in the last step, above 0; in between it is linear.
    """

    citation = "Dong and Yang, Searching for a Robust Neural Architecture in Four GPU Hours, CVPR 2019"

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        steps: int,
        *,
        learning_rate: float = 3e-4,
        beta1: float = 0.5,
        beta2: float = 0.999,
        weight_decay: float = 1e-3,
        temperature_start: float = 10.0,
        temperature_end: float = 0.1,
        stream: str | int = 0,
    ) -> None:
        for name, value in (("temperature_start", temperature_start), ("temperature_end", temperature_end)):
            if not 0 < value < math.inf:
                raise ArenaError(f"{name} must be above 0 and finite, not {value}")
        super().__init__(
            space,
            seed,
            steps,
            learning_rate=learning_rate,
            beta1=beta1,
            beta2=beta2,
            weight_decay=weight_decay,
            stream=stream,
        )
        self._start, self._end = temperature_start, temperature_end

    @property
    def temperature(self) -> float:
        """Of the step to come; after the last one it stays what it was in it."""
        done = min(self.updates / (self.steps - 1), 1.0) if self.steps > 1 else 0.0
        return self._start + done * (self._end - self._start)

    def gates(self, training: bool) -> Gates:
        """In training a fresh draw at every call; else the most probable architecture."""
        if not training:
            return Gates.of_arch(self.recommend())
        import torch

        from optimizers.relaxation import straight_through

        uniforms = np.maximum(self.streams.draw(*self._alpha.shape)[..., 0], SMALLEST_UNIFORM)
        noisy = (self._logits() + torch.from_numpy(-np.log(-np.log(uniforms)))) / self.temperature
        return Gates.of_values(straight_through(noisy.softmax(1), noisy.argmax(1)), self.space.sizes.tolist())

    def _gradient(self, problem: BilevelProblem) -> Tensor:
        from optimizers.relaxation import frozen, gradients

        with frozen(problem.weights):
            loss = self._finite(problem.valid_loss(self.gates(training=True)), "validation")
            return self._by_alpha(gradients(loss, [self._alpha])[0])

    def diagnostics(self) -> dict[str, float]:
        return {**super().diagnostics(), "temperature": self.temperature}
