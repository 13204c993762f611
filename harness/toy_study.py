"""Studies of the toy problem: step rules by initial step and learning rate of the weights, many trials a row.

A study file of ``kind = "toy"`` names optimizers as any other does. Their tables may also hold the settings of the
problem (:class:`harness.toy.ToyProblem`) and ``k``, which stands for ``delta_init`` = n^-k of n free parameters.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

from harness.identity import folder_of, id_of, identity_of, label_of, on_space
from harness.selection import Selection
from harness.study import Study, parse_seeds
from harness.study_file import read_study_file
from harness.toy import TOY_VERSION, ToyProblem
from optimizers.base import SamplingOptimizer
from optimizers.registry import HARNESS_ARGUMENTS, OPTIMIZERS
from search_spaces.errors import ArenaError, unknown
from search_spaces.plugins import default_settings, resolve_settings

LARGEST_K = 10  # a step of n^-10 changes nothing, and one of n^10 is refused
KEYS = ("name", "description", "seeds", "optimizers")  # of a study file, besides its kind


@dataclass(frozen=True)
class ToyCell:
    """An optimizer with its settings on the problem with its settings, everything resolved. Workers get it.

    Attributes:
        label: of the optimizer, ``delta_init`` left out where k stands for it.
        k: ``delta_init`` is n^-k; None where it was given as such.
        seeds: how many of the study's seeds it gets, the first ones; None for all.
    """

    optimizer: str
    settings: tuple[tuple[str, Any], ...]
    defaults: tuple[tuple[str, Any], ...]
    label: str
    problem: ToyProblem
    k: float | None
    seeds: int | None

    @classmethod
    def resolve(cls, selection: Selection) -> ToyCell:
        optimizer = OPTIMIZERS.load(selection.name)
        name = OPTIMIZERS.name_of(optimizer, selection.name)
        if not issubclass(optimizer, SamplingOptimizer):
            raise ArenaError(f"{name} cannot be sampled from and told losses, which the toy problem needs")
        given, of_problem = dict(selection.settings), default_settings(ToyProblem)
        chosen = {key: given.pop(key) for key in of_problem if key in given}
        problem = ToyProblem(**resolve_settings(ToyProblem, chosen, "setting of the toy problem"))
        k = given.pop("k", None)
        if k is not None:
            if "delta_init" in given or "delta_init" not in default_settings(optimizer):
                why = "delta_init is given too" if "delta_init" in given else f"{name} has no such setting"
                raise ArenaError(f"k = {k} sets delta_init of {name} to n^-k, and {why}; leave one of them out")
            if isinstance(k, bool) or not isinstance(k, (int, float)) or not abs(k) <= LARGEST_K:
                raise ArenaError(f"k must be a number from {-LARGEST_K} to {LARGEST_K}: delta_init is n^-k; not {k!r}")
            given["delta_init"] = float(problem.parameters**-k)
        settings = resolve_settings(optimizer, given, f"setting of {name}", HARNESS_ARGUMENTS)
        settings, defaults = on_space(optimizer, problem.space, settings, name)
        shown = settings if k is None else settings | {"delta_init": defaults["delta_init"]}
        return cls(
            optimizer=name,
            settings=tuple(settings.items()),
            defaults=tuple(defaults.items()),
            label=label_of(name, shown, defaults),
            problem=problem,
            k=None if k is None else float(k),
            seeds=selection.seeds,
        )

    def seeds_of(self, seeds: Iterable[int]) -> tuple[int, ...]:
        """Those of a study's seeds that this cell gets."""
        return tuple(sorted(seeds)[: self.seeds])

    @cached_property
    def identity(self) -> dict[str, Any]:
        """What the numbers of this cell depend on, the seeds apart."""
        return {
            "mode": "toy",
            "toy_version": TOY_VERSION,
            "optimizer": identity_of(OPTIMIZERS.load(self.optimizer), self.settings),
            "problem": asdict(self.problem),
        }

    @cached_property
    def id(self) -> str:
        """A hash of the identity: results are looked for under it."""
        return id_of(self.identity)

    @property
    def name(self) -> str:
        """For people."""
        k = "" if self.k is None else f", k {self.k:g}"
        return f"{self.label}{k}, eta_x {self.problem.eta_x:g}"

    @property
    def folder(self) -> str:
        return folder_of(self.name, self.id)

    def describe(self) -> dict[str, Any]:
        """The content of ``cell.json``: the identity, and what a reader of results needs."""
        optimizer = OPTIMIZERS.load(self.optimizer)
        return {
            "id": self.id,
            "identity": self.identity,
            "optimizer": {
                "name": self.optimizer,
                "label": self.label,
                "citation": optimizer.citation,
                "settings": dict(self.settings),
                "defaults": dict(self.defaults),
            },
            "problem": asdict(self.problem),
            "k": self.k,
            "name": self.name,
        }


@dataclass(frozen=True)
class ToyStudy:
    """Optimizers on the toy problem, many trials each.

    Attributes:
        name: names the folder of its results.
        description: one or two sentences for those who read the results.
        cells: what is run.
        seeds: one a trial.
    """

    name: str
    description: str
    cells: tuple[ToyCell, ...]
    seeds: tuple[int, ...]

    @classmethod
    def load(cls, source: str) -> ToyStudy:
        """From a study file or the name of a bundled one.

        Raises:
            ArenaError: for anything that cannot be run, in one line.
        """
        values = read_study_file(source)
        values.pop("kind", None)
        try:
            return cls.of(values)
        except ArenaError as error:
            raise ArenaError(f"{source}: {error}") from None

    @classmethod
    def of(cls, values: dict[str, Any]) -> ToyStudy:
        """From the content of a study file, its kind apart."""
        for key in values:
            if key not in KEYS:
                raise unknown("key of a toy study:", key, KEYS)
        lacking = [key for key in ("optimizers", "seeds") if key not in values]
        if lacking:
            raise ArenaError(f"the toy study lacks {lacking[0]!r}; it needs optimizers and seeds")
        # name, optimizers and seeds are what they are in any study
        checked = Study(**values, benchmarks=["nasbench201"], budget=1)
        cells = tuple(ToyCell.resolve(selection) for selection in checked.optimizers)
        by_name: dict[str, ToyCell] = {}
        by_id: dict[str, ToyCell] = {}
        for cell in cells:
            if by_id.setdefault(cell.id, cell) is not cell:
                raise ArenaError(f"the study names {cell.name} twice")
            if by_name.setdefault(cell.name, cell) is not cell:
                raise ArenaError(
                    f"two rows would both be called {cell.name}: they differ in settings of the problem that its table "
                    "does not tell; give each of their values a study of its own"
                )
        return cls(checked.name, checked.description, cells, checked.seeds)

    def replaced(self, seeds: Any = None) -> ToyStudy:
        """The same study with other seeds, if any are given."""
        return self if seeds is None else replace(self, seeds=parse_seeds(seeds))
