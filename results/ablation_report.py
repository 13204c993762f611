"""All figures of a study that sweeps over a setting."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence

from results.ablation import Comparison
from results.ablation_figures import regret_figure
from results.ablation_heat_map import grids, heat_map
from results.ablation_traces import trace_figure, traced
from results.curves import is_number
from results.drawing import Drawing
from results.look import SCREEN
from results.record import CellRecord


def ablation_drawings(cells: Sequence[CellRecord], comparisons: Sequence[Comparison], sweep: str) -> Iterator[Drawing]:
    """For every table and number of architectures an update: regret against the swept setting, and traces of the
    adaptive state, a row for every noise. For every second setting that varies: a heat map without noise at the whole
    budget.

    Args:
        cells: of the study.
        comparisons: of these cells (:func:`results.ablation.compare`).
        sweep: the setting that was varied.
    """
    for name, group in _by_table(comparisons).items():
        with SCREEN.context():
            regrets = regret_figure(group, sweep, f"{name}-{sweep}")
        yield regrets
        curves = [
            curve for comparison in group for curve in comparison.curves.values() if curve.spans and traced(curve)
        ]
        if curves:
            most = max(len(traced(curve)) for curve in curves)  # an adaptive state rather than entropy alone
            with SCREEN.context():
                traces = trace_figure(
                    [curve for curve in curves if len(traced(curve)) == most], f"{name}-{sweep}-traces"
                )
            yield traces
    yield from _heat_maps(cells, sweep)


def _by_table(comparisons: Sequence[Comparison]) -> dict[str, list[Comparison]]:
    """Comparisons that differ in noise alone, by a name for their files."""
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for comparison in comparisons:
        about = comparison.about
        table = json.dumps([about["name"], about["dataset"], about["options"]], sort_keys=True, default=str)
        groups.setdefault((table, comparison.held), []).append(comparison)
    named = {}
    for (_, held), group in groups.items():
        label = min((comparison.benchmark for comparison in group), key=len)  # that of the one without noise, if any
        named[re.sub(r"[^A-Za-z0-9.]+", "-", f"{label}-{held.replace(' = ', '')}").strip("-")] = group
    return named


def _heat_maps(cells: Sequence[CellRecord], sweep: str) -> Iterator[Drawing]:
    without_noise = [cell for cell in cells if cell.about["benchmark"]["noise"] is None] or cells
    settings = {name: None for cell in cells for name in cell.about["optimizer"]["settings"] if name != sweep}
    about = cells[0].about
    budget = about["report_at"][-1]
    for other in settings:
        if any(is_number(cell.about["optimizer"]["settings"].get(other)) for cell in cells):
            found = grids(without_noise, sweep, other, budget)
            if found:
                unit = "s" if about["budget"]["unit"] == "seconds" else "evaluations"
                with SCREEN.context():
                    drawing = heat_map(found, sweep, other, f"{budget:,} {unit}", f"{sweep}-{other}")
                yield drawing
