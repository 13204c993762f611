"""One-shot studies from file to record: the same numbers however they are run, found again, retrained, reported."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.cli import main
from harness.judge import Judge, random_architectures
from harness.machine import MachineLoad
from harness.oneshot import complete
from harness.oneshot_run import _at_a_time, run_oneshot_study
from harness.oneshot_settings import LoopSettings
from harness.oneshot_study import OneShotStudy
from harness.running import StudyRun
from harness.shared_weights import SharedWeights
from harness.training import Descent
from optimizers.registry import OPTIMIZERS
from results.oneshot_record import OneShotCell, progress_file, read_oneshot_cell
from results.record import asked_of
from results.report.build import report
from search_spaces.device_images import DeviceImages
from search_spaces.errors import ArenaError
from search_spaces.gates import Gates
from search_spaces.images import load_images
from search_spaces.nasbench201 import NASBench201Supernet
from search_spaces.registry import get_benchmark

TINY: dict[str, Any] = {
    "name": "tiny",
    "optimizers": ["asng", "darts(learning_rate=0.01)", {"name": "random_search", "final_candidates": 5}],
    "supernet": "nasbench201(channels=2, cells=1)",
    "images": "digits",
    "table": "nasbench201(reported=validation)",
    "seeds": 2,
    "random_architectures": 3,
    "loop": {"epochs": 2, "batch_size": 100, "ranking_architectures": 10, "monitor_images": 100},
    "retraining": {"epochs": 1, "seeds": 2, "batch_size": 200},
}


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def run(arena: Path, **changes: Any) -> StudyRun:
    how = {"jobs": 1, "tracking": False} | {name: changes.pop(name) for name in ("jobs",) if name in changes}
    return run_oneshot_study(OneShotStudy(**(TINY | changes)), arena=arena, **how)


def cells_of(folder: Path) -> dict[str, OneShotCell]:
    about = json.loads((folder / "study.json").read_text())
    read = [read_oneshot_cell(folder / name, asked_of(about, name)) for name in about["cells"]]
    return {cell.label: cell for cell in read}


def numbers(cell: OneShotCell) -> list[Any]:
    """All of a cell's records that must be the same in every run of it."""
    clocks = ("seconds", "mebibytes", "percent")
    found: list[Any] = []
    for one in cell.runs:
        trained = [{k: v for k, v in training.items() if k != "seconds"} for training in one.result["retrained"]]
        result = {k: v for k, v in one.result.items() if k not in ("search_seconds", "retrained")}
        epochs = {k: v.tolist() for k, v in one.epochs.items() if not k.endswith(clocks)}
        found.append(json.dumps([one.seed, epochs, result, trained]))
    return found


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> StudyRun:
    torch.set_num_threads(1)
    return run(tmp_path_factory.mktemp("arena"))


def test_everything_is_on_record(done: StudyRun) -> None:
    assert not done.failures
    cells = cells_of(done.folder)
    assert {label: len(cell.runs) for label, cell in cells.items()} == {
        "asng": 2,
        "darts(learning_rate=0.01)": 2,
        "random_search(final_candidates=5)": 2,
        "random architectures": 3,
    }
    table = get_benchmark("nasbench201", reported="validation")
    for cell in cells.values():
        for one in cell.runs:
            arch = np.array(one.result["architecture"])
            assert one.result["true"]["searched"] == pytest.approx(100 - table.search_loss(arch))
            assert sum(one.result["counts"].values()) == 6
            assert len(one.test_accuracies) == 2
            assert one.made["device"] == "cpu"
            assert one.made["versions"]["torch"] == torch.__version__
            assert not progress_file(cell.folder, one.seed).exists()
    asng = cells["asng"].runs[0]
    assert asng.epochs["epoch"].tolist() == [1, 2]
    assert asng.epochs["step"].tolist() == [6, 12]
    ranks = asng.epochs["recommended"].astype(int)
    assert asng.epochs["true_reported"].tolist() == (100 - table.final_losses[ranks]).tolist()
    assert asng.result["rank"] == ranks[-1], "without candidates the answer is the last recommendation"
    assert asng.result["chosen_by"] == "mode"
    assert (
        cells["random_search(final_candidates=5)"].runs[0].result["chosen_by"] == "best of 5 samples by shared weights"
    )
    assert asng.result["ranking"]["architectures"] == 10


def test_the_same_in_processes(done: StudyRun, tmp_path: Path) -> None:
    other = run(tmp_path, jobs=2)
    here, there = cells_of(done.folder), cells_of(other.folder)
    assert {label: numbers(cell) for label, cell in here.items()} == {label: numbers(c) for label, c in there.items()}


def test_only_what_is_missing_is_run(done: StudyRun) -> None:
    before = {path: path.stat().st_mtime_ns for path in done.folder.glob("*/*.parquet")}
    again = run(done.folder.parent)
    assert not again.failures
    assert {path: path.stat().st_mtime_ns for path in done.folder.glob("*/*.parquet")} == before


