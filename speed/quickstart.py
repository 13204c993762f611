"""How long the README's first command takes after installation.

    python speed/quickstart.py [REPEATS]

Prints the median and the range over the repeats of whole commands, each in a new folder: the quickstart with a new
MLflow store, the same again with nothing missing, and both without tracking (their difference is what MLflow costs);
`--help`; and, in this process, the loading of a table that is in the cache.
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from search_spaces.registry import get_benchmark

COMMANDS = {
    "quickstart, new store": ["run", "quickstart"],
    "quickstart again, nothing missing": ["run", "quickstart"],
    "quickstart without tracking": ["run", "quickstart", "--no-tracking", "--arena", "untracked"],
    "the same again, nothing missing": ["run", "quickstart", "--no-tracking", "--arena", "untracked"],
    "--help": ["--help"],
    "list optimizers": ["list", "optimizers"],
}


def seconds_of(arguments: list[str], folder: str) -> float:
    command = [str(Path(sys.executable).with_name("nas-arena")), *arguments]
    began = perf_counter()
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return perf_counter() - began


def seconds_to_load() -> float:
    began = perf_counter()
    get_benchmark("nasbench201", dataset="cifar10")
    return perf_counter() - began


def main() -> None:
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as folder:
            for name, arguments in COMMANDS.items():
                times[name].append(seconds_of(arguments, folder))
    seconds_to_load()
    times["a cached table"] = [seconds_to_load() for _ in range(20)]
    with_data = "with" if os.environ.get("NAS_ARENA_DATA") else "without"
    print(
        f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, ",
        end="",
    )
    print(f"{repeats} repeats, {with_data} NAS_ARENA_DATA; seconds: median [lowest, highest]")
    for name, values in times.items():
        print(f"{name:35} {statistics.median(values):7.3f} [{min(values):.3f}, {max(values):.3f}]")


if __name__ == "__main__":
    main()
