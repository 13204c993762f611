"""What a space offers that can be searched by weight sharing: its architectures as networks, alone or all in one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.space import SearchSpace

if TYPE_CHECKING:
    from torch import nn


class SupernetSpace(ABC):
    """A search space whose architectures can be built as networks.

    A subclass takes its options, such as the number of channels, as keyword arguments with defaults, and imports torch
    inside its methods alone.

    Args:
        space: what is searched.
        options: those of the networks, by name, as given or by default.

    Attributes:
        version: raised when the networks change.
        citation: where they are from.
        edges: (from, to) of every variable, where variables are the edges of a cell; else empty.
    """

    version: ClassVar[int] = 1
    citation: ClassVar[str] = ""
    edges: ClassVar[tuple[tuple[int, int], ...]] = ()

    def __init__(self, space: SearchSpace, options: dict[str, Any]) -> None:
        self.space, self.options = space, options

    @abstractmethod
    def supernet(self, channels: int, classes: int) -> nn.Module:
        """All architectures with shared weights, initialised from torch's random state.

        Its forward takes float images [N, ``channels``, H, W] and :class:`search_spaces.gates.Gates`, and gives logits
        [N, ``classes``]. Values whose gates are zero do not run; what leads to them alone does not run either; a node
        without input is zeros. Normalisation uses the statistics of the batch and keeps none.
        """

    @abstractmethod
    def network(self, arch: ArrayLike, channels: int, classes: int) -> nn.Module:
        """One architecture, int [V], as a network of its own: its forward takes images and gives logits."""

    @abstractmethod
    def architecture_string(self, arch: ArrayLike) -> str:
        """The field's name of an architecture, int [V]."""

    @abstractmethod
    def parse_architecture(self, text: str) -> NDArray[np.int64]:
        """The architecture, int [V], of that name.

        Raises:
            ArenaError: for a text that names none, with what it should look like.
        """

    def alive(self, archs: ArrayLike) -> NDArray[np.bool_]:
        """Whether something of the input reaches the output: bool [...] of int [..., V]."""
        return np.ones(np.asarray(archs).shape[:-1], dtype=bool)
