"""Optimizers whose runs break the contract, each in one way."""

import random

import numpy as np
from right_optimizers import PBIL, HillClimber, breaks


@breaks("any_space_is_searched")
class BoundThatDividesByOneLess(PBIL):
    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        with np.errstate(divide="ignore"):
            low = np.where(self.theta > 0, 0.01 / (self.space.sizes[:, None] - 1), 0)
        self.theta = np.maximum(self.theta, low) / np.maximum(self.theta, low).sum(axis=0)


@breaks("any_space_is_searched")
class NeedsAnotherValue(HillClimber):
    def _ask(self):
        archs = super()._ask()
        others = [[k for k in range(size) if k != archs[0, v, 0]] for v, size in enumerate(self.space.sizes)]
        self.neighbours = [other[0] for other in others]
        return archs


@breaks("any_space_is_searched")
class RanksInSixtyFourBits(HillClimber):
    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        self.rank = self.space.index(archs[0].T)


@breaks("any_loss_is_taken")
class ExponentialWeights(PBIL):
    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        weights = np.exp(-losses) / np.exp(-losses).sum(axis=0)
        mean = ((archs[:, None] == self.values) * weights[:, None, None]).sum(axis=0)
        self.theta = 0.95 * self.theta + 0.05 * mean


@breaks("nan_counts_as_infinite")
class TakesNanForZero(PBIL):
    def tell(self, archs, losses):
        super().tell(archs, np.where(np.isnan(losses), 0, losses))


@breaks("global_random_state_is_left_alone")
class DrawsFromNumpy(HillClimber):
    def uniforms(self):
        return np.random.random((len(self.space) + 2, self.columns))  # noqa: NPY002


@breaks("global_random_state_is_left_alone")
class SeedsNumpy(HillClimber):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds, stream=stream)
        np.random.seed(self.seeds[0])  # noqa: NPY002


@breaks("global_random_state_is_left_alone")
class DrawsFromPython(HillClimber):
    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        self.restart = random.random()


@breaks("same_seeds_run_the_same")
class GeneratorWithoutSeed(HillClimber):
    def uniforms(self):
        return np.random.default_rng().random((len(self.space) + 2, self.columns))


@breaks("same_seeds_run_the_same")
class MemoryInTheClass(HillClimber):
    seen: list = []  # noqa: RUF012 this is the mistake

    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        self.seen.append(losses)
        self.restart = 0.1 + 0.8 * (len(self.seen) % 3 == 0)


@breaks("seeds_and_streams_run_differently")
class OneStreamForAllBenchmarks(HillClimber):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds)


@breaks("seeds_and_streams_run_differently")
class OneStreamForAllSeeds(HillClimber):
    def uniforms(self):
        return super().uniforms()[:, :1].repeat(self.columns, axis=1)


@breaks("draws_do_not_depend_on_losses")
class DrawsWhenItIsGood(HillClimber):
    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        if (losses < 0).all():
            self.streams.draw(1)


@breaks("draws_do_not_depend_on_losses")
class LargerBatchesWhenItIsGood(PBIL):
    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        self.lam = 2 + int((losses < 0).all())


@breaks("batch_invariance")
class MeanOverAllSeeds(PBIL):
    def learning_rate(self, losses):
        return super().learning_rate(losses) * (losses.min(axis=0) <= losses.mean())


@breaks("batch_invariance")
class ScaledByTheLargestOfAll(PBIL):
    """Wrong in the last bits alone."""

    def _tell(self, archs, losses):
        super()._tell(archs, losses)
        self.theta = self.theta / self.theta.max()
        self.theta = self.theta / self.theta.sum(axis=0)


@breaks("batch_invariance")
class PlaceMatters(HillClimber):
    def uniforms(self):
        uniforms = super().uniforms().copy()
        uniforms[-1] /= 1 + np.arange(self.columns)
        return uniforms


@breaks("restored_states_go_on")
class ForgetsACounter(PBIL):
    def _state(self):
        return {"theta": self.theta.swapaxes(0, 1)}

    def _load(self, state):
        self.theta = state["theta"].swapaxes(0, 1)


