"""Studies as commands take them: names in an arena, or folders."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from results.record import STUDY_FILE
from search_spaces.errors import ArenaError, unknown


def study_folders(names: Sequence[str], arena: Path) -> list[Path]:
    """The folders of studies.

    Args:
        names: of studies in the arena, or paths of folders, wherever they came from; none for all of the arena.
        arena: the folder of all studies' results.

    Raises:
        ArenaError: for a name that is neither, with the nearest ones.
    """
    known = sorted(path.parent.name for path in arena.glob(f"*/{STUDY_FILE}"))
    if not names and not known:
        raise ArenaError(f"no study in {arena}; run one, or name another folder with --arena")
    return [_folder(name, arena, known) for name in names or known]


def sync_command(folder: Path, arena: Path) -> str:
    """The command that brings a study's folder into the store of an arena."""
    study = folder.name if folder.parent == arena else str(folder)
    inside = [] if arena == Path("arena") else ["--arena", str(arena)]
    return shlex.join(["nas-arena", "sync", study, *inside])


def _folder(name: str, arena: Path, known: Sequence[str]) -> Path:
    for folder in (arena / name, Path(name)):
        if name and _exists(folder / STUDY_FILE):
            return folder
    if name and _exists(Path(name)) and Path(name).is_dir():
        raise ArenaError(f"{name} is a folder without {STUDY_FILE}, so no study; name the folder of one")
    raise unknown(f"study in {arena}:", name, known)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # longer than a name can be
        return False
