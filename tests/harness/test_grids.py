"""Grids of settings, noise, seeds of a cell's own, pairs that are left out: what studies and ``ablate`` expand into."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_lines import BENCHMARK, Fails

from harness.ablate import ablation
from harness.cell import Cell
from harness.cli import main
from harness.run import run
from harness.study import Study
from harness.tabular import Budget, checkpoints, search
from optimizers.base import Optimizer
from optimizers.random_search import RandomSearch
from optimizers.streams import Streams
from results.record import read_study
from search_spaces.errors import ArenaError

ORDINALS = "hpolib(dataset=protein_structure)"


def study(**changes: Any) -> Study:
    values: dict[str, Any] = {
        "name": "mine",
        "optimizers": ["asng"],
        "benchmarks": [BENCHMARK],
        "seeds": 3,
        "budget": 50,
    }
    return Study(**(values | changes))


def cell(**changes: Any) -> Cell:
    (one,) = study(**changes).cells()
    return one


def noisy(noise: Any) -> list[dict[str, Any]]:
    return [{"name": "nasbench201", "reported": "validation", "noise": noise}]


def test_vary_is_every_combination() -> None:
    grid = {"alpha": [1.1, 2.0], "lam": [2, 4, 8]}
    cells = study(optimizers=[{"name": "asng", "delta_init": 0.3, "vary": grid}, "sng"]).cells()
    found = [tuple(dict(cell.settings)[name] for name in ("alpha", "lam", "delta_init")) for cell in cells[:-1]]
    assert found == [(alpha, lam, 0.3) for alpha in grid["alpha"] for lam in grid["lam"]]
    assert [cell.varied for cell in cells] == [("alpha", "lam")] * 6 + [()]
    same = cell(optimizers=["asng(delta_init=0.3, alpha=2.0, lam=8)"])
    assert same.id == cells[5].id  # how a cell came about is no part of what it is


def test_benchmarks_vary_too() -> None:
    grid = {"dataset": ["cifar10", "cifar100"], "noise": ["none", "trials", 1, {"sd": 5.0}]}
    cells = study(benchmarks=[{"name": "nasbench201", "reported": "validation", "vary": grid}]).cells()
    assert [cell.noise for cell in cells] == [None, "trials", 1.0, 5.0] * 2
    plain = cells[4].benchmark_label  # where no test numbers are at hand "reported" is no difference, and not in it
    assert plain in ("nasbench201-cifar100", "nasbench201-cifar100-reported-validation")
    assert [cell.benchmark_label.removeprefix(plain) for cell in cells[4:]] == ["", "-trials", "-noise1", "-noise5"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizers": [{"name": "asng", "vary": {"alpha": []}}]}, "no values of 'alpha'.*at least one"),
        ({"optimizers": [{"name": "asng", "vary": {"alpha": 2}}]}, "'alpha' to vary must be a list, not 2"),
        ({"optimizers": [{"name": "asng", "vary": [1]}]}, r"lists of values by setting, .* not \[1\]"),
        ({"optimizers": [{"name": "asng", "alpha": 2.0, "vary": {"alpha": [2.0]}}]}, "'alpha'.*given and varied"),
        ({"optimizers": [{"name": "asng", "vary": {"alhpa": [2.0]}}]}, "'alhpa'; did you mean 'alpha'"),
        ({"optimizers": [{"name": "asng", "vary": {"alpha": [2.0, 0.5]}}]}, "alpha must be above 1"),
        ({"optimizers": [{"name": "asng", "vary": {"alpha": [2.0, 2.0]}}]}, "twice"),
        ({"optimizers": [{"name": "asng", "vary": {"lam": [*range(2, 2000)], "alpha": [2.0] * 999}}]}, "1,996,002"),
        ({"optimizers": ["asng(seeds=0)"]}, "seeds of asng must be a whole number from 1 on.*not 0"),
        ({"optimizers": ["asng(seeds=[1])"]}, r"seeds of asng must be a whole number.*not \[1\]"),
        ({"sweep": "delta_init"}, "'delta_init'.*known: none"),
        ({"sweep": "alpah", "optimizers": [{"name": "asng", "vary": {"alpha": [2.0]}}]}, "did you mean 'alpha'"),
        (
            {"sweep": "utility", "optimizers": [{"name": "asng", "vary": {"utility": ["quarter", "log_rank"]}}]},
            "'utility' of asng is 'quarter'; only a number",
        ),
        ({"benchmarks": noisy(0)}, "above 0 and at most 1e.100, not 0"),
        ({"benchmarks": noisy(10**400)}, "at most 1e.100"),
        ({"benchmarks": noisy(math.nan)}, "above 0 and at most 1e.100, not nan"),
        ({"benchmarks": noisy({"std": 1})}, "noise for nasbench201.*a standard deviation in percentage points"),
        ({"benchmarks": noisy("trial")}, "did you mean 'trials'"),
        ({"optimizers": ["adam_sng"], "benchmarks": [ORDINALS]}, "AdamSNG takes categorical variables only"),
        (
            {"optimizers": ["adam_sng"], "benchmarks": [ORDINALS], "skip_unsuited": True},
            "nothing of the study can run: AdamSNG takes",
        ),
    ],
)
def test_what_is_wrong_with_a_grid_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        study(**changes).plan()


def test_pairs_that_cannot_work_are_left_out_where_a_study_says_so() -> None:
    plan = study(optimizers=["adam_sng", "sng"], benchmarks=[ORDINALS, BENCHMARK], skip_unsuited=True).plan()
    assert [(cell.optimizer, cell.benchmark) for cell in plan.cells] == [
        ("sng", "hpolib"),
        ("adam_sng", "nasbench201"),
        ("sng", "nasbench201"),
    ]
    ((pair, reason),) = plan.skipped
    assert pair == "adam_sng on hpolib(dataset=protein_structure)"
    assert "ordinals=categorical" in reason


def test_a_cell_with_seeds_of_its_own_gets_the_first_ones(arena: Path) -> None:
    few = study(optimizers=["random_search(seeds=2)", "asng"], seeds="3-7")
    result = run(few, arena=arena, jobs=1, tracking=False)
    assert [cell.seeds.tolist() for cell in result.cells] == [[3, 4], [3, 4, 5, 6, 7]]
    assert result.tables[0].seeds == (2, 5)
    more = study(optimizers=["random_search(seeds=4)", "asng"], seeds="3-7")
    result = run(more, arena=arena, jobs=1, tracking=False)
    assert [cell.seeds.tolist() for cell in read_study(result.folder)] == [[3, 4, 5, 6], [3, 4, 5, 6, 7]]


class Told(RandomSearch):
    """Remembers the losses."""

    losses: list[np.ndarray]

    def _tell(self, archs: Any, losses: Any) -> None:
        self.losses = [*getattr(self, "losses", []), losses]
        super()._tell(archs, losses)


def test_normal_noise_has_its_deviation_and_leaves_regrets_alone() -> None:
    benchmark = cell().load()
    budget = Budget("evaluations", 400)
    seeds = range(100)
    optimizers: list[Optimizer] = []
    results = []
    for sd in (None, 5.0):
        optimizers.append(Told(benchmark.space, seeds))
        noise = None if sd is None else Streams(seeds, "noise")
        at = checkpoints(budget, (), benchmark, 1.0)
        results.append(search(optimizers[-1], benchmark, budget, at, noise=noise, noise_sd=sd))
    quiet, loud = (np.concatenate(one.losses) for one in optimizers)  # type: ignore[attr-defined]
    added = loud - quiet  # the same architectures: random search does not look
    assert abs(added.mean()) < 5 * 5 / math.sqrt(added.size)
    assert added.std() == pytest.approx(5, rel=0.02)
    assert abs(np.corrcoef(added[:-1].ravel(), added[1:].ravel())[0, 1]) < 0.03
    regret = benchmark.search_regret[results[1].columns["incumbent"][:, -1]]
    np.testing.assert_array_equal(results[1].columns["incumbent_regret"][:, -1], regret)
    assert regret.mean() > 2 * results[0].columns["incumbent_regret"][:, -1].mean()  # the lucky were taken for good


def test_a_cell_with_noise_says_so() -> None:
    about = cell(benchmarks=noisy(5)).describe()["benchmark"]
    assert about["noise"] == 5.0
    assert about["wording"]["searched"].endswith("seen with normal noise of sd 5 percentage points")
    assert cell(benchmarks=noisy(5)).id == cell(benchmarks=noisy({"sd": 5.0})).id != cell().id


def test_ablate_varies_what_it_is_told_beside_random_search() -> None:
    made = ablation(
        ["asng(lam=8)", "sng(lam=8)"],
        ["delta_init=0.1,0.3,1", "utility=quarter, log_rank"],
        [BENCHMARK],
        None,
        name="mine",
        seeds=2,
        budget=20,
    )
    assert made.sweep == "delta_init"
    assert len(made.cells()) == 2 * 6 + 1
    assert ablation(["asng"], ["lam=2,8"], [BENCHMARK], None, name="mine", seeds=2, budget=20).sweep == ""


@pytest.mark.parametrize(
    ("vary", "given", "mend"),
    [
        ("delta=1,2", "'delta'", "did you mean 'delta_init'?"),
        ("alpha=", "'alpha'", "at least one"),
        ("alpha", "'alpha'", "as in alpha=1.1,1.5,2"),
        ("lam=1,2", "not 1", "lam must be at least 2"),
        ("lam=2,two", "'two'", "valid integer"),
    ],
)
def test_mistakes_of_ablate(fails: Fails, vary: str, given: str, mend: str) -> None:
    line = fails("ablate", "asng", "--vary", vary, "-b", BENCHMARK, "--seeds=1", "--budget=5")
    assert given in line
    assert mend in line


def test_very_many_cells_must_be_confirmed(fails: Fails) -> None:
    values = ",".join(map(str, range(2, 10_002)))
    line = fails("ablate", "asng", "--vary", f"lam={values}", "-b", BENCHMARK, "--seeds=1", "--budget=5")
    assert "10,001 cells" in line
    assert "--yes" in line


def test_ablate_from_the_command_line(arena: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["ablate", "asng", "--vary=delta_init=0.1,0.3,1", "-b", BENCHMARK, "--seeds=4", "--budget=30"]
    with pytest.raises(SystemExit) as end:
        main([*arguments, "--no-tracking", "--jobs=1"])
    assert end.value.code == 0
    assert "delta_init" in capsys.readouterr().out
    assert len(read_study(arena / "ablate")) == 4


def test_answers_are_reported_on_other_data_sets_too(arena: Path) -> None:
    others = ["nasbench201(dataset=cifar100, reported=validation)", "nasbench201(dataset=imagenet16-120, epochs=200)"]
    searched = study(report=others)
    result = run(searched, arena=arena, jobs=1, tracking=False)
    (record,), (planned,) = result.cells, searched.cells()
    assert planned.id != cell().id
    for name, other in planned.load_report().items():
        for answer in ("incumbent", "recommended"):
            ranks = record.columns[answer]
            expected = np.where(ranks >= 0, other.final_losses[ranks], np.nan)
            np.testing.assert_array_equal(record.columns[f"{answer}_final.{name}"], expected)
    (table,) = result.tables
    assert list(table.reports) == ["cifar100", "imagenet16-120"]
    accuracy = 100 - record.columns["incumbent_final.cifar100"][:, -1]
    assert table.rows[0].reports[0] == pytest.approx((accuracy.mean(), accuracy.std(ddof=1)))
    other = planned.load_report()["cifar100"]
    assert table.best_of_reports[0] == pytest.approx(100 - other.landmarks["best_final_loss"])
    printed = (result.folder / "tables.txt").read_text(encoding="utf-8")
    assert f"{accuracy.mean():.2f} ± {accuracy.std(ddof=1):.2f}" in printed


@pytest.mark.parametrize(
    ("report", "message"),
    [
        (["nasbench_graph"], "nasbench_graph, whose search space is not that of the NASBench201"),
        (["nasbench201(dataset=cifar100)"] * 2, "cifar100 twice"),
        (["nasbench210"], "did you mean 'nasbench201'"),
        (["nasbench201(dataset=cifar100, seeds=3)"], "with seeds; .* leave them out"),
    ],
)
def test_what_cannot_be_reported_on_is_told(report: list[str], message: str) -> None:
    with pytest.raises(ArenaError, match=message):
        study(report=report).plan()


def test_noise_of_a_deviation_needs_streams() -> None:
    benchmark = cell().load()
    budget = Budget("evaluations", 5)
    at = checkpoints(budget, (), benchmark, 1.0)
    with pytest.raises(ArenaError, match="noise_sd needs streams"):
        search(RandomSearch(benchmark.space, [0]), benchmark, budget, at, noise_sd=5.0)
