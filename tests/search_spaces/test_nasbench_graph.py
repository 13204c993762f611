"""NAS-Bench-Graph: its numbers against the package and against a second extract, its words, its files."""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import Evil, line_of, put
from graph_package import (
    COUNTS,
    METRICS,
    NAMES,
    REINSTALL,
    load,
    official,
    official_key,
    operations,
    places,
    records,
)

from harness.tabular import Budget, search
from optimizers.registry import OPTIMIZERS
from search_spaces import nasbench_graph
from search_spaces.errors import ArenaError
from search_spaces.nasbench_graph import LINKS, OPERATIONS, PROTEINS_OPERATIONS, NASBenchGraph, canonical_ranks
from search_spaces.registry import BENCHMARKS, get_benchmark

pytestmark = pytest.mark.usefixtures("own_graphs")


# numbers


@pytest.mark.parametrize("name", NAMES)
def test_1000_places_equal_the_package(name: str) -> None:
    benchmark, stored, archs = load(name), records(name), places(name)
    searched, final, feasible = benchmark.search_loss(archs), benchmark.final_loss(archs), benchmark.feasible(archs)
    secondary = {metric: benchmark.metric(metric, archs) for metric in METRICS}
    seen = set()
    for place, arch in enumerate(archs.tolist()):
        key = official_key(name, arch)
        if key not in stored:
            assert not feasible[place]
            continue
        seen.add(key)
        record = stored[key]
        assert searched[place] == pytest.approx(100 - 100 * record["valid_perf"], abs=1e-9)
        assert final[place] == pytest.approx(100 - 100 * record["perf"], abs=1e-9)
        for metric, column in METRICS.items():
            assert secondary[metric][place] == record[column]
    assert len(seen) > (500 if name == "proteins" else 900)


@pytest.mark.parametrize("name", NAMES)
def test_all_records_equal_the_data_folder(name: str, data_folder: Path) -> None:
    """A second extract, which names trees and operations instead of keys, and has the canonical forms alone."""
    prefix = "proteins_" if name == "proteins" else ""
    with np.load(data_folder / "nasbench_graph.npz", allow_pickle=False) as stored:
        assert [tuple(link) for link in stored["links"].tolist()] == list(LINKS)
        assert tuple(stored["op_names"].tolist()) == OPERATIONS
        link, ops = stored[f"{prefix}link"], stored[f"{prefix}ops"]  # both number the operations by op_names
        columns = {column: stored[f"{name}_{column}"] for column in ("valid_perf", "perf", "latency", "para")}
    benchmark = load(name)
    value_of = np.array([operations(name).index(op) if op in operations(name) else -1 for op in OPERATIONS])
    archs = np.column_stack([link, value_of[ops]]).astype(np.int64)
    ranks = benchmark.space.index(archs)
    np.testing.assert_array_equal(canonical_ranks(benchmark.space)[ranks], ranks)
    np.testing.assert_allclose(benchmark.search_loss(archs), 100 - 100 * columns["valid_perf"], rtol=0, atol=1e-9)
    np.testing.assert_allclose(benchmark.final_loss(archs), 100 - 100 * columns["perf"], rtol=0, atol=1e-9)
    for metric, column in METRICS.items():
        np.testing.assert_array_equal(benchmark.metric(metric, archs), columns[column])


@pytest.mark.parametrize("name", NAMES)
def test_numbers_that_are_equal_tie(name: str) -> None:
    """Validation numbers are means of three with three decimals: whole thirtieths of a percentage point, exactly."""
    search_loss = load(name).tables.search[0]
    thirtieths = np.array([round(record["valid_perf"] * 3000) for record in records(name).values()])
    assert np.abs(np.array([r["valid_perf"] for r in records(name).values()]) * 3000 - thirtieths).max() < 1e-9
    assert len(np.unique(search_loss[search_loss < np.inf])) == len(np.unique(thirtieths))
    raw = {record["valid_perf"] for record in records(name).values()}
    assert len(raw) > len(np.unique(thirtieths)), "the source tells equal means apart by their last bit"


# test regret of the architectures that are best by validation, as an independent sketch found it
GAPS = {
    "citeseer": 0.53,
    "pubmed": 3.00,
    "cs": 0.68,
    "physics": 1.66,
    "photo": 0.71,
    "computers": 3.55,
    "arxiv": 0.43,
    "proteins": 3.15,
}


@pytest.mark.parametrize("name", GAPS)
def test_the_best_by_validation_is_not_the_best_by_test(name: str) -> None:
    landmarks = load(name).landmarks
    assert landmarks["best_final_loss"] - landmarks["lowest_final_loss"] == pytest.approx(GAPS[name], abs=0.005)
    stored = records(name)
    best = max(stored, key=lambda key: stored[key]["valid_perf"])
    assert landmarks["best_search_loss"] == pytest.approx(100 - 100 * stored[best]["valid_perf"])
    assert landmarks["best_final_loss"] == pytest.approx(100 - 100 * stored[best]["perf"])


