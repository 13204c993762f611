"""Images as trees of split/class/file, in a folder or an archive: found, and decoded by Pillow."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from search_spaces.data import Arrays
from search_spaces.errors import ArenaError, missing_extra
from search_spaces.image_sets.files import SPLITS, tar_files

TREE = "train/<class>/ and test/<class>/ with the images"
EIGHT_BIT_MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr"})
GREY_MODES = frozenset({"1", "L", "LA"})


class TreeFile(NamedTuple):
    """A file of a tree: where it belongs, and its content or where that lies."""

    split: str
    label: str
    name: str
    content: bytes | Path

    def __str__(self) -> str:
        return f"{self.split}/{self.label}/{self.name}"


def archive_tree(content: bytes, what: str) -> list[TreeFile]:
    """The files train/class/file and test/class/file of a compressed tar archive, sorted."""
    files = []
    for name, inside in tar_files(content, what):
        parts = PurePosixPath(name).parts
        if len(parts) == 3 and parts[0] in SPLITS and not parts[2].startswith("."):
            files.append(TreeFile(*parts, inside))
    return sorted(files, key=str)


def folder_tree(root: Path) -> list[TreeFile]:
    """The files train/class/file and test/class/file of a folder, sorted; hidden ones are left out.

    Raises:
        ArenaError: when one of the two is no folder, or a class has folders inside.
    """
    for split in SPLITS:
        if not (root / split).is_dir():
            raise ArenaError(f"{str(root)!r} has no folder {split}; give the folder that holds {TREE}")
    files = []
    try:
        for split in SPLITS:
            for label in _visible(root / split):
                for file in _visible(label) if label.is_dir() else ():
                    if file.is_dir():
                        raise ArenaError(f"{str(file)!r} is a folder inside a class; move its images up, or away")
                    files.append(TreeFile(split, label.name, file.name, file))
    except OSError as error:
        raise ArenaError(f"cannot read {error.filename}: {error.strerror}") from None
    return files


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def listing_checksum(root: Path, files: Iterable[TreeFile]) -> str:
    """The SHA-256 of the names, sizes and times of change of a folder's files: what tells that it is another.

    Their content is not read, which would cost more than to decode them anew.
    """
    digest = hashlib.sha256()
    for file in files:
        path = root / str(file)
        about = path.stat() if path.exists() else path.lstat()
        digest.update(f"{file}\0{about.st_size}\0{about.st_mtime_ns}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()


def decoded_tree(
    files: Sequence[TreeFile], what: str, *, size: int | None, channels: int | str, skip_unreadable: bool
) -> Arrays:
    """The images of a tree, decoded by Pillow in as many threads as there are cores.

    Args:
        files: of both splits.
        what: what to call the tree in messages.
        size: images are scaled and cropped around their centre to that many pixels a side; None takes them as they are.
        channels: 1 or 3; "auto" is 1 where all images are grey.
        skip_unreadable: whether files that cannot be read are left out; their names are then in ``unreadable``.

    Returns:
        ``train_images`` and ``test_images``, uint8 [N, C, H, W]; their labels, int64 [N]; ``classes`` and
        ``unreadable``, both str [...].

    Raises:
        ArenaError: when there are no images, the splits differ in their classes, a file cannot be read, or the images
            differ in size.
    """
    _class_names(files, what)
    try:
        import PIL  # noqa: F401
    except ImportError:
        raise missing_extra(f"decoding the images of {what}", "pillow", "supernet") from None
    with ThreadPoolExecutor() as pool:
        images = list(pool.map(lambda file: _decoded(file.content, size, channels), files))
    unreadable = [
        f"{' '.join(str(file).split())} ({image})"
        for file, image in zip(files, images, strict=True)
        if isinstance(image, str)
    ]
    if unreadable and not skip_unreadable:
        more = f" and {len(unreadable) - 3:,} more" if len(unreadable) > 3 else ""
        raise ArenaError(
            f"{what} has {len(unreadable):,} unreadable of {len(files):,} files: {', '.join(unreadable[:3])}{more}; "
            "mend or remove them, or give skip_unreadable=true"
        )
    read = [(file, image) for file, image in zip(files, images, strict=True) if not isinstance(image, str)]
    classes = _class_names([file for file, _ in read], what)
    first, shape = read[0][0], read[0][1].shape[:2]
    for file, image in read:
        if image.shape[:2] != shape:
            raise ArenaError(
                f"the images of {what} differ in size: {first} has {shape[1]} x {shape[0]} pixels, {file} has "
                f"{image.shape[1]} x {image.shape[0]}; give size, a number of pixels to which all are brought"
            )
    depth = max(image.shape[2] for _, image in read)  # grey ones among colours get three equal channels
    numbers = {name: number for number, name in enumerate(classes)}
    arrays: Arrays = {"classes": np.array(classes), "unreadable": np.array(unreadable, dtype=np.str_)}
    for split in SPLITS:
        inside = [(file, image) for file, image in read if file.split == split]
        stacked = np.empty((len(inside), depth, *shape), dtype=np.uint8)
        for row, (_, image) in zip(stacked, inside, strict=True):
            row[...] = image.transpose(2, 0, 1)
        arrays[f"{split}_images"] = stacked
        arrays[f"{split}_labels"] = np.array([numbers[file.label] for file, _ in inside], dtype=np.int64)
    return arrays


def _class_names(files: Sequence[TreeFile], what: str) -> list[str]:
    """Sorted, the same in both splits."""
    found = {split: {file.label for file in files if file.split == split} for split in SPLITS}
    for split, names in found.items():
        if not names:
            raise ArenaError(f"{what} has no images in {split}/<class>/; put them there, a folder a class")
    for split, other in (SPLITS, SPLITS[::-1]):
        for name in sorted(found[split] - found[other]):
            raise ArenaError(
                f"{what} has images of the class {name!r} in {split} but none in {other}; both need all classes"
            )
    return sorted(found["train"])


def _decoded(content: bytes | Path, size: int | None, channels: int | str) -> NDArray[np.uint8] | str:
    """One image, uint8 [H, W, C] and upright; or why it cannot be read."""
    from PIL import Image, ImageOps, UnidentifiedImageError

    if isinstance(content, Path) and not content.is_file():
        return "no file, or a link to none"  # and a pipe would be waited for
    try:
        with Image.open(io.BytesIO(content) if isinstance(content, bytes) else content) as image:
            if image.mode not in EIGHT_BIT_MODES:
                return f"mode {image.mode}, not 8 bits a channel"
            grey = channels == 1 or (channels == "auto" and image.mode in GREY_MODES)
            upright = ImageOps.exif_transpose(image).convert("L" if grey else "RGB")
            if size is not None:
                upright = ImageOps.fit(upright, (size, size), Image.Resampling.BILINEAR)
            return np.atleast_3d(np.asarray(upright, dtype=np.uint8))
    except UnidentifiedImageError:
        return "no image"
    except MemoryError:
        raise ArenaError(
            f"images of {size} pixels a side need more memory than there is; give a smaller size"
        ) from None
    except Exception as error:  # a damaged image can raise nearly anything
        return " ".join((str(error) or type(error).__name__).split())


def left_out(arrays: Arrays) -> str:
    """How many files of a tree could not be read; "" where all could."""
    count = len(arrays["unreadable"])
    return f"{count:,} unreadable {'file is' if count == 1 else 'files are'} left out" if count else ""
