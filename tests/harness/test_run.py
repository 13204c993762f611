"""A study from its definition to tables, as a user runs it from Python."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nas_arena import ArenaError, Study, StudyRun, checkpoint_frame, improvement_frame, read_study, run
from results.files import RecordError, read_json, write_atomically
from results.record import STUDY_FILE, CellRecord, read_cell, shard_files


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "small",
        "optimizers": ["asng", "random_search"],
        "benchmarks": ["nasbench201(reported=validation)"],
        "seeds": 30,
        "budget": 120,
        "report_at": [40],
    }
    return Study(**(values | changes))


def search(arena: Path, **changes: Any) -> StudyRun:
    return run(study(**changes), arena=arena, tracking=False, jobs=1)


def assert_same(one: CellRecord, other: CellRecord) -> None:
    np.testing.assert_array_equal(one.seeds, other.seeds)
    np.testing.assert_array_equal(one.checkpoints, other.checkpoints)
    for name, values in one.columns.items():
        np.testing.assert_array_equal(values, other.columns[name], err_msg=name)
    for name, values in one.improvements.items():
        np.testing.assert_array_equal(values, other.improvements[name], err_msg=name)


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> StudyRun:
    return search(tmp_path_factory.mktemp("arena"))


def test_a_run_leaves_records_tables_and_figures(done: StudyRun) -> None:
    assert not done.failures
    assert [cell.optimizer for cell in done.cells] == ["asng", "random_search"]
    (table,) = done.tables
    assert table.budgets == (40, 120)
    assert [(row.optimizer, row.answer) for row in table.rows if row.optimizer == "asng"] == [
        ("asng", "best seen"),
        ("asng", "mode"),
    ]
    (figure,) = done.figures
    assert figure.read_bytes().startswith(b"\x89PNG")
    text = (done.folder / "tables.txt").read_text(encoding="utf-8")
    assert "random_search" in text
    assert "validation accuracy" in text
    assert not list(done.folder.rglob("*.part"))


def test_records_are_readable_without_the_benchmark(done: StudyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search_spaces.registry.get_benchmark", None)
    for cell, read in zip(done.cells, read_study(done.folder), strict=True):
        assert_same(cell, read)
        about = read.about["benchmark"]
        assert [len(variable["choices"]) for variable in about["space"]["variables"]] == [5] * 6
        assert about["landmarks"]["target_count"] == 16
        assert about["edges"] == [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]
        assert read.made[0]["versions"]["nas-arena"]


def test_frames_are_tidy_and_hold_everything(done: StudyRun) -> None:
    frame = checkpoint_frame(done.cells)
    cell = done.cells[0]
    assert len(frame) == sum(cell.columns["incumbent"].size for cell in done.cells)
    row = frame[(frame.optimizer == "asng") & (frame.seed == 7) & (frame.checkpoint == 40)]
    assert len(row) == 1
    assert row.incumbent_regret.item() == cell.at(40, "incumbent_regret")[7]
    improvements = improvement_frame(done.cells)
    mine = improvements[(improvements.optimizer == "asng") & (improvements.seed == 7)]
    assert mine.regret.is_monotonic_decreasing
    assert mine.regret.iloc[-1] == cell.at(120, "incumbent_regret")[7]
    assert {"cell", "optimizer", "benchmark", "dataset"} <= set(frame) & set(improvements)


def test_more_seeds_run_only_the_missing_ones(tmp_path: Path) -> None:
    first = search(tmp_path, seeds="5-9,12")
    files = {path: path.stat().st_mtime_ns for cell in first.cells for path in shard_files(cell.folder)}
    more = search(tmp_path, seeds=30)
    for path, written in files.items():
        assert path.stat().st_mtime_ns == written
    at_once = search(tmp_path / "elsewhere", seeds=30)
    for one, other in zip(more.cells, at_once.cells, strict=True):
        assert len(shard_files(one.folder)) == 2
        assert_same(one, other)
    fewer = search(tmp_path, seeds="7,12")
    assert [cell.seeds.tolist() for cell in fewer.cells] == [[7, 12]] * 2


def test_the_order_of_seeds_does_not_matter(tmp_path: Path) -> None:
    one, other = (search(tmp_path / name, seeds=seeds).cells for name, seeds in (("a", [9, 5, 7, 0]), ("b", "0,5,7,9")))
    for cell, same in zip(one, other, strict=True):
        assert_same(cell, same)


def test_a_damaged_cell_json_is_written_anew(tmp_path: Path) -> None:
    cell = search(tmp_path).cells[0]
    for damaged in ("", "{}"):
        (cell.folder / "cell.json").write_text(damaged, encoding="utf-8")
        assert search(tmp_path).cells[0].about == cell.about


def test_a_seed_in_two_files_is_refused(tmp_path: Path) -> None:
    cell = search(tmp_path).cells[0]
    (path,) = shard_files(cell.folder)
    (cell.folder / "seeds-0-3.parquet").write_bytes(path.read_bytes())
    with pytest.raises(RecordError, match="a seed in two files"):
        search(tmp_path)


def test_a_failure_is_told_when_other_seeds_are_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search(tmp_path, optimizers=["random_search"], seeds="0-3")

    def broken(self: object, archs: object, losses: object) -> None:
        raise RuntimeError("a bug in an optimizer")

    monkeypatch.setattr("optimizers.random_search.RandomSearch._tell", broken)
    result = search(tmp_path, optimizers=["random_search"], seeds="5-6")
    assert "a bug in an optimizer" in result.failures[0][1]
    assert result.cells == []


def test_processes_give_the_same_records(done: StudyRun, tmp_path: Path) -> None:
    other = run(study(), arena=tmp_path, tracking=False, jobs=2)
    for one, same in zip(done.cells, other.cells, strict=True):
        assert_same(one, same)
        np.testing.assert_array_equal(one.distribution, same.distribution)


def test_how_seeds_are_cut_into_shards_changes_no_number(
    done: StudyRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("optimizers.base.Optimizer.most_seeds", 7)
    other = search(tmp_path)
    for one, same in zip(done.cells, other.cells, strict=True):
        assert len(shard_files(same.folder)) == 5
        assert_same(one, same)
        if one.distribution is not None:
            np.testing.assert_allclose(one.distribution, same.distribution, rtol=1e-12)


def test_cells_of_earlier_runs_are_named_as_left_over(tmp_path: Path) -> None:
    before = search(tmp_path)
    after = search(tmp_path, budget=60)
    assert after.left_over == sorted(cell.folder.name for cell in before.cells)
    assert all(cell.checkpoints[-1] == 60 for cell in after.cells)


def test_time_budgets_and_noise(tmp_path: Path) -> None:
    result = search(tmp_path, budget="20000s", report_at=[], benchmarks=["nasbench201(noise=trials)"])
    cell = result.cells[0]
    assert (cell.columns["seconds"] <= cell.checkpoints).all()
    assert len(set(cell.columns["evaluations"][:, -1].tolist())) > 1
    regret = cell.columns["incumbent_regret"]
    assert (np.diff(regret, axis=1) > 0).any(), "with noise the true regret of the best seen can rise"


def test_a_failing_shard_is_told_and_the_others_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: object, archs: object, losses: object) -> None:
        raise RuntimeError("a bug in an optimizer")

    monkeypatch.setattr("optimizers.random_search.RandomSearch._tell", broken)
    result = search(tmp_path)
    ((label, error),) = result.failures
    assert label.startswith("random_search on nasbench201-cifar10")
    assert "a bug in an optimizer" in error
    assert [cell.optimizer for cell in result.cells] == ["asng"]
    assert read_json(result.folder / STUDY_FILE)["failures"] == [[label, error]]
    monkeypatch.undo()
    assert read_json(search(tmp_path).folder / STUDY_FILE)["failures"] == []


def test_what_was_left_out_is_on_record(tmp_path: Path) -> None:
    mixed = "hpolib(dataset=protein_structure)"
    result = search(tmp_path, optimizers=["sng", "adam_sng"], benchmarks=[mixed], skip_unsuited=True)
    assert [tuple(pair) for pair in read_json(result.folder / STUDY_FILE)["skipped"]] == result.skipped
    assert result.skipped[0][0] == f"adam_sng on {mixed}"


def test_nothing_is_left_of_a_write_that_fails(tmp_path: Path) -> None:
    (tmp_path / "kept").write_text("old", encoding="utf-8")

    def fail(stream: Any) -> None:
        stream.write(b"half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_atomically(tmp_path / "kept", fail)
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept").read_text(encoding="utf-8") == "old"


def test_records_are_readable_by_others(done: StudyRun) -> None:
    path = shard_files(done.cells[0].folder)[0]
    plain = done.folder / "plain"
    plain.touch()
    assert path.stat().st_mode == plain.stat().st_mode


def test_damaged_and_newer_records_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = search(tmp_path).cells[0]
    (path,) = shard_files(cell.folder)
    monkeypatch.setattr("results.record.RECORD_VERSION", 0)
    with pytest.raises(RecordError, match="newer NAS Arena"):
        read_cell(cell.folder)
    monkeypatch.undo()
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(RecordError, match="delete it and run the study again"):
        read_cell(cell.folder)
    with pytest.raises(RecordError, match="cannot read"):
        read_study(tmp_path / "nothing")
    (cell.folder / "cell.json").write_text("{", encoding="utf-8")
    with pytest.raises(RecordError, match="cannot read"):
        read_cell(cell.folder)


def test_what_cannot_run_writes_nothing(tmp_path: Path) -> None:
    with pytest.raises(ArenaError, match="did you mean 'asng'"):
        search(tmp_path, optimizers=["asgn"])
    with pytest.raises(ArenaError, match="jobs must be at least 1"):
        run(study(), arena=tmp_path, jobs=0)
    assert not list(tmp_path.iterdir())


def test_cell_json_says_what_the_cell_is(done: StudyRun) -> None:
    about = json.loads((done.cells[0].folder / "cell.json").read_text(encoding="utf-8"))
    assert about["identity"]["optimizer"]["settings"] == {
        "alpha": 1.5,
        "delta_init": 1.0,
        "utility": "quarter",
        "theta_min": 1.0,
        "lam": 2,
    }
    assert about["identity"]["budget"] == {"evaluations": 120}
    assert set(about["identity"]["benchmark"]["checksums"]) == {"cifar10.pkl"}
    assert about["optimizer"]["defaults"]["lam"] == 2
    assert done.cells[0].folder.name.endswith(about["id"])
