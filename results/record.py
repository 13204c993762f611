"""The record of a cell: a folder with ``cell.json`` and one parquet file a shard of seeds.

A parquet file has one row a seed. Its list columns hold the C checkpoints (their places are in the file's metadata) and
the improvements of the incumbent, as many as the seed had. Everything is written under a temporary name and renamed, so
that whatever lies in the folder is whole.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from results.files import METADATA, RecordError, metadata_of, plain, read_json, read_parquet, write_atomically

RECORD_VERSION = 1  # raised when a reader of before would misread a record of now

BEST_SEEN = "best seen"
CELL_FILE, STUDY_FILE = "cell.json", "study.json"
_IMPROVEMENT = "improvement."
_DIAGNOSTIC = "diagnostic."  # for curves alone: single precision will do
_ELEMENT = ".list.element"


@dataclass(frozen=True)
class CellRecord:
    """All seeds on record of one cell.

    Attributes:
        about: the content of ``cell.json``.
        folder: where it lies.
        seeds: int [R], ascending.
        checkpoints: int [C], in the unit of the budget.
        columns: [R, C] by name; see :class:`harness.tabular.SearchResult` for what they mean.
        improvements: [I] by name, by seed and then time.
        distribution: float [C, V, Kmax] or None.
        made: of every shard, by what and how it was computed: commit, machine, versions, seconds.
    """

    about: dict[str, Any]
    folder: Path
    seeds: NDArray[np.int64]
    checkpoints: NDArray[np.int64]
    columns: dict[str, NDArray[Any]]
    improvements: dict[str, NDArray[Any]]
    distribution: NDArray[np.float64] | None
    made: tuple[dict[str, Any], ...]

    @property
    def optimizer(self) -> str:
        return str(self.about["optimizer"]["label"])

    @property
    def benchmark(self) -> str:
        return str(self.about["benchmark"]["label"])

    @property
    def answer(self) -> str:
        """What the optimizer recommends: "best seen", "mode", ..."""
        return str(self.about["optimizer"]["recommends"])

    @property
    def recommends_incumbent(self) -> bool:
        """Whether what the optimizer recommends is always the best that it has seen."""
        return self.answer == BEST_SEEN

    def at(self, checkpoint: int, column: str) -> NDArray[Any]:
        """A column at one checkpoint: [R]."""
        place = np.flatnonzero(self.checkpoints == checkpoint)
        if place.size == 0:
            raise RecordError(f"{self.optimizer} on {self.benchmark} has no checkpoint at {checkpoint}")
        values: NDArray[Any] = self.columns[column][:, place[0]]
        return values

    def only(self, seeds: Iterable[int]) -> CellRecord:
        """The same with some of the seeds."""
        wanted = np.array(sorted(seeds), dtype=np.int64)
        rows = np.flatnonzero(np.isin(self.seeds, wanted))
        kept = np.isin(self.improvements["seed"], wanted)
        return CellRecord(
            self.about,
            self.folder,
            self.seeds[rows],
            self.checkpoints,
            {name: values[rows] for name, values in self.columns.items()},
            {name: values[kept] for name, values in self.improvements.items()},
            self.distribution,
            self.made,
        )


def write_shard(
    folder: Path,
    *,
    seeds: NDArray[np.int64],
    checkpoints: NDArray[np.int64],
    columns: Mapping[str, NDArray[Any]],
    improvements: Mapping[str, NDArray[Any]],
    distribution: NDArray[np.float64] | None,
    made: Mapping[str, Any],
) -> Path:
    """Writes the record of some seeds into the folder of their cell."""
    import pyarrow as pa  # 0.35 s that reading a help text need not pay
    import pyarrow.parquet as pq

    if (np.diff(seeds) <= 0).any():
        raise ValueError("the seeds of a shard must ascend")
    R, C = len(seeds), len(checkpoints)
    arrays = {"seed": pa.array(seeds)}
    every = pa.array(np.arange(R + 1, dtype=np.int32) * C)
    for name, values in columns.items():
        kept = values.astype(np.float32) if name.startswith(_DIAGNOSTIC) else values
        arrays[name] = pa.ListArray.from_arrays(every, pa.array(kept.ravel()))
    ends = np.searchsorted(improvements["seed"], seeds, side="right")
    own = pa.array(np.concatenate([[0], ends]).astype(np.int32))
    for name, values in improvements.items():
        if name != "seed":
            arrays[_IMPROVEMENT + name] = pa.ListArray.from_arrays(own, pa.array(values))
    metadata = {
        "record_version": RECORD_VERSION,
        "checkpoints": checkpoints.tolist(),
        "distribution": None if distribution is None else distribution.tolist(),
        "made": dict(made),
    }
    table = pa.table(arrays).replace_schema_metadata({METADATA: json.dumps(metadata, default=plain).encode()})
    path = folder / f"seeds-{seeds.min()}-{seeds.max()}.parquet"
    split = [name for name in arrays if name.startswith(_DIAGNOSTIC) or name.endswith("seconds")]
    write_atomically(
        path,
        lambda stream: pq.write_table(
            table,
            stream,
            compression="zstd",
            # numbers that hardly repeat: byte by byte they are smaller and written faster than by a dictionary
            use_dictionary=[name + _ELEMENT for name in arrays if name not in split],
            use_byte_stream_split=[name + _ELEMENT for name in split],
        ),
    )
    return path


def shard_files(folder: Path) -> list[Path]:
    """The files of a cell's shards."""
    return sorted(folder.glob("seeds-*.parquet"))


