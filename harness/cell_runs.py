"""What MLflow is told of a cell: a summary over its seeds, and a trial a seed where these are few."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.pages import artifact, runs_page, table_key, table_page
from harness.runs import (
    CONTENT_VERSION,
    CURVE_POINTS,
    RunContent,
    RunPlan,
    answers,
    at_budget,
    curve_metric,
    digest,
    final,
    links,
    of_cell,
    reported_of,
)
from results.files import read_json
from results.look import SCREEN
from results.record import CELL_FILE, CellRecord, read_cell, seeds_on_record
from results.statistics import Floats, expected_running_time, interquartile_mean, interquartile_mean_interval
from results.tables import evaluations_to_target, reported_number

Drawer = Callable[[Mapping[str, Any], int], bytes]
"""Draws an architecture as an SVG file, given the part of ``cell.json`` that has its space, and its rank there."""

TRIAL_SEEDS = 20  # a cell of more seeds has no run a seed


class OnRecord:
    """What is on record of a cell, read when it is needed.

    Args:
        folder: of the cell.
        seeds: those of the study that it gets.

    Attributes:
        id: of the cell.
        seeds: those that are on record.
    """

    def __init__(self, folder: Path, seeds: Sequence[int]) -> None:
        self._folder = folder
        self.seeds = sorted(seeds_on_record(folder).intersection(seeds))
        self.id = str(read_json(folder / CELL_FILE)["id"])

    @cached_property
    def cell(self) -> CellRecord:
        """Its record, of these seeds alone."""
        return read_cell(self._folder).only(self.seeds)


def cell_plans(on_record: OnRecord, colour: str, draw: Drawer) -> Iterator[RunPlan]:
    """The runs that a cell should have: none where no seed is on record.

    Args:
        on_record: what is there of the cell.
        colour: of its curves, as #RRGGBB.
        draw: makes the drawing of an architecture.
    """
    of, seeds = on_record.id, on_record.seeds
    if not seeds:
        return
    if len(seeds) <= TRIAL_SEEDS:
        state = digest([CONTENT_VERSION, colour])  # the numbers of a seed never change
        for seed in seeds:
            yield RunPlan("trial", f"{of}/{seed}", state, partial(_trial, on_record, seed, colour))
    state = digest([CONTENT_VERSION, of, seeds, colour])
    yield RunPlan("summary", of, state, lambda: summary(on_record.cell, colour, draw))


def _trial(on_record: OnRecord, seed: int, colour: str) -> RunContent:
    return trial(on_record.cell, seed, colour)


def summary(cell: CellRecord, colour: str, draw: Drawer) -> RunContent:
    """Interquartile means over the seeds of a cell, as curves of at most 24 points, and all that its table says.

    Args:
        cell: with the seeds that count.
        colour: of its curves, as #RRGGBB.
        draw: makes the drawing of an architecture.
    """
    content = of_cell(cell)
    content.params["seeds"] = str(len(cell.seeds))
    content.tags["mlflow.runColor"] = colour
    places = _curve_places(cell)
    steps = cell.checkpoints[places]
    for answer in answers(cell):
        _log_answer(content, cell, answer, places)
    name = cell.about["optimizer"]["name"].rpartition(":")[2]
    for column, values in cell.columns.items():
        if column.startswith("diagnostic."):
            content.log(f"{name}/{column.removeprefix('diagnostic.')}", interquartile_mean(values[:, places]), steps)
    content.log("time/simulated_seconds", cell.columns["seconds"][:, places].mean(axis=0), steps)
    times = evaluations_to_target(cell)
    content.log("final/target_success", np.isfinite(times).mean())
    content.log("final/evaluations_to_target", np.percentile(times, 50, method="higher"))
    content.log("final/expected_running_time", expected_running_time(times, cell.columns["evaluations"][:, -1]))
    content.log("final/distinct_evaluations", cell.columns["distinct"][:, -1].mean())
    about = cell.about["benchmark"]
    content.files |= {f"found_{answer}.svg": draw(about, index) for answer, (index, _) in _found(cell).items()}
    content.describe = lambda experiment, run: _description(cell, experiment, run)
    return content


def drawer() -> Drawer:
    """Draws every architecture once: the cells of a study find the same ones."""
    drawn: dict[tuple[str, int], bytes] = {}

    def draw(about: Mapping[str, Any], index: int) -> bytes:
        from results.architecture_figure import architecture_svg

        place = str(about["label"]), index
        if place not in drawn:
            drawn[place] = architecture_svg(about, index, SCREEN)
        return drawn[place]

    return draw


def _log_answer(content: RunContent, cell: CellRecord, answer: str, places: NDArray[np.int64]) -> None:
    """The regret of an answer and its reported number, as curves and at every budget of the table."""
    about, column = cell.about["benchmark"], answers(cell)[answer]
    steps, last = cell.checkpoints[places], int(cell.checkpoints[-1])
    regrets = cell.columns[f"{column}_regret"][:, places]
    low, high = interquartile_mean_interval(regrets)
    estimates: dict[str, Floats] = {"": interquartile_mean(regrets), "_low": low, "_high": high}
    at_best = (regrets == 0).mean(axis=0)
    for end, values in estimates.items():
        content.log(f"regret/{answer}{end}", values, steps)
    if answer == "best_seen":
        content.log(curve_metric(about), estimates[""], steps)
    for budget in cell.about["report_at"]:
        at = steps == budget
        for end, values in estimates.items():
            content.log(at_budget(budget, answer, f"regret{end}"), values[at])
        content.log(at_budget(budget, answer, "share_at_best"), at_best[at])
    numbers = reported_number(about, cell.columns[f"{column}_final"][:, places])
    content.log(f"{reported_of(cell)}/{answer}", numbers.mean(axis=0), steps)
    _log_spread(content, final(answer, reported_of(cell)), numbers[:, -1])
    for name, other in cell.about.get("report", {}).items():
        _log_spread(content, final(answer, name), reported_number(other, cell.at(last, f"{column}_final.{name}")))
    if about["landmarks"]["infeasible"]:
        content.log(final(answer, "infeasible"), cell.at(last, f"{column}_infeasible").sum())


def _log_spread(content: RunContent, metric: str, values: Floats) -> None:
    content.log(metric, values.mean())
    if len(values) > 1:
        content.log(f"{metric}_sd", values.std(ddof=1))


def _found(cell: CellRecord) -> dict[str, tuple[int, int]]:
    """Of every answer the table index of the one found most often, and in how many seeds."""
    from results.architecture_figure import most_found

    most = {answer: most_found(cell, column) for answer, column in answers(cell).items()}
    return {answer: found[:2] for answer, found in most.items() if found}


def trial(cell: CellRecord, seed: int, colour: str) -> RunContent:
    """The search of one seed."""
    about, reported, row = cell.about["benchmark"], reported_of(cell), int(np.flatnonzero(cell.seeds == seed)[0])
    content = of_cell(cell, f" · seed {seed}")
    content.params["seed"] = content.tags["seed"] = str(seed)
    content.tags["mlflow.runColor"] = colour
    places = _curve_places(cell)
    steps = cell.checkpoints[places]
    for answer, column in answers(cell).items():
        regret = cell.columns[f"{column}_regret"][row, places]
        number = reported_number(about, cell.columns[f"{column}_final"][row, places])
        content.log(f"regret/{answer}", regret, steps)
        content.log(f"{reported}/{answer}", number, steps)
        content.log(final(answer, "regret"), regret[-1])
        content.log(final(answer, reported), number[-1])
    content.datasets, content.seconds = (), 0.0  # a summary has the table; seeds run side by side, none has a time
    of_all = f"tags.kind = 'summary' and tags.`arena.cell` = '{cell.about['id']}'"
    content.describe = lambda experiment, run: (
        f"Seed {seed} of **{cell.optimizer}** on **{cell.benchmark}**.\n\n"
        + links(experiment, {"summary over all seeds": runs_page(experiment, of_all)})
    )
    return content


def _description(cell: CellRecord, experiment: str, run: str) -> str:
    about, wording = cell.about["optimizer"], cell.about["benchmark"]["wording"]
    others = {"all on this benchmark": table_page(experiment, table_key(cell.benchmark))}
    if len(cell.seeds) <= TRIAL_SEEDS:
        trials = f"tags.kind = 'trial' and tags.`arena.cell` = '{cell.about['id']}'"
        others["trials"] = runs_page(experiment, trials)
    changed = {name: value for name, value in about["settings"].items() if value != about["defaults"].get(name)}
    told = ", ".join(f"{name} = {value} ({about['defaults'].get(name)})" for name, value in changed.items())
    found = _found(cell)
    most = [f"{answer.replace('_', ' ')} {index:,} in {count} seeds" for answer, (index, count) in found.items()]
    drawings: dict[int, str] = {}
    for answer, (index, _) in found.items():
        drawings.setdefault(index, f"![{answer}]({artifact(run, f'found_{answer}.svg')})")
    lines = [
        links(experiment, others),  # on top: what is folded fades out, and cannot be pressed there
        f"**{cell.optimizer}** on **{cell.benchmark}**, {len(cell.seeds)} seeds of "
        f"{cell.about['budget']['limit']:,} {cell.about['budget']['unit']}.",
        " ".join(drawings.values()),
        f"Found most often: {'; '.join(most)}." if most else "",
        f"Settings that differ from their defaults: {told}." if told else "All settings are the defaults.",
        f"Searched by {wording['searched']}; reported: {wording['reported']}.",
        "Curves are interquartile means over seeds with 95 % bootstrap intervals (`_low`, `_high`); regrets in "
        f"{wording['regret_unit']}; steps are {cell.about['budget']['unit']}.",
        f"{wording['remark']}." if wording["remark"] else "",
        f"Source of the method: {about['citation']}." if about["citation"] else "",
        f"Source of the table: {cell.about['benchmark']['citation']}." if cell.about["benchmark"]["citation"] else "",
    ]
    return "\n\n".join(filter(None, lines))


def _curve_places(cell: CellRecord) -> NDArray[np.int64]:
    """At most 24 of the checkpoints, the reported budgets among them."""
    named = np.flatnonzero(np.isin(cell.checkpoints, cell.about["report_at"]))
    room = max(CURVE_POINTS - len(named), 2)
    spread = np.linspace(0, len(cell.checkpoints) - 1, room).round().astype(np.int64)
    return np.unique(np.concatenate([named, spread]))
