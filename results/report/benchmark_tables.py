"""The tables of a report on one benchmark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

from results.drawing import stem
from results.report.document import Column, Table
from results.report.findings import Findings, Pair, running_time
from results.report.words import after, decimals_of, effect, estimate, gap, p_value, plus_minus, times
from results.statistics import RELIABLE_FROM
from results.tables import BenchmarkTable, Row, evaluations_to_target, reported_heading


def regret_table(table: BenchmarkTable) -> Table:
    """Every answer's regret at the reported budgets, what is reported of it, and the time to the target."""
    import pandas as pd

    decimals = decimals_of(table.about)
    rows = table.rows
    heading = " ".join(reported_heading(table.about))
    columns = [
        Column("optimizer", tuple(f"`{row.optimizer}`" for row in rows)),
        Column("answer", tuple(row.answer for row in rows)),
    ]
    frame: dict[str, list[Any]] = {
        "optimizer": [row.optimizer for row in rows],
        "answer": [row.answer for row in rows],
    }
    for place, (budget, solved) in enumerate(zip(table.budgets, table.solved, strict=True)):
        regrets = [row.regrets[place] for row in rows]
        columns.append(
            Column(
                f"regret after {after(budget, table.unit)}{' (solved)' if solved else ''}",
                tuple(estimate(regret, decimals) for regret in regrets),
                tuple(regret.rank for regret in regrets),
                numeric=True,
            )
        )
        for name in ("value", "low", "high", "at_best", "runs"):
            frame[f"regret_at_{budget}_{name}"] = [getattr(regret, name) for regret in regrets]
    reports = [(heading, [row.reported for row in rows], decimals)]
    for place, (name, about) in enumerate(table.reports.items()):
        numbers = [row.reports[place] for row in rows]
        reports.append((f"{name}, {' '.join(reported_heading(about))}", numbers, decimals_of(about)))
    for named, spreads, digits in reports:
        texts = tuple(plus_minus(*spread, digits) for spread in spreads)
        columns.append(Column(named, texts, tuple(mean for mean, _ in spreads), numeric=True))
        frame[f"{named} mean"] = [mean for mean, _ in spreads]
        frame[f"{named} sd"] = [deviation for _, deviation in spreads]
    for named, attribute in (("median evaluations to target", "target"), ("expected running time", "running_time")):
        values = [getattr(row, attribute) for row in rows]
        texts = tuple("" if value is None else _reached(row, value) for row, value in zip(rows, values, strict=True))
        keys = tuple(math.nan if value is None else value for value in values)
        columns.append(Column(named, texts, keys, numeric=True))
        frame[named] = values
    notes = tuple(_notes(table))
    return Table(stem(table.label, "regret"), f"Regret on `{table.label}`", tuple(columns), pd.DataFrame(frame), notes)


def pair_table(found: Findings, pairs: Sequence[Pair], name: str, title: str, notes: tuple[str, ...] = ()) -> Table:
    """Pairs of optimizers: the effect first, its p last. Whom all are against is said in the title alone."""
    import pandas as pd

    decimals = decimals_of(found.table.about)
    columns = [
        Column("optimizer", tuple(f"`{pair.first}`" for pair in pairs)),
        Column("probability that it is better", tuple(_effect(pair) for pair in pairs), numeric=True),
    ]
    if len({pair.second for pair in pairs}) > 1:
        columns.insert(1, Column("against", tuple(f"`{pair.second}`" for pair in pairs)))
    if found.budget is not None:
        texts = tuple("" if pair.difference is None else gap(pair.difference, decimals) for pair in pairs)
        keys = tuple(math.nan if pair.difference is None else pair.difference.value for pair in pairs)
        columns.append(Column("difference of regrets", texts, keys, numeric=True))
    columns += [
        Column("verdict", tuple(_verdict(pair) for pair in pairs)),
        Column("p", tuple(p_value(pair.p) for pair in pairs), tuple(pair.p for pair in pairs), numeric=True),
    ]
    return Table(name, title, tuple(columns), pd.DataFrame([_plain(pair) for pair in pairs]), notes)


