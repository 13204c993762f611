"""A tabular benchmark: a search space, a data set, and what others measured for every architecture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from search_spaces.errors import ArenaError, unknown
from search_spaces.landmarks import landmarks_of
from search_spaces.space import Ints, SearchSpace

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Wording:
    """How the numbers of a benchmark are called, so that no table or figure has to guess.

    Attributes:
        unit: the unit of losses, such as "percentage points" or "MSE".
        searched: the number that the search sees, such as "validation error after 200 epochs (mean of trials)".
        reported: the number that the report gives, such as "test accuracy after 200 epochs (mean of trials)".
        kind: what the reported number is, in a word: "test"; "validation" (another than the searched); "hold-out"
            (the repeats that the search does not see); "searched" (the same number as searched).
        measure: the reported quantity for headings, such as "accuracy", "ROC-AUC", "MSE".
        complement: whether that is 100 minus the loss.
        scale: "linear", where a regret is the difference of a loss to the best; "log10", where it is the decimal
            logarithm of their ratio, and losses are printed and averaged as logarithms.
        remark: one sentence that every table must carry, or "".
    """

    unit: str
    searched: str
    reported: str
    kind: Literal["test", "validation", "hold-out", "searched"]
    measure: str = "loss"
    complement: bool = False
    scale: Literal["linear", "log10"] = "linear"
    remark: str = ""

    @property
    def regret_unit(self) -> str:
        """The unit of regrets."""
        return self.unit if self.scale == "linear" else f"decades of {self.unit}"


@dataclass(frozen=True)
class Tables:
    """The measured numbers; N architectures by mixed-radix rank, F fidelities, lowest first. Losses: lower is better.

    An architecture without a record is infeasible: its search loss is +inf at every fidelity and its final loss and
    secondary numbers are NaN.

    Attributes:
        search: float [F, N], the loss that the search sees, without noise.
        final: float [N], the loss that is reported.
        seconds: float [F, N], the cost of one evaluation, above 0 also where it is infeasible; or None where it is not
            known.
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

    An infeasible architecture has a search loss of +inf, which is what an optimizer is told; its regret and its final
    loss are those of the table's worst.

    Attributes:
        version: raised when the numbers of the benchmark change, so that old results are not mistaken for new ones.
        datasets: the data sets that the benchmark has; the first is the default.
        dataset: the data set of this one.
        space: the search space.
        fidelities: what the rows of ``tables.search`` mean (epochs), lowest first.
        wording: what the numbers are called.
        tables: the numbers.
        options: the options after "auto" was resolved; with the data set they say which numbers these are.
        checksums: SHA-256 of every data file that was read, by name.
        noise_kinds: the values of ``noise`` that a study may ask for.
        is_feasible: bool [N].
        edges: where every variable is the operation on an edge of a cell, the nodes (from, to) of each; else empty.
            Found architectures are then drawn as graphs.

    Raises:
        ArenaError: for tables that do not fit the space or each other.
    """

    version: ClassVar[int] = 1
    datasets: ClassVar[tuple[str, ...]] = ()
    citation: ClassVar[str] = ""
    data_source: ClassVar[str] = ""
    edges: ClassVar[tuple[tuple[int, int], ...]] = ()

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
        check_tables(space, fidelities, tables, wording)
        self.dataset = dataset
        self.space = space
        self.fidelities = tuple(fidelities)
        self.wording = wording
        self.tables = tables
        self.options = dict(options or {})
        self.checksums = dict(checksums or {})
        self.noise_kinds = ("trials",) if tables.trials is not None else ()
        self.is_feasible = np.isfinite(tables.search[-1])

    def search_loss(self, archs: ArrayLike, fidelity: int | None = None, noise: Floats | None = None) -> Floats:
        """The loss that the search sees.

        Args:
            archs: int [..., V].
            fidelity: an index into ``fidelities``; the highest by default.
            noise: float [...] in [0, 1), one uniform an evaluation, which picks one of its recorded trials; None
                gives the mean of the trials.

        Returns:
            float [...], +inf where an architecture is infeasible.

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
        return np.where(self.is_feasible.take(ranks), picked, np.inf)

    def final_loss(self, archs: ArrayLike) -> Floats:
        """The loss that is reported, the table's worst where it is infeasible. int [..., V] to float [...]."""
        losses: Floats = self.final_losses.take(self.space.index(archs))
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
        feasible: NDArray[np.bool_] = self.is_feasible.take(self.space.index(archs))
        return feasible

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names that :meth:`metric` knows."""
        return (*(() if self.tables.seconds is None else ("seconds",)), *self.tables.secondary)

    def metric(self, name: str, archs: ArrayLike) -> NDArray[Any]:
        """A secondary number of architectures, such as "parameters", in the unit that its name says.

        Args:
            name: one of ``metrics``.
            archs: int [..., V].

        Returns:
            number [...], NaN where an architecture is infeasible.

        Raises:
            ArenaError: for an unknown name.
        """
        if name == "seconds" and "seconds" in self.metrics:
            return np.where(self.feasible(archs), self.seconds(archs), np.nan)
        if name not in self.tables.secondary:
            raise unknown(f"metric of {type(self).__name__}:", name, self.metrics)
        ranks = self.space.index(archs)
        values: NDArray[Any] = self.tables.secondary[name].take(ranks)
        return values if self.is_feasible.all() else np.where(self.is_feasible.take(ranks), values, np.nan)

    @cached_property
    def search_regret(self) -> Floats:
        """float [N]: the search loss without noise, at the highest fidelity, above the best of the table."""
        search = self.tables.search[-1]
        worst = search[self.is_feasible].max()
        filled = np.where(self.is_feasible, search, worst)
        regret: Floats = filled - filled.min() if self.wording.scale == "linear" else np.log10(filled / filled.min())
        return regret

    @cached_property
    def final_losses(self) -> Floats:
        """float [N]: the final loss, the table's worst where an architecture is infeasible."""
        final = self.tables.final
        return np.where(self.is_feasible, final, final[self.is_feasible].max())

    @cached_property
    def landmarks(self) -> dict[str, Any]:
        """The numbers of the table that a reader of results needs: its best, its median, its target.

        ``target_regret`` is the largest search regret that counts as reaching the target: among the best 0.1 % of the
        space, rounded up, ties with the last included; ``targets`` are the same for other shares and the best.
        ``regret_by_rank`` has the regrets in ascending order at some ranks, geometrically spaced from 1 to the size of
        the space, which tells how random search fares. ``best_final_loss`` is the final loss of the architecture that
        is best by what the search sees (the mean over ties): no honest search can be expected to beat it.
        ``same_as_searched`` says that the reported number is the very one that the search sees. ``trial_sd`` is how far
        the recorded trials of one architecture scatter in the target (the root of the mean variance), in the unit of
        regrets, and None where no architecture in it has two: differences below it are the luck of a training.
        """
        return landmarks_of(self)

    def _row(self, fidelity: int | None) -> int:
        if fidelity is None:
            return len(self.fidelities) - 1
        if not 0 <= fidelity < len(self.fidelities):
            raise ArenaError(f"fidelity is an index into {self.fidelities}, not {fidelity}")
        return fidelity


