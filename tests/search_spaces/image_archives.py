"""Small image sets in the very forms of the real ones: archives of CIFAR, IDX files, trees of split/class/file."""

from __future__ import annotations

import gzip
import hashlib
import io
import struct
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from search_spaces.image_sets import cifar

STAND = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85U\x01b\x87R"
UINT8 = b"cnumpy\ndtype\nU\x02u1K\x00K\x01\x87R(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"


def opcodes(value: Any) -> bytes:
    """What Python 2 with numpy 1 writes of a value at protocol 2, but for its memo: today's Python writes another."""
    if isinstance(value, np.ndarray):
        flag, order = (b"\x88", "F") if value.flags.f_contiguous and not value.flags.c_contiguous else (b"\x89", "C")
        shape = b"(" + b"".join(map(opcodes, value.shape)) + b"t"
        return STAND + b"(K\x01" + shape + UINT8 + flag + opcodes(value.tobytes(order)) + b"tb"
    if isinstance(value, bytes):
        short = len(value) < 256
        return (b"U" + bytes([len(value)]) if short else b"T" + struct.pack("<i", len(value))) + value
    if isinstance(value, int):
        return b"J" + struct.pack("<i", value)
    if isinstance(value, list):
        return b"](" + b"".join(map(opcodes, value)) + b"e"
    return b"}(" + b"".join(opcodes(key) + opcodes(one) for key, one in value.items()) + b"u"


def python2(value: Any) -> bytes:
    return b"\x80\x02" + opcodes(value) + b"."


def tar(members: Mapping[str, bytes], compression: str = "gz") -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{compression}") as archive:
        for name, content in members.items():
            about = tarfile.TarInfo(name)
            about.size = len(content)
            archive.addfile(about, io.BytesIO(content))
    return stream.getvalue()


def cifar10_members(images: int = 4) -> dict[str, bytes]:
    """The files of CIFAR-10 with so many images each, of ten classes; the pixels tell the number of the file."""
    members = {"cifar-10-batches-py/readme.html": b"<html>"}
    for number, name in enumerate([*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]):
        data = (np.arange(images * 3072) + 41 * number).astype(np.uint8).reshape(images, 3072)
        labels = [(number + image) % 10 for image in range(images)]
        files = [b"name_%d.png" % image for image in range(images)]
        batch = {b"batch_label": b"a batch", b"labels": labels, b"data": data, b"filenames": files}
        members[f"cifar-10-batches-py/{name}"] = python2(batch)
    names = [b"class %d" % label for label in range(10)]
    meta = {b"num_cases_per_batch": images, b"label_names": names, b"num_vis": 3072}
    members["cifar-10-batches-py/batches.meta"] = python2(meta)
    return members


def cifar100_members() -> dict[str, bytes]:
    """The files of CIFAR-100 with four images each; the arrays lie in memory as those of Fortran do."""
    members = {}
    for name in ("train", "test"):
        data = np.asfortranarray(np.arange(4 * 3072).astype(np.uint8).reshape(4, 3072))
        batch = {b"data": data, b"fine_labels": [99, 3, 0, 3], b"coarse_labels": [19, 1, 0, 1], b"batch_label": b"x"}
        members[f"cifar-100-python/{name}"] = python2(batch)
    names = {b"fine_label_names": [b"fine %d" % n for n in range(100)], b"coarse_label_names": [b"coarse"] * 20}
    members["cifar-100-python/meta"] = python2(names)
    return members


def put_archive(folder: Path, name: str, content: bytes, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Writes an archive, and has it pass as the official one of that name."""
    file = folder / name
    file.write_bytes(content)
    monkeypatch.setitem(cifar.MD5, name, hashlib.md5(content).hexdigest())
    return file


def idx(array: NDArray[np.uint8]) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def put_idx_files(folder: Path, *, compressed: bool = True) -> dict[str, NDArray[np.uint8]]:
    """The four files of Fashion-MNIST, with twelve images of 5 x 4 pixels to train on and six to test."""
    arrays = {
        "train-images-idx3-ubyte": np.arange(240, dtype=np.uint8).reshape(12, 5, 4),
        "train-labels-idx1-ubyte": (np.arange(12) % 10).astype(np.uint8),
        "t10k-images-idx3-ubyte": np.arange(120, dtype=np.uint8).reshape(6, 5, 4),
        "t10k-labels-idx1-ubyte": np.arange(6, dtype=np.uint8),
    }
    for name, array in arrays.items():
        if compressed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(idx(array)))
        else:
            (folder / name).write_bytes(idx(array))
    return arrays


def picture(shade: int = 0, size: tuple[int, int] = (6, 5), mode: str = "RGB", kind: str = "png", **how: Any) -> bytes:
    """The bytes of an image file of one shade, its size in pixels as width, height."""
    stream = io.BytesIO()
    colour = (shade, shade // 2, 7, 255)[: len(mode)] if mode.startswith("RGB") else shade
    Image.new(mode, size, colour).save(stream, kind, **how)
    return stream.getvalue()


def tree_members(classes: Sequence[str] = ("cat", "dog"), images: int = 3) -> dict[str, bytes]:
    return {
        f"{split}/{label}/{image}.png": picture(10 * number + image)
        for split in ("train", "test")
        for number, label in enumerate(classes)
        for image in range(images)
    }


def put_tree(root: Path, members: Mapping[str, bytes]) -> Path:
    for name, content in members.items():
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return root
