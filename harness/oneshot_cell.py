"""Cells of a one-shot study: an optimizer that searches by weight sharing, or architectures trained from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

from harness.identity import folder_of, id_of, identity_of, label_of, on_space, one_seed
from harness.oneshot import ONESHOT_VERSION, complete
from harness.oneshot_settings import LOOP_NAMES, RANDOM_VERSION, LoopSettings, check_search_batch, loop_settings
from harness.scene import Scene
from harness.selection import Selection, Settings
from optimizers.base import SamplingOptimizer, SearchMethod
from optimizers.gradient import GradientOptimizer
from optimizers.registry import HARNESS_ARGUMENTS, OPTIMIZERS
from results.oneshot_comparison import RANDOM_ARCHITECTURES
from search_spaces.errors import Unsuited
from search_spaces.plugins import resolve_settings


@dataclass(frozen=True)
class SearchCell:
    """One optimizer with its settings in one scene, everything resolved.

    Attributes:
        label: the optimizer with its settings where they differ from its defaults, those of the loop where they differ
            from the study's.
        seeds: how many of the study's seeds it gets, the first ones; None for all.
    """

    scene: Scene
    optimizer: str
    settings: Settings
    defaults: Settings
    label: str
    loop: LoopSettings
    seeds: int | None

    @classmethod
    def resolve(cls, scene: Scene, loop: dict[str, Any], selection: Selection) -> SearchCell:
        """Of an optimizer whose table may hold settings of the loop, too.

        Raises:
            Unsuited: for an optimizer that cannot drive a supernet.
            ArenaError: for settings that are unknown or out of range.
        """
        method = OPTIMIZERS.load(selection.name)
        name = OPTIMIZERS.name_of(method, selection.name)
        if not issubclass(method, (SamplingOptimizer, GradientOptimizer)):
            raise Unsuited(
                f"{name} has neither a distribution to sample from nor gates, one of which weight sharing needs; it "
                "searches tables"
            )
        given = dict(selection.settings)
        own = {key: given.pop(key) for key in [*given] if key in LOOP_NAMES}
        settings = resolve_settings(method, given, f"setting of {name}", HARNESS_ARGUMENTS)
        settings, defaults = on_space(method, scene.load_supernet().space, settings, name)
        shared = loop_settings(loop, "[loop]")
        made = one_seed(method, scene.load_supernet().space, settings, name)
        resolved = complete(loop_settings(loop | own, name), made)
        check_search_batch(resolved.batch_size, len(scene.load_images().train_images))
        differing = {key: value for key, value in own.items() if value != getattr(shared, key)}
        return cls(
            scene=scene,
            optimizer=name,
            settings=tuple(settings.items()),
            defaults=tuple(defaults.items()),
            label=label_of(name, settings | differing, defaults | dict.fromkeys(differing)),
            loop=resolved,
            seeds=selection.seeds,
        )

    def seeds_of(self, seeds: Sequence[int]) -> tuple[int, ...]:
        """Those of a study's seeds that this cell gets."""
        return tuple(sorted(seeds)[: self.seeds])

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the numbers of this cell depend on, the seeds apart."""
        optimizer = identity_of(OPTIMIZERS.load(self.optimizer), self.settings)
        loop = {"version": ONESHOT_VERSION, **asdict(self.loop)}
        return {"mode": "oneshot", "optimizer": optimizer, "stream": self.stream, "loop": loop, **self.scene.identity}

    @cached_property
    def id(self) -> str:
        """A hash of the identity: results are looked for under it."""
        return id_of(self.identity)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.label} on {self.scene.images[0]}"

    @property
    def folder(self) -> str:
        return folder_of(self.name, self.id)

    @property
    def stream(self) -> str:
        """What the random streams of the optimizer depend on besides the seed."""
        return f"{self.scene.supernet[0]}/{self.scene.images[0]}"

    def make_optimizer(self, seed: int, steps: int) -> Any:
        """The optimizer of one seed, which will be updated so many times."""
        method, space = OPTIMIZERS.load(self.optimizer), self.scene.load_supernet().space
        if issubclass(method, GradientOptimizer):
            return method(space, seed, steps, stream=self.stream, **dict(self.settings))
        return method(space, (seed,), stream=self.stream, **dict(self.settings))

    def describe(self) -> dict[str, Any]:
        """The content of ``cell.json``: the identity, and what a reader of results needs."""
        method: type[SearchMethod] = OPTIMIZERS.load(self.optimizer)
        return {
            "id": self.id,
            "identity": self.identity,
            "kind": "search",
            "label": self.label,
            "name": self.name,
            "optimizer": {
                "name": self.optimizer,
                "label": self.label,
                "citation": method.citation,
                "recommends": method.recommends,
                "settings": dict(self.settings),
                "defaults": dict(self.defaults),
            },
            "loop": asdict(self.loop),
            **self.scene.describe(),
        }


@dataclass(frozen=True)
class TrainingCell:
    """Architectures that are trained from scratch: what searches are compared with, or what somebody asks for.

    Attributes:
        architecture: of which every seed is a training; None for random ones, of which seed s is number s.
        count: how many random ones; None where the study's seeds are those of the trainings.
    """

    scene: Scene
    architecture: tuple[int, ...] | None
    count: int | None

    def seeds_of(self, seeds: Sequence[int]) -> tuple[int, ...]:
        """Numbers of random architectures, or the study's seeds."""
        return tuple(sorted(seeds)) if self.count is None else tuple(range(self.count))

    @property
    def label(self) -> str:
        if self.architecture is None:
            return RANDOM_ARCHITECTURES
        return self.scene.load_supernet().architecture_string(self.architecture)

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the numbers of this cell depend on, the seeds apart."""
        architecture = {"random": RANDOM_VERSION} if self.architecture is None else self.architecture
        return {"mode": "training", "architecture": architecture, **self.scene.identity}

    @cached_property
    def id(self) -> str:
        """A hash of the identity: results are looked for under it."""
        return id_of(self.identity)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.label} on {self.scene.images[0]}"

    @property
    def folder(self) -> str:
        return folder_of(self.name, self.id)

    def describe(self) -> dict[str, Any]:
        """The content of ``cell.json``: the identity, and what a reader of results needs."""
        return {
            "id": self.id,
            "identity": self.identity,
            "kind": "training",
            "label": self.label,
            "name": self.name,
            "optimizer": None,
            "loop": None,
            **self.scene.describe(),
        }
