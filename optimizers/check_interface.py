"""Checks of an optimizer's interface: its constructor, its arrays, and the order of its calls.

Each function is a check: its docstring says what is expected, its body is the example that a violation prints.
"""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np

from optimizers.base import Optimizer
from optimizers.check_tools import Loss, Make, described, off_simplex, outside, seen, unequal
from search_spaces.errors import OrdinalsUnsupported, refusal
from search_spaces.plugins import resolve_settings
from search_spaces.space import SearchSpace


def signature(cls: type[Optimizer], settings: dict[str, Any]) -> None:
    """The constructor takes (space, seeds, *, settings..., stream=0): every setting is a keyword with an annotation,
    and a default, if it has one, of that type."""
    parameters = inspect.signature(cls).parameters
    assert [*parameters][:2] == ["space", "seeds"], f"it takes ({', '.join(parameters)})"
    assert "stream" in parameters, "it takes no stream, which names the benchmark for the random streams"
    for name, parameter in [*parameters.items()][2:]:
        assert parameter.kind is parameter.KEYWORD_ONLY, f"{name!r} is no keyword-only argument"
        if name != "stream":
            assert parameter.annotation is not parameter.empty, f"the setting {name!r} has no annotation"
            given = settings.get(name, parameter.default)
            wrong = refusal(resolve_settings, cls, {**settings, name: given}, "setting", ("space", "seeds", "stream"))
            assert not wrong, f"{wrong} (its default)"


def attributes(cls: type[Optimizer]) -> None:
    """The class has a version (int, from 1 on), recommends (a word or two), and texts citation and stream_name."""
    assert type(cls.version) is int, f"version is {cls.version!r}"
    assert cls.version >= 1, f"version is {cls.version!r}"
    for name in ("recommends", "citation", "stream_name"):
        assert isinstance(getattr(cls, name), str), f"{name} is {getattr(cls, name)!r}"
    assert cls.recommends.strip(), "recommends is empty; tables print it beside the numbers of the recommendation"
    assert isinstance(cls.categorical_only, bool), f"categorical_only is {cls.categorical_only!r}"


def constructs(make: Make, space: SearchSpace, seeds: list[int]) -> None:
    """The constructor takes a space and seeds (a list, tuple, range or array), and keeps both."""
    for given in (seeds, tuple(seeds), np.array(seeds), range(seeds[0], seeds[0] + 1)):
        optimizer = make(space, given)
        assert optimizer.space == space, f"space is {optimizer.space}"
        assert optimizer.seeds == tuple(given), f"of the seeds {given} it keeps {optimizer.seeds}"


def wrong_seeds_are_refused(make: Make, space: SearchSpace) -> None:
    """Seeds that are none, negative or twice the same raise an ArenaError."""
    for wrong in ([], [-1], [1, 1]):
        assert refusal(make, space, wrong), f"it takes the seeds {wrong}"


