"""The cells of NAS-Bench-201 as networks to train: each alone, or all in one supernet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.errors import ArenaError, missing_extra
from search_spaces.nasbench201 import cells as of_cells
from search_spaces.space import Ints
from search_spaces.supernet import SupernetSpace

if TYPE_CHECKING:
    from types import ModuleType

    from torch import nn


MOST_CHANNELS, MOST_CELLS = 4096, 256  # more are a slip of the keyboard, and would fail while weights are made


class NASBench201Supernet(SupernetSpace):
    """NAS-Bench-201's networks: a stem, three stages of equal cells, residual blocks of stride 2 between them.

    A network's cells have BatchNorm with scale and shift and running statistics, as in the benchmark: with 16 channels
    and 5 cells it has the parameters that the table tells. The supernet's cells have neither; its stem, its residual
    blocks and its last BatchNorm have scale and shift, and all of it is normalised by the statistics of the batch.

    Args:
        channels: of the first stage, 1 to 4,096; the second has twice as many, the third four times.
        cells: of a stage, 1 to 256.

    Raises:
        ArenaError: for fewer or more.
    """

    edges = of_cells.EDGES
    citation = "Dong and Yang, NAS-Bench-201, ICLR 2020"

    def __init__(self, *, channels: int = 16, cells: int = 5) -> None:
        for name, number, most in (("channels", channels, MOST_CHANNELS), ("cells", cells, MOST_CELLS)):
            if not 1 <= number <= most:
                raise ArenaError(f"{name} of nasbench201 must be 1 to {most:,}, not {number}")
        super().__init__(of_cells.SPACE, {"channels": channels, "cells": cells})
        self._sizes = {"width": channels, "cells": cells}

    def supernet(self, channels: int, classes: int) -> nn.Module:
        made: nn.Module = self._network_module().Supernet(channels, classes, **self._sizes)
        return made

    def network(self, arch: ArrayLike, channels: int, classes: int) -> nn.Module:
        """One architecture as a network of its own, with parameters on all edges, those that a cut makes idle too."""
        of_cells.SPACE.index(arch)
        if np.ndim(arch) != 1:
            raise ArenaError(f"a network is of one architecture, six integers, not of an array {list(np.shape(arch))}")
        made: nn.Module = self._network_module().Network(arch, channels, classes, **self._sizes)
        return made

    def architecture_string(self, arch: ArrayLike) -> str:
        return of_cells.architecture_string(arch)

    def parse_architecture(self, text: str) -> Ints:
        """The architecture, int64 [6], of an official name, or of its six numbers, such as ``3,3,0,1,2,4``."""
        return of_cells.parse_architecture(text)

    def alive(self, archs: ArrayLike) -> NDArray[np.bool_]:
        return of_cells.alive(archs)

    @staticmethod
    def _network_module() -> ModuleType:
        try:
            from search_spaces.nasbench201 import network
        except ModuleNotFoundError as error:
            if error.name != "torch":  # it is there, and lacks something itself
                raise
            raise missing_extra("a network of nasbench201", "torch", "supernet") from error
        return network
