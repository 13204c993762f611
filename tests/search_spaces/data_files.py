"""What tests of data files share: how they are spoilt, and what is said of it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from harness.study import Study
from search_spaces.errors import ArenaError

DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "truncated": lambda content: content[: len(content) // 2],
    "one byte flipped": lambda content: content[:1000] + bytes([content[1000] ^ 1]) + content[1001:],
    "one byte more": lambda content: content + b"\0",
    "empty": lambda content: b"",
}


def line_of(call: Callable[[], object]) -> str:
    """The message of the error that a call ends in: always one line."""
    with pytest.raises(ArenaError) as told:
        call()
    assert len(str(told.value).splitlines()) == 1
    return str(told.value)


def put(file: Path, content: bytes, checksums: dict[str, str], name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Gives a data file another content, and has it pass as the right one, whose checksum is kept under a name."""
    file.write_bytes(content)
    monkeypatch.setitem(checksums, name, hashlib.sha256(content).hexdigest())


def study(*benchmarks: str, budget: Any = 50) -> Study:
    """Random search on some benchmarks, to see what can be run."""
    return Study(name="mine", optimizers=["random_search"], benchmarks=benchmarks, seeds=1, budget=budget)


def npz(arrays: Mapping[str, Any] = MappingProxyType({}), **changes: Any) -> bytes:
    """The bytes of an .npz file of some arrays, some of them others or more."""
    stream = io.BytesIO()
    np.savez(stream, **{**arrays, **changes})
    return stream.getvalue()


class Evil:
    """Pickled, it is the call of a function."""

    def __init__(self, call: Any, *arguments: Any) -> None:
        self.reduced = (call, arguments)

    def __reduce__(self) -> Any:
        return self.reduced
