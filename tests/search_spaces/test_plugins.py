"""Settings and classes that a user gives, where a study file cannot say exactly what Python would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.study import Study
from search_spaces.errors import ArenaError
from search_spaces.plugins import construct, resolve_settings


class Widths:
    def __init__(self, widths: tuple[int, ...] = (8, 16), pairs: tuple[tuple[int, str], ...] = ()) -> None: ...


def test_a_list_of_a_study_file_passes_for_a_tuple() -> None:
    settings = resolve_settings(Widths, {"widths": [1, 2, 3], "pairs": [[1, "a"], [2, "b"]]}, "setting of widths")
    assert settings == {"widths": (1, 2, 3), "pairs": ((1, "a"), (2, "b"))}


@pytest.mark.parametrize("wrong", [["a"], [1.5], "12", [[1]]])
def test_a_list_of_other_things_does_not(wrong: Any) -> None:
    with pytest.raises(ArenaError, match="setting of widths 'widths'"):
        resolve_settings(Widths, {"widths": wrong}, "setting of widths")


def test_an_error_inside_a_users_class_is_told_in_a_line_with_its_place() -> None:
    def broken() -> None:
        raise KeyError("depth")

    with pytest.raises(ArenaError, match=r"mine cannot be made: KeyError: 'depth' \(.*test_plugins.py, line \d+\)$"):
        construct("mine", broken)


def test_a_study_with_a_class_that_cannot_be_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "broken_module.py").write_text(
        "from nas_arena import Optimizer\n"
        "class Broken(Optimizer):\n"
        "    def __init__(self, space, seeds, *, widths: tuple[int, ...] = (), stream=0):\n"
        "        super().__init__(space, seeds, stream=stream)\n"
        "        self.first = widths[0]\n"
        "    _ask = _tell = _recommend = _state = _load = lambda self, *given: None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    study = Study(name="s", optimizers=["broken_module:Broken"], benchmarks=["nasbench201"], seeds=1, budget=3)
    with pytest.raises(ArenaError, match=r"Broken cannot be made: IndexError: .*broken_module.py, line 5\)"):
        study.cells()
