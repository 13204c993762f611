"""What can be wrong on the command line: one line that names it and tells the mend, status 2, and nothing written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from command_lines import MODULE, Fails, benchmark, comparison, optimizer, the_line

from harness.cli import main

MISTAKES: list[tuple[list[str], str, str]] = [  # arguments, what the line must name, how it must tell the mend
    # names
    (optimizer("asgn"), "optimizer 'asgn'", "did you mean 'asng'?"),
    (optimizer("xyz"), "optimizer 'xyz'", "known: adam_sng, asng, cga, cmaes, darts, enas, gdas, local_search, "),
    (optimizer("base"), "optimizer 'base'", "known: adam_sng, asng, cga, cmaes, darts, enas, gdas, local_search, "),
    (benchmark("nasbench102"), "benchmark 'nasbench102'", "did you mean 'nasbench201'"),
    (benchmark("asng"), "benchmark 'asng'", "known: hpobench, hpolib, nasbench201"),
    (benchmark("nasbench201(dataset=cifar11)"), "'cifar11'", "did you mean 'cifar10' or 'cifar100'?"),
    (benchmark("nasbench201(dataset=mnist)"), "'mnist'", "known: cifar10, cifar100, imagenet16-120"),
    (benchmark("nasbench201(datset=cifar10)"), "'datset'", "did you mean 'dataset'?"),
    (optimizer("asng(lamb=3)"), "'lamb'", "did you mean 'lam'?"),
    (optimizer("random_search(lam=3)"), "setting of random_search 'lam'", "known: none"),
    (optimizer("asng(stream=1)"), "'stream'", "known: alpha, delta_init, lam, theta_min, utility"),
    (["run", "quikstart"], "'quikstart'", "did you mean 'quickstart'?"),
    (["run", "mine"], "'mine'", ".toml"),
    (["run", ""], "study", "quickstart"),
    # the command line
    (["runn"], "'runn'", "'run'"),
    (["run", "quickstart", "--seed", "3"], "'--seed'", "'--seeds'"),
    (["run", "quickstart", "--nonsense"], "'--nonsense'", "No such option"),
    (["run"], "'STUDY'", "Missing argument"),
    (["run", "quickstart", "twice"], "twice", "extra argument"),
    (["run", "quickstart", "--seeds"], "'--seeds'", "requires an argument"),
    (["list"], "Missing argument", "optimizers"),
    (["list", "optimisers"], "'optimisers'", "'optimizers'"),
    (["compare", "-b", "nasbench201"], "'--optimizer'", "'-o'"),
    (["compare", "-o", "asng"], "'--benchmark'", "'-b'"),
    (["ui"], "no MLflow store", "run a study first"),
    (["ui", "--port", "0"], "0", "1<=x<=65535"),
    (["ui", "--port", "65536"], "65536", "1<=x<=65535"),
    (["ui", "--port", "http"], "'http'", "valid integer"),
    (comparison("--jobs=0"), "not 0", "jobs must be at least 1"),
    (comparison("--jobs=-2"), "not -2", "jobs must be at least 1"),
    (comparison("--jobs=two"), "'two'", "valid integer"),
    # how a name with settings is written
    (optimizer(""), "''", "asng(lam=8)"),
    (optimizer("asng(lam=8"), "'asng(lam=8'", "write a name"),
    (optimizer("asng lam=8"), "'asng lam=8'", "write a name"),
    (optimizer("asng(lam)"), "'lam'", "write name=value"),
    (optimizer("asng(lam=2, lam=3)"), "'lam'", "twice"),
    # types and ranges of settings
    (optimizer("asng(lam=two)"), "'two'", "'lam': input should be a valid integer"),
    (optimizer("asng(lam='8')"), "'8'", "'lam': input should be a valid integer"),
    (optimizer("asng(lam=2.5)"), "2.5", "'lam': input should be a valid integer"),
    (optimizer("asng(lam=true)"), "True", "'lam': input should be a valid integer"),
    (optimizer("asng(alpha=[1])"), "[1]", "'alpha': input should be a valid number"),
    (optimizer("asng(lam=1)"), "not 1", "lam must be at least 2"),
    (optimizer("asng(lam=-8)"), "not -8", "lam must be at least 2"),
    (optimizer("asng(alpha=1)"), "not 1.0", "alpha must be above 1"),
    (optimizer("asng(alpha=1e999)"), "not inf", "finite"),
    (optimizer("asng(delta_init=0)"), "not 0.0", "delta_init must be above 0"),
    (optimizer("asng(delta_init=1e999)"), "not inf", "at most 1e+06"),
    (optimizer("regularized_evolution(population=0)"), "not 0", "population must be at least 1"),
    (optimizer("regularized_evolution(sample_size=0)"), "not 0", "sample_size must be at least 1"),
    (optimizer(f"regularized_evolution(population={10**14})"), f"{10**14}", "population"),  # more than any memory
    (benchmark("nasbench201(epochs=13)"), "not 13", "'epochs': input should be 12 or 200"),
    (benchmark("nasbench201(reported=tests)"), "'tests'", "'auto', 'test' or 'validation'"),
    (benchmark("nasbench201(noise=normal)"), "'normal'", "none, trials"),
    (benchmark("nasbench201(noise=trial)"), "'trial'", "did you mean 'trials'?"),
    (benchmark("nasbench201(noise=[1])"), "'[1]'", "a standard deviation in percentage points as noise=5"),
    (comparison(optimizers=("asng", "asng(lam=2)")), "asng on nasbench201-cifar10", "twice"),
    (comparison("-b", "nasbench201(dataset=cifar10, reported=validation)"), "random_search on", "twice"),
    # budgets, seeds, reports, names
    (comparison("--budget=0"), "not 0", "at least 1"),
    (comparison("--budget=0s"), "not 0", "at least 1"),
    (comparison("--budget=-5"), "'-5'", "write 1000 (evaluations) or 12000s"),
    (comparison("--budget=many"), "'many'", "write 1000 (evaluations) or 12000s"),
    (comparison("--budget=1.5"), "'1.5'", "write 1000 (evaluations) or 12000s"),
    (comparison("--budget=12000m"), "'12000m'", "write 1000 (evaluations) or 12000s"),
    (comparison("--budget="), "''", "write 1000 (evaluations) or 12000s"),
    (comparison(f"--budget={10**30}"), f"{10**30}", "budget"),
    (comparison("--seeds=0"), "0", "at least 1"),
    (comparison("--seeds=-3"), "'-3'", "write a number (200 is 0 to 199) or a list as 5-9,12"),
    (comparison("--seeds=abc"), "'abc'", "write a number (200 is 0 to 199) or a list as 5-9,12"),
    (comparison("--seeds="), "''", "write a number (200 is 0 to 199) or a list as 5-9,12"),
    (comparison("--seeds=1.5"), "'1.5'", "write a number (200 is 0 to 199) or a list as 5-9,12"),
    (comparison("--seeds=3,3"), "seed 3", "every seed once"),
    (comparison("--seeds=5-9,7"), "seed 7", "every seed once"),
    (comparison("--seeds=9-5"), "'9-5'", "write 5-9"),
    (comparison(f"--seeds={2**63}"), f"{2**63}", "seed"),
    (comparison(f"--seeds=1,{2**63}"), f"{2**63}", "between 0 and 2^63 - 1"),
    (comparison(f"--seeds={10**14}"), f"{10**14}", "seeds"),  # as many as no memory holds
    (comparison(f"--seeds=0-{10**14}"), f"{10**14}", "seeds"),
    (comparison("--report-at=6"), "6", "the budget of 5 evaluations"),
    (comparison("--report-at=0"), "not 0", "greater than or equal to 1"),
    (comparison("--report-at=half"), "'half'", "write budgets as 100,300"),
    (comparison("--report-at=²"), "'²'", "write budgets as 100,300"),
    (comparison("--name=a/b"), "'a/b'", "letters, digits, '-', '_' or '.'"),
    (comparison("--name=.."), "'..'", "letters, digits, '-', '_' or '.'"),
    (comparison("--name="), "''", "letters, digits, '-', '_' or '.'"),
    (comparison("--name=two\nlines"), r"'two\nlines'", "letters, digits, '-', '_' or '.'"),
    # classes of others
    (optimizer("no_such_module:Mine"), "'no_such_module'", "installed or in the current folder"),
    (optimizer("optimizers.asng:ASGN"), "'ASGN'", "did you mean 'ASNG'?"),
    (optimizer("collections:OrderedDict"), "collections:OrderedDict", "must derive from Optimizer"),
    (optimizer("optimizers.utilities:quarter"), "optimizers.utilities:quarter", "must derive from Optimizer"),
    (benchmark("optimizers.asng:ASNG"), "optimizers.asng:ASNG", "must derive from TabularBenchmark"),
    (optimizer("optimizers.base:Optimizer"), "optimizers.base:Optimizer", "abstract"),
    (optimizer(":Mine"), "':Mine'", "module:Class"),
    (optimizer(".mine:Mine"), "'.mine:Mine'", "module:Class"),
]


@pytest.mark.parametrize(
    ("arguments", "given", "mend"),
    MISTAKES,
    ids=[" ".join(part for part in arguments if part not in comparison()) or "?" for arguments, _, _ in MISTAKES],
)
def test_mistakes_on_the_command_line(fails: Fails, arguments: list[str], given: str, mend: str) -> None:
    line = fails(*arguments)
    assert given in line
    assert mend in line
    assert len(line) < 400


@pytest.mark.parametrize(
    "arguments",
    [["runn"], ["run"], ["run", "quickstart", "--nonsense"], ["list", "x"], ["ui", "--port=0"]],
    ids=" ".join,
)
def test_a_usage_error_names_the_help(fails: Fails, arguments: list[str]) -> None:
    command = "nas-arena" if arguments == ["runn"] else f"nas-arena {arguments[0]}"
    assert fails(*arguments).endswith(f"; see '{command} --help'")


def test_an_option_without_its_value_names_the_help_too(fails: Fails) -> None:
    assert fails("run", "quickstart", "--seeds").endswith("; see 'nas-arena run --help'")


def test_a_wrong_data_folder_is_told_in_one_line(fails: Fails, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAS_ARENA_DATA", str(folder / "nowhere"))
    line = fails(*benchmark("nasbench201(dataset=imagenet16-120)"))
    assert repr(str(folder / "nowhere")) in line
    assert "correct or unset it" in line


@pytest.mark.usefixtures("data_folder")
def test_there_is_no_noise_after_12_epochs(fails: Fails) -> None:
    line = fails(*benchmark("nasbench201(epochs=12, noise=trials)"))
    assert "'trials'" in line
    assert "epochs=12" in line


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("raises_runtime_error", "raise RuntimeError('broken\\nin two lines')"),
        ("raises_import_error", "import no_such_module_at_all"),
        ("raises_key_error", "{}['x']"),
        ("has_a_syntax_error", "def f(:\n    pass\n"),
        ("is_not_python", "\0"),
        ("is_a_script", "import sys\nsys.exit(7)"),
    ],
    ids=lambda value: value if value.isidentifier() else "",
)
def test_modules_that_cannot_be_imported(fails: Fails, folder: Path, name: str, text: str) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    line = fails(*optimizer(f"{name}:Mine"))
    assert name in line
    assert "import" in line


@pytest.mark.parametrize(
    ("name", "text", "given"),
    [
        ("lacks_methods", "from nas_arena import Optimizer\nclass Mine(Optimizer): pass", "abstract"),
        ("lacks_the_class", "from nas_arena import Optimizer\nclass Mien(Optimizer): pass", "did you mean 'Mien'?"),
        ("has_another_class", "class Mine: pass", "must derive from Optimizer"),
        ("has_no_class", "Mine = 3", "must derive from Optimizer"),
        ("needs_a_setting", MODULE.replace("shift: int = 0", "shift: int"), "'shift' has no default; give it"),
    ],
    ids=lambda value: value if value.isidentifier() else "",
)
def test_classes_that_cannot_be_used(fails: Fails, folder: Path, name: str, text: str, given: str) -> None:
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    line = fails(*optimizer(f"{name}:Mine"))
    assert name in line
    assert given in line


@pytest.mark.parametrize("arena", ["taken", "taken/below", "arena", "x" * 300, "x\0y"])
def test_an_arena_that_cannot_be_a_folder(fails: Fails, folder: Path, arena: str) -> None:
    (folder / "taken").write_text("mine", encoding="utf-8")
    (folder / "arena").mkdir()
    (folder / "arena" / "compare").write_text("a file in the place of the study", encoding="utf-8")
    line = fails(*comparison("--arena", arena))
    assert repr(arena).strip("'")[:50] in line
    assert "--arena" in line


@pytest.mark.parametrize("place", ["/proc", "/sys", "."])
def test_an_arena_that_is_read_only(fails: Fails, folder: Path, place: str) -> None:
    """Nobody may make folders in /proc and /sys, root included, whom permission bits do not stop."""
    if place == ".":
        if os.geteuid() == 0:
            pytest.skip("root may write everywhere")
        folder.chmod(0o555)
    elif not Path(place).is_dir():
        pytest.skip(f"this machine has no {place}")
    try:
        line = fails(*comparison("--arena", f"{place}/nas-arena-test"))
    finally:
        folder.chmod(0o755)
    assert f"cannot write to {Path(place, 'nas-arena-test')}" in line
    assert "--arena" in line


@pytest.mark.skipif(not Path("/sys/kernel").is_dir(), reason="needs a folder where root cannot write either")
def test_a_folder_of_a_study_that_is_read_only(fails: Fails, folder: Path) -> None:
    (folder / "arena").mkdir()
    (folder / "arena" / "compare").symlink_to("/sys/kernel")
    line = fails(*comparison())
    assert f"cannot write to {Path('arena', 'compare')}" in line
    assert "--arena" in line


def test_a_full_disk_is_told_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Found in the middle of a run, so that folders are there already, but no file that is half written."""

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SystemExit) as end:
        main(comparison("--no-tracking"))
    assert end.value.code == 2
    line = the_line(capsys.readouterr().err)
    assert os.strerror(errno.ENOSPC) in line
    assert "make room" in line
    assert [path.name for path in folder.rglob("*") if path.is_file()] == [".lock"]


def test_an_empty_arena_is_refused(fails: Fails) -> None:
    """It would be the current folder, whose parent would get the MLflow store."""
    assert "--arena" in fails(*comparison("--no-tracking", "--arena="))


def test_mistakes_of_a_run_are_told_before_any_other_file_is_touched(fails: Fails, folder: Path) -> None:
    """An arena that exists stays as it is, byte by byte."""
    (folder / "arena" / "compare").mkdir(parents=True)
    (folder / "arena" / "compare" / "study.json").write_text("{}", encoding="utf-8")
    (folder / "mlflow.db").write_bytes(b"not ours")
    assert "'asgn'" in fails(*optimizer("asgn"))


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (optimizer("asgn"), "did you mean 'asng'?"),
        (["run", "quickstart", "--budget", "lots"], "write 1000 (evaluations)"),
    ],
)
def test_a_real_process_ends_with_one_line(folder: Path, arguments: list[str], named: str) -> None:
    command = [sys.executable, "-c", "from harness.cli import main; main()", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stdout == ""
    assert named in the_line(done.stderr)
    assert not list(folder.iterdir())
