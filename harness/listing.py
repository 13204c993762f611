"""What there is: the texts of ``nas-arena list``."""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterator

from harness.study_file import bundled_studies
from optimizers.registry import HARNESS_ARGUMENTS, OPTIMIZERS
from search_spaces.plugins import Registry, default_settings
from search_spaces.registry import BENCHMARKS


def optimizers() -> Iterator[str]:
    """Every optimizer with its settings and defaults, what it is and where it is from."""
    return _entries(OPTIMIZERS)


def benchmarks() -> Iterator[str]:
    """Every benchmark with its options and defaults, its data sets and where its data is from."""
    return _entries(BENCHMARKS)


def studies() -> Iterator[str]:
    """Every bundled study with its description."""
    for name, file in sorted(bundled_studies().items()):
        yield name
        yield f"    {tomllib.loads(file.read_text(encoding='utf-8'))['description']}"


def _entries(registry: Registry) -> Iterator[str]:
    for name in registry.names():
        cls = registry.load(name)
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
