"""Independent categorical distributions in expectation parameters, for natural-gradient optimizers.

Arrays have seeds last, in ``columns`` columns. The parameters theta are the probabilities themselves; the natural
gradient of a sample's log-likelihood is its one-hot code minus theta (Akimoto et al., ICML 2019).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.space import Ints

Floats = NDArray[np.float64]


class CategoricalBlock:
    """The distribution of V variables.

    Args:
        sizes: int [V], the numbers of values.
        columns: how many distributions lie side by side.
        bound: a factor on the lower bound of the probabilities, at most 1.

    Attributes:
        gradient_shape: of a natural gradient and of a displacement.
        theta: float [K, V, columns], zero beyond a variable's number of values.
        parameters: n, the number of free ones: all values of a variable but its last.
    """

    def __init__(self, sizes: Ints, columns: int, bound: float = 1.0) -> None:
        V, K = len(sizes), int(sizes.max())
        exists = np.arange(K)[:, None] < sizes  # [K, V]
        # rows of the free parameters, in the order of the reference: variable by variable, all values but the last
        self._free_v, self._free_k = np.nonzero((exists & (np.arange(K)[:, None] < sizes - 1)).T)
        self.parameters = len(self._free_v)
        self._last_value = (sizes - 1)[:, None]
        self._last = sizes - 1, np.arange(V)
        self._cell = np.arange(V)[:, None] * columns + np.arange(columns)  # where [k, v, r] lies, with k = 0
        self._low = np.where(exists, bound * smallest_probabilities(sizes), 0.0)[:, :, None]  # [K, V, 1]
        self._low_total = self._low.sum(axis=0)
        self.theta = np.where(exists, 1.0 / sizes, 0.0)[:, :, None].repeat(columns, axis=2)
        self.gradient_shape = self.theta.shape

    def draw(self, uniforms: Floats) -> Ints:
        """Values int64 [B, V, columns] from uniforms of the same shape."""
        values = np.zeros(uniforms.shape, dtype=np.int64)
        edge = np.zeros(self.theta.shape[1:])
        for probability in self.theta[:-1]:
            edge += probability
            values += uniforms >= edge
        # Rounding can leave the last edge a little below 1; the reference then draws no value at all.
        np.minimum(values, self._last_value, out=values)
        return values

    propose = draw  # the gradient needs the values alone

    def natural_gradient(self, values: Ints, weights: Floats, total: float = 0.0) -> Floats:
        """The sum of w_i (onehot(c_i) - theta) for weights [B, columns] that sum to ``total``: [K, V, columns]."""
        gradient = np.zeros(self.theta.size)
        for value, weight in zip(values, weights, strict=True):
            gradient[value * self._cell.size + self._cell] += weight
        shaped: Floats = gradient.reshape(self.theta.shape)
        return shaped - total * self.theta if total else shaped

    def fisher_root(self, gradient: Floats) -> Floats:
        """F^(1/2) times the gradient of the free parameters: [n, columns]; its square is the Fisher norm exactly."""
        free = self._free_k, self._free_v
        root_theta = np.sqrt(self.theta[free])
        theta_last = self.theta[self._last]
        shared = -gradient[self._last] / (theta_last + np.sqrt(theta_last))  # a gradient sums to 0 over a variable
        root: Floats = gradient[free] / root_theta + root_theta * shared[self._free_v]
        return root

    def move(self, displacement: Floats, live: NDArray[np.bool_] | None = None) -> None:
        """Moves theta by [K, V, columns] within the limits; where not ``live`` (None: everywhere), nothing."""
        theta: Floats = np.maximum(self.theta + displacement, self._low)
        total = theta.sum(axis=0)
        theta -= (total - 1.0) / (total - self._low_total) * (theta - self._low)
        theta /= theta.sum(axis=0)
        self.theta = theta if live is None else np.where(live, theta, self.theta)

    @property
    def mode(self) -> Ints:
        """The most probable value of every variable: int64 [V, columns]."""
        mode: Ints = self.theta.argmax(axis=0)
        return mode

    @property
    def probabilities(self) -> Floats:
        """float [K, V, columns]."""
        return self.theta

    def diagnostics(self) -> dict[str, Floats]:
        """What only this kind of distribution can say of itself."""
        return {}

    def state(self) -> dict[str, NDArray[Any]]:
        return {"theta": self.theta.swapaxes(0, 1)}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        self.theta = np.ascontiguousarray(state["theta"].swapaxes(0, 1))


def smallest_probabilities(sizes: Ints) -> Floats:
    """The lower bound theta_min of each variable's probabilities: float [V].

    With n variables of more than one value it is 1 / (n (K - 1)): at the bound one variable an architecture is
    expected to differ from the mode. That is only possible where it is below 1 / K; with one variable, or two binary
    ones, it is not, and the reference ends in NaN. There it is 1 / (2K), half of uniform.
    """
    n = max(int((sizes > 1).sum()), 1)
    free = np.maximum(sizes - 1, 1)
    return np.where(n * free > sizes, 1.0 / (n * free), 0.5 / sizes)


def spread(probabilities: Floats) -> dict[str, Floats]:
    """Diagnostics of independent distributions [K, V, columns]: how far they are from a single architecture."""
    logarithm = np.log(np.where(probabilities > 0, probabilities, 1.0))
    return {
        "entropy": -(probabilities * logarithm).sum(axis=(0, 1)),  # nats, of the whole architecture
        "largest_probability": probabilities.max(axis=0).mean(axis=0),
    }
