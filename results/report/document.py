"""What a report holds, as plain data: blocks of text, tables and pictures in sections.

Texts are one line of inline text: `` `code` ``, ``**bold**`` and ``[text](https://...)`` are marked as in Markdown,
everything else is literal. See :mod:`results.report.inline`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

if TYPE_CHECKING:
    import pandas as pd

Answer = Literal["yes", "no", "not applicable", "yours to answer"]


class Drawing(Protocol):
    """A figure that can be shown and saved.

    Attributes:
        name: the stem of its files, unique in a document.
        title: short.
        caption: what is drawn, in sentences; also read out where the picture cannot be seen.
        data: every number that is drawn.
    """

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def caption(self) -> str: ...
    @property
    def data(self) -> pd.DataFrame: ...
    def svg(self) -> bytes:
        """The picture, the same bytes at every call."""

    def save(self, folder: Path) -> list[Path]:
        """Writes name.svg, name.png and name.csv."""


@dataclass(frozen=True)
class Paragraph:
    text: str


@dataclass(frozen=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True)
class Note:
    """A small, dim remark."""

    text: str


@dataclass(frozen=True)
class Preformatted:
    """Lines that are shown as they are; nothing in them is marked."""

    text: str


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        heading: inline text.
        texts: inline text, one a row.
        keys: what rows are sorted by, one a row; numbers come before words, NaN last in either direction. None: by
            the texts, as numbers where the column is numeric and all of them are.
        numeric: right-aligned, digits of equal width.
    """

    heading: str
    texts: tuple[str, ...]
    keys: tuple[float | str, ...] | None = None
    numeric: bool = False

    def __post_init__(self) -> None:
        if self.keys is not None and len(self.keys) != len(self.texts):
            raise ValueError(f"column {self.heading!r} has {len(self.keys)} keys for {len(self.texts)} texts")

    @property
    def sorts_by(self) -> tuple[float | str, ...]:
        """The key of every row."""
        if self.keys is not None:
            return self.keys
        numbers = tuple(_number(text) for text in self.texts) if self.numeric else (None,)
        return tuple(number for number in numbers if number is not None) if None not in numbers else self.texts


def _number(text: str) -> float | None:
    """Of a text such as "1,234" or "−0.5"; an empty one or a dash is NaN, that is missing."""
    plain = text.strip().replace(",", "").replace("−", "-")
    if plain in ("", "-", "–"):
        return math.nan
    try:
        return float(plain)
    except ValueError:
        return None


@dataclass(frozen=True)
class Table:
    """A table as it is read, and the numbers behind it.

    Attributes:
        name: the stem of its files, unique in a document.
        title: inline text.
        columns: of equal length; the first one names the rows.
        frame: the numbers in full precision, for the CSV.
        notes: inline texts below it.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    frame: pd.DataFrame
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lengths = {column.heading: len(column.texts) for column in self.columns}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"table {self.name!r} needs columns of equal length, not {lengths}")


@dataclass(frozen=True)
class Picture:
    """A drawing; a wide one is shown in its own size and scrolls sideways where the screen is narrower."""

    drawing: Drawing
    wide: bool = False


@dataclass(frozen=True)
class Pictures:
    """Pictures side by side, as many as fit; wide ones take a row."""

    pictures: tuple[Picture, ...]
    title: str = ""


@dataclass(frozen=True)
class Check:
    """A question of a checklist with its answer; the evidence is inline text."""

    question: str
    answer: Answer
    evidence: str


@dataclass(frozen=True)
class Checklist:
    items: tuple[Check, ...]


@dataclass(frozen=True)
class Fold:
    """Blocks that are hidden until its title is clicked; on paper, and in Markdown, they are shown."""

    title: str
    blocks: tuple[Block, ...]
    open: bool = False


@dataclass(frozen=True)
class Section:
    """A section, or in one a subsection. Its id, unique in a document, is what links name: ``[text](#id)``."""

    title: str
    blocks: tuple[Block, ...]
    id: str

    @property
    def subsections(self) -> tuple[Section, ...]:
        return tuple(block for block in self.blocks if isinstance(block, Section))


Block: TypeAlias = Paragraph | Bullets | Note | Preformatted | Table | Picture | Pictures | Checklist | Fold | Section


@dataclass(frozen=True)
class Document:
    """A report.

    Attributes:
        title, subtitle: inline text.
        sections: of which sections may hold further ones, but no deeper.
        generated: when and by what, where that is to be told; renderers add no time of their own.

    Raises:
        ValueError: when ids of sections, names of tables or of drawings are not unique, or sections nest deeper.
    """

    title: str
    subtitle: str
    sections: tuple[Section, ...]
    generated: str = ""

    def __post_init__(self) -> None:
        allowed = {id(part) for section in self.sections for part in (section, *section.subsections)}
        found = [block for block in walk(self.sections) if isinstance(block, Section)]
        deep = [section.title for section in found if id(section) not in allowed]
        if deep:
            raise ValueError(f"a section stands in the document or in a section of it; not so: {deep}")
        require_unique("sections", (section.id for section in found))
        require_unique("tables", (table.name for table in self.tables))
        require_unique("drawings", (drawing.name for drawing in self.drawings))

    @property
    def tables(self) -> tuple[Table, ...]:
        """In the order in which they are shown."""
        return tuple(block for block in walk(self.sections) if isinstance(block, Table))

    @property
    def drawings(self) -> tuple[Drawing, ...]:
        """In the order in which they are shown first; one that is shown twice counts once."""
        shown = (block.drawing for block in walk(self.sections) if isinstance(block, Picture))
        return tuple({id(drawing): drawing for drawing in shown}.values())


def walk(blocks: Iterable[Block]) -> Iterator[Block]:
    """All blocks with what they hold, in the order in which they are read."""
    for block in blocks:
        yield block
        if isinstance(block, Section | Fold):
            yield from walk(block.blocks)
        elif isinstance(block, Pictures):
            yield from block.pictures


def require_unique(kind: str, names: Iterable[str]) -> None:
    """Refuses equal names, also those that a file system takes for equal.

    Raises:
        ValueError: naming them.
    """
    twice = [name for name, count in Counter(name.casefold() for name in names).items() if count > 1]
    if twice:
        raise ValueError(f"{kind} of a report need names of their own; more than one is called {', '.join(twice)}")
