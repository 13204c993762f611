"""The checks of the optimizer contract: which there are, on what each is tried, and what it needs.

``harness.check.check_optimizer`` runs them. The cases of a check go from small to large; the arguments ``space``,
``seeds`` and ``steps`` of one that is violated are then made as small as still violates it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

from optimizers import check_interface as interface
from optimizers import check_runs as runs
from optimizers.base import Optimizer, SamplingOptimizer
from optimizers.check_tools import Loss
from search_spaces.space import Categorical, Integer, Ordinal, SearchSpace

Case = dict[str, Any]


def categorical(*sizes: int) -> SearchSpace:
    """A space of categorical variables with so many values."""
    return SearchSpace(Categorical(f"v{v}", map(str, range(size))) for v, size in enumerate(sizes))


def mixed(*sizes: int) -> SearchSpace:
    """As :func:`categorical`, but every second variable is an ordinal, from the first on."""
    return SearchSpace(
        Integer(variable.name, 1, len(variable)) if v % 2 == 0 else variable
        for v, variable in enumerate(categorical(*sizes).variables)
    )


PLAIN, MIXED = categorical(5, 3, 4), mixed(5, 3, 4)
UNEVEN = SearchSpace([Ordinal("v0", (0.001, 0.01, 1.0, 50.0))])
WIDE = categorical(*(5,) * 12)

RUGGED = Loss("(archs * np.arange(1, archs.shape[-1] + 1)).sum(-1) % 7 / 3 - 1")  # ties, and both signs
FALLING = Loss("-1.0 - archs.sum(-1)")
TIES = Loss("np.zeros(archs.shape[:-1])")
SOME_NAN = Loss("np.where(archs[..., 0] == 0, np.nan, archs.sum(-1))")
SOME_INFEASIBLE = Loss("np.where(archs[..., 0] == 0, np.inf, archs.sum(-1))")
ALL_INFEASIBLE = Loss("np.full(archs.shape[:-1], np.inf)")
ALL_NAN = Loss("np.full(archs.shape[:-1], np.nan)")
LOSSES = (
    FALLING,
    TIES,
    Loss("archs.sum(-1)"),
    Loss("archs.sum(-1).astype(np.float32)"),
    SOME_INFEASIBLE,
    SOME_NAN,
    ALL_INFEASIBLE,
    ALL_NAN,
    Loss("np.where(archs[..., 0] == 0, -np.inf, archs.sum(-1))"),
    Loss("(archs.sum(-1) - 2) * 1e300"),
    Loss("(archs.sum(-1) - 2) * 1e-300"),
    Loss("np.where(archs[..., 0] == 0, 1.7e308, -1.7e308)"),
)
# so many seeds run among so many: a seed alone runs as one among 257 if each does as among the next
CROWDS = ((1, 2), (2, 3), (3, 5), (5, 8), (8, 17), (17, 257))
MOST_SEEDS = 257
STEPS, SLOW_STEPS, SLOW_SEEDS = 70, 20, 128  # a class that runs at most so many seeds side by side takes fewer steps
CROWDED = (PLAIN, MIXED, categorical(7, 3, 1, 4), categorical(*(2,) * 40))


class Entry(NamedTuple):
    """A check with its cases, the checks that must have passed before, and why an optimizer is left out of it."""

    function: Callable[..., None]
    cases: list[Case]
    needs: tuple[str, ...] = ()
    unless: Callable[[Optimizer], str] = lambda optimizer: ""


def cases(*spaces: SearchSpace, **changes: Any) -> list[Case]:
    """One a space: three seeds, 70 steps (regularized evolution begins to evolve at step 50), the rugged loss."""
    return [{"space": space, "seeds": [0, 1, 2], "steps": STEPS, "loss": RUGGED, **changes} for space in spaces]


def once(**changes: Any) -> list[Case]:
    """A case without steps."""
    return [{"space": PLAIN, "seeds": [0, 1, 2], "loss": RUGGED, **changes}]


def class_checks(settings: dict[str, Any]) -> list[Entry]:
    """The checks that come before an optimizer is there."""
    return [
        Entry(interface.signature, [{"settings": settings}]),
        Entry(interface.attributes, [{}]),
        Entry(interface.constructs, [{"space": PLAIN, "seeds": [3, 1]}]),
    ]


def run_checks(optimizer: Optimizer) -> Iterator[tuple[Entry, str]]:
    """The checks of a class, given one of it, each with the reason why it is left out, or ""."""
    for entry in ENTRIES:
        suited = [case for case in map(partial(_at_its_pace, optimizer), entry.cases) if _suits(optimizer, case)]
        try:
            reason = entry.unless(optimizer)
        except Exception:  # of the class: the check will tell
            reason = ""
        yield entry._replace(cases=suited), reason


def _suits(optimizer: Optimizer, case: Case) -> bool:
    has_ordinals = "space" in case and bool(case["space"].ordinal.any())
    return not (optimizer.categorical_only and has_ordinals) and len(case.get("seeds", [])) <= optimizer.most_seeds


def _at_its_pace(optimizer: Optimizer, case: Case) -> Case:
    fewer = optimizer.most_seeds <= SLOW_SEEDS and "steps" in case
    return {**case, "steps": min(case["steps"], SLOW_STEPS)} if fewer else case


def _unless_sampling(optimizer: Optimizer) -> str:
    return "" if isinstance(optimizer, SamplingOptimizer) else "it is no SamplingOptimizer"


def _unless_diagnostics(optimizer: Optimizer) -> str:
    cls = type(optimizer)
    own = cls._diagnostics is not Optimizer._diagnostics or cls.diagnostics is not Optimizer.diagnostics
    return "" if own else "it has no diagnostics"


def _unless_distribution(optimizer: Optimizer) -> str:
    return "it has no probabilities" if optimizer.probabilities is None else ""


def _unless_sampled_distribution(optimizer: Optimizer) -> str:
    return _unless_sampling(optimizer) or _unless_distribution(optimizer)


# What the array checks find would be found by all that follow; so would runs that do not repeat.
_RANGE = ("ask_gives_architectures",)
_ARRAYS = (
    *_RANGE,
    "recommend_gives_architectures",
    "diagnostics_lead_with_seeds",
    "probabilities_are_distributions",
    "state_leads_with_seeds",
)
_ORDINALS = (*_ARRAYS, "any_space_is_searched", "ordinals_are_searched")
_REPEATS = (*_ARRAYS, "global_random_state_is_left_alone", "same_seeds_run_the_same", "reading_changes_nothing")
_IN_STEP = (*_REPEATS, "seeds_and_streams_run_differently", "draws_do_not_depend_on_losses")
_SAMPLES = (*_REPEATS, "samples_are_architectures")

ENTRIES = [
    Entry(interface.wrong_seeds_are_refused, [{"space": PLAIN}]),
    Entry(interface.ask_gives_architectures, cases(PLAIN)),
    Entry(interface.recommend_gives_architectures, cases(PLAIN), _RANGE),
    Entry(
        interface.diagnostics_lead_with_seeds,
        cases(PLAIN),
        _RANGE,
        _unless_diagnostics,
    ),
    Entry(interface.probabilities_are_distributions, cases(PLAIN), _RANGE, _unless_distribution),
    Entry(interface.state_leads_with_seeds, cases(PLAIN), _RANGE),
    Entry(interface.second_ask_is_refused, once()),
    Entry(
        interface.tell_without_ask_is_refused,
        once(),
        unless=lambda optimizer: "it is replayable" if optimizer.replayable else "",
    ),
    Entry(interface.other_architectures_are_refused, once()),
    Entry(interface.wrong_losses_are_refused, once()),
    Entry(interface.state_before_tell_is_refused, once()),
    Entry(runs.global_random_state_is_left_alone, cases(PLAIN), _ARRAYS),
    Entry(runs.same_seeds_run_the_same, cases(PLAIN), _REPEATS[:-2]),
    Entry(interface.reading_changes_nothing, cases(PLAIN), _REPEATS[:-1]),
    Entry(
        interface.ordinals_are_refused,
        [{"mixed": MIXED}],
        unless=lambda optimizer: "" if optimizer.categorical_only else "it takes ordinals",
    ),
    Entry(
        runs.any_space_is_searched,
        cases(
            *(categorical(2), categorical(5), categorical(1), categorical(1, 1), categorical(2, 2)),
            *(categorical(3, 1, 2), categorical(60, 2), categorical(*(2,) * 40), categorical(*(1, 2, 3, 30) * 50)),
        ),
        _ARRAYS,
    ),
    Entry(
        runs.ordinals_are_searched,
        cases(mixed(4), UNEVEN, mixed(1), mixed(2, 3), mixed(60, 2, 1, 5), mixed(*(4, 3) * 10)),
        (*_ARRAYS, "any_space_is_searched"),
        lambda optimizer: "it is categorical_only" if optimizer.categorical_only else "",
    ),
    Entry(runs.any_loss_is_taken, [case for loss in LOSSES for case in cases(PLAIN, MIXED, loss=loss)], _ORDINALS),
    Entry(runs.seeds_and_streams_run_differently, [{"wide": WIDE, "many": 20, "length": 20, "loss": RUGGED}], _REPEATS),
    Entry(
        runs.draws_do_not_depend_on_losses,
        [case for other in (TIES, FALLING, ALL_INFEASIBLE) for case in cases(PLAIN, MIXED, other_loss=other)],
        _REPEATS,
    ),
    Entry(
        runs.batch_invariance,
        [
            case
            for few, many in CROWDS
            for case in cases(*CROWDED[: 4 if few in (1, 17) else 2], few=few, seeds=[*range(MOST_SEEDS)][-many:])
        ],
        _IN_STEP,
    ),
    Entry(
        runs.restored_states_go_on,
        [case for used in (0, 7) for case in cases(PLAIN, MIXED, used=used, other_loss=FALLING)],
        _IN_STEP,
    ),
    Entry(runs.states_do_not_change, cases(PLAIN, categorical(4), MIXED), _REPEATS),
    Entry(runs.arguments_of_tell_stay_the_callers, cases(PLAIN, categorical(4), MIXED), _REPEATS),
    Entry(runs.results_are_the_callers, cases(PLAIN, categorical(4), MIXED), (*_REPEATS, "states_do_not_change")),
    Entry(
        runs.nan_counts_as_infinite,
        [
            *cases(PLAIN, loss=SOME_NAN, other_loss=SOME_INFEASIBLE),
            *cases(PLAIN, loss=ALL_NAN, other_loss=ALL_INFEASIBLE),
        ],
        (*_REPEATS, "any_loss_is_taken"),
    ),
    Entry(
        runs.best_seen_is_recommended,
        [case for loss in (FALLING, RUGGED, SOME_NAN, ALL_INFEASIBLE) for case in cases(PLAIN, MIXED, loss=loss)],
        _ARRAYS,
        lambda optimizer: "" if optimizer.recommends == "best seen" else f"it recommends {optimizer.recommends}",
    ),
    Entry(runs.samples_are_architectures, cases(PLAIN, MIXED), _ARRAYS, _unless_sampling),
    Entry(runs.samples_are_drawn_aside, cases(PLAIN, MIXED), _SAMPLES, _unless_sampling),
    Entry(runs.samples_are_in_the_state, cases(PLAIN, MIXED), _SAMPLES, _unless_sampling),
    Entry(runs.samples_follow_the_probabilities, cases(PLAIN, MIXED, steps=15), _SAMPLES, _unless_sampled_distribution),
    Entry(
        runs.recorded_steps_are_replayed,
        cases(PLAIN, categorical(3, 1, 2)),
        _REPEATS,
        lambda optimizer: "" if optimizer.replayable else "it is not replayable",
    ),
]
