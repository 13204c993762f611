"""A report, from folders of studies to a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from results.files import RecordError
from results.look import SCREEN, Look, styles_of
from results.record import CellRecord
from results.report.benchmark_section import benchmark_section
from results.report.checklist import checklist
from results.report.cost_section import cost
from results.report.document import Block, Checklist, Document, Note, Section
from results.report.gather import StudyFolder, by_benchmark, read_folder
from results.report.oneshot_section import oneshot_section
from results.report.overall_section import overall_section
from results.report.run_sections import made_of, published_numbers, what_ran
from results.report.summary_section import find, summary_section
from results.report.sweep_section import sweep_section
from results.report.toy_section import toy_section
from results.report.words import counted
from results.report.write import check_page, write


def report(folders: Sequence[Path], page: Path | None = None, look: Look = SCREEN) -> Path:
    """Writes a report on one or more studies: PAGE.html, PAGE.md, and figures and tables in the folder PAGE.

    Args:
        folders: of the studies, in any order. Cells of all on one benchmark are compared; a cell that several hold
            counts once.
        page: where the page goes; ``report.html`` in the folder of the first study by default. Its folder is made.
        look: of the figures.

    Returns:
        the page.

    Raises:
        RecordError: for folders that are no studies, hold nothing finished, or cannot be compared.
        OSError: when it cannot be written; an earlier report is then still whole.
    """
    page = folders[0] / "report.html" if page is None else page
    check_page(page)  # before the work of half a minute
    made = document(folders, look)
    page.parent.mkdir(parents=True, exist_ok=True)
    write(made, page)
    return page


def document(folders: Sequence[Path], look: Look = SCREEN) -> Document:
    """The report as a document; its arguments and errors are those of :func:`report`."""
    studies = sorted((read_folder(folder) for folder in folders), key=lambda study: study.name)
    names = [study.name for study in studies]
    for one, other in pairwise(studies):
        if one.name == other.name:
            where = f"{one.folder} and {other.folder}" if one.folder.resolve() != other.folder.resolve() else one.folder
            raise RecordError(f"the study {one.name!r} is given twice, as {where}; give each name once")
    found = find(studies)
    of_all = styles_of(_labels(studies))
    sections = [
        summary_section(studies, found),
        *(
            benchmark_section(one, found.handed_over.get(label), look, of_all, alone=len(found.best_seen) == 1)
            for label, one in found.best_seen.items()
        ),
    ]
    if found.overall:
        sections.append(overall_section(found.overall, look, of_all))
    sections += [sweep_section(study) for study in studies if study.sweep]
    sections += [toy_section(study) for study in studies if study.trials]
    sections += [oneshot_section(study, look, of_all, alone=len(studies) == 1) for study in studies if study.searched]
    ran = by_benchmark(studies)
    sections += [section for section in (published_numbers(found.groups),) if section]
    sections += [what_ran(studies, ran), cost(studies, ran)]
    if ran:
        sections.append(Section("Good practice", _practice(studies), "good-practice"))
    title = " and ".join(f"`{name}`" for name in names)
    return Document(f"Report on {title}", _subtitle(studies, ran), tuple(sections))


def _labels(studies: Sequence[StudyFolder]) -> Iterator[tuple[str, str]]:
    """Name and label of the optimizer of every cell."""
    for study in studies:
        for cell in study.cells:
            yield cell.about["optimizer"]["name"], cell.optimizer
        for search in study.searched:
            if search.is_search:
                yield search.about["optimizer"]["name"], search.label


def _practice(studies: Sequence[StudyFolder]) -> tuple[Block, ...]:
    tables = " It is about the searches on tables alone." if any(study.searched for study in studies) else ""
    return (
        Note(
            "After the checklist of Lindauer and Hutter, Best Practices for Scientific Research on Neural Architecture "
            f"Search, JMLR 21(243), 2020, in our words and answered from what was recorded.{tables}"
        ),
        Checklist(checklist(studies)),
    )


def _subtitle(studies: Sequence[StudyFolder], groups: Mapping[str, Sequence[CellRecord]]) -> str:
    cells = sum(len(group) for group in groups.values())
    runs = sum(len(cell.seeds) for group in groups.values() for cell in group)
    trials = sum(len(row.seeds) for study in studies for row in study.trials)
    on = f"{counted(cells, 'cell')} on {counted(len(groups), 'benchmark')}, {counted(runs, 'search', 'es')}"
    searches, trained = (
        sum(len(cell.runs) for study in studies for cell in study.searched if cell.is_search is way)
        for way in (True, False)
    )
    parts = [on] if cells else []
    parts += [counted(searches, "one-shot search", "es")] if searches else []
    parts += [f"{counted(trained, 'architecture')} trained for comparison"] if trained else []
    parts += [f"{counted(trials, 'trial')} of the toy problem"] if trials else []
    made = [made for study in studies for made in made_of(study)]
    return f"{'; '.join(parts)}; computed {_days([one['at'] for one in made])} by NAS Arena"


def _days(stamps: Sequence[str]) -> str:
    first, last = min(stamps)[:10], max(stamps)[:10]
    return f"on {first}" if first == last else f"from {first} to {last}"
