"""Optuna's samplers through the adapter against the plain loop of the package."""

from __future__ import annotations

import logging
import sys
import warnings
from typing import Any

import numpy as np
import optuna
import pytest

from optimizers import check_runs
from optimizers.check import FALLING, MIXED, PLAIN, RUGGED, SOME_INFEASIBLE, categorical
from optimizers.check_tools import Loss, advance
from optimizers.optuna import Optuna
from search_spaces.errors import ArenaError, MissingExtra
from search_spaces.space import Categorical, Ordinal, SearchSpace

SPACES = [
    categorical(5, 3, 1, 4),
    SearchSpace([Categorical("letter", "abc"), Ordinal("rate", (0.001, 0.01, 1.0, 50.0)), Ordinal("width", (16, 32))]),
]
SAMPLERS: dict[str, dict[str, Any]] = {
    "TPESampler": {},
    "NSGAIISampler": {"population_size": 4},
    "CmaEsSampler": {"popsize": 4},
    "QMCSampler": {},
    "RandomSampler": {},
}


def plain_run(space: SearchSpace, sampler: optuna.samplers.BaseSampler, trials: int, loss: Loss) -> list[list[int]]:
    """The architectures of study.optimize, with an objective as the package's documentation shows it."""
    asked = []

    def objective(trial: optuna.Trial) -> float:
        arch = [
            0
            if len(variable) == 1
            else trial.suggest_int(variable.name, 0, len(variable) - 1)
            if isinstance(variable, Ordinal)
            else trial.suggest_categorical(variable.name, list(range(len(variable))))
            for variable in space.variables
        ]
        asked.append(arch)
        return float(loss(np.array(arch)))

    optuna.create_study(sampler=sampler).optimize(objective, n_trials=trials)
    return asked


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
@pytest.mark.parametrize("loss", [RUGGED, SOME_INFEASIBLE], ids=lambda loss: loss.expression)
@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    ("sampler", "options"), [*SAMPLERS.items(), ("TPESampler", {"multivariate": False, "n_startup_trials": 2})]
)
def test_the_adapter_runs_the_plain_loop(sampler: str, options: dict[str, Any], space: SearchSpace, loss: Loss) -> None:
    optimizer = Optuna(space, (7, 3), sampler=sampler, options=options)
    asked = np.concatenate(advance(optimizer, 30, loss), axis=1)
    for seed, ours in zip(optimizer.state_dict()["library_seeds"].tolist(), asked.tolist(), strict=True):
        assert ours == plain_run(space, getattr(optuna.samplers, sampler)(seed=seed, **options), 30, loss)


@pytest.mark.parametrize("options", [{"multivariate": False}, {"n_startup_trials": 2}, {"n_ei_candidates": 3}], ids=str)
def test_options_make_a_difference(options: dict[str, Any]) -> None:
    """Else a comparison of settings would be one of equals. {"multivariate": True} makes none: it is the default."""
    default, other = Optuna(PLAIN, range(3)), Optuna(PLAIN, range(3), options=options)
    ours, theirs = (np.concatenate(advance(one, 30, RUGGED), axis=1) for one in (default, other))
    assert not np.array_equal(ours, theirs)


@pytest.mark.parametrize("sampler", [name for name in SAMPLERS if name != "TPESampler"])
def test_other_samplers_keep_the_contract(sampler: str) -> None:
    """In what could depend on the sampler; TPE is tested with all optimizers."""

    def make(*given: Any) -> Optuna:
        return Optuna(*given, sampler=sampler, options=SAMPLERS[sampler])

    for space in (PLAIN, MIXED):
        check_runs.global_random_state_is_left_alone(make, space, [0, 1], 12, RUGGED)
        check_runs.batch_invariance(make, space, [3, 4, 5], 1, 12, RUGGED)
        check_runs.restored_states_go_on(make, space, [3, 4], 12, 5, RUGGED, FALLING)


def test_it_is_quiet_and_leaves_the_messages_of_optuna_to_the_user(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("optuna")
    level = logger.level
    logger.addHandler(caplog.handler)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            for sampler in SAMPLERS:
                advance(Optuna(MIXED, [0], sampler=sampler), 12, RUGGED)
            Optuna(MIXED, [0], options={"multivariate": True, "group": True})  # experimental
        assert not caplog.records
        assert logger.level == level
        optuna.create_study()
        assert "A new study created" in caplog.text
    finally:
        logger.removeHandler(caplog.handler)


@pytest.mark.parametrize(
    ("settings", "named", "mend"),
    [
        ({"sampler": "TPE"}, "unknown optuna sampler 'TPE'", "TPESampler"),
        ({"sampler": "BruteForceSampler"}, "'BruteForceSampler'", "known: CmaEsSampler, GPSampler, "),
        ({"sampler": "GridSampler"}, "'GridSampler'", ""),  # needs a grid
        (
            {"options": {"multivariat": True}},
            "option of optuna's TPESampler 'multivariat'",
            "did you mean 'multivariate'",
        ),
        ({"options": {"seed": 3}}, "option of optuna's TPESampler 'seed'", ""),
    ],
)
def test_mistakes_are_told(settings: dict[str, Any], named: str, mend: str) -> None:
    with pytest.raises(ArenaError) as told:
        Optuna(PLAIN, [0], **settings)
    assert named in str(told.value)
    assert mend in str(told.value)


@pytest.mark.parametrize(
    ("sampler", "package", "extra"), [("CmaEsSampler", "cmaes", "cmaes"), ("GPSampler", "torch", "supernet")]
)
def test_a_sampler_that_needs_another_package_says_so(
    sampler: str, package: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra) as told:
        Optuna(PLAIN, [0], sampler=sampler)
    assert str(told.value) == (
        f"optuna's {sampler} needs the package {package}; install it with: pip install 'nas-arena[{extra}]'"
    )
