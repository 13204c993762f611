"""The unpickler: hostile pickles run nothing, plain values are read, and numpy's float64 scalars where asked for."""

from __future__ import annotations

import copyreg
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import Evil, line_of, put

from search_spaces.nasbench201 import table
from search_spaces.pickles import unpickle_plain
from search_spaces.registry import get_benchmark


@pytest.fixture(autouse=True)
def _alone(cache: Path, no_data_folder: None) -> None:
    """With an empty cache, and without a data folder unless a test sets one."""


class Hostile:
    """Its file appears when one is made, by its class alone, or when one takes a state."""

    def __new__(cls, marker: str = "") -> Hostile:
        if marker:
            Path(marker).touch()
        return super().__new__(cls)

    def __setstate__(self, marker: str) -> None:
        Path(marker).touch()

    @staticmethod
    def named() -> bytes:
        return f"c{Hostile.__module__}\nHostile\n".encode()


def _touch(marker: Path) -> str:
    return f"__import__('pathlib').Path({str(marker)!r}).touch()"


HOSTILE: dict[str, Callable[[Path], bytes]] = {
    **{
        f"os.system, protocol {protocol}": lambda marker, protocol=protocol: pickle.dumps(
            Evil(os.system, f"touch '{marker}'"), protocol
        )
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "eval inside a table": lambda marker: pickle.dumps({"000000": {"val_acc": Evil(eval, _touch(marker))}}),
    "GLOBAL": lambda marker: b"cbuiltins\neval\n(V" + _touch(marker).encode() + b"\ntR.",
    "STACK_GLOBAL": lambda marker: b"\x80\x04\x8c\x08builtins\x8c\x04eval\x93(V" + _touch(marker).encode() + b"\ntR.",
    "INST": lambda marker: b"(V" + _touch(marker).encode() + b"\nibuiltins\neval\n.",
    "OBJ": lambda marker: b"(cbuiltins\neval\nV" + _touch(marker).encode() + b"\no.",
    "NEWOBJ": lambda marker: b"\x80\x02" + Hostile.named() + b"(V" + str(marker).encode() + b"\nt\x81.",
    "NEWOBJ_EX": lambda marker: b"\x80\x04" + Hostile.named() + b"(V" + str(marker).encode() + b"\nt}\x92.",
    "BUILD": lambda marker: b"\x80\x02" + Hostile.named() + b")\x81V" + str(marker).encode() + b"\nb.",
    "EXT1": lambda marker: b"\x80\x02\x82\xf1(V" + _touch(marker).encode() + b"\ntR.",
    "EXT2": lambda marker: b"\x80\x02\x83\xf1\x00(V" + _touch(marker).encode() + b"\ntR.",
    "EXT4": lambda marker: b"\x80\x02\x84\xf1\x00\x00\x00(V" + _touch(marker).encode() + b"\ntR.",
}


@pytest.fixture
def _extension() -> Any:
    """eval as a registered extension, which a pickle can name by a number alone."""
    copyreg.add_extension("builtins", "eval", 0xF1)
    yield
    copyreg.remove_extension("builtins", "eval", 0xF1)


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.usefixtures("_extension")
def test_a_hostile_pickle_runs_nothing(kind: str, tmp_path: Path) -> None:
    marker = tmp_path / "it ran"
    content = HOSTILE[kind](marker)
    line = line_of(lambda: unpickle_plain(content, "cifar10.pkl"))
    assert line.startswith("cifar10.pkl: a pickle names ")
    assert "nothing was run" in line
    assert not marker.exists()
    pickle.loads(content)
    assert marker.exists(), "this pickle is harmless: the test shows nothing"


@pytest.mark.parametrize(
    "content", [b"Pevil\n.", b"\x80\x02U\x04evilQ.", b"\x80\x04\x8c\x04evilQ."], ids=["PERSID", "BINPERSID", "4"]
)
def test_outside_objects_are_refused(content: bytes) -> None:
    assert "outside object 'evil'" in line_of(lambda: unpickle_plain(content, "cifar10.pkl"))


@pytest.mark.parametrize("value", [np.float64(1.5), np.arange(3), set, len, {"x": [Path()]}, 1 + 2j], ids=repr)
def test_only_plain_values_are_read(value: Any) -> None:
    assert "not allowed" in line_of(lambda: unpickle_plain(pickle.dumps(value), "cifar10.pkl"))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_are_read_as_they_are(protocol: int) -> None:
    value = {"a": [1, 2.5, None, True, "text", (1, 2)], "b": {"c": -(2**80)}}
    assert unpickle_plain(pickle.dumps(value, protocol), "it") == value


def test_a_hostile_pickle_in_the_package_runs_nothing(
    wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    marker = tmp_path / "it ran"
    hostile = HOSTILE["eval inside a table"](marker)
    wheel.write_bytes(hostile)
    assert "SHA-256" in line_of(lambda: get_benchmark("nasbench201"))
    put(wheel, hostile, table.SHA256, wheel.name, monkeypatch)
    assert "builtins.eval" in line_of(lambda: get_benchmark("nasbench201"))
    assert not marker.exists()


# numpy's scalars

SCALAR, DTYPE = b"cnumpy.core.multiarray\nscalar\n", b"cnumpy\ndtype\n"
HALF = struct.pack("<d", 0.5)


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value)) + value.encode()


