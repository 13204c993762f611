"""What there is: the texts of ``nas-arena list``."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from harness.study_file import bundled_studies
from optimizers.registry import HARNESS_ARGUMENTS, OPTIMIZERS
from search_spaces.images import IMAGE_SETS
from search_spaces.plugins import default_settings
from search_spaces.registry import BENCHMARKS, SUPERNETS


def optimizers() -> Iterator[str]:
    """Every optimizer with its settings and defaults, what it is and where it is from."""
    return _entries(OPTIMIZERS.names(), OPTIMIZERS.load)


def benchmarks() -> Iterator[str]:
    """Every benchmark with its options and defaults, its data sets and where its data is from."""
    return _entries(BENCHMARKS.names(), BENCHMARKS.load)


def supernets() -> Iterator[str]:
    """Every supernet with its options and defaults, and where it is from."""
    return _entries(SUPERNETS.names(), SUPERNETS.load)


def images() -> Iterator[str]:
    """Every set of images with its options and defaults, and where it is from."""
    return _entries(IMAGE_SETS, IMAGE_SETS.__getitem__)


def studies() -> Iterator[str]:
    """Every bundled study with its description."""
    for name, file in sorted(bundled_studies().items()):
        yield name
        yield f"    {tomllib.loads(file.read_text(encoding='utf-8'))['description']}"


def _entries(names: Iterable[str], load: Callable[[str], type[Any]]) -> Iterator[str]:
    for name in names:
        cls = load(name)
        settings = default_settings(cls, HARNESS_ARGUMENTS)
        given = ", ".join(
            key if value is inspect.Parameter.empty else f"{key}={value}" for key, value in settings.items()
        )
        yield f"{name}({given})"
        yield f"    {inspect.cleandoc(cls.__doc__ or 'no description').splitlines()[0]}"
        for title, text in (
            ("data sets", ", ".join(getattr(cls, "datasets", ()))),
            ("source", cls.citation),
            ("data", getattr(cls, "data_source", "")),
        ):
            if text:
                yield f"    {title}: {text}"
