"""Cells for the tests of figures, made of a few runs that are given evaluation by evaluation."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from results.record import CellRecord

WORDING = {
    "unit": "points",
    "regret_unit": "points",
    "searched": "validation error",
    "reported": "test accuracy",
    "kind": "test",
    "measure": "accuracy",
    "complement": True,
    "scale": "linear",
    "remark": "",
}
LANDMARKS = {"median_regret": 2.0, "best_final_loss": 6.0, "targets": {"5%": 3.0, "0.1%": 1.0, "best": 0.0}}
CHOICES = ["none", "skip", "conv"]
SPACE = {
    "variables": [
        {"kind": "categorical", "name": "0->1", "choices": CHOICES},
        {"kind": "categorical", "name": "0->2", "choices": CHOICES},
        {"kind": "ordinal", "name": "width", "values": [8, 16]},
    ]
}


def drawn_cell(
    label: str,
    regrets: Any,
    *,
    seconds: Any = 10.0,
    at: tuple[int, ...] = (1, 2, 4),
    unit: str = "evaluations",
    mode: Any = None,
    settings: dict[str, Any] | None = None,
    diagnostics: dict[str, Any] | None = None,
    **benchmark: Any,
) -> CellRecord:
    """A cell of R seeds whose n-th evaluation has the regret [R, N], and takes so many seconds (a number or [R, N]).

    Args:
        label: the optimizer's name and, in brackets, its settings.
        at: the checkpoints, in the unit of the budget.
        mode: the regret of the recommendation after each evaluation [R, N]; that of the best seen where it is None.
        benchmark: replaces parts of what is said of the benchmark.
    """
    regrets = np.array(regrets, dtype=float)
    R, N = regrets.shape
    clock = np.cumsum(np.broadcast_to(np.asarray(seconds, dtype=float), (R, N)), axis=1)
    best = np.minimum.accumulate(regrets, axis=1)
    time = np.broadcast_to(np.arange(1, N + 1), (R, N)) if unit == "evaluations" else clock
    done = (time[:, None, :] <= np.array(at)[None, :, None]).sum(axis=-1)  # [R, C]
    row = np.arange(R)[:, None]

    def read(values: Any) -> Any:
        return np.where(done > 0, np.asarray(values, dtype=float)[row, done - 1], np.nan)

    better = np.column_stack([np.ones(R, dtype=bool), best[:, 1:] < best[:, :-1]]) & (time <= at[-1])
    seed, place = np.nonzero(better)
    columns: dict[str, Any] = {
        "evaluations": done,
        "seconds": np.where(np.isnan(clock).any(), np.nan, np.nan_to_num(read(clock))),
        "incumbent_regret": read(best),
        "recommended_regret": read(best if mode is None else mode),
    }
    for answer in ("incumbent", "recommended"):
        columns[answer] = np.nan_to_num(columns[f"{answer}_regret"], nan=-1).astype(int)
        columns[f"{answer}_final"] = columns[f"{answer}_regret"] + 7
    columns |= {f"diagnostic.{name}": np.array(values, dtype=float) for name, values in (diagnostics or {}).items()}
    name = label.partition("(")[0]
    about = {
        "optimizer": {
            "name": name,
            "label": label,
            "recommends": "best seen" if mode is None else "mode",
            "settings": settings or {},
        },
        "benchmark": {
            "label": "planted-x",
            "wording": WORDING,
            "landmarks": LANDMARKS,
            "table_size": 18,
            "noise": None,
            "space": SPACE,
            **benchmark,
        },
        "budget": {"unit": unit, "limit": at[-1]},
        "report_at": [at[-1]],
    }
    return CellRecord(
        about=about,
        folder=Path(),
        seeds=np.arange(R),
        checkpoints=np.array(at),
        columns=columns,
        improvements={
            "seed": seed,
            "evaluations": place + 1,
            "seconds": clock[better],
            "index": place,
            "regret": best[better],
        },
        distribution=None,
        made=(),
    )
