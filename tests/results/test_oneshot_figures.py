"""Figures of one-shot studies hold the numbers of their records, and say what is drawn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from planted_oneshot import EPOCHS, GOOD, SKIPS, write_study
from test_oneshot_table import RANDOM, cells_of

from results.drawing import Drawing
from results.look import PAPER, SCREEN, Look, Style, styles_of
from results.oneshot_comparison import oneshot_rows
from results.oneshot_figures import over_epochs
from results.oneshot_outcome_figures import outcomes
from results.oneshot_record import OneShotCell

SEARCHES = {"asng": [97.5, 98.5], "darts": [93.0, 94.0]}


def styled(cells: list[OneShotCell]) -> dict[str, Style]:
    return styles_of((cell.label.partition("(")[0], cell.label) for cell in cells if cell.is_search)


def drawings(folder: Path, look: Look = SCREEN) -> dict[str, Drawing]:
    cells = cells_of(folder)
    of = styled(cells)
    made = over_epochs(cells, "s", look, of) + outcomes(oneshot_rows(cells), "s", look, of)
    return {drawing.name: drawing for drawing in made}


@pytest.mark.parametrize("look", [SCREEN, PAPER])
def test_all_figures_of_a_whole_study(tmp_path: Path, look: Look) -> None:
    made = drawings(write_study(tmp_path / "s", SEARCHES, random=RANDOM), look)
    assert list(made) == [
        "s-table",
        "s-shared",
        "s-operations",
        "s-step-size",
        "s-entropy",
        "s-retrained",
        "s-tau",
    ]
    for drawing in made.values():
        assert drawing.figure.get_figwidth() == pytest.approx(look.width)
        assert drawing.svg().startswith(b"<?xml")
        assert not drawing.data.isna().any().any()


def test_curves_are_those_of_the_record(tmp_path: Path) -> None:
    archs = {"asng": [GOOD, SKIPS]}
    made = drawings(
        write_study(tmp_path / "s", SEARCHES, random=RANDOM, architectures=archs, seeds=[3, 7, *range(10, 18)])
    )
    table = made["s-table"].data
    asng = table[table["optimizer"] == "asng"]
    assert asng["seed"].tolist() == [3] * EPOCHS + [7] * EPOCHS
    assert asng["epoch"].tolist() == [1, 2, 3, 4] * 2
    assert asng["test accuracy"].tolist() == [71, 71, 92, 92] * 2
    axes = made["s-table"].figure.axes[0]
    assert {float(np.asarray(line.get_ydata())[0]) for line in axes.lines} >= {94.0, 88.5}, "best and median"
    assert "other images" in made["s-table"].caption
    counts = made["s-operations"].data
    seed = counts[(counts["optimizer"] == "asng") & (counts["seed"] == 3)]
    assert seed[seed["operation"] == "skip_connect"]["count"].tolist() == [6, 6, 1, 1]
    assert seed[seed["operation"] == "nor_conv_3x3"]["count"].tolist() == [0, 0, 4, 4]
    other = counts[(counts["optimizer"] == "asng") & (counts["seed"] == 7)]
    assert other[other["operation"] == "skip_connect"]["count"].tolist() == [6, 6, 6, 6]
    mean = next(line.get_ydata() for line in made["s-operations"].figure.axes[0].lines if line.get_linewidth() > 1)
    assert np.asarray(mean).tolist() == [6, 6, 3.5, 3.5]


def test_only_who_has_a_step_size_is_drawn_with_one(tmp_path: Path) -> None:
    steps = drawings(write_study(tmp_path / "a", SEARCHES))["s-step-size"]
    assert steps.data["optimizer"].unique().tolist() == ["asng"]
    assert steps.data["step_size"].tolist() == pytest.approx([0.5, 0.6, 0.7, 0.8] * 2)
    assert "s-step-size" not in drawings(write_study(tmp_path / "b", {"darts": [93.0]}))


def test_outcomes_are_those_of_the_record(tmp_path: Path) -> None:
    made = drawings(write_study(tmp_path / "s", SEARCHES, random=RANDOM))
    accuracies = made["s-retrained"].data
    random = accuracies[accuracies["cell"] == "random architectures"]
    assert random["test_accuracy"].tolist() == pytest.approx(list(RANDOM))
    line = made["s-retrained"].figure.axes[0].lines[0]
    assert np.asarray(line.get_xdata()).tolist() == pytest.approx([93.0, 93.0])
    tau = made["s-tau"].data
    asng = tau[(tau["cell"] == "asng") & (tau["of"] == "all")]
    assert asng["tau"].tolist() == pytest.approx([-0.3, -0.2])
    assert asng["error"].tolist() == pytest.approx([0.09, 0.09])


def test_what_there_is_no_number_of_is_not_drawn(tmp_path: Path) -> None:
    assert list(drawings(write_study(tmp_path / "a", {"darts": [93.0]}, table=None, retraining=None))) == [
        "s-shared",
        "s-operations",
        "s-entropy",
    ]
    assert list(drawings(write_study(tmp_path / "b", {}, random=RANDOM))) == ["s-retrained"]
