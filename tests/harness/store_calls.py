"""Calls to MLflow that write, counted and made to fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from mlflow import MlflowClient


class KilledError(BaseException):
    """Stands for a kill of the mirror: nothing of it goes on, not even what handles errors."""


class GoneError(Exception):
    """Stands for a store that is out of reach."""


CALLS = (
    "create_experiment",
    "create_run",
    "log_batch",
    "log_inputs",
    "log_artifact",
    "set_terminated",
    "delete_run",
    "set_experiment_tag",
)


class Calls:
    """Counts the calls to MLflow that write, and has those from one on fail.

    Attributes:
        made: their names.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.made: list[str] = []
        self._fails: Callable[[int], BaseException | None] = lambda number: None
        for name in CALLS:
            monkeypatch.setattr(MlflowClient, name, self._counted(getattr(MlflowClient, name), name))

    def fail(self, fails: Callable[[int], BaseException | None]) -> None:
        """From now on the first call is the first, and each fails with what is given for its number, if anything."""
        self.made.clear()
        self._fails = fails

    def _counted(self, original: Callable[..., Any], name: str) -> Callable[..., Any]:
        def counted(*arguments: Any, **settings: Any) -> Any:
            self.made.append(name)
            if error := self._fails(len(self.made)):
                raise error
            return original(*arguments, **settings)

        return counted
