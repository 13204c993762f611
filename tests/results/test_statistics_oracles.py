"""Statistics against numbers that other packages gave, frozen by record_statistics_oracles.py."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from results.blocks import critical_difference, mean_ranks
from results.comparison import holm, probability_of_improvement
from results.statistics import performance_profile, pooled_interquartile_mean, pooled_interquartile_mean_interval

RECORDED = json.loads(Path(__file__).with_name("statistics_oracles.json").read_text(encoding="utf-8"))
TASKS = pytest.mark.parametrize("recorded", RECORDED["tasks"].values(), ids=RECORDED["tasks"])


@TASKS
def test_pooled_interquartile_mean_is_rliables(recorded: dict[str, Any]) -> None:
    assert pooled_interquartile_mean(recorded["first"]) == pytest.approx(recorded["iqm"], rel=1e-12)


@TASKS
def test_its_interval_is_rliables(recorded: dict[str, Any]) -> None:
    """Theirs is of 20,000 other resamples: ours of 2,000 lies within 5 % of the interval's width."""
    width = np.ptp(recorded["iqm_interval"])
    ours = pooled_interquartile_mean_interval(recorded["first"])
    np.testing.assert_allclose(ours, recorded["iqm_interval"], atol=0.05 * width)


@TASKS
def test_performance_profile_is_rliables(recorded: dict[str, Any]) -> None:
    """Bands are shares of runs: with few runs an end moves by one of them, which is one run of one task."""
    share, low, high = performance_profile(recorded["first"], recorded["thresholds"])
    np.testing.assert_allclose(share, recorded["profile"], atol=1e-12)
    one_run = 1 / np.size(recorded["first"])
    np.testing.assert_allclose([low, high], recorded["profile_band"], atol=1.01 * one_run)


@TASKS
def test_probability_of_improvement_is_rliables(recorded: dict[str, Any]) -> None:
    effect = probability_of_improvement(list(zip(recorded["first"], recorded["second"], strict=True)))
    assert effect.value == pytest.approx(recorded["improvement"], rel=1e-12)


@pytest.mark.parametrize("name", ["skewed", "tied"])
def test_its_closed_form_is_close_to_rliables_bootstrap(name: str) -> None:
    """Two estimates of one interval, at 25 to 40 runs a task: within a tenth of its width."""
    recorded = RECORDED["tasks"][name]
    effect = probability_of_improvement(list(zip(recorded["first"], recorded["second"], strict=True)))
    width = np.ptp(recorded["improvement_interval"])
    np.testing.assert_allclose((effect.low, effect.high), recorded["improvement_interval"], atol=0.1 * width)


def test_critical_difference_has_scikit_posthocs_p_values() -> None:
    """The difference of two mean ranks is critical at the level that is its p-value."""
    recorded = RECORDED["nemenyi"]
    ranks, p_values = mean_ranks(recorded["scores"]), np.array(recorded["p_values"])
    blocks, treatments = np.shape(recorded["scores"])
    pairs = [(i, j) for i, j in itertools.combinations(range(treatments), 2) if p_values[i, j] < 0.9]
    assert len(pairs) >= 3
    for i, j in pairs:
        critical = critical_difference(treatments, blocks, level=p_values[i, j])
        assert critical == pytest.approx(abs(ranks[i] - ranks[j]), rel=1e-4)


def test_holm_is_statsmodels() -> None:
    np.testing.assert_allclose(holm(RECORDED["holm"]["p_values"]), RECORDED["holm"]["adjusted"], rtol=1e-12)
