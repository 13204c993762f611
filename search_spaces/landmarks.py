"""The numbers of a table that a reader of results needs, so that results need no table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from search_spaces.benchmark import TabularBenchmark

Floats = NDArray[np.float64]

TARGET_SHARE = 0.001  # the target of a search: among the best 0.1 % of the table
RANK_TARGETS = {"5%": 0.05, "2%": 0.02, "1%": 0.01, "0.5%": 0.005, "0.2%": 0.002, "0.1%": TARGET_SHARE}
RANKS_KEPT = 100  # of the regrets by rank: neighbours are then a tenth or less of their rank apart


def landmarks_of(benchmark: TabularBenchmark) -> dict[str, Any]:
    """See :attr:`TabularBenchmark.landmarks`."""
    regret, final, search = benchmark.search_regret, benchmark.final_losses, benchmark.tables.search[-1]
    ordered = np.sort(regret)
    target = float(ordered[count_within(TARGET_SHARE, regret.size) - 1])
    feasible = benchmark.is_feasible
    kept = np.unique(np.geomspace(1, regret.size, RANKS_KEPT).round().astype(np.int64))
    return {
        "best_search_loss": float(search.min()),
        "median_regret": float(np.median(regret)),
        "target_count": count_within(TARGET_SHARE, regret.size),
        "target_regret": target,
        "targets": {
            **{name: float(ordered[count_within(share, regret.size) - 1]) for name, share in RANK_TARGETS.items()},
            "best": 0.0,
        },
        "regret_by_rank": {"rank": kept.tolist(), "regret": ordered[kept - 1].tolist()},
        "best_final_loss": float(final[regret == 0].mean()),
        "lowest_final_loss": float(final.min()),
        "infeasible": int((~feasible).sum()),
        "same_as_searched": bool(np.array_equal(final[feasible], search[feasible])),
        "trial_sd": _trial_sd(benchmark, within=target),
    }


def count_within(share: float, size: int) -> int:
    """How many architectures are the best so large a share of a table, rounded up."""
    return int(np.ceil(share * size))


def _trial_sd(benchmark: TabularBenchmark, within: float) -> float | None:
    """The standard deviation of trials of those architectures whose search regret is at most ``within``."""
    trials, counts = benchmark.tables.trials, benchmark.tables.trial_counts
    if trials is None or counts is None:
        return None
    repeated = np.flatnonzero(benchmark.is_feasible & (benchmark.search_regret <= within) & (counts >= 2))
    if repeated.size == 0:
        return None
    exists = np.arange(trials.shape[1]) < counts[repeated, None]
    losses = np.where(exists, trials[repeated], np.nan)
    if benchmark.wording.scale == "log10":
        losses = np.log10(losses)
    return float(np.sqrt(np.nanvar(losses, axis=1, ddof=1).mean()))
