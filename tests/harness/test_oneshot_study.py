"""One-shot studies: what a file may say, what cells it comes to, and what is told of mistakes."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.oneshot_cell import SearchCell, TrainingCell
from harness.oneshot_settings import LoopSettings
from harness.oneshot_study import OneShotStudy, table_of
from harness.study_file import bundled_studies
from results.oneshot_comparison import RANDOM_ARCHITECTURES
from search_spaces.errors import ArenaError
from search_spaces.nasbench201 import NASBench201Supernet
from search_spaces.space import Ints

SMALL: dict[str, Any] = {
    "name": "small",
    "optimizers": ["asng"],
    "supernet": "nasbench201(channels=4, cells=1)",
    "images": "digits",
    "seeds": 2,
}


def study(**changes: Any) -> OneShotStudy:
    return OneShotStudy(**(SMALL | changes))


def cells(**changes: Any) -> list[SearchCell | TrainingCell]:
    return study(**changes).plan()[0]


def only(**changes: Any) -> SearchCell:
    (cell,) = cells(**changes)
    assert isinstance(cell, SearchCell)
    return cell


def test_a_cell_is_resolved() -> None:
    cell = only(loop={"epochs": 3}, optimizers=[{"name": "asng", "lam": 4, "batch_size": 16, "seeds": 1}])
    assert (cell.loop.epochs, cell.loop.batch_size, cell.loop.weight_samples, cell.loop.final_candidates) == (
        3,
        16,
        4,
        0,
    )
    assert dict(cell.settings)["lam"] == 4
    assert cell.label == "asng(lam=4, batch_size=16)"
    assert cell.seeds_of((5, 3)) == (3,)
    about = cell.describe()
    assert about["kind"] == "search"
    assert about["supernet"]["label"] == "nasbench201(channels=4, cells=1)"
    assert about["images"]["train_images"] == 1200
    assert about["table"] is None


def test_identities_tell_what_changes_numbers() -> None:
    base = only().id
    assert only(seeds=[7, 9]).id == base
    assert only(name="other", description="of the same").id == base
    assert only(device="cpu").id == base
    for changes in (
        {"loop": {"epochs": 2}},
        {"loop": {"batchnorm": "recalibrated"}},
        {"images": "digits(pad=0)"},
        {"images": "digits(limit=1000)"},
        {"supernet": "nasbench201(channels=8, cells=1)"},
        {"optimizers": ["asng(lam=4)"]},
        {"retraining": {"epochs": 2}},
        {"table": "nasbench201(reported=validation)"},
    ):
        assert only(**changes).id != base, changes


def test_how_it_is_trained_from_scratch_is_a_part_of_both_identities() -> None:
    def ids(**retraining: Any) -> tuple[str, ...]:
        return tuple(cell.id for cell in cells(random_architectures=2, retraining=retraining))

    base = ids(epochs=2)
    assert ids(epochs=2) == base
    for changes in ({"epochs": 3}, {"epochs": 2, "seeds": 2}, {"epochs": 2, "weights_lr": 0.2}):
        assert not {*ids(**changes)} & {*base}


@pytest.mark.parametrize(
    "version",
    [
        "harness.oneshot_cell.ONESHOT_VERSION",
        "harness.scene.RETRAIN_VERSION",
        "search_spaces.nasbench201.NASBench201Supernet.version",
    ],
)
def test_a_version_that_is_raised_makes_another_identity(version: str, monkeypatch: pytest.MonkeyPatch) -> None:
    base = only(retraining={"epochs": 2}).id
    monkeypatch.setattr(version, 99)
    assert only(retraining={"epochs": 2}).id != base


def test_a_table_from_other_files_makes_another_identity(monkeypatch: pytest.MonkeyPatch) -> None:
    cell = only(table="nasbench201(reported=validation)")
    table, before = cell.scene.load_table(), cell.id
    assert table
    monkeypatch.setattr(table, "checksums", table.checksums | {"a file": "of today"})
    assert only(table="nasbench201(reported=validation)").id != before


def test_settings_without_effect_change_no_identity() -> None:
    for loop in ({"optimizer_steps": 7}, {"recalibration_images": 99}, {"monitor_samples": 3}):
        assert only(loop=loop).id == only().id
    assert (
        only(loop={"ranking_architectures": 0, "ranking_images": 50}).id == only(loop={"ranking_architectures": 0}).id
    )
    darts = only(optimizers=["darts"])
    assert only(optimizers=["darts"], loop={"weight_samples": 5}).id == darts.id
    recalibrated = only(loop={"batchnorm": "recalibrated"})
    assert only(loop={"batchnorm": "recalibrated", "recalibration_images": 99}).id != recalibrated.id
    random = only(optimizers=["random_search"])
    assert only(optimizers=["random_search"], loop={"monitor_samples": 3}).id != random.id


def test_architectures_to_train() -> None:
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    random, given = cells(optimizers=(), random_architectures=3, architectures=[text], retraining={"epochs": 1})
    assert isinstance(random, TrainingCell)
    assert isinstance(given, TrainingCell)
    assert (random.label, given.label) == (RANDOM_ARCHITECTURES, text)
    assert random.seeds_of((0, 1)) == (0, 1, 2)
    assert given.seeds_of((4, 0)) == (0, 4)


def test_what_cannot_drive_a_supernet_is_left_out_with_its_reason() -> None:
    with pytest.raises(ArenaError, match="regularized_evolution has neither a distribution to sample from nor gates"):
        study(optimizers=["regularized_evolution"]).plan()
    kept, skipped = study(optimizers=["asng", "regularized_evolution"], skip_unsuited=True).plan()
    assert [cell.label for cell in kept] == ["asng"]
    assert skipped[0][0] == "regularized_evolution"


@pytest.mark.parametrize("name", sorted(name for name in bundled_studies() if name.startswith("oneshot")))
def test_bundled_studies_can_be_planned(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    loaded = OneShotStudy.load(name)
    assert loaded.description
    digits = loaded.replaced(images="digits")  # the data of the others may not be there
    assert {cell.label for cell in digits.plan()[0]} >= {"asng"}


def test_the_table_of_the_images_is_found() -> None:
    assert table_of("nasbench201(channels=4)", "cifar100(limit=100)") == "nasbench201(dataset=cifar100)"
    assert table_of("nasbench201", "digits") == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loops": {}}, "unknown key of a one-shot study: 'loops'; did you mean 'loop'?"),
        ({"supernet": None}, "cannot read None"),
        ({"supernet": "nasbench20"}, "unknown supernet 'nasbench20'; did you mean 'nasbench201'?"),
        ({"supernet": "hpolib"}, "unknown supernet 'hpolib'; known: nasbench201"),
        ({"supernet": "nasbench201(chanels=4)"}, "'chanels'; did you mean 'channels'"),
        ({"supernet": "nasbench201(channels=0)"}, "channels of nasbench201 must be 1 to 4,096, not 0"),
        ({"supernet": "nasbench201(cells=1000)"}, "cells of nasbench201 must be 1 to 256, not 1000"),
        ({"loop": {"epochs": 10**30}}, "epochs must be at most 1,000,000, not 1000"),
        ({"loop": {"threads": 100_000}}, "threads must be 1 to 1,024, not 100000"),
        ({"retraining": {"threads": 0}}, "threads must be 1 to 1,024, not 0"),
        ({"images": "digit"}, "'digit'; did you mean 'digits'?"),
        ({"images": {"name": "digits", "vary": {"pad": [0, 1]}}}, "the image set must be one, not 2"),
        ({"loop": {"batch_size": 601}}, "larger than half of the 1,200 training images"),
        ({"optimizers": [{"name": "asng", "batch_size": 601}]}, "give at most 600"),
        ({"retraining": {"batch_size": 1201}}, "batch_size = 1201 is larger than the 1,200 training images"),
        ({"table": "nasbench_graph"}, "is of another search space than the supernet"),
        ({"optimizers": ["asgn"]}, "unknown optimizer 'asgn'; did you mean 'asng'?"),
        ({"optimizers": ["asng(lamb=3)"]}, "unknown setting of asng 'lamb'; did you mean 'lam'?"),
        ({"optimizers": ["asng", "asng"]}, "the study names asng twice"),
        ({"optimizers": ()}, "the study has nothing to do"),
        ({"random_architectures": 3}, "there is no [retraining] that says how"),
        ({"loop": {"epoch": 3}}, "unknown setting of [loop] 'epoch'; did you mean 'epochs'?"),
        ({"loop": {"epochs": 0}}, "epochs must be at least 1, not 0"),
        ({"loop": {"epochs": "3"}}, "'epochs': input should be a valid integer, not '3'"),
        ({"loop": {"batchnorm": "running"}}, "input should be 'batch' or 'recalibrated', not 'running'"),
        ({"loop": {"weights_lr": 0.0}}, "weights_lr = 0.0 must be above 0"),
        ({"loop": {"weights_lr": 0.1, "weights_lr_end": 0.2}}, "weights_lr_end = 0.2 between 0 and that"),
        ({"loop": {"weights_momentum": 0.0}}, "above 0 where weights_nesterov is true"),
        ({"loop": {"gradient_clip": -1.0}}, "gradient_clip must be at least 0"),
        ({"loop": {"ranking_architectures": 3}}, "fewer than 10 say nothing"),
        ({"loop": {"phases": "alternating"}, "optimizers": ["darts"]}, "leave phases at interleaved"),
        ({"retraining": {"epoch": 3}}, "unknown setting of [retraining] 'epoch'; did you mean 'epochs'?"),
        ({"retraining": {"seeds": 0}}, "seeds must be at least 1, not 0"),
        ({"device": "gpu"}, "unknown device 'gpu'; write auto, cpu, cuda"),
        ({"device": "cuda:99"}, "this machine has no device 'cuda:99'"),
        ({"seeds": "x"}, "seeds 'x' are not readable"),
    ],
)
def test_mistakes_are_told_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArenaError) as told:
        study(**changes).plan()
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_the_study_of_the_page_can_be_planned(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "one_shot.md").read_text(encoding="utf-8")
    (source,) = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)
    (tmp_path / "page.toml").write_text(source, encoding="utf-8")
    labels = [cell.label for cell in OneShotStudy.load(str(tmp_path / "page.toml")).plan()[0]]
    assert labels == ["asng", "darts(learning_rate=0.01, epochs=30)", "random_search", RANDOM_ARCHITECTURES]


def test_the_page_tells_the_defaults() -> None:
    page = (Path(__file__).parents[2] / "docs" / "one_shot.md").read_text(encoding="utf-8")
    for field in fields(LoopSettings):
        assert f"`{field.name}`" in page, field.name


def test_a_file_names_itself_in_errors(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('kind = "oneshot"\nsupernet = "nasbench201"\nseeds = 1\n')
    with pytest.raises(ArenaError, match=r"mine.toml: the study lacks 'images'; it needs name, supernet, images"):
        OneShotStudy.load(str(file))


class Numbered(NASBench201Supernet):
    """A supernet of somebody else, who names architectures by numbers."""

    def parse_architecture(self, text: str) -> Ints:
        return np.array([int(part) for part in text.split("-")])


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x", "architecture 'x' cannot be made: ValueError: invalid literal"),
        ("0-0-0-0-0-5", "architecture [0, 0, 0, 0, 0, 5] is out of range"),
    ],
)
def test_an_architecture_that_a_supernet_of_others_cannot_read(text: str, told: str) -> None:
    own = {"supernet": f"{__name__}:Numbered", "retraining": {}, "architectures": [text]}
    with pytest.raises(ArenaError, match=re.escape(told)):
        study(**own).plan()
