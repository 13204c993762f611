"""Studies: what they accept, what they expand into, what the identity of a cell covers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.run import missing_shards
from harness.study import Study, parse_budget, parse_seeds
from harness.study_file import bundled_studies, read_study_file
from harness.tabular import Budget
from results.record import seeds_on_record
from search_spaces.errors import ArenaError


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "mine",
        "optimizers": ["asng"],
        "benchmarks": ["nasbench201(reported=validation)"],
        "seeds": 3,
        "budget": 50,
    }
    return Study(**(values | changes))


def identity(**changes: Any) -> str:
    (cell,) = study(**changes).cells()
    return cell.id


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("3", (0, 1, 2)),
        (3, (0, 1, 2)),
        ("5-9,12", (5, 6, 7, 8, 9, 12)),
        ("0-2", (0, 1, 2)),
        ([4, 2], (2, 4)),
        (range(2), (0, 1)),
    ],
)
def test_seeds(given: Any, expected: tuple[int, ...]) -> None:
    assert parse_seeds(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (1000, Budget("evaluations", 1000)),
        ("1000", Budget("evaluations", 1000)),
        ("12000s", Budget("seconds", 12000)),
        ({"evaluations": 5}, Budget("evaluations", 5)),
        ({"seconds": 5}, Budget("seconds", 5)),
    ],
)
def test_budgets(given: Any, expected: Budget) -> None:
    assert parse_budget(given) == expected


def test_a_cell_is_the_same_however_its_settings_are_written() -> None:
    """Defaults filled in, any order, a table or a string, an integer where a float is meant."""
    assert identity() == identity(optimizers=["asng(lam=2)"]) == identity(optimizers=[{"name": "asng", "alpha": 1.5}])
    assert identity(optimizers=["asng(lam=8, alpha=2)"]) == identity(optimizers=["asng(alpha=2.0, lam=8)"])
    assert identity(benchmarks=["nasbench201(reported=validation)"]) == identity(
        benchmarks=["nasbench201(dataset=cifar10, epochs=200, reported=validation)"]
    )


def test_seeds_and_names_are_no_part_of_the_identity() -> None:
    assert identity() == identity(seeds=100) == identity(name="other", description="another")


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizers": ["asng(lam=3)"]},
        {"optimizers": ["random_search"]},
        {"benchmarks": ["nasbench201(dataset=cifar100, reported=validation)"]},
        {"benchmarks": ["nasbench201(reported=validation, noise=trials)"]},
        {"budget": 51},
        {"budget": {"seconds": 50_000}},
        {"report_at": [10]},
        {"time_factor": 1.0},
    ],
    ids=str,
)
def test_what_changes_numbers_changes_the_identity(changes: dict[str, Any]) -> None:
    assert identity(**changes) != identity()


def test_the_version_of_an_optimizer_is_part_of_the_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    before = identity()
    monkeypatch.setattr("optimizers.asng.ASNG.version", 100)
    assert identity() != before


def test_the_version_of_the_package_behind_an_optimizer_is_part_of_the_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before, other = identity(optimizers=["cmaes"]), identity()
    monkeypatch.setattr("importlib.metadata.version", lambda package: {"cmaes": "0.13.99"}[package])
    assert identity(optimizers=["cmaes"]) != before
    assert identity() == other


@pytest.mark.usefixtures("data_folder")
def test_the_data_that_was_read_is_part_of_the_identity() -> None:
    """With the data folder "auto" reports test accuracy, without it validation: two different cells."""
    with_data = identity(benchmarks=["nasbench201"])
    assert with_data == identity(benchmarks=["nasbench201(reported=test)"])
    assert with_data != identity()


@pytest.mark.parametrize("name", sorted(name for name in bundled_studies() if "kind" not in read_study_file(name)))
@pytest.mark.usefixtures("data_folder")
def test_bundled_studies_expand(name: str) -> None:
    loaded = Study.load(name)
    assert loaded.name == name
    assert loaded.description
    assert len(loaded.cells()) == len(loaded.optimizers) * len(loaded.benchmarks)


def test_labels_name_what_differs_from_the_defaults() -> None:
    cells = study(optimizers=["asng(lam=2)", "asng(lam=8)"], benchmarks=["nasbench201(noise=trials)"]).cells()
    assert [cell.optimizer_label for cell in cells] == ["asng", "asng(lam=8)"]
    assert {cell.benchmark_label for cell in cells} == {"nasbench201-cifar10-trials"}


@pytest.mark.usefixtures("data_folder")
def test_benchmarks_that_report_another_number_have_another_label() -> None:
    """In one table they would print a validation accuracy as a test accuracy."""
    cells = study(benchmarks=["nasbench201(reported=test)", "nasbench201(reported=validation)"]).cells()
    labels = ["nasbench201-cifar10", "nasbench201-cifar10-reported-validation"]
    assert [cell.benchmark_label for cell in cells] == labels


def test_a_name_is_the_same_however_it_is_spelled() -> None:
    (plain,) = study().cells()
    (spelled,) = study(
        optimizers=["optimizers.asng:ASNG"], benchmarks=["search_spaces.nasbench201:NASBench201(reported=validation)"]
    ).cells()
    assert spelled == plain
    assert spelled.stream == plain.stream == "nasbench201/cifar10"


def test_a_class_that_a_function_made_keeps_its_given_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = """
from optimizers.random_search import RandomSearch
def make():
    class Made(RandomSearch):
        pass
    return Made
