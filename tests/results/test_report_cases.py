"""Studies that are not as most are: a report says what holds of them, and raises nothing."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markdown_it import MarkdownIt
from planted_studies import exactly, plant, section, summary, table, texts

from results.files import write_json
from results.report.build import document, report
from results.report.document import Document
from results.report.render import html, markdown

A_AND_B = {"a": exactly(2.0), "b": exactly(3.0)}


def verdicts(made: Document, name: str = "one-x-against-first") -> tuple[str, ...]:
    (found,) = (column.texts for column in table(made, name).columns if column.heading == "verdict")
    return found


def test_one_seed_has_no_interval_and_no_test(tmp_path: Path) -> None:
    made = document([plant(tmp_path / "s", {"one-x": {"a": [1.0], "b": [2.0]}, "two-x": {"a": [1.0], "b": [2.0]}})])
    said = texts(section(made, "summary").blocks)
    assert "`a` is first: regret 1.00 [1.00, 1.00]† percentage points after 100 evaluations, 1 seed." in said
    assert "It cannot be compared with the next, `b`: a comparison needs 2 runs on either side" in said
    assert "`a` is first on `one-x` and `two-x`, but not shown to be better than all others." in said
    assert "nothing tells it from the next, `b`" in said
    assert verdicts(made)[0].startswith("a comparison needs 2 runs")
    assert "Were there several runs, and are their seeds reported? no: 1 seed a cell" in texts(made.sections)


def test_two_seeds_show_nothing(tmp_path: Path) -> None:
    made = document([plant(tmp_path / "s", {"one-x": {"a": [1.0, 1.1], "b": [2.0, 2.1]}})])
    said = texts(section(made, "summary").blocks)
    assert "2 seeds." in said
    assert "The next, `b`, is not told apart from it" in said
    assert "(p 0.333)" in said  # the least that two and two can have
    assert verdicts(made) == ("not told apart",)


def test_all_ties(tmp_path: Path) -> None:
    made = document([plant(tmp_path / "s", {f"{name}-x": dict.fromkeys("abc", [1.0] * 20) for name in ("one", "two")})])
    said = texts(section(made, "summary").blocks)
    assert (
        "It cannot be compared with the next, `b`: all runs of both are equal. Not to be compared with the first: `c`."
        in said
    )
    assert verdicts(made) == ("all runs of both are equal",) * 2
    assert "better" not in said.replace("but not shown to be better than all others", "")
    assert table(made, "together").frame["probability_better_than_first"].isna().all()
    assert table(made, "together").frame["mean_rank"].tolist() == [2, 2, 2]


def test_one_optimizer_alone(tmp_path: Path) -> None:
    runs = {"one-x": {"a": exactly(2.0)}, "two-x": {"a": exactly(2.0)}}
    made = document([plant(tmp_path / "s", runs)])
    said = texts(section(made, "summary").blocks)
    assert "**one-x**: `a` ran alone: regret 2.00 [" in said
    assert "first" not in said
    assert [one.name for one in made.tables if "first" in one.name or "pairs" in one.name] == []


def test_an_optimizer_that_did_not_run_everywhere(tmp_path: Path) -> None:
    made = document([plant(tmp_path / "s", {"one-x": {**A_AND_B, "c": exactly(0.9)}, "two-x": A_AND_B})])
    said = texts(section(made, "summary").blocks)
    assert "`c` is first on `one-x`. `a` is first on `two-x`." in said
    assert "`a` has the lowest normalised regret" in said
    assert "That leaves out `c`, not run on all of them." in said
    assert table(made, "together").frame["optimizer"].tolist() == ["a", "b"]


def test_nothing_is_recommended_before_the_first_tell(tmp_path: Path) -> None:
    """At a budget before it there is nothing to compare; the whole budget is compared."""
    modes = {"one-x": {"a": np.column_stack([np.full(200, np.nan), exactly(2.6)])}}
    runs = {"one-x": {name: np.column_stack([values + 1, values]) for name, values in A_AND_B.items()}}
    made = document([plant(tmp_path / "s", runs, modes=modes, budgets=(10, 100))])
    regrets = table(made, "one-x-regret")
    early, late = (column.texts for column in regrets.columns if column.heading.startswith("regret after"))
    assert (early[1], late[1][:4]) == ("-", "2.60")
    assert [column.texts[:2] for column in regrets.columns[:2]] == [("`a`", "`a`"), ("best seen", "mode")]
    assert "By what each optimizer itself recommends: `a` is first: regret 2.60 [" in texts(made.sections)
    assert table(made, "one-x-against-first-recommended").frame["difference_value"].tolist() == pytest.approx([0.4])


def test_an_optimizer_without_any_recommendation_is_last(tmp_path: Path) -> None:
    modes = {"one-x": {"a": np.full(200, np.nan)}}
    made = document([plant(tmp_path / "s", {"one-x": A_AND_B}, modes=modes)])
    said = texts(made.sections)
    assert "By what each optimizer itself recommends, `b` is first." in said
    assert "It cannot be compared with the next, `a`: one of them has no answer by then." in said
    assert verdicts(made, "one-x-against-first-recommended") == ("one of them has no answer by then",)


def test_infeasible_answers_are_counted(tmp_path: Path) -> None:
    made = document([plant(tmp_path / "s", {"one-x": A_AND_B}, infeasible=7)])
    notes = " ".join(table(made, "one-x-regret").notes)
    assert "7 architectures have no record" in notes
    assert "final answers that are such: 7 of `a` (best seen), 7 of `b` (best seen)" in notes


def test_decades(tmp_path: Path) -> None:
    wording = {"scale": "log10", "complement": False, "unit": "MSE", "regret_unit": "decades of MSE", "measure": "MSE"}
    made = document([plant(tmp_path / "s", {"one-x": A_AND_B}, wording=wording)])
    assert "regret 2.000 [" in (said := texts(section(made, "summary").blocks))
    assert "decades of MSE after 100 evaluations" in said
    assert "It is 1.000 [" in said
    assert any("log10 MSE" in column.heading for column in table(made, "one-x-regret").columns)
    # final losses are 2 and 6 more: the mean of their logarithms, and not the logarithm of their mean
    reported = table(made, "one-x-regret").frame["test log10 MSE mean"]
    assert reported[0] == pytest.approx(np.log10(exactly(2.0) + 6).mean())


def test_a_benchmark_without_times(tmp_path: Path) -> None:
    made = document([plant(tmp_path / "s", {"one-x": A_AND_B}, times=False)])
    cost = table(made, "cost")
    assert [column.texts for column in cost.columns if column.heading == "simulated hours"] == [("unknown", "unknown")]
    assert not [drawing for drawing in made.drawings if "seconds" in drawing.name]
    assert "nan" not in texts(made.sections).lower().split()


def test_a_budget_of_time(tmp_path: Path) -> None:
    made = document([plant(tmp_path / "s", {"one-x": A_AND_B}, budgets=(12_000,), unit="seconds")])
    assert "percentage points after 12,000 simulated seconds, 200 seeds." in texts(made.sections)
    assert table(made, "cost").frame["simulated hours"].tolist() == pytest.approx([12_000 / 3600] * 2)
    assert [drawing.name for drawing in made.drawings if drawing.name.endswith("anytime-best-seen-seconds")]


def test_seeds_that_end_no_evaluation_within_the_time(tmp_path: Path) -> None:
    """Their regret is missing, not 0 and not left out: who is better cannot be said."""
    none = np.where(np.arange(200) < 3, np.nan, exactly(2.0))
    runs = {"one-x": {"a": none, "b": exactly(3.0)}, "two-x": A_AND_B}
    made = document([plant(tmp_path / "s", runs, budgets=(12_000,), unit="seconds")])
    said = texts(section(made, "summary").blocks)
    assert "`b` is first" in said
    assert "It cannot be compared with the next, `a`: one of them has no answer by then." in said
    assert "There is no number over all benchmarks: " in said


def test_noise_is_named(tmp_path: Path) -> None:
    runs = {"one-x-noise5": A_AND_B}
    made = document([plant(tmp_path / "s", runs, noise=5.0, wording={"searched": "validation error with noise"})])
    assert table(made, "benchmarks").frame["noise"].tolist() == [5.0]
    assert "Searched: validation error with noise." in table(made, "one-x-noise5-regret").notes[0]


def test_a_table_whose_median_is_its_best_gives_no_aggregate(tmp_path: Path) -> None:
    runs = {"one-x": A_AND_B, "two-x": A_AND_B}
    said = summary(plant(tmp_path / "s", runs, landmarks={"median_regret": 0.0}))
    assert "There is no number over all benchmarks: the median architecture of `one-x` and `two-x` is at" in said


class Page(HTMLParser):
    """The text of a page, and its elements with what they ask to be run or loaded."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.tags, self.handlers = "", [], []  # type: ignore[var-annotated]
        self.feed(page)

    def handle_data(self, data: str) -> None:
        self.text += data

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self.tags.append(tag)
        asked = [(name, (value or "").strip().lower()) for name, value in attributes]
        self.handlers += [name for name, _ in asked if name.startswith("on")]
        self.handlers += [value for name, value in asked if name in ("href", "src") and value.startswith("javascript:")]


