"""Cells that differ in one number alone, as a curve over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from results.record import CellRecord


@dataclass(frozen=True)
class Curve:
    """An optimizer on a benchmark over the values of one of its settings, all others fixed.

    Attributes:
        label: the optimizer with its other settings where they differ from their defaults.
        benchmark: the label of the benchmark, data set and noise included.
        sweep: the setting.
        values: float [S], ascending.
        cells: one a value.
    """

    label: str
    benchmark: str
    sweep: str
    values: NDArray[np.float64]
    cells: tuple[CellRecord, ...]


def curves(cells: Sequence[CellRecord], sweep: str) -> list[Curve]:
    """The curves of a study, in the order of their first cells; cells without the setting are on none."""
    groups: dict[tuple[str, str, str], list[CellRecord]] = {}
    for cell in cells:
        settings = cell.about["optimizer"]["settings"]
        if isinstance(settings.get(sweep), (int, float)):
            others = sorted((name, str(value)) for name, value in settings.items() if name != sweep)
            groups.setdefault((cell.about["optimizer"]["name"], cell.benchmark, repr(others)), []).append(cell)
    return [_curve(group, sweep) for group in groups.values()]


def _curve(cells: list[CellRecord], sweep: str) -> Curve:
    cells = sorted(cells, key=lambda cell: float(cell.about["optimizer"]["settings"][sweep]))
    optimizer = cells[0].about["optimizer"]
    changed = [
        f"{name}={value}"
        for name, value in optimizer["settings"].items()
        if name != sweep and value != optimizer["defaults"].get(name)
    ]
    return Curve(
        label=optimizer["name"].rpartition(":")[2] + (f"({', '.join(changed)})" if changed else ""),
        benchmark=cells[0].benchmark,
        sweep=sweep,
        values=np.array([float(cell.about["optimizer"]["settings"][sweep]) for cell in cells]),
        cells=tuple(cells),
    )
