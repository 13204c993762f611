"""The exception for mistakes that a user can mend, and the hint that goes with it."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable
from typing import Any


class ArenaError(ValueError):
    """Something the user gave cannot be used.

    The message is one line that tells what was given, what is allowed and how to mend it; the command line prints it
    without a traceback.
    """


class Unsuited(ArenaError):  # noqa: N818 it says what is so
    """A pair of an optimizer and a benchmark cannot work here, through nobody's mistake; a study may leave it out."""


class OrdinalsUnsupported(Unsuited):
    """An optimizer of categorical variables alone was given a space with ordinals."""


class MissingExtra(Unsuited):
    """An optimizer needs a package that is not installed."""


def missing_extra(what: str, package: str, extra: str) -> MissingExtra:
    """The error for a package that is not installed: what needs it, and how to get it."""
    return MissingExtra(f"{what} needs the package {package}; install it with: pip install 'nas-arena[{extra}]'")


def unknown(kind: str, given: object, known: Iterable[str]) -> ArenaError:
    """The error for a name that does not exist: offers the nearest known ones, else lists them all."""
    names = sorted(known)
    near = difflib.get_close_matches(str(given), names, n=2, cutoff=0.6)
    hint = f"did you mean {' or '.join(map(repr, near))}?" if near else f"known: {', '.join(names) or 'none'}"
    return ArenaError(f"unknown {kind} {str(given)!r}; {hint}")


def refusal(call: Callable[..., Any], *arguments: Any, **options: Any) -> str:
    """The message of the ArenaError that a call raises, or "" where it raises none; other exceptions pass."""
    try:
        call(*arguments, **options)
    except ArenaError as error:
        return str(error) or "ArenaError without a message"
    return ""
