"""The leaderboard page: its rows are what the records say, and the tuned ones what the tuning chose."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.run import run
from harness.selection import Selection
from harness.study import Study
from results.leaderboard import COMMAND, STUDY, TUNING, chosen, main, page
from results.record import CellRecord

DOCS = Path(__file__).parents[2] / "docs"


def few(name: str, optimizers: Sequence[str], seeds: int) -> Study:
    """The bundled study with fewer of everything, so that it takes a second."""
    study = Study.load(name)
    kept = [selection for selection in study.optimizers if selection.name in optimizers]
    return study.replaced(optimizers=kept, seeds=seeds, budget="2000s")


@pytest.mark.usefixtures("data_folder")
def test_the_page_says_what_is_on_record(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    optimizers = ("random_search", "pbil", "local_search")
    cells, tuning = (
        run(few(name, optimizers, 6), arena=tmp_path, jobs=1, tracking=False).cells for name in (STUDY, TUNING)
    )
    text = page(cells, tuning)
    best = chosen(tuning)["pbil"]
    told = main([str(tmp_path)])
    assert capsys.readouterr().out == ("" if told else text)
    assert told == "" or best.optimizer in told  # chosen by six seeds, it need not be what the study names
    assert COMMAND in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| pbil(lr=0.4) |")]
    assert [row[2] for row in rows] == ["best seen", "mode"]
    cell = next(one for one in cells if one.optimizer == "pbil(lr=0.4)")
    for row, column in zip(rows, ("incumbent", "recommended"), strict=True):
        regret = cell.columns[f"{column}_regret"][:, -1]
        assert row[3] == f"{regret.mean():.2f} ± {regret.std(ddof=1) / 6**0.5:.2f}"
        accuracy = 100 - cell.columns[f"{column}_final"][:, -1]
        assert row[4] == f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f}"
        accuracy = 100 - cell.columns[f"{column}_final.imagenet16-120"][:, -1]
        assert row[6] == f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f}"
    assert _regret(best) == min(_regret(one) for one in tuning if one.about["optimizer"]["name"] == "pbil")
    assert f"| pbil | 16 | 6 | {best.optimizer} | {_regret(best):.2f} |" in text


def _regret(cell: CellRecord) -> float:
    return float(cell.columns["incumbent_regret"][:, -1].mean())


def test_only_confirmed_numbers_are_printed_as_published() -> None:
    text = (DOCS / "leaderboard.md").read_text(encoding="utf-8")
    published = text[text.index("## Published") :]
    assert "93.85 ± 0.37" in published
    assert "93.92" not in published  # regularized evolution, as remembered


def test_the_page_of_the_docs_is_of_the_bundled_studies() -> None:
    """Every optimizer of the study has its rows, and what stands there as tuned is what the tuning chose."""
    text = (DOCS / "leaderboard.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\S.*?) \| (?:defaults|tuned|as set)", text, re.MULTILINE)
    shown = {str(one) for row in rows for one in Selection.parse_all(row)}
    assert shown == {str(one) for one in Study.load(STUDY).optimizers}
    assert "as set" not in text
    assert COMMAND in text


def test_what_is_missing_is_told(tmp_path: Path) -> None:
    assert "give the arena folder" in main([])
    assert "nas-arena run" in main([str(tmp_path)])
