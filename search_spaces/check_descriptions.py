"""Checks of what a benchmark is made of and how it is described: its class, data sets, options, words, landmarks.

Each function is a check: its docstring says what is expected, its body is the example that a violation prints.
"""

from __future__ import annotations

import inspect
import json
import math
import re
from dataclasses import asdict
from typing import Any

import numpy as np

from search_spaces.benchmark import TabularBenchmark
from search_spaces.check_tools import LOOKUPS, Make, global_random_state, some_architectures, table_difference
from search_spaces.errors import refusal
from search_spaces.landmarks import TARGET_SHARE
from search_spaces.plugins import resolve_settings
from search_spaces.space import SearchSpace


def signature(cls: type[TabularBenchmark], options: dict[str, Any]) -> None:
    """The constructor takes (dataset, *, options...): the first data set is the default, and every option is a keyword
    with an annotation, and a default, if it has one, of that type."""
    parameters = inspect.signature(cls).parameters
    assert [*parameters][:1] == ["dataset"], f"it takes ({', '.join(parameters)})"
    default = parameters["dataset"].default
    assert default == cls.datasets[0], f"the default data set is {default!r}, the first is {cls.datasets[0]!r}"
    for name, parameter in [*parameters.items()][1:]:
        assert parameter.kind is parameter.KEYWORD_ONLY, f"{name!r} is no keyword-only argument"
        assert parameter.annotation is not parameter.empty, f"the option {name!r} has no annotation"
        given = options.get(name, parameter.default)
        wrong = refusal(resolve_settings, cls, {**options, name: given}, "option")
        assert not wrong, f"{wrong} (its default)"


def attributes(cls: type[TabularBenchmark]) -> None:
    """The class has a version (int, from 1 on), datasets (different names), and texts citation and data_source."""
    assert type(cls.version) is int, f"version is {cls.version!r}"
    assert cls.version >= 1, f"version is {cls.version!r}"
    assert isinstance(cls.datasets, tuple), f"datasets is {cls.datasets!r}"
    assert all(isinstance(name, str) and name for name in cls.datasets), f"datasets is {cls.datasets!r}"
    assert 0 < len(set(cls.datasets)) == len(cls.datasets), f"datasets is {cls.datasets!r}"
    for name in ("citation", "data_source"):
        assert isinstance(getattr(cls, name), str), f"{name} is {getattr(cls, name)!r}"
        assert getattr(cls, name).strip(), f"{name} is empty; it says where the numbers are from"


def constructs(make: Make) -> None:
    """The benchmark can be made: its tables fit its space and each other."""
    benchmark = make()
    assert isinstance(benchmark.space, SearchSpace), f"space is {benchmark.space!r}"


def every_data_set_is_there(make: Make, cls: type[TabularBenchmark]) -> None:
    """A benchmark of every name in datasets can be made, and says which it is."""
    for name in cls.datasets:
        assert make(dataset=name).dataset == name, f"of {name!r} it makes {make(dataset=name).dataset!r}"


def unknown_data_sets_are_refused(make: Make, cls: type[TabularBenchmark]) -> None:
    """An unknown data set raises an ArenaError that names the known ones that it may stand for."""
    for name in cls.datasets:
        message = refusal(make, dataset=f"{name}x")
        assert message, f"it takes the data set {f'{name}x'!r}"
        assert name in message, f"for {f'{name}x'!r} it says {message!r}, not {name!r}"


def loading_gives_the_same(make: Make) -> None:
    """Two benchmarks of the same options are the same: space, wording, options, checksums and tables."""
    one, other = make(), make()
    for name in ("dataset", "space", "fidelities", "wording", "options", "checksums", "noise_kinds"):
        first, second = getattr(one, name), getattr(other, name)
        assert first == second, f"{name} is {first} and {second}"
    assert not table_difference(one, other), table_difference(one, other)


def options_make_the_same(benchmark: TabularBenchmark) -> None:
    """The class with the benchmark's dataset and options, which records keep as JSON, makes the same benchmark."""
    options = json.loads(json.dumps(benchmark.options))
    again = type(benchmark)(dataset=benchmark.dataset, **options)
    assert again.options == benchmark.options, f"of {benchmark.options} it makes {again.options}"
    assert again.wording == benchmark.wording, f"the wording is {again.wording}, it was {benchmark.wording}"
    unequal = table_difference(benchmark, again)
    assert not unequal, f"with dataset {benchmark.dataset!r} and {options} {unequal}"


def ordinals_can_be_opened(benchmark: TabularBenchmark) -> None:
    """With ordinals="categorical" the space has the same variables without an order, and the tables are the same."""
    options = {**benchmark.options, "dataset": benchmark.dataset}
    ordered = type(benchmark)(**{**options, "ordinals": "ordinal"})
    opened = type(benchmark)(**{**options, "ordinals": "categorical"})
    assert ordered.space.ordinal.any(), "with ordinals='ordinal' there are none"
    assert not opened.space.ordinal.any(), "with ordinals='categorical' there are some"
    assert opened.space == ordered.space.opened(), "with ordinals='categorical' it is another space"
    assert not table_difference(ordered, opened), table_difference(ordered, opened)


