"""docs/add_an_optimizer.md, executed: the class, the commands, the entry point."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cli import main
from search_spaces import plugins

PAGE = (Path(__file__).parents[1] / "docs" / "add_an_optimizer.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^nas-arena .*$", PAGE, re.MULTILINE)
(SOURCE,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
(PROJECT,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The current folder, with the class of the page in a module and its entry point as an installed package has it."""
    (tmp_path / "my_nas.py").write_text(SOURCE, encoding="utf-8")
    entry_points = tomllib.loads(PROJECT)["project"]["entry-points"]
    (tmp_path / "my_nas-0.1.dist-info").mkdir()
    (tmp_path / "my_nas-0.1.dist-info" / "METADATA").write_text("Name: my_nas\nVersion: 0.1\n", encoding="utf-8")
    lines = [f"[{group}]\n{name} = {value}" for group, all_of in entry_points.items() for name, value in all_of.items()]
    (tmp_path / "my_nas-0.1.dist-info" / "entry_points.txt").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins._entry_points.cache_clear()
    yield tmp_path
    plugins._entry_points.cache_clear()
    sys.modules.pop("my_nas", None)


def test_it_takes_less_than_40_lines() -> None:
    code = [line for line in (SOURCE + PROJECT).splitlines() if line.strip()]
    assert len(code) < 40


def command(text: str, *more: str) -> None:
    with pytest.raises(SystemExit) as end:
        main([*shlex.split(text)[1:], *more])
    assert end.value.code == 0


def test_the_commands_do_what_the_page_says(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [text.split()[1] for text in COMMANDS] == ["check", "compare", "ablate"]
    command(COMMANDS[0])
    assert "my_nas:UMDA passes nas-arena check" in capsys.readouterr().out
    for text in COMMANDS[1:]:
        command(text, "--no-tracking", "--jobs=1")
        table = capsys.readouterr().out
        assert re.search(r"^UMDA.* best seen ", table, re.MULTILINE)
        assert re.search(r"^ +mode ", table, re.MULTILINE)
        assert table.index("UMDA") < table.index("random_search")  # it is the better, and the better come first


def test_the_entry_point_gives_it_a_name(package: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command("nas-arena list optimizers")
    assert "umda(population=20, best=5)" in capsys.readouterr().out
    command("nas-arena compare -b nasbench201 -o umda --seeds 2 --budget 30 --no-tracking --jobs 1")
    assert "UMDA" in capsys.readouterr().out
