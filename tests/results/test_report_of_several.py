"""Several studies in one report, and one that has travelled."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from planted_studies import MADE, exactly, plant, section, summary, table, texts

from results.files import RecordError
from results.report.build import document, report
from results.report.checklist import checklist
from results.report.document import Check
from results.report.gather import read_folder
from results.report.render import markdown
from results.report.tables import csv

A_AND_B = {"a": exactly(2.0), "b": exactly(3.0)}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_study_that_has_travelled_gives_the_same_bytes(tmp_path: Path) -> None:
    home = tmp_path / "home" / "arena"
    modes = {"one-x": {"a": exactly(2.5)}}
    runs = {"one-x": {"a": exactly(2.0)}, "two-x": A_AND_B}
    plant(home / "s", runs, modes=modes)
    (home.parent / "mlflow.db").write_bytes(b"the store")
    before = report([home / "s"], tmp_path / "before" / "page.html")
    archive = shutil.make_archive(str(tmp_path / "s"), "zip", home / "s")
    shutil.rmtree(home.parent)
    away = tmp_path / "away" / "another name"
    shutil.unpack_archive(archive, away)
    after = report([away], tmp_path / "after" / "page.html")
    assert files(before.parent) == files(after.parent)
    assert len(files(before.parent)) > 30


def test_the_order_of_studies_changes_nothing(tmp_path: Path) -> None:
    ties = {"c": exactly(2.0), "d": exactly(3.0)}
    of = [
        plant(tmp_path / "s", {"one-x": A_AND_B, "two-x": A_AND_B}),
        plant(tmp_path / "t", {"two-x": ties, "one-x": ties}),
        plant(tmp_path / "u", {"one-x": {"a": exactly(2.0)}, "two-x": {"e": exactly(2.0)}}, seeds=range(300, 500)),
    ]
    first, *others = (document(given) for given in (of, of[::-1], [of[1], of[2], of[0]]))
    for other in others:
        assert markdown(other, "figures") == markdown(first, "figures")
        assert [csv(one) for one in other.tables] == [csv(one) for one in first.tables]
        assert [one.data.to_csv() for one in other.drawings] == [one.data.to_csv() for one in first.drawings]


def test_a_cell_of_two_studies_counts_once_with_more_seeds(tmp_path: Path) -> None:
    few = plant(tmp_path / "few", {"one-x": {"a": exactly(5.0, 20), "b": exactly(3.0)}})
    many = plant(tmp_path / "many", {"one-x": {"a": exactly(2.0, 100)}})
    for given in ([few, many], [many, few]):
        regrets = table(document(given), "one-x-regret").frame.set_index("optimizer")
        assert regrets["regret_at_100_runs"].to_dict() == {"a": 100, "b": 200}
        assert regrets.loc["a", "regret_at_100_value"] == pytest.approx(2.0)


def test_optimizers_of_two_studies_are_compared(tmp_path: Path) -> None:
    one = plant(tmp_path / "s", {"one-x": {"a": exactly(2.0)}})
    other = plant(tmp_path / "t", {"one-x": {"b": exactly(3.0)}})
    assert "`a` is first: regret 2.00" in (said := summary(one, other))
    assert "It is 1.00 [" in said
    assert "ran alone" in summary(one)


@pytest.mark.parametrize(
    ("how", "named"),
    [
        ({"budgets": (200,)}, "the budget: evaluations is 100 in one and 200 in the other"),
        ({"budgets": (1000,), "unit": "seconds"}, "the budget: seconds is missing in one and 1000 in the other"),
        ({"noise": 5.0}, "the benchmark: noise is missing in one and 5.0 in the other"),
        (
            {"identity": {"benchmark": {"checksums": {"one-x.pkl": "f" * 64}}}},
            "the benchmark: checksums: one-x.pkl is one-x0000000... in one and ffffffffffff... in the other",
        ),
        (
            {"identity": {"benchmark": {"options": {"dataset": "x", "epochs": 12}}}},
            "the benchmark: options: epochs is missing in one and 12 in the other",
        ),
        ({"identity": {"time_factor": 1.0}}, "the time factor is 1.03 in one and 1.0 in the other"),
        ({"identity": {"loop_version": 2}}, "the version of the search loop is 1 in one and 2 in the other"),
    ],
    ids=["budget", "unit", "noise", "checksum", "option", "time factor", "loop"],
)
def test_what_cannot_be_compared_is_refused(tmp_path: Path, how: dict[str, Any], named: str) -> None:
    one = plant(tmp_path / "s", {"one-x": {"a": exactly(2.0)}})
    other = plant(tmp_path / "t", {"one-x": {"b": exactly(3.0)}}, **how)
    with pytest.raises(RecordError) as told:
        document([other, one])
    line = str(told.value)
    assert line.startswith("a of s and b of t on one-x cannot be compared: ")
    assert named in line
    assert "report them apart" in line
    assert len(line.splitlines()) == 1


def test_different_cells_under_one_label_are_refused(tmp_path: Path) -> None:
    one = plant(tmp_path / "s", {"one-x": {"a": exactly(2.0)}})
    other = plant(tmp_path / "t", {"one-x": {"a": exactly(3.0)}}, identity={"optimizer": {"version": 2}})
    with pytest.raises(
        RecordError, match=r"a of s and a of t on one-x are different cells under one name: .*version is 1"
    ):
        document([one, other])


def test_other_budgets_on_other_benchmarks_are_not_put_together(tmp_path: Path) -> None:
    one = plant(tmp_path / "s", {"one-x": A_AND_B})
    other = plant(tmp_path / "t", {"two-x": A_AND_B}, budgets=(50,))
    made = document([one, other])
    said = texts(section(made, "summary").blocks)
    assert "`a` is first on `one-x` and `two-x`." in said
    assert (
        "There is no number over all benchmarks: the benchmarks have different budgets (50 evaluations, 100 "
        "evaluations); only equal ones are put together." in said
    )
    assert "after 50 evaluations" in said
    assert not [one.name for one in made.tables if one.name == "together"]


def test_a_study_given_twice_is_refused(tmp_path: Path) -> None:
    one = plant(tmp_path / "s", {"one-x": A_AND_B})
    with pytest.raises(RecordError, match=r"the study 's' is given twice, as .*/s; give each name once"):
        document([one, tmp_path / "." / "s"])
    shutil.copytree(one, tmp_path / "copy")
    with pytest.raises(RecordError, match=r"the study 's' is given twice, as .*/copy and .*/s;|as .*/s and .*/copy;"):
        document([one, tmp_path / "copy"])


def answers(*folders: Path) -> dict[str, Check]:
    items = checklist([read_folder(folder) for folder in folders])
    assert len(items) == len({item.question for item in items})
    assert all(item.answer and item.evidence for item in items)
    return {next(word for word in KEYS if word in item.question): item for item in items}


KEYS = (
    "code that trains",
    "code of the search space",
    "seeds of the final training",
    "code of the search methods",
    "random seeds of the methods",
    "exactly the same benchmark",
    "confounding",
    "ablations",
    "protocol",
    "over time",
    "random search",
    "several runs",
    "in-depth",
    "tuned",
    "whole method",
    "all details",
)


def test_the_checklist_of_a_study_as_it_should_be(tmp_path: Path) -> None:
    found = answers(plant(tmp_path / "s", {"one-x": {**A_AND_B, "random_search": exactly(4.0)}}))
    assert set(found) == set(KEYS)
    others = {key: item.answer for key, item in found.items() if item.answer != "yes"}
    assert others == {"ablations": "no", "tuned": "not applicable"}


@pytest.mark.parametrize(
    ("how", "key", "answer", "evidence"),
    [
        ({"made": {"dirty": True}}, "all details", "no", "uncommitted changes"),
        ({"made": {"commit": ""}}, "all details", "yes", "without a commit"),
        ({"made": {"python": "3.12.1"}}, "confounding", "no", "different Python"),
        ({"made": {"commit": "f" * 40}}, "confounding", "no", "different commits"),
        ({"made": {"versions": {**MADE["versions"], "numpy": "1.26"}}}, "confounding", "no", "package versions"),
        (
            {"identity": {"optimizer": {"class": "mine:Mine"}}},
            "code of the search methods",
            "yours to answer",
            "`mine:Mine`",
        ),
        (
            {"identity": {"benchmark": {"class": "my:Table"}}},
            "code of the search space",
            "yours to answer",
            "`my:Table`",
        ),
        ({"identity": {"benchmark": {"class": "my:Table"}}}, "code that trains", "yours to answer", "table"),
        ({}, "random search", "no", "no random_search on `two-x`"),
        ({"sweep": "lam"}, "ablations", "yes", "swept: `lam`"),
    ],
)
def test_the_checklist_says_no(tmp_path: Path, how: dict[str, Any], key: str, answer: str, evidence: str) -> None:
    one = plant(tmp_path / "s", {"one-x": {"random_search": exactly(4.0)}})
    other = plant(tmp_path / "t", {"two-x": {"a": exactly(2.0), 'a("lam": 8)': exactly(2.0)}}, **how)
    item = answers(one, other)[key]
    assert item.answer == answer
    assert evidence in item.evidence


def test_settings_that_are_not_the_defaults_are_asked_about(tmp_path: Path) -> None:
    found = answers(plant(tmp_path / "s", {"one-x": {"a": exactly(2.0, 5), 'a("lam": 8)': exactly(3.0, 5)}}))
    assert found["tuned"].answer == "yours to answer"
    assert found["tuned"].evidence.endswith('`a("lam": 8)`')
    assert found["ablations"].evidence == "several settings of `a`"
    assert (found["several runs"].answer, found["several runs"].evidence[:13]) == ("no", "5 seeds a cel")


def test_settings_of_one_optimizer_are_paired_by_seed(tmp_path: Path) -> None:
    """What both share cancels: the interval is that of the settings' own differences."""
    shared, own = exactly(3.0, 100, 1.0), np.tile([0.4, 0.6], 50)
    folder = plant(tmp_path / "s", {"one-x": {"a": shared, 'a("lam": 8)': shared + own, "b": shared + own[::-1]}})
    pairs = table(document([folder]), "one-x-pairs").frame.set_index(["first", "second"])
    width = pairs["difference_high"] - pairs["difference_low"]
    assert pairs["difference_paired"].to_dict() == {pair: "b" not in pair for pair in pairs.index}
    assert width[("a", 'a("lam": 8)')] < 0.2 * width[("a", "b")]
