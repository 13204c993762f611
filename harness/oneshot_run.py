"""Running a one-shot study: the seeds that are missing are searched and trained, recorded, and mirrored into MLflow."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.engine import Outcome
from harness.oneshot_cell import SearchCell, TrainingCell
from harness.oneshot_shard import OneShotResult, OneShotShard
from harness.oneshot_study import OneShotStudy
from harness.running import Progress, StudyRun, carry_out, check_how
from results.drawing import save, stem
from results.files import write_atomically
from results.look import SCREEN, styles_of
from results.oneshot_comparison import by_problem, oneshot_rows
from results.oneshot_figures import over_epochs
from results.oneshot_outcome_figures import outcomes
from results.oneshot_record import OneShotCell, read_oneshot_cell, write_run
from results.oneshot_table import render_oneshot
from results.record import seeds_on_record

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

    By default seeds run one at a time on a GPU, and without one as many as there are cores.
    """
    check_how(arena, jobs, engine)
    at_a_time = jobs or (None if engine == "ray" else _at_a_time(study.device))
    return carry_out(_OneShot(study), arena=arena, jobs=at_a_time, engine=engine, tracking=tracking, progress=progress)


class _OneShot:
    """A one-shot study, planned."""

    def __init__(self, study: OneShotStudy) -> None:
        self.name, self._study = study.name, study
        self.cells, self.skipped = study.plan()

    def about(self) -> dict[str, Any]:
        seeds = tuple(sorted(self._study.seeds))
        asked = {cell.folder: cell.seeds_of(seeds) for cell in self.cells}
        return {
            "kind": "oneshot",
            "description": self._study.description,
            "seeds": seeds,
            "own_seeds": {name: own for name, own in asked.items() if own != seeds},
        }

    def missing(self, folder: Path) -> list[OneShotShard]:
        return missing_seeds(self._study, self.cells, folder)

    def write(self, folder: Path, outcome: Outcome[OneShotShard], made: dict[str, Any]) -> None:
        found: OneShotResult = outcome.result
        versions = made["versions"] | {"torch": found.torch}
        write_run(
            folder, outcome.shard.seeds[0], found.epochs, found.result, made | found.made | {"versions": versions}
        )

    def conclude(self, result: StudyRun) -> None:
        folders = [(result.folder / cell.folder, cell.seeds_of(self._study.seeds)) for cell in self.cells]
        records = [read_oneshot_cell(folder, seeds) for folder, seeds in folders]
        records = [record for record in records if record.runs]
        if records:
            _conclude(result, records)


def missing_seeds(study: OneShotStudy, cells: Cells, folder: Path) -> list[OneShotShard]:
    """The seeds that are not on record yet, each a shard."""
    shards = []
    for cell in cells:
        inside = folder.resolve() / cell.folder
        on_record = seeds_on_record(inside)
        shards += [OneShotShard(cell, (seed,), inside) for seed in cell.seeds_of(study.seeds) if seed not in on_record]
    return shards


def _at_a_time(device: str) -> int | None:
    """How many seeds run at a time: on a GPU one, as all would be on the same; None for one a core."""
    from harness.training import choose_device

    return 1 if choose_device(device).type == "cuda" else None


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
