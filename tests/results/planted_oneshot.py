"""Folders of one-shot studies in which the outcome of every search and training is given: nothing is trained.

What they hold is what a run writes: ``study.json``, ``cell.json``, and a parquet file a seed.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from planted_studies import LANDMARKS, MADE, WORDING

from results.files import write_json
from results.oneshot_comparison import RANDOM_ARCHITECTURES
from results.oneshot_record import write_run
from results.record import STUDY_FILE

OPERATIONS = ["none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3"]
EDGES = [[0, 1], [0, 2], [1, 2], [0, 3], [1, 3], [2, 3]]
SPACE = {
    "variables": [
        {"kind": "categorical", "name": f"{source}->{target}", "choices": OPERATIONS} for source, target in EDGES
    ]
}
RETRAINING = {"epochs": 10, "seeds": 2, "batch_size": 32, "weights_lr": 0.1}
TABLE = {
    "label": "nasbench201-cifar10",
    "same_images": False,
    "wording": WORDING,
    "landmarks": LANDMARKS,
    "median_reported": 88.5,
    "best_reported": 94.0,
}
IMAGES = {
    "label": "digits",
    "name": "digits",
    "options": {},
    "train_images": 1200,
    "test_images": 597,
    "shape": [1, 8, 8],
    "classes": 10,
    "remark": "",
    "citation": "the makers of digits",
}
EPOCHS = 4
GOOD, SKIPS, DEAD = (3, 3, 1, 2, 3, 3), (1, 1, 1, 1, 1, 1), (0, 0, 0, 0, 0, 0)


def write_study(
    folder: Path,
    searches: Mapping[str, Sequence[float | None]],
    *,
    random: Sequence[float] = (),
    given: Mapping[str, Sequence[float]] | None = None,
    architectures: Mapping[str, Sequence[Sequence[int]]] | None = None,
    table: Mapping[str, Any] | None = TABLE,
    retraining: Mapping[str, Any] | None = RETRAINING,
    random_retraining: Mapping[str, Any] | None = None,
    images: Mapping[str, Any] | None = None,
    batchnorm: str = "batch",
    seeds: Sequence[int] | None = None,
    made: Mapping[str, Any] | None = None,
    **about: Any,
) -> Path:
    """Writes a study.

    Args:
        folder: where; the study has its name.
        searches: by the optimizer's label, the test accuracy in percent of what each seed found, the mean over its two
            trainings, which are half a point from it; None for a seed that is not on record.
        random: those of random architectures; none for a study without them.
        given: those of the trainings of given architectures, by their label.
        architectures: what the seeds found, by label; ``GOOD`` by default.
        table: None where no table knows the architectures.
        retraining: how what was found is trained; None where it is not. And ``random_retraining``, where that differs.
        images: replaces some of what is told of them.
        batchnorm: the mode of the searches.
        seeds: which; 0 and up by default.
        made: replaces some of what tells what computed it.
        about: replaces some of study.json.
    """
    folder.mkdir(parents=True)
    told = {"supernet": _SUPERNET, "images": IMAGES | dict(images or {}), "table": table and dict(table)}
    trained: dict[str, Sequence[float]] = dict(given or {})
    if random:
        trained[RANDOM_ARCHITECTURES] = random
    most = max(map(len, (*searches.values(), *trained.values())))
    asked = list(range(most)) if seeds is None else list(seeds)
    cells, fewer = [], {}
    for place, (label, accuracies) in enumerate([*searches.items(), *trained.items()]):
        is_search = place < len(searches)
        cells.append(f"cell-{place}")
        fewer[cells[-1]] = len(accuracies)
        where = folder / cells[-1]
        where.mkdir()
        own = retraining if is_search or random_retraining is None else random_retraining
        kind = _search(label, batchnorm) if is_search else {"kind": "training", "optimizer": None, "loop": None}
        common = {"id": f"{place:012}", "identity": {"mode": "oneshot", "label": label}, "label": label, "name": label}
        write_json(where / "cell.json", common | kind | {"retraining": own and dict(own)} | told)
        archs = (architectures or {}).get(label, [GOOD] * len(accuracies))
        for seed, accuracy, arch in zip(asked, accuracies, archs, strict=False):
            if accuracy is not None:
                result = _result(arch, accuracy, own, is_search, table is not None, seed)
                columns = _epochs(label, arch, is_search, table is not None)
                write_run(where, seed, columns, result, {**MADE, "threads": 1, "device": "cpu", **(made or {})})
    study = {"id": "planted", "name": folder.name, "description": "", "kind": "oneshot", "cells": cells, "seeds": asked}
    write_json(folder / STUDY_FILE, study | {"fewer_seeds": fewer, "skipped": [], "failures": []} | about)
    return folder


_SUPERNET = {
    "name": "nasbench201",
    "label": "nasbench201(channels=8, cells=1)",
    "options": {"channels": 8, "cells": 1},
    "citation": "the makers of nasbench201",
    "space": SPACE,
    "edges": EDGES,
}


def _search(label: str, batchnorm: str) -> dict[str, Any]:
    name = label.partition("(")[0]
    settings = {"lam": 2}
    return {
        "kind": "search",
        "optimizer": {
            "name": name,
            "label": label,
            "citation": f"the inventors of {name}",
            "recommends": "mode",
            "settings": settings,
            "defaults": settings,
        },
        "loop": {"epochs": EPOCHS, "batch_size": 32, "weights_lr": 0.1, "batchnorm": batchnorm},
    }


def rank_of(arch: Sequence[int]) -> int:
    """The mixed-radix number of an architecture."""
    return int(np.ravel_multi_index(tuple(arch), [len(OPERATIONS)] * len(EDGES)))


def string_of(arch: Sequence[int]) -> str:
    """The field's name of an architecture."""
    parts = [f"{OPERATIONS[value]}~{source}" for value, (source, _) in zip(arch, EDGES, strict=True)]
    return "+".join(f"|{'|'.join(parts[start:end])}|" for start, end in ((0, 1), (1, 3), (3, 6)))


