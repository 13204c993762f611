"""The checklist of good practice in NAS research, answered from what was recorded.

After Lindauer and Hutter, Best Practices for Scientific Research on Neural Architecture Search, JMLR 21(243), 2020; in
our own words.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from results.record import CellRecord
from results.report.document import Check
from results.report.gather import StudyFolder
from results.report.words import counted, listed
from results.statistics import RELIABLE_FROM

OURS = ("optimizers.", "search_spaces.")  # modules whose code comes with NAS Arena


def checklist(studies: Sequence[StudyFolder]) -> tuple[Check, ...]:
    """The answers, for all studies together."""
    cells = [cell for study in studies for cell in study.cells]
    made = [made for cell in cells for made in cell.made]
    foreign = {part: _foreign(cells, part) for part in ("optimizer", "benchmark")}
    return (
        *_released(cells, made, foreign),
        *_compared(studies, cells, made),
        *_reported(cells, made),
    )


def _released(
    cells: Sequence[CellRecord], made: Sequence[dict[str, Any]], foreign: dict[str, list[str]]
) -> Iterable[Check]:
    tables = sorted({cell.about["benchmark"]["citation"] for cell in cells})
    versions = sorted({f"NAS Arena {one['versions']['nas-arena']}" for one in made})
    yield Check(
        "Is the code that trains the final architectures released?",
        "yours to answer" if foreign["benchmark"] else "yes",
        f"they were not trained here: their numbers are those of published tables ({'; '.join(tables)})",
    )
    yield _code("Is the code of the search space released?", foreign["benchmark"], versions)
    yield Check(
        "Are the settings and seeds of the final training released?",
        "yours to answer" if foreign["benchmark"] else "yes",
        "with the tables; which trainings were averaged is said for every benchmark",
    )
    yield _code("Is the code of the search methods released?", foreign["optimizer"], versions)
    yield Check(
        "Are the settings and random seeds of the methods released?", "yes", "all are listed above, defaults included"
    )


def _compared(
    studies: Sequence[StudyFolder], cells: Sequence[CellRecord], made: Sequence[dict[str, Any]]
) -> Iterable[Check]:
    yield Check(
        "Were all methods compared on exactly the same benchmark?",
        "yes",
        "data set, split, table checksums, options and noise are the same in every comparison; a report refuses others",
    )
    differing = [
        what
        for what, values in (
            ("Python", {one["python"] for one in made}),
            ("package versions", {str(sorted(one["versions"].items())) for one in made}),
            ("commits", {one["commit"] for one in made}),
        )
        if len(values) > 1
    ]
    yield Check(
        "Were confounding factors controlled (hardware, versions, run time)?",
        "no" if differing else "yes",
        f"the seeds were computed with different {' and '.join(differing)}; see what ran"
        if differing
        else "one set of versions computed all seeds, and a lookup does not depend on the machine",
    )
    sweeps = sorted({study.sweep for study in studies if study.sweep})
    varied = sorted(
        name
        for name in {cell.about["optimizer"]["name"] for cell in cells}
        if len({cell.optimizer for cell in cells if cell.about["optimizer"]["name"] == name}) > 1
    )
    yield Check(
        "Were ablations run?",
        "yes" if sweeps or varied else "no",
        f"swept: {listed(sweeps)}"
        if sweeps
        else f"several settings of {listed(varied)}"
        if varied
        else "every optimizer has one setting; nas-arena ablate varies them",
    )
    yield Check(
        "Was the same evaluation protocol used for all methods?",
        "yes",
        "one loop evaluates all: same budget, same cost of an evaluation, same choice of the answer",
    )
    yield Check("Was performance compared over time?", "yes", "at up to 60 points of the budget; see the figures")
    lacking = sorted(
        benchmark
        for benchmark in {cell.benchmark for cell in cells}
        if not any(cell.about["optimizer"]["name"] == "random_search" for cell in cells if cell.benchmark == benchmark)
    )
    yield Check(
        "Were the methods compared with random search?",
        "no" if lacking else "yes",
        f"no random_search on {listed(lacking)}; add it to the study" if lacking else "on every benchmark",
    )
    counts = sorted({len(cell.seeds) for cell in cells})
    few = counts[0] < RELIABLE_FROM
    yield Check(
        "Were there several runs, and are their seeds reported?",
        "no" if few else "yes",
        f"{f'{counts[0]:,} to ' if counts[0] < counts[-1] else ''}{counted(counts[-1], 'seed')} a cell"
        + (f"; fewer than {RELIABLE_FROM} give intervals that are too short" if few else ", listed above"),
    )
    yield Check(
        "Were tabular or surrogate benchmarks used for in-depth evaluation?", "yes", "all numbers are of tables"
    )


def _reported(cells: Sequence[CellRecord], made: Sequence[dict[str, Any]]) -> Iterable[Check]:
    changed = sorted(
        {cell.optimizer for cell in cells if cell.about["optimizer"]["settings"] != cell.about["optimizer"]["defaults"]}
    )
    yield Check(
        "Is it reported how settings were tuned, and what that cost?",
        "yours to answer" if changed else "not applicable",
        f"settings other than the defaults, whose origin no record tells: {listed(changed)}"
        if changed
        else "all optimizers ran with their defaults",
    )
    yield Check(
        "Is the time of the whole method reported, not of the search phase alone?",
        "yes",
        "computing time, and the simulated time of all evaluations where the table has times; see cost",
    )
    dirty = any(one["dirty"] for one in made)
    unknown = any(not one["commit"] for one in made)
    yield Check(
        "Are all details of the setup reported?",
        "no" if dirty else "yes",
        "some seeds were computed from a folder with uncommitted changes"
        if dirty
        else "commit, versions, machine, checksums, budgets, settings and seeds are above"
        + (" (some were computed outside a git folder, so without a commit)" if unknown else ""),
    )


def _code(question: str, foreign: Sequence[str], versions: Sequence[str]) -> Check:
    if foreign:
        return Check(question, "yours to answer", f"{listed(foreign)} are not part of NAS Arena")
    return Check(question, "yes", f"it is part of {' and '.join(versions)}")


def _foreign(cells: Sequence[CellRecord], part: str) -> list[str]:
    """The classes of a part of the cells that are not ours."""
    classes = {str(cell.about["identity"][part]["class"]) for cell in cells}
    return sorted(path for path in classes if not path.startswith(OURS))
