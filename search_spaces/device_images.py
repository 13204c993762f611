"""Images that stay on the device as unsigned bytes, and become batches of floats there, augmented or not.

There is no loader and no copy from the host: a batch is a gather. Every image of a batch is varied on its own.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor
from torch.nn import functional

from search_spaces.image_sets.base import Augmentation
from search_spaces.images import ImageData


class DeviceImages:
    """One split of a set of images.

    Args:
        images: uint8 [N, C, H, W].
        labels: int [N].
        mean: of every channel, [C], 0 being black and 1 white; it is subtracted.
        deviation: of every channel, [C]; what is left is divided by it.
        augmentation: what :meth:`augmented` does.
        device: where they lie.

    Attributes:
        labels: int64 [N], on the device.
    """

    def __init__(
        self,
        images: NDArray[np.uint8],
        labels: ArrayLike,
        *,
        mean: ArrayLike,
        deviation: ArrayLike,
        augmentation: Augmentation,
        device: torch.device | str,
    ) -> None:
        self._images = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 2, 3, 1))).to(device)  # [N, H, W, C]
        self.labels = torch.from_numpy(np.array(labels, dtype=np.int64)).to(device)
        self.augmentation = augmentation
        width = images.shape[3]
        spread = np.where(np.asarray(deviation) > 0, deviation, 1.0)  # a channel of one shade is 0 everywhere
        # for every pixel of a line, in bytes: long rows are subtracted in vectors, rows of C numbers are not
        self._mean = torch.tensor(np.tile(np.multiply(mean, 255), width), dtype=torch.float32, device=device)
        self._deviation = torch.tensor(np.tile(spread * 255, width), dtype=torch.float32, device=device)

    @classmethod
    def of_data(cls, data: ImageData, split: Literal["train", "test"], device: torch.device | str) -> DeviceImages:
        """One split, normalised by the pixels of the training images."""
        mean, deviation = data.mean_and_deviation
        images, labels = {
            "train": (data.train_images, data.train_labels),
            "test": (data.test_images, data.test_labels),
        }[split]
        return cls(images, labels, mean=mean, deviation=deviation, augmentation=data.augmentation, device=device)

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def device(self) -> torch.device:
        """Where they lie."""
        return self.labels.device

    def plain(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """A batch as it is.

        Args:
            indices: int64 [B], on the device.

        Returns:
            The images, normalised, float32 [B, C, H, W] in memory as [B, H, W, C] ("channels last"), by strides too
            where C is 1; their labels, int64 [B].
        """
        return self._normalised(self._images[indices]), self.labels[indices]

    def augmented(self, indices: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """The same, varied as :class:`search_spaces.image_sets.base.Augmentation` says.

        The generator, which is on the device too, gives in this order, each only where it is needed: the first row and
        the first column of the part cut out of the padded image, [2, B]; a uniform number an image, which mirrors it
        when below one half, [B]; the row, then the column, at the centre of the square, [B] each. The square may
        stick out of the image: of side k, it begins k // 2 before its centre.
        """
        images = self._images[indices]
        batch, height, width, channels = images.shape
        pad, device = self.augmentation.pad, images.device
        rows = torch.arange(height, device=device).expand(batch, -1)
        columns = torch.arange(width, device=device).expand(batch, -1)
        if pad:
            first = torch.randint(2 * pad + 1, (2, batch), generator=generator, device=device)
            rows, columns = rows + first[0, :, None], columns + first[1, :, None]
            images = functional.pad(images, (0, 0, pad, pad, pad, pad))
        if self.augmentation.flip:
            mirrored = torch.rand(batch, generator=generator, device=device) < 0.5
            columns = torch.where(mirrored[:, None], columns.flip(1), columns)
        if pad or self.augmentation.flip:
            # index_select of whole pixels takes half the time of indexing by three tensors
            lines = torch.arange(batch, device=device)[:, None] * images.shape[1] + rows
            pixels = (lines * images.shape[2])[:, :, None] + columns[:, None, :]
            images = images.view(-1, channels).index_select(0, pixels.flatten()).view(batch, height, width, channels)
        normalised = self._normalised(images)
        if side := self.augmentation.cutout:
            row = torch.randint(height, (batch,), generator=generator, device=device)
            column = torch.randint(width, (batch,), generator=generator, device=device)
            hidden = _within(row, side, height)[:, :, None] & _within(column, side, width)[:, None, :]
            normalised.masked_fill_(hidden[:, None], 0.0)
        return normalised, self.labels[indices]

    def _normalised(self, images: Tensor) -> Tensor:
        batch, height, width, channels = images.shape
        lines = images.view(batch, height, width * channels).to(torch.float32)
        return lines.sub_(self._mean).div_(self._deviation).view(batch, height, width, channels).permute(0, 3, 1, 2)


def _within(centre: Tensor, side: int, length: int) -> Tensor:
    """Which places of a line of that length are in the square: bool [B, length]."""
    place = torch.arange(length, device=centre.device) - (centre - side // 2)[:, None]
    return (place >= 0) & (place < side)
