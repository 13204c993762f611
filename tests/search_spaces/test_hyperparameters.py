"""The numbers of HPOLib and HPOBench against the package, the data folder, and what is published."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hyperparameter_sources import HPOLIB, LOSS, REPORTED, ROUNDED, SEARCHED, Source, every

from search_spaces import hpolib
from search_spaces.registry import get_benchmark
from search_spaces.space import Categorical, Ordinal

pytestmark = pytest.mark.usefixtures("own_cache")


def test_1000_places_equal_the_package_and_the_data_folder(source: Source) -> None:
    """Drawn by value: their ranks are the benchmark's business."""
    benchmark, whole = source.load(), source.load(reported="searched")
    archs = np.random.default_rng(51).integers(0, benchmark.space.sizes, size=(1000, len(benchmark.space)))
    tens = 10 ** np.arange(archs.shape[1])
    order = np.argsort(source.keys @ tens)
    rows = order[np.searchsorted((source.keys @ tens)[order], archs @ tens)]
    np.testing.assert_array_equal(source.keys[rows], archs)
    recorded, times = source.package[LOSS[source.name]][rows], source.package["train_time"][rows]
    np.testing.assert_array_equal(source.grid[LOSS[source.name]][tuple(archs.T)], recorded)
    losses, seen, held = source.losses(recorded), SEARCHED[source.name], REPORTED[source.name]
    for found, expected in (
        (benchmark.search_loss(archs), losses[:, seen]),
        (benchmark.final_loss(archs), losses[:, held]),
        (benchmark.seconds(archs), times[:, seen]),
        (whole.search_loss(archs), losses),
        (whole.final_loss(archs), losses),
        (whole.seconds(archs), times),
    ):
        means = sum(expected.T) / expected.shape[1]
        np.testing.assert_allclose(found, means, rtol=1e-14, atol=0 if source.name == "hpolib" else ROUNDED)


def test_every_entry_equals_the_data_folder(source: Source) -> None:
    benchmark, whole = source.load(), source.load(reported="searched")
    seen, held, repeats = SEARCHED[source.name], REPORTED[source.name], source.repeats
    rounded = 0 if source.name == "hpolib" else ROUNDED
    for tables, columns in ((benchmark.tables, seen), (whole.tables, [*seen, *held])):
        assert tables.trials is not None
        assert tables.trial_counts is not None
        assert tables.trials.dtype == tables.search.dtype == tables.final.dtype == np.float64
        np.testing.assert_allclose(tables.trials, repeats[:, columns], rtol=0, atol=rounded)
        np.testing.assert_allclose(tables.search[0], repeats[:, columns].mean(axis=1), rtol=1e-15, atol=rounded)
        assert set(tables.trial_counts.tolist()) == {len(columns)}
    np.testing.assert_allclose(benchmark.tables.final, repeats[:, held].mean(axis=1), rtol=1e-15, atol=rounded)
    np.testing.assert_array_equal(whole.tables.final, whole.tables.search[0])
    if source.name == "hpolib":
        np.testing.assert_array_equal(benchmark.tables.secondary["parameters"], source.grid["model_size"].ravel())
        times = source.grid["train_time"].reshape(-1, 4).astype(np.float64)
        np.testing.assert_array_equal(benchmark.tables.seconds, [times[:, seen].mean(axis=1)])


def test_every_key_names_an_architecture_by_its_digits(source: Source) -> None:
    benchmark = source.load(reported="searched")
    ranks = benchmark.space.index(source.keys)
    np.testing.assert_array_equal(np.sort(ranks), np.arange(benchmark.space.size))
    recorded = source.package[LOSS[source.name]]
    np.testing.assert_array_equal(source.grid[LOSS[source.name]][tuple(source.keys.T)], recorded)
    assert benchmark.tables.trials is not None
    rounded = 0 if source.name == "hpolib" else ROUNDED
    np.testing.assert_allclose(benchmark.tables.trials[ranks], source.losses(recorded), rtol=0, atol=rounded)
    if source.name == "hpolib":
        sizes = source.package["model_size"]
        assert (sizes == sizes[:, :1]).all()
        np.testing.assert_array_equal(benchmark.tables.secondary["parameters"][ranks], sizes[:, 0])


