"""One-shot studies: optimizers that search on images with shared weights, and what they find, trained from scratch."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from harness.oneshot_cell import SearchCell, TrainingCell
from harness.oneshot_settings import retrain_settings
from harness.scene import Scene
from harness.selection import Selection
from harness.study import StudyName, parse_seeds, readable, selections
from harness.study_file import read_study_file
from search_spaces.errors import ArenaError, Unsuited, missing_extra
from search_spaces.plugins import construct
from search_spaces.registry import BENCHMARKS


def _one(what: str, given: Any) -> Selection:
    chosen = list(Selection.parse_all(given))
    if len(chosen) != 1:
        raise ArenaError(f"{what} must be one, not {len(chosen)}; make a study of each")
    return chosen[0]


def _one_or_none(what: str, given: Any) -> Selection | None:
    return None if given in (None, "") else _one(what, given)


def _some(given: Any) -> tuple[Selection, ...]:
    return selections(given) if given else ()


class OneShotStudy(BaseModel):
    """Search on images with weight sharing: every optimizer with every seed, on one supernet and one image set.

    Args:
        name, description: as of any study.
        optimizers: such as ``["asng", "darts(learning_rate=0.01)"]``; a table of one may also hold settings of the
            loop, as ``{name = "random_search", final_candidates = 100}``.
        supernet: such as ``"nasbench201(channels=8, cells=1)"``.
        images: such as ``"digits"`` or ``"folder(path=my_images)"``.
        table: a benchmark of the same search space by which recommendations are judged after every epoch, "" for none.
        seeds: one a search.
        loop: settings of the search (:class:`harness.oneshot_settings.LoopSettings`), for all optimizers.
        retraining: settings of the training from scratch (:class:`harness.oneshot_settings.RetrainSettings`) of what
            is found; None for none.
        random_architectures: how many are trained in the same way, for comparison.
        architectures: others that are, each once a seed.
        device: "auto" (a GPU where there is one), "cpu", "cuda" or "cuda:1".
        skip_unsuited: whether optimizers that cannot drive a supernet, or whose extra is not installed, are left out
            with their reason; else they are an error.

    Raises:
        ArenaError: for anything that cannot be run, in one line.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, arbitrary_types_allowed=True)

    name: StudyName
    description: str = ""
    optimizers: Annotated[tuple[Selection, ...], BeforeValidator(_some)] = ()
    supernet: Annotated[Selection, BeforeValidator(partial(_one, "the supernet"))]
    images: Annotated[Selection, BeforeValidator(partial(_one, "the image set"))]
    table: Annotated[Selection | None, BeforeValidator(partial(_one_or_none, "the table"))] = None
    seeds: Annotated[tuple[int, ...], BeforeValidator(parse_seeds)]
    loop: dict[str, Any] = Field(default_factory=dict)
    retraining: dict[str, Any] | None = None
    random_architectures: Annotated[int, Field(ge=0, le=10_000, strict=True)] = 0
    architectures: tuple[str, ...] = ()
    device: str = "auto"
    skip_unsuited: bool = False

    def __init__(self, /, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            needs = "name, supernet, images and seeds"
            raise readable(error, OneShotStudy, "a one-shot study", needs) from None
        if self.retraining is None and (self.random_architectures or self.architectures):
            raise ArenaError(
                "architectures are trained from scratch, and there is no [retraining] that says how; add it, as in "
                "retraining = {epochs = 10}"
            )
        if not (self.optimizers or self.random_architectures or self.architectures):
            raise ArenaError("the study has nothing to do; name optimizers, or architectures to train from scratch")

    @classmethod
    def load(cls, source: str) -> OneShotStudy:
        """From a study file or the name of a bundled one.

        Raises:
            ArenaError: for anything that cannot be run, in one line.
        """
        values = read_study_file(source)
        values.pop("kind", None)
        try:
            return cls(**values)
        except ArenaError as error:
            raise ArenaError(f"{source}: {error}") from None

    def replaced(self, **values: Any) -> OneShotStudy:
        """The same study with some values changed; those that are None stay."""
        given = {name: value for name, value in values.items() if value is not None}
        return OneShotStudy(**{**{name: getattr(self, name) for name in OneShotStudy.model_fields}, **given})

    def plan(self) -> tuple[list[SearchCell | TrainingCell], list[tuple[str, str]]]:
        """Its cells, and the optimizers that are left out, each with its reason.

        Raises:
            ArenaError: for what cannot run, or the same cell twice.
        """
        if find_spec("torch") is None:
            raise missing_extra("one-shot search", "torch", "supernet")
        from harness.training import choose_device

        choose_device(self.device)
        retraining = None if self.retraining is None else retrain_settings(self.retraining)
        scene = Scene.resolve(self.supernet, self.images, self.table, retraining, self.device)
        cells: list[SearchCell | TrainingCell] = []
        skipped = []
        for optimizer in self.optimizers:
            try:
                cells.append(SearchCell.resolve(scene, self.loop, optimizer))
            except Unsuited as error:
                if not self.skip_unsuited:
                    raise
                skipped.append((str(optimizer), str(error)))
        if self.random_architectures:
            cells.append(TrainingCell(scene, None, self.random_architectures))
        space = scene.load_supernet()
        for text in self.architectures:
            arch = construct(f"architecture {text!r}", partial(space.parse_architecture, text))
            space.space.index(arch)
            cells.append(TrainingCell(scene, tuple(int(value) for value in arch), None))
        by_label: dict[str, SearchCell | TrainingCell] = {}
        for cell in cells:
            if by_label.setdefault(cell.label, cell) is not cell:
                raise ArenaError(f"the study names {cell.label} twice, or two that are called so; name it once")
        if not cells:
            raise ArenaError(f"nothing of the study can run: {skipped[0][1]}")
        return cells, skipped


def table_of(supernet: str, images: str) -> str:
    """The table of a supernet's space that was measured on some images; "" where there is none.

    Args:
        supernet, images: as given to a study.
    """
    name, data = _one("the supernet", supernet).name, _one("the image set", images).name
    known = name in BENCHMARKS.names() and data in BENCHMARKS.load(name).datasets
    return f"{name}(dataset={data})" if known else ""
