"""A small bilevel problem with gates, for the optimizers that follow gradients."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import torch
from asng_oracle import space_of
from torch import Tensor, nn

from search_spaces.gates import Gates

SIZES = (3, 2, 4)
SPACE = space_of(*SIZES)


class Mixed:
    """Layers that gates mix, one for each value of each variable; what has gate 0 does not run."""

    def __init__(self, activation: Callable[[Tensor], Tensor] = torch.tanh, seed: int = 0) -> None:
        self._activation, self._random = activation, torch.Generator().manual_seed(seed)
        self._layers = [[self._normal(5, 6) for _ in range(size)] for size in SIZES]
        self._inner, self._outer = self._normal(6, 6), self._normal(6, 3)
        self.weights = [*chain(*self._layers), self._inner, self._outer]
        for weight in self.weights:
            weight.requires_grad_()
        self.learning_rate, self.momentum, self.weight_decay = 0.3, 0.9, 0.01
        self.buffers = [self._normal(*weight.shape) for weight in self.weights]
        self._halves = [(self._normal(40, 5), torch.arange(40) % 3) for _ in range(2)]

    def _normal(self, *shape: int) -> Tensor:
        return torch.randn(*shape, generator=self._random, dtype=torch.float64)

    def momentum_of(self, weight: Tensor) -> Tensor | None:
        place = next(place for place, one in enumerate(self.weights) if one is weight)
        return None if place % 3 == 1 else self.buffers[place]

    def train_loss(self, gates: Gates) -> Tensor:
        return self.loss(gates, *self._halves[0])

    def valid_loss(self, gates: Gates) -> Tensor:
        return self.loss(gates, *self._halves[1])

    def loss(self, gates: Gates, inputs: Tensor, labels: Tensor) -> Tensor:
        hidden = torch.zeros(len(inputs), 6, dtype=torch.float64)
        for v, active in enumerate(gates.active):
            for k in active:
                output = self._activation(inputs @ self._layers[v][k])
                if gates.weighted[v] and gates.values is not None:
                    output = gates.values[v, k] * output
                hidden = hidden + output
        return nn.functional.cross_entropy(self._activation(hidden @ self._inner) @ self._outer, labels)


class Broken(Mixed):
    """Its losses become NaN, or raise, from a call on; counted over both halves."""

    def __init__(self, calls: int, error: Exception | None = None) -> None:
        super().__init__()
        self._left, self._error = calls, error

    def loss(self, gates: Gates, inputs: Tensor, labels: Tensor) -> Tensor:
        self._left -= 1
        if self._left > 0:
            return super().loss(gates, inputs, labels)
        if self._error is not None:
            raise self._error
        return super().loss(gates, inputs, labels) * float("nan")
