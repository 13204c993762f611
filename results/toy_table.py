"""What a toy study comes to: iterations to success, beside those of another implementation."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from results.published import toy_reference
from results.statistics import median_interval
from results.toy_record import ToyRecord

WIDTH = 130
RARE = 0.05  # success rates differ where Fisher's exact test says that chance alone would do so less often


@dataclass(frozen=True)
class ToyRow:
    """One row of the table: the trials of an optimizer at one initial step and learning rate of x.

    Attributes:
        record: its trials.
        reference: the numbers to compare with, by the names in their file; None where there are none.
        median: of the iterations to success, +inf for a trial without; the lower one of two in the middle.
        low, high: a 95 % bootstrap interval of it.
        quartiles: of the iterations.
        successes: how many trials succeeded.
        step_size: the smallest and the largest of all trials; NaN where the optimizer tells none.
        at_mode: how many trials had the mode at all zeros by their end.
    """

    record: ToyRecord
    reference: dict[str, Any] | None
    median: float
    low: float
    high: float
    quartiles: tuple[float, float]
    successes: int
    step_size: tuple[float, float]
    at_mode: int

    @classmethod
    def of(cls, record: ToyRecord) -> ToyRow:
        iterations = record.columns["by_loss"]
        first, third = np.percentile(iterations, [25, 75], method="lower")
        lows, highs = record.columns["step_size_low"], record.columns["step_size_high"]
        return cls(
            record,
            reference_of(record),
            *median_interval(iterations),
            quartiles=(float(first), float(third)),
            successes=int(np.isfinite(iterations).sum()),
            step_size=(float(lows.min()), float(highs.max())),
            at_mode=int(np.isfinite(record.columns["by_mode"]).sum()),
        )

    @property
    def trials(self) -> int:
        return len(self.record.seeds)

    @property
    def overlaps(self) -> bool | None:
        """Whether the interval of the median overlaps the reference's quartiles; None where it has none."""
        if self.reference is None or "quartiles" not in self.reference:
            return None
        first, third = self.reference["quartiles"]
        return bool(self.low <= third and self.high >= first)

    @property
    def rates_agree(self) -> bool | None:
        """Whether the share of successes may be the reference's; None where it tells none."""
        if self.reference is None or "trials" not in self.reference:
            return None
        from scipy.stats import fisher_exact  # 0.5 s

        successes, trials = self.reference["trials"]
        counts = [[self.successes, self.trials - self.successes], [successes, trials - successes]]
        return bool(fisher_exact(counts).pvalue >= RARE)


def reference_of(record: ToyRecord) -> dict[str, Any] | None:
    """The numbers to compare a row with, None where there are none of its settings."""
    reference = toy_reference()
    if any(record.problem[name] != value for name, value in reference["problem"].items()):
        return None
    key = record.variant, record.k, record.problem["eta_x"]
    return next((row for row in reference["rows"] if (row["optimizer"], row["k"], row["eta_x"]) == key), None)


def toy_rows(records: Sequence[ToyRecord]) -> list[ToyRow]:
    """The rows of the table: by learning rate of x, then optimizer, then initial step from large to small."""
    variants = sorted({record.variant for record in records}, key=lambda name: (name.split("(")[0], len(name), name))

    def place(record: ToyRecord) -> tuple[float, int, float]:
        return record.problem["eta_x"], variants.index(record.variant), -math.inf if record.k is None else record.k

    return [ToyRow.of(record) for record in sorted(records, key=place)]


def render_toy(rows: Sequence[ToyRow]) -> str:
    """The table with what its columns mean, as text."""
    plain = Console(width=WIDTH, no_color=True, force_terminal=False, highlight=False)
    with plain.capture() as captured:
        for line in _preface(rows):
            plain.print(textwrap.fill(line, WIDTH), markup=False)
        plain.print()
        plain.print(_table(rows))
        for line in verdict(rows):
            plain.print(textwrap.fill(line, WIDTH), markup=False)
    return captured.get()


