"""The section of a report on a toy study."""

from __future__ import annotations

import math
from collections.abc import Sequence

from results.drawing import stem
from results.report.document import Block, Column, Paragraph, Picture, Section, Table
from results.report.gather import StudyFolder
from results.report.words import times
from results.toy_figure import toy_figure
from results.toy_table import ToyRow, toy_rows, verdict


def toy_section(study: StudyFolder) -> Section:
    """Iterations to success of every row, beside those of another implementation."""
    rows = toy_rows(study.trials)
    blocks: list[Block] = [
        Paragraph(
            "The toy problem of the ASNG paper, section 3.1: iterations until the noise-free loss of a sample is below "
            "1 / K, each trial ended at success. The initial step is n^-k, eta_x the learning rate of the weights."
        ),
        *(Paragraph(line) for line in verdict(rows)),
    ]
    if any(row.record.k is not None for row in rows):
        blocks.append(Picture(toy_figure(rows, f"{stem(study.name)}-iterations"), wide=True))
    return Section(f"The toy problem of `{study.name}`", (*blocks, _table(study.name, rows)), f"toy-{study.name}")


def _table(study: str, rows: Sequence[ToyRow]) -> Table:
    import pandas as pd

    references = [row.reference or {} for row in rows]
    columns = (
        Column("optimizer", tuple(f"`{row.record.variant}`" for row in rows)),
        Column("eta_x", tuple(f"{row.record.problem['eta_x']:g}" for row in rows), numeric=True),
        Column("k", tuple("-" if row.record.k is None else f"{row.record.k:g}" for row in rows), numeric=True),
        Column(
            "successes",
            tuple(f"{row.successes}/{row.trials}" for row in rows),
            tuple(row.successes / row.trials for row in rows),
            numeric=True,
        ),
        Column(
            "iterations, median [95 % interval]",
            tuple(f"{times(row.median)} [{times(row.low)}, {times(row.high)}]" for row in rows),
            tuple(row.median for row in rows),
            numeric=True,
        ),
        Column(
            "another implementation, median [quartiles]",
            tuple(f"{of.get('median', '')} {of.get('quartiles', '')}".strip() for of in references),
            tuple(float(of.get("median", math.nan)) for of in references),
            numeric=True,
        ),
    )
    frame = pd.DataFrame(
        {
            "optimizer": row.record.variant,
            "eta_x": row.record.problem["eta_x"],
            "k": row.record.k,
            "successes": row.successes,
            "trials": row.trials,
            "median": row.median,
            "low": row.low,
            "high": row.high,
        }
        for row in rows
    )
    return Table(f"{stem(study)}-toy", "Iterations to success", columns, frame)
