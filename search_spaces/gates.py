"""Gates: what of a supernet runs, and with which weight."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from search_spaces.errors import ArenaError

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Gates:
    """A weight for every value of every variable of a space; what a supernet's forward takes beside the images.

    Which gates are not zero is told by ``active`` and never read from ``values``, which may lie on another device: a
    forward then waits for nothing. A gate that is zero gets gradient zero, as what it belongs to does not run.

    Attributes:
        active: of every variable, the numbers of the values whose gates are not zero, ascending; at least one.
        values: float [V, Kmax] of all gates, differentiable or not; None where each active one counts 1.
        weighted: of every variable, whether the outputs of its values are multiplied by their gates. A gate that is
            exactly 1 and has no gradient is not.
    """

    active: tuple[tuple[int, ...], ...]
    values: Tensor | None
    weighted: tuple[bool, ...]

    @classmethod
    def of_arch(cls, arch: ArrayLike) -> Gates:
        """One value a variable, each counting 1. Takes int [V]."""
        active = tuple((int(value),) for value in np.asarray(arch))
        return cls(active, None, (False,) * len(active))

    @classmethod
    def of_values(cls, values: Tensor, sizes: Sequence[int]) -> Gates:
        """From gates that lie on the host.

        Args:
            values: float [V, Kmax] on the CPU, zero beyond a variable's number of values.
            sizes: int [V], how many values each variable has.

        Raises:
            ArenaError: for gates on another device, of another shape, or a variable without any that is not zero.
        """
        if values.device.type != "cpu":
            raise ArenaError(f"which gates are zero is read on the host, not from {values.device}; give active as well")
        if [*values.shape] != [len(sizes), max(sizes)]:
            raise ArenaError(f"gates must be [{len(sizes)}, {max(sizes)}], not {[*values.shape]}")
        numbers = values.detach().numpy()
        active = tuple(tuple(np.flatnonzero(row[:size]).tolist()) for row, size in zip(numbers, sizes, strict=True))
        for v, running in enumerate(active):
            if not running:
                raise ArenaError(f"all gates of variable {v} are zero; one at least must not be")
        one = [len(running) == 1 and row[running[0]] == 1 for running, row in zip(active, numbers, strict=True)]
        return cls(active, values, tuple(values.requires_grad or not alone for alone in one))

    def detached(self) -> Gates:
        """The same, held: without gradient, so that a gate of exactly 1 is no longer multiplied."""
        if self.values is None:
            return self
        return Gates.of_values(self.values.detach(), [self.values.shape[1]] * len(self.active))
