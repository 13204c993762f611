"""Runs the whole contract of an optimizer or a benchmark against a class, ours or a stranger's.

A check that is violated does not end the run: the report tells every check's outcome, and for each that is violated
what is expected, what was found and a few lines of Python that show it.
"""

from __future__ import annotations

import inspect
import random
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from harness.check_example import Arguments, program, smallest
from harness.check_report import CheckResult, Report
from optimizers import check as optimizer_contract
from optimizers.base import Optimizer
from optimizers.gradient import GradientOptimizer
from optimizers.registry import HARNESS_ARGUMENTS, OPTIMIZERS
from search_spaces import benchmark as benchmark_module
from search_spaces import check as benchmark_contract
from search_spaces.benchmark import TabularBenchmark
from search_spaces.errors import ArenaError, unknown
from search_spaces.plugins import Registry, parse_selection, resolve_settings
from search_spaces.registry import BENCHMARKS

Entry = optimizer_contract.Entry | benchmark_contract.Entry

LONGEST = 400  # characters of what was found: arrays can be large


def check(selection: str) -> Report:
    """Checks an optimizer or a benchmark by its name, or as module:Class, with settings as in "asng(lam=8)".

    Raises:
        ArenaError: for an unknown name, setting or data set, or values that the class refuses.
    """
    name, settings = parse_selection(selection)
    cls = _find(name)
    if issubclass(cls, GradientOptimizer):
        raise ArenaError(f"{name} follows gradients: it is not asked and told, and the contract is of those that are")
    return check_optimizer(cls, **settings) if issubclass(cls, Optimizer) else check_benchmark(cls, **settings)


def check_optimizer(cls: type[Optimizer], **settings: Any) -> Report:
    """Runs the optimizer contract against a class, with some settings.

    Raises:
        ArenaError: for a class that is no optimizer, an unknown setting, or values that the class refuses.
    """
    settings = _resolved("setting", cls, Optimizer, settings, HARNESS_ARGUMENTS)
    make: partial[Optimizer] = partial(cls, **settings)
    if settings:
        _told_if_refused(partial(make, optimizer_contract.PLAIN, [0]))
    run = _Run(cls, settings, OPTIMIZERS, {"make": make, "cls": cls})
    run.checks((entry, "") for entry in optimizer_contract.class_checks(settings))
    if "constructs" not in run.failed:
        with _global_random_state_kept():
            optimizer = make(optimizer_contract.PLAIN, [0])
        run.checks(optimizer_contract.run_checks(optimizer))
    return run.report()


def check_benchmark(benchmark: type[TabularBenchmark] | TabularBenchmark, **options: Any) -> Report:
    """Runs the benchmark contract against a class with some options, or against one benchmark.

    Raises:
        ArenaError: for a class that is no benchmark, an unknown option, values that the class refuses, missing data.
    """
    instance = benchmark if isinstance(benchmark, TabularBenchmark) else None
    cls: Any = benchmark if instance is None else type(instance)
    if instance is None:
        options = _resolved("option", cls, TabularBenchmark, options)
        _told_if_refused(partial(cls, **options))
    elif options:
        raise ArenaError("a benchmark has its options; to check others, give its class")
    else:
        options = {"dataset": instance.dataset, **instance.options}
    run = _Run(cls, options, BENCHMARKS, {"make": partial(cls, **options), "cls": cls})
    if cls is not TabularBenchmark:  # else it was put together from tables, and there is no class of its own to check
        run.checks((entry, "") for entry in benchmark_contract.class_checks(options))
    if instance is None and "constructs" not in run.failed:
        with _global_random_state_kept():
            instance = cls(**options)
    if instance is not None:
        run.given["benchmark"] = instance
        run.checks(benchmark_contract.run_checks(instance))
    return run.report()


def _find(name: str) -> type[Any]:
    """The class of that name, of either kind."""
    for registry in (OPTIMIZERS, BENCHMARKS):
        if name in registry.names():
            return registry.load(name)
    if ":" not in name:
        raise unknown("optimizer or benchmark", name, [*OPTIMIZERS.names(), *BENCHMARKS.names()])
    cls = replace(OPTIMIZERS, kind="optimizer or benchmark", base=object).load(name)
    if not issubclass(cls, Optimizer | GradientOptimizer | TabularBenchmark):
        raise ArenaError(f"{name} is no optimizer or benchmark: it must derive from Optimizer or TabularBenchmark")
    return cls


def _resolved(
    what: str, cls: type, base: type, given: dict[str, Any], leave_out: tuple[str, ...] = ()
) -> dict[str, Any]:
    """The settings or options that were given, with their types checked."""
    if not (isinstance(cls, type) and issubclass(cls, base)):
        raise ArenaError(f"{cls!r} is no class that derives from {base.__name__}")
    try:
        resolved = resolve_settings(cls, given, f"{what} of {cls.__name__}", leave_out)
    except ArenaError:
        raise
    except Exception:  # of the class's own annotations; the check of its signature tells
        return given
    return {name: resolved[name] for name in given}


def _told_if_refused(make: partial[Any]) -> None:
    """Passes on the ArenaError of a class that refuses what it is given; all else is for a check to tell."""
    try:
        with _global_random_state_kept():
            make()
    except ArenaError as error:
        if traceback.extract_tb(error.__traceback__)[-1].filename != benchmark_module.__file__:  # of wrong tables
            raise
    except (Exception, SystemExit):
        return


