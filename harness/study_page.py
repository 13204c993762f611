"""What the page of a study shows before anything is opened: its description, and views of its runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

import numpy as np

from harness.pages import VIEW_TAG, run_page, table_key, table_page, table_tag
from harness.runs import at_budget, final, reported_of
from harness.saved_views import curves_view, rows_on, saved, table_view
from harness.study_runs import REPORT, StudyRuns
from results.curves import Curve, curves, in_digits
from results.record import CellRecord
from results.report.render import blocks_as_markdown
from results.report.summary_section import find, summary_section
from results.report.words import after, decimals_of, times
from results.statistics import interquartile_mean, mean_interval
from results.tables import Ranking, evaluations_to_target, rank
from results.toy_table import toy_rows, verdict

MOST_CHARACTERS = 5_000  # of a description; the database of an older server holds no more
HEADLINE = 4  # optimizers that it names
MOST_IN_WORDS = 10  # cells on a benchmark
TOY_COLUMNS = ("iterations/median", "iterations/median_low", "iterations/median_high", "final/success")


class StudyPage:
    """The page of a study.

    Args:
        runs: of the study, of which something is finished.
    """

    def __init__(self, runs: StudyRuns) -> None:
        self._runs, self._study = runs, runs.study
        groups: dict[str, list[CellRecord]] = {}
        for cell in self._study.cells:
            groups.setdefault(cell.benchmark, []).append(cell)
        self._rankings = {label: rank(cells) for label, cells in groups.items()}

    def description(self, experiment: str, report: str) -> str:
        """What was found, in words. The page shows the first line alone until it is unfolded.

        Args:
            experiment: its id.
            report: the id of the run with the report.
        """
        tab = f"artifacts/{REPORT}" if self._runs.page else "artifacts"
        first = [f"[report]({run_page(experiment, report, tab)})", self._headline()]
        paragraphs = [" · ".join(filter(None, first)), *self._in_words(), self._runs.description]
        tables = [f"[{label}]({table_page(experiment, table_key(label))})" for label in self._tables()]
        paragraphs += [f"Tables: {' · '.join(tables)}"]
        kept: list[str] = []
        for paragraph in filter(None, paragraphs):
            if sum(map(len, kept)) + len(paragraph) < MOST_CHARACTERS - 100:
                kept.append(paragraph)
        return "\n\n".join(kept)

    def views(self, now_ms: int) -> dict[str, str]:
        """Saved views of the runs, as tags of the experiment: the curves, and a table of each benchmark."""
        everything = "Curves of all benchmarks" if len(self._rankings) > 1 else "Curves"
        tags = {VIEW_TAG: saved(everything, curves_view(self._study), now_ms)}
        for place, (label, columns) in enumerate(self._tables().items(), 1):
            where = rows_on(label if self._rankings else "")
            tags[table_tag(label)] = saved(f"Table of {label}", table_view(where, columns), now_ms - place)
        return tags

    def _headline(self) -> str:
        if self._study.trials:
            fastest = min(toy_rows(self._study.trials), key=lambda row: row.median)
            iterations = f"its median trial succeeds after {times(fastest.median)} iterations"
            return f"**{fastest.record.about['name']}** is the fastest: {iterations}" if fastest.successes else ""
        if self._study.sweep:
            return _of_curves(curves(self._study.cells, self._study.sweep))
        return _of_rankings(self._rankings)

    def _in_words(self) -> list[str]:
        """What the report says, where that is soon found out: a pair of cells takes 30 ms."""
        if self._study.trials:
            return list(verdict(toy_rows(self._study.trials)))
        if max((len(of.cells) for of in self._rankings.values()), default=0) > MOST_IN_WORDS:
            return []
        found = find([self._study])
        return list(blocks_as_markdown(summary_section([self._study], found).blocks)) if found.best_seen else []

    def _tables(self) -> dict[str, list[str]]:
        """The metrics of every table by what it is of; the first one ranks it."""
        if self._study.trials:
            steps = [f"step_size/{end}" for end in ("lowest", "highest")]
            return {"all rows": [*TOY_COLUMNS, *steps]}
        return {label: list(self._columns(ranking)) for label, ranking in self._rankings.items()}

    def _columns(self, ranking: Ranking) -> Iterator[str]:
        if self._study.sweep:
            recommending = any(not cell.recommends_incumbent for cell in ranking.cells)
            for answer in ("recommended", "best_seen") if recommending else ("best_seen",):
                for name in ("best_regret", f"best_{self._study.sweep}"):
                    yield at_budget(ranking.budgets[-1], answer, name)
            return
        to_target = "final/evaluations_to_target"
        first = at_budget(ranking.ranked_at, "best_seen", "regret") if ranking.ranked_at else to_target
        yield first
        for budget, solved in zip(ranking.budgets, ranking.solved, strict=True):
            regret = at_budget(budget, "best_seen", "regret")
            if regret != first:
                yield regret
            if solved:
                yield at_budget(budget, "best_seen", "share_at_best")
        yield final("best_seen", reported_of(ranking.cells[0]))
        if first != to_target:
            yield to_target


def _of_rankings(rankings: Mapping[str, Ranking]) -> str:
    """Who is first on how many benchmarks; on a single one how far and how fast."""
    if len(rankings) > 1:
        counts = Counter(ranking.cells[0].optimizer for ranking in rankings.values())
        return f"First of {len(rankings)} benchmarks: {_counted(counts)}"
    ((label, ranking),) = rankings.items()
    best, at = ranking.cells[0], ranking.ranked_at or ranking.budgets[-1]
    regret = float(interquartile_mean(best.at(at, "incumbent_regret")))
    to_target = float(np.percentile(evaluations_to_target(best), 50, method="higher"))
    return (
        f"**{best.optimizer}** is first on {label}: regret {regret:.{decimals_of(best.about['benchmark'])}f} after "
        f"{after(at, best.about['budget']['unit'])}, at the target after {times(to_target)} evaluations"
    )


def _of_curves(found: list[Curve]) -> str:
    """Whose curve goes lowest on how many benchmarks; on a single one where and how low."""
    lowest: dict[str, tuple[float, float, Curve]] = {}
    for curve in found:
        budget = curve.cells[0].about["report_at"][-1]
        mean, _ = mean_interval(curve.regrets(budget, curve.answers[0]))
        if np.isfinite(mean).any():
            best = float(np.nanmin(mean)), float(curve.values[np.nanargmin(mean)]), curve
            lowest[curve.benchmark] = min(lowest.get(curve.benchmark, best), best, key=lambda one: one[0])
    if len(lowest) > 1:
        counts = Counter(curve.label for _, _, curve in lowest.values())
        return f"Lowest regret on {len(lowest)} benchmarks: {_counted(counts)}"
    return "".join(
        f"**{curve.label}** has the lowest regret, {regret:.{decimals_of(curve.cells[0].about['benchmark'])}f} at "
        f"{curve.sweep} {in_digits(value)}, by its {curve.named(curve.answers[0])} after "
        f"{after(curve.cells[0].about['report_at'][-1], curve.cells[0].about['budget']['unit'])}"
        for regret, value, curve in lowest.values()
    )


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"**{optimizer}** on {count}" for optimizer, count in counts.most_common(HEADLINE))
