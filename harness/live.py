"""The seeds of a one-shot study that are at work, told by their progress logs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from harness.runs import RUNNING, RunPlan
from harness.study_runs import StudyRuns
from results.record import seeds_on_record

Stamp = tuple[int, int]
"""Size and time of a log."""


class LiveSeeds:
    """Which trials change while a study runs.

    A log that lies there at the beginning is of a run that has ended, until it changes.

    Args:
        runs: of the study, whose lock is held.
    """

    def __init__(self, runs: StudyRuns) -> None:
        self._runs = runs
        self._seen = {log: _stamp(log) for log in runs.progress_logs().values()}
        self._growing: set[tuple[str, int]] = set()

    def changed(self) -> Iterator[tuple[str, int, RunPlan]]:
        """What has changed since the last time: cell, seed and plan of trials that grow, and of those now on record.

        Whoever breaks off is told again of the last one the next time.
        """
        logs = self._runs.progress_logs()
        for (cell, seed), log in logs.items():
            stamp = _stamp(log)
            if stamp and self._seen.get(log) != stamp:
                plan = self._runs.unfinished(cell, seed, RUNNING)
                if plan:
                    self._growing.add((cell, seed))
                    yield cell, seed, plan
                self._seen[log] = stamp
        for cell, seed in sorted(self._growing - set(logs)):
            if seed in seeds_on_record(self._runs.folder / cell):
                yield cell, seed, self._runs.trial(cell, seed)
                self._growing.discard((cell, seed))


def _stamp(log: Path) -> Stamp | None:
    """None where it has just been taken away."""
    try:
        status = log.stat()
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
