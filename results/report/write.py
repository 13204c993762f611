"""Writes a report: the page, the same in Markdown, and a folder of figures and tables, all of it or nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path

from results.files import RecordError, write_atomically
from results.report.document import Document, Drawing, require_unique
from results.report.render import MARKDOWN_MARK, html, markdown
from results.report.tables import csv, latex

FIGURES, TABLES = "figures", "tables"
_OLD = "old "
_ENDINGS = {FIGURES: {".svg", ".png", ".csv"}, TABLES: {".csv", ".tex"}}


def write(document: Document, page: Path, drawings: Sequence[Drawing] = ()) -> list[Path]:
    """Writes PAGE.html, PAGE.md and the folder PAGE, which take the places of the last report.

    All is made in a hidden folder beside them, ``.PAGE-*.part``, and renamed when it is whole, the page last. After an
    error the last report is there as it was.

    Args:
        document: the report.
        page: a file name that ends in .html, in a folder that exists.
        drawings: further ones, which the document does not show, for the folder.

    Returns:
        the files: the page, the Markdown, then figures and tables by name.

    Raises:
        RecordError: when ``page`` cannot be a page, or what stands in its way is not a report's.
        ValueError: when two drawings have the same name, or a name cannot be a file's.
        OSError: when they cannot be written.
    """
    every = tuple({id(drawing): drawing for drawing in (*document.drawings, *drawings)}.values())
    _check_names([drawing.name for drawing in every], [table.name for table in document.tables])
    check_page(page)
    folder, text = page.with_suffix(""), page.with_suffix(".md")
    if not page.parent.is_dir():
        raise RecordError(f"there is no folder {page.parent} to write {page.name} into; make it first")
    hidden = Path(tempfile.mkdtemp(dir=page.parent, prefix=f".{page.stem}-", suffix=".part"))
    try:
        made = {place: hidden / name for place, name in ((folder, "folder"), (text, "text"), (page, "page"))}
        files = [folder / path for path in _fill(made[folder], document, every)]
        _put(made[text], markdown(document, f"{folder.name}/{FIGURES}"))
        _put(made[page], html(document))
        _exchange(made, hidden)
    except BaseException:
        if not any(hidden.glob(f"{_OLD}*")):  # else it holds what could not be put back
            shutil.rmtree(hidden, ignore_errors=True)
        raise
    shutil.rmtree(hidden, ignore_errors=True)
    return [page, text, *sorted(files)]


def _check_names(drawings: Sequence[str], tables: Sequence[str]) -> None:
    require_unique("drawings", drawings)
    bad = [name for name in (*drawings, *tables) if not name or name.startswith(".") or set(name) & set("/\\\0")]
    if bad:
        raise ValueError(f"these names of drawings or tables cannot be names of files: {bad}")


def check_page(page: Path) -> None:
    """Refuses what cannot be a page, and to take the place of what no report wrote.

    Raises:
        RecordError: telling which.
    """
    if page.suffix != ".html" or page.is_dir() or "\0" in str(page):
        raise RecordError(f"a report is written to a file that ends in .html, not to {str(page)!r}")
    folder, text = page.with_suffix(""), page.with_suffix(".md")
    there = next(parent for parent in page.absolute().parents if parent.exists())
    if not there.is_dir():
        raise RecordError(f"{page} cannot be written: {there} is a file and no folder; name another page")
    if text.exists() and not (text.is_file() and _begins(text, MARKDOWN_MARK)):
        raise RecordError(f"{text} is not a report's own and would be replaced; name another page than {page.name}")
    if folder.is_symlink() or (folder.exists() and not _is_own(folder)):
        raise RecordError(
            f"{folder} holds other things than a report's {FIGURES}/ and {TABLES}/ and would be replaced; name "
            f"another page than {page.name}"
        )


def _begins(path: Path, mark: str) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(mark)) == mark.encode()


def _is_own(folder: Path) -> bool:
    """Whether a folder holds nothing but files of a report: each drawing and each table has its CSV."""
    if not folder.is_dir() or {path.name for path in folder.iterdir()} - set(_ENDINGS):
        return False
    inner = [path for path in folder.rglob("*") if path.parent != folder]
    return all(
        path.is_file() and path.suffix in _ENDINGS.get(path.parent.name, ()) and path.with_suffix(".csv").exists()
        for path in inner
    )


def _fill(folder: Path, document: Document, drawings: Iterable[Drawing]) -> list[Path]:
    """Writes the files of a report's folder and tells them relative to it."""
    for name in _ENDINGS:
        (folder / name).mkdir(parents=True)
    files = [path for drawing in drawings for path in drawing.save(folder / FIGURES)]
    for table in document.tables:
        for ending, content in ((".csv", csv(table)), (".tex", latex(table))):
            files.append(_put(folder / TABLES / f"{table.name}{ending}", content))
    return [path.relative_to(folder) for path in files]


def _put(path: Path, content: str) -> Path:
    write_atomically(path, lambda stream: stream.write(content.encode()))
    return path


def _exchange(made: dict[Path, Path], hidden: Path) -> None:
    """Renames what was made into its places, in order; after an error what was there is put back."""
    *before, (page, new_page) = made.items()
    with ExitStack() as undo:
        for place, new in before:
            if place.exists():
                old = hidden / f"{_OLD}{new.name}"
                place.rename(old)
                undo.callback(old.rename, place)
            new.rename(place)
            undo.callback(place.rename, new)
        new_page.replace(page)
        undo.pop_all()  # nothing is to be put back any more
