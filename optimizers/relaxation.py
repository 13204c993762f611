"""What gradient-based search does with torch's graph: the straight-through choice, and weights lent for a while."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor


class _StraightThrough(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, probabilities: Tensor, chosen: Tensor) -> Tensor:
        return torch.zeros_like(probabilities).scatter_(-1, chosen.unsqueeze(-1), 1.0)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient, None


def straight_through(probabilities: Tensor, chosen: Tensor) -> Tensor:
    """One-hot rows, through which the gradient passes to the probabilities unchanged.

    A row is exactly 1 at what was chosen and exactly 0 elsewhere; ``one_hot - p.detach() + p``, which is often written
    for it, is so only up to rounding.

    Args:
        probabilities: float [..., K].
        chosen: int64 [...].
    """
    rows: Tensor = _StraightThrough.apply(probabilities, chosen)  # type: ignore[no-untyped-call]
    return rows


def gradients(loss: Tensor, inputs: Sequence[Tensor], *, create_graph: bool = False) -> list[Tensor | None]:
    """The gradient of a loss by each input; None by one that it does not depend on. Leaves ``grad`` alone."""
    if not loss.requires_grad:
        return [None] * len(inputs)
    return list(torch.autograd.grad(loss, inputs, create_graph=create_graph, allow_unused=True))


@contextmanager
def frozen(weights: Sequence[Tensor]) -> Iterator[None]:
    """No graph is made for these weights, which spares their gradients; afterwards they are as they were."""
    before = [weight.requires_grad for weight in weights]
    try:
        for weight in weights:
            weight.requires_grad_(False)
        yield
    finally:
        for weight, required in zip(weights, before, strict=True):
            weight.requires_grad_(required)


@contextmanager
def restored(weights: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Gives copies of the weights, and afterwards puts them back to the last bit."""
    copies = [weight.detach().clone() for weight in weights]
    try:
        yield copies
    finally:
        set_to(weights, copies)


def set_to(weights: Sequence[Tensor], values: Sequence[Tensor]) -> None:
    """Overwrites weights in place, outside the graph."""
    with torch.no_grad():
        for weight, value in zip(weights, values, strict=True):
            weight.copy_(value)
