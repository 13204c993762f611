"""Drawings as files."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from drawn_cells import drawn_cell

from results.canvas import legend_columns, plain, text_width, wrap
from results.comparison_figures import improvement_matrix, profile, rank_diagram
from results.drawing import Drawing, stem
from results.figures import anytime
from results.look import PAPER, SCREEN, styles

TWO = np.array([0.0, 1.0])


def drawn(name: str = "asng") -> Drawing:
    cells = [drawn_cell(name, [[3.0, 2.0, 1.0, 0.0]] * 3)]
    drawing = anytime(cells, "incumbent", "evaluations", SCREEN, styles(cells))
    assert drawing is not None
    return drawing


def test_files_are_whole_and_say_the_numbers(tmp_path: Path) -> None:
    drawing = drawn()
    paths = drawing.save(tmp_path)
    assert paths == [tmp_path / f"{drawing.name}{ending}" for ending in (".svg", ".png", ".csv")]
    assert sorted(tmp_path.iterdir()) == sorted(paths)
    assert paths[0].read_bytes() == drawing.svg()
    assert paths[1].read_bytes().startswith(b"\x89PNG")
    pd.testing.assert_frame_equal(pd.read_csv(paths[2]), drawing.data, check_dtype=False)


def test_an_svg_is_the_same_at_every_call_and_text_stays_text() -> None:
    one, other = drawn(), drawn()
    assert one.svg() == one.svg() == other.svg()
    root = ET.fromstring(one.svg())
    texts = ["".join(node.itertext()).strip() for node in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"evaluations", "asng", "0: best of the table"} <= set(texts)


def test_settings_of_matplotlib_are_left_as_they_were() -> None:
    names = mpl.rcParams.keys() - {"backend"}  # to read that one settles it
    before = {name: mpl.rcParams[name] for name in names}
    drawn().svg()
    assert {name: mpl.rcParams[name] for name in names} == before


def test_long_legends_get_fewer_columns() -> None:
    assert legend_columns(["a", "b", "c"], 4, SCREEN) == 3
    assert legend_columns(["a" * 30, "b" * 30, "c"], 4, SCREEN) == 2  # the first column holds two
    assert legend_columns(["a" * 30, "b" * 30], 4, SCREEN) == 1
    assert legend_columns([], 4, SCREEN) == 1


def test_a_title_is_wrapped_to_its_width() -> None:
    lines = wrap("word " * 30, 2, SCREEN).split("\n")
    assert " ".join(lines) == " ".join(["word"] * 30)
    assert max(text_width(line, SCREEN.fonts[0], SCREEN.text) for line in lines) <= 2
    assert text_width(lines[0] + " word", SCREEN.fonts[0], SCREEN.text) > 2


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.01, "0.01"), (10_000, "10,000"), (1e6, r"$\mathdefault{10^{6}}$"), (3e-5, r"$\mathdefault{3\cdot 10^{-5}}$")],
)
def test_numbers_of_an_axis(value: float, text: str) -> None:
    assert plain(value) == text


def test_names_of_files_are_plain() -> None:
    assert stem("NASBench201-cifar10", "asng(lam=8, alpha=1.5)", "best seen") == (
        "nasbench201-cifar10-asng-lam-8-alpha-1.5-best-seen"
    )


def test_a_profile_has_the_shares_it_is_given() -> None:
    cells = [drawn_cell("asng", np.ones((2, 4)))]
    drawing = profile({"asng": (TWO, TWO / 2, TWO / 4, TWO)}, "two runs", PAPER, styles(cells))
    assert drawing.data.to_numpy().tolist() == [["asng", 0, 0, 0, 0], ["asng", 1, 0.5, 0.25, 1]]
    assert "two runs" in drawing.caption


def test_a_matrix_shows_every_pair_and_ties() -> None:
    labels = [f"optimizer_{place}" for place in range(25)]
    values = np.full((25, 25), 0.5)
    values[0, 1], values[1, 0], values[0, 2], values[2, 0], values[3, 4] = 0.75, 0.25, np.nan, np.nan, 1
    drawing = improvement_matrix(labels, values, "x", SCREEN)
    assert len(drawing.data) == 25 * 24
    assert drawing.data.iloc[0].tolist() == ["optimizer_0", "optimizer_1", 0.75]
    shown = {text.get_position(): text.get_text() for text in drawing.figure.axes[0].texts}
    assert len(shown) == 25 * 24
    assert [shown[place] for place in ((1, 0), (0, 1), (2, 0), (4, 3))] == [".75", ".25", "=", "1"]
    size = drawing.figure.get_size_inches() * drawing.figure.axes[0].get_position().size
    assert size[0] / 25 > text_width(".75", SCREEN.fonts[0], SCREEN.small)


def test_ranks_are_in_order_and_groups_are_bars() -> None:
    drawing = rank_diagram(["a", "b", "c"], [2.5, 1.0, 2.5], 1.2, [(0, 2)], "five families", SCREEN)
    assert drawing.data["optimizer"].tolist() == ["b", "a", "c"]
    assert drawing.data["mean_rank"].tolist() == [1.0, 2.5, 2.5]
    assert "1.20" in drawing.caption
    thick = [lines for lines in drawing.figure.axes[0].collections if lines.get_linewidth()[0] > 2]
    assert len(thick) == 1
    (bar,) = thick[0].get_segments()
    assert bar[:, 0] == pytest.approx([2.47, 2.53])