def test_trainings_of_searches_do_not_share_their_seeds(done: StudyRun) -> None:
    for cell in cells_of(done.folder).values():
        seeds = [training["seed"] for one in cell.runs for training in one.result["retrained"]]
        assert len(set(seeds)) == len(seeds)


def test_a_report_is_written(done: StudyRun, tmp_path: Path) -> None:
    page = report([done.folder], tmp_path / "page.html").read_text(encoding="utf-8")
    for words in ("random architectures", "minus random", "BatchNorm", "Tau"):
        assert words in page


def test_a_seed_that_fails_is_told_and_the_others_go_on(tmp_path: Path) -> None:
    optimizers = [{"name": "asng", "weights_lr": 1e30, "weights_lr_end": 1e30, "gradient_clip": 0.0}, "random_search"]
    result = run(tmp_path, optimizers=optimizers, seeds=1, random_architectures=0, retraining=None, table=None)
    ((name, error),) = result.failures
    assert name.endswith(", seed 0")
    assert error.startswith("the validation loss is nan in epoch 1, step 1, at |")
    assert "~0|+|" in error
    cells = cells_of(result.folder)
    assert [len(cell.runs) for cell in cells.values()] == [0, 1]
    assert cells["random_search"].runs[0].result["retrained"] == []
    assert cells["random_search"].runs[0].result["true"] is None


@pytest.mark.parametrize(
    ("changes", "fails", "batch"),
    [
        ({"optimizers": ["asng"], "retraining": None}, "torch.Tensor.backward", 100),
        ({"optimizers": ["darts"], "retraining": None}, "torch.autograd.grad", 100),
        ({"optimizers": (), "random_architectures": 1}, "torch.Tensor.backward", 200),
    ],
)
def test_memory_that_ends_on_the_way_back_names_a_batch_size(
    changes: dict[str, Any], fails: str, batch: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(fails, fail)
    ((_, error),) = run(tmp_path, **({"seeds": 1, "table": None, "random_architectures": 0} | changes)).failures
    assert error.startswith(f"out of memory with batch_size = {batch}; try batch_size = {batch // 2}")


def test_one_seed_at_a_time_is_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert [_at_a_time(device) for device in ("auto", "cuda:3", "cpu")] == [1, 1, None]


def test_the_peak_of_memory_is_that_of_the_gpu_at_work(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu, calls = torch.device("cuda:1"), []
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda device: calls.append(("reset", device)))
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda device: calls.append(("peak", device)) or 3 * 2**20)
    assert MachineLoad(gpu).since_last()["peak_mebibytes"] == 3
    assert calls == [("reset", gpu), ("peak", gpu)]


def test_threads_are_those_that_were_asked_for_and_then_as_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts: list[int] = []
    step = Descent.step
    monkeypatch.setattr(
        Descent, "step", lambda self, losses: (counts.append(torch.get_num_threads()), step(self, losses))[1]
    )
    small: dict[str, Any] = {
        "images": "digits(limit=100)",
        "loop": {"epochs": 1, "batch_size": 50, "threads": 2},
        "retraining": {"epochs": 1, "batch_size": 100, "seeds": 1, "threads": 3},
    }
    run(tmp_path, optimizers=["asng"], seeds=1, random_architectures=0, table=None, **small)
    assert counts == [2, 3]
    assert torch.get_num_threads() == 1


def supernet(seed: int = 0, **own: Any) -> tuple[NASBench201Supernet, SharedWeights, LoopSettings]:
    space, data = NASBench201Supernet(channels=2, cells=1), load_images("digits")
    settings = LoopSettings(**({"epochs": 1, "batch_size": 50} | own))
    images = DeviceImages.of_data(data, "train", torch.device("cpu"))
    return space, SharedWeights(lambda: space.supernet(1, 10), images, settings, seed), settings


@pytest.mark.parametrize("batchnorm", ["batch", "recalibrated"])
@pytest.mark.parametrize("name", ["asng", "random_search", "enas"])
def test_watching_changes_nothing(name: str, batchnorm: str) -> None:
    """Neither weights, nor buffers, nor any stream: a run that is looked at goes on as one that is not."""
    ends = []
    for watched in (False, True):
        space, weights, settings = supernet(batchnorm=batchnorm, recalibration_images=64, ranking_architectures=10)
        method = OPTIMIZERS.load(name)(space.space, (3,))
        settings = complete(settings, method)
        judge = Judge(weights, space, get_benchmark("nasbench201"), settings, 3, torch.device("cpu"))
        net = weights._net
        for _ in range(3):
            weights.next_train()
            weights.next_valid()
            weights.train([Gates.of_arch(arch) for arch in method.sample(2)[0]])
            asked = method.ask()
            method.tell(asked, weights.valid_losses([Gates.of_arch(arch) for arch in asked[0]])[None])
            if watched:
                before = {key: value.clone() for key, value in net.state_dict().items()}
                judge.look(method)
                after = net.state_dict()
                assert before.keys() == after.keys()
                assert all(torch.equal(value, after[key]) for key, value in before.items())
                assert all(module.training for module in net.modules())
        ends.append(({key: value.clone() for key, value in net.state_dict().items()}, method.state_dict()))
    (one, state), (other, watched_state) = ends
    assert all(torch.equal(value, other[key]) for key, value in one.items())
    for key, value in state.items():
        np.testing.assert_array_equal(value, watched_state[key], err_msg=key)


