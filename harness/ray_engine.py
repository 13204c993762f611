"""Shards on a Ray cluster, of one machine or of many: each is a task, Ray says where it runs."""

from __future__ import annotations

import logging
import os
import signal
import socket
import sys
import threading
import warnings
from collections import deque
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from harness.engine import KILLED, Outcome, W, absolute_path, run_shard
from search_spaces.errors import ArenaError

AHEAD = 2  # shards in flight for each CPU, so that none waits for this process
CONNECT_SECONDS = 5.0
TRIES = "RAY_NUM_REDIS_GET_RETRIES"  # how often Ray tries to connect, 20 times unless told: up to 40 s and a line each
CARRIED = ("NAS_ARENA_DATA", "XDG_CACHE_HOME")  # where tables are; the environment of a node knows neither


def load_ray() -> Any:
    """The package.

    Raises:
        ArenaError: where it is not installed.
    """
    given = os.environ.get(TRIES)
    os.environ[TRIES] = given or "1"  # read when Ray is imported
    try:
        import ray

        ray.init  # noqa: B018  # a folder of that name, such as Ray's own in /tmp, can be imported too
    except (ImportError, AttributeError):
        raise ArenaError('the engine "ray" needs Ray, which is not installed; pip install "nas-arena[ray]"') from None
    finally:
        if given is None:  # the processes of a cluster on this machine shall be patient
            del os.environ[TRIES]
    return ray


def run_on_ray(shards: Sequence[W], jobs: int | None) -> Generator[Outcome[W], None, None]:
    """Runs all shards, at most ``jobs`` in flight (by default two a CPU), and gives each outcome as it comes.

    A shard whose worker or node died is tried once more, after all others. That is counted here: Ray itself tries
    a task that ran out of memory again without end.
    """
    if not shards:
        return
    ray = load_ray()
    known = ray.exceptions
    died = known.WorkerCrashedError, known.OutOfMemoryError, known.NodeDiedError, known.LocalRayletDiedError
    lost = *died, known.ObjectLostError  # the last: its node died after it was done, before its result was fetched
    waiting = deque((shard, 1) for shard in shards)
    running: dict[Any, tuple[W, int]] = {}
    with _connected(ray):
        task = ray.remote(num_cpus=1, max_retries=0)(_in_worker)
        path = absolute_path()
        given = {name: os.environ.get(name) for name in CARRIED}
        carried = {name: folder and str(Path(folder).absolute()) for name, folder in given.items()}
        while waiting or running:
            # asked each time: nodes come and go
            most = jobs or AHEAD * max(int(ray.cluster_resources().get("CPU", 0)), 1)
            while waiting and len(running) < most:
                shard, tries = waiting.popleft()
                running[task.remote(shard, path, carried)] = shard, tries
            (ended,), _ = ray.wait(list(running))
            shard, tries = running.pop(ended)
            try:
                outcome = ray.get(ended)
            except lost:
                if tries == 1:
                    waiting.append((shard, 2))
                    continue
                outcome = Outcome(shard, None, {}, KILLED)
            except ray.exceptions.RayError as error:  # such as a node on which the package is missing
                outcome = Outcome(shard, None, {}, str(error))
            yield outcome


def _in_worker(shard: W, path: list[str], carried: Mapping[str, str | None]) -> Outcome[W]:
    warnings.filterwarnings("ignore", message="cannot write the cache")  # nobody sees it here
    sys.path += [folder for folder in path if folder not in sys.path]  # behind: packages may lie elsewhere on this node
    for name, value in carried.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    return run_shard(shard)


@contextmanager
def _connected(ray: Any) -> Iterator[None]:
    """A connection to a cluster, ended at the end; one that the caller has is used and left alone."""
    if ray.is_initialized():
        yield
        return
    # Ray's own fallback is the cluster that was last started on this machine, even if it is long gone
    address = os.environ.get("RAY_ADDRESS") or "local"
    try:
        try:
            _knock(address)
            with _uninterrupted() if address == "local" else nullcontext():
                ray.init(address, log_to_driver=False, logging_level=logging.CRITICAL)
        except Exception as error:  # Ray raises nearly anything
            raise _unreachable(address, error) from None
        yield
    finally:
        with _uninterrupted():
            ray.shutdown()


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Holds Ctrl-C back for the second or two that Ray starts or ends: interrupted, it leaves processes behind."""
    if threading.current_thread() is not threading.main_thread():  # there is no Ctrl-C
        yield
        return
    came: list[int] = []
    usual = signal.signal(signal.SIGINT, lambda number, _: came.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)
    if came:
        raise KeyboardInterrupt


def _knock(address: str) -> None:
    """Fails soon where nobody listens."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS).close()


def _unreachable(address: str, error: Exception) -> ArenaError:
    lines = str(error.__cause__ or error).strip().splitlines() or [type(error).__name__]
    reason = lines[-1].partition(". ")[0].rstrip(".")
    if address == "local":
        return ArenaError(f"Ray does not start on this machine: {reason}; mend that, or use --engine processes")
    mend = "correct it, or unset it to search on this machine"
    if "AuthenticationError" in reason:  # "ray start" may turn tokens on by itself, an address never does
        mend = "set RAY_AUTH_MODE=token, and RAY_AUTH_TOKEN if ~/.ray/auth_token is of another cluster"
    return ArenaError(f"RAY_ADDRESS names {address!r}, where no Ray cluster can be reached: {reason}; {mend}")
