"""Running a study: what is missing is searched, recorded in the study's folder, and mirrored into MLflow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.cell import Cell
from harness.console import TABLES_FILE, render
from harness.engine import Outcome, Shard
from harness.running import Progress, StudyRun, carry_out, check_how
from harness.study import Study
from harness.tabular import SearchResult, typical_seconds
from optimizers.registry import OPTIMIZERS
from results.ablation import compare
from results.ablation_report import ablation_drawings
from results.ablation_table import render_ablation
from results.drawing import save
from results.figures import anytime_figure
from results.files import write_atomically
from results.record import CellRecord, read_study, seeds_on_record, write_shard
from results.tables import benchmark_tables

ABLATION_FILE = "ablation.txt"
MOST_ROWS = 20  # of a table of a sweep: of more cells their curves say more
SHARD_EVALUATIONS = 2_000_000  # of one shard at most, about: its memory grows with them


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
    undertaking = _Tabular(study)
    return carry_out(undertaking, arena=arena, jobs=jobs, engine=engine, tracking=tracking, progress=progress)


class _Tabular:
    """A study of tables, planned."""

    def __init__(self, study: Study) -> None:
        self.name, self._study = study.name, study
        plan = study.plan()
        self.cells, self.skipped = plan.cells, plan.skipped

    def about(self) -> dict[str, Any]:
        return {
            "description": self._study.description,
            "sweep": self._study.sweep,
            "seeds": sorted(self._study.seeds),
            "fewer_seeds": {cell.folder: cell.seeds for cell in self.cells if cell.seeds is not None},
        }

    def missing(self, folder: Path) -> list[Shard]:
        return missing_shards(self.cells, self._study.seeds, folder)

    def write(self, folder: Path, outcome: Outcome[Shard], made: dict[str, Any]) -> None:
        result: SearchResult = outcome.result
        write_shard(
            folder,
            seeds=result.seeds,
            checkpoints=result.checkpoints,
            columns=result.columns,
            improvements=result.improvements,
            distribution=result.distribution,
            made=made,
        )

    def conclude(self, result: StudyRun) -> None:
        seeds = set(self._study.seeds)
        if any(seeds_on_record(result.folder / cell.folder) & seeds for cell in self.cells):
            _conclude(result, self._study.sweep)


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
