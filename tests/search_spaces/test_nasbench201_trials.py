"""The recorded trials of NAS-Bench-201, and the noise that picks one of them."""

from __future__ import annotations

import numpy as np
import pytest

from search_spaces.errors import ArenaError
from search_spaces.nasbench201 import NASBench201

pytestmark = pytest.mark.usefixtures("own_cache")

NAMES = NASBench201.datasets


@pytest.mark.parametrize("name", NAMES)
def test_trials_are_three_or_two(name: str) -> None:
    benchmark = NASBench201(name, reported="validation")
    trials, counts = benchmark.tables.trials, benchmark.tables.trial_counts
    assert trials is not None
    assert counts is not None
    assert trials.shape == (15_625, 3)
    assert dict(zip(*(values.tolist() for values in np.unique(counts, return_counts=True)), strict=True)) == {
        2: 7_456,
        3: 8_169,
    }
    np.testing.assert_array_equal(np.isfinite(trials), np.arange(3) < counts[:, None])
    np.testing.assert_allclose(benchmark.tables.search[0], np.nanmean(trials, axis=1), rtol=0, atol=1e-10)
    assert benchmark.noise_kinds == ("trials",)


@pytest.mark.parametrize("name", NAMES)
def test_noise_picks_recorded_trials_evenly(name: str) -> None:
    """An even grid of uniforms gives every recorded trial its exact share, of every architecture, and no NaN."""
    benchmark = NASBench201(name, reported="validation")
    trials, counts = benchmark.tables.trials, benchmark.tables.trial_counts
    assert trials is not None
    assert counts is not None
    archs = benchmark.space.architectures(np.arange(benchmark.space.size))
    grid = (np.arange(6) + 0.5) / 6
    picked = benchmark.search_loss(archs[:, None].repeat(6, axis=1), noise=np.tile(grid, (len(archs), 1)))
    twos, threes = counts == 2, counts == 3
    np.testing.assert_array_equal(picked[twos], trials[twos][:, [0, 0, 0, 1, 1, 1]])
    np.testing.assert_array_equal(picked[threes], trials[threes][:, [0, 0, 1, 1, 2, 2]])
    assert np.isfinite(picked).all()


def test_the_edges_of_the_uniforms_pick_a_trial_too() -> None:
    benchmark = NASBench201("cifar10", reported="validation")
    trials, counts = benchmark.tables.trials, benchmark.tables.trial_counts
    assert trials is not None
    assert counts is not None
    archs = benchmark.space.architectures(np.arange(benchmark.space.size))
    first = benchmark.search_loss(archs, noise=np.zeros(len(archs)))
    np.testing.assert_array_equal(first, trials[:, 0])
    last = benchmark.search_loss(archs, noise=np.full(len(archs), np.nextafter(1.0, 0.0)))
    np.testing.assert_array_equal(last, trials[np.arange(len(archs)), counts - 1])


def test_random_noise_has_the_right_shares() -> None:
    benchmark = NASBench201("cifar100", reported="validation")
    trials, counts = benchmark.tables.trials, benchmark.tables.trial_counts
    assert trials is not None
    assert counts is not None
    generator = np.random.default_rng(0)
    for count in (2, 3):
        distinct = [rank for rank in np.flatnonzero(counts == count) if len(set(trials[rank, :count])) == count]
        arch = benchmark.space.architectures(distinct[0])
        picked = benchmark.search_loss(np.tile(arch, (30_000, 1)), noise=generator.random(30_000))
        values, shares = np.unique(picked, return_counts=True)
        assert values.tolist() == sorted(trials[distinct[0], :count].tolist())
        assert np.abs(shares / 30_000 - 1 / count).max() < 0.015  # five standard deviations


@pytest.mark.usefixtures("data_folder")
def test_no_trials_are_known_after_12_epochs() -> None:
    benchmark = NASBench201("cifar10", epochs=12)
    assert benchmark.noise_kinds == ()
    assert benchmark.fidelities == (12,)
    with pytest.raises(ArenaError, match="no trials at fidelity 12"):
        benchmark.search_loss([0] * 6, noise=np.array(0.5))