@dataclass(frozen=True)
class _Failure:
    """How a check failed: what it found, on which of its lines, and where an unexpected exception is from."""

    found: str
    line: int
    origin: tuple[str, str, int] | None


class _Run:
    """The checks of one class, one after the other."""

    def __init__(self, cls: type, settings: dict[str, Any], registry: Registry, given: Arguments) -> None:
        if not __debug__:
            raise ArenaError("python -O leaves out the assertions that the checks are made of; run it without -O")
        self.given = given  # what a check can ask for by the name of an argument
        self.failed: dict[str, str] = {}  # the checks that did not pass, each with the violated one that is the reason
        self._cls, self._settings, self._registry = cls, settings, registry
        self._file = inspect.getfile(cls) if hasattr(sys.modules.get(cls.__module__), "__file__") else ""
        self._results: list[CheckResult] = []
        self._origins: dict[tuple[str, str, int], str] = {}

    def report(self) -> Report:
        named = ", ".join(f"{name}={value}" for name, value in self._settings.items())
        importable = self._cls.__module__ in sys.modules
        name = self._registry.name_of(self._cls, self._cls.__name__) if importable else self._cls.__name__
        return Report(f"{name}({named})" if named else name, self._registry.kind, tuple(self._results))

    def checks(self, entries: Iterator[tuple[Entry, str]]) -> None:
        for entry, reason in entries:
            self._results.append(self._result(entry, reason))

    def _result(self, entry: Entry, reason: str) -> CheckResult:
        name, expected = entry.function.__name__, " ".join((entry.function.__doc__ or "").split())
        if reason:
            return CheckResult(name, expected, "skipped", f"as {reason}")
        needed = next((need for need in entry.needs if need in self.failed), None)
        if needed:
            return self._held_back(name, expected, self.failed[needed])
        wanted = [argument for argument in inspect.signature(entry.function).parameters if argument in self.given]
        for case in entry.cases:
            arguments = {**{argument: self.given[argument] for argument in wanted}, **case}
            failure = self._attempt(entry.function, arguments)
            if failure is not None:
                return self._violation(entry, expected, arguments, failure)
        return CheckResult(name, expected, "passed")

    def _violation(self, entry: Entry, expected: str, arguments: Arguments, failure: _Failure) -> CheckResult:
        name = entry.function.__name__
        if failure.origin in self._origins:  # one bug is told once
            return self._held_back(name, expected, self._origins[failure.origin])
        self.failed[name] = name

        def fails_alike(smaller: Arguments) -> bool:
            other = self._attempt(entry.function, smaller)
            return other is not None and (other.line, other.origin) == (failure.line, failure.origin)

        arguments = smallest(arguments, fails_alike)
        failure = self._attempt(entry.function, arguments) or failure
        if failure.origin is not None:
            self._origins[failure.origin] = name
        return CheckResult(name, expected, "violated", failure.found, self._example(entry, arguments, failure))

    def _held_back(self, name: str, expected: str, violated: str) -> CheckResult:
        self.failed[name] = violated
        return CheckResult(name, expected, "skipped", f"until {violated} is mended")

    def _example(self, entry: Entry, arguments: Arguments, failure: _Failure) -> str:
        cls, settings = self._cls, ", ".join(f"{name}={value!r}" for name, value in self._settings.items())
        is_found = getattr(sys.modules.get(cls.__module__), cls.__name__, None) is cls
        preamble = [f"from {cls.__module__} import {cls.__name__}" if is_found else f"# with the class {cls.__name__}"]
        renamed = {"cls": cls.__name__}
        if "make" in arguments and settings:
            preamble = ["from functools import partial", *preamble, f"make = partial({cls.__name__}, {settings})"]
        elif "make" in arguments:
            renamed["make"] = cls.__name__
        if "benchmark" in arguments:
            own = cls is not TabularBenchmark
            preamble.append(f"benchmark = {cls.__name__}({settings})" if own else "# and with the benchmark given")
        shown = {name: value for name, value in arguments.items() if name not in ("make", "cls", "benchmark")}
        return program(entry.function, failure.line, shown, preamble, renamed)

    def _attempt(self, check: Callable[..., None], arguments: Arguments) -> _Failure | None:
        """Runs a check on one case. What a class warns of is no matter here; what it raises is."""
        try:
            with _global_random_state_kept(), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                check(**arguments)
        except (Exception, SystemExit) as error:
            frames = traceback.extract_tb(error.__traceback__)
            code = check.__code__
            inside = next(frame for frame in frames if (frame.filename, frame.name) == (code.co_filename, code.co_name))
            line, message = inside.lineno or 0, " ".join(str(error).split())
            if len(message) > LONGEST:
                message = f"{message[:LONGEST]} ..."
            if isinstance(error, AssertionError) and inside is frames[-1]:
                return _Failure(message, line, None)
            own = [frame for frame in frames if frame.filename == self._file]
            place = (own or frames)[-1]
            raised = f"{type(error).__name__}: {message}" if message else type(error).__name__
            found = f"it raises {raised} ({Path(place.filename).name}, line {place.lineno}, in {place.name})"
            return _Failure(found, line, (type(error).__name__, place.filename, place.lineno or 0))
        return None


@contextmanager
def _global_random_state_kept() -> Iterator[None]:
    """What a class does to it must neither hide what it does next nor reach the one who asked for a check."""
    states = np.random.get_state(), random.getstate()  # noqa: NPY002 to leave them alone
    try:
        yield
    finally:
        np.random.set_state(states[0])  # noqa: NPY002
        random.setstate(states[1])
