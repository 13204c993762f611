"""Images of one's own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from search_spaces.data import cached
from search_spaces.errors import ArenaError
from search_spaces.image_sets.base import Augmentation, ImageSet, Source
from search_spaces.image_sets.files import given_folder
from search_spaces.image_sets.trees import TREE, decoded_tree, folder_tree, left_out, listing_checksum


@dataclass(frozen=True, kw_only=True)
class Folder(ImageSet):
    """Images of one's own, as files train/class/file and test/class/file of a kind that Pillow reads.

    Args:
        path: the folder that holds train and test.
        size: images are scaled and cropped around their centre to that many pixels a side; None takes them as they
            are, all of one size.
        channels: 1 or 3; "auto" is 1 where all images are grey.
        skip_unreadable: whether files that cannot be read are left out.
    """

    path: str
    size: int | None = None
    channels: Literal["auto", 1, 3] = "auto"
    skip_unreadable: bool = False

    augmentation = Augmentation(pad=4, flip=True, cutout=0)

    @property
    def title(self) -> str:
        return Path(self.path).expanduser().resolve().name

    def read(self) -> Source:
        if self.size is not None and self.size < 1:
            raise ArenaError(f"size of the image set folder must be 1 or more pixels, not {self.size}")
        root = given_folder(self.path, TREE)
        files = folder_tree(root)
        checksums = {"files": listing_checksum(root, files)}
        how = {name: str(getattr(self, name)) for name in ("size", "channels", "skip_unreadable")}
        arrays = cached(
            "folder",
            {**checksums, **how},
            lambda: decoded_tree(
                files, str(root), size=self.size, channels=self.channels, skip_unreadable=self.skip_unreadable
            ),
        )
        return Source(arrays, checksums, left_out(arrays))
