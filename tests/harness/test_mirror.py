"""What the mirror in MLflow says. ``test_mirror_faults.py`` tells what becomes of it when something goes wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import mlflow
import numpy as np
import pytest
from stored_runs import assert_mirrored, client_of, runs_of

from harness.run import run
from harness.running import Groups, StudyRun
from harness.store import store_uri
from harness.study import Study
from results.record import BEST_SEEN
from results.tables import BenchmarkTable, Row

NAME = "mirrored"


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": NAME,
        "optimizers": ["asng", "random_search"],
        "benchmarks": ["nasbench201(reported=validation)"],
        "seeds": 25,
        "budget": 60,
        "report_at": [20],
    }
    return Study(**(values | changes))


def mirror(arena: Path, **changes: Any) -> StudyRun:
    result = run(study(**changes), arena=arena, jobs=1)
    assert result.mirror_problem == ""
    return result


def test_a_summary_says_what_the_record_says(arena: Path) -> None:
    result = mirror(arena)
    summaries = {run.data.tags["variant"]: run for run in runs_of(arena, NAME, "summary")}
    assert set(summaries) == {"asng", "random_search"}
    for cell in result.cells:
        summary = summaries[cell.optimizer]
        metrics, params, tags = summary.data.metrics, summary.data.params, summary.data.tags
        ordered = np.sort(cell.at(20, "incumbent_regret"))
        assert metrics["at_20/regret"] == pytest.approx(ordered[6:-6].mean())
        assert metrics["at_20/regret_low"] < metrics["at_20/regret"] < metrics["at_20/regret_high"]
        assert metrics["at_60/share_at_best"] == (cell.at(60, "incumbent_regret") == 0).mean()
        accuracy = 100 - cell.at(60, "incumbent_final")
        assert metrics["final/validation"] == pytest.approx(accuracy.mean())
        assert metrics["final/validation_sd"] == pytest.approx(accuracy.std(ddof=1))
        for metric in metrics:
            history = client_of(arena).get_metric_history(summary.info.run_id, metric)
            assert len({point.step for point in history}) == len(history) <= 24
        history = client_of(arena).get_metric_history(summary.info.run_id, "regret/best_seen")
        curve = {point.step: point.value for point in history}
        assert {1, 20, 60} <= set(curve)
        assert curve[20] == metrics["at_20/regret"]
        label = cell.benchmark.removeprefix("nasbench201-")  # where there is no data folder it says less
        own = client_of(arena).get_metric_history(summary.info.run_id, f"{label} nasbench201/regret")
        assert {point.step: point.value for point in own} == curve
        assert params["seeds"] == "25"
        assert (tags["space"], tags["dataset"], tags["study"]) == ("nasbench201", "cifar10", NAME)
        assert "25 seeds" in tags["mlflow.note.content"]
        (table,) = summary.inputs.dataset_inputs
        assert (table.dataset.name, table.tags[0].value) == (cell.benchmark, "searched")
    asng, random = summaries["asng"].data, summaries["random_search"].data
    assert asng.params["optimizer.lam"] == "2"
    mode = {"regret/recommended", "at_60/recommended_regret", "final/recommended_validation"}
    assert {"asng/step_size", "asng/entropy", *mode} <= set(asng.metrics)
    assert not {name for name in random.metrics if "recommended" in name}, "it recommends the best seen"
    (report,) = runs_of(arena, NAME, "report")
    files = {file.path for file in client_of(arena).list_artifacts(report.info.run_id)}
    assert files == {"tables.txt", "results.parquet", "figures"}
    figures = {file.path for file in client_of(arena).list_artifacts(report.info.run_id, "figures")}
    assert figures == {f"figures/{figure.name}" for figure in result.figures}
    assert runs_of(arena, NAME)[0].info.run_id == report.info.run_id, "the report is on top of the list"
    assert_mirrored(result.folder, arena)


def numbers_of(table: BenchmarkTable, row: Row) -> dict[str, float]:
    """A row of a table by the metrics that hold its numbers."""
    answer = "" if row.answer == BEST_SEEN else "recommended_"
    numbers: dict[str, float] = {}
    for budget, regret in zip(table.budgets, row.regrets, strict=True):
        at = f"at_{budget}/{answer}"
        numbers |= {f"{at}regret": regret.value, f"{at}regret_low": regret.low, f"{at}regret_high": regret.high}
        numbers[f"{at}share_at_best"] = regret.share_at_best[0]
    for name, (mean, sd) in zip(("validation", *table.reports), (row.reported, *row.reports), strict=True):
        numbers |= {f"final/{answer}{name}": mean, f"final/{answer}{name}_sd": sd}
    if row.target is not None and row.success is not None and row.running_time is not None:
        numbers |= {"final/evaluations_to_target": row.target, "final/target_success": row.success}
        numbers["final/expected_running_time"] = row.running_time
    return numbers


def test_one_search_of_runs_gives_the_final_tables(arena: Path) -> None:
    """A row a cell, and in its columns every number of the cell's rows of the table."""
    benchmarks = ["nasbench201(reported=validation)", "nasbench201(dataset=cifar100, reported=validation)"]
    result = mirror(
        arena,
        benchmarks=benchmarks,
        budget=400,
        report_at=[20, 300],
        report="nasbench201(dataset=imagenet16-120, reported=validation)",
    )
    mlflow.set_tracking_uri(store_uri(arena))
    try:
        frame = mlflow.search_runs(experiment_names=[NAME], filter_string="tags.kind = 'summary'")
    finally:
        mlflow.set_tracking_uri(None)
    frame = frame.set_index(["tags.benchmark", "tags.variant"]).rename(
        columns=lambda name: name.removeprefix("metrics.")
    )
    assert sorted(frame.index) == sorted((cell.benchmark, cell.optimizer) for cell in result.cells)
    expected = {
        (table.label, row.optimizer, row.answer): numbers_of(table, row)
        for table in result.tables
        for row in table.rows
    }
    assert sorted(answer for *_, answer in expected) == ["best seen"] * 4 + ["mode"] * 2
    assert any(np.isinf(value) for numbers in expected.values() for value in numbers.values())
    for (label, optimizer, answer), numbers in expected.items():
        found = {metric: frame.loc[(label, optimizer), metric] for metric in numbers}
        finite = {metric: value if np.isfinite(value) else np.nan for metric, value in numbers.items()}
        assert found == pytest.approx(finite, rel=1e-12, nan_ok=True), answer


