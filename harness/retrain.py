"""Training of one architecture from scratch: the number that a found architecture is judged by in the end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import torch
from torch import nn
from torch.nn.functional import cross_entropy

from harness.oneshot import Columns, LossNotFinite
from harness.oneshot_settings import RetrainSettings, check_training_batch
from harness.training import Descent, chunks, generator, seeded, shuffled, telling_memory
from search_spaces.device_images import DeviceImages
from search_spaces.errors import ArenaError


@dataclass(frozen=True)
class Trained:
    """What a training came to.

    Attributes:
        result: ``seed``, ``test_accuracy`` (%) and ``test_loss`` after the last epoch, never the best one's, and
            ``seconds`` of training.
        epochs: by name a number an epoch: ``epoch``, ``learning_rate``, ``train_loss``, ``train_accuracy`` (% of the
            images of the epoch, as they were seen) and ``seconds``.
    """

    result: dict[str, float]
    epochs: Columns


def retrain(
    make: Callable[[], nn.Module],
    train: DeviceImages,
    test: DeviceImages,
    settings: RetrainSettings,
    seed: int,
    tell: Callable[[dict[str, float]], object] = lambda row: None,
) -> Trained:
    """Trains a network on all training images and tests it once, at the end.

    Args:
        make: builds it from torch's random state: forward of images [N, C, H, W] to logits.
        train, test: on the device to train on.
        settings: of the training.
        seed: of initial weights, order and augmentation.
        tell: is told every epoch's numbers as they come, and may add to them.

    Raises:
        ArenaError: for a batch larger than the data, too little memory, or a loss that is NaN or infinite.
    """
    check_training_batch(settings.batch_size, len(train))
    net = seeded(seed, "retraining weights", make, train.device)
    steps = len(train) // settings.batch_size
    descent = Descent(list(net.parameters()), settings, steps * settings.epochs)
    order, augmentation = generator(seed, "retraining order"), generator(seed, "retraining", device=train.device)
    columns: Columns = {}
    start = perf_counter()
    with telling_memory(settings.batch_size):
        for epoch in range(1, settings.epochs + 1):
            learning_rate = descent.learning_rate
            loss, accuracy = _epoch(net.train(), train, descent, settings, (order, augmentation), epoch)
            row = {
                "epoch": float(epoch),
                "learning_rate": learning_rate,
                "train_loss": loss,
                "train_accuracy": accuracy,
                "seconds": perf_counter() - start,
            }
            tell(row)
            for name, value in row.items():
                columns.setdefault(name, []).append(value)
        accuracy, loss = _test(net.eval(), test)
    result = {"seed": seed, "test_accuracy": accuracy, "test_loss": loss, "seconds": columns["seconds"][-1]}
    return Trained(result, columns)


def parameters(net: nn.Module) -> int:
    """How many weights a network has."""
    return sum(weight.numel() for weight in net.parameters())


def _epoch(
    net: nn.Module,
    images: DeviceImages,
    descent: Descent,
    settings: RetrainSettings,
    streams: tuple[torch.Generator, torch.Generator],
    epoch: int,
) -> tuple[float, float]:
    """Mean loss and accuracy of the batches as they were seen."""
    order, augmentation = streams
    right = torch.zeros((), dtype=torch.int64, device=images.device)
    losses = []
    for step, indices in enumerate(
        shuffled(torch.arange(len(images), device=images.device), settings.batch_size, order), 1
    ):
        pixels, labels = images.augmented(indices, augmentation)
        logits = net(pixels)
        right += (logits.argmax(1) == labels).sum()
        try:
            losses.append(descent.step([cross_entropy(logits.float(), labels)]))
        except LossNotFinite as error:
            raise ArenaError(
                f"the training loss is {error.value} in epoch {epoch}, step {step} of training from scratch; a lower "
                f"weights_lr than {settings.weights_lr:g} or a gradient_clip above 0 may help"
            ) from None
    return sum(losses) / len(losses), 100.0 * right.item() / (len(losses) * settings.batch_size)


def _test(net: nn.Module, images: DeviceImages) -> tuple[float, float]:
    """Accuracy in percent and mean loss, by the running statistics of normalisation."""
    total = torch.zeros(2, dtype=torch.float64, device=images.device)
    with torch.no_grad():
        for chunk in chunks(torch.arange(len(images), device=images.device)):
            pixels, labels = images.plain(chunk)
            logits: Any = net(pixels)
            right = (logits.argmax(1) == labels).sum()
            total += torch.stack([right.double(), cross_entropy(logits, labels, reduction="sum").double()])
    right, loss = (total / len(images)).tolist()
    return 100.0 * right, loss