def raw(value: bytes) -> bytes:
    return b"C" + bytes([len(value)]) + value


def plain(value: Any) -> bytes:
    return pickle.dumps(value, 3)[2:-1]


def dtype(kind: str = "f8", flags: bytes = b"\x89\x88", state: Any = (3, "<", None, None, None, -1, -1, 0)) -> bytes:
    build = b"" if state is None else plain(state) + b"b"
    return DTYPE + text(kind) + flags + b"\x87R" + build


def scalar(content: bytes, kind: bytes | None = None) -> bytes:
    return b"\x80\x03" + SCALAR + (dtype() if kind is None else kind) + content + b"\x86R."


def as_before_numpy_2(value: Any) -> bytes:
    """What numpy writes, under the name that it had when the package was made."""
    return pickle.dumps(value, 3).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")


@pytest.mark.parametrize("value", [0.5, 0.0, -0.0, 1e300, 5e-324, float("inf"), float("nan")])
def test_float64_scalars_are_read_as_floats(value: float) -> None:
    for content in (as_before_numpy_2({"a": [np.float64(value)]}), as_before_numpy_2({"a": [np.float64(value)] * 2})):
        for read in unpickle_plain(content, "it", numpy_scalars=True)["a"]:
            assert type(read) is float
            assert struct.pack("<d", read) == struct.pack("<d", value)
    assert unpickle_plain(scalar(raw(HALF)), "it", numpy_scalars=True) == 0.5
    assert pickle.loads(scalar(raw(HALF))) == 0.5, "numpy reads it too, so that what is refused below is near it"


def test_without_being_asked_for_they_are_refused() -> None:
    for content in (scalar(raw(HALF)), b"\x80\x03" + dtype() + b"."):
        assert "a pickle names numpy" in line_of(lambda content=content: unpickle_plain(content, "it"))


