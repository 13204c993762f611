"""Tables of several trainings without a separate test: the search may see some, and the report give the others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from search_spaces.benchmark import Floats, Tables, tied

Reported = Literal["hold-out", "searched"]


def tables_of_repeats(
    losses: Floats,
    seen: int,
    reported: Reported,
    *,
    seconds: Floats | None = None,
    secondary: Mapping[str, NDArray[Any]] | None = None,
    ties_within: float = 0.0,
) -> Tables:
    """The tables of a single fidelity.

    Args:
        losses: float [N, T], a column a repeat.
        seen: how many repeats, the first ones, the search sees where the report has repeats of its own.
        reported: "hold-out", where the report gives the mean of the others; "searched", where search and report both
            give the mean of all.
        seconds: float [N, T], what each took; an evaluation costs the mean of those that the search sees.
        secondary: further numbers by name, each [N].
        ties_within: how far means that are equal on paper can be apart (:func:`search_spaces.benchmark.tied`).
    """
    shown = losses[:, :seen] if reported == "hold-out" else losses
    searched = tied(shown.mean(axis=1), ties_within)
    return Tables(
        search=searched[None],
        final=tied(losses[:, seen:].mean(axis=1), ties_within) if reported == "hold-out" else searched,
        seconds=None if seconds is None else seconds[:, : shown.shape[1]].mean(axis=1, dtype=np.float64)[None],
        trials=shown,
        trial_counts=np.full(len(losses), shown.shape[1]),
        secondary=secondary or {},
    )
