"""What a one-shot study comes to, from planted records whose answer is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from planted_oneshot import DEAD, GOOD, RETRAINING, SKIPS, string_of, write_study

from results.oneshot_comparison import (
    RANDOM_ARCHITECTURES,
    OneShotRow,
    by_problem,
    found,
    mean_difference,
    oneshot_rows,
    operations_of,
)
from results.oneshot_record import OneShotCell, read_oneshot_cell
from results.oneshot_table import render_oneshot
from results.oneshot_words import verdict
from results.record import asked_of
from results.report.gather import about_study

RANDOM = (91.0, 92.0, 93.0, 94.0, 95.0, 92.5, 93.5, 94.5, 91.5, 93.0)  # mean 93


def cells_of(folder: Path) -> list[OneShotCell]:
    about = about_study(folder)
    return [read_oneshot_cell(folder / name, asked_of(about, name)) for name in about["cells"]]


def rows_of(folder: Path) -> list[OneShotRow]:
    return oneshot_rows(cells_of(folder))


def text_of(rows: list[OneShotRow]) -> str:
    """The table's text as one line."""
    return " ".join(render_oneshot(rows).split())


def test_the_interval_is_welchs() -> None:
    """Of Student's sleep data, as R's t.test(extra ~ group) prints it: t = -1.8608, df = 17.776, p = 0.07939."""
    one = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0]
    other = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4]
    of = mean_difference([*one, math.nan], other)
    assert (of.value, of.low, of.high) == pytest.approx((-1.58, -3.3654832, 0.2054832), abs=1e-6)
    assert of.p == pytest.approx(0.07939, abs=1e-5)
    assert of.runs == (10, 10)
    assert of.has_interval


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        ([97.0], RANDOM, "a single run"),
        ([97.0, 98.0], [93.0], "a single run"),
        ([97.0, 97.0], RANDOM, "all 2 runs of a side are equal"),
        ([97.0, 98.0], [93.0] * 3, "all 3 runs of a side are equal"),
        ([], RANDOM, "no run"),
        ([math.nan], RANDOM, "no run"),
    ],
)
def test_no_interval_without_scatter(one: list[float], other: list[float], reason: str) -> None:
    of = mean_difference(one, other)
    assert reason in of.reason
    assert not of.has_interval
    assert np.isnan([of.low, of.high, of.p]).all()


def test_five_points_above_random_are_better(tmp_path: Path) -> None:
    rows = rows_of(write_study(tmp_path / "s", {"asng": [97.5, 98.0, 98.5]}, random=RANDOM))
    assert [row.label for row in rows] == ["asng", RANDOM_ARCHITECTURES]
    (row, random) = rows
    assert row.against is not None
    assert row.against.value == pytest.approx(5)
    assert row.against.low > 3
    assert row.better is True
    assert random.against is None
    assert random.better is None
    said = list(verdict(rows))
    assert said == [
        "Better than random architectures: asng (at 95 %).",
        "asng minus random architectures: +5.00 [+3.88, +6.12] percentage points of test accuracy (3 searches against "
        "10 random architectures).",
    ]
    text = text_of(rows)
    assert "98.00 ± 0.50" in text
    assert "93.00 ± 1.29" in text
    assert "These are other images than were searched on: a proxy at best." in text
    assert "10 random architectures, drawn uniformly" in text


def test_equal_to_random_is_said(tmp_path: Path) -> None:
    searches = {"asng": [92.0, 93.0, 94.0], "darts": [92.5, 93.5, 93.0]}
    rows = rows_of(write_study(tmp_path / "s", searches, random=RANDOM))
    said = " ".join(verdict(rows))
    assert "Nothing is told apart from random architectures at 95 %, Holm's correction for 2 comparisons" in said
    assert "Better" not in said


def test_worse_is_said_and_holm_is_applied(tmp_path: Path) -> None:
    """The second alone has p below .05, and above it as the larger of two."""
    near = [93.9, 94.1, 94.0]
    searches = {"gdas": [88.0, 88.5, 89.0], "asng": near, "enas": [93.0, 93.1, 92.9]}
    rows = rows_of(write_study(tmp_path / "s", searches, random=RANDOM))
    by = {row.label: row for row in rows}
    assert [row.label for row in rows] == ["asng", "enas", "gdas", RANDOM_ARCHITECTURES]
    asng, gdas = by["asng"], by["gdas"]
    assert gdas.better is False
    assert asng.against is not None
    assert asng.against.p < 0.05
    assert asng.p == pytest.approx(2 * asng.against.p)
    assert asng.against.low > 0
    assert asng.better is None
    said = list(verdict(rows, lambda label: f"<{label}>"))
    assert said[0] == (
        "Worse than random architectures: <gdas>; 2 of 3 not told apart from them (at 95 %, Holm's correction for 3 "
        "comparisons included)."
    )
    assert said[1].startswith("Of <asng> the interval leaves out 0 when taken alone")


