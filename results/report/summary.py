"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from results.report.findings import Findings, Pair
from results.report.overall import Overall
from results.report.words import after, counted, decimals_of, estimate, gap, listed, p_value, share, times, with_share
from results.statistics import RELIABLE_FROM
from results.tables import Row

POOLED_DECIMALS = 4
NAMED = 4  # optimizers in a sentence; of more their number is told


def sentences_of(found: Findings) -> Iterator[str]:
    """What was found on one benchmark, a sentence at a time."""
    first = found.first.optimizer
    decimals = decimals_of(found.table.about)
    rivals = [pair for pair in found.pairs if pair.first == first]
    yield f"`{first}` {'is first: ' if rivals else 'ran alone: '}{_what_it_reached(found, decimals)}."
    if rivals:
        yield from _next(found, rivals[0], decimals)
    yield from _others(rivals[1:])
    yield from _solved(found)
    if found.table.seeds[0] < RELIABLE_FROM:
        yield f"† With fewer than {RELIABLE_FROM} seeds such intervals are too short."


def overall_sentences(overall: Overall | None, why_not: str, all_found: Sequence[Findings]) -> Iterator[str]:
    """What was found over all benchmarks.

    Args:
        overall: the aggregate; None where there is none, which then ends with the reason, ``why_not``.
        all_found: what was found on each.
    """
    leads: dict[tuple[str, str], list[str]] = {}
    for found in all_found:
        if len(found.cells) > 1:
            leads.setdefault((found.first.optimizer, _kind_of_lead(found)), []).append(found.benchmark)
    for (first, kind), benchmarks in leads.items():
        yield f"`{first}` is first on {_some(benchmarks)}{kind}."
    if overall is None:
        yield f"There is no number over all benchmarks: {why_not}."
    elif len(overall.labels) > 1:
        yield _together(overall)
        if overall.elsewhere:
            yield f"That leaves out {_some(overall.elsewhere)}, not run on all of them."


def _together(overall: Overall) -> str:
    pooled = overall.pooled[0][overall.budgets.index(overall.budget)]
    if pooled.mostly_at_best:
        is_first = f"is first by normalised regret: {with_share(pooled)} of all runs"
    else:
        told = estimate(pooled, POOLED_DECIMALS)
        is_first = f"has the lowest normalised regret (0 is the best of a table, 1 its median): {told}"
    improvement, second = overall.improvement[0][1], overall.labels[1]
    better = (
        f"; nothing tells it from the next, `{second}`"
        if improvement is None
        else f"; against the next, `{second}`, it is the better one in {share(improvement)}"
    )
    return (
        f"Over the {len(overall.benchmarks)} benchmarks together, after {after(overall.budget, overall.unit)}, "
        f"`{overall.labels[0]}` {is_first}{better}."
    )


def _kind_of_lead(found: Findings) -> str:
    """What is to be said of the lead of the first over the others."""
    verdicts = [pair.verdict for pair in found.pairs if pair.first == found.first.optimizer]
    if any(verdict != "better" for verdict in verdicts):
        return ", but not shown to be better than all others"
    return ", by less than the noise of the table" if found.pairs[0].within_noise else ""


def _row(found: Findings) -> Row:
    """The row of the first, of the answer that is compared."""
    rows = [row for row in found.table.rows if row.optimizer == found.first.optimizer]
    return rows[0 if found.answer == "incumbent" else -1]


def _what_it_reached(found: Findings, decimals: int) -> str:
    """What the first has come to, when, and in how many seeds."""
    row, table = _row(found), found.table
    seeds = counted(len(found.first.seeds), "seed")
    if found.budget is None:
        return (
            f"its median seed is at the target after {times(row.target)} evaluations, the expected running time to it "
            f"is {times(row.running_time)}; after {after(table.budgets[-1], table.unit)} it has "
            f"{with_share(row.regrets[-1])} of {seeds}"
        )
    regret, at = row.regrets[table.budgets.index(found.budget)], after(found.budget, table.unit)
    if regret.mostly_at_best:
        return f"after {at} it has {with_share(regret)} of {seeds}"
    return f"regret {estimate(regret, decimals)} {found.unit} after {at}, {seeds}"


def _solved(found: Findings) -> Iterator[str]:
    """At which budgets there is nothing left to compare, and what is compared instead."""
    table = found.table
    solved = [
        budget
        for budget, is_solved in zip(table.budgets, table.solved, strict=True)
        if is_solved and (found.budget is None or budget > found.budget)
    ]
    if not solved:
        return
    why = f"from {after(solved[0], table.unit)} on, where the median seed of two or more optimizers is at the best"
    if found.budget is None:
        count, size = table.about["landmarks"]["target_count"], table.about["table_size"]
        yield (
            f"Solved {why}, which is at every budget; compared are the evaluations to the target, the best {count:,} "
            f"of {size:,}."
        )
    else:
        yield f"Solved {why}; hence the comparison after {found.budget:,}."


def _next(found: Findings, pair: Pair, decimals: int) -> Iterator[str]:
    """How the first and the next differ."""
    second, gap_of = f"`{pair.second}`", pair.difference
    if pair.effect is None:
        yield f"It cannot be compared with the next, {second}: {pair.reason}."
        return
    runs = f"in {share(pair.effect)} it is the better one (p {p_value(pair.p)})"
    if gap_of is None:
        yield {
            "better": f"It is better than the next, {second}: {runs}.",
            "worse": f"Run by run the next, {second}, is better: {runs}.",
        }.get(pair.verdict, f"The next, {second}, is not told apart from it: {runs}.")
        return
    lead = gap_of.turned()
    ahead = gap(lead, decimals)
    noise = (
        f"; yet that lead is smaller than the noise of the table, whose best architectures scatter by "
        f"{found.trial_sd:.{decimals}f} when trained again"
        if pair.within_noise
        else ""
    )
    if pair.verdict == "better":
        yield f"It is {ahead} ahead of the next, {second}, and {runs}{noise}."
    elif pair.verdict == "worse":
        yield f"Its mean is {ahead} ahead of the next, {second}, which yet is better run by run: {runs}{noise}."
    elif pair.verdict == "equivalent":
        yield (
            f"The next, {second}, is equivalent: the 90 % interval of their difference, {lead.low90:.{decimals}f} to "
            f"{lead.high90:.{decimals}f}, lies within ±{found.margin:.{decimals}f} ({found.margin_is})."
        )
    else:
        yield f"The next, {second}, is not told apart from it: it is {ahead} behind, and {runs}{noise}."


def _others(pairs: Sequence[Pair]) -> Iterator[str]:
    """What is said of those behind the next."""
    by_verdict: dict[str, list[str]] = {}
    for pair in pairs:
        by_verdict.setdefault("" if pair.reason else pair.verdict, []).append(pair.second)
    for verdict, said in (
        ("better", "Worse than the first"),
        ("equivalent", "Equivalent to the first"),
        ("not told apart", "Not told apart from the first"),
        ("worse", "Better run by run, though not by the mean"),
        ("", "Not to be compared with the first"),
    ):
        if verdict in by_verdict:
            yield f"{said}: {_some(by_verdict[verdict])}."


def _some(names: Sequence[str]) -> str:
    """Names, the first few of many."""
    if len(names) <= NAMED:
        return listed(names)
    return f"{', '.join(f'`{name}`' for name in names[:NAMED])} and {len(names) - NAMED} more"
