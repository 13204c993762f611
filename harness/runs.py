"""What the runs of a study in MLflow say: summaries, trials and the report, made from records."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from results.record import CellRecord
from results.statistics import interquartile_mean, interquartile_mean_interval
from results.tables import evaluations_to_target, reported_heading, reported_number

CONTENT_VERSION = 1  # raised when the content of a run changes, so that old ones are written anew
CURVE_POINTS = 30
TRIAL_SEEDS = 20  # a cell of more seeds has no run a seed


@dataclass
class RunContent:
    """One run, before it is written.

    Attributes:
        kind: "report" (one a study), "summary" (one a cell, or a curve of cells) or "trial" (one a seed).
        key: what the run is of; there is one run of a kind and key.
        state: of what it is made; a run of the same kind, key and state is up to date.
        name: what the list of runs shows.
        points: metric, value, step.
    """

    kind: str
    key: str
    state: str
    name: str
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    points: list[tuple[str, float, int]] = field(default_factory=list)
    artifacts: tuple[Path, ...] = ()

    def log(self, metric: str, values: ArrayLike, steps: ArrayLike = 0) -> None:
        """Adds a curve, or a single figure."""
        for value, step in zip(np.atleast_1d(values), np.atleast_1d(steps), strict=True):
            if np.isfinite(value):  # MLflow stores infinity as 1.8e308
                self.points.append((metric, float(value), int(step)))


def summary(cell: CellRecord) -> RunContent:
    """Interquartile means over the seeds of a cell, as curves of at most 30 points, and its final figures."""
    content = of_cell(cell, "summary", cell.about["id"], state_of(cell), "")
    content.params["seeds"] = str(len(cell.seeds))
    content.tags["mlflow.note.content"] = _description(cell)
    about, reported = cell.about["benchmark"], reported_of(cell)
    places = _curve_places(cell)
    steps = cell.checkpoints[places]
    for answer, column in answers(cell).items():
        regret = cell.columns[f"{column}_regret"][:, places]
        low, high = interquartile_mean_interval(regret)
        content.log(f"regret/{answer}", interquartile_mean(regret), steps)
        content.log(f"regret/{answer}_low", low, steps)
        content.log(f"regret/{answer}_high", high, steps)
        number = reported_number(about, cell.columns[f"{column}_final"][:, places]).mean(axis=0)
        content.log(f"{reported}/{answer}", number, steps)
        content.log(f"final/{reported}_{answer}", number[-1])
        for budget in cell.about["report_at"]:
            content.log(f"final/regret_{answer}_at_{budget}", interquartile_mean(cell.at(budget, f"{column}_regret")))
    name = cell.about["optimizer"]["name"].rpartition(":")[2]
    for column, values in cell.columns.items():
        if column.startswith("diagnostic."):
            content.log(f"{name}/{column.removeprefix('diagnostic.')}", interquartile_mean(values[:, places]), steps)
    content.log("time/simulated_seconds", cell.columns["seconds"][:, places].mean(axis=0), steps)
    times = evaluations_to_target(cell)
    content.log("final/target_success", np.isfinite(times).mean())
    content.log("final/evaluations_to_target", np.percentile(times, 50, method="higher"))
    content.log("final/distinct_evaluations", cell.columns["distinct"][:, -1].mean())
    return content


def trials(cell: CellRecord) -> list[RunContent]:
    """One run a seed, where a cell has few."""
    if len(cell.seeds) > TRIAL_SEEDS:
        return []
    return [_trial(cell, row, seed) for row, seed in enumerate(cell.seeds.tolist())]


def report(study: str, cells: Sequence[CellRecord], artifacts: Sequence[Path]) -> RunContent:
    """The figures and tables of a study, as files to look at."""
    state = digest(sorted(state_of(cell) for cell in cells))
    return RunContent("report", study, state, f"report of {study}", artifacts=tuple(artifacts))


def _trial(cell: CellRecord, row: int, seed: int) -> RunContent:
    about, reported = cell.about["benchmark"], reported_of(cell)
    state = digest([CONTENT_VERSION])  # the numbers of a seed never change
    content = of_cell(cell, "trial", f"{cell.about['id']}/{seed}", state, f" · seed {seed}")
    content.params["seed"] = content.tags["seed"] = str(seed)
    for answer, column in answers(cell).items():
        regret = cell.columns[f"{column}_regret"][row]
        number = reported_number(about, cell.columns[f"{column}_final"][row])
        content.log(f"regret/{answer}", regret, cell.checkpoints)
        content.log(f"{reported}/{answer}", number, cell.checkpoints)
        content.log(f"final/regret_{answer}", regret[-1])
        content.log(f"final/{reported}_{answer}", number[-1])
    return content


def of_cell(cell: CellRecord, kind: str, key: str, state: str, suffix: str) -> RunContent:
    """A run about a cell: what it is of, with its tags and parameters."""
    optimizer, benchmark, budget = (cell.about[part] for part in ("optimizer", "benchmark", "budget"))
    tags = {
        "optimizer": optimizer["name"],
        "variant": optimizer["label"],
        "space": benchmark["name"],
        "dataset": benchmark["dataset"],
        "mode": "tabular",
        "commit": cell.made[-1]["commit"][:12] or "none",
    }
    sections: dict[str, dict[str, Any]] = {
        "optimizer": optimizer["settings"],
        "benchmark": {**benchmark["options"], "noise": benchmark["noise"]},
        "budget": budget,
    }
    params = {f"{section}.{name}": str(value) for section, values in sections.items() for name, value in values.items()}
    # the list of runs has little room: the optimizer comes first, the benchmark's name is left to its tag
    name = f"{cell.optimizer} · {cell.benchmark.removeprefix(benchmark['name'] + '-')}{suffix}"
    return RunContent(kind, key, state, name, tags, params)


def _description(cell: CellRecord) -> str:
    wording = cell.about["benchmark"]["wording"]
    lines = [
        f"**{cell.optimizer}** on **{cell.benchmark}**, {len(cell.seeds)} seeds.",
        f"Searched by {wording['searched']}; reported: {wording['reported']}.",
        "Curves are interquartile means over seeds with 95 % bootstrap intervals; steps are "
        f"{cell.about['budget']['unit']}.",
        f"{wording['remark']}." if wording["remark"] else "",
        f"Source of the method: {cell.about['optimizer']['citation']}." if cell.about["optimizer"]["citation"] else "",
    ]
    return "\n\n".join(filter(None, lines))


def reported_of(cell: CellRecord) -> str:
    """The section of the reported number, such as "test" or "hold-out"; nothing is called test that is not."""
    return reported_heading(cell.about["benchmark"])[0]


def answers(cell: CellRecord) -> dict[str, str]:
    """Name and column of the optimizer's answers, one where both are the same."""
    both = {"best_seen": "incumbent", "recommended": "recommended"}
    return {"best_seen": "incumbent"} if cell.recommends_incumbent else both


def _curve_places(cell: CellRecord) -> NDArray[np.int64]:
    """At most 30 of the checkpoints, the reported budgets among them."""
    named = np.flatnonzero(np.isin(cell.checkpoints, cell.about["report_at"]))
    room = max(CURVE_POINTS - len(named), 2)
    spread = np.linspace(0, len(cell.checkpoints) - 1, room).round().astype(np.int64)
    return np.unique(np.concatenate([named, spread]))


def state_of(cell: CellRecord) -> str:
    """What the content of a cell's runs is made of."""
    return digest([CONTENT_VERSION, cell.about["id"], cell.seeds.tolist()])


def digest(parts: Sequence[Any]) -> str:
    """A short hash."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
