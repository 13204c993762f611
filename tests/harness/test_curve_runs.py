"""What MLflow is told of a study that sweeps a setting: one run a curve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from stored_runs import assert_mirrored, client_of, runs_of

from harness.run import run
from harness.running import StudyRun
from harness.study import Study
from results.curves import curves

STEPS = [0.1, 0.3, 1.0]


def mirrored(arena: Path, **changes: Any) -> StudyRun:
    values: dict[str, Any] = {
        "name": "swept",
        "optimizers": [
            {"name": "asng", "vary": {"lam": [2, 4], "delta_init": STEPS}},
            {"name": "sng", "vary": {"delta_init": STEPS}},
            "random_search",
        ],
        "benchmarks": ["nasbench201(reported=validation)", "nasbench201(reported=validation, noise=5)"],
        "seeds": 6,
        "budget": 60,
        "report_at": [30],
        "sweep": "delta_init",
    }
    result = run(Study(**(values | changes)), arena=arena, jobs=1)
    assert result.mirror_problem == ""
    return result


def summaries(arena: Path) -> tuple[MlflowClient, dict[str, Run]]:
    found = runs_of(arena, "swept", "summary")
    named = {run.info.run_name: run for run in found}
    assert len(named) == len(found), "two runs of one curve"
    return client_of(arena), named


def test_there_is_one_summary_a_curve(arena: Path) -> None:
    result = mirrored(arena)
    client, found = summaries(arena)
    names = ["asng", "asng(lam=4)", "sng"]
    places = [label.removeprefix("nasbench201-") for label in dict.fromkeys(cell.benchmark for cell in result.cells)]
    assert [place.endswith("-noise5") for place in places] == [False, True]
    assert {name for name in found if "random" not in name} == {
        f"{n} over delta_init · {p}" for n in names for p in places
    }
    assert len(found) == 8  # and random search, which is on no curve
    curve = next(one for one in curves(result.cells, "delta_init") if one.label == "asng(lam=4)")
    assert curve.values.tolist() == STEPS
    run_id = found[f"asng(lam=4) over delta_init · {places[0]}"].info.run_id
    history = client.get_metric_history(run_id, "regret/recommended_at_30")
    assert {point.step: point.value for point in history} == pytest.approx(
        {step: cell.at(30, "recommended_regret").mean() for step, cell in zip((-100, -52, 0), curve.cells, strict=True)}
    )
    values = client.get_metric_history(run_id, "sweep/delta_init")
    assert sorted(point.value for point in values) == STEPS
    metrics = client.get_run(run_id).data.metrics
    means = [cell.at(60, "incumbent_regret").mean() for cell in curve.cells]
    recommended = [cell.at(60, "recommended_regret").mean() for cell in curve.cells]
    own = client.get_metric_history(run_id, f"{places[0]} nasbench201/regret")
    assert [point.value for point in sorted(own, key=lambda point: point.step)] == pytest.approx(recommended)
    others = {
        metric for one in found.values() if one.data.tags["benchmark"] != curve.benchmark for metric in one.data.metrics
    }
    assert f"{places[0]} nasbench201/regret" not in others, "a chart of it would show other benchmarks"
    assert metrics["at_60/best_regret"] == pytest.approx(min(means))
    assert metrics["at_60/best_delta_init"] == STEPS[int(np.argmin(means))]


def test_a_curve_is_written_anew_when_its_cells_change_and_else_left_alone(arena: Path) -> None:
    mirrored(arena)
    before = {name: run.info.run_id for name, run in summaries(arena)[1].items()}
    mirrored(arena)
    assert {name: run.info.run_id for name, run in summaries(arena)[1].items()} == before
    mirrored(arena, seeds=7)
    after = {name: run.info.run_id for name, run in summaries(arena)[1].items()}
    assert after.keys() == before.keys()
    assert not set(after.values()) & set(before.values())


def test_a_curve_with_more_values_takes_the_place_of_the_one_before(arena: Path) -> None:
    optimizer = {"name": "asng", "vary": {"delta_init": STEPS}}
    mirrored(arena, optimizers=[optimizer])
    mirrored(arena, optimizers=[{**optimizer, "vary": {"delta_init": [*STEPS, 3.0]}}])
    client, found = summaries(arena)
    for curve in found.values():
        assert len(client.get_metric_history(curve.info.run_id, "sweep/delta_init")) == 4
    assert_mirrored(arena / "swept", arena)


def test_a_value_without_an_answer_is_not_the_best(arena: Path) -> None:
    """With 40 architectures an update nothing is recommended by 30 evaluations."""
    mirrored(arena, optimizers=[{"name": "asng", "vary": {"lam": [2, 4, 40]}}], sweep="lam")
    for curve in summaries(arena)[1].values():
        assert curve.data.metrics["at_30/recommended_best_lam"] in (2, 4)
        assert curve.data.metrics["at_30/recommended_best_regret"] >= 0


def test_random_search_is_a_level_line_beside_the_curves(arena: Path) -> None:
    """Its curve over evaluations would be drawn over steps that are values of the setting."""
    result = mirrored(arena)
    client, found = summaries(arena)
    for cell in (cell for cell in result.cells if cell.optimizer == "random_search"):
        place = cell.benchmark.removeprefix("nasbench201-")
        beside, curve = (found[f"{name} · {place}"] for name in ("random_search", "asng over delta_init"))
        histories = [
            client.get_metric_history(one.info.run_id, f"{place} nasbench201/regret") for one in (beside, curve)
        ]
        level, swept = ({point.step: point.value for point in history} for history in histories)
        assert level.keys() == swept.keys() == {-100, -52, 0}
        regret = cell.at(60, "incumbent_regret").mean()
        assert list(level.values()) == pytest.approx([regret] * 3)
        assert beside.data.metrics["at_60/best_regret"] == pytest.approx(regret)
        assert beside.data.metrics["at_60/recommended_best_regret"] == pytest.approx(regret)
        assert "regret/best_seen" in beside.data.metrics
    tags = client.get_experiment_by_name("swept").tags
    assert "**asng" in tags["mlflow.note.content"].splitlines()[0]
