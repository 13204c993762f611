"""What names a cell and its parts, and tells results of different settings apart."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from importlib import metadata
from typing import Any

from optimizers.base import SearchMethod
from optimizers.gradient import GradientOptimizer
from optimizers.registry import HARNESS_ARGUMENTS
from search_spaces.errors import ArenaError
from search_spaces.plugins import construct, default_settings
from search_spaces.space import SearchSpace


def id_of(identity: dict[str, Any]) -> str:
    """A short hash of an identity."""
    canonical = json.dumps(identity, sort_keys=True, separators=(",", ":"), default=str)
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]


def folder_of(name: str, id: str) -> str:
    """The folder of a cell: readable, and its own by the id."""
    readable = re.sub(r"[^A-Za-z0-9.]+", "-", name).strip("-")
    return f"{readable[:80]}-{id}"


def seed_name(name: str, seed: int) -> str:
    """What one seed of a cell of that name is called where it fails, and how its error is found again."""
    return f"{name}, seed {seed}"


def label_of(name: str, settings: dict[str, Any], defaults: dict[str, Any]) -> str:
    """The short name of an optimizer in tables: its settings where they differ from the defaults."""
    changed = {key: value for key, value in settings.items() if value != defaults[key]}
    return name.rpartition(":")[2] + (f"({listed(changed)})" if changed else "")


def listed(settings: dict[str, Any]) -> str:
    """Settings as they are written after a name."""
    return ", ".join(f"{key}={value}" for key, value in settings.items())


def path_of(cls: type) -> str:
    """Where a class is defined."""
    return f"{cls.__module__}:{cls.__qualname__}"


def on_space(
    cls: type[SearchMethod], space: SearchSpace, settings: dict[str, Any], name: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The settings and the defaults on a space: where one is None, what the optimizer holds under its name.

    Raises:
        ArenaError: for settings out of range; they are told now and not by a worker.
    """
    defaults = default_settings(cls, HARNESS_ARGUMENTS)
    open_ones = [key for key, default in defaults.items() if default is None]

    def come_to(given: dict[str, Any]) -> dict[str, Any]:
        made = one_seed(cls, space, given, name)
        return {key: getattr(made, key, None) for key in open_ones if given[key] is None}

    found = settings | come_to(settings)
    return found, defaults | (come_to(settings | dict.fromkeys(open_ones)) if open_ones else {})


def one_seed(cls: type[Any], space: SearchSpace, settings: dict[str, Any], name: str) -> Any:
    """An instance for one seed, to be looked at and not to be run.

    Raises:
        ArenaError: for settings out of range.
    """
    arguments: tuple[Any, ...] = (0, 1) if issubclass(cls, GradientOptimizer) else ((0,),)
    what = label_of(name, settings, default_settings(cls, HARNESS_ARGUMENTS))
    make: Callable[..., Any] = cls
    return construct(what, partial(make, space, *arguments, **settings))


def identity_of(cls: type[SearchMethod], settings: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """What the numbers of an optimizer depend on: its class, and the package that they come from where there is one."""
    try:
        package = {"package": f"{cls.package} {metadata.version(cls.package)}"} if cls.package else {}
    except metadata.PackageNotFoundError:
        raise ArenaError(
            f"{cls.__name__}.package is {cls.package!r}, which is not installed; give the name that pip knows it by"
        ) from None
    return {"class": path_of(cls), "version": cls.version, **package, "settings": dict(settings)}
