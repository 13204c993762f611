"""A tabular benchmark: a search space, a data set, and what others measured for every architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.errors import ArenaError
from search_spaces.space import Ints, SearchSpace

Floats = NDArray[np.float64]

TARGET_SHARE = 0.001  # the target of a search: among the best 0.1 % of the table


@dataclass(frozen=True)
class Wording:
    """How the numbers of a benchmark are called, so that no table or figure has to guess.

    Attributes:
        unit: the unit of losses and regrets, such as "percentage points".
        searched: the number that the search sees.
        reported: the number that the report gives, such as "test accuracy after 200 epochs".
        reported_is: "accuracy" where the report prints 100 minus the final loss, "loss" where it prints the loss.
        remark: one sentence that every table must carry, or "".
    """

    unit: str
    searched: str
    reported: str
    reported_is: str = "loss"
    remark: str = ""


@dataclass(frozen=True)
class Tables:
    """The measured numbers; N architectures by mixed-radix rank, F fidelities, lowest first. Losses: lower is better.

    Attributes:
        search: float [F, N], the loss that the search sees, without noise; +inf where an architecture is infeasible.
        final: float [N], the loss that is reported.
        seconds: float [F, N], the cost of one evaluation, or None where it is not known.
        trials: float [N, T], the recorded trials of the highest fidelity, those that exist first; or None.
        trial_counts: int [N], how many of them exist.
        secondary: further numbers by name, each [N].
    """

    search: Floats
    final: Floats
    seconds: Floats | None = None
    trials: Floats | None = None
    trial_counts: Ints | None = None
    secondary: Mapping[str, NDArray[Any]] = field(default_factory=dict)


class TabularBenchmark:
    """A benchmark whose losses are looked up. Pure: everything is a function of arrays and nothing is drawn.

    A subclass names its data sets in ``datasets``, loads its tables in ``__init__`` (whose keyword arguments are its
    options) and hands them to this class.

    Attributes:
        datasets: the data sets that the benchmark has; the first is the default.
        dataset: the data set of this one.
        space: the search space.
        fidelities: what the rows of ``tables.search`` mean (epochs), lowest first.
        wording: what the numbers are called.
        tables: the numbers.
        options: the options after "auto" was resolved; with the data set they say which numbers these are.
        checksums: SHA-256 of every data file that was read, by name.
        noise_kinds: the values of ``noise`` that a study may ask for.
    """

    datasets: ClassVar[tuple[str, ...]] = ()
    citation: ClassVar[str] = ""
    data_source: ClassVar[str] = ""

    def __init__(
        self,
        *,
        dataset: str,
        space: SearchSpace,
        fidelities: Sequence[int],
        wording: Wording,
        tables: Tables,
        options: Mapping[str, Any] | None = None,
        checksums: Mapping[str, str] | None = None,
    ) -> None:
        expected = (len(fidelities), space.size)
        for name, table in (("search", tables.search), ("seconds", tables.seconds)):
            if table is not None and table.shape != expected:
                raise ArenaError(f"table {name!r} has shape {table.shape}, the space and fidelities need {expected}")
        if tables.final.shape != (space.size,):
            raise ArenaError(f"table 'final' has shape {tables.final.shape}, the space needs {(space.size,)}")
        self.dataset = dataset
        self.space = space
        self.fidelities = tuple(fidelities)
        self.wording = wording
        self.tables = tables
        self.options = dict(options or {})
        self.checksums = dict(checksums or {})
        self.noise_kinds = ("trials",) if tables.trials is not None else ()

    def search_loss(self, archs: ArrayLike, fidelity: int | None = None, noise: Floats | None = None) -> Floats:
        """The loss that the search sees.

        Args:
            archs: int [..., V].
            fidelity: an index into ``fidelities``; the highest by default.
            noise: float [...] in [0, 1), one uniform an evaluation, which picks one of its recorded trials; None
                gives the mean of the trials.

        Returns:
            float [...].

        Raises:
            ArenaError: for architectures out of range, an unknown fidelity, or noise where no trials are recorded.
        """
        return self.search_loss_at(self.space.index(archs), fidelity, noise)

    def search_loss_at(self, ranks: Ints, fidelity: int | None = None, noise: Floats | None = None) -> Floats:
        """As :meth:`search_loss`, for architectures given by their ranks (:meth:`SearchSpace.index`)."""
        row = self._row(fidelity)
        if noise is None:
            losses: Floats = self.tables.search[row].take(ranks)
            return losses
        trials, counts = self.tables.trials, self.tables.trial_counts
        if trials is None or counts is None or row != len(self.fidelities) - 1:
            raise ArenaError(f"{type(self).__name__} records no trials at fidelity {self.fidelities[row]}")
        picked: Floats = trials[ranks, (noise * counts.take(ranks)).astype(np.int64)]
        return picked

    def final_loss(self, archs: ArrayLike) -> Floats:
        """The loss that is reported. int [..., V] to float [...]."""
        losses: Floats = self.tables.final.take(self.space.index(archs))
        return losses

    def seconds(self, archs: ArrayLike, fidelity: int | None = None) -> Floats:
        """Seconds that one evaluation costs, NaN where the table has no times. int [..., V] to float [...]."""
        return self.seconds_at(self.space.index(archs), fidelity)

    def seconds_at(self, ranks: Ints, fidelity: int | None = None) -> Floats:
        """As :meth:`seconds`, for architectures given by their ranks."""
        row = self._row(fidelity)
        if self.tables.seconds is None:
            return np.full(ranks.shape, np.nan)
        seconds: Floats = self.tables.seconds[row].take(ranks)
        return seconds

    def feasible(self, archs: ArrayLike) -> NDArray[np.bool_]:
        """Whether the table has a record of an architecture. int [..., V] to bool [...]."""
        return np.isfinite(self.search_loss(archs))

    @cached_property
    def search_regret(self) -> Floats:
        """float [N]: the search loss without noise, at the highest fidelity, above the best of the table."""
        search = self.tables.search[-1]
        regret: Floats = search - search.min()
        return regret

    @cached_property
    def landmarks(self) -> dict[str, float]:
        """The numbers of the table that a reader of results needs: its best, its median, its target.

        ``target_regret`` is the largest search regret that counts as reaching the target: among the best 0.1 % of the
        table, rounded up, ties with the last included. ``best_final_loss`` is the final loss of the architecture that
        is best by what the search sees (the mean over ties): no honest search can be expected to beat it.
        """
        regret = self.search_regret
        count = int(np.ceil(TARGET_SHARE * regret.size))
        return {
            "best_search_loss": float(self.tables.search[-1].min()),
            "median_regret": float(np.median(regret)),
            "target_count": count,
            "target_regret": float(np.partition(regret, count - 1)[count - 1]),
            "best_final_loss": float(self.tables.final[regret == 0].mean()),
            "lowest_final_loss": float(np.nanmin(self.tables.final)),
        }

    def _row(self, fidelity: int | None) -> int:
        if fidelity is None:
            return len(self.fidelities) - 1
        if not 0 <= fidelity < len(self.fidelities):
            raise ArenaError(f"fidelity is an index into {self.fidelities}, not {fidelity}")
        return fidelity
