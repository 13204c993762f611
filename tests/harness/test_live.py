"""Trials that grow in MLflow while their seeds are at work, and what becomes of them whatever is cut off."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Metric, Run, ViewType
from planted_cells import EPOCHS, begin, grow, plant, record
from store_calls import Calls, GoneError, KilledError
from stored_runs import NOTE, assert_mirrored, client_of, experiment_of, runs_of

from harness.live import LiveSeeds
from harness.mirror import Mirror, Writer
from harness.study_runs import StudyRuns
from harness.sync import sync
from harness.tracking import Experiment, connect

NAME = "oneshot"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.study_runs.drawer", lambda: lambda about, rank: b"<svg/>")  # most of the time
    monkeypatch.setattr("harness.mirror.LOOK_SECONDS", 0.02)


@pytest.fixture
def folder(arena: Path) -> Path:
    return plant(arena, {}, asked=[0])


def trials(arena: Path) -> list[Run]:
    return runs_of(arena, NAME, "trial") if client_of(arena).get_experiment_by_name(NAME) else []


def seen(arena: Path, status: str, epochs: int) -> str:
    """The id of the only trial, as soon as it is so far: each epoch once."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        found = trials(arena)
        if (
            len(found) == 1
            and found[0].info.status == status
            and epochs_of(arena, found[0]) == list(range(1, epochs + 1))
        ):
            return str(found[0].info.run_id)
        time.sleep(0.02)
    raise AssertionError([(one.info.status, epochs_of(arena, one)) for one in trials(arena)])


def epochs_of(arena: Path, run: Run) -> list[int]:
    return sorted(point.step for point in client_of(arena).get_metric_history(run.info.run_id, "loss/train"))


def writers(folder: Path, arena: Path) -> tuple[Writer, LiveSeeds]:
    """What the thread of a mirror does, to be done step by step."""
    runs = StudyRuns(folder)
    uri = f"sqlite:///{arena.parent / 'mlflow.db'}"
    return Writer(runs, Experiment(connect(uri), runs.name, runs.owner, arena)), LiveSeeds(runs)


def test_a_trial_grows_and_ends_in_the_same_run(arena: Path, folder: Path) -> None:
    cell = folder / "asng"
    with Mirror(folder) as mirror:
        begin(cell, 0)
        grow(cell, 0, 1)
        run = seen(arena, "RUNNING", 1)
        (trial,) = trials(arena)
        assert trial.info.run_name == "asng · seed 0 · digits"
        assert (trial.data.tags["variant"], trial.data.params["seed"]) == ("asng", "0")
        assert trial.data.metrics["system/cpu_utilization_percentage"] == 51
        grow(cell, 0, 2)
        assert seen(arena, "RUNNING", 2) == run
        assert "no report yet" in experiment_of(arena, NAME).tags[NOTE], "the study's page shows it"
        grow(cell, 0, 3)
        grow(cell, 0, 4)
        record(cell, 0)
        assert seen(arena, "FINISHED", EPOCHS) == run, "before its cell is finished"
        mirror.finish()
    assert mirror.problem == ""
    assert seen(arena, "FINISHED", EPOCHS) == run
    assert_mirrored(folder, arena)
    assert len(runs_of(arena, NAME, "trial", ViewType.ALL)) == 1


def test_a_seed_that_goes_on_after_a_kill_goes_on_in_its_run(arena: Path, folder: Path) -> None:
    """What its run has is read from the store, and nothing is written twice."""
    cell = folder / "asng"
    first, live = writers(folder, arena)
    begin(cell, 0)
    grow(cell, 0, 1)
    grow(cell, 0, 2)
    first.look(live)
    run = seen(arena, "RUNNING", 2)
    second, live = writers(folder, arena)
    second.look(live)
    assert seen(arena, "RUNNING", 2) == run, "a log of before is not at work until it changes"
    grow(cell, 0, 3)
    second.look(live)
    assert seen(arena, "RUNNING", 3) == run


@pytest.mark.parametrize("recorded", [False, True], ids=["at work", "on record"])
def test_another_attempt_replaces_the_run(arena: Path, folder: Path, *, recorded: bool) -> None:
    cell = folder / "asng"
    first, live = writers(folder, arena)
    begin(cell, 0)
    grow(cell, 0, 1)
    first.look(live)
    run = seen(arena, "RUNNING", 1)
    second, live = writers(folder, arena)
    begin(cell, 0, "another")
    grow(cell, 0, 1)
    if recorded:
        record(cell, 0, "another")
        second.finish()
        second.conclude()
        assert_mirrored(folder, arena)
    else:
        second.look(live)
    (trial,) = trials(arena)
    assert trial.info.run_id != run
    assert trial.data.tags["arena.live"] == "another"
    assert seen(arena, "FINISHED" if recorded else "RUNNING", EPOCHS if recorded else 1)


