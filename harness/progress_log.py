"""The log of a one-shot search that runs: a line an epoch, for those who watch. Only a record is a result."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from results.oneshot_record import progress_file


class ProgressLog:
    """Appends what a seed of a cell has come to. Where the folder is not to be seen, on another node, or cannot be
    written to any more, it does nothing: a search does not end for those who watch it.

    Args:
        folder: of the cell.
        seed: that runs.

    Attributes:
        attempt: tells this log from that of an earlier try, which was killed and is written over.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.attempt = uuid.uuid4().hex
        self._path = progress_file(folder, seed) if folder.is_dir() else None
        if self._path:
            with suppress(OSError):
                self._path.unlink(missing_ok=True)
        self._append({"attempt": self.attempt, "started": datetime.now(UTC).isoformat(timespec="seconds")})

    def epoch(self, row: Mapping[str, float]) -> None:
        """Writes the numbers of an epoch, those that are none left out."""
        self._append({name: value for name, value in row.items() if math.isfinite(value)})

    def _append(self, line: Mapping[str, Any]) -> None:
        if self._path:
            try:
                with self._path.open("a", encoding="utf-8") as stream:
                    stream.write(json.dumps(line) + "\n")
            except OSError:  # a full disk; what comes after a lost line would be misread
                self._path = None
