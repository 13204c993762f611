"""Search by gradients: the parameters of a distribution over architectures follow the validation loss of a supernet.

Such an optimizer is not asked and told. It gives gates that its parameters are differentiable in, and takes a step by
what the loss says of them, so it needs a supernet, and runs one seed. Torch is imported when one is made.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from optimizers.adapter import imported
from optimizers.base import SearchMethod
from optimizers.categorical import spread
from optimizers.streams import Streams, normal_quantiles
from search_spaces.errors import ArenaError
from search_spaces.gates import Gates
from search_spaces.space import Ints, SearchSpace

if TYPE_CHECKING:
    from torch import Tensor

INITIAL_DEVIATION = 1e-3  # of alpha, as in the code of DARTS and of GDAS


class BilevelProblem(Protocol):
    """One step of a search: the weights, how the next step of SGD would move them, and the losses on two batches.

    A loss is a scalar with its graph; within the step it depends on the gates and the weights alone.

    Attributes:
        weights: what SGD trains. A search may move them while it calculates, and puts them back.
        learning_rate: of SGD in this step, as are ``momentum`` and ``weight_decay``.
    """

    @property
    def weights(self) -> Sequence[Tensor]: ...

    @property
    def learning_rate(self) -> float: ...

    @property
    def momentum(self) -> float: ...

    @property
    def weight_decay(self) -> float: ...

    def momentum_of(self, weight: Tensor) -> Tensor | None:
        """SGD's momentum buffer of a weight; None before its first step."""
        ...

    def train_loss(self, gates: Gates) -> Tensor:
        """On this step's batch of the half that trains the weights."""
        ...

    def valid_loss(self, gates: Gates) -> Tensor:
        """On this step's batch of the half that the architecture learns from."""
        ...


