"""The checks of the benchmark contract: which there are, and why a benchmark is left out of one.

``harness.check.check_benchmark`` runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from search_spaces import check_descriptions as descriptions
from search_spaces import check_lookups as lookups
from search_spaces.benchmark import TabularBenchmark

Case = dict[str, Any]


class Entry(NamedTuple):
    """A check with its cases, the checks that must have passed before, and why a benchmark is left out of it."""

    function: Callable[..., None]
    cases: list[Case] = [{}]  # noqa: RUF012 nothing writes to it
    needs: tuple[str, ...] = ()
    unless: Callable[[TabularBenchmark], str] = lambda benchmark: ""


def class_checks(options: dict[str, Any]) -> list[Entry]:
    """The checks that come before a benchmark is there."""
    return [
        Entry(descriptions.attributes),
        Entry(descriptions.signature, [{"options": options}], ("attributes",)),
        Entry(descriptions.constructs),
    ]


def run_checks(benchmark: TabularBenchmark) -> Iterator[tuple[Entry, str]]:
    """The checks of a benchmark, each with the reason why it is left out, or ""."""
    for entry in ENTRIES:
        yield entry, entry.unless(benchmark)


def _unless_trials(benchmark: TabularBenchmark) -> str:
    return "" if "trials" in benchmark.noise_kinds else "it records no trials"


def _unless_own_class(benchmark: TabularBenchmark) -> str:
    return "it was put together from tables, without a class" if type(benchmark) is TabularBenchmark else ""


def _unless_ordinals(benchmark: TabularBenchmark) -> str:
    return "" if "ordinals" in benchmark.options else "it has no option ordinals"


# What these find would be found by all that follow.
_NUMBERS = ("tables_fit_the_space", "lookups_have_the_shape_of_their_architectures", "search_losses_are_numbers")
_FEASIBLE = (*_NUMBERS, "feasible_is_a_finite_loss")
_REPEATS = ("global_random_state_is_left_alone", "loading_gives_the_same")
_PURE = (*_FEASIBLE, *_REPEATS, "lookups_are_pure")

ENTRIES = [
    Entry(descriptions.tables_fit_the_space),
    Entry(lookups.lookups_have_the_shape_of_their_architectures, needs=_NUMBERS[:1]),
    Entry(lookups.search_losses_are_numbers, needs=_NUMBERS[:2]),
    Entry(lookups.feasible_is_a_finite_loss, needs=_NUMBERS),
    Entry(descriptions.global_random_state_is_left_alone, unless=_unless_own_class),
    Entry(descriptions.loading_gives_the_same, needs=_REPEATS[:1], unless=_unless_own_class),
    Entry(lookups.lookups_are_pure, needs=(*_FEASIBLE, *_REPEATS)),
    Entry(lookups.final_losses_are_finite, needs=_PURE),
    Entry(lookups.seconds_are_known_for_all_or_none, needs=_PURE),
    Entry(lookups.regrets_begin_at_zero, needs=_PURE),
    Entry(lookups.ranks_give_the_same, needs=_PURE),
    Entry(lookups.fidelities_are_known, needs=_PURE),
    Entry(lookups.noise_picks_recorded_trials, needs=_PURE, unless=_unless_trials),
    Entry(lookups.without_noise_losses_are_means_of_trials, needs=_PURE, unless=_unless_trials),
    Entry(lookups.noise_without_trials_is_refused, needs=_PURE),
    Entry(lookups.wrong_architectures_are_refused, needs=_PURE),
    Entry(lookups.metrics_can_be_read, needs=_PURE),
    Entry(
        descriptions.landmarks_agree_with_the_losses,
        needs=(*_PURE, "regrets_begin_at_zero", "final_losses_are_finite"),
    ),
    Entry(descriptions.wording_is_complete),
    Entry(descriptions.nothing_else_is_called_test, needs=("wording_is_complete", "landmarks_agree_with_the_losses")),
    Entry(descriptions.description_can_be_written, needs=("attributes", "landmarks_agree_with_the_losses")),
    Entry(descriptions.checksums_are_sha256),
    Entry(descriptions.every_data_set_is_there, needs=("attributes",), unless=_unless_own_class),
    Entry(descriptions.unknown_data_sets_are_refused, needs=("attributes",), unless=_unless_own_class),
    Entry(descriptions.options_make_the_same, needs=_REPEATS, unless=_unless_own_class),
    Entry(descriptions.ordinals_can_be_opened, needs=_REPEATS, unless=_unless_ordinals),
]
