"""How often the 95 % intervals hold the truth, against the table of docs/statistics.md.

``python tests/results/test_coverage.py`` makes the whole table; the tests here make two of its columns, with the same
numbers of repetitions.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binom, expon, lognorm, norm

from results.comparison import Effect, a12, difference, probability_of_improvement
from results.statistics import (
    interquartile_mean,
    interquartile_mean_interval,
    mean_interval,
    performance_profile,
    pooled_interquartile_mean,
    pooled_interquartile_mean_interval,
    wilson_interval,
)

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
REPEATS = 2000  # a share near 0.95 is then known to 0.5 points, one near 0.5 to 1.1
COLUMNS = (5, 10, 20, 50, 200)
TESTED = (5, 20)  # two columns take the tests 15 s, all five would take minutes

FINE = (np.arange(100_000) + 0.5) / 100_000  # as quantiles of a distribution: a sample without luck
LOGNORMAL = float(interquartile_mean(lognorm.ppf(FINE, 1)))


def share(hits: Iterator[bool]) -> float:
    return float(np.mean([next(hits) for _ in range(REPEATS)]))


def iqm_normal(n: int, rng: np.random.Generator) -> float:
    low, high = interquartile_mean_interval(rng.normal(size=(n, REPEATS)))
    return float(((low <= 0) & (high >= 0)).mean())


def iqm_exponential(n: int, rng: np.random.Generator) -> float:
    truth = float(interquartile_mean(expon.ppf(FINE)))
    low, high = interquartile_mean_interval(rng.exponential(size=(n, REPEATS)))
    return float(((low <= truth) & (high >= truth)).mean())


def mean_of_zeros(n: int, rng: np.random.Generator) -> float:
    runs = rng.exponential(size=(REPEATS, n)) * (rng.random((REPEATS, n)) < 0.05)
    mean, half = mean_interval(runs)
    return float((abs(mean - 0.05) <= half).mean())


def pooled(n: int, rng: np.random.Generator) -> float:
    truth = pooled_interquartile_mean([norm.ppf(FINE, 1, 0.3), expon.ppf(FINE), expon.ppf(FINE, scale=0.4)])

    def hits() -> Iterator[bool]:
        while True:
            tasks = [rng.normal(1, 0.3, n), rng.exponential(size=n), rng.exponential(0.4, n)]
            low, high = pooled_interquartile_mean_interval(tasks)
            yield low <= truth <= high

    return share(hits())


def profile(n: int, rng: np.random.Generator) -> float:
    def hits() -> Iterator[bool]:
        while True:
            _, low, high = performance_profile([rng.random(n), 2 * rng.random(n), 3 * rng.random(n)], [0.9])
            yield low[0] <= (0.9 + 0.45 + 0.3) / 3 <= high[0]

    return share(hits())


def effect_of(truth: float, tasks: int) -> Callable[[int, np.random.Generator], float]:
    """Of two normals, of which the first is below the second with probability ``truth``."""
    shift = math.sqrt(2) * norm.ppf(truth)

    def effect(n: int, rng: np.random.Generator) -> Effect:
        pairs = [(rng.normal(size=n), rng.normal(shift, 1, n)) for _ in range(tasks)]
        return a12(*pairs[0]) if tasks == 1 else probability_of_improvement(pairs)

    def simulated(n: int, rng: np.random.Generator) -> float:
        def hits() -> Iterator[bool]:
            while True:
                found = effect(n, rng)
                yield found.low <= truth <= found.high

        return share(hits())

    return simulated


def difference_of(paired: bool) -> Callable[[int, np.random.Generator], float]:
    """Of two lognormals, one 1.3 times the other; the logarithms of a pair have a correlation of 0.64."""

    def simulated(n: int, rng: np.random.Generator) -> float:
        def hits() -> Iterator[bool]:
            while True:
                common = 0.8 * rng.normal(size=n) if paired else 0
                own = rng.normal(size=(2, n)) * (0.6 if paired else 1)
                first, second = np.exp(common + own)
                found = difference(first, 1.3 * second, paired=paired)
                yield found.low <= -0.3 * LOGNORMAL <= found.high

        return share(hits())

    return simulated


def equivalent(margin: float, shift: float) -> Callable[[int, np.random.Generator], float]:
    """How often two normals of standard deviation 1 are said to be equivalent."""

    def simulated(n: int, rng: np.random.Generator) -> float:
        def hits() -> Iterator[bool]:
            while True:
                yield difference(rng.normal(shift, 1, n), rng.normal(size=n)).within(margin)

        return share(hits())

    return simulated


def wilson(p: float) -> Callable[[int, np.random.Generator], float]:
    """Exact: the probabilities of all successes whose interval holds p."""

    def exact(n: int, rng: np.random.Generator) -> float:
        ends = [wilson_interval(successes, n) for successes in range(n + 1)]
        held = [low <= p <= high for low, high in ends]
        return float(binom.pmf(np.flatnonzero(held), n, p).sum())

    return exact


ROWS: dict[str, Callable[[int, np.random.Generator], float]] = {
    "IQM, normal runs": iqm_normal,
    "IQM, exponential runs": iqm_exponential,
    "mean ± 1.96 standard errors, 95 % of the runs at 0": mean_of_zeros,
    "pooled IQM of 3 tasks": pooled,
    "performance profile of 3 tasks, true share .55": profile,
    "success rate, true .6": wilson(0.6),
    "success rate, true .9": wilson(0.9),
    "A12, true .5": effect_of(0.5, 1),
    "A12, true .7": effect_of(0.7, 1),
    "A12, true .9": effect_of(0.9, 1),
    "probability of improvement on 3 tasks, true .7": effect_of(0.7, 3),
    "difference, lognormal runs": difference_of(paired=False),
    "paired difference, lognormal runs": difference_of(paired=True),
}
EQUIVALENCE: dict[str, Callable[[int, np.random.Generator], float]] = {
    "no difference, margin 0.5": equivalent(0.5, 0.0),
    "no difference, margin 1": equivalent(1.0, 0.0),
    "difference 0.5, margin 0.5": equivalent(0.5, 0.5),
    "difference 1, margin 1": equivalent(1.0, 1.0),
}
ALL = ROWS | EQUIVALENCE


def simulate(row: str, n: int) -> float:
    return ALL[row](n, np.random.default_rng([list(ALL).index(row), n]))


def stated() -> dict[tuple[str, int], float]:
    """By row and runs, as shares; from the lines of the page that begin with a row's name."""
    found = {}
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        row, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        if row in ALL:
            found.update({(row, n): float(cell) / 100 for n, cell in zip(COLUMNS, cells, strict=True)})
    return found


