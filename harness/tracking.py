"""The runs of a study in an MLflow store: the only file that writes there.

A run that has ended is never changed. It carries what it is of and of what state as tags: it is left alone where
both are right, and otherwise written anew, the old one deleted after. So whoever writes can be killed anywhere, and
comes out right at the next time. Only the run of a seed at work grows, until it ends or, at any doubt, is replaced.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.pages import VIEW_TAG
from harness.runs import ATTEMPT, RUNNING, Dataset, Point, RunContent, RunPlan, digest
from harness.store import create_sqlite, is_server, probe, sqlite_file

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import DatasetInput, Run

# runs are listed by their start, newest first: the report on top, then summaries in the study's order, then trials
START_OFFSET_MS = {"report": 0, "summary": -1_000, "trial": -1_000_000}
NOTE = "mlflow.note.content"
OWN_NOTE = "arena.note"  # of an experiment: digests of what its description is where we wrote it


def connect(uri: str) -> MlflowClient:
    """A client of the store, which is created if need be.

    Raises:
        ConnectionError: when it is a server that does not answer.
    """
    if is_server(uri):
        probe(uri)
        os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")  # two lines a run
    from mlflow import MlflowClient  # a second

    logging.getLogger("alembic").setLevel(logging.WARNING)
    # it prints two pages on every call that a database refuses; who calls gets an error, and tells it in a line
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.CRITICAL)
    file = sqlite_file(uri)
    if file is not None:
        create_sqlite(file, lambda new: MlflowClient(tracking_uri=new).search_experiments(max_results=1))
    return MlflowClient(tracking_uri=uri)


@dataclass(frozen=True)
class _Known:
    """A run that is there."""

    id: str
    state: str
    status: str
    attempt: str
    start: int

    @staticmethod
    def of(run: Run) -> _Known:
        info, tags = run.info, run.data.tags
        return _Known(info.run_id, tags.get("arena.state", ""), info.status, tags.get(ATTEMPT, ""), info.start_time)


class Experiment:
    """The runs of one study.

    Args:
        client: of the store.
        study: its name.
        owner: its folder's own id; runs of another folder's study of the same name are left alone.
        arena: the folder of all studies.

    Attributes:
        id: of the experiment.
        written, deleted: how many runs; those that grow count when they end.
    """

    def __init__(self, client: MlflowClient, study: str, owner: str, arena: Path) -> None:
        self.written = self.deleted = 0
        self._client, self._study, self._owner = client, study, owner
        self._now = int(time.time() * 1000)
        self.id = self._find(arena)
        # runs start when the experiment was made, so that one that is written anew keeps its place in the list
        self._base = int(self._client.get_experiment(self.id).creation_time or self._now)
        self._known: dict[tuple[str, str], list[_Known]] = {}
        self._there: dict[str, Counter[Point]] = {}  # of runs that grow: the points that are surely in the store
        for run in self._runs():
            if (tags := run.data.tags).get("arena.owner") == owner:
                self._known.setdefault((tags.get("kind", ""), tags.get("arena.key", "")), []).append(_Known.of(run))

    def write(self, plan: RunPlan, place: int = 0) -> str:
        """Writes a run, unless it is there in the same state; others of its kind and key are deleted.

        Args:
            plan: of the run.
            place: of it in the list of its kind.

        Returns:
            its id.
        """
        known = self._known.setdefault(plan.place, [])
        right = next((run for run in known if (run.status, run.state) == (plan.status, plan.state)), None)
        right = right or self._make(plan, place)
        self._delete(run for run in known if run.id != right.id)
        self._known[plan.place] = [right]
        return right.id

    def keep(self, places: Collection[tuple[str, str]]) -> None:
        """Deletes the runs of all kinds and keys but these: of cells that the study no longer has."""
        for place in list(self._known):
            if place not in places:
                self._delete(self._known[place])
                del self._known[place]

    def describe(self, make: Callable[[], tuple[str, Mapping[str, str]]], state: str) -> None:
        """Writes the experiment's page, unless it is there in this state.

        Args:
            make: gives the description, which is not written where a person has changed the old one, and tags with
                saved views.
            state: of what they are made.
        """
        tags = self._client.get_experiment(self.id).tags
        if tags.get("arena.state") == state:
            return
        note, views = make()
        there, ours = digest([tags.get(NOTE, "")]), digest([note])
        if there in tags.get(OWN_NOTE, digest([""])).split():
            # both at first: killed in between, it would take the old one for a person's
            self._client.set_experiment_tag(self.id, OWN_NOTE, f"{there} {ours}")
            self._client.set_experiment_tag(self.id, NOTE, note)
            self._client.set_experiment_tag(self.id, OWN_NOTE, ours)
        with suppress(Exception):  # a store may refuse what no document promises
            for key, view in views.items():
                self._client.set_experiment_tag(self.id, key, view)
            for key in tags:
                if key.startswith(VIEW_TAG) and key not in views:  # of a benchmark that the study no longer has
                    self._client.delete_experiment_tag(self.id, key)
        self._client.set_experiment_tag(self.id, "arena.state", state)

    def _make(self, plan: RunPlan, place: int) -> _Known:
        """Brings a run to where it should be: the one of the same attempt where that runs, else a new one."""
        content = plan.make()
        run = self._growing(plan, content) or self._start(plan, content, place)
        self._log(run, plan, content)
        if plan.status != RUNNING:
            self._client.set_terminated(run.id, plan.status, end_time=run.start + round(1000 * content.seconds))
            self.written += 1
        return replace(run, state=plan.state, status=plan.status)

    def _growing(self, plan: RunPlan, content: RunContent) -> _Known | None:
        """The run of the same attempt that has not ended, unless it has a point that it should not have."""
        for run in self._known[plan.place]:
            if run.attempt and (run.status, run.attempt) == (RUNNING, content.tags.get(ATTEMPT)):
                if run.id not in self._there:
                    self._there[run.id] = self._read_back(run.id)
                if self._there[run.id] <= Counter(content.points):
                    return run
        return None

    def _read_back(self, run: str) -> Counter[Point]:
        metrics = self._client.get_run(run).data.metrics
        histories = {metric: self._client.get_metric_history(run, metric) for metric in metrics}
        return Counter((metric, one.value, one.step) for metric, history in histories.items() for one in history)

    def _start(self, plan: RunPlan, content: RunContent, place: int) -> _Known:
        start = self._base + START_OFFSET_MS[plan.kind] - place
        tags = {"kind": plan.kind, "study": self._study, "arena.owner": self._owner, "arena.key": plan.key}
        tags |= {ATTEMPT: content.tags[ATTEMPT]} if ATTEMPT in content.tags else {}
        run = _Known.of(self._client.create_run(self.id, start_time=start, tags=tags, run_name=content.name))
        self._known[plan.place].append(run)  # should the rest fail, the next try goes on with it or deletes it
        self._there[run.id] = Counter()
        return run

    def _log(self, run: _Known, plan: RunPlan, content: RunContent) -> None:
        """Writes what is missing of a run."""
        from mlflow.entities import Metric, Param, RunTag

        points = Counter(content.points)
        missing = points - self._there.pop(run.id)  # what fails may be there or not: it is read back then
        # charts of the machine's load go by time
        times = {step: run.start + round(1000 * seconds) for step, seconds in content.clock.items()}
        tags = {**content.tags, NOTE: content.describe(self.id, run.id), "arena.state": plan.state}
        self._client.log_batch(
            run.id,
            metrics=[Metric(name, value, times.get(step, self._now), step) for name, value, step in missing.elements()],
            params=[Param(name, value) for name, value in content.params.items()],
            tags=[RunTag(name, value) for name, value in tags.items()],
        )
        if content.datasets:
            self._client.log_inputs(run.id, datasets=[_input(dataset) for dataset in content.datasets])
        self._log_files(run.id, content)
        if plan.status == RUNNING:
            self._there[run.id] = points

    def _log_files(self, run_id: str, content: RunContent) -> None:
        with tempfile.TemporaryDirectory(prefix="nas-arena-") as folder:
            for name, file in content.files.items():
                path = Path(folder) / name if isinstance(file, bytes) else file
                if isinstance(file, bytes):
                    path.write_bytes(file)
                self._client.log_artifact(run_id, str(path), name.rpartition("/")[0] or None)

    def _delete(self, runs: Iterator[_Known] | list[_Known]) -> None:
        for run in runs:
            self._client.delete_run(run.id)
            self.deleted += 1

    def _find(self, arena: Path) -> str:
        found = self._client.get_experiment_by_name(self._study)
        if found is None:
            # a server chooses its own place for artifacts; beside a file they would land in the current folder
            local = sqlite_file(str(self._client.tracking_uri)) is not None
            location = (arena.resolve().parent / "mlruns" / self._study).as_uri() if local else None
            return str(self._client.create_experiment(self._study, artifact_location=location))
        if found.lifecycle_stage == "deleted":  # by hand, in the UI; it still keeps its name
            self._client.restore_experiment(found.experiment_id)
        return str(found.experiment_id)

    def _runs(self) -> Iterator[Run]:
        token = None
        while True:
            page = self._client.search_runs([self.id], max_results=1000, page_token=token)
            yield from page
            token = page.token
            if not token:
                return


def _input(dataset: Dataset) -> DatasetInput:
    from mlflow.entities import Dataset as MlflowDataset
    from mlflow.entities import DatasetInput, InputTag

    entity = MlflowDataset(
        name=dataset.name,
        digest=dataset.digest,
        source_type="nas-arena",
        source=json.dumps({"files": dict(dataset.source)}),
        profile=json.dumps({"architectures": dataset.size}),
    )
    return DatasetInput(dataset=entity, tags=[InputTag("mlflow.data.context", "searched")])
