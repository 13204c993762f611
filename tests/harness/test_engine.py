"""Shards in processes: a worker that dies costs its own shard's time and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.engine import Shard, run_shards
from harness.study import Study

KILLS_ITSELF = """
import os, signal
from pathlib import Path
from optimizers.random_search import RandomSearch


class KillsItself(RandomSearch):
    def __init__(self, space, seeds, *, marker: str, stream=0):
        super().__init__(space, seeds, stream=stream)
        self.marker = Path(marker)

    def _ask(self):
        # only in a worker that searches: the cell is also tried, without asking, in the parent
        tries = len(self.marker.read_text()) if self.marker.exists() else 0
        if tries < {tries}:
            self.marker.write_text("x" * (tries + 1))
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._ask()
"""


def name_of(shard: Shard) -> tuple[str, int]:
    return shard.cell.optimizer, shard.seeds[0]


@pytest.mark.parametrize(("tries", "survives"), [(1, True), (2, False)], ids=["once", "twice"])
def test_a_killed_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tries: int, survives: bool) -> None:
    module = f"kills_itself_{tries}"
    (tmp_path / f"{module}.py").write_text(KILLS_ITSELF.format(tries=tries), encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    killer = {"name": f"{module}:KillsItself", "marker": str(tmp_path / "marker")}
    study = Study(
        name="killed",
        optimizers=["random_search", killer, "asng"],
        benchmarks=["nasbench201(reported=validation)"],
        seeds=4,
        budget=50,
    )
    cells = study.cells()
    shards = [Shard(cell, (seed,)) for cell in cells for seed in (0, 1)]
    shards.remove(Shard(cells[1], (1,)))
    outcomes = list(run_shards(shards, jobs=2))
    assert sorted(name_of(outcome.shard) for outcome in outcomes) == sorted(map(name_of, shards))
    lost = [outcome for outcome in outcomes if outcome.result is None]
    assert [outcome.shard.cell.optimizer for outcome in lost] == ([] if survives else [killer["name"]])
    if not survives:
        assert "killed, twice" in lost[0].error
