"""A mirror that is cut off at any of its calls to MLflow, by its own end or the store's, comes out right."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from store_calls import Calls, GoneError, KilledError
from stored_runs import assert_mirrored

from harness.run import run
from harness.study import Study
from harness.sync import sync

NAME = "dies"


def search(arena: Path, seeds: int) -> None:
    optimizers, benchmark = ["asng", "random_search"], "nasbench201(reported=validation)"
    study = Study(name=NAME, optimizers=optimizers, benchmarks=[benchmark], seeds=seeds, budget=5)
    run(study, arena=arena, jobs=1, tracking=False)


def mended(arena: Path) -> None:
    assert sync(arena / NAME, arena).problem == ""
    assert_mirrored(arena / NAME, arena)


@pytest.fixture
def behind(arena: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Sets the store back to where it is behind the folder: old runs are to be replaced, and others are missing.

    What a run draws is left out, as that takes most of the time.
    """
    monkeypatch.setattr("harness.study_runs.drawer", lambda: lambda cell, index: b"<svg/>")
    search(arena, 1)
    mended(arena)
    search(arena, 2)
    store, saved = arena.parent / "mlflow.db", arena.parent / "saved.db"

    def copy(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
            old.backup(new)

    copy(store, saved)
    return lambda: copy(saved, store)


EVERY_CALL = {  # in the one mirror that is interrupted: two trials, two summaries, the report
    "create_run": 5,
    "log_batch": 5,
    "log_inputs": 2,
    "log_artifact": 6,  # three drawings, the table, the data, a figure
    "set_terminated": 5,
    "delete_run": 3,
    "set_experiment_tag": 6,  # the description, and twice what it is; two views; the state
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mirror_that_dies_at_any_call_comes_out_right(
    arena: Path, behind: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before every call to MLflow that writes once: with old runs to replace, so that deleting is among them."""
    calls, died = Calls(monkeypatch), list[str]()
    for last in range(1, 100):
        behind()
        calls.fail(lambda number, last=last: KilledError() if number == last else None)  # type: ignore[misc]
        sync(arena / NAME, arena)
        if len(calls.made) < last:
            break
        died.append(calls.made[-1])
        assert len(calls.made) == last, "it went on after it had died"
        calls.fail(lambda number: None)
        mended(arena)
    assert Counter(died) == EVERY_CALL


def test_a_call_that_fails_once_is_made_up_for_at_once(
    arena: Path, behind: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Any that is about a run; the experiment's page comes last, and its next chance is the next time."""
    calls, late = Calls(monkeypatch), Counter[str]()
    for once in range(1, sum(EVERY_CALL.values()) + 1):
        behind()
        calls.fail(lambda number, once=once: GoneError("for a moment") if number == once else None)  # type: ignore[misc]
        problem = sync(arena / NAME, arena).problem
        if problem:
            assert "is behind: for a moment; " in problem
            late[calls.made[once - 1]] += 1
            calls.fail(lambda number: None)
            mended(arena)
        assert_mirrored(arena / NAME, arena)
    assert late == {"set_experiment_tag": 4}


@pytest.mark.parametrize("reached", [0, 4, 11])
def test_a_store_that_is_gone_from_some_call_on_is_left_alone(
    arena: Path, behind: Callable[[], None], monkeypatch: pytest.MonkeyPatch, reached: int
) -> None:
    """A server that does not answer lets every call wait, so few of them may be made."""
    calls = Calls(monkeypatch)
    behind()
    calls.fail(lambda number: GoneError("no answer") if number > reached else None)
    assert "is behind: no answer; " in sync(arena / NAME, arena).problem
    assert len(calls.made) == reached + 3
    calls.fail(lambda number: None)
    mended(arena)


def test_a_mirror_that_dies_before_there_is_an_experiment(arena: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    search(arena, 1)
    calls = Calls(monkeypatch)
    calls.fail(lambda number: GoneError("no answer"))
    assert "is behind: no answer; " in sync(arena / NAME, arena).problem
    assert calls.made == ["create_experiment"]
    calls.fail(lambda number: None)
    mended(arena)
