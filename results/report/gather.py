"""What a report is about: the folders of one or more studies, read and found comparable."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from results.files import RecordError, read_json
from results.oneshot_record import OneShotCell, read_oneshot_cell
from results.record import CELL_FILE, STUDY_FILE, CellRecord, asked_of, read_study, shard_files
from results.toy_record import ToyRecord, read_trials

# what must be the same in cells that are compared: the key of the identity, and what it is called
COMPARED = {
    "budget": "the budget",
    "time_factor": "the time factor",
    "loop_version": "the version of the search loop",
    "mode": "the mode",
    "benchmark": "the benchmark",
    "report": "the benchmarks reported on",
}


@dataclass(frozen=True)
class StudyFolder:
    """A study as its folder tells it.

    Attributes:
        folder: where it is.
        about: the content of ``study.json``.
        cells: what is finished of its cells; empty for a toy study and a one-shot study.
        trials: the rows of a toy study; else empty.
        searched: what is finished of a one-shot study; else empty.
        unfinished: cells with fewer seeds than the study asked for: label, seeds on record, seeds asked.
        left_over: cells in the folder that the last run did not name.
    """

    folder: Path
    about: dict[str, Any]
    cells: tuple[CellRecord, ...]
    trials: tuple[ToyRecord, ...]
    searched: tuple[OneShotCell, ...]
    unfinished: tuple[tuple[str, int, int], ...]
    left_over: tuple[str, ...]

    @property
    def name(self) -> str:
        return str(self.about["name"])

    @property
    def sweep(self) -> str:
        """The setting that it varies, "" where it is none of a kind."""
        return str(self.about.get("sweep", ""))


def read_folder(folder: Path) -> StudyFolder:
    """Reads a study.

    Raises:
        RecordError: when the folder is no study, none of its cells is finished, or a newer version wrote it.
    """
    about = about_study(folder)
    cells: list[CellRecord] = []
    trials: list[ToyRecord] = []
    searched: list[OneShotCell] = []
    if about.get("kind") == "oneshot":
        searched = _read_oneshot(folder, about)
    elif about.get("kind") == "toy":
        begun = [name for name in about["cells"] if shard_files(folder / name)]
        read = [read_trials(folder / name, asked_of(about, name)) for name in begun]
        trials = [record for record in read if len(record.seeds)]
        if not trials:
            raise RecordError(f"no cell of {folder} is finished; run the study again")
    else:
        cells = read_study(folder)
        for cell in cells:
            check_complete(cell.about, cell.folder / CELL_FILE)
    on_record = {cell.folder.name: len(cell.seeds) for cell in cells}
    on_record |= {cell.folder.name: len(cell.runs) for cell in searched}
    return StudyFolder(
        folder=folder,
        about=about,
        cells=tuple(cells),
        trials=tuple(trials),
        searched=tuple(searched),
        unfinished=tuple(_unfinished(folder, about, on_record)),
        left_over=tuple(sorted({path.parent.name for path in folder.glob(f"*/{CELL_FILE}")} - set(about["cells"]))),
    )


def about_study(folder: Path) -> dict[str, Any]:
    """The content of a study's ``study.json``.

    Raises:
        RecordError: when there is none, or it is damaged.
    """
    about: dict[str, Any] = read_json(folder / STUDY_FILE)
    _require(about, ("id", "name", "cells", "seeds"), folder / STUDY_FILE)
    return about


def compared_cells(studies: Sequence[StudyFolder]) -> dict[str, list[CellRecord]]:
    """The cells of all studies by benchmark, each once: where two studies have the same, the one with more seeds.

    Raises:
        RecordError: for cells on one benchmark that cannot be compared, with what differs; or two different ones under
            one name.
    """
    groups = by_benchmark(studies)
    for group in groups.values():
        _check_comparable(group)
    return groups


def by_benchmark(studies: Sequence[StudyFolder]) -> dict[str, list[CellRecord]]:
    """The cells of all studies by the label of their benchmark, each once, with the most seeds that a study has."""
    by_id: dict[str, CellRecord] = {}
    for cell in (cell for study in studies for cell in study.cells):
        known = by_id.get(cell.about["id"])
        if known is None or len(cell.seeds) > len(known.seeds):
            by_id[cell.about["id"]] = cell
    groups: dict[str, list[CellRecord]] = {}
    for cell in by_id.values():
        groups.setdefault(cell.benchmark, []).append(cell)
    return groups


def _check_comparable(cells: Sequence[CellRecord]) -> None:
    first = cells[0]
    labels: dict[str, CellRecord] = {}
    for cell in cells:
        for key, called in COMPARED.items():
            one, other = (of.about["identity"].get(key) for of in (first, cell))
            if one != other:
                where = ", ".join(_differences(called, one, other))
                raise RecordError(
                    f"{_named(first)} and {_named(cell)} on {cell.benchmark} cannot be compared: {where}; report them "
                    "apart, or run both under the same study"
                )
        twin = labels.setdefault(cell.optimizer, cell)
        if twin is not cell:
            where = ", ".join(_differences("the identity", twin.about["identity"], cell.about["identity"]))
            raise RecordError(
                f"{_named(twin)} and {_named(cell)} on {cell.benchmark} are different cells under one name: {where}; "
                "report them apart"
            )


def _named(cell: CellRecord) -> str:
    return f"{cell.optimizer} of {cell.folder.parent.name}"


def _differences(called: str, one: Any, other: Any) -> Iterator[str]:
    """Where two parts of identities differ, in words: the innermost keys with both values."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in [*one, *(key for key in other if key not in one)]:
            if one.get(key) != other.get(key):
                yield from _differences(f"{called}: {key}", one.get(key), other.get(key))
    else:
        yield f"{called} is {_short(one)} in one and {_short(other)} in the other"


