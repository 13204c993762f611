"""What MLflow is told of a toy study: a summary a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from harness.cell_runs import OnRecord
from harness.runs import CONTENT_VERSION, CURVE_POINTS, RunContent, RunPlan, digest, links
from results.toy_record import ToyRecord, read_trials
from results.toy_table import ToyRow


def toy_plans(folder: Path, seeds: Sequence[int], colour: str) -> Iterator[RunPlan]:
    """The run that a row of a toy study should have: none where no trial is on record.

    Args:
        folder: of the row.
        seeds: those of the study that it gets.
        colour: of its curves, as #RRGGBB.
    """
    there = OnRecord(folder, seeds)
    if there.seeds:
        state = digest([CONTENT_VERSION, there.id, there.seeds, colour])
        yield RunPlan("summary", there.id, state, lambda: toy_summary(read_trials(folder, there.seeds), colour))


def toy_summary(record: ToyRecord, colour: str) -> RunContent:
    """The figures of a row's trials, and the share of them that have succeeded by a number of iterations."""
    about, row = record.about, ToyRow.of(record)
    optimizer = about["optimizer"]
    tags = {
        "optimizer": optimizer["name"],
        "variant": record.variant,
        "space": "toy",
        "dataset": (problem := f"eta_x {record.problem['eta_x']:g}"),
        "benchmark": problem,
        "mode": "toy",
        "commit": record.made[-1]["commit"][:12] or "none",
        "mlflow.runColor": colour,
        "arena.cell": about["id"],
    }
    params = {f"optimizer.{name}": str(value) for name, value in optimizer["settings"].items()}
    params |= {f"problem.{name}": str(value) for name, value in record.problem.items()}
    params |= {"k": str(record.k), "seeds": str(row.trials)}
    name = f"{record.variant} · {about['name'].removeprefix(record.variant).strip(', ')}"
    content = RunContent(name, tags, params, seconds=sum(made["wall_seconds"] for made in record.made))
    content.describe = lambda experiment, run: (
        f"**{about['name']}**: {row.trials} trials of the toy problem of the ASNG paper.\n\n{links(experiment)}\n\n"
        "success/by_loss: the share of trials with a sample whose noise-free loss is below 1 / K, by iterations."
    )

    iterations = record.columns["by_loss"]
    steps = np.unique(np.geomspace(10, record.problem["iterations"], CURVE_POINTS).round().astype(np.int64))
    for metric in ("success/by_loss", f"{problem}/success"):
        content.log(metric, (iterations <= steps[:, None]).mean(axis=1), steps)
    content.log("final/success", row.successes / row.trials)
    content.log("final/mode_success", row.at_mode / row.trials)
    for metric, value in (("median", row.median), ("median_low", row.low), ("median_high", row.high)):
        content.log(f"iterations/{metric}", value)
    content.log("iterations/first_quartile", row.quartiles[0])
    content.log("iterations/third_quartile", row.quartiles[1])
    content.log("step_size/lowest", row.step_size[0])
    content.log("step_size/highest", row.step_size[1])
    content.log("final/largest_probability", record.columns["convergence"].mean())
    return content
