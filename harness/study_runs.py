"""The runs that a study should have in MLflow, told by its folder alone, wherever that came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cell_runs import OnRecord, cell_plans, drawer
from harness.curve_runs import curve_plans, level_plans
from harness.identity import seed_name
from harness.oneshot_runs import oneshot_plans, trial_plan, unfinished_plan
from harness.pages import run_page
from harness.runs import CONTENT_VERSION, FAILED, KILLED, RunContent, RunPlan, digest, links
from harness.toy_runs import toy_plans
from results.curves import curve_key, on_curve
from results.files import read_json
from results.look import shades
from results.oneshot_record import OneShotCell, progress_file, read_oneshot_cell
from results.record import CELL_FILE, STUDY_FILE, asked_of, seeds_on_record, shard_files
from results.report.gather import StudyFolder, about_study, check_complete, read_folder

if TYPE_CHECKING:
    from pandas import DataFrame

REPORT = "report.html"
DATA = "results.parquet"
TEXTS = ("tables.txt", "ablation.txt", "toy.txt", "oneshot.txt", "report.md")

State = tuple[str, str, str]
"""Kind, key and state of a run."""


class StudyRuns:
    """The runs of a study.

    Args:
        folder: of the study.

    Raises:
        RecordError: when it is none, or an older version wrote it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder, self._about = folder, about_study(folder)
        self._cells: dict[str, dict[str, Any]] = {
            name: read_json(folder / name / CELL_FILE) for name in self._about["cells"]
        }
        if not self._kind:
            for name, about in self._cells.items():
                check_complete(about, folder / name / CELL_FILE)
        self._draw = drawer()
        self._colours = shades((self._method(cell), self._curve_of(cell)) for cell in self._cells.values())

    @property
    def name(self) -> str:
        """Of the study and its experiment."""
        return str(self._about["name"])

    @property
    def owner(self) -> str:
        """The folder's own id, by which its runs are told from those of another folder of the same name."""
        return str(self._about["id"])

    @property
    def description(self) -> str:
        """What the study is, in a sentence."""
        return str(self._about.get("description", ""))

    @property
    def _kind(self) -> str:
        """Of the study: "toy", "oneshot", or "" where tables are searched."""
        return str(self._about.get("kind", ""))

    @property
    def oneshot(self) -> bool:
        """Whether its seeds train networks: each takes a while, and can be watched."""
        return self._kind == "oneshot"

    @cached_property
    def study(self) -> StudyFolder:
        """All that is on record; a study of many cells takes seconds and a gigabyte.

        Raises:
            RecordError: when nothing is finished.
        """
        return read_folder(self.folder)

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The cells that one run is about, by the first of them: those of a curve of the sweep, or each of its own."""
        sweep, curves = self._about.get("sweep", ""), dict[tuple[str, str, str], list[str]]()
        groups: dict[str, list[str]] = {}
        for name, about in self._cells.items():
            alone = not sweep or not on_curve(about, sweep)
            group = [] if alone else curves.setdefault(curve_key(about, (sweep,)), [])
            group.append(name)
            groups.setdefault(group[0], group)
        return {first: tuple(group) for first, group in groups.items()}

    def plans_of(self, group: Sequence[str]) -> Iterator[RunPlan]:
        """Those about one of the groups of cells; none where nothing of it is on record."""
        about, sweep = self._cells[group[0]], self._about.get("sweep", "")
        colour = self._colour(group[0])
        asked = asked_of(self._about, group[0])
        if self._kind == "toy":
            return toy_plans(self.folder / group[0], asked, colour)
        if self.oneshot:
            return oneshot_plans(self.folder / group[0], asked, colour, self._draw)
        cells = [self._on_record(name) for name in group]
        if sweep and on_curve(about, sweep):
            return curve_plans(cells, about, sweep, colour)
        if values := [cell["optimizer"]["settings"][sweep] for cell in self._cells.values() if on_curve(cell, sweep)]:
            return level_plans(cells[0], values, colour, self._draw)
        return cell_plans(cells[0], colour, self._draw)

    def oneshot_cells(self) -> Iterator[OneShotCell]:
        """What is on record of a one-shot study, cell by cell."""
        for name in self._cells:
            cell = read_oneshot_cell(self.folder / name, asked_of(self._about, name))
            if cell.runs:
                yield cell

    def progress_logs(self) -> dict[tuple[str, int], Path]:
        """The progress logs that there are, by cell and seed: of seeds at work, and of those that came to no end."""
        asked = ((name, seed) for name in self._cells for seed in asked_of(self._about, name))
        logs = {(name, seed): progress_file(self.folder / name, seed) for name, seed in asked}
        return {place: log for place, log in logs.items() if log.exists()}

    def trial(self, cell: str, seed: int) -> RunPlan:
        """Of a one-shot seed that is on record."""
        record = read_oneshot_cell(self.folder / cell, [seed])
        return trial_plan(record, record.runs[0], self._colour(cell), self._draw)

    def unfinished(self, cell: str, seed: int, status: str, error: str = "") -> RunPlan | None:
        """Of a one-shot seed that is not on record; None where it has no progress log."""
        return unfinished_plan(self.folder / cell, seed, self._colour(cell), status, error)

    def dead(self) -> Iterator[RunPlan]:
        """Those of one-shot seeds that came to no end, when nothing of the study is at work any more."""
        failures = dict(read_json(self.folder / STUDY_FILE).get("failures", ()))
        for cell, seed in self.progress_logs():
            error = failures.get(seed_name(self._cells[cell]["name"], seed), "")
            plan = self.unfinished(cell, seed, FAILED if error else KILLED, error)
            if plan and seed not in seeds_on_record(self.folder / cell):
                yield plan

    def _colour(self, cell: str) -> str:
        return self._colours[self._curve_of(self._cells[cell])]

    def _curve_of(self, about: dict[str, Any]) -> str:
        """What has a colour of its own: an optimizer with its settings, in a toy study a row, trained architectures."""
        own = {"toy": "name", "oneshot": "label"}.get(self._kind)
        return str(about[own] if own else about["optimizer"]["label"])

    def _method(self, about: dict[str, Any]) -> str:
        """What has a hue of its own; architectures that nobody searched have that of random search."""
        return str(about["optimizer"]["name"] if about["optimizer"] else "random_search")

    @property
    def page(self) -> Path | None:
        """The study's report, where there is one that is not older than a record."""
        page = self.folder / REPORT
        records = [path.stat().st_mtime_ns for name in self._cells for path in shard_files(self.folder / name)]
        return page if page.exists() and page.stat().st_mtime_ns > max(records, default=0) else None

    def report(self, others: Iterable[State]) -> RunPlan:
        """The run with figures, tables and the study's report.

        Args:
            others: of all other runs of the study.
        """
        files = dict(self._files())
        contents = [(name, sha256(path.read_bytes()).hexdigest()) for name, path in files.items()]
        state = digest([CONTENT_VERSION, sorted(others), contents])
        return RunPlan("report", self.name, state, lambda: self._report_content(files))

    def _report_content(self, files: dict[str, Path]) -> RunContent:
        made = {} if self._kind == "toy" else {DATA: self._data()}
        return RunContent(
            f"report of {self.name}",
            tags={"benchmark": "all"},
            files=files | made,
            describe=lambda experiment, run: _description(
                self.name, [*files, *made], "epoch" if self.oneshot else "reported budget", experiment, run
            ),
        )

    def _data(self) -> bytes:
        """What every number of the tables comes from, as parquet."""
        from io import BytesIO

        import pandas as pd  # 0.5 s

        stream = BytesIO()
        pd.concat(self._epochs() if self.oneshot else self._checkpoints(), ignore_index=True).to_parquet(stream)
        return stream.getvalue()

    def _checkpoints(self) -> Iterator[DataFrame]:
        """A row a cell, seed and reported budget."""
        from results.frames import checkpoint_frame

        for name in self._cells:
            there = self._on_record(name)
            if there.seeds:
                frame = checkpoint_frame([there.cell])
                yield frame[frame.checkpoint.isin(there.cell.about["report_at"])]

    def _epochs(self) -> Iterator[DataFrame]:
        """A row a cell, seed and epoch."""
        import pandas as pd

        for cell in self.oneshot_cells():
            for run in cell.runs:
                yield pd.DataFrame({"cell": cell.label, "seed": run.seed, **run.epochs})

    def _files(self) -> Iterator[tuple[str, Path]]:
        if page := self.page:
            yield REPORT, page
        for path in (*(self.folder / text for text in TEXTS), *sorted(self.folder.glob("figures/*.png"))):
            if path.exists():
                yield path.relative_to(self.folder).as_posix(), path

    def _on_record(self, cell: str) -> OnRecord:
        return OnRecord(self.folder / cell, asked_of(self._about, cell))


def _description(study: str, files: Sequence[str], unit: str, experiment: str, run: str) -> str:
    """What the files are, each a link to where the UI shows it; the data have a row a ``unit`` of every search."""
    shown = {REPORT: "the report", "tables.txt": "the tables", "ablation.txt": "the ablation"}
    shown |= dict.fromkeys(("toy.txt", "oneshot.txt"), "the table")
    pages = [
        f"[{words}]({run_page(experiment, run, f'artifacts/{name}')})" for name, words in shown.items() if name in files
    ]
    if REPORT not in files:
        pages.append(f"the report is not there yet, or older than the records: `nas-arena report {study}`")
    data = f"`{DATA}` has a row a cell, seed and {unit}." if DATA in files else ""
    return "\n\n".join(filter(None, (f"**Report of {study}**: {' · '.join(pages)}", links(experiment), data)))
