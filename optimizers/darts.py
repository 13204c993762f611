"""DARTS (Liu, Simonyan and Yang, ICLR 2019): the choice among operations relaxed to a softmax, descended by gradients.

The first order takes the weights as they are. The second looks one step ahead: the validation loss is that of the
weights w' that SGD's next step on the training batch would give,

    w' = w - xi (momentum * buffer + dL_train/dw + weight_decay * w),    xi the learning rate of that step,

and its gradient has a second term, - xi d2L_train/(dalpha dw) v with v = dL_val/dw'. (Here the momentum is not
Nesterov's, and a weight without gradient stays where it is.) The product is a central difference of the gradient by
alpha at w +- eps v, eps = 0.01 / |v|, or exact, by differentiating twice. Where a network has ReLUs the difference
steps over kinks: it is then a coarse estimate.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from optimizers.gradient import BilevelProblem, GradientOptimizer
from search_spaces.errors import ArenaError, unknown
from search_spaces.gates import Gates
from search_spaces.space import SearchSpace

if TYPE_CHECKING:
    from torch import Tensor

DIFFERENCE = 0.01  # the length of the step in the weights to either side


class DARTS(GradientOptimizer):
    """Runs all operations, weighted by the softmax of alpha, and descends the validation loss in alpha.

    Recommends the most probable value of every variable.

    Args:
        order: 1 takes the weights as they are; 2 the step of SGD that comes next into account.
        hessian: how the second order's product is found: "differences", or "exact".
        learning_rate: of Adam, above 0. The default is for tens of thousands of steps; in a few hundred it learns
            next to nothing.
        beta1: Adam's decay of the mean gradient, at least 0 and below 1.
        beta2: Adam's decay of the mean square, at least 0 and below 1.
        weight_decay: times alpha is added to its gradient, at least 0.
    """

    citation = "Liu, Simonyan and Yang, DARTS, ICLR 2019"

    def __init__(
        self,
        space: SearchSpace,
        seed: int,
        steps: int,
        *,
        order: Literal[1, 2] = 1,
        hessian: Literal["differences", "exact"] = "differences",
        learning_rate: float = 3e-4,
        beta1: float = 0.5,
        beta2: float = 0.999,
        weight_decay: float = 1e-3,
        stream: str | int = 0,
    ) -> None:
        if order not in (1, 2):
            raise ArenaError(f"order of darts must be 1 or 2, not {order}")
        if hessian not in ("differences", "exact"):
            raise unknown("hessian of darts:", hessian, ("differences", "exact"))
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
        self.order, self.hessian = order, hessian

    def gates(self, training: bool) -> Gates:
        """The softmax of alpha; the same in training and not, but for its gradient."""
        values = self._logits().softmax(1)
        return Gates.of_values(values if training else values.detach(), self.space.sizes.tolist())

    def _gradient(self, problem: BilevelProblem) -> Tensor:
        if self.order == 2:
            return self._unrolled(problem)
        return self._slope(problem.weights, problem, "validation")

    def _slope(self, weights: Sequence[Tensor], problem: BilevelProblem, half: str) -> Tensor:
        """The gradient of a loss by alpha, at the weights as they are."""
        from optimizers.relaxation import frozen, gradients

        with frozen(weights):
            return self._by_alpha(gradients(self._loss(problem, half), [self._alpha])[0])

    def _loss(self, problem: BilevelProblem, half: str) -> Tensor:
        loss = problem.train_loss if half == "training" else problem.valid_loss
        return self._finite(loss(self.gates(training=True)), half)

    def _unrolled(self, problem: BilevelProblem) -> Tensor:
        """The gradient of the validation loss one step of SGD ahead."""
        from optimizers.relaxation import gradients, restored, set_to

        weights = [weight for weight in problem.weights if weight.requires_grad]
        with restored(weights) as start:
            slopes = gradients(self._loss(problem, "training"), weights)
            set_to(weights, [_stepped(problem, *of) for of in zip(weights, start, slopes, strict=True)])
            by_alpha, *ahead = gradients(self._loss(problem, "validation"), [self._alpha, *weights])
            v = [copy.new_zeros(()) if slope is None else slope for copy, slope in zip(start, ahead, strict=True)]
            set_to(weights, start)
            product = self._exact if self.hessian == "exact" else self._by_differences
            return self._by_alpha(by_alpha) - problem.learning_rate * product(problem, weights, start, v)

    def _by_differences(
        self, problem: BilevelProblem, weights: list[Tensor], start: list[Tensor], v: list[Tensor]
    ) -> Tensor:
        """The product of d2L_train/(dalpha dw) and v, from gradients by alpha to either side of the weights."""
        from optimizers.relaxation import set_to

        norm = math.sqrt(sum(float(part.double().square().sum()) for part in v))
        if norm == 0:
            return self._by_alpha(None)
        eps = DIFFERENCE / norm

        def slope(distance: float) -> Tensor:
            set_to(weights, [weight + distance * part for weight, part in zip(start, v, strict=True)])
            return self._slope(weights, problem, "training")

        return (slope(eps) - slope(-eps)) / (2 * eps)

    def _exact(self, problem: BilevelProblem, weights: list[Tensor], start: list[Tensor], v: list[Tensor]) -> Tensor:
        """The product of d2L_train/(dalpha dw) and v, from the gradient by alpha of the slope along v."""
        from optimizers.relaxation import gradients

        slopes = gradients(self._loss(problem, "training"), weights, create_graph=True)
        along = [(slope * part).sum() for slope, part in zip(slopes, v, strict=True) if slope is not None]
        return self._by_alpha(gradients(sum(along, start=v[0].new_zeros(())), [self._alpha])[0] if along else None)


def _stepped(problem: BilevelProblem, weight: Tensor, value: Tensor, slope: Tensor | None) -> Tensor:
    """Where SGD's next step would move a weight from its value; one without gradient it would leave alone."""
    if slope is None:
        return value
    slope = slope + problem.weight_decay * value
    momentum = problem.momentum_of(weight)
    if momentum is not None:
        slope = slope + problem.momentum * momentum
    return value - problem.learning_rate * slope
