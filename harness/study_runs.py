"""The runs that a study should have in MLflow, told by its folder alone, wherever that came from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.cell_runs import OnRecord, cell_plans, drawer
from harness.curve_runs import curve_plans, level_plans
from harness.pages import run_page
from harness.runs import CONTENT_VERSION, RunContent, RunPlan, digest, links
from harness.toy_runs import toy_plans
from results.curves import curve_key, on_curve
from results.files import read_json
from results.look import shades
from results.record import CELL_FILE, asked_of, shard_files
from results.report.gather import StudyFolder, about_study, check_complete, read_folder

REPORT = "report.html"
DATA = "results.parquet"
TEXTS = ("tables.txt", "ablation.txt", "toy.txt", "report.md")

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
        if not self._toy:
            for name, about in self._cells.items():
                check_complete(about, folder / name / CELL_FILE)
        self._draw = drawer()
        self._colours = shades((cell["optimizer"]["name"], self._curve_of(cell)) for cell in self._cells.values())

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
    def _toy(self) -> bool:
        return self._about.get("kind") == "toy"

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
        colour = self._colours[self._curve_of(about)]
        if self._toy:
            return toy_plans(self.folder / group[0], asked_of(self._about, group[0]), colour)
        cells = [self._on_record(name) for name in group]
        if sweep and on_curve(about, sweep):
            return curve_plans(cells, about, sweep, colour)
        if values := [cell["optimizer"]["settings"][sweep] for cell in self._cells.values() if on_curve(cell, sweep)]:
            return level_plans(cells[0], values, colour, self._draw)
        return cell_plans(cells[0], colour, self._draw)

    def _curve_of(self, about: dict[str, Any]) -> str:
        """What has a colour of its own: an optimizer with its settings, and in a toy study a row."""
        return str(about["name"] if self._toy else about["optimizer"]["label"])

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
        made = {} if self._toy else {DATA: self._data()}
        return RunContent(
            f"report of {self.name}",
            tags={"benchmark": "all"},
            files=files | made,
            describe=lambda experiment, run: _description(self.name, [*files, *made], experiment, run),
        )

    def _data(self) -> bytes:
        """What every number of the tables comes from: a row a cell, seed and reported budget, as parquet."""
        from io import BytesIO

        import pandas as pd  # 0.5 s

        from results.frames import checkpoint_frame

        frames = []
        for name in self._cells:
            there = self._on_record(name)
            if there.seeds:
                frame = checkpoint_frame([there.cell])
                frames.append(frame[frame.checkpoint.isin(there.cell.about["report_at"])])
        stream = BytesIO()
        pd.concat(frames, ignore_index=True).to_parquet(stream)
        return stream.getvalue()

    def _files(self) -> Iterator[tuple[str, Path]]:
        if page := self.page:
            yield REPORT, page
        for path in (*(self.folder / text for text in TEXTS), *sorted(self.folder.glob("figures/*.png"))):
            if path.exists():
                yield path.relative_to(self.folder).as_posix(), path

    def _on_record(self, cell: str) -> OnRecord:
        return OnRecord(self.folder / cell, asked_of(self._about, cell))


def _description(study: str, files: Sequence[str], experiment: str, run: str) -> str:
    """What the files are, each a link to where the UI shows it."""
    shown = {REPORT: "the report", "tables.txt": "the tables", "ablation.txt": "the ablation", "toy.txt": "the table"}
    pages = [
        f"[{words}]({run_page(experiment, run, f'artifacts/{name}')})" for name, words in shown.items() if name in files
    ]
    if REPORT not in files:
        pages.append(f"the report is not there yet, or older than the records: `nas-arena report {study}`")
    data = f"`{DATA}` has a row a cell, seed and reported budget." if DATA in files else ""
    return "\n\n".join(filter(None, (f"**Report of {study}**: {' · '.join(pages)}", links(experiment), data)))
