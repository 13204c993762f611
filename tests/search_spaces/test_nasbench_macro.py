"""NAS-Bench-Macro against its file, read here once more, and against the networks that its paper defines."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from data_files import line_of, npz, study

from search_spaces.nasbench_macro import table
from search_spaces.registry import get_benchmark
from search_spaces.space import Categorical

FIRST_OF_A_STAGE = (0, 2, 5)
EXPANSION_AND_KERNEL = {1: (3, 3), 2: (6, 5)}  # of mb3_k3 and mb6_k5

Stored = dict[str, np.ndarray[Any, Any]]


@pytest.fixture(scope="module")
def stored(data_folder: Path) -> Stored:
    with np.load(data_folder / "nasbench_macro.npz", allow_pickle=False) as file:
        return dict(file)


# the numbers


@pytest.mark.parametrize("reported", ["hold-out", "searched"])
def test_1000_places_equal_the_file(stored: Stored, reported: str) -> None:
    benchmark = get_benchmark("nasbench_macro", reported=reported)
    row_of = {tuple(choices): row for row, choices in enumerate(stored["choices"].tolist())}
    archs = np.random.default_rng(8).integers(0, 3, size=(1000, 8))  # by value: ranks are the benchmark's business
    searched, final = benchmark.search_loss(archs), benchmark.final_loss(archs)
    parameters, flops = benchmark.metric("parameters", archs), benchmark.metric("flops", archs)
    for place, arch in enumerate(archs.tolist()):
        row = row_of[tuple(arch)]
        one, two, three = map(float, stored["test_acc"][row])
        seen = (one + two) / 2 if reported == "hold-out" else (one + two + three) / 3
        assert searched[place] == pytest.approx(100 - seen, abs=1e-10)
        assert final[place] == (100 - three if reported == "hold-out" else searched[place])
        assert parameters[place] == stored["params"][row]
        assert flops[place] == stored["flops"][row]


def test_rows_of_the_file_are_in_the_order_of_ranks(stored: Stored) -> None:
    """Of all of them; and another order of the digits would be another table."""
    benchmark = get_benchmark("nasbench_macro")
    ranks = benchmark.space.index(stored["choices"])
    np.testing.assert_array_equal(ranks, np.arange(3**8))
    np.testing.assert_array_equal(benchmark.tables.final, 100 - stored["test_acc"][:, 2].astype(float))
    backwards = benchmark.space.index(stored["choices"][:, ::-1])
    assert (benchmark.tables.final[backwards] != benchmark.tables.final).mean() > 0.9


def network(arch: list[int]) -> tuple[int, int]:
    """Parameters and multiplications of a network, counted layer by layer."""
    channels, side = 32, 32
    parameters, flops = 9 * 3 * channels + 2 * channels, 9 * 3 * channels * side**2
    for layer, block in enumerate(arch):
        begins = layer in FIRST_OF_A_STAGE
        outputs, half = (2 * channels, side // 2) if begins else (channels, side)
        if block:
            expansion, kernel = EXPANSION_AND_KERNEL[block]
            hidden = expansion * channels
            parameters += hidden * (channels + kernel**2 + outputs) + 2 * (hidden + hidden + outputs)
            flops += hidden * (channels * side**2 + (kernel**2 + outputs) * half**2)
        elif begins:  # an identity that changes the shape is a 1x1 convolution
            parameters += channels * outputs + 2 * outputs
            flops += channels * outputs * half**2
        channels, side = outputs, half
    return parameters + (channels + 2) * 1280 + 1281 * 10, flops + channels * 1280 * side**2 + 1280 * 10


@pytest.mark.usefixtures("data_folder")
def test_sizes_are_those_of_the_networks() -> None:
    """Of every architecture, so no two variables and no two values can be mixed up."""
    benchmark = get_benchmark("nasbench_macro")
    archs = benchmark.space.architectures(np.arange(benchmark.space.size))
    counted = np.array([network(arch) for arch in archs.tolist()])
    np.testing.assert_array_equal(benchmark.metric("parameters", archs), counted[:, 0])
    np.testing.assert_array_equal(benchmark.metric("flops", archs), counted[:, 1])


def same_network(arch: list[int]) -> tuple[int, ...]:
    """The architecture that stands for all of its network: identities inside a stage moved to its end."""
    moved: list[int] = []
    for first, end in zip(FIRST_OF_A_STAGE, (*FIRST_OF_A_STAGE[1:], 8), strict=True):
        inside = arch[first + 1 : end]
        moved += [arch[first], *(block for block in inside if block), *(block for block in inside if not block)]
    return tuple(moved)


@pytest.mark.usefixtures("data_folder")
def test_equal_networks_share_a_record() -> None:
    benchmark = get_benchmark("nasbench_macro", reported="searched")
    archs = benchmark.space.architectures(np.arange(benchmark.space.size))
    stand_for = np.array([same_network(arch) for arch in archs.tolist()])
    assert len({tuple(arch) for arch in stand_for.tolist()}) == 3_969
    assert benchmark.tables.trials is not None
    np.testing.assert_array_equal(benchmark.tables.trials, benchmark.tables.trials[benchmark.space.index(stand_for)])
    assert len(np.unique(benchmark.tables.trials, axis=0)) == 3_969


@pytest.mark.usefixtures("data_folder")
def test_the_best_is_that_of_the_paper() -> None:
    landmarks = get_benchmark("nasbench_macro", reported="searched").landmarks
    assert landmarks["best_search_loss"] == pytest.approx(100 - 93.13, abs=0.005)
    assert landmarks["best_final_loss"] == landmarks["lowest_final_loss"] == landmarks["best_search_loss"]
    assert landmarks["same_as_searched"] is True
    assert landmarks["target_count"] == 7  # 0.1 % of 6,561 is 6.6


def test_what_the_report_gives_was_not_seen_by_the_search(stored: Stored) -> None:
    benchmark = get_benchmark("nasbench_macro")
    accuracies = stored["test_acc"].astype(float)
    seen = accuracies[:, :2].mean(axis=1)
    best = np.flatnonzero(seen == seen.max())
    assert benchmark.landmarks["same_as_searched"] is False
    assert benchmark.landmarks["best_final_loss"] == pytest.approx(100 - accuracies[best, 2].mean())
    assert benchmark.landmarks["lowest_final_loss"] == 100 - accuracies[:, 2].max()
    assert benchmark.landmarks["lowest_final_loss"] < benchmark.landmarks["best_final_loss"]


def test_trainings_vary_as_the_remark_says(stored: Stored) -> None:
    deviation = float(np.sqrt(stored["test_acc"].astype(float).var(axis=1, ddof=1).mean()))
    assert deviation == pytest.approx(0.2, abs=0.05)
    assert "vary by 0.2 points" in get_benchmark("nasbench_macro").wording.remark


@pytest.mark.parametrize(("reported", "count"), [("hold-out", 2), ("searched", 3)])
def test_noise_picks_the_trainings_that_the_search_sees(stored: Stored, reported: str, count: int) -> None:
    benchmark = get_benchmark("nasbench_macro", reported=reported)
    assert benchmark.noise_kinds == ("trials",)
    archs = benchmark.space.architectures(np.arange(benchmark.space.size))
    grid = np.tile((np.arange(6) + 0.5) / 6, (len(archs), 1))
    picked = benchmark.search_loss(archs[:, None].repeat(6, axis=1), noise=grid)
    np.testing.assert_array_equal(picked, 100 - stored["test_acc"].astype(float)[:, np.arange(6) * count // 6])


# the words


@pytest.mark.usefixtures("data_folder")
def test_numbers_are_called_what_they_are() -> None:
    hold_out, same = (get_benchmark("nasbench_macro", reported=one).wording for one in ("hold-out", "searched"))
    assert hold_out.kind == "hold-out"
    assert hold_out.searched == "test error, best of 50 epochs (mean of trainings 1 and 2)"
    assert hold_out.reported == "test accuracy, best of 50 epochs (training 3, which the search does not see)"
    assert same.kind == "searched"
    assert same.searched == "test error, best of 50 epochs (mean of three trainings)"
    assert same.reported.startswith("same number as searched (test accuracy,")
    for wording in (hold_out, same):
        assert "no validation accuracy" in wording.remark
        assert (wording.unit, wording.measure, wording.complement) == ("percentage points", "accuracy", True)


@pytest.mark.usefixtures("data_folder")
def test_cells_are_named_by_what_differs() -> None:
    cells = study(
        "nasbench_macro",
        "nasbench_macro(reported=searched)",
        "nasbench_macro(noise=trials)",
    ).cells()
    assert [cell.benchmark_label for cell in cells] == [
        "nasbench_macro-cifar10",
        "nasbench_macro-cifar10-reported-searched",
        "nasbench_macro-cifar10-trials",
    ]
    assert len({cell.id for cell in cells}) == 3
    assert all(cell.identity["benchmark"]["checksums"] == {table.FILE: table.SHA256} for cell in cells)


@pytest.mark.usefixtures("data_folder")
def test_the_space_names_layers_and_blocks(stored: Stored) -> None:
    variables = get_benchmark("nasbench_macro").space.variables
    assert variables == tuple(Categorical(f"layer_{n}", stored["op_names"].tolist()) for n in range(1, 9))


# what cannot be had


def test_other_data_sets_and_options_are_named() -> None:
    assert line_of(lambda: get_benchmark("nasbench_macro", dataset="cifar100")) == (
        "unknown data set of nasbench_macro: 'cifar100'; did you mean 'cifar10'?"
    )
    assert "'hold-out' or 'searched'" in line_of(lambda: get_benchmark("nasbench_macro", reported="test"))
    assert "did you mean 'reported'?" in line_of(lambda: get_benchmark("nasbench_macro", report="searched"))


@pytest.mark.usefixtures("data_folder")
def test_a_budget_of_time_is_refused() -> None:
    line = line_of(lambda: study("nasbench_macro", budget="12000s").cells())
    assert line == "nasbench_macro records no times; give a budget in evaluations"


@pytest.mark.usefixtures("no_data_folder")
def test_without_a_data_folder_the_file_is_named() -> None:
    line = line_of(lambda: get_benchmark("nasbench_macro"))
    assert line.startswith("nasbench_macro needs nasbench_macro.npz, which is in no package: set NAS_ARENA_DATA")
    assert "(now it is unset)" in line
    assert line.endswith("github.com/xiusu/NAS-Bench-Macro")


def test_a_data_folder_without_the_file_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_ARENA_DATA", str(tmp_path))
    line = line_of(lambda: get_benchmark("nasbench_macro"))
    assert "nasbench_macro.npz" in line
    assert f"(now it is {str(tmp_path)!r}, which does not)" in line
    monkeypatch.setenv("NAS_ARENA_DATA", str(tmp_path / "none"))
    assert "not a folder" in line_of(lambda: get_benchmark("nasbench_macro"))


def test_a_damaged_file_is_named(data_folder: Path, folder_with: Callable[[str, bytes], Path]) -> None:
    file = folder_with("nasbench_macro.npz", (data_folder / "nasbench_macro.npz").read_bytes()[:-1] + b"x")
    line = line_of(lambda: get_benchmark("nasbench_macro"))
    assert str(file) in line
    assert "SHA-256" in line
    assert line.endswith("restore the file")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda stored: b"no zip file at all", "cannot be read"),
        (lambda stored: npz({name: stored[name] for name in stored if name != "flops"}), "cannot be read (KeyError"),
        (lambda stored: npz(stored, op_names=stored["op_names"][::-1]), "orders its blocks as ['mb6_k5', 'mb3_k3'"),
        (lambda stored: npz(stored, choices=stored["choices"][:, ::-1]), "in increasing order"),
        (lambda stored: npz(stored, choices=stored["choices"] // 2), "does not hold every architecture once"),
        (lambda stored: npz(stored, test_acc=stored["test_acc"][:, :2]), "not 3 test accuracies an architecture"),
        (lambda stored: npz(stored, test_acc=stored["test_acc"].astype(str)), "not 3 test accuracies an architecture"),
    ],
    ids=["text", "an array less", "other blocks", "other order", "rows twice", "two trainings", "strings"],
)
def test_a_file_with_another_content_is_named(
    stored: Stored,
    folder_with: Callable[[str, bytes], Path],
    monkeypatch: pytest.MonkeyPatch,
    spoil: Callable[[Stored], bytes],
    message: str,
) -> None:
    content = spoil(stored)
    folder_with("nasbench_macro.npz", content)
    monkeypatch.setattr(table, "SHA256", hashlib.sha256(content).hexdigest())
    line = line_of(lambda: get_benchmark("nasbench_macro"))
    assert line.startswith("nasbench_macro.npz ")
    assert message in line
    assert line.endswith("get it anew")
