"""``check_benchmark`` finds every way to break the contract, tells it by the right check, and passes what is right."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import broken_benchmarks as broken
import numpy as np
import pytest
import right_benchmarks as right

from harness.check import check_benchmark
from search_spaces import check as contract
from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError

WAYS = [cls for cls in vars(broken).values() if getattr(cls, "__module__", "") == broken.__name__]


@pytest.mark.parametrize("cls", WAYS, ids=lambda cls: cls.__name__)
def test_each_way_to_break_the_contract_is_found_by_its_check_alone(cls: Any) -> None:
    report = check_benchmark(cls)
    assert [result.name for result in report.violated] == [cls.check], str(report)
    (result,) = report.violated
    assert result.found
    assert result.expected
    # the example fails with the class, and passes with the right one that it derives from
    with pytest.raises(Exception):  # noqa: B017, PT011 whatever the class does wrong
        exec(compile(result.example, "example", "exec"), {})
    mended = result.example.replace(
        f"from {broken.__name__} import {cls.__name__}", f"from {right.__name__} import Toy as {cls.__name__}"
    )
    exec(compile(mended, "example", "exec"), {})


def test_every_check_is_needed_by_a_class_that_breaks_it() -> None:
    checks = [entry.function.__name__ for entry in [*contract.class_checks({}), *contract.ENTRIES]]
    assert len(set(checks)) == len(checks)
    assert {cls.check for cls in WAYS} == set(checks)


def test_a_right_class_passes() -> None:
    report = check_benchmark(right.Toy)
    report.raise_if_violated()
    assert not report.skipped
    version, numpy = metadata.version("nas-arena"), np.__version__
    about = f"benchmark contract, {len(report.passed)} checks, numpy {numpy}"
    assert str(report) == f"right_benchmarks:Toy passes nas-arena check {version} ({about})"


def test_options_are_checked_with_and_named() -> None:
    report = check_benchmark(right.Toy, dataset="large", epochs=4, ordinals="categorical")
    report.raise_if_violated()
    assert report.summary.startswith("right_benchmarks:Toy(dataset=large, epochs=4, ordinals=categorical) passes")


def test_one_benchmark_is_checked_as_it_is() -> None:
    benchmark = right.Toy("large")
    check_benchmark(benchmark).raise_if_violated()
    benchmark.checksums["toy.npz"] = "short"
    (result,) = (result for result in check_benchmark(benchmark).violated if result.name == "checksums_are_sha256")
    assert "'short'" in result.found


def test_one_benchmark_that_its_class_cannot_make_again_is_checked_all_the_same() -> None:
    benchmark = right.Toy()
    benchmark.options["epochs"] = 5
    report = check_benchmark(benchmark)
    assert {"constructs", "options_make_the_same"} & {result.name for result in report.violated}
    assert "search_losses_are_numbers" in {result.name for result in report.passed}


def test_a_benchmark_put_together_from_tables_has_no_class_to_check() -> None:
    toy = right.Toy()
    benchmark = TabularBenchmark(
        dataset="mine", space=toy.space, fidelities=toy.fidelities, wording=toy.wording, tables=toy.tables
    )
    report = check_benchmark(benchmark)
    report.raise_if_violated()
    assert {"every_data_set_is_there", "options_make_the_same"} <= {result.name for result in report.skipped}
    benchmark.wording = toy.words(unit="")
    (result,) = check_benchmark(benchmark).violated
    assert "# and with the benchmark given" in result.example


@pytest.mark.parametrize(
    ("given", "options", "message"),
    [
        (right.Toy, {"epoch": 4}, "unknown option of Toy 'epoch'; did you mean 'epochs'"),
        (right.Toy, {"epochs": 5}, "option of Toy 'epochs': input should be 4 or 16"),
        (right.Toy, {"dataset": "smal"}, "unknown data set of toy: 'smal'; did you mean 'small'"),
        (dict, {}, "derives from TabularBenchmark"),
        (right.Toy(), {"epochs": 4}, "to check others, give its class"),
    ],
    ids=["unknown option", "wrong value", "unknown data set", "no benchmark", "options of one"],
)
def test_what_cannot_be_checked_is_an_error(given: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        check_benchmark(given, **options)
