"""Figures of one benchmark: the numbers that are drawn, and what is said of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from drawn_cells import LANDMARKS, SPACE, drawn_cell

from results.anytime import EXACT
from results.architecture_figure import found_architecture
from results.drawing import Drawing
from results.figures import anytime, reported
from results.final_figure import final_distribution
from results.look import PAPER, SCREEN, styles
from results.record import CellRecord
from results.state_figures import diagnostic, distribution_path
from results.statistics import interquartile_mean_interval
from results.target_figures import targets_reached

REGRETS = [[9, 4, 4, 0], [8, 8, 2, 2], [7, 5, 3, 1], [6, 6, 6, 6]]


def some(drawing: Drawing | None) -> Drawing:
    assert drawing is not None
    return drawing


def words(drawing: Drawing) -> list[str]:
    """All texts of a figure."""
    from matplotlib.text import Text

    return [text.get_text() for text in drawing.figure.findobj(Text)]  # type: ignore[attr-defined]


def test_anytime_has_the_interquartile_mean_and_its_band() -> None:
    cells = [drawn_cell("asng", REGRETS, mode=np.array(REGRETS) + 1), drawn_cell("sng", np.zeros((4, 4)))]
    best = some(anytime(cells, "incumbent", "evaluations", SCREEN, styles(cells)))
    of_asng = best.data[best.data["optimizer"] == "asng"]
    assert of_asng["evaluations"].tolist() == [1, 2, 4]
    assert of_asng["regret"].tolist() == [7.5, 5.5, 1.5]  # of the middle two of four
    low, high = interquartile_mean_interval(cells[0].columns["incumbent_regret"])
    assert of_asng["low"].tolist() == low.tolist()
    assert of_asng["high"].tolist() == high.tolist()
    assert set(best.data["seeds"]) == {4}
    assert best.name == "planted-x-anytime-best-seen-evaluations"
    own = some(anytime(cells, "recommended", "evaluations", SCREEN, styles(cells)))
    assert own.data["regret"].tolist() == [8.5, 6.5, 2.5, 0, 0, 0]
    assert "mode" in own.title
    assert "what is recommended by sng" in own.caption
    for drawing in (best, own):
        assert "4 seeds" in drawing.caption
        assert "0: best of the table" in words(drawing)


def test_curves_below_the_floor_are_drawn_on_it() -> None:
    cells = [drawn_cell("asng", REGRETS), drawn_cell("sng", np.zeros((4, 4)))]
    drawing = some(anytime(cells, "incumbent", "evaluations", SCREEN, styles(cells)))
    drawing.svg()  # sets the ticks
    axes = drawing.figure.axes[0]
    labels = {tick.label1.get_text(): tick.get_loc() for tick in axes.yaxis.get_major_ticks()}
    assert all(at > 0.75 for text, at in labels.items() if text)  # none below the line of 0
    assert "1" in labels
    _, solved, floor = axes.lines
    assert set(solved.get_ydata()) == {floor.get_ydata()[0]} == {0.75}  # half of the least mean


def test_random_search_from_the_table_is_said_to_be_computed() -> None:
    landmarks = LANDMARKS | {"regret_by_rank": {"rank": [1, 18], "regret": [0.5, 9.0]}}
    cells = [drawn_cell("asng", REGRETS, landmarks=landmarks)]
    drawing = some(anytime(cells, "incumbent", "evaluations", SCREEN, styles(cells)))
    assert drawing.data["optimizer"].unique().tolist() == ["asng", EXACT]
    assert "computed from the table" in drawing.caption


def test_nothing_to_draw_is_none() -> None:
    cells = [drawn_cell("asng", REGRETS, seconds=np.nan)]
    old = [drawn_cell("asng", REGRETS, landmarks={})]
    never = [drawn_cell("asng", np.full((2, 4), 9.0))]
    missing = [drawn_cell("asng", REGRETS, mode=np.full((4, 4), np.nan))]
    of = styles(cells)
    assert anytime(cells, "incumbent", "seconds", SCREEN, of) is None
    assert reported(missing, "recommended", SCREEN, of) is None
    assert targets_reached(old, SCREEN, of) is None
    assert targets_reached(never, SCREEN, of) is None
    assert diagnostic(cells, "diagnostic.step_size", SCREEN, of) is None
    assert distribution_path(cells[0], SCREEN) is None
    assert found_architecture(missing[0], "recommended", SCREEN) is None


@pytest.mark.parametrize(("searched", "line"), [("validation error", "best by validation"), ("x", "best by search")])
def test_the_reported_number_is_beside_that_of_the_best(searched: str, line: str) -> None:
    cell = drawn_cell("asng", REGRETS)
    cell.about["benchmark"]["wording"] = cell.about["benchmark"]["wording"] | {"searched": searched}
    drawing = some(reported([cell], "incumbent", SCREEN, styles([cell])))
    mean = 100 - 7 - np.array([7.5, 5.75, 2.25])
    assert drawing.data["reported"].tolist() == pytest.approx(mean)
    half = 1.96 * np.std([0, 2, 1, 6], ddof=1) / 2
    assert drawing.data["high"].iloc[-1] == pytest.approx(mean[-1] + half)
    assert line in words(drawing)
    assert drawing.figure.axes[0].lines[-1].get_ydata()[0] == 94


def test_the_final_distribution_is_ordered_and_counts_zeros() -> None:
    worse = drawn_cell("sng", np.array(REGRETS) + 1)
    solved = drawn_cell("asng", [[5, 4, 0, 0], [9, 9, 9, 9]] * 2)
    drawing = final_distribution(
        [worse, solved, drawn_cell("cga", REGRETS)],
        4,
        "incumbent",
        SCREEN,
        styles([worse, solved, drawn_cell("cga", REGRETS)]),
    )
    assert drawing.data["optimizer"].tolist() == ["cga", "sng", "asng"]
    assert drawing.data["iqm"].tolist() == [1.5, 2.5, 4.5]
    assert drawing.data["share_at_0"].tolist() == [0.25, 0, 0.5]
    first = drawing.data.iloc[0]
    assert [first[name] for name in ("q1", "median", "q3")] == [0.75, 1.5, 3.0]
    assert "50 %" in words(drawing)


def test_targets_count_pairs_of_seed_and_target() -> None:
    cell = drawn_cell("asng", REGRETS)  # below 3: at 4, 3, 3, never; below 1: at 4, never, 4, never; 0: at 4 once
    drawing = some(targets_reached([cell], SCREEN, styles([cell])))
    assert dict(zip(drawing.data["evaluations"], drawing.data["share"], strict=True)) == {3: 2 / 12, 4: 6 / 12}
    timed = drawn_cell("asng", REGRETS, unit="seconds", at=(10, 40))
    assert some(targets_reached([timed], SCREEN, styles([timed]))).data["seconds"].iloc[-1] == 40


def test_a_diagnostic_has_its_quartiles_and_alpha() -> None:
    trace = [[np.nan, 1, 4], [1, 2, 5], [1, 3, 6]]
    cell = drawn_cell("asng", REGRETS[:3], settings={"alpha": 1.5}, diagnostics={"signal_to_noise": trace})
    other = drawn_cell("cga", REGRETS[:3])
    drawing = some(diagnostic([cell, other], "diagnostic.signal_to_noise", SCREEN, styles([cell, other])))
    assert drawing.data.to_numpy()[:, 1:].tolist() == [[2, 1.5, 2, 2.5], [4, 4.5, 5, 5.5]]
    assert "alpha 1.5" in words(drawing)
    assert "alpha" in drawing.caption


def with_distribution(space: Any) -> CellRecord:
    path = np.zeros((3, 3, 3))
    path[:, :2] = [[0.2, 0.3, 0.5], [0.1, 0.1, 0.8]]
    path[:, 2, :2] = [0.25, 0.75]
    return replace(drawn_cell("asng", REGRETS, space=space), distribution=path)


def test_the_path_of_a_distribution_is_that_of_the_record() -> None:
    drawing = some(distribution_path(with_distribution(SPACE), SCREEN))
    first = drawing.data[drawing.data["evaluations"] == 1]
    assert list(zip(first["variable"], first["value"], first["probability"], strict=True)) == [
        ("0->1", "none", 0.2),
        ("0->1", "skip", 0.3),
        ("0->1", "conv", 0.5),
        ("0->2", "none", 0.1),
        ("0->2", "skip", 0.1),
        ("0->2", "conv", 0.8),
        ("width", "8", 0.25),
        ("width", "16", 0.75),
    ]
    assert len(drawing.data) == 24
    texts = words(drawing)  # values are named beside each panel, since variables have different ones
    assert texts.count("conv") == 2
    assert "16" in texts
    assert texts.count("none") == 1  # the other is too thin


def test_variables_of_the_same_values_share_a_legend() -> None:
    same = {"variables": SPACE["variables"][:2]}
    cell = with_distribution(same)
    cell = replace(cell, distribution=np.asarray(cell.distribution)[:, :2])
    assert words(some(distribution_path(cell, SCREEN))).count("conv") == 1


@pytest.mark.parametrize("edges", [None, [[0, 1], [0, 2], [1, 2]]])
def test_the_found_architecture_is_the_most_frequent(edges: Any) -> None:
    """Index 9 of 3 x 3 x 2 is 1, 1, 1: the first variable counts slowest."""
    cell = drawn_cell("asng", REGRETS, **({"edges": edges} if edges else {}))
    cell.columns["incumbent"][:, -1] = [9, 5, 9, 2]
    drawing = some(found_architecture(cell, "incumbent", SCREEN))
    assert drawing.data["value"].tolist() == ["skip", "skip", "16"]
    assert set(drawing.data["share"]) == {0.5}
    assert "2 of 4 seeds (50 %), among 3 that differ" in drawing.caption
    assert {"skip", "16"} <= set(words(drawing))
    assert ("out" in words(drawing)) == (edges is not None)


@pytest.mark.parametrize("look", [SCREEN, PAPER])
def test_a_look_has_its_width_and_title(look: Any) -> None:
    cell = drawn_cell("asng", REGRETS)
    drawing = some(anytime([cell], "incumbent", "evaluations", look, styles([cell])))
    assert drawing.figure.get_figwidth() == pytest.approx(look.width)
    assert (drawing.title in words(drawing)) == look.titled
    assert (
        f"font-family: {'STIXGeneral' if look is PAPER else chr(39) + 'DejaVu Sans' + chr(39)},"
        in drawing.svg().decode()
    )
