"""Files that lie whole where they lie: written under a temporary name and renamed, and read with what is wrong told."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

METADATA = b"nas_arena"  # the key in a parquet file's schema


class RecordError(ValueError):
    """A study's folder cannot be read; the message tells why and what to do."""


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Lets ``write`` fill a file that appears at ``path`` whole or not at all, readable as any new file would be."""
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(temporary).chmod(0o666 & ~_umask())  # mkstemp makes files that nobody else can read
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def sweep(folder: Path) -> None:
    """Removes what a killed process left half written in a study's folder. Only its one writer may call it."""
    for part in list(folder.rglob(".*.part")):
        if part.is_dir():  # of a report
            shutil.rmtree(part, ignore_errors=True)
        else:
            part.unlink(missing_ok=True)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes JSON atomically, unless the file holds just that already."""
    text = (json.dumps(content, indent=1, ensure_ascii=False, default=plain) + "\n").encode()
    if not (path.exists() and path.read_bytes() == text):
        write_atomically(path, lambda stream: stream.write(text))


def read_json(path: Path) -> dict[str, Any]:
    """Reads what :func:`write_json` wrote.

    Raises:
        RecordError: when it cannot be read.
    """
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise RecordError(f"cannot read {path}: {error}; run the study again") from None
    if not isinstance(content, dict):
        raise RecordError(f"cannot read {path}: it holds no object; run the study again")
    return content


def read_parquet(path: Path, columns: list[str] | None = None) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return pq.ParquetFile(path).read(columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise RecordError(f"cannot read {path}: {error}; delete it and run the study again") from None


def metadata_of(table: Any, path: Path) -> Any:
    """What the writer of a record put beside its columns.

    Raises:
        RecordError: when nothing is there, as in a file of somebody else.
    """
    try:
        return json.loads((table.schema.metadata or {})[METADATA])
    except (KeyError, ValueError):
        raise RecordError(f"{path} is no record of seeds; delete it and run the study again") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def plain(value: Any) -> Any:
    """JSON of the numpy scalars and arrays that settings and options may hold."""
    return value.tolist() if isinstance(value, (np.generic, np.ndarray)) else str(value)
