"""What a user may write, in every spelling."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_lines import MODULE, VALUES, comparison, optimizer

from harness.cli import main
from harness.running import StudyRun
from harness.study import Study
from harness.tabular import Budget
from results.record import read_study

CONTAINERS = MODULE.replace(
    "shift: int = 0",
    "sizes: list[int] | list[list[int]] = [], names: tuple[str, ...] = (), text: str = '', table: dict = {}",
)


@pytest.fixture
def accepted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Study]:
    """The study that a command line comes to, in place of running it."""
    studies: list[Study] = []

    def fake(study: Study, **_: object) -> StudyRun:
        studies.append(study)
        return StudyRun(folder)

    monkeypatch.setattr("harness.run.run", fake)

    def call(*arguments: str) -> Study:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        assert end.value.code == 0
        return studies.pop()

    return call


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("200", tuple(range(200))),
        ("5-9,12", (5, 6, 7, 8, 9, 12)),
        (" 5-9, 12 ", (5, 6, 7, 8, 9, 12)),
        ("7-7", (7,)),
        (f"0,{2**63 - 1}", (0, 2**63 - 1)),
    ],
)
def test_good_seeds(accepted: Callable[..., Study], text: str, seeds: tuple[int, ...]) -> None:
    assert accepted(*comparison(f"--seeds={text}")).seeds == seeds


@pytest.mark.parametrize(
    ("text", "budget"),
    [("1000", Budget("evaluations", 1000)), ("12000s", Budget("seconds", 12000)), (" 7 ", Budget("evaluations", 7))],
)
def test_good_budgets(accepted: Callable[..., Study], text: str, budget: Budget) -> None:
    assert accepted(*comparison(f"--budget={text}")).budget == budget
    assert accepted("run", "quickstart", "--budget", text).budget == budget


@pytest.mark.parametrize(
    "text", ["asng( lam = 8 )", " asng(lam=8,)", "asng(alpha=1.5,lam=8)", "optimizers.asng:ASNG(lam=8)"]
)
def test_good_optimizers(accepted: Callable[..., Study], text: str) -> None:
    (cell,) = accepted(*optimizer(text)).cells()
    assert dict(cell.settings) == {"alpha": 1.5, "delta_init": 1.0, "utility": "quarter", "theta_min": 1.0, "lam": 8}
    assert cell.optimizer_label.endswith("(lam=8)")


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("sizes=[1, 2], text=abc", {"sizes": [1, 2], "text": "abc"}),
        ("names=('a','b'),text='a b'", {"names": ("a", "b"), "text": "a b"}),
        ("sizes=[[1, 2]], names=('a',)", {"sizes": [[1, 2]], "names": ("a",)}),
        ("sizes=[], text=''", {"sizes": [], "text": ""}),
        ("text='a=b'", {"text": "a=b"}),
        ("text='a(b'", {"text": "a(b"}),
        ("text='a)'", {"text": "a)"}),
        ("text='a, b'", {"text": "a, b"}),
        ("text='[1, 2'", {"text": "[1, 2"}),
        ("sizes=[[1, 2], [3, 4]]", {"sizes": [[1, 2], [3, 4]]}),
        ("table={'a': 1, 'b': [2, 3]}", {"table": {"a": 1, "b": [2, 3]}}),
    ],
)
def test_good_settings_of_every_kind(
    accepted: Callable[..., Study], folder: Path, text: str, settings: dict[str, Any]
) -> None:
    """Commas, brackets and quotes inside a value are part of it. The study file's table says the same."""
    (folder / "containers.py").write_text(CONTAINERS, encoding="utf-8")
    study = accepted(*optimizer(f"containers:Mine({text})"))
    (cell,) = study.cells()
    defaults = {"sizes": [], "names": (), "text": "", "table": {}}
    assert dict(cell.settings) == defaults | settings
    (from_table,) = Study(**(VALUES | {"optimizers": [{"name": "containers:Mine", **settings}]})).cells()
    assert from_table.id == cell.id


def test_good_report_budgets(accepted: Callable[..., Study]) -> None:
    assert accepted(*comparison("--report-at=2, 4,")).report_at == (2, 4)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_class_in_the_current_folder_runs(folder: Path, jobs: int) -> None:
    """Also in worker processes, which have to find it too."""
    (folder / "my_method.py").write_text(MODULE, encoding="utf-8")
    names = ("random_search", "my_method:Mine(shift=3)")
    command = [sys.executable, "-c", "from harness.cli import main; main()"]
    command += [*comparison(f"--jobs={jobs}", "--no-tracking", optimizers=names), "--seeds=2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    cells = read_study(folder / "arena" / "compare")
    assert [cell.optimizer for cell in cells] == ["random_search", "Mine(shift=3)"]
    assert [cell.seeds.tolist() for cell in cells] == [[0, 1]] * 2
