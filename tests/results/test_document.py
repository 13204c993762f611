"""A report's document: its texts in HTML, Markdown and LaTeX, against other parsers."""

from __future__ import annotations

import io
import re
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from sample_document import Plot, document, everything, plot, table

from results.report.document import (
    Block,
    Bullets,
    Check,
    Checklist,
    Column,
    Document,
    Fold,
    Note,
    Paragraph,
    Picture,
    Pictures,
    Preformatted,
    Section,
    Table,
)
from results.report.inline import to_html, to_latex, to_markdown, to_plain
from results.report.render import html, markdown
from results.report.tables import csv, latex

VOID = {"meta", "link", "img", "br", "hr", "input", "wbr"}
NASTY = """<script>alert("1")</script>' onload='x' </textarea><!-- --> &amp; ]]> `<b>`"""
LINES = st.text(st.sampled_from("ab1 .-+#_*`[]()<>&|\\~$!=\"'/:é{}%^"), max_size=25)
MARKED = st.lists(
    st.sampled_from(
        ["`a|b`", "**bold**", "**(b)**", "[t](https://x.org/a_(b)?c=d&e)", "[`c`](#id)", " ", "a", "_", "*"]
    )
    | LINES,
    max_size=6,
).map("".join)


class Tree(HTMLParser):
    """Reads a page strictly: every tag that is opened is closed, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page)
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"{tag} has an attribute twice"
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    def text(self, *inside: str) -> str:
        return "".join(text for tag, text in self.texts if not inside or tag in inside)


def words(text: str) -> str:
    return re.sub(r"[ \t\r\n\f\v]+", " ", text).strip(" ")


def read_markdown(text: str) -> str:
    return MarkdownIt("commonmark").enable("table").render(text)


def test_marks_of_inline_text() -> None:
    line = (
        "Of `a_b`, **two `x`** and [text **x**](https://x.org/a_(b)?c&d), [here](#id); 5 * 3 ** 2, [no](javascript:1)"
    )
    assert to_html(line) == (
        "Of <code>a_b</code>, <strong>two <code>x</code></strong> and "
        '<a href="https://x.org/a_(b)?c&amp;d">text **x**</a>, <a href="#id">here</a>; 5 * 3 ** 2, [no](javascript:1)'
    )
    assert to_markdown(line).startswith("Of `a_b`, <b>two `x`</b> and [text \\*\\*x\\*\\*](https://x.org/a_(b)?c&d)")
    assert to_html("`f(a=1)` f(a)") == "<code>f(<wbr>a=1)</code> f(a)"
    assert to_markdown("**two**") == "**two**"
    assert to_plain(line).startswith("Of a_b, two x and text **x**, here; 5 * 3 ** 2")
    assert to_latex("`a_b` ± **1**, 50 %, [t](https://x.org/%)") == r"\texttt{a\_b} $\pm$ \textbf{1}, 50 \%, t"


@given(MARKED)
@example("1. a")
@example("- a")
@example("# a #")
@example("a\\|b")
@example("!**a**![b](#c)")
def test_inline_text_reads_the_same_in_html_and_in_markdown(line: str) -> None:
    wanted = Tree(f"<p>{to_html(line)}</p>")
    assert words(wanted.text()) == words(to_plain(line))
    read = Tree(read_markdown(f"{to_markdown(line)}\n"))
    assert words(read.text()) == words(wanted.text())
    for tag in ("code", "strong", "b", "a"):
        other = {"b": "strong"}.get(tag, tag)
        assert (tag in dict(read.tags)) <= (other in dict(wanted.tags))
    assert {tag for tag, _ in read.tags} <= {"p", "code", "strong", "b", "a"}


@given(MARKED)
def test_cells_of_a_table_read_the_same_in_markdown(line: str) -> None:
    columns = (Column("name", ("first", line)), Column(line, ("1", "2"), numeric=True))
    text = markdown(document(Table("t", "T", columns, pd.DataFrame())), "figures")
    rows = [[], *([] for _ in range(3))]
    place, cells = -1, {"th", "td"}
    read = MarkdownIt("commonmark").enable("table").parse(text)
    for before, token in zip([None, *read], read, strict=False):
        place += token.type == "tr_open"
        if before is not None and before.tag in cells and token.type == "inline":
            rows[place].append(words(Tree(read_markdown_inline(token.content)).text()))
    plain = words(to_plain(line))
    assert rows[:3] == [["name", plain], ["first", "1"], [plain, "2"]]


def read_markdown_inline(text: str) -> str:
    return MarkdownIt("commonmark").renderInline(text)


@given(st.text(max_size=40))
def test_latex_has_no_sign_that_would_stop_it(line: str) -> None:
    text = re.sub(r"\\(?:[&%$#_{}]|[a-zA-Z]+|,)", "", to_latex(line))
    assert not set(text) & set("\\&%#_^~|<>±≥") - {"~"}
    assert text.count("$") % 2 == 0
    assert text.count("{") == text.count("}")
    assert not to_latex(line).startswith(("[", "*"))


def nasty() -> Document:
    """Every text of every block is an attack."""
    drawing = Plot("n", NASTY, NASTY, pd.DataFrame([[1.0, 2.0]], columns=[NASTY, "b"]))
    column = Column(NASTY, (NASTY,), (NASTY,))
    blocks: tuple[Block, ...] = (
        Paragraph(NASTY),
        Bullets((NASTY,)),
        Note(NASTY),
        Preformatted(f"\n{NASTY}"),
        Table("n", NASTY, (column, Column(NASTY, (NASTY,))), pd.DataFrame({NASTY: [NASTY]}), (NASTY,)),
        Pictures((Picture(drawing), Picture(drawing, wide=True)), NASTY),
        Checklist((Check(NASTY, "no", NASTY),)),
    )
    inner = Section(NASTY, blocks[:1], f"{NASTY} 2")
    return Document(NASTY, NASTY, (Section(NASTY, (*blocks, inner, Fold(NASTY, blocks[:1])), NASTY),), NASTY)


def test_a_page_is_well_formed_and_whatever_is_in_its_texts_is_text() -> None:
    wanted, tree = Tree(html(everything(4, 2))), Tree(html(nasty()))
    assert [tag for tag, _ in tree.tags].count("script") == 1
    assert {tag for tag, _ in tree.tags} <= {tag for tag, _ in wanted.tags}
    assert not {name for _, attributes in tree.tags for name in attributes if name.startswith("on")}
    texts = tree.text("p", "li", "h2", "th", "td", "summary", "figcaption", "a", "code", "title")
    assert texts.count("""<script>alert("1")</script>' onload='x' </textarea><!-- --> &amp; ]]> """) > 15
    assert f"\n{NASTY}" in tree.text("pre")
    assert csv(nasty().tables[0]) in tree.text("textarea")
    assert {attributes["alt"] for tag, attributes in tree.tags if tag == "img"} == {to_plain(NASTY)}


