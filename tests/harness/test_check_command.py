"""``nas-arena check``: what it prints, how it ends, and what it says of mistakes."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.cli import main
from optimizers import check as optimizer_contract
from search_spaces import check as benchmark_contract

README = Path(__file__).parents[2] / "README.md"

Check = Callable[[str], tuple[int, str, str]]


@pytest.fixture
def check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Check:
    """Runs the command in an empty folder with the README's optimizer: status, standard output and error."""
    (source,) = re.findall(r"```python\n(import numpy.*?class HillClimber.*?)```", README.read_text("utf-8"), re.DOTALL)
    (tmp_path / "checked_module.py").write_text(source, encoding="utf-8")
    worst = source.replace("self.best.update(archs, losses)", "self.best.update(archs, -losses)")
    (tmp_path / "worst_module.py").write_text(worst, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def call(selection: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(["check", selection])
        printed = capsys.readouterr()
        assert "Traceback" not in printed.out + printed.err
        assert isinstance(end.value.code, int)
        return end.value.code, printed.out, printed.err

    return call


def test_the_optimizer_of_the_readme_passes_with_a_line_to_show(check: Check) -> None:
    status, printed, complaint = check("checked_module:HillClimber(restart=0.05)")
    assert (status, complaint) == (0, "")
    assert re.fullmatch(
        r"checked_module:HillClimber\(restart=0.05\) passes nas-arena check \S+ "
        r"\(optimizer contract, \d+ checks, numpy \S+\)",
        printed.splitlines()[-1],
    )


def test_the_readme_shows_what_is_printed(check: Check) -> None:
    shown = re.search(
        r"```\n(nas-arena check my_module:HillClimber)\n```.*?```\n(.*?)```", README.read_text("utf-8"), re.DOTALL
    )
    assert shown is not None
    _, printed, _ = check("checked_module:HillClimber")
    assert without_versions(shown[2]) == without_versions(printed.replace("checked_module", "my_module"))


def test_the_readme_counts_the_checks() -> None:
    counts = re.search(r"(\d+) checks of an optimizer and (\d+) of a benchmark", README.read_text("utf-8"))
    assert counts is not None
    contracts = (optimizer_contract, benchmark_contract)
    assert [int(count) for count in counts.groups()] == [
        len(contract.class_checks({})) + len(contract.ENTRIES) for contract in contracts
    ]


def without_versions(text: str) -> str:
    return re.sub(r"\d+(\.\d+)+", "", text)


def test_a_violation_is_explained_and_its_example_shows_it(check: Check, tmp_path: Path) -> None:
    status, printed, complaint = check("worst_module:HillClimber")
    assert (status, complaint) == (1, "")
    assert printed.startswith('best_seen_is_recommended is violated\n  expected  With recommends = "best seen"')
    assert re.search(r"worst_module:HillClimber violates 1 of \d+ checks of nas-arena check ", printed.splitlines()[-1])
    example = re.search(r"  for example\n(.*?)\n\n(?! )", printed, re.DOTALL)
    assert example is not None
    (tmp_path / "example.py").write_text("if True:\n" + example[1], encoding="utf-8")
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "AssertionError: step" in done.stderr
    assert "it recommends" in done.stderr


def test_a_benchmark_passes_too(check: Check) -> None:
    status, printed, complaint = check("nasbench201(dataset=cifar100, reported=validation)")
    assert (status, complaint) == (0, "")
    assert "nasbench201(dataset=cifar100, reported=validation) passes nas-arena check " in printed
    assert "(benchmark contract, " in printed


@pytest.mark.parametrize(
    ("selection", "given", "mend"),
    [
        ("asgn", "unknown optimizer or benchmark 'asgn'", "did you mean 'asng'?"),
        ("nasbench102", "'nasbench102'", "did you mean 'nasbench201'"),
        ("asng(lamb=3)", "'lamb'", "did you mean 'lam'?"),
        ("asng(lam=two)", "'two'", "'lam': input should be a valid integer"),
        ("asng(lam=1)", "not 1", "lam must be at least 2"),
        ("asng(lam=", "'asng(lam='", "write a name"),
        ("nasbench201(dataset=cifar11)", "'cifar11'", "did you mean 'cifar10' or 'cifar100'?"),
        ("nasbench201(epochs=13)", "not 13", "input should be 12 or 200"),
        ("no_such_module:Mine", "'no_such_module'", "installed or in the current folder"),
        ("checked_module:HillClimer", "'HillClimer'", "did you mean 'HillClimber'?"),
        ("collections:OrderedDict", "collections:OrderedDict", "must derive from Optimizer or TabularBenchmark"),
        ("optimizers.base:Optimizer", "abstract", "_ask"),
        ("", "''", "write a name"),
    ],
)
def test_mistakes_are_one_line_and_status_2(check: Check, selection: str, given: str, mend: str) -> None:
    status, printed, complaint = check(selection)
    assert (status, printed) == (2, "")
    assert len(complaint.splitlines()) == 1
    assert complaint.startswith("nas-arena: ")
    assert given in complaint
    assert mend in complaint


def test_without_assertions_there_is_nothing_to_check(tmp_path: Path) -> None:
    code = "from harness.cli import main; main(['check', 'random_search'])"
    done = subprocess.run([sys.executable, "-O", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr == (
        "nas-arena: python -O leaves out the assertions that the checks are made of; run it without -O\n"
    )
