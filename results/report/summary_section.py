"""What was found on all benchmarks, and the section that says it in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from results.record import CellRecord
from results.report.document import Block, Bullets, Paragraph, Section
from results.report.findings import Findings, findings
from results.report.gather import StudyFolder, compared_cells
from results.report.oneshot_section import oneshot_summary
from results.report.overall import Overall, overall
from results.report.summary import overall_sentences, sentences_of
from results.statistics import TooLittleData

MOST_CELLS = 20  # of a sweep on one benchmark: of more the section on the sweep says more than a row each


@dataclass(frozen=True)
class Found:
    """What was found in some studies.

    Attributes:
        groups: the cells that are compared, by benchmark; those of a wide sweep are not.
        best_seen: on every benchmark, by the best that was seen; and
        handed_over: by what the optimizers recommend, where any recommends something else.
        overall: over all benchmarks; None where that cannot be said, and
        why_not: the reason.
    """

    groups: dict[str, list[CellRecord]]
    best_seen: dict[str, Findings]
    handed_over: dict[str, Findings]
    overall: Overall | None
    why_not: str


def find(studies: Sequence[StudyFolder]) -> Found:
    """Compares all that can be compared; takes a second or two.

    Raises:
        RecordError: for cells on one benchmark that cannot be compared, with what differs.
    """
    groups = compared_cells([study for study in studies if not is_wide(study)])
    best_seen = {label: findings(cells) for label, cells in groups.items()}
    handed_over = {
        label: findings(cells, "recommended")
        for label, cells in groups.items()
        if not all(cell.recommends_incumbent for cell in cells)
    }
    try:
        return Found(groups, best_seen, handed_over, overall(groups), "")
    except TooLittleData as error:
        return Found(groups, best_seen, handed_over, None, str(error))


def is_wide(study: StudyFolder) -> bool:
    """Whether a study sweeps over a setting, with more cells on a benchmark than rows are read."""
    counts: dict[str, int] = {}
    for cell in study.cells:
        counts[cell.benchmark] = counts.get(cell.benchmark, 0) + 1
    return bool(study.sweep) and max(counts.values(), default=0) > MOST_CELLS


def summary_section(studies: Sequence[StudyFolder], found: Found) -> Section:
    """What was found, in words: over all benchmarks, then on each."""
    blocks: list[Block] = []
    if len(found.best_seen) > 1:
        said = overall_sentences(found.overall, found.why_not, list(found.best_seen.values()))
        blocks.append(Paragraph(" ".join(said)))
    by_benchmark = [
        f"**{label}**: {' '.join(sentences_of(one))}{_other(one, found)}" for label, one in found.best_seen.items()
    ]
    if by_benchmark:
        blocks.append(Bullets(tuple(by_benchmark)))
    one_shot = [line for study in studies if study.searched for line in oneshot_summary(study)]
    if one_shot:
        blocks.append(Bullets(tuple(one_shot)))
    rest = [study for study in studies if is_wide(study) or study.trials]
    if rest:
        blocks.append(Paragraph(" ".join(_pointers(rest))))
    return Section("Summary", tuple(blocks), "summary")


def _other(one: Findings, found: Found) -> str:
    """Who is first by what is handed over, where that is another."""
    other = found.handed_over.get(one.benchmark)
    if other is None or other.budget is None or other.first.optimizer == one.first.optimizer:
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
