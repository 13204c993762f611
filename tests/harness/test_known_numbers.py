"""The published protocol gives the published numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.run import run
from harness.study import Study
from results.published import published


@pytest.mark.usefixtures("data_folder")
def test_nasbench201_after_12000_seconds(tmp_path: Path) -> None:
    """500 seeds of random search and evolution come within 0.15 points of the paper's mean test accuracy.

    The paper's digits are as remembered (see the file of published numbers); ASNG's have no published counterpart and
    stand here so that a change of them is noticed: what a run on the same table gave before, within four standard
    errors.
    """
    known = {row["method"]: row["cifar10"][0] for row in published("nasbench201") if row["protocol"] == "12000s"}
    result = run("nasbench201_12000s", arena=tmp_path, tracking=False)
    (table,) = result.tables
    found = {(row.optimizer.partition("(pop")[0], row.answer): row.reported for row in table.rows}
    assert found["random_search", "best seen"][0] == pytest.approx(known["random search"], abs=0.15)
    assert found["regularized_evolution", "best seen"][0] == pytest.approx(known["regularized evolution"], abs=0.15)
    for (optimizer, answer), before in {
        ("asng", "best seen"): 93.95,
        ("asng", "mode"): 93.35,
        ("asng(lam=8)", "best seen"): 94.03,
        ("asng(lam=8)", "mode"): 93.64,
    }.items():
        mean, deviation = found[optimizer, answer]
        assert mean == pytest.approx(before, abs=4 * deviation / 500**0.5), (optimizer, answer)


@pytest.mark.usefixtures("data_folder")
def test_reinforce_gives_the_published_number(tmp_path: Path) -> None:
    """The paper prints 93.85 +- 0.37, confirmed, and not with which learning rate: 0.01 and 0.1 lie within 0.1 of it.

    Its two scripts have 0.5, which is worse here (93.1), and 0.01. Nothing is chosen to fit.
    """
    (known,) = (row["cifar10"] for row in published("nasbench201") if row["method"] == "REINFORCE")
    study = Study.load("nasbench201_12000s").replaced(
        optimizers=["reinforce", "reinforce(lr=0.1)", "reinforce(lr=0.5)"]
    )
    (table,) = run(study, arena=tmp_path, tracking=False).tables
    found = {row.optimizer: row.reported for row in table.rows if row.answer == "best seen"}
    for label in ("reinforce", "reinforce(lr=0.1)"):
        assert found[label] == pytest.approx(known, abs=0.1)
    assert found["reinforce(lr=0.5)"][0] < known[0] - 0.5
