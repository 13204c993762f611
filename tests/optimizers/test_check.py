"""``check_optimizer`` finds every way to break the contract, tells it by the right check, and passes what is right."""

from __future__ import annotations

import random
from importlib import metadata
from typing import Any

import broken_interfaces
import broken_runs
import numpy as np
import pytest
import right_optimizers as right

from harness.check import check_optimizer
from optimizers import check as contract
from optimizers.check import MIXED, PLAIN, categorical
from optimizers.random_search import RandomSearch
from optimizers.regularized_evolution import RegularizedEvolution
from search_spaces.errors import ArenaError, OrdinalsUnsupported

WAYS = [
    cls
    for module in (broken_interfaces, broken_runs)
    for cls in vars(module).values()
    if getattr(cls, "__module__", "") == module.__name__
]


@pytest.mark.parametrize("cls", WAYS, ids=lambda cls: cls.__name__)
def test_each_way_to_break_the_contract_is_found_by_its_check_alone(cls: Any) -> None:
    report = check_optimizer(cls)
    assert [result.name for result in report.violated] == [cls.check], str(report)
    (result,) = report.violated
    assert result.found
    assert result.expected
    # the example fails with the class, and passes with the right class that it derives from
    with pytest.raises(Exception):  # noqa: B017, PT011 whatever the class does wrong
        exec(compile(result.example, "example", "exec"), {})
    base = next(base for base in cls.__mro__ if base.__module__ == right.__name__)
    mended = result.example.replace(
        f"from {cls.__module__} import {cls.__name__}",
        f"from {base.__module__} import {base.__name__} as {cls.__name__}",
    )
    exec(compile(mended, "example", "exec"), {})


def test_every_check_is_needed_by_a_class_that_breaks_it() -> None:
    checks = [entry.function.__name__ for entry in [*contract.class_checks({}), *contract.ENTRIES]]
    assert len(set(checks)) == len(checks)
    assert {cls.check for cls in WAYS} == set(checks)


@pytest.mark.parametrize("cls", [right.HillClimber, right.PBIL, right.OfCategoriesAlone], ids=lambda cls: cls.__name__)
def test_right_classes_pass(cls: Any) -> None:
    report = check_optimizer(cls)
    report.raise_if_violated()
    assert {result.outcome for result in report.results} == {"passed", "skipped"}
    assert all(result.found.startswith("as ") for result in report.skipped)
    assert not any(result.example for result in report.results)
    version = metadata.version("nas-arena")
    count, numpy = len(report.passed), np.__version__
    name = f"right_optimizers:{cls.__name__}"
    assert str(report).splitlines()[-1] == report.summary
    assert report.summary == (
        f"{name} passes nas-arena check {version} (optimizer contract, {count} checks, numpy {numpy})"
    )


def test_settings_are_checked_with_and_named() -> None:
    report = check_optimizer(right.PBIL, lam=1, rate=0.5)
    report.raise_if_violated()
    assert report.summary.startswith("right_optimizers:PBIL(lam=1, rate=0.5) passes")


def test_an_example_gives_the_settings_too() -> None:
    (result,) = check_optimizer(broken_runs.MeanOverAllSeeds, lam=5).violated
    assert "make = partial(MeanOverAllSeeds, lam=5)" in result.example
    with pytest.raises(AssertionError, match="step"):
        exec(compile(result.example, "example", "exec"), {})


def test_ours_go_by_their_name() -> None:
    assert check_optimizer(RandomSearch).subject == "random_search"


def test_several_violations_are_all_told() -> None:
    class Worse(broken_interfaces.VersionOfText, broken_runs.RecommendsTheWorst, broken_interfaces.AsksTwice):
        pass

    report = check_optimizer(Worse)
    names = [result.name for result in report.violated]
    assert names == ["attributes", "second_ask_is_refused", "best_seen_is_recommended"]
    assert "# with the class Worse" in report.violated[0].example  # nothing that could be imported
    assert report.summary.startswith(f"Worse violates 3 of {len(report.passed) + 3} checks")
    with pytest.raises(AssertionError) as raised:
        report.raise_if_violated()
    for result in report.violated:
        for part in (f"{result.name} is violated", *result.example.splitlines()):
            assert part in str(raised.value)