def pair_notes(found: Findings) -> tuple[str, ...]:
    """What the columns of pairs mean."""
    compared = (
        "evaluations to the target"
        if found.budget is None
        else f"regrets after {after(found.budget, found.table.unit)}"
    )
    decimals = decimals_of(found.table.about)
    sd = found.trial_sd
    noise = "" if sd is None else f" Within noise: closer than repeated trainings scatter, {sd:.{decimals}f}."
    return (
        f"Of {compared}. The probability that a run of the one is better than a run of the other (A12, a tie counts "
        "half) with its 95 % interval; the difference of the interquartile means, below 0 where the first is better, "
        "with its 95 % bootstrap interval, paired by seed between settings of one optimizer; p of a Mann-Whitney test, "
        "corrected after Holm for all pairs on this benchmark.",
        "Better or worse: p below 0.05. Equivalent: p above it, and the 90 % interval of the difference within "
        f"±{found.margin:.{decimals}f}, {found.margin_is}.{noise}",
    )


def target_table(found: Findings) -> Table:
    """The expected running time to each of the rank targets."""
    import pandas as pd

    targets = found.table.about["landmarks"]["targets"]
    columns = [Column("optimizer", tuple(f"`{cell.optimizer}`" for cell in found.cells))]
    frame: dict[str, list[object]] = {"optimizer": [cell.optimizer for cell in found.cells]}
    for name, regret in targets.items():
        expected = [running_time(cell, regret) for cell in found.cells]
        shares = [float((evaluations_to_target(cell, regret) < math.inf).mean()) for cell in found.cells]
        texts = tuple(f"{times(time)} ({share:.0%})" for time, share in zip(expected, shares, strict=True))
        columns.append(Column("the best" if name == "best" else f"best {name}", texts, tuple(expected), numeric=True))
        frame |= {f"{name} expected_running_time": [*expected], f"{name} success": [*shares]}
    return Table(
        stem(found.benchmark, "targets"),
        f"Expected running time to rank targets on `{found.benchmark}`, in evaluations",
        tuple(columns),
        pd.DataFrame(frame),
        (
            "All evaluations that the seeds spent until their best seen was among so large a share of the table, or "
            "their budget ended, over how many came there (the share of them in brackets).",
        ),
    )


def _reached(row: Row, value: float) -> str:
    share = f" ({row.success:.0%})" if row.success is not None else ""
    return f"{times(value)}{share}"


def _effect(pair: Pair) -> str:
    return "-" if pair.effect is None else effect(pair.effect)


def _verdict(pair: Pair) -> str:
    if pair.reason:
        return pair.reason
    return pair.verdict + (", within noise" if pair.within_noise else "")


def _plain(pair: Pair) -> dict[str, object]:
    of_effect = {f"a12_{name}": getattr(pair.effect, name, None) for name in ("value", "low", "high")}
    of_gap = {
        f"difference_{name}": getattr(pair.difference, name, None)
        for name in ("value", "low", "high", "low90", "high90", "paired")
    }
    names = {"first": pair.first, "second": pair.second}
    return names | of_effect | of_gap | {"p_holm": pair.p, "verdict": pair.verdict, "within_noise": pair.within_noise}


def _notes(table: BenchmarkTable) -> Iterator[str]:
    about = table.about
    landmarks, wording = about["landmarks"], about["wording"]
    decimals = decimals_of(about)
    ratio = " (log10 of the loss over the best)" if wording["scale"] == "log10" else ""
    estimates = [regret for row in table.rows for regret in row.regrets]
    yield (
        f"Searched: {wording['searched']}. Reported: {wording['reported']}, mean ± standard deviation over seeds; the "
        f"architecture that is best by what the search sees has {table.best_by_validation:.{decimals}f}; no honest "
        "search can be expected to beat it."
    )
    yield (
        f"Regret: below the best of the table in {wording['regret_unit']}{ratio}, interquartile mean with its 95 % "
        "bootstrap interval."
    )
    if any(of.mostly_at_best for of in estimates):
        yield (
            "`0 in 98% [95, 99]`: where more than half of the seeds have no regret left, their share with its 95 % "
            "Wilson interval stands in place of a mean."
        )
    if any(of.too_short for of in estimates):
        yield f"† Fewer than {RELIABLE_FROM} seeds: such an interval is too short."
    yield (
        f"Target: best seen among the best {landmarks['target_count']} of {about['table_size']:,}. Its median is over "
        "all seeds; the expected running time is all that they spent over how many came there."
    )
    if landmarks["infeasible"]:
        answers = [f"{row.infeasible} of `{row.optimizer}` ({row.answer})" for row in table.rows if row.infeasible]
        yield (
            f"{landmarks['infeasible']:,} architectures have no record and count as the table's worst; final answers "
            f"that are such: {', '.join(answers) or 'none'}."
        )
    if landmarks["same_as_searched"]:
        yield "The reported number is the searched one itself."
    if wording["remark"]:
        yield f"{wording['remark']}."
