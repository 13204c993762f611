"""The mirror of a study's folder in MLflow: the only file that writes there.

It works in a thread of its own, so the search waits for none of it, and never changes a run that is finished. A run
carries what it is of and of what state as tags: it is left alone where both are right, and otherwise written anew, the
old one deleted after. So the mirror can be killed anywhere and comes out right at the next run of the study.
"""

from __future__ import annotations

import logging
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.curve_runs import curve_summary
from harness.runs import RunContent, report, summary, trials
from harness.store import create_sqlite, is_server, probe, sqlite_file, store_uri
from results.curves import curves
from results.record import CellRecord, read_cell

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

MAX_PROBLEMS = 3  # after so many the store is taken to be gone
# runs are listed by their start, newest first: the report on top, then summaries, then trials
START_OFFSET_MS = {"report": 0, "summary": -1_000, "trial": -100_000}


class Mirror:
    """Mirrors the cells of a study as they are finished; a context manager around the search.

    Attributes:
        uri: the store.
        problem: one sentence on why the mirror is behind, "" where it is not.
    """

    def __init__(self, study: str, description: str, folder: Path, owner: str, sweep: str = "") -> None:
        self.uri = store_uri(folder.parent)
        self.problem = ""
        self._study, self._description, self._folder = study, description, folder
        self._owner, self._sweep = owner, sweep
        self._jobs: queue.SimpleQueue[Callable[[], list[RunContent]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="mlflow-mirror", daemon=True)

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._jobs.put(None)
        if kind is None:
            self._thread.join()

    def update(self, cell_folders: Sequence[Path], seeds: Sequence[int]) -> None:
        """Brings the runs of finished cells up to date, soon: those of a curve of the sweep, or a single one."""

        def contents() -> list[RunContent]:
            cells = [read_cell(folder).only(seeds) for folder in cell_folders]
            on_curves = curves(cells, self._sweep) if self._sweep else []
            if on_curves:
                return [curve_summary(curve) for curve in on_curves]
            return [content for cell in cells for content in (*trials(cell), summary(cell))]

        self._jobs.put(contents)

    def write(self, make: Callable[[], list[RunContent]]) -> None:
        """Brings the runs that ``make`` gives up to date, soon; it is called in the mirror's thread."""
        self._jobs.put(make)

    def report(self, cells: Sequence[CellRecord], artifacts: Sequence[Path]) -> None:
        """Brings the study's report run up to date, soon."""
        self._jobs.put(lambda: [report(self._study, cells, artifacts)])

    def _work(self) -> None:
        problems: list[Exception] = []
        try:
            experiment = _Experiment(
                _connect(self.uri), self._study, self._description, self._folder.parent, self._owner
            )
            while (job := self._jobs.get()) is not None:
                contents = job()
                for content in contents:
                    try:
                        experiment.write(content)
                    except Exception as error:  # one run that MLflow refuses must not keep the others out
                        problems.append(error)
                        if len(problems) == MAX_PROBLEMS:
                            raise
                experiment.drop_old_trials(contents)
            if problems:
                raise problems[0]
        except Exception as error:  # whatever MLflow or its store raise, the study itself is on record
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            self.problem = f"MLflow at {self.uri} is behind: {reason}; the next run of the study catches up"


def _connect(uri: str) -> MlflowClient:
    """A client of the store, which is created if need be."""
    if is_server(uri):
        probe(uri)
    from mlflow import MlflowClient  # a second, in this thread

    for chatty in ("alembic", "mlflow.store.db.utils"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    file = sqlite_file(uri)
    if file is not None:
        create_sqlite(file, lambda new: MlflowClient(tracking_uri=new).search_experiments(max_results=1))
    return MlflowClient(tracking_uri=uri)


class _Experiment:
    """The runs of one study."""

    def __init__(self, client: MlflowClient, study: str, description: str, arena: Path, owner: str) -> None:
        self._client, self._study, self._owner = client, study, owner
        self._id = self._find(description, arena)
        self._known: dict[tuple[str, str], list[Run]] = {}
        for run in self._runs():
            if run.data.tags.get("arena.owner") != owner:
                continue  # another folder's study of the same name, mirrored into the same store
            place = run.data.tags.get("kind", ""), run.data.tags.get("arena.key", "")
            self._known.setdefault(place, []).append(run)

    def write(self, content: RunContent) -> None:
        """Writes a run, unless it is there in the same state; others of the same key are deleted."""
        known = self._known.get((content.kind, content.key), [])
        right = [run for run in known if _is_right(run, content)][:1] or [self._create(content)]
        for run in known:
            if run.info.run_id != right[0].info.run_id:
                self._client.delete_run(run.info.run_id)
        self._known[content.kind, content.key] = right

    def drop_old_trials(self, contents: Sequence[RunContent]) -> None:
        """Deletes the trials of seeds that their cell, of which these are all runs, no longer comes to."""
        wanted = {(content.kind, content.key) for content in contents}
        cells = {content.key for content in contents if content.kind == "summary"}
        for kind, key in list(self._known):
            if kind == "trial" and key.rpartition("/")[0] in cells and (kind, key) not in wanted:
                for run in self._known.pop((kind, key)):
                    self._client.delete_run(run.info.run_id)

    def _create(self, content: RunContent) -> Run:
        from mlflow.entities import Metric, Param

        now = int(time.time() * 1000)
        tags = {"kind": content.kind, "study": self._study, "arena.owner": self._owner}
        tags |= {"arena.key": content.key, "arena.state": content.state}
        run = self._client.create_run(
            self._id,
            start_time=now + START_OFFSET_MS[content.kind],
            tags=tags | content.tags,
            run_name=content.name,
        )
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(metric, value, now, step) for metric, value, step in content.points],
            params=[Param(name, value) for name, value in content.params.items()],
        )
        for path in content.artifacts:
            self._client.log_artifact(run.info.run_id, str(path))
        self._client.set_terminated(run.info.run_id)
        return run

    def _find(self, description: str, arena: Path) -> str:
        found = self._client.get_experiment_by_name(self._study)
        if found is None:
            # a server chooses its own place for artifacts; beside a file they would land in the current folder
            local = sqlite_file(str(self._client.tracking_uri)) is not None
            location = (arena.resolve().parent / "mlruns" / self._study).as_uri() if local else None
            tags = {"mlflow.note.content": description} if description else {}
            return str(self._client.create_experiment(self._study, artifact_location=location, tags=tags))
        if found.lifecycle_stage == "deleted":  # by hand, in the UI; it still keeps its name
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _runs(self) -> Iterator[Run]:
        token = None
        while True:
            page = self._client.search_runs([self._id], max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def _is_right(run: Run, content: RunContent) -> bool:
    return bool(run.info.status == "FINISHED" and run.data.tags.get("arena.state") == content.state)
