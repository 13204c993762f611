"""What it cost: computing time, memory, simulated time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from results.record import CellRecord
from results.report.document import Block, Column, Fold, Paragraph, Section, Table
from results.report.gather import StudyFolder
from results.report.oneshot_tables import oneshot_costs
from results.report.run_sections import MOST_SHOWN, device_of, made_of


def cost(studies: Sequence[StudyFolder], groups: Mapping[str, Sequence[CellRecord]]) -> Section:
    """Computing time, memory, simulated time; how many evaluations were repetitions."""
    made = [made for study in studies for made in made_of(study)]
    wall, cpu = (sum(one[name] for one in made) for name in ("wall_seconds", "cpu_seconds"))
    peak = max(one["peak_mebibytes"] for one in made)
    what = "searches and trainings" if any(study.searched for study in studies) else "searches"
    said = (
        f"All {what} took {_duration(wall)} of workers' wall time and {_duration(cpu)} of CPU time; the largest "
        f"worker held {peak:,.0f} MiB. {_devices(studies)}"
    )
    blocks: list[Block] = [Paragraph(said)]
    cells = [cell for group in groups.values() for cell in group]
    if cells:
        table = _costs(cells)
        many = len(cells) > MOST_SHOWN
        blocks.append(Fold(f"The cost of each of {len(cells):,} cells", (table,)) if many else table)
    one_shot = oneshot_costs(studies)
    if one_shot is not None:
        blocks.append(one_shot)
    return Section("Cost", tuple(blocks), "cost")


def _costs(cells: Sequence[CellRecord]) -> Table:
    import pandas as pd

    rows = []
    for cell in cells:
        evaluations, distinct = (cell.columns[name][:, -1] for name in ("evaluations", "distinct"))
        rows.append(
            {
                "optimizer": cell.optimizer,
                "benchmark": cell.benchmark,
                "seeds": len(cell.seeds),
                "evaluations": float(evaluations.mean()),
                "distinct": float(distinct.mean()),
                "repeated share": float(1 - (distinct / evaluations).mean()),
                "simulated hours": float(cell.columns["seconds"][:, -1].mean()) / 3600,
                "wall seconds": sum(made["wall_seconds"] for made in cell.made),
                "CPU seconds": sum(made["cpu_seconds"] for made in cell.made),
                "peak MiB": max(made["peak_mebibytes"] for made in cell.made),
            }
        )
    frame = pd.DataFrame(rows)
    shown = {
        "seeds": "{:,.0f}",
        "evaluations": "{:,.1f}",
        "distinct": "{:,.1f}",
        "repeated share": "{:.0%}",
        "simulated hours": "{:,.2f}",
        "wall seconds": "{:,.2f}",
        "CPU seconds": "{:,.2f}",
        "peak MiB": "{:,.0f}",
    }
    columns = [Column(name, tuple(f"`{text}`" for text in frame[name])) for name in ("optimizer", "benchmark")]
    for name, pattern in shown.items():
        values = frame[name].tolist()
        texts = tuple("unknown" if math.isnan(value) else pattern.format(value) for value in values)
        columns.append(Column(name, texts, tuple(values), numeric=True))
    notes = (
        "Evaluations, distinct ones and simulated time are means of a seed; a repeated evaluation counts and costs as "
        "any other. Wall and CPU seconds are of all shards on record, the memory that of the worker process.",
    )
    return Table("cost", "Cost by cell", tuple(columns), frame, notes)


def _devices(studies: Sequence[StudyFolder]) -> str:
    """Which accelerators were used, in a sentence."""
    used = sorted({device_of(made) for study in studies for made in made_of(study)} - {""})
    return f"Networks were trained on {' and '.join(used)}." if used else "No GPU was used."


def _duration(seconds: float) -> str:
    return (
        f"{seconds:.1f} s"
        if seconds < 120
        else f"{seconds / 60:.1f} min"
        if seconds < 7200
        else f"{seconds / 3600:.1f} h"
    )
