"""An unpickler that knows no callables, or where a file needs it a few of our own.

Neither a damaged nor a hostile file can run code.
"""

from __future__ import annotations

import io
import marshal
import math
import pickle
import struct
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_spaces.errors import ArenaError


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


class _Uint8:
    """Stands for numpy's uint8, as :class:`_Float64` does for float64."""

    __slots__ = ("is_plain",)

    def __init__(self) -> None:
        self.is_plain = False

    def __setstate__(self, state: Any) -> None:
        if state != (3, b"|", None, None, None, -1, -1, 0):
            raise _no_uint8()
        self.is_plain = True


class _Uint8Dtype(_StandIn):
    """In place of ``numpy.dtype`` where arrays of uint8 are read."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> _Uint8:
        if arguments != (b"u1", False, True):
            raise _no_uint8()
        return _Uint8()


class _Uint8Array:
    """Stands for an array. Its state is what numpy writes of it: the version, shape, dtype, memory order and bytes."""

    __slots__ = ("array",)

    def __init__(self) -> None:
        self.array: NDArray[np.uint8] | None = None

    def __setstate__(self, state: Any) -> None:
        version, shape, kind, is_fortran, content = state if type(state) is tuple and len(state) == 5 else (None,) * 5
        if not (
            version == 1
            and type(shape) is tuple
            and all(type(length) is int and length >= 0 for length in shape)
            and isinstance(kind, _Uint8)
            and kind.is_plain
            and type(content) is bytes
            and math.prod(shape) == len(content)
        ):
            raise _no_uint8()
        self.array = np.frombuffer(content, np.uint8).reshape(shape, order="F" if is_fortran else "C")


class _NdarrayClass(_StandIn):
    """In place of ``numpy.ndarray``, which numpy names where it makes an array; it cannot be called."""

    __slots__ = ()


class _Reconstruct(_StandIn):
    """In place of ``numpy.core.multiarray._reconstruct``, which makes the empty array that then takes its state."""

    __slots__ = ()

    def __call__(self, *arguments: Any) -> _Uint8Array:
        if not (len(arguments) == 3 and isinstance(arguments[0], _NdarrayClass) and arguments[1:] == ((0,), b"b")):
            raise _no_uint8()
        return _Uint8Array()


UINT8_ARRAYS = {
    ("numpy", "dtype"): _Uint8Dtype(),
    ("numpy", "ndarray"): _NdarrayClass(),
    ("numpy.core.multiarray", "_reconstruct"): _Reconstruct(),
}


def _no_uint8() -> ArenaError:
    return ArenaError("a pickle holds a numpy value other than an array of uint8, which is not allowed")


class _PlainUnpickler(pickle.Unpickler):
    """Reads containers, numbers and strings. Without a callable of its choice a pickle can run nothing."""

    def __init__(self, content: bytes, allowed: Mapping[tuple[str, str], _StandIn], encoding: str = "ASCII") -> None:
        super().__init__(io.BytesIO(content), encoding=encoding)
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
    with _told(what):
        value = _PlainUnpickler(content, NUMPY_SCALARS if numpy_scalars else {}).load()
        if numpy_scalars:
            marshal.dumps(value)  # which knows plain values alone: it refuses a stand-in that was left uncalled
    return value


def unpickle_uint8(content: bytes, what: str) -> dict[bytes, Any]:
    """The dict in a pickle of Python 2 whose values are arrays of uint8 or plain.

    Args:
        content: the pickle.
        what: what to call it in messages.

    Returns:
        The strings of Python 2 as bytes, the arrays read-only.

    Raises:
        ArenaError: for anything else, before any code of it could run.
    """
    with _told(what):
        value = _PlainUnpickler(content, UINT8_ARRAYS, "bytes").load()
        if type(value) is not dict:
            raise ArenaError(f"the pickle holds a {type(value).__name__}, not a dict; get the file anew")
        arrays = {key: one.array for key, one in value.items() if isinstance(one, _Uint8Array)}
        if any(array is None for array in arrays.values()):
            raise _no_uint8()
        marshal.dumps({key: one for key, one in value.items() if key not in arrays})  # refuses a stand-in
        return {**value, **arrays}


@contextmanager
def _told(what: str) -> Iterator[None]:
    """Whatever a pickle raises becomes an error that names it."""
    try:
        yield
    except ArenaError as error:
        raise ArenaError(f"{what}: {error}") from None
    except Exception as error:  # a damaged pickle can raise nearly anything
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ArenaError(f"{what} is not a readable pickle ({reason}); get it anew") from None