def test_two_architectures_are_best_on_cora() -> None:
    """The last bit of the source would prefer one of them, whose test regret is .50; the other's is 2.33."""
    benchmark = load("cora")
    best = np.unique(canonical_ranks(benchmark.space)[benchmark.search_regret == 0])
    regrets = benchmark.final_losses[best] - benchmark.landmarks["lowest_final_loss"]
    assert sorted(regrets.round(2)) == [0.50, 2.33]
    assert benchmark.landmarks["best_search_loss"] == pytest.approx(100 - 81.9333, abs=1e-4)
    last_bit = max(records("cora").values(), key=lambda record: record["valid_perf"])
    assert 100 * (max(r["perf"] for r in records("cora").values()) - last_bit["perf"]) == pytest.approx(0.50)


@pytest.mark.parametrize("name", NAMES)
def test_every_number_is_there_and_in_its_range(name: str) -> None:
    benchmark = load(name)
    feasible, tables = benchmark.is_feasible, benchmark.tables
    for losses in (tables.search[0, feasible], tables.final[feasible]):
        assert losses.min() > 5
        assert losses.max() < 99
    seconds, millions = (tables.secondary[metric][feasible] for metric in METRICS)
    assert seconds.min() > 1e-4
    assert seconds.max() < 1
    assert millions.min() > 0.03  # the smallest layer of the smallest network has tens of thousands
    assert millions.max() < 10
    assert not np.array_equal(tables.search[0], tables.final)


@pytest.mark.parametrize("name", NAMES)
def test_the_nine_infeasible(name: str) -> None:
    benchmark = load(name)
    skip = len(operations(name)) - 1
    archs = np.array([[link, skip, skip, skip, skip] for link in range(9)])
    assert (~benchmark.is_feasible).sum() == benchmark.landmarks["infeasible"] == 9
    assert not benchmark.feasible(archs).any()
    assert (benchmark.search_loss(archs) == np.inf).all()
    assert np.isnan(benchmark.tables.final[benchmark.space.index(archs)]).all()
    assert (benchmark.final_loss(archs) == np.nanmax(benchmark.tables.final)).all()
    assert (benchmark.search_regret[benchmark.space.index(archs)] == benchmark.search_regret.max()).all()
    for metric in METRICS:
        assert np.isnan(benchmark.metric(metric, archs)).all()
    beside = archs + np.array([0, 0, 0, 0, -1])
    assert benchmark.feasible(beside).all()


def test_costs_and_trials_are_not_known() -> None:
    benchmark = load("cora")
    assert benchmark.tables.seconds is None
    assert np.isnan(benchmark.seconds([0] * 5))
    assert benchmark.noise_kinds == ()
    assert benchmark.metrics == tuple(METRICS)


# names


@pytest.mark.parametrize("name", NAMES)
def test_wording_says_what_is_test(name: str) -> None:
    wording = load(name).wording
    measure = "ROC-AUC" if name == "proteins" else "accuracy"
    assert (wording.kind, wording.measure, wording.complement) == ("test", measure, True)
    assert wording.reported == f"test {measure} (mean of three seeds)"
    assert "validation" in wording.searched
    assert "test" not in wording.searched
    assert ("ROC-AUC" in wording.searched) == (name == "proteins")


def test_the_space_is_named_as_the_package_names_it() -> None:
    for name, kinds in (("cora", OPERATIONS), ("proteins", PROTEINS_OPERATIONS)):
        variables = load(name).space.to_dict()["variables"]
        assert [variable["name"] for variable in variables] == ["links", "op_1", "op_2", "op_3", "op_4"]
        assert {variable["kind"] for variable in variables} == {"categorical"}
        assert variables[0]["choices"] == ["".join(map(str, link)) for link in LINKS]
        assert all(tuple(variable["choices"]) == kinds for variable in variables[1:])


@pytest.mark.parametrize("name", COUNTS)
def test_architecture_strings_are_expressions_of_the_package(name: str) -> None:
    from nas_bench_graph import Arch

    benchmark = load(name)
    assert NASBenchGraph.datasets == NAMES
    for arch in places(name, 50):
        read = eval(benchmark.architecture_string(arch), {"Arch": Arch})  # our own text, and what it is for
        given = official(name, arch)
        assert (read.link, read.ops) == (given.link, given.ops)
    for bad in ([0] * 4, [0] * 4 + [9], [0.0] * 5):
        with pytest.raises(ArenaError, match="architecture"):
            benchmark.architecture_string(bad)


def test_it_is_listed() -> None:
    assert "nasbench_graph" in BENCHMARKS.names()
    assert BENCHMARKS.load("nasbench_graph") is NASBenchGraph


def test_an_unknown_data_set_offers_the_nearest() -> None:
    with pytest.raises(ArenaError, match=r"unknown data set of nasbench_graph: 'citeser'; did you mean 'citeseer'\?"):
        get_benchmark("nasbench_graph", dataset="citeser")
    with pytest.raises(ArenaError, match="known: arxiv, citeseer, computers"):
        get_benchmark("nasbench_graph", dataset="imagenet")


