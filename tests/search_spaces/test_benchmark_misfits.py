"""Tables that do not fit their space or each other are refused, each with its reason."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from made_up_tables import INF, NAN, TABLES, benchmark, counted

from search_spaces.errors import ArenaError


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
