"""The command ``nas-arena ui`` as a process of its own, its server's processes, and what the server answers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.error import HTTPError

PATIENCE = 120.0  # seconds
CODE = """
import signal
for number in (signal.SIGINT, signal.SIGHUP):  # which tests that run in the background have inherited as ignored
    signal.signal(number, signal.SIG_DFL)
from harness.cli import main
main()
"""


@dataclass
class Command:
    """The command, running."""

    process: subprocess.Popen[str]
    port: int

    def lines(self, wanted: int) -> list[str]:
        """So many lines that it prints next."""
        assert self.process.stdout
        found = [self.process.stdout.readline().removesuffix("\n") for _ in range(wanted)]
        assert all(found), self.process.communicate()
        return found

    def ends(self, number: signal.Signals | None = None) -> tuple[int, str]:
        """Its exit status and what it complained of, once it has ended, after a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


def started(folder: Path, port: int, *arguments: str, **variables: str) -> Command:
    command = [sys.executable, "-c", CODE, "ui", "--port", str(port), *arguments]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    pipe = subprocess.PIPE
    return Command(
        subprocess.Popen(command, cwd=folder, env=kept | variables, stdout=pipe, stderr=pipe, text=True), port
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def servers_at(port: int) -> list[int]:
    """The processes of an MLflow server at a port."""
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it has just ended
            words = file.read_text(encoding="utf-8").split("\0")
            if str(port) in words and any(word.startswith("mlflow") for word in words):
                found.append(int(file.parent.name))
    return found


def answer_of(address: str, body: object = None, **headers: str) -> tuple[int, str]:
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(address, content, headers={"Content-Type": "application/json"} | headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE) as found:
            return found.status, found.read().decode()
    except HTTPError as error:
        return error.code, error.read().decode()
