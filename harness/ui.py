"""``nas-arena ui``: the pages of studies in the MLflow UI, on a server of our own or on one elsewhere."""

from __future__ import annotations

import base64
import json
import os
import sys
import urllib.request
import webbrowser
from collections.abc import Mapping
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlencode

from harness.pages import VIEW_TAG, study_page
from harness.reports import study_folders, sync_command
from harness.server import Server, asked_to_stop, base_address, check_free, is_loopback, public_address
from harness.store import is_server, probe, sqlite_file, store_uri
from results.files import RecordError, read_json
from results.record import STUDY_FILE
from search_spaces.errors import ArenaError

PATIENCE = 20  # seconds for an answer


def show(study: str | None, arena: Path, host: str, port: int, *, browser: bool) -> int:
    """Tells where studies are in the MLflow UI, and serves it until it is stopped unless a server elsewhere does.

    Args:
        study: its name or its folder; None for all of the arena, the last changed first.
        arena: the folder of all studies' results.
        host: where our server listens.
        port: where our server listens.
        browser: whether a browser opens the first study's page.

    Returns:
        The exit status: 1 where the server ended by itself.

    Raises:
        ArenaError: when there is no such study or no store, nothing can listen at the port, or no server answers.
    """
    uri = store_uri(arena)
    if is_server(uri):
        _show_elsewhere(uri.rstrip("/"), study, arena, browser=browser)
        return 0
    studies = _studies(study, arena)
    file = sqlite_file(uri)
    if file is not None and not file.exists():
        raise ArenaError(
            f"there is no MLflow store at {file} yet; run a study first, bring one there with 'nas-arena sync STUDY', "
            "or name another folder with --arena"
        )
    check_free(host, port)
    # another store's address may have a password in it
    print(f"starting MLflow on {file or 'the store of MLFLOW_TRACKING_URI'} ...", flush=True)
    with asked_to_stop() as stopping, Server(uri, host, port) as server:
        if server.ready(stopping):
            base = base_address(host, port)
            pages = {name: _page(base, name, ours=True) for name in studies}
            print(f"{public_address(host, port)}  (stop with Ctrl-C)")
            if not is_loopback(host):
                print("everyone who reaches this address can read, change and delete the runs")
            _tell(public_address(host, port), pages, studies, arena)
            if browser:
                _open(base, pages)
            server.wait(stopping)
        if stopping():
            return 0
        print(f"{server.last_words()}nas-arena: the MLflow server ended by itself", file=sys.stderr)
        return 1


def has_screen() -> bool:
    """Whether a browser may be opened unasked: somebody is at the terminal, and there is a screen to open it on."""
    screen = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    return bool(screen) and sys.stdout.isatty()


def _show_elsewhere(base: str, study: str | None, arena: Path, *, browser: bool) -> None:
    try:
        probe(base)
    except ConnectionError as error:
        raise ArenaError(
            f"the MLflow server of MLFLOW_TRACKING_URI, {base}, gives {error}; start it or mend that"
        ) from None
    try:
        studies = _studies(study, arena)
    except ArenaError:
        if study is None or _page(base, study) is None:
            raise
        studies = {study: study}  # somebody else's, who has the folder
    pages = {name: _page(base, name) for name in studies}
    if study is not None and not any(pages.values()):
        raise ArenaError(f"study {study!r} is not on the MLflow server at {base}; {_remedy(study, arena)}")
    print(base)
    _tell(base, pages, studies, arena)
    if browser:
        _open(base, pages)


def _studies(study: str | None, arena: Path) -> dict[str, str]:
    """The given study, or all of the arena, the last changed first: its name, and what a command takes for it."""
    if study is not None:
        return {_name(folder): study for folder in study_folders([study], arena)}
    files = sorted(arena.glob(f"*/{STUDY_FILE}"), key=lambda file: file.stat().st_mtime, reverse=True)
    return {_name(file.parent): file.parent.name for file in files}


def _name(folder: Path) -> str:
    try:
        return str(read_json(folder / STUDY_FILE)["name"])
    except (RecordError, KeyError):  # damaged; MLflow can still show it
        return folder.name


def _page(base: str, study: str, *, ours: bool = False) -> str | None:
    """The page of a study from the server's root on, None where the server does not have it.

    Raises:
        ArenaError: when the server gives another answer than MLflow's.
    """
    query = urlencode({"experiment_name": study})
    address = f"{base}/api/2.0/mlflow/experiments/get-by-name?{query}"
    request = urllib.request.Request(address, headers={} if ours else _credentials(os.environ))
    # a proxy would look for our server on its own machine
    opener = urllib.request.build_opener(*[urllib.request.ProxyHandler({})] if ours else [])
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            found = json.load(answer)["experiment"]
    except HTTPError as error:
        said = error.read().decode(errors="replace")
        if "RESOURCE_DOES_NOT_EXIST" in said:
            return None
        raise ArenaError(
            f"{base} does not tell about study {study!r}: {error} {' '.join(said.split())[:100]}"
        ) from None
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        raise ArenaError(f"{base} does not answer as an MLflow server does: {error}") from None
    if found["lifecycle_stage"] == "deleted":
        return None
    return study_page(found["experiment_id"], saved_view=any(tag["key"] == VIEW_TAG for tag in found.get("tags", ())))


def _credentials(variables: Mapping[str, str]) -> dict[str, str]:
    """What MLflow's own client sends to a server that asks who it is."""
    user, password, token = (variables.get(f"MLFLOW_TRACKING_{name}") for name in ("USERNAME", "PASSWORD", "TOKEN"))
    if user and password:
        return {"Authorization": f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"}
    return {"Authorization": f"Bearer {token}"} if token else {}


def _tell(base: str, pages: Mapping[str, str | None], studies: Mapping[str, str], arena: Path) -> None:
    width = max(map(len, pages), default=0)
    for name, page in pages.items():
        print(f"{name:<{width}}  {f'{base}/{page}' if page else f'is not there; {_remedy(studies[name], arena)}'}")
    sys.stdout.flush()


def _remedy(study: str, arena: Path) -> str:
    folder = Path(study)
    return f"bring it there with: {sync_command(folder if folder.exists() else arena / study, arena)}"


def _open(base: str, pages: Mapping[str, str | None]) -> None:
    webbrowser.open(f"{base}/{next(filter(None, pages.values()), '')}")