def test_variables_and_values_are_those_of_the_data_folder(source: Source) -> None:
    space = source.load().space
    assert [variable.name for variable in space.variables] == source.grid["parameter_names"].tolist()
    for variable in space.variables:
        values = source.grid[f"choices_{variable.name}"]
        words = values.dtype.kind == "U"
        assert isinstance(variable, Categorical if words else Ordinal)
        assert list(variable.choices if isinstance(variable, Categorical) else variable.values) == values.tolist()
    assert space.size == {"hpolib": 62_208, "hpobench": 30_000}[source.name]
    assert source.grid[LOSS[source.name]].shape[:-1] == tuple(space.sizes)


def test_every_number_is_there(source: Source) -> None:
    for options in ({}, {"reported": "searched"}):
        benchmark = source.load(**options)
        tables = benchmark.tables
        assert tables.trials is not None
        assert tables.seconds is not None
        losses = (tables.search, tables.final, tables.trials)
        assert all(np.isfinite(table).all() for table in (*losses, tables.seconds, *tables.secondary.values()))
        assert tables.seconds.min() > 0.02
        assert all(table.min() >= 0 for table in losses)
        assert benchmark.is_feasible.all()
        if source.name == "hpobench":
            assert all(table.max() <= 100 for table in losses)


# what the authors of FCNet's tables and others print of the mean of the four repeats: their lowest validation MSE
PUBLISHED: dict[str, tuple[float, dict[str, Any]]] = {
    "protein_structure": (0.221378855407238, {"activations": "relu relu", "dropout_2": 0.3, "units": (512, 512)}),
    "naval_propulsion": (3.19113473778998e-05, {"activations": "tanh relu", "units": (128, 512)}),
    "slice_localization": (
        0.00019159916337230243,
        {"activations": "relu tanh", "batch_size": 16, "units": (256, 512)},
    ),
    "parkinsons_telemonitoring": (
        0.0067059280117973685,
        {"activations": "relu relu", "init_lr": 0.005, "units": (32, 512)},
    ),
}


@pytest.mark.parametrize("dataset", PUBLISHED)
def test_the_best_of_hpolib_are_those_that_are_published(dataset: str) -> None:
    benchmark = get_benchmark("hpolib", dataset=dataset, reported="searched")
    loss, values = PUBLISHED[dataset]
    assert benchmark.landmarks["best_search_loss"] == pytest.approx(loss, rel=1e-12)
    (best,) = np.flatnonzero(benchmark.search_regret == 0)
    named = {
        variable.name: (variable.choices if isinstance(variable, Categorical) else variable.values)[value]
        for variable, value in zip(benchmark.space.variables, benchmark.space.architectures(best), strict=True)
    }
    assert named == {
        **dict(zip(("activation_fn_1", "activation_fn_2"), values["activations"].split(), strict=True)),
        "batch_size": values.get("batch_size", 8),
        "dropout_1": 0.0,
        "dropout_2": values.get("dropout_2", 0.0),
        "init_lr": values.get("init_lr", 0.0005),
        "lr_schedule": "cosine",
        **dict(zip(("n_units_1", "n_units_2"), values["units"], strict=True)),
    }


@pytest.mark.parametrize(("dataset", "inputs"), list(zip(HPOLIB, (9, 15, 380, 20), strict=True)))
def test_parameters_are_those_of_two_layers(dataset: str, inputs: int) -> None:
    benchmark = get_benchmark("hpolib", dataset=dataset)
    first, second = np.array(hpolib.UNITS)[every(benchmark)[:, -2:].T]
    expected = (inputs + 1) * first + (first + 1) * second + second + 1
    np.testing.assert_array_equal(benchmark.tables.secondary["parameters"], expected)


# the rows of the two classes in HPOBench's validation sets: a third of nine tenths of the data set
@pytest.mark.parametrize(
    ("dataset", "classes"),
    [
        ("australian", (91, 114)),
        ("blood_transfusion", (53, 170)),
        ("credit_g", (89, 208)),
        ("kc1", (97, 530)),
        ("phoneme", (471, 1134)),
    ],
)
def test_accuracies_of_hpobench_are_balanced(dataset: str, classes: tuple[int, int]) -> None:
    """The mean of the classes' recalls, each a fraction of its rows; accuracies of all rows would be others."""
    trials = get_benchmark("hpobench", dataset=dataset, reported="searched").tables.trials
    assert trials is not None
    accuracies = 1 - np.unique(trials) / 100
    both = 2 * classes[0] * classes[1]
    np.testing.assert_allclose(accuracies * both, np.round(accuracies * both), rtol=0, atol=1e-5)
    rows = sum(classes)
    assert (np.abs(accuracies * rows - np.round(accuracies * rows)) > 1e-5).mean() > 0.9