class GradientOptimizer(SearchMethod, ABC):
    """Independent softmax distributions with parameters alpha [V, Kmax] in float64 on the CPU, moved by Adam.

    A subclass writes ``gates`` and ``_gradient``, and draws only from ``self.streams``. The values of an ordinal are
    categories to it.

    Args:
        space: what is searched.
        seed: of its random stream, from 0 on.
        steps: how many updates the whole search will make, at least 1.
        learning_rate: of Adam, above 0.
        beta1: Adam's decay of the mean gradient, at least 0 and below 1.
        beta2: Adam's decay of the mean square, at least 0 and below 1.
        weight_decay: times alpha is added to its gradient, at least 0.
        stream: what the random stream depends on besides the seed and the optimizer.

    Raises:
        MissingExtra: where torch is not installed.
        ArenaError: for settings out of range.
    """

    recommends = "mode"
    package = "torch"  # the last bits of its kernels are not the same from version to version

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
        stream: str | int = 0,
    ) -> None:
        if seed < 0:
            raise ArenaError(f"seed must be an integer from 0 on, not {seed}")
        if steps < 1:
            raise ArenaError(f"steps must be at least 1, not {steps}: the updates of the whole search")
        if not 0 < learning_rate < math.inf:
            raise ArenaError(f"learning_rate must be above 0 and finite, not {learning_rate}")
        for name, beta in (("beta1", beta1), ("beta2", beta2)):
            if not 0 <= beta < 1:
                raise ArenaError(f"{name} must be at least 0 and below 1, not {beta}")
        if not 0 <= weight_decay < math.inf:
            raise ArenaError(f"weight_decay must be at least 0 and finite, not {weight_decay}")
        torch = imported("torch", type(self).__name__.lower(), "supernet")
        self.space, self.seed, self.steps = space, int(seed), int(steps)
        self.streams = Streams([self.seed], self.stream_name or type(self).__name__, stream, "gates")
        shape = len(space), int(space.sizes.max())
        beyond = np.arange(shape[1]) >= space.sizes[:, None]
        self._beyond: Tensor = torch.from_numpy(beyond)
        initial = np.where(beyond, 0.0, INITIAL_DEVIATION * normal_quantiles(self.streams.draw(*shape)[..., 0]))
        self._alpha: Tensor = torch.from_numpy(initial).requires_grad_()
        betas = beta1, beta2
        self._adam = torch.optim.Adam([self._alpha], lr=learning_rate, betas=betas, weight_decay=weight_decay)
        self._moments = {name: torch.zeros_like(self._alpha.detach()) for name in ("exp_avg", "exp_avg_sq")}
        self._adam.state[self._alpha] = {"step": torch.zeros(()), **self._moments}
        self.updates = 0

    @abstractmethod
    def gates(self, training: bool) -> Gates:
        """The gates of the next step.

        Args:
            training: whether they are differentiable in alpha and drawn where the method draws; else they are what it
                has come to, without gradient, and nothing is drawn.
        """

    @abstractmethod
    def _gradient(self, problem: BilevelProblem) -> Tensor:
        """What alpha is to descend along: float64 [V, Kmax]."""

    def update(self, problem: BilevelProblem) -> None:
        """Takes a step. Weights, their gradients and whether they require some are afterwards as they were.

        Raises:
            ArenaError: for a loss or a gradient that is not finite; alpha has not moved then.
        """
        gradient = self._gradient(problem)
        if not gradient.isfinite().all():
            raise ArenaError(self._not_finite("gradient of alpha"))
        self._alpha.grad = gradient
        self._adam.step()
        self.updates += 1

    def recommend(self) -> Ints:
        """The most probable value of every variable: int64 [V]."""
        mode: Ints = self.probabilities.argmax(axis=1)
        return mode

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Softmax of alpha: float64 [V, Kmax], zero beyond a variable's number of values."""
        found: NDArray[np.float64] = self._logits().detach().softmax(1).numpy()
        return found

    def diagnostics(self) -> dict[str, float]:
        """What the optimizer says of its own state, by name; the entropy in nats, of the whole architecture."""
        return {name: float(values[0]) for name, values in spread(self.probabilities.T[:, :, None]).items()}

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next steps depend on: float64 [V, Kmax] ``alpha`` and Adam's moments, two counts."""
        arrays = {name: tensor.detach().numpy().copy() for name, tensor in self._arrays().items()}
        return {**arrays, "updates": self.updates, "position": self.streams.position}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Goes on from a state of the same settings and space.

        Raises:
            ArenaError: for one that lacks something, or is of another space.
        """
        for name in (*self._arrays(), "updates", "position"):
            if name not in state:
                raise ArenaError(f"the state lacks {name!r}; it needs {', '.join(self._arrays())}, updates, position")
        for name, tensor in self._arrays().items():
            if np.shape(state[name]) != tuple(tensor.shape):
                wanted = [*tensor.shape]
                raise ArenaError(f"state {name!r} has shape {[*np.shape(state[name])]}, this optimizer needs {wanted}")
        for name, tensor in self._arrays().items():
            tensor.detach().numpy()[...] = state[name]
        self.updates, self.streams.position = int(state["updates"]), int(state["position"])
        self._adam.state[self._alpha]["step"].fill_(self.updates)

    def _arrays(self) -> dict[str, Tensor]:
        return {"alpha": self._alpha, **self._moments}

    def _logits(self) -> Tensor:
        """Alpha, minus infinity beyond a variable's number of values."""
        return self._alpha.masked_fill(self._beyond, -math.inf)

    def _by_alpha(self, gradient: Tensor | None) -> Tensor:
        """A gradient of alpha; one that is missing, since no gate reaches the loss, is zero."""
        return self._alpha.detach().new_zeros(self._alpha.shape) if gradient is None else gradient

    def _finite(self, loss: Tensor, half: str) -> Tensor:
        if not math.isfinite(value := float(loss.detach())):
            raise ArenaError(self._not_finite(f"{half} loss", value))
        return loss

    def _not_finite(self, what: str, value: float = math.nan) -> str:
        step = f"step {self.updates + 1} of {self.steps}"
        return f"the {what} is {value} in {step} of {type(self).__name__}; try a smaller learning rate of the weights"
