"""The section of a report on a one-shot study."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from results.architecture_figure import architecture_drawing
from results.drawing import Drawing, stem
from results.look import Look, Style
from results.oneshot_comparison import OneShotRow, by_problem, found, oneshot_rows
from results.oneshot_figures import over_epochs
from results.oneshot_outcome_figures import outcomes
from results.oneshot_words import preface, verdict
from results.report.document import Block, Bullets, Fold, Paragraph, Picture, Pictures, Section
from results.report.gather import StudyFolder
from results.report.oneshot_tables import found_table, outcome_table, settings_table, shared_table

SHOWN_FOUND = 8  # searches whose most frequent architecture is drawn


def oneshot_section(study: StudyFolder, look: Look, styles: Mapping[str, Style], *, alone: bool = False) -> Section:
    """What was searched with shared weights, what it found, and whether that is better than random architectures.

    Args:
        study: a one-shot study.
        look, styles: of the figures.
        alone: whether it is the only study, so that the summary above has just compared with random architectures.
    """
    groups = by_problem(study.searched)
    blocks: list[Block] = []
    for place, (name, cells) in enumerate(groups.items()):
        prefix = stem(study.name, *([name] if len(groups) > 1 else []))
        rows = oneshot_rows(cells)
        inside = (
            Paragraph(" ".join(preface(rows))),
            *([] if alone else [Bullets(tuple(verdict(rows, _code)))]),
            *_problem(rows, prefix, look, styles),
        )
        blocks += inside if len(groups) == 1 else [Section(name, inside, f"oneshot-{study.name}-{place}")]
    settings = settings_table(study.searched, f"{stem(study.name)}-settings")
    blocks.append(Fold(f"Every setting of {len(study.searched)} cells", (settings,)))
    return Section(f"One-shot search: `{study.name}`", tuple(blocks), f"oneshot-{study.name}")


def oneshot_summary(study: StudyFolder) -> Iterator[str]:
    """How what was found compares with random architectures, a line a supernet and set of images."""
    for name, cells in by_problem(study.searched).items():
        yield f"**{study.name}**, {name}: {' '.join(verdict(oneshot_rows(cells), _code))}"


def _problem(rows: Sequence[OneShotRow], prefix: str, look: Look, styles: Mapping[str, Style]) -> Iterator[Block]:
    """On one supernet and one set of images."""
    cells, searches = [row.cell for row in rows], [row for row in rows if row.cell.is_search]
    outcome, path = outcomes(rows, prefix, look, styles), over_epochs(cells, prefix, look, styles)
    if outcome:
        yield _grid(outcome)
    yield outcome_table(rows, f"{prefix}-outcomes")
    if searches:
        yield shared_table(searches, f"{prefix}-shared-weights")
    if path:
        yield _grid(path)
    drawn = [_drawn(row, prefix, look) for row in searches[:SHOWN_FOUND]]
    shown = (_grid(drawn),) if drawn else ()
    title = "Architectures that were found" if searches else "Architectures, run by run"
    yield Fold(title, (*shown, found_table(rows, f"{prefix}-found")))


def _drawn(row: OneShotRow, prefix: str, look: Look) -> Drawing:
    """The architecture that most searches found."""
    groups = found(row.cell)
    result, seeds = groups[0]
    runs = len(row.cell.runs)
    by = f"{len(seeds)} of {runs} searches of {row.label}" if runs > 1 else row.label
    title = f"Found by {by}"
    caption = (
        f"Architecture found by {by}{f', among {len(groups)} that differ' if len(groups) > 1 else ''}: "
        f"{result['string']}, number {result['rank']:,} of the space, {result['parameters']:,} parameters."
    )
    name = stem(prefix, row.label, "found")
    return architecture_drawing(row.cell.about["supernet"], result["rank"], name, title, caption, look, runs=len(seeds))


def _grid(drawings: Sequence[Drawing]) -> Pictures:
    return Pictures(tuple(Picture(drawing) for drawing in drawings))


def _code(label: str) -> str:
    return f"`{label}`"