def test_a_page_asks_for_nothing_but_itself() -> None:
    page = html(everything(4, 2))
    for tag, attributes in Tree(page).tags:
        for name in {"src", "href", "srcset", "action", "poster"} & set(attributes):
            assert re.match(r"data:|#" + ("|https://" if tag == "a" else ""), attributes[name] or ""), attributes
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"url\(|@import|https?:", style)
    assert page == html(everything(4, 2))


def test_ids_that_the_contents_name_are_there() -> None:
    tags = Tree(html(everything(4, 2))).tags
    ids = [attributes["id"] for _, attributes in tags if "id" in attributes]
    assert ids == ["summary", "cifar10", "table", "figures", "what-ran"]
    links = [attributes["href"] for tag, attributes in tags if tag == "a" and "#" in (attributes.get("href") or "")[:1]]
    assert links == [*(f"#{name}" for name in ids), "#table"]


@pytest.mark.parametrize(
    ("texts", "numeric", "keys"),
    [
        (("9", "1,000", "−2.5"), True, (9.0, 1000.0, -2.5)),
        (("9", "1 ± 2", "3"), True, ("9", "1 ± 2", "3")),
        (("9", "10", "3"), False, ("9", "10", "3")),
    ],
)
def test_columns_sort_by_their_texts_unless_told(texts: Any, numeric: bool, keys: Any) -> None:
    assert Column("a", texts, numeric=numeric).sorts_by == keys
    assert Column("a", texts, (1, 2, 3), numeric=numeric).sorts_by == (1, 2, 3)
    assert np.isnan(Column("a", ("1", "-"), numeric=True).sorts_by[1])


