"""What all tests share."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("arena", deadline=None, derandomize=True, print_blob=True)  # a slow machine is no failure
settings.load_profile("arena")


@pytest.fixture(autouse=True)
def _no_foreign_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests write to no MLflow server that the developer uses."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder with the benchmark tables that no package has; without it a test is skipped, in CI it fails."""
    folder = os.environ.get("NAS_ARENA_DATA")
    if not folder:
        reason = "NAS_ARENA_DATA is not set: it names the folder of the tables that are in no package"
        if os.environ.get("CI"):
            pytest.fail(f"{reason}; in CI they must be there")
        pytest.skip(reason)
    return Path(folder)
