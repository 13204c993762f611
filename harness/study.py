"""Studies: optimizers x benchmarks x seeds x budget, and the cells that they expand into."""

from __future__ import annotations

import hashlib
import json
import os
import re
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from harness.tabular import TIME_FACTOR, Budget, typical_seconds
from optimizers.base import Optimizer
from optimizers.registry import HARNESS_ARGUMENTS, OPTIMIZERS
from results.record import RECORD_VERSION
from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError, unknown
from search_spaces.plugins import default_settings, parse_selection, resolve_settings
from search_spaces.registry import BENCHMARKS, get_benchmark

MAX_SEED = 2**63 - 1
MAX_SEEDS = 1_000_000
MAX_BUDGET = 10**9


@dataclass(frozen=True)
class Selection:
    """A name with the settings that were given with it."""

    name: str
    settings: tuple[tuple[str, Any], ...] = ()

    @classmethod
    def parse(cls, given: Any) -> Selection:
        """From ``"asng(lam=8)"``, or ``{"name": "asng", "lam": 8}`` as a table of a study file."""
        if isinstance(given, Selection):
            return given
        if isinstance(given, str):
            name, settings = parse_selection(given)
        elif isinstance(given, dict) and isinstance(given.get("name"), str):
            name, settings = given["name"], {key: value for key, value in given.items() if key != "name"}
        else:
            raise ArenaError(f"cannot read {given!r}; write 'asng(lam=8)' or a table with a name")
        return cls(name, tuple(sorted(settings.items())))


def parse_seeds(given: Any) -> tuple[int, ...]:
    """Seeds from a number (200 is 0..199), a list of numbers, or text such as ``"200"`` and ``"5-9,12"``."""
    if isinstance(given, str):
        text = given.strip()
        if not re.fullmatch(r"[0-9]{1,19}(-[0-9]{1,19})?(,\s*[0-9]{1,19}(-[0-9]{1,19})?)*", text):
            raise ArenaError(f"seeds {given!r} are not readable; write a number (200 is 0 to 199) or a list as 5-9,12")
        if text.isdigit():
            return parse_seeds(int(text))
        seeds: list[int] = []
        for part in text.split(","):
            first, _, last = part.partition("-")
            if int(last or first) - int(first) >= MAX_SEEDS:
                raise ArenaError(f"seeds {part.strip()!r} are more than {MAX_SEEDS:,}; give fewer")
            if int(last or first) < int(first):
                raise ArenaError(f"seeds {part.strip()!r} run backwards; write {last}-{first.strip()}")
            seeds.extend(range(int(first), int(last or first) + 1))
    elif isinstance(given, int) and not isinstance(given, bool):
        if given < 1:
            raise ArenaError(f"seeds is {given}; give at least 1 (200 is the seeds 0 to 199)")
        if given > MAX_SEEDS:
            raise ArenaError(f"seeds is {given}, a number of seeds up to {MAX_SEEDS:,}; one seed n is written n-n")
        seeds = list(range(given))
    elif isinstance(given, (list, tuple, range)) and len(given) > MAX_SEEDS:
        raise ArenaError(f"{len(given):,} seeds are more than {MAX_SEEDS:,}; give fewer")
    elif isinstance(given, (list, tuple, range)) and all(type(seed) is int for seed in given):
        seeds = list(given)
    else:
        raise ArenaError(f"seeds must be a number, a list of numbers or text such as '5-9,12', not {given!r}")
    if not seeds:
        raise ArenaError("seeds is empty; give at least one")
    if min(seeds) < 0 or max(seeds) > MAX_SEED:
        raise ArenaError(f"a seed lies between 0 and 2^63 - 1, not {min(seeds) if min(seeds) < 0 else max(seeds)}")
    seeds.sort()
    twice = next((one for one, other in pairwise(seeds) if one == other), None)
    if twice is not None:
        raise ArenaError(f"seed {twice} is given twice; give every seed once")
    return tuple(seeds)