def checksums_are_sha256(benchmark: TabularBenchmark) -> None:
    """checksums gives the SHA-256 of every data file, 64 hexadecimal digits, by the file's name."""
    for name, checksum in benchmark.checksums.items():
        assert isinstance(name, str), f"a file is called {name!r}"
        assert re.fullmatch(r"[0-9a-f]{64}", str(checksum)), f"that of {name!r} is {checksum!r}"


def tables_fit_the_space(benchmark: TabularBenchmark) -> None:
    """The tables are of float64, and of one number an architecture of the space, by rank, and fidelity."""
    F, N = len(benchmark.fidelities), benchmark.space.size
    shapes = {"search": (F, N), "final": (N,), "seconds": (F, N)}
    for name, shape in shapes.items():
        table = getattr(benchmark.tables, name)
        if table is not None:
            assert table.shape == shape, f"table {name!r} is {list(table.shape)}, the space needs {list(shape)}"
            assert table.dtype == np.float64, f"table {name!r} is {table.dtype}"


def global_random_state_is_left_alone(make: Make) -> None:
    """Nothing is drawn from np.random or random, nor are they seeded: a benchmark draws nothing."""
    before = global_random_state()
    benchmark = make()
    assert global_random_state() == before, "the constructor changed their state"
    archs = some_architectures(benchmark)
    for name in LOOKUPS:
        getattr(benchmark, name)(archs)
        assert global_random_state() == before, f"{name}() changed their state"


def landmarks_agree_with_the_losses(benchmark: TabularBenchmark) -> None:
    """landmarks are those of the losses: best, median and target regret, final loss of the best, share infeasible."""
    regret, final = benchmark.search_regret, benchmark.final_losses
    search = benchmark.search_loss_at(np.arange(benchmark.space.size))
    feasible = np.isfinite(search)
    count = math.ceil(TARGET_SHARE * benchmark.space.size)
    expected = {
        "best_search_loss": search.min(),
        "median_regret": np.median(regret),
        "target_count": count,
        "target_regret": np.sort(regret)[count - 1],
        "best_final_loss": final[search == search.min()].mean(),
        "lowest_final_loss": final.min(),
        "infeasible": (~feasible).sum(),
        "same_as_searched": np.array_equal(search[feasible], final[feasible]),
    }
    assert benchmark.landmarks.keys() >= expected.keys(), f"they are {[*benchmark.landmarks]}"
    for name, value in expected.items():
        assert np.isclose(benchmark.landmarks[name], value), f"{name} is {benchmark.landmarks[name]}, not {value}"


def wording_is_complete(benchmark: TabularBenchmark) -> None:
    """wording has a unit, a measure, and what the searched and the reported number are; kind and scale are known."""
    wording = benchmark.wording
    for name in ("unit", "searched", "reported", "measure"):
        assert isinstance(getattr(wording, name), str), f"{name} is {getattr(wording, name)!r}"
        assert getattr(wording, name).strip(), f"{name} is empty; tables and figures print it"
    assert wording.kind in ("test", "validation", "hold-out", "searched"), f"kind is {wording.kind!r}"
    assert wording.scale in ("linear", "log10"), f"scale is {wording.scale!r}"
    assert isinstance(wording.complement, bool), f"complement is {wording.complement!r}"
    assert isinstance(wording.remark, str), f"remark is {wording.remark!r}"


def nothing_else_is_called_test(benchmark: TabularBenchmark) -> None:
    """A reported number is called test only where kind is "test", or where the words say that it is the same number as
    searched, or one that the search does not see; and it is the same only where kind is "searched" or "validation"."""
    wording, is_same = benchmark.wording, benchmark.landmarks["same_as_searched"]
    if re.search(r"\btest\b", wording.reported) and wording.kind != "test":
        honest = "same number as searched" in wording.reported or "search does not see" in wording.reported
        assert honest, f"of the kind {wording.kind!r}, reported is {wording.reported!r}"
    assert not is_same or wording.kind in ("searched", "validation"), f"of the kind {wording.kind!r}, it is the same"
    assert is_same or wording.kind != "searched", "of the kind 'searched', it is another number"


def description_can_be_written(benchmark: TabularBenchmark) -> None:
    """dataset, options, wording, landmarks and space can be written as JSON, as records keep them."""
    assert isinstance(benchmark.dataset, str), f"dataset is {benchmark.dataset!r}"
    kept = {"options": benchmark.options, "wording": asdict(benchmark.wording), "landmarks": benchmark.landmarks}
    for name, value in {**kept, "space": benchmark.space.to_dict()}.items():
        assert json.loads(json.dumps(value)) == value, f"{name} is {value}, read back {json.loads(json.dumps(value))}"
