"""What the README shows is what works."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from harness.study import Study
from nas_arena import run

README = Path(__file__).parents[1] / "README.md"


def snippets(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)


def test_the_optimizer_of_the_readme_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = (snippet for snippet in snippets("python") if "class HillClimber" in snippet)
    (tmp_path / "my_module.py").write_text(source, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    study = Study(
        name="own",
        optimizers=["my_module:HillClimber(restart=0.05)", "random_search"],
        benchmarks="nasbench201",
        seeds=30,
        budget=200,
    )
    result = run(study, arena=tmp_path / "arena", tracking=False, jobs=1)
    assert not result.failures
    assert [row.optimizer for row in result.tables[0].rows] == ["HillClimber(restart=0.05)", "random_search"]
    sys.modules.pop("my_module")


def test_the_python_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (source,) = (snippet for snippet in snippets("python") if "checkpoint_frame" in snippet)
    monkeypatch.chdir(tmp_path)
    exec(compile(source.replace("))\nframe", "), tracking=False)\nframe"), "README.md", "exec"), {})
    assert "asng(lam=8)" in capsys.readouterr().out


def test_the_study_of_the_readme_expands(tmp_path: Path) -> None:
    (source,) = snippets("toml")
    (tmp_path / "my_study.toml").write_text(source, encoding="utf-8")
    study = Study.load(str(tmp_path / "my_study.toml"))
    assert study.name == "my_study"
    assert len(study.cells()) == 4


def test_enas_learns_as_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """With 12 seeds in the place of 100."""
    page = (README.parent / "docs" / "policy_gradients.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(compile(source.replace("range(100), stream", "range(12), stream"), "policy_gradients.md", "exec"), {})
    mean, deviation, below = map(float, capsys.readouterr().out.split())
    assert abs(mean - 29.86) < 4 * deviation / 12**0.5
    assert below == 12
