"""What MLflow is told of a toy study: a summary a row, and the report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from harness.runs import CURVE_POINTS, RunContent, digest
from results.toy_record import ToyRecord
from results.toy_table import ToyRow

TOY_CONTENT_VERSION = 1  # raised when the content of a run changes, so that old ones are written anew


def toy_summary(record: ToyRecord) -> RunContent:
    """The figures of a row's trials, and the share of them that have succeeded by a number of iterations."""
    about, row = record.about, ToyRow.of(record)
    optimizer = about["optimizer"]
    tags = {
        "optimizer": optimizer["name"],
        "variant": record.variant,
        "space": "toy",
        "dataset": f"eta_x {record.problem['eta_x']:g}",
        "mode": "toy",
        "commit": record.made[-1]["commit"][:12] or "none",
        "mlflow.note.content": (
            f"**{about['name']}**: {row.trials} trials of the toy problem of the ASNG paper. success/by_loss: the "
            "share of trials with a sample whose noise-free loss is below 1 / K, by iterations."
        ),
    }
    params = {f"optimizer.{name}": str(value) for name, value in optimizer["settings"].items()}
    params |= {f"problem.{name}": str(value) for name, value in record.problem.items()}
    params |= {"k": str(record.k), "seeds": str(row.trials)}
    name = f"{record.variant} · {about['name'].removeprefix(record.variant).strip(', ')}"
    content = RunContent("summary", about["id"], _state(record), name, tags, params)

    iterations = record.columns["by_loss"]
    steps = np.unique(np.geomspace(10, record.problem["iterations"], CURVE_POINTS).round().astype(np.int64))
    content.log("success/by_loss", (iterations <= steps[:, None]).mean(axis=1), steps)
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


def toy_report(study: str, records: Sequence[ToyRecord], artifacts: Sequence[Path]) -> RunContent:
    """The figure and the table of a study, as files to look at."""
    state = digest(sorted(_state(record) for record in records))
    return RunContent("report", study, state, f"report of {study}", artifacts=tuple(artifacts))


def _state(record: ToyRecord) -> str:
    return digest([TOY_CONTENT_VERSION, record.about["id"], record.seeds.tolist()])
