"""Fashion-MNIST, from IDX files or a part of it from the data folder."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from search_spaces.data import Arrays, data_folder_file, npz_arrays, verified
from search_spaces.errors import ArenaError
from search_spaces.image_sets.base import Augmentation, ImageSet, Source
from search_spaces.image_sets.files import OR_DIGITS, SPLITS, file_bytes, given_folder

SMALL = "fashion_mnist_small.npz"
SMALL_SHA256 = "1e5ffc8062459f5b6761bc5c6c589d9928b3f40fd7afc5e90f68cabcdd7ad67e"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")


@dataclass(frozen=True, kw_only=True)
class FashionMnist(ImageSet):
    """70,000 pictures of clothes, 28 x 28 pixels, grey.

    They are not mirrored by default: that is the habit with photographs, and was not tried here.

    Args:
        folder: holds the four IDX files, compressed by gzip or not. None: where the Debian package
            dataset-fashion-mnist has them, else ``fashion_mnist_small.npz`` of the folder NAS_ARENA_DATA, which has
            the first 6,000 and 1,000 images.
    """

    folder: str | None = None

    augmentation = Augmentation(pad=2, flip=False, cutout=0)
    citation = "Xiao, Rasul and Vollgraf, Fashion-MNIST, arXiv:1708.07747, 2017"
    training_images = 60_000

    CLASSES = ("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot")

    def read(self) -> Source:
        if self.folder is not None:
            source = self._idx_files(given_folder(self.folder, "the four IDX files"))
        elif DEBIAN_FOLDER.is_dir():
            source = self._idx_files(DEBIAN_FOLDER)
        else:
            source = self._small()
        for split in SPLITS:
            highest = int(source.arrays[f"{split}_labels"].max(initial=0))
            if highest >= len(self.CLASSES):
                raise ArenaError(f"fashion_mnist has the classes 0 to 9, its {split} labels go up to {highest}")
        source.arrays["classes"] = np.array(self.CLASSES)
        return source

    @staticmethod
    def _idx_files(folder: Path) -> Source:
        arrays: Arrays = {}
        checksums: dict[str, str] = {}
        for split, stem in zip(SPLITS, ("train", "t10k"), strict=True):
            for kind, dimensions in (("images", 3), ("labels", 1)):
                name = f"{stem}-{kind}-idx{dimensions}-ubyte"
                there = [file for file in (folder / name, folder / f"{name}.gz") if file.is_file()]
                if not there:
                    raise ArenaError(f"{folder} lacks {name} or {name}.gz; give a folder with the four IDX files")
                content = file_bytes(there[0])
                checksums[there[0].name] = hashlib.sha256(content).hexdigest()
                arrays[f"{split}_{kind}"] = idx_array(content, there[0], dimensions)
            arrays[f"{split}_images"] = arrays[f"{split}_images"][:, None]
            arrays[f"{split}_labels"] = arrays[f"{split}_labels"].astype(np.int64)
        return Source(arrays, checksums)

    @staticmethod
    def _small() -> Source:
        file = data_folder_file(SMALL)
        if file is None:
            raise ArenaError(
                "fashion_mnist is not on this machine: install the Debian package dataset-fashion-mnist, or give "
                "folder, one with its four IDX files (https://github.com/zalandoresearch/fashion-mnist), or have "
                f"NAS_ARENA_DATA name a folder with {SMALL}; {OR_DIGITS}"
            )
        content = verified(file, SMALL_SHA256, "restore the file")
        stored = npz_arrays(content, SMALL, "x_train", "y_train", "x_test", "y_test")
        arrays: Arrays = {}
        for split in SPLITS:
            arrays[f"{split}_images"] = stored[f"x_{split}"][:, None]
            arrays[f"{split}_labels"] = stored[f"y_{split}"].astype(np.int64)
        remark = "the first 6,000 training and 1,000 test images of Fashion-MNIST"
        return Source(arrays, {SMALL: SMALL_SHA256}, remark)


def idx_array(content: bytes, file: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array in an IDX file of unsigned bytes, the format of MNIST (LeCun, Cortes and Burges).

    Args:
        content: the bytes of the file, compressed by gzip if its name ends in .gz.
        file: its name.
        dimensions: how many the array must have.

    Raises:
        ArenaError: for a damaged file, another kind of array, or one that is shorter or longer than its header says.
    """
    if file.suffix == ".gz":
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise ArenaError(f"{file} is truncated or damaged ({error}); get it anew") from None
    header = 4 + 4 * dimensions
    if len(content) < header or content[:4] != bytes((0, 0, 8, dimensions)):
        raise ArenaError(
            f"{file} is no IDX file of unsigned bytes in {dimensions} dimensions: it begins with "
            f"{content[:4].hex() or 'nothing'}, not {bytes((0, 0, 8, dimensions)).hex()}; get it anew"
        )
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if len(content) - header != math.prod(shape):
        raise ArenaError(
            f"{file} holds {len(content) - header:,} bytes after its header, which promises {math.prod(shape):,}; "
            "get it anew"
        )
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)