def test_a_run_with_a_point_of_its_own_is_written_anew(arena: Path, folder: Path) -> None:
    cell = folder / "asng"
    first, live = writers(folder, arena)
    begin(cell, 0)
    grow(cell, 0, 1)
    first.look(live)
    run = seen(arena, "RUNNING", 1)
    client_of(arena).log_batch(run, metrics=[Metric("loss/train", 0.5, 0, 9)])
    record(cell, 0)
    assert sync(folder, arena).problem == ""
    assert_mirrored(folder, arena)
    assert seen(arena, "FINISHED", EPOCHS) != run


def test_a_seed_that_fails_ends_its_run_and_the_next_attempt_replaces_it(arena: Path, folder: Path) -> None:
    cell = folder / "asng"
    begin(cell, 0)
    grow(cell, 0, 1)
    with Mirror(folder) as mirror:
        grow(cell, 0, 2)
        run = seen(arena, "RUNNING", 2)
        plant(arena, {}, asked=[0], failures=[["asng, seed 0", "out of memory"]])
        mirror.finish()
    assert seen(arena, "FAILED", 2) == run
    assert_mirrored(folder, arena)
    with Mirror(folder) as mirror:
        time.sleep(0.1)
        assert seen(arena, "FAILED", 2) == run, "it is not at work again yet"
        begin(cell, 0, "second")
        grow(cell, 0, 1)
        assert seen(arena, "RUNNING", 1) != run
        record(cell, 0, "second")
        mirror.finish()
    assert_mirrored(folder, arena)


def test_an_append_that_fails_is_made_up_for_at_the_next_look(
    arena: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that fails after it was written, of which nobody knows."""
    cell, calls = folder / "asng", Calls(monkeypatch)
    writer, live = writers(folder, arena)
    begin(cell, 0)
    grow(cell, 0, 1)
    writer.look(live)
    run = seen(arena, "RUNNING", 1)
    calls.fail(lambda number: GoneError("for a moment") if number == 1 else None)
    grow(cell, 0, 2)
    writer.look(live)
    assert seen(arena, "RUNNING", 1) == run
    writer.look(live)
    assert seen(arena, "RUNNING", 2) == run

    original = MlflowClient.log_batch

    def answers_too_late(self: MlflowClient, *arguments: object, **settings: object) -> None:
        original(self, *arguments, **settings)
        raise GoneError("no answer")

    monkeypatch.setattr(MlflowClient, "log_batch", answers_too_late)
    grow(cell, 0, 3)
    writer.look(live)
    monkeypatch.setattr(MlflowClient, "log_batch", original)
    grow(cell, 0, 4)
    writer.look(live)
    assert seen(arena, "RUNNING", 4) == run


def test_a_store_that_is_gone_is_left_alone_after_three_looks(
    arena: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    calls.fail(lambda number: GoneError("no answer") if number > 1 else None)  # the first makes the experiment
    with Mirror(folder) as mirror:
        begin(folder / "asng", 0)
        grow(folder / "asng", 0, 1)
        end = time.monotonic() + 20
        while not mirror.problem and time.monotonic() < end:
            time.sleep(0.02)
    assert "is behind: no answer; " in mirror.problem
    assert calls.made == ["create_experiment", *["create_run"] * 3]


@pytest.fixture
def anew(arena: Path) -> Callable[[], Path]:
    """Sets folder and store back to before anything was at work."""
    folder = plant(arena, {}, asked=[0])
    store, saved = arena.parent / "mlflow.db", arena.parent / "saved.db"
    writers(folder, arena)

    def copy(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)

    def again() -> Path:
        copy(saved, store)
        shutil.rmtree(folder)
        return plant(arena, {}, asked=[0])

    copy(store, saved)
    return again


def at_work(folder: Path, arena: Path) -> None:
    """A seed that is watched, goes on record, and is mirrored."""
    cell = folder / "asng"
    writer, live = writers(folder, arena)
    begin(cell, 0)
    for epoch in range(1, EPOCHS + 1):
        grow(cell, 0, epoch)
        if epoch in (1, 3):
            writer.look(live)
    record(cell, 0)
    writer.look(live)
    writer.finish()
    writer.conclude()


EVERY_CALL = {  # a trial that starts, grows and ends; a summary, the report
    "create_run": 3,
    "log_batch": 5,
    "log_artifact": 3,  # two drawings, the data
    "set_terminated": 3,
}


def test_a_mirror_that_dies_at_any_call_comes_out_right(
    arena: Path, anew: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The study's page is left out: ``test_mirror_dies.py`` has it."""
    monkeypatch.setattr(Experiment, "describe", lambda self, make, state: None)
    calls, died = Calls(monkeypatch), list[str]()
    for last in range(1, 100):
        folder = anew()
        calls.fail(lambda number, last=last: KilledError() if number == last else None)  # type: ignore[misc]
        try:
            at_work(folder, arena)
        except KilledError:
            died.append(calls.made[-1])
        else:
            break
        calls.fail(lambda number: None)
        writer, _ = writers(folder, arena)
        writer.finish()
        writer.conclude()
        assert_mirrored(folder, arena, page=False)
    assert Counter(died) == EVERY_CALL
