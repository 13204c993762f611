"""A report as one page of HTML, and as Markdown."""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from urllib.parse import quote

from results.report.document import (
    Block,
    Bullets,
    Checklist,
    Document,
    Drawing,
    Fold,
    Note,
    Paragraph,
    Picture,
    Pictures,
    Preformatted,
    Section,
    Table,
)
from results.report.inline import to_html, to_markdown, to_plain
from results.report.tables import csv, latex

if TYPE_CHECKING:
    from jinja2 import Template

MARKDOWN_MARK = "<!-- a report of NAS Arena -->"  # the first line; a file without it is somebody's own


def html(document: Document) -> str:
    """A page that needs no other file and no network: style, script and pictures are in it.

    Without JavaScript all of it can be read; sorting, copying and the SVG files need it.
    """
    folder = files("results.report")
    style, script = (folder.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return _template().render(document=document, style=style, script=script)


@lru_cache(maxsize=1)
def _template() -> Template:
    from jinja2 import Environment, PackageLoader, StrictUndefined  # 0.1 s
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("results.report", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "kind": lambda block: type(block).__name__,
        "inline": lambda line: Markup(to_html(line)),
        "plain": to_plain,
        "csv": csv,
        "latex": latex,
        "key": _key,
        "svg_address": lambda drawing: _address("image/svg+xml", drawing.svg()),
        "csv_address": lambda drawing: _address("text/csv", _data(drawing).encode()),
    }
    return environment.get_template("page.html.jinja")


def _key(key: float | str, text: str) -> dict[str, str]:
    """The attribute of a cell that the script sorts by; none where that is the cell's own text."""
    if isinstance(key, str):
        return {} if key == to_plain(text) else {"data-text": key}
    number = float(key)  # numpy's numbers would show their type
    return {"data-number": repr(number) if math.isfinite(number) else f"{number:+}".replace("inf", "Infinity")}


def _data(drawing: Drawing) -> str:
    return drawing.data.to_csv(index=False, lineterminator="\n")


def _address(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def markdown(document: Document, pictures_folder: str) -> str:
    """The same for GitHub: folds are sections, pictures are PNG files.

    Args:
        document: the report.
        pictures_folder: where its pictures lie, relative to the page.
    """
    lines = [MARKDOWN_MARK, f"# {to_markdown(document.title)}", to_markdown(document.subtitle)]
    lines += _markdown_blocks(document.sections, 2, quote(pictures_folder))
    lines.append(to_markdown(document.generated))
    return "\n\n".join(line for line in lines if line) + "\n"


def blocks_as_markdown(blocks: Iterable[Block]) -> Iterator[str]:
    """Blocks without pictures as paragraphs of Markdown."""
    return _markdown_blocks(blocks, 2, "")


def _markdown_blocks(blocks: Iterable[Block], level: int, folder: str) -> Iterator[str]:
    for block in blocks:
        match block:
            case Paragraph(text):
                yield to_markdown(text)
            case Note(text):
                yield f"<sub>{to_markdown(text)}</sub>"
            case Bullets(items):
                yield "\n".join(f"- {to_markdown(item)}" for item in items)
            case Preformatted(text):
                fence = "`" * max(3, 1 + max(map(len, re.findall("`+", text)), default=0))
                yield f"{fence}\n{text}\n{fence}"
            case Table():
                yield from _markdown_table(block)
            case Picture(drawing):
                yield f"![{to_markdown(drawing.title)}]({folder}/{quote(drawing.name)}.png)"
                yield to_markdown(drawing.caption)
            case Pictures(pictures, title):
                yield f"**{to_markdown(title)}**" if title else ""
                yield from _markdown_blocks(pictures, level, folder)
            case Checklist(items):
                rows = [(check.question, check.answer, check.evidence) for check in items]
                yield _pipes(("question", "answer", "evidence"), "lll", rows)
            case Section(title, inner) | Fold(title, inner):
                yield f"{'#' * level} {to_markdown(title)}"
                yield from _markdown_blocks(inner, level + 1, folder)


def _markdown_table(table: Table) -> Iterator[str]:
    yield f"**{to_markdown(table.title)}**"
    align = "".join("r" if column.numeric else "l" for column in table.columns)
    rows = zip(*(column.texts for column in table.columns), strict=True)
    yield _pipes([column.heading for column in table.columns], align, rows)
    yield from (f"<sub>{to_markdown(note)}</sub>" for note in table.notes)


def _pipes(headings: Iterable[str], align: str, rows: Iterable[Iterable[str]]) -> str:
    rules = " | ".join("---:" if side == "r" else "---" for side in align)
    lines = [" | ".join(to_markdown(text, in_table=True) for text in row) for row in (headings, *rows)]
    return "\n".join(f"| {line} |" for line in (lines[0], rules, *lines[1:]))
