"""How a study of any kind is run: what is missing is searched, recorded in its folder, and mirrored into MLflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from harness.engine import Outcome, Work, check_engine, run_shards
from harness.folder import add_to_study, owner_of, provenance, writable
from harness.lock import locked
from harness.mirror import Mirror
from results.files import sweep, write_json
from results.record import CELL_FILE, STUDY_FILE, CellRecord
from results.tables import BenchmarkTable
from search_spaces.errors import ArenaError


@dataclass
class StudyRun:
    """What a run left behind.

    Attributes:
        folder: the study's folder.
        cells: what is on record of its cells: all finished seeds that the study asked for.
        tables: what they come to, one a benchmark.
        texts: the tables as a file, and for a study that sweeps a setting what the ablation comes to.
        figures: the figures that were drawn.
        failures: label and error of every shard that failed.
        skipped: the pairs that cannot work, each with its reason.
        left_over: folders of cells that the study does not name.
        store: where the runs are mirrored to, "" where tracking is off.
        mirror_problem: why the mirror is behind, "" where it is not.
    """

    folder: Path
    cells: list[CellRecord] = field(default_factory=list)
    tables: list[BenchmarkTable] = field(default_factory=list)
    texts: list[Path] = field(default_factory=list)
    figures: list[Path] = field(default_factory=list)
    failures: list[tuple[str, str]] = field(default_factory=list)
    skipped: list[tuple[str, str]] = field(default_factory=list)
    left_over: list[str] = field(default_factory=list)
    store: str = ""
    mirror_problem: str = ""


class Planned(Protocol):
    """A cell of a study of any kind."""

    @property
    def folder(self) -> str:
        """The name of its folder."""

    def describe(self) -> dict[str, Any]:
        """The content of its ``cell.json``."""


class CellWork(Work, Protocol):
    """Work that is a part of a cell."""

    @property
    def cell(self) -> Planned: ...


S = TypeVar("S", bound=CellWork)


class Progress(Protocol):
    """Who is told how a run goes on."""

    def planned(self, searches: int) -> None:
        """So many searches, one a seed of a cell, are missing."""

    def done(self, outcome: Outcome[Any]) -> None:
        """A shard has ended."""

    def finished(self, result: StudyRun) -> None:
        """Everything is on record; only the mirror may still be at work."""


class Undertaking(Protocol[S]):
    """A study that is to be run, of one kind or another.

    Attributes:
        name: of the study.
        cells: what it comes to.
        skipped: the pairs that cannot work, each with its reason.
    """

    @property
    def name(self) -> str: ...

    @property
    def cells(self) -> Sequence[Planned]: ...

    @property
    def skipped(self) -> list[tuple[str, str]]: ...

    def about(self) -> dict[str, Any]:
        """What ``study.json`` says of it, besides its name and cells."""

    def missing(self, folder: Path) -> list[S]:
        """What is not on record yet, as shards."""

    def write(self, folder: Path, outcome: Outcome[S], made: dict[str, Any]) -> None:
        """Writes the record of a shard into the folder of its cell."""

    def conclude(self, result: StudyRun) -> None:
        """Reads the records back, if there are any, and makes tables and figures of them."""


def carry_out(
    undertaking: Undertaking[S],
    *,
    arena: str | Path,
    jobs: int | None,
    engine: str,
    tracking: bool,
    progress: Progress | None,
) -> StudyRun:
    """Runs what is missing of a study; its arguments are those of :func:`harness.run.run`."""
    folder = Path(arena) / undertaking.name
    result = StudyRun(folder, skipped=undertaking.skipped)
    what = f"study {undertaking.name!r}"
    with writable(folder), locked(folder / ".lock", wait=False, what=what), ExitStack() as stack:
        _describe(undertaking, folder)
        shards = undertaking.missing(folder)
        mirror = stack.enter_context(Mirror(folder)) if tracking else None
        result.store = mirror.uri if mirror else ""
        groups = Groups(mirror, shards) if mirror else None

        def write(outcome: Outcome[S], made: dict[str, Any]) -> None:
            undertaking.write(folder / outcome.shard.cell.folder, outcome, made)
            if groups:
                groups.done(outcome.shard)

        result.failures = _record_shards(shards, jobs, engine, progress, write)
        add_to_study(folder, failures=result.failures)
        result.left_over = _left_over(undertaking.cells, folder)
        undertaking.conclude(result)
        if mirror:
            mirror.finish()
        if progress:
            progress.finished(result)
    result.mirror_problem = mirror.problem if mirror else ""
    return result


def check_how(arena: str | Path, jobs: int | None, engine: str) -> None:
    """Raises ArenaError for a way to run that is none."""
    if jobs is not None and jobs < 1:
        raise ArenaError(f"jobs must be at least 1, not {jobs}")
    check_engine(engine)
    if not str(arena):
        raise ArenaError("the arena is empty; name a folder with --arena")


def _describe(undertaking: Undertaking[S], folder: Path) -> None:
    """Writes what the study is made of, and clears what a killed run left half written."""
    sweep(folder)
    for cell in undertaking.cells:
        (folder / cell.folder).mkdir(exist_ok=True)
        write_json(folder / cell.folder / CELL_FILE, cell.describe())
    own = {"name": undertaking.name, "cells": [cell.folder for cell in undertaking.cells]}
    write_json(
        folder / STUDY_FILE, {"id": owner_of(folder), **own, **undertaking.about(), "skipped": undertaking.skipped}
    )


class Groups:
    """Tells the mirror of the cells that one run in MLflow is about, as soon as their last shard is on record."""

    def __init__(self, mirror: Mirror, shards: Iterable[CellWork]) -> None:
        self._mirror = mirror
        self._group = {cell: group for group in mirror.groups for cell in group}
        self._missing = Counter(self._group[shard.cell.folder] for shard in shards)
        for group in mirror.groups if self._missing else ():  # what is there already need not wait for what is not
            self._tell(group)

    def done(self, shard: CellWork) -> None:
        """A shard is on record."""
        group = self._group[shard.cell.folder]
        self._missing[group] -= 1
        self._tell(group)

    def _tell(self, group: tuple[str, ...]) -> None:
        if not self._missing[group]:
            self._mirror.update(group)


def _record_shards(
    shards: Sequence[S],
    jobs: int | None,
    engine: str,
    progress: Progress | None,
    write: Callable[[Outcome[S], dict[str, Any]], None],
) -> list[tuple[str, str]]:
    """Runs shards of any kind, and has each that ends well written.

    Args:
        write: takes the outcome, and what made it: commit, versions, machine, times.

    Returns:
        name and error of those that failed.
    """
    if progress:
        progress.planned(sum(len(shard.seeds) for shard in shards))
    failures = []
    with closing(run_shards(shards, jobs, engine)) as outcomes:
        for outcome in outcomes:
            if outcome.result is None:
                failures.append((outcome.shard.name, outcome.error))
            else:
                write(outcome, {**provenance(), **outcome.cost, "at": datetime.now(UTC).isoformat(timespec="seconds")})
            if progress:
                progress.done(outcome)
    return failures


def _left_over(cells: Iterable[Planned], folder: Path) -> list[str]:
    """Folders of cells that the study does not name."""
    names = {cell.folder for cell in cells}
    return sorted(path.parent.name for path in folder.glob(f"*/{CELL_FILE}") if path.parent.name not in names)
