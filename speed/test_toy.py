"""The speed of the toy problem of the ASNG paper; the bundled study has 31 rows of 100 trials.

    pytest speed/test_toy.py

`nas-arena run step_size_toy` is to take less than 5 minutes on two cores, a third of it in the two rows that never
succeed.
"""

from __future__ import annotations

from typing import Any

import pytest

from harness.toy import ToyProblem, run_toy
from optimizers.registry import OPTIMIZERS

ITERATIONS = 300  # before any trial ends


@pytest.mark.parametrize("trials", [1, 100])
@pytest.mark.parametrize("optimizer", ["asng", "sng", "adam_sng"])
def test_an_iteration(benchmark: Any, optimizer: str, trials: int) -> None:
    problem, cls = ToyProblem(eta_x=0.005, iterations=ITERATIONS), OPTIMIZERS.load(optimizer)
    args = problem, cls, {"delta_init": 0.1}, range(trials)
    result = benchmark.pedantic(run_toy, args=args, rounds=5, warmup_rounds=1)
    assert (result.by_loss > ITERATIONS).all()
    benchmark.extra_info["per"] = ITERATIONS, "iteration"
