"""What is said of a one-shot study: in sentences, and how its numbers are written."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from results.oneshot_comparison import MeanDifference, OneShotRow
from results.statistics import Floats
from results.tables import reported_heading


def preface(rows: Sequence[OneShotRow]) -> Iterator[str]:
    """On what was searched, in sentences."""
    about = rows[0].cell.about
    images, (channels, height, width) = about["images"], about["images"]["shape"]
    yield (
        f"{about['supernet']['label']} on {images['label']}: {images['train_images']:,} images to train with and "
        f"{images['test_images']:,} to test, {images['classes']} classes, {height} x {width} pixels, "
        f"{channels} channel{'s' * (channels > 1)}.{remark_in_words(images)}"
    )


def verdict(rows: Sequence[OneShotRow], named: Callable[[str], str] = str) -> Iterator[str]:
    """What was found less random architectures, in sentences, whichever way it goes: the conclusion, then each.

    Args:
        rows: of one table.
        named: marks the labels of cells.
    """
    compared = [(row, row.against) for row in rows if row.against is not None]
    tested = [row for row, against in compared if against.has_interval]
    better, worse = ([named(row.label) for row in tested if row.better is way] for way in (True, False))
    several = f", Holm's correction for {len(tested)} comparisons included" if len(tested) > 1 else ""
    if tested and not better + worse:
        yield f"Nothing is told apart from random architectures at 95 %{several}."
    elif tested:
        said = [
            f"{way} than random architectures: {', '.join(who)}"
            for way, who in (("better", better), ("worse", worse))
            if who
        ]
        rest = len(tested) - len(better) - len(worse)
        also = f"; {rest} of {len(tested)} not told apart from them" if rest else ""
        text = "; ".join(said)
        yield f"{text[0].upper()}{text[1:]}{also} (at 95 %{several})."
    alone = [row for row, against in compared if row.better is None and (against.low > 0 or against.high < 0)]
    if alone:
        yield (
            f"Of {', '.join(named(row.label) for row in alone)} the interval leaves out 0 when taken alone, but not "
            "after that correction."
        )
    yield from (_compared(row, against, named) for row, against in compared)
    yield from _not_compared(rows, named)


def _compared(row: OneShotRow, against: MeanDifference, named: Callable[[str], str]) -> str:
    runs, random = against.runs
    what, plural = ("search", "es") if row.cell.is_search else ("training", "s")
    counts = f"{runs} {what}{'' if runs == 1 else plural} against {_architectures(random)}"
    value = f"{named(row.label)} minus random architectures: "
    if against.has_interval:
        return f"{value}{gap(against)} percentage points of test accuracy ({counts})."
    return (
        f"{value}{signed(against.value)} percentage points of test accuracy, without an interval, since "
        f"{against.reason} ({counts})."
    )


def _not_compared(rows: Sequence[OneShotRow], named: Callable[[str], str]) -> Iterator[str]:
    left = [row for row in rows if row.against is None and row.cell.is_search]
    untrained = [named(row.label) for row in left if np.isnan(row.retrained).all()]
    lonely = [named(row.label) for row in left if not np.isnan(row.retrained).all()]
    if untrained:
        yield f"Not trained from scratch, so not compared with random architectures: {', '.join(untrained)}."
    if lonely:
        yield (
            "No random architectures were trained in the same way, so nothing tells whether searching was worth it: "
            f"{', '.join(lonely)}."
        )


def notes(rows: Sequence[OneShotRow]) -> Iterator[str]:
    """What the columns on the outcome mean."""
    random = next((row for row in rows if row.is_random), None)
    if random is not None:
        epochs = random.cell.about["retraining"]["epochs"]
        each = max(len(run.result["retrained"]) for run in random.cell.runs)
        yield (
            f"Random: {_architectures(len(random.cell.runs))}, drawn uniformly from those with a path from input to "
            f"output, trained from scratch as what was found was ({epochs} epoch{'s' * (epochs > 1)}, "
            f"{each} training{'s' * (each > 1)} each)."
        )
    if any(row.against is not None and row.against.has_interval for row in rows):
        yield (
            "Minus random: difference of mean test accuracies with Welch's 95 % interval, each by itself. A search "
            "counts once, with the mean over its trainings, and so does a random architecture; of a given architecture "
            "each training counts. All are compared with the same random architectures. Intervals of two searches are "
            "rough: they cover as little as 88 %."
        )
    table = rows[0].cell.about["table"]
    if table is not None:
        yield (
            f"Table: {table['wording']['reported']} of {table['label']}; its median architecture has "
            f"{table['median_reported']:.2f}, the best by what is searched {table['best_reported']:.2f}."
            + ("" if table["same_images"] else " These are other images than were searched on: a proxy at best.")
        )
    given = any(not row.cell.is_search and not row.is_random for row in rows)
    trainings = ", of a given architecture over its trainings" if given else ""
    yield f"± is the standard deviation over searches or architectures{trainings}, not an error of the mean."


def shared_notes(rows: Sequence[OneShotRow]) -> Iterator[str]:
    """What the columns on shared weights mean."""
    results = [run.result for row in rows if row.cell.is_search for run in row.cell.runs]
    images = sorted({result["shared_images"] for result in results if "shared_images" in result})
    if images:
        yield (
            f"Shared: accuracy of what was found with the weights of the supernet, on {joined(images)} validation "
            "images, which the weights were not trained on but the search has seen."
        )
    rankings = [result["ranking"] for result in results if result.get("ranking")]
    if rankings:
        counts = (sorted({ranking[name] for ranking in rankings}) for name in ("architectures", "images"))
        many, judged = (joined(each) for each in counts)
        yield (
            f"Tau: Kendall's rank correlation of the table's number with the {rankings[0]['measure']}, of {many} "
            f"random architectures with a path from input to output, on {judged} images; ± its standard error, that of "
            "one search where there are several. Better half: among the better half of them by the table."
        )


def remark_in_words(images: Mapping[str, Any]) -> str:
    """What a reader must know of the images, as a sentence that follows others; "" for nothing."""
    remark = images["remark"]
    return f" {remark[0].upper()}{remark[1:]}." if remark else ""


def reported_of(table: dict[str, Any]) -> str:
    """What the table's number is called above a column: such as "test accuracy, nasbench201-cifar10 (other images)"."""
    return f"{' '.join(reported_heading(table))}, {table['label']}{'' if table['same_images'] else ' (other images)'}"


