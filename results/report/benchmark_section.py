"""The section of a report on one benchmark."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np

from results.anytime import Answer, Unit, unit_of
from results.architecture_figure import found_architecture
from results.comparison_figures import improvement_matrix
from results.drawing import Drawing, stem
from results.figures import anytime, reported
from results.final_figure import final_distribution
from results.look import MOST_IN_COLOUR, Look, Style, in_colour, with_pale
from results.record import CellRecord
from results.report.benchmark_tables import pair_notes, pair_table, regret_table, target_table
from results.report.document import Block, Fold, Note, Paragraph, Picture, Pictures, Section
from results.report.findings import Findings
from results.report.summary import sentences_of
from results.state_figures import TRACES, diagnostic, distribution_path
from results.target_figures import targets_reached

MOST_DRAWN = 24  # curves in a figure: of more the best are drawn
MOST_STATES = 12  # optimizers whose distribution is drawn
SHOWN_FOUND = 6  # optimizers whose found architecture is drawn


def benchmark_section(
    found: Findings, handed: Findings | None, look: Look, styles: Mapping[str, Style], *, alone: bool = False
) -> Section:
    """What was found on one benchmark.

    Args:
        found: by the best seen.
        handed: by what the optimizers recommend; None where that is the best seen for all.
        look, styles: of the figures.
        alone: whether it is the only benchmark, so that the summary above has just said who is first.
    """
    pale = with_pale(styles, in_colour([cell.optimizer for cell in found.cells]))
    first, further = _figures(found, look, styles, pale)
    blocks: list[Block] = [
        *(() if alone else (Paragraph(" ".join(sentences_of(found))),)),
        *first,
        regret_table(found.table),
        further,
        *_pairs(found),
    ]
    if handed and handed.budget is None:
        blocks.append(
            Paragraph(
                "What the optimizers themselves recommend is solved at every budget too; since no record tells when a "
                "recommendation first was at the target, they are not compared by it."
            )
        )
    elif handed:
        blocks.append(Paragraph(f"By what each optimizer itself recommends: {' '.join(sentences_of(handed))}"))
        pairs = tuple(_pairs(handed, "-recommended", " of what each recommends"))
        if pairs:
            blocks.append(Fold("Pairs of what each recommends", pairs))
    blocks += [target_table(found), *_inside(found, look, styles, pale)]
    return Section(found.benchmark, tuple(blocks), f"benchmark-{stem(found.benchmark)}")


def drawn_cells(found: Findings) -> tuple[CellRecord, ...]:
    """The cells that are drawn: the best of very many, and random search."""
    if len(found.cells) <= MOST_DRAWN:
        return found.cells
    best = found.cells[: MOST_DRAWN - 1]
    random = [cell for cell in found.cells[MOST_DRAWN - 1 :] if cell.about["optimizer"]["name"] == "random_search"]
    return (*best, *random[:1])


def best_settings(cells: Sequence[CellRecord]) -> tuple[CellRecord, ...]:
    """Of cells, the best first, the first one of each optimizer."""
    first: dict[str, CellRecord] = {}
    for cell in cells:
        first.setdefault(cell.about["optimizer"]["name"], cell)
    return tuple(first.values())


def _figures(
    found: Findings, look: Look, styles: Mapping[str, Style], pale: Mapping[str, Style]
) -> tuple[list[Block], Pictures]:
    """Those that a reader wants first, and further ones; curves have the second of the styles."""
    cells, first = drawn_cells(found), list[Block]()
    if len(cells) < len(found.cells):
        first.append(Note(f"Drawn are the best {len(cells)} of {len(found.cells)} optimizers, and random search."))
    answers: list[Answer] = ["incumbent"]
    if any(not cell.recommends_incumbent for cell in cells):
        answers.append("recommended")
    axis = unit_of(cells[0])
    other: Unit = "seconds" if axis == "evaluations" else "evaluations"
    budget = found.table.budgets[-1] if found.budget is None else found.budget
    finals = [final_distribution(cells, budget, answer, look, styles) for answer in answers]
    first.append(_grid([*(anytime(cells, answer, axis, look, pale) for answer in answers), finals[0]]))
    further = [reported(cells, answer, look, pale) for answer in answers]
    further += [anytime(cells, "incumbent", other, look, pale), targets_reached(cells, look, pale), *finals[1:]]
    return first, _grid(further)


def _pairs(found: Findings, suffix: str = "", of: str = "") -> Iterator[Block]:
    """All others against the first, and all pairs in a fold."""
    first = found.first.optimizer
    others = [pair for cell in found.cells[1:] if (pair := found.of(cell.optimizer, first))]
    if not others:
        return
    name, title = stem(found.benchmark, f"against-first{suffix}"), f"Against the first, `{first}`{of}"
    yield pair_table(found, others, name, title, pair_notes(found))
    if len(found.pairs) > len(others):
        every = pair_table(found, found.pairs, stem(found.benchmark, f"pairs{suffix}"), f"All pairs{of}")
        yield Fold(f"All {len(found.pairs)} pairs{of}", (every,))


def matrix_of(found: Findings, look: Look) -> Drawing | None:
    """The probabilities of improvement of all pairs; None where not all were compared."""
    labels = [cell.optimizer for cell in found.cells]
    if len(found.pairs) < len(labels) * (len(labels) - 1) // 2 or len(labels) < 2:
        return None
    values = np.full((len(labels), len(labels)), np.nan)
    for pair in found.pairs:
        if pair.effect is not None:
            one, other = labels.index(pair.first), labels.index(pair.second)
            values[one, other], values[other, one] = pair.effect.value, 1 - pair.effect.value
    drawing = improvement_matrix(labels, values, found.benchmark, look)
    return replace(drawing, name=stem(found.benchmark, drawing.name))


def _inside(found: Findings, look: Look, styles: Mapping[str, Style], pale: Mapping[str, Style]) -> Iterator[Block]:
    """What the optimizers' state did, and the architectures that they found; many curves have the second styles."""
    cells = drawn_cells(found)
    traces = [
        diagnostic(having, column, look, styles if len(having) <= MOST_IN_COLOUR else pale)
        for column in TRACES
        if (having := [cell for cell in cells if column in cell.columns])
    ]
    best = best_settings(cells)
    states = list(islice(filter(None, (distribution_path(cell, look) for cell in best)), MOST_STATES))
    if any(traces) or states:
        blocks: list[Block] = [_grid(traces)] if any(traces) else []
        if states:
            pictures = tuple(Picture(path) for path in states)
            blocks.append(Pictures(pictures, "Paths of the distribution, of each optimizer's best setting"))
        yield Fold("Step size, signal to noise, entropy, and the path of the distribution", tuple(blocks))
    drawn = [found_architecture(cell, "recommended", look) for cell in best[:SHOWN_FOUND]]
    if any(drawn):
        yield Fold("Architectures that were found", (_grid(drawn),))
    matrix = matrix_of(found, look)
    if matrix:
        yield Fold("Probability of improvement, all pairs", (Picture(matrix, wide=True),))


def _grid(drawings: Sequence[Drawing | None]) -> Pictures:
    return Pictures(tuple(Picture(drawing) for drawing in drawings if drawing))