def test_keys_of_cells() -> None:
    keys = (np.float64(0.5), np.inf, np.nan, "b", "a")
    page = html(document(Table("t", "T", (Column("c", ("x", "y", "z", "b", "c"), keys),), pd.DataFrame())))
    cells = [attributes for _, attributes in Tree(page).tags if attributes.get("scope") == "row"]
    told = [(cell.get("data-number"), cell.get("data-text")) for cell in cells]
    assert told == [("0.5", None), ("+Infinity", None), ("+nan", None), (None, None), (None, "a")]


def test_csv_has_the_numbers_in_full() -> None:
    frame = pd.DataFrame({"name": ['a,"b"', "c"], "value": [1 / 3, 1e-300]})
    text = csv(Table("t", "T", (Column("c", ("x",)),), frame))
    pd.testing.assert_frame_equal(pd.read_csv(io.StringIO(text)), frame, check_exact=True)


def test_latex_of_a_table() -> None:
    columns = (Column("a & b", ("`x_1`", "[y]")), Column("n", ("1 ± 2", "≥ 3"), numeric=True), Column("n", ("", "*")))
    assert latex(Table("t", "5 %", columns, pd.DataFrame())).splitlines() == [
        r"\begin{table}[tb]",
        r"\centering",
        r"\caption{5 \%}",
        r"\label{tab:t}",
        r"\begin{tabular}{lrl}",
        r"\toprule",
        r"a \& b & n & n \\",
        r"\midrule",
        r"\texttt{x\_1} & 1 $\pm$ 2 &  \\",
        r"{[}y] & $\geq$ 3 & {*} \\",
        r"\bottomrule",
        r"\end{tabular}",
        r"\end{table}",
    ]


def test_markdown_of_blocks() -> None:
    fold = Fold("More", (Preformatted("a\n```\nb"), Checklist((Check("Q?", "yes", "e | f"),))))
    inner = Section("Inner", (Bullets(("- a", "2. b")), fold), "inner")
    text = markdown(document(inner, Picture(plot("a b")), Note("n"), Note("*")), "my report/figures")
    assert "\n## Results\n\n### Inner\n\n- \\- a\n- 2\\. b\n\n#### More\n\n````\na\n```\nb\n````\n" in text
    assert "\n| question | answer | evidence |\n| --- | --- | --- |\n| Q? | yes | e \\| f |\n" in text
    assert "\n![Search regret of a b](my%20report/figures/a%20b.png)\n\nInterquartile mean" in text
    assert "\n<sub>n</sub>\n\n<sub>\\*</sub>\n" in text
    assert text == markdown(document(inner, Picture(plot("a b")), Note("n"), Note("*")), "my report/figures")


def test_documents_that_cannot_be_are_refused() -> None:
    part = Section("a", (), "a")
    with pytest.raises(ValueError, match=r"sections of a report need names of their own.* called a"):
        Document("t", "", (part, Section("b", (Fold("f", (table(), table("x"))),), "A")))
    with pytest.raises(ValueError, match=r"tables .* called regrets"):
        document(table(), Fold("f", (table(),)))
    with pytest.raises(ValueError, match=r"drawings .* called n"):
        document(Picture(plot("n")), Pictures((Picture(plot("n")),)))
    shown = plot("n")
    assert document(Picture(shown), Picture(shown)).drawings == (shown,)
    with pytest.raises(ValueError, match=r"section of it; not so: .'a'"):
        document(Section("b", (Section("a", (), "a"),), "b"))
    with pytest.raises(ValueError, match=r"section of it; not so: .'a'"):
        document(Fold("b", (part,)))
    with pytest.raises(ValueError, match="2 keys for 1 texts"):
        Column("a", ("x",), (1, 2))
    with pytest.raises(ValueError, match="equal length"):
        Table("t", "T", (Column("a", ("x",)), Column("b", ())), pd.DataFrame())
