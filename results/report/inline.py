"""Inline text: a line in which `` `code` ``, ``**bold**`` and ``[text](url)`` are marked, all else is literal.

Addresses begin with https://, http:// or, within the page, #; marked with any other, a link is literal text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby

_CODE = r"(?<!`)`(?P<code>[^`]*[^`\s][^`]*)`(?!`)"
_BOLD = r"\*\*(?P<bold>(?=[^\s*]).*?[^\s*])\*\*"
_ADDRESS = r"(?:https?://|#)(?:[\w\-.~:/?#@!$&'*+,;=%]|\([\w\-.~:/?#@!$&'*+,;=%]*\))+"
_LINK = rf"\[(?P<text>[^\[\]]*[^\[\]\s][^\[\]]*)\]\((?P<url>{_ADDRESS})\)"
_SPACE = re.compile(r"\s+", re.ASCII)  # one that does not break is none
_MARKS = re.compile(f"{_CODE}|{_BOLD}|{_LINK}", re.ASCII)

# what Markdown would take for a mark, also GitHub's; an underscore between letters is none
_MARKDOWN = re.compile(r"[\\`*\[\]<>~$&]|(?<![^\W_])_|_(?![^\W_])|(?<!\S)#|!(?=\[|\Z)")
_LINE_START = re.compile(r"\A(?:(\d+)(?=[.)])|(?=[-+=]))")

_LATEX = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "|": r"\textbar{}"}
    | {"<": "$<$", ">": "$>$", "±": r"$\pm$", "≤": r"$\leq$", "≥": r"$\geq$", "×": r"$\times$", "−": "$-$"}
    | {"≈": r"$\approx$", "≠": r"$\neq$", "∞": r"$\infty$", "→": r"$\rightarrow$", "·": r"$\cdot$", "√": r"$\surd$"}
    | {"α": r"$\alpha$", "δ": r"$\delta$", "Δ": r"$\Delta$", "η": r"$\eta$", "λ": r"$\lambda$", "σ": r"$\sigma$"}
    | {"θ": r"$\theta$", "µ": r"$\mu$", "μ": r"$\mu$", "–": "--", "…": r"\ldots{}", "\u00a0": "~", "\u2009": r"\,"}
)


@dataclass(frozen=True)
class Span:
    """A part of a line in one style."""

    text: str
    code: bool = False
    bold: bool = False
    url: str = ""


def spans(line: str) -> list[Span]:
    """The parts of inline text; white space of any kind and length is one space."""
    found = _spans(_SPACE.sub(" ", line).strip(" "), bold=False, url="")
    # two codes side by side are one: in Markdown their marks would run together
    styles = groupby(found, lambda span: replace(span, text=""))
    return [replace(style, text="".join(span.text for span in same)) for style, same in styles]


def _spans(text: str, bold: bool, url: str) -> Iterator[Span]:
    end = 0
    for mark in _MARKS.finditer(text):
        if (bold and mark["bold"]) or (url and not mark["code"]):
            continue  # bold in bold, and all but code in a link, is literal
        if mark.start() > end:
            yield Span(text[end : mark.start()], bold=bold, url=url)
        end = mark.end()
        if mark["code"]:
            yield Span(mark["code"], code=True, bold=bold, url=url)
        elif mark["bold"]:
            yield from _spans(mark["bold"], bold=True, url=url)
        else:
            yield from _spans(mark["text"], bold=bold, url=mark["url"])
    if end < len(text):
        yield Span(text[end:], bold=bold, url=url)


def to_plain(line: str) -> str:
    """Inline text without its marks."""
    return "".join(span.text for span in spans(line))


def to_html(line: str) -> str:
    """Inline text as HTML, escaped."""
    return "".join(_styled(line, _html_of, lambda text: f"<strong>{text}</strong>", _html_link))


def to_markdown(line: str, *, in_table: bool = False) -> str:
    """Inline text as GitHub's Markdown, to begin a line or, ``in_table``, to be a cell."""
    text = "".join(_styled(line, _markdown_of, _markdown_bold, lambda text, url: f"[{text}]({url})"))
    return text.replace("|", r"\|") if in_table else _LINE_START.sub(r"\1\\", text, count=1)


def to_latex(line: str) -> str:
    """Inline text as LaTeX, signs such as ± and ≥ in math mode; addresses are left out.

    A bracket or star that begins it is kept from being an argument of the line break before.
    """
    text = "".join(_styled(line, _latex_of, lambda text: rf"\textbf{{{text}}}", lambda text, url: text))
    return f"{{{text[0]}}}{text[1:]}" if text[:1] in ("[", "*") else text


def _styled(
    line: str,
    plain: Callable[[Span], str],
    bold: Callable[[str], str],
    link: Callable[[str, str], str],
) -> Iterator[str]:
    """The parts of a line, each run of bold ones and each link in it put together."""
    for is_bold, run in groupby(spans(line), lambda span: span.bold):
        text = ""
        for url, parts in groupby(run, lambda span: span.url):
            inner = "".join(map(plain, parts))
            text += link(inner, url) if url else inner
        yield bold(text) if is_bold else text


def _html_of(span: Span) -> str:
    escaped = html.escape(span.text)
    # a label such as name(setting=1) is broken after the bracket, if at all
    return f"<code>{escaped.replace('(', '(<wbr>')}</code>" if span.code else escaped


def _html_link(text: str, url: str) -> str:
    return f'<a href="{html.escape(url)}">{text}</a>'


def _markdown_of(span: Span) -> str:
    return f"`{span.text}`" if span.code else _MARKDOWN.sub(r"\\\g<0>", span.text)


def _markdown_bold(text: str) -> str:
    """Stars mark bold only beside letters whatever stands around them; HTML does everywhere."""
    return f"**{text}**" if text[0].isalnum() and text[-1].isalnum() else f"<b>{text}</b>"


def _latex_of(span: Span) -> str:
    escaped = span.text.translate(_LATEX)
    return rf"\texttt{{{escaped}}}" if span.code else escaped
