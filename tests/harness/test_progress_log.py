"""The log of a seed that runs."""

from __future__ import annotations

import math
from pathlib import Path

from harness.progress_log import ProgressLog
from results.oneshot_record import progress_file, read_progress


def test_a_new_try_writes_over_the_log_of_one_that_was_killed(tmp_path: Path) -> None:
    for epochs in (3, 1):
        log = ProgressLog(tmp_path, 4)
        for epoch in range(epochs):
            log.epoch({"epoch": epoch + 1.0, "step_size": math.nan})
    assert read_progress(progress_file(tmp_path, 4)) == (log.attempt, [{"epoch": 1.0}])


def test_where_the_folder_is_not_to_be_seen_nothing_is_written(tmp_path: Path) -> None:
    ProgressLog(tmp_path / "on another node", 0).epoch({"epoch": 1.0})
    assert not list(tmp_path.iterdir())


def test_a_search_goes_on_where_its_log_cannot_be_written(tmp_path: Path) -> None:
    log = ProgressLog(tmp_path, 0)
    progress_file(tmp_path, 0).unlink()
    progress_file(tmp_path, 0).mkdir()
    log.epoch({"epoch": 1.0})
    progress_file(tmp_path, 0).rmdir()
    log.epoch({"epoch": 2.0})
    assert not progress_file(tmp_path, 0).exists(), "what comes after a lost line would be misread"