REFUSED: dict[str, bytes] = {
    "float32": scalar(raw(HALF[:4]), dtype("f4")),
    "int64": scalar(raw(HALF), dtype("i8")),
    "complex": scalar(raw(HALF * 2), dtype("c16")),
    "a time": scalar(raw(HALF), dtype("M8")),
    "an object dtype": scalar(raw(HALF), dtype("O8")),
    "an object": scalar(plain([1]), dtype("O8")),
    "a void": scalar(raw(HALF), dtype("V8")),
    "aligned": scalar(raw(HALF), dtype(flags=b"\x88\x88")),
    "big-endian": scalar(raw(HALF), dtype(state=(3, ">", None, None, None, -1, -1, 0))),
    "native": scalar(raw(HALF), dtype(state=(3, "=", None, None, None, -1, -1, 0))),
    "no byte order": scalar(raw(HALF), dtype(state=None)),
    "fields": scalar(raw(HALF), dtype(state=(3, "<", None, ("a",), {"a": 1}, 8, 1, 0))),
    "a subarray": scalar(raw(HALF), dtype(state=(3, "<", (1, (2,)), None, None, -1, -1, 0))),
    "flags": scalar(raw(HALF), dtype(state=(3, "<", None, None, None, -1, -1, 63))),
    "metadata": scalar(raw(HALF), dtype(state=(4, "<", None, None, None, -1, -1, 0, {}))),
    "a state of attributes": scalar(raw(HALF), dtype(state={"is_little_endian": True})),
    "a state of slots": scalar(raw(HALF), dtype(state=(None, {"is_little_endian": True}))),
    "seven bytes": scalar(raw(HALF[:7])),
    "nine bytes": scalar(raw(HALF + b"\0")),
    "no bytes": scalar(raw(b"")),
    "a str": scalar(text("12345678")),
    "an old str": scalar(b"U\x0812345678"),
    "a bytearray": b"\x80\x05" + SCALAR + dtype() + b"\x96" + struct.pack("<Q", 8) + HALF + b"\x86R.",
    "a list": scalar(plain([1] * 8)),
    "a float": scalar(plain(0.5)),
    "no dtype": scalar(raw(HALF), plain(None)),
    "its name alone": scalar(raw(HALF), text("f8")),
    "the function for its result": scalar(raw(HALF), DTYPE),
    "one argument": b"\x80\x03" + SCALAR + dtype() + b"\x85R.",
    "no argument": b"\x80\x03" + SCALAR + b")R.",
    "three arguments": b"\x80\x03" + SCALAR + dtype() + raw(HALF) + b"N\x87R.",
    "arguments in a list": b"\x80\x03" + SCALAR + b"]R.",
    "a dtype with one argument": scalar(raw(HALF), DTYPE + text("f8") + b"\x85R"),
    "a dtype alone": b"\x80\x03" + dtype() + b".",
    "a dtype in a list": b"\x80\x03](" + dtype() + b"e.",
    "the function dtype alone": b"\x80\x03" + DTYPE + b".",
    "the function scalar as a key": b"\x80\x03}" + SCALAR + b"Ns.",
    "state of the function, attributes": b"\x80\x03" + SCALAR + plain({"__call__": 1}) + b"b.",
    "state of the function, slots": b"\x80\x03" + SCALAR + plain((None, {"__defaults__": (1,)})) + b"b.",
    "state of the function dtype": b"\x80\x03" + DTYPE + plain((3, "<", None, None, None, -1, -1, 0)) + b"b.",
    "items of the function": b"\x80\x03" + DTYPE + b"NNs.",
    "appended to the function": b"\x80\x03" + DTYPE + b"(Ne.",
    "added to the function": b"\x80\x04" + DTYPE + b"(N\x90.",
    "the function as a class": b"\x80\x03" + DTYPE + b")\x81.",
    "the dtype as a class": b"\x80\x03" + dtype() + b")\x81.",
    "the dtype called": b"\x80\x03" + dtype() + b")R.",
    "an array": as_before_numpy_2(np.arange(3.0)),
    "_reconstruct": b"cnumpy.core.multiarray\n_reconstruct\n(tR.",
    "the new name": pickle.dumps(np.float64(0.5), 3),
    "bytes by way of codecs": pickle.dumps(np.float64(0.5), 2).replace(b"numpy._core", b"numpy.core"),
    "a dotted name": b"\x80\x04" + text("numpy.core.multiarray") + text("scalar.__class__") + b"\x93.",
    "a name of our own": b"\x80\x04" + text("search_spaces.pickles") + text("_Scalar") + b"\x93.",
    "a dotted module": b"\x80\x04" + text("numpy") + text("dtype.type") + b"\x93.",
    "numpy.load": b"cnumpy\nload\n(Vx\ntR.",
    "getattr": b"cbuiltins\ngetattr\n(" + DTYPE + b"V__class__\ntR.",
    "INST": b"(Vf8\ninumpy\nload\n.",
    "persistent": b"Pnumpy\n.",
}


@pytest.mark.parametrize("kind", REFUSED)
def test_anything_else_is_refused(kind: str) -> None:
    line = line_of(lambda: unpickle_plain(REFUSED[kind], "it", numpy_scalars=True))
    assert line.startswith("it")
    assert unpickle_plain(scalar(raw(HALF)), "it", numpy_scalars=True) == 0.5, "the next is read as ever"
