"""Studies of the toy problem, from a file to the table, the records and the mirror."""

from __future__ import annotations

import json
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_lines import Fails
from mlflow import MlflowClient
from stored_runs import assert_mirrored, runs_of

from harness.cli import main
from harness.running import StudyRun
from harness.study import Study
from harness.toy import ToyProblem, run_toy
from harness.toy_run import missing_trials, run_toy_study
from harness.toy_study import ToyCell, ToyStudy
from optimizers.asng import ASNG
from results.published import toy_reference
from results.record import seeds_on_record
from results.report.gather import read_folder
from results.toy_record import ToyRecord, read_trials
from search_spaces.errors import ArenaError

SMALL = "variables = 8, values = 4, iterations = 400, eta_x = 0.02"
FILE = f"""
kind = "toy"
description = "small"
seeds = 8
optimizers = [
    {{ name = "asng", {SMALL}, vary = {{ k = [0, 0.5] }} }},
    {{ name = "sng", {SMALL}, delta_init = 0.0001 }},
    {{ name = "cga", {SMALL}, seeds = 3 }},
]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "small.toml"
    path.write_text(FILE, encoding="utf-8")
    return path


def run(file: Path, arena: Path, seeds: Any = None, **how: Any) -> StudyRun:
    return run_toy_study(ToyStudy.load(str(file)).replaced(seeds), arena=arena, **{"jobs": 1, "tracking": False, **how})


def records(study: ToyStudy, folder: Path) -> list[ToyRecord]:
    return [read_trials(folder / cell.folder, cell.seeds_of(study.seeds)) for cell in study.cells]


def test_the_command_runs_what_is_missing_and_prints_the_table(
    file: Path, arena: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", str(file), "--jobs=1"])
    assert not end.value.code
    printed = capsys.readouterr().out
    folder = arena / "small"
    text = (folder / "toy.txt").read_text(encoding="utf-8")
    assert text.strip() in printed
    assert "1/8" in text, "with a step of .0001 only luck helps"
    assert (folder / "figures" / "iterations.png").stat().st_size > 5000
    study = ToyStudy.load(str(file))
    assert missing_trials(study, folder) == []
    assert json.loads((folder / "study.json").read_text())["cells"] == [cell.folder for cell in study.cells]

    first, *_, cga = records(study, folder)
    expected = run_toy(
        ToyProblem(variables=8, values=4, iterations=400, eta_x=0.02), ASNG, {"delta_init": 1.0}, range(8)
    )
    for field in fields(expected):
        values = first.seeds if field.name == "seeds" else first.columns[field.name]
        np.testing.assert_array_equal(values, getattr(expected, field.name), field.name)
    assert cga.seeds.tolist() == [0, 1, 2]
    assert {"commit", "cpu_seconds", "machine"} <= set(first.made[0])

    client = MlflowClient(tracking_uri=f"sqlite:///{arena.parent / 'mlflow.db'}")
    experiment = client.get_experiment_by_name("small")
    assert experiment is not None
    runs = {run.info.run_name: run for run in client.search_runs([experiment.experiment_id])}
    assert set(runs) == {
        "report of small",
        "asng · k 0, eta_x 0.02",
        "asng · k 0.5, eta_x 0.02",
        "sng(delta_init=0.0001) · eta_x 0.02",
        "cga · eta_x 0.02",
    }
    asng = runs["asng · k 0, eta_x 0.02"].data
    assert asng.metrics["final/success"] == np.isfinite(expected.by_loss).mean()
    assert asng.metrics["iterations/median"] == np.sort(expected.by_loss)[3]
    assert asng.metrics["step_size/lowest"] == expected.step_size_low.min()
    assert asng.params["problem.eta_x"] == "0.02"
    assert asng.params["optimizer.lam"] == "2"
    failed = runs["sng(delta_init=0.0001) · eta_x 0.02"].data
    assert failed.metrics["final/success"] == 1 / 8
    assert "iterations/median" not in failed.metrics, "it is infinite"
    assert "step_size/lowest" not in failed.metrics
    assert runs["cga · eta_x 0.02"].data.params["seeds"] == "3"
    assert_mirrored(folder, arena)


def test_more_seeds_run_only_the_new_ones(file: Path, tmp_path: Path) -> None:
    result = run(file, tmp_path / "arena", seeds=3)
    study = ToyStudy.load(str(file))
    shards = missing_trials(study, result.folder)
    assert [shard.seeds for shard in shards] == [(3, 4, 5, 6, 7)] * 3, "cga has the three that it gets"
    run(file, tmp_path / "arena")
    at_once = run(file, tmp_path / "at_once", jobs=2)
    for one, other in zip(records(study, result.folder), records(study, at_once.folder), strict=True):
        np.testing.assert_array_equal(one.seeds, other.seeds)
        for name, values in one.columns.items():
            np.testing.assert_array_equal(values, other.columns[name], name)
    fewer = read_trials(result.folder / study.cells[0].folder, [5, 2])
    assert fewer.seeds.tolist() == [2, 5]


def test_a_row_that_fails_is_named_and_the_others_go_on(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("broken on purpose")

    monkeypatch.setattr("optimizers.sng.SNG._tell", broken)
    result = run(file, tmp_path / "arena")
    ((name, error),) = result.failures
    assert name == "sng(delta_init=0.0001), eta_x 0.02"
    assert "broken on purpose" in error
    study = ToyStudy.load(str(file))
    assert [len(seeds_on_record(result.folder / cell.folder)) for cell in study.cells] == [8, 8, 0, 3]
    assert "sng(" not in result.texts[0].read_text(encoding="utf-8")


def test_rows_that_a_study_no_longer_names_are_left_over(file: Path, tmp_path: Path) -> None:
    run(file, tmp_path / "arena", seeds=2)
    file.write_text(FILE.replace("[0, 0.5]", "[0]"), encoding="utf-8")
    (left,) = run(file, tmp_path / "arena", seeds=2).left_over
    assert left.startswith("asng-k-0.5-eta-x-0.02-")


def test_a_row_that_gets_fewer_seeds_than_before(file: Path, arena: Path) -> None:
    """What it had is still on record, and no part of the study any more: in the table, in the report and in MLflow."""
    file.write_text(FILE.replace(", seeds = 3", ""), encoding="utf-8")
    run(file, arena)
    file.write_text(FILE, encoding="utf-8")
    result = run(file, arena, tracking=True)
    assert result.mirror_problem == ""
    assert "3/3" in result.texts[0].read_text(encoding="utf-8")
    assert [len(record.seeds) for record in read_folder(result.folder).trials] == [8, 8, 8, 3]
    told = {run.data.tags["variant"]: run.data.params["seeds"] for run in runs_of(arena, "small", "summary")}
    assert told == {"asng": "8", "sng(delta_init=0.0001)": "8", "cga": "3"}
    assert_mirrored(result.folder, arena)


def test_k_is_a_way_to_write_the_initial_step() -> None:
    def cell(**settings: Any) -> ToyCell:
        (made,) = ToyStudy.of({"name": "one", "seeds": 1, "optimizers": [{"name": "asng", **settings}]}).cells
        return made

    by_k = cell(k=0.5)
    assert dict(by_k.settings)["delta_init"] == pytest.approx(120**-0.5)
    assert by_k.id == cell(delta_init=120**-0.5).id
    assert by_k.label == "asng"
    assert len({by_k.id, cell(k=1).id, cell(k=0.5, eta_x=0.1).id, cell(k=0.5, alpha=2).id}) == 4


def test_the_bundled_study_has_a_row_for_every_number_to_compare_with() -> None:
    study = ToyStudy.load("step_size_toy")
    rows = {(cell.label, cell.k, cell.problem.eta_x) for cell in study.cells}
    reference = toy_reference()
    assert rows == {(row["optimizer"], row["k"], row["eta_x"]) for row in reference["rows"]}
    assert len(study.cells) == len(rows) == 31
    assert len(study.seeds) == 100
    compared = [row for row in reference["rows"] if "quartiles" in row and row["eta_x"] > 0.001]
    assert len(compared) == 21
    for cell in study.cells:
        assert {name: getattr(cell.problem, name) for name in reference["problem"]} == reference["problem"]


BAD_FILES: list[tuple[str, str, str]] = [  # what the file holds, what the line must name, how it must tell the mend
    (FILE + "budget = 3", "'budget'", "known: description, name, optimizers, seeds"),
    (FILE.replace("seeds = 8", ""), "'seeds'", "it needs optimizers and seeds"),
    (FILE.replace("seeds = 8", "seeds = 0"), "seeds is 0", "at least 1"),
    (FILE.replace('kind = "toy"', 'kind = "tyo"'), "'tyo'", "did you mean 'toy'?"),
    (
        FILE.replace('"cga"', '"regularized_evolution"'),
        "regularized_evolution",
        "cannot be sampled from and told losses",
    ),
    (FILE.replace('"cga"', '"cag"'), "'cag'", "did you mean 'cga'?"),
    (FILE.replace("[0, 0.5]", '["a"]'), "'a'", "k must be a number"),
    (FILE.replace("[0, 0.5]", "[0, 0]"), "asng, k 0, eta_x 0.02", "twice"),
    (FILE.replace("delta_init", "k = 1, delta_init"), "k = 1", "delta_init is given too; leave one of them out"),
    (FILE.replace('"cga"', '"cga", k = 1'), "k = 1", "cga has no such setting"),
    (FILE.replace("values = 4", "values = 1"), "not 1", "at least 2"),
    (FILE.replace("values = 4", "values = 2.5"), "'values'", "valid integer"),
    (FILE.replace("eta_x", "eta_y"), "'eta_y'", "setting of asng"),
]


@pytest.mark.parametrize(("content", "named", "mend"), BAD_FILES)
def test_bad_files(fails: Fails, folder: Path, content: str, named: str, mend: str) -> None:
    (folder / "bad.toml").write_text(content, encoding="utf-8")
    line = fails("run", "bad.toml")
    assert named in line
    assert mend in line


def test_options_that_a_toy_study_has_no_use_for(fails: Fails) -> None:
    assert "neither a budget nor benchmarks" in fails("run", "step_size_toy", "--budget=100")
    assert "jobs must be at least 1" in fails("run", "step_size_toy", "--jobs=0")
    with pytest.raises(ArenaError, match="run it with 'nas-arena run step_size_toy'"):
        Study.load("step_size_toy")