def _preface(rows: Sequence[ToyRow]) -> Iterator[str]:
    trials = " to ".join(str(count) for count in sorted({row.trials for row in rows}))
    yield (
        "Toy problem of the ASNG paper, section 3.1: iterations until the noise-free loss of a sample is below 1 / K; "
        f"{trials} trials a row, each ended at success. The initial step is n^-k, eta_x the learning rate of the "
        "weights. Trials of a seed share the weights' start and the noise in all rows: these are not independent."
    )
    yield (
        "Iterations: median [95 % bootstrap interval] over all trials, a failure counting as infinity. "
        "Mode: trials whose mode was all zeros by their end. Delta: the smallest and the largest step size of any "
        "trial, looked at every tenth iteration."
    )
    if any(row.reference for row in rows):
        yield f"Reference: {toy_reference()['source']}; median [quartiles] of the successes."


def _table(rows: Sequence[ToyRow]) -> Table:
    shown = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    shown.add_column("", no_wrap=True)
    ours = ("k", "success", "iterations", "mode", "delta")
    theirs = ("success", "reference", "delta", "overlap")
    for heading in (*ours, *theirs) if any(row.reference for row in rows) else ours:
        shown.add_column(heading, justify="right", no_wrap=True)
    rate, variant = math.nan, ""
    for row in rows:
        if row.record.problem["eta_x"] != rate:
            rate, variant = row.record.problem["eta_x"], ""
            shown.add_row(f"eta_x {rate:g}")
        named = "" if row.record.variant == variant else f"  {row.record.variant}"
        variant = row.record.variant
        shown.add_row(
            named,
            "-" if row.record.k is None else f"{row.record.k:g}",
            f"{row.successes}/{row.trials}",
            f"{_whole(row.median)} [{_whole(row.low)}, {_whole(row.high)}]",
            str(row.at_mode),
            _range(row.step_size),
            *(_of_reference(row, row.reference) if row.reference else ()),
        )
    return shown


def _of_reference(row: ToyRow, reference: dict[str, Any]) -> list[str]:
    return [
        "/".join(map(str, reference["trials"])) if "trials" in reference else "",
        f"{reference.get('median', '-')} {reference.get('quartiles', '')}".strip(),
        _range(reference["step_size"]) if "step_size" in reference else "",
        {True: "yes", False: "no", None: ""}[row.overlaps],
    ]


def verdict(rows: Sequence[ToyRow]) -> Iterator[str]:
    """Where ours and the reference agree, in sentences; none where there is no reference."""
    compared = [row for row in rows if row.overlaps is not None]
    if compared:
        apart = [_name(row) for row in compared if not row.overlaps]
        yield (
            f"The interval of the median overlaps the reference's quartiles in {len(compared) - len(apart)} of "
            f"{len(compared)} rows that have some{f'; not in {_joined(apart)}' if apart else ''}."
        )
    rated = [row for row in rows if row.rates_agree is not None]
    if rated:
        apart = [_name(row) for row in rated if not row.rates_agree]
        yield (
            f"Success rates agree with the reference's in {len(rated) - len(apart)} of {len(rated)} rows that have one "
            f"(Fisher's exact test at {RARE:.0%}){f'; not in {_joined(apart)}' if apart else ''}."
        )


def _joined(names: Sequence[str]) -> str:
    return ", ".join(names)


def _name(row: ToyRow) -> str:
    k = "" if row.record.k is None else f" k {row.record.k:g}"
    return f"{row.record.variant}{k} eta_x {row.record.problem['eta_x']:g}"


def _whole(value: float) -> str:
    return "never" if math.isinf(value) else f"{value:.0f}"


def _range(ends: Sequence[float]) -> str:
    low, high = ends
    return "" if math.isnan(low) else f"{low:.2g}-{high:.2g}"
