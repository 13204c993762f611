"""The network of NAS-Bench-201: of one cell, or of all cells with shared weights.

The skeleton is that of the benchmark's authors (AutoDL-Projects, f46486e): a stem, three stages of N cells with C, 2C
and 4C channels, before the second and the third a residual block of stride 2, at the end a pooled linear classifier.
Nothing is converted to another memory layout: what the images and the weights come in is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from numpy.typing import ArrayLike
from torch import Tensor, nn

from search_spaces.gates import Gates
from search_spaces.nasbench201.cells import EDGES, NODES, OPERATIONS

NONE = OPERATIONS.index("none")


class Norms(NamedTuple):
    """What the BatchNorms of a network have: those of its cells ``affine`` or not, all of them ``running`` or not."""

    affine: bool
    running: bool

    def of_cell(self, width: int) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(width, affine=self.affine, track_running_stats=self.running)

    def outside(self, width: int) -> nn.BatchNorm2d:
        return nn.BatchNorm2d(width, track_running_stats=self.running)


class Edge(NamedTuple):
    """An edge that runs: its nodes, and its operations, each with the gate it is multiplied by, or None."""

    source: int
    target: int
    operations: tuple[tuple[str, Tensor | None], ...]


class Cell(nn.Module):
    """Four nodes, each the sum of what the edges from those before it bring. Keeps the shape of its images.

    Args:
        values: of every edge, the numbers of the operations that it has.
        width: C, the channels of its images.
        norms: what its BatchNorms have.
    """

    def __init__(self, values: Sequence[Sequence[int]], width: int, norms: Norms) -> None:
        super().__init__()
        self.operations = nn.ModuleDict(
            {_key(v, k): _operation(k, width, norms) for v, numbers in enumerate(values) for k in numbers if k != NONE}
        )

    def forward(self, images: Tensor, running: Sequence[Edge]) -> Tensor:
        """Float [N, C, H, W] to the same, by the edges that :func:`running_edges` told."""
        nodes: list[Tensor | None] = [images] + [None] * (NODES - 1)
        for source, target, operations in running:
            for key, gate in operations:
                output: Tensor = self.operations[key](nodes[source])
                if gate is not None:
                    output = gate * output
                before = nodes[target]
                nodes[target] = output if before is None else before + output
        last = nodes[-1]
        return torch.zeros_like(images) if last is None else last


class Reduction(nn.Module):
    """The basic block of a residual network with stride 2: halves height and width, rounded up.

    Args:
        width: the channels of its images.
        outputs: those that it gives.
        norms: what its BatchNorms have.
    """

    def __init__(self, width: int, outputs: int, norms: Norms) -> None:
        super().__init__()
        self.convolutions = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(width, outputs, 3, stride=2, padding=1, bias=False),
            norms.outside(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
            norms.outside(outputs),
        )
        # an odd height or width is rounded up by the convolution, and so it is here
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, ceil_mode=True), nn.Conv2d(width, outputs, 1, bias=False))

    def forward(self, images: Tensor) -> Tensor:
        halved: Tensor = self.shortcut(images) + self.convolutions(images)
        return halved


class Skeleton(nn.Module):
    """What a supernet and a network of one architecture share; where both have a weight it has the same name.

    Args:
        values: of every edge, the numbers of the operations that it has.
        channels: of the images.
        classes: how many.
        width: C, the channels of the first stage.
        cells: N, the cells of a stage.
        norms: what the BatchNorms have.
    """

    def __init__(
        self, values: Sequence[Sequence[int]], channels: int, classes: int, *, width: int, cells: int, norms: Norms
    ) -> None:
        super().__init__()
        widths = width, 2 * width, 4 * width
        self.stem = nn.Sequential(nn.Conv2d(channels, width, 3, padding=1, bias=False), norms.outside(width))
        self.cells = nn.ModuleList(Cell(values, C, norms) for C in widths for _ in range(cells))
        self.reductions = nn.ModuleList(Reduction(C, 2 * C, norms) for C in widths[:-1])
        self.last = nn.Sequential(norms.outside(widths[-1]), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.classifier = nn.Linear(widths[-1], classes)

    def logits(self, images: Tensor, gates: Gates) -> Tensor:
        """Float [N, classes] of float images [N, channels, H, W]."""
        values = gates.values
        if values is not None:
            values = values.to(images.device, images.dtype, non_blocking=True)
        running = running_edges(gates, values)
        features = self.stem(images)
        stage = len(self.cells) // (1 + len(self.reductions))
        for number, cell in enumerate(self.cells):
            if number and number % stage == 0:
                features = self.reductions[number // stage - 1](features)
            features = cell(features, running)
        logits: Tensor = self.classifier(self.last(features))
        return logits


class Supernet(Skeleton):
    """All cells with shared weights: a cell's BatchNorms have no scale and shift, none keeps statistics."""

    def __init__(self, channels: int, classes: int, *, width: int, cells: int) -> None:
        values = [range(len(OPERATIONS))] * len(EDGES)
        super().__init__(values, channels, classes, width=width, cells=cells, norms=Norms(affine=False, running=False))

    def forward(self, images: Tensor, gates: Gates) -> Tensor:
        """Logits [N, classes] of float images [N, channels, H, W]."""
        return self.logits(images, gates)


class Network(Skeleton):
    """The cell int [6] as a network of its own: all BatchNorms have scale, shift and running statistics.

    Every edge has its parameters, as in the benchmark; one that does not lead from the input to the output does not
    run, and its parameters get no gradient.
    """

    def __init__(self, arch: ArrayLike, channels: int, classes: int, *, width: int, cells: int) -> None:
        gates = Gates.of_arch(arch)
        norms = Norms(affine=True, running=True)
        super().__init__(gates.active, channels, classes, width=width, cells=cells, norms=norms)
        self._gates = gates

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, classes] of float images [N, channels, H, W]."""
        return self.logits(images, self._gates)


def running_edges(gates: Gates, values: Tensor | None) -> list[Edge]:
    """The edges that run: with a gate that is not zero, reached from the input, and leading to the output.

    Args:
        gates: of a cell.
        values: float [6, 5], theirs where the images are, or None.
    """
    kept = [[k for k in active if k != NONE] for active in gates.active]
    reached = {0}
    for (source, target), operations in zip(EDGES, kept, strict=True):
        if source in reached and operations:
            reached.add(target)
    leading = {NODES - 1}
    for (source, target), operations in zip(reversed(EDGES), reversed(kept), strict=True):
        if target in leading and operations:
            leading.add(source)
    return [
        Edge(
            source,
            target,
            tuple((_key(v, k), values[v, k] if values is not None and gates.weighted[v] else None) for k in kept[v]),
        )
        for v, (source, target) in enumerate(EDGES)
        if kept[v] and source in reached and target in leading
    ]


def _key(edge: int, value: int) -> str:
    """The name of an operation among the modules of a cell, such as ``0_1_nor_conv_3x3``."""
    source, target = EDGES[edge]
    return f"{source}_{target}_{OPERATIONS[value]}"


def _operation(value: int, width: int, norms: Norms) -> nn.Module:
    name = OPERATIONS[value]
    if name == "skip_connect":
        return nn.Identity()
    if name == "avg_pool_3x3":
        return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
    size = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}[name]
    convolution = nn.Conv2d(width, width, size, padding=size // 2, bias=False)
    return nn.Sequential(nn.ReLU(), convolution, norms.of_cell(width))
