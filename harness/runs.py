"""What a run in MLflow is, before it is written, and what all runs about cells say alike."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from harness.pages import runs_page, study_page
from results.anytime import Answer
from results.record import CellRecord
from results.tables import reported_heading

CONTENT_VERSION = 4  # raised when the content of a run changes, so that old ones are written anew
CURVE_POINTS = 24  # MLflow takes a seventh of a millisecond a point

FINISHED, FAILED, KILLED, RUNNING = "FINISHED", "FAILED", "KILLED", "RUNNING"  # MLflow's words
ATTEMPT = "arena.live"  # the tag that tells which attempt at a seed a run is of, where it may be there while it runs

Point = tuple[str, float, int]
"""Metric, value, step."""


@dataclass(frozen=True)
class Dataset:
    """A table that was searched, as MLflow lists data sets.

    Attributes:
        name: of the benchmark.
        digest: of the files that the table was read from.
        source: those files with their checksums.
        size: how many architectures it has.
    """

    name: str
    digest: str
    source: Mapping[str, str]
    size: int


@dataclass
class RunContent:
    """What a run says.

    Attributes:
        name: what the list of runs shows.
        points: of its curves, and single figures at step 0.
        files: artifacts by name: where one lies, or its bytes.
        describe: makes the description, in Markdown, from the ids of the experiment and the run.
        seconds: how long what it is about took.
        clock: after how many seconds a step came, where that is known.
    """

    name: str
    tags: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    points: list[Point] = field(default_factory=list)
    files: dict[str, Path | bytes] = field(default_factory=dict)
    datasets: tuple[Dataset, ...] = ()
    describe: Callable[[str, str], str] = lambda experiment, run: ""
    seconds: float = 0.0
    clock: Mapping[int, float] = field(default_factory=dict)

    def log(self, metric: str, values: ArrayLike, steps: ArrayLike = 0) -> None:
        """Adds a curve, or a single figure."""
        for value, step in zip(np.atleast_1d(values), np.atleast_1d(steps), strict=True):
            if np.isfinite(value):  # MLflow stores infinity as 1.8e308
                self.points.append((metric, float(value), int(step)))


@dataclass(frozen=True)
class RunPlan:
    """A run that should be there; its content is made only where it is not.

    Attributes:
        kind: "report" (one a study), "summary" (one a cell, or a curve of cells) or "trial" (one a seed).
        key: what the run is of; there is one run of a kind and key.
        state: of what it is made; a run of the same kind, key, state and status is up to date.
        status: MLflow's: RUNNING while it grows.
    """

    kind: str
    key: str
    state: str
    make: Callable[[], RunContent]
    status: str = FINISHED

    @property
    def place(self) -> tuple[str, str]:
        return self.kind, self.key


def of_cell(cell: CellRecord, suffix: str = "") -> RunContent:
    """A run about a cell: what it is of, with its tags and parameters."""
    optimizer, benchmark, budget = (cell.about[part] for part in ("optimizer", "benchmark", "budget"))
    tags = {
        "optimizer": optimizer["name"],
        "variant": optimizer["label"],
        "benchmark": benchmark["label"],
        "space": benchmark["name"],
        "dataset": benchmark["dataset"],
        "mode": "tabular",
        "commit": (commit := cell.made[-1]["commit"])[:12] or "none",
        "arena.cell": cell.about["id"],
        "mlflow.source.name": "nas-arena",
        **({"mlflow.source.git.commit": commit} if commit else {}),
    }
    sections: dict[str, dict[str, Any]] = {
        "optimizer": optimizer["settings"],
        "benchmark": {**benchmark["options"], "noise": benchmark["noise"]},
        "budget": budget,
    }
    params = {f"{section}.{name}": str(value) for section, values in sections.items() for name, value in values.items()}
    return RunContent(
        name=f"{cell.optimizer} · {short_benchmark(benchmark)}{suffix}",
        tags=tags,
        params=params,
        datasets=(dataset_of(cell),),
        seconds=sum(made["wall_seconds"] for made in cell.made),
    )


def short_benchmark(about: Mapping[str, Any]) -> str:
    """A benchmark without its space's name: the list of runs has little room, and a tag has the whole.

    Args:
        about: the part of ``cell.json`` on the benchmark.
    """
    return str(about["label"]).removeprefix(f"{about['name']}-")


def dataset_of(cell: CellRecord) -> Dataset:
    """The table of a cell."""
    checksums = dict(cell.about["identity"]["benchmark"]["checksums"])
    return Dataset(cell.benchmark, digest(sorted(checksums.items())), checksums, cell.about["benchmark"]["table_size"])


def reported_of(cell: CellRecord) -> str:
    """The section of the reported number, such as "test" or "hold-out"; nothing is called test that is not."""
    return reported_heading(cell.about["benchmark"])[0]


def answers(cell: CellRecord) -> dict[str, Answer]:
    """Name and column of the optimizer's answers, one where both are the same."""
    both: dict[str, Answer] = {"best_seen": "incumbent", "recommended": "recommended"}
    return {"best_seen": "incumbent"} if cell.recommends_incumbent else both


def curve_metric(about: Mapping[str, Any]) -> str:
    """The metric that the runs on one benchmark have alone, so that a chart of it shows these and no others.

    The data set comes first: the title of a chart has little room.

    Args:
        about: the part of ``cell.json`` on the benchmark.
    """
    return metric_name(f"{short_benchmark(about)} {about['name']}/regret")


def at_budget(budget: int, answer: str, number: str) -> str:
    """The metric of a number at a reported budget, a section of charts a budget."""
    return f"at_{budget}/{_of(answer)}{number}"


def final(answer: str, number: str) -> str:
    """The metric of a number at the whole budget."""
    return f"final/{_of(answer)}{number}"


def _of(answer: str) -> str:
    return "" if answer == "best_seen" else f"{answer}_"


def metric_name(text: str) -> str:
    """A text as MLflow takes it for a metric."""
    return re.sub(r"[^A-Za-z0-9_. :/-]", "_", text)


def links(experiment: str, others: Mapping[str, str] | None = None) -> str:
    """A line of links: to the study, the report, and other pages by what they are called."""
    pages = {"study": study_page(experiment), "report": runs_page(experiment, "tags.kind = 'report'"), **(others or {})}
    return " · ".join(f"[{called}]({page})" for called, page in pages.items())


def digest(parts: Sequence[Any]) -> str:
    """A short hash."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:16]
