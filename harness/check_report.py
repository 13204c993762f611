"""What came of a check of a class's contract: an outcome a check, and the text that the command prints."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

import numpy as np

WIDTH = 110


@dataclass(frozen=True)
class CheckResult:
    """The outcome of one check.

    Attributes:
        name: the check's name.
        expected: what the contract says.
        outcome: "passed", "violated", or "skipped".
        found: what was found instead, where it is violated; why it was skipped, where it was.
        example: lines of Python that reproduce the violation.
    """

    name: str
    expected: str
    outcome: Literal["passed", "violated", "skipped"]
    found: str = ""
    example: str = ""


@dataclass(frozen=True)
class Report:
    """The outcome of all checks of one class.

    Attributes:
        subject: the class with its settings, such as "my_module:HillClimber(restart=0.05)".
        kind: "optimizer" or "benchmark".
        results: one a check, in their order.
    """

    subject: str
    kind: str
    results: tuple[CheckResult, ...]

    @property
    def passed(self) -> tuple[CheckResult, ...]:
        return self._of("passed")

    @property
    def violated(self) -> tuple[CheckResult, ...]:
        return self._of("violated")

    @property
    def skipped(self) -> tuple[CheckResult, ...]:
        return self._of("skipped")

    @property
    def summary(self) -> str:
        """One line; that of a right class can stand in a README."""
        version, numpy = metadata.version("nas-arena"), np.__version__
        if not self.violated:
            about = f"{self.kind} contract, {len(self.passed)} checks, numpy {numpy}"
            return f"{self.subject} passes nas-arena check {version} ({about})"
        count = f"{len(self.violated)} of {len(self.violated) + len(self.passed)} checks"
        return f"{self.subject} violates {count} of nas-arena check {version} ({self.kind} contract, numpy {numpy})"

    def raise_if_violated(self) -> None:
        """For a test of your own.

        Raises:
            AssertionError: with the whole report, if any check is violated.
        """
        if self.violated:
            raise AssertionError(f"\n{self}")

    def __str__(self) -> str:
        reasons: dict[str, list[str]] = {}
        for result in self.skipped:
            reasons.setdefault(result.found, []).append(result.name)
        skipped = (_wrapped(f"skipped {reason}: {', '.join(names)}", "    ") for reason, names in reasons.items())
        return "\n".join((*map(_explained, self.violated), *skipped, self.summary))

    def _of(self, outcome: str) -> tuple[CheckResult, ...]:
        return tuple(result for result in self.results if result.outcome == outcome)


def _explained(result: CheckResult) -> str:
    found = (
        _wrapped(f"  {title:<9} {text}", " " * 12)
        for title, text in (("expected", result.expected), ("found", result.found))
    )
    return "\n".join(
        (f"{result.name} is violated", *found, "  for example", textwrap.indent(result.example, "    "), "")
    )


def _wrapped(text: str, indent: str) -> str:
    return textwrap.fill(text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
