"""The tables on planted records whose answers are known."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import binomtest

from harness.console import render
from results.figures import anytime_figure
from results.record import CellRecord
from results.tables import BenchmarkTable, benchmark_tables

WORDING = {
    "unit": "points",
    "regret_unit": "points",
    "searched": "a validation error",
    "reported": "test accuracy",
    "kind": "test",
    "measure": "accuracy",
    "complement": True,
    "scale": "linear",
    "remark": "a remark",
}
LANDMARKS = {"infeasible": 0, "same_as_searched": False}
AT = np.array([1, 10, 100])


def planted(label: str, regret: Any, hits: Any, *, recommended: Any = None, **changes: Any) -> CellRecord:
    """A cell of R seeds with the given regrets [R, 3] and evaluations to the target (infinite: never)."""
    regret, hits = np.array(regret, dtype=float), np.array(hits, dtype=float)
    R = len(regret)
    said = regret if recommended is None else np.array(recommended, dtype=float)
    about = {
        "id": label,
        "optimizer": {"name": label, "label": label, "recommends": "best seen" if recommended is None else "mode"},
        "benchmark": {
            "name": "planted",
            "dataset": "x",
            "label": "planted-x",
            "wording": WORDING | changes,
            "landmarks": {"target_regret": 0.5, "target_count": 3, "best_final_loss": 6.0, **LANDMARKS},
            "table_size": 1000,
        },
        "budget": {"unit": "evaluations", "limit": 100},
        "report_at": [10, 100],
    }
    return CellRecord(
        about=about,
        folder=Path(),
        seeds=np.arange(R),
        checkpoints=AT,
        columns={
            "evaluations": np.tile(AT, (R, 1)),
            "incumbent": (regret * 100).astype(int),
            "recommended": np.nan_to_num(said * 100, nan=-1).astype(int),
            "incumbent_regret": regret,
            "recommended_regret": said,
            "incumbent_final": regret + 7,
            "recommended_final": said + 7,
            "incumbent_infeasible": regret > 90,
            "recommended_infeasible": said > 90,
        },
        improvements={
            "seed": np.repeat(np.arange(R), 2),
            "evaluations": np.column_stack([np.ones(R), np.where(np.isfinite(hits), hits, 50)]).ravel(),
            "regret": np.column_stack([np.full(R, 9.0), np.where(np.isfinite(hits), 0.2, 0.6)]).ravel(),
        },
        distribution=None if recommended is None else np.ones((3, 1, 1)),
        made=(),
    )


def table_of(*cells: CellRecord) -> BenchmarkTable:
    (table,) = benchmark_tables(cells)
    return table


def test_numbers_of_a_row() -> None:
    regret = np.column_stack([np.full(8, 5.0), np.arange(8.0), np.arange(8.0) / 10])
    (row,) = table_of(planted("a", regret, [10, 20, 30, 40, 50, 60, np.inf, np.inf])).rows
    assert [estimate.value for estimate in row.regrets] == pytest.approx([3.5, 0.35])  # the mean of the middle four
    assert row.regrets[0].low < 3.5 < row.regrets[0].high
    assert row.reported == pytest.approx((100 - 7.35, np.std(np.arange(8) / 10, ddof=1)))
    assert row.target == 50  # the upper of the two middle seeds
    assert row.success == 0.75
    assert row.running_time == (10 + 20 + 30 + 40 + 50 + 60 + 2 * 100) / 6  # all that was spent, over the six successes
    assert row.recommends_best_seen


def test_half_of_the_seeds_that_never_reach_the_target_make_it_infinite() -> None:
    table = table_of(planted("a", np.ones((4, 3)), [10, 20, np.inf, np.inf]))
    assert table.rows[0].target == np.inf
    assert "> 100 (50%)" in render([table])


def test_the_mode_has_a_row_of_its_own() -> None:
    rows = table_of(planted("a", np.ones((4, 3)), [5] * 4, recommended=np.full((4, 3), 2.0))).rows
    assert [(row.answer, row.regrets[1].value) for row in rows] == [("best seen", 1.0), ("mode", 2.0)]
    assert rows[1].target is None


def test_solved_budgets_are_marked_and_do_not_rank() -> None:
    """Both are done at 100; at 10 only `fast` is good, so it comes first though it is named last."""
    slow = planted("slow", np.tile([9.0, 4.0, 0.0], (6, 1)), [90] * 6)
    fast = planted("fast", np.tile([9.0, 1.0, 0.0], (6, 1)), [80] * 6)
    bad = planted("bad", np.tile([9.0, 9.0, 9.0], (6, 1)), [np.inf] * 6)
    table = table_of(slow, fast, bad)
    assert table.solved == (False, True)
    assert [row.optimizer for row in table.rows] == ["fast", "slow", "bad"]
    assert "(solved)" in render([table])


def test_settings_of_one_optimizer_alone_solve_nothing() -> None:
    one = planted("same", np.tile([9.0, 4.0, 0.0], (6, 1)), [90] * 6)
    assert table_of(one, one).solved == (False, False)


def test_one_optimizer_alone_solves_nothing() -> None:
    done = planted("done", np.tile([9.0, 4.0, 0.0], (6, 1)), [90] * 6)
    other = planted("other", np.tile([9.0, 1.0, 0.1], (6, 1)), [80] * 6)
    table = table_of(other, done)
    assert table.solved == (False, False)
    assert [row.optimizer for row in table.rows] == ["done", "other"]


def test_what_is_solved_everywhere_is_ranked_by_evaluations_to_the_target() -> None:
    late = planted("late", np.tile([9.0, 0.0, 0.0], (6, 1)), [9] * 6)
    early = planted("early", np.tile([9.0, 0.0, 0.0], (6, 1)), [3] * 6)
    assert table_of(late, early).solved == (True, True)


def test_equals_are_ranked_by_evaluations_to_the_target() -> None:
    late = planted("late", np.tile([9.0, 0.0, 0.0], (6, 1)), [9] * 6)
    early = planted("early", np.tile([9.0, 0.0, 0.0], (6, 1)), [3] * 6)
    assert [row.optimizer for row in table_of(late, early).rows] == ["early", "late"]


def test_where_most_seeds_are_at_the_best_their_share_stands_for_a_mean() -> None:
    regret = np.column_stack([np.full(20, 9.0), [0.0] * 10 + [4.0] * 10, [0.0] * 19 + [4.0]])
    table = table_of(planted("a", regret, [5] * 20))
    half, most = table.rows[0].regrets
    assert (half.mostly_at_best, most.mostly_at_best) == (False, True)
    assert most.share_at_best == pytest.approx((0.95, *binomtest(19, 20).proportion_ci(method="wilson")))
    assert half.rank == half.value > 0 > most.rank
    text = " ".join(render([table]).split())
    assert "2.00 [" in text
    assert "0 in 95% [76, 99]" in text
    assert "0 in 98%: the share of seeds with regret 0" in text
    assert "is too short" not in text


def test_few_seeds_are_said_to_make_intervals_too_short() -> None:
    text = " ".join(render([table_of(planted("a", np.ones((19, 3)), [5] * 19))]).split())
    assert "† Fewer than 20 seeds: such an interval is too short." in text
    assert "0 in 98%" not in text


def test_text_says_what_the_numbers_are() -> None:
    table = table_of(planted("a", np.ones((30, 3)), [5] * 30))
    text = render([table])
    for words in (
        "30 seeds",
        "a validation error",
        "best by validation",
        "94.00",
        "best 3 of 1,000",
        "Note: a remark.",
    ):
        assert words in text
    loss = table_of(planted("a", np.ones((30, 3)), [5] * 30, complement=False, measure="loss"))
    assert loss.best_by_validation == 6.0
    decades = table_of(planted("a", np.ones((30, 3)), [5] * 30, complement=False, measure="MSE", scale="log10"))
    assert decades.best_by_validation == pytest.approx(np.log10(6))
    assert decades.rows[0].reported == pytest.approx((np.log10(8), 0))
    assert "log10 MSE" in render([decades])


def test_what_a_table_cannot_do_is_said() -> None:
    """Answers without a record are counted; a number that is no measurement of its own is named so."""
    regret = np.ones((30, 3))
    regret[:4, 2] = 99
    cell = planted("a", np.zeros((30, 3)), [5] * 30, recommended=regret, kind="searched")
    cell.about["benchmark"]["landmarks"] |= {"infeasible": 9, "same_as_searched": True}
    text = " ".join(render([table_of(cell)]).split())
    assert "9 of 1,000 have no record" in text
    assert "final answers that are: 4 of a (mode)" in text
    assert re.search(r"searched\s+evals\s+optimizer .* accuracy\s+to target", text)
    assert "kept out of aggregates" in text


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_figures_are_drawn_for_solved_and_for_missing(tmp_path: Path, ending: str) -> None:
    missing = np.tile([np.nan, 3.0, 2.0], (6, 1))
    solved = planted("a", np.tile([9.0, 0.0, 0.0], (6, 1)), [5] * 6, recommended=missing)
    path = tmp_path / f"figure.{ending}"
    anytime_figure([solved], path)
    assert path.stat().st_size > 5000


def test_cells_of_several_studies_are_shown_where_all_report() -> None:
    often, seldom = planted("often", np.ones((6, 3)), [5] * 6), planted("seldom", np.ones((6, 3)), [5] * 6)
    seldom.about["report_at"] = [100]
    assert table_of(often, seldom).budgets == table_of(seldom, often).budgets == (100,)
