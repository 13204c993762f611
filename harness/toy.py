"""The toy problem of the ASNG paper (Akimoto et al., ICML 2019, section 3.1): weights and categories, learnt together.

D categorical variables of K values each choose one weight a variable out of x [D, K]. The loss of an architecture c is

    f(x, c) = sum over d of  c_d / K  +  (x[d, c_d] - t_d)^2,    t_d normal with standard deviation 1 / K.

t is drawn anew at every phase and shared by the architectures of the phase. An iteration has two phases: x follows the
gradient of the mean loss of 2 samples (SGD with momentum, its rate falling to 0 as half a cosine), and then the
distribution is told the losses of fresh samples. A trial has succeeded when the noise-free loss (t = 0) of any sample
of an iteration, of either phase, is below 1 / K, which only the architecture of all zeros can reach.

The optimizers are those that search tables. Arrays have seeds first here, and sums run inside a seed's row, so that a
trial is the same to the last bit alone or beside others, and whenever others end.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from optimizers.base import SamplingOptimizer
from optimizers.streams import Streams, normal_quantiles
from search_spaces.errors import ArenaError
from search_spaces.space import Categorical, Ints, SearchSpace

TOY_VERSION = 1  # raised when the numbers of a trial change
X_SAMPLES = 2  # architectures behind a step of x
LOOK_EVERY = 10  # iterations between two looks at the distribution

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class ToyProblem:
    """The problem with its settings, by default those of the authors' code.

    Args:
        variables: D.
        values: K.
        eta_x: the first learning rate of x.
        momentum: of SGD.
        iterations: how many a trial has at most; the learning rate falls to 0 over so many.
        noise: whether t is drawn; else it is 0.
    """

    variables: int = 30
    values: int = 5
    eta_x: float = 0.05
    momentum: float = 0.9
    iterations: int = 100_000
    noise: bool = True

    def __post_init__(self) -> None:
        for name, least in (("variables", 1), ("values", 2), ("iterations", 1)):
            if getattr(self, name) < least:
                raise ArenaError(f"{name} of the toy problem must be at least {least}, not {getattr(self, name)}")
        if not 0 < self.eta_x <= 1:
            raise ArenaError(f"eta_x, the learning rate of x, must be above 0 and at most 1, not {self.eta_x}")
        if not 0 <= self.momentum < 1:
            raise ArenaError(f"momentum must be at least 0 and below 1, not {self.momentum}")

    @property
    def space(self) -> SearchSpace:
        values = tuple(str(value) for value in range(self.values))
        return SearchSpace(Categorical(f"c{d}", values) for d in range(self.variables))

    @property
    def parameters(self) -> int:
        """n, the number of free parameters of the distribution."""
        return self.variables * (self.values - 1)

    @property
    def target(self) -> float:
        """The noise-free loss below which a sample is a success."""
        return 1.0 / self.values

    def rate(self, iteration: int) -> float:
        """The learning rate of x in an iteration, from 1 on."""
        return self.eta_x * 0.5 * (1.0 + math.cos(math.pi * (iteration - 1) / self.iterations))


@dataclass(frozen=True)
class ToyResult:
    """What became of R trials. All arrays are [R].

    The distribution is looked at after the update of every tenth iteration, and once more when a trial ends.

    Attributes:
        seeds: int.
        by_loss: the iteration of success, at which the trial ends; +inf where there was none.
        by_mode: the first iteration at which the mode was found to be all zeros; +inf where it was not by the end.
        step_size_low: the smallest step size, the first included; NaN for an optimizer that tells none.
        step_size_high: the largest.
        convergence: the mean over variables of the largest probability, at the end; NaN for one that tells none.
    """

    seeds: Ints
    by_loss: Floats
    by_mode: Floats
    step_size_low: Floats
    step_size_high: Floats
    convergence: Floats


def run_toy(
    problem: ToyProblem, optimizer: type[SamplingOptimizer], settings: Mapping[str, Any], seeds: Sequence[int]
) -> ToyResult:
    """Runs one trial a seed. One that ends leaves the arrays, which changes no number of the others.

    Args:
        problem: the problem.
        optimizer: whose ``sample`` gives the architectures for x; ``ask`` and ``tell`` are the other phase.
        settings: of the optimizer.
        seeds: R different seeds. Trials of a seed share the start of x and t, whatever the optimizer.
    """
    trials = _Trials(problem, optimizer, settings, seeds)
    with np.errstate(over="ignore", invalid="ignore"):  # at too high a rate x diverges, and such a trial fails
        for iteration in range(1, problem.iterations + 1):
            success = trials.iterate(problem.rate(iteration))
            ends = success | (iteration == problem.iterations)
            look = ends | (iteration % LOOK_EVERY == 0)
            if look.any():
                trials.look(iteration, look)
            if ends.any():
                trials.end(iteration, ends, success)
            if not len(trials.rows):
                break
    return trials.result


class _Trials:
    """The trials that go on, and the result of all.

    Attributes:
        rows: int, the places in the result of those that go on.
        result: of all trials.
    """

    def __init__(
        self,
        problem: ToyProblem,
        optimizer: type[SamplingOptimizer],
        settings: Mapping[str, Any],
        seeds: Sequence[int],
    ) -> None:
        self._problem, self._class, self._settings = problem, optimizer, settings
        R, D, K = len(seeds), problem.variables, problem.values
        self._optimizer = self._make_optimizer(seeds)
        self._noise = Streams(seeds, "toy", "noise")
        start = Streams(seeds, "toy", "start").draw(D, K)
        self._x = np.ascontiguousarray(normal_quantiles(start).transpose(2, 0, 1))  # [R, D, K]
        self._velocity = np.zeros_like(self._x)
        self.rows = np.arange(R)
        never, unknown = np.full((2, R), np.inf), np.full((3, R), np.nan)
        self.result = ToyResult(np.array(seeds, dtype=np.int64), *never, *unknown)
        self._note_step_size(np.ones(R, dtype=bool), self._optimizer.diagnostics())

    def iterate(self, rate: float) -> Bools:
        """Both phases of an iteration; which trials have succeeded."""
        shifts = self._shifts()
        archs = self._optimizer.sample(X_SAMPLES)
        places, weights = self._chosen(archs)
        lowest = self._losses(archs, weights).min(axis=1)
        gradient = 2.0 / X_SAMPLES * (weights - shifts[0])
        self._velocity *= self._problem.momentum
        flat = self._velocity.reshape(-1)
        for i in range(X_SAMPLES):  # one after the other, as both may have chosen the same weight
            flat[places[:, i]] += gradient[:, i]
        self._x -= rate * self._velocity

        archs = self._optimizer.ask()
        _, weights = self._chosen(archs)
        lowest = np.minimum(lowest, self._losses(archs, weights).min(axis=1))
        self._optimizer.tell(archs, self._losses(archs, weights - shifts[1]))
        # strictly, as 1 / K of one other category and weights of 1e-9 sum to 1 / K in floating point
        success: Bools = lowest < self._problem.target
        return success

    def look(self, iteration: int, which: Bools) -> None:
        """Notes what the optimizer says of its distribution in some of the trials."""
        rows, diagnostics = self.rows[which], self._optimizer.diagnostics()
        zeros = rows[~self._optimizer.recommend()[which].any(axis=1)]
        self.result.by_mode[zeros] = np.minimum(self.result.by_mode[zeros], iteration)
        self._note_step_size(which, diagnostics)
        if "largest_probability" in diagnostics:
            self.result.convergence[rows] = diagnostics["largest_probability"][which]

    def end(self, iteration: int, ends: Bools, success: Bools) -> None:
        """Takes trials out of all arrays, those of the optimizer and of the streams among them."""
        self.result.by_loss[self.rows[success]] = iteration
        kept = np.flatnonzero(~ends)
        self.rows = self.rows[kept]
        if not len(kept):
            return
        seeds = self.result.seeds[self.rows].tolist()
        state = self._optimizer.state_dict()
        self._optimizer = self._make_optimizer(seeds)
        self._optimizer.load_state_dict(
            {name: value[kept] if isinstance(value, np.ndarray) else value for name, value in state.items()}
        )
        position = self._noise.position
        self._noise = Streams(seeds, "toy", "noise")
        self._noise.position = position
        self._x, self._velocity = self._x[kept], self._velocity[kept]

    def _make_optimizer(self, seeds: Sequence[int]) -> SamplingOptimizer:
        return self._class(self._problem.space, seeds, stream="toy", **self._settings)

    def _chosen(self, archs: Ints) -> tuple[Ints, Floats]:
        """Where the weights that architectures choose lie in x, and what they are: [R, B, D] each."""
        R, D, K = self._x.shape
        places: Ints = archs + np.arange(0, self._x.size, K).reshape(R, 1, D)
        return places, self._x.reshape(-1)[places]

    def _shifts(self) -> Floats:
        """t of both phases: [2, R, 1, D]."""
        R, D, K = self._x.shape
        if not self._problem.noise:
            return np.zeros((2, R, 1, D))
        normal = normal_quantiles(self._noise.draw(2, D)).transpose(0, 2, 1)
        shifts: Floats = np.ascontiguousarray(normal).reshape(2, R, 1, D) / K
        return shifts

    def _losses(self, archs: Ints, residuals: Floats) -> Floats:
        """float [R, B]."""
        losses: Floats = archs.sum(axis=2) / self._problem.values + (residuals * residuals).sum(axis=2)
        return losses

    def _note_step_size(self, which: Bools, diagnostics: Mapping[str, Floats]) -> None:
        if "step_size" in diagnostics:
            rows, now = self.rows[which], diagnostics["step_size"][which]
            self.result.step_size_low[rows] = np.fmin(self.result.step_size_low[rows], now)
            self.result.step_size_high[rows] = np.fmax(self.result.step_size_high[rows], now)
