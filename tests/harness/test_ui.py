"""``nas-arena ui`` as a person uses it: the real command, and a real MLflow server, its own or one elsewhere."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
from command_lines import BENCHMARK, Fails
from mlflow import MlflowClient
from ui_command import PATIENCE, Command, answer_of, free_port, servers_at, started

from harness.cli import main
from harness.pages import VIEW_TAG, study_page
from harness.run import run
from harness.study import Study

pytestmark = pytest.mark.xdist_group("ui")  # one server for all
STUDIES = ("unsynced", "deleted", "viewed", "real")  # the last changed first

Start = Callable[..., Command]


@pytest.fixture
def start() -> Iterator[Start]:
    """Starts the command; where a test fails it is stopped."""
    commands: list[Command] = []

    def call(folder: Path, *arguments: str, **variables: str) -> Command:
        commands.append(started(folder, free_port(), *arguments, **variables))
        return commands[-1]

    yield call
    for command in commands:
        if command.process.poll() is None:
            command.ends(signal.SIGTERM)


@dataclass
class Place:
    """A folder with an arena and a store."""

    folder: Path

    def address_of(self, study: str) -> str:
        """The page that a study has by what the store says."""
        experiment = self.client.get_experiment_by_name(study)
        assert experiment is not None
        return study_page(experiment.experiment_id, saved_view=VIEW_TAG in experiment.tags)

    @property
    def client(self) -> MlflowClient:
        return MlflowClient(tracking_uri=f"sqlite:///{self.folder / 'mlflow.db'}")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Place:
    """Four studies, one of them with runs."""
    here = Place(tmp_path_factory.mktemp("place"))
    shutil.copyfile(empty_store, here.folder / "mlflow.db")
    tiny = Study(name="real", optimizers=["random_search"], benchmarks=[BENCHMARK], seeds=2, budget=5)
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert run(tiny, arena=here.folder / "arena", jobs=1).mirror_problem == ""
    here.client.create_experiment("viewed", tags={VIEW_TAG: "{}"})
    here.client.delete_experiment(here.client.create_experiment("deleted"))
    for age, name in enumerate(STUDIES):
        file = here.folder / "arena" / name / "study.json"
        if name != "real":
            file.parent.mkdir()
            file.write_text(json.dumps({"name": name}), encoding="utf-8")
        os.utime(file, (1_000_000 - age, 1_000_000 - age))
    return here


@pytest.fixture(scope="module")
def shared(place: Place) -> Iterator[tuple[Command, list[str]]]:
    """The command, serving all of the arena to other machines, and what it printed."""
    command = started(place.folder, free_port(), "--host", "0.0.0.0")
    try:
        yield command, command.lines(3 + len(STUDIES))
    finally:
        assert command.ends(signal.SIGTERM)[0] == 0


@pytest.fixture
def elsewhere(shared: tuple[Command, list[str]], monkeypatch: pytest.MonkeyPatch) -> str:
    """The same server as one that MLFLOW_TRACKING_URI names."""
    address = f"http://127.0.0.1:{shared[0].port}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"{address}/")
    return address


def test_all_studies_are_told_the_last_changed_first(place: Place, shared: tuple[Command, list[str]]) -> None:
    command, (starting, address, warning, *studies) = shared
    name = f"http://{socket.gethostname().lower()}:{command.port}"
    assert starting == f"starting MLflow on {place.folder / 'mlflow.db'} ..."
    assert address == f"{name}  (stop with Ctrl-C)"
    assert warning == "everyone who reaches this address can read, change and delete the runs"
    assert studies == [
        "unsynced  is not there; bring it there with: nas-arena sync unsynced",
        "deleted   is not there; bring it there with: nas-arena sync deleted",
        f"viewed    {name}/{place.address_of('viewed')}",
        f"real      {name}/{place.address_of('real')}",
    ]
    assert "viewStateShareKey" in studies[2]


def test_others_are_let_in_by_the_name_of_this_machine_alone(
    place: Place, shared: tuple[Command, list[str]], elsewhere: str
) -> None:
    """Also to what the pages ask for by POST, which is refused to pages from elsewhere."""
    experiment = place.client.get_experiment_by_name("real")
    assert experiment is not None
    wanted = {"experiment_ids": [experiment.experiment_id], "filter": "tags.kind = 'summary'"}
    search = f"{elsewhere}/ajax-api/2.0/mlflow/runs/search"
    name = f"{socket.gethostname().lower()}:{shared[0].port}"
    status, found = answer_of(search, wanted, Host=name, Origin=f"http://{name}")
    assert status == 200
    assert len(json.loads(found)["runs"]) == 1
    assert "<html" in answer_of(f"{elsewhere}/", Host=name)[1]
    assert answer_of(f"{elsewhere}/", Host="rebound.example")[0] == 403
    assert answer_of(search, wanted, Host=name, Origin="http://other.example")[0] == 403
    assert answer_of(f"{elsewhere}/", Host="192.168.3.4:5000")[0] == 200, "as MLflow does by itself"


def test_a_port_in_use_is_told_before_a_server_is_started(
    place: Place, shared: tuple[Command, list[str]], monkeypatch: pytest.MonkeyPatch, fails: Fails
) -> None:
    monkeypatch.chdir(place.folder)
    port = shared[0].port
    line = f"port {port} is in use, maybe by another 'nas-arena ui'; stop that, or choose another with --port"
    assert fails("ui", "--port", str(port)) == line


@pytest.mark.parametrize("host", ["192.0.2.7", "no.such.host.invalid", "a" * 70])
def test_a_host_that_is_none_of_this_machine_is_told(
    host: str, place: Place, monkeypatch: pytest.MonkeyPatch, fails: Fails
) -> None:
    monkeypatch.chdir(place.folder)
    assert fails("ui", "--host", host).startswith(f"no server can listen at host {host!r}, port 5000 (")


def test_an_unknown_study_is_told_before_a_server_is_started(
    place: Place, monkeypatch: pytest.MonkeyPatch, fails: Fails
) -> None:
    monkeypatch.chdir(place.folder)
    assert fails("ui", "reel") == "unknown study in arena: 'reel'; did you mean 'real'?"


def test_there_must_be_a_store(fails: Fails) -> None:
    assert re.match(r"there is no MLflow store at .*mlflow\.db yet; run a study first, ", fails("ui"))


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked for in /proc")
def test_it_opens_the_study_and_ends_with_its_server(start: Start, place: Place, tmp_path: Path) -> None:
    opened = tmp_path / "opened"
    browser = tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" > {opened}.part && mv {opened}.part {opened}\n', encoding="utf-8")
    browser.chmod(0o755)
    nowhere = f"http://127.0.0.1:{free_port()}"  # a proxy, which has no business with a server of this machine
    variables = {"BROWSER": f"{browser} %s", "http_proxy": nowhere, "no_proxy": ""}
    command = start(place.folder, "real", "--browser", **variables)
    _, address, study = command.lines(3)
    base = f"http://127.0.0.1:{command.port}"
    assert address == f"{base}  (stop with Ctrl-C)"
    assert study == f"real  {base}/{place.address_of('real')}"
    assert len(servers_at(command.port)) == 2, "MLflow's command and uvicorn's"
    wait_for(opened)
    assert opened.read_text(encoding="utf-8").strip() == study.split()[1]
    assert answer_of(f"{base}/", Host="rebound.example")[0] == 403
    status, errors = command.ends(signal.SIGTERM)
    assert status == 0
    (problem,) = errors.splitlines()  # of the server, which tells nothing else
    assert "rebound.example" in problem
    assert servers_at(command.port) == []


def wait_for(file: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not file.exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="processes are looked for in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP], ids=["Ctrl-C", "the terminal is closed"])
def test_stopped_while_it_starts_it_leaves_nothing(number: signal.Signals, start: Start, place: Place) -> None:
    command = start(place.folder)
    command.lines(1)
    deadline = time.monotonic() + PATIENCE
    while not servers_at(command.port):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert command.ends(number) == (0, "")
    assert servers_at(command.port) == []


def test_a_server_that_ends_by_itself_is_told_with_its_last_words(start: Start, tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("not a database", encoding="utf-8")
    status, errors = start(tmp_path).ends()
    assert status == 1
    assert "file is not a database" in errors
    assert errors.splitlines()[-1] == "nas-arena: the MLflow server ended by itself"


# a server elsewhere


def ui(*arguments: str) -> int:
    with pytest.raises(SystemExit) as end:
        main(["ui", *arguments])
    return int(end.value.code or 0)


@pytest.mark.parametrize("given", ["real", "arena/real", "viewed"])
def test_the_page_on_a_server_elsewhere(
    given: str, place: Place, elsewhere: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place.folder)
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert ui(given) == 0
    assert opened == [], "there is no terminal"
    assert ui(given, "--browser") == 0
    study = given.rpartition("/")[2]
    page = f"{elsewhere}/{place.address_of(study)}"
    assert capsys.readouterr().out == f"{elsewhere}\n{study}  {page}\n" * 2
    assert opened == [page]


def test_without_a_study_the_browser_opens_the_last_changed_that_is_there(
    place: Place, elsewhere: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert ui("--arena", str(place.folder / "arena"), "--browser") == 0
    assert ui("--arena", str(place.folder / "none"), "--browser") == 0
    assert opened == [f"{elsewhere}/{place.address_of('viewed')}", f"{elsewhere}/"]


def test_a_study_of_somebody_else_is_found_on_their_server(
    place: Place, folder: Path, elsewhere: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ui("real") == 0
    assert capsys.readouterr().out == f"{elsewhere}\nreal  {elsewhere}/{place.address_of('real')}\n"
    assert not list(folder.iterdir())


@pytest.mark.usefixtures("elsewhere")
def test_a_study_that_is_nowhere_is_unknown(place: Place, monkeypatch: pytest.MonkeyPatch, fails: Fails) -> None:
    monkeypatch.chdir(place.folder)
    assert fails("ui", "reel") == "unknown study in arena: 'reel'; did you mean 'real'?"


@pytest.mark.parametrize("given", ["unsynced", "deleted", "its folder"])
def test_a_study_that_is_not_on_the_server_can_be_brought_there(
    given: str, place: Place, elsewhere: str, fails: Fails
) -> None:
    arena = place.folder / "arena"
    study = given.replace("its folder", str(arena / "unsynced"))
    name = given.replace("its folder", "unsynced")  # in the arena a name will do
    remedy = f"bring it there with: nas-arena sync {name} --arena {arena}"
    expected = f"study {study!r} is not on the MLflow server at {elsewhere}; {remedy}"
    assert fails("ui", study, "--arena", str(arena)) == expected


def test_a_dead_server_elsewhere_is_told(place: Place, monkeypatch: pytest.MonkeyPatch, fails: Fails) -> None:
    dead = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", dead)
    monkeypatch.chdir(place.folder)
    line = fails("ui", "real")
    assert line.startswith(f"the MLflow server of MLFLOW_TRACKING_URI, {dead}, gives no answer (")
    assert line.endswith("; start it or mend that")


class Stranger(BaseHTTPRequestHandler):
    """A server that wants to know who asks, and is none of MLflow's."""

    def do_GET(self) -> None:
        asks = self.headers.get("Authorization")
        self.send_response(200 if self.path == "/health" or asks else 401)
        self.end_headers()
        self.wfile.write(f"<p>you are\n{asks}</p>".encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        ({}, "does not tell about study 'real': HTTP Error 401: Unauthorized <p>you are None</p>"),
        ({"USERNAME": "ann", "PASSWORD": "ü:b"}, "does not answer as an MLflow server does: "),
        ({"TOKEN": "abc"}, "does not answer as an MLflow server does: "),
    ],
)
def test_a_server_that_gives_another_answer_is_told(
    credentials: Mapping[str, str], told: str, place: Place, monkeypatch: pytest.MonkeyPatch, fails: Fails
) -> None:
    with HTTPServer(("127.0.0.1", 0), Stranger) as stranger:
        Thread(target=stranger.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{stranger.server_port}"
        monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
        for name, value in credentials.items():
            monkeypatch.setenv(f"MLFLOW_TRACKING_{name}", value)
        monkeypatch.chdir(place.folder)
        line = fails("ui", "real")
        stranger.shutdown()
    assert line.startswith(f"{address} {told}")
