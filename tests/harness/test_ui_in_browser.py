"""A study's pages in MLflow's UI as a person sees them, in a browser: made and served by the real commands."""

from __future__ import annotations

import re
import shutil
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from ui_command import free_port, started

from harness.cli import main
from harness.study import Study
from results.look import shades
from results.record import read_study
from results.tables import rank

pytestmark = pytest.mark.xdist_group("browser")  # one server and one browser for all
SIZE = {"width": 2400, "height": 1600}  # beside the Assistant, which opens by itself, there is room for all columns

OPTIMIZERS = ("asng", "asng(lam=8)", "random_search")
BENCHMARKS = tuple(f"nasbench201(dataset={dataset}, reported=validation)" for dataset in ("cifar10", "cifar100"))
COMMANDS = (
    ["compare", "--name=seen", "--seeds=3", "--budget=60", "--report-at=20", "--jobs=1"]
    + [f"--benchmark={benchmark}" for benchmark in BENCHMARKS]
    + [f"--optimizer={optimizer}" for optimizer in OPTIMIZERS],
    ["report", "seen"],
)
# with the data folder the names say what is reported, as that is a choice there
CELLS = Study(name="seen", optimizers="asng", benchmarks=BENCHMARKS, seeds=3, budget=60).plan().cells
PLACES = CIFAR10, CIFAR100 = [cell.benchmark_label.removeprefix("nasbench201-") for cell in CELLS]
PLOTS = """() => [...document.querySelectorAll('.js-plotly-plot')].filter((plot) => plot.data.length).map((plot) =>
    plot.data.map((trace) => ({ name: trace.name, colour: trace.marker.color.slice(0, 7), end: trace.x.at(-1) })))"""


@dataclass
class Person:
    """Who looks at pages and counts the clicks."""

    page: Any
    clicks: int = 0

    def click(self, role: str, name: str) -> None:
        """Presses what has the name; a link of a description opens a page of its own."""
        found = self.page.get_by_role(role, name=name, exact=True).first
        self.press(found, opens=role == "link" and found.get_attribute("target") == "_blank")

    def press(self, found: Any, *, opens: bool = False) -> None:
        self.clicks += 1
        if not opens:
            found.click()
            return
        with self.page.expect_popup() as told:
            found.click()
        self.page = told.value

    def sees(self, text: str | re.Pattern[str]) -> Any:
        found = self.page.get_by_text(text, exact=isinstance(text, str)).first
        found.wait_for()
        return found

    def rows(self, place: str) -> list[str]:
        """The optimizers of the rows on a data set from top to bottom."""
        links = self.page.get_by_role("link", name=re.compile(f" · {place}$"))
        links.first.wait_for()
        found = sorted((link.bounding_box()["y"], link.text_content()) for link in links.all())
        return [name.removesuffix(f" · {place}") for _, name in found]

    def columns(self) -> list[str]:
        """The metrics of a table from left to right."""
        self.sees(re.compile("^at_"))
        found = [(one.bounding_box()["x"], one.inner_text()) for one in self.page.get_by_role("columnheader").all()]
        return list(dict.fromkeys(name for _, name in sorted(found) if re.fullmatch(r"\w+/\w+", name)))

    def plots(self, wanted: str) -> list[dict[str, Any]]:
        """The curves of the first chart that has one of a run."""
        self.page.wait_for_function(f"(name) => ({PLOTS})().flat().some((one) => one.name === name)", arg=wanted)
        return next(one for one in self.page.evaluate(PLOTS) if wanted in {trace["name"] for trace in one})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """A folder with a study that was run and reported on."""
    here = tmp_path_factory.mktemp("seen")
    shutil.copyfile(empty_store, here / "mlflow.db")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        for command in COMMANDS:
            with pytest.raises(SystemExit) as end:
                main(command)
            assert end.value.code == 0
    return here


@pytest.fixture(scope="module")
def address(browser: Any, folder: Path) -> Iterator[str]:
    """Where the command says that the study's page is."""
    command = started(folder, free_port(), "seen")
    try:
        yield command.lines(3)[2].split()[-1]
    finally:
        command.ends(signal.SIGTERM)


@pytest.fixture
def person(browser: Any, address: str) -> Iterator[Person]:
    """One who has just opened the study's page; nothing on it or beyond may fail."""
    errors: list[str] = []
    context = browser.new_context(viewport=SIZE)
    context.on("weberror", lambda told: errors.append(str(told.error)))
    page = context.new_page()
    page.goto(address)
    yield Person(page)
    context.close()
    assert not errors


