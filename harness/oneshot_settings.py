"""What a study may set of a one-shot search and of the training from scratch that follows it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from search_spaces.errors import ArenaError
from search_spaces.plugins import resolve_settings

RETRAIN_VERSION = 1  # raised when the numbers of a training from scratch change
RANDOM_VERSION = 1  # raised when a number stands for another random architecture
MOST = 10**6  # of anything that is counted: more are a slip of the keyboard
MOST_THREADS = 1024  # with very many torch takes the process down


@dataclass(frozen=True, kw_only=True)
class Sgd:
    """Stochastic gradient descent with a cosine schedule by step.

    Attributes:
        weights_lr, weights_lr_end: the learning rate of the first step, and the one that the last step comes near to.
        weights_momentum: of the moving sum of gradients.
        weights_nesterov: whether it looks ahead.
        weights_decay: L2.
        gradient_clip: the norm over all weights at which a gradient is clipped; 0 for none.
    """

    weights_lr: float = 0.025
    weights_lr_end: float = 0.001
    weights_momentum: float = 0.9
    weights_nesterov: bool = True
    weights_decay: float = 5e-4
    gradient_clip: float = 5.0

    def __post_init__(self) -> None:
        if not 0 < self.weights_lr < float("inf") or not 0 <= self.weights_lr_end <= self.weights_lr:
            raise ArenaError(
                f"weights_lr = {self.weights_lr} must be above 0 and finite, and weights_lr_end = "
                f"{self.weights_lr_end} between 0 and that"
            )
        if not 0 <= self.weights_momentum < 1 or (self.weights_nesterov and not self.weights_momentum):
            raise ArenaError(
                f"weights_momentum must be at least 0 and below 1, not {self.weights_momentum}, and above 0 where "
                "weights_nesterov is true"
            )
        for name in ("weights_decay", "gradient_clip"):
            if not 0 <= getattr(self, name) < float("inf"):
                raise ArenaError(f"{name} must be at least 0, not {getattr(self, name)}")


@dataclass(frozen=True, kw_only=True)
class LoopSettings(Sgd):
    """Of a one-shot search. The defaults are the protocol of NAS-Bench-201 for weight sharing, its DARTS row but 250
    epochs, as its other methods have.

    Attributes:
        epochs: passes over the shorter half of the training images.
        batch_size: images a step, from either half.
        weight_samples: architectures whose mean loss a weight step of a sampling optimizer follows. None is ``lam`` of
            an optimizer that has one, as in ASNG's own code, and else 1. Gradient optimizers have no use for it.
        phases: whether a step of the weights and one of the optimizer take turns, or an epoch of the weights is
            followed by ``optimizer_steps``, as in ENAS. Gradient optimizers take turns.
        optimizer_steps: of an epoch, where phases alternate.
        batchnorm: how architectures are judged with shared weights, in monitoring, among final candidates and in the
            ranking: by the statistics of the batch of images judged, or by statistics that are recalibrated for each
            architecture on training images. Losses that an optimizer is told always use the batch's.
        recalibration_images: how many, from the half that trains the weights, without augmentation.
        monitor_images: of the validation half, on which the recommendation is judged after every epoch.
        monitor_samples: architectures among which, after every epoch, that of an optimizer without a mode is chosen.
        final_candidates: samples of which the best on the whole validation half is the answer. 0 is the optimizer's
            own recommendation; None is 0 for an optimizer with a mode and 100 for one without, which with random
            search is random search with weight sharing.
        ranking_architectures: random ones, each with a path from input to output, by which shared-weight accuracy is
            compared with the table's; 0 for none.
        ranking_images: of the validation half, on which these are judged.
        threads: of torch on a CPU. The last bits of weight gradients depend on it, so it is a part of what a result is
            found by.
    """

    epochs: int = 250
    batch_size: int = 64
    weight_samples: int | None = None
    phases: Literal["interleaved", "alternating"] = "interleaved"
    optimizer_steps: int = 50
    batchnorm: Literal["batch", "recalibrated"] = "batch"
    recalibration_images: int = 512
    monitor_images: int = 500
    monitor_samples: int = 20
    final_candidates: int | None = None
    ranking_architectures: int = 100
    ranking_images: int = 1000
    threads: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_threads(self.threads)
        _at_least(self, 1, "epochs", "optimizer_steps", "monitor_samples")
        _at_least(self, 2, "batch_size", "recalibration_images", "monitor_images", "ranking_images")
        _at_least(self, 1, *(["weight_samples"] if self.weight_samples is not None else []))
        _at_least(
            self, 0, "ranking_architectures", *(["final_candidates"] if self.final_candidates is not None else [])
        )
        if 0 < self.ranking_architectures < 10:
            raise ArenaError(
                f"ranking_architectures is {self.ranking_architectures}; fewer than 10 say nothing: give 0 or more"
            )


@dataclass(frozen=True, kw_only=True)
class RetrainSettings(Sgd):
    """Of the training of one architecture from scratch. The defaults are those of the NAS-Bench-201 table.

    Attributes:
        epochs: passes over all training images.
        batch_size: images a step.
        seeds: trainings of each architecture, with initial weights and image orders of their own.
        threads: of torch on a CPU.
    """

    weights_lr: float = 0.1
    weights_lr_end: float = 0.0
    gradient_clip: float = 0.0
    epochs: int = 200
    batch_size: int = 256
    seeds: int = 3
    threads: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_threads(self.threads)
        _at_least(self, 1, "epochs", "seeds")
        _at_least(self, 2, "batch_size")


def check_search_batch(batch_size: int, images: int) -> None:
    """Raises ArenaError where a batch is larger than half of the training images."""
    if batch_size > images // 2:
        raise ArenaError(
            f"batch_size = {batch_size} is larger than half of the {images:,} training images, and an epoch would have "
            f"no step; give at most {images // 2}"
        )


def check_training_batch(batch_size: int, images: int) -> None:
    """Raises ArenaError where a batch is larger than all training images."""
    if batch_size > images:
        raise ArenaError(f"batch_size = {batch_size} is larger than the {images:,} training images; give at most that")


def _at_least(settings: Any, least: int, *names: str) -> None:
    for name in names:
        if not least <= getattr(settings, name) <= MOST:
            wanted = f"at least {least}" if getattr(settings, name) < least else f"at most {MOST:,}"
            raise ArenaError(f"{name} must be {wanted}, not {getattr(settings, name)}")


def _check_threads(threads: int) -> None:
    if not 1 <= threads <= MOST_THREADS:
        raise ArenaError(f"threads must be 1 to {MOST_THREADS:,}, not {threads}")


def loop_settings(given: dict[str, Any], what: str) -> LoopSettings:
    """Settings of the loop, types checked.

    Raises:
        ArenaError: for an unknown name or a value out of range.
    """
    return LoopSettings(**resolve_settings(LoopSettings, given, f"setting of {what}"))


def retrain_settings(given: dict[str, Any]) -> RetrainSettings:
    """Settings of the training from scratch, types checked.

    Raises:
        ArenaError: for an unknown name or a value out of range.
    """
    return RetrainSettings(**resolve_settings(RetrainSettings, given, "setting of [retraining]"))


LOOP_NAMES = frozenset(field.name for field in fields(LoopSettings))
