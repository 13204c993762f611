"""Study files: where they are, and what they hold before it is looked at."""

from __future__ import annotations

import tomllib
from importlib import resources
from pathlib import Path
from typing import Any

from search_spaces.errors import ArenaError, unknown

KINDS = ("tabular", "toy", "oneshot")  # of studies; the first needs no mention


def read_study_file(source: str) -> dict[str, Any]:
    """The content of a bundled study by its name, or of a TOML file by its path; its name is that of the file.

    Raises:
        ArenaError: for an unknown study, a file that cannot be read, or a kind that there is not.
    """
    bundled = bundled_studies()
    if source in bundled:
        text = bundled[source].read_text(encoding="utf-8")
    elif source.endswith(".toml"):
        try:
            text = Path(source).read_text(encoding="utf-8-sig")
        except (OSError, ValueError) as error:  # not UTF-8, or a path with a null byte
            raise ArenaError(f"cannot read the study file {source!r}: {error}; give the path of a TOML file") from None
    else:
        raise unknown("study (a bundled one, or the path of a .toml file)", source, bundled)
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # too long a number and too deep a list are no TOMLDecodeError
        raise ArenaError(f"{source} is not valid TOML: {error}") from None
    if values.get("kind", "tabular") not in KINDS:
        raise unknown(f"kind in {source}:", values["kind"], KINDS)
    return {"name": Path(source).stem, **values}


def bundled_studies() -> dict[str, Any]:
    """The studies that come with the package, by name."""
    files = resources.files("harness.studies").iterdir()
    return {file.name.removesuffix(".toml"): file for file in files if file.name.endswith(".toml")}
