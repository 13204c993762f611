"""CIFAR-10 and CIFAR-100, from the official archives for Python or from JPEG files of the former."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from search_spaces.data import Arrays, cached, data_folder_file
from search_spaces.errors import ArenaError
from search_spaces.image_sets.base import Augmentation, ImageSet, Source
from search_spaces.image_sets.files import OR_DIGITS, SPLITS, file_bytes, given_folder, tar_files
from search_spaces.image_sets.trees import archive_tree, decoded_tree, left_out
from search_spaces.pickles import unpickle_uint8

PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"
MD5 = {  # as that page gives them
    "cifar-10-python.tar.gz": "c58f30108f718f92721af3b95e74349a",
    "cifar-100-python.tar.gz": "eb9058c3a382ffc7106e4002c42a8d85",
}
TREE = "cifar10_images.tar.xz"


class Members(NamedTuple):
    """What is where in an archive: the files of either split, and that of the names; the keys of labels and names."""

    train: tuple[str, ...]
    test: tuple[str, ...]
    meta: str
    labels: bytes
    names: bytes


CIFAR10 = Members(
    tuple(f"cifar-10-batches-py/data_batch_{number}" for number in range(1, 6)),
    ("cifar-10-batches-py/test_batch",),
    "cifar-10-batches-py/batches.meta",
    b"labels",
    b"label_names",
)
CIFAR100 = Members(
    ("cifar-100-python/train",),
    ("cifar-100-python/test",),
    "cifar-100-python/meta",
    b"fine_labels",
    b"fine_label_names",
)


@dataclass(frozen=True, kw_only=True)
class Cifar10(ImageSet):
    """60,000 photographs of ten kinds of things, 32 x 32 pixels in colour.

    Args:
        folder: holds ``cifar-10-python.tar.gz``, the official archive. None: the folder NAS_ARENA_DATA, with that or
            ``cifar10_images.tar.xz``, the same images as JPEG files train/class/number.jpg and test/class/number.jpg.
        skip_unreadable: whether JPEG files that cannot be read are left out.
    """

    folder: str | None = None
    skip_unreadable: bool = False

    augmentation = Augmentation(pad=4, flip=True, cutout=0)
    citation = "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"
    training_images = 50_000

    def read(self) -> Source:
        archive = "cifar-10-python.tar.gz"
        tree = data_folder_file(TREE) if self.folder is None and data_folder_file(archive) is None else None
        if tree is not None:
            return self._tree(file_bytes(tree), tree)
        return official(self.folder, archive, CIFAR10, f"{archive} or {TREE}")

    def _tree(self, content: bytes, file: Path) -> Source:
        checksum = hashlib.sha256(content).hexdigest()
        arrays = cached(
            "cifar10-images",
            {file.name: checksum, "skip_unreadable": str(self.skip_unreadable)},
            lambda: decoded_tree(
                archive_tree(content, str(file)), str(file), size=None, channels=3, skip_unreadable=self.skip_unreadable
            ),
        )
        remark = "its pixels went through JPEG once and differ a little from those of the official files"
        return Source(arrays, {file.name: checksum}, "; ".join(filter(None, (remark, left_out(arrays)))))


@dataclass(frozen=True, kw_only=True)
class Cifar100(ImageSet):
    """60,000 photographs of a hundred kinds of things, 32 x 32 pixels in colour.

    Args:
        folder: holds ``cifar-100-python.tar.gz``, the official archive; None: the folder NAS_ARENA_DATA.
    """

    folder: str | None = None

    augmentation = Cifar10.augmentation
    citation = Cifar10.citation
    training_images = 50_000

    def read(self) -> Source:
        archive = "cifar-100-python.tar.gz"
        return official(self.folder, archive, CIFAR100, archive)


def official(folder: str | None, archive: str, members: Members, files: str) -> Source:
    """The images of an official archive.

    Args:
        folder: where it lies; None for the folder NAS_ARENA_DATA.
        archive: its name.
        members: what is where in it.
        files: what that folder may hold, for a message.

    Raises:
        ArenaError: when it is not there, or its MD5 is another.
    """
    file = data_folder_file(archive) if folder is None else given_folder(folder, archive) / archive
    if file is None:
        raise ArenaError(
            f"{archive} is not on this machine: get it from {PAGE} and give folder, the one that holds it, or have "
            f"NAS_ARENA_DATA name a folder with {files}; {OR_DIGITS}"
        )
    if not file.is_file():
        raise ArenaError(f"{folder!r} does not hold {archive}; get it from {PAGE}")
    content = file_bytes(file)
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != MD5[archive]:
        raise ArenaError(
            f"{file} is damaged or another file: its MD5 is {found[:12]}..., not {MD5[archive][:12]}...; "
            f"get it anew from {PAGE}"
        )
    checksums = {archive: f"md5:{found}"}
    return Source(cached("cifar", checksums, lambda: archive_arrays(content, str(file), members)), checksums)


def archive_arrays(content: bytes, what: str, members: Members) -> Arrays:
    """What an archive for Python holds; nothing of it is written to disk.

    Args:
        content: a tar file compressed by gzip.
        what: what to call it in messages.
        members: what is where in it.

    Returns:
        ``train_images`` and ``test_images``, uint8 [N, 3, 32, 32]; their labels, int64 [N]; ``classes``, str [K].

    Raises:
        ArenaError: when it is damaged, lacks a member, or holds another kind of images.
    """
    found = dict(tar_files(content, what))

    def read(member: str) -> dict[bytes, Any]:
        if member not in found:
            raise ArenaError(f"{what} lacks {member}; get it anew")
        return unpickle_uint8(found[member], f"{member} of {what}")

    def joined(batches: Sequence[dict[bytes, Any]], split: str) -> Arrays:
        images = np.concatenate([batch[b"data"].reshape(-1, 3, 32, 32) for batch in batches])
        labels = np.concatenate([np.array(batch[members.labels], dtype=np.int64) for batch in batches])
        return {f"{split}_images": images, f"{split}_labels": labels}

    arrays: Arrays = {}
    try:
        for split, names in zip(SPLITS, (members.train, members.test), strict=True):
            arrays |= joined([read(name) for name in names], split)
        arrays["classes"] = np.array([name.decode() for name in read(members.meta)[members.names]])
    except ArenaError:
        raise
    except (KeyError, AttributeError, TypeError, ValueError) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ArenaError(f"{what} has not the form of CIFAR's archives ({reason}); get it anew") from None
    return arrays
