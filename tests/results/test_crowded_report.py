"""Reports on more optimizers than a panel can tell apart: what is in colour, what is pale, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from drawn_cells import drawn_cell
from matplotlib.colors import to_hex

from harness.run import run
from harness.study import Study
from results.ablation_heat_map import Grid, heat_map
from results.canvas import legend_of
from results.comparison_figures import profile
from results.drawing import Drawing, stem
from results.figures import anytime, anytime_figure, reported
from results.look import MOST_IN_COLOUR, PALE, PAPER, SCREEN, in_colour, styles, with_pale
from results.record import CellRecord
from results.report.benchmark_section import benchmark_section, best_settings
from results.report.cost_section import cost
from results.report.document import Fold, Paragraph, Pictures, Section, Table, walk
from results.report.findings import findings
from results.report.gather import read_folder
from results.report.run_sections import MOST_SHOWN
from results.report.summary import sentences_of
from results.state_figures import diagnostic, distribution_path
from results.target_figures import targets_reached

LABELS = ["asng", "sng", "asng(lam=4)", "random_search", "cga", "sng(lam=8)", "pbil", "asng(lam=8)"]


def test_in_colour_are_the_first_settings_and_random_search() -> None:
    assert in_colour(LABELS, len(LABELS)) == tuple(LABELS)
    assert in_colour(LABELS, 7) == ("asng", "sng", "cga", "pbil", "random_search")
    assert in_colour(LABELS, 3) == ("asng", "sng", "random_search")
    assert in_colour([label for label in LABELS if label != "random_search"], 3) == ("asng", "sng", "cga")
    at_the_end = ["asng", "sng", "cga", "random_search(x=1)"]
    assert in_colour(at_the_end, 2) == ("asng", "random_search(x=1)")


def crowd() -> list[CellRecord]:
    """Twelve settings, the best first, the last of which is random search."""
    labels = [
        *(f"asng(lam={lam})" for lam in range(2, 8)),
        *(f"sng(lam={lam})" for lam in range(2, 7)),
        "random_search",
    ]
    trace = {"entropy": [[3.0, 2.0, 1.0]] * 2}
    return [
        drawn_cell(label, np.array([[9, 4, 4, 1], [8, 8, 2, 2]]) + 0.1 * place, diagnostics=trace)
        for place, label in enumerate(labels)
    ]


def pale_lines(drawing: Drawing) -> int:
    return sum(to_hex(line.get_color()) == to_hex(PALE.colour) for line in drawing.figure.axes[0].lines)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "draw",
    [
        lambda cells, of: anytime(cells, "incumbent", "evaluations", SCREEN, of),
        lambda cells, of: reported(cells, "incumbent", SCREEN, of),
        lambda cells, of: targets_reached(cells, SCREEN, of),
        lambda cells, of: diagnostic(cells, "diagnostic.entropy", SCREEN, of),
        lambda cells, of: profile({cell.optimizer: (np.array([0.1, 1.0]),) * 4 for cell in cells}, "it", SCREEN, of),
    ],
)
def test_pale_curves_are_counted_and_keep_their_numbers(draw: Any) -> None:
    cells = crowd()
    coloured = in_colour([cell.optimizer for cell in cells])
    assert coloured == ("asng(lam=2)", "sng(lam=2)", "random_search")
    drawing = draw(cells, with_pale(styles(cells), coloured))
    assert pale_lines(drawing) == 9
    assert "grey: 9 more, named in the CSV" in drawing.caption
    assert list(dict.fromkeys(drawing.data["optimizer"])) == [cell.optimizer for cell in cells]
    legend = [text.get_text() for text in drawing.figure.legends[0].get_texts()]
    assert legend == ["asng(lam=2)", "sng(lam=2)", "random_search", "9 more"]
    everyone = draw(cells, styles(cells))
    assert pale_lines(everyone) == 0
    assert "grey" not in everyone.caption


def test_a_legend_names_no_others_where_there_are_none() -> None:
    of = styles(crowd())
    assert [line.get_label() for line in legend_of(["asng(lam=3)", "random_search"], of)] == [
        "asng(lam=3)",
        "random_search",
    ]


def test_optimizers_that_recommend_the_best_seen_are_named_once() -> None:
    cells = [*crowd(), drawn_cell("cga", [[9, 4, 4, 1]] * 2, mode=[[9, 9, 9, 9]] * 2)]
    drawing = anytime(cells, "recommended", "evaluations", SCREEN, styles(cells))
    assert drawing is not None
    assert "what is recommended by asng, sng, random_search." in drawing.caption


def test_a_figure_is_drawn_once() -> None:
    cells = crowd()[:1]
    drawing = anytime(cells, "incumbent", "evaluations", SCREEN, styles(cells))
    assert drawing is not None
    assert drawing.svg() is drawing.svg()


def test_a_figure_is_written_as_what_its_ending_says(tmp_path: Path) -> None:
    anytime_figure(crowd()[:1], tmp_path / "a.png")
    anytime_figure(crowd()[:1], tmp_path / "a.svg")
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert b"<svg" in (tmp_path / "a.svg").read_bytes()


@pytest.mark.parametrize(("values", "rows", "columns"), [(4, 1, 2), (20, 2, 1)])
def test_wide_heat_maps_stand_below_each_other(values: int, rows: int, columns: int) -> None:
    x, y = np.geomspace(0.1, 10, values), np.array([2.0, 8.0])
    regrets = {"recommended": np.full((2, values), 0.5), "incumbent": np.full((2, values), 0.25)}
    grid = Grid("asng", {"recommended": "mode", "incumbent": "best seen"}, x, y, regrets, "points", ("planted",))
    drawing = heat_map([grid], "delta_init", "lam", "60 evaluations", "name")
    maps = [axes for axes in drawing.figure.axes if axes.images and axes.get_title()]
    assert [axes.get_title() for axes in maps] == ["asng: mode", "asng: best seen"]
    assert {axes.get_subplotspec().get_gridspec().get_geometry() for axes in maps} == {(rows, columns)}
    assert [float(axes.images[0].get_array().max()) for axes in maps] == [0.5, 0.25]
    assert len(drawing.data) == 4 * values


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> list[CellRecord]:
    study = Study(
        name="crowded",
        optimizers=[
            {"name": "asng", "vary": {"lam": [2, 4], "delta_init": [0.1, 0.3, 1.0, 3.0, 10.0]}},
            "random_search",
        ],
        benchmarks=["nasbench201(reported=validation)"],
        seeds=5,
        budget=40,
    )
    return run(study, arena=tmp_path_factory.mktemp("arena"), jobs=1, tracking=False).cells


def section_of(cells: Sequence[CellRecord], *, alone: bool) -> Section:
    return benchmark_section(findings(cells), findings(cells, "recommended"), SCREEN, styles(cells), alone=alone)


def test_a_section_begins_with_figures_and_draws_best_settings(ran: list[CellRecord]) -> None:
    assert len(ran) == MOST_IN_COLOUR + 1
    section = section_of(ran, alone=True)
    shown = [type(block) for block in section.blocks]
    assert shown.index(Pictures) < shown.index(Table)
    first = section.blocks[shown.index(Pictures)]
    assert isinstance(first, Pictures)
    label = f"{stem(ran[0].benchmark)}-"
    assert [picture.drawing.name.removeprefix(label) for picture in first.pictures] == [
        "anytime-best-seen-evaluations",
        "anytime-recommended-evaluations",
        "final-best-seen-40",
    ]
    assert "grey: 9 more" in first.pictures[0].drawing.caption
    best = findings(ran).cells
    first_asng = next(cell.optimizer for cell in best if cell.optimizer.startswith("asng"))
    assert {cell.optimizer for cell in best_settings(best)} == {first_asng, "random_search"}
    names = [drawing.name for block in walk((section,)) if (drawing := getattr(block, "drawing", None))]
    assert len(names) == len(set(names))
    assert sum("-distribution" in name for name in names) == 1
    assert sum("-found-" in name for name in names) == 2


def test_what_the_summary_just_said_is_not_said_again(ran: list[CellRecord]) -> None:
    def paragraphs(section: Section) -> list[str]:
        return [block.text for block in section.blocks if isinstance(block, Paragraph)]

    said, silent = paragraphs(section_of(ran, alone=False)), paragraphs(section_of(ran, alone=True))
    assert said[1:] == silent
    assert said[0] == " ".join(sentences_of(findings(ran)))


def test_whom_all_are_against_is_in_the_title_alone(ran: list[CellRecord]) -> None:
    tables = {block.name: block for block in walk((section_of(ran, alone=True),)) if isinstance(block, Table)}
    against = next(table for name, table in tables.items() if name.endswith("-against-first"))
    every = next(table for name, table in tables.items() if name.endswith("-pairs"))
    assert "against" not in [column.heading for column in against.columns]
    assert "against" in [column.heading for column in every.columns]
    assert against.frame["second"].nunique() == 1
    assert f"`{against.frame['second'][0]}`" in against.title


def test_costs_of_many_cells_are_folded(ran: list[CellRecord]) -> None:
    studies = [read_folder(ran[0].folder.parent)]
    few = cost(studies, {"x": ran})
    assert any(isinstance(block, Table) for block in few.blocks)
    many = cost(studies, {str(place): ran for place in range(1 + MOST_SHOWN // len(ran))})
    assert not any(isinstance(block, Table) for block in many.blocks)
    fold = next(block for block in many.blocks if isinstance(block, Fold))
    assert isinstance(fold.blocks[0], Table)


@pytest.mark.parametrize(("look", "columns"), [(SCREEN, 3), (PAPER, 2)])
def test_panels_of_a_distribution_are_wide_enough_for_their_numbers(look: Any, columns: int) -> None:
    variables = [
        {"kind": "categorical", "name": f"v{place}", "choices": ["a", "b"] if place else ["c", "d"]}
        for place in range(6)
    ]
    cell = drawn_cell("asng", [[9, 4, 4, 1]] * 2, space={"variables": variables})
    object.__setattr__(cell, "distribution", np.full((3, 6, 2), 0.5))
    drawing = distribution_path(cell, look)
    assert drawing is not None
    assert drawing.figure.axes[0].get_subplotspec().get_gridspec().get_geometry()[1] == columns
    assert drawing.figure.get_figwidth() == pytest.approx(look.width)