EVIL = "Mine(note=<script>alert(1)</script>[x](javascript:1)*`_|\\)"


def test_marks_in_names_do_no_harm(tmp_path: Path) -> None:
    runs = {"one-x": {EVIL: exactly(2.0), "*`a`*": exactly(3.0)}, "two-../<b>": {EVIL: exactly(2.0)}}
    about = {
        "description": "**all** `of` <script>it</script> [and](javascript:alert(1))",
        "failures": [[f"{EVIL} on one-x", "Traceback\n  <script>boom</script> `x` | * ["], ["b on one-x", ""]],
        "skipped": [["`", "<img src=x onerror=alert(1)>"]],
    }
    folder = plant(tmp_path / "s", runs, **about)
    page = report([folder])
    plain = plant(tmp_path / "t", {"one-x": A_AND_B, "two-y": {"a": exactly(2.0)}})
    shown, expected = (Page(path.read_text(encoding="utf-8")) for path in (page, report([plain])))
    assert shown.tags.count("script") == expected.tags.count("script")
    assert shown.tags.count("img") == expected.tags.count("img")
    assert not [name for name in shown.handlers if name not in expected.handlers]
    assert EVIL in shown.text
    assert "<script>boom</script>" in shown.text
    assert "onerror=alert(1)" in shown.text
    assert "no message" in shown.text
    read = MarkdownIt("commonmark").parse(page.with_suffix(".md").read_text(encoding="utf-8"))
    inside = [token for block in read for token in (block, *(block.children or ()))]
    marks = {token.content for token in inside if token.type in ("html_inline", "html_block")}
    assert {mark.strip("<>/\n") for mark in marks} <= {"sub", "b", "!-- a report of NAS Arena --"}
    assert {path.parent for path in page.with_suffix("").rglob("*") if path.is_file()} == {
        page.with_suffix("") / name for name in ("figures", "tables")
    }


def test_what_is_missing_or_left_over_is_listed(tmp_path: Path) -> None:
    runs = {"one-x": {"a": exactly(2.0, 30), "b": exactly(3.0, 20)}}
    folder = plant(tmp_path / "s", runs)
    (folder / "old-cell").mkdir()
    write_json(folder / "old-cell" / "cell.json", {})
    said = texts(document([folder]).sections)
    assert "`b on one-x`: 20 of 30 seeds" in said
    assert "`old-cell`" in said
    assert "everything is finished" not in said


def test_both_renderers_take_all_of_it(tmp_path: Path) -> None:
    made = document([plant(tmp_path / "s", {"one-x": {"a": [1.0]}}, times=False)])
    assert "ran alone" in html(made)
    assert "ran alone" in markdown(made, "figures")