@pytest.mark.parametrize("n", TESTED)
@pytest.mark.parametrize("row", ALL)
def test_page_states_what_is_simulated(row: str, n: int) -> None:
    """To a point and a half, three standard errors at 0.95: numpy may come to draw other numbers."""
    assert simulate(row, n) == pytest.approx(stated()[row, n], abs=0.015)


@pytest.mark.parametrize("n", COLUMNS)
def test_page_states_exactly_how_often_wilsons_interval_holds(n: int) -> None:
    for row in ("success rate, true .6", "success rate, true .9"):
        assert simulate(row, n) == pytest.approx(stated()[row, n], abs=0.0005001)


def test_page_states_intervals_that_hold_from_20_runs_on() -> None:
    numbers = stated()
    assert set(numbers) == {(row, n) for row in ALL for n in COLUMNS}
    for row in ROWS:
        if not row.startswith("mean"):
            assert min(numbers[row, n] for n in (20, 50, 200)) >= 0.92, row
    for row in EQUIVALENCE:
        if row.startswith("difference"):
            assert max(numbers[row, n] for n in (20, 50, 200)) <= 0.07, row


if __name__ == "__main__":
    for rows in (ROWS, EQUIVALENCE):
        print("| |", " | ".join(f"n = {n}" for n in COLUMNS), "|")
        print("| --- |" + " ---: |" * len(COLUMNS))
        for row in rows:
            print(f"| {row} |", " | ".join(f"{100 * simulate(row, n):.1f}" for n in COLUMNS), "|", flush=True)
        print()