def parse_budget(given: Any) -> Budget:
    """A budget from a number of evaluations, ``"12000s"``, ``{"evaluations": n}`` or ``{"seconds": n}``."""
    if isinstance(given, Budget):
        unit, limit = given.unit, given.limit
    elif isinstance(given, dict) and len(given) == 1 and next(iter(given)) in ("evaluations", "seconds"):
        ((unit, limit),) = given.items()
    elif isinstance(given, str) and (match := re.fullmatch(r"([0-9]{1,300})\s*(s?)", given.strip())):
        unit, limit = "seconds" if match[2] else "evaluations", int(match[1])
    elif isinstance(given, int):
        unit, limit = "evaluations", given
    else:
        raise ArenaError(f"budget {given!r} is not readable; write 1000 (evaluations) or 12000s (simulated seconds)")
    if type(limit) is not int or limit < 1:
        raise ArenaError(f"the budget must be a whole number of {unit} of at least 1, not {limit!r}")
    if limit > MAX_BUDGET:
        raise ArenaError(f"the budget must be at most {MAX_BUDGET:,} {unit}, not {limit}")
    return Budget(unit, limit)


def _selections(given: Any) -> tuple[Selection, ...]:
    if isinstance(given, (str, dict)):
        given = [given]
    if not isinstance(given, (list, tuple)):
        raise ArenaError(f"optimizers and benchmarks must be lists of names, such as ['asng'], not {given!r}")
    selections = tuple(Selection.parse(one) for one in given)
    if not selections:
        raise ArenaError("give at least one optimizer and one benchmark")
    return selections


def _numbers(given: Any) -> Any:
    """A list of whole numbers, also from text such as "100,300"."""
    if not isinstance(given, str):
        return given
    parts = [part.strip() for part in given.split(",") if part.strip()]
    if not all(re.fullmatch("[0-9]{1,18}", part) for part in parts):
        raise ArenaError(f"report_at {given!r} is not readable; write budgets as 100,300")
    return [int(part) for part in parts]