def test_cells_of_few_seeds_have_a_run_a_seed(arena: Path) -> None:
    result = mirror(arena, seeds=3)
    trials = [run for run in runs_of(arena, NAME, "trial") if run.data.tags["variant"] == "asng"]
    assert sorted(run.data.tags["seed"] for run in trials) == ["0", "1", "2"]
    (cell,) = (cell for cell in result.cells if cell.optimizer == "asng")
    for trial in trials:
        row = int(trial.data.tags["seed"])
        assert trial.data.metrics["final/regret"] == cell.at(60, "incumbent_regret")[row]
    mirror(arena, seeds=4)
    assert len(runs_of(arena, NAME, "trial")) == 8


def test_two_folders_that_share_a_store_leave_each_other_alone(
    arena: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror(arena)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{arena.parent / 'mlflow.db'}")
    mirror(tmp_path / "another", seeds=30)
    mirror(arena)
    assert sorted(run.data.params["seeds"] for run in runs_of(arena, NAME, "summary")) == ["25", "25", "30", "30"]


def test_a_store_that_is_none_costs_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mlflow.db").write_text("not a database", encoding="utf-8")
    result = run(study(), arena=tmp_path / "arena", jobs=1)
    assert "mlflow.db is behind" in result.mirror_problem
    assert len(result.cells) == 2


@pytest.mark.parametrize(
    ("missing", "heard"),
    [("", []), ("a", ["b c", "a"]), ("cb", ["a", "b c"]), ("cab", ["a", "b c"]), ("bb", ["a", "b c"])],
)
def test_the_mirror_hears_of_cells_as_soon_as_their_last_shard_is_there(missing: str, heard: list[str]) -> None:
    """Of those that were there before at once, unless nothing is missing: then all are looked at in the end."""
    mirror = Mock(groups=(("a",), ("b", "c")))
    shards = [Mock(**{"cell.folder": cell}) for cell in missing]
    groups = Groups(mirror, shards)
    for shard in shards:
        groups.done(shard)
    assert [" ".join(call.args[0]) for call in mirror.update.call_args_list] == heard