def test_what_follows_from_a_violation_is_not_told_again() -> None:
    """One that raises in every ask() is told once, and what could not be checked is named."""
    report = check_optimizer(broken_interfaces.NoAxisOfTheBatch)
    held_back = [result.name for result in report.skipped if "until ask_gives_architectures is mended" in result.found]
    assert {"batch_invariance", "second_ask_is_refused", "restored_states_go_on"} <= set(held_back)
    assert "_ask must give int64 [B, V, columns] = [B, 1, 2], not int64 [1, 2]" in report.violated[0].found


def test_an_example_is_as_small_as_can_be() -> None:
    (result,) = check_optimizer(broken_runs.ExponentialWeights).violated
    assert "steps = 1\n" in result.example
    assert "SearchSpace([Categorical(" in result.example
    assert result.example.count("Categorical(") == 1
    assert len(result.example.splitlines()) < 20


def test_the_users_own_random_numbers_are_left_alone() -> None:
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    expected = np.random.random(), random.random()  # noqa: NPY002
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)
    check_optimizer(broken_runs.SeedsNumpy)
    assert (np.random.random(), random.random()) == expected  # noqa: NPY002


@pytest.mark.parametrize(
    ("cls", "settings", "message"),
    [
        (right.PBIL, {"rat": 0.5}, "unknown setting of PBIL 'rat'; did you mean 'rate'"),
        (right.PBIL, {"rate": "half"}, "setting of PBIL 'rate': input should be a valid number"),
        (RegularizedEvolution, {"population": 0}, "population must be at least 1"),
        (dict, {}, "derives from Optimizer"),
        (right.PBIL(PLAIN, [0]), {}, "derives from Optimizer"),
    ],
    ids=["unknown setting", "wrong type", "refused value", "no optimizer", "no class"],
)
def test_what_cannot_be_checked_is_an_error(cls: Any, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        check_optimizer(cls, **settings)


def test_spaces_with_ordinals_are_refused_by_a_class_of_categories_alone() -> None:
    with pytest.raises(OrdinalsUnsupported) as raised:
        right.OfCategoriesAlone(MIXED, [0])
    assert str(raised.value) == (
        "OfCategoriesAlone takes categorical variables only, and this space has the ordinals v0, v2; "
        "search it with ordinals=categorical where the benchmark offers it"
    )
    right.OfCategoriesAlone(MIXED.opened(), [0]).ask()


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (lambda archs: archs.astype(np.float64), "float64 [1, 3, 2]"),
        (lambda archs: archs[0], "int64 [3, 2]"),
        (lambda archs: archs[:, :2], "int64 [1, 2, 2]"),
        (lambda archs: archs[:, :, :1], "int64 [1, 3, 1]"),
        (lambda archs: archs[:0], "int64 [0, 3, 2]"),
        (lambda archs: archs.tolist(), "list"),
        (lambda archs: None, "NoneType"),
    ],
    ids=["dtype", "axes", "variables", "columns", "empty", "list", "nothing"],
)
def test_an_author_is_told_which_array_a_method_must_give(given: Any, found: str) -> None:
    class Mine(right.HillClimber):
        def _ask(self):
            return given(super()._ask())

        def _recommend(self):
            return super()._recommend().T

    with pytest.raises(ArenaError) as raised:
        Mine(PLAIN, [0]).ask()
    assert str(raised.value) == f"Mine._ask must give int64 [B, V, columns] = [B, 3, 2], not {found}"
    with pytest.raises(ArenaError) as raised:
        Mine(PLAIN, [0]).recommend()
    assert str(raised.value) == "Mine._recommend must give int64 [V, columns] = [3, 2], not int64 [2, 3]"


@pytest.mark.parametrize("seeds", [[0], [0, 1, 2]])
def test_what_crosses_the_interface_is_new_memory(seeds: list[int]) -> None:
    """Also of a space with one variable, where the inner array and the outer have the same order in memory."""

    class Keeps(right.HillClimber):
        def _tell(self, archs, losses):
            self.taken = archs
            super()._tell(archs, losses)

        def _load(self, state):
            self.taken = state["best_loss"]
            super()._load(state)

    optimizer = Keeps(categorical(4), seeds)
    archs = optimizer.ask()
    optimizer.tell(archs, archs[..., 0] * 1.0)
    assert not np.shares_memory(optimizer.taken, archs)
    assert not np.shares_memory(optimizer.recommend(), optimizer.best.arch)
    state = optimizer.state_dict()
    assert not np.shares_memory(state["best_loss"], optimizer.best.loss)
    optimizer.load_state_dict(state)
    assert not np.shares_memory(state["best_loss"], optimizer.taken)
