"""Imports point one way, and what is heavy is imported where it is needed."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import util
from pathlib import Path

import pytest

ALLOWED = {
    "harness": {"harness", "optimizers", "search_spaces", "results"},
    "optimizers": {
        "optimizers",
        "search_spaces.space",
        "search_spaces.errors",
        "search_spaces.plugins",
        "search_spaces.gates",
    },
    "search_spaces": {"search_spaces"},
    "results": {"results"},
}
OURS = set(ALLOWED)
HEAVY = {"torch", "mlflow", "pandas", "pyarrow", "matplotlib", "joblib", "ray", "cmaes", "optuna", "sklearn", "psutil"}
# modules that train networks; they may import torch at the top, and others import them inside functions
TRAINING = {
    "harness.retrain",
    "harness.shared_weights",
    "harness.training",
    "optimizers.relaxation",
    "search_spaces.device_images",
    "search_spaces.nasbench201.network",
}


def modules() -> list[tuple[str, Path]]:
    found = []
    for package in sorted(OURS):
        spec = util.find_spec(package)
        assert spec is not None
        assert spec.origin is not None
        folder = Path(spec.origin).parent
        found += [(package, path) for path in sorted(folder.rglob("*.py"))]
    return found


def module_name(package: str, path: Path) -> str:
    parts = path.with_suffix("").parts
    return ".".join(parts[len(parts) - 1 - parts[::-1].index(package) :])


def imported(path: Path, *, top_only: bool = False) -> set[str]:
    """The modules that a file imports; ``top_only`` leaves out those inside functions and for type checkers alone."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = tree.body if top_only else list(ast.walk(tree))
    names: set[str] = set()
    for node in nodes:
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name} imports relatively"
            names.add(node.module or "")
    return names


@pytest.mark.parametrize(("package", "path"), modules(), ids=lambda value: getattr(value, "name", value))
def test_imports_point_one_way(package: str, path: Path) -> None:
    for name in imported(path):
        if name.partition(".")[0] in OURS:
            assert any(name == allowed or name.startswith(f"{allowed}.") for allowed in ALLOWED[package]), name


def test_mlflow_is_imported_in_one_file() -> None:
    users = [path.name for _, path in modules() if any(name.partition(".")[0] == "mlflow" for name in imported(path))]
    assert users == ["tracking.py"]


def test_heavy_packages_are_not_imported_at_the_top() -> None:
    for package, path in modules():
        top = imported(path, top_only=True)
        if module_name(package, path) in TRAINING:
            top -= {name for name in top if name.partition(".")[0] == "torch"} | TRAINING
        assert not {name.partition(".")[0] for name in top} & HEAVY, path.name
        assert not top & TRAINING, path.name


def loaded_by(*arguments: str) -> set[str]:
    code = (
        "import sys\nfrom harness.cli import main\n"
        f"try:\n    main({list(arguments)!r})\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "print('LOADED', *(name for name in sys.modules if '.' not in name))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.partition("LOADED")[2].split())


@pytest.mark.parametrize("arguments", [("--help",), ("run", "--help"), ("compare", "--help"), ()])
def test_help_loads_the_command_line_library_alone(arguments: tuple[str, ...]) -> None:
    assert not loaded_by(*arguments) & (HEAVY | {"numpy", "rich"})


@pytest.mark.parametrize("what", ["optimizers", "benchmarks", "supernets", "images", "studies"])
def test_list_loads_neither_torch_nor_mlflow(what: str) -> None:
    assert not loaded_by("list", what) & HEAVY
