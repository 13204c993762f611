"""Optuna (Akiba et al., KDD 2019): any of its samplers that are made from a seed; TPE unless another is named."""

from __future__ import annotations

import inspect
import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np

from optimizers.adapter import Adapter, imported
from search_spaces.errors import unknown
from search_spaces.space import Ints, Ordinal, SearchSpace

NEEDS = {"CmaEsSampler": ("cmaes", "cmaes"), "GPSampler": ("torch", "supernet")}  # a package, and our extra with it
ENDS = {"BruteForceSampler"}  # it stops by itself when it has tried everything


class Optuna(Adapter):
    """A sampler of optuna, one trial a step; recommends the best seen.

    Ordinals go in by their ranks. CmaEsSampler and QMCSampler have no use for categorical variables, which they draw
    uniformly. Losses go in as they are, infinite ones too: to TPE only their order counts.

    Args:
        sampler: a class of optuna.samplers by its name, such as TPESampler, NSGAIISampler or GPSampler.
        options: keyword arguments of that class, such as {"multivariate": False}, without which TPE draws all variables
            together (since optuna 5); none by default.
    """

    package = "optuna"
    most_seeds = 8
    citation = (
        "Akiba et al., Optuna: A Next-generation Hyperparameter Optimization Framework, KDD 2019; TPE: Bergstra, "
        "Bardenet, Bengio and Kégl, Algorithms for Hyper-Parameter Optimization, NeurIPS 2011"
    )

    def __init__(
        self,
        space: SearchSpace,
        seeds: Iterable[int],
        *,
        sampler: str = "TPESampler",
        options: dict[str, Any] | None = None,
        stream: str | int = 0,
    ) -> None:
        super().__init__(space, seeds, stream=stream)
        self._optuna = imported("optuna", "optuna")
        known = _samplers(self._optuna)
        if sampler not in known:
            raise unknown("optuna sampler", sampler, known)
        if sampler in NEEDS:
            package, extra = NEEDS[sampler]
            imported(package, f"optuna's {sampler}", extra)
        self.sampler, self.options = sampler, dict(options or {})
        accepted = inspect.signature(known[sampler]).parameters.keys() - {"seed"}
        for name in self.options:
            if name not in accepted:
                raise unknown(f"option of optuna's {sampler}", name, accepted)
        quiet = {"warn_independent_sampling": False} if "warn_independent_sampling" in accepted else {}
        self._make_sampler = partial(known[sampler], **(quiet | self.options))
        kinds = self._optuna.distributions
        self._distributions = {
            variable.name: kinds.IntDistribution(0, len(variable) - 1)
            if isinstance(variable, Ordinal)
            else kinds.CategoricalDistribution(range(len(variable)))
            for variable in space.variables
            if len(variable) > 1
        }
        self._begin()

    def _run(self, seed: int) -> _Trials:
        with _silent():
            study = self._optuna.create_study(sampler=self._make_sampler(seed=seed))
        return _Trials(study, self._distributions, self.space)


class _Trials:
    """The search of one seed."""

    def __init__(self, study: Any, distributions: dict[str, Any], space: SearchSpace) -> None:
        self._study, self._distributions, self._space = study, distributions, space

    def ask(self) -> Ints:
        self._trial = self._study.ask(self._distributions)
        values = self._trial.params
        return np.array([[values.get(variable.name, 0) for variable in self._space.variables]], dtype=np.int64)

    def tell(self, losses: list[float]) -> None:
        self._study.tell(self._trial, losses[0])


def _samplers(optuna: Any) -> dict[str, Any]:
    """The samplers that can be made from a seed alone, by name."""
    found = {}
    for name in sorted({name for name in optuna.samplers.__all__ if name.endswith("Sampler")} - ENDS):
        parameters = inspect.signature(getattr(optuna.samplers, name)).parameters
        needed = [parameter for parameter in parameters.values() if parameter.default is parameter.empty]
        if "seed" in parameters and not needed:
            found[name] = getattr(optuna.samplers, name)
    return found


@contextmanager
def _silent() -> Iterator[None]:
    """Without the message of each new study, and the warnings of samplers and options that may still change."""
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
