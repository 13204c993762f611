"""What a small study that sweeps over the step size leaves behind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.ablation_report import write_ablation
from harness.run import run
from harness.study import Study
from results.ablation import compare
from results.record import CellRecord, RecordError
from results.robustness import robustness

STEPS = [0.1, 0.3, 1.0, 3.0]
TABLE = "nasbench201-cifar10-reported-validation"


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


def test_the_text_and_every_figure_are_written(cells: list[CellRecord], tmp_path: Path) -> None:
    paths = write_ablation(cells, tmp_path, "delta_init")
    assert [path.relative_to(tmp_path).as_posix() for path in paths] == [
        "ablation.txt",
        f"figures/{TABLE}-lam2-delta_init.png",
        f"figures/{TABLE}-lam2-delta_init-traces.png",
        f"figures/{TABLE}-lam8-delta_init.png",
        f"figures/{TABLE}-lam8-delta_init-traces.png",
        "figures/delta_init-lam.png",
        "figures/delta_init-alpha.png",
    ]
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == sorted(paths)
    for path in paths[1:]:
        assert path.read_bytes().startswith(b"\x89PNG")
        assert path.stat().st_size > 10_000
    text = paths[0].read_text(encoding="utf-8")
    for words in ("lam = 2", "lam = 8", "asng(alpha=3.0)", "mode", "best seen", "0.1 - 3 (4)", f"{TABLE}-trials"):
        assert words in text


def test_numbers_are_those_of_the_records(cells: list[CellRecord]) -> None:
    compared = compare(cells, "delta_init")
    assert [(one.benchmark, one.held) for one in compared] == [
        (f"{TABLE}{noise}", f"lam = {lam}") for noise in ("", "-trials") for lam in (2, 8)
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
def test_any_number_can_be_swept(cells: list[CellRecord], tmp_path: Path, sweep: str) -> None:
    paths = write_ablation(cells, tmp_path, sweep)
    assert len(paths) > 2
    assert f"Ablation of {sweep}" in paths[0].read_text(encoding="utf-8")


def test_a_setting_that_is_no_number_is_told(cells: list[CellRecord], tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no optimizer of the study has a numeric setting 'utility'"):
        write_ablation(cells, tmp_path, "utility")


def test_one_seed_and_one_rule_are_enough(cells: list[CellRecord], tmp_path: Path) -> None:
    def kept(cell: CellRecord) -> bool:
        about: dict[str, Any] = cell.about["optimizer"]
        return about["name"] == "sng" and cell.about["benchmark"]["noise"] is not None

    paths = write_ablation([cell.only([3]) for cell in cells if kept(cell)], tmp_path, "delta_init")
    assert [path.name for path in paths[1:]] == [
        f"{TABLE}-trials-lam2-delta_init.png",
        f"{TABLE}-trials-lam2-delta_init-traces.png",
    ]
