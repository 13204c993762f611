"""What MLflow is told of a one-shot study that has ended. ``test_live.py`` tells what it is told of one at work."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest
from mlflow.entities import Run
from planted_cells import EPOCHS, begin, grow, plant, record
from stored_runs import NOTE, assert_mirrored, client_of, experiment_of, ids_of, runs_of

from harness.pages import VIEW_TAG
from harness.sync import sync
from results.oneshot_record import progress_file
from results.record import shard_files

NAME = "oneshot"
pytestmark = pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")


@pytest.fixture(autouse=True)
def no_drawings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.study_runs.drawer", lambda: lambda about, rank: b"<svg/>")  # most of the time


def synced(folder: Path, arena: Path) -> None:
    assert sync(folder, arena).problem == ""
    assert_mirrored(folder, arena)


def history(arena: Path, run: Run, metric: str) -> dict[int, float]:
    points = client_of(arena).get_metric_history(run.info.run_id, metric)
    assert len({point.step for point in points}) == len(points)
    return {point.step: point.value for point in points}


def test_the_runs_say_what_the_records_say(arena: Path) -> None:
    folder = plant(arena, {"asng": [0, 1], "random architectures": [0, 1]})
    (folder / "oneshot.txt").write_text("a table", encoding="utf-8")
    synced(folder, arena)
    summaries = {run.data.tags["variant"]: run for run in runs_of(arena, NAME, "summary")}
    asng, random = summaries["asng"].data, summaries["random architectures"].data

    assert asng.metrics["final/test_accuracy"] == pytest.approx(98.0)  # 97 and 98, 98 and 99
    assert asng.metrics["final/test_accuracy_sd"] == pytest.approx(0.5**0.5)
    assert asng.metrics["final/true_reported"] == 85.5
    assert asng.metrics["final/tau"] == pytest.approx(0.3)
    assert asng.metrics["final/tau_error"] == pytest.approx(0.09)
    assert (asng.metrics["final/convolutions"], asng.metrics["final/skip_connections"]) == (5, 1)
    assert asng.metrics["final/search_seconds"] == 6
    assert history(arena, summaries["asng"], "true/reported") == {1: 82, 2: 83, 3: 84, 4: 85}
    assert history(arena, summaries["asng"], "loss/train") == pytest.approx({1: 2.5, 2: 1.5, 3: 2 / 3 + 0.5, 4: 1.0})
    assert history(arena, summaries["asng"], "recommended/convolutions") == {1: 0, 2: 0, 3: 6, 4: 6}
    assert history(arena, summaries["asng"], "recommended/skip_connections") == {1: 6, 2: 6, 3: 0, 4: 0}
    assert history(arena, summaries["asng"], "state/step_size") == {2: 0.1, 3: 0.1, 4: 0.1}, "it begins with a NaN"
    assert not [metric for metric in asng.metrics if metric.startswith("system/")]
    expected = {"optimizer": "asng", "mode": "oneshot", "batchnorm": "batch", "space": "nasbench201"}
    assert (expected | {"dataset": "digits", "commit": "c0ffeec0ffee"}).items() <= asng.tags.items()
    assert asng.params["loop.batchnorm"] == "batch"
    assert (asng.params["optimizer.lam"], asng.params["supernet.channels"], asng.params["images.pad"]) == (
        "2",
        "8",
        "1",
    )
    note = asng.tags[NOTE]
    assert "BatchNorm of the supernet uses the statistics of each batch (batch)." in note
    assert "tau between shared-weight accuracy, ties by loss and the table is 0.30 ± 0.09 over 60 random" in note
    assert "`|nor_conv_3x3~0| 0`, `|nor_conv_3x3~0| 1`" in note
    assert "nasbench201-cifar10, of other images, says 85.50 ± 0.71 (its median 90.00)" in note

    assert random.metrics["final/test_accuracy"] == pytest.approx(98.0)
    assert not {"final/tau", "final/true_reported", "state/entropy"} & random.metrics.keys()
    assert "batchnorm" not in random.tags
    assert "Kendall" not in random.tags[NOTE]


def test_a_trial_has_its_epochs_and_the_load_of_the_machine(arena: Path) -> None:
    folder = plant(arena, {"asng": [1]}, asked=[1])
    synced(folder, arena)
    (trial,) = runs_of(arena, NAME, "trial")
    assert history(arena, trial, "system/cpu_utilization_percentage") == {1: 51, 2: 52, 3: 53, 4: 54}
    assert history(arena, trial, "system/system_memory_usage_megabytes")[4] == pytest.approx(1000 * 1.048576)
    assert history(arena, trial, "memory/peak_mebibytes") == dict.fromkeys(range(1, EPOCHS + 1), 200.5)
    assert history(arena, trial, "shared/accuracy") == {1: 11, 2: 21, 3: 31, 4: 41}
    assert history(arena, trial, "retrained/test_accuracy") == {0: 98, 1: 99}
    assert trial.data.metrics["final/test_accuracy"] == 98.5
    assert (trial.data.tags["architecture"], trial.data.params["seed"]) == ("|nor_conv_3x3~0| 1", "1")
    assert trial.info.end_time - trial.info.start_time == 12_500
    times = client_of(arena).get_metric_history(trial.info.run_id, "system/cpu_utilization_percentage")
    after = {point.step: point.timestamp - trial.info.start_time for point in times}
    assert after == {1: 1_500, 2: 3_000, 3: 4_500, 4: 6_000}, "the chart of the machine's load goes by time"


def test_the_page_shows_found_beside_random(arena: Path) -> None:
    folder = plant(arena, {"asng": [0, 1], "random architectures": [0]})
    synced(folder, arena)
    tags = experiment_of(arena, NAME).tags
    first, *_ = tags[NOTE].splitlines()
    assert "Test accuracy in percent: **asng** 98.00, **random architectures** 97.50" in first
    assert "| asng | 2 | 98.00 | 85.50 | 0.30 | 5.00 | 1.00 | batch |" in tags[NOTE]
    assert "| random architectures | 1 | 97.50 |  |  | 5.00 | 1.00 |  |" in tags[NOTE]
    views = {key: json.loads(view)["name"] for key, view in tags.items() if key.startswith(VIEW_TAG)}
    assert sorted(views.values()) == ["Curves", "Curves seed by seed", "Table of nasbench201(channels=8) on digits"]
    (report,) = runs_of(arena, NAME, "report")
    data = client_of(arena).download_artifacts(report.info.run_id, "results.parquet", str(arena))
    frame = pd.read_parquet(data)
    assert len(frame) == 3 * EPOCHS
    assert frame[(frame.cell == "asng") & (frame.seed == 1)].shared_accuracy.to_list() == [11, 21, 31, 41]


def test_a_seed_that_is_run_again_replaces_its_trial_and_its_summary(arena: Path) -> None:
    """Training need not come out the same twice."""
    folder = plant(arena, {"asng": [0, 1]})
    synced(folder, arena)
    before = ids_of(arena, NAME)
    synced(folder, arena)
    assert ids_of(arena, NAME) == before
    (again,) = (path for path in shard_files(folder / "asng") if "1-1" in path.name)
    again.unlink()
    record(folder / "asng", 1, attempt="second")
    synced(folder, arena)
    now = ids_of(arena, NAME)
    changed = {place for place in now if now[place] != before[place]}
    assert changed == {("trial", "id of asng/1"), ("summary", "id of asng"), ("report", NAME)}


def test_seeds_that_came_to_no_end_are_told_apart(arena: Path) -> None:
    """One that failed, with its error; one that was killed; a log that a kill left of a seed that is on record."""
    folder = plant(arena, {"asng": [0]}, asked=[0, 1, 2], failures=[["asng, seed 1", "the loss is NaN in step 3"]])
    for seed in (0, 1, 2):
        begin(folder / "asng", seed)
        grow(folder / "asng", seed, 1)
    (folder / "random architectures" / "progress-0.jsonl").write_text("no log\n", encoding="utf-8")
    assert sync(folder, arena).problem == ""
    trials = {run.data.tags["arena.key"]: run for run in runs_of(arena, NAME, "trial")}
    status = {key: run.info.status for key, run in trials.items()}
    assert status == {"id of asng/0": "FINISHED", "id of asng/1": "FAILED", "id of asng/2": "KILLED"}
    failed = trials["id of asng/1"]
    assert failed.data.tags["error"] == "the loss is NaN in step 3"
    assert "failed after 1 epochs: the loss is NaN in step 3" in failed.data.tags[NOTE]
    assert history(arena, failed, "loss/train") == {1: 3}
    before = ids_of(arena, NAME)
    assert sync(folder, arena).problem == ""
    assert ids_of(arena, NAME) == before, "they are right as they are"
    progress_file(folder / "asng", 1).unlink()
    assert sync(folder, arena).problem == ""
    assert ids_of(arena, NAME).keys() == before.keys() - {("trial", "id of asng/1")}
