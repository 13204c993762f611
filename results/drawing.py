"""What all figures share: a drawing with its numbers, how it is written, and the parts of a panel."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from results.files import write_atomically
from results.look import BLACK, BLUE, GREEN, ORANGE, PINK, SCREEN, SKY, VERMILLION, Look
from results.record import CellRecord
from results.statistics import Floats

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

# where lines are told apart by colour alone, and few are many
COLOURS = (BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY, BLACK, "#F0E442")

NARROWEST = 7.5  # inches: what a title and a legend of four columns need
TITLE = 1.01  # height of a panel's title; to find one by itself, matplotlib measures all texts again
DPI = 200


@dataclass(frozen=True)
class Drawing:
    """A figure with all that is said of it.

    Attributes:
        name: the stem of its files.
        title: a few words, for a heading.
        caption: what is drawn, in sentences; also what those hear who do not see it.
        figure: of matplotlib.
        data: every number that is drawn, a row each.
        look: in whose context the figure was made.
    """

    name: str
    title: str
    caption: str
    figure: Figure
    data: pd.DataFrame
    look: Look = SCREEN

    def svg(self) -> bytes:
        """An SVG file, the same bytes at every call. Its text is text, in the first of the look's fonts that exists."""
        return self._svg

    @cached_property
    def _svg(self) -> bytes:  # a page and a folder of files both want it, and drawing takes most of a report's time
        return svg_of(self.figure, self.name, self.look)

    def save(self, folder: Path) -> list[Path]:
        """Writes the figure as SVG and PNG and its numbers as CSV into a folder, each file whole or not at all."""
        drawn, numbers = self.svg(), self.data.to_csv(index=False, lineterminator="\n").encode()
        paths = [folder / f"{self.name}{ending}" for ending in (".svg", ".png", ".csv")]
        write_atomically(paths[0], lambda stream: stream.write(drawn))
        with self.look.context():
            save(self.figure, paths[1], DPI)
        write_atomically(paths[2], lambda stream: stream.write(numbers))
        return paths


def svg_of(figure: Figure, name: str, look: Look) -> bytes:
    """A figure as an SVG file, whose names of parts are made from the figure's own name: always the same bytes."""
    import matplotlib as mpl

    stream = BytesIO()
    with look.context(), mpl.rc_context({"svg.hashsalt": name}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    families = ", ".join(f"'{family}'" if " " in family else family for family in look.fonts)
    return stream.getvalue().replace(f"'{look.fonts[0]}'".encode(), families.encode())


def save(figure: Figure, path: Path, dpi: int = 150) -> None:
    """Writes a figure atomically; the path's ending tells the format."""
    image_format = path.suffix.lstrip(".")
    # PNG files are a tenth larger than they could be, and made much sooner
    options: dict[str, Any] = {"pil_kwargs": {"compress_level": 1}} if image_format == "png" else {}
    write_atomically(path, lambda stream: figure.savefig(stream, format=image_format, dpi=dpi, **options))


def stem(*parts: str) -> str:
    """A file's stem of some words: small letters, digits, dots and underscores, joined by hyphens."""
    return re.sub(r"[^a-z0-9._]+", "-", "-".join(parts).lower()).strip("-")


def seeds_of(cells: Sequence[CellRecord]) -> str:
    """Such as "500 seeds", or "100 or 500 seeds" where cells have different numbers."""
    return " or ".join(f"{count:,}" for count in sorted({len(cell.seeds) for cell in cells})) + " seeds"


def panels(
    rows: int,
    columns: int,
    size: tuple[float, float],
    gaps: tuple[float, float],
    margins: tuple[float, float, float, float],
    *,
    narrowest: float = NARROWEST,
    **options: Any,
) -> tuple[Figure, Any]:
    """A figure of panels with fixed margins: matplotlib's own layout would take as long as all the drawing.

    Args:
        rows, columns: how many panels.
        size: width and height of a panel (of the mean one), in inches.
        gaps: between panels, across and down.
        margins: left, right, bottom and top of all.
        narrowest: the figure's least width.
        **options: of ``Figure.subplots``.

    Returns:
        the figure, and its axes, an array [rows, columns].
    """
    from matplotlib.figure import Figure  # 0.5 s

    left, right, bottom, top = margins
    size = max(size[0], (narrowest - left - right - (columns - 1) * gaps[0]) / columns), size[1]
    width = left + columns * size[0] + (columns - 1) * gaps[0] + right
    height = bottom + rows * size[1] + (rows - 1) * gaps[1] + top
    place = {
        "left": left / width,
        "right": 1 - right / width,
        "bottom": bottom / height,
        "top": 1 - top / height,
        "wspace": gaps[0] / size[0],
        "hspace": gaps[1] / size[1],
    }
    figure = Figure(figsize=(width, height))
    return figure, figure.subplots(rows, columns, squeeze=False, gridspec_kw=place, **options)


def title_at_left(figure: Figure, title: str) -> None:
    """Above all panels, where it is seen too before a wide figure is scrolled."""
    width, height = figure.get_size_inches()
    figure.suptitle(title, x=0.1 / width, y=1 - 0.1 / height, ha="left", fontsize=8)


def floor_of(drawn: Floats) -> float:
    """Where a regret of 0 is drawn on a logarithmic axis: below all that is drawn at its own place."""
    drawn = drawn[drawn > 0]
    return float(max(drawn.min() / 2, drawn.max() * 1e-4)) if drawn.size else 1e-3
