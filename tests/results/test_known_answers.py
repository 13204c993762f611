"""Planted studies whose answer is known: the report says just that, in its numbers and in its sentences."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted_studies import exactly, normal, plant, section, summary, table, texts
from scipy.stats import binomtest, norm

from results.record import read_study
from results.report.build import document
from results.report.findings import findings


def frame_of(folder: Path, name: str) -> Any:
    return table(document([folder]), name).frame


def test_a_is_better_by_a_point(tmp_path: Path) -> None:
    folder = plant(tmp_path / "s", {"one-x": {"b": exactly(3.0), "a": exactly(2.0), "random_search": exactly(4.0)}})
    said = summary(folder)
    assert "**one-x**: `a` is first: regret 2.00 [" in said
    assert "percentage points after 100 evaluations, 200 seeds." in said
    assert re.search(
        r"It is 1\.00 \[0\.\d\d, 1\.\d\d\] ahead of the next, `b`, and in 92% \[\d\d, \d\d\] of pairs", said
    )
    assert "(p < 0.001). Worse than the first: `random_search`." in said
    assert "noise" not in said
    pair = frame_of(folder, "one-x-pairs").set_index(["first", "second"]).loc[("a", "b")]
    assert pair["difference_value"] == pytest.approx(-1)
    half = 1.96 * 0.5 * math.sqrt(2 / 200)  # of a difference of means; the middle half is a little less sure
    assert pair["difference_low"] == pytest.approx(-1 - half, abs=0.04)
    assert pair["difference_high"] == pytest.approx(-1 + half, abs=0.04)
    assert pair["a12_value"] == pytest.approx(norm.cdf(1 / (0.5 * math.sqrt(2))), abs=0.002)
    assert pair["a12_low"] < pair["a12_value"] < pair["a12_high"]
    assert pair["verdict"] == "better"
    against = frame_of(folder, "one-x-against-first").set_index("first")
    assert against.loc["b", "difference_value"] == pytest.approx(1)
    assert against.loc["b", "verdict"] == "worse"


@pytest.mark.parametrize(("sd", "says"), [(1.0, "is equivalent: the 90 % interval"), (0.001, "is not told apart")])
def test_a_equals_b(tmp_path: Path, sd: float, says: str) -> None:
    """Equivalent where the margin is wide, not told apart where it is not."""
    runs = {"one-x": {"a": normal(2, 0), "b": normal(2, 1)}}
    folder = plant(tmp_path / "s", runs, landmarks={"trial_sd": sd})
    said = summary(folder)
    assert says in said
    assert ("lies within ±1.00 (the standard deviation of repeated trainings" in said) == (sd == 1)
    assert " ahead" not in said
    assert "better than" not in said
    (pair,) = frame_of(folder, "one-x-against-first").itertuples()
    assert pair.verdict == ("equivalent" if sd == 1 else "not told apart")
    assert pair.p_holm > 0.05
    assert pair.difference_low < 0 < pair.difference_high


def test_others_are_told_by_how_they_fare(tmp_path: Path) -> None:
    runs = {"a": normal(2, 0), "b": normal(2, 1), "c": normal(4, 2), "d": normal(2, 3)}
    said = summary(plant(tmp_path / "s", {"one-x": runs}, landmarks={"trial_sd": 1.0}))
    assert re.search(
        r"The next, `[abd]`, is equivalent: .*\. Worse than the first: `c`\. Equivalent to .*: `[abd]`\.$", said
    )


def test_equals_are_seldom_called_better(tmp_path: Path) -> None:
    """Of 200 studies of three equal optimizers at most 5 % find any pair to differ, give or take chance."""
    drawn = np.random.default_rng(5).normal(4, 0.5, (200, 3, 20))
    folder = plant(tmp_path / "s", {"one-x": dict.fromkeys("abc", drawn[0, 0])})
    cells = read_study(folder)
    wrong = 0
    for study in drawn:
        for cell, runs in zip(cells, study, strict=True):
            cell.columns["incumbent_regret"][:, -1] = runs
        wrong += any(pair.verdict in ("better", "worse") for pair in findings(cells).pairs)
    assert wrong > 0, "nothing was drawn by which it could be wrong"
    assert binomtest(wrong, 200, 0.05, alternative="greater").pvalue > 0.01


def test_b_wins_on_one_benchmark_only(tmp_path: Path) -> None:
    both = {"a": exactly(2.0), "b": exactly(3.0)}
    runs = {"one-x": both, "one-y": {"a": both["b"], "b": both["a"]}, "two-x": both, "three-x": both}
    folder = plant(tmp_path / "s", runs)
    first, *_ = summary(folder).split("\n")
    assert first.startswith("`a` is first on `one-x`, `two-x` and `three-x`. `b` is first on `one-y`. Over the 4 ")
    assert "`a` has the lowest normalised regret" in first
    together = frame_of(folder, "together").set_index("optimizer")
    a12 = norm.cdf(1 / (0.5 * math.sqrt(2)))
    assert 1 - together.loc["b", "probability_better_than_first"] == pytest.approx((3 * a12 + 1 - a12) / 4, abs=0.002)
    assert "it is the better one in 71% [" in first
    # three families, one of two data sets: their ranks are averaged first
    assert together["mean_rank"].tolist() == pytest.approx([(1.5 + 1 + 1) / 3, (1.5 + 2 + 2) / 3])
    pooled = np.concatenate([both["a"], both["b"], both["a"], both["a"]]) / 4.0
    middle = np.sort(pooled)[200:600]
    assert together.loc["a", "normalised_regret_at_100_value"] == pytest.approx(middle.mean())


def solved(at_best: int, runs: int = 40) -> Any:
    """Two budgets: at the second one so many of the runs are at the best."""
    early = exactly(3.0, runs)
    return np.column_stack([early, np.where(np.arange(runs) < at_best, 0, 1)])


def test_a_solved_budget_is_not_compared(tmp_path: Path) -> None:
    runs = {"one-x": {"a": solved(38) - [[0.5, 0]], "b": solved(30), "c": solved(2)}}
    runs["one-x"]["a"] = np.maximum(runs["one-x"]["a"], 0)
    folder = plant(tmp_path / "s", runs, budgets=(10, 100))
    said = summary(folder)
    assert "`a` is first: regret 2.50 [" in said
    assert "after 10 evaluations, 40 seeds" in said
    assert "Solved from 100 evaluations on, where the median seed of two or more optimizers is at the best" in said
    assert "hence the comparison after 10." in said
    regrets = table(document([folder]), "one-x-regret")
    heading = "regret after 100 evaluations (solved)"
    shown = next(column.texts for column in regrets.columns if column.heading == heading)
    low, high = binomtest(38, 40).proportion_ci(method="wilson")
    assert shown[0] == f"0 in 95% [{100 * low:.0f}, {100 * high:.0f}]"
    assert shown[2].startswith("1.00 [")
    assert regrets.frame["regret_at_100_at_best"].tolist() == [38, 30, 2]


def test_where_all_budgets_are_solved_times_are_compared(tmp_path: Path) -> None:
    at_best = np.repeat([0.0, 1.0], [36, 4])
    when = {"slow": np.full(40, 60), "fast": np.full(40, 20)}
    folder = plant(tmp_path / "s", {"one-x": dict.fromkeys(when, at_best)}, when={"one-x": when})
    said = summary(folder)
    low, high = binomtest(36, 40).proportion_ci(method="wilson")
    spent = (36 * 20 + 4 * 100) / 36
    assert (
        f"its median seed is at the target after 20 evaluations, the expected running time to it is {spent:.0f}" in said
    )
    assert f"it has no regret left in 90% [{100 * low:.0f}, {100 * high:.0f}] of 40 seeds" in said
    assert "It is better than the next, `slow`: in 90% [" in said  # 36 of 40, and half of the ties of the rest
    assert "at every budget; compared are the evaluations to the target, the best 1 of 18" in said
    pair = frame_of(folder, "one-x-against-first").iloc[0]
    assert pair["a12_value"] == pytest.approx(1 - (0.9 + 0.1 * 0.1 / 2))


def test_recommendations_that_are_solved_are_not_said_to_be_compared(tmp_path: Path) -> None:
    runs = {"one-x": {"a": np.zeros(20), "b": np.zeros(20), "c": exactly(2, 20)}}
    folder = plant(tmp_path / "s", runs, modes=runs)
    made = document([folder])
    assert "no record tells when a recommendation first was at the target" in texts(made.sections)
    assert "expected running time to it is never" not in texts(made.sections)
    assert not [one.name for one in made.tables if "recommended" in one.name]


def test_a_lead_within_the_noise_of_the_table(tmp_path: Path) -> None:
    runs = {"a": exactly(2.0), "b": exactly(2.5)}
    folder = plant(tmp_path / "s", {"one-x": runs, "two-x": runs}, landmarks={"trial_sd": 0.6})
    said = summary(folder)
    assert "`a` is first on `one-x` and `two-x`, by less than the noise of the table." in said
    assert re.search(r"0\.50 \[0\.\d\d, 0\.\d\d\] ahead of the next, `b`", said)
    assert "yet that lead is smaller than the noise of the table, whose best architectures scatter by 0.60" in said
    shown = table(document([folder]), "one-x-against-first")
    assert [column.texts for column in shown.columns if column.heading == "verdict"] == [("worse, within noise",)]
    assert "Within noise: closer than repeated trainings scatter, 0.60." in shown.notes[1]


@pytest.mark.parametrize("families", [3, 5])
def test_ranks_need_five_families(tmp_path: Path, families: int) -> None:
    runs = {f"f{family}-x": {"a": exactly(2.0), "b": exactly(3.0), "c": exactly(4.0)} for family in range(families)}
    made = document([plant(tmp_path / "s", runs)])
    said = texts(section(made, "together").blocks)
    if families == 5:
        assert "Friedman's test over 5 families: p 0.007" in said  # chi-square 10 with 2 degrees of freedom
        assert "differ by less than 1.48 (Nemenyi" in said  # 2.343 sqrt(3 * 4 / (6 * 5)), Demsar's table
        assert [drawing for drawing in made.drawings if "rank" in drawing.name]
    else:
        assert "No critical-difference diagram: " in said
        assert "there are 3" in said


def test_data_sets_of_one_space_are_one_block(tmp_path: Path) -> None:
    runs = {f"f-{data_set}": {"a": exactly(2.0), "b": exactly(3.0), "c": exactly(4.0)} for data_set in "vwxyz"}
    said = texts(section(document([plant(tmp_path / "s", runs)]), "together").blocks)
    assert "No critical-difference diagram: " in said
    assert "there are 1; data sets of one search space are not independent blocks" in said


def test_few_seeds_are_marked(tmp_path: Path) -> None:
    runs = {"a": exactly(2.0, 19), "b": exactly(3.0, 20)}
    made = document([plant(tmp_path / "s", {"one-x": runs})])
    said = texts(section(made, "summary").blocks)
    assert re.search(r"regret 2\.00 \[\d\.\d\d, \d\.\d\d\]† percentage points after 100 evaluations, 19 seeds\.", said)
    assert "† With fewer than 20 seeds such intervals are too short." in said
    (shown,) = (column.texts for column in table(made, "one-x-regret").columns if column.heading.startswith("regret"))
    assert [text.endswith("†") for text in shown] == [True, False]
    assert "†" not in summary(plant(tmp_path / "t", {"one-x": {"a": exactly(2.0, 20), "b": exactly(3.0, 20)}}))
