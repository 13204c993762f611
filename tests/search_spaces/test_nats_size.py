"""NATS-Bench's size search space against its file, the official records, and what its paper defines and prints."""

from __future__ import annotations

import bz2
import hashlib
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import line_of, npz, study

from search_spaces.nats_size import table
from search_spaces.registry import get_benchmark
from search_spaces.space import Ordinal

# our name of a data set: suffix in the file, classes, official name and split of the test images
NAMES = {
    "cifar10": ("cifar10", 10, "cifar10", "ori-test@89"),
    "cifar100": ("cifar100", 100, "cifar100", "x-test@89"),
    "imagenet16-120": ("imagenet16", 120, "ImageNet16-120", "x-test@89"),
}
FILE = "nats_sss.npz"

Stored = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def stored(data_folder: Path) -> Stored:
    with np.load(data_folder / "no_licence_file" / FILE, allow_pickle=False) as file:
        return dict(file)


# the numbers


@pytest.mark.parametrize("ordinals", ["ordinal", "categorical"])
@pytest.mark.parametrize("name", NAMES)
def test_1000_places_equal_the_file(stored: Stored, name: str, ordinals: str) -> None:
    benchmark, suffix = get_benchmark("nats_size", dataset=name, ordinals=ordinals), NAMES[name][0]
    row_of = {tuple(channels): row for row, channels in enumerate(stored["channels"].tolist())}
    archs = np.random.default_rng(5).integers(0, 8, size=(1000, 5))  # by value: ranks are the benchmark's business
    rows = [row_of[tuple(8 * (value + 1) for value in arch)] for arch in archs.tolist()]
    losses = 100 - stored[f"test_acc_90ep_{suffix}"][rows]
    np.testing.assert_array_equal(benchmark.search_loss(archs), losses)
    np.testing.assert_array_equal(benchmark.final_loss(archs), losses)
    np.testing.assert_array_equal(benchmark.metric("parameters", archs), stored[f"params_{suffix}"][rows])


@pytest.mark.parametrize("name", NAMES)
def test_all_official_names_and_their_order(data_folder: Path, stored: Stored, name: str) -> None:
    """Official index i is the i-th name of the official list, and here our rank too; backwards it is another table."""
    file = data_folder / "nats_official_sample" / "NATS-sss-v1_0-50262-simple" / "meta.pickle.pbz2"
    names = pickle.loads(bz2.decompress(file.read_bytes()))["meta_archs"]
    benchmark, suffix = get_benchmark("nats_size", dataset=name), NAMES[name][0]
    channels = np.array([[int(width) for width in text.split(":")] for text in names])
    values = [list(variable.values) for variable in benchmark.space.variables if isinstance(variable, Ordinal)]
    archs = np.array([[values[v].index(width) for v, width in enumerate(row)] for row in channels.tolist()])
    np.testing.assert_array_equal(benchmark.space.index(archs), np.arange(8**5))
    np.testing.assert_array_equal(benchmark.search_loss(archs), 100 - stored[f"test_acc_90ep_{suffix}"])
    backwards = benchmark.search_loss(archs[:, ::-1])
    assert (backwards != benchmark.search_loss(archs)).mean() > 0.9


