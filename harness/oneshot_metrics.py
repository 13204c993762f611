"""The metrics of one-shot searches and trainings in MLflow, and the numbers on record that they hold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from harness.runs import Point
from results.architecture import names_of, values_at
from results.oneshot_record import OneShotCell, OneShotRun

# of what is on record of an epoch; what else there is, is about the state of the optimizer
EPOCH_METRICS = {
    "true_reported": "true/reported",
    "true_searched": "true/searched",
    "shared_accuracy": "shared/accuracy",
    "shared_loss": "shared/loss",
    "train_loss": "loss/train",
    "valid_loss": "loss/valid",
    "learning_rate": "time/learning_rate",
    "seconds": "time/seconds",
    "monitor_seconds": "time/monitor_seconds",
    "peak_mebibytes": "memory/peak_mebibytes",
    # as MLflow's own monitor names them: a tab of a run has all that begin so
    "cpu_percent": "system/cpu_utilization_percentage",
    "memory_mebibytes": "system/system_memory_usage_megabytes",
}
MEGABYTES = 1.048576  # of a mebibyte
KINDS = {"convolutions": "conv", "skip_connections": "skip"}  # of operations, by what is in their names


def curves_of(about: Mapping[str, Any], epochs: Iterable[Mapping[str, float]]) -> Iterator[Point]:
    """What a run says of its epochs, a step an epoch.

    Args:
        about: the content of ``cell.json``.
        epochs: as in :func:`epoch_metrics`, each with its number.
    """
    for epoch in epochs:
        for metric, value in epoch_metrics(about, epoch):
            if np.isfinite(value):  # MLflow stores infinity as 1.8e308
                yield metric, value, int(epoch["epoch"])


def epochs_of(run: OneShotRun) -> Iterator[dict[str, float]]:
    """The epochs on record, each as a line of a progress log has it."""
    for place in range(len(run.epochs["epoch"])):
        yield {name: values[place].item() for name, values in run.epochs.items()}


def epoch_metrics(about: Mapping[str, Any], epoch: Mapping[str, float]) -> list[tuple[str, float]]:
    """What a run says of an epoch, on record or in a progress log: metric and value.

    Args:
        about: the content of ``cell.json``.
        epoch: numbers by the names of :class:`results.oneshot_record.OneShotRun`; those that are missing are left out.
    """
    metrics: list[tuple[str, float]] = []
    for name, value in epoch.items():
        if name == "recommended" and np.isfinite(value):
            metrics += _operations(about["supernet"], int(value))
        elif name not in ("epoch", "step", "recommended"):
            factor = MEGABYTES if name == "memory_mebibytes" else 1
            metrics.append((EPOCH_METRICS.get(name, f"state/{name}"), factor * float(value)))
    return metrics


def _operations(supernet: Mapping[str, Any], rank: int) -> Iterator[tuple[str, float]]:
    """How many operations of a kind an architecture has, where the space has operations of that kind."""
    chosen, there = values_at(supernet["space"], rank), names_of(supernet["space"])
    for kind, part in KINDS.items():
        if any(part in name for names in there for name in names):
            yield f"recommended/{kind}", float(sum(part in name for name in chosen))


def figures_of(cell: OneShotCell) -> dict[str, list[float]]:
    """What the seeds of a cell came to, by metric; one that was not measured for a seed has fewer numbers."""
    figures: dict[str, list[float]] = {}
    for run in cell.runs:
        for metric, value in final_figures(run):
            figures.setdefault(metric, []).append(value)
    return figures


def final_figures(run: OneShotRun) -> Iterator[tuple[str, float]]:
    """Metric and value of what a seed came to; what was not measured is left out."""
    result = run.result
    if len(run.test_accuracies):
        yield "final/test_accuracy", float(run.test_accuracies.mean())
    for name in ("reported", "searched") if result.get("true") else ():
        yield f"final/true_{name}", result["true"][name]
    for name in ("tau", "tau_error", "tau_better_half", "tau_better_half_error") if result.get("ranking") else ():
        yield f"final/{name}", result["ranking"][name]
    for name in ("shared_accuracy", "shared_loss", "parameters", "search_seconds"):
        if result.get(name) is not None:
            yield f"final/{name}", result[name]
    for kind, part in KINDS.items():
        counts = [count for name, count in result["counts"].items() if part in name]
        if counts:
            yield f"final/{kind}", sum(counts)
