"""What a one-shot study comes to: what was found, how good it is, and whether that is better than chance."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from results.oneshot_comparison import OneShotRow, found, operations_of
from results.oneshot_words import (
    correlation,
    gap,
    joined,
    mean,
    notes,
    preface,
    reported_of,
    shared_notes,
    spread,
    verdict,
)

WIDTH = 130
MOST_LISTED = 4  # different architectures of a cell that are listed one by one


def render_oneshot(rows: Sequence[OneShotRow]) -> str:
    """The tables with what their columns mean, as text.

    Args:
        rows: on one supernet and one set of images, at least one, as
            :func:`results.oneshot_comparison.oneshot_rows` makes them.
    """
    plain = Console(width=WIDTH, no_color=True, force_terminal=False, highlight=False)
    with plain.capture() as captured:
        _print(plain, preface(rows))
        plain.print(_outcomes(rows))
        _print(plain, (*verdict(rows), *notes(rows)))
        if any(row.cell.is_search for row in rows):
            plain.print(_supernets([row for row in rows if row.cell.is_search]))
            _print(plain, shared_notes(rows))
            plain.print(_found(rows))
    return captured.get()


def _print(console: Console, lines: Iterator[str] | Sequence[str]) -> None:
    for line in lines:
        console.print(textwrap.fill(line, WIDTH), markup=False)
    console.print()


def _outcomes(rows: Sequence[OneShotRow]) -> Table:
    operations = operations_of([row.cell for row in rows])
    table = rows[0].cell.about["table"]
    shown = _empty("", "runs")
    for operation in operations:
        shown.add_column(operation.replace("_", " "), justify="right", max_width=8)  # in lines of a word each
    shown.add_column("parameters", justify="right", no_wrap=True)
    if table is not None:
        shown.add_column(reported_of(table), justify="right", min_width=19)
    for heading in ("retrained", "minus random [95 %]"):
        shown.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        shown.add_row(
            row.label,
            str(len(row.cell.runs)),
            *(mean(row.count(name), 1) for name in operations),
            mean(row.number("parameters"), 0),
            *([spread(row.reported)] if table is not None else []),
            spread(row.retrained),
            "-" if row.against is None else gap(row.against),
        )
    return shown


def _supernets(rows: Sequence[OneShotRow]) -> Table:
    shown = _empty("supernet of", "shared", "tau", "better half", "BatchNorm", "epochs", "search seconds")
    for row in rows:
        shown.add_row(
            row.label,
            spread(row.number("shared_accuracy")),
            correlation(row, "tau"),
            correlation(row, "tau_better_half"),
            row.cell.about["loop"]["batchnorm"],
            mean(row.number("epochs"), 0),
            mean(row.number("search_seconds"), 1),
        )
    return shown


def _found(rows: Sequence[OneShotRow]) -> Table:
    shown = _empty("found by", "seeds", "architecture")
    for row in rows:
        groups = found(row.cell)
        if row.cell.is_search and len(groups) <= MOST_LISTED:
            for result, seeds in groups:
                shown.add_row(row.label, joined(seeds), result["string"])
        elif row.cell.is_search:
            shown.add_row(row.label, "", f"{len(groups)} different ones, in the report and the record")
    return shown


def _empty(first: str, *headings: str) -> Table:
    shown = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0))
    shown.add_column(first, overflow="fold", min_width=20)
    for heading in headings:
        shown.add_column(heading, justify="left" if heading == "architecture" else "right", no_wrap=True)
    return shown
