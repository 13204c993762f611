"""Reports on one-shot studies: what they say, hold and refuse."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from planted_oneshot import DEAD, GOOD, OPERATIONS, SKIPS, string_of, write_study
from planted_studies import exactly, plant, section, summary, table, texts
from test_oneshot_table import RANDOM

from results.files import RecordError, read_json, write_json
from results.record import STUDY_FILE
from results.report.build import document, report
from results.report.gather import read_folder
from results.report.render import html, markdown
from results.report.tables import csv

SEARCHES = {"asng": [97.5, 98.0, 98.5], "darts": [92.5, 93.5, 93.0]}


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_summary_says_who_is_better_than_random(tmp_path: Path) -> None:
    said = summary(write_study(tmp_path / "s", SEARCHES, random=RANDOM))
    assert said.startswith(
        "**s**, nasbench201(channels=8, cells=1) on digits: Better than random architectures: `asng`; 1 of 2 not told "
        "apart from them (at 95 %, Holm's correction for 2 comparisons included)."
    )
    assert "`asng` minus random architectures: +5.00 [+3.88, +6.12] percentage points" in said
    assert "`darts` minus random architectures: +0.00 [" in said


def test_the_page_has_tables_figures_settings_and_costs(tmp_path: Path) -> None:
    archs = {"asng": [GOOD, SKIPS, GOOD]}
    folder = write_study(
        tmp_path / "s", SEARCHES, random=RANDOM, architectures=archs, images={"remark": "A smoke test."}
    )
    made = document([folder])
    outcomes = table(made, "s-outcomes").frame.set_index("cell")
    assert outcomes.loc["asng", "test_accuracy_mean"] == pytest.approx(98)
    assert outcomes.loc["asng", "test_accuracy_sd"] == pytest.approx(0.5)
    assert outcomes.loc["asng", "minus_random_value"] == pytest.approx(5)
    assert outcomes.loc["asng", "count_skip_connect_mean"] == pytest.approx(8 / 3)
    assert outcomes.loc["random architectures", "runs"] == len(RANDOM)
    shared = table(made, "s-shared-weights").frame
    assert shared["tau"].tolist() == pytest.approx([-0.3, -0.2, -0.1] * 2)
    assert set(shared["batchnorm"]) == {"batch"}
    settings = table(made, "s-settings").frame.set_index("cell")
    assert "batchnorm=batch" in settings.loc["asng", "search"]
    assert settings.loc["random architectures", "search"] == ""
    costs = table(made, "oneshot-cost").frame.set_index("cell")
    assert costs.loc["asng", "search"] == pytest.approx(31)
    assert costs.loc["asng", "peak MiB"] == 403
    assert costs.loc["random architectures", "trained from scratch"] == pytest.approx(3)
    (drawn,) = (drawing for drawing in made.drawings if drawing.name == "s-asng-found")
    assert drawn.data["value"].tolist() == [OPERATIONS[value] for value in GOOD]
    assert "found by 2 of 3 searches of asng, among 2 that differ" in drawn.caption
    assert string_of(GOOD) in drawn.caption
    said = texts(made.sections)
    assert "A smoke test." in said
    assert "everything is finished" in said
    assert "No GPU was used." in said
    assert "2 cores, 1 used" in table(made, "environments").frame["machine"][0]
    assert made.subtitle.startswith("6 one-shot searches; 10 architectures trained for comparison; computed on")


def test_numbers_in_files_are_those_of_the_records(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", SEARCHES, random=RANDOM)
    page = report([folder])
    assert page.exists()
    assert page.with_suffix(".md").exists()
    found = page.with_suffix("") / "tables" / "s-found.csv"
    assert found.read_text(encoding="utf-8") == csv(table(document([folder]), "s-found"))
    accuracies = {
        (cell.label, run.seed): run.test_accuracies.mean() for cell in read_folder(folder).searched for run in cell.runs
    }
    rows = [line.split(",") for line in found.read_text(encoding="utf-8").splitlines()]
    place = rows[0].index("test_accuracy")
    assert {(row[0], int(row[1])): float(row[place]) for row in rows[1:]} == pytest.approx(accuracies)


def test_strings_of_architectures_stay_in_their_cell_of_a_markdown_table(tmp_path: Path) -> None:
    given = {string_of(GOOD): [96.0, 97.0]}
    page = markdown(document([write_study(tmp_path / "s", SEARCHES, random=RANDOM, given=given)]), "figures")
    tokens = MarkdownIt("commonmark").enable("table").parse(page)
    inside = [tokens[place + 1].children or [] for place, token in enumerate(tokens) if token.type == "td_open"]
    cells = ["".join(part.content for part in parts) for parts in inside]
    assert cells.count(string_of(GOOD)) > len(RANDOM)


def test_a_study_that_has_travelled_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "home" / "s", SEARCHES, random=RANDOM)
    before = report([folder], tmp_path / "before" / "page.html")
    archive = shutil.make_archive(str(tmp_path / "s"), "zip", folder)
    shutil.rmtree(tmp_path / "home")
    shutil.unpack_archive(archive, tmp_path / "away" / "another")
    after = report([tmp_path / "away" / "another"], tmp_path / "after" / "page.html")
    assert files(before.parent) == files(after.parent)


def test_what_failed_or_is_not_finished_is_listed(tmp_path: Path) -> None:
    """A cell of which nothing is on record is in no table; one with some seeds has those."""
    failures = [["gdas", "Traceback\nArenaError: the loss is NaN at step 17"]]
    searches = {"asng": [97.5, None, 98.5], "gdas": [None, None]}
    folder = write_study(tmp_path / "s", searches, random=RANDOM, failures=failures)
    made = document([folder])
    said = texts(made.sections)
    assert "`gdas`: ArenaError: the loss is NaN at step 17" in said
    assert "`asng`: 2 of 3 seeds" in said
    assert "`gdas`: 0 of 2 seeds" in said
    assert table(made, "s-outcomes").frame["cell"].tolist() == ["asng", "random architectures"]
    assert "(2 searches against 10 random architectures)" in said


def test_nothing_finished_is_refused(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", {"asng": [None]})
    with pytest.raises(RecordError, match=r"no cell of .* is finished; run the study again"):
        report([folder])
    whole = write_study(tmp_path / "t", {"asng": [97.0]})
    about = whole / "cell-0" / "cell.json"
    write_json(about, {key: value for key, value in read_json(about).items() if key != "images"})
    with pytest.raises(RecordError, match="lacks 'images'; run the study again"):
        report([whole])


@pytest.mark.parametrize("case", ["no random", "no table", "no retraining", "dead", "one seed", "only trainings"])
def test_studies_that_are_not_as_most_are(tmp_path: Path, case: str) -> None:
    options: dict[str, object] = {"random": RANDOM}
    searches = {"asng": [97.0, 98.0]}
    expected = {
        "no random": "No random architectures were trained in the same way",
        "no table": "+4.50 [",
        "no retraining": "Not trained from scratch, so not compared with random architectures: `asng`.",
        "dead": "Worse than random architectures: `asng` (at 95 %).",
        "one seed": "without an interval, since a single run tells no scatter",
        "only trainings": "10 architectures trained for comparison",
    }[case]
    match case:
        case "no random":
            options = {}
        case "no table":
            options["table"] = None
        case "no retraining":
            options = {"retraining": None}
        case "dead":
            searches, options["architectures"] = {"asng": [10.0, 10.2]}, {"asng": [DEAD, DEAD]}
        case "one seed":
            searches = {"asng": [97.0]}
        case "only trainings":
            searches = {}
    made = document([write_study(tmp_path / "s", searches, **options)])  # type: ignore[arg-type]
    assert expected in f"{made.subtitle} {texts(made.sections)}"
    for page in (html(made), markdown(made, "figures")):
        assert " nan" not in page.lower()
    assert section(made, "oneshot-s")


def test_beside_a_study_of_tables(tmp_path: Path) -> None:
    tabular = plant(tmp_path / "t", {"one-x": {"asng": exactly(2.0), "b": exactly(3.0)}})
    one_shot = write_study(tmp_path / "s", SEARCHES, random=RANDOM)
    other = write_study(tmp_path / "u", {"asng": [80.0, 81.0]}, images={"label": "fashion_mnist"})
    made = document([tabular, one_shot, other])
    ids = [one.id for one in made.sections]
    assert {"benchmark-one-x", "oneshot-s", "oneshot-u", "good-practice", "cost"} <= set(ids)
    said = texts(section(made, "summary").blocks)
    assert "`asng` is first" in said
    assert "**s**, nasbench201(channels=8, cells=1) on digits: Better than random architectures" in said
    assert "**u**, nasbench201(channels=8, cells=1) on fashion_mnist: No random architectures" in said
    assert "It is about the searches on tables alone." in texts(made.sections)
    assert "6 one-shot" not in made.subtitle
    assert "8 one-shot searches; 10 architectures trained for comparison" in made.subtitle


def test_two_sets_of_images_in_one_study_stand_apart(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", {"asng": [97.0, 98.0], "darts": [80.0, 81.0]}, random=RANDOM)
    about = folder / "cell-1" / "cell.json"
    content = read_json(about)
    write_json(about, content | {"images": content["images"] | {"label": "fashion_mnist"}})
    made = document([folder])
    assert [one.title for one in section(made, "oneshot-s").subsections] == [
        "nasbench201(channels=8, cells=1) on digits",
        "nasbench201(channels=8, cells=1) on fashion_mnist",
    ]
    assert "on fashion_mnist: No random architectures were trained in the same way" in summary(folder)


def test_a_device_is_named(tmp_path: Path) -> None:
    made = document([write_study(tmp_path / "s", SEARCHES, made={"device": "NVIDIA H100"})])
    assert "Networks were trained on NVIDIA H100." in texts(made.sections)
    assert "NVIDIA H100" in table(made, "environments").frame["machine"][0]


def test_the_study_is_told_by_its_kind(tmp_path: Path) -> None:
    folder = write_study(tmp_path / "s", SEARCHES)
    study = read_folder(folder)
    assert [cell.label for cell in study.searched] == ["asng", "darts"]
    assert (study.cells, study.trials) == ((), ())
    assert read_json(folder / STUDY_FILE)["kind"] == "oneshot"
