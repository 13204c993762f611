"""The digits that are part of scikit-learn."""

from __future__ import annotations

import hashlib

import numpy as np

from search_spaces.data import Arrays
from search_spaces.errors import missing_extra
from search_spaces.image_sets.base import Augmentation, ImageSet, Source, evenly
from search_spaces.image_sets.files import SPLITS


class Digits(ImageSet):
    """1,797 handwritten digits of 8 x 8 pixels in 17 shades of grey: 120 of each class to train on, the rest to test.

    Those to train on are spread evenly over the order of the file, so that both splits have digits of every writer.
    """

    augmentation = Augmentation(pad=1, flip=False, cutout=0)
    citation = "Alpaydin and Kaynak, Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998"
    training_images = 1200

    def read(self) -> Source:
        try:
            from sklearn.datasets import load_digits
        except ImportError:
            raise missing_extra("the image set digits", "scikit-learn", "supernet") from None
        found = load_digits()
        shades, labels = found.images.astype(np.uint8), found.target.astype(np.int64)
        checksum = hashlib.sha256(shades.tobytes() + labels.astype("<i8").tobytes()).hexdigest()
        images = np.rint(shades * (255 / 16)).astype(np.uint8)[:, None]
        train = np.zeros(len(labels), dtype=bool)
        train[evenly(labels, self.training_images)] = True
        arrays: Arrays = {"classes": np.array([str(digit) for digit in range(10)])}
        for split, rows in zip(SPLITS, (train, ~train), strict=True):
            arrays |= {f"{split}_images": images[rows], f"{split}_labels": labels[rows]}
        return Source(arrays, {"digits": checksum})
