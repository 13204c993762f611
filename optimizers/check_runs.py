"""Checks of an optimizer's runs: random numbers, batches, states, losses, spaces, samples.

Each function is a check: its docstring says what is expected, its body is the example that a violation prints.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import numpy as np

from optimizers.base import SamplingOptimizer
from optimizers.check_tools import (
    Loss,
    Make,
    advance,
    described,
    difference,
    first_best,
    global_random_state,
    off_simplex,
    outside,
    seen,
    spoil,
    unequal,
)
from search_spaces.space import SearchSpace

MakeSampling = Callable[..., SamplingOptimizer]


def global_random_state_is_left_alone(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """Nothing is drawn from np.random or random, nor are they seeded: all draws are from self.streams."""
    before = global_random_state()
    optimizer = make(space, seeds)
    assert global_random_state() == before, "the constructor changed their state"
    for step in range(steps):
        advance(optimizer, 1, loss)
        seen(optimizer)
        assert global_random_state() == before, f"step {step} changed their state"


def same_seeds_run_the_same(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """Two optimizers of the same settings, space, seeds and stream run the same, beside each other and afterwards."""
    one, other = make(space, seeds), make(space, seeds)
    first, second = [], []
    for step in range(steps):
        first += advance(one, 1, loss)
        second += advance(other, 1, loss)
        assert not unequal(first[-1], second[-1]), f"step {step}: {unequal(first[-1], second[-1])}"
    assert not difference(seen(one), seen(other)), f"after {steps} steps {difference(seen(one), seen(other))}"
    third = advance(make(space, seeds), steps, loss)
    for step in range(steps):
        assert not unequal(first[step], third[step]), (
            f"step {step}, one made later: {unequal(first[step], third[step])}"
        )


def seeds_and_streams_run_differently(make: Make, wide: SearchSpace, many: int, length: int, loss: Loss) -> None:
    """Different seeds run differently, and so does one seed on different streams (of two benchmarks)."""
    here = np.concatenate(advance(make(wide, range(many), stream="a"), length, loss), axis=1)
    there = np.concatenate(advance(make(wide, range(many), stream="b"), length, loss), axis=1)
    distinct = len({run.tobytes() for run in here})
    assert distinct == many, f"{many} seeds give {distinct} different runs of {length} steps"
    same = sum(np.array_equal(one, other) for one, other in zip(here, there, strict=True))
    assert same == 0, f"{same} of {many} seeds run the same on the streams 'a' and 'b'"


def draws_do_not_depend_on_losses(
    make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss, other_loss: Loss
) -> None:
    """How many architectures a step asks and how many uniforms it draws is the same whatever the losses were: all
    seeds draw side by side, so that one of them would else change the others."""
    one, other = make(space, seeds), make(space, seeds)
    for step in range(steps):
        archs, others = one.ask(), other.ask()
        assert archs.shape == others.shape, f"step {step}: it asks {list(archs.shape)} and {list(others.shape)}"
        drawn = one.streams.position, other.streams.position
        assert drawn[0] == drawn[1], f"by step {step} it drew {drawn[0]} and {drawn[1]} uniforms a seed"
        one.tell(archs, loss(archs))
        other.tell(others, other_loss(others))


def batch_invariance(make: Make, space: SearchSpace, seeds: list[int], few: int, steps: int, loss: Loss) -> None:
    """A seed runs the same to the last bit alone or beside others, in any place among them: architectures,
    recommendation, state and diagnostics."""
    picked = seeds[-few:][::-1]
    places = [seeds.index(seed) for seed in picked]
    crowd, apart = make(space, seeds), make(space, picked)
    for step in range(steps):
        theirs, ours = advance(crowd, 1, loss)[0][places], advance(apart, 1, loss)[0]
        assert not unequal(theirs, ours), f"step {step}: among {len(seeds)} seeds and apart {unequal(theirs, ours)}"
    differs = difference(seen(crowd), seen(apart), places)
    assert not differs, f"after {steps} steps among {len(seeds)} seeds and apart, {differs}"


def restored_states_go_on(
    make: Make, space: SearchSpace, seeds: list[int], steps: int, used: int, loss: Loss, other_loss: Loss
) -> None:
    """A state taken in mid-run and loaded into another optimizer, fresh or used, goes on to the last bit as the run
    that it was taken from."""
    whole, restored = make(space, seeds), make(space, seeds)
    advance(whole, steps, loss)
    advance(restored, used, other_loss)
    restored.load_state_dict(whole.state_dict())
    assert not difference(seen(whole), seen(restored)), f"when loaded {difference(seen(whole), seen(restored))}"
    for step in range(steps):
        archs, ours = advance(whole, 1, loss)[0], advance(restored, 1, loss)[0]
        assert not unequal(archs, ours), f"step {step} from there: going on and restored {unequal(archs, ours)}"
    assert not difference(seen(whole), seen(restored)), f"later {difference(seen(whole), seen(restored))}"


def states_do_not_change(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """A state stays as it was when taken, whatever its optimizer, or another that it was loaded into, does next."""
    optimizer, restored = make(space, seeds), make(space, seeds)
    advance(optimizer, steps, loss)
    state = optimizer.state_dict()
    kept = copy.deepcopy(state)
    for step in range(steps):
        advance(optimizer, 1, loss)
        assert not difference(kept, state), f"step {step} from there: {difference(kept, state)}"
    restored.load_state_dict(state)
    for step in range(steps):
        advance(restored, 1, loss)
        assert not difference(kept, state), f"loaded, step {step} from there: {difference(kept, state)}"


def arguments_of_tell_stay_the_callers(
    make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss
) -> None:
    """tell() leaves the arrays given to it as they are, and what the caller writes to them later changes nothing."""
    written, left = make(space, seeds), make(space, seeds)
    for step in range(steps):
        archs = written.ask()
        losses = loss(archs)
        given = archs.copy(), losses.copy()
        written.tell(*given)
        assert np.array_equal(given[0], archs), f"step {step}: tell() changed the architectures"
        assert np.array_equal(given[1], losses), f"step {step}: tell() changed the losses to {given[1].tolist()}"
        given[0][...], given[1][...] = 0, -1e9
        advance(left, 1, loss)
        differs = difference(seen(left), seen(written))
        assert not differs, f"step {step}: when the arrays told are written to, {differs}"


def results_are_the_callers(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """Writing to the arrays that recommend(), diagnostics(), probabilities and state_dict() gave changes nothing."""
    written, left = make(space, seeds), make(space, seeds)
    for step in range(steps):
        advance(written, 1, loss)
        advance(left, 1, loss)
        spoil(seen(written))
        differs = difference(seen(left), seen(written))
        assert not differs, f"step {step}: when the arrays given are written to, {differs}"


def any_loss_is_taken(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """Losses that are all equal, NaN, infinite, huge, tiny, negative or integers raise nothing, and all stays in
    range: infeasible architectures have +inf."""
    optimizer = make(space, seeds)
    for step in range(steps):
        archs = optimizer.ask()
        assert not outside(archs, space), f"step {step}: it asks {outside(archs, space)}"
        optimizer.tell(archs, loss(archs))
        recommended = optimizer.recommend()
        assert not outside(recommended, space), f"step {step}: it recommends {outside(recommended, space)}"
        wrong = off_simplex(optimizer.probabilities, space)
        assert not wrong, f"step {step}: {wrong}"


def nan_counts_as_infinite(
    make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss, other_loss: Loss
) -> None:
    """A loss of NaN counts as +inf, the worst: runs with the one and the other are the same."""
    one, other = make(space, seeds), make(space, seeds)
    for step in range(steps):
        archs, others = advance(one, 1, loss)[0], advance(other, 1, other_loss)[0]
        assert not unequal(archs, others), f"step {step}: with NaN and with +inf {unequal(archs, others)}"
    differs = difference(seen(one), seen(other))
    assert not differs, f"after {steps} steps with NaN and with +inf, {differs}"


def any_space_is_searched(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """Any space raises nothing, and all stays in range: one variable, variables of one value or of many, none with a
    choice, 200 variables."""
    optimizer = make(space, seeds)
    for step in range(steps):
        archs = optimizer.ask()
        assert not outside(archs, space), f"step {step}: it asks {outside(archs, space)}"
        optimizer.tell(archs, loss(archs))
        wrong = off_simplex(optimizer.probabilities, space)
        assert not wrong, f"step {step}: {wrong}"
    assert not outside(optimizer.recommend(), space), f"it recommends {outside(optimizer.recommend(), space)}"


def ordinals_are_searched(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """Spaces with ordinals, alone or beside categorical variables, raise nothing, and all stays in range; a class that
    has no use for them says categorical_only = True."""
    optimizer = make(space, seeds)
    for step in range(steps):
        archs, recommended = advance(optimizer, 1, loss)[0], optimizer.recommend()
        assert not outside(archs, space), f"step {step}: it asked {outside(archs, space)}"
        assert not outside(recommended, space), f"step {step}: it recommends {outside(recommended, space)}"
        wrong = off_simplex(optimizer.probabilities, space)
        assert not wrong, f"step {step}: {wrong}"


def best_seen_is_recommended(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """With recommends = "best seen", recommend() is the architecture of the lowest loss told; the first wins ties."""
    optimizer = make(space, seeds)
    archs, losses = [], []
    for step in range(steps):
        archs += advance(optimizer, 1, loss)
        losses.append(loss(archs[-1]))
        best, recommended = first_best(archs, losses), optimizer.recommend()
        found = f"step {step}: it recommends {recommended.tolist()}, the best seen are {best.tolist()}"
        assert np.array_equal(recommended, best), found


def samples_are_architectures(make: MakeSampling, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """sample(n) gives a C-contiguous array int64 [R, n, V], every value at least 0 and below its variable's size."""
    optimizer = make(space, seeds)
    for step in range(steps + 1):
        for n in (1, 3):
            samples, shape = optimizer.sample(n), [len(seeds), n, len(space)]
            assert described(samples) == f"int64 {shape}", f"after {step} steps: {described(samples)}"
            assert not outside(samples, space), f"after {step} steps: {outside(samples, space)}"
        advance(optimizer, 1, loss)


