"""Addresses of pages in the MLflow UI, from its root on: links in descriptions, and where ``nas-arena ui`` opens."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

VIEW = "nas-arena"  # the key of the saved view that a study opens in
VIEW_TAG = f"mlflow.sharedViewState.{VIEW}"  # of an experiment; it is not documented, so it may be without effect
SUMMARIES = "tags.kind = 'summary'"
TRIALS = "tags.kind = 'trial'"


def study_page(experiment: str, *, saved_view: bool = True) -> str:
    """The runs of a study as rows beside their charts.

    Args:
        experiment: its id.
        saved_view: whether the experiment has our view; without it the same rows stand beside the UI's own charts.
    """
    if not saved_view:
        return runs_page(experiment, SUMMARIES, charts=True)
    return charts_page(experiment, VIEW)


def charts_page(experiment: str, key: str) -> str:
    """A saved view of charts; an address cannot tell which ones."""
    # a filter in the address would keep the UI from reading the view
    return f"{_runs(experiment)}?{_query(compareRunsMode='CHART', viewStateShareKey=key)}"


def table_key(benchmark: str) -> str:
    """The key of the saved view that is a benchmark's table.

    Args:
        benchmark: its label.
    """
    return f"{VIEW}-{re.sub(r'[^A-Za-z0-9_.-]', '_', benchmark)}"


def table_tag(benchmark: str) -> str:
    """The tag of an experiment that holds that view."""
    return VIEW_TAG.removesuffix(VIEW) + table_key(benchmark)


def table_page(experiment: str, key: str) -> str:
    """A saved view that is a table; an address cannot tell its columns."""
    return f"{_runs(experiment)}?{_query(compareRunsMode='TABLE', viewStateShareKey=key)}"


def runs_page(experiment: str, where: str, *, charts: bool = False) -> str:
    """The runs that a filter selects, the newest first.

    Args:
        experiment: its id.
        where: a filter in MLflow's language.
        charts: whether they are shown as charts, else as a table.
    """
    return f"{_runs(experiment)}?{_query(compareRunsMode='CHART' if charts else 'TABLE', searchFilter=where)}"


def run_page(experiment: str, run: str, tab: str = "") -> str:
    """A run: its overview, or a tab such as "artifacts" or "artifacts/report.html"."""
    return f"{_runs(experiment)}/{quote(run)}{f'/{quote(tab)}' if tab else ''}?{_query()}"


def artifact(run: str, path: str) -> str:
    """The file itself, for an image in a description."""
    return f"get-artifact?{urlencode({'path': path, 'run_uuid': run}, quote_via=quote)}"


def _runs(experiment: str) -> str:
    return f"#/experiments/{quote(experiment)}/runs"


def _query(**parameters: str) -> str:
    # without the last one a newcomer sees the pages for language models, on which a study has nothing
    return urlencode({**parameters, "workflowType": "machine_learning"}, quote_via=quote)
