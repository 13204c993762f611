"""The judge of a one-shot search, on shared weights whose accuracies are known."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from harness.judge import Judge, random_architectures
from harness.oneshot import complete
from harness.oneshot_settings import LoopSettings
from optimizers.registry import OPTIMIZERS
from search_spaces.gates import Gates
from search_spaces.nasbench201 import NASBench201Supernet
from search_spaces.registry import get_benchmark

SPACE = NASBench201Supernet()
TABLE = get_benchmark("nasbench201", reported="validation")
SETTINGS = LoopSettings(monitor_images=50, ranking_architectures=40, ranking_images=70)
Accuracies = Callable[[NDArray[np.int64]], NDArray[np.float64]]


class Known:
    """Shared weights that give the accuracies they are told, and remember on which images."""

    def __init__(self, accuracies: Accuracies) -> None:
        self._accuracies = accuracies
        self.valid_half = torch.arange(1000, 1300)
        self.archs: list[NDArray[np.int64]] = []
        self.images: list[list[int]] = []

    def judge(self, gates: Sequence[Gates], images: torch.Tensor) -> tuple[Any, Any]:
        archs = np.array([[value for (value,) in one.active] for one in gates])
        self.archs.append(archs)
        self.images.append(images.tolist())
        return self._accuracies(archs), np.ones(len(archs))


def of_table(archs: NDArray[np.int64]) -> NDArray[np.float64]:
    return 100.0 - TABLE.search_loss(archs)


def judged(method: str, accuracies: Accuracies = of_table, seed: int = 0, **own: Any) -> tuple[Known, Judge, Any]:
    made = OPTIMIZERS.load(method)(SPACE.space, (seed,))
    settings = complete(LoopSettings(**(vars(SETTINGS) | own)), made)
    weights: Any = Known(accuracies)
    return weights, Judge(weights, SPACE, TABLE, settings, seed, torch.device("cpu")), made


def test_every_epoch_is_judged_on_the_same_few_images_of_the_seed() -> None:
    seen = []
    for seed in (0, 0, 1):
        weights, judge, asng = judged("asng", seed=seed)
        for _ in range(2):
            row = judge.look(asng)
        assert row["recommended"] == SPACE.space.index(asng.recommend()[0])
        assert row["shared_accuracy"] == row["true_searched"] == of_table(asng.recommend())[0]
        assert len(weights.archs[0]) == 1
        assert weights.images[0] == weights.images[1]
        assert len(set(weights.images[0])) == 50
        assert set(weights.images[0]) <= set(weights.valid_half.tolist())
        seen.append(weights.images[0])
    assert seen[0] == seen[1] != seen[2]


def test_without_a_mode_the_best_of_some_samples_is_shown() -> None:
    weights, judge, method = judged("random_search", monitor_samples=20)
    rows = [judge.look(method) for _ in range(2)]
    for row, archs in zip(rows, weights.archs, strict=True):
        assert len(archs) == 20
        assert row["recommended"] == SPACE.space.index(archs[of_table(archs).argmax()])
        assert row["shared_accuracy"] == of_table(archs).max()
    assert not np.array_equal(*weights.archs), "fresh ones every time"


def test_the_answer_is_the_best_candidate_on_the_whole_validation_half() -> None:
    weights, judge, method = judged("random_search", final_candidates=30)
    answer = judge.conclude(method)
    assert sorted(weights.images[0]) == weights.valid_half.tolist()
    assert answer["shared_images"] == 300
    candidates = weights.archs[0]
    assert 20 < len(candidates) <= 30
    assert answer["rank"] == SPACE.space.index(candidates[of_table(candidates).argmax()])
    assert answer["true"]["searched"] == answer["shared_accuracy"] == of_table(candidates).max()


def test_shared_weights_that_know_the_table_rank_as_it_does() -> None:
    weights, judge, asng = judged("asng")
    ranking = judge.conclude(asng)["ranking"]
    np.testing.assert_array_equal(weights.archs[1], random_architectures(SPACE, range(40)))
    assert (ranking["architectures"], ranking["images"], len(set(weights.images[1]))) == (40, 70, 70)
    assert ranking["tau"] == pytest.approx(1)
    assert ranking["tau_better_half"] == pytest.approx(1)


def test_the_better_half_is_that_of_the_table() -> None:
    """Shared weights that order the better half as the table does, and the others the other way round."""
    archs = random_architectures(SPACE, range(40))
    median = np.median(of_table(archs))

    def folded(archs: NDArray[np.int64]) -> NDArray[np.float64]:
        return np.abs(of_table(archs) - median)

    _, judge, asng = judged("asng", folded)
    ranking = judge.conclude(asng)["ranking"]
    assert ranking["better_half"] == 20
    assert ranking["tau_better_half"] == pytest.approx(1)
    assert abs(ranking["tau"]) < 0.5


def test_nothing_is_ranked_where_it_is_not_asked_for() -> None:
    weights, judge, asng = judged("asng", ranking_architectures=0)
    assert judge.conclude(asng)["ranking"] is None
    assert len(weights.archs) == 1
