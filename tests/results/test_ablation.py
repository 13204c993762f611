"""What a sweep comes to, on planted records whose answers are known."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.ablation import Comparison, compare
from results.ablation_heat_map import grids
from results.ablation_table import render_ablation
from results.curves import in_digits
from results.files import RecordError
from results.record import CellRecord
from results.robustness import Robustness, robustness

WORDING = {"searched": "a validation error", "regret_unit": "points", "unit": "points"}
STEPS = [0.01, 0.1, 1.0, 10.0, 100.0]
GOOD, BAD = 0.0, 9.0


def planted(name: str, settings: dict[str, Any], regret: Any, *, best_seen: Any = 0.0, **changes: Any) -> CellRecord:
    """A cell with a budget of 10: regrets of the mode and of the best seen, one a seed."""
    regret = np.atleast_1d(np.array(regret, dtype=float))
    seen = np.broadcast_to(np.array(best_seen, dtype=float), regret.shape)
    landmarks = {"trial_sd": changes.get("trial_sd", 0.5), "median_regret": changes.get("median_regret", 40.0)}
    label, noise = changes.get("benchmark", "planted-x"), changes.get("noise")
    about = {
        "id": f"{name}{settings}{label}",
        "optimizer": {
            "name": name,
            "label": name,
            "recommends": changes.get("recommends", "mode"),
            "settings": settings,
            "defaults": {"lam": 2, "alpha": 1.5, "step": 1.0},
        },
        "benchmark": {
            "name": "planted",
            "dataset": "x",
            "label": label,
            "options": {},
            "noise": noise,
            "wording": WORDING,
            "landmarks": landmarks,
        },
        "budget": {"unit": "evaluations", "limit": 10},
        "report_at": [10],
    }
    return CellRecord(
        about=about,
        folder=Path(),
        seeds=np.arange(len(regret)),
        checkpoints=np.array([10]),
        columns={"recommended_regret": regret[:, None], "incumbent_regret": seen[:, None]},
        improvements={"seed": np.arange(len(regret))},
        distribution=None,
        made=(),
    )


def swept(name: str, regrets: Any, *, steps: Any = STEPS, lam: int = 2, **changes: Any) -> list[CellRecord]:
    """The cells of a curve: regrets [S] or [S, R]."""
    regrets = np.array(regrets, dtype=float)
    if regrets.ndim == 1:
        regrets = np.repeat(regrets[:, None], 4, axis=1)
    return [
        planted(name, {"lam": lam, "step": step}, regret, **changes)
        for step, regret in zip(steps, regrets, strict=True)
    ]


def only(cells: list[CellRecord]) -> Comparison:
    (comparison,) = compare(cells, "step")
    return comparison


def found(cells: list[CellRecord], answer: str = "recommended") -> dict[str, Robustness]:
    return {result.rule: result for result in robustness(only(cells), 10, answer)}


# widths


@pytest.mark.parametrize(
    ("regrets", "width", "good", "touches"),
    [
        ([BAD, GOOD, GOOD, GOOD, BAD], 2, (0.1, 10), False),
        ([BAD, BAD, GOOD, BAD, BAD], 0, (1, 1), False),
        ([GOOD, GOOD, BAD, BAD, BAD], 1, (0.01, 0.1), True),
        ([BAD, BAD, GOOD, GOOD, GOOD], 2, (1, 100), True),
        ([GOOD] * 5, 4, (0.01, 100), True),
        ([GOOD, BAD, GOOD, GOOD, BAD], 1, (1, 10), False),  # two windows: the wider one
        ([GOOD, GOOD, BAD, GOOD, GOOD], 1, (0.01, 0.1), True),  # as wide: the lower one
    ],
)
def test_the_window_is_the_longest_run_of_good_steps(
    regrets: list[float], width: float, good: tuple[float, float], touches: bool
) -> None:
    result = found(swept("rule", regrets))["rule"]
    assert result.width == pytest.approx(width)
    assert result.good == good
    assert result.touches == touches
    assert result.interval == pytest.approx((width, width))  # all seeds are equal


def test_good_is_within_the_trial_sd_of_the_best_of_all_rules() -> None:
    cells = swept("tuned", [3, 1, 0.2, 1, 3]) + swept("wide", [0.7, 0.7, 0.7, 0.71, 0.7]) + swept("bad", [2] * 5)
    results = found(cells)
    assert [result.bar for result in results.values()] == pytest.approx([0.7] * 3)
    assert results["tuned"].good == (1, 1)
    assert results["wide"].good == (0.01, 1)
    assert (results["bad"].good, results["bad"].width) == (None, 0)


def test_where_no_trainings_are_repeated_good_is_a_share_of_the_median_regret() -> None:
    cells = swept("rule", [0.79, 0, 0.81, 0, 0], trial_sd=None, median_regret=40.0)
    assert only(cells).tolerance == pytest.approx(0.8)
    assert "0.02 of the table's median regret" in only(cells).tolerance_is
    assert found(cells)["rule"].good == (0.01, 0.1)


def test_rules_are_compared_at_the_same_lam_benchmark_and_noise() -> None:
    cells = [
        *swept("rule", [1, 1, 0, 1, 1]),
        *swept("rule", [5, 5, 4, 5, 5], lam=8),
        *swept("rule", [9, 9, 8, 9, 9], benchmark="planted-x-noise5", noise=5.0),
    ]
    compared = compare(cells, "step")
    assert [(one.benchmark, one.held) for one in compared] == [
        ("planted-x", "lam = 2"),
        ("planted-x", "lam = 8"),
        ("planted-x-noise5", "lam = 2"),
    ]
    assert [robustness(one, 10, "recommended")[0].bar for one in compared] == pytest.approx([0.5, 4.5, 8.5])


def test_a_curve_of_two_steps_has_no_width_and_sets_no_bar() -> None:
    cells = swept("rule", [2, 1, 1, 1, 2]) + swept("short", [0, 0], steps=[0.1, 1.0])
    results = found(cells)
    assert results["rule"].bar == pytest.approx(1.5)
    assert (results["short"].good, results["short"].width, results["short"].touches) == (None, 0, False)
    assert results["short"].best_of == {1: 0, 2: 0}
    assert found(swept("short", [0, 3], steps=[0.1, 1.0]))["short"].bar == pytest.approx(0.5)


def test_steps_that_are_not_all_positive_are_compared_by_their_difference() -> None:
    result = found(swept("rule", [BAD, GOOD, GOOD, GOOD, BAD], steps=[-1, 0, 2, 5, 9]))["rule"]
    assert result.width == 5


def test_the_interval_of_a_width_is_that_of_plain_resamples() -> None:
    rng = np.random.default_rng(8)
    regrets = np.array([2.5, 0.9, 0.5, 0.7, 0.95])[:, None] + 0.5 * rng.exponential(size=(5, 41))
    result = found(swept("rule", regrets))["rule"]
    widths = []
    for _ in range(2000):
        halves = [
            half[:, rng.integers(half.shape[1], size=half.shape[1])] for half in (regrets[:, ::2], regrets[:, 1::2])
        ]
        first, second = (half.mean(axis=1) for half in halves)
        bar = 20 / 41 * second[first.argmin()] + 21 / 41 * first[second.argmin()] + 0.5
        good = np.concatenate(halves, axis=1).mean(axis=1) <= bar
        runs = [j - i for i in range(5) for j in range(i, 5) if good[i : j + 1].all()]
        widths.append(max(runs, default=0))
    assert np.percentile(widths, [2.5, 97.5], method="nearest").tolist() == [2, 3]
    assert result.interval == pytest.approx((2, 3))


# regrets


def test_regrets_over_the_window() -> None:
    """Best, worst and best of k are chosen by the even and judged by the odd seeds, and the other way round."""
    regrets = np.array([[0.0, 4, 0, 4], [1, 1, 1, 1], [9, 0, 9, 0]])
    result = found(swept("rule", regrets, steps=[0.1, 1.0, 10.0]))["rule"]
    assert result.best_step == 1
    assert result.best == pytest.approx((4 + 9) / 2)  # the first is best by even seeds, the last by odd ones
    assert result.worst == pytest.approx(0)
    assert result.median == 2
    assert result.best_of.keys() == {1, 2}
    assert result.best_of[1] == pytest.approx(regrets.mean())
    assert result.best_of[2] == pytest.approx(((4 + 4 + 1) / 3 + (1 + 9 + 9) / 3) / 2)
    assert result.zeros == 0


def test_both_answers_are_told_each_compared_with_its_like() -> None:
    cells = swept("rule", [3, 2, 3], steps=[0.1, 1.0, 10.0], best_seen=0.25)
    assert found(cells)["rule"].bar == pytest.approx(2.5)
    seen = found(cells, "incumbent")["rule"]
    assert (seen.bar, seen.touches, seen.zeros) == (pytest.approx(0.75), True, 0)
    follower = swept("follower", [1, 1, 1], steps=[0.1, 1.0, 10.0], recommends="best seen")
    assert found(follower) == {}
    assert list(found(follower, "incumbent")) == ["follower"]


def test_no_answer_yet_is_not_good() -> None:
    result = found(swept("rule", [1, 1, math.nan, 5, 9]))["rule"]
    assert result.good == (0.01, 0.1)
    assert (result.best, result.median, result.worst) == (pytest.approx(1), 3, pytest.approx(9))  # of the others
    assert result.best_of.keys() == {1, 2, 4}
    assert result.best_of[1] == pytest.approx(4)
    nothing = found(swept("rule", [math.nan] * 3, steps=[0.1, 1.0, 10.0]))["rule"]
    assert nothing.good is None
    assert math.isnan(nothing.best)
    assert nothing.best_of == {}


def test_a_single_seed_is_judged_by_itself() -> None:
    result = found(swept("rule", [[2.0], [1.0], [3.0]], steps=[0.1, 1.0, 10.0]))["rule"]
    assert (result.best, result.worst, result.best_of[1]) == (1, 3, 2)


# which cells form a curve


def test_a_step_whose_seeds_are_not_all_there_is_left_out() -> None:
    cells = swept("rule", [1, 0, 1, 1, 1])
    cells[1] = cells[1].only([0, 1])
    assert only(cells).curves["rule"].values.tolist() == [0.01, 1, 10, 100]


def test_cells_without_the_setting_are_baselines() -> None:
    other = planted("random_search", {}, [1.0, 2.0], recommends="best seen")
    switched = planted("switched", {"step": True}, [1.0])
    elsewhere = planted("random_search", {}, [1.0], benchmark="planted-y")
    comparison = only([*swept("rule", [1] * 5), other, switched, elsewhere])
    assert comparison.baselines == (other, switched)
    assert list(comparison.curves) == ["rule"]


def test_a_setting_that_no_optimizer_has_is_told() -> None:
    with pytest.raises(RecordError, match="no optimizer of the study has a numeric setting 'stride'"):
        compare(swept("rule", [1] * 5), "stride")


# the text


def test_the_text_names_answers_windows_and_what_counts_as_good() -> None:
    cells = [
        *swept("wide", [0.3, 0.3, 0.3, 0.3, 9], best_seen=0.125),
        *swept("narrow", [9, 9, 0.1, 9, 9]),
        *swept("bad", [9] * 5),
        *swept("short", [0.5, 7], steps=[1.0, 10.0]),
        planted("random_search", {}, [1.25, 1.25], recommends="best seen"),
    ]
    text = render_ablation(compare(cells, "step"), "step")
    lines = [" ".join(line.split()) for line in text.splitlines()]
    flat = " ".join(lines)
    assert "planted-x, lam = 2: 2 to 4 seeds" not in flat
    assert "planted-x, lam = 2: 4 seeds, searched by a validation error" in flat
    assert "Good: within 0.500 points of the best (the standard deviation of repeated trainings" in flat
    assert "0.01 - 100 (5)" in flat
    assert "10 evals mode ≥ 3.00 [3.00, 3.00] 0.00 [0.00, 0.00] none good" in lines
    assert any(line.startswith("10 evals wide mode 0.01 - 10 0.01 0.300 0% 0.300 9.00 2.04") for line in lines)
    assert any(line.startswith("narrow mode 1 1 0.100 0% 9.00 9.00 7.22 5.44") for line in lines)
    assert any(line.startswith("short mode of 1 or 10 1 0.500 0% 3.75 7.00 3.75 0.500 - -") for line in lines)
    assert any(line.startswith("best seen") and "0.125" in line for line in lines)
    assert "For comparison random_search (best seen): 1.25 at 10 evals." in lines
    assert max(map(len, text.splitlines())) <= 130


# heat maps


def crossed(name: str, values: dict[tuple[float, float], float], **changes: Any) -> list[CellRecord]:
    return [
        planted(name, {"lam": 2, "alpha": alpha, "step": step}, [regret, regret], best_seen=regret / 2, **changes)
        for (step, alpha), regret in values.items()
    ]


def test_a_grid_holds_what_was_crossed() -> None:
    """A step that was tried with one alpha alone says nothing of alpha."""
    values = {(0.1, 1.1): 1.0, (0.1, 2.0): 2.0, (1.0, 1.1): 3.0, (1.0, 2.0): 4.0, (9.0, 1.1): 5.0}
    assert grids(crossed("two by two", values), "step", "alpha", 10) == []
    values |= {(0.1, 3.0): 6.0, (1.0, 3.0): 7.0}
    (grid,) = grids([*crossed("rule", values), *swept("plain", [1] * 5)], "step", "alpha", 10)
    assert (grid.label, grid.x.tolist(), grid.y.tolist(), grid.unit) == ("rule", [0.1, 1], [1.1, 2, 3], "points")
    np.testing.assert_array_equal(grid.regrets["recommended"], [[1, 3], [2, 4], [6, 7]])
    np.testing.assert_array_equal(grid.regrets["incumbent"], [[0.5, 1.5], [1, 2], [3, 3.5]])
    assert grids(crossed("rule", {(0.1, 1.1): 1.0, (0.1, 2.0): 2.0}), "step", "alpha", 10) == []


def test_a_grid_over_benchmarks_is_of_normalised_regrets() -> None:
    values = {(0.1, 1.1): 1.0, (0.1, 2.0): 2.0, (1.0, 1.1): 3.0, (9.0, 1.1): 4.0, (9.0, 2.0): 5.0}
    cells = crossed("rule", values | {(1.0, 2.0): 4.0}, median_regret=10.0)
    cells += crossed("rule", {key: 10 * value for key, value in values.items()}, benchmark="planted-y")
    cells += crossed("rule", {(1.0, 2.0): 80.0}, benchmark="planted-y")
    (grid,) = grids(cells, "step", "alpha", 10)
    assert grid.unit == "normalised search regret"
    # the regrets over 10 on the one, over 40 on the other
    np.testing.assert_allclose(grid.regrets["recommended"], [[0.175, 0.525, 0.7], [0.35, 1.2, 0.875]])


def test_values_are_told_in_three_digits() -> None:
    assert [in_digits(value) for value in (0.0003162, 0.1, 1.0, 31.62, 1000.0, 12345.0)] == [
        *("0.000316", "0.1", "1", "31.6", "1,000", "12,345")
    ]
