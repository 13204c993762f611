"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from results.comparison import Difference
from results.report.findings import Findings, Pair
from results.report.overall import Overall
from results.report.words import after, decimals_of, estimate, gap, listed, p_value, share, times
from results.tables import Row

POOLED_DECIMALS = 4
NAMED = 4  # optimizers in a sentence; of more their number is told


def sentences_of(found: Findings) -> Iterator[str]:
    """What was found on one benchmark, a sentence at a time."""
    first = found.first.optimizer
    decimals = decimals_of(found.table.about)
    rivals = [pair for pair in found.pairs if pair.first == first]
    yield from _solved(found)
    if found.budget is None:
        time = times(_row(found).running_time or 0.0)
        yield f"`{first}` is first with an expected running time of {time} evaluations to the target ({_seeds(found)})."
    else:
        regret = estimate(_row(found).regrets[found.table.budgets.index(found.budget)], decimals)
        unit = "" if regret.startswith("0 in") else f" {found.unit}"
        at = after(found.budget, found.table.unit)
        yield f"After {at} ({_seeds(found)}) `{first}` is first with regret {regret}{unit}."
    if rivals:
        yield from _next(found, rivals[0], decimals)
    yield from _others(rivals[1:])


def overall_sentences(overall: Overall, all_found: Sequence[Findings]) -> Iterator[str]:
    """What was found over all benchmarks."""
    leads: dict[tuple[str, str], list[str]] = {}
    for found in all_found:
        leads.setdefault((found.first.optimizer, _kind_of_lead(found)), []).append(found.benchmark)
    for (first, kind), benchmarks in leads.items():
        yield f"`{first}` is first on {_some(benchmarks)}{kind}."
    if len(overall.labels) > 1:
        pooled = estimate(overall.pooled[0][overall.budgets.index(overall.budget)], POOLED_DECIMALS)
        improvement = overall.improvement[0][1]
        better = (
            "" if improvement is None else f"; better than the next, `{overall.labels[1]}`, in {share(improvement)}"
        )
        yield (
            f"Over the {len(overall.benchmarks)} benchmarks together, after {after(overall.budget, overall.unit)}, "
            f"`{overall.labels[0]}` has the lowest normalised regret (0 the best of a table, 1 its median): "
            f"{pooled}{better}."
        )


def _kind_of_lead(found: Findings) -> str:
    """What is to be said of the lead of the first over the others."""
    verdicts = [pair.verdict for pair in found.pairs if pair.first == found.first.optimizer]
    if any(verdict != "better" for verdict in verdicts):
        return ", but not shown to be better than all others"
    return ", by less than the noise of the table" if found.pairs and found.pairs[0].within_noise else ""


def _row(found: Findings) -> Row:
    """The row of the first, of the answer that is compared."""
    rows = [row for row in found.table.rows if row.optimizer == found.first.optimizer]
    return rows[0 if found.answer == "incumbent" else -1]


def _seeds(found: Findings) -> str:
    return (
        " to ".join(f"{count:,}" for count in dict.fromkeys((found.table.seeds[0], found.table.seeds[-1]))) + " seeds"
    )


def _solved(found: Findings) -> Iterator[str]:
    """At which budgets there is nothing left to compare, and what is compared instead."""
    solved = [budget for budget, is_solved in zip(found.table.budgets, found.table.solved, strict=True) if is_solved]
    if solved:
        unit = found.table.unit
        instead = "the times to the target" if found.budget is None else f"regrets after {after(found.budget, unit)}"
        yield (
            f"Solved after {after(solved[0], unit)}: there the median seed of two or more optimizers has the best of "
            f"the table; compared are {instead}."
        )


def _next(found: Findings, pair: Pair, decimals: int) -> Iterator[str]:
    """How the first and the next differ."""
    second, gap_of = f"`{pair.second}`", pair.difference
    if pair.effect is None:
        yield f"The next, {second}, cannot be compared with it: {pair.reason}."
        return
    runs = f"it is the better one in {share(pair.effect)}, p {p_value(pair.p)}"
    if gap_of is None:
        yield {
            "better": f"It is better than the next, {second}: {runs}.",
            "worse": f"Run by run the next, {second}, is better: {runs}.",
        }.get(pair.verdict, f"The next, {second}, is not told apart from it: {runs}.")
        return
    ahead = gap(_opposite(gap_of), decimals)
    if pair.verdict == "better":
        yield f"It is {ahead} ahead of the next, {second}; {runs}."
    elif pair.verdict == "worse":
        yield f"Its mean is {ahead} ahead of the next, {second}, which yet is better run by run: {runs}."
    elif pair.verdict == "equivalent":
        low, high = -gap_of.high90, -gap_of.low90
        yield (
            f"The next, {second}, is equivalent: the 90 % interval of their difference, {low:.{decimals}f} to "
            f"{high:.{decimals}f}, lies within ±{found.margin:.{decimals}f} ({found.margin_is})."
        )
    else:
        yield f"The next, {second}, is not told apart from it: {ahead} behind, p {p_value(pair.p)}."
    if pair.within_noise and pair.verdict != "equivalent":
        yield (
            "That difference is smaller than the table's own noise: repeated trainings of its best architectures "
            f"scatter by {found.trial_sd:.{decimals}f}."
        )


def _opposite(of: Difference) -> Difference:
    return replace(of, value=-of.value, low=-of.high, high=-of.low)


def _others(pairs: Sequence[Pair]) -> Iterator[str]:
    """What is said of those behind the next."""
    by_verdict: dict[str, list[str]] = {}
    for pair in pairs:
        by_verdict.setdefault(pair.verdict, []).append(pair.second)
    for verdict, said in (
        ("better", "Worse than the first are also"),
        ("equivalent", "Equivalent to it are also"),
        ("not told apart", "Not told apart from it are also"),
        ("worse", "Better run by run, though not by the mean, are"),
    ):
        if verdict in by_verdict:
            yield f"{said} {_some(by_verdict[verdict])}."


def _some(names: Sequence[str]) -> str:
    """Names, the first few of many."""
    if len(names) <= NAMED:
        return listed(names)
    return f"{', '.join(f'`{name}`' for name in names[:NAMED])} and {len(names) - NAMED} more"
