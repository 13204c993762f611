"""Bringing an MLflow store up to date with folders of studies, apart from a run."""

from __future__ import annotations

from pathlib import Path

from harness.folder import telling
from harness.lock import locked
from harness.mirror import Mirror
from harness.store import sqlite_file, store_uri
from harness.study_runs import REPORT
from search_spaces.errors import ArenaError


def sync(folder: Path, arena: Path) -> Mirror:
    """Brings the store up to date with a study's folder.

    Args:
        folder: of the study, wherever that came from.
        arena: the folder beside which the store is, unless MLFLOW_TRACKING_URI names another.

    Returns:
        what became of it.

    Raises:
        ArenaError: when the study is in use, or its folder cannot be written.
        RecordError: when it is no study, or damaged.
    """
    lock = locked(folder / ".lock", wait=False, what=f"study {folder.name!r}")
    with telling(folder, "a copy of it"), lock, Mirror(folder, arena) as mirror:
        mirror.finish()
    if mirror.damage:
        raise mirror.damage
    return mirror


def sync_report(folder: Path, page: Path, arena: Path) -> str:
    """Brings a new report of a study to where its runs are, if they are anywhere.

    Args:
        folder: of the study.
        page: that was written; one that is not the study's own stays out of MLflow.
        arena: as in :func:`sync`.

    Returns:
        why it could not be brought there, "" where it was or nothing was to be done.
    """
    file = sqlite_file(store_uri(arena))
    if page.resolve() != (folder / REPORT).resolve() or (file is not None and not file.exists()):
        return ""
    try:
        return sync(folder, arena).problem
    except ArenaError as error:
        return f"the report is not in MLflow: {error}"
