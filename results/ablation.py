"""A sweep over one numeric setting: which cells of a study form a curve, and which curves can be compared."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from results.record import BEST_SEEN, CellRecord, RecordError
from results.statistics import Floats

# Architectures an update: it changes what a step is worth, so that rules are compared where it is the same.
HELD = "lam"
SPANS_FROM = 3  # steps; fewer are points, whose window has no width
SHARE_OF_MEDIAN = 0.02  # of the median regret: what counts as equal where no repeated trainings are recorded

ANSWERS = {"recommended": "what the optimizer recommends", "incumbent": BEST_SEEN}  # columns of a record


@dataclass(frozen=True)
class Curve:
    """One optimizer on one benchmark, all its settings but the swept one fixed.

    Attributes:
        optimizer: its name, the rule.
        label: the name with the settings that are not defaults or differ between its curves.
        rule: the same without the one in which curves that are compared agree (lam).
        settings: the fixed settings.
        steps: float [S], the values of the swept setting, ascending.
        cells: S cells with the same seeds.
    """

    optimizer: str
    label: str
    rule: str
    settings: Mapping[str, Any]
    steps: Floats
    cells: tuple[CellRecord, ...]

    @property
    def spans(self) -> bool:
        """Whether there are steps enough to speak of a window."""
        return len(self.steps) >= SPANS_FROM

    @property
    def seeds(self) -> int:
        return len(self.cells[0].seeds)

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


@dataclass(frozen=True)
class Comparison:
    """Curves on one benchmark (data set and noise are part of it) with the same number of architectures an update.

    Attributes:
        benchmark: its label.
        about: the part of ``cell.json`` on it.
        unit: of the budgets.
        budgets: the reported ones.
        held: in what setting the curves agree, such as "lam = 8"; "" where they have none of that name.
        curves: as the study names them.
        baselines: cells on the benchmark whose optimizer has no such setting.
        tolerance: by how much mean regrets may differ that count as equally good.
        tolerance_is: where that comes from.
    """

    benchmark: str
    about: dict[str, Any]
    unit: str
    budgets: tuple[int, ...]
    held: str
    curves: tuple[Curve, ...]
    baselines: tuple[CellRecord, ...]
    tolerance: float
    tolerance_is: str

    @property
    def in_decades(self) -> bool:
        """Whether steps are compared by their ratio: all are above 0."""
        return all((curve.steps > 0).all() for curve in self.curves)

    @property
    def judges(self) -> tuple[Curve, ...]:
        """The curves whose best is what others are compared with: those that span a window, or all if none does."""
        return tuple(curve for curve in self.curves if curve.spans) or self.curves


def compare(cells: Iterable[CellRecord], sweep: str) -> list[Comparison]:
    """The curves of a study over one of its settings, and which of them can be compared.

    A step whose seeds are not all on record is left out.

    Args:
        cells: of a study.
        sweep: the setting's name.

    Raises:
        RecordError: when no optimizer of the study has a number under that name.
    """
    groups: dict[tuple[str, str], list[CellRecord]] = {}
    baselines: dict[str, list[CellRecord]] = {}
    for cell in cells:
        settings = cell.about["optimizer"]["settings"]
        if is_number(settings.get(sweep)):
            held = f"{HELD} = {settings[HELD]}" if HELD in settings and sweep != HELD else ""
            groups.setdefault((cell.benchmark, held), []).append(cell)
        else:
            baselines.setdefault(cell.benchmark, []).append(cell)
    if not groups:
        raise RecordError(f"no optimizer of the study has a numeric setting {sweep!r}; name one that they have")
    told = told_settings([cell for group in groups.values() for cell in group], (sweep,))
    return [
        _comparison(benchmark, held, group, baselines.get(benchmark, []), sweep, told)
        for (benchmark, held), group in groups.items()
    ]


def _comparison(
    benchmark: str,
    held: str,
    cells: Sequence[CellRecord],
    baselines: Sequence[CellRecord],
    sweep: str,
    told: Mapping[str, set[str]],
) -> Comparison:
    about = cells[0].about
    deviation, median = (about["benchmark"]["landmarks"].get(name) for name in ("trial_sd", "median_regret"))
    return Comparison(
        benchmark=benchmark,
        about=about["benchmark"],
        unit=about["budget"]["unit"],
        budgets=tuple(about["report_at"]),
        held=held,
        curves=tuple(_curve(group, sweep, told) for group in by_fixed_settings(cells, (sweep,))),
        baselines=tuple(baselines),
        tolerance=SHARE_OF_MEDIAN * median if deviation is None else deviation,
        tolerance_is=f"{SHARE_OF_MEDIAN} of the table's median regret, since it records no repeated trainings"
        if deviation is None
        else "the standard deviation of repeated trainings of the table's best",
    )


def _curve(cells: list[CellRecord], sweep: str, told: Mapping[str, set[str]]) -> Curve:
    fullest = max((cell.seeds for cell in cells), key=len)
    kept = sorted(
        (cell for cell in cells if np.array_equal(cell.seeds, fullest)),
        key=lambda cell: float(cell.about["optimizer"]["settings"][sweep]),
    )
    about, fixed = kept[0].about["optimizer"], fixed_settings(kept[0], (sweep,))
    named = {name: value for name, value in fixed.items() if name in told[about["name"]]}
    return Curve(
        optimizer=about["name"],
        label=label_of(about["name"], named),
        rule=label_of(about["name"], {name: value for name, value in named.items() if name != HELD}),
        settings=fixed,
        steps=np.array([cell.about["optimizer"]["settings"][sweep] for cell in kept], dtype=np.float64),
        cells=tuple(kept),
    )


def told_settings(cells: Iterable[CellRecord], without: Collection[str]) -> dict[str, set[str]]:
    """Of every optimizer, the settings that a label tells: they differ between its cells, or are not the default."""
    names: dict[str, set[str]] = {}
    values: dict[tuple[str, str], Any] = {}
    for cell in cells:
        about = cell.about["optimizer"]
        told = names.setdefault(about["name"], set())
        for name, value in fixed_settings(cell, without).items():
            if values.setdefault((about["name"], name), value) != value or about["defaults"].get(name) != value:
                told.add(name)
    return names


def fixed_settings(cell: CellRecord, without: Collection[str]) -> dict[str, Any]:
    """The settings of a cell but those of some names."""
    return {name: value for name, value in cell.about["optimizer"]["settings"].items() if name not in without}


def by_fixed_settings(cells: Iterable[CellRecord], without: Collection[str]) -> list[list[CellRecord]]:
    """Cells of the same optimizer that differ in settings of these names alone, in the order of the first of them."""
    groups: dict[tuple[str, str], list[CellRecord]] = {}
    for cell in cells:
        fixed = json.dumps(fixed_settings(cell, without), sort_keys=True, default=str)
        groups.setdefault((cell.about["optimizer"]["name"], fixed), []).append(cell)
    return list(groups.values())


def label_of(name: str, settings: Mapping[str, Any]) -> str:
    """An optimizer with settings, as in "asng(lam=8)"."""
    listed = ", ".join(f"{key}={value}" for key, value in settings.items())
    return name.rpartition(":")[2] + (f"({listed})" if listed else "")


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
