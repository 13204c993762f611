"""One-shot studies as their folders tell them, with numbers that a test knows: nothing of them was trained."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from results.files import write_json
from results.oneshot_record import progress_file, write_run
from results.record import CELL_FILE, STUDY_FILE

OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
SPACE = {"variables": [{"name": f"edge {v}", "kind": "categorical", "choices": OPERATIONS} for v in range(6)]}
EPOCHS = 4
ALL_CONVOLUTIONS = int("333333", 5)
ALL_SKIPS = int("111111", 5)


def plant(
    arena: Path,
    seeds: Mapping[str, Sequence[int]],
    *,
    name: str = "oneshot",
    asked: Sequence[int] = (0, 1),
    **more: Any,
) -> Path:
    """A study of the cells "asng" and "random architectures", with those seeds of each on record."""
    folder = arena / name
    for label in ("asng", "random architectures"):
        (folder / label).mkdir(parents=True, exist_ok=True)
        write_json(folder / label / CELL_FILE, about(label))
        for seed in seeds.get(label, ()):
            record(folder / label, seed)
    study = {
        "id": "owner",
        "kind": "oneshot",
        "name": name,
        "description": "",
        "cells": ["asng", "random architectures"],
    }
    write_json(
        folder / STUDY_FILE, study | {"seeds": [*asked], "fewer_seeds": {}, "failures": [], "skipped": []} | more
    )
    return folder


def about(label: str) -> dict[str, Any]:
    """The content of ``cell.json``."""
    search = label == "asng"
    return {
        "id": f"id of {label}",
        "identity": {},
        "kind": "search" if search else "training",
        "label": label,
        "name": label,
        "optimizer": {
            "name": "asng",
            "label": "asng",
            "citation": "Akimoto et al.",
            "recommends": "mode",
            "settings": {"lam": 2},
            "defaults": {"lam": 2},
        }
        if search
        else None,
        "loop": {"epochs": EPOCHS, "batchnorm": "batch"} if search else None,
        "retraining": {"epochs": 10, "seeds": 2},
        "supernet": {
            "name": "nasbench201",
            "label": "nasbench201(channels=8)",
            "options": {"channels": 8},
            "citation": "",
            "space": SPACE,
            "edges": [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]],
        },
        "images": {
            "label": "digits",
            "name": "digits",
            "options": {"pad": 1},
            "train_images": 1200,
            "test_images": 597,
            "shape": [1, 8, 8],
            "classes": 10,
            "remark": "",
            "citation": "",
        },
        "table": {"label": "nasbench201-cifar10", "same_images": False, "median_reported": 90.0} if search else None,
    }


def epochs_of(seed: int, *, search: bool = True, count: int = EPOCHS) -> list[dict[str, float]]:
    """The epochs of a seed, as its progress log has them."""
    rows = []
    for epoch in range(1, count + 1):
        row = {"epoch": epoch, "train_loss": 2.0 / epoch + seed, "learning_rate": 0.1 / epoch, "seconds": 1.5 * epoch}
        row |= {"peak_mebibytes": 200.5, "cpu_percent": 50.0 + epoch, "memory_mebibytes": 1000.0}
        if search:
            recommended = ALL_SKIPS if epoch < 3 else ALL_CONVOLUTIONS
            row |= {"step": 9 * epoch, "valid_loss": 2.5 / epoch, "recommended": recommended, "entropy": 1.6 / epoch}
            row |= {
                "shared_accuracy": 10.0 * epoch + seed,
                "true_searched": 80.0 + epoch,
                "true_reported": 81.0 + epoch,
            }
            row |= {"step_size": 0.1} if epoch > 1 else {}  # NaN is left out
        rows.append(row)
    return rows


def result_of(seed: int, *, search: bool = True) -> dict[str, Any]:
    """What a seed came to."""
    counts = {"none": 0, "skip_connect": 1, "nor_conv_1x1": 2, "nor_conv_3x3": 3, "avg_pool_3x3": 0}
    retrained = [{"seed": n, "test_accuracy": 97.0 + seed + n, "test_loss": 0.1, "seconds": 2.0} for n in range(2)]
    result = {"architecture": [3] * 6, "rank": ALL_CONVOLUTIONS, "string": f"|nor_conv_3x3~0| {seed}", "counts": counts}
    result |= {"parameters": 12_345, "retrained": retrained, "true": None, "epochs": EPOCHS, "steps": 36}
    result |= {"search_seconds": 6.0 if search else 0.0}
    if search:
        ranking = {"architectures": 60, "images": 600, "tau": 0.2 + 0.2 * seed, "tau_error": 0.09}
        ranking |= {"tau_better_half": -0.1, "tau_better_half_error": 0.13, "batchnorm": "batch"}
        ranking |= {"measure": "shared-weight accuracy, ties by loss"}
        result |= {"true": {"searched": 84.0, "reported": 85.0 + seed}, "ranking": ranking, "chosen_by": "mode"}
        result |= {"shared_accuracy": 41.0, "shared_loss": 1.5, "shared_images": 600}
    return result


def record(cell: Path, seed: int, attempt: str = "first") -> None:
    """Puts a seed on record, and takes its log away."""
    search = cell.name == "asng"
    rows = epochs_of(seed, search=search)
    columns = {name: [row.get(name, float("nan")) for row in rows] for name in rows[-1]}
    made = {"commit": "c0ffee" * 6, "wall_seconds": 12.5, "attempt": attempt}
    write_run(cell, seed, columns, result_of(seed, search=search), made)


def begin(cell: Path, seed: int, attempt: str = "first") -> None:
    """Starts the log of a seed."""
    progress_file(cell, seed).write_text(json.dumps({"attempt": attempt, "started": "2026-01-01"}) + "\n", "utf-8")


def grow(cell: Path, seed: int, epoch: int) -> None:
    """Adds the line of an epoch."""
    row = epochs_of(seed, search=cell.name == "asng")[epoch - 1]
    with progress_file(cell, seed).open("a", encoding="utf-8") as log:
        log.write(json.dumps(row) + "\n")
