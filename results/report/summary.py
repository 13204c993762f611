"""What was found, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from results.comparison import Difference
from results.report.findings import Findings, Pair
from results.report.overall import Overall
from results.report.words import after, decimals_of, effect, estimate, gap, listed, p_value, times
from results.tables import Row

NAMED = 4  # optimizers in a sentence; of more their number is told


def sentences_of(found: Findings) -> Iterator[str]:
    """What was found on one benchmark, a sentence at a time."""
    about, first = found.table.about, found.first.optimizer
    decimals = decimals_of(about)
    rivals = [pair for pair in found.pairs if pair.first == first]
    counts = " to ".join(f"{count:,}" for count in dict.fromkeys((found.table.seeds[0], found.table.seeds[-1])))
    yield from _solved(found)
    if found.budget is None:
        time = times(_row(found).running_time or 0.0)
        yield f"`{first}` is first with an expected running time of {time} evaluations to the target ({counts} seeds)."
    else:
        regret = estimate(_row(found).regrets[found.table.budgets.index(found.budget)], decimals)
        unit = "" if regret.startswith("0 in") else f" {found.unit}"
        yield (
            f"After {after(found.budget, found.table.unit)} with {counts} seeds `{first}` is first: "
            f"regret {regret}{unit}."
        )
    if rivals:
        yield _next(found, rivals[0], decimals)
    yield from _others(rivals[1:])


def lead_of(found: Findings) -> str:
    """Who is first on a benchmark and with whom that place is shared, in a clause."""
    first = found.first.optimizer
    level = [pair.second for pair in found.pairs if pair.first == first and pair.verdict != "better"]
    if not level:
        return f"`{first}` leads alone" if len(found.cells) > 1 else f"`{first}` is alone"
    return f"`{first}` is first, not shown to be better than {_some(level)}"


def overall_sentences(overall: Overall, all_found: Sequence[Findings]) -> Iterator[str]:
    """What was found over all benchmarks."""
    alone: dict[str, list[str]] = {}
    shared: dict[str, list[str]] = {}
    for found in all_found:
        leads = all(pair.verdict == "better" for pair in found.pairs if pair.first == found.first.optimizer)
        (alone if leads else shared).setdefault(found.first.optimizer, []).append(found.benchmark)
    for first, benchmarks in alone.items():
        yield f"`{first}` leads alone on {_some(benchmarks)}."
    for first, benchmarks in shared.items():
        yield f"`{first}` is first, but not shown to be better than all others, on {_some(benchmarks)}."
    if len(overall.labels) > 1:
        value, low, high = overall.pooled[0][-1]
        yield (
            f"Over the {len(overall.benchmarks)} benchmarks together, at the whole budget, `{overall.labels[0]}` has the "
            f"lowest normalised regret (0 the best of a table, 1 its median): {value:.3f} [{low:.3f}, {high:.3f}]."
        )
        improvement = overall.improvement[0][1]
        if improvement is not None:
            yield (
                f"A run of it is better than one of the next, `{overall.labels[1]}`, with probability "
                f"{effect(improvement)}."
            )


def _row(found: Findings) -> Row:
    """The row of the first, of the answer that is compared."""
    rows = [row for row in found.table.rows if row.optimizer == found.first.optimizer]
    return rows[0 if found.answer == "incumbent" else -1]


def _solved(found: Findings) -> Iterator[str]:
    """At which budgets there is nothing left to compare, and what is compared instead."""
    solved = [budget for budget, is_solved in zip(found.table.budgets, found.table.solved, strict=True) if is_solved]
    if solved:
        instead = (
            "the time to the target is compared"
            if found.budget is None
            else f"it is compared at {after(found.budget, found.table.unit)}"
        )
        yield (
            f"Solved at {after(solved[0], found.table.unit)}: half of the seeds of two or more optimizers have the best "
            f"of the table there, so {instead}."
        )


def _next(found: Findings, pair: Pair, decimals: int) -> str:
    """How the first and the next differ."""
    first, second = f"`{pair.first}`", f"`{pair.second}`"
    if pair.effect is None:
        return f"{second} cannot be compared with it: {pair.reason}."
    chance = f"a run of {first} is the better one with probability {effect(pair.effect)}, p {p_value(pair.p)}"
    if pair.difference is None:
        return f"{_compared(pair, second)}: {chance}."
    behind = f"the difference is {gap(_opposite(pair.difference), decimals)} {found.unit}"
    said = f"{_compared(pair, second)}: {behind}; {chance}."
    if pair.verdict == "equivalent":
        low, high = -pair.difference.high90, -pair.difference.low90
        said += (
            f" The 90 % interval of the difference, {low:.{decimals}f} to {high:.{decimals}f}, lies within "
            f"±{found.margin:.{decimals}f}, {found.margin_is}."
        )
    elif pair.within_noise:
        said += (
            f" That is less than the table's own noise: repeated trainings of its best architectures scatter by "
            f"{found.trial_sd:.{decimals}f}."
        )
    return said


def _compared(pair: Pair, second: str) -> str:
    return {
        "better": f"The next, {second}, is worse",
        "worse": f"The next by its mean, {second}, is better run by run",
        "equivalent": f"The next, {second}, is equivalent",
        "not told apart": f"The next, {second}, is not told apart from it",
    }[pair.verdict]


def _opposite(of: Difference) -> Difference:
    return replace(of, value=-of.value, low=-of.high, high=-of.low)


def _others(pairs: Sequence[Pair]) -> Iterator[str]:
    """What is said of those behind the next."""
    by_verdict: dict[str, list[str]] = {}
    for pair in pairs:
        by_verdict.setdefault(pair.verdict, []).append(pair.second)
    for verdict, said in (
        ("better", "Also worse than the first"),
        ("equivalent", "Also equivalent to it"),
        ("not told apart", "Also not told apart from it"),
        ("worse", "Better run by run, though not by the mean"),
    ):
        if verdict in by_verdict:
            yield f"{said}: {_some(by_verdict[verdict])}."


def _some(names: Sequence[str]) -> str:
    """Names, the first few of many."""
    if len(names) <= NAMED:
        return listed(names)
    return f"{', '.join(f'`{name}`' for name in names[:NAMED])} and {len(names) - NAMED} more"
