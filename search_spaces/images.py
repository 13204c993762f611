"""Sets of images on which networks are trained, by name: whole in memory, as unsigned bytes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.data import Arrays
from search_spaces.errors import ArenaError, unknown
from search_spaces.image_sets.base import Augmentation, ImageSet, Source, evenly
from search_spaces.image_sets.cifar import Cifar10, Cifar100
from search_spaces.image_sets.digits import Digits
from search_spaces.image_sets.fashion_mnist import FashionMnist
from search_spaces.image_sets.files import SPLITS
from search_spaces.image_sets.folder import Folder
from search_spaces.plugins import default_settings, resolve_settings

IMAGE_SETS: Mapping[str, type[ImageSet]] = {
    "cifar10": Cifar10,
    "cifar100": Cifar100,
    "digits": Digits,
    "fashion_mnist": FashionMnist,
    "folder": Folder,
}
NOT_IN_LABEL = frozenset({"limit", "folder", "path", "skip_unreadable"})  # said in another way, or no other images
CHUNK = 1000  # images of which pixels are counted at a time


@dataclass(frozen=True, eq=False)
class ImageData:
    """A set of images: N to train on, M to test.

    Attributes:
        name: "digits".
        label: for people: "cifar10 (20,000 images)", with the options that differ from their defaults.
        options: all of them, as given or by default.
        train_images: uint8 [N, C, H, W]; C is 1 or 3.
        train_labels: int64 [N], numbers of classes.
        test_images: uint8 [M, C, H, W].
        test_labels: int64 [M].
        classes: their names.
        checksums: of the files they were read from, by name: SHA-256, or "md5:" and an MD5.
        remark: what a reader of results must know of the images; "" for nothing.
        citation: where they are from.
        augmentation: how they are varied in training.
    """

    name: str
    label: str
    options: dict[str, Any]
    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.int64]
    classes: tuple[str, ...]
    checksums: dict[str, str]
    remark: str
    citation: str
    augmentation: Augmentation

    @cached_property
    def mean_and_deviation(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Of the pixels of every channel over all training images, float64 [C] each, 0 being black and 1 white."""
        channels = self.train_images.shape[1]
        counts = np.zeros((channels, 256))
        for start in range(0, len(self.train_images), CHUNK):
            for channel in range(channels):
                pixels = self.train_images[start : start + CHUNK, channel].ravel()
                counts[channel] += np.bincount(pixels, minlength=256)
        shares, values = counts / counts.sum(1, keepdims=True), np.arange(256) / 255
        mean = shares @ values
        return mean, np.sqrt((shares * (values - mean[:, None]) ** 2).sum(1))


def content_digest(data: ImageData) -> str:
    """The SHA-256 of all pixels and labels, wherever and in whatever files they came."""
    digest = hashlib.sha256()
    for array in (data.train_images, data.train_labels, data.test_images, data.test_labels):
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def load_images(name: str, **options: Any) -> ImageData:
    """The images of that name, such as ``load_images("cifar10", limit=20_000)``.

    Every set takes ``limit``, ``pad``, ``flip`` and ``cutout``, see :class:`search_spaces.image_sets.base.ImageSet`;
    what else it takes is said by its class in ``IMAGE_SETS``. Which images a limit leaves is the same in every run.

    Raises:
        ArenaError: for an unknown name or option, for images that are missing or damaged, or all of one class.
    """
    if name not in IMAGE_SETS:
        raise unknown("image set", name, IMAGE_SETS)
    cls = IMAGE_SETS[name]
    settings = resolve_settings(cls, options, f"option of {name}")
    given = cls(**settings)
    source = given.read()
    what = f"{name} {given.title}".rstrip()
    _check(source, what)
    side = min(source.arrays["train_images"].shape[2:])
    augmentation = _augmentation(given, side)
    images, labels = _limited(given.limit, source.arrays, what)
    settings |= asdict(augmentation)
    return ImageData(
        name=name,
        label=_label(what, given, len(images)),
        options=settings,
        train_images=images,
        train_labels=labels,
        test_images=source.arrays["test_images"],
        test_labels=source.arrays["test_labels"],
        classes=tuple(source.arrays["classes"].tolist()),
        checksums=source.checksums,
        remark=source.remark,
        citation=given.citation,
        augmentation=augmentation,
    )


def _check(source: Source, what: str) -> None:
    arrays, classes = source.arrays, len(source.arrays["classes"])
    for split in SPLITS:
        images, labels = arrays[f"{split}_images"], arrays[f"{split}_labels"]
        if not images.size:
            raise ArenaError(f"the {split} images of {what} are none, or of no pixels; get its files anew")
        if len(images) != len(labels):
            raise ArenaError(
                f"{what} has {len(images):,} {split} images but {len(labels):,} labels; get its files anew"
            )
        if not 0 <= labels.min() <= labels.max() < classes:
            raise ArenaError(
                f"the {split} labels of {what} go from {labels.min()} to {labels.max()}, but it has the classes "
                f"0 to {classes - 1}; get its files anew"
            )
    train, test = (arrays[f"{split}_images"].shape[1:] for split in SPLITS)
    if train != test:
        raise ArenaError(f"the images of {what} are {[*train]} to train on but {[*test]} to test; they must be alike")
    found = np.unique(arrays["train_labels"])
    if len(found) < 2:
        only = arrays["classes"][found[0]]
        raise ArenaError(f"the training images of {what} are all of one class, {str(only)!r}; at least two are needed")


def _augmentation(given: ImageSet, side: int) -> Augmentation:
    """As given or by default; the default for larger images is cut down where the images are small."""
    default = given.augmentation
    pad = min(default.pad, side - 1) if given.pad is None else given.pad
    flip = default.flip if given.flip is None else given.flip
    cutout = default.cutout if given.cutout is None else given.cutout
    for option, value, most in (("pad", pad, side - 1), ("cutout", cutout, side)):
        if not 0 <= value <= most:
            raise ArenaError(f"{option} must be 0 to {most} pixels for images whose side is {side}, not {value}")
    return Augmentation(pad, flip, cutout)


def _limited(limit: int | None, arrays: Arrays, what: str) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """The training images to take, and their labels."""
    images, labels = arrays["train_images"], arrays["train_labels"]
    if limit is None:
        return images, labels
    classes = len(np.unique(labels))
    if not classes <= limit <= len(labels):
        raise ArenaError(
            f"limit must be from {classes}, one image a class, to the {len(labels):,} training images of {what}, "
            f"not {limit}"
        )
    rows = evenly(labels, limit)
    return images[rows], labels[rows]


def _label(what: str, given: ImageSet, images: int) -> str:
    notes = []
    if given.limit is not None or images != (given.training_images or images):
        notes.append(f"{images:,} images")
    defaults = default_settings(type(given)) | asdict(given.augmentation)
    for option, value in vars(given).items():
        if option not in NOT_IN_LABEL and value not in (None, defaults[option]):
            notes.append(f"{option}={str(value).lower()}")
    return f"{what} ({', '.join(notes)})" if notes else what