def _result(
    arch: Sequence[int], accuracy: float, retraining: Any, is_search: bool, has_table: bool, seed: int
) -> dict[str, Any]:
    result: dict[str, Any] = {
        "architecture": [*arch],
        "rank": rank_of(arch),
        "string": string_of(arch),
        "counts": {name: sum(value == place for value in arch) for place, name in enumerate(OPERATIONS)},
        "parameters": 1000 * sum(value == 3 for value in arch) + 500,
        "true": {"searched": 90.0 + seed, "reported": 91.0 + seed} if has_table else None,
        "retrained": [],
        "epochs": EPOCHS,
        "steps": 36,
    }
    if retraining:
        result["retrained"] = [
            {"seed": place, "test_accuracy": accuracy + half, "test_loss": 0.1, "seconds": 1.5}
            for place, half in enumerate((-0.5, 0.5))
        ]
    if is_search:
        result |= {"chosen_by": "mode", "shared_accuracy": 60.0 + seed, "shared_loss": 1.0, "shared_images": 600}
        result |= {"ranking": None, "search_seconds": 30.0 + seed}
        if has_table:
            result["ranking"] = {
                "architectures": 60,
                "images": 600,
                "tau": -0.3 + 0.1 * seed,
                "tau_error": 0.09,
                "tau_better_half": 0.1,
                "tau_better_half_error": 0.13,
                "batchnorm": "batch",
                "measure": "shared-weight accuracy, ties by loss",
            }
    return result


def _epochs(label: str, arch: Sequence[int], is_search: bool, has_table: bool) -> dict[str, list[float]]:
    """From the architecture of skip connections to what is found, halfway."""
    E, halfway = EPOCHS, EPOCHS // 2
    columns: dict[str, list[float]] = {
        "epoch": [*range(1, E + 1)],
        "learning_rate": [0.1] * E,
        "train_loss": [2.0 - 0.25 * epoch for epoch in range(E)],
        "seconds": [1.5 * (epoch + 1) for epoch in range(E)],
        "peak_mebibytes": [400.0 + epoch for epoch in range(E)],
        "cpu_percent": [95.0] * E,
        "memory_mebibytes": [390.0] * E,
    }
    if not is_search:
        return columns
    has_step = label.startswith("asng")
    return columns | {
        "step": [9 * (epoch + 1) for epoch in range(E)],
        "valid_loss": [2.1 - 0.25 * epoch for epoch in range(E)],
        "recommended": [rank_of(SKIPS)] * halfway + [rank_of(arch)] * (E - halfway),
        "shared_accuracy": [30.0 + 10 * epoch for epoch in range(E)],
        "shared_loss": [2.0 - 0.2 * epoch for epoch in range(E)],
        "true_searched": [(70.0 if epoch < halfway else 91.0) if has_table else math.nan for epoch in range(E)],
        "true_reported": [(71.0 if epoch < halfway else 92.0) if has_table else math.nan for epoch in range(E)],
        "entropy": [9.0 - epoch for epoch in range(E)],
        "step_size": [0.5 + 0.1 * epoch if has_step else math.nan for epoch in range(E)],
        "monitor_seconds": [0.1] * E,
    }
