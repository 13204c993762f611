"""Colours and line styles: fixed, and no two alike."""

from __future__ import annotations

import numpy as np
from drawn_cells import drawn_cell

from optimizers.registry import OPTIMIZERS
from results.look import BUILT_IN, FREE, MARKERS, styles
from results.record import CellRecord


def cells(*labels: str) -> list[CellRecord]:
    return [drawn_cell(label, np.ones((1, 4))) for label in labels]


def test_every_built_in_optimizer_has_a_pair_of_its_own() -> None:
    assert set(OPTIMIZERS.names()) <= set(BUILT_IN)
    assert len(set(BUILT_IN.values())) == len(BUILT_IN)
    assert not set(FREE) & set(BUILT_IN.values())


def test_a_style_does_not_depend_on_the_others_of_a_report() -> None:
    alone, beside = styles(cells("asng")), styles(cells("sng", "mine:Own", "asng(lam=8)", "asng"))
    assert alone["asng"] == beside["asng"]
    assert styles(cells("mine:Own"))["mine:Own"] == beside["mine:Own"]


def test_a_second_setting_keeps_colour_and_dashes() -> None:
    found = styles(cells("asng(lam=8)", "asng", "asng(lam=4)"))
    assert len({(style.colour, style.dashes) for style in found.values()}) == 1
    assert found["asng"].marker == ""
    assert len({(style.marker, style.filled) for style in found.values()}) == 3


def test_no_two_styles_are_alike() -> None:
    labels = [name + setting for name in (*BUILT_IN, "own:A", "own:B") for setting in ("", "(a=1)", "(a=2)")]
    found = styles(cells(*labels))
    assert len(set(found.values())) == len(labels)


def test_strangers_have_pairs_that_no_built_in_has_and_that_differ() -> None:
    names = [f"their:Optimizer{place}" for place in range(len(FREE))]
    pairs = {(style.colour, style.dashes) for style in styles(cells(*names)).values()}
    assert pairs == set(FREE)


def test_more_strangers_than_pairs_still_have_styles() -> None:
    many = len(FREE) + 3
    assert len(styles(cells(*(f"their:Optimizer{place}" for place in range(many))))) == many


def test_markers_differ() -> None:
    assert len(set(MARKERS)) == len(MARKERS) == 11
