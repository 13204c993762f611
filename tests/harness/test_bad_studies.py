"""What can be wrong in a study file, or in a study made in Python: one line that names it and tells the mend."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from command_lines import BENCHMARK, VALUES, Fails

from harness.run import run
from harness.study import Study
from harness.tabular import Budget
from search_spaces.errors import ArenaError

STUDY = f"""
optimizers = ["random_search"]
benchmarks = ["{BENCHMARK}"]
seeds = 1
budget = 5
"""


BAD_FILES: list[tuple[str, str, str]] = [  # what the file holds, what the line must name, how it must tell the mend
    ("optimizers = [\n", "not valid TOML", "end of document"),
    ("seeds = 1\nseeds = 2\n", "not valid TOML", "line 2"),
    ("budget = " + "9" * 5000, "bad.toml", "digits"),
    ("a = " + "[" * 5000, "bad.toml", "TOML"),
    ("", "'optimizers'", "it needs name, optimizers, benchmarks, seeds and budget"),
    (STUDY + "budgt = 3", "'budgt'", "did you mean 'budget'?"),
    (STUDY + "zzz = 3", "'zzz'", "known: benchmarks, budget"),
    (STUDY + "self = 3", "'self'", "known: benchmarks, budget"),
    (STUDY + "[optimizer]\nlam = 3", "'optimizer'", "did you mean 'optimizers'?"),
    (STUDY.replace('["random_search"]', "3"), "3", "optimizer"),
    (STUDY.replace(f'["{BENCHMARK}"]', "true"), "True", "benchmark"),
    (STUDY.replace('["random_search"]', "[3]"), "cannot read 3", "write 'asng(lam=8)' or a table with a name"),
    (STUDY.replace('["random_search"]', "[]"), "at least one", "optimizer"),
    (STUDY.replace('["random_search"]', "[{ lam = 8 }]"), "{'lam': 8}", "a table with a name"),
    (STUDY.replace('["random_search"]', "[{ name = 8 }]"), "{'name': 8}", "a table with a name"),
    (STUDY.replace("seeds = 1", "seeds = 1.5"), "1.5", "a number, a list of numbers or text such as '5-9,12'"),
    (STUDY.replace("seeds = 1", "seeds = [1, 1.5]"), "[1, 1.5]", "a number, a list of numbers"),
    (STUDY.replace("seeds = 1", "seeds = true"), "True", "a number, a list of numbers"),
    (STUDY.replace("seeds = 1", "seeds = []"), "seeds is empty", "at least one"),
    (STUDY.replace("seeds = 1", "seeds = [4, 4]"), "seed 4", "every seed once"),
    (STUDY.replace("seeds = 1", "seeds = [-1]"), "-1", "between 0 and 2^63 - 1"),
    (STUDY.replace("seeds = 1", "seeds = -1"), "-1", "at least 1"),
    (STUDY.replace("budget = 5", "budget = 0"), "not 0", "at least 1"),
    (STUDY.replace("budget = 5", "budget = true"), "True", "at least 1"),
    (STUDY.replace("budget = 5", "budget = 1.5"), "1.5", "write 1000 (evaluations) or 12000s"),
    (STUDY.replace("budget = 5", "budget = { minutes = 3 }"), "minutes", "write 1000 (evaluations) or 12000s"),
    (STUDY.replace("budget = 5", "budget = { seconds = 0.5 }"), "0.5", "a whole number of seconds"),
    (STUDY + "report_at = 3", "3", "report_at"),
    (STUDY + "report_at = [1.5]", "1.5", "report_at: input should be a valid integer"),
    (STUDY + "report_at = [6]", "6", "the budget of 5 evaluations"),
    (STUDY + "time_factor = 0", "0", "time_factor: input should be greater than 0"),
    (STUDY + "name = 'a/b'", "'a/b'", "letters, digits"),
    (STUDY + "description = 3", "3", "description: input should be a valid string"),
]


@pytest.mark.parametrize(
    ("text", "given", "mend"), BAD_FILES, ids=[f"{given}-{mend}"[:60] for _, given, mend in BAD_FILES]
)
def test_mistakes_in_a_study_file(fails: Fails, folder: Path, text: str, given: str, mend: str) -> None:
    (folder / "bad.toml").write_text(text, encoding="utf-8")
    line = fails("run", "bad.toml")
    assert "bad.toml" in line
    assert given in line
    assert mend in line
    assert len(line) < 400


@pytest.mark.parametrize("settings", ["lam = 'two'", "lamb = 8", 'lam = "a\\nb"'])
def test_mistakes_in_a_table_of_a_study_file(fails: Fails, folder: Path, settings: str) -> None:
    text = STUDY.replace('["random_search"]', f"[{{ name = 'asng', {settings} }}]")
    (folder / "bad.toml").write_text(text, encoding="utf-8")
    assert "setting of asng 'lam" in fails("run", "bad.toml")


def test_study_files_that_cannot_be_read(fails: Fails, folder: Path) -> None:
    (folder / "folder.toml").mkdir()
    (folder / "latin.toml").write_bytes(b"description = 'caf\xe9'\n" + STUDY.encode())
    for name in ("missing.toml", "folder.toml", "latin.toml", "x\0.toml", "x" * 300 + ".toml"):
        line = fails("run", name)
        assert repr(name) in line
        assert "give the path of a TOML file" in line


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"optimizer": ["asng"]}, "did you mean 'optimizers'?"),
        ({"optimizers": "asng(lam=8"}, "cannot read 'asng(lam=8'"),
        ({"optimizers": 3}, "3"),
        ({"optimizers": None}, "None"),
        ({"optimizers": [None]}, "cannot read None"),
        ({"benchmarks": []}, "at least one"),
        ({"benchmarks": [{"dataset": "cifar10"}]}, "a table with a name"),
        ({"seeds": 0}, "seeds is 0"),
        ({"seeds": -1}, "seeds is -1"),
        ({"seeds": "abc"}, "'abc'"),
        ({"seeds": [1, 1]}, "seed 1 is given twice"),
        ({"seeds": range(0)}, "seeds is empty"),
        ({"seeds": 2**70}, "seed"),
        ({"seeds": None}, "None"),
        ({"budget": 0}, "not 0"),
        ({"budget": -5}, "not -5"),
        ({"budget": 1.5}, "1.5"),
        ({"budget": True}, "True"),
        ({"budget": Budget("evaluations", 0)}, "not 0"),
        ({"budget": {"seconds": "5"}}, "'5'"),
        ({"budget": 10**30}, "budget"),
        ({"report_at": [6]}, "report_at names 6"),
        ({"report_at": ["a\nb"]}, "report_at"),
        ({"time_factor": float("nan")}, "time_factor"),
        ({"name": "a/b"}, "'a/b'"),
        ({"name": "x\n"}, r"'x\n'"),
    ],
    ids=str,
)
def test_mistakes_from_python(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ArenaError) as told:
        Study(**(VALUES | changes))
    assert named in str(told.value)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"optimizers": ["asgn"]}, "did you mean 'asng'?"),
        ({"optimizers": [{"name": "asng", "lam": "two"}]}, "'two'"),
        ({"optimizers": ["asng", "asng(alpha=1.5)"]}, "twice"),
        ({"benchmarks": ["nasbench201(noise=gauss)"]}, "'gauss'"),
        ({"benchmarks": [{"name": "nasbench201", "dataset": 10}]}, "'dataset': input should be a valid string"),
    ],
    ids=str,
)
def test_mistakes_that_show_when_a_study_is_expanded(folder: Path, changes: dict[str, Any], named: str) -> None:
    for use in (lambda study: study.cells(), lambda study: run(study, arena="arena")):
        with pytest.raises(ArenaError) as told:
            use(Study(**(VALUES | changes)))
        assert named in str(told.value)
        assert len(str(told.value).splitlines()) == 1
    assert not list(folder.iterdir())


def test_a_missing_value_is_named() -> None:
    with pytest.raises(ArenaError, match="lacks 'budget'"):
        Study(**{name: value for name, value in VALUES.items() if name != "budget"})
