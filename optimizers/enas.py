"""ENAS (Pham, Guan, Zoph, Le and Dean, ICML 2018) as a search method: an LSTM controller trained by REINFORCE.

Three settings are in use:

- the paper: lr 3.5e-4, ten architectures an update, Adam as it is known: the defaults here;
- the authors' code for the micro space: lr 0.0035, ten architectures an update, Adam with beta1 = 0 and eps = 1e-3;
- the code of NAS-Bench-201: lr 0.001, twenty architectures an update, Adam with beta1 = 0 and eps = 1e-3.

The last two are of searches with a supernet; with so large an eps a step depends on the scale of the rewards.

From the authors' code (melodyguan/enas, src/cifar10/micro_controller.py, 4bcfd73) this departs as follows. The gates
have biases, as in NAS-Bench-201. Every value of a variable has an embedding of its own; none chooses among earlier
nodes by attention, which is for their space alone. Temperature and tanh constant are the paper's. The biases of the
head start like all weights, and not so that two operations are preferred. The baseline starts at the first mean reward
and not at 0, which would make the first updates so large that Adam remembers little else, and moves by the mean of a
batch. Gradients are clipped, as in NAS-Bench-201.

From that code (AutoDL-Projects, exps/NAS-Bench-201-algos/ENAS.py, 5d7ccd4) it departs as follows. There the baseline
moves once an epoch by a single reward, all edges share their embeddings, a gate has two biases within 1/sqrt(32), the
gradient flows through the entropy, which is a part of the reward, and the answer is the best of a hundred samples.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.base import Floats, SamplingOptimizer
from optimizers.lstm_controller import AdamOfSeeds, LSTMController
from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace

BASELINE_DECAY = 0.99
ENTROPY_WEIGHT = 1e-4
LARGEST_GRADIENT = 5.0  # the norm over all weights of a seed that a gradient is clipped at
SMALLEST_NORM = 1e-37  # of a gradient that float32 can still scale up to the largest
LARGEST_REWARD = 1e150  # larger ones count as this, so that differences stay finite


class ENAS(SamplingOptimizer):
    """Follows the gradient of the expected reward, which is -loss / scale, by the weights of an LSTM.

    Recommends the architecture that the controller writes when it takes the most probable value at every step. The
    values of an ordinal are categories to it.

    An infinite loss has no gradient: +inf counts as the worst finite loss that the seed has seen, -inf as the best one.
    Before any finite one a step is skipped: no weight changes.

    Args:
        batch: the number of architectures an update, at least 1.
        lr: the learning rate of Adam, above 0 and at most 1.
        beta1: Adam's decay of the mean gradient, at least 0 and below 1.
        eps: what Adam adds to the root of the mean square of the gradient, between 1e-30 and 1.
        scale: the loss that counts as a reward of -1, above 0. 100 makes error rates in percent what they are to the
            authors. It says how much the entropy weighs against the loss, what is clipped, and with a large ``eps`` how
            large a step is.

    ``state_dict`` holds ``weights`` [R, P] (float32), Adam's moments ``m`` and ``v`` of the same shape, ``updates``
    [R], the number of steps that were not skipped, ``baseline`` [R] (NaN before the first of them), ``best_loss`` and
    ``worst_loss`` [R] (the finite ones; inf and -inf before any) and ``entropy`` [R], the mean of the last batch's.
    """

    package = "torch"  # the last bits of its kernels are not the same from version to version
    recommends = "mode"
    most_seeds = 128  # the weights of more seeds and their moments fall out of a core's cache
    citation = "Pham et al., Efficient Neural Architecture Search via Parameter Sharing, ICML 2018"

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        batch: int = 10,
        lr: float = 3.5e-4,
        beta1: float = 0.9,
        eps: float = 1e-8,
        scale: float = 100.0,
        stream: str | int = 0,
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        if batch < 1:
            raise ArenaError(f"batch must be at least 1, not {batch}")
        if not 0 < lr <= 1:
            raise ArenaError(f"lr must be above 0 and at most 1, not {lr}: it is about what a step adds to a weight")
        if not 0 <= beta1 < 1:
            raise ArenaError(f"beta1 must be at least 0 and below 1, not {beta1}")
        if not 1e-30 <= eps <= 1:
            raise ArenaError(f"eps must be between 1e-30, which float32 can still hold, and 1, not {eps}")
        if not 0 < scale < np.inf:
            raise ArenaError(f"scale must be above 0 and finite, not {scale}: it is the loss that counts as 1")
        self.batch, self.lr, self.beta1, self.eps, self.scale = batch, lr, beta1, eps, scale
        self._controller = LSTMController(space.sizes, self._make_streams("initial weights"), self.columns)
        self._adam = AdamOfSeeds(self._controller.weights, lr, beta1, eps)
        self._baseline = np.full(self.columns, np.nan)
        self._best, self._worst = np.full(self.columns, np.inf), np.full(self.columns, -np.inf)
        self._entropy = np.full(self.columns, np.log(space.sizes).sum())
        self._entropies = np.empty((0, self.columns))  # of what is asked

    def _ask(self) -> Ints:
        archs, self._entropies = self._controller.write(self.streams.draw(self.batch, len(self.space)), learn=True)
        return archs

    def _draw(self, uniforms: Floats) -> Ints:
        return self._controller.write(uniforms, learn=False)[0]

    def _tell(self, archs: Ints, losses: Floats) -> None:
        self._entropy = self._entropies.mean(axis=0)
        finite = self._finite(losses)
        live = np.isfinite(finite[0])
        limit = LARGEST_REWARD * self.scale
        rewards = ENTROPY_WEIGHT * self._entropies - np.clip(np.where(live, finite, 0.0), -limit, limit) / self.scale
        mean = rewards.mean(axis=0)
        started = np.where(np.isnan(self._baseline), mean, self._baseline)
        baseline = started + (1.0 - BASELINE_DECAY) * (mean - started)
        self._baseline = np.where(live, baseline, self._baseline)

        # the gradient is linear in the advantages: what float32 cannot hold is multiplied back as it is clipped
        advantages = rewards - baseline
        factor = np.maximum(np.abs(advantages).max(axis=0), 1.0)
        gradient, norm = self._controller.gradient(advantages / factor)
        clipped = np.minimum(factor, LARGEST_GRADIENT / np.maximum(norm, SMALLEST_NORM))
        self._adam.step(gradient, clipped, live)

    def _finite(self, losses: Floats) -> Floats:
        """The losses [B, columns] within those that each seed has seen, these included; not finite before any."""
        seen = np.isfinite(losses)
        self._best = np.minimum(self._best, np.where(seen, losses, np.inf).min(axis=0))
        self._worst = np.maximum(self._worst, np.where(seen, losses, -np.inf).max(axis=0))
        within: Floats = np.minimum(np.maximum(losses, self._best), self._worst)
        return within

    def _recommend(self) -> Ints:
        return self._controller.mode()

    def _diagnostics(self) -> dict[str, Floats]:
        return {"entropy": self._entropy}

    def _state(self) -> dict[str, NDArray[Any]]:
        return {
            **self._adam.state(),
            "baseline": self._baseline,
            "best_loss": self._best,
            "worst_loss": self._worst,
            "entropy": self._entropy,
        }

    def _load(self, state: dict[str, NDArray[Any]]) -> None:
        self._adam.load(state)
        self._baseline, self._entropy = state["baseline"], state["entropy"]
        self._best, self._worst = state["best_loss"], state["worst_loss"]