def samples_are_drawn_aside(make: MakeSampling, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """sample(n) changes nothing of the search: its draws are from a stream of its own."""
    sampled, left = make(space, seeds), make(space, seeds)
    for step in range(steps):
        sampled.sample(3)
        archs, others = advance(sampled, 1, loss)[0], advance(left, 1, loss)[0]
        assert not unequal(archs, others), f"step {step}: with and without samples {unequal(archs, others)}"


def samples_are_in_the_state(make: MakeSampling, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """sample(n) gives new architectures every time; a loaded state goes on with those of the optimizer that it was
    taken from."""
    whole, restored = make(space, seeds), make(space, seeds)
    first, second = whole.sample(40), whole.sample(40)
    assert space.size == 1 or not np.array_equal(first, second), f"twice the same, {first[0, 0].tolist()} first"
    advance(whole, steps, loss)
    restored.load_state_dict(whole.state_dict())
    ours, theirs = restored.sample(40), whole.sample(40)
    assert not unequal(theirs, ours), f"going on and restored: {unequal(theirs, ours)}"


def samples_follow_the_probabilities(
    make: MakeSampling, space: SearchSpace, seeds: list[int], steps: int, loss: Loss
) -> None:
    """Of 4,000 samples the share with a value is that value's probability, within 0.05 (six standard deviations)."""
    optimizer = make(space, seeds)
    advance(optimizer, steps, loss)
    samples, probabilities = optimizer.sample(4000), optimizer.probabilities
    assert probabilities is not None, "probabilities is None"
    for v in range(len(space)):
        share = (samples[:, :, v, None] == np.arange(probabilities.shape[-1])).mean(1)
        off = np.abs(share - probabilities[:, v]).max()
        assert off < 0.05, f"after {steps} steps a share of variable {v} is {off:.3f} off its probability"


def recorded_steps_are_replayed(make: Make, space: SearchSpace, seeds: list[int], steps: int, loss: Loss) -> None:
    """A replayable optimizer takes the steps of another run by tell() alone: it draws nothing, and comes to the same
    state, recommendation and diagnostics."""
    recording, replaying = make(space, seeds), make(space, seeds)
    for step in range(steps):
        archs = advance(recording, 1, loss)[0]
        replaying.tell(archs, loss(archs))
        drawn = replaying.streams.position
        assert drawn == 0, f"step {step}: tell() alone drew {drawn} uniforms"
        differs = difference({**seen(recording), "state_dict()['position']": 0}, seen(replaying))
        assert not differs, f"step {step}: recorded and replayed, {differs}"