def test_one_search_has_a_difference_without_an_interval(tmp_path: Path) -> None:
    rows = rows_of(write_study(tmp_path / "s", {"asng": [98.0]}, random=RANDOM))
    (said,) = verdict(rows)
    assert "+5.00 percentage points of test accuracy, without an interval, since a single run tells no scatter" in said
    assert "(1 search against 10 random architectures)" in said
    assert "+5.00 [-]" in text_of(rows)


def test_without_random_without_table_without_retraining(tmp_path: Path) -> None:
    lonely = rows_of(write_study(tmp_path / "a", {"asng": [97.0, 98.0]}, table=None))
    (said,) = verdict(lonely)
    assert said.startswith("No random architectures were trained in the same way")
    assert "Kendall" not in render_oneshot(lonely)
    assert "cifar10" not in render_oneshot(lonely)
    assert [row.against for row in lonely] == [None]
    untrained = rows_of(write_study(tmp_path / "b", {"asng": [97.0, 98.0]}, retraining=None))
    (said,) = verdict(untrained)
    assert said == "Not trained from scratch, so not compared with random architectures: asng."
    assert np.isnan(untrained[0].retrained).all()
    assert "nan" not in text_of(untrained)


def test_random_architectures_trained_in_another_way_are_no_measure(tmp_path: Path) -> None:
    longer, oftener = RETRAINING | {"epochs": 30}, RETRAINING | {"seeds": 1}
    for name, random_retraining, compared in (("a", longer, False), ("b", oftener, True)):
        searches = {"asng": [97.0, 98.0]}
        folder = write_study(tmp_path / name, searches, random=RANDOM, random_retraining=random_retraining)
        assert (rows_of(folder)[0].against is not None) == compared


def test_a_given_architecture_counts_its_trainings(tmp_path: Path) -> None:
    given = {string_of(GOOD): [96.0, 97.0, 98.0]}
    rows = rows_of(write_study(tmp_path / "s", {"asng": [97.0, 97.5]}, random=RANDOM, given=given))
    assert [row.label for row in rows] == ["asng", RANDOM_ARCHITECTURES, string_of(GOOD)]
    assert "+4.00" in list(verdict(rows))[-1]
    assert "(3 trainings against 10 random architectures)" in list(verdict(rows))[-1]


def test_architectures_that_nobody_searched_are_not_said_to_be_found(tmp_path: Path) -> None:
    rows = rows_of(write_study(tmp_path / "s", {}, given={string_of(GOOD): [97.0, 98.0]}))
    text = text_of(rows)
    assert "97.50" in text
    assert "over its trainings" in text
    for of_searches in ("found by", "worth it", "supernet of", "minus random architectures:"):
        assert of_searches not in text


def test_what_was_found_is_counted_and_named(tmp_path: Path) -> None:
    archs = {"asng": [GOOD, SKIPS, GOOD], "gdas": [DEAD, SKIPS, SKIPS]}
    searches = {"asng": [97.0, 95.0, 97.5], "gdas": [10.0, 95.0, 94.0]}
    rows = rows_of(write_study(tmp_path / "s", searches, architectures=archs))
    asng, gdas = rows
    assert operations_of([asng.cell]) == ["skip_connect", "nor_conv_1x1", "nor_conv_3x3"]
    assert asng.count("skip_connect").tolist() == [1, 6, 1]
    assert gdas.count("nor_conv_3x3").tolist() == [0, 0, 0]
    assert [(result["string"], seeds) for result, seeds in found(asng.cell)] == [
        (string_of(GOOD), [0, 2]),
        (string_of(SKIPS), [1]),
    ]
    text = render_oneshot(rows)
    assert string_of(DEAD) in text
    assert max(map(len, text.splitlines())) <= 130
    assert asng.ranking("tau").tolist() == pytest.approx([-0.3, -0.2, -0.1])
    assert "-0.20 ± 0.09" in text
    assert "0.10 ± 0.13" in text
    assert "61.00 ± 1.00" in text


def test_cells_on_other_images_stand_apart(tmp_path: Path) -> None:
    one = cells_of(write_study(tmp_path / "a", {"asng": [97.0, 98.0]}))
    other = cells_of(write_study(tmp_path / "b", {"asng": [80.0]}, images={"label": "fashion_mnist"}))
    assert {name: len(cells) for name, cells in by_problem([*one, *other]).items()} == {
        "nasbench201(channels=8, cells=1) on digits": 1,
        "nasbench201(channels=8, cells=1) on fashion_mnist": 1,
    }
