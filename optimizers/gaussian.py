"""Independent Gaussian distributions over the ranks of ordinals, for natural-gradient optimizers.

Arrays have seeds last, in ``columns`` columns. A variable of K values is a real number in rank units, drawn from a
Gaussian, clipped to [0, K - 1] and rounded. Its expectation parameters are the mean m and the second moment q, and the
natural gradient of a sample's log-likelihood is (x - m, x^2 - q) of the real number, neither clipped nor rounded
(Akimoto et al., ICML 2019).

Kept are the mean and the variance q - m^2, and samples as their distance from the mean: the formulas then take no
difference of large numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.streams import normal_quantiles
from search_spaces.space import Ints

Floats = NDArray[np.float64]

SMALLEST_STD = 0.25  # in ranks: a neighbour of the mode stays within two standard deviations


class GaussianBlock:
    """The distribution of V ordinals of more than one value each.

    Args:
        sizes: int [V], the numbers of values.
        columns: how many distributions lie side by side.

    Attributes:
        gradient_shape: of a natural gradient and of a displacement.
        mean: float [V, columns], in ranks.
        variance: float [V, columns].
        parameters: n, the number of free ones: two a variable.
    """

    def __init__(self, sizes: Ints, columns: int) -> None:
        from scipy.special import ndtr  # 0.1 s that listing the optimizers need not pay

        self._cdf = ndtr
        self._top = (sizes - 1.0)[:, None]
        self._lowest_variance, self._highest_variance = SMALLEST_STD**2, (self._top / 2) ** 2
        self.parameters = 2 * len(sizes)
        self.mean = (self._top / 2).repeat(columns, axis=1)
        self.variance = self._highest_variance.repeat(columns, axis=1)
        self.gradient_shape = (2, *self.mean.shape)
        self._deviations = np.empty((0, *self.mean.shape))

    def draw(self, uniforms: Floats) -> Ints:
        """Ranks int64 [B, V, columns] from uniforms of the same shape."""
        return self._ranks(self._draw(uniforms))

    def propose(self, uniforms: Floats) -> Ints:
        """As :meth:`draw`, and remembers the real numbers for the gradient."""
        self._deviations = self._draw(uniforms)
        return self._ranks(self._deviations)

    def natural_gradient(self, values: Ints, weights: Floats, total: float = 0.0) -> Floats:
        """The sum of w_i (x_i - m, (x_i - m)^2 - v) for weights [B, columns] that sum to ``total``: [2, V, columns].

        These are the components of m and of q - 2 m m, of the proposed numbers whose ranks are ``values``.
        """
        first, second = np.zeros(self.mean.shape), np.zeros(self.mean.shape)
        for deviation, weight in zip(self._deviations, weights, strict=True):
            part = weight * deviation
            first += part
            second += part * deviation
        return np.stack([first, second - total * self.variance if total else second])

    def fisher_root(self, gradient: Floats) -> Floats:
        """F^(1/2) times the gradient of (m, q): [n, columns], the components of all m, then those of all q.

        It is the symmetric root, by the closed form of two dimensions, F^(1/2) = (F + sqrt(det F) I) / t with t^2 =
        trace F + 2 sqrt(det F). The reference pairs eigenvalues and eigenvectors wrongly for a mean near 0.
        """
        m, v, (first, second) = self.mean, self.variance, gradient
        square = v * v
        root_det = np.sqrt(0.5 / (square * v))
        t = np.sqrt((4.0 * m * m + 2.0 * v + 1.0) / (2.0 * square) + 2.0 * root_det)
        of_m = (first * v - m * second) / square + root_det * first
        of_q = 0.5 * second / square + root_det * (second + 2.0 * m * first)
        return np.concatenate([of_m / t, of_q / t])

    def move(self, displacement: Floats, live: NDArray[np.bool_] | None = None) -> None:
        """Moves (m, q - 2 m m) by [2, V, columns] within the limits; one of 0, where not ``live``, changes nothing.

        The mean is clipped to the ranks, and the variance to its own limits. The reference keeps the second moment
        where it clips the mean: each step beyond the last rank then widens the Gaussian, by far more than one beyond
        rank 0, and an optimum among the last ranks is not learnt.
        """
        shift = displacement[0]
        variance = self.variance + displacement[1] - shift * shift
        self.mean = np.clip(self.mean + shift, 0.0, self._top)
        self.variance = np.clip(variance, self._lowest_variance, self._highest_variance)

    @property
    def mode(self) -> Ints:
        """The rank nearest to the mean of every variable: int64 [V, columns]."""
        return np.rint(self.mean).astype(np.int64)

    @property
    def probabilities(self) -> Floats:
        """The probability of each rank: float [K, V, columns], K the largest size."""
        ranks = np.arange(int(self._top.max()) + 1.0)[:, None, None]
        below = self._cdf((ranks + 0.5 - self.mean) / np.sqrt(self.variance))
        below = np.where(ranks >= self._top, 1.0, below)
        return np.diff(below, axis=0, prepend=0.0)

    def diagnostics(self) -> dict[str, Floats]:
        """The standard deviation over its initial one, the mean over variables."""
        return {"relative_std": np.sqrt(self.variance / self._highest_variance).mean(axis=0)}

    def state(self) -> dict[str, NDArray[Any]]:
        return {"mean": self.mean, "variance": self.variance}

    def load(self, state: dict[str, NDArray[Any]]) -> None:
        self.mean, self.variance = state["mean"], state["variance"]

    def _draw(self, uniforms: Floats) -> Floats:
        """Distances from the mean, mirrored in pairs: samples 2i and 2i + 1 share the uniforms of the first."""
        deviations = np.empty(uniforms.shape)
        normal = normal_quantiles(uniforms[::2])
        deviations[::2] = normal * np.sqrt(self.variance)
        deviations[1::2] = -deviations[: len(uniforms) - 1 : 2]
        return deviations

    def _ranks(self, deviations: Floats) -> Ints:
        return np.rint(np.clip(self.mean + deviations, 0.0, self._top)).astype(np.int64)
