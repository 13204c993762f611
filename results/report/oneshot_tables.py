"""The tables of a report on a one-shot study."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from results.oneshot_comparison import OneShotRow, operations_of
from results.oneshot_record import OneShotCell
from results.oneshot_words import correlation, gap, known, mean, notes, reported_of, shared_notes, spread
from results.report.document import Column, Table
from results.report.gather import StudyFolder
from results.report.words import p_value
from results.statistics import Floats


def outcome_table(rows: Sequence[OneShotRow], name: str) -> Table:
    """What was found, how good it is, and how that compares with random architectures.

    Args:
        rows: of one supernet and set of images.
        name: of the table.
    """
    import pandas as pd

    cells, table = [row.cell for row in rows], rows[0].cell.about["table"]
    columns = [
        Column("cell", tuple(f"`{row.label}`" for row in rows)),
        Column("searches or architectures", tuple(str(len(row.cell.runs)) for row in rows), numeric=True),
    ]
    columns += [_numbers(f"`{one}`", [row.count(one) for row in rows], 1) for one in operations_of(cells)]
    columns.append(_numbers("parameters", [row.number("parameters") for row in rows], 0))
    if table is not None:
        columns.append(_spreads(reported_of(table), [row.reported for row in rows]))
    columns.append(_spreads("test accuracy, trained from scratch", [row.retrained for row in rows]))
    differences = [math.nan if row.against is None else row.against.value for row in rows]
    texts = tuple("-" if row.against is None else gap(row.against) for row in rows)
    columns.append(Column("minus random architectures [95 %]", texts, tuple(differences), numeric=True))
    p = tuple(row.p for row in rows)
    columns.append(Column("p", tuple("-" if math.isnan(one) else p_value(one) for one in p), p, numeric=True))
    frame = pd.DataFrame([_outcome(row, operations_of(cells)) for row in rows])
    corrected = "p: of Welch's test, corrected after Holm for all rows that have one."
    said = (*notes(rows), *([corrected] if not all(map(math.isnan, p)) else []))
    return Table(name, "What was found, and how good it is", tuple(columns), frame, said)


def shared_table(rows: Sequence[OneShotRow], name: str) -> Table:
    """What the shared weights said of architectures; the arguments are those of :func:`outcome_table`."""
    import pandas as pd

    loops = [row.cell.about["loop"] for row in rows]
    taus = {"tau": "tau", "tau, better half": "tau_better_half"}
    columns = (
        Column("supernet of", tuple(f"`{row.label}`" for row in rows)),
        _spreads("accuracy with shared weights", [row.number("shared_accuracy") for row in rows]),
        *(
            Column(
                heading,
                tuple(correlation(row, entry) for row in rows),
                tuple(_mean_or_nan(row.ranking(entry)) for row in rows),
                numeric=True,
            )
            for heading, entry in taus.items()
        ),
        Column("BatchNorm", tuple(str(loop["batchnorm"]) for loop in loops)),
        _numbers("epochs", [row.number("epochs") for row in rows], 0),
        _numbers("steps", [row.number("steps") for row in rows], 0),
    )
    frame = pd.DataFrame(
        {"cell": row.label, "seed": run.seed, "batchnorm": row.cell.about["loop"]["batchnorm"]}
        | {key: run.result.get(key) for key in ("chosen_by", "shared_accuracy", "shared_loss", "shared_images")}
        | {key: (run.result.get("ranking") or {}).get(key) for key in _RANKING}
        | {key: run.result.get(key) for key in ("epochs", "steps", "search_seconds")}
        for row in rows
        for run in row.cell.runs
    )
    return Table(name, "What the shared weights said", columns, frame, tuple(shared_notes(rows)))


_RANKING = ("architectures", "images", "tau", "tau_error", "tau_better_half", "tau_better_half_error", "measure")


def found_table(rows: Sequence[OneShotRow], name: str) -> Table:
    """Every architecture that was found or trained, a row a run."""
    import pandas as pd

    frame = pd.DataFrame(
        {"cell": row.label, "seed": run.seed, "architecture": run.result["string"], "rank": run.result["rank"]}
        | {"chosen_by": run.result.get("chosen_by", "")}
        | {"parameters": run.result["parameters"], "reported": reported, "test_accuracy": accuracy}
        for row in rows
        for run, reported, accuracy in zip(row.cell.runs, row.reported, row.retrained, strict=True)
    )
    numbers = {"number in the space": "rank", "parameters": "parameters"}
    accuracies = {"in the table": "reported", "trained from scratch": "test_accuracy"}
    columns = (
        Column("cell", tuple(f"`{label}`" for label in frame["cell"])),
        Column("seed", tuple(map(str, frame["seed"])), numeric=True),
        Column("architecture", tuple(frame["architecture"])),  # code in a cell is not broken into lines
        Column("chosen by", tuple(frame["chosen_by"])),
        *(
            Column(heading, tuple(f"{value:,}" for value in frame[key]), tuple(frame[key]), numeric=True)
            for heading, key in numbers.items()
        ),
        *(
            Column(heading, tuple(spread(np.array([value])) for value in frame[key]), tuple(frame[key]), numeric=True)
            for heading, key in accuracies.items()
        ),
    )
    return Table(name, "Architectures, run by run", columns, frame)


def settings_table(cells: Sequence[OneShotCell], name: str) -> Table:
    """All settings of every cell: optimizer, loop, training from scratch, supernet, images."""
    import pandas as pd

    rows = []
    for cell in cells:
        about = cell.about
        optimizer = about["optimizer"] or {"settings": {}, "defaults": {}, "citation": ""}
        rows.append(
            {
                "cell": cell.label,
                "optimizer": _told(optimizer["settings"]),
                "not default": ", ".join(
                    key for key, value in optimizer["settings"].items() if value != optimizer["defaults"].get(key)
                ),
                "search": _told(about["loop"] or {}),
                "training from scratch": _told(about["retraining"] or {}),
                "supernet": _told(about["supernet"]["options"]) or "defaults",
                "images": _told(about["images"]["options"]) or "defaults",
                "sources": "; ".join(
                    dict.fromkeys(
                        text
                        for text in (optimizer["citation"], about["supernet"]["citation"], about["images"]["citation"])
                        if text
                    )
                ),
            }
        )
    frame = pd.DataFrame(rows)
    columns = [Column(key, tuple(f"`{text}`" if key == "cell" else text for text in frame[key])) for key in rows[0]]
    return Table(name, "Cells with all their settings", tuple(columns), frame)


def oneshot_costs(studies: Sequence[StudyFolder]) -> Table | None:
    """Seconds and memory of every cell of one-shot studies; None where there are none."""
    import pandas as pd

    cells = [(study.name, cell) for study in studies for cell in study.searched]
    if not cells:
        return None
    frame = pd.DataFrame([{"study": name, "cell": cell.label} | _cost(cell) for name, cell in cells])
    columns = [Column(key, tuple(f"`{text}`" for text in frame[key])) for key in ("cell", "study")]
    for key, decimals in _COSTS.items():
        texts = tuple("-" if math.isnan(value) else f"{value:,.{decimals}f}" for value in frame[key])
        columns.append(Column(key, texts, tuple(frame[key]), numeric=True))
    notes = (
        "Seconds of searching, of watching it (which is no part of the search) and of training from scratch are means "
        "of a run; wall and CPU seconds are of all runs on record. The memory is the most of any epoch.",
    )
    return Table("oneshot-cost", "Cost by cell, one-shot", tuple(columns), frame, notes)


_COSTS = {"runs": 0, "search": 1, "watching": 1, "trained from scratch": 1, "wall": 1, "CPU": 1, "peak MiB": 0}


def _cost(cell: OneShotCell) -> dict[str, float]:
    row = OneShotRow(cell, None)
    watching = [run.epochs["monitor_seconds"].sum() for run in cell.runs if "monitor_seconds" in run.epochs]
    peaks = [run.epochs["peak_mebibytes"].max() for run in cell.runs if "peak_mebibytes" in run.epochs]
    return {
        "runs": len(cell.runs),
        "search": _mean_or_nan(row.number("search_seconds")) if cell.is_search else math.nan,
        "watching": float(np.mean(watching)) if watching else math.nan,
        "trained from scratch": _mean_or_nan(
            row.of_runs(lambda result: sum(one["seconds"] for one in result["retrained"]) or math.nan)
        ),
        "wall": sum(run.made["wall_seconds"] for run in cell.runs),
        "CPU": sum(run.made["cpu_seconds"] for run in cell.runs),
        "peak MiB": float(max(peaks)) if peaks else math.nan,
    }


def _outcome(row: OneShotRow, operations: Sequence[str]) -> dict[str, Any]:
    numbers = {
        "parameters": row.number("parameters"),
        "reported": row.reported,
        "test_accuracy": row.retrained,
        **{f"count_{name}": row.count(name) for name in operations},
    }
    against = {name: getattr(row.against, name, None) for name in ("value", "low", "high", "p")}
    return (
        {"cell": row.label, "runs": len(row.cell.runs)}
        | {f"{name}_mean": _mean_or_nan(values) for name, values in numbers.items()}
        | {
            f"{name}_sd": float(known(values).std(ddof=1)) if len(known(values)) > 1 else None
            for name, values in numbers.items()
        }
        | {f"minus_random_{name}": value for name, value in against.items()}
        | {"p_holm": row.p, "why_no_interval": "" if row.against is None else row.against.reason}
    )


def _numbers(heading: str, values: Sequence[Floats], decimals: int) -> Column:
    """The mean over a row's runs, of every row."""
    texts = tuple(mean(one, decimals) for one in values)
    return Column(heading, texts, tuple(map(_mean_or_nan, values)), numeric=True)


def _spreads(heading: str, values: Sequence[Floats]) -> Column:
    """Mean and standard deviation over a row's runs, of every row."""
    return Column(heading, tuple(map(spread, values)), tuple(map(_mean_or_nan, values)), numeric=True)


def _mean_or_nan(values: Floats) -> float:
    having = known(values)
    return float(having.mean()) if len(having) else math.nan


def _told(settings: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in settings.items())
