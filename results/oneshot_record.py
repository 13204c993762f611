"""The record of a cell of a one-shot study: ``cell.json``, and one parquet file a seed with a row an epoch.

What a seed came to in the end, its ``result``, is in the file's metadata. While a seed runs, its progress is a log of
JSON lines beside: first what attempt it is, then a line an epoch. It is only for those who watch.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.files import METADATA, RecordError, metadata_of, plain, read_json, read_parquet, write_atomically
from results.record import CELL_FILE, shard_files

ONESHOT_RECORD_VERSION = 1  # raised when a reader of before would misread a record of now


@dataclass(frozen=True)
class OneShotRun:
    """One seed of a cell.

    Attributes:
        seed: of the run.
        epochs: [E] by name, a number at the end of every epoch; NaN where there is none.
        result: what it came to; see :func:`harness.oneshot.search` and :func:`harness.retrain.retrain`.
        made: by what and how it was computed: commit, machine, versions, seconds.
    """

    seed: int
    epochs: dict[str, NDArray[Any]]
    result: dict[str, Any]
    made: dict[str, Any]

    @property
    def test_accuracies(self) -> NDArray[np.float64]:
        """In percent, of the architecture trained from scratch, a number a training; empty where it was not."""
        return np.array([one["test_accuracy"] for one in self.result["retrained"]], dtype=np.float64)


@dataclass(frozen=True)
class OneShotCell:
    """All seeds on record of one cell.

    Attributes:
        about: the content of ``cell.json``.
        folder: where it lies.
        runs: by seed.
    """

    about: dict[str, Any]
    folder: Path
    runs: tuple[OneShotRun, ...]

    @property
    def label(self) -> str:
        """The optimizer with its settings where they differ from the defaults; or which architectures were trained."""
        return str(self.about["label"])

    @property
    def is_search(self) -> bool:
        """Whether an architecture was searched; else given ones were trained from scratch."""
        return bool(self.about["kind"] == "search")


def place_of(about: Mapping[str, Any]) -> str:
    """Where a cell has searched, or trained: cells of one place can be compared.

    Args:
        about: the content of ``cell.json``.
    """
    return f"{about['supernet']['label']} on {about['images']['label']}"


def write_run(
    folder: Path, seed: int, epochs: Mapping[str, Sequence[float]], result: Mapping[str, Any], made: Mapping[str, Any]
) -> Path:
    """Writes one seed into the folder of its cell, atomically, and takes its progress log away."""
    import pyarrow as pa  # 0.35 s that reading a help text need not pay
    import pyarrow.parquet as pq

    length = len(next(iter(epochs.values())))
    table = pa.table({"seed": np.full(length, seed, dtype=np.int64), **{k: np.asarray(v) for k, v in epochs.items()}})
    metadata = {"record_version": ONESHOT_RECORD_VERSION, "result": dict(result), "made": dict(made)}
    table = table.replace_schema_metadata({METADATA: json.dumps(metadata, default=plain).encode()})
    path = folder / f"seeds-{seed}-{seed}.parquet"
    write_atomically(path, lambda stream: pq.write_table(table, stream))
    progress_file(folder, seed).unlink(missing_ok=True)
    return path


def read_oneshot_cell(folder: Path, seeds: Iterable[int]) -> OneShotCell:
    """Reads those seeds of a cell, as many as are on record.

    Raises:
        RecordError: when a file is damaged, or a newer version wrote it.
    """
    wanted = set(seeds)
    runs = [run for path in shard_files(folder) if (run := _read_run(path)).seed in wanted]
    return OneShotCell(read_json(folder / CELL_FILE), folder, tuple(sorted(runs, key=lambda run: run.seed)))


def _read_run(path: Path) -> OneShotRun:
    table = read_parquet(path)
    metadata = metadata_of(table, path)
    if metadata["record_version"] > ONESHOT_RECORD_VERSION:
        raise RecordError(
            f"{path} was written by a newer NAS Arena (record version {metadata['record_version']}, this one reads "
            f"up to {ONESHOT_RECORD_VERSION}); update NAS Arena"
        )
    epochs = {name: table.column(name).to_numpy() for name in table.column_names}
    return OneShotRun(int(epochs.pop("seed")[0]), epochs, metadata["result"], metadata["made"])


def progress_file(folder: Path, seed: int) -> Path:
    """The log of a seed that runs."""
    return folder / f"progress-{seed}.jsonl"


def read_progress(path: Path) -> tuple[str, list[dict[str, float]]]:
    """The attempt and the epochs in a progress log; a last line that is still being written is left out.

    Returns:
        "" and nothing where there is no log.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    except OSError:
        return "", []
    whole = [json.loads(line) for line in lines if line.endswith("\n")]
    return (str(whole[0]["attempt"]), whole[1:]) if whole else ("", [])