class Study(BaseModel):
    """An experiment: every optimizer on every benchmark with every seed.

    Args:
        name: names the folder of its results; letters, digits, ``-``, ``_`` and ``.``.
        description: one or two sentences for those who read the results.
        optimizers: such as ``["asng", "asng(lam=8)", "random_search"]``.
        benchmarks: such as ``["nasbench201(dataset=cifar100)"]``; besides a benchmark's own options ``noise="trials"``
            lets the search see single recorded trials.
        seeds: a number (200 is 0..199), a list, or text such as ``"5-9,12"``.
        budget: evaluations as a number, or ``{"seconds": 12000}`` of simulated time.
        report_at: budgets at which tables report, besides the whole one; in the unit of the budget.
        time_factor: seconds of an evaluation over its training seconds.

    Raises:
        ArenaError: for anything that cannot be run, in one line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}$")]
    description: str = ""
    optimizers: Annotated[tuple[Selection, ...], BeforeValidator(_selections)]
    benchmarks: Annotated[tuple[Selection, ...], BeforeValidator(_selections)]
    seeds: Annotated[tuple[int, ...], BeforeValidator(parse_seeds)]
    budget: Annotated[Budget, BeforeValidator(parse_budget)]
    report_at: Annotated[tuple[Annotated[int, Field(ge=1, strict=True)], ...], BeforeValidator(_numbers)] = ()
    time_factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] = TIME_FACTOR

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise _readable(error) from None
        beyond = [named for named in self.report_at if named > self.budget.limit]
        if beyond:
            raise ArenaError(f"report_at names {beyond[0]}, past the budget of {self.budget.limit} {self.budget.unit}")

    @classmethod
    def load(cls, source: str) -> Study:
        """A bundled study by its name, or one from a TOML file (a path that ends in .toml)."""
        bundled = bundled_studies()
        if source in bundled:
            text, origin = bundled[source].read_text(encoding="utf-8"), source
        elif source.endswith(".toml"):
            try:
                text, origin = Path(source).read_text(encoding="utf-8-sig"), source
            except (OSError, ValueError) as error:  # not UTF-8, or a path with a null byte
                raise ArenaError(
                    f"cannot read the study file {source!r}: {error}; give the path of a TOML file"
                ) from None
        else:
            raise unknown("study (a bundled one, or the path of a .toml file)", source, bundled)
        try:
            values = tomllib.loads(text)
        except (ValueError, RecursionError) as error:  # too long a number and too deep a list are no TOMLDecodeError
            raise ArenaError(f"{origin} is not valid TOML: {error}") from None
        values.setdefault("name", Path(source).stem)
        try:
            return cls(**values)
        except ArenaError as error:
            raise ArenaError(f"{origin}: {error}") from None

    def replaced(self, **values: Any) -> Study:
        """The same study with some values changed; those that are None stay. Named budgets past the new one go."""
        given = {name: value for name, value in values.items() if value is not None}
        if "budget" in given:
            given["budget"] = parse_budget(given["budget"])
            same_unit = given["budget"].unit == self.budget.unit
            given["report_at"] = tuple(n for n in self.report_at if same_unit and n < given["budget"].limit)
        return Study(**{**{name: getattr(self, name) for name in Study.model_fields}, **given})

    def cells(self) -> list[Cell]:
        """Every pair of an optimizer and a benchmark, each loaded and tried.

        Raises:
            ArenaError: for a pair that cannot run, or the same one twice.
        """
        cells = [
            Cell.resolve(self, optimizer, benchmark) for benchmark in self.benchmarks for optimizer in self.optimizers
        ]
        by_id: dict[str, Cell] = {}
        by_label: dict[tuple[str, str], Cell] = {}
        for cell in cells:
            label = cell.optimizer_label, cell.benchmark_label
            if by_label.setdefault(label, cell).id != cell.id:
                raise ArenaError(f"two different cells are both called {' on '.join(label)}; rename one of the classes")
            if by_id.setdefault(cell.id, cell) is not cell:
                raise ArenaError(f"the study names {cell.optimizer_label} on {cell.benchmark_label} twice")
        return cells


@dataclass(frozen=True)
class Cell:
    """One optimizer with its settings on one benchmark, everything resolved. Small and picklable: workers get it."""

    optimizer: str
    settings: tuple[tuple[str, Any], ...]
    optimizer_label: str
    benchmark: str
    options: tuple[tuple[str, Any], ...]
    benchmark_label: str
    noise: str | None
    budget: Budget
    report_at: tuple[int, ...]
    time_factor: float

    @classmethod
    def resolve(cls, study: Study, optimizer: Selection, benchmark: Selection) -> Cell:
        optimizer_class = OPTIMIZERS.load(optimizer.name)
        optimizer_name = OPTIMIZERS.name_of(optimizer_class, optimizer.name)
        kind = f"setting of {optimizer.name}"
        settings = resolve_settings(optimizer_class, dict(optimizer.settings), kind, HARNESS_ARGUMENTS)
        options = dict(benchmark.settings)
        noise = options.pop("noise", None)
        loaded = load_benchmark(benchmark.name, options)
        if noise is not None and noise not in loaded.noise_kinds:
            raise unknown(f"noise for {benchmark.name}({_listed(options)}):", noise, loaded.noise_kinds)
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
        cell = cls(
            optimizer=optimizer_name,
            settings=tuple(settings.items()),
            optimizer_label=_label(optimizer_name, settings, default_settings(optimizer_class)),
            benchmark=benchmark_name,
            options=tuple(resolved.items()),
            benchmark_label=f"{benchmark_name.rpartition(':')[2]}-{loaded.dataset}"
            + "".join(
                f"-{name}{value}" for name, value in resolved.items() if _differs(name, value, type(loaded), automatic)
            )
            + (f"-{noise}" if noise else ""),
            noise=noise,
            budget=study.budget,
            report_at=tuple(sorted({*study.report_at, study.budget.limit})),
            time_factor=study.time_factor,
        )
        try:
            cell.make_optimizer((0,))  # settings out of range are told now
        except (MemoryError, OverflowError):
            raise ArenaError(
                f"{cell.optimizer_label} needs more memory than there is; make its settings smaller"
            ) from None
        return cell

    def make_optimizer(self, seeds: tuple[int, ...]) -> Optimizer:
        """The optimizer of this cell for some seeds, its streams keyed by the benchmark and its data set."""
        benchmark = self.load()
        made: Optimizer = OPTIMIZERS.load(self.optimizer)(
            benchmark.space, seeds, stream=self.stream, **dict(self.settings)
        )
        return made

    def load(self) -> TabularBenchmark:
        return load_benchmark(self.benchmark, dict(self.options))

    @property
    def stream(self) -> str:
        return f"{self.benchmark}/{self.load().dataset}"

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the numbers of this cell depend on, the seeds apart."""
        optimizer_class, benchmark = OPTIMIZERS.load(self.optimizer), self.load()
        return {
            "record_version": RECORD_VERSION,
            "optimizer": {
                "class": f"{optimizer_class.__module__}:{optimizer_class.__qualname__}",
                "version": optimizer_class.version,
                "settings": dict(self.settings),
            },
            "benchmark": {
                "class": f"{type(benchmark).__module__}:{type(benchmark).__qualname__}",
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
        canonical = json.dumps(self.identity, sort_keys=True, separators=(",", ":"), default=str)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    @property
    def folder(self) -> str:
        readable = re.sub(r"[^A-Za-z0-9.]+", "-", f"{self.optimizer_label}--{self.benchmark_label}").strip("-")
        return f"{readable[:80]}-{self.id}"

    def describe(self) -> dict[str, Any]:
        """The content of ``cell.json``: the identity, and all that a reader of results needs, without the benchmark."""
        benchmark, optimizer_class = self.load(), OPTIMIZERS.load(self.optimizer)
        wording = benchmark.wording
        return {
            "id": self.id,
            "identity": self.identity,
            "optimizer": {
                "name": self.optimizer,
                "label": self.optimizer_label,
                "citation": optimizer_class.citation,
                "recommends": optimizer_class.recommends,
                "settings": dict(self.settings),
                "defaults": {
                    name: value
                    for name, value in default_settings(optimizer_class, HARNESS_ARGUMENTS).items()
                    if name in dict(self.settings)
                },
            },
            "benchmark": {
                "name": self.benchmark,
                "dataset": benchmark.dataset,
                "label": self.benchmark_label,
                "options": dict(self.options),
                "noise": self.noise,
                "citation": benchmark.citation,
                "wording": {
                    "unit": wording.unit,
                    "searched": wording.searched + (", seen as single recorded trials" if self.noise else ""),
                    "reported": wording.reported,
                    "reported_is": wording.reported_is,
                    "remark": wording.remark,
                },
                "landmarks": benchmark.landmarks,
                "table_size": benchmark.space.size,
                "space": benchmark.space.to_dict(),
            },
            "budget": {"unit": self.budget.unit, "limit": self.budget.limit},
            "report_at": list(self.report_at),
        }


def bundled_studies() -> dict[str, Any]:
    """The studies that come with the package, by name."""
    files = resources.files("harness.studies").iterdir()
    return {file.name.removesuffix(".toml"): file for file in files if file.name.endswith(".toml")}


def load_benchmark(name: str, options: dict[str, Any]) -> TabularBenchmark:
    """A benchmark, loaded once a process and data folder."""
    return _load_benchmark(name, json.dumps(options, sort_keys=True, default=str), os.environ.get("NAS_ARENA_DATA"))


@cache
def _load_benchmark(name: str, options: str, data_folder: str | None) -> TabularBenchmark:
    return get_benchmark(name, **json.loads(options))


def _label(name: str, settings: dict[str, Any], defaults: dict[str, Any]) -> str:
    """The short name of an optimizer in tables: its settings where they differ from the defaults."""
    changed = {key: value for key, value in settings.items() if value != defaults[key]}
    return name.rpartition(":")[2] + (f"({_listed(changed)})" if changed else "")


def _listed(settings: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in settings.items())


def _differs(name: str, value: Any, cls: type, automatic: dict[str, Any]) -> bool:
    """Whether an option belongs into the label: it is neither the default nor what "auto" comes to."""
    default = default_settings(cls).get(name)
    if default == "auto":
        default = automatic.get(name, value)
    return name != "dataset" and default != value


def _cheapest(benchmark: TabularBenchmark) -> float:
    seconds = benchmark.tables.seconds
    return 0.0 if seconds is None else float(np.nanmin(seconds[-1]))


def _readable(error: ValidationError) -> ArenaError:
    """The first of pydantic's complaints as one line, with the nearest right name for a wrong one."""
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, ArenaError):
        return cause
    key = str(first["loc"][0]) if first["loc"] else "study"
    if first["type"] == "extra_forbidden":
        return unknown("key of a study:", key, Study.model_fields)
    if first["type"] == "missing":
        return ArenaError(f"the study lacks {key!r}; it needs name, optimizers, benchmarks, seeds and budget")
    if key == "name":
        return ArenaError(f"the study's name {first['input']!r} must be letters, digits, '-', '_' or '.'")
    return ArenaError(f"{key}: {first['msg'][0].lower()}{first['msg'][1:]}, not {first['input']!r}")
