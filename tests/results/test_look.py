"""Colours and line styles: fixed, and no two alike."""

from __future__ import annotations

import numpy as np
from drawn_cells import drawn_cell
from hypothesis import given
from hypothesis import strategies as st

from optimizers.registry import OPTIMIZERS
from results.look import BLACK, BUILT_IN, FREE, GREY, MARKERS, SHADES, shades, styles
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


LABELS = st.lists(
    st.sampled_from(sorted(BUILT_IN)).flatmap(
        lambda name: st.integers(0, 9).map(lambda lam: (name, f"{name}(lam={lam})" if lam else name))
    ),
    unique=True,
    max_size=30,
)


@given(labels=LABELS, more=LABELS)
def test_a_shade_does_not_depend_on_the_labels_after_it(
    labels: list[tuple[str, str]], more: list[tuple[str, str]]
) -> None:
    before, after = shades(labels), shades([*labels, *more])
    assert before == {label: after[label] for _, label in labels}
    assert set(after) == {label for _, label in (*labels, *more)}


@given(labels=LABELS)
def test_labels_of_one_colour_have_shades_until_these_are_used_up(labels: list[tuple[str, str]]) -> None:
    found = shades(labels)
    by_colour: dict[str, list[str]] = {}
    for name, label in labels:
        by_colour.setdefault(BUILT_IN[name][0], []).append(found[label])
    for colour, own in by_colour.items():
        assert own[0] == (GREY if colour == BLACK else colour), "the first keeps the pure colour"
        assert len(set(own[: len(SHADES)])) == len(own[: len(SHADES)])
        assert all(one == other for one, other in zip(own, own[len(SHADES) :], strict=False)), "then they begin anew"


def test_no_two_shades_of_all_colours_are_alike() -> None:
    one_each = {colour: name for name, (colour, _) in reversed(BUILT_IN.items())}
    labels = [(name, f"{name}({place})") for name in one_each.values() for place in range(len(SHADES))]
    found = shades(labels).values()
    assert len(set(found)) == len(labels) == 42
    assert all(len(colour) == 7 and int(colour[1:], 16) >= 0 for colour in found)
