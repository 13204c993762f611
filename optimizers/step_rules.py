"""What turns a natural gradient into a step: the part of a natural-gradient optimizer that an ablation swaps.

A rule gets the natural gradient G of every block of variables, the vector s = F^(1/2) G of all free parameters, its
norm (the Fisher norm of G), and which columns have anything to learn from; it returns the displacement of every block.
Arrays have seeds last.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import ArenaError

Floats = NDArray[np.float64]
Live = NDArray[np.bool_] | None


LARGEST_STEP = 1e6  # every step that large ends at the bounds; beyond 1e16 they are lost in rounding


class StepRule(ABC):
    """How far a step goes.

    Args:
        delta_init: the size of the first step, above 0 and at most 1e6.
    """

    def __init__(self, delta_init: float) -> None:
        if not 0 < delta_init <= LARGEST_STEP:
            raise ArenaError(f"delta_init must be above 0 and at most {LARGEST_STEP:g}, not {delta_init}")
        self.delta_init = delta_init

    def start(self, shapes: Sequence[tuple[int, ...]], parameters: int, columns: int) -> None:  # noqa: B027
        """Takes the shapes of the blocks' gradients and the number n of free parameters; a fixed step needs neither."""

    @abstractmethod
    def displace(self, gradients: Sequence[Floats], root: Floats, norm: Floats, live: Live) -> list[Floats]:
        """The displacement of every block, and what the rule learns for the next step.

        Args:
            gradients: G of every block, float [..., columns].
            root: s, float [n, columns].
            norm: its length, float [columns]; 1 where not live.
            live: bool [columns], where there is something to learn; elsewhere the rule must learn nothing and displace
                by 0 where it can. None is everywhere.
        """

    def diagnostics(self) -> dict[str, Floats]:
        """float [columns] by name."""
        return {}

    def state(self) -> dict[str, NDArray[Any]]:
        return {}

    def load(self, state: dict[str, NDArray[Any]]) -> None:  # noqa: B027
        """Takes back what ``state`` gave."""


class FixedStep(StepRule):
    """Every step has the same length: delta in the Fisher metric, or delta times the gradient as it is."""

    def __init__(self, delta_init: float, *, normalise: bool = True) -> None:
        super().__init__(delta_init)
        self.normalise = normalise

    def displace(self, gradients: Sequence[Floats], root: Floats, norm: Floats, live: Live) -> list[Floats]:
        step = self.delta_init / norm if self.normalise else np.full_like(norm, self.delta_init)
        return _scaled(gradients, step, live)


class AdaptiveStep(StepRule):
    """ASNG's: the length delta = delta_init / Delta follows the signal-to-noise ratio of the accumulated direction.

    It grows while successive directions agree, |s|^2 > alpha gamma, and shrinks when they do not.

    Args:
        alpha: the threshold, above 1.
    """

    def __init__(self, delta_init: float, *, alpha: float) -> None:
        super().__init__(delta_init)
        if not 1 < alpha < math.inf:
            raise ArenaError(
                f"alpha must be above 1 and finite, not {alpha}: below 1, delta grows without end even on pure noise"
            )
        self.alpha = alpha

    def start(self, shapes: Sequence[tuple[int, ...]], parameters: int, columns: int) -> None:
        self._s = np.zeros((parameters, columns))
        self._gamma = np.zeros(columns)
        self._Delta = np.ones(columns)

    @property
    def step_size(self) -> Floats:
        """The delta that the next step will have: float [columns]."""
        return self.delta_init / self._Delta

    def displace(self, gradients: Sequence[Floats], root: Floats, norm: Floats, live: Live) -> list[Floats]:
        delta = self.step_size
        # The reference lets beta pass 1 where delta passes sqrt(n), and takes the root of a negative number beyond 2.
        beta = np.minimum(delta / math.sqrt(len(root)), 1.0)
        if live is not None:
            beta = np.where(live, beta, 0.0)
        gain = beta * (2.0 - beta)
        self._s = (1.0 - beta) * self._s + (np.sqrt(gain) / norm) * root
        self._gamma = (1.0 - beta) ** 2 * self._gamma + gain
        self._Delta = self._Delta * np.exp(beta * (self._gamma - (self._s * self._s).sum(axis=0) / self.alpha))
        return _scaled(gradients, delta / norm, live)

    def diagnostics(self) -> dict[str, Floats]:
        square = (self._s * self._s).sum(axis=0)
        # of the accumulated direction; delta grows where it is above alpha. NaN until the first step.
        ratio = np.divide(square, self._gamma, out=np.full_like(square, np.nan), where=self._gamma > 0)
        return {"step_size": self.step_size, "signal_to_noise": ratio}

    def state(self) -> dict[str, NDArray[Any]]:
        return {"s": self._s, "gamma": self._gamma, "Delta": self._Delta}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        self._s, self._gamma, self._Delta = state["s"], state["gamma"], state["Delta"]


class AdamStep(StepRule):
    """Adam (Kingma and Ba, 2015) on the gradient of unit Fisher norm, a moment for every parameter.

    ``delta_init`` is Adam's learning rate, a step a parameter and no Fisher length: equal numbers of this rule and the
    others do not mean the same. As in the authors' code the count behind the bias correction goes on where a step is
    skipped.
    """

    BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8

    def start(self, shapes: Sequence[tuple[int, ...]], parameters: int, columns: int) -> None:
        self._first = [np.zeros(shape) for shape in shapes]
        self._second = [np.zeros(shape) for shape in shapes]
        self._count = np.zeros(columns, dtype=np.int64)

    def displace(self, gradients: Sequence[Floats], root: Floats, norm: Floats, live: Live) -> list[Floats]:
        self._count = self._count + 1
        t = int(self._count[0])  # every column counts the same
        rate = self.delta_init * math.sqrt(1.0 - self.BETA_2**t) / (1.0 - self.BETA_1**t)
        epsilon = self.EPSILON * math.sqrt(1.0 - self.BETA_2**t)
        displacements = []
        for place, gradient in enumerate(gradients):
            unit = gradient / norm
            first = self.BETA_1 * self._first[place] + (1.0 - self.BETA_1) * unit
            second = self.BETA_2 * self._second[place] + (1.0 - self.BETA_2) * unit * unit
            self._first[place] = first if live is None else np.where(live, first, self._first[place])
            self._second[place] = second if live is None else np.where(live, second, self._second[place])
            displacements.append(rate * first / (np.sqrt(second) + epsilon))
        return displacements

    def state(self) -> dict[str, NDArray[Any]]:
        moments = {f"{name}_{i}": m for name in ("first", "second") for i, m in enumerate(getattr(self, f"_{name}"))}
        return {**moments, "count": self._count}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        self._first = [state[f"first_{i}"] for i in range(len(self._first))]
        self._second = [state[f"second_{i}"] for i in range(len(self._second))]
        self._count = state["count"]


def _scaled(gradients: Sequence[Floats], step: Floats, live: Live) -> list[Floats]:
    if live is not None:
        step = np.where(live, step, 0.0)
    return [step * gradient for gradient in gradients]
