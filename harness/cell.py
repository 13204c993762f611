"""Cells of a study: one optimizer with its settings on one benchmark, resolved, with an identity."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.identity import folder_of, id_of, identity_of, label_of, listed, on_space, path_of
from harness.noise import noise_in_words, noise_suffix, parse_noise
from harness.tabular import LOOP_VERSION, Budget, typical_seconds
from optimizers.base import Optimizer
from optimizers.registry import HARNESS_ARGUMENTS, OPTIMIZERS
from results.record import RECORD_VERSION
from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError, Unsuited
from search_spaces.plugins import default_settings, resolve_settings
from search_spaces.registry import BENCHMARKS, get_benchmark

if TYPE_CHECKING:
    from harness.selection import Selection
    from harness.study import Study


@dataclass(frozen=True)
class Cell:
    """One optimizer with its settings on one benchmark, everything resolved. Small and picklable: workers get it.

    Attributes:
        noise: None; "trials", single recorded trials in the place of their mean; or the standard deviation of normal
            noise, in the unit of the loss.
        report: name and resolved options of benchmarks of the same space on which its answers are reported too.
        seeds: how many of the study's seeds it gets, the first ones; None for all. No part of its identity.
        varied: the names of the settings that a grid gave it. No part of its identity.
    """

    optimizer: str
    settings: tuple[tuple[str, Any], ...]
    defaults: tuple[tuple[str, Any], ...]
    optimizer_label: str
    benchmark: str
    options: tuple[tuple[str, Any], ...]
    benchmark_label: str
    noise: str | float | None
    budget: Budget
    report_at: tuple[int, ...]
    time_factor: float
    report: tuple[tuple[str, tuple[tuple[str, Any], ...]], ...] = ()
    seeds: int | None = None
    varied: tuple[str, ...] = ()

    @classmethod
    def resolve(cls, study: Study, optimizer: Selection, benchmark: Selection) -> Cell:
        optimizer_class = OPTIMIZERS.load(optimizer.name)
        optimizer_name = OPTIMIZERS.name_of(optimizer_class, optimizer.name)
        if not issubclass(optimizer_class, Optimizer):
            raise Unsuited(
                f"{optimizer_name} follows gradients through a supernet's gates and cannot search a table; "
                "name it in a study of kind oneshot"
            )
        kind = f"setting of {optimizer.name}"
        settings = resolve_settings(optimizer_class, dict(optimizer.settings), kind, HARNESS_ARGUMENTS)
        options = dict(benchmark.settings)
        given_noise = options.pop("noise", None)
        loaded = load_benchmark(benchmark.name, options)
        noise = parse_noise(given_noise, f"{benchmark.name}({listed(options)})", loaded)
        if study.budget.unit == "seconds" and not typical_seconds(loaded) > 0:
            raise ArenaError(f"{benchmark.name} records no times; give a budget in evaluations")
        if study.budget.unit == "seconds" and study.budget.limit < (cheapest := _cheapest(loaded) * study.time_factor):
            raise ArenaError(f"no evaluation ends within {study.budget.limit} s: the cheapest takes {cheapest:.0f} s")
        resolved = {"dataset": loaded.dataset, **loaded.options}
        benchmark_name = BENCHMARKS.name_of(type(loaded), benchmark.name)
        automatic = {
            name: load_benchmark(benchmark.name, {key: options[key] for key in options if key != name}).options[name]
            for name, default in default_settings(type(loaded)).items()
            if default == "auto" and name in options
        }
        settings, defaults = on_space(optimizer_class, loaded.space, settings, optimizer.name)
        return cls(
            optimizer=optimizer_name,
            settings=tuple(settings.items()),
            defaults=tuple(defaults.items()),
            optimizer_label=label_of(optimizer_name, settings, defaults),
            benchmark=benchmark_name,
            options=tuple(resolved.items()),
            benchmark_label=f"{benchmark_name.rpartition(':')[2]}-{loaded.dataset}"
            + "".join(
                f"-{name}-{value}" if isinstance(value, str) else f"-{name}{value}"
                for name, value in resolved.items()
                if _differs(name, value, type(loaded), automatic)
            )
            + noise_suffix(noise),
            noise=noise,
            budget=study.budget,
            report_at=tuple(sorted({*study.report_at, study.budget.limit})),
            time_factor=study.time_factor,
            report=tuple(_reported(loaded, selection) for selection in study.report),
            seeds=min((count for count in (optimizer.seeds, benchmark.seeds) if count is not None), default=None),
            varied=optimizer.varied,
        )

    def seeds_of(self, seeds: Sequence[int]) -> tuple[int, ...]:
        """Those of a study's seeds that this cell gets."""
        return tuple(sorted(seeds)[: self.seeds])

    def make_optimizer(self, seeds: tuple[int, ...]) -> Optimizer:
        """The optimizer of this cell for some seeds, its streams keyed by the benchmark and its data set."""
        benchmark = self.load()
        made: Optimizer = OPTIMIZERS.load(self.optimizer)(
            benchmark.space, seeds, stream=self.stream, **dict(self.settings)
        )
        return made

    def load(self) -> TabularBenchmark:
        return load_benchmark(self.benchmark, dict(self.options))

    def load_report(self) -> dict[str, TabularBenchmark]:
        """The benchmarks on which answers are reported too, by data set."""
        return {dict(options)["dataset"]: load_benchmark(name, dict(options)) for name, options in self.report}

    @property
    def stream(self) -> str:
        return f"{self.benchmark}/{self.load().dataset}"

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the numbers of this cell depend on, the seeds apart."""
        optimizer_class, benchmark = OPTIMIZERS.load(self.optimizer), self.load()
        reported = {
            name: {"class": path_of(type(other)), "version": other.version, "options": dict(options)}
            | {"checksums": other.checksums}
            for (_, options), (name, other) in zip(self.report, self.load_report().items(), strict=True)
        }
        return {
            **({"report": reported} if reported else {}),
            "record_version": RECORD_VERSION,
            "mode": "tabular",
            "loop_version": LOOP_VERSION,
            "optimizer": identity_of(optimizer_class, self.settings),
            "benchmark": {
                "class": path_of(type(benchmark)),
                "version": benchmark.version,
                "options": dict(self.options),
                "noise": self.noise,
                "checksums": benchmark.checksums,
            },
            "budget": {self.budget.unit: self.budget.limit},
            "report_at": list(self.report_at),
            "time_factor": self.time_factor,
        }

    @cached_property
    def id(self) -> str:
        """A hash of the identity: results are looked for under it."""
        return id_of(self.identity)

    @property
    def name(self) -> str:
        """For people."""
        return f"{self.optimizer_label} on {self.benchmark_label}"

    @property
    def folder(self) -> str:
        return folder_of(f"{self.optimizer_label}--{self.benchmark_label}", self.id)

    def describe(self) -> dict[str, Any]:
        """The content of ``cell.json``: the identity, and all that a reader of results needs, without the benchmark."""
        benchmark, optimizer_class = self.load(), OPTIMIZERS.load(self.optimizer)
        wording = benchmark.wording
        searched = wording.searched + noise_in_words(self.noise, wording.unit)
        return {
            "id": self.id,
            "identity": self.identity,
            "optimizer": {
                "name": self.optimizer,
                "label": self.optimizer_label,
                "citation": optimizer_class.citation,
                "recommends": optimizer_class.recommends,
                "settings": dict(self.settings),
                "defaults": dict(self.defaults),
            },
            "benchmark": {
                "name": self.benchmark,
                "dataset": benchmark.dataset,
                "label": self.benchmark_label,
                "options": dict(self.options),
                "noise": self.noise,
                "citation": benchmark.citation,
                "wording": {**asdict(wording), "searched": searched, "regret_unit": wording.regret_unit},
                "landmarks": benchmark.landmarks,
                "table_size": benchmark.space.size,
                "space": benchmark.space.to_dict(),
                **({"edges": [list(edge) for edge in benchmark.edges]} if benchmark.edges else {}),
            },
            "report": {
                name: {"wording": asdict(other.wording), "landmarks": other.landmarks}
                for name, other in self.load_report().items()
            },
            "budget": {"unit": self.budget.unit, "limit": self.budget.limit},
            "report_at": list(self.report_at),
        }


def load_benchmark(name: str, options: dict[str, Any]) -> TabularBenchmark:
    """A benchmark, loaded once a process and data folder."""
    return _load_benchmark(name, json.dumps(options, sort_keys=True, default=str), os.environ.get("NAS_ARENA_DATA"))


@cache
def _load_benchmark(name: str, options: str, data_folder: str | None) -> TabularBenchmark:
    return get_benchmark(name, **json.loads(options))


def _reported(searched: TabularBenchmark, selection: Selection) -> tuple[str, tuple[tuple[str, Any], ...]]:
    if selection.seeds is not None:
        raise ArenaError(f"report names {selection} with seeds; it reports the seeds that searched, leave them out")
    other = load_benchmark(selection.name, dict(selection.settings))
    if other.space != searched.space:
        raise ArenaError(
            f"report names {selection}, whose search space is not that of the {type(searched).__name__} searched; "
            "what is found there means nothing on it"
        )
    return BENCHMARKS.name_of(type(other), selection.name), tuple({"dataset": other.dataset, **other.options}.items())


def _differs(name: str, value: Any, cls: type, automatic: dict[str, Any]) -> bool:
    """Whether an option belongs into the label: it is neither the default nor what "auto" comes to."""
    default = default_settings(cls).get(name)
    if default == "auto":
        default = automatic.get(name, value)
    return name != "dataset" and default != value


def _cheapest(benchmark: TabularBenchmark) -> float:
    seconds = benchmark.tables.seconds
    return 0.0 if seconds is None else float(np.nanmin(seconds[-1]))
