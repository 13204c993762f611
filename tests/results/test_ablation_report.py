"""What a small study that sweeps over the step size leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.run import run
from harness.study import Study
from results.ablation import compare
from results.ablation_report import ablation_drawings
from results.ablation_table import render_ablation
from results.drawing import Drawing
from results.files import RecordError
from results.record import CellRecord
from results.robustness import robustness

STEPS = [0.1, 0.3, 1.0, 3.0]


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> list[CellRecord]:
    study = Study(
        name="swept",
        optimizers=[
            {"name": "asng", "vary": {"lam": [2, 8], "delta_init": STEPS}},
            {"name": "asng", "vary": {"alpha": [2.0, 3.0], "delta_init": [0.3, 1.0]}},
            {"name": "sng", "vary": {"delta_init": STEPS}},
            "random_search",
        ],
        benchmarks=["nasbench201(reported=validation)", "nasbench201(reported=validation, noise=trials)"],
        seeds=7,
        budget=60,
        report_at=[1, 30],  # after one evaluation nothing was told, so that there is no mode
        sweep="delta_init",
    )
    return run(study, arena=tmp_path_factory.mktemp("arena"), jobs=1, tracking=False).cells


def table_of(cells: list[CellRecord]) -> str:
    """The label of the table without noise; "reported" is in it where test numbers are at hand."""
    return min((cell.benchmark for cell in cells), key=len)


def drawings(cells: list[CellRecord], sweep: str) -> list[Drawing]:
    return list(ablation_drawings(cells, compare(cells, sweep), sweep))


def test_every_figure_is_drawn_with_its_numbers(cells: list[CellRecord], tmp_path: Path) -> None:
    table = table_of(cells)
    made = drawings(cells, "delta_init")
    assert [drawing.name for drawing in made] == [
        f"{table}-lam2-delta_init",
        f"{table}-lam2-delta_init-traces",
        f"{table}-lam8-delta_init",
        f"{table}-lam8-delta_init-traces",
        "delta_init-lam",
        "delta_init-alpha",
    ]
    for drawing in made:
        svg, png, csv = drawing.save(tmp_path)
        assert svg.read_bytes() == drawing.svg()
        assert png.stat().st_size > 10_000
        assert len(csv.read_text(encoding="utf-8").splitlines()) == len(drawing.data) + 1
    regrets = made[0].data.set_index(["benchmark", "budget", "rule", "answer", "delta_init"])
    cell = next(cell for cell in cells if cell.optimizer == "asng(delta_init=0.3)" and cell.benchmark == table)
    at_60 = cell.at(60, "recommended_regret")
    row = regrets.loc[(table, 60, "asng", "mode", 0.3)]
    assert row["mean"] == pytest.approx(at_60.mean())
    assert row["high"] - row["mean"] == pytest.approx(1.96 * at_60.std(ddof=1) / np.sqrt(7))
    trace = made[1].data.query(f"benchmark == '{table}' and curve == 'asng' and delta_init == 0.3")
    assert trace["state"].nunique() == 3
    last = trace[trace["at"] == 60].set_index("state")["median"]
    assert last["entropy (nats)"] == pytest.approx(np.median(cell.at(60, "diagnostic.entropy")), rel=1e-6)
    grid = made[4].data.query("optimizer == 'asng' and answer == 'mode' and delta_init == 0.3 and lam == 2")
    assert grid["regret"].item() == pytest.approx(at_60.mean())


def test_the_text_names_all_that_was_compared(cells: list[CellRecord]) -> None:
    table = table_of(cells)
    text = render_ablation(compare(cells, "delta_init"), "delta_init")
    for words in ("lam = 2", "lam = 8", "asng(alpha=3.0)", "mode", "best seen", "0.1 - 3 (4)", f"{table}-trials"):
        assert words in text


def test_numbers_are_those_of_the_records(cells: list[CellRecord]) -> None:
    table = table_of(cells)
    compared = compare(cells, "delta_init")
    assert [(one.benchmark, one.held) for one in compared] == [
        (f"{table}{noise}", f"lam = {lam}") for noise in ("", "-trials") for lam in (2, 8)
    ]
    assert [list(one.curves) for one in compared[:2]] == [
        ["asng", "asng(alpha=2.0)", "asng(alpha=3.0)", "sng"],
        ["asng"],
    ]
    assert compared[0].tolerance == pytest.approx(0.14, abs=0.005)  # of the trainings of CIFAR-10's best cells
    for comparison in compared:
        assert [cell.optimizer for cell in comparison.baselines] == ["random_search"]
        for budget in (30, 60):
            for result in robustness(comparison, budget, "recommended"):
                of_curve = comparison.curves[result.rule].cells
                means = [cell.at(budget, "recommended_regret").mean() for cell in of_curve]
                assert result.best_of[1] == pytest.approx(np.mean(means))
                assert result.median == pytest.approx(np.median(means))
                assert result.best_step == of_curve[int(np.argmin(means))].about["optimizer"]["settings"]["delta_init"]


@pytest.mark.parametrize("sweep", ["alpha", "lam"])
def test_any_number_can_be_swept(cells: list[CellRecord], sweep: str) -> None:
    assert drawings(cells, sweep)
    assert f"Ablation of {sweep}" in render_ablation(compare(cells, sweep), sweep)


def test_a_setting_that_is_no_number_is_told(cells: list[CellRecord]) -> None:
    with pytest.raises(RecordError, match="no optimizer of the study has a numeric setting 'utility'"):
        compare(cells, "utility")


def test_one_seed_and_one_rule_are_enough(cells: list[CellRecord]) -> None:
    table = table_of(cells)

    def kept(cell: CellRecord) -> bool:
        about: dict[str, Any] = cell.about["optimizer"]
        return about["name"] == "sng" and cell.about["benchmark"]["noise"] is not None

    assert [drawing.name for drawing in drawings([cell.only([3]) for cell in cells if kept(cell)], "delta_init")] == [
        f"{table}-trials-lam2-delta_init",
        f"{table}-trials-lam2-delta_init-traces",
    ]
