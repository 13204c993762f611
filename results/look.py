"""Sizes, fonts, colours and line styles of figures: one look for a screen, one for a paper."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from threading import RLock
from typing import Any

from results.record import CellRecord

Dashes = tuple[float, ...]

# Okabe and Ito's colours, told apart by the colour-blind too, without the yellow that is lost on white
BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
BLACK = "#000000"
GREY = "#767676"  # in place of black where the ground may be dark

# on and off, in line widths
SOLID: Dashes = ()
DASHED, DOTTED, DASH_DOT, DASH_DOT_DOT, LONG = (4, 1.5), (1, 1.3), (5, 1.3, 1, 1.3), (5, 1.3, 1, 1.3, 1, 1.3), (9, 2)

BUILT_IN: dict[str, tuple[str, Dashes]] = {
    "random_search": (BLACK, SOLID),
    "asng": (BLUE, SOLID),
    "sng": (BLUE, DASHED),
    "adam_sng": (BLUE, DOTTED),
    "regularized_evolution": (VERMILLION, SOLID),
    "local_search": (GREEN, SOLID),
    "reinforce": (PINK, SOLID),
    "enas": (PINK, DASHED),
    "pbil": (GREEN, DASHED),
    "cga": (SKY, SOLID),
    "cmaes": (ORANGE, SOLID),
    "optuna": (ORANGE, DASHED),
    "darts": (VERMILLION, DASHED),
    "gdas": (SKY, DASHED),
}
_COLOURS = (BLUE, VERMILLION, GREEN, PINK, ORANGE, SKY)
_LINES = (SOLID, DASHED, DOTTED, DASH_DOT, DASH_DOT_DOT, LONG)
FREE = tuple(pair for pair in product(_COLOURS, _LINES) if pair not in BUILT_IN.values())

MOST_IN_COLOUR = 10  # curves of a panel; more are not told apart

# of the first, second, third, ... curve of a colour: how much of which grey is mixed in
SHADES = ((0, 0.0), (255, 0.45), (128, 0.5), (255, 0.7), (96, 0.3), (255, 0.2))

# of the first, second, third, ... setting of an optimizer
MARKERS = (("", True), *product("os^Dv", (True, False)))

_SETTINGS = RLock()  # of matplotlib, which has one set for all threads


@dataclass(frozen=True)
class Look:
    """How figures are set.

    Attributes:
        width: of a figure, in inches.
        height: of the axes of one panel, in inches.
        fonts: families; the first comes with matplotlib and is what text is measured in.
        text: the size of titles and labels, in points.
        small: of ticks, legends and remarks.
        line: the width of a curve, in points.
        titled: whether a figure carries its title; in a paper the caption says it.
    """

    width: float
    height: float
    fonts: tuple[str, ...]
    text: float
    small: float
    line: float
    titled: bool

    @property
    def em(self) -> float:
        """The text size in inches."""
        return self.text / 72

    @contextmanager
    def context(self) -> Iterator[None]:
        """Matplotlib's settings for the time of a with statement: figures are both made and written within one.

        They are those of the whole process, so other threads wait until the statement has ended.
        """
        import matplotlib as mpl  # 0.3 s

        settings = mpl.rc_context(
            {
                "font.family": [self.fonts[0]],
                "mathtext.fontset": "stix" if self.fonts[0].startswith("STIX") else "dejavusans",
                "font.size": self.text,
                "axes.titlesize": self.text,
                "axes.labelsize": self.text,
                "xtick.labelsize": self.small,
                "ytick.labelsize": self.small,
                "legend.fontsize": self.small,
                "lines.linewidth": self.line,
                "lines.markersize": 2.6 * self.line,
                "axes.linewidth": 0.6,
                "axes.edgecolor": "0.4",
                "axes.spines.top": False,
                "axes.spines.right": False,
                "xtick.major.width": 0.6,
                "ytick.major.width": 0.6,
                "xtick.color": "0.25",
                "ytick.color": "0.25",
                "grid.color": "0.88",
                "grid.linewidth": 0.5,
                "axes.axisbelow": True,
                "svg.fonttype": "none",
            }
        )
        with _SETTINGS, settings:
            yield


SCREEN = Look(4.6, 2.3, ("DejaVu Sans", "Verdana", "Arial", "sans-serif"), 8.5, 7.5, 1.5, titled=True)
PAPER = Look(3.25, 1.75, ("STIXGeneral", "Times New Roman", "Times", "serif"), 8.0, 7.5, 1.0, titled=False)


@dataclass(frozen=True)
class Style:
    """Of one optimizer with its settings: colour and dashes tell the optimizer, the marker tells the setting."""

    colour: str
    dashes: Dashes
    marker: str = ""
    filled: bool = True

    def line(self, points: int = 2) -> dict[str, Any]:
        """The options of a matplotlib line through so many points: a few of them are marked."""
        step = max(points // 6, 1)
        return {
            "color": self.colour,
            "linestyle": (0, self.dashes) if self.dashes else "-",
            "marker": self.marker,
            "markerfacecolor": self.colour if self.filled else "white",
            "markeredgewidth": 0.8,
            "markevery": (step // 2, step),
        }


PALE = Style("0.82", SOLID)  # of curves that are only the background of others


def in_colour(labels: Sequence[str], most: int = MOST_IN_COLOUR) -> tuple[str, ...]:
    """What a figure of many curves draws in colour: the first setting of each optimizer.

    Args:
        labels: of optimizers, the best first.
        most: where there are no more labels, all are in colour; else at most so many, random search among them.
    """
    if len(labels) <= most:
        return tuple(labels)
    first: dict[str, str] = {}
    for label in labels:
        first.setdefault(label.partition("(")[0], label)
    random = first.pop("random_search", None)
    chosen = tuple(first.values())
    return chosen[:most] if random is None else (*chosen[: most - 1], random)


def with_pale(styles: Mapping[str, Style], coloured: Iterable[str]) -> dict[str, Style]:
    """The styles, all but those of some labels pale."""
    kept = set(coloured)
    return {label: style if label in kept else PALE for label, style in styles.items()}


def styles(cells: Iterable[CellRecord]) -> dict[str, Style]:
    """A style for every label of a report's cells; see :func:`styles_of`."""
    return styles_of((cell.about["optimizer"]["name"], cell.optimizer) for cell in cells)


