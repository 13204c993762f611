"""What adapters to other packages have in common: a missing package, a space without a choice, states by replay."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pytest

from optimizers.adapter import Adapter
from optimizers.check import PLAIN, RUGGED, categorical
from optimizers.check_tools import advance
from optimizers.cmaes import CatCMAwM
from optimizers.optuna import Optuna
from search_spaces.errors import ArenaError, MissingExtra

ADAPTERS = [CatCMAwM, Optuna]
each = pytest.mark.parametrize("cls", ADAPTERS)


@each
def test_a_missing_package_is_told_when_one_is_made(cls: type[Adapter], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, cls.package, None)
    with pytest.raises(MissingExtra) as told:
        cls(PLAIN, [0])
    assert str(told.value) == (
        f"{cls.package} needs the package {cls.package}; install it with: pip install 'nas-arena[{cls.package}]'"
    )


@each
def test_a_space_without_a_choice_is_searched_one_architecture_a_step(cls: type[Adapter]) -> None:
    optimizer = cls(categorical(1, 1), range(3))
    assert np.concatenate(advance(optimizer, 4, RUGGED), axis=1).tolist() == [[[0, 0]] * 4] * 3
    assert optimizer.recommend().tolist() == [[0, 0]] * 3


@each
def test_a_state_brings_the_seeds_that_it_was_made_with(cls: type[Adapter]) -> None:
    """They come from the stream of the optimizer that saved it, whatever the one that goes on from there is given."""
    whole, restored = cls(PLAIN, [0, 1], stream="a"), cls(PLAIN, [5, 6], stream="b")
    advance(whole, 12, RUGGED)
    restored.load_state_dict(whole.state_dict())
    for one, other in zip(advance(whole, 8, RUGGED), advance(restored, 8, RUGGED), strict=True):
        np.testing.assert_array_equal(one, other)


def states(change: Any) -> tuple[CatCMAwM, dict[str, Any]]:
    """An optimizer, and the changed state of one that was told four generations of five."""
    saved = CatCMAwM(PLAIN, range(3), population=5)
    advance(saved, 4, RUGGED)
    return CatCMAwM(PLAIN, range(3), population=5), {**saved.state_dict(), **change(saved.state_dict())}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: {"losses": state["losses"][:, :5]}, r"'losses' has shape \[3, 5\], .* needs \[3, 20\]"),
        (lambda state: {"archs": state["archs"][:, :, :2]}, r"'archs' has shape \[3, 20, 2\], .* needs \[3, 20, 3\]"),
        (lambda state: {"archs": state["archs"][:2]}, r"'archs' has shape \[2, 20, 3\], .* needs \[3, 20, 3\]"),
        (lambda state: {"archs": state["archs"][0, 0]}, r"'archs' has shape \[3\]"),
        (
            lambda state: {"losses": state["losses"] * -1},
            "cmaes asks for other .* from evaluation 5 on; .* the version",
        ),
        (lambda state: {name: state[name][:, :18] for name in ("archs", "losses")}, "cmaes .* from evaluation 15 on"),
    ],
)
def test_a_state_that_cannot_be_replayed_is_refused(change: Any, told: str) -> None:
    optimizer, state = states(change)
    with pytest.raises(ArenaError, match=told):
        optimizer.load_state_dict(state)
