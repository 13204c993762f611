"""Writes the leaderboard of NAS-Bench-201 from the folders of its two studies: ``python -m results.leaderboard``."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from results.files import RecordError
from results.published import published
from results.record import BEST_SEEN, CellRecord, read_study
from results.tables import reported_number

STUDY, TUNING = "nasbench201_leaderboard", "nasbench201_leaderboard_tuning"
DATASETS = ("cifar10", "cifar100", "imagenet16-120")
COMMAND = f"""\
nas-arena run {TUNING}
nas-arena run {STUDY}
python -m results.leaderboard arena > docs/leaderboard.md"""


def page(cells: Sequence[CellRecord], tuning: Sequence[CellRecord]) -> str:
    """The page in Markdown.

    Args:
        cells: of the leaderboard: searched on CIFAR-10, reported on all data sets.
        tuning: of the tuning study: several settings of every optimizer on CIFAR-100.
    """
    return "\n".join([*_introduction(cells), *_ours(cells, tuning), *_tuned(tuning), *_published(), ""])


def chosen(tuning: Sequence[CellRecord]) -> dict[str, CellRecord]:
    """Of every optimizer the cell with the lowest mean regret of the best seen at the end of the budget."""
    best: dict[str, CellRecord] = {}
    for cell in tuning:
        name = cell.about["optimizer"]["name"]
        if name not in best or _regret(cell) < _regret(best[name]):
            best[name] = cell
    return best


def _introduction(cells: Sequence[CellRecord]) -> Iterator[str]:
    seeds = max(len(cell.seeds) for cell in cells)
    yield "# Leaderboard: NAS-Bench-201 after 12,000 seconds"
    yield ""
    yield "This page is written by"
    yield f"\n```\n{COMMAND}\n```\n"
    yield (
        f"Search on CIFAR-10 by 12-epoch validation accuracy for 12,000 simulated seconds, {seeds} seeds where no "
        "other number stands; the cell that was found is reported by its test accuracy after 200 epochs, mean ± "
        "standard deviation over seeds, also on the data sets that the search did not see. *Best seen* is the best "
        "architecture that a search evaluated, *mode* what the optimizer itself recommends, below it. Optimizers are "
        "ordered by the search regret of their best seen, the mean ± its standard error; a difference of less than "
        "about three of these is not shown by so many seeds. All of it is about one small space and a hundred or two "
        "evaluations."
    )
    yield ""
    yield _leaders(cells)
    yield ""


def _leaders(cells: Sequence[CellRecord]) -> str:
    """Who is first, and whom that does not tell from it."""
    best, *others = sorted(cells, key=_regret)

    def apart(cell: CellRecord) -> bool:
        return _regret(cell) - _regret(best) > 2 * math.hypot(_error(cell), _error(best))

    level = [cell.optimizer for cell in others if not apart(cell)]
    beside = f"; not told apart from it: {', '.join(f'`{name}`' for name in level)}" if level else ""
    return f"First is `{best.optimizer}`{beside}."


def _ours(cells: Sequence[CellRecord], tuning: Sequence[CellRecord]) -> Iterator[str]:
    labels = {cell.optimizer for cell in chosen(tuning).values()}
    yield "| optimizer | | answer | search regret | CIFAR-10 | CIFAR-100 | ImageNet16-120 | seeds |"
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for cell in sorted(cells, key=_regret):
        defaults = cell.about["optimizer"]["settings"] == cell.about["optimizer"]["defaults"]
        kinds = " and ".join(["defaults"] * defaults + ["tuned"] * (cell.optimizer in labels)) or "as set"
        for answer, column in _answers(cell).items():
            numbers = " | ".join(_plus_minus(values) for values in _accuracies(cell, column))
            regret = f"{_regret(cell, column):.2f} ± {_error(cell, column):.2f}"
            yield f"| {cell.optimizer} | {kinds} | {answer} | {regret} | {numbers} | {len(cell.seeds)} |"
    best = [cells[0].about["benchmark"], *cells[0].about["report"].values()]
    numbers = " | ".join(f"{100 - about['landmarks']['best_final_loss']:.2f}" for about in best)
    yield f"| *best by validation there* | | | 0 | {numbers} | |"
    yield ""


def _tuned(tuning: Sequence[CellRecord]) -> Iterator[str]:
    yield "## Tuning"
    yield ""
    yield (
        "Each optimizer was tuned over 16 settings, or all that it has, on CIFAR-100 under the same protocol, by the "
        "mean regret of the best seen. The best of several noisy means looks better than it is; what counts is its "
        "confirmation on CIFAR-10 above."
    )
    yield ""
    yield "| optimizer | settings | seeds | best | regret there | regret of the defaults |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for name, best in sorted(chosen(tuning).items()):
        tried = [cell for cell in tuning if cell.about["optimizer"]["name"] == name]
        plain = [cell for cell in tried if cell.optimizer == name]
        default = f"{_regret(plain[0]):.2f}" if plain else "not tried"
        yield f"| {name} | {len(tried)} | {len(best.seeds)} | {best.optimizer} | {_regret(best):.2f} | {default} |"
    yield ""


def _published() -> Iterator[str]:
    yield "## Published numbers"
    yield ""
    yield "Only those whose digits were confirmed in a text that quotes them; the paper's other rows are left out."
    yield ""
    yield "| method | protocol | CIFAR-10 | CIFAR-100 | ImageNet16-120 | source |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for row in published("nasbench201"):
        if row["checked"]:
            numbers = " | ".join(f"{row[dataset][0]:.2f} ± {row[dataset][1]:.2f}" for dataset in DATASETS)
            yield f"| {row['method']} | {row['protocol']} | {numbers} | {row['source']} |"


def _accuracies(cell: CellRecord, column: str) -> Iterator[np.ndarray[Any, Any]]:
    yield reported_number(cell.about["benchmark"], cell.columns[f"{column}_final"][:, -1])
    for name, about in cell.about["report"].items():
        yield reported_number(about, cell.columns[f"{column}_final.{name}"][:, -1])


def _answers(cell: CellRecord) -> dict[str, str]:
    return {BEST_SEEN: "incumbent"} | ({} if cell.recommends_incumbent else {cell.answer: "recommended"})


def _regret(cell: CellRecord, column: str = "incumbent") -> float:
    return float(cell.columns[f"{column}_regret"][:, -1].mean())


def _error(cell: CellRecord, column: str = "incumbent") -> float:
    """The standard error of the mean regret."""
    return float(cell.columns[f"{column}_regret"][:, -1].std(ddof=1) / math.sqrt(len(cell.seeds)))


def _plus_minus(values: np.ndarray[Any, Any]) -> str:
    return f"{values.mean():.2f} ± {values.std(ddof=1):.2f}"


def main(arguments: Sequence[str]) -> str:
    """The page from an arena folder, or one line that tells what is wrong."""
    if len(arguments) != 1:
        return "give the arena folder in which both studies were run: python -m results.leaderboard arena"
    try:
        cells, tuning = (read_study(Path(arguments[0]) / name) for name in (STUDY, TUNING))
    except RecordError as error:
        return f"{error}: {COMMAND}"
    missing = {cell.optimizer for cell in chosen(tuning).values()} - {cell.optimizer for cell in cells}
    if missing:
        return f"the tuning chose {', '.join(sorted(missing))}, which the study {STUDY} does not name; name it there"
    print(page(cells, tuning), end="")
    return ""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]) or 0)
