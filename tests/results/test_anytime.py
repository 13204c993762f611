"""Curves of regret over evaluations and over time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from drawn_cells import LANDMARKS, drawn_cell
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from results.anytime import EXACT, anytime_curves, random_search_regret, regret_over, steps


@given(
    regrets=arrays(float, st.tuples(st.integers(1, 4), st.just(6)), elements=st.integers(0, 9)),
    seconds=arrays(float, (1, 6), elements=st.integers(1, 30)),
    factors=arrays(float, (4, 1), elements=st.integers(1, 3)),
)
def test_the_best_seen_over_time_is_that_of_a_plain_loop(regrets: Any, seconds: Any, factors: Any) -> None:
    R, N = regrets.shape
    takes = np.broadcast_to(seconds * factors[:R], (R, N))
    cell = drawn_cell("a", regrets, seconds=takes, at=(1, 3, 6))
    at, read = regret_over(cell, "incumbent", "seconds")
    ends = np.cumsum(takes, axis=1)
    if ends[:, 0].max() >= ends[:, -1].min():  # a seed ends before another has begun
        assert at.size == 0
        return
    assert at[0] == ends[:, 0].max()
    assert at[-1] == ends[:, -1].min()
    for seed in range(R):
        for place, time in enumerate(at):
            assert read[seed, place] == min(regrets[seed, n] for n in range(N) if ends[seed, n] <= time)


def test_the_recommendation_over_time_is_that_of_the_last_checkpoint() -> None:
    mode = [[np.nan, 9, 8, 7], [np.nan, 6, 5, 4]]
    cell = drawn_cell("a", np.ones((2, 4)), seconds=[[10.0], [20.0]], mode=mode, at=(1, 2, 4))
    assert regret_over(cell, "recommended", "seconds")[0].size == 0  # one seed ends as the other gets its first answer
    cell = drawn_cell("a", np.ones((2, 4)), seconds=[[10.0], [12.0]], mode=mode, at=(1, 2, 4))
    at, read = regret_over(cell, "recommended", "seconds")
    assert (at[0], at[-1]) == (24, 40)
    assert read[0].tolist() == [9.0] * (len(at) - 1) + [7.0]  # at 30 s it was 8, which no checkpoint saw
    assert set(read[1]) == {6.0}


def test_over_evaluations_a_budget_of_seconds_is_read_at_whole_numbers() -> None:
    regrets = [[9, 8, 7, 6, 5, 4], [5, 5, 5, 1, 0, 0]]
    cell = drawn_cell("a", regrets, seconds=[[10.0], [15.0]], at=(10, 20, 60), unit="seconds")
    at, read = regret_over(cell, "incumbent", "evaluations")
    assert at.tolist() == [1, 2, 3, 4]  # the second seed has had four in 60 s
    assert read.tolist() == [[9, 8, 7, 6], [5, 5, 5, 1]]
    own, of_checkpoints = regret_over(cell, "incumbent", "seconds")
    assert own.tolist() == [20, 60]  # at 10 s the second seed has none yet
    assert of_checkpoints.tolist() == [[8, 4], [5, 1]]


def test_a_table_without_times_has_no_curve_over_time() -> None:
    cell = drawn_cell("a", np.ones((3, 4)), seconds=np.nan)
    assert regret_over(cell, "incumbent", "seconds")[0].size == 0
    assert anytime_curves([cell], "incumbent", "seconds") == []


def test_before_its_first_value_a_step_curve_has_none() -> None:
    read = steps(np.array([0, 0, 1]), [2, 3, 5], [7.0, 6.0, 4.0], np.array([1.0, 2.0, 2.5, 3.0, 5.0]), 2)
    np.testing.assert_array_equal(read, [[np.nan, 7, 7, 6, 6], [np.nan, np.nan, np.nan, np.nan, 4]])


def test_random_search_from_the_table_is_what_a_simulation_finds() -> None:
    rng = np.random.default_rng(0)
    regrets = np.sort(rng.exponential(size=300))
    regrets[0] = 0.0
    n = np.array([1, 3, 10, 100, 1000])
    exact = random_search_regret({"rank": range(1, 301), "regret": regrets}, 300, n)
    for place, count in enumerate(n[:-1]):
        best = np.sort(regrets[rng.integers(300, size=(20_000, count))].min(axis=1))[5_000:15_000]
        assert exact[place] == pytest.approx(best.mean(), rel=0.03)
    assert exact[-1] == 0  # more than three quarters of all such runs draw the best


def test_random_search_of_one_draw_is_the_middle_half_of_the_table() -> None:
    regrets = np.arange(100.0)
    exact = random_search_regret({"rank": range(1, 101), "regret": regrets}, 100, [1])
    assert exact[0] == pytest.approx(regrets[25:75].mean())


def test_random_search_is_there_where_it_was_not_run() -> None:
    landmarks = LANDMARKS | {"regret_by_rank": {"rank": [1, 18], "regret": [0.0, 9.0]}}
    cell = drawn_cell("asng", np.ones((3, 4)), landmarks=landmarks)
    own = drawn_cell("random_search", np.ones((3, 4)), landmarks=landmarks)
    noisy = drawn_cell("asng", np.ones((3, 4)), landmarks=landmarks, noise=5)
    timed = drawn_cell("asng", np.ones((3, 4)), landmarks=landmarks, unit="seconds", at=(10, 40))

    def labels(*cells: Any, axis: Any = "evaluations") -> list[str]:
        return [curve.label for curve in anytime_curves(cells, "incumbent", axis)]

    assert labels(cell) == ["asng", EXACT]
    assert labels(cell, own) == ["asng", "random_search"]
    assert labels(noisy) == labels(timed) == labels(drawn_cell("asng", np.ones((3, 4)))) == ["asng"]
    assert labels(cell, axis="seconds") == ["asng"]
