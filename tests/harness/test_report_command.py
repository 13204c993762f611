"""nas-arena report: what it makes, and what is wrong with what it is given, in one line and with nothing written."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from command_lines import BENCHMARK, Fails, the_line
from planted_studies import exactly, plant, summary, texts

from harness.cli import main
from harness.run import run
from harness.study import Study
from harness.toy_run import run_toy_study
from harness.toy_study import ToyStudy
from results.files import read_json, write_json
from results.record import RECORD_VERSION, read_study
from results.report.build import document

RUNS = {"one-x": {"a": exactly(2.0, 5), "b": exactly(3.0, 5)}}


@pytest.fixture
def mine(folder: Path) -> Path:
    """A study called mine, in the arena of the current folder."""
    (folder / "arena").mkdir()
    return plant(folder / "arena" / "mine", RUNS)


def cell_of(study: Path) -> Path:
    """The folder of its first cell."""
    return study / str(read_json(study / "study.json")["cells"][0])


def test_what_the_command_makes_and_says(mine: Path, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["report", "mine"])
    assert not end.value.code
    assert capsys.readouterr().out.splitlines() == [
        "report    arena/mine/report.html",
        "Markdown  arena/mine/report.md",
        "figures and tables  arena/mine/report",
    ]
    assert "is first" in (mine / "report.md").read_text(encoding="utf-8")
    plant(folder / "elsewhere" / "other", {"one-x": {"c": exactly(1.0, 5)}})
    with pytest.raises(SystemExit):
        main(["report", "mine", "elsewhere/other", "--html", "new/folder/page.html"])
    assert "new/folder/page.html" in capsys.readouterr().out
    assert "`c` is first" in (folder / "new" / "folder" / "page.md").read_text(encoding="utf-8")
    plant(folder / "arena" / "more", RUNS)
    with pytest.raises(SystemExit):
        main(["report"])
    assert "Report on `mine` and `more`" in (folder / "arena" / "report.md").read_text(encoding="utf-8")
    assert (folder / "arena" / "report" / "tables" / "one-x-regret.csv").is_file()


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("arguments", "given", "mend"),
    [
        (["mien"], "unknown study in arena: 'mien'", "did you mean 'mine'?"),
        (["xyz"], "'xyz'", "known: mine"),
        ([""], "''", "known: mine"),
        (["x" * 300], "x" * 300, "known: mine"),
        (["x\0y"], "'x\\x00y'", "known: mine"),
        (["arena"], "arena is a folder without study.json", "name the folder of one"),
        (["mine", "mien"], "'mien'", "did you mean"),
        (["mine", "mine"], "'mine' is given twice", "give each name once"),
        (["mine", "arena/mine"], "'mine' is given twice", "give each name once"),
        (["--arena=nowhere"], "no study in nowhere", "--arena"),
        (["mine", "--arena=nowhere"], "'mine'", "known: none"),
        (["mine", "--html=page"], "'page'", "ends in .html"),
        (["mine", "--html=page.htm"], "'page.htm'", "ends in .html"),
        (["mine", "--html=."], "'.'", "ends in .html"),
        (["mine", "--html=x\0.html"], "'x\\x00.html'", "ends in .html"),
        (["mine", "--html=taken.html"], "'taken.html'", "ends in .html"),
        (["mine", "--html=file/page.html"], "/file is a file and no folder", "name another page"),
        (["mine", f"--html={'x' * 300}.html"], "File name too long", "another file with --html"),
        (["mine", "--html=notes.html"], "notes.md is not a report's own", "name another page"),
        (["mine", "--htm"], "--htm", "--html"),
    ],
)
def test_mistakes_of_a_report(fails: Fails, folder: Path, arguments: list[str], given: str, mend: str) -> None:
    (folder / "taken.html").mkdir()
    (folder / "file").write_text("mine", encoding="utf-8")
    (folder / "notes.md").write_text("mine", encoding="utf-8")
    line = fails("report", *arguments)
    assert given in line
    assert mend in line


def test_a_place_where_nothing_can_be_written(fails: Fails, mine: Path) -> None:
    if not Path("/sys/kernel").is_dir():
        pytest.skip("needs a folder where root cannot write either")
    for page in ("/sys/page.html", "/sys/new/page.html"):
        line = fails("report", str(mine), "--html", page)
        assert "cannot write to /sys/" in line
        assert "give another file with --html" in line


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-40])


def without(*keys: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        content = inner = read_json(path)
        for key in keys[:-1]:
            inner = inner[key]
        del inner[keys[-1]]
        write_json(path, content)

    return change


def newer(path: Path) -> None:
    held = pq.read_table(path)
    metadata = json.loads(held.schema.metadata[b"nas_arena"]) | {"record_version": RECORD_VERSION + 1}
    pq.write_table(held.replace_schema_metadata({b"nas_arena": json.dumps(metadata)}), path)


def foreign(path: Path) -> None:
    pq.write_table(pq.read_table(path).replace_schema_metadata(None), path)


def no_text(path: Path) -> None:
    path.write_bytes(b"\xff\xfe{}")


@pytest.mark.parametrize(
    ("file", "harm", "mend"),
    [
        ("study.json", truncated, "cannot read"),
        ("study.json", lambda path: path.write_text("[]"), "it holds no object"),
        ("study.json", lambda path: path.write_text("{}"), "it lacks 'id', 'name', 'cells', 'seeds'"),
        ("study.json", lambda path: path.write_text("[" * 100_000), "cannot read"),
        ("study.json", no_text, "cannot read"),
        ("*/cell.json", truncated, "cannot read"),
        ("*/cell.json", Path.unlink, "No such file"),
        ("*/cell.json", without("optimizer"), "it lacks 'optimizer'"),
        ("*/cell.json", without("benchmark"), "it lacks 'benchmark'"),
        ("*/cell.json", without("benchmark", "landmarks"), "it lacks 'landmarks'"),
        ("*/cell.json", without("benchmark", "landmarks", "targets"), "written by an older NAS Arena"),
        ("*/*.parquet", truncated, "delete it and run the study again"),
        ("*/*.parquet", lambda path: path.write_bytes(b""), "delete it and run the study again"),
        ("*/*.parquet", foreign, "is no record of seeds"),
        ("*/*.parquet", newer, f"written by a newer NAS Arena (record version {RECORD_VERSION + 1}"),
    ],
)
def test_a_damaged_study(fails: Fails, mine: Path, file: str, harm: Callable[[Path], Any], mend: str) -> None:
    path = next(iter(sorted(mine.glob(file))))
    harm(path)
    line = fails("report", "mine")
    assert path.name in line
    assert mend in line
    assert len(line) < 400


def test_a_study_without_finished_cells(fails: Fails, mine: Path) -> None:
    for path in mine.glob("*/*.parquet"):
        path.unlink()
    assert "no cell of arena/mine is finished; run the study again" in fails("report", "mine")


def test_the_report_of_before_survives_a_full_disk(
    mine: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["report", "mine"])
    before = {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()}
    write_json(mine / "study.json", read_json(mine / "study.json") | {"description": "changed"})
    before[mine / "study.json"] = (mine / "study.json").read_bytes()
    capsys.readouterr()

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SystemExit) as end:
        main(["report", "mine"])
    assert end.value.code == 2
    line = the_line(capsys.readouterr().err)
    assert "No space left on device" in line
    assert "make room, or give another file with --html" in line
    assert {path: path.read_bytes() for path in mine.rglob("*") if path.is_file()} == before


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An arena with a small study, one that sweeps over a setting, and one of the toy problem, all of a real run."""
    arena = tmp_path_factory.mktemp("real")
    small = {"benchmarks": [BENCHMARK], "seeds": 4, "budget": 30, "report_at": [10]}
    swept = {"name": "asng", "vary": {"delta_init": [0.1, 1.0, 10.0]}}
    run(Study(name="plain", optimizers=["asng", "random_search"], **small), arena=arena, jobs=1, tracking=False)
    run(
        Study(name="swept", optimizers=[swept, "random_search"], sweep="delta_init", **small),
        arena=arena,
        jobs=1,
        tracking=False,
    )
    file = arena / "toy.toml"
    settings = "variables = 8, values = 4, iterations = 400, eta_x = 0.02"
    file.write_text(
        f'kind = "toy"\nseeds = 4\noptimizers = [{{ name = "asng", {settings}, vary = {{ k = [0, 0.5] }} }}]'
    )
    run_toy_study(ToyStudy.load(str(file)), arena=arena, jobs=1, tracking=False)
    return arena


