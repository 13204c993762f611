"""A lock between processes that the kernel holds: it ends with its holder, however that ends."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from search_spaces.errors import ArenaError


@contextmanager
def locked(path: Path, *, wait: bool, what: str) -> Iterator[None]:
    """Holds the lock file ``path``, which names its holder for people.

    Args:
        path: the file; it stays when the lock is given back, as another process may be waiting at it.
        wait: whether to wait for another holder, or to give up.
        what: what is locked, for the message.

    Raises:
        ArenaError: when another process holds it and ``wait`` is false.
    """
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "another process"
            raise ArenaError(f"{what} is in use by {holder}; wait until it ends, or stop it") from None
        file.truncate(0)
        file.write(f"process {os.getpid()} on {socket.gethostname()} since {datetime.now():%Y-%m-%d %H:%M:%S}\n")
        file.flush()
        yield