def test_recalibrated_statistics_are_those_of_the_training_images() -> None:
    """Against a stand-alone network with the same weights, its running statistics set by one pass over those images."""
    space, weights, _ = supernet(batchnorm="recalibrated", recalibration_images=200)
    arch = [3, 1, 2, 0, 4, 3]
    weights.next_train()
    weights.train([Gates.of_arch(arch)])
    net = space.network(arch, 1, 10).to(memory_format=torch.channels_last)
    net.load_state_dict(weights._net.state_dict(), strict=False)
    for module in net.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.momentum = None
    with torch.no_grad():
        net.train()(weights._images.plain(weights._recalibrating)[0])
        net.eval()
        pixels, labels = weights._images.plain(weights.valid_half)
        logits = torch.cat([net(part) for part in pixels.split(100)])
    accuracies, losses = weights.judge([Gates.of_arch(arch)], weights.valid_half)
    assert accuracies[0] == pytest.approx(100 * (logits.argmax(1) == labels).double().mean().item())
    assert losses[0] == pytest.approx(torch.nn.functional.cross_entropy(logits, labels).item(), rel=1e-5)
    _, batch, _ = supernet(batchnorm="batch")
    assert batch.judge([Gates.of_arch(arch)], batch.valid_half)[1][0] != losses[0]


def test_random_architectures_are_uniform_among_those_alive() -> None:
    space = NASBench201Supernet()
    archs = random_architectures(space, range(2000))
    assert space.alive(archs).all()
    np.testing.assert_array_equal(random_architectures(space, [1500]), archs[1500:1501])
    alive = space.space.architectures(np.arange(space.space.size))
    alive = alive[space.alive(alive)]
    for variable in range(6):
        expected = np.bincount(alive[:, variable], minlength=5) / len(alive)
        found = np.bincount(archs[:, variable], minlength=5) / len(archs)
        np.testing.assert_allclose(found, expected, atol=4 * np.sqrt(0.16 / 2000))


def test_a_space_in_which_nothing_is_alive_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    space = NASBench201Supernet()
    monkeypatch.setattr(space, "alive", lambda archs: np.zeros(len(archs), dtype=bool))
    with pytest.raises(ArenaError, match=r"none of 1,000 random architectures has a path .*NASBench201Supernet\.alive"):
        random_architectures(space, [0])


def test_an_architecture_is_retrained_by_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|skip_connect~0|none~1|nor_conv_1x1~2|"
    small = ["nasbench201(channels=2, cells=1)", text, "--images", "digits", "--epochs", "2", "--batch-size", "100"]
    with pytest.raises(SystemExit) as end:
        main(["retrain", *small, "--seeds", "3", "--no-tracking", "--jobs", "1", "--arena", str(tmp_path)])
    assert end.value.code == 0
    (cell,) = cells_of(tmp_path / "retrain").values()
    assert cell.label == text
    assert [one.seed for one in cell.runs] == [0, 1, 2]
    assert all(len(one.test_accuracies) == 1 for one in cell.runs)
    assert len({float(one.test_accuracies[0]) for one in cell.runs}) > 1
    assert cell.runs[0].epochs["epoch"].tolist() == [1, 2]
    assert text[:30] in capsys.readouterr().out  # a long name is broken into lines


def test_it_runs_without_mlflow_and_psutil(tmp_path: Path) -> None:
    """Tracking off on a machine where neither is installed."""
    file = tmp_path / "bare.toml"
    file.write_text(
        'kind = "oneshot"\nsupernet = "nasbench201(channels=2, cells=1)"\nimages = "digits"\nseeds = 1\n'
        'optimizers = ["asng"]\nloop = { epochs = 1, batch_size = 200 }\n'
    )
    code = (
        "import sys\nsys.modules.update(mlflow=None, psutil=None)\nfrom harness.cli import main\n"
        f"main(['run', {str(file)!r}, '--no-tracking', '--jobs', '1', '--arena', {str(tmp_path / 'arena')!r}])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=os.environ, check=False)
    assert done.returncode == 0, done.stderr
    (cell,) = cells_of(tmp_path / "arena" / "bare").values()
    assert np.isnan(cell.runs[0].epochs["cpu_percent"]).all()
    assert (cell.runs[0].epochs["peak_mebibytes"] > 0).all()


def test_a_study_of_epochs_has_no_budget(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["run", "oneshot_digits", "--budget", "3", "--arena", str(tmp_path)])
    assert end.value.code == 2
    assert "its epochs stand in its file" in capsys.readouterr().err


def test_a_network_that_memory_does_not_hold_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 2304000000 bytes")

    monkeypatch.setattr(NASBench201Supernet, "network", fail)
    ((_, error),) = run(tmp_path, optimizers=[], random_architectures=1, table=None).failures
    assert error == "out of memory before the first batch; try a smaller network, or fewer images"
