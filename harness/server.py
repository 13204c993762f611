"""An MLflow server on the store, as a child of the command that shows it, and who is let in there."""

from __future__ import annotations

import errno
import ipaddress
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from urllib.error import HTTPError

from search_spaces.errors import ArenaError

LOOK_EVERY = 0.1  # seconds
GRACE = 2  # seconds that the server gives to requests under way when it is stopped
LONGEST_END = GRACE + 3  # seconds after which it is killed
LAST_LINES = 20  # of what a server says that does not start
# those that MLflow lets in by itself; it forgets them as soon as others are named
DEFAULT_HOSTS = (
    *(f"{host}{port}" for port in ("", ":*") for host in ("localhost", "127.0.0.1", "0.0.0.0")),
    "[::1]",
    "[[]::1]:*",
    "192.168.*",
    "10.*",
    *(f"172.{number}.*" for number in range(16, 32)),
    "fc00:*",
    "fd00:*",
)


class Server:
    """A server while the context lasts; after it no process of it is left.

    Where this process is killed by a signal that nothing can catch (SIGKILL), the server lives on; the next one finds
    its port in use.
    """

    def __init__(self, uri: str, host: str, port: int) -> None:
        self._base = base_address(host, port)
        # one worker and no job runner: ready in half the time and a fifth of the memory of the default
        options = {
            "--backend-store-uri": uri,
            "--registry-store-uri": uri,
            "--workers": "1",
            "--host": host,
            "--port": str(port),
            "--uvicorn-opts": f"--log-level warning --timeout-graceful-shutdown {GRACE}",
        }
        self._command = [sys.executable, "-m", "mlflow", "server", *(part for item in options.items() for part in item)]
        self._environment = environment(host, port, os.environ)
        self._said: deque[str] = deque(maxlen=LAST_LINES)
        self._up = False

    def __enter__(self) -> Server:
        self._process = subprocess.Popen(
            self._command,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # Ctrl-C reaches this process alone, and its group is all there is of the server
        )
        self._reader = threading.Thread(target=self._read, name="mlflow-server", daemon=True)
        self._reader.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._signal(signal.SIGTERM)
        try:
            self._process.wait(LONGEST_END)
        except subprocess.TimeoutExpired:
            self._signal(signal.SIGKILL)
            self._process.wait()

    def ready(self, stopping: Callable[[], bool]) -> bool:
        """Waits until the server answers; false where it ends instead, or is to stop."""
        while self._lives and not stopping():
            if _answers(f"{self._base}/health"):
                self._up = True
                self._said.clear()
                return True
            time.sleep(LOOK_EVERY)
        return False

    def wait(self, stopping: Callable[[], bool]) -> None:
        """Waits until the server ends, or is to stop."""
        while self._lives and not stopping():
            time.sleep(LOOK_EVERY)

    def last_words(self) -> str:
        """The last lines of a server that never answered, each with its end; what others say is printed at once."""
        self._reader.join(GRACE)
        return "".join(self._said)

    @property
    def _lives(self) -> bool:
        return self._process.poll() is None

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def _read(self) -> None:
        for line in self._process.stdout or ():
            if self._up:  # what it says before is of interest only if it fails
                print(line, end="", file=sys.stderr, flush=True)
            else:
                self._said.append(line)


@contextmanager
def asked_to_stop() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C was pressed, the terminal closed or the process asked to end, while the context lasts.

    A signal sets a mark and raises nothing, so that no moment is a bad one.
    """
    asked: list[int] = []
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    caught = {number: old for number, old in before.items() if old is not signal.SIG_IGN}  # by nohup, for one
    for number in caught:
        signal.signal(number, lambda received, _: asked.append(received))
    try:
        yield lambda: bool(asked)
    finally:
        for number, old in caught.items():
            signal.signal(number, old)


def check_free(host: str, port: int) -> None:
    """Makes sure that a server could listen there.

    Raises:
        ArenaError: when the port is in use, or the host is none of this machine.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as listener:
            # as the server does: a connection that was closed a moment ago is no obstacle
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
    except (OSError, UnicodeError) as error:
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            message = (
                f"port {port} is in use, maybe by another 'nas-arena ui'; stop that, or choose another with --port"
            )
        else:
            reason = getattr(error, "strerror", None) or error
            message = (
                f"no server can listen at host {host!r}, port {port} ({reason}); choose others with --host, --port"
            )
        raise ArenaError(message) from None


def is_loopback(host: str) -> bool:
    """Whether a server at this host is reached from this machine alone."""
    return host == "localhost" or _is("is_loopback", host)


def base_address(host: str, port: int) -> str:
    """Where this machine itself reaches the server."""
    if _is("is_unspecified", host):
        host = "::1" if ":" in host else "127.0.0.1"
    return f"http://{_bracketed(host.lower())}:{port}"  # as browsers write it; MLflow tells capitals apart


def public_address(host: str, port: int) -> str:
    """Where others reach the server: by the name of this machine where it listens everywhere."""
    return base_address(host, port) if is_loopback(host) else f"http://{_names(host)[0]}:{port}"


def environment(host: str, port: int, given: Mapping[str, str]) -> dict[str, str]:
    """The variables of a server, which lets in who knows this machine by one of its names.

    MLflow refuses requests to names that it does not know, and also writes from pages at other addresses than
    localhost; its own pages ask for runs with requests that count as writes. Who has set either keeps it.
    """
    variables = {**given, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    if is_loopback(host):
        return variables
    places = [name if port == 80 else f"{name}:{port}" for name in _names(host)]  # as a browser writes them
    return {
        "MLFLOW_SERVER_ALLOWED_HOSTS": ",".join([*DEFAULT_HOSTS, *places]),
        "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS": ",".join(f"http://{place}" for place in places),
        **variables,
    }


def _names(host: str) -> list[str]:
    """Names and addresses of this machine, as in a URL; first the one to tell."""
    names = [] if _is("is_unspecified", host) else [host]
    names.append(socket.gethostname())
    with suppress(OSError):
        name, aliases, addresses = socket.gethostbyname_ex(socket.gethostname())
        names += [name, *aliases, *addresses]
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
        way_out.connect(("192.0.2.1", 9))  # sends nothing: the system only chooses from which address it would
        names.append(way_out.getsockname()[0])
    return list(dict.fromkeys(_bracketed(name.lower()) for name in names))


def _is(what: str, host: str) -> bool:
    try:
        return bool(getattr(ipaddress.ip_address(host), what))
    except ValueError:  # a name
        return False


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _answers(address: str) -> bool:
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=5).close()
    except HTTPError:
        return True
    except OSError:
        return False
    return True
