"""What every set of images is: its options, how it is varied in training, and what reading it gives."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from search_spaces.data import Arrays


@dataclass(frozen=True)
class Augmentation:
    """How training images are varied, each on its own, every time they are shown.

    Attributes:
        pad: pixels of black added on every side, before a random part of the former size is cut out.
        flip: whether a half is mirrored left to right.
        cutout: the side of a square of pixels that are set to the mean (DeVries and Taylor, 2017); 0 for none.
    """

    pad: int
    flip: bool
    cutout: int


class Source(NamedTuple):
    """What was read: ``train_images``, ``train_labels``, ``test_images``, ``test_labels``, ``classes``; and of what."""

    arrays: Arrays
    checksums: dict[str, str]
    remark: str = ""


@dataclass(frozen=True, kw_only=True)
class ImageSet(ABC):
    """A set of images with the options that all have. None as ``pad``, ``flip`` or ``cutout`` is the set's default.

    Args:
        limit: how many training images to take, evenly over the classes; None takes all.
        pad: see :class:`Augmentation`.
        flip: see there.
        cutout: see there.
    """

    limit: int | None = None
    pad: int | None = None
    flip: bool | None = None
    cutout: int | None = None

    augmentation: ClassVar[Augmentation]
    citation: ClassVar[str] = ""
    training_images: ClassVar[int | None] = None  # of the whole set, where it is always the same

    @property
    def title(self) -> str:
        """What to call it, beside its name."""
        return ""

    @abstractmethod
    def read(self) -> Source:
        """All images of both splits.

        Raises:
            ArenaError: when they are not there, or damaged.
        """


def evenly(labels: NDArray[np.int64], number: int) -> NDArray[np.int64]:
    """Which images to take so that every class has as many, spaced evenly within a class; always the same ones.

    A class that has too few gives all it has, and the others more.

    Args:
        labels: [N].
        number: of images, at most N.

    Returns:
        [number], ascending.
    """
    counts = np.bincount(labels)
    chosen, left = [], number
    for done, label in enumerate(np.argsort(counts, kind="stable")):
        share = min(int(counts[label]), left // (len(counts) - done))
        chosen.append(np.flatnonzero(labels == label)[np.arange(share) * counts[label] // max(share, 1)])
        left -= share
    return np.sort(np.concatenate(chosen))
