"""A report, from folders of studies to a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from results.files import RecordError
from results.look import SCREEN, Look, styles
from results.record import CellRecord
from results.report.benchmark_section import benchmark_section
from results.report.checklist import checklist
from results.report.document import Block, Bullets, Checklist, Document, Note, Paragraph, Section
from results.report.findings import Findings, findings
from results.report.gather import StudyFolder, by_benchmark, compared_cells, read_folder
from results.report.overall import Overall, overall
from results.report.overall_section import overall_section
from results.report.run_sections import cost, made_of, published_numbers, what_ran
from results.report.summary import overall_sentences, sentences_of
from results.report.sweep_section import sweep_section
from results.report.toy_section import toy_section
from results.report.words import counted
from results.report.write import check_page, write
from results.statistics import TooLittleData

MOST_CELLS = 20  # of a sweep on one benchmark: of more the section on the sweep says more than a row each


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
    groups = compared_cells([study for study in studies if not _is_wide(study)])
    found = {label: findings(cells) for label, cells in groups.items()}
    handed = {
        label: findings(cells, "recommended") for label, cells in groups.items() if not _all_follow_the_best_seen(cells)
    }
    of_all = styles([cell for study in studies for cell in study.cells])
    together, why_not = _together(groups)
    sections = [
        _summary(studies, found, handed, (together, why_not)),
        *(
            benchmark_section(one, handed.get(label), look, of_all, alone=len(found) == 1)
            for label, one in found.items()
        ),
    ]
    if together:
        sections.append(overall_section(together, look, of_all))
    sections += [sweep_section(study) for study in studies if study.sweep]
    sections += [toy_section(study) for study in studies if study.trials]
    ran = by_benchmark(studies)
    sections += [section for section in (published_numbers(groups),) if section]
    sections += [what_ran(studies, ran), cost(studies, ran)]
    if ran:
        sections.append(Section("Good practice", _practice(studies), "good-practice"))
    title = " and ".join(f"`{name}`" for name in names)
    return Document(f"Report on {title}", _subtitle(studies, ran), tuple(sections))


def _is_wide(study: StudyFolder) -> bool:
    """Whether a study sweeps over a setting, with more cells on a benchmark than rows are read."""
    counts: dict[str, int] = {}
    for cell in study.cells:
        counts[cell.benchmark] = counts.get(cell.benchmark, 0) + 1
    return bool(study.sweep) and max(counts.values(), default=0) > MOST_CELLS


def _all_follow_the_best_seen(cells: Sequence[CellRecord]) -> bool:
    return all(cell.recommends_incumbent for cell in cells)


def _together(groups: Mapping[str, Sequence[CellRecord]]) -> tuple[Overall | None, str]:
    try:
        return overall(groups), ""
    except TooLittleData as error:
        return None, str(error)


def _summary(
    studies: Sequence[StudyFolder],
    found: Mapping[str, Findings],
    handed: Mapping[str, Findings],
    together: tuple[Overall | None, str],
) -> Section:
    blocks: list[Block] = []
    if len(found) > 1:
        blocks.append(Paragraph(" ".join(overall_sentences(*together, list(found.values())))))
    by_benchmark = [f"**{label}**: {' '.join(sentences_of(one))}{_other(one, handed)}" for label, one in found.items()]
    if by_benchmark:
        blocks.append(Bullets(tuple(by_benchmark)))
    rest = [study for study in studies if _is_wide(study) or study.trials]
    if rest:
        blocks.append(Paragraph(" ".join(_pointers(rest))))
    return Section("Summary", tuple(blocks), "summary")


def _other(found: Findings, handed: Mapping[str, Findings]) -> str:
    """Who is first by what is handed over, where that is another."""
    other = handed.get(found.benchmark)
    if other is None or other.budget is None or other.first.optimizer == found.first.optimizer:
        return ""
    return f" By what each optimizer itself recommends, `{other.first.optimizer}` is first."


def _pointers(studies: Sequence[StudyFolder]) -> Iterator[str]:
    for study in studies:
        if study.trials:
            yield f"`{study.name}` is a toy study; [its table](#toy-{study.name}) has the iterations to success."
        else:
            yield (
                f"`{study.name}` sweeps over `{study.sweep}`: [its section](#sweep-{study.name}) has the windows of "
                "good values."
            )


def _practice(studies: Sequence[StudyFolder]) -> tuple[Block, ...]:
    return (
        Note(
            "After the checklist of Lindauer and Hutter, Best Practices for Scientific Research on Neural Architecture "
            "Search, JMLR 21(243), 2020, in our words and answered from what was recorded."
        ),
        Checklist(checklist(studies)),
    )


def _subtitle(studies: Sequence[StudyFolder], groups: Mapping[str, Sequence[CellRecord]]) -> str:
    cells = sum(len(group) for group in groups.values())
    runs = sum(len(cell.seeds) for group in groups.values() for cell in group)
    trials = sum(len(row.seeds) for study in studies for row in study.trials)
    on = f"{counted(cells, 'cell')} on {counted(len(groups), 'benchmark')}, {counted(runs, 'search', 'es')}"
    parts = [on] if cells else []
    parts += [f"{counted(trials, 'trial')} of the toy problem"] if trials else []
    made = [made for study in studies for made in made_of(study)]
    return f"{'; '.join(parts)}; computed {_days([one['at'] for one in made])} by NAS Arena"


def _days(stamps: Sequence[str]) -> str:
    first, last = min(stamps)[:10], max(stamps)[:10]
    return f"on {first}" if first == last else f"from {first} to {last}"
