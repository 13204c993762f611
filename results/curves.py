"""Cells that differ in one number alone, as a curve over it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.record import BEST_SEEN, CellRecord
from results.statistics import Floats

SPANS_FROM = 3  # values; a curve of fewer is some points, and no window


@dataclass(frozen=True)
class Curve:
    """An optimizer on a benchmark over the values of one of its settings, all others fixed.

    Attributes:
        label: the optimizer with its other settings where they differ from their defaults.
        benchmark: the label of the benchmark, data set and noise included.
        sweep: the setting.
        values: float [S], ascending.
        cells: one a value, with the same seeds.
    """

    label: str
    benchmark: str
    sweep: str
    values: NDArray[np.float64]
    cells: tuple[CellRecord, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The fixed settings."""
        return fixed_settings(self.cells[0], (self.sweep,))

    @property
    def seeds(self) -> int:
        return len(self.cells[0].seeds)

    @property
    def spans(self) -> bool:
        """Whether there are values enough to speak of a window."""
        return len(self.values) >= SPANS_FROM

    @property
    def answers(self) -> tuple[str, ...]:
        """The columns of its answers: what it recommends, and the best seen where that is another."""
        return ("incumbent",) if self.cells[0].recommends_incumbent else ("recommended", "incumbent")

    def named(self, answer: str) -> str:
        """What an answer is called: "mode", "best seen", ..."""
        return BEST_SEEN if answer == "incumbent" else self.cells[0].answer

    def regrets(self, budget: int, answer: str) -> Floats:
        """The search regret of an answer, "recommended" or "incumbent": float [S, R], NaN before there was one."""
        return np.stack([cell.at(budget, f"{answer}_regret") for cell in self.cells])


def curves(cells: Iterable[CellRecord], sweep: str) -> list[Curve]:
    """The curves of a study, in the order of their first cells; cells without the setting are on none.

    A value whose seeds are not all on record is left out.
    """
    with_number = [cell for cell in cells if on_curve(cell.about, sweep)]
    return [_curve(group, sweep) for group in by_fixed_settings(with_number, (sweep,))]


def by_fixed_settings(cells: Iterable[CellRecord], free: Collection[str]) -> list[list[CellRecord]]:
    """Cells of one optimizer and benchmark that differ in some settings alone, in the order of their first."""
    groups: dict[tuple[str, str, str], list[CellRecord]] = {}
    for cell in cells:
        groups.setdefault(curve_key(cell.about, free), []).append(cell)
    return list(groups.values())


def curve_key(about: Mapping[str, Any], free: Collection[str]) -> tuple[str, str, str]:
    """What cells that differ in some settings alone have in common: optimizer, benchmark and the other settings.

    Args:
        about: the content of a cell's ``cell.json``.
        free: the names of the settings that may differ.
    """
    others = sorted((name, str(value)) for name, value in about["optimizer"]["settings"].items() if name not in free)
    return about["optimizer"]["name"], about["benchmark"]["label"], repr(others)


def on_curve(about: Mapping[str, Any], sweep: str) -> bool:
    """Whether a cell lies on a curve over a setting: whether that is a number there."""
    return is_number(about["optimizer"]["settings"].get(sweep))


def fixed_settings(cell: CellRecord, free: Collection[str]) -> dict[str, Any]:
    """The settings of a cell but some."""
    return {name: value for name, value in cell.about["optimizer"]["settings"].items() if name not in free}


def label_of(cell: CellRecord, free: Collection[str]) -> str:
    """The optimizer of a cell with the settings that differ from their defaults, but some."""
    about: Mapping[str, Any] = cell.about["optimizer"]
    fixed = fixed_settings(cell, free)
    changed = [f"{name}={value}" for name, value in fixed.items() if value != about["defaults"].get(name)]
    return str(about["name"]).rpartition(":")[2] + (f"({', '.join(changed)})" if changed else "")


def in_digits(value: float) -> str:
    """A value of a setting, three digits of it."""
    return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _curve(cells: Sequence[CellRecord], sweep: str) -> Curve:
    most = max((cell.seeds for cell in cells), key=len)
    cells = sorted(
        (cell for cell in cells if np.array_equal(cell.seeds, most)),
        key=lambda cell: float(cell.about["optimizer"]["settings"][sweep]),
    )
    return Curve(
        label=label_of(cells[0], (sweep,)),
        benchmark=cells[0].benchmark,
        sweep=sweep,
        values=np.array([float(cell.about["optimizer"]["settings"][sweep]) for cell in cells]),
        cells=tuple(cells),
    )
