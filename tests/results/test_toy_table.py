"""What a toy study comes to, from made-up trials."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from results.published import toy_reference
from results.toy_record import ToyRecord
from results.toy_table import ToyRow, render_toy, toy_rows


def record(by_loss: Any, variant: str = "asng", k: float | None = 0.0, **problem: Any) -> ToyRecord:
    values = np.asarray(by_loss, dtype=np.float64)
    columns = {
        "by_loss": values,
        "by_mode": np.where(values < 1000, values, np.inf),
        "step_size_low": np.full(len(values), 0.2 if variant.startswith("asng") else np.nan),
        "step_size_high": np.full(len(values), 1.0 if variant.startswith("asng") else np.nan),
    }
    about = {
        "optimizer": {"label": variant},
        "k": k,
        "problem": {**toy_reference()["problem"], "eta_x": 0.005, **problem},
    }
    return ToyRecord(about, np.arange(len(values)), columns, ())


def test_a_row_is_compared_with_that_of_its_settings() -> None:
    """The reference's quartiles of asng at k = 0 are 1325 and 1839."""
    inside, below = ToyRow.of(record([1500.0] * 9)), ToyRow.of(record([1300.0] * 9))
    edge = ToyRow.of(record([1325.0] * 9))
    assert (inside.overlaps, below.overlaps, edge.overlaps) == (True, False, True)
    assert inside.step_size == (0.2, 1.0)
    for other in (
        record([1500.0], k=0.3),
        record([1500.0], k=None),
        record([1500.0], "asng(lam=8)"),
        record([1500.0], values=4),
        record([1500.0], iterations=1000),
        record([1500.0], eta_x=0.01),
    ):
        assert ToyRow.of(other).reference is None
        assert ToyRow.of(other).overlaps is None
    assert ToyRow.of(record([1500.0] * 9, "asng(alpha=2.0)")).overlaps is None, "it has a median alone"


def test_failures_are_infinite_and_late() -> None:
    row = ToyRow.of(record([1500.0] * 6 + [np.inf] * 4))
    assert (row.median, row.high) == (1500, np.inf)
    assert (row.successes, row.trials, row.at_mode) == (6, 10, 0)
    assert row.overlaps, "the median may be 1500"
    assert row.quartiles == (1500, np.inf)
    never = ToyRow.of(record([np.inf] * 10))
    assert (never.median, never.low) == (np.inf, np.inf)
    assert not never.overlaps


@pytest.mark.parametrize(("successes", "agree"), [(100, True), (99, True), (80, True), (50, False), (0, False)])
def test_success_rates_against_ten_of_ten(successes: int, agree: bool) -> None:
    """Fisher's exact test: of 80 + 10 successes in 110 trials, 20 failures all fall on the first 100 in 1 of 7."""
    row = ToyRow.of(record([1500.0] * successes + [np.inf] * (100 - successes)))
    assert row.rates_agree is agree


def test_the_text_names_rows_that_are_apart() -> None:
    rows = toy_rows(
        [
            record([np.inf] * 12, "sng", 1.5),
            record([900.0] * 12, "adam_sng", 1.0, eta_x=0.05),
            record([1500.0] * 12, "asng", 0.0),
            record([5000.0] * 12, "asng", 1.5),
            record([1500.0] * 12, "sng", 0.0),
        ]
    )
    assert [(row.record.variant, row.record.k) for row in rows] == [
        ("asng", 0.0),
        ("asng", 1.5),
        ("sng", 0.0),
        ("sng", 1.5),
        ("adam_sng", 1.0),
    ]
    text = render_toy(rows)
    assert "in 2 of 4 rows that have some; not in asng k 1.5 eta_x 0.005, adam_sng k 1 eta_x 0.05." in " ".join(
        text.split()
    )
    assert "Success rates agree with the reference's in 5 of 5 rows" in text
    assert "not the paper's" in text
    assert max(map(len, text.splitlines())) <= 130
    assert "…" not in text
    assert "Reference" not in render_toy(toy_rows([record([5.0], k=0.3)]))