Mine = make()
"""
    (tmp_path / "made.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    (cell,) = study(optimizers=["made:Mine"]).cells()
    assert cell.optimizer == "made:Mine"
    assert cell.make_optimizer((0,)).ask().shape == (1, 1, 6)


def test_noise_is_named_in_words() -> None:
    (cell,) = study(benchmarks=["nasbench201(noise=trials)"]).cells()
    assert "single recorded trials" in cell.describe()["benchmark"]["wording"]["searched"]


def test_a_budget_that_ends_no_evaluation() -> None:
    with pytest.raises(ArenaError, match="no evaluation ends within 50 s"):
        identity(budget="50s")


def test_another_unit_of_the_budget_drops_the_named_ones() -> None:
    assert study(budget=1000, report_at=[100]).replaced(budget="12000s").report_at == ()


def test_a_changed_budget_drops_the_named_ones_past_it() -> None:
    whole = study(budget=1000, report_at=[100, 300])
    assert whole.replaced(budget="200", seeds=None).report_at == (100,)
    assert whole.replaced(seeds="2").seeds == (0, 1)
    assert whole.replaced(seeds="2").budget == whole.budget


def test_only_missing_seeds_are_searched_and_shards_stay_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cells = study(seeds=1200).cells()
    monkeypatch.setattr("harness.run.seeds_on_record", lambda folder: set(range(100)))
    shards = missing_shards(cells, range(1200), tmp_path)
    assert [len(shard.seeds) for shard in shards] == [512, 512, 76]
    assert {seed for shard in shards for seed in shard.seeds} == set(range(100, 1200))
    long = study(budget=1_000_000).cells()
    assert {len(shard.seeds) for shard in missing_shards(long, range(100, 110), tmp_path)} == {2}


def test_a_folder_without_shards_has_no_seeds(tmp_path: Path) -> None:
    assert seeds_on_record(tmp_path / "nothing") == set()


def test_a_default_that_depends_on_the_space_is_what_it_comes_to() -> None:
    """So that the same search is one cell however it is written, and a label names what was changed."""
    both = ["nasbench201", "hpolib"]
    plain, spelled, other = (
        study(optimizers=[f"asng{given}"], benchmarks=both).cells() for given in ("", "(lam=2)", "(lam=12)")
    )
    assert [dict(cell.settings)["lam"] for cell in plain] == [2, 12]
    assert [cell.id for cell in (plain[0], plain[1])] == [spelled[0].id, other[1].id]
    labels = [[cell.optimizer_label for cell in cells] for cells in (plain, spelled, other)]
    assert labels == [["asng", "asng"], ["asng", "asng(lam=2)"], ["asng(lam=12)", "asng"]]
    assert [cell.describe()["optimizer"]["defaults"]["lam"] for cell in other] == [2, 12]
