"""Running a study: what is missing is searched, recorded in the study's folder, and mirrored into MLflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from harness.cell import Cell
from harness.console import TABLES_FILE, render
from harness.engine import Outcome, Shard, W, check_engine, run_shards
from harness.folder import add_to_study, owner_of, provenance, writable
from harness.lock import locked
from harness.mirror import Mirror
from harness.study import Plan, Study
from harness.tabular import SearchResult, typical_seconds
from optimizers.registry import OPTIMIZERS
from results.ablation import compare
from results.ablation_report import ablation_drawings
from results.ablation_table import render_ablation
from results.drawing import save
from results.figures import anytime_figure
from results.files import sweep, write_atomically, write_json
from results.record import CELL_FILE, STUDY_FILE, CellRecord, read_study, seeds_on_record, write_shard
from results.tables import BenchmarkTable, benchmark_tables
from search_spaces.errors import ArenaError

ABLATION_FILE = "ablation.txt"
MOST_ROWS = 20  # of a table of a sweep: of more cells their curves say more
SHARD_EVALUATIONS = 2_000_000  # of one shard at most, about: its memory grows with them


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
    """A cell of a study, of tables or of the toy problem."""

    @property
    def folder(self) -> str: ...


class Recorded(Protocol):
    """A shard of such a cell."""

    @property
    def cell(self) -> Planned: ...


class Progress(Protocol):
    """Who is told how a run goes on."""

    def planned(self, searches: int) -> None:
        """So many searches, one a seed of a cell, are missing."""

    def done(self, outcome: Outcome[Any]) -> None:
        """A shard has ended."""

    def finished(self, result: StudyRun) -> None:
        """Everything is on record; only the mirror may still be at work."""


def run(
    study: Study | str,
    *,
    arena: str | Path = "arena",
    jobs: int | None = None,
    engine: str = "processes",
    tracking: bool = True,
    progress: Progress | None = None,
) -> StudyRun:
    """Runs what is missing of a study.

    Args:
        study: a study, the name of a bundled one, or the path of a TOML file.
        arena: the folder of all studies' results; the study's is inside, and the MLflow store beside.
        jobs: how many shards run at a time; one a core by default, of this machine or of the cluster.
        engine: "processes" of this machine, or "ray": the cluster that RAY_ADDRESS names, else one on this machine.
        tracking: whether to mirror the results into MLflow.
        progress: who is told how it goes on.

    Raises:
        ArenaError: for a study that cannot run, a folder that cannot be written, another run of the same study, or a
            Ray cluster that cannot be reached.
    """
    study = Study.load(study) if isinstance(study, str) else study
    check_how(arena, jobs, engine)
    plan = study.plan()
    cells = plan.cells
    folder = Path(arena) / study.name
    result = StudyRun(folder, skipped=plan.skipped)
    with writable(folder), locked(folder / ".lock", wait=False, what=f"study {study.name!r}"), ExitStack() as stack:
        _plan(study, plan, folder)
        shards = missing_shards(cells, study.seeds, folder)
        mirror = stack.enter_context(Mirror(folder)) if tracking else None
        result.store = mirror.uri if mirror else ""
        groups = Groups(mirror, shards) if mirror else None

        def write(outcome: Outcome[Shard], made: dict[str, Any]) -> None:
            _write(folder / outcome.shard.cell.folder, outcome.result, made)
            if groups:
                groups.done(outcome.shard)

        result.failures = record_shards(shards, jobs, engine, progress, write)
        add_to_study(folder, failures=result.failures)
        result.left_over = left_over(cells, folder)
        if any(seeds_on_record(folder / cell.folder) & set(study.seeds) for cell in cells):
            _conclude(result, study.sweep)
        if mirror:
            mirror.finish()
        if progress:
            progress.finished(result)
    if mirror:
        result.mirror_problem = mirror.problem
    return result


def check_how(arena: str | Path, jobs: int | None, engine: str) -> None:
    """Raises ArenaError for a way to run that is none."""
    if jobs is not None and jobs < 1:
        raise ArenaError(f"jobs must be at least 1, not {jobs}")
    check_engine(engine)
    if not str(arena):
        raise ArenaError("the arena is empty; name a folder with --arena")


def missing_shards(cells: Iterable[Cell], seeds: Sequence[int], folder: Path) -> list[Shard]:
    """The seeds that are not on record yet, as shards. How they are cut never changes a number."""
    shards = []
    for cell in cells:
        on_record = seeds_on_record(folder / cell.folder)
        missing = [seed for seed in cell.seeds_of(seeds) if seed not in on_record]
        evaluations: float = cell.budget.limit
        if cell.budget.unit == "seconds":
            evaluations = cell.budget.limit / (typical_seconds(cell.load()) * cell.time_factor)
        most = OPTIMIZERS.load(cell.optimizer).most_seeds
        length = int(min(most, max(SHARD_EVALUATIONS / max(evaluations, 1), 1)))
        shards += [Shard(cell, tuple(missing[start : start + length])) for start in range(0, len(missing), length)]
    return shards


def _plan(study: Study, plan: Plan, folder: Path) -> None:
    """Writes what the study is made of, and clears what a killed run left half written."""
    sweep(folder)
    for cell in plan.cells:
        cell_folder = folder / cell.folder
        cell_folder.mkdir(exist_ok=True)
        write_json(cell_folder / CELL_FILE, cell.describe())
    about = {
        "name": study.name,
        "description": study.description,
        "sweep": study.sweep,
        "cells": [cell.folder for cell in plan.cells],
        "seeds": sorted(study.seeds),
        "fewer_seeds": {cell.folder: cell.seeds for cell in plan.cells if cell.seeds is not None},
        "skipped": plan.skipped,
    }
    write_json(folder / STUDY_FILE, {"id": owner_of(folder), **about})


class Groups:
    """Tells the mirror of the cells that one run in MLflow is about, as soon as their last shard is on record."""

    def __init__(self, mirror: Mirror, shards: Iterable[Recorded]) -> None:
        self._mirror = mirror
        self._group = {cell: group for group in mirror.groups for cell in group}
        self._missing = Counter(self._group[shard.cell.folder] for shard in shards)
        for group in mirror.groups if self._missing else ():  # what is there already need not wait for what is not
            self._tell(group)

    def done(self, shard: Recorded) -> None:
        """A shard is on record."""
        group = self._group[shard.cell.folder]
        self._missing[group] -= 1
        self._tell(group)

    def _tell(self, group: tuple[str, ...]) -> None:
        if not self._missing[group]:
            self._mirror.update(group)


def record_shards(
    shards: Sequence[W],
    jobs: int | None,
    engine: str,
    progress: Progress | None,
    write: Callable[[Outcome[W], dict[str, Any]], None],
) -> list[tuple[str, str]]:
    """Runs shards, of tables or of the toy problem, and has each that ends well written.

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