@pytest.mark.parametrize("index", [0, 11, 284])
@pytest.mark.parametrize("name", NAMES)
def test_official_records(data_folder: Path, name: str, index: int) -> None:
    """Three architectures in the files that the authors publish: accuracies and parameters."""
    file = data_folder / "nats_official_sample" / "NATS-sss-v1_0-50262-simple" / f"{index:06}.pickle.pbz2"
    record = pickle.loads(bz2.decompress(file.read_bytes()))["90"]
    _, _, official, split = NAMES[name]
    benchmark, trained = get_benchmark("nats_size", dataset=name), record["all_results"][official, 777]
    arch = [int(width) // 8 - 1 for width in record["arch_str"].split(":")]
    assert trained["epochs"] == 90
    assert float(benchmark.search_loss(arch)) == pytest.approx(100 - trained["eval_acc1es"][split], abs=1e-9)
    assert int(benchmark.metric("parameters", arch)) == round(trained["params"] * 1e6)


def parameters(channels: np.ndarray[Any, Any], classes: int) -> np.ndarray[Any, Any]:
    """Of networks [N, 5], counted layer by layer."""

    def convolution(inputs: Any, outputs: Any, side: int) -> Any:
        return inputs * outputs * side**2 + 2 * outputs  # with its normalization

    before = channels[:, 0]
    total = convolution(3, before, 3)
    for layer, width in enumerate(channels.T):
        if layer in (1, 3):  # a residual block that halves the image
            total = total + convolution(before, width, 3) + convolution(width, width, 3) + before * width
        else:  # a cell of five 3x3 convolutions, two of them from its input, and a skip that fits the widths
            skip = np.where(before == width, 0, convolution(before, width, 1))
            total = total + 2 * convolution(before, width, 3) + 3 * convolution(width, width, 3) + skip
        before = width
    counted: np.ndarray[Any, Any] = total + 2 * before + (before + 1) * classes
    return counted


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("data_folder")
def test_sizes_are_those_of_the_networks(name: str) -> None:
    """Of every architecture, so no two variables and no two values can be mixed up."""
    benchmark = get_benchmark("nats_size", dataset=name)
    archs = benchmark.space.architectures(np.arange(benchmark.space.size))
    counted = parameters(8 * (archs + 1), NAMES[name][1])
    np.testing.assert_array_equal(benchmark.metric("parameters", archs), counted)


@pytest.mark.parametrize(("name", "accuracy"), [("cifar10", 93.65), ("cifar100", 71.34), ("imagenet16-120", 47.40)])
@pytest.mark.usefixtures("data_folder")
def test_the_best_are_those_of_the_paper(name: str, accuracy: float) -> None:
    landmarks = get_benchmark("nats_size", dataset=name).landmarks
    assert landmarks["best_search_loss"] == pytest.approx(100 - accuracy, abs=0.005)
    assert landmarks["best_final_loss"] == landmarks["lowest_final_loss"] == landmarks["best_search_loss"]
    assert landmarks["target_count"] == 33  # 0.1 % of 32,768 is 32.8
    assert landmarks["same_as_searched"] is True
    assert landmarks["infeasible"] == 0


# the control


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.usefixtures("data_folder")
def test_the_control_has_the_same_tables_without_order(name: str) -> None:
    ordered, control = (get_benchmark("nats_size", dataset=name, ordinals=one) for one in ("ordinal", "categorical"))
    assert ordered.space.variables == tuple(Ordinal(f"channels_{n}", range(8, 65, 8)) for n in range(1, 6))
    assert ordered.space.ordinal.all()
    assert not control.space.ordinal.any()
    assert control.space == ordered.space.opened()
    np.testing.assert_array_equal(control.tables.search, ordered.tables.search)
    np.testing.assert_array_equal(control.tables.final, ordered.tables.final)
    np.testing.assert_array_equal(control.tables.secondary["parameters"], ordered.tables.secondary["parameters"])
    assert control.landmarks == ordered.landmarks
    assert control.wording == ordered.wording


@pytest.mark.usefixtures("data_folder")
def test_cells_are_named_by_what_differs() -> None:
    cells = study("nats_size", "nats_size(ordinals=categorical)", "nats_size(dataset=imagenet16-120)").cells()
    assert [cell.benchmark_label for cell in cells] == [
        "nats_size-cifar10",
        "nats_size-cifar10-ordinals-categorical",
        "nats_size-imagenet16-120",
    ]
    assert len({cell.id for cell in cells}) == 3
    assert cells[0].stream == cells[1].stream, "the control starts from the same random numbers"
    assert all(cell.identity["benchmark"]["checksums"] == {FILE: table.SHA256} for cell in cells)


@pytest.mark.usefixtures("data_folder")
def test_numbers_are_called_what_they_are() -> None:
    wording = get_benchmark("nats_size").wording
    assert wording.kind == "searched"
    assert wording.searched == "test error after 90 epochs (one training)"
    assert wording.reported == "same number as searched (test accuracy after 90 epochs, one training)"
    assert "no validation accuracy" in wording.remark
    assert (wording.unit, wording.measure, wording.complement) == ("percentage points", "accuracy", True)


# what cannot be had


def test_other_data_sets_and_options_are_named() -> None:
    assert line_of(lambda: get_benchmark("nats_size", dataset="imagenet16")) == (
        "unknown data set of nats_size: 'imagenet16'; did you mean 'imagenet16-120'?"
    )
    assert "known: cifar10, cifar100, imagenet16-120" in line_of(lambda: get_benchmark("nats_size", dataset="mnist"))
    assert "'ordinal' or 'categorical'" in line_of(lambda: get_benchmark("nats_size", ordinals="none"))


@pytest.mark.usefixtures("data_folder")
def test_a_budget_of_time_and_noise_are_refused() -> None:
    line = line_of(lambda: study("nats_size", budget="12000s").cells())
    assert line == "nats_size records no times; give a budget in evaluations"
    assert get_benchmark("nats_size").noise_kinds == ()
    assert "noise for nats_size" in line_of(lambda: study("nats_size(noise=trials)").cells())


@pytest.mark.usefixtures("no_data_folder")
def test_without_a_data_folder_the_file_is_named() -> None:
    line = line_of(lambda: get_benchmark("nats_size"))
    assert line.startswith("nats_size needs nats_sss.npz, which is in no package: set NAS_ARENA_DATA to a folder")
    assert "(now it is unset)" in line
    assert line.endswith("NATS-Bench, github.com/D-X-Y/NATS-Bench")


def test_a_data_folder_without_the_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_ARENA_DATA", str(tmp_path))
    line = line_of(lambda: get_benchmark("nats_size"))
    assert FILE in line
    assert f"(now it is {str(tmp_path)!r}, which does not)" in line


@pytest.mark.parametrize("folder", ["", "no_licence_file"])
def test_the_file_is_found_in_either_folder(
    data_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    (tmp_path / folder).mkdir(exist_ok=True)
    shutil.copyfile(data_folder / "no_licence_file" / FILE, tmp_path / folder / FILE)
    monkeypatch.setenv("NAS_ARENA_DATA", str(tmp_path))
    assert get_benchmark("nats_size").checksums == {FILE: table.SHA256}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda stored: npz({"channels": stored["channels"]}), "cannot be read (KeyError"),
        (lambda stored: npz(stored, channels=stored["channels"][:, ::-1]), "in increasing order"),
        (lambda stored: npz(stored, channels=stored["channels"][:-1]), "does not hold every architecture once"),
        (lambda stored: npz(stored, test_acc_90ep_cifar10=np.ones((8**5, 3))), "not one test accuracy an architecture"),
        (lambda stored: npz(stored, test_acc_90ep_cifar10=stored["channels"][:, 0]), "not one test accuracy"),
    ],
    ids=["an array less", "other order", "a row less", "three trainings", "integers"],
)
def test_a_file_with_another_content_is_named(
    stored: Stored,
    folder_with: Callable[[str, bytes], Path],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Stored], bytes],
    message: str,
) -> None:
    content = spoil(stored)
    folder_with(FILE, content)
    assert "SHA-256" in line_of(lambda: get_benchmark("nats_size"))
    monkeypatch.setattr(table, "SHA256", hashlib.sha256(content).hexdigest())
    line = line_of(lambda: get_benchmark("nats_size"))
    assert line.startswith(f"{FILE} ")
    assert message in line
    assert line.endswith("get it anew")
