"""The cache of converted tables: damaged, shared, impossible to write."""

from __future__ import annotations

import errno
import os
import pickle
import resource
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import DAMAGE, npz

from search_spaces.data import cached
from search_spaces.errors import ArenaError
from search_spaces.nasbench201 import table
from search_spaces.registry import get_benchmark


@pytest.fixture(autouse=True)
def _alone(cache: Path, no_data_folder: None) -> None:
    """With an empty cache, and without a data folder unless a test sets one."""


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