def test_planted_studies_hold_what_a_run_writes(real: Path, tmp_path: Path) -> None:
    """Else the tests that use them would be of something else."""
    ours, theirs = (read_study(folder)[0] for folder in (plant(tmp_path / "s", RUNS), real / "plain"))
    for name in ("", "optimizer", "benchmark"):
        one, other = (of.about[name] if name else of.about for of in (ours, theirs))
        assert set(one) | {"edges"} == set(other) | {"edges"}
    assert set(ours.about["identity"]) == set(theirs.about["identity"])
    assert set(ours.about["benchmark"]["landmarks"]) == set(theirs.about["benchmark"]["landmarks"])
    assert set(ours.about["benchmark"]["wording"]) == set(theirs.about["benchmark"]["wording"])
    assert set(ours.columns) == {name for name in theirs.columns if not name.startswith("diagnostic.")}
    assert set(ours.improvements) == set(theirs.improvements)
    assert set(ours.made[0]) == set(theirs.made[0])
    assert set(read_json(ours.folder.parent / "study.json")) == set(read_json(theirs.folder.parent / "study.json"))


def test_a_toy_study_alone_and_beside_another(real: Path) -> None:
    made = document([real / "toy"])
    assert [one.id for one in made.sections] == ["summary", "toy-toy", "what-ran", "cost"]
    assert made.subtitle.startswith("8 trials of the toy problem; computed on ")
    assert summary(real / "toy") == "`toy` is a toy study; [its table](#toy-toy) has the iterations to success."
    both = document([real / "toy", real / "plain"])
    assert "toy-toy" in [one.id for one in both.sections]
    assert both.subtitle.startswith("2 cells on 1 benchmark, 8 searches; 8 trials of the toy problem; computed ")
    assert "is a toy study" in summary(real / "plain", real / "toy")


def test_a_sweep_alone_and_beside_another(real: Path) -> None:
    made = document([real / "swept"])
    assert "sweep-swept" in [one.id for one in made.sections]
    assert "The sweep varies `delta_init`." in texts(made.sections)
    both = document([real / "swept", real / "plain"])
    # asng with its default step, and random search, are in both studies and count once
    assert both.subtitle.startswith("4 cells on 1 benchmark, 16 searches; computed ")
    assert both.title == "Report on `plain` and `swept`"


def test_a_damaged_toy_study(fails: Fails, real: Path, folder: Path) -> None:
    shutil.copytree(real / "toy", folder / "arena" / "toy")
    path = next(iter(sorted((folder / "arena" / "toy").glob("*/*.parquet"))))
    foreign(path)
    assert "is no record of" in fails("report", "toy")
    truncated(path)
    assert f"cannot read {path.relative_to(folder)}" in fails("report", "toy")
    for path in (folder / "arena" / "toy").glob("*/*.parquet"):
        path.unlink()
    assert "no cell of arena/toy is finished" in fails("report", "toy")
