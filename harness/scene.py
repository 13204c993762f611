"""What all cells of a one-shot study share: supernet, images, table, and how architectures are trained from scratch."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cache, cached_property, partial
from typing import Any

import numpy as np

from harness.cell import load_benchmark
from harness.identity import label_of, path_of
from harness.oneshot_settings import RETRAIN_VERSION, RetrainSettings, check_training_batch
from harness.selection import Selection, Settings
from results.oneshot_record import ONESHOT_RECORD_VERSION
from results.tables import reported_number
from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError
from search_spaces.images import ImageData, content_digest, load_images
from search_spaces.plugins import construct, default_settings, resolve_settings
from search_spaces.registry import BENCHMARKS, SUPERNETS
from search_spaces.supernet import SupernetSpace

Named = tuple[str, Settings]
"""A name with resolved options."""


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
            "images": {
                "content": content_digest(images),
                "classes": len(images.classes),
                "augmentation": asdict(images.augmentation),
            },
            "table": table
            and {
                "class": path_of(type(table)),
                "version": table.version,
                "options": {"dataset": table.dataset, **table.options},
                "checksums": table.checksums,
            },
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
    about = {"wording": {**asdict(table.wording), "regret_unit": table.wording.regret_unit}}
    final = np.array([table.landmarks["best_final_loss"], np.median(table.final_losses)])
    best, median = reported_number(about, final).tolist()
    return {
        **about,
        "label": f"{name.rpartition(':')[2]}-{table.dataset}",
        "same_images": table.dataset == images,
        "options": dict(table.options),
        "citation": table.citation,
        "best_reported": best,
        "median_reported": median,
    }


@cache
def _load_images(name: str, options: str) -> ImageData:
    return load_images(name, **json.loads(options))
