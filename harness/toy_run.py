"""Running a toy study: the trials that are missing are run, recorded in the study's folder, mirrored into MLflow."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.engine import Outcome
from harness.folder import add_to_study, owner_of, writable
from harness.lock import locked
from harness.mirror import Mirror
from harness.run import Groups, Progress, StudyRun, check_how, left_over, record_shards
from harness.toy import ToyResult, run_toy
from harness.toy_study import ToyCell, ToyStudy
from optimizers.registry import OPTIMIZERS
from results.drawing import save
from results.files import sweep, write_atomically, write_json
from results.record import CELL_FILE, STUDY_FILE, seeds_on_record
from results.toy_figure import toy_figure
from results.toy_record import ToyRecord, read_trials, write_trials
from results.toy_table import render_toy, toy_rows

TRIALS_SIDE_BY_SIDE = 100  # fill a core's cache: more are no faster a trial
TEXT_FILE = "toy.txt"


@dataclass(frozen=True)
class ToyShard:
    """Some trials of a cell."""

    cell: ToyCell
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        return self.cell.name

    def run(self) -> ToyResult:
        """Runs them."""
        cell = self.cell
        return run_toy(cell.problem, OPTIMIZERS.load(cell.optimizer), dict(cell.settings), self.seeds)


def run_toy_study(
    study: ToyStudy,
    *,
    arena: str | Path = "arena",
    jobs: int | None = None,
    engine: str = "processes",
    tracking: bool = True,
    progress: Progress | None = None,
) -> StudyRun:
    """Runs what is missing of a toy study, as :func:`harness.run.run` does of others; it has the same arguments."""
    check_how(arena, jobs, engine)
    folder = Path(arena) / study.name
    result = StudyRun(folder)
    with writable(folder), locked(folder / ".lock", wait=False, what=f"study {study.name!r}"), ExitStack() as stack:
        _plan(study, folder)
        shards = missing_trials(study, folder)
        mirror = stack.enter_context(Mirror(folder)) if tracking else None
        result.store = mirror.uri if mirror else ""
        groups = Groups(mirror, shards) if mirror else None

        def write(outcome: Outcome[ToyShard], made: dict[str, Any]) -> None:
            columns = asdict(outcome.result)
            write_trials(folder / outcome.shard.cell.folder, columns.pop("seeds"), columns, made)
            if groups:
                groups.done(outcome.shard)

        result.failures = record_shards(shards, jobs, engine, progress, write)
        add_to_study(folder, failures=result.failures)
        result.left_over = left_over(study.cells, folder)
        records = [read_trials(folder / cell.folder, cell.seeds_of(study.seeds)) for cell in study.cells]
        records = [record for record in records if len(record.seeds)]
        if records:
            _conclude(result, records)
        if mirror:
            mirror.finish()
        if progress:
            progress.finished(result)
    result.mirror_problem = mirror.problem if mirror else ""
    return result


def _plan(study: ToyStudy, folder: Path) -> None:
    """Writes what the study is made of, and clears what a killed run left half written."""
    sweep(folder)
    for cell in study.cells:
        (folder / cell.folder).mkdir(exist_ok=True)
        write_json(folder / cell.folder / CELL_FILE, cell.describe())
    about = {
        "id": owner_of(folder),
        "kind": "toy",
        "name": study.name,
        "description": study.description,
        "cells": [cell.folder for cell in study.cells],
        "seeds": sorted(study.seeds),
        "fewer_seeds": {cell.folder: cell.seeds for cell in study.cells if cell.seeds is not None},
    }
    write_json(folder / STUDY_FILE, about)


def missing_trials(study: ToyStudy, folder: Path) -> list[ToyShard]:
    """The trials that are not on record yet, as shards."""
    shards = []
    for cell in study.cells:
        on_record = seeds_on_record(folder / cell.folder)
        missing = tuple(seed for seed in cell.seeds_of(study.seeds) if seed not in on_record)
        starts = range(0, len(missing), TRIALS_SIDE_BY_SIDE)
        shards += [ToyShard(cell, missing[start : start + TRIALS_SIDE_BY_SIDE]) for start in starts]
    return shards


def _conclude(result: StudyRun, records: list[ToyRecord]) -> None:
    """Makes the table and the figure."""
    rows = toy_rows(records)
    text = render_toy(rows)
    result.texts.append(result.folder / TEXT_FILE)
    write_atomically(result.texts[-1], lambda stream: stream.write(text.encode()))
    (result.folder / "figures").mkdir(exist_ok=True)
    result.figures.append(result.folder / "figures" / "iterations.png")
    save(toy_figure(rows).figure, result.figures[-1])
