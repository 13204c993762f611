"""Checks of a benchmark's lookups: losses, seconds, noise and metrics as functions of architectures.

Each function is a check: its docstring says what is expected, its body is the example that a violation prints.
"""

from __future__ import annotations

import numpy as np

from search_spaces.benchmark import TabularBenchmark
from search_spaces.check_tools import LOOKUPS, every_architecture, recorded_trials, same, some_architectures
from search_spaces.errors import refusal


def lookups_have_the_shape_of_their_architectures(benchmark: TabularBenchmark) -> None:
    """search_loss, final_loss and seconds give float64 [...] for int [..., V], one architecture and none included;
    feasible gives bool."""
    archs = some_architectures(benchmark)
    forms = archs[0], archs[:0], archs[:1], archs[:2][:, None], archs[:0].reshape(2, 0, len(benchmark.space))
    for name in LOOKUPS:
        expected = "bool" if name == "feasible" else "float64"
        for form in (*forms, archs[:3].astype(np.uint8 if benchmark.space.sizes.max() < 256 else np.int32)):
            found = np.asarray(getattr(benchmark, name)(form))
            said = f"{name}() of {form.dtype} {list(form.shape)} gives {found.dtype} {list(found.shape)}"
            assert found.shape == form.shape[:-1], said
            assert found.dtype == expected, said


def lookups_are_pure(benchmark: TabularBenchmark) -> None:
    """The same architectures give the same numbers every time, also after the caller wrote to those given before, and
    stay as they are."""
    for name in (*LOOKUPS, "search_loss_at", "seconds_at"):
        given = some_architectures(benchmark)
        asked = benchmark.space.index(given) if name.endswith("_at") else given
        kept = asked.copy()
        first = getattr(benchmark, name)(asked)
        assert same(asked, kept), f"{name}() changes what it is asked"
        values, written = np.array(first), np.asarray(first)
        if written.flags.writeable:
            written[...] = 0
        second = np.array(getattr(benchmark, name)(kept))
        if written.flags.writeable:
            written[...] = values  # it may have been the table itself
        assert same(second, values), f"{name}() gives other numbers the second time"


def search_losses_are_numbers(benchmark: TabularBenchmark) -> None:
    """search_loss is finite, or +inf where an architecture is infeasible, at every fidelity alike; never NaN."""
    ranks = np.arange(benchmark.space.size)
    for fidelity in range(len(benchmark.fidelities)):
        losses = benchmark.search_loss_at(ranks, fidelity)
        wrong = ranks[np.isnan(losses) | (losses == -np.inf)]
        assert not wrong.size, f"that of rank {wrong[0]} at fidelity {fidelity} is {losses[wrong[0]]}"
        unlike = ranks[np.isfinite(losses) != benchmark.is_feasible]
        assert not unlike.size, f"that of rank {unlike[0]} at fidelity {fidelity} is {losses[unlike[0]]}"


def feasible_is_a_finite_loss(benchmark: TabularBenchmark) -> None:
    """feasible says where search_loss is finite; somewhere it is."""
    archs = every_architecture(benchmark)
    feasible, finite = benchmark.feasible(archs), np.isfinite(benchmark.search_loss(archs))
    wrong = archs[feasible != finite]
    assert not wrong.size, f"{wrong[0].tolist()} is feasible: {feasible[feasible != finite][0]}"
    assert feasible.any(), "no architecture is"


def final_losses_are_finite(benchmark: TabularBenchmark) -> None:
    """final_loss is finite for every architecture, and the worst of the table where one is infeasible."""
    archs = every_architecture(benchmark)
    losses, feasible = benchmark.final_loss(archs), benchmark.feasible(archs)
    wrong = archs[~np.isfinite(losses)]
    assert not wrong.size, f"that of {wrong[0].tolist()} is {losses[~np.isfinite(losses)][0]}"
    worst = losses[feasible].max()
    assert (losses[~feasible] == worst).all(), f"that of an infeasible one is {losses[~feasible][0]}, the worst {worst}"
    assert same(losses, benchmark.final_losses), "final_losses, by rank, has other numbers"


def regrets_begin_at_zero(benchmark: TabularBenchmark) -> None:
    """search_regret is float64 [N], 0 for the best, above 0 for all others, the worst's where one is infeasible: the
    search loss above the best, or on the scale log10 the logarithm of their ratio."""
    regret, losses = benchmark.search_regret, benchmark.search_loss_at(np.arange(benchmark.space.size))
    assert regret.shape == losses.shape, f"it has the shape {list(regret.shape)}"
    assert np.isfinite(regret).all(), f"it holds {regret[~np.isfinite(regret)][0]}"
    assert regret.min() == 0, f"its smallest is {regret.min()}"
    feasible = np.isfinite(losses)
    assert (regret[~feasible] == regret[feasible].max()).all(), f"of an infeasible one it is {regret[~feasible][0]}"
    best = losses.min()
    above = np.log10(losses[feasible] / best) if benchmark.wording.scale == "log10" else losses[feasible] - best
    wrong = ~np.isclose(regret[feasible], above, rtol=1e-9, atol=1e-9)
    assert not wrong.any(), f"of a loss of {losses[feasible][wrong][0]} it is {regret[feasible][wrong][0]}"
    assert ((regret == 0) == (losses == best)).all(), "it is 0 for others than the best"