@pytest.mark.parametrize("name", ["cora", "proteins"])
@pytest.mark.parametrize("optimizer", ["asng", "regularized_evolution", "random_search"])
def test_searches_run(name: str, optimizer: str) -> None:
    benchmark = load(name)
    found = search(
        OPTIMIZERS.load(optimizer)(benchmark.space, seeds=range(30)),
        benchmark,
        Budget("evaluations", 120),
        np.array([1, 30, 120]),
    )
    regret = found.columns["incumbent_regret"]
    assert np.isfinite(regret).all()
    assert (np.diff(regret, axis=1) <= 0).all()
    assert not found.columns["incumbent_infeasible"][:, 1:].any()
    assert np.isfinite(found.columns["incumbent_final"]).all()
    assert np.median(regret[:, -1]) < benchmark.landmarks["median_regret"]


# files


@pytest.fixture
def own_wheel(copied: Callable[[str, str], Path]) -> Path:
    """The file of Proteins in a place where it may be spoilt, and no cache."""
    return copied("nas-bench-graph", "nas_bench_graph/light/proteins.bench")


def test_the_cache_gives_the_same(own_wheel: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert own_wheel.exists()
    first = get_benchmark("nasbench_graph", dataset="proteins")
    monkeypatch.setattr(nasbench_graph, "_from_package", None)
    again = get_benchmark("nasbench_graph", dataset="proteins")
    np.testing.assert_array_equal(first.tables.search, again.tables.search)
    np.testing.assert_array_equal(first.tables.final, again.tables.final)
    for metric in METRICS:
        np.testing.assert_array_equal(first.tables.secondary[metric], again.tables.secondary[metric])
    assert first.checksums == again.checksums == {"proteins.bench": nasbench_graph.SHA256["proteins.bench"]}


@pytest.mark.parametrize("warm", [False, True], ids=["cold cache", "warm cache"])
@pytest.mark.parametrize(
    "spoil",
    [lambda b: b[:-1], lambda b: b"", lambda b: bytes([b[0] ^ 1]) + b[1:]],
    ids=["truncated", "empty", "flipped"],
)
def test_a_damaged_file_is_named_with_the_mend(own_wheel: Path, spoil: Callable[[bytes], bytes], warm: bool) -> None:
    if warm:
        get_benchmark("nasbench_graph", dataset="proteins")
    own_wheel.write_bytes(spoil(own_wheel.read_bytes()))
    line = line_of(lambda: get_benchmark("nasbench_graph", dataset="proteins"))
    assert str(own_wheel) in line
    assert "SHA-256" in line
    assert line.endswith(REINSTALL)


@pytest.mark.usefixtures("not_installed")
def test_a_package_that_is_not_installed_is_named_with_the_mend() -> None:
    line = line_of(lambda: get_benchmark("nasbench_graph"))
    assert "nas-bench-graph" in line
    assert "not installed" in line
    assert line.endswith(REINSTALL)


def other_content() -> dict[str, Any]:
    right = {
        key: {column: float(value) for column, value in record.items()} for key, record in records("proteins").items()
    }
    some = next(iter(right))
    first = {column: value for column, value in right[some].items() if column != "para"}
    return {
        "a list": [],
        "nothing": {},
        "one less": dict(list(right.items())[1:]),
        "one more": right | {88888: right[some]},
        "another one": dict(list(right.items())[1:]) | {88888: right[some]},
        "no parameters": right | {some: first},
        "text": right | {some: right[some] | {"para": "many"}},
        "NaN": right | {some: right[some] | {"perf": float("nan")}},
        "a list of numbers": right | {some: right[some] | {"perf": [0.5]}},
        "a record that is none": right | {some: 0.5},
        "a key that is none": right | {"some": right[some]},
        "too large": right | {some: right[some] | {"perf": 10**400}},
    }


@pytest.mark.parametrize("kind", other_content())
def test_another_content_is_named(own_wheel: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    put(own_wheel, pickle.dumps(other_content()[kind]), nasbench_graph.SHA256, own_wheel.name, monkeypatch)
    assert "proteins.bench" in line_of(lambda: get_benchmark("nasbench_graph", dataset="proteins"))


@pytest.mark.parametrize("call", [os.system, eval, exec, open, os.getenv], ids=lambda call: call.__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_hostile_file_runs_nothing(
    own_wheel: Path, call: Any, protocol: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    content = pickle.dumps({1111: {"perf": Evil(call, "print('it ran')")}}, protocol)
    put(own_wheel, content, nasbench_graph.SHA256, own_wheel.name, monkeypatch)
    line = line_of(lambda: get_benchmark("nasbench_graph", dataset="proteins"))
    assert line.startswith("proteins.bench: a pickle names ")
    assert "nothing was run" in line
    assert capfd.readouterr().out == ""
