"""Where the MLflow store is, and how it is made."""

from __future__ import annotations

import os
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

from harness.lock import locked

SQLITE = "sqlite:///"


def store_uri(arena: Path) -> str:
    """Where runs go: MLFLOW_TRACKING_URI, or an SQLite file beside the arena folder."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"{SQLITE}{arena.resolve().parent / 'mlflow.db'}"


def sqlite_file(uri: str) -> Path | None:
    """The file of an SQLite store, None for any other."""
    return Path(uri.removeprefix(SQLITE)) if uri.startswith(SQLITE) else None


def is_server(uri: str) -> bool:
    """Whether the store is an MLflow server."""
    return uri.startswith(("http://", "https://"))


def probe(uri: str) -> None:
    """Asks a server whether it is there, once and briefly.

    Raises:
        ConnectionError: when it does not answer.
    """
    # a server that dies later would otherwise block every call for minutes; MLflow reads these when it is imported
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "2")
    os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")
    try:
        urllib.request.urlopen(f"{uri.rstrip('/')}/health", timeout=5).close()
    except urllib.error.HTTPError:
        pass  # somebody answers; a server behind a proxy may not show its health
    except OSError as error:
        raise ConnectionError(f"no answer ({getattr(error, 'reason', error)})") from None


def create_sqlite(path: Path, create: Callable[[str], object]) -> None:
    """Lets ``create`` make a new store, given its URI, unless there is one.

    It is made under a temporary name: a store whose creation was interrupted could never be opened again, and two
    processes that create one at the same time both fail.
    """
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.with_name(f".{path.name}.lock"), wait=True, what="the MLflow store"):
        for abandoned in path.parent.glob(f".{path.name}-creating-*"):
            abandoned.unlink()
        if not path.exists():
            temporary = path.with_name(f".{path.name}-creating-{os.getpid()}")
            try:
                create(f"{SQLITE}{temporary}")
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)  # a full disk would otherwise stay full
