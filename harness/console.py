"""What a run shows in a terminal: progress, and its tables."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.table import Table

from harness.engine import Outcome
from results.report.words import decimals_of, estimate, plus_minus
from results.statistics import RELIABLE_FROM
from results.tables import BenchmarkTable, Row, best_in_words, reported_heading

if TYPE_CHECKING:
    from harness.running import StudyRun

MOST_LINES = 150  # of what an ablation comes to; the rest is in its file
TABLES_FILE = "tables.txt"
PIPE_WIDTH = 130  # where there is no terminal whose width could be asked
NARROWEST = 100  # what a table without intervals needs; in a narrower terminal its lines wrap, but nothing is cut
INTERVALS_FROM = 118  # a narrower terminal has no room for intervals, of two decimals


def console() -> Console:
    """Standard output."""
    terminal = Console(highlight=False)
    width = max(terminal.width, NARROWEST) if sys.stdout.isatty() else PIPE_WIDTH
    return Console(highlight=False, width=width)


class ProgressBar:
    """Shows the searches that are done, in a terminal only; prints what was found as soon as all are."""

    def __init__(self) -> None:
        shown = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Bar(*columns, console=shown, transient=True, disable=not shown.is_terminal)
        self._task = self._bar.add_task("searching", total=None)

    def __enter__(self) -> ProgressBar:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def planned(self, searches: int) -> None:
        self._bar.update(self._task, total=searches)

    def done(self, outcome: Outcome[Any]) -> None:
        self._bar.advance(self._task, len(outcome.shard.seeds))

    def finished(self, result: StudyRun) -> None:
        self._bar.stop()
        to = console()
        show(result.tables, to)
        for text in result.texts:
            if text.name != TABLES_FILE:
                to.print()
                lines = text.read_text(encoding="utf-8").splitlines()
                to.print("\n".join(lines[:MOST_LINES]), soft_wrap=True, markup=False)
                if len(lines) > MOST_LINES:
                    to.print(f"... {len(lines) - MOST_LINES:,} more lines in {text}", soft_wrap=True, markup=False)


def render(tables: Iterable[BenchmarkTable]) -> str:
    """The tables as plain text of fixed width, for files."""
    plain = Console(width=PIPE_WIDTH, no_color=True, force_terminal=False, highlight=False)
    with plain.capture() as captured:
        show(tables, plain)
    return captured.get()


def show(tables: Iterable[BenchmarkTable], to: Console) -> None:
    """Prints the tables."""
    for table in tables:
        to.print()
        to.print(_heading(table), soft_wrap=True)
        room = to.width - 3 * len(table.budgets) * (decimals_of(table.about) - 2)
        to.print(_rich_table(table, with_intervals=room >= INTERVALS_FROM))
        for note in _notes(table):
            to.print(note, style="dim", soft_wrap=True)


def _heading(table: BenchmarkTable) -> str:
    seeds = " to ".join(str(count) for count in sorted({table.seeds[0], table.seeds[-1]}))
    return f"[bold]{table.label}[/bold]: {seeds} seeds, searched by {table.about['wording']['searched']}"


def _rich_table(table: BenchmarkTable, *, with_intervals: bool) -> Table:
    unit = "s" if table.unit == "seconds" else "evals"
    shown = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    shown.add_column("optimizer", overflow="fold", min_width=21)
    shown.add_column("answer", no_wrap=True)
    for budget, solved in zip(table.budgets, table.solved, strict=True):
        shown.add_column(f"regret at\n{budget:,} {'(solved)' if solved else unit}", justify="right", no_wrap=True)
    shown.add_column("\n".join(reported_heading(table.about)), justify="right", no_wrap=True)
    for name, other in table.reports.items():
        shown.add_column(f"{name}\n{' '.join(reported_heading(other))}", justify="right", no_wrap=True)
    shown.add_column("evals\nto target", justify="right", no_wrap=True)
    above, decimals = "", decimals_of(table.about)
    for row in table.rows:
        name = "" if row.optimizer == above else row.optimizer
        above = row.optimizer
        regrets = (estimate(regret, decimals, with_interval=with_intervals) for regret in row.regrets)
        shown.add_row(
            name, row.answer, *regrets, plus_minus(*row.reported, decimals), *_reports(row), _target(row, table)
        )
    best = f"{table.best_by_validation:.{decimals}f}" + " " * (5 + decimals)
    zero = "0" + " " * (7 + 3 * decimals) * with_intervals
    others = (f"{number:.2f}" + " " * 7 for number in table.best_of_reports)
    shown.add_row(best_in_words(table.about), "", *(zero for _ in table.budgets), best, *others, "", style="italic")
    return shown


def _reports(row: Row) -> Iterator[str]:
    return (plus_minus(*reported, 2) for reported in row.reports)


def _notes(table: BenchmarkTable) -> Iterator[str]:
    landmarks, wording = table.about["landmarks"], table.about["wording"]
    ratio = " (log10 of the loss over the best)" if wording["scale"] == "log10" else ""
    yield (
        f"Regret: search regret in {wording['regret_unit']}{ratio}, interquartile mean [95 % bootstrap interval]. "
        f"Reported: {wording['reported']}, mean ± sd."
    )
    estimates = [regret for row in table.rows for regret in row.regrets]
    if any(of.mostly_at_best for of in estimates):
        yield "0 in 98%: the share of seeds with regret 0 [95 % Wilson interval], where these are more than half."
    if any(of.too_short for of in estimates):
        yield f"† Fewer than {RELIABLE_FROM} seeds: such an interval is too short."
    yield (
        f"Target: best seen among the best {landmarks['target_count']} of {table.about['table_size']:,}; "
        "evaluations to it are the median over all seeds (share that came there)."
    )
    followers = [row.optimizer for row in table.rows if row.recommends_best_seen]
    if followers:
        yield f"Recommend the best seen: {', '.join(followers)}."
    if landmarks["infeasible"]:
        answers = [f"{row.infeasible} of {row.optimizer} ({row.answer})" for row in table.rows if row.infeasible]
        yield (
            f"Infeasible: {landmarks['infeasible']:,} of {table.about['table_size']:,} have no record and count as the "
            f"table's worst; final answers that are: {', '.join(answers) or 'none'}."
        )
    if landmarks["same_as_searched"]:
        yield "The reported number is the searched one itself; it is kept out of aggregates over benchmarks."
    if any(table.solved):
        yield "Solved: the median seed of two or more optimizers has regret 0; rows are ranked by the budgets before."
    if wording["remark"]:
        yield f"Note: {wording['remark']}."


def _target(row: Row, table: BenchmarkTable) -> str:
    if row.target is None or row.success is None:
        return ""
    if math.isfinite(row.target):
        return f"{row.target:,.0f} ({row.success:.0%})"
    limit = f"> {table.budgets[-1]:,}" if table.unit == "evaluations" else "not by half"
    return f"{limit} ({row.success:.0%})"
