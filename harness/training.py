"""What training a supernet and training a single network share: seeds, order of images, steps, errors."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import torch
from torch import Tensor, nn

from harness.oneshot import LossNotFinite
from harness.oneshot_settings import Sgd
from search_spaces.errors import ArenaError

M = TypeVar("M", bound=nn.Module)

_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "DefaultCPUAllocator",
)  # torch has no error of its own


def finite(loss: Tensor) -> Tensor:
    """The loss, alone in its step.

    Raises:
        LossNotFinite: where it is not.
    """
    if not math.isfinite(value := float(loss.detach())):
        raise LossNotFinite(0, value)
    return loss


def choose_device(given: str) -> torch.device:
    """The device of that name; "auto" is a GPU where there is one.

    Raises:
        ArenaError: for a device that there is not.
    """
    if given == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(given)
    except RuntimeError:
        raise ArenaError(f"unknown device {given!r}; write auto, cpu, cuda or cuda:1") from None
    there = torch.cuda.device_count() if device.type == "cuda" else int(device.type == "cpu")
    if (device.index or 0) >= there:
        raise ArenaError(f"this machine has no device {given!r}; write auto to take a GPU where there is one")
    return device


def generator(seed: int, *purpose: str | int, device: torch.device | str = "cpu") -> torch.Generator:
    """A random stream of a seed for one purpose, independent of its others."""
    return torch.Generator(device).manual_seed(_number(seed, purpose))


def seeded(seed: int, purpose: str, make: Callable[[], M], device: torch.device) -> M:
    """What ``make`` initialises from torch's random state, which is another's again afterwards; on a device, channels
    last.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(_number(seed, (purpose,)))
        made = make()
    return made.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]  # torch lacks it


def _number(seed: int, purpose: Sequence[str | int]) -> int:
    digest = hashlib.blake2b(repr((seed, *purpose)).encode(), digest_size=8).digest()
    return int.from_bytes(digest) % 2**63


def shuffled(indices: Tensor, size: int, stream: torch.Generator) -> Iterator[Tensor]:
    """Whole batches of ``size`` in a random order; what is left over is not seen this time.

    Args:
        indices: int64 [n], on any device, where the batches are then.
        size: of a batch.
        stream: on the CPU, so that the order is the same on every device.
    """
    order = indices[torch.randperm(len(indices), generator=stream).to(indices.device)]
    for batch in range(len(order) // size):
        yield order[batch * size : (batch + 1) * size]


def chunks(indices: Tensor, most: int = 256) -> tuple[Tensor, ...]:
    """Parts of nearly equal length, so that none is too short for the statistics of its batch."""
    return indices.tensor_split(math.ceil(len(indices) / most))


class Descent:
    """Steps of SGD on some weights, with a cosine schedule.

    Args:
        weights: of a network.
        settings: learning rates, momentum, decay, clipping.
        steps: how many there will be.
    """

    def __init__(self, weights: Sequence[Tensor], settings: Sgd, steps: int) -> None:
        self.weights = list(weights)
        self.momentum, self.weight_decay = settings.weights_momentum, settings.weights_decay
        self._settings, self._steps, self._done = settings, steps, 0
        self._sgd = torch.optim.SGD(
            self.weights,
            lr=settings.weights_lr,
            momentum=self.momentum,
            nesterov=settings.weights_nesterov,
            weight_decay=self.weight_decay,
        )

    @property
    def learning_rate(self) -> float:
        """Of the next step."""
        start, end = self._settings.weights_lr, self._settings.weights_lr_end
        return end + (start - end) * (1 + math.cos(math.pi * self._done / self._steps)) / 2

    def momentum_of(self, weight: Tensor) -> Tensor | None:
        """The moving sum of a weight's gradients; None before its first."""
        buffer: Tensor | None = self._sgd.state.get(weight, {}).get("momentum_buffer")
        return buffer

    def step(self, losses: Iterable[Tensor]) -> float:
        """Follows the gradient of the sum of some losses, each back before the next comes: one at a time in memory.

        Weights that none of them depends on stay as they are, momentum and decay included.

        Returns:
            the sum.

        Raises:
            LossNotFinite: at the first loss that is not; no step is made then.
        """
        self._sgd.zero_grad(set_to_none=True)
        total = 0.0
        for place, loss in enumerate(losses):
            value = loss.item()
            if not math.isfinite(value):
                raise LossNotFinite(place, value)
            total += value
            loss.backward()  # type: ignore[no-untyped-call]
        if self._settings.gradient_clip:
            nn.utils.clip_grad_norm_(self.weights, self._settings.gradient_clip)
        for group in self._sgd.param_groups:
            group["lr"] = self.learning_rate
        self._sgd.step()
        self._sgd.zero_grad(set_to_none=True)
        self._done += 1
        return total


@contextmanager
def telling_memory(batch_size: int | None = None) -> Iterator[None]:
    """Turns a lack of memory into a message that names a batch size to try, where it is for want of one."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not isinstance(error, MemoryError) and not any(part in str(error) for part in _OUT_OF_MEMORY):
            raise
        if batch_size is None:
            raise ArenaError("out of memory before the first batch; try a smaller network, or fewer images") from None
        raise ArenaError(
            f"out of memory with batch_size = {batch_size}; try batch_size = {max(batch_size // 2, 2)}, or a smaller "
            "network"
        ) from None
