"""Training from scratch, of a network that is right from the beginning."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import nn

from harness.oneshot_settings import RetrainSettings
from harness.retrain import retrain
from search_spaces.device_images import DeviceImages
from search_spaces.image_sets.base import Augmentation

SETTINGS = RetrainSettings(epochs=4, batch_size=30, weights_lr=0.1, weights_lr_end=0.02)


def images(right: bool) -> DeviceImages:
    """A hundred black and white ones of a pixel; the label is 1 for white where it is right, else for black."""
    white = np.arange(100) % 2
    pixels = (255 * white).astype(np.uint8)[:, None, None, None]
    plain = Augmentation(pad=0, flip=False, cutout=0)
    labels = white if right else 1 - white
    return DeviceImages(pixels, labels, mean=[0.5], deviation=[0.5], augmentation=plain, device="cpu")


def sure() -> nn.Module:
    """Class 1 for white."""
    last = nn.Linear(1, 2)
    with torch.no_grad():
        last.weight.copy_(torch.tensor([[-50.0], [50.0]]))
        last.bias.zero_()
    return nn.Sequential(nn.Flatten(), last)


def test_accuracies_are_shares_of_what_was_seen() -> None:
    """Of 100 images an epoch shows three whole batches of 30; the test shows all of them, of the other split."""
    trained = retrain(sure, images(right=True), images(right=False), SETTINGS, 0)
    assert trained.epochs["train_accuracy"] == [100.0] * 4
    assert trained.result["test_accuracy"] == 0.0
    assert trained.result["test_loss"] == pytest.approx(100, rel=1e-2)


def test_the_learning_rate_falls_over_all_epochs() -> None:
    rows: list[dict[str, float]] = []
    trained = retrain(sure, images(right=True), images(right=True), SETTINGS, 0, rows.append)
    expected = [0.02 + 0.04 * (1 + math.cos(math.pi * epoch / 4)) for epoch in range(4)]
    assert trained.epochs["learning_rate"] == pytest.approx(expected)
    assert [row["learning_rate"] for row in rows] == pytest.approx(expected)


def test_it_is_tested_once_by_running_statistics() -> None:
    seen: list[tuple[bool, int]] = []

    class Watched(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inside = sure()

        def forward(self, given: torch.Tensor) -> torch.Tensor:
            seen.append((self.training, len(given)))
            logits: torch.Tensor = self.inside(given)
            return logits

    retrain(Watched, images(right=True), images(right=True), SETTINGS, 0)
    assert seen == [(True, 30)] * 12 + [(False, 100)]
