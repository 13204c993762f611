"""The tabular benchmark on small made-up tables, whose every answer can be told by hand."""

from __future__ import annotations

import math
import statistics
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_up_tables import ALL, INF, NAN, SPACE, TABLES, WORDING, benchmark, counted

from search_spaces.benchmark import Tables, TabularBenchmark
from search_spaces.errors import ArenaError
from search_spaces.space import Integer, SearchSpace

# what is looked up


def test_losses_are_those_of_the_table() -> None:
    made = benchmark()
    np.testing.assert_array_equal(made.search_loss(ALL), [4, INF, 1, 100, INF, 10])
    np.testing.assert_array_equal(made.search_loss(ALL, fidelity=0), [9, INF, 8, 7, INF, 6])
    np.testing.assert_array_equal(made.search_loss(ALL, fidelity=1), made.search_loss(ALL))
    np.testing.assert_array_equal(made.seconds(ALL), [10, 10, 20, 30, 10, 40])
    np.testing.assert_array_equal(made.seconds(ALL, fidelity=0), [1, 1, 2, 3, 1, 4])


def test_every_shape_of_architectures_is_answered_in_its_shape() -> None:
    made = benchmark()
    for call in (made.search_loss, made.final_loss, made.seconds, made.feasible):
        assert call([1, 0]).shape == ()
        assert call(ALL.reshape(3, 1, 2, 2)).shape == (3, 1, 2)
        np.testing.assert_array_equal(call(ALL.reshape(3, 1, 2, 2)).ravel(), call(ALL))
        assert call(np.empty((4, 0, 2), dtype=int)).shape == (4, 0)


def test_ranks_are_looked_up_as_architectures_are() -> None:
    made, ranks = benchmark(), SPACE.index(ALL)[::-1]
    np.testing.assert_array_equal(made.search_loss_at(ranks, 0), made.search_loss(ALL[::-1], 0))
    np.testing.assert_array_equal(made.seconds_at(ranks), made.seconds(ALL[::-1]))


def test_what_has_no_record_is_infinitely_bad_to_search_and_the_worst_in_reports() -> None:
    made = benchmark()
    np.testing.assert_array_equal(made.feasible(ALL), [True, False, True, True, False, True])
    np.testing.assert_array_equal(made.final_loss(ALL), [3, 20, 2, 20, 20, 0.5])
    np.testing.assert_array_equal(made.search_regret, [3, 99, 0, 99, 99, 9])


def test_a_table_without_times_has_no_seconds() -> None:
    made = benchmark(seconds=None)
    np.testing.assert_array_equal(made.seconds(ALL), [NAN] * 6)
    assert made.metrics == ("parameters",)
    with pytest.raises(ArenaError, match="unknown metric of TabularBenchmark: 'seconds'; known: parameters"):
        made.metric("seconds", ALL)


@pytest.mark.parametrize("fidelity", [-1, 2])
def test_a_fidelity_that_does_not_exist_is_named(fidelity: int) -> None:
    for call in (benchmark().search_loss, benchmark().seconds):
        with pytest.raises(ArenaError, match=rf"fidelity is an index into \(1, 9\), not {fidelity}"):
            call(ALL, fidelity)


def test_metrics_are_nan_where_there_is_no_record() -> None:
    made = benchmark()
    assert made.metrics == ("seconds", "parameters")
    np.testing.assert_array_equal(made.metric("parameters", ALL), [1, NAN, 3, 4, NAN, 6])
    np.testing.assert_array_equal(made.metric("seconds", ALL.reshape(2, 3, 2)), [[10, NAN, 20], [30, NAN, 40]])
    with pytest.raises(ArenaError, match="TabularBenchmark: 'params'; did you mean 'parameters'"):
        made.metric("params", ALL)


# noise


def test_noise_picks_a_recorded_trial() -> None:
    made = benchmark()
    assert made.noise_kinds == ("trials",)
    for uniform, expected in ((0.0, [3, INF, 1, 90, INF, 9]), (0.5, [5, INF, 1, 110, INF, 11])):
        for noise in (uniform, np.nextafter(uniform + 0.5, 0)):
            np.testing.assert_array_equal(made.search_loss(ALL, noise=np.full(6, noise)), expected)


