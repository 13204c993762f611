"""The record of a row of a toy study: a folder with ``cell.json`` and one parquet file a shard, a line a trial."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.files import METADATA, metadata_of, read_json, read_parquet, write_atomically
from results.record import CELL_FILE, shard_files


@dataclass(frozen=True)
class ToyRecord:
    """All trials on record of one row.

    Attributes:
        about: the content of ``cell.json``.
        seeds: int [R], ascending.
        columns: float [R] by name; see :class:`harness.toy.ToyResult` for what they mean.
        made: of every shard, by what and how it was computed.
    """

    about: dict[str, Any]
    seeds: NDArray[np.int64]
    columns: dict[str, NDArray[np.float64]]
    made: tuple[dict[str, Any], ...]

    @property
    def variant(self) -> str:
        """The optimizer with its settings where they differ from the defaults, the initial step left out."""
        return str(self.about["optimizer"]["label"])

    @property
    def k(self) -> float | None:
        """The initial step is n^-k; None where it was given as such."""
        k: float | None = self.about["k"]
        return k

    @property
    def problem(self) -> dict[str, Any]:
        """The settings of the problem."""
        problem: dict[str, Any] = self.about["problem"]
        return problem


def write_trials(
    folder: Path, seeds: NDArray[np.int64], columns: Mapping[str, NDArray[np.float64]], made: Mapping[str, Any]
) -> None:
    """Writes some trials into the folder of their row, atomically."""
    import pyarrow as pa  # 0.35 s that reading a help text need not pay
    import pyarrow.parquet as pq

    table = pa.table({"seed": seeds, **columns}).replace_schema_metadata({METADATA: json.dumps(dict(made)).encode()})
    path = folder / f"seeds-{seeds.min()}-{seeds.max()}.parquet"
    write_atomically(path, lambda stream: pq.write_table(table, stream))


def read_trials(folder: Path, seeds: Iterable[int]) -> ToyRecord:
    """Reads the trials of those seeds of a row, as many as are on record.

    Raises:
        RecordError: when a file is damaged.
    """
    about, wanted = read_json(folder / CELL_FILE), np.array(sorted(seeds), dtype=np.int64)
    files = shard_files(folder)
    tables = [read_parquet(path) for path in files]
    names = tables[0].column_names if tables else ["seed"]
    columns = {name: np.concatenate([table.column(name).to_numpy() for table in tables]) for name in names if tables}
    of = columns.pop("seed", np.empty(0, dtype=np.int64))
    kept = np.argsort(of)[np.isin(np.sort(of), wanted)]
    made = tuple(metadata_of(table, path) for table, path in zip(tables, files, strict=True))
    return ToyRecord(about, of[kept], {name: values[kept] for name, values in columns.items()}, made)
