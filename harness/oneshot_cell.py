"""Cells of a one-shot study: an optimizer that searches by weight sharing, or architectures trained from scratch."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property, partial
from typing import Any

import numpy as np

from harness.cell import load_benchmark
from harness.identity import folder_of, id_of, identity_of, label_of, on_space, one_seed, path_of
from harness.oneshot import ONESHOT_VERSION, complete
from harness.oneshot_settings import (
    LOOP_NAMES,
    RETRAIN_VERSION,
    LoopSettings,
    RetrainSettings,
    check_search_batch,
    check_training_batch,
    loop_settings,
)
from harness.selection import Selection
from optimizers.base import SamplingOptimizer, SearchMethod
from optimizers.gradient import GradientOptimizer
from optimizers.registry import HARNESS_ARGUMENTS, OPTIMIZERS
from results.oneshot_comparison import RANDOM_ARCHITECTURES
from results.oneshot_record import ONESHOT_RECORD_VERSION
from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError, Unsuited
from search_spaces.images import ImageData, content_digest, load_images
from search_spaces.plugins import construct, default_settings, resolve_settings
from search_spaces.registry import BENCHMARKS, SUPERNETS
from search_spaces.supernet import SupernetSpace

Settings = tuple[tuple[str, Any], ...]
Named = tuple[str, Settings]


@dataclass(frozen=True)
class Scene:
    """What all cells of a one-shot study share. Small and picklable: workers get it.

    Attributes:
        supernet, images: name and resolved options.
        table: of the same search space, None where there is none.
        retraining: how architectures are trained from scratch, None where they are not.
        device: on which; no part of an identity.
    """

    supernet: Named
    images: Named
    table: Named | None
    retraining: RetrainSettings | None
    device: str

    @classmethod
    def resolve(
        cls,
        supernet: Selection,
        images: Selection,
        table: Selection | None,
        retraining: RetrainSettings | None,
        device: str,
    ) -> Scene:
        """Raises ArenaError for what is unknown or cannot be had, or a table of another space."""
        for selection in (supernet, images, *([table] if table else [])):
            if selection.seeds is not None:
                raise ArenaError(f"{selection} is given with seeds; only optimizers have seeds of their own here")
        cls_supernet = SUPERNETS.load(supernet.name)
        given = resolve_settings(cls_supernet, dict(supernet.settings), f"option of {supernet.name}")
        name = SUPERNETS.name_of(cls_supernet, supernet.name)
        loaded = load_images(images.name, **dict(images.settings))
        scene = cls(
            (name, tuple(given.items())), (loaded.name, tuple(loaded.options.items())), None, retraining, device
        )
        space = scene.load_supernet().space
        if retraining:
            check_training_batch(retraining.batch_size, len(loaded.train_images))
        if table is None:
            return scene
        judge = load_benchmark(table.name, dict(table.settings))
        if judge.space != space:
            raise ArenaError(f"the table {table} is of another search space than the supernet {supernet}; leave it out")
        options = {"dataset": judge.dataset, **judge.options}
        known = BENCHMARKS.name_of(type(judge), table.name), tuple(options.items())
        return cls(scene.supernet, scene.images, known, retraining, device)

    def load_supernet(self) -> SupernetSpace:
        name, options = self.supernet
        make: Callable[..., SupernetSpace] = SUPERNETS.load(name)
        made: SupernetSpace = construct(f"supernet {name}", partial(make, **dict(options)))
        return made

    def load_images(self) -> ImageData:
        """The images, loaded once a process."""
        name, options = self.images
        return _load_images(name, json.dumps(dict(options), sort_keys=True))

    def load_table(self) -> TabularBenchmark | None:
        return load_benchmark(self.table[0], dict(self.table[1])) if self.table else None

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What numbers depend on."""
        supernet, images, table = self.load_supernet(), self.load_images(), self.load_table()
        return {
            "record_version": ONESHOT_RECORD_VERSION,
            "supernet": {
                "class": path_of(type(supernet)),
                "version": supernet.version,
                "options": dict(self.supernet[1]),
            },
            "images": {"content": content_digest(images), "augmentation": asdict(images.augmentation)},
            "table": table
            and {"name": self.table and self.table[0], "options": table.options, "checksums": table.checksums},
            "retraining": self.retraining and {"version": RETRAIN_VERSION, **asdict(self.retraining)},
        }

    def describe(self) -> dict[str, Any]:
        """What a reader of results needs of it, without the images."""
        supernet, images, table = self.load_supernet(), self.load_images(), self.load_table()
        name, options = self.supernet
        label = label_of(name, dict(options), default_settings(type(supernet)))
        return {
            "retraining": self.retraining and asdict(self.retraining),
            "supernet": {
                "name": name,
                "label": label,
                "options": dict(options),
                "citation": supernet.citation,
                "space": supernet.space.to_dict(),
                "edges": [list(edge) for edge in supernet.edges],
            },
            "images": {
                "label": images.label,
                "name": images.name,
                "options": dict(self.images[1]),
                "train_images": len(images.train_images),
                "test_images": len(images.test_images),
                "shape": [*images.train_images.shape[1:]],
                "classes": len(images.classes),
                "remark": images.remark,
                "citation": images.citation,
            },
            "table": table and about_table(table, str(self.table and self.table[0]), images.name),
        }


def about_table(table: TabularBenchmark, name: str, images: str) -> dict[str, Any]:
    """What a reader of results needs of the table that judges, and whether it was measured on the images of the search.

    Args:
        table: the benchmark.
        name: its name.
        images: the name of the image set.
    """
    turned = 100.0 if table.wording.complement else 0.0
    sign = -1.0 if table.wording.complement else 1.0
    return {
        "label": f"{name.rpartition(':')[2]}-{table.dataset}",
        "same_images": table.dataset == images,
        "options": dict(table.options),
        "citation": table.citation,
        "wording": {**asdict(table.wording), "regret_unit": table.wording.regret_unit},
        "best_reported": turned + sign * table.landmarks["best_final_loss"],
        "median_reported": turned + sign * float(np.median(table.final_losses)),
    }


@cache
def _load_images(name: str, options: str) -> ImageData:
    return load_images(name, **json.loads(options))


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
        return {"mode": "oneshot", "optimizer": optimizer, "loop": loop, **self.scene.identity}

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
        return {"mode": "training", "architecture": self.architecture, **self.scene.identity}

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