def tied(values: Floats, within: float) -> Floats:
    """Values [N], those that are no further apart than ``within`` made equal, to the lowest of them.

    Means that are equal on paper differ by rounding errors; such a difference would be a regret. Rounding to some
    decimals does not mend it: two such values can lie on either side of where it rounds up.
    """
    order = np.argsort(values)
    ordered = values[order]
    begins = np.concatenate([[True], ~(ordered[1:] <= ordered[:-1] + within)])  # NaN equals nothing
    equal = np.empty_like(values)
    equal[order] = ordered[begins][np.cumsum(begins) - 1]
    return equal


def check_tables(space: SearchSpace, fidelities: Sequence[int], tables: Tables, wording: Wording) -> None:
    """Whether tables fit the space and each other.

    Raises:
        ArenaError: the first thing that does not fit.
    """
    if wording.scale not in ("linear", "log10") or (wording.scale == "log10" and wording.complement):
        raise ArenaError(f"the scale is 'linear' or 'log10', the latter not of a complement; not {wording.scale!r}")
    F, N = len(fidelities), space.size
    shapes: dict[str, tuple[Any, tuple[int, ...]]] = {
        "search": (tables.search, (F, N)),
        "final": (tables.final, (N,)),
        "seconds": (tables.seconds, (F, N)),
        "trial_counts": (tables.trial_counts, (N,)),
        **{f"secondary {name}": (values, (N,)) for name, values in tables.secondary.items()},
    }
    for name, (table, shape) in shapes.items():
        if table is not None and np.shape(table) != shape:
            raise ArenaError(f"table {name!r} has shape {np.shape(table)}, the space and fidelities need {shape}")
    if np.isnan(tables.search).any():
        raise ArenaError("table 'search' holds NaN; an architecture without a record has +inf there")
    feasible = tables.search < np.inf
    if not feasible.any():
        raise ArenaError("table 'search' is +inf everywhere; at least one architecture must be feasible")
    if (feasible != feasible[-1]).any():
        raise ArenaError("an architecture is infeasible, +inf in table 'search', at every fidelity or at none")
    losses = {"search": tables.search[:, feasible[-1]], "final": tables.final[feasible[-1]]}
    for name, values in losses.items():
        if not np.isfinite(values).all():
            raise ArenaError(f"table {name!r} must be finite where an architecture is feasible")
        if wording.scale == "log10" and values.min() <= 0:
            raise ArenaError(f"table {name!r} holds {values.min()}; on the scale log10 losses must be above 0")
    if tables.seconds is not None and not (np.isfinite(tables.seconds) & (tables.seconds > 0)).all():
        raise ArenaError("table 'seconds' must be finite and above 0 for every architecture, also an infeasible one")
    if tables.trials is not None:
        _check_trials(tables, feasible[-1])


def _check_trials(tables: Tables, feasible: NDArray[np.bool_]) -> None:
    trials, counts = tables.trials, tables.trial_counts
    if trials is None or counts is None or trials.ndim != 2 or len(trials) != len(counts):
        raise ArenaError("table 'trials' must be [N, T], with 'trial_counts' [N] beside it")
    if counts[feasible].min() < 1 or counts.max() > trials.shape[1]:
        raise ArenaError(f"'trial_counts' must lie between 1 and {trials.shape[1]} where an architecture is feasible")
    exists = np.arange(trials.shape[1]) < counts[:, None]
    if not np.isfinite(trials[exists & feasible[:, None]]).all():
        raise ArenaError("table 'trials' must be finite for every trial that 'trial_counts' says to exist")
