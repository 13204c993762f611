"""One-shot search: the weights of a supernet and a search method learn in turn (ASNG paper, section 2; DARTS).

The loop knows neither networks nor images: it moves a search method, and whatever has shared weights
(:class:`harness.shared_weights.SharedWeights`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from harness.oneshot_settings import LoopSettings
from optimizers.base import SamplingOptimizer
from optimizers.gradient import BilevelProblem, GradientOptimizer
from results.record import BEST_SEEN
from search_spaces.errors import ArenaError
from search_spaces.gates import Gates
from search_spaces.space import Ints

ONESHOT_VERSION = 1  # raised when the numbers of a search change

Method = SamplingOptimizer | GradientOptimizer
Columns = dict[str, list[float]]


class LossNotFinite(ArithmeticError):  # noqa: N818 it says what is so
    """A loss is NaN or infinite.

    Attributes:
        place: of it among the losses of the step.
        value: of it.
    """

    def __init__(self, place: int, value: float) -> None:
        super().__init__(place, value)
        self.place, self.value = place, value


class WeightSharing(BilevelProblem, Protocol):
    """Weights that all architectures share, trained on batches of one half of the data and measured on the other's.

    A loss that is NaN or infinite is raised, as :class:`LossNotFinite`.
    """

    @property
    def steps_per_epoch(self) -> int: ...

    @property
    def last_valid_loss(self) -> float: ...

    def next_train(self) -> None: ...

    def next_valid(self) -> None: ...

    def train(self, gates: Sequence[Gates]) -> float: ...

    def valid_losses(self, gates: Sequence[Gates]) -> NDArray[np.float64]: ...


class Monitor(Protocol):
    """Looks at the search after every epoch, and changes nothing."""

    def look(self, method: Method) -> dict[str, float]:
        """Numbers by name."""


def complete(settings: LoopSettings, method: Method) -> LoopSettings:
    """The settings with what depends on the method filled in, and what has no effect at its default: two searches that
    are the same are known by the same settings.

    Args:
        settings: of the loop.
        method: an optimizer.

    Raises:
        ArenaError: for phases that alternate where the method is a gradient optimizer.
    """
    gradient = isinstance(method, GradientOptimizer)
    if gradient and settings.phases == "alternating":
        raise ArenaError(
            f"{type(method).__name__} updates itself with every step of the weights; leave phases at interleaved"
        )
    samples = 1 if gradient else settings.weight_samples or int(getattr(method, "lam", 1))
    candidates = settings.final_candidates
    if candidates is None:
        candidates = 0 if has_mode(method) else 100
    if gradient and candidates:
        raise ArenaError(f"{type(method).__name__} draws no samples; leave final_candidates out")
    idle = {
        "optimizer_steps": settings.phases == "interleaved",
        "recalibration_images": settings.batchnorm == "batch",
        "monitor_samples": has_mode(method),
        "ranking_images": not settings.ranking_architectures,
    }
    defaults: dict[str, Any] = {name: getattr(LoopSettings, name) for name, without in idle.items() if without}
    return replace(settings, weight_samples=samples, final_candidates=candidates, **defaults)


def has_mode(method: Method) -> bool:
    """Whether the method recommends something of its own. The best loss seen says nothing while weights change."""
    return method.recommends != BEST_SEEN


def search(
    method: Method,
    weights: WeightSharing,
    settings: LoopSettings,
    monitor: Monitor,
    name_of: Callable[[Ints], str],
    tell: Callable[[dict[str, float]], object] = lambda row: None,
) -> Columns:
    """Runs all epochs. A step of a sampling optimizer draws ``weight_samples`` architectures that are never told,
    follows their mean loss with the weights, and tells fresh ones their losses on a validation batch; a gradient
    optimizer holds its gates for the step of the weights, and then updates itself.

    Args:
        method: one seed of it.
        weights: as initialised.
        settings: complete ones.
        monitor: is asked after every epoch, outside the time that counts.
        name_of: names an architecture in errors, int [V].
        tell: is told every epoch's numbers as they come.

    Returns:
        by name a number an epoch: ``epoch``, ``step``, ``learning_rate``, ``train_loss`` and ``valid_loss`` (means
        over the epoch's steps; the latter of second-order darts at the weights one step ahead), ``seconds`` of search
        so far, ``monitor_seconds``, what the monitor says, and the diagnostics of the method: ``entropy`` and
        ``step_size`` (NaN where it has none), others as ``diagnostic.<name>``.

    Raises:
        ArenaError: for a loss that is NaN or infinite, with epoch, step and architecture.
    """
    half = _Sampling(method, weights, settings) if isinstance(method, SamplingOptimizer) else _Bilevel(method, weights)
    columns: Columns = {}
    seconds = monitoring = 0.0
    for epoch in range(1, settings.epochs + 1):
        start = perf_counter()
        learning_rate = weights.learning_rate
        train_losses, valid_losses = _epoch(half, weights, settings, epoch, name_of)
        seconds += perf_counter() - start
        start = perf_counter()
        seen = monitor.look(method)
        monitoring += perf_counter() - start
        row = {
            "epoch": float(epoch),
            "step": float(epoch * weights.steps_per_epoch),
            "learning_rate": learning_rate,
            "train_loss": float(np.mean(train_losses)),
            "valid_loss": float(np.mean(valid_losses)),
            **diagnostics(method),
            **seen,
            "seconds": seconds,
            "monitor_seconds": monitoring,
        }
        for name, value in row.items():
            columns.setdefault(name, []).append(value)
        tell(row)
    return columns


def _epoch(
    half: _Sampling | _Bilevel,
    weights: WeightSharing,
    settings: LoopSettings,
    epoch: int,
    name_of: Callable[[Ints], str],
) -> tuple[list[float], list[float]]:
    """The losses of the weights' steps and of the method's."""
    interleaved = settings.phases == "interleaved"
    train_losses: list[float] = []
    valid_losses: list[float] = []
    losses, phase = train_losses, "training"
    try:
        for _ in range(weights.steps_per_epoch):
            losses, phase = train_losses, "training"
            weights.next_train()
            if interleaved:
                weights.next_valid()
            train_losses.append(half.weight_step())
            if interleaved:
                losses, phase = valid_losses, "validation"
                valid_losses.append(half.own_step())
        for _ in range(0 if interleaved else settings.optimizer_steps):
            losses, phase = valid_losses, "validation"
            weights.next_valid()
            valid_losses.append(half.own_step())
    except LossNotFinite as error:
        raise ArenaError(
            f"the {phase} loss is {error.value} in epoch {epoch}, step {len(losses) + 1}, at "
            f"{name_of(half.tried[error.place])}; a lower weights_lr than {settings.weights_lr:g} or "
            "a gradient_clip above 0 may help"
        ) from None
    return train_losses, valid_losses


class _Sampling:
    """A sampling optimizer in the loop.

    Attributes:
        tried: the architectures of the last step.
    """

    def __init__(self, optimizer: SamplingOptimizer, weights: WeightSharing, settings: LoopSettings) -> None:
        self._optimizer, self._weights, self._samples = optimizer, weights, settings.weight_samples or 1
        self.tried: Ints = np.empty((0, 0), dtype=np.int64)

    def weight_step(self) -> float:
        self.tried = self._optimizer.sample(self._samples)[0]
        return self._weights.train([Gates.of_arch(arch) for arch in self.tried])

    def own_step(self) -> float:
        asked = self._optimizer.ask()
        self.tried = asked[0]
        losses = self._weights.valid_losses([Gates.of_arch(arch) for arch in self.tried])
        self._optimizer.tell(asked, losses[None])
        return float(losses.mean())


class _Bilevel:
    """A gradient optimizer in the loop.

    Attributes:
        tried: the architecture that the weights' last step ran; of a mixture, what is recommended.
    """

    def __init__(self, optimizer: GradientOptimizer, weights: WeightSharing) -> None:
        self._optimizer, self._weights = optimizer, weights
        self.tried: Ints = np.empty((0, 0), dtype=np.int64)

    def weight_step(self) -> float:
        gates = self._optimizer.gates(training=True).detached()
        single = all(len(values) == 1 for values in gates.active)
        self.tried = np.array([[values[0] for values in gates.active]]) if single else self._optimizer.recommend()[None]
        return self._weights.train([gates])

    def own_step(self) -> float:
        self.tried = self._optimizer.recommend()[None]
        self._optimizer.update(self._weights)
        return self._weights.last_valid_loss


def recommended(method: Method) -> Ints:
    """What it would hand over now: int [V]."""
    return method.recommend()[0] if isinstance(method, SamplingOptimizer) else method.recommend()


def diagnostics(method: Method) -> dict[str, float]:
    """Its diagnostics as columns of a record."""
    given: dict[str, Any] = {name: float(np.ravel(value)[0]) for name, value in method.diagnostics().items()}
    known = {name: given.pop(name, np.nan) for name in ("entropy", "step_size")}
    return {**known, **{f"diagnostic.{name}": value for name, value in given.items()}}