def _short(value: Any) -> str:
    text = "missing" if value is None else str(value)
    return text if len(text) <= 16 else f"{text[:12]}..."


def check_complete(about: Any, path: Path) -> None:
    """Refuses what an older version wrote, or nobody.

    Args:
        about: the content of a cell's ``cell.json``.
        path: of that file.

    Raises:
        RecordError: telling what to do.
    """
    _require(about, ("id", "identity", "optimizer", "benchmark", "budget", "report_at"), path)
    _require(about["benchmark"], ("label", "landmarks", "wording", "space"), path)
    if "targets" not in about["benchmark"]["landmarks"]:
        raise RecordError(
            f"{path} was written by an older NAS Arena and lacks what a report needs; run the study "
            "again: only this file is written anew, nothing is searched twice"
        )


def _require(content: Any, keys: Sequence[str], path: Path) -> None:
    """A file that is JSON, and yet not what a run writes."""
    lacking = [key for key in keys if not isinstance(content, dict) or key not in content]
    if lacking:
        raise RecordError(f"{path} is damaged, it lacks {', '.join(map(repr, lacking))}; run the study again")


def _read_oneshot(folder: Path, about: dict[str, Any]) -> list[OneShotCell]:
    """The cells of a one-shot study that have a seed on record."""
    begun = [name for name in about["cells"] if shard_files(folder / name)]
    read = [read_oneshot_cell(folder / name, asked_of(about, name)) for name in begun]
    cells = [cell for cell in read if cell.runs]
    if not cells:
        raise RecordError(f"no cell of {folder} is finished; run the study again")
    for cell in cells:
        keys = ("id", "identity", "kind", "label", "optimizer", "loop", "retraining", "supernet", "images", "table")
        _require(cell.about, keys, cell.folder / CELL_FILE)
    return cells


def _unfinished(folder: Path, about: dict[str, Any], on_record: Mapping[str, int]) -> Iterator[tuple[str, int, int]]:
    """Cells with fewer seeds than asked for; ``on_record`` tells how many there are, by the cell's folder."""
    for name in about["cells"]:
        if about.get("kind") == "toy":
            continue
        asked, there = len(asked_of(about, name)), on_record.get(name, 0)
        if there < asked:
            cell = read_json(folder / name / CELL_FILE)
            one_shot = about.get("kind") == "oneshot"
            label = cell["label"] if one_shot else f"{cell['optimizer']['label']} on {cell['benchmark']['label']}"
            yield label, there, asked
