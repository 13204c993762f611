"""What lies in an MLflow store, and whether it is what a study's folder comes to: no run more and none less."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mlflow import MlflowClient
from mlflow.entities import Experiment, Run, ViewType

from harness.cell_runs import TRIAL_SEEDS
from harness.runs import RunContent, RunPlan
from harness.store import store_uri
from harness.study_runs import StudyRuns
from results.curves import curves, on_curve
from results.report.gather import about_study, read_folder

NOTE = "mlflow.note.content"


def client_of(arena: Path) -> MlflowClient:
    return MlflowClient(tracking_uri=store_uri(arena))


def experiment_of(arena: Path, name: str) -> Experiment:
    experiment = client_of(arena).get_experiment_by_name(name)
    assert experiment is not None
    return experiment


def runs_of(arena: Path, name: str, kind: str = "", view: int = ViewType.ACTIVE_ONLY) -> list[Run]:
    """The runs of a study, as the UI lists them."""
    found = client_of(arena).search_runs([experiment_of(arena, name).experiment_id], run_view_type=view)
    return [run for run in found if kind in ("", run.data.tags["kind"])]


def place(run: Run) -> tuple[str, str]:
    return run.data.tags["kind"], run.data.tags["arena.key"]


def ids_of(arena: Path, name: str) -> dict[tuple[str, str], str]:
    return {place(run): run.info.run_id for run in runs_of(arena, name)}


def content_of(folder: Path) -> dict[Path, tuple[int, bytes]]:
    """When each file of a folder was written, and what it holds; but the lock's."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def plans_of(folder: Path) -> list[RunPlan]:
    """All runs that a study should have."""
    runs = StudyRuns(folder)
    plans = [plan for group in runs.groups.values() for plan in runs.plans_of(group)]
    dead = list(runs.dead()) if runs.oneshot else []
    return [*plans, *dead, *([runs.report((*plan.place, plan.state) for plan in plans)] if plans else [])]


def assert_mirrored(folder: Path, arena: Path, *, page: bool = True) -> None:
    """Every run that the folder comes to is there: once, ended, in the right state and whole; and no other.

    Where there is a report the study's ``page`` links it.
    """
    plans, name = plans_of(folder), about_study(folder)["name"]
    assert Counter(plan.kind for plan in plans) == Counter(_kinds(folder))
    active = runs_of(arena, name)
    found = Counter((*place(run), run.data.tags["arena.state"], run.info.status) for run in active)
    assert found == Counter((plan.kind, plan.key, plan.state, plan.status) for plan in plans)
    by_place = {place(run): run for run in active}
    for plan in plans:
        assert_whole(client_of(arena), by_place[plan.place], plan.make())
    assert {run.data.tags["study"] for run in active} <= {name}
    if page and ("report", name) in by_place:
        assert f"/runs/{by_place['report', name].info.run_id}" in experiment_of(arena, name).tags[NOTE]


def assert_whole(client: MlflowClient, run: Run, content: RunContent) -> None:
    assert run.info.run_name == content.name
    assert run.data.params == content.params
    assert content.tags.items() <= run.data.tags.items()
    assert run.data.tags[NOTE] == content.describe(run.info.experiment_id, run.info.run_id)
    assert run.info.end_time - run.info.start_time == round(1000 * content.seconds)
    points = Counter(
        (metric, point.value, point.step)
        for metric in run.data.metrics
        for point in client.get_metric_history(run.info.run_id, metric)
    )
    assert points == Counter(content.points)
    read = {(one.dataset.name, one.dataset.digest) for one in run.inputs.dataset_inputs}
    assert read == {(dataset.name, dataset.digest) for dataset in content.datasets}
    sizes = {
        name: len(file) if isinstance(file, bytes) else file.stat().st_size for name, file in content.files.items()
    }
    assert dict(_files(client, run.info.run_id)) == sizes


def _files(client: MlflowClient, run: str, inside: str | None = None) -> Iterator[tuple[str, int]]:
    for file in client.list_artifacts(run, inside):
        if file.is_dir:
            yield from _files(client, run, file.path)
        else:
            yield file.path, file.file_size


def _kinds(folder: Path) -> Iterator[str]:
    """The kinds of the runs that the records come to, one each: told by the records alone."""
    if about_study(folder).get("kind") == "oneshot":
        seeds = [path.parent for path in folder.glob("*/seeds-*")]
        logs = [path for path in folder.glob("*/progress-*") if not list(path.parent.glob(f"seeds-{path.stem[9:]}-*"))]
        yield from ["trial"] * (len(seeds) + len(logs)) + ["summary"] * len(set(seeds)) + ["report"] * bool(seeds)
        return
    study = read_folder(folder)
    swept = [cell for cell in study.cells if study.sweep and on_curve(cell.about, study.sweep)]
    for cell in study.cells:
        if cell not in swept:
            yield "summary"
            yield from ["trial"] * (len(cell.seeds) if len(cell.seeds) <= TRIAL_SEEDS else 0)
    yield from ["summary"] * len(curves(swept, study.sweep) if swept else [])
    yield from ["summary"] * len(study.trials)
    yield "report"