def styles_of(labels: Iterable[tuple[str, str]]) -> dict[str, Style]:
    """A style for every label.

    A built-in optimizer has the same colour and dashes in every study. Any other gets a pair that no built-in has, by
    its name; of two that would get the same, the later in the alphabet takes the next. A second setting of an optimizer
    has a marker; after eleven settings the markers begin anew.

    Args:
        labels: name of the optimizer, and the optimizer with its settings.
    """
    settings: dict[str, dict[str, None]] = {}
    for name, label in labels:
        settings.setdefault(name, {})[label] = None
    pairs = _pairs(settings)
    return {
        label: Style(*pairs[name], *MARKERS[place % len(MARKERS)])
        for name, labels in settings.items()
        # the one with default settings is the plain one, wherever the study names it
        for place, label in enumerate(sorted(labels, key=lambda label, name=name: label != name))  # type: ignore[misc]
    }


def shades(labels: Iterable[tuple[str, str]]) -> dict[str, str]:
    """A colour, #RRGGBB, for every label, where neither dashes nor markers can tell curves apart.

    Optimizers have the colours of :func:`styles`, grey for black, as the ground may be white or dark; further
    labels of one colour get it lighter and darker in turn.

    Args:
        labels: name of the optimizer, and the optimizer with its settings; those first keep the pure colour.
    """
    named = {label: name for name, label in labels}
    pairs, counts, chosen = _pairs(dict.fromkeys(named.values())), dict[str, int](), {}
    for label, name in named.items():
        colour = GREY if pairs[name][0] == BLACK else pairs[name][0]
        place = counts[colour] = counts.get(colour, -1) + 1
        chosen[label] = _mixed(colour, *SHADES[place % len(SHADES)])
    return chosen


def _mixed(colour: str, other: int, share: float) -> str:
    """A colour with so much of a grey in it."""
    parts = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return "#" + "".join(f"{round((1 - share) * part + share * other):02X}" for part in parts)


def _pairs(names: Iterable[str]) -> dict[str, tuple[str, Dashes]]:
    pairs = {name: BUILT_IN[name] for name in names if name in BUILT_IN}
    taken: set[int] = set()
    for name in sorted(name for name in names if name not in BUILT_IN):
        first = int.from_bytes(sha256(name.encode()).digest()[:8], "big")
        places = [(first + step) % len(FREE) for step in range(len(FREE))]
        place = next((place for place in places if place not in taken), places[0])
        taken.add(place)
        pairs[name] = FREE[place]
    return pairs
