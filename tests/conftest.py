"""What all tests share."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
QUIET = ["--disable-component-update", "--disable-sync"]

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
        _unavailable("NAS_ARENA_DATA is not set: it names the folder of the tables that are in no package")
    return Path(str(folder))


@pytest.fixture(scope="module")  # while it runs, no test on the same worker can have an event loop of its own
def browser() -> Iterator[Any]:
    """The Chromium of the machine, driven by playwright; where one is missing a test is skipped, in CI it fails."""
    path = shutil.which("chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path, sync_playwright = None, None
        _unavailable("playwright is not installed: it drives the browser")
    if path is None:
        _unavailable("there is no chromium on this machine: it shows the page")
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=[*FLAGS, *QUIET])
        yield running
        running.close()


def _unavailable(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"{reason}; in CI it must be there")
    pytest.skip(reason)