def seconds_are_known_for_all_or_none(benchmark: TabularBenchmark) -> None:
    """seconds is finite and above 0 for every architecture and fidelity, also for infeasible ones, or NaN for all."""
    archs = every_architecture(benchmark)
    for fidelity in range(len(benchmark.fidelities)):
        seconds = benchmark.seconds(archs, fidelity)
        wrong = ~(np.isfinite(seconds) & (seconds > 0))
        if not np.isnan(seconds).all():
            assert not wrong.any(), (
                f"those of {archs[wrong][0].tolist()} at fidelity {fidelity} are {seconds[wrong][0]}"
            )


def ranks_give_the_same(benchmark: TabularBenchmark) -> None:
    """search_loss_at and seconds_at of ranks give what search_loss and seconds give of the architectures."""
    archs = some_architectures(benchmark)
    ranks = benchmark.space.index(archs)
    for fidelity in (None, *range(len(benchmark.fidelities))):
        by_rank, by_arch = benchmark.search_loss_at(ranks, fidelity), benchmark.search_loss(archs, fidelity)
        assert same(by_rank, by_arch), f"search losses differ at fidelity {fidelity}"
        by_rank, by_arch = benchmark.seconds_at(ranks, fidelity), benchmark.seconds(archs, fidelity)
        assert same(by_rank, by_arch), f"seconds differ at fidelity {fidelity}"


def noise_picks_recorded_trials(benchmark: TabularBenchmark) -> None:
    """With noise, uniforms in [0, 1), search_loss is one of the architecture's recorded trials, each for an equal part
    of the uniforms; infeasible architectures have +inf."""
    archs = some_architectures(benchmark)
    ranks, feasible = benchmark.space.index(archs), benchmark.feasible(archs)
    trials, counts = recorded_trials(benchmark)
    for uniform in (0.0, 0.2, 0.45, 0.7, 0.95, 1 - 2**-53):
        losses = benchmark.search_loss(archs, noise=np.full(len(archs), uniform))
        recorded = trials[ranks, np.floor(uniform * counts[ranks]).astype(int)]
        wrong = losses != np.where(feasible, recorded, np.inf)
        assert not wrong.any(), f"noise of {uniform} gives {losses[wrong][0]}, recorded is {recorded[wrong][0]}"


def without_noise_losses_are_means_of_trials(benchmark: TabularBenchmark) -> None:
    """Without noise, search_loss at the highest fidelity is the mean of the recorded trials."""
    archs = some_architectures(benchmark)
    archs = archs[benchmark.feasible(archs)]
    ranks, losses = benchmark.space.index(archs), benchmark.search_loss(archs)
    trials, counts = recorded_trials(benchmark)
    for arch, rank, loss in zip(archs, ranks, losses, strict=True):
        mean = trials[rank][: int(counts[rank])].mean()
        assert np.isclose(loss, mean, rtol=1e-6, atol=1e-6), f"that of {arch.tolist()} is {loss}, the mean {mean}"


def noise_without_trials_is_refused(benchmark: TabularBenchmark) -> None:
    """noise raises an ArenaError where no trials are recorded: at all, or at a lower fidelity than the highest."""
    archs = some_architectures(benchmark)
    for fidelity in range(len(benchmark.fidelities) - ("trials" in benchmark.noise_kinds)):
        assert refusal(benchmark.search_loss, archs, fidelity, np.zeros(len(archs))), f"fidelity {fidelity} takes noise"


def fidelities_are_known(benchmark: TabularBenchmark) -> None:
    """fidelities increase, and the last is what search_loss and seconds take by default; an index out of them raises
    an ArenaError."""
    archs, F = some_architectures(benchmark), len(benchmark.fidelities)
    assert F > 0, "there are none"
    assert [*benchmark.fidelities] == sorted(set(benchmark.fidelities)), f"they are {benchmark.fidelities}"
    for lookup in (benchmark.search_loss, benchmark.seconds):
        assert same(lookup(archs), lookup(archs, F - 1)), f"{lookup.__name__}() takes another by default than the last"
        for wrong in (F, -1):
            assert refusal(lookup, archs, wrong), f"{lookup.__name__}() takes the fidelity {wrong}"


def wrong_architectures_are_refused(benchmark: TabularBenchmark) -> None:
    """Architectures out of range, of another dtype than integers or of another number of variables raise an
    ArenaError."""
    arch = np.zeros(len(benchmark.space), dtype=np.int64)
    for wrong in (benchmark.space.sizes.copy(), arch - 1, arch * 1.0, np.append(arch, 0), arch[:-1], arch[0]):
        for name in LOOKUPS:
            assert refusal(getattr(benchmark, name), wrong), f"{name}() takes {wrong.dtype} {wrong.tolist()}"
        for name in benchmark.metrics:
            assert refusal(benchmark.metric, name, wrong), f"metric({name!r}) takes {wrong.dtype} {wrong.tolist()}"


def metrics_can_be_read(benchmark: TabularBenchmark) -> None:
    """metric(name) gives one number an architecture for every name in metrics; another name raises an ArenaError."""
    archs = some_architectures(benchmark)
    for name in benchmark.metrics:
        for form in (archs, archs[0], archs[:0], archs[:2][:, None]):
            values = np.asarray(benchmark.metric(name, form))
            assert values.dtype.kind in "biuf", f"{name!r} is {values.dtype}"
            assert values.shape == form.shape[:-1], f"{name!r} of {list(form.shape)} is {list(values.shape)}"
    assert refusal(benchmark.metric, "no such", archs), "there is a metric 'no such'"
