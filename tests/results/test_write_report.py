"""A report is written whole or not at all, and takes the place of nothing but a report."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sample_document import Plot, document, table

from results.files import RecordError, write_atomically
from results.report.document import Column, Document, Picture, Table
from results.report.write import write

# what writes: a full disk stops the first two; renames may fail for other reasons
WRITES, RENAMES = ("fsync", "mkdir"), ("rename", "replace")


@dataclass(frozen=True)
class Quick(Plot):
    """A drawing that takes no time."""

    def svg(self) -> bytes:
        return b"<svg xmlns='http://www.w3.org/2000/svg'/>"

    def save(self, folder: Path) -> list[Path]:
        paths = [folder / f"{self.name}.{ending}" for ending in ("svg", "png", "csv")]
        for path in paths:
            write_atomically(path, lambda stream: stream.write(self.svg()))
        return paths


def plot(name: str) -> Plot:
    return Quick(name, "T", "C", pd.DataFrame({"x": [1]}))


def small(seed: int) -> Document:
    columns = (Column("a", ("x",)), Column("b", (str(seed),), numeric=True))
    return document(Picture(plot("curve")), Table("numbers", "T", columns, pd.DataFrame({"b": [seed]})))


def contents(folder: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")
    }


def test_what_is_written(tmp_path: Path) -> None:
    further = plot("paper")
    paths = write(document(Picture(plot("curve")), table()), tmp_path / "out.html", [further])
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "out.html",
        "out.md",
        *(f"out/figures/{name}.{ending}" for name in ("curve", "paper") for ending in ("csv", "png", "svg")),
        "out/tables/regrets.csv",
        "out/tables/regrets.tex",
    ]
    found = contents(tmp_path)
    assert {name for name, content in found.items() if content is None} == {"out", "out/figures", "out/tables"}
    assert len(found) == 3 + len(paths)
    assert "(out/figures/curve.png)" in paths[1].read_text(encoding="utf-8")
    assert paths[0].stat().st_mode & 0o777 == 0o666 & ~umask()


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_a_report_takes_the_place_of_the_last(tmp_path: Path) -> None:
    write(small(1), tmp_path / "out.html", [plot("gone")])
    write(small(2), tmp_path / "out.html")
    second = contents(tmp_path)
    assert "out/figures/gone.svg" not in second
    (tmp_path / "other").mkdir()
    write(small(2), tmp_path / "other" / "out.html")
    assert contents(tmp_path / "other") == second


def fail_at(patch: pytest.MonkeyPatch, n: int) -> list[str]:
    """Lets the n-th call that writes fail, as on a full disk: from then on there is no room for anything new."""
    calls: list[str] = []

    def failing(name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*arguments: Any, **options: Any) -> Any:
            calls.append(name)
            if len(calls) == n or (len(calls) > n and name in WRITES):
                raise OSError(errno.ENOSPC, "No space left on device")
            return call(*arguments, **options)

        return wrapped

    for name in (*WRITES, *RENAMES):
        patch.setattr(os, name, failing(name, getattr(os, name)))
    return calls


@pytest.mark.parametrize("last", [True, False], ids=["over the last report", "the first report"])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, last: bool) -> None:
    page, before, failed_in = tmp_path / "out.html", {}, set()
    if last:
        write(small(1), page)
        before = contents(tmp_path)
    for n in range(1, 100):
        with pytest.MonkeyPatch.context() as patch:
            calls = fail_at(patch, n)
            with suppress(OSError):
                write(small(2), page)
        if len(calls) < n:
            break
        failed_in.add(calls[n - 1])
        assert contents(tmp_path) == before, f"after call {n}, {calls[n - 1]}"
    assert failed_in == {*WRITES, *RENAMES}
    assert "| x | 2 |" in page.with_suffix(".md").read_text(encoding="utf-8")
    assert not list(tmp_path.glob(".*"))


def test_what_could_not_be_put_back_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(small(1), tmp_path / "out.html")
    before = contents(tmp_path / "out")
    rename, calls = os.rename, []

    def only_first(source: Any, target: Any) -> None:
        calls.append(source)
        if len(calls) > 1:
            raise OSError(errno.EIO, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", only_first)
    with pytest.raises(OSError, match="Input/output error"):
        write(small(2), tmp_path / "out.html")
    (hidden,) = tmp_path.glob(".out-*.part")
    assert contents(hidden / "old folder") == before


def test_leftovers_of_a_killed_process_do_not_matter(tmp_path: Path) -> None:
    (tmp_path / ".out-x.part").mkdir()
    write(small(1), tmp_path / "out.html")
    assert (tmp_path / ".out-x.part").is_dir()


@pytest.mark.parametrize(
    "foreign",
    ["notes.txt", "figures/notes.txt", "figures/photo.png", "tables/x.svg", "figures/deep/x.csv", "tables/x.tex"],
)
def test_a_folder_of_other_things_is_left_alone(tmp_path: Path, foreign: str) -> None:
    path = tmp_path / "out" / foreign
    path.parent.mkdir(parents=True)
    path.write_text("mine")
    before = contents(tmp_path)
    with pytest.raises(RecordError, match=r"out holds other things than a report's .* name another page than out.html"):
        write(small(1), tmp_path / "out.html")
    assert contents(tmp_path) == before


def test_other_places_that_are_refused(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("mine")
    with pytest.raises(RecordError, match=r"README.md is not a report's own"):
        write(small(1), tmp_path / "README.html")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    (tmp_path / "file").write_text("mine")
    (tmp_path / "d.html").mkdir()
    for name in ("link.html", "file.html", "d.html", "out", "out.md", "missing/out.html"):
        with pytest.raises(RecordError):
            write(small(1), tmp_path / name)
    assert (tmp_path / "README.md").read_text() == "mine"


def test_names_that_clash_or_are_no_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"drawings .* called curve"):
        write(small(1), tmp_path / "out.html", [plot("Curve")])
    for name in ("../x", "", ".x", "a\\b"):
        with pytest.raises(ValueError, match="cannot be names of files"):
            write(document(table(name)), tmp_path / "out.html")
    assert not list(tmp_path.iterdir())
