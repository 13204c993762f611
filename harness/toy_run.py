"""Running a toy study: the trials that are missing are run, recorded in the study's folder, mirrored into MLflow."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from harness.engine import Outcome
from harness.running import Progress, StudyRun, carry_out, check_how
from harness.toy import ToyResult, run_toy
from harness.toy_study import ToyCell, ToyStudy
from optimizers.registry import OPTIMIZERS
from results.drawing import save
from results.files import write_atomically
from results.record import seeds_on_record
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
    return carry_out(_Toy(study), arena=arena, jobs=jobs, engine=engine, tracking=tracking, progress=progress)


class _Toy:
    """A toy study, as it is run."""

    def __init__(self, study: ToyStudy) -> None:
        self.name, self.cells, self._study = study.name, study.cells, study
        self.skipped: list[tuple[str, str]] = []

    def about(self) -> dict[str, Any]:
        return {
            "kind": "toy",
            "description": self._study.description,
            "seeds": sorted(self._study.seeds),
            "fewer_seeds": {cell.folder: cell.seeds for cell in self.cells if cell.seeds is not None},
        }

    def missing(self, folder: Path) -> list[ToyShard]:
        return missing_trials(self._study, folder)

    def write(self, folder: Path, outcome: Outcome[ToyShard], made: dict[str, Any]) -> None:
        columns = asdict(outcome.result)
        write_trials(folder, columns.pop("seeds"), columns, made)

    def conclude(self, result: StudyRun) -> None:
        folders = [(result.folder / cell.folder, cell.seeds_of(self._study.seeds)) for cell in self.cells]
        records = [read_trials(folder, seeds) for folder, seeds in folders]
        records = [record for record in records if len(record.seeds)]
        if records:
            _conclude(result, records)


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
