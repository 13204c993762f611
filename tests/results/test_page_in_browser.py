"""A report's page in a browser: opened from a folder, on a wide screen and on a phone."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sample_document import document, everything

from results.report.document import Column, Preformatted, Table
from results.report.render import html
from results.report.tables import csv

pytestmark = pytest.mark.xdist_group("browser")  # one browser for all
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2}
WIDE = {"viewport": {"width": 1600, "height": 1000}}
LINES = "\n  first\n<b>last</b>\n"

Open = Callable[..., Any]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files of pages: one that has everything, and one of a small table with odd keys."""
    keys = (10.0, 9.0, np.inf, np.nan, "none", 9.0, -1.0)
    rows = tuple("abcdefg")
    columns = (
        Column("name", rows),
        Column("value", rows, keys),
        Column("plain", ("10", "9", "1,000", "2", "3", "", "4")),
    )
    small = document(Table("t", "T", columns, pd.DataFrame({"b": [1 / 3]})), Preformatted(LINES))
    folder = tmp_path_factory.mktemp("pages")
    found = {"everything": folder / "everything.html", "small": folder / "small.html"}
    found["everything"].write_text(html(everything()), encoding="utf-8")
    found["small"].write_text(html(small), encoding="utf-8")
    return found


@pytest.fixture
def show(browser: Any, pages: dict[str, Path]) -> Iterator[Open]:
    """Opens a page; at the end nothing may have been said on the console, or asked of anything but the file."""
    contexts, said, asked = [], [], []

    def opened(name: str, **options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto(pages[name].as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not said
    assert {url for url in asked if not url.startswith("data:")} <= {path.as_uri() for path in pages.values()}
    assert len([url for url in asked if url.startswith("file:")]) == len(contexts)


def names(page: Any) -> str:
    return "".join(page.locator("tbody th").all_text_contents())


def test_a_click_on_a_heading_sorts_by_keys(show: Open) -> None:
    page = show("small", **WIDE)
    value = page.get_by_role("button", name="value", exact=True)
    value.click()
    assert names(page) == "gbfaced"  # b and f are equal and stay in order; words, then what is missing, are last
    assert page.locator("thead th").nth(1).get_attribute("aria-sort") == "ascending"
    value.click()
    assert names(page) == "cabfged"
    assert page.locator("thead th").nth(1).get_attribute("aria-sort") == "descending"
    page.get_by_role("button", name="name", exact=True).click()
    assert names(page) == "abcdefg"
    assert page.locator("[aria-sort]").count() == 1


def test_lines_are_shown_as_they_are(show: Open) -> None:
    assert show("small", **WIDE).locator("pre").text_content() == LINES


def test_the_keyboard_sorts_too(show: Open) -> None:
    page = show("small", **WIDE)
    page.get_by_role("button", name="value", exact=True).focus()
    page.keyboard.press("Enter")
    assert names(page) == "gbfaced"
    page.keyboard.press("Space")
    assert names(page) == "cabfged"
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("thead th").nth(2).get_attribute("aria-sort") == "ascending"


def test_numbers_of_the_large_table_sort_as_numbers(show: Open) -> None:
    page = show("everything", **WIDE)
    page.locator("thead button", has_text="regret").first.click()
    shown = page.locator("table").first.locator("tbody td:nth-child(3)").all_text_contents()
    regrets = [float(text.split()[0]) for text in shown]
    assert len(regrets) == 21
    assert regrets == sorted(regrets)
    assert [str(value) for value in regrets] != sorted(str(value) for value in regrets)


@pytest.mark.parametrize("clipboard", [True, False], ids=["clipboard", "the old way"])
def test_copy_takes_the_text_in_full(show: Open, clipboard: bool) -> None:
    page = show("small", permissions=["clipboard-read", "clipboard-write"] if clipboard else [], **WIDE)
    if not clipboard:
        page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        page.evaluate("document.addEventListener('copy', () => { window.taken = String(getSelection()); })")
    page.locator("summary").click()
    page.get_by_role("button", name="Copy").first.click()
    page.get_by_role("button", name="Copied").wait_for()
    taken = page.evaluate("navigator.clipboard.readText()" if clipboard else "window.taken")
    assert pd.read_csv(io.StringIO(taken)).to_csv(index=False) == "b\n0.3333333333333333\n"
    area = page.locator("textarea").first
    assert area.input_value() == csv(Table("t", "T", (Column("c", ("x",)),), pd.DataFrame({"b": [1 / 3]})))
    assert area.evaluate("area => area.value.slice(area.selectionStart, area.selectionEnd) === area.value")


def test_links_of_a_picture_give_its_files(show: Open) -> None:
    page = show("everything", **WIDE)
    for name, start in (("SVG", b"<?xml"), ("CSV", b"0,1,2,")):
        with page.expect_download() as told:
            page.get_by_role("link", name=name, exact=True).first.click()
        assert told.value.suggested_filename == f"one-alone.{name.lower()}"
        assert Path(told.value.path()).read_bytes().startswith(start)


def test_a_phone_scrolls_down_alone_and_shows_every_picture(show: Open) -> None:
    page = show("everything", **PHONE)
    page.evaluate("document.querySelectorAll('details').forEach((fold) => { fold.open = true; })")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    images = page.locator("img")
    assert images.count() == 15
    assert images.evaluate_all("all => all.every((image) => image.complete && image.naturalWidth > 0)")
    widths = images.evaluate_all("all => all.map((image) => image.getBoundingClientRect().width)")
    assert min(widths) >= 320
    wide = page.locator(".wide .scroll").evaluate("box => [box.clientWidth, box.scrollWidth]")
    assert wide[0] <= 390
    assert wide[1] > 1000
    table = page.locator("figure.table .scroll").first
    assert table.evaluate("box => box.scrollWidth > box.clientWidth")
    table.evaluate("box => { box.scrollLeft = 200; }")
    first = table.locator("tbody th").first.evaluate("cell => cell.getBoundingClientRect()")
    assert first["left"] == pytest.approx(table.bounding_box()["x"], abs=1)  # names of rows stay in sight
    assert first["width"] < 200


def test_rows_are_whole_pixels_high_so_that_no_line_is_hidden(show: Open) -> None:
    page = show("everything", **PHONE)
    rows = page.locator("figure.table").first.locator("tr")
    heights = rows.evaluate_all("all => all.map((row) => row.getBoundingClientRect().height)")
    assert len(heights) == 22
    assert all(height == round(height) > 0 for height in heights)


def test_a_wide_screen_has_three_pictures_a_row(show: Open) -> None:
    page = show("everything", **WIDE)
    tops = page.locator(".pictures").first.locator("figure").evaluate_all("all => all.map((one) => one.offsetTop)")
    assert [tops.count(top) for top in sorted(set(tops))] == [3, 3, 3, 3]
    assert page.evaluate("document.documentElement.scrollWidth") == 1600


def test_a_page_can_be_read_without_its_script(show: Open) -> None:
    page = show("everything", java_script_enabled=False, **WIDE)
    assert page.locator("table").first.is_visible()
    assert page.locator("button:visible").count() == 0
    page.locator("summary", has_text="Every pair").click()
    assert page.get_by_text("Holm over all.").is_visible()


def test_on_paper_folds_are_open_and_nothing_can_be_pressed(show: Open) -> None:
    page = show("everything", **WIDE)
    page.emulate_media(media="print")
    text = page.get_by_text("Holm over all.")
    assert text.evaluate("one => one.checkVisibility({ contentVisibilityAuto: true }) && one.offsetHeight > 0")
    assert not page.locator("nav, .copies, .files").first.is_visible()


def test_dark_where_the_reader_likes_it_but_pictures_stay_on_white(show: Open) -> None:
    ground = "one => getComputedStyle(one).backgroundColor"
    for scheme, dark in (("light", False), ("dark", True)):
        page = show("everything", color_scheme=scheme, **WIDE)
        assert (page.locator("body").evaluate(ground) != "rgb(255, 255, 255)") is dark
        assert page.locator(".picture .scroll").first.evaluate(ground) == "rgb(255, 255, 255)"
