"""Running a one-shot study: the seeds that are missing are searched and trained, recorded, and mirrored into MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from harness.engine import Outcome
from harness.folder import add_to_study, owner_of, writable
from harness.lock import locked
from harness.mirror import Mirror
from harness.oneshot_cell import SearchCell, TrainingCell
from harness.oneshot_shard import OneShotShard
from harness.oneshot_study import OneShotStudy
from harness.run import Groups, Progress, StudyRun, check_how, left_over, record_shards
from results.drawing import save, stem
from results.files import sweep, write_atomically, write_json
from results.look import SCREEN, styles_of
from results.oneshot_comparison import by_problem, oneshot_rows
from results.oneshot_figures import over_epochs
from results.oneshot_outcome_figures import outcomes
from results.oneshot_record import OneShotCell, read_oneshot_cell, write_run
from results.oneshot_table import render_oneshot
from results.record import CELL_FILE, STUDY_FILE, seeds_on_record

TEXT_FILE = "oneshot.txt"

Cells = Sequence[SearchCell | TrainingCell]


def run_oneshot_study(
    study: OneShotStudy,
    *,
    arena: str | Path = "arena",
    jobs: int | None = None,
    engine: str = "processes",
    tracking: bool = True,
    progress: Progress | None = None,
) -> StudyRun:
    """Runs what is missing of a one-shot study, as :func:`harness.run.run` does of others; it has the same arguments.

    By default one seed runs at a time on each GPU, and without one on each core.
    """
    check_how(arena, jobs, engine)
    cells, skipped = study.plan()
    folder = Path(arena) / study.name
    result = StudyRun(folder, skipped=skipped)
    with writable(folder), locked(folder / ".lock", wait=False, what=f"study {study.name!r}"), ExitStack() as stack:
        _plan(study, cells, skipped, folder)
        shards = missing_seeds(study, cells, folder)
        mirror = stack.enter_context(Mirror(folder)) if tracking else None
        result.store = mirror.uri if mirror else ""
        groups = Groups(mirror, shards) if mirror else None

        def write(outcome: Outcome[OneShotShard], made: dict[str, Any]) -> None:
            shard, found = outcome.shard, outcome.result
            made["versions"] = made["versions"] | {"torch": found.made.pop("torch")}
            write_run(folder / shard.cell.folder, shard.seeds[0], found.epochs, found.result, made | found.made)
            if groups:
                groups.done(shard)

        result.failures = record_shards(shards, jobs or _devices(study.device), engine, progress, write)
        add_to_study(folder, failures=result.failures)
        result.left_over = left_over(cells, folder)
        records = [read_oneshot_cell(folder / cell.folder, cell.seeds_of(study.seeds)) for cell in cells]
        records = [record for record in records if record.runs]
        if records:
            _conclude(result, records)
        if mirror:
            mirror.finish()
        if progress:
            progress.finished(result)
    result.mirror_problem = mirror.problem if mirror else ""
    return result


def _plan(study: OneShotStudy, cells: Cells, skipped: Sequence[tuple[str, str]], folder: Path) -> None:
    """Writes what the study is made of, and clears what a killed run left half written."""
    sweep(folder)
    for cell in cells:
        (folder / cell.folder).mkdir(exist_ok=True)
        write_json(folder / cell.folder / CELL_FILE, cell.describe())
    about = {
        "id": owner_of(folder),
        "kind": "oneshot",
        "name": study.name,
        "description": study.description,
        "cells": [cell.folder for cell in cells],
        "seeds": sorted(study.seeds),
        "own_seeds": {
            cell.folder: list(own)
            for cell in cells
            if (own := cell.seeds_of(study.seeds)) != tuple(sorted(study.seeds))
        },
        "skipped": skipped,
    }
    write_json(folder / STUDY_FILE, about)


def missing_seeds(study: OneShotStudy, cells: Cells, folder: Path) -> list[OneShotShard]:
    """The seeds that are not on record yet, each a shard."""
    shards = []
    for cell in cells:
        inside = folder.resolve() / cell.folder
        on_record = seeds_on_record(inside)
        shards += [OneShotShard(cell, (seed,), inside) for seed in cell.seeds_of(study.seeds) if seed not in on_record]
    return shards


def _devices(device: str) -> int | None:
    """How many seeds run at a time; None for one a core."""
    import torch

    from harness.training import choose_device

    return torch.cuda.device_count() if choose_device(device).type == "cuda" else None


def _conclude(result: StudyRun, records: Sequence[OneShotCell]) -> None:
    """Makes the table and the figures."""
    groups = by_problem(records)
    rows = [oneshot_rows(cells) for cells in groups.values()]
    text = "\n".join(render_oneshot(some) for some in rows)
    result.texts.append(result.folder / TEXT_FILE)
    write_atomically(result.texts[-1], lambda stream: stream.write(text.encode()))
    (result.folder / "figures").mkdir(exist_ok=True)
    for name, cells, some in zip(groups, groups.values(), rows, strict=True):
        of_all = styles_of((cell.about["optimizer"]["name"], cell.label) for cell in cells if cell.is_search)
        prefix = stem(name)
        for drawing in (*over_epochs(cells, prefix, SCREEN, of_all), *outcomes(some, prefix, SCREEN, of_all)):
            result.figures.append(result.folder / "figures" / f"{drawing.name}.png")
            save(drawing.figure, result.figures[-1])