def best_first(folder: Path, place: str) -> list[str]:
    cells = [cell for cell in read_study(folder / "arena" / "seen") if cell.benchmark == f"nasbench201-{place}"]
    return [cell.optimizer for cell in rank(cells).cells]


def test_the_page_says_who_is_first_above_all_rows_and_their_curves(person: Person, folder: Path) -> None:
    line = person.sees(re.compile("First of 2 benchmarks: ")).inner_text()
    assert {best_first(folder, place)[0] for place in PLACES} == set(re.findall(r"(\S+) on \d", line))
    colours = shades((optimizer.partition("(")[0], optimizer) for optimizer in OPTIMIZERS)
    for place in PLACES:
        assert person.rows(place) == list(OPTIMIZERS)
        curves = person.plots(f"asng · {place}")
        assert {one["name"]: one["colour"] for one in curves} == {f"{of} · {place}": colours[of] for of in OPTIMIZERS}
        assert {one["end"] for one in curves} == {60}
    assert person.clicks == 0


@pytest.mark.parametrize("way", ["menu", "description"])
def test_the_best_at_a_budget_takes_two_clicks(person: Person, folder: Path, way: str) -> None:
    if way == "menu":
        person.press(person.page.get_by_role("button", name="Curves of all benchmarks"))
        names = [item.inner_text() for item in person.page.get_by_role("menuitem").all()]
        assert [name for name in names if name.startswith("Table")] == [f"Table of nasbench201-{of}" for of in PLACES]
        person.press(person.page.get_by_role("menuitem", name=f"Table of nasbench201-{CIFAR100}"))
    else:
        pencil = person.page.get_by_test_id("experiment-metadata-editor-edit-button")
        person.press(pencil.locator("xpath=following::button[1]"))  # which has no name
        person.click("link", f"nasbench201-{CIFAR100}")
    person.page.get_by_role("link", name=re.compile(f" · {CIFAR10}$")).first.wait_for(state="detached")
    columns = person.columns()
    assert columns[0] == "at_60/regret"
    assert {"at_20/regret", "final/validation"} <= set(columns)
    assert person.rows(CIFAR100) == best_first(folder, CIFAR100)
    assert person.clicks == 2


def test_the_trace_of_the_step_size_takes_no_click(person: Person) -> None:
    person.sees("asng/step_size").scroll_into_view_if_needed()
    person.page.wait_for_function(f"""() => ({PLOTS})().some((plot) =>
        new Set(plot.map((one) => one.name)).size === 4 && plot.every((one) => one.name.startsWith('asng')))""")
    assert person.clicks == 0


def test_all_settings_of_a_cell_take_one_click(person: Person) -> None:
    person.click("link", f"asng(lam=8) · {CIFAR100}")
    for setting in ("optimizer.lam", "optimizer.alpha", "benchmark.dataset", "budget.limit", "seeds"):
        row = person.page.get_by_role("row").filter(has=person.sees(setting))
        assert setting != "optimizer.lam" or row.inner_text().split() == [setting, "8"]
    assert person.clicks == 1


def test_the_drawing_of_the_found_cell_takes_two_clicks(person: Person) -> None:
    person.click("link", f"asng · {CIFAR100}")
    person.press(person.sees("Show more"))
    image = person.page.locator("img[src*=found_best_seen]")
    image.wait_for()
    assert person.page.wait_for_function("(one) => one.naturalWidth > 300", arg=image.element_handle())
    assert person.clicks == 2


def test_trials_are_reached_from_a_summary(person: Person) -> None:
    person.click("link", f"asng · {CIFAR100}")
    person.click("link", "trials")
    found = person.page.get_by_role("link", name=re.compile("· seed "))
    found.nth(2).wait_for()
    assert {link.inner_text() for link in found.all()} == {f"asng · {CIFAR100} · seed {seed}" for seed in range(3)}
    assert person.clicks == 2


def test_the_report_and_the_tables_are_shown_where_they_lie(person: Person) -> None:
    from playwright.sync_api import expect

    person.click("link", "report")
    assert person.clicks == 1
    report = person.page.frame_locator("iframe")
    report.get_by_role("heading", name="Report on seen").wait_for()
    report.locator("thead button").first.click()  # its script runs
    report.locator("th[aria-sort]").first.wait_for()
    report.get_by_role("link", name="Cost").first.click()  # one of its contents, in a page without an address
    expect(report.get_by_role("heading", name="Cost", exact=True)).to_be_in_viewport()
    person.sees("tables.txt").click()
    person.sees(re.compile(f"nasbench201-{CIFAR100}: 3 seeds"))