@breaks("restored_states_go_on")
class LoadsIntoAFreshOneOnly(HillClimber):
    def _load(self, state):
        if np.isnan(self.best.loss).all():
            super()._load(state)


@breaks("restored_states_go_on")
class StreamOfItsOwnNotSaved(HillClimber):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.mine = self._make_streams("mine")

    def uniforms(self):
        return self.mine.draw(len(self.space) + 2)


@breaks("states_do_not_change")
class StateIsAView(PBIL):
    def _tell(self, archs, losses):
        told = self.told
        super()._tell(archs, losses)
        told += 1
        self.told = told

    def state_dict(self):
        return {**super().state_dict(), "told": self.told[: len(self.seeds)]}


@breaks("states_do_not_change")
class StateIsTakenOver(PBIL):
    def _tell(self, archs, losses):
        told = self.told
        super()._tell(archs, losses)
        told += 1
        self.told = told

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.told = state["told"].repeat(2)[:2] if len(self.seeds) == 1 else state["told"]


@breaks("arguments_of_tell_stay_the_callers")
class ChangesLosses(PBIL):
    def tell(self, archs, losses):
        losses += 1
        super().tell(archs, losses)


@breaks("arguments_of_tell_stay_the_callers")
class KeepsTheCallersArray(HillClimber):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.last = np.zeros((len(self.seeds), len(space)), dtype=np.int64)

    def tell(self, archs, losses):
        super().tell(archs, losses)
        self.last = archs[:, -1]

    def state_dict(self):
        return {**super().state_dict(), "last": self.last.copy()}

    def load_state_dict(self, state):
        super().load_state_dict(state)
        self.last = state["last"].copy()


@breaks("results_are_the_callers")
class HandsOutItsOwnArray(PBIL):
    def diagnostics(self):
        return {"told": self.told[: len(self.seeds)]}


@breaks("best_seen_is_recommended")
class RecommendsTheWorst(HillClimber):
    def _tell(self, archs, losses):
        self.best.update(archs, -losses)


@breaks("best_seen_is_recommended")
class RecommendsTheLast(HillClimber):
    def _tell(self, archs, losses):
        better = ~(losses[0] > self.best.loss)
        self.best.loss = np.where(better, losses[0], self.best.loss)
        self.best.arch = np.where(better, archs[0], self.best.arch)


@breaks("best_seen_is_recommended")
class RecommendsNothingInfeasible(HillClimber):
    def _tell(self, archs, losses):
        if np.isfinite(losses).all() or not np.isnan(self.best.loss).all():
            super()._tell(archs, losses)


@breaks("samples_are_architectures")
class SamplesWithSeedsSecond(PBIL):
    def sample(self, n):
        return super().sample(n).swapaxes(0, 1)


@breaks("samples_are_drawn_aside")
class SamplesFromTheSearch(PBIL):
    def sample(self, n):
        return self._outward(self._draw(self.streams.draw(n, len(self.space))))


@breaks("samples_are_in_the_state")
class SameSamplesAgain(PBIL):
    def sample(self, n):
        self._sample_streams = None
        return super().sample(n)


@breaks("samples_are_in_the_state")
class SamplesNotSaved(PBIL):
    def __init__(self, space, seeds, *, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.aside = self._make_streams("aside")

    def sample(self, n):
        return self._outward(self._draw(self.aside.draw(n, len(self.space))))


@breaks("samples_follow_the_probabilities")
class SamplesFromTheFirstDistribution(PBIL):
    def sample(self, n):
        kept, self.theta = self.theta, (self.theta > 0) / self.space.sizes[:, None]
        samples = super().sample(n)
        self.theta = kept
        return samples


@breaks("recorded_steps_are_replayed")
class DrawsToLearn(PBIL):
    def learning_rate(self, losses):
        return super().learning_rate(losses) * self.streams.draw(1)[0]


@breaks("recorded_steps_are_replayed")
class LearnsFromItsOwnAsk(PBIL):
    def _ask(self):
        self.last = super()._ask()
        return self.last

    def _tell(self, archs, losses):
        super()._tell(self.last, losses)
