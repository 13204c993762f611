"""The tabular search loop: ask, look up, tell, for many seeds at once; and what of it goes on record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from optimizers.base import Optimizer
from optimizers.streams import Streams, normal_quantiles
from search_spaces.benchmark import Floats, TabularBenchmark
from search_spaces.errors import ArenaError
from search_spaces.space import Ints

LOOP_VERSION = 1  # raised when the loop makes other numbers of the same optimizer and benchmark
CHECKPOINTS = 60  # how many, besides the budgets that a study names
TIME_FACTOR = 1.03  # seconds of an evaluation over its training seconds; official records show 1.03 to 1.04


@dataclass(frozen=True)
class Budget:
    """How long a search lasts: in evaluations, or in simulated seconds of training and evaluation."""

    unit: Literal["evaluations", "seconds"]
    limit: int


@dataclass(frozen=True)
class SearchResult:
    """What R seeds recorded at C checkpoints.

    Attributes:
        seeds: int [R].
        checkpoints: int [C], in the unit of the budget.
        columns: by name, [R, C] each. ``evaluations``, ``distinct``, ``seconds`` count what had ended by the
            checkpoint. ``incumbent`` is the rank of the best seen, ``recommended`` that of the optimizer's own
            answer; -1 where there is none yet. Each has a ``_regret`` (search regret, without noise) and a ``_final``
            (final loss), NaN where there is none, an ``_infeasible`` (bool), and a ``_final.<name>`` for every other
            benchmark on which it is reported. ``diagnostic.<name>`` is what the
            optimizer said of itself.
        improvements: every improvement of the incumbent within the budget, by seed, then time: ``seed``,
            ``evaluations``, ``seconds``, ``index``, ``regret``, [I] each.
        distribution: float [C, V, Kmax], the mean over seeds of the optimizer's probabilities, if it has any.
    """

    seeds: Ints
    checkpoints: Ints
    columns: dict[str, NDArray[Any]]
    improvements: dict[str, NDArray[Any]]
    distribution: Floats | None


def checkpoints(budget: Budget, named: tuple[int, ...], benchmark: TabularBenchmark, time_factor: float) -> Ints:
    """Where a search is recorded: up to 60 points in geometric order, whole numbers, and every named budget.

    They start at one evaluation; for a budget in seconds, at the median cost of one.
    """
    first = 1.0
    if budget.unit == "seconds":
        first = min(max(typical_seconds(benchmark) * time_factor, 1.0), float(budget.limit))
    grid = np.geomspace(first, budget.limit, CHECKPOINTS).round().astype(np.int64)
    return np.unique(np.concatenate([grid, np.array([*named, budget.limit], dtype=np.int64)]))


def typical_seconds(benchmark: TabularBenchmark) -> float:
    """The median cost of one evaluation at the highest fidelity, NaN where the table has no times."""
    seconds = benchmark.tables.seconds
    return float("nan") if seconds is None else float(np.median(seconds[-1]))


def search(
    optimizer: Optimizer,
    benchmark: TabularBenchmark,
    budget: Budget,
    at: Ints,
    *,
    time_factor: float = TIME_FACTOR,
    noise: Streams | None = None,
    noise_sd: float | None = None,
    report: Mapping[str, TabularBenchmark] | None = None,
) -> SearchResult:
    """Runs an optimizer on a benchmark until the budget of its last seed ends.

    The evaluations of a batch follow each other; one counts when it ends within the budget. The others are still
    looked up and told, as the seeds run side by side, but go on no record.

    Args:
        optimizer: R seeds of one, fresh.
        benchmark: the tables.
        budget: when to end.
        at: int [C], the checkpoints, ascending, the last one at the budget's end.
        time_factor: seconds of an evaluation over its training seconds.
        noise: streams of the same seeds, where the search sees no means: single trials, or
        noise_sd: the loss with normal noise of this standard deviation, in the loss's unit.
        report: by name, benchmarks of the same space on which the answers' final losses are taken down too.
    """
    if noise_sd is not None and noise is None:
        raise ArenaError("noise_sd needs streams to draw from; give noise, streams of the optimizer's seeds")
    R = len(optimizer.seeds)
    clock = np.zeros(R)
    recorder = _Recorder(optimizer, benchmark, at)
    batches: list[Ints] = []
    seen: list[Floats] = []
    ends: list[Floats] = []
    while (clock < budget.limit).any():
        archs = optimizer.ask()
        ranks = benchmark.space.index(archs)
        uniforms = None if noise is None else np.ascontiguousarray(noise.draw(ranks.shape[1]).T)
        losses = benchmark.search_loss_at(ranks, noise=uniforms if noise_sd is None else None)
        if noise_sd is not None and uniforms is not None:
            losses = losses + noise_sd * normal_quantiles(uniforms)
        cost = np.ones(ranks.shape) if budget.unit == "evaluations" else benchmark.seconds_at(ranks) * time_factor
        end = np.cumsum(np.column_stack([clock, cost]), axis=1)[:, 1:]
        clock = end[:, -1]
        recorder.record_until(clock)
        optimizer.tell(archs, losses)
        recorder.told = True
        batches.append(ranks)
        ends.append(end)
        if noise is not None:
            seen.append(losses)
    recorder.record_until(np.full(R, np.inf))

    ranks = np.concatenate(batches, axis=1)
    end = np.concatenate(ends, axis=1)
    losses = np.concatenate(seen, axis=1) if seen else benchmark.search_loss_at(ranks)
    counted = _count_until(end, at)
    seconds = end if budget.unit == "seconds" else np.cumsum(benchmark.seconds_at(ranks) * time_factor, axis=1)
    columns, improvements = _incumbents(optimizer.seeds, benchmark, ranks, losses, seconds, counted)
    columns |= _with_losses("recommended", recorder.recommended, benchmark)
    for name, other in (report or {}).items():
        for answer in ("incumbent", "recommended"):
            columns[f"{answer}_final.{name}"] = _final(columns[answer], other)
    columns |= {f"diagnostic.{name}": values for name, values in recorder.diagnostics.items()}
    return SearchResult(
        seeds=np.array(optimizer.seeds, dtype=np.int64),
        checkpoints=at,
        columns=columns,
        improvements=improvements,
        distribution=None if recorder.distribution is None else recorder.distribution / R,
    )


class _Recorder:
    """Takes down the optimizer's own state at checkpoints.

    At a checkpoint counts the state after the last ``tell`` whose batch ended by then: so it is taken just before the
    ``tell`` of the first batch that ends later.
    """

    def __init__(self, optimizer: Optimizer, benchmark: TabularBenchmark, at: Ints) -> None:
        R, C = len(optimizer.seeds), len(at)
        self.told = False
        self.recommended = np.full((R, C), -1, dtype=np.int64)
        self.diagnostics = {name: np.full((R, C), np.nan) for name in optimizer.diagnostics()}
        probabilities = optimizer.probabilities
        self.distribution = None if probabilities is None else np.zeros((C, *probabilities.shape[1:]))
        self._optimizer, self._space = optimizer, benchmark.space
        self._at = np.append(at.astype(np.float64), np.inf)  # so that a seed past the last one is never due
        self._next = np.zeros(R, dtype=np.int64)  # the first checkpoint of each seed that is not recorded

    def record_until(self, clock: Floats) -> None:
        """Records every checkpoint before ``clock`` [R], the time at which the next batch ends."""
        due = np.flatnonzero(self._at[self._next] < clock)
        if due.size == 0:
            return
        recommended = self._space.index(self._optimizer.recommend()) if self.told else None
        diagnostics = self._optimizer.diagnostics()
        probabilities = self._optimizer.probabilities
        while due.size:
            place = due, self._next[due]
            if recommended is not None:  # before the first tell there is nothing that it could recommend
                self.recommended[place] = recommended[due]
            for name, values in diagnostics.items():
                self.diagnostics[name][place] = values[due]
            if self.distribution is not None and probabilities is not None:
                np.add.at(self.distribution, self._next[due], probabilities[due])
            self._next[due] += 1
            due = due[self._at[self._next[due]] < clock[due]]


def _count_until(end: Floats, at: Ints) -> Ints:
    """How many evaluations of each seed ended by each checkpoint: int [R, C]."""
    return np.stack([np.searchsorted(row, at, side="right") for row in end])


def _incumbents(
    seeds: tuple[int, ...],
    benchmark: TabularBenchmark,
    ranks: Ints,
    losses: Floats,
    seconds: Floats,
    counted: Ints,
) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """The columns of the best seen, and its improvements; [R, T] arrays of all evaluations and int [R, C] counts."""
    T = ranks.shape[1]
    improves = np.ones(losses.shape, dtype=bool)  # the first evaluation always is the best so far
    improves[:, 1:] = losses[:, 1:] < np.minimum.accumulate(losses, axis=1)[:, :-1]
    position = np.maximum.accumulate(np.where(improves, np.arange(T), 0), axis=1)
    last = np.maximum(counted - 1, 0)
    any_yet = counted > 0
    incumbent = np.where(any_yet, _at(ranks, _at(position, last)), -1)
    columns = {
        "evaluations": counted,
        "distinct": _distinct(ranks, counted),
        "seconds": np.where(any_yet, _at(seconds, last), 0.0),
        **_with_losses("incumbent", incumbent, benchmark),
    }
    row, place = np.nonzero(improves & (np.arange(T) < counted[:, -1:]))
    found = ranks[row, place]
    improvements = {
        "seed": np.array(seeds, dtype=np.int64)[row],
        "evaluations": place + 1,
        "seconds": seconds[row, place],
        "index": found,
        "regret": benchmark.search_regret[found],
    }
    return columns, improvements


def _at(values: NDArray[Any], place: Ints) -> NDArray[Any]:
    return np.take_along_axis(values, place, axis=1)


def _with_losses(name: str, ranks: Ints, benchmark: TabularBenchmark) -> dict[str, NDArray[Any]]:
    exists = ranks >= 0
    return {
        name: ranks,
        f"{name}_regret": np.where(exists, benchmark.search_regret[ranks], np.nan),
        f"{name}_final": _final(ranks, benchmark),
        f"{name}_infeasible": exists & ~benchmark.is_feasible[ranks],
    }


def _final(ranks: Ints, benchmark: TabularBenchmark) -> Floats:
    return np.where(ranks >= 0, benchmark.final_losses[ranks], np.nan)


def _distinct(ranks: Ints, counted: Ints) -> Ints:
    """How many different architectures are among the first evaluations: int [R, C]."""
    T = ranks.shape[1]
    keys = np.sort(ranks * T + np.arange(T), axis=1)  # by rank, then by time: the first of a rank is its first time
    rank, time = np.divmod(keys, T)
    first = np.ones(ranks.shape, dtype=bool)
    first[:, 1:] = rank[:, 1:] != rank[:, :-1]
    is_new = np.zeros((len(ranks), T + 1), dtype=np.int64)
    np.put_along_axis(is_new, time + 1, first.astype(np.int64), axis=1)
    return _at(np.cumsum(is_new, axis=1), counted)
