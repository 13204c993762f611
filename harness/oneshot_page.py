"""What the page of a one-shot study shows, also while it is at work: its description, and views of its runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from harness.oneshot_metrics import epoch_metrics, epochs_of, figures_of
from harness.pages import SUMMARIES, TRIALS, VIEW_TAG, charts_page, run_page, table_key, table_page, table_tag
from harness.saved_views import charts_view, rows_on, saved, table_view
from harness.study_runs import REPORT, StudyRuns
from results.oneshot_comparison import oneshot_rows
from results.oneshot_record import place_of
from results.oneshot_words import verdict

TRIAL_VIEW = "trials"
MOST_ROWS = 12  # of the table in a description
COLUMNS = {
    "final/test_accuracy": "test accuracy, trained from scratch",
    "final/true_reported": "table",
    "final/tau": "tau",
    "final/convolutions": "convolutions",
    "final/skip_connections": "skip connections",
}
FURTHER = ("final/test_accuracy_sd", "final/tau_error", "final/shared_accuracy", "final/search_seconds")

# of charts; what a study has no curve of is left out
TRUE, SHARED = ("true/reported", "true/searched"), ("shared/accuracy", "loss/train", "loss/valid")
RECOMMENDED, STATE = ("recommended/convolutions", "recommended/skip_connections"), ("state/step_size", "state/entropy")
SECTIONS = {
    "The recommendation in the table, over epochs": TRUE,
    "Accuracy with shared weights, and losses, over epochs": SHARED,
    "Operations of the recommendation, over epochs": RECOMMENDED,
    "State of the optimizers, over epochs": STATE,
}
FOLDED = ("final", "retrained", "shared", "true", "loss", "recommended", "state", "time", "memory")


class OneShotPage:
    """The page of a one-shot study.

    Args:
        runs: of the study, of which nothing need be finished.
    """

    def __init__(self, runs: StudyRuns) -> None:
        self._runs, self._cells = runs, list(runs.oneshot_cells())
        self._places = list(dict.fromkeys(place_of(cell.about) for cell in self._cells))

    def description(self, experiment: str, report: str) -> str:
        """What was found. The page shows the first line alone until it is unfolded.

        Args:
            experiment: its id.
            report: the id of the run with the report, "" where there is none yet.
        """
        tab = f"artifacts/{REPORT}" if self._runs.page else "artifacts"
        first = f"[report]({run_page(experiment, report, tab)})" if report else "no report yet"
        trials = f"[seed by seed]({charts_page(experiment, table_key(TRIAL_VIEW))})"
        tables = [f"[{place}]({table_page(experiment, table_key(place))})" for place in self._places]
        paragraphs = [
            " · ".join(filter(None, [first, trials, self._headline()])),
            *(f"{self._table(place)}\n\n{' '.join(self._verdict(place))}" for place in self._places),
            "Means over seeds; the report has their spread. The table's accuracy is that of its own training."
            if self._cells
            else "",
            self._runs.description,
            f"Tables: {' · '.join(tables)}" if tables else "",
        ]
        return "\n\n".join(filter(None, paragraphs))

    def views(self, now_ms: int) -> dict[str, str]:
        """Saved views of the runs, as tags of the experiment: curves of cells and of seeds, a table of each place."""
        sections = [(title, list(metrics)) for title, metrics in self._sections()]
        trials = saved("Curves seed by seed", charts_view(TRIALS, sections, FOLDED, "linear"), now_ms - 1)
        tags = {VIEW_TAG: trials, table_tag(TRIAL_VIEW): trials}
        if self._cells:
            tags[VIEW_TAG] = saved("Curves", charts_view(SUMMARIES, sections, FOLDED, "linear"), now_ms)
        for number, place in enumerate(self._places, 2):
            view = table_view(rows_on(place), [*self._columns(place), *FURTHER], smallest_first=False)
            tags[table_tag(place)] = saved(f"Table of {place}", view, now_ms - number)
        return tags

    def _sections(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Title and metrics of the charts that have a curve; all while nothing is on record."""
        there = {
            metric
            for cell in self._cells
            for run in cell.runs[:1]
            for epoch in epochs_of(run)
            for metric, value in epoch_metrics(cell.about, epoch)
            if np.isfinite(value)
        }
        for title, metrics in SECTIONS.items():
            shown = tuple(metric for metric in metrics if metric in there or not there)
            if shown:
                yield title, shown

    def _headline(self) -> str:
        """How good what was found is once it is trained, cell by cell."""
        figures = [(cell.label, figures_of(cell).get("final/test_accuracy")) for cell in self._cells]
        told = [f"**{label}** {np.mean(values):.2f}" for label, values in figures if values]
        return f"Test accuracy in percent: {', '.join(told[:MOST_ROWS])}" if told and len(self._places) == 1 else ""

    def _verdict(self, place: str) -> Iterator[str]:
        """What was found minus random architectures, in sentences."""
        return verdict(oneshot_rows([cell for cell in self._cells if place_of(cell.about) == place]), "**{}**".format)

    def _columns(self, place: str) -> dict[str, str]:
        """Metric and heading of what any of the cells of a place has."""
        there = {metric for cell in self._cells if place_of(cell.about) == place for metric in figures_of(cell)}
        return {metric: heading for metric, heading in COLUMNS.items() if metric in there}

    def _table(self, place: str) -> str:
        columns = self._columns(place)
        rows = [["", "seeds", *columns.values(), "BatchNorm"], ["---"] * (len(columns) + 3)]
        for cell in [cell for cell in self._cells if place_of(cell.about) == place][:MOST_ROWS]:
            figures, loop = figures_of(cell), cell.about["loop"]
            numbers = [f"{np.mean(figures[metric]):.2f}" if metric in figures else "" for metric in columns]
            rows.append([cell.label, str(len(cell.runs)), *numbers, loop["batchnorm"] if loop else ""])
        lines = "\n".join(f"| {' | '.join(cells)} |" for cells in rows)
        return f"**{place}**\n\n{lines}"