def spread(values: Floats, decimals: int = 2) -> str:
    """Mean ± standard deviation of the runs that have the number; a dash where none has."""
    values = known(values)
    if not len(values):
        return "-"
    deviation = f" ± {values.std(ddof=1):.{decimals}f}" if len(values) > 1 else ""
    return f"{values.mean():.{decimals}f}{deviation}"


def mean(values: Floats, decimals: int) -> str:
    """Of the runs that have the number; a dash where none has."""
    having = known(values)
    return f"{having.mean():,.{decimals}f}" if len(having) else "-"


def correlation(row: OneShotRow, name: str) -> str:
    """A rank correlation with its standard error, both means over seeds."""
    tau, error = (known(row.ranking(entry)) for entry in (name, f"{name}_error"))
    if not len(tau):
        return "-"
    return f"{tau.mean():.2f}" + (f" ± {error.mean():.2f}" if len(error) else "")


def gap(of: MeanDifference) -> str:
    """A difference with its 95 % interval, where there is one."""
    if math.isnan(of.value):
        return "-"
    return signed(of.value) + (f" [{signed(of.low)}, {signed(of.high)}]" if of.has_interval else " [-]")


def signed(value: float) -> str:
    """A difference in percentage points."""
    return f"{value:+.2f}"


def known(values: Floats) -> Floats:
    """Those that are not NaN."""
    return values[~np.isnan(values)]


def _architectures(count: int) -> str:
    return f"{count} random architecture{'' if count == 1 else 's'}"


def joined(values: Sequence[Any]) -> str:
    """Numbers or words, joined by commas."""
    return ", ".join(f"{value:,}" if isinstance(value, int) else str(value) for value in values)
