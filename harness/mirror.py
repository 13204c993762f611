"""The mirror of a study's folder in MLflow, in a thread of its own, so that the search waits for none of it."""

from __future__ import annotations

import os
import queue
import sys
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from harness.cell_runs import TRIAL_SEEDS
from harness.live import LiveSeeds
from harness.oneshot_page import OneShotPage
from harness.reports import sync_command
from harness.runs import RunPlan, digest
from harness.store import store_uri
from harness.study_page import StudyPage
from harness.study_runs import State, StudyRuns
from harness.tracking import Experiment, connect
from results.files import RecordError

LEAST_PRIORITY = 19
LIVE_PRIORITY = 5  # where seeds are watched: at the least a thread waits minutes for cores that training keeps busy
MAX_PROBLEMS = 3  # one after the other: the store is then taken to be gone
LOOK_SECONDS = 3.0  # between looks at the seeds at work


class Mirror:
    """Brings the runs of a study up to date with its folder; a context manager around the search.

    Args:
        folder: of the study, whose lock is held.
        arena: the folder beside which the store is, unless MLFLOW_TRACKING_URI names another; the study's by default.

    Raises:
        RecordError: when the folder is no study.

    Attributes:
        groups: the cells that one run is about: those of a curve of the sweep, or each of its own.
        uri: the store.
        written, deleted: how many runs, so far.
        problem: one sentence on why the mirror is behind, "" where it is not.
        damage: why the folder could not be read, None where it could.
    """

    def __init__(self, folder: Path, arena: Path | None = None) -> None:
        self._runs, self._arena = StudyRuns(folder), folder.parent if arena is None else arena
        self._live = LiveSeeds(self._runs) if self._runs.oneshot else None  # before anything of the study is at work
        self.groups = tuple(self._runs.groups.values())
        self.uri = store_uri(self._arena)
        self.problem = ""
        self.damage: RecordError | None = None
        self.written = self.deleted = 0
        self._jobs: queue.SimpleQueue[Callable[[Writer], object] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="mlflow-mirror", daemon=True)

    def __enter__(self) -> Mirror:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._jobs.put(None)
        if kind is None:
            self._thread.join()

    def update(self, group: Sequence[str]) -> None:
        """Brings the runs about some cells, one of the groups, up to date, soon."""
        self._jobs.put(lambda writer: writer.update(group))

    def finish(self) -> None:
        """Brings all runs and the study's page up to date, soon; runs of what the study no longer has are deleted."""
        self._jobs.put(lambda writer: writer.finish())

    def _work(self) -> None:
        if sys.platform == "linux":  # where a thread has a priority of its own: the search's processes come first
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LIVE_PRIORITY if self._live else LEAST_PRIORITY)
        experiment: Experiment | None = None
        try:
            experiment = Experiment(connect(self.uri), self._runs.name, self._runs.owner, self._arena)
            writer = Writer(self._runs, experiment)
            while (job := self._job()) is not None:
                job(writer)
            writer.conclude()
        except RecordError as error:  # it tells the mend
            self.damage, self.problem = error, f"MLflow at {self.uri} is behind: {error}"
        except Exception as error:  # whatever MLflow or its store raise, the study itself is on record
            self.problem = (
                f"MLflow at {self.uri} is behind: {_reason(error)}; the next run of the study, or "
                f"'{sync_command(self._runs.folder, self._arena)}', catches up"
            )
        if experiment:
            self.written, self.deleted = experiment.written, experiment.deleted

    def _job(self) -> Callable[[Writer], object] | None:
        """What is to be done next: where nothing else is, a look at the seeds at work. None when all is done."""
        live = self._live
        if live is None:
            return self._jobs.get()
        try:
            return self._jobs.get(timeout=LOOK_SECONDS)
        except queue.Empty:
            return lambda writer: writer.look(live)


def _reason(error: BaseException) -> str:
    """Why, in a line: MLflow and SQLAlchemy put pages around the first cause."""
    while error.__cause__:
        error = error.__cause__
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class Writer:
    """Writes the runs of a study; what fails is tried once more at the end, as a database can be locked for a while."""

    def __init__(self, runs: StudyRuns, experiment: Experiment) -> None:
        self._runs, self._experiment = runs, experiment
        self._places = {group: place for place, group in enumerate(runs.groups.values())}
        self._failed: dict[tuple[str, str], tuple[RunPlan, int]] = {}
        self._report: RunPlan | None = None
        self._in_a_row = 0
        self._watched = False  # whether the study's page shows the seeds at work

    def update(self, group: Sequence[str]) -> list[State]:
        """Writes what is missing of a group of cells; the kind, key and state of all its runs."""
        states = []
        first = (TRIAL_SEEDS + 1) * self._places[tuple(group)]
        for place, plan in enumerate(self._runs.plans_of(group), first):
            self._write(plan, place)
            states.append((*plan.place, plan.state))
        return states

    def look(self, live: LiveSeeds) -> None:
        """Brings the trials of the seeds at work up to date; what fails is tried again at the next look."""
        try:
            for cell, seed, plan in live.changed():
                run = self._experiment.write(plan, (TRIAL_SEEDS + 1) * self._places[cell,] + seed % TRIAL_SEEDS)
                self._in_a_row = 0
                if not self._watched:
                    self._experiment.describe(lambda: self._page(""), digest(["at work", run]))
                    self._watched = True
        except Exception:
            self._in_a_row += 1
            if self._in_a_row == MAX_PROBLEMS:
                raise

    def finish(self) -> None:
        """Writes what is missing of the study, and deletes what it no longer has."""
        # states alone are kept: a plan that was written holds the record of its cell
        states = [state for group in self._runs.groups.values() for state in self.update(group)]
        dead = list(self._runs.dead()) if self._runs.oneshot else []
        for plan in dead:
            self._write(plan, 0)
        kept = {plan.place for plan in dead} | {(kind, key) for kind, key, _ in states}
        if states:
            self._report = self._runs.report(states)
            self._write(self._report, 0)
            kept.add(self._report.place)
        self._experiment.keep(kept)

    def _page(self, report: str) -> tuple[str, dict[str, str]]:
        page = OneShotPage(self._runs) if self._runs.oneshot else StudyPage(self._runs)
        return page.description(self._experiment.id, report), page.views(int(time.time() * 1000))

    def conclude(self) -> None:
        """Writes what has failed, and the study's page, which links the report; raises what fails again."""
        for plan, place in list(self._failed.values()):
            self._experiment.write(plan, place)
        if self._report:
            run = self._experiment.write(self._report)
            self._experiment.describe(lambda: self._page(run), digest([self._report.state, run]))

    def _write(self, plan: RunPlan, place: int) -> None:
        before = self._experiment.written
        try:
            self._experiment.write(plan, place)
            self._failed.pop(plan.place, None)
            if self._experiment.written > before:  # a run that was there already has asked the store for nothing
                self._in_a_row = 0
        except Exception:  # one run that MLflow refuses must not keep the others out
            self._failed[plan.place] = plan, place
            self._in_a_row += 1
            if self._in_a_row == MAX_PROBLEMS:
                raise