def _write(folder: Path, result: SearchResult, made: dict[str, Any]) -> None:
    write_shard(
        folder,
        seeds=result.seeds,
        checkpoints=result.checkpoints,
        columns=result.columns,
        improvements=result.improvements,
        distribution=result.distribution,
        made=made,
    )


def _conclude(result: StudyRun, sweep: str) -> None:
    """Reads the records back and makes tables and figures of them."""
    result.cells = read_study(result.folder)
    (result.folder / "figures").mkdir(exist_ok=True)
    by_benchmark: dict[str, list[CellRecord]] = {}
    for cell in result.cells:
        by_benchmark.setdefault(cell.benchmark, []).append(cell)
    legible = {label: group for label, group in by_benchmark.items() if not sweep or len(group) <= MOST_ROWS}
    result.tables = benchmark_tables([cell for group in legible.values() for cell in group])
    if legible:
        text = render(result.tables)
        result.texts.append(result.folder / TABLES_FILE)
        write_atomically(result.texts[-1], lambda stream: stream.write(text.encode()))
    for label, group in legible.items():
        result.figures.append(result.folder / "figures" / f"{label}.png")
        anytime_figure(group, result.figures[-1])
    if sweep:
        comparisons = compare(result.cells, sweep)
        text = render_ablation(comparisons, sweep)
        result.texts.append(result.folder / ABLATION_FILE)
        write_atomically(result.texts[-1], lambda stream: stream.write(text.encode()))
        for drawing in ablation_drawings(result.cells, comparisons, sweep):
            result.figures.append(result.folder / "figures" / f"{drawing.name}.png")
            save(drawing.figure, result.figures[-1])


def left_over(cells: Iterable[Planned], folder: Path) -> list[str]:
    names = {cell.folder for cell in cells}
    return sorted(path.parent.name for path in folder.glob(f"*/{CELL_FILE}") if path.parent.name not in names)
