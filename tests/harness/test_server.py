"""The server of ``nas-arena ui``: where it is, whom it lets in, that it ends. ``test_ui.py`` starts a real one."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest
from mlflow.server.security_utils import get_default_allowed_hosts
from ui_command import answer_of, free_port

from harness import server
from harness.server import DEFAULT_HOSTS, Server, asked_to_stop, base_address, check_free, environment, public_address
from harness.ui import has_screen
from search_spaces.errors import ArenaError

HOSTS, ORIGINS = "MLFLOW_SERVER_ALLOWED_HOSTS", "MLFLOW_SERVER_CORS_ALLOWED_ORIGINS"


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is lab7.example.org."""
    names = ("lab7.example.org", ["www.example.org"], ["127.0.1.1", "198.51.100.7"])
    monkeypatch.setattr(socket, "gethostname", lambda: "Lab7")
    monkeypatch.setattr(socket, "gethostbyname_ex", {"Lab7": names}.__getitem__)
    monkeypatch.setattr(socket, "socket", no_network)


def no_network(*_: object) -> None:
    raise OSError("Network is unreachable")


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("host", "base", "public"),
    [
        ("127.0.0.1", "http://127.0.0.1:5001", "http://127.0.0.1:5001"),
        ("localhost", "http://localhost:5001", "http://localhost:5001"),
        ("::1", "http://[::1]:5001", "http://[::1]:5001"),
        ("0.0.0.0", "http://127.0.0.1:5001", "http://lab7:5001"),
        ("::", "http://[::1]:5001", "http://lab7:5001"),
        ("Lab7.local", "http://lab7.local:5001", "http://lab7.local:5001"),
        ("2001:db8::7", "http://[2001:db8::7]:5001", "http://[2001:db8::7]:5001"),
    ],
)
def test_addresses(host: str, base: str, public: str) -> None:
    assert base_address(host, 5001) == base
    assert public_address(host, 5001) == public


@pytest.mark.usefixtures("machine")
def test_whoever_knows_the_machine_by_a_name_is_let_in() -> None:
    places = [f"{name}:5001" for name in ("lab7", "lab7.example.org", "www.example.org", "127.0.1.1", "198.51.100.7")]
    variables = environment("0.0.0.0", 5001, {})
    assert variables[HOSTS].split(",") == [*DEFAULT_HOSTS, *places]
    assert variables[ORIGINS].split(",") == [f"http://{place}" for place in places]
    assert environment("mine", 80, {})[ORIGINS].startswith("http://mine,http://lab7,"), "browsers leave that port out"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_server_for_this_machine_alone_keeps_what_mlflow_does(host: str) -> None:
    assert environment(host, 5001, {}) == {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}


def test_the_address_by_which_the_machine_goes_out_is_one_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where its own name says only 127.0.1.1, as on Debian."""

    class Way:
        def __enter__(self) -> Way:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def connect(self, to: tuple[str, int]) -> None:
            assert to[0].startswith("192.0.2."), "addresses for documentation, which nobody has"

        def getsockname(self) -> tuple[str, int]:
            return "198.51.100.9", 40000

    monkeypatch.setattr(socket, "socket", lambda family, kind: {socket.SOCK_DGRAM: Way()}[kind])
    assert environment("0.0.0.0", 5001, {})[HOSTS].endswith(",198.51.100.9:5001")


def test_a_machine_whose_name_nobody_knows_has_it_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "no.such.host.invalid")
    assert public_address("0.0.0.0", 5001) == "http://no.such.host.invalid:5001"


def test_what_the_user_has_set_stays() -> None:
    given = {HOSTS: "mlflow.example", ORIGINS: "https://mlflow.example", "HOME": "/home/me"}
    assert given.items() <= environment("0.0.0.0", 5001, given).items()


def test_nobody_is_shut_out_whom_mlflow_lets_in() -> None:
    assert sorted(DEFAULT_HOSTS) == sorted(get_default_allowed_hosts())


def test_a_port_that_was_just_closed_is_free() -> None:
    """Connections to it linger for a minute."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(ArenaError, match=f"port {port} is in use"):
            check_free("127.0.0.1", port)
        with socket.create_connection(("127.0.0.1", port)) as client:
            listener.accept()[0].close()  # the side that closes first waits
            client.recv(1)
    check_free("127.0.0.1", port)


def test_signals_are_marked_and_afterwards_as_before() -> None:
    def ours(*_: object) -> None:
        raise AssertionError

    old = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    try:
        signal.signal(signal.SIGTERM, ours)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with asked_to_stop() as stopping:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopping(), "nohup has asked to ignore it"
            os.kill(os.getpid(), signal.SIGTERM)
            assert stopping()
        assert signal.getsignal(signal.SIGTERM) is ours
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


def running(code: str, monkeypatch: pytest.MonkeyPatch, port: int = 1) -> Server:
    """A server that is a piece of Python."""
    made = Server("sqlite:///none.db", "127.0.0.1", port)
    monkeypatch.setattr(made, "_command", [sys.executable, "-c", code])
    return made


def test_a_server_that_ends_is_waited_for_and_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("for line in range(100): print(line)", monkeypatch) as ended:
        ended.wait(lambda: False)
        assert not ended.ready(lambda: False)
        assert ended.last_words() == "".join(f"{line}\n" for line in range(80, 100))


def test_what_a_server_says_is_told_at_once_when_it_is_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    code = f"""
from http.server import BaseHTTPRequestHandler, HTTPServer
BaseHTTPRequestHandler.log_message = lambda *_: None
print("chatter", flush=True)
with HTTPServer(("127.0.0.1", {port}), BaseHTTPRequestHandler) as server:
    server.handle_request()
    server.handle_request()
print("trouble")
"""
    with running(code, monkeypatch, port) as up:
        assert up.ready(lambda: False)
        assert answer_of(f"http://127.0.0.1:{port}")[0] == 501
        up.wait(lambda: False)
        assert up.last_words() == ""
    assert capsys.readouterr().err == "trouble\n"


def test_a_server_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "LONGEST_END", 0.1)
    code = f"""
import os, pathlib, signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
pathlib.Path({str(tmp_path / "part")!r}).write_text(str(os.getpid()))
os.rename({str(tmp_path / "part")!r}, {str(tmp_path / "pid")!r})
time.sleep(600)
"""
    with running(code, monkeypatch) as stubborn:
        stubborn.wait((tmp_path / "pid").exists)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text(encoding="utf-8")), 0)


@pytest.mark.parametrize(
    ("platform", "terminal", "screen", "expected"),
    [
        ("linux", True, {"DISPLAY": ":0"}, True),
        ("linux", True, {"WAYLAND_DISPLAY": "wayland-0"}, True),
        ("linux", True, {}, False),
        ("linux", False, {"DISPLAY": ":0"}, False),
        ("darwin", True, {}, True),
        ("darwin", False, {}, False),
    ],
)
def test_a_browser_opens_unasked_where_somebody_can_see_it(
    platform: str, terminal: bool, screen: dict[str, str], expected: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in screen.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    assert has_screen() is expected
