"""The weights of a supernet: trained on one half of the training images, and measured on the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm

from harness.oneshot import LossNotFinite
from harness.oneshot_settings import LoopSettings, check_search_batch
from harness.training import Descent, chunks, finite, generator, seeded, shuffled
from search_spaces.device_images import DeviceImages
from search_spaces.gates import Gates


class SharedWeights:
    """A supernet in training. It is also the problem that gradient optimizers update themselves on.

    Args:
        make: builds the supernet from torch's random state; normalisation keeps no statistics.
        images: the training images; half of them, drawn by the seed, train the weights, the others judge.
        settings: of the loop.
        seed: of initial weights, halves, order and augmentation, each a stream of its own. Methods of the same seed
            start from the same weights and see the same images.

    Attributes:
        weights: those that are trained.
        steps_per_epoch: whole batches in the shorter half.
        last_valid_loss: what ``valid_loss`` gave last.
        train_half, valid_half: int [n], which images.

    Raises:
        ArenaError: where a batch is larger than a half.
    """

    def __init__(self, make: Callable[[], nn.Module], images: DeviceImages, settings: LoopSettings, seed: int) -> None:
        self._images, self._settings = images, settings
        half = len(images) // 2
        check_search_batch(settings.batch_size, len(images))
        order = torch.randperm(len(images), generator=generator(seed, "halves")).to(images.device)
        self.train_half, self.valid_half = order[: len(order) - half], order[len(order) - half :]
        self.steps_per_epoch = half // settings.batch_size
        self.last_valid_loss = float("nan")
        self._net = seeded(seed, "weights", make, images.device).train()
        self._descent = Descent(list(self._net.parameters()), settings, self.steps_per_epoch * settings.epochs)
        self.weights = self._descent.weights
        self.weight_decay, self.momentum = self._descent.weight_decay, self._descent.momentum
        self.momentum_of = self._descent.momentum_of
        self._train_batches = self._batches(self.train_half, seed, "train")
        self._valid_batches = self._batches(self.valid_half, seed, "valid")
        recalibrating = torch.randperm(len(self.train_half), generator=generator(seed, "recalibration"))
        self._recalibrating = self.train_half[recalibrating[: settings.recalibration_images].to(images.device)]

    @property
    def learning_rate(self) -> float:
        """Of the next weight step."""
        return self._descent.learning_rate

    def next_train(self) -> None:
        """Goes on to the next batch of the half that trains the weights."""
        self._train = next(self._train_batches)

    def next_valid(self) -> None:
        """Goes on to the next batch of the validation half."""
        self._valid = next(self._valid_batches)

    def train(self, gates: Sequence[Gates]) -> float:
        """One step of the weights on the mean loss of some gates on this training batch; that loss before the step.

        Raises:
            LossNotFinite: at the first loss that is not.
        """
        return self._descent.step(self._loss(self._train, one) / len(gates) for one in gates)

    def valid_losses(self, gates: Sequence[Gates]) -> NDArray[np.float64]:
        """The loss of each on this validation batch, without gradient: [B].

        Raises:
            LossNotFinite: for one that is not.
        """
        with torch.no_grad():
            losses = torch.stack([self._loss(self._valid, one) for one in gates]).double().cpu().numpy()
        if not np.isfinite(losses).all():
            place = int(np.flatnonzero(~np.isfinite(losses))[0])
            raise LossNotFinite(place, float(losses[place]))
        return losses

    def train_loss(self, gates: Gates) -> Tensor:
        """The loss on this training batch, with its graph.

        Raises:
            LossNotFinite: where it is not.
        """
        return finite(self._loss(self._train, gates))

    def valid_loss(self, gates: Gates) -> Tensor:
        """The loss on this validation batch, with its graph.

        Raises:
            LossNotFinite: where it is not.
        """
        loss = finite(self._loss(self._valid, gates))
        self.last_valid_loss = float(loss.detach())
        return loss

    def judge(self, gates: Sequence[Gates], images: Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Accuracies in percent and mean losses [B] on some images, int [n], without augmentation.

        Neither weights, nor buffers, nor the order of images to come are changed.
        """
        with torch.no_grad():
            results = torch.stack([self._judge(one, images) for one in gates]).cpu().numpy()
        return 100.0 * results[:, 0] / len(images), results[:, 1] / len(images)

    def _judge(self, gates: Gates, images: Tensor) -> Tensor:
        """How many are right, and the sum of losses."""
        total = torch.zeros(2, dtype=torch.float64, device=self._images.device)
        with self._statistics_of(gates):
            for chunk in chunks(images):
                pixels, labels = self._images.plain(chunk)
                logits = self._net(pixels, gates)
                right = (logits.argmax(1) == labels).sum()
                total += torch.stack([right.double(), cross_entropy(logits, labels, reduction="sum").double()])
        return total

    @contextmanager
    def _statistics_of(self, gates: Gates) -> Iterator[None]:
        """Where the settings say so, normalisation by statistics of its own for these gates, while it lasts."""
        norms = [module for module in self._net.modules() if isinstance(module, _BatchNorm)]
        if self._settings.batchnorm == "batch":
            yield
            return
        kept = [(norm.momentum, norm.track_running_stats) for norm in norms]
        try:
            for norm in norms:
                norm.track_running_stats, norm.momentum = True, None  # None: the mean over all batches
                norm.running_mean = torch.zeros(norm.num_features, device=self._images.device)
                norm.running_var = torch.ones(norm.num_features, device=self._images.device)
                norm.num_batches_tracked = torch.zeros((), dtype=torch.long, device=self._images.device)
            for chunk in chunks(self._recalibrating):
                self._net(self._images.plain(chunk)[0], gates)
            for norm in norms:
                norm.eval()
            yield
        finally:
            for norm, (momentum, tracked) in zip(norms, kept, strict=True):
                norm.train()
                norm.momentum, norm.track_running_stats = momentum, tracked
                norm.running_mean = norm.running_var = norm.num_batches_tracked = None

    def _loss(self, batch: tuple[Tensor, Tensor], gates: Gates) -> Tensor:
        pixels, labels = batch
        return cross_entropy(self._net(pixels, gates).float(), labels)

    def _batches(self, half: Tensor, seed: int, purpose: str) -> Iterator[tuple[Tensor, Tensor]]:
        """Augmented batches without end, in a new order every time that the half has been seen."""
        order = generator(seed, "order", purpose)
        augmentation = generator(seed, "augmentation", purpose, device=self._images.device)
        while True:
            for indices in shuffled(half, self._settings.batch_size, order):
                yield self._images.augmented(indices, augmentation)
