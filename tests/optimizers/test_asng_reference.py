"""ASNG against trajectories recorded from the authors' own code.

``reference_trajectories.npz`` holds numbers only. They were recorded by running, under fixed numpy seeds, the two
categorical versions in https://github.com/shirakawas/ASNG-NAS at commit a13c482 (MIT licence, Copyright (c) 2019
Shinichi Shirakawa): ``AdaptiveSNG`` of toy/asng.py ("toy") and ``CategoricalASNG`` of
classification/util/categorical_asng.py ("classification"). Each sampled its own architectures; the losses count the
variables that differ from a target, plus noise: in "tied" runs they are small positive integers, in others normal
noise makes them all different, of both signs. Run i has, under the names "i/...", with T updates:

    version     "toy" or "classification"
    sizes       int [V], the number of values of each variable
    settings    float [2], alpha and delta_init
    archs       int [T, B, V], what was sampled and told
    losses      float [T, B]
    cancelled   bool [T], whether the direction G was 0 although not all losses were equal
    theta       float [T + 1, V, Kmax], before the first update and after every one; so the next three
    s           float [T + 1, n]
    gamma       float [T + 1]
    Delta       float [T + 1]

In no recorded step beta passes 1, and no loss that is tied is zero or negative: there the reference is wrong, and
test_asng_equations.py tells what ours does. Steps with ``cancelled`` are in it: the best and the worst architecture
were one and the same and their losses differed only by noise. The toy version then takes a step of length 0 and
adapts s, gamma and Delta as if it had gone somewhere, a bug that the classification version mends by skipping the
step. Ours skips it in both.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from optimizers.asng import ASNG
from search_spaces.space import Categorical, SearchSpace

STATE = ("theta", "s", "gamma", "Delta")
Run = dict[str, np.ndarray]


def load_runs() -> list[Run]:
    with np.load(Path(__file__).with_name("reference_trajectories.npz")) as file:
        runs: list[Run] = [{} for _ in {name.split("/")[0] for name in file.files}]
        for name in file.files:
            number, key = name.split("/")
            runs[int(number)][key] = file[name]
    return runs


RUNS = load_runs()


def is_tied(run: Run) -> bool:
    return any(len(set(losses)) < len(losses) for losses in run["losses"])


def label(run: Run) -> str:
    sizes = "one_value" if 1 in run["sizes"] else "equal" if len(set(run["sizes"])) == 1 else "unequal"
    alpha, delta_init = run["settings"]
    ties = "tied" if is_tied(run) else "untied"
    return f"{run['version']}-lam{run['archs'].shape[1]}-{sizes}-{ties}-alpha{alpha}-delta{delta_init}"


every_run = pytest.mark.parametrize("run", [pytest.param(run, id=label(run)) for run in RUNS])


def make(run: Run) -> ASNG:
    space = SearchSpace(Categorical(f"v{v}", map(str, range(size))) for v, size in enumerate(run["sizes"]))
    alpha, delta_init = map(float, run["settings"])
    return ASNG(space, [0], lam=run["archs"].shape[1], alpha=alpha, delta_init=delta_init)


def load(optimizer: ASNG, run: Run, t: int) -> None:
    """Puts the optimizer where the reference was after t updates."""
    optimizer.load_state_dict({key: run[key][t][None] for key in STATE})


def tell(optimizer: ASNG, run: Run, t: int) -> None:
    optimizer.tell(run["archs"][t][None], run["losses"][t][None])


def assert_at(optimizer: ASNG, run: Run, t: int, tolerance: float, s_tolerance: float | None = None) -> None:
    state = optimizer.state_dict()
    for key in STATE:
        allowed = s_tolerance if key == "s" and s_tolerance else tolerance
        message = f"{key} after {t} updates"
        np.testing.assert_allclose(state[key][0], run[key][t], rtol=allowed, atol=allowed, err_msg=message)


def assert_skips(optimizer: ASNG, run: Run, t: int) -> None:
    """Update t changes nothing, to the last bit."""
    before = optimizer.state_dict()
    tell(optimizer, run, t)
    for key, value in optimizer.state_dict().items():
        np.testing.assert_array_equal(value, before[key], err_msg=f"{key} in the skipped update {t}")


@every_run
def test_every_update_is_that_of_the_reference(run: Run) -> None:
    """From the reference's own state: the classification version to 1e-12, the toy version to 1e-9.

    The toy version adds 1e-9 to the norm of the direction. Where that norm is 0.2, s is off by up to 5e-9.
    """
    optimizer = make(run)
    for t in np.flatnonzero(~run["cancelled"]).tolist():
        load(optimizer, run, t)
        tell(optimizer, run, t)
        if run["version"] == "toy":
            assert_at(optimizer, run, t + 1, 1e-9, s_tolerance=5e-9)
        else:
            assert_at(optimizer, run, t + 1, 1e-12)


@every_run
def test_a_whole_run_is_that_of_the_reference(run: Run) -> None:
    """From the start, but that ours goes on from the toy version's state after its bug.

    The toy version is followed to 1e-6 (see above), the classification version to 1e-10.
    """
    optimizer = make(run)
    assert_at(optimizer, run, 0, 1e-15)
    for t, cancelled in enumerate(run["cancelled"]):
        if cancelled:
            assert_skips(optimizer, run, t)
            if run["version"] == "toy":
                load(optimizer, run, t + 1)
        else:
            tell(optimizer, run, t)
        assert_at(optimizer, run, t + 1, 1e-6 if run["version"] == "toy" else 1e-10)


@every_run
def test_an_update_without_direction_is_skipped(run: Run) -> None:
    """Equal losses, where the reference skips too, and ``cancelled`` ones, where only one of its versions does."""
    optimizer = make(run)
    equal = (run["losses"] == run["losses"][:, :1]).all(1)
    for t in np.flatnonzero(equal | run["cancelled"]).tolist():
        load(optimizer, run, t)
        assert_skips(optimizer, run, t)
        follows = equal[t] or run["version"] == "classification"
        assert (run["Delta"][t + 1] == run["Delta"][t]) == follows


def test_the_runs_cover_what_they_should() -> None:
    """Else a file recorded anew could test nothing."""
    assert {(str(run["version"]), run["archs"].shape[1], len(set(run["sizes"])) > 1) for run in RUNS} == {
        (version, lam, unequal)
        for version in ("toy", "classification")
        for lam in (2, 3, 4, 8)
        for unequal in (False, True)
    }
    for version in ("toy", "classification"):
        runs = [run for run in RUNS if run["version"] == version]
        assert {is_tied(run) for run in runs} == {True, False}
        assert {tuple(run["settings"]) for run in runs} == {(1.5, 1.0), (1.5, 0.3), (2.5, 1.0), (2.5, 0.3)}
        assert any(1 in run["sizes"][1:-1] for run in runs)  # nothing to learn there, between two that do
        assert any(run["cancelled"].any() for run in runs)
        assert any((run["losses"] == run["losses"][:, :1]).all(1).any() for run in runs)
        assert any((run["losses"] < 0).any() for run in runs)
    for run in RUNS:
        assert len(run["archs"]) == 60
        n = (run["sizes"] - 1).sum()
        assert (run["settings"][1] / run["Delta"] < np.sqrt(n)).all()
        if is_tied(run):
            assert (run["losses"] > 0).all()
        for archs, losses in zip(run["archs"][run["cancelled"]], run["losses"][run["cancelled"]], strict=True):
            assert len(set(losses)) > 1
            np.testing.assert_array_equal(archs[losses.argmin()], archs[losses.argmax()])
