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

from search_spaces.benchmark import Tables, TabularBenchmark, Wording
from search_spaces.errors import ArenaError
from search_spaces.space import Categorical, Integer, SearchSpace

NAN, INF = math.nan, math.inf
SPACE = SearchSpace([Integer("x", 1, 3), Categorical("y", "ab")])
WORDING = Wording(unit="points", searched="a made-up loss", reported="another", kind="test")
# ranks 1 and 4, the architectures [0, 1] and [2, 0], have no record
TABLES = Tables(
    search=np.array([[9.0, INF, 8.0, 7.0, INF, 6.0], [4.0, INF, 1.0, 100.0, INF, 10.0]]),
    final=np.array([3.0, NAN, 2.0, 20.0, NAN, 0.5]),
    seconds=np.array([[1.0, 1.0, 2.0, 3.0, 1.0, 4.0], [10.0, 10.0, 20.0, 30.0, 10.0, 40.0]]),
    trials=np.array([[3.0, 5.0], [NAN, NAN], [1.0, NAN], [90.0, 110.0], [NAN, NAN], [9.0, 11.0]]),
    trial_counts=np.array([2, 0, 1, 2, 0, 2]),
    secondary={"parameters": np.array([1.0, NAN, 3.0, 4.0, NAN, 6.0])},
)
ALL = SPACE.architectures(np.arange(SPACE.size))


def benchmark(
    *, space: SearchSpace = SPACE, fidelities: tuple[int, ...] = (1, 9), scale: Any = "linear", **changes: Any
) -> TabularBenchmark:
    return TabularBenchmark(
        dataset="made-up",
        space=space,
        fidelities=fidelities,
        wording=replace(WORDING, scale=scale),
        tables=replace(TABLES, **changes),
    )


def counted(losses: Any, final: Any = None, scale: Any = "linear") -> TabularBenchmark:
    """One variable that counts through a table of losses."""
    losses = np.asarray(losses, dtype=float)
    return TabularBenchmark(
        dataset="made-up",
        space=SearchSpace([Integer("rank", 1, losses.size)]),
        fidelities=(1,),
        wording=replace(WORDING, scale=scale),
        tables=Tables(search=losses[None], final=losses if final is None else np.asarray(final, dtype=float)),
    )


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


# tables that do not fit


def changed(table: str, place: Any, value: float) -> dict[str, Any]:
    changes = np.array(getattr(TABLES, table))
    changes[place] = value
    return {table: changes}


MISFITS: dict[str, tuple[dict[str, Any], str]] = {
    "search of one fidelity": (
        {"search": TABLES.search[:1]},
        "table 'search' has shape (1, 6), the space and fidelities need (2, 6)",
    ),
    "search of another space": ({"search": TABLES.search[:, :5]}, "table 'search' has shape (2, 5)"),
    "final by fidelity": (
        {"final": TABLES.search},
        "table 'final' has shape (2, 6), the space and fidelities need (6,)",
    ),
    "seconds of one fidelity": ({"seconds": np.ones(6)}, "table 'seconds' has shape (6,)"),
    "secondary too short": (
        {"secondary": {"parameters": np.ones(6), "flops": np.ones(5)}},
        "table 'secondary flops' has shape (5,), the space and fidelities need (6,)",
    ),
    "counts too short": ({"trial_counts": np.ones(5, dtype=int)}, "table 'trial_counts' has shape (5,)"),
    "NaN to search": (
        changed("search", (0, 3), NAN),
        "table 'search' holds NaN; an architecture without a record has +inf there",
    ),
    "no record at all": (
        {"search": np.full((2, 6), INF)},
        "table 'search' is +inf everywhere; at least one architecture must be feasible",
    ),
    "a record at one fidelity": (
        changed("search", (0, 1), 5.0),
        "an architecture is infeasible, +inf in table 'search', at every fidelity or at none",
    ),
    "-inf to search": (
        changed("search", (1, 2), -INF),
        "table 'search' must be finite where an architecture is feasible",
    ),
    "final NaN": (changed("final", 0, NAN), "table 'final' must be finite where an architecture is feasible"),
    "final infinite": (changed("final", 0, INF), "table 'final' must be finite where an architecture is feasible"),
    "search 0 on log10": (
        {**changed("search", (1, 2), 0.0), "scale": "log10"},
        "table 'search' holds 0.0; on the scale log10 losses must be above 0",
    ),
    "final below 0 on log10": (
        {**changed("final", 5, -0.5), "scale": "log10"},
        "table 'final' holds -0.5; on the scale log10 losses must be above 0",
    ),
    "free evaluations": (
        changed("seconds", (0, 0), 0.0),
        "table 'seconds' must be finite and above 0 for every architecture, also an infeasible one",
    ),
    "seconds NaN where infeasible": (changed("seconds", (1, 1), NAN), "table 'seconds' must be finite and above 0"),
    "seconds infinite": (changed("seconds", (1, 0), INF), "table 'seconds' must be finite and above 0"),
    "trials without counts": (
        {"trial_counts": None},
        "table 'trials' must be [N, T], with 'trial_counts' [N] beside it",
    ),
    "trials flat": ({"trials": np.ones(6)}, "table 'trials' must be [N, T]"),
    "trials too short": ({"trials": np.ones((5, 2))}, "table 'trials' must be [N, T]"),
    "no trial": (
        changed("trial_counts", 0, 0),
        "'trial_counts' must lie between 1 and 2 where an architecture is feasible",
    ),
    "more trials than columns": (changed("trial_counts", 0, 3), "'trial_counts' must lie between 1 and 2"),
    "a trial that is not there": (
        changed("trial_counts", 2, 2),
        "table 'trials' must be finite for every trial that 'trial_counts' says to exist",
    ),
    "a trial infinite": (changed("trials", (0, 1), INF), "table 'trials' must be finite for every trial"),
}


@pytest.mark.parametrize("misfit", MISFITS)
def test_tables_that_do_not_fit_are_named(misfit: str) -> None:
    changes, message = MISFITS[misfit]
    with pytest.raises(ArenaError) as told:
        benchmark(**changes)
    assert str(told.value).startswith(message)
    assert len(str(told.value).splitlines()) == 1


def test_tables_that_barely_fit() -> None:
    benchmark(**changed("final", 1, 5.0))  # whatever stands where there is no record
    benchmark(**changed("final", 1, INF))
    benchmark(**changed("search", (1, 2), 0.0))  # 0 is a loss on the linear scale
    benchmark(**changed("final", 0, -3.0))
    benchmark(**changed("trials", (2, 1), INF))  # a trial that is not counted
    benchmark(trials=None)
    counted([INF, 1.0])


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
