"""Descriptions of one-shot cells and seeds in MLflow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np

from harness.pages import artifact, run_page, runs_page
from harness.runs import FAILED, RUNNING, links
from results.oneshot_record import OneShotCell, OneShotRun, place_of
from results.oneshot_words import remark_in_words, spread

MOST_DRAWN = 3  # architectures in a description
MOST_NAMED = 12
BATCHNORM = {
    "batch": "the statistics of each batch",
    "recalibrated": "statistics recalibrated for the architecture at hand",
}


def most_found(cell: OneShotCell) -> list[tuple[int, int]]:
    """The architectures that are drawn, those first that most seeds have: rank and number of seeds."""
    return Counter(run.result["rank"] for run in cell.runs).most_common(MOST_DRAWN)


def describe_summary(cell: OneShotCell, experiment: str, run: str) -> str:
    """Of a cell.

    Args:
        cell: with the seeds that count.
        experiment: its id.
        run: the id of the run.
    """
    about, strings = cell.about, Counter(one.result["string"] for one in cell.runs)
    trials = f"tags.kind = 'trial' and tags.`arena.cell` = '{about['id']}'"
    drawings = [f"![rank {rank}]({artifact(run, f'found_{rank}.svg')})" for rank, _ in most_found(cell)]
    named = [f"`{string}`{f' ({count} seeds)' if count > 1 else ''}" for string, count in strings.most_common()]
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    what = f"{len(cell.runs)} {'searches' if cell.is_search else 'trainings'}"
    lines = [
        links(experiment, {"trials": runs_page(experiment, trials)}),
        f"**{cell.label}** with {place_of(about)}, {what}.",
        " ".join(drawings),
        f"{'Found' if cell.is_search else 'Trained'}: {', '.join(named[:MOST_NAMED])}{more}.",
        _accuracy_in_words(cell),
        _ranking_in_words(cell),
        *_settings_in_words(about),
        "Curves are means over seeds; a step is an epoch.",
    ]
    return "\n\n".join(filter(None, lines))


def describe_trial(about: Mapping[str, Any], run: OneShotRun, experiment: str, own: str) -> str:
    """Of a seed that is on record.

    Args:
        about: the content of ``cell.json``.
        run: of the seed.
        experiment: its id.
        own: the id of the run in MLflow.
    """
    chosen = f", chosen by {run.result['chosen_by']}" if "chosen_by" in run.result else ""
    lines = [
        _links(about, experiment),
        f"Seed {run.seed} of **{about['label']}** with {place_of(about)}.",
        f"![the architecture]({artifact(own, 'found.svg')})",
        f"`{run.result['string']}`{chosen}.",
        _trainings_in_words(run),
        *_settings_in_words(about),
        f"A step is an epoch; [system metrics]({run_page(experiment, own, 'system-metrics')}) have a tab of their own.",
    ]
    return "\n\n".join(filter(None, lines))


def describe_unfinished(
    about: Mapping[str, Any], seed: int, epochs: int, status: str, error: str, experiment: str
) -> str:
    """Of a seed that is not on record.

    Args:
        about: the content of ``cell.json``.
        seed: of the study.
        epochs: how many it has done.
        status: of the run.
        error: why it has failed, "" where that is not known.
        experiment: its id.
    """
    end = "failed" if status == FAILED else "was stopped"
    told = "is at work" if status == RUNNING else f"{end} after {epochs} epochs{f': {error}' if error else ''}"
    of_all = "" if status == RUNNING else "The next run of the study runs it again."
    lines = [
        _links(about, experiment),
        f"Seed {seed} of **{about['label']}** with {place_of(about)} {told}.",
        of_all,
        *_settings_in_words(about),
    ]
    return "\n\n".join(filter(None, lines))


def _links(about: Mapping[str, Any], experiment: str) -> str:
    of_all = f"tags.kind = 'summary' and tags.`arena.cell` = '{about['id']}'"
    return links(experiment, {"summary over all seeds": runs_page(experiment, of_all)})


def _accuracy_in_words(cell: OneShotCell) -> str:
    """Of the architectures trained from scratch, and in the table."""
    trained = [run.test_accuracies.mean() for run in cell.runs if len(run.test_accuracies)]
    true = [run.result["true"]["reported"] for run in cell.runs if run.result.get("true")]
    parts = [f"Trained from scratch {spread(np.array(trained))} % of the test images are right"] if trained else []
    if true:
        table = cell.about["table"]
        same = "" if table["same_images"] else ", of other images,"
        known = spread(np.array(true))
        parts.append(f"The table {table['label']}{same} says {known} (its median {table['median_reported']:.2f})")
    return ". ".join([*parts, ""]).strip()


def _ranking_in_words(cell: OneShotCell) -> str:
    """How well accuracy with shared weights orders architectures."""
    rankings = [run.result["ranking"] for run in cell.runs if run.result.get("ranking")]
    if not rankings:
        return ""
    tau, error, half, half_error = (
        np.mean([one[name] for one in rankings])
        for name in ("tau", "tau_error", "tau_better_half", "tau_better_half_error")
    )
    return (
        f"Kendall's tau between {rankings[0]['measure']} and the table is {tau:.2f} ± {error:.2f} over "
        f"{rankings[0]['architectures']} random architectures, {half:.2f} ± {half_error:.2f} in their better half "
        f"(± standard error{' of one search, means over searches' if len(rankings) > 1 else ''})."
    )


def _trainings_in_words(run: OneShotRun) -> str:
    accuracies = ", ".join(f"{accuracy:.2f}" for accuracy in run.test_accuracies)
    return f"Trained from scratch: {accuracies} % of the test images are right." if accuracies else ""


def _settings_in_words(about: Mapping[str, Any]) -> list[str]:
    images, optimizer, loop = about["images"], about["optimizer"], about["loop"]
    size = "x".join(map(str, images["shape"]))
    citations = [optimizer["citation"] if optimizer else "", about["supernet"]["citation"], images["citation"]]
    return [
        f"BatchNorm of the supernet uses {BATCHNORM[loop['batchnorm']]} ({loop['batchnorm']})." if loop else "",
        f"Images: {images['label']}, {images['train_images']:,} to train, {images['test_images']:,} to test, {size}, "
        f"{images['classes']} classes.{remark_in_words(images)}",
        f"Sources: {'; '.join(filter(None, citations))}." if any(citations) else "",
    ]
