"""Studies: optimizers x benchmarks x seeds x budget, and the cells that they expand into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from harness.cell import Cell
from harness.selection import Selection
from harness.study_file import read_study_file
from harness.tabular import TIME_FACTOR, Budget
from results.curves import is_number
from search_spaces.errors import ArenaError, Unsuited, unknown

MAX_SEED = 2**63 - 1
MAX_SEEDS = 1_000_000
MAX_BUDGET = 10**9

StudyName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}$")]


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


def selections(given: Any) -> tuple[Selection, ...]:
    """From a name, a table, or a list of such."""
    if isinstance(given, (str, dict)):
        given = [given]
    if not isinstance(given, (list, tuple)):
        raise ArenaError(f"optimizers and benchmarks must be lists of names, such as ['asng'], not {given!r}")
    selections = tuple(selection for one in given for selection in Selection.parse_all(one))
    if not selections:
        raise ArenaError("give at least one optimizer and one benchmark")
    return selections


def _reports(given: Any) -> tuple[Selection, ...]:
    return selections(given) if given else ()


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
            lets the search see single recorded trials, and ``noise=5`` (or ``{sd = 5}``) losses with normal noise of
            that standard deviation.
        seeds: a number (200 is 0..199), a list, or text such as ``"5-9,12"``. An optimizer or a benchmark with a
            ``seeds`` of its own, a number, gets the first so many of them.
        budget: evaluations as a number, or ``{"seconds": 12000}`` of simulated time.
        report_at: budgets at which tables report, besides the whole one; in the unit of the budget.
        time_factor: seconds of an evaluation over its training seconds.
        report: benchmarks of the same space, such as other data sets, on which what was found is reported too.
        sweep: the numeric setting whose values make a curve, such as "delta_init", where the optimizers vary it: the
            study then ends with the curves of every rule, and not with a row a cell.
        skip_unsuited: whether pairs that cannot work, and optimizers whose extra is not installed, are left out with
            their reason; else they are an error.

    An optimizer or a benchmark as a table may ``vary`` settings: ``{name = "asng", vary = {alpha = [1.5, 2, 3]}}`` is
    every combination.

    Raises:
        ArenaError: for anything that cannot be run, in one line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: StudyName
    description: str = ""
    optimizers: Annotated[tuple[Selection, ...], BeforeValidator(selections)]
    benchmarks: Annotated[tuple[Selection, ...], BeforeValidator(selections)]
    seeds: Annotated[tuple[int, ...], BeforeValidator(parse_seeds)]
    budget: Annotated[Budget, BeforeValidator(parse_budget)]
    report_at: Annotated[tuple[Annotated[int, Field(ge=1, strict=True)], ...], BeforeValidator(_numbers)] = ()
    time_factor: Annotated[float, Field(gt=0, allow_inf_nan=False)] = TIME_FACTOR
    report: Annotated[tuple[Selection, ...], BeforeValidator(_reports)] = ()
    sweep: str = ""
    skip_unsuited: bool = False

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise readable(error, Study, "a study", "name, optimizers, benchmarks, seeds and budget") from None
        beyond = [named for named in self.report_at if named > self.budget.limit]
        if beyond:
            raise ArenaError(f"report_at names {beyond[0]}, past the budget of {self.budget.limit} {self.budget.unit}")

    @classmethod
    def load(cls, source: str) -> Study:
        """A bundled study by its name, or one from a TOML file (a path that ends in .toml)."""
        values = read_study_file(source)
        if values.pop("kind", "tabular") != "tabular":
            raise ArenaError(f"{source} is a study of another kind; run it with 'nas-arena run {source}'")
        try:
            return cls(**values)
        except ArenaError as error:
            raise ArenaError(f"{source}: {error}") from None

    def replaced(self, **values: Any) -> Study:
        """The same study with some values changed; those that are None stay. Named budgets past the new one go."""
        given = {name: value for name, value in values.items() if value is not None}
        if "budget" in given:
            given["budget"] = parse_budget(given["budget"])
            same_unit = given["budget"].unit == self.budget.unit
            given["report_at"] = tuple(n for n in self.report_at if same_unit and n < given["budget"].limit)
        return Study(**{**{name: getattr(self, name) for name in Study.model_fields}, **given})

    @property
    def pairs(self) -> int:
        """How many pairs of an optimizer and a benchmark there are."""
        return len(self.optimizers) * len(self.benchmarks)

    def plan(self) -> Plan:
        """Every pair of an optimizer and a benchmark, each loaded and tried.

        Raises:
            ArenaError: for a pair that cannot run, or the same one twice.
        """
        cells, skipped = [], []
        for benchmark in self.benchmarks:
            for optimizer in self.optimizers:
                try:
                    cells.append(Cell.resolve(self, optimizer, benchmark))
                except Unsuited as error:
                    if not self.skip_unsuited:
                        raise
                    skipped.append((f"{optimizer} on {benchmark}", str(error)))
        if not cells:
            raise ArenaError(f"nothing of the study can run: {skipped[0][1]}")
        _check_distinct(cells)
        self._check_sweep(cells)
        return Plan(cells, skipped)

    def cells(self) -> list[Cell]:
        """The cells of the plan."""
        return self.plan().cells

    def _check_sweep(self, cells: list[Cell]) -> None:
        varied = {name for cell in cells for name in cell.varied}
        if self.sweep and self.sweep not in varied:
            raise unknown("setting to sweep, which an optimizer must vary:", self.sweep, varied)
        for cell in cells:
            value = dict(cell.settings).get(self.sweep)
            if self.sweep in cell.varied and not is_number(value):
                raise ArenaError(f"{self.sweep!r} of {cell.optimizer} is {value!r}; only a number can be swept")


@dataclass(frozen=True)
class Plan:
    """What a study comes to.

    Attributes:
        cells: in the order of benchmarks, then optimizers.
        skipped: the pairs that cannot work, each with its reason.
    """

    cells: list[Cell]
    skipped: list[tuple[str, str]]


def _check_distinct(cells: list[Cell]) -> None:
    by_id: dict[str, Cell] = {}
    by_label: dict[tuple[str, str], Cell] = {}
    reported = [dict(options)["dataset"] for _, options in cells[0].report]
    for place, dataset in enumerate(reported):
        if dataset in reported[:place]:
            raise ArenaError(f"report names the data set {dataset} twice; its numbers would stand under one name")
    for cell in cells:
        label = cell.optimizer_label, cell.benchmark_label
        if by_label.setdefault(label, cell).id != cell.id:
            raise ArenaError(
                f"two different cells are both called {' on '.join(label)}: give one of them another name, or "
                "numbers that can be told apart"
            )
        if by_id.setdefault(cell.id, cell) is not cell:
            raise ArenaError(
                f"the study names {cell.optimizer_label} on {cell.benchmark_label} twice; name it once, and every "
                "value of a grid once"
            )


def readable(error: ValidationError, study: type[BaseModel], called: str, needs: str) -> ArenaError:
    """The first of pydantic's complaints as one line, with the nearest right name for a wrong one.

    Args:
        error: of it.
        study: the kind of study.
        called: what that is called.
        needs: the keys that it cannot do without.
    """
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, ArenaError):
        return cause
    key = str(first["loc"][0]) if first["loc"] else "study"
    if first["type"] == "extra_forbidden":
        return unknown(f"key of {called}:", key, study.model_fields)
    if first["type"] == "missing":
        return ArenaError(f"the study lacks {key!r}; it needs {needs}")
    if key == "name":
        return ArenaError(f"the study's name {first['input']!r} must be letters, digits, '-', '_' or '.'")
    return ArenaError(f"{key}: {first['msg'][0].lower()}{first['msg'][1:]}, not {first['input']!r}")
