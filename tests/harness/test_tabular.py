"""The tabular loop against a slow one that follows the definitions, evaluation by evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from harness.tabular import Budget, SearchResult, checkpoints, search
from optimizers.asng import ASNG
from optimizers.base import Optimizer
from optimizers.random_search import RandomSearch
from optimizers.regularized_evolution import RegularizedEvolution
from optimizers.streams import Streams
from search_spaces.benchmark import Tables, TabularBenchmark, Wording
from search_spaces.space import Categorical, SearchSpace

SPACE = SearchSpace(Categorical(f"v{v}", "abc") for v in range(4))  # 81 architectures: repeats are common
WORDING = Wording(unit="points", searched="a made-up loss", reported="another", kind="test")


def made_up(*, times: bool = True, trials: bool = False) -> TabularBenchmark:
    rng = np.random.default_rng(0)
    search_loss = rng.integers(0, 30, SPACE.size) / 4.0  # with ties
    recorded = search_loss[:, None] + rng.normal(size=(SPACE.size, 3)).round(1)
    counts = rng.integers(2, 4, SPACE.size)
    return TabularBenchmark(
        dataset="made-up",
        space=SPACE,
        fidelities=(1,),
        wording=WORDING,
        tables=Tables(
            search=search_loss[None],
            final=rng.normal(size=SPACE.size),
            seconds=rng.uniform(5, 50, SPACE.size)[None] if times else None,
            trials=np.where(np.arange(3) < counts[:, None], recorded, np.nan) if trials else None,
            trial_counts=counts if trials else None,
        ),
    )


@dataclass
class Slow:
    """One seed, by the definitions."""

    optimizer: Optimizer
    benchmark: TabularBenchmark
    budget: Budget
    noise: Streams | None = None
    seen: list[tuple[float, int, float, float]] = field(default_factory=list)  # end, rank, loss, seconds
    said: list[tuple[float, int, dict[str, Any]]] = field(
        default_factory=list
    )  # from when on, recommended, diagnostics

    def run(self) -> Slow:
        end = seconds = 0.0
        self.said.append((0.0, -1, self.optimizer.diagnostics()))
        while end < self.budget.limit:
            archs = self.optimizer.ask()
            ranks = SPACE.index(archs[0])
            uniforms = None if self.noise is None else self.noise.draw(len(ranks)).T
            losses = self.benchmark.search_loss(archs, noise=uniforms)
            for rank, loss in zip(ranks.tolist(), losses[0].tolist(), strict=True):
                seconds += float(self.benchmark.seconds_at(np.array(rank))) * 1.03
                end = seconds if self.budget.unit == "seconds" else end + 1
                self.seen.append((end, rank, loss, seconds))
            self.optimizer.tell(archs, losses)
            said = int(SPACE.index(self.optimizer.recommend())[0])
            self.said.append((end, said, self.optimizer.diagnostics()))
        return self

    def at(self, checkpoint: float) -> dict[str, Any]:
        counted = [one for one in self.seen if one[0] <= checkpoint]
        incumbent = min(counted, key=lambda one: one[2])[1] if counted else -1  # `min` gives the first of equals
        _, recommended, diagnostics = [one for one in self.said if one[0] <= checkpoint][-1]
        return {
            "evaluations": len(counted),
            "distinct": len({rank for _, rank, _, _ in counted}),
            "seconds": counted[-1][3] if counted else 0.0,
            "incumbent": incumbent,
            "recommended": recommended,
            **{f"diagnostic.{name}": values[0] for name, values in diagnostics.items()},
        }

    def improvements(self) -> list[tuple[int, float, int]]:
        rows, best = [], float("nan")
        for place, (end, rank, loss, seconds) in enumerate(self.seen):
            if end <= self.budget.limit and not loss >= best:
                rows.append((place + 1, seconds, rank))
                best = loss
        return rows


OPTIMIZERS: dict[str, tuple[type[Optimizer], dict[str, Any]]] = {
    "asng lam 2": (ASNG, {}),
    "asng lam 7": (ASNG, {"lam": 7}),
    "evolution": (RegularizedEvolution, {"population": 6, "sample_size": 2}),
    "random": (RandomSearch, {}),
}


def both(name: str, benchmark: TabularBenchmark, budget: Budget, *, noisy: bool) -> tuple[SearchResult, list[Slow]]:
    seeds = [4, 0, 9]
    cls, settings = OPTIMIZERS[name]
    at = checkpoints(budget, (7,), benchmark, 1.03)
    noise = Streams(seeds, "noise") if noisy else None
    result = search(cls(SPACE, seeds, **settings), benchmark, budget, at, noise=noise)
    slow = [
        Slow(cls(SPACE, [seed], **settings), benchmark, budget, Streams([seed], "noise") if noisy else None).run()
        for seed in seeds
    ]
    return result, slow


@pytest.mark.parametrize("noisy", [False, True], ids=["mean", "trials"])
@pytest.mark.parametrize(
    "budget", [Budget("evaluations", 200), Budget("seconds", 2500)], ids=["evaluations", "seconds"]
)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_it_records_what_the_definitions_say(name: str, budget: Budget, noisy: bool) -> None:
    benchmark = made_up(trials=noisy)
    result, slow = both(name, benchmark, budget, noisy=noisy)
    for row, one in enumerate(slow):
        for place, checkpoint in enumerate(result.checkpoints.tolist()):
            for column, expected in one.at(checkpoint).items():
                np.testing.assert_allclose(
                    result.columns[column][row, place], expected, rtol=1e-12, err_msg=f"{column} at {checkpoint}"
                )
        mine = result.improvements["seed"] == result.seeds[row]
        columns = (result.improvements[column][mine] for column in ("evaluations", "seconds", "index"))
        found = list(zip(*(column.tolist() for column in columns), strict=True))
        np.testing.assert_allclose(found, one.improvements(), rtol=1e-12)


def test_regret_is_without_noise_and_final_is_another_number() -> None:
    benchmark = made_up(trials=True)
    result, _ = both("asng lam 2", benchmark, Budget("evaluations", 200), noisy=True)
    regret = benchmark.tables.search[-1] - benchmark.tables.search[-1].min()
    for answer in ("incumbent", "recommended"):
        ranks = result.columns[answer]
        known = ranks >= 0
        np.testing.assert_array_equal(result.columns[f"{answer}_regret"][known], regret[ranks[known]])
        np.testing.assert_array_equal(result.columns[f"{answer}_final"][known], benchmark.tables.final[ranks[known]])
        assert np.isnan(result.columns[f"{answer}_regret"][~known]).all()
    np.testing.assert_array_equal(result.improvements["regret"], regret[result.improvements["index"]])


def test_the_distribution_is_the_mean_over_seeds() -> None:
    benchmark, budget = made_up(), Budget("evaluations", 100)
    at = checkpoints(budget, (), benchmark, 1.03)
    result = search(ASNG(SPACE, range(5)), benchmark, budget, at)
    again = ASNG(SPACE, range(5))
    for _ in range(50):
        archs = again.ask()
        again.tell(archs, benchmark.search_loss(archs))
    assert result.distribution is not None
    np.testing.assert_allclose(result.distribution[-1], again.probabilities.mean(0), rtol=1e-12)
    np.testing.assert_allclose(result.distribution[0], 1 / 3, rtol=1e-12)


def test_a_batch_that_passes_the_end_counts_in_part() -> None:
    """With lam = 7 and 10 evaluations, three of the second batch count; what it recommends is from the first."""
    benchmark, budget = made_up(), Budget("evaluations", 10)
    result, slow = both("asng lam 7", benchmark, budget, noisy=False)
    assert result.columns["evaluations"][0, -1] == 10
    assert result.columns["recommended"][0, -1] == slow[0].said[1][1]


def test_a_table_without_times_has_no_seconds() -> None:
    result, _ = both("random", made_up(times=False), Budget("evaluations", 20), noisy=False)
    assert np.isnan(result.columns["seconds"]).all()


@pytest.mark.parametrize("limit", [1, 2, 59, 1000, 100_000])
def test_checkpoints_are_whole_ascending_and_hold_the_named_budgets(limit: int) -> None:
    at = checkpoints(Budget("evaluations", limit), (1, limit), made_up(), 1.03)
    assert at.dtype == np.int64
    assert (np.diff(at) > 0).all()
    assert {1, limit} <= set(at.tolist())
    assert len(at) <= 62


def test_checkpoints_in_seconds_start_at_the_cost_of_one_evaluation() -> None:
    benchmark = made_up()
    at = checkpoints(Budget("seconds", 12_000), (), benchmark, 1.03)
    assert at[0] == round(float(np.median(benchmark.tables.seconds)) * 1.03)
    assert at[-1] == 12_000