def test_what_has_no_record_is_infinitely_bad_under_noise_too() -> None:
    """Whatever number of trials its row claims, and whatever stands in them."""
    trials = np.array([[3.0, 5.0], [0.0, 0.0], [1.0, NAN], [90.0, 110.0], [-1.0, -1.0], [9.0, 11.0]])
    for claimed in (0, 1, 2):
        made = benchmark(trials=trials, trial_counts=np.array([2, claimed, 1, 2, claimed, 2]))
        for noise in (0.0, 0.3, np.nextafter(1.0, 0.0)):
            assert made.search_loss([0, 1], noise=np.array(noise)) == INF
            assert made.search_loss([[2, 0]], noise=np.array([noise])).tolist() == [INF]


def test_noise_without_trials_is_named() -> None:
    for made, fidelity, named in ((benchmark(trials=None, trial_counts=None), None, 9), (benchmark(), 0, 1)):
        with pytest.raises(ArenaError, match=f"TabularBenchmark records no trials at fidelity {named}"):
            made.search_loss(ALL, fidelity, noise=np.zeros(6))
    assert benchmark(trials=None, trial_counts=None).noise_kinds == ()


# regrets and landmarks


def test_regret_on_the_scale_log10_is_in_decades() -> None:
    made = benchmark(scale="log10")
    np.testing.assert_allclose(made.search_regret, [math.log10(4), 2, 0, 2, 2, 1], rtol=0, atol=1e-15)
    np.testing.assert_array_equal(made.search_loss(ALL), benchmark().search_loss(ALL))  # losses stay what they are
    assert made.landmarks["target_regret"] == 0
    assert made.wording.regret_unit == "decades of points"
    assert benchmark().wording.regret_unit == "points"


@given(
    st.lists(st.sampled_from([0.5, 1.0, 2.0, 8.0, INF]), min_size=1, max_size=12).filter(
        lambda losses: min(losses) < INF
    ),
    st.sampled_from(["linear", "log10"]),
)
def test_regret_by_its_definition(losses: list[float], scale: str) -> None:
    made = counted(losses, scale=scale)
    known = [loss for loss in losses if loss < INF]
    best, worst = min(known), max(known)
    for rank, loss in enumerate(losses):
        of = loss if loss < INF else worst
        expected = of - best if scale == "linear" else math.log10(of / best)
        assert made.search_regret[rank] == pytest.approx(expected, abs=1e-15)
        assert made.is_feasible[rank] == (loss < INF)
        assert made.final_losses[rank] == of


def test_landmarks_of_a_table_with_gaps() -> None:
    assert benchmark().landmarks == {
        "best_search_loss": 1.0,
        "median_regret": 54.0,  # of 0, 3, 9 and three times the worst, 99
        "target_count": 1,
        "target_regret": 0.0,
        "targets": dict.fromkeys(["5%", "2%", "1%", "0.5%", "0.2%", "0.1%", "best"], 0.0),
        "regret_by_rank": {"rank": [1, 2, 3, 4, 5, 6], "regret": [0.0, 3.0, 9.0, 99.0, 99.0, 99.0]},
        "best_final_loss": 2.0,  # of the architecture that is best by what the search sees
        "lowest_final_loss": 0.5,
        "infeasible": 2,
        "same_as_searched": False,
        "trial_sd": None,  # the best one has a single trial
    }


@pytest.mark.parametrize(
    ("size", "count"), [(1, 1), (999, 1), (1000, 1), (1001, 2), (2999, 3), (3000, 3), (3001, 4), (7000, 7)]
)
def test_the_target_is_the_best_thousandth_rounded_up(size: int, count: int) -> None:
    shuffled = np.random.default_rng(size).permutation(size) + 5.0
    landmarks = counted(shuffled).landmarks
    assert landmarks["target_count"] == count
    assert landmarks["target_regret"] == count - 1
    assert landmarks["median_regret"] == (size - 1) / 2
    assert landmarks["best_search_loss"] == 5
    logarithmic = counted(10 ** (shuffled / 1000), scale="log10").landmarks
    assert logarithmic["target_count"] == count
    assert logarithmic["target_regret"] == pytest.approx((count - 1) / 1000, abs=1e-12)


