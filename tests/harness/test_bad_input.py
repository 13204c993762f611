"""What a user can get wrong: one line that names it and tells the mend, status 2, and nothing written."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.run import StudyRun
from harness.run import run as real_run
from harness.study import Study
from harness.tabular import Budget
from results.record import read_study
from search_spaces.errors import ArenaError

BENCHMARK = "nasbench201(reported=validation)"  # the same with and without NAS_ARENA_DATA
STUDY = f"""
optimizers = ["random_search"]
benchmarks = ["{BENCHMARK}"]
seeds = 1
budget = 5
"""
MODULE = """
from nas_arena import SamplingOptimizer
from optimizers.random_search import RandomSearch

class Mine(RandomSearch):
    def __init__(self, space, seeds, *, shift: int = 0, stream=0):
        super().__init__(space, seeds, stream=stream)
"""
CONTAINERS = MODULE.replace(
    "shift: int = 0",
    "sizes: list[int] | list[list[int]] = [], names: tuple[str, ...] = (), text: str = '', table: dict = {}",
)

Fails = Callable[..., str]


def comparison(
    *options: str, optimizers: tuple[str, ...] = ("random_search",), benchmark: str = BENCHMARK
) -> list[str]:
    chosen = [part for optimizer in optimizers for part in ("-o", optimizer)]
    return ["compare", "-b", benchmark, *chosen, "--seeds=1", "--budget=5", "--jobs=1", *options]


def optimizer(text: str) -> list[str]:
    return comparison(optimizers=(text,))


def benchmark(text: str) -> list[str]:
    return comparison(benchmark=text)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in folder.rglob("*")}


def the_line(text: str) -> str:
    """The only line of standard error."""
    assert text.endswith("\n")
    assert len(text.splitlines()) == 1, text
    assert text.startswith("nas-arena: ")
    assert "Traceback" not in text
    return text.removesuffix("\n").removeprefix("nas-arena: ")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty; modules in it can be imported, and importing them writes nothing there."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return here


@pytest.fixture
def fails(folder: Path, capsys: pytest.CaptureFixture[str]) -> Fails:
    """Runs the command in this process, and gives the one line that it complains with."""

    def call(*arguments: str) -> str:
        before = content(folder.parent)
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        printed = capsys.readouterr()
        line = the_line(printed.err)
        assert end.value.code == 2
        assert printed.out == ""
        assert content(folder.parent) == before, "something was written"
        return line

    return call


MISTAKES: list[tuple[list[str], str, str]] = [  # arguments, what the line must name, how it must tell the mend
    # names
    (optimizer("asgn"), "optimizer 'asgn'", "did you mean 'asng'?"),
    (optimizer("xyz"), "optimizer 'xyz'", "known: asng, random_search, regularized_evolution"),
    (optimizer("base"), "optimizer 'base'", "known: asng"),
    (benchmark("nasbench102"), "benchmark 'nasbench102'", "did you mean 'nasbench201'"),
    (benchmark("asng"), "benchmark 'asng'", "known: hpobench, hpolib, nasbench201"),
    (benchmark("nasbench201(dataset=cifar11)"), "'cifar11'", "did you mean 'cifar10' or 'cifar100'?"),
    (benchmark("nasbench201(dataset=mnist)"), "'mnist'", "known: cifar10, cifar100, imagenet16-120"),
    (benchmark("nasbench201(datset=cifar10)"), "'datset'", "did you mean 'dataset'?"),
    (optimizer("asng(lamb=3)"), "'lamb'", "did you mean 'lam'?"),
    (optimizer("random_search(lam=3)"), "setting of random_search 'lam'", "known: none"),
    (optimizer("asng(seeds=[1])"), "'seeds'", "known: alpha, delta_init, lam"),
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
    (optimizer("asng(delta_init=1e999)"), "not inf", "finite"),
    (optimizer("regularized_evolution(population=0)"), "not 0", "population must be at least 1"),
    (optimizer("regularized_evolution(sample_size=0)"), "not 0", "sample_size must be at least 1"),
    (optimizer(f"regularized_evolution(population={10**14})"), f"{10**14}", "population"),  # more than any memory
    (benchmark("nasbench201(epochs=13)"), "not 13", "'epochs': input should be 12 or 200"),
    (benchmark("nasbench201(reported=tests)"), "'tests'", "'auto', 'test' or 'validation'"),
    (benchmark("nasbench201(noise=normal)"), "'normal'", "known: trials"),
    (benchmark("nasbench201(noise=trial)"), "'trial'", "did you mean 'trials'?"),
    (benchmark("nasbench201(noise=[1])"), "'[1]'", "known: trials"),
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
    (optimizer("optimizers.asng:rank_utilities"), "optimizers.asng:rank_utilities", "must derive from Optimizer"),
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


BAD_FILES: list[tuple[str, str, str]] = [  # what the file holds, what the line must name, how it must tell the mend
    ("optimizers = [\n", "not valid TOML", "end of document"),
    ("seeds = 1\nseeds = 2\n", "not valid TOML", "line 2"),
    ("budget = " + "9" * 5000, "bad.toml", "digits"),
    ("a = " + "[" * 5000, "bad.toml", "TOML"),
    ("", "'optimizers'", "it needs name, optimizers, benchmarks, seeds and budget"),
    (STUDY + "budgt = 3", "'budgt'", "did you mean 'budget'?"),
    (STUDY + "zzz = 3", "'zzz'", "known: benchmarks, budget"),
    (STUDY + "self = 3", "'self'", "known: benchmarks, budget"),
    (STUDY + "[optimizer]\nlam = 3", "'optimizer'", "did you mean 'optimizers'?"),
    (STUDY.replace('["random_search"]', "3"), "3", "optimizer"),
    (STUDY.replace(f'["{BENCHMARK}"]', "true"), "True", "benchmark"),
    (STUDY.replace('["random_search"]', "[3]"), "cannot read 3", "write 'asng(lam=8)' or a table with a name"),
    (STUDY.replace('["random_search"]', "[]"), "at least one", "optimizer"),
    (STUDY.replace('["random_search"]', "[{ lam = 8 }]"), "{'lam': 8}", "a table with a name"),
    (STUDY.replace('["random_search"]', "[{ name = 8 }]"), "{'name': 8}", "a table with a name"),
    (STUDY.replace("seeds = 1", "seeds = 1.5"), "1.5", "a number, a list of numbers or text such as '5-9,12'"),
    (STUDY.replace("seeds = 1", "seeds = [1, 1.5]"), "[1, 1.5]", "a number, a list of numbers"),
    (STUDY.replace("seeds = 1", "seeds = true"), "True", "a number, a list of numbers"),
    (STUDY.replace("seeds = 1", "seeds = []"), "seeds is empty", "at least one"),
    (STUDY.replace("seeds = 1", "seeds = [4, 4]"), "seed 4", "every seed once"),
    (STUDY.replace("seeds = 1", "seeds = [-1]"), "-1", "between 0 and 2^63 - 1"),
    (STUDY.replace("seeds = 1", "seeds = -1"), "-1", "at least 1"),
    (STUDY.replace("budget = 5", "budget = 0"), "not 0", "at least 1"),
    (STUDY.replace("budget = 5", "budget = true"), "True", "at least 1"),
    (STUDY.replace("budget = 5", "budget = 1.5"), "1.5", "write 1000 (evaluations) or 12000s"),
    (STUDY.replace("budget = 5", "budget = { minutes = 3 }"), "minutes", "write 1000 (evaluations) or 12000s"),
    (STUDY.replace("budget = 5", "budget = { seconds = 0.5 }"), "0.5", "a whole number of seconds"),
    (STUDY + "report_at = 3", "3", "report_at"),
    (STUDY + "report_at = [1.5]", "1.5", "report_at: input should be a valid integer"),
    (STUDY + "report_at = [6]", "6", "the budget of 5 evaluations"),
    (STUDY + "time_factor = 0", "0", "time_factor: input should be greater than 0"),
    (STUDY + "name = 'a/b'", "'a/b'", "letters, digits"),
    (STUDY + "description = 3", "3", "description: input should be a valid string"),
]


@pytest.mark.parametrize(
    ("text", "given", "mend"), BAD_FILES, ids=[f"{given}-{mend}"[:60] for _, given, mend in BAD_FILES]
)
def test_mistakes_in_a_study_file(fails: Fails, folder: Path, text: str, given: str, mend: str) -> None:
    (folder / "bad.toml").write_text(text, encoding="utf-8")
    line = fails("run", "bad.toml")
    assert "bad.toml" in line
    assert given in line
    assert mend in line
    assert len(line) < 400


@pytest.mark.parametrize("settings", ["lam = 'two'", "lamb = 8", 'lam = "a\\nb"'])
def test_mistakes_in_a_table_of_a_study_file(fails: Fails, folder: Path, settings: str) -> None:
    text = STUDY.replace('["random_search"]', f"[{{ name = 'asng', {settings} }}]")
    (folder / "bad.toml").write_text(text, encoding="utf-8")
    assert "setting of asng 'lam" in fails("run", "bad.toml")


def test_study_files_that_cannot_be_read(fails: Fails, folder: Path) -> None:
    (folder / "folder.toml").mkdir()
    (folder / "latin.toml").write_bytes(b"description = 'caf\xe9'\n" + STUDY.encode())
    for name in ("missing.toml", "folder.toml", "latin.toml", "x\0.toml", "x" * 300 + ".toml"):
        line = fails("run", name)
        assert repr(name) in line
        assert "give the path of a TOML file" in line


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


VALUES: dict[str, Any] = {
    "name": "mine",
    "optimizers": ["asng"],
    "benchmarks": [BENCHMARK],
    "seeds": 1,
    "budget": 5,
}


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"optimizer": ["asng"]}, "did you mean 'optimizers'?"),
        ({"optimizers": "asng(lam=8"}, "cannot read 'asng(lam=8'"),
        ({"optimizers": 3}, "3"),
        ({"optimizers": None}, "None"),
        ({"optimizers": [None]}, "cannot read None"),
        ({"benchmarks": []}, "at least one"),
        ({"benchmarks": [{"dataset": "cifar10"}]}, "a table with a name"),
        ({"seeds": 0}, "seeds is 0"),
        ({"seeds": -1}, "seeds is -1"),
        ({"seeds": "abc"}, "'abc'"),
        ({"seeds": [1, 1]}, "seed 1 is given twice"),
        ({"seeds": range(0)}, "seeds is empty"),
        ({"seeds": 2**70}, "seed"),
        ({"seeds": None}, "None"),
        ({"budget": 0}, "not 0"),
        ({"budget": -5}, "not -5"),
        ({"budget": 1.5}, "1.5"),
        ({"budget": True}, "True"),
        ({"budget": Budget("evaluations", 0)}, "not 0"),
        ({"budget": {"seconds": "5"}}, "'5'"),
        ({"budget": 10**30}, "budget"),
        ({"report_at": [6]}, "report_at names 6"),
        ({"report_at": ["a\nb"]}, "report_at"),
        ({"time_factor": float("nan")}, "time_factor"),
        ({"name": "a/b"}, "'a/b'"),
        ({"name": "x\n"}, r"'x\n'"),
    ],
    ids=str,
)
def test_mistakes_from_python(changes: dict[str, Any], named: str) -> None:
    with pytest.raises(ArenaError) as told:
        Study(**(VALUES | changes))
    assert named in str(told.value)
    assert len(str(told.value).splitlines()) == 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"optimizers": ["asgn"]}, "did you mean 'asng'?"),
        ({"optimizers": [{"name": "asng", "lam": "two"}]}, "'two'"),
        ({"optimizers": ["asng", "asng(alpha=1.5)"]}, "twice"),
        ({"benchmarks": ["nasbench201(noise=gauss)"]}, "'gauss'"),
        ({"benchmarks": [{"name": "nasbench201", "dataset": 10}]}, "'dataset': input should be a valid string"),
    ],
    ids=str,
)
def test_mistakes_that_show_when_a_study_is_expanded(folder: Path, changes: dict[str, Any], named: str) -> None:
    for use in (lambda study: study.cells(), lambda study: real_run(study, arena="arena")):
        with pytest.raises(ArenaError) as told:
            use(Study(**(VALUES | changes)))
        assert named in str(told.value)
        assert len(str(told.value).splitlines()) == 1
    assert not list(folder.iterdir())


def test_a_missing_value_is_named() -> None:
    with pytest.raises(ArenaError, match="lacks 'budget'"):
        Study(**{name: value for name, value in VALUES.items() if name != "budget"})


@pytest.fixture
def accepted(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Study]:
    """The study that a command line comes to, in place of running it."""
    studies: list[Study] = []

    def fake(study: Study, **_: object) -> StudyRun:
        studies.append(study)
        return StudyRun(folder)

    monkeypatch.setattr("harness.run.run", fake)

    def call(*arguments: str) -> Study:
        with pytest.raises(SystemExit) as end:
            main(list(arguments))
        assert end.value.code == 0
        return studies.pop()

    return call


@pytest.mark.parametrize(
    ("text", "seeds"),
    [
        ("200", tuple(range(200))),
        ("5-9,12", (5, 6, 7, 8, 9, 12)),
        (" 5-9, 12 ", (5, 6, 7, 8, 9, 12)),
        ("7-7", (7,)),
        (f"0,{2**63 - 1}", (0, 2**63 - 1)),
    ],
)
def test_good_seeds(accepted: Callable[..., Study], text: str, seeds: tuple[int, ...]) -> None:
    assert accepted(*comparison(f"--seeds={text}")).seeds == seeds


@pytest.mark.parametrize(
    ("text", "budget"),
    [("1000", Budget("evaluations", 1000)), ("12000s", Budget("seconds", 12000)), (" 7 ", Budget("evaluations", 7))],
)
def test_good_budgets(accepted: Callable[..., Study], text: str, budget: Budget) -> None:
    assert accepted(*comparison(f"--budget={text}")).budget == budget
    assert accepted("run", "quickstart", "--budget", text).budget == budget


@pytest.mark.parametrize(
    "text", ["asng( lam = 8 )", " asng(lam=8,)", "asng(alpha=1.5,lam=8)", "optimizers.asng:ASNG(lam=8)"]
)
def test_good_optimizers(accepted: Callable[..., Study], text: str) -> None:
    (cell,) = accepted(*optimizer(text)).cells()
    assert dict(cell.settings) == {"lam": 8, "alpha": 1.5, "delta_init": 1.0}
    assert cell.optimizer_label.endswith("(lam=8)")


@pytest.mark.parametrize(
    ("text", "settings"),
    [
        ("sizes=[1, 2], text=abc", {"sizes": [1, 2], "text": "abc"}),
        ("names=('a','b'),text='a b'", {"names": ("a", "b"), "text": "a b"}),
        ("sizes=[[1, 2]], names=('a',)", {"sizes": [[1, 2]], "names": ("a",)}),
        ("sizes=[], text=''", {"sizes": [], "text": ""}),
        ("text='a=b'", {"text": "a=b"}),
        ("text='a(b'", {"text": "a(b"}),
        ("text='a)'", {"text": "a)"}),
        ("text='a, b'", {"text": "a, b"}),
        ("text='[1, 2'", {"text": "[1, 2"}),
        ("sizes=[[1, 2], [3, 4]]", {"sizes": [[1, 2], [3, 4]]}),
        ("table={'a': 1, 'b': [2, 3]}", {"table": {"a": 1, "b": [2, 3]}}),
    ],
)
def test_good_settings_of_every_kind(
    accepted: Callable[..., Study], folder: Path, text: str, settings: dict[str, Any]
) -> None:
    """Commas, brackets and quotes inside a value are part of it. The study file's table says the same."""
    (folder / "containers.py").write_text(CONTAINERS, encoding="utf-8")
    study = accepted(*optimizer(f"containers:Mine({text})"))
    (cell,) = study.cells()
    defaults = {"sizes": [], "names": (), "text": "", "table": {}}
    assert dict(cell.settings) == defaults | settings
    (from_table,) = Study(**(VALUES | {"optimizers": [{"name": "containers:Mine", **settings}]})).cells()
    assert from_table.id == cell.id


def test_good_report_budgets(accepted: Callable[..., Study]) -> None:
    assert accepted(*comparison("--report-at=2, 4,")).report_at == (2, 4)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_class_in_the_current_folder_runs(folder: Path, jobs: int) -> None:
    """Also in worker processes, which have to find it too."""
    (folder / "my_method.py").write_text(MODULE, encoding="utf-8")
    names = ("random_search", "my_method:Mine(shift=3)")
    command = [sys.executable, "-c", "from harness.cli import main; main()"]
    command += [*comparison(f"--jobs={jobs}", "--no-tracking", optimizers=names), "--seeds=2"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    cells = read_study(folder / "arena" / "compare")
    assert [cell.optimizer for cell in cells] == ["random_search", "Mine(shift=3)"]
    assert [cell.seeds.tolist() for cell in cells] == [[0, 1]] * 2
