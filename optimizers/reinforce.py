"""REINFORCE (Williams, 1992) on one softmax a variable, without a controller network, as NATS-Bench runs it.

From the authors' code (AutoDL-Projects, exps/NATS-algos/reinforce.py) are: one architecture a step; Adam with its
default betas; a baseline that is an exponential moving average, without the bias of its start, and that takes the
reward before it is subtracted, so that the first step learns nothing; logits that start at 1e-3 times a normal.
Their answer is the best seen; "first version", says a comment, was the mode, and that is recommended here.

The rewards enter as numbers, not by their order alone. Adam divides by their scale as long as the gradient is well
above its eps of 1e-8: losses that all lie within 1e-8 of each other teach little.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.base import Floats
from optimizers.categorical_search import CategoricalSearch
from optimizers.streams import normal_quantiles
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace

BASELINE_DECAY = 0.9
BETA1, BETA2, EPS = 0.9, 0.999, 1e-8  # of Adam (Kingma and Ba, ICLR 2015)
INITIAL_STD = 1e-3  # of the logits
LARGEST_LOSS = 1e150  # larger ones count as this: Adam takes squares of differences


class REINFORCE(CategoricalSearch):
    """Follows the gradient of the expected reward, the negative loss, by Adam on logits; recommends the mode.

    An infinite loss has no gradient: +inf counts as the worst finite loss that the seed has seen, -inf as the best
    one. Before any finite one a step is skipped.

    Args:
        lr: the learning rate of Adam, above 0 and at most 10: about what a step adds to a logit. 0.01 is that of
            NATS-Bench; 0.1 and 0.5 are in use too.

    ``state_dict`` holds ``logits`` [R, V, Kmax], 0 beyond a variable's number of values, Adam's moments ``m`` and
    ``v`` of the same shape, ``baseline`` [R], ``best_loss`` and ``worst_loss`` [R] (the finite ones; inf and -inf
    before any), and ``updates`` [R], the number of steps that were not skipped.
    """

    citation = "Williams, Machine Learning 1992; Dong et al., NATS-Bench, TPAMI 2021"

    def __init__(self, space: SearchSpace, seeds: Iterable[int], *, lr: float = 0.01, stream: str | int = 0) -> None:
        super().__init__(space, seeds, stream=stream)
        if not 0 < lr <= 10:
            raise ArenaError(f"lr must be above 0 and at most 10, not {lr}: it is about what a step adds to a logit")
        self.lr = lr
        shape = self._block.theta.shape
        self._exists = self._block.theta > 0
        uniforms = self._make_streams("initial logits").draw(*shape[:2])
        self._logits = np.where(self._exists, INITIAL_STD * normal_quantiles(uniforms), -np.inf)
        self._m, self._v = np.zeros(shape), np.zeros(shape)
        self._baseline = np.zeros(self.columns)
        self._best, self._worst = np.full(self.columns, np.inf), np.full(self.columns, -np.inf)
        self._updates = np.zeros(self.columns)
        self._cell = np.arange(shape[1])[:, None] * self.columns + np.arange(self.columns)  # where [0, v, r] lies
        self._softmax()

    def _ask(self) -> Ints:
        return self._draw(self.streams.draw(1, len(self.space)))

    def _tell(self, archs: Ints, losses: Floats) -> None:
        if len(archs) != 1:
            raise ArenaError(f"a step takes 1 architecture, not {len(archs)}")
        loss = self._finite(losses[0])
        live = np.isfinite(loss)
        # A seed without a finite loss so far is still as it started, and an advantage of 0 leaves it so.
        loss = np.where(live, loss, 0.0)
        self._updates = self._updates + live
        count = np.maximum(self._updates, 1.0)

        # the moving average over its bias; written so that losses that are all equal have no advantage, exactly
        share = (1.0 - BASELINE_DECAY) / (1.0 - BASELINE_DECAY**count)
        self._baseline = self._baseline + share * (loss - self._baseline)
        advantage = self._baseline - loss  # of the reward, over that of the baseline
        gradient = advantage * self._block.theta  # of -advantage * log p(arch)
        gradient.reshape(-1)[archs[0] * self._cell.size + self._cell] -= advantage

        self._m = BETA1 * self._m + (1.0 - BETA1) * gradient
        self._v = BETA2 * self._v + (1.0 - BETA2) * gradient * gradient
        root = np.sqrt(self._v / (1.0 - BETA2**count))
        self._logits = self._logits - self.lr / (1.0 - BETA1**count) * self._m / (root + EPS)
        self._softmax()

    def _finite(self, losses: Floats) -> Floats:
        """The losses [columns] within those that each seed has seen, these included; not finite before any."""
        bounded = np.clip(losses, -LARGEST_LOSS, LARGEST_LOSS)
        seen = np.isfinite(losses)
        self._best = np.where(seen, np.minimum(self._best, bounded), self._best)
        self._worst = np.where(seen, np.maximum(self._worst, bounded), self._worst)
        within: Floats = np.minimum(np.maximum(bounded, self._best), self._worst)
        return within

    def _softmax(self) -> None:
        """Sets the probabilities to what the logits say."""
        theta = np.exp(self._logits - self._logits.max(axis=0))
        theta /= theta.sum(axis=0)
        self._block.theta = theta

    def _state(self) -> dict[str, NDArray[Any]]:
        by_value = {"logits": np.where(self._exists, self._logits, 0.0), "m": self._m, "v": self._v}
        return {
            **{name: array.swapaxes(0, 1) for name, array in by_value.items()},
            "baseline": self._baseline,
            "best_loss": self._best,
            "worst_loss": self._worst,
            "updates": self._updates,
        }

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        logits, self._m, self._v = (np.ascontiguousarray(state[name].swapaxes(0, 1)) for name in ("logits", "m", "v"))
        self._logits = np.where(self._exists, logits, -np.inf)
        self._baseline, self._updates = state["baseline"], state["updates"]
        self._best, self._worst = state["best_loss"], state["worst_loss"]
        self._softmax()
