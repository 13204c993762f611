"""Two right optimizers, one that knows the best seen and one that owns a distribution; others break them."""

import numpy as np

from nas_arena import BestSeen, Optimizer, SamplingOptimizer, uniform_values


class HillClimber(Optimizer):
    """Changes one variable of the best architecture so far."""

    recommends = "best seen"

    def __init__(self, space, seeds, *, restart: float = 0.1, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.restart, self.best = restart, BestSeen(space, self.columns)

    def uniforms(self):
        return self.streams.draw(len(self.space) + 2)

    def _ask(self):
        V, columns, uniforms = len(self.space), np.arange(self.columns), self.uniforms()
        fresh = uniform_values(uniforms[:V], self.space.sizes[:, None])
        v = uniform_values(uniforms[V], np.int64(V))
        near = self.best.arch.copy()
        near[v, columns] = fresh[v, columns]
        return np.where(uniforms[V + 1] < self.restart, fresh, near)[None]

    def _tell(self, archs, losses):
        self.best.update(archs, losses)

    def _recommend(self):
        return self.best.arch

    def _state(self):
        return self.best.state()

    def _load(self, state):
        self.best.load(state)


class PBIL(SamplingOptimizer):
    """Population-based incremental learning (Baluja 1994): probabilities move towards the best of a few samples."""

    replayable = True
    recommends = "mode"

    def __init__(self, space, seeds, *, lam: int = 3, rate: float = 0.1, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.lam, self.rate = lam, rate
        self.values = np.arange(space.sizes.max())[:, None, None]  # [Kmax, 1, 1]
        exists = self.values[..., 0] < space.sizes  # [Kmax, V]
        self.theta = np.where(exists, 1 / space.sizes, 0.0)[:, :, None].repeat(self.columns, axis=2)
        self.told = np.zeros(self.columns)

    @property
    def probabilities(self):
        return self._outward(self.theta.swapaxes(0, 1))

    def _draw(self, uniforms):
        archs = (uniforms[:, None] >= np.cumsum(self.theta, axis=0)).sum(axis=1)
        return np.minimum(archs, self.space.sizes[:, None] - 1)

    def _ask(self):
        return self._draw(self.streams.draw(self.lam, len(self.space)))

    def _tell(self, archs, losses):
        best = archs[losses.argmin(axis=0), :, np.arange(self.columns)].T  # [V, columns]
        rate = self.learning_rate(losses)
        self.theta = (1 - rate) * self.theta + rate * (self.values == best)
        self.told = self.told + 1

    def learning_rate(self, losses):
        return self.rate / (1 + self.told / 50)

    def _recommend(self):
        return self.theta.argmax(axis=0)

    def _diagnostics(self):
        return {"largest_probability": self.theta.max(axis=0).mean(axis=0)}

    def _state(self):
        return {"theta": self.theta.swapaxes(0, 1), "told": self.told}

    def _load(self, state):
        self.theta, self.told = state["theta"].swapaxes(0, 1), state["told"]


class OfCategoriesAlone(PBIL):
    """Does not take ordinals, and says so."""

    categorical_only = True


def breaks(check):
    """Says which check finds how a class breaks the contract."""

    def note(cls):
        cls.check = check
        return cls

    return note
