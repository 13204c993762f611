"""Image sets of files: what is read is what was written, and what is said of files that are missing or damaged."""

from __future__ import annotations

import gzip
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import image_archives as made
import numpy as np
import pytest
from data_files import Evil, line_of

from search_spaces.image_sets import cifar, fashion_mnist
from search_spaces.images import load_images
from search_spaces.pickles import unpickle_uint8


@pytest.fixture(autouse=True)
def _alone(cache: Path, no_data_folder: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With an empty cache, without a data folder unless a test sets one, and without the Debian package."""
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path / "not installed")


# CIFAR

CIFAR10, CIFAR100 = "cifar-10-python.tar.gz", "cifar-100-python.tar.gz"


def test_cifar10_is_read_in_the_order_of_its_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = made.put_archive(tmp_path, CIFAR10, made.tar(made.cifar10_members()), monkeypatch)
    for _ in range(2):  # from the archive, then from the cache
        data = load_images("cifar10", folder=str(tmp_path))
        assert data.train_images.shape == (20, 3, 32, 32)
        for number in range(5):
            batch = (np.arange(4 * 3072) + 41 * number).astype(np.uint8).reshape(4, 3, 32, 32)
            np.testing.assert_array_equal(data.train_images[4 * number : 4 * number + 4], batch)
        np.testing.assert_array_equal(data.train_labels, [(b + i) % 10 for b in range(5) for i in range(4)])
        np.testing.assert_array_equal(data.test_labels, [5, 6, 7, 8])
        assert data.classes == tuple(f"class {label}" for label in range(10))
        assert data.checksums == {CIFAR10: f"md5:{cifar.MD5[CIFAR10]}"}
        assert data.remark == ""
    assert {path.name for path in tmp_path.iterdir()} <= {file.name, "home"}, "nothing was unpacked"


def test_cifar100_has_fine_labels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.put_archive(tmp_path, CIFAR100, made.tar(made.cifar100_members()), monkeypatch)
    monkeypatch.setenv("NAS_ARENA_DATA", str(tmp_path))
    data = load_images("cifar100")
    np.testing.assert_array_equal(data.train_labels, [99, 3, 0, 3])
    np.testing.assert_array_equal(data.train_images.ravel(), np.arange(4 * 3072).astype(np.uint8))
    assert data.classes[99] == "fine 99"


def test_the_checksums_of_the_official_archives_are_the_published_ones() -> None:
    assert cifar.MD5 == {
        CIFAR10: "c58f30108f718f92721af3b95e74349a",
        CIFAR100: "eb9058c3a382ffc7106e4002c42a8d85",
    }


def test_an_archive_with_another_checksum_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / CIFAR10).write_bytes(made.tar(made.cifar10_members()))
    line = line_of(lambda: load_images("cifar10", folder=str(tmp_path)))
    assert f"{tmp_path / CIFAR10} is damaged or another file: its MD5 is " in line
    assert "not c58f30108f71..." in line
    assert "get it anew from https://" in line


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.6, 0.99])
def test_a_truncated_archive_is_named(share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = made.tar(made.cifar10_members())
    file = made.put_archive(tmp_path, CIFAR10, whole[: int(share * len(whole))], monkeypatch)
    line = line_of(lambda: load_images("cifar10", folder=str(tmp_path)))
    assert line.startswith(f"{file} is truncated or damaged (")


BATCH = "cifar-10-batches-py/data_batch_2"
MISFITS: dict[str, tuple[bytes | None, str]] = {
    "missing": (None, f"lacks {BATCH}; get it anew"),
    "without labels": (made.python2({b"data": np.zeros((4, 3072), np.uint8)}), "(KeyError: b'labels')"),
    "of other images": (made.python2({b"data": np.zeros((4, 100), np.uint8), b"labels": [1] * 4}), "(ValueError: "),
    "without images": (made.python2({b"data": [1], b"labels": [1]}), "(AttributeError: "),
    "with labels of text": (made.python2({b"data": np.zeros((1, 3072), np.uint8), b"labels": [b"x"]}), "(ValueError: "),
    "no dict": (made.python2([1]), "holds a list, not a dict"),
    "no pickle": (b"hello", "is not a readable pickle"),
    "too few labels": (
        made.python2({b"data": np.zeros((4, 3072), np.uint8), b"labels": [1]}),
        "20 train images but 17",
    ),
    "label 10": (made.python2({b"data": np.zeros((1, 3072), np.uint8), b"labels": [10]}), "go from 0 to 10"),
}


@pytest.mark.parametrize("kind", MISFITS)
def test_an_archive_of_another_form_is_refused(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, told = MISFITS[kind]
    members = made.cifar10_members()
    del members[BATCH]
    if content is not None:
        members[BATCH] = content
    made.put_archive(tmp_path, CIFAR10, made.tar(members), monkeypatch)
    assert told in line_of(lambda: load_images("cifar10", folder=str(tmp_path)))


def test_what_is_missing_is_said_with_where_to_get_it(tmp_path: Path) -> None:
    for name in ("cifar10", "cifar100", "fashion_mnist"):
        line = line_of(lambda name=name: load_images(name))
        assert "is not on this machine" in line
        assert "https://" in line
        assert "give folder" in line
        assert line.endswith("the image set digits needs no files")
        assert "there is no folder" in line_of(lambda name=name: load_images(name, folder=str(tmp_path / "none")))
    (tmp_path / "file").touch()
    assert "is a file, not a folder" in line_of(lambda: load_images("cifar10", folder=str(tmp_path / "file")))
    assert f"does not hold {CIFAR10}" in line_of(lambda: load_images("cifar10", folder=str(tmp_path)))


# the pickles inside


def test_a_hostile_pickle_runs_nothing(tmp_path: Path) -> None:
    marker = tmp_path / "it ran"
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        hostile = pickle.dumps({b"data": Evil(os.system, f"touch '{marker}'")}, protocol)
        assert "nothing was run" in line_of(lambda hostile=hostile: unpickle_uint8(hostile, "it"))
        assert not marker.exists()
    pickle.loads(hostile)
    assert marker.exists(), "this pickle is harmless: the test shows nothing"


def pickled(array: bytes) -> bytes:
    return b"\x80\x02}U\x04data" + array + b"s."


def state(
    version: bytes = b"K\x01", shape: bytes = b"K\x02\x85", kind: bytes = made.UINT8, content: bytes = b"U\x02ab"
) -> bytes:
    return b"(" + version + shape + kind + b"\x89" + content + b"tb"


FLOAT64 = made.UINT8.replace(b"u1", b"f8")
REFUSED = {
    "another version": made.STAND + state(version=b"K\x02"),
    "a shape that is no tuple": made.STAND + state(shape=b"]K\x02a"),
    "a negative shape": made.STAND + state(shape=b"J\xff\xff\xff\xffJ\xfe\xff\xff\xff\x86"),
    "too few bytes": made.STAND + state(content=b"U\x01a"),
    "a list of objects": made.STAND + state(content=b"](NNe"),
    "float64": made.STAND + state(kind=FLOAT64),
    "objects": made.STAND + state(kind=made.UINT8.replace(b"u1", b"O8")),
    "a dtype without state": made.STAND + state(kind=b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R"),
    "big-endian": made.STAND + state(kind=made.UINT8.replace(b"U\x01|", b"U\x01>")),
    "a dtype for its result": made.STAND + state(kind=b"cnumpy\ndtype\n"),
    "no state": made.STAND,
    "a state of attributes": made.STAND + b"}U\x05arrayNsb",
    "another class": made.STAND.replace(b"ndarray", b"memmap"),
    "another first shape": made.STAND.replace(b"K\x00\x85", b"K\x01\x85") + state(),
    "the class called": b"cnumpy\nndarray\nK\x02\x85R",
    "the class alone": b"cnumpy\nndarray\n",
    "the dtype alone": made.UINT8,
    "an array inside a list": b"]" + made.STAND + state() + b"a",
    "a state of the function": b"cnumpy.core.multiarray\n_reconstruct\n}U\x08__call__Nsb",
    "another function": b"cnumpy\nload\nU\x01x\x85R",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_numpy_values_other_than_arrays_of_bytes_are_refused(kind: str) -> None:
    assert line_of(lambda: unpickle_uint8(pickled(REFUSED[kind]), "it")).startswith("it")
    np.testing.assert_array_equal(unpickle_uint8(pickled(made.STAND + state()), "it")[b"data"], list(b"ab"))


def test_numpy_reads_the_same_array() -> None:
    array = np.arange(6, dtype=np.uint8).reshape(2, 3)
    for order in (array, np.asfortranarray(array)):
        content = made.python2({b"data": order})
        np.testing.assert_array_equal(pickle.loads(content, encoding="bytes")[b"data"], array)
        np.testing.assert_array_equal(unpickle_uint8(content, "it")[b"data"], array)


# IDX files


@pytest.mark.parametrize("compressed", [True, False])
def test_idx_files_are_read_as_they_are(compressed: bool, tmp_path: Path) -> None:
    arrays = made.put_idx_files(tmp_path, compressed=compressed)
    data = load_images("fashion_mnist", folder=str(tmp_path))
    np.testing.assert_array_equal(data.train_images[:, 0], arrays["train-images-idx3-ubyte"])
    np.testing.assert_array_equal(data.train_labels, arrays["train-labels-idx1-ubyte"])
    np.testing.assert_array_equal(data.test_images[:, 0], arrays["t10k-images-idx3-ubyte"])
    np.testing.assert_array_equal(data.test_labels, arrays["t10k-labels-idx1-ubyte"])
    assert data.label == "fashion_mnist (12 images)"
    assert data.classes[9] == "Ankle boot"
    assert len(data.checksums) == 4


def test_the_debian_package_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made.put_idx_files(tmp_path)
    monkeypatch.setattr(fashion_mnist, "DEBIAN_FOLDER", tmp_path)
    assert len(load_images("fashion_mnist").train_images) == 12


IMAGES = "train-images-idx3-ubyte"
SPOILT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "too few bytes": (lambda content: content[:-1], "holds 239 bytes after its header, which promises 240"),
    "too many bytes": (lambda content: content + b"\0", "holds 241 bytes after its header, which promises 240"),
    "half a header": (lambda content: content[:9], "is no IDX file of unsigned bytes in 3 dimensions"),
    "empty": (lambda content: b"", "it begins with nothing, not 00000803"),
    "floats": (lambda content: b"\0\0\x0d\3" + content[4:], "it begins with 00000d03, not 00000803"),
    "another dimension": (lambda content: b"\0\0\x08\1" + content[4:], "it begins with 00000801, not 00000803"),
    "a huge size": (lambda content: content[:4] + b"\xff" * 12 + content[16:], "which promises 79,228,"),
    "no images": (
        lambda content: made.idx(np.zeros((0, 5, 4), np.uint8)),
        "the train images of fashion_mnist are none",
    ),
    "fewer images": (
        lambda content: made.idx(np.zeros((11, 5, 4), np.uint8)),
        "has 11 train images but 12 labels",
    ),
    "other images": (
        lambda content: made.idx(np.zeros((12, 4, 4), np.uint8)),
        "are [1, 4, 4] to train on but [1, 5, 4]",
    ),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_a_spoilt_idx_file_is_named(kind: str, tmp_path: Path) -> None:
    spoil, told = SPOILT[kind]
    arrays = made.put_idx_files(tmp_path)
    (tmp_path / f"{IMAGES}.gz").write_bytes(gzip.compress(spoil(made.idx(arrays[IMAGES]))))
    assert told in line_of(lambda: load_images("fashion_mnist", folder=str(tmp_path)))


def test_a_truncated_or_missing_idx_file_is_named(tmp_path: Path) -> None:
    made.put_idx_files(tmp_path)
    file = tmp_path / f"{IMAGES}.gz"
    whole = file.read_bytes()
    for spoilt in (whole[:-9], whole[:30], whole[:20] + bytes([whole[20] ^ 8]) + whole[21:], b"hello"):
        file.write_bytes(spoilt)
        line = line_of(lambda: load_images("fashion_mnist", folder=str(tmp_path)))
        assert line.startswith(f"{file} is truncated or damaged (")
    file.unlink()
    assert f"lacks {IMAGES} or {IMAGES}.gz" in line_of(lambda: load_images("fashion_mnist", folder=str(tmp_path)))


@pytest.mark.parametrize(("labels", "told"), [([3] * 12, "all of one class, 'Dress'"), ([0] * 11 + [26], "0 to 9")])
def test_labels_that_cannot_be_are_refused(labels: list[int], told: str, tmp_path: Path) -> None:
    made.put_idx_files(tmp_path)
    (tmp_path / "train-labels-idx1-ubyte.gz").write_bytes(gzip.compress(made.idx(np.array(labels, np.uint8))))
    assert told in line_of(lambda: load_images("fashion_mnist", folder=str(tmp_path)))


def test_a_data_folder_with_another_small_file_is_refused(folder_with: Callable[[str, bytes], Path]) -> None:
    folder_with("fashion_mnist_small.npz", b"hello")
    assert "SHA-256" in line_of(lambda: load_images("fashion_mnist"))


def test_the_header_is_big_endian() -> None:
    values: Any = np.zeros((258, 1, 1), np.uint8)
    assert made.idx(values)[4:8] == struct.pack(">I", 258)
    np.testing.assert_array_equal(fashion_mnist.idx_array(made.idx(values), Path("x"), 3), values)