def seeds_on_record(folder: Path) -> set[int]:
    """The seeds whose record a cell's folder holds."""
    seeds: set[int] = set()
    for path in shard_files(folder):
        seeds.update(read_parquet(path, ["seed"]).column("seed").to_pylist())
    return seeds


def read_cell(folder: Path) -> CellRecord:
    """Reads the record of a cell.

    Raises:
        RecordError: when there is none, it is damaged, or a newer version wrote it.
    """
    about = read_json(folder / CELL_FILE)
    shards = [_read_shard(path) for path in shard_files(folder)]
    if not shards:
        raise RecordError(f"{folder} holds no finished seeds; run the study again")
    seeds = np.concatenate([shard.seeds for shard in shards])
    if len(np.unique(seeds)) < len(seeds):
        raise RecordError(f"{folder} holds a seed in two files; delete one of them, or both and run the study again")
    order = np.argsort(seeds, kind="stable")
    improved = {name: np.concatenate([shard.improvements[name] for shard in shards]) for name in shards[0].improvements}
    by_seed = np.argsort(improved["seed"], kind="stable")
    counts = [len(shard.seeds) for shard in shards]
    distributions = [shard.distribution for shard in shards if shard.distribution is not None]
    return CellRecord(
        about=about,
        folder=folder,
        seeds=np.concatenate([shard.seeds for shard in shards])[order],
        checkpoints=shards[0].checkpoints,
        columns={name: np.concatenate([shard.columns[name] for shard in shards])[order] for name in shards[0].columns},
        improvements={name: values[by_seed] for name, values in improved.items()},
        distribution=np.average(distributions, axis=0, weights=counts) if distributions else None,
        made=tuple(made for shard in shards for made in shard.made),
    )


def _read_shard(path: Path) -> CellRecord:
    table = read_parquet(path)
    metadata = metadata_of(table, path)
    if metadata["record_version"] > RECORD_VERSION:
        raise RecordError(
            f"{path} was written by a newer NAS Arena (record version {metadata['record_version']}, this one reads "
            f"up to {RECORD_VERSION}); update NAS Arena"
        )
    checkpoints = np.array(metadata["checkpoints"], dtype=np.int64)
    seeds = table.column("seed").to_numpy()
    columns, improvements = {}, {}
    for name in table.column_names:
        column = table.column(name).combine_chunks()
        if name.startswith(_IMPROVEMENT):
            improvements[name.removeprefix(_IMPROVEMENT)] = column.flatten().to_numpy(zero_copy_only=False)
            improvements["seed"] = np.repeat(seeds, column.value_lengths().to_numpy(zero_copy_only=False))
        elif name != "seed":
            columns[name] = column.flatten().to_numpy(zero_copy_only=False).reshape(len(seeds), len(checkpoints))
    distribution = metadata["distribution"]
    return CellRecord(
        about={},
        folder=path.parent,
        seeds=seeds,
        checkpoints=checkpoints,
        columns=columns,
        improvements=improvements,
        distribution=None if distribution is None else np.array(distribution),
        made=(metadata["made"],),
    )


def asked_of(about: Mapping[str, Any], cell: str) -> list[int]:
    """The seeds that a study asks of a cell: in an ablation some get fewer than the others, and random architectures
    that are trained for comparison are numbered on their own.

    Args:
        about: the content of ``study.json``.
        cell: the name of its folder.
    """
    own = about.get("own_seeds", {}).get(cell)
    return sorted(about["seeds"])[: about.get("fewer_seeds", {}).get(cell)] if own is None else list(own)


def read_study(folder: str | Path) -> list[CellRecord]:
    """The cells of a study's last run with the seeds that it asked for, as many as are finished.

    Raises:
        RecordError: when the folder is no study, or none of its cells is finished.
    """
    folder = Path(folder)
    about = read_json(folder / STUDY_FILE)
    cells = []
    for name in about["cells"]:
        if shard_files(folder / name):
            cell = read_cell(folder / name).only(asked_of(about, name))
            if len(cell.seeds):
                cells.append(cell)
    if not cells:
        raise RecordError(f"no cell of {folder} is finished; run the study again")
    return cells
