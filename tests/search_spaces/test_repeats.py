"""Tables of several trainings: what the search sees, what the report, and which means tie."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_spaces.benchmark import tied
from search_spaces.repeats import tables_of_repeats

LOSSES = np.array([[1.0, 3.0, 10.0], [2.0, 2.0, 40.0]])
SECONDS = np.array([[10.0, 30.0, 900.0], [1.0, 2.0, 900.0]], dtype=np.float32)


def test_a_hold_out_is_of_the_repeats_that_the_search_does_not_see() -> None:
    tables = tables_of_repeats(LOSSES, 2, "hold-out", seconds=SECONDS, secondary={"size": np.array([7, 8])})
    assert tables.trials is not None
    assert tables.trial_counts is not None
    assert tables.seconds is not None
    assert tables.search.tolist() == [[2.0, 2.0]]
    assert tables.final.tolist() == [10.0, 40.0]
    assert tables.trials.tolist() == [[1.0, 3.0], [2.0, 2.0]]
    assert tables.trial_counts.tolist() == [2, 2]
    assert tables.seconds.tolist() == [[20.0, 1.5]]
    assert tables.seconds.dtype == np.float64
    assert tables.secondary["size"].tolist() == [7, 8]


def test_without_one_both_are_the_mean_of_all() -> None:
    tables = tables_of_repeats(LOSSES, 2, "searched")
    assert tables.trials is not None
    assert tables.search[0].tolist() == tables.final.tolist() == pytest.approx([14 / 3, 44 / 3])
    assert tables.trials.tolist() == LOSSES.tolist()
    assert tables.seconds is None
    assert not tables.secondary


@pytest.mark.parametrize("reported", ["hold-out", "searched"])
def test_means_of_the_same_numbers_tie_in_any_order(reported: str) -> None:
    numbers = np.array([0.1, 0.2, 0.3])
    losses = np.array([[*one, *one] for one in (numbers, numbers[::-1], numbers[[1, 2, 0]])])
    apart, equal = (tables_of_repeats(losses, 3, reported, ties_within=within) for within in (0.0, 1e-9))
    assert len(set(apart.search[0].tolist())) > 1, "these would tie anyway: the test shows nothing"
    assert len(set(equal.search[0].tolist())) == len(set(equal.final.tolist())) == 1


@given(
    values=st.lists(st.integers(0, 30), min_size=1, max_size=40),
    errors=st.lists(st.floats(-1e-13, 1e-13), min_size=40, max_size=40),
    half_of_a_step=st.booleans(),
)
def test_values_that_are_equal_on_paper_tie(values: list[int], errors: list[float], half_of_a_step: bool) -> None:
    """Also those on which rounding to ten decimals would be of two minds."""
    exact = np.array(values) / 7 + half_of_a_step * 0.5e-10
    found = tied(exact + errors[: len(values)], 1e-9)
    np.testing.assert_allclose(found, exact, rtol=0, atol=3e-13)
    np.testing.assert_array_equal(found[:, None] == found, exact[:, None] == exact)


def test_what_is_no_number_ties_with_nothing() -> None:
    found = tied(np.array([np.inf, 2.0, np.nan, 1.0 + 1e-12, np.inf, 1.0]), 1e-9)
    np.testing.assert_array_equal(found, [np.inf, 2.0, np.nan, 1.0, np.inf, 1.0])