def test_ties_with_the_last_are_in_the_target() -> None:
    made = counted(np.arange(3000) // 4)
    assert made.landmarks["target_count"] == 3
    assert made.landmarks["target_regret"] == 0
    assert (made.search_regret <= made.landmarks["target_regret"]).sum() == 4


def test_the_best_final_loss_is_the_mean_over_those_that_are_equally_good_to_the_search() -> None:
    landmarks = counted([1, 1, 2, 3], final=[10, 20, 0, 90]).landmarks
    assert landmarks["best_final_loss"] == 15
    assert landmarks["lowest_final_loss"] == 0


@pytest.mark.parametrize(
    ("final", "same"),
    [([4, NAN, 2], True), ([4, 7, 2], True), ([4, NAN, 2.1], False), ([2, NAN, 4], False)],
    ids=["the same", "where there is a record", "another number", "another order"],
)
def test_a_report_of_the_searched_number_is_noticed(final: list[float], same: bool) -> None:
    assert counted([4, INF, 2], final=final).landmarks["same_as_searched"] is same


TRIALS = [[1.0, 3.0, 8.0], [1.0, 1.0, NAN], [2.0, NAN, NAN], [0.0, 0.0, 0.0], [90.0, 10.0, 50.0]]


def with_trials(scale: Any = "linear", **changes: Any) -> TabularBenchmark:
    """Five trained architectures, of which the first three are the best and equal, and the fourth has no record."""
    tables = Tables(
        search=np.array([[1.0, 1.0, 1.0, INF, 50.0]]),
        final=np.ones(5),
        trials=np.array(TRIALS),
        trial_counts=np.array([3, 2, 1, 3, 3]),
    )
    return TabularBenchmark(
        dataset="made-up",
        space=SearchSpace([Integer("rank", 1, 5)]),
        fidelities=(1,),
        wording=replace(WORDING, scale=scale),
        tables=replace(tables, **changes),
    )


def test_the_trial_sd_is_that_of_repeated_trainings_in_the_target() -> None:
    """The variances are 13 (of 1, 3 and 8) and 0 (of 1 and 1); what has one trial tells nothing."""
    assert with_trials().landmarks["trial_sd"] == pytest.approx(math.sqrt((13 + 0) / 2))
    one_each = with_trials(trial_counts=np.array([1, 1, 1, 1, 3]))
    assert one_each.landmarks["trial_sd"] is None
    assert with_trials(trials=None, trial_counts=None).landmarks["trial_sd"] is None


def test_the_trial_sd_has_the_unit_of_regrets() -> None:
    variance = statistics.variance(math.log10(trial) for trial in TRIALS[0])
    decades = with_trials("log10", trials=np.where(np.array(TRIALS) == 0, 1.0, TRIALS))
    assert decades.landmarks["trial_sd"] == pytest.approx(math.sqrt(variance / 2))


# what it holds and does not touch


def test_nothing_is_changed_by_asking() -> None:
    made = benchmark()
    before = {name: np.array(getattr(TABLES, name)) for name in ("search", "final", "seconds", "trials")}
    made.search_loss(ALL)[:] = 0
    made.search_loss(ALL, noise=np.zeros(6))[:] = 0
    made.final_loss(ALL)[:] = 0
    made.seconds(ALL)[:] = 0
    made.metric("parameters", ALL)[:] = 0
    assert made.landmarks["infeasible"] == 2
    for name, values in before.items():
        np.testing.assert_array_equal(getattr(made.tables, name), values)
    np.testing.assert_array_equal(made.final_loss(ALL), [3, 20, 2, 20, 20, 0.5])
    assert made.tables.secondary["parameters"][0] == 1


def test_options_and_checksums_are_its_own() -> None:
    options, checksums = {"epochs": 9}, {"file": "1"}
    made = TabularBenchmark(
        dataset="made-up",
        space=SPACE,
        fidelities=[1, 9],
        wording=WORDING,
        tables=TABLES,
        options=options,
        checksums=checksums,
    )
    options["epochs"], checksums["file"] = 1, "2"
    assert (made.options, made.checksums, made.fidelities) == ({"epochs": 9}, {"file": "1"}, (1, 9))
    assert (benchmark().options, benchmark().checksums) == ({}, {})
