"""The section of a report on all benchmarks together."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import numpy as np

from results.comparison_figures import improvement_matrix, profile, rank_diagram
from results.look import Look, Style, in_colour, with_pale
from results.report.document import Block, Column, Note, Paragraph, Picture, Pictures, Section, Table
from results.report.overall import Overall
from results.report.summary import POOLED_DECIMALS
from results.report.words import after, effect, estimate, listed, p_value
from results.statistics import performance_profile

THRESHOLDS = 120  # of a performance profile
LOWEST = 1e-4  # normalised regret that is still drawn apart from 0


def overall_section(found: Overall, look: Look, styles: Mapping[str, Style]) -> Section:
    """Pooled regret, performance profile, probabilities of improvement and ranks."""
    blocks: list[Block] = []
    if found.elsewhere:
        blocks.append(Note(f"Only optimizers that ran on all benchmarks are here; not so {listed(found.elsewhere)}."))
    blocks += [_pooled(found), _pictures(found, look, styles), *_ranks(found, look)]
    return Section(f"All {len(found.benchmarks)} benchmarks together", tuple(blocks), "together")


def _pooled(found: Overall) -> Table:
    import pandas as pd

    columns = [Column("optimizer", tuple(f"`{label}`" for label in found.labels))]
    frame: dict[str, list[object]] = {"optimizer": [*found.labels]}
    for place, budget in enumerate(found.budgets):
        estimates = [row[place] for row in found.pooled]
        texts = tuple(estimate(of, POOLED_DECIMALS) for of in estimates)
        keys = tuple(of.rank for of in estimates)
        columns.append(Column(f"normalised regret after {after(budget, found.unit)}", texts, keys, numeric=True))
        for name in ("value", "low", "high", "at_best", "runs"):
            frame[f"normalised_regret_at_{budget}_{name}"] = [getattr(of, name) for of in estimates]
    against = [row[0] for row in found.improvement]
    texts = ("-", *("-" if one is None else effect(one) for one in against[1:]))
    keys = (math.nan, *(math.nan if one is None else one.value for one in against[1:]))
    columns.append(Column("probability that it is better than the first", texts, keys, numeric=True))
    frame["probability_better_than_first"] = [*keys]
    ranks = found.ranks.mean.tolist()
    columns.append(Column("mean rank", tuple(f"{rank:.2f}" for rank in ranks), tuple(ranks), numeric=True))
    frame["mean_rank"] = ranks
    notes = (
        "Normalised regret: over the regret of the table's median architecture, so that 0 is the best and 1 a random "
        "pick; the interquartile mean over all runs of all benchmarks with its 95 % interval, resampled within each "
        f"benchmark. The probability is the mean of the benchmarks', after {after(found.budget, found.unit)}, as are "
        "the ranks: by interquartile mean, averaged over the data sets of a family, then over families.",
    )
    return Table("together", "Normalised regret over all benchmarks", tuple(columns), pd.DataFrame(frame), notes)


def _pictures(found: Overall, look: Look, styles: Mapping[str, Style]) -> Pictures:
    highest = max(float(scores.max()) for tasks in found.scores.values() for scores in tasks)
    thresholds = np.concatenate([[0.0], np.geomspace(LOWEST, max(highest, 2 * LOWEST), THRESHOLDS)])
    shares = {label: (thresholds, *performance_profile(tasks, thresholds)) for label, tasks in found.scores.items()}
    answer = "best seen" if found.answer == "incumbent" else "recommendation"
    of = f"the {answer} on {len(found.benchmarks)} benchmarks after {after(found.budget, found.unit)}"
    shown = [Picture(profile(shares, of, look, with_pale(styles, in_colour(found.labels))))]
    if len(found.labels) > 1:
        values = np.array([[np.nan if one is None else one.value for one in row] for row in found.improvement])
        shown.append(Picture(improvement_matrix(found.labels, values, of, look), wide=len(found.labels) > 8))
    return Pictures(tuple(shown))


def _ranks(found: Overall, look: Look) -> Iterator[Block]:
    ranks = found.ranks
    if ranks.critical is None:
        yield Paragraph(f"No critical-difference diagram: {ranks.reason}.")
        return
    of = f"{len(ranks.families)} benchmark families"
    yield Paragraph(
        f"Friedman's test over {len(ranks.families)} families: p {p_value(ranks.p)}; "
        f"mean ranks that differ by less than {ranks.critical:.2f} (Nemenyi, 5 %) are not told apart."
    )
    diagram = rank_diagram(found.labels, ranks.mean, ranks.critical, ranks.groups, of, look)
    yield Pictures((Picture(diagram, wide=True),))
