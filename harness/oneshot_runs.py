"""What MLflow is told of a cell of a one-shot study: a summary over its seeds, and a trial a seed, which grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.cell_runs import Drawer
from harness.oneshot_metrics import curves_of, epochs_of, figures_of, final_figures
from harness.oneshot_words import describe_summary, describe_trial, describe_unfinished, most_found
from harness.runs import ATTEMPT, CONTENT_VERSION, RunContent, RunPlan, digest
from results.files import read_json
from results.oneshot_record import OneShotCell, OneShotRun, place_of, progress_file, read_oneshot_cell, read_progress
from results.record import CELL_FILE


def oneshot_plans(folder: Path, seeds: Sequence[int], colour: str, draw: Drawer) -> Iterator[RunPlan]:
    """The runs that a cell should have of what is on record: none where no seed is.

    Args:
        folder: of the cell.
        seeds: those of the study that it gets.
        colour: of its curves, as #RRGGBB.
        draw: makes the drawing of an architecture.
    """
    cell = read_oneshot_cell(folder, seeds)
    for run in cell.runs:
        yield trial_plan(cell, run, colour, draw)
    if cell.runs:
        # a seed that is run again need not come out the same
        attempts = [(run.seed, _attempt(run)) for run in cell.runs]
        state = digest([CONTENT_VERSION, cell.about["id"], attempts, colour])
        yield RunPlan("summary", cell.about["id"], state, lambda: summary(cell, colour, draw))


def trial_plan(cell: OneShotCell, run: OneShotRun, colour: str, draw: Drawer) -> RunPlan:
    """The run of a seed that is on record."""
    state = digest([CONTENT_VERSION, colour, _attempt(run)])
    key = _key(cell.about, run.seed)
    return RunPlan("trial", key, state, lambda: trial(cell.about, run, colour, draw))


def unfinished_plan(folder: Path, seed: int, colour: str, status: str, error: str = "") -> RunPlan | None:
    """The run of a seed that is not on record, as far as its progress log goes; None where there is no log.

    Args:
        folder: of the cell.
        seed: of the study.
        colour: of its curves, as #RRGGBB.
        status: RUNNING, or what has become of it: FAILED or KILLED.
        error: why it has failed, where it has.
    """
    try:
        attempt, epochs = read_progress(progress_file(folder, seed))
    except (ValueError, KeyError, TypeError):  # no log of ours, or damaged: it is only for those who watch
        return None
    if not attempt:
        return None
    about = read_json(folder / CELL_FILE)
    state = digest([CONTENT_VERSION, colour, attempt, len(epochs), error])
    make = partial(unfinished, about, seed, attempt, epochs, colour, status, error)
    return RunPlan("trial", _key(about, seed), state, make, status)


def summary(cell: OneShotCell, colour: str, draw: Drawer) -> RunContent:
    """Means over the seeds of a cell: of their curves, and of what they came to."""
    content = _of(cell.about, cell.label, colour)
    content.params["seeds"] = str(len(cell.runs))
    _made_by(content, cell.runs[-1])
    content.seconds = sum(run.made["wall_seconds"] for run in cell.runs)
    curves: dict[tuple[str, int], list[float]] = {}
    figures = figures_of(cell)
    for run in cell.runs:
        for metric, value, step in curves_of(cell.about, epochs_of(run)):
            if not metric.startswith("system/"):  # of a machine at a time, which have no mean
                curves.setdefault((metric, step), []).append(value)
    for (metric, step), values in curves.items():
        content.log(metric, np.mean(values), step)
    for metric, values in figures.items():
        content.log(metric, np.mean(values))
    accuracies = figures.get("final/test_accuracy", [])
    if len(accuracies) > 1:
        content.log("final/test_accuracy_sd", np.std(accuracies, ddof=1))
    content.files |= {f"found_{rank}.svg": draw(cell.about["supernet"], rank) for rank, _ in most_found(cell)}
    content.describe = lambda experiment, run: describe_summary(cell, experiment, run)
    return content


def trial(about: Mapping[str, Any], run: OneShotRun, colour: str, draw: Drawer) -> RunContent:
    """One seed: its curves epoch by epoch, and what it came to."""
    content = _of_seed(about, run.seed, _attempt(run), colour)
    _made_by(content, run)
    content.tags["architecture"] = run.result["string"]
    _log_epochs(content, about, list(epochs_of(run)))
    for metric, value in final_figures(run):
        content.log(metric, value)
    content.log("retrained/test_accuracy", run.test_accuracies, np.arange(len(run.test_accuracies)))
    content.seconds = run.made["wall_seconds"]
    content.files["found.svg"] = draw(about["supernet"], run.result["rank"])
    content.describe = lambda experiment, own: describe_trial(about, run, experiment, own)
    return content


def unfinished(
    about: Mapping[str, Any],
    seed: int,
    attempt: str,
    epochs: Sequence[Mapping[str, float]],
    colour: str,
    status: str,
    error: str,
) -> RunContent:
    """One seed that is not on record: its curves so far, and its error where it has failed."""
    content = _of_seed(about, seed, attempt, colour)
    _log_epochs(content, about, epochs)
    content.tags |= {"error": error} if error else {}
    content.seconds = max(content.clock.values(), default=0.0)
    content.describe = lambda experiment, run: describe_unfinished(about, seed, len(epochs), status, error, experiment)
    return content


def _log_epochs(content: RunContent, about: Mapping[str, Any], epochs: Sequence[Mapping[str, float]]) -> None:
    content.points += curves_of(about, epochs)
    content.clock = {int(epoch["epoch"]): epoch["seconds"] for epoch in epochs}


def _attempt(run: OneShotRun) -> str:
    """At a seed, as its progress log told it."""
    return str(run.made.get("attempt", ""))


def _key(about: Mapping[str, Any], seed: int) -> str:
    return f"{about['id']}/{seed}"


def _made_by(content: RunContent, run: OneShotRun) -> None:
    commit = run.made["commit"]
    content.tags |= {"commit": commit[:12] or "none", **({"mlflow.source.git.commit": commit} if commit else {})}


def _of_seed(about: Mapping[str, Any], seed: int, attempt: str, colour: str) -> RunContent:
    content = _of(about, f"{about['label']} · seed {seed}", colour)
    content.params["seed"] = content.tags["seed"] = str(seed)
    content.tags |= {ATTEMPT: attempt} if attempt else {}
    return content


def _of(about: Mapping[str, Any], name: str, colour: str) -> RunContent:
    """A run about a cell: what it is of, with its tags and parameters."""
    optimizer, supernet, images = about["optimizer"], about["supernet"], about["images"]
    content = RunContent(f"{name} · {images['label']}")
    content.tags |= {
        "optimizer": optimizer["name"] if optimizer else about["label"],
        "variant": about["label"],
        "benchmark": place_of(about),
        "space": supernet["name"],
        "dataset": images["label"],
        "mode": "oneshot",
        "mlflow.runColor": colour,
        "mlflow.source.name": "nas-arena",
        "arena.cell": about["id"],
    }
    content.tags |= {"batchnorm": about["loop"]["batchnorm"]} if about["loop"] else {}
    sections = {
        "optimizer": optimizer["settings"] if optimizer else {},
        "loop": about["loop"] or {},
        "retraining": about["retraining"] or {},
        "supernet": supernet["options"],
        "images": images["options"] | {name: images[name] for name in ("train_images", "test_images", "classes")},
    }
    content.params |= {f"{section}.{key}": str(value) for section, of in sections.items() for key, value in of.items()}
    return content
