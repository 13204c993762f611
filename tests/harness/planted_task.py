"""A task that one operation on one edge solves, and nothing else: what a loop that learns must find.

An image has six channels of stripes, each horizontal or vertical; the label is the orientation in channel SIGNAL. Edge
v of the supernet sees channel v alone. Of the operations of NAS-Bench-201 only the 3x3 convolution tells a pattern from
its transpose: the others commute with transposition, and what follows them, a mean over all places, does too.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from search_spaces.device_images import DeviceImages
from search_spaces.gates import Gates
from search_spaces.image_sets.base import Augmentation
from search_spaces.space import Categorical, SearchSpace

EDGES, SIGNAL, WIDTH = 6, 2, 8
OPERATIONS = ("none", "skip_connect", "conv_1x1", "conv_3x3", "avg_pool_3x3")
RIGHT = OPERATIONS.index("conv_3x3")
SPACE = SearchSpace(Categorical(f"edge {edge}", OPERATIONS) for edge in range(EDGES))


class PlantedNet(nn.Module):
    """Six edges side by side, each behind a 1x1 convolution of its channel; no normalisation behind them, which would
    take the scale of a gate away.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stems = nn.ModuleList(nn.Conv2d(1, WIDTH, 1) for _ in range(EDGES))
        self.convolutions = nn.ModuleList(
            nn.ModuleDict({"2": nn.Conv2d(WIDTH, WIDTH, 1), "3": nn.Conv2d(WIDTH, WIDTH, 3, padding=1)})
            for _ in range(EDGES)
        )
        self.head = nn.Linear(EDGES * WIDTH, 2)

    def forward(self, images: Tensor, gates: Gates) -> Tensor:
        edges = []
        values = None if gates.values is None else gates.values.to(images)
        for edge, (stem, own) in enumerate(zip(self.stems, self.convolutions, strict=True)):
            x, total = stem(images[:, edge : edge + 1]), torch.zeros(())
            for value in gates.active[edge]:
                out = self._run(value, x, own)
                total = total + (values[edge, value] * out if gates.weighted[edge] else out)
            edges.append(total)
        return self.head(torch.cat(edges, 1).relu().mean((2, 3)))

    @staticmethod
    def _run(value: int, x: Tensor, own: nn.ModuleDict) -> Tensor:
        if OPERATIONS[value] == "none":
            return torch.zeros_like(x)
        if OPERATIONS[value] == "skip_connect":
            return x
        if OPERATIONS[value] == "avg_pool_3x3":
            return avg_pool2d(x, 3, 1, 1, count_include_pad=False)
        return own[str(value)](x.relu())


def planted_images(count: int, seed: int = 0) -> DeviceImages:
    """Images [N, 6, 8, 8] with half the stripes each way, phase, sign and noise random."""
    random = np.random.default_rng(seed)
    vertical = random.integers(2, size=(count, EDGES))
    phase, sign = random.integers(4, size=(count, EDGES)), random.choice([-1, 1], size=(count, EDGES))
    waves = np.sign(np.sin(np.pi * (np.arange(8) + phase[..., None] + 0.5) / 2)) * sign[..., None]
    stripes = np.where(vertical[..., None, None], waves[..., None, :], waves[..., :, None])
    stripes = np.broadcast_to(stripes, (count, EDGES, 8, 8)) + random.normal(0, 0.5, (count, EDGES, 8, 8))
    pixels = np.clip(128 + 40 * stripes, 0, 255).astype(np.uint8)
    return DeviceImages(
        pixels,
        vertical[:, SIGNAL].astype(np.int64),
        mean=np.full(EDGES, 0.5),
        deviation=np.full(EDGES, 0.2),
        augmentation=Augmentation(pad=0, flip=False, cutout=0),
        device=torch.device("cpu"),
    )
