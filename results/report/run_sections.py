"""What ran, and what was published before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from results.published import published
from results.record import CellRecord
from results.report.document import Block, Bullets, Column, Fold, Note, Paragraph, Section, Table
from results.report.gather import StudyFolder
from results.report.words import after, counted
from results.toy_record import ToyRecord

MOST_SHOWN = 40  # rows of a table of cells that is not folded
SHOWN_OF_ERROR = 300  # characters of a failure's last line
# of the protocol in the published tables: what a benchmark and a budget must be to be under it
PROTOCOL = {"nasbench201": ("12000s", {"dataset": "cifar10", "epochs": 12, "noise": None}, ("seconds", 12_000))}


def what_ran(studies: Sequence[StudyFolder], groups: Mapping[str, Sequence[CellRecord]]) -> Section:
    """Studies, settings, tables, versions and machines; what was left out, failed or is not finished."""
    cells = [cell for group in groups.values() for cell in group]
    blocks: list[Block] = [Bullets(tuple(_study(study) for study in studies)), *_gaps(studies)]
    if cells:
        blocks += [_settings(cells), _benchmarks(groups)]
    blocks.append(_environments([made for study in studies for made in made_of(study)]))
    return Section("What ran", tuple(blocks), "what-ran")


def published_numbers(groups: Mapping[str, Sequence[CellRecord]]) -> Section | None:
    """What papers report under the same protocol; None where nothing is."""
    rows, left_out = [], 0
    for cells in groups.values():
        benchmark, budget = cells[0].about["benchmark"], cells[0].about["budget"]
        if benchmark["name"] not in PROTOCOL:
            continue
        protocol, options, limit = PROTOCOL[benchmark["name"]]
        ran = {**benchmark["options"], "noise": benchmark["noise"]}
        if (budget["unit"], budget["limit"]) == limit and all(ran.get(key) == value for key, value in options.items()):
            under = [row for row in published(benchmark["name"]) if row["protocol"] == protocol]
            rows += [row for row in under if row["checked"]]
            left_out += sum(not row["checked"] for row in under)
    if not rows:
        return None
    return Section("Published numbers of the same protocol", tuple(_published(rows, left_out)), "published")


def _study(study: StudyFolder) -> str:
    said = f": {study.about['description']}" if study.about.get("description") else ""
    of: Sequence[CellRecord | ToyRecord] = study.cells or study.trials
    seeds = {seed for cell in of for seed in cell.seeds.tolist()}
    seeds |= {run.seed for cell in study.searched for run in cell.runs}
    return f"**{study.name}**{said}; {len(of) + len(study.searched)} cells, seeds {_ranges(sorted(seeds))}"


def _gaps(studies: Sequence[StudyFolder]) -> Iterator[Block]:
    skipped = [f"`{pair}`: {reason}" for study in studies for pair, reason in study.about.get("skipped", [])]
    failed = [
        f"`{label}`: {_last_line(error)}" for study in studies for label, error in study.about.get("failures", [])
    ]
    unfinished = [
        f"`{label}`: {there:,} of {asked:,} seeds" for study in studies for label, there, asked in study.unfinished
    ]
    left_over = [f"`{name}`" for study in studies for name in study.left_over]
    named = {
        "Left out, since they cannot work": skipped,
        "Failed in the last run": failed,
        "Not finished": unfinished,
        "In the folder, but not of the last run, and not in this report": left_over,
    }
    for title, items in named.items():
        if items:
            yield Fold(f"{title}: {len(items)}", (Bullets(tuple(items)),), open=items is failed or items is unfinished)
    if not any(named.values()):
        yield Paragraph("Nothing was left out, nothing failed, everything is finished.")


def _last_line(error: str) -> str:
    """What a traceback ends in."""
    return (error.strip().splitlines() or ["no message"])[-1][:SHOWN_OF_ERROR]


def _settings(cells: Sequence[CellRecord]) -> Fold:
    import pandas as pd

    unique = {(cell.optimizer, str(cell.about["identity"]["optimizer"])): cell for cell in cells}.values()
    rows = []
    for cell in unique:
        about, identity = cell.about["optimizer"], cell.about["identity"]["optimizer"]
        changed = [name for name, value in about["settings"].items() if value != about["defaults"].get(name)]
        rows.append(
            {
                "optimizer": cell.optimizer,
                "settings": ", ".join(f"{name}={value}" for name, value in about["settings"].items()) or "none",
                "not default": ", ".join(changed),
                "class": f"{identity['class']}, version {identity['version']}",
                "package": identity.get("package", ""),
                "source": about["citation"],
            }
        )
    table = _plain_table("settings", "Optimizers with all their settings", pd.DataFrame(rows))
    return Fold(f"Every setting of {len(rows)} optimizers", (table,))


def _benchmarks(groups: Mapping[str, Sequence[CellRecord]]) -> Fold:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    sums: dict[str, str] = {}
    for label, cells in groups.items():
        about, identity = cells[0].about["benchmark"], cells[0].about["identity"]
        landmarks, budget = about["landmarks"], cells[0].about["budget"]
        sums |= identity["benchmark"]["checksums"]
        rows.append(
            {
                "benchmark": label,
                "options": ", ".join(f"{name}={value}" for name, value in about["options"].items()),
                "noise": about["noise"] or "none",
                "budget": after(budget["limit"], budget["unit"]),
                "architectures": f"{about['table_size']:,}",
                "best loss": f"{landmarks['best_search_loss']:.6g}",
                "median regret": f"{landmarks['median_regret']:.4g}",
                "trial sd": "unknown" if landmarks["trial_sd"] is None else f"{landmarks['trial_sd']:.3g}",
                "time factor": str(identity["time_factor"]),
                "source": about["citation"],
            }
        )
    table = _plain_table("benchmarks", "Benchmarks", pd.DataFrame(rows))
    files = tuple(f"`{name}` `{checksum}`" for name, checksum in sorted(sums.items()))
    blocks: tuple[Block, ...] = (
        table,
        Paragraph("SHA-256 of the files that the tables were read from:"),
        Bullets(files),
    )
    return Fold(f"{counted(len(rows), 'benchmark')} with the checksums of the tables", blocks)


def _environments(made: Sequence[dict[str, Any]]) -> Table:
    """One row a set of versions and machine, with how many shards it computed."""
    import pandas as pd

    counts: Counter[tuple[str, ...]] = Counter()
    for one in made:
        versions = ", ".join(f"{name} {version}" for name, version in one["versions"].items())
        commit = one["commit"][:12] or "none"
        changes = "unknown" if not one["commit"] else "yes" if one["dirty"] else "no"
        threads = f", {one['threads']} used" if "threads" in one else ""
        device = f"; {device_of(one)}" if device_of(one) else ""
        machine = f"{one['machine']} ({one['cores']} cores{threads}{device})"
        counts[commit, changes, f"Python {one['python']}, {versions}", machine, one["platform"]] += 1
    names = ("commit of the folder", "uncommitted changes", "versions", "machine", "platform")
    frame = pd.DataFrame([dict(zip(names, key, strict=True)) | {"shards": count} for key, count in counts.items()])
    return _plain_table("environments", "What computed it", frame)


def _published(rows: Sequence[dict[str, Any]], left_out: int) -> Iterator[Block]:
    import pandas as pd

    datasets = ("cifar10", "cifar100", "imagenet16-120")
    frame = pd.DataFrame(
        [
            {"method": row["method"]}
            | {name: f"{row[name][0]:.2f} ± {row[name][1]:.2f}" for name in datasets}
            | {"source": row["source"]}
            for row in rows
        ]
    )
    yield _plain_table("published", "Test accuracy in percent, as papers print it", frame)
    yield Note(
        "Confirmed digit by digit in texts that quote the table."
        + (f" {left_out} more rows of it are known from memory alone and are not printed." if left_out else "")
    )


def _plain_table(name: str, title: str, frame: Any) -> Table:
    """A table whose texts are the frame's own."""
    first = frame.columns[0]
    columns = tuple(
        Column(heading, tuple(f"`{value}`" if heading == first else str(value) for value in frame[heading]))
        for heading in frame.columns
    )
    return Table(name, title, columns, frame)


def device_of(made: dict[str, Any]) -> str:
    """The accelerator that networks were trained on; "" for none."""
    device = str(made.get("device", "cpu"))
    return "" if device == "cpu" else device


def made_of(study: StudyFolder) -> Iterator[dict[str, Any]]:
    """By what and how every shard of a study was computed."""
    for cell in study.cells:
        yield from cell.made
    for row in study.trials:
        yield from row.made
    for searched in study.searched:
        yield from (run.made for run in searched.runs)


def _ranges(seeds: Sequence[int]) -> str:
    """Such as "0 to 499" or "0 to 9, 20"."""
    places = np.flatnonzero(np.diff(seeds) > 1)
    starts, ends = [0, *(places + 1)], [*places, len(seeds) - 1]
    return ", ".join(
        f"{seeds[start]}" if start == end else f"{seeds[start]} to {seeds[end]}"
        for start, end in zip(starts, ends, strict=True)
    )