def ask_gives_architectures(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """ask() gives a new C-contiguous array int64 [R, B, V], every value at least 0 and below its variable's size."""
    optimizer = make(space, seeds)
    for step in range(steps):
        archs = optimizer.ask()
        assert described(archs).startswith("int64"), f"step {step}: {described(archs)}"
        assert archs.flags.c_contiguous, f"step {step}: {described(archs)}"
        assert archs.ndim == 3, f"step {step}: {described(archs)}"
        assert archs.shape == (len(seeds), max(archs.shape[1], 1), len(space)), f"step {step}: {described(archs)}"
        assert not outside(archs, space), f"step {step}: {outside(archs, space)}"
        optimizer.tell(archs, loss(archs))


def recommend_gives_architectures(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """recommend() gives a C-contiguous array int64 [R, V], every value at least 0 and below its variable's size."""
    optimizer = make(space, seeds)
    for step in range(steps):
        archs = optimizer.ask()
        optimizer.tell(archs, loss(archs))
        recommended = optimizer.recommend()
        assert described(recommended) == f"int64 {[len(seeds), len(space)]}", f"step {step}: {described(recommended)}"
        assert not outside(recommended, space), f"step {step}: {outside(recommended, space)}"


def diagnostics_lead_with_seeds(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """diagnostics() gives float64 [R] by name, at all times under the same names, also before the first tell()."""
    optimizer = make(space, seeds)
    names = [*optimizer.diagnostics()]
    for step in range(steps):
        archs = optimizer.ask()
        optimizer.tell(archs, loss(archs))
        said = optimizer.diagnostics()
        assert [*said] == names, f"step {step}: names {[*said]}, before the first tell() {names}"
        for name, values in said.items():
            assert isinstance(name, str), f"a diagnostic is called {name!r}"
            assert described(values) == f"float64 {[len(seeds)]}", f"step {step}: {name!r} is {described(values)}"


def probabilities_are_distributions(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """probabilities is float64 [R, V, Kmax], at least 0, of sum 1 for every variable and 0 beyond its values, also
    before the first tell()."""
    optimizer = make(space, seeds)
    shape = [len(seeds), len(space), int(space.sizes.max())]
    for step in range(steps + 1):
        given = optimizer.probabilities
        assert described(given) == f"float64 {shape}", f"step {step}: {described(given)}, not float64 {shape}"
        assert not off_simplex(given, space), f"step {step}: {off_simplex(given, space)}"
        archs = optimizer.ask()
        optimizer.tell(archs, loss(archs))


def state_leads_with_seeds(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """state_dict() gives arrays of numbers with the seed axis first, and plain numbers, by name."""
    optimizer = make(space, seeds)
    for step in range(steps + 1):
        for name, value in optimizer.state_dict().items():
            assert isinstance(name, str), f"a part of the state is called {name!r}"
            if isinstance(value, np.ndarray):
                assert value.shape[:1] == (len(seeds),), f"step {step}: {name!r} is {described(value)}"
                assert value.dtype.kind in "biuf", f"step {step}: {name!r} is {described(value)}"
            else:
                assert isinstance(value, int | float | np.number), f"step {step}: {name!r} is {described(value)}"
        archs = optimizer.ask()
        optimizer.tell(archs, loss(archs))


def second_ask_is_refused(make: Make, space: SearchSpace, seeds: list[int], loss: Loss) -> None:
    """ask() raises an ArenaError until the losses of the last architectures were told, which can still be done."""
    optimizer = make(space, seeds)
    archs = optimizer.ask()
    assert refusal(optimizer.ask), "a second ask() before tell() gives architectures"
    optimizer.tell(archs, loss(archs))


def tell_without_ask_is_refused(make: Make, space: SearchSpace, seeds: list[int], loss: Loss) -> None:
    """tell() raises an ArenaError when nothing is asked, unless the optimizer is replayable."""
    optimizer = make(space, seeds)
    archs = optimizer.ask()
    optimizer.tell(archs, loss(archs))
    assert refusal(optimizer.tell, archs, loss(archs)), "a second tell() of one ask() is taken"


def other_architectures_are_refused(make: Make, space: SearchSpace, seeds: list[int], loss: Loss) -> None:
    """tell() raises an ArenaError for other architectures than asked, also for the array that ask() gave when it was
    changed since; those asked can still be told."""
    optimizer = make(space, seeds)
    archs = optimizer.ask()
    asked = archs.copy()
    archs[...] = (archs + 1) % space.sizes
    assert refusal(optimizer.tell, archs, loss(archs)), f"asked {asked.tolist()}, it takes {archs.tolist()}"
    optimizer.tell(asked, loss(asked))


def wrong_losses_are_refused(make: Make, space: SearchSpace, seeds: list[int], loss: Loss) -> None:
    """tell() raises an ArenaError for losses of another shape than [R, B]; the right ones can still be told."""
    optimizer = make(space, seeds)
    archs = optimizer.ask()
    losses = loss(archs)
    for wrong in (losses[:, :-1], losses[:-1], losses[0, 0], losses[..., None]):
        assert refusal(optimizer.tell, archs, wrong), f"it takes losses {described(wrong)} for {described(archs)}"
    optimizer.tell(archs, losses)


def state_before_tell_is_refused(make: Make, space: SearchSpace, seeds: list[int], loss: Loss) -> None:
    """state_dict() raises an ArenaError between ask() and tell(), when a state could not be gone on from."""
    optimizer = make(space, seeds)
    archs = optimizer.ask()
    assert refusal(optimizer.state_dict), "state_dict() between ask() and tell() gives a state"
    optimizer.tell(archs, loss(archs))
    optimizer.state_dict()


def reading_changes_nothing(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """recommend(), diagnostics(), probabilities and state_dict() change nothing, however often they are read."""
    read, left = make(space, seeds), make(space, seeds)
    for step in range(steps):
        archs, same = read.ask(), left.ask()
        assert not unequal(archs, same), f"step {step}: read and left alone it asks {unequal(archs, same)}"
        read.tell(archs, loss(archs))
        left.tell(same, loss(same))
        seen(read)


def ordinals_are_refused(make: Make, mixed: SearchSpace) -> None:
    """With categorical_only = True the constructor raises OrdinalsUnsupported for a space with ordinals."""
    try:
        make(mixed, [0])
    except OrdinalsUnsupported:
        refused = True
    else:
        refused = False
    assert refused, "it takes a space with ordinals"
