"""Tidy frames of records, for pandas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from results.record import CellRecord

if TYPE_CHECKING:
    import pandas as pd


def checkpoint_frame(cells: Sequence[CellRecord]) -> pd.DataFrame:
    """Every cell, seed and checkpoint as a row of a tidy frame."""
    return _frame(cells, _checkpoint_rows)


def improvement_frame(cells: Sequence[CellRecord]) -> pd.DataFrame:
    """Every improvement of an incumbent as a row of a tidy frame."""
    return _frame(cells, lambda cell: dict(cell.improvements))


def _checkpoint_rows(cell: CellRecord) -> dict[str, NDArray[Any]]:
    R, C = len(cell.seeds), len(cell.checkpoints)
    rows: dict[str, NDArray[Any]] = {"seed": cell.seeds.repeat(C), "checkpoint": np.tile(cell.checkpoints, R)}
    rows |= {name: values.ravel() for name, values in cell.columns.items()}
    return rows


def _frame(cells: Sequence[CellRecord], rows: Callable[[CellRecord], dict[str, NDArray[Any]]]) -> pd.DataFrame:
    import pandas as pd  # 0.5 s

    frames = []
    for cell in cells:
        about = cell.about
        names = {
            "cell": about["id"],
            "optimizer": cell.optimizer,
            "benchmark": about["benchmark"]["name"],
            "dataset": about["benchmark"]["dataset"],
        }
        frame = pd.DataFrame(rows(cell))
        for place, (name, value) in enumerate(names.items()):
            frame.insert(place, name, value)
        frames.append(frame)
    return pd.concat(frames, ignore_index=True)
