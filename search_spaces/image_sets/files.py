"""Files of images, whatever the set: found, read, unpacked in memory."""

from __future__ import annotations

import io
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from search_spaces.errors import ArenaError

SPLITS = ("train", "test")
OR_DIGITS = "the image set digits needs no files"
BROKEN_ARCHIVE = (tarfile.TarError, lzma.LZMAError, zlib.error, EOFError, OSError)


def given_folder(path: str, holds: str) -> Path:
    """The folder of that path, ``~`` being the home of the user.

    Raises:
        ArenaError: when there is none, or a file; the message says what it should hold.
    """
    try:
        folder = Path(path).expanduser()
        if folder.is_dir():
            return folder
        problem = f"{path!r} is a file, not a folder" if folder.exists() else f"there is no folder {path!r}"
    except (OSError, RuntimeError) as error:  # too long a path, or the home of a user whom there is not
        problem = f"cannot look for {path!r} ({getattr(error, 'strerror', None) or error})"
    raise ArenaError(f"{problem}; give the folder that holds {holds}")


def file_bytes(file: Path) -> bytes:
    """The bytes of a file.

    Raises:
        ArenaError: when it cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise ArenaError(f"cannot read {file}: {error.strerror}") from None


def tar_files(content: bytes, what: str) -> Iterator[tuple[str, bytes]]:
    """The regular files of a compressed tar archive, in its order.

    Raises:
        ArenaError: when it is truncated or damaged.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r:*") as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    yield member.name, stream.read()
            while archive.fileobj is not None and archive.fileobj.read(1 << 20):
                pass  # the checksum of what was compressed comes after the end of the archive
    except BROKEN_ARCHIVE as error:
        reason = " ".join(str(error).split())
        raise ArenaError(f"{what} is truncated or damaged ({reason}); get it anew") from None
