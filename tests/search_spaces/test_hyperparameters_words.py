"""What is said of HPOLib and HPOBench, in docstrings and wordings, is so; and what goes wrong is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
from data_files import line_of
from hyperparameter_sources import HPOBENCH, HPOLIB, LOSS, REPORTED, SEARCHED, Source, every

from harness.tabular import Budget, search
from optimizers.random_search import RandomSearch
from search_spaces.registry import BENCHMARKS, get_benchmark

pytestmark = pytest.mark.usefixtures("own_cache")


def test_repeats_of_hpolib_are_alike_and_those_of_hpobench_are_not(read: Callable[[str, str], Source]) -> None:
    for dataset in HPOLIB:
        medians = np.median(read("hpolib", dataset).repeats, axis=0)
        assert medians.max() / medians.min() < 1.01
    repeats = read("hpobench", "credit_g").repeats
    good = repeats[np.argsort(repeats.mean(axis=1))[:3000]]
    assert 6.5 < np.ptp(np.median(good, axis=0)) < 7.5
    alike = [  # alpha 1e-8 and 8e-8, which are next to nothing: an equal loss tells an equal seed
        np.mean(low == high)
        for shift in range(5)
        for low, high in [(repeats[:3000], np.roll(repeats[3000:6000], shift, axis=1))]
    ]
    assert alike[0] > 0.4
    assert max(alike[1:]) < 0.15


@pytest.mark.parametrize(
    ("dataset", "agreement"), [("car", 0.0), ("credit_g", 0.0), ("vehicle", 0.0), ("phoneme", 0.7)]
)
def test_hold_out_repeats_of_hpobench_order_good_architectures_otherwise(dataset: str, agreement: float) -> None:
    """Rank correlation of searched and hold-out losses among the best tenth by the searched."""
    benchmark = get_benchmark("hpobench", dataset=dataset)
    best = np.argsort(benchmark.search_regret, kind="stable")[:3000]
    ranks = [losses[best].argsort().argsort() for losses in (benchmark.tables.search[0], benchmark.tables.final)]
    assert np.corrcoef(ranks)[0, 1] == pytest.approx(agreement, abs=0.05)


def test_seconds_of_hpobench_are_uneven(read: Callable[[str, str], Source]) -> None:
    shares = []
    for dataset in HPOBENCH:
        times = read("hpobench", dataset).package["train_time"]
        shares.append(times.max(axis=1) / times.min(axis=1))
    assert 1.4 < np.median(shares) < 1.6
    assert 43 < np.max(shares) < 45


def test_many_share_the_best_of_car() -> None:
    benchmark = get_benchmark("hpobench", dataset="car")
    assert benchmark.landmarks["best_search_loss"] == benchmark.landmarks["target_regret"] == 0
    assert (benchmark.search_regret == 0).sum() == 176
    assert (get_benchmark("hpobench", dataset="car", reported="searched").search_regret == 0).sum() == 44


def test_losses_that_are_equal_on_paper_tie(source: Source) -> None:
    """Sums of the same accuracies in another order differ by rounding; such a difference would be a regret."""
    different = np.diff(np.unique(source.load().tables.search))
    assert different.min() > (0 if source.name == "hpolib" else 1e-5)


def test_the_best_of_segment_is_two(read: Callable[[str, str], Source]) -> None:
    source = read("hpobench", "segment")
    best = np.flatnonzero(source.load().search_regret == 0)
    assert len(best) == 2
    assert len({tuple(sorted(row)) for row in source.repeats[best][:, :3].round(9).tolist()}) <= 2
    assert np.ptp(source.repeats[best][:, :3].mean(axis=1)) < 1e-9


# what is said of them


@pytest.mark.parametrize("name", LOSS)
def test_the_wording_tells_hold_out_from_searched(name: str) -> None:
    seen, held = {"hpolib": ("repeats 1 and 2", "repeats 3 and 4"), "hpobench": ("repeats 1 to 3", "repeats 4 and 5")}[
        name
    ]
    split, whole = get_benchmark(name).wording, get_benchmark(name, reported="searched").wording
    assert split.searched.endswith(f"(mean of {seen})")
    assert split.reported.startswith("hold-out ")
    assert split.reported.endswith(f"(mean of {held})")
    assert split.kind == "hold-out"
    repeats = {"hpolib": 4, "hpobench": 5}[name]
    assert whole.searched.endswith(f"(mean of {repeats} repeats)")
    assert whole.reported == f"same number as searched (mean of {repeats} repeats)"
    assert whole.kind == "searched"
    assert "hold-out" not in json.dumps(asdict(whole))
    for wording in (split, whole):
        assert " test" not in f" {json.dumps(asdict(wording))}"
        assert not wording.remark.endswith(".")
        expected = (
            ("MSE", "MSE", False, "log10")
            if name == "hpolib"
            else ("percentage points", "balanced accuracy", True, "linear")
        )
        assert (wording.unit, wording.measure, wording.complement, wording.scale) == expected


def test_hpobench_tells_every_reader_what_its_accuracies_are() -> None:
    for options in ({}, {"reported": "searched"}):
        wording = get_benchmark("hpobench", **options).wording
        assert "trained on the validation rows too" in wording.remark
        assert "balanced" in wording.searched
        assert "at most 243 epochs" in wording.searched


def test_regrets_of_hpolib_are_decades() -> None:
    benchmark = get_benchmark("hpolib", dataset="naval_propulsion")
    search = benchmark.tables.search[0]
    np.testing.assert_allclose(benchmark.search_regret, np.log10(search) - np.log10(search.min()), rtol=0, atol=1e-12)
    assert benchmark.search_regret.max() == pytest.approx(7.43, abs=0.01)  # from 3.1e-5 to 835
    assert "decades" in benchmark.wording.regret_unit


def test_regrets_of_hpobench_are_differences() -> None:
    benchmark = get_benchmark("hpobench", dataset="vehicle")
    search = benchmark.tables.search[0]
    np.testing.assert_array_equal(benchmark.search_regret, search - search.min())
    assert benchmark.wording.regret_unit == "percentage points"


@pytest.mark.parametrize("name", LOSS)
def test_categorical_is_the_same_table_without_an_order(name: str) -> None:
    ordinal, categorical = get_benchmark(name), get_benchmark(name, ordinals="categorical")
    assert ordinal.space.ordinal.sum() == {"hpolib": 6, "hpobench": 5}[name]
    assert not categorical.space.ordinal.any()
    assert [len(variable) for variable in categorical.space.variables] == ordinal.space.sizes.tolist()
    for one, other in zip(
        (ordinal.tables.search, ordinal.tables.final, ordinal.tables.trials, ordinal.tables.seconds),
        (categorical.tables.search, categorical.tables.final, categorical.tables.trials, categorical.tables.seconds),
        strict=True,
    ):
        np.testing.assert_array_equal(one, other)
    assert categorical.options == {"reported": "hold-out", "ordinals": "categorical"}
    assert ordinal.checksums == categorical.checksums
    assert ordinal.wording == categorical.wording


@pytest.mark.parametrize("name", LOSS)
def test_noise_picks_the_searched_repeats_evenly(read: Callable[[str, str], Source], name: str) -> None:
    source = read(name, BENCHMARKS.load(name).datasets[0])
    for options, columns in (({}, SEARCHED[name]), ({"reported": "searched"}, SEARCHED[name] + REPORTED[name])):
        benchmark, repeats = source.load(**options), len(columns)
        assert benchmark.noise_kinds == ("trials",)
        archs = every(benchmark)[::7]
        grid = (np.arange(2 * repeats) + 0.5) / (2 * repeats)
        picked = benchmark.search_loss(archs[:, None].repeat(2 * repeats, axis=1), noise=np.tile(grid, (len(archs), 1)))
        expected = source.repeats[::7][:, np.repeat(columns, 2)]
        np.testing.assert_allclose(picked, expected, rtol=0, atol=1.1e-10)


@pytest.mark.parametrize("name", LOSS)
def test_a_search_runs_on_it(name: str) -> None:
    for options in ({}, {"ordinals": "categorical"}):
        benchmark = get_benchmark(name, **options)
        result = search(
            RandomSearch(benchmark.space, range(5)), benchmark, Budget("evaluations", 40), np.array([1, 10, 40])
        )
        ranks = result.columns["incumbent"]
        np.testing.assert_array_equal(result.columns["incumbent_regret"], benchmark.search_regret[ranks])
        np.testing.assert_array_equal(result.columns["incumbent_final"], benchmark.tables.final[ranks])
        assert (np.diff(result.columns["incumbent_regret"], axis=1) <= 0).all()
        assert (result.columns["seconds"][:, -1] > 1).all()


# what goes wrong


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("hpolib", {"dataset": "naval"}, "unknown data set of hpolib: 'naval'; known: naval_propulsion, parkinsons_"),
        ("hpobench", {"dataset": "vehicles"}, "unknown data set of hpobench: 'vehicles'; did you mean 'vehicle'?"),
        ("hpobench", {"dataset": "?"}, "known: australian, blood_transfusion, car,"),
        ("hpolib", {"reported": "test"}, "'hold-out' or 'searched'"),
        ("hpobench", {"ordinals": "integer"}, "'ordinal' or 'categorical'"),
    ],
)
def test_what_does_not_exist_is_named(name: str, options: dict[str, Any], message: str) -> None:
    assert message in line_of(lambda: get_benchmark(name, **options))
