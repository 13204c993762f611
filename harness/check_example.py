"""Examples of a violated contract: the case made small, and written as a program.

A check is a function whose body reads as an example. What it is given is printed as assignments before the body, and
``make(...)`` as the call of the class, so that the printed lines reproduce the violation.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from typing import Any

from optimizers.check_tools import Loss
from search_spaces.space import Categorical, Ordinal, SearchSpace, Variable

SHRINKING_TRIALS, SHRINKING_SECONDS = 200, 10.0  # of one violation; what is smallest by then is shown
SIMPLE = "archs.sum(-1) - 1.0"  # a loss
SURE = 10  # times that a case must violate the check, to be shown
INDENT = 4  # of the statements of a function's body

Arguments = dict[str, Any]


def smallest(arguments: Arguments, violates: Callable[[Arguments], bool]) -> Arguments:
    """Arguments with fewer steps, seeds and variables, and smaller ones, that still violate the check.

    What violates it by chance alone, such as draws without a seed, is given back as it was.
    """
    given, end = arguments, time.monotonic() + SHRINKING_SECONDS
    tried = 0
    found = True
    while found:
        found = False
        for smaller in _smaller(arguments):
            tried += 1
            if tried <= SHRINKING_TRIALS and time.monotonic() < end and violates(smaller):
                arguments, found = smaller, True
                break
    return arguments if all(violates(arguments) for _ in range(SURE)) else given


def _smaller(arguments: Arguments) -> Iterator[Arguments]:
    """What to try next, the boldest first."""
    for name, smaller in (("steps", _fewer_steps), ("space", _smaller_spaces), ("seeds", _fewer_seeds)):
        if name in arguments:
            for value in smaller(arguments[name]):
                yield {**arguments, name: value}
    if "loss" in arguments and "other_loss" not in arguments and len(arguments["loss"].expression) > len(SIMPLE):
        yield {**arguments, "loss": Loss(SIMPLE)}


def _fewer_steps(steps: int) -> Iterator[int]:
    yield from sorted({*(count for count in (0, 1, 2, steps // 2, steps - 1) if 0 <= count < steps)})


def _fewer_seeds(seeds: list[int]) -> Iterator[list[int]]:
    if len(seeds) > 1:
        yield seeds[len(seeds) // 2 :]
        yield seeds[1:]


def _smaller_spaces(space: SearchSpace) -> Iterator[SearchSpace]:
    variables = space.variables
    if len(variables) > 3:
        yield SearchSpace(variables[: len(variables) // 2])
        yield SearchSpace(variables[len(variables) // 2 :])
    if len(variables) > 1:
        yield from (SearchSpace(variables[:v] + variables[v + 1 :]) for v in range(min(len(variables), 10)))
    for v, variable in enumerate(variables[:10]):
        for size in sorted({2, len(variable) - 1}):
            if 1 < size < len(variable):
                yield SearchSpace((*variables[:v], _shortened(variable, size), *variables[v + 1 :]))


def _shortened(variable: Variable, size: int) -> Variable:
    if isinstance(variable, Ordinal):
        return Ordinal(variable.name, variable.values[:size])
    return Categorical(variable.name, variable.choices[:size])


def program(
    check: Callable[..., None], line: int, arguments: Arguments, preamble: list[str], renamed: dict[str, str]
) -> str:
    """The lines that reproduce a violation.

    Args:
        check: the check.
        line: which line of its file failed.
        arguments: what it was given besides the class.
        preamble: imports and assignments that make the class, or one of it.
        renamed: how names of the check are written instead, such as the class in the place of ``make``.
    """
    body = _body(check, line)
    for name, instead in renamed.items():
        body = re.sub(rf"\b{name}\b", instead, body)
    assignments = [f"{name} = {source(value)}" for name, value in arguments.items()]
    imported = [line for line in preamble if line.startswith(("from ", "import "))]
    assignments = [*(line for line in preamble if line not in imported), *assignments]
    code = "\n".join((*assignments, body))
    return "\n".join((*sorted((*_imports(code, check), *imported), key=_place_of_import), "", code))


def source(value: Any) -> str:
    """A value as code."""
    if isinstance(value, SearchSpace):
        return _space_source(value)
    if isinstance(value, Loss):
        return f"lambda archs: {value.expression}"
    if isinstance(value, list) and len(value) > 8 and value == [*range(value[0], value[-1] + 1)]:
        return f"list(range({value[0]}, {value[-1] + 1}))"
    return repr(value)


def _space_source(space: SearchSpace) -> str:
    sizes = space.sizes.tolist()
    if len(space) > 4 and not space.ordinal.any():
        shown = f"[{sizes[0]}] * {len(sizes)}" if len(set(sizes)) == 1 else str(sizes)
        return f'SearchSpace(Categorical(f"v{{v}}", map(str, range(K))) for v, K in enumerate({shown}))'
    return f"SearchSpace([{', '.join(map(_variable_source, space.variables))}])"


def _variable_source(variable: Variable) -> str:
    K = len(variable)
    if isinstance(variable, Ordinal):
        values = f"range(1, {K + 1})" if variable.values == tuple(range(1, K + 1)) else repr(variable.values)
        return f'Ordinal("{variable.name}", {values})'
    return (
        f'Categorical("{variable.name}", "{"".join(variable.choices)}")'
        if K <= 10
        else (f'Categorical("{variable.name}", map(str, range({K})))')
    )


def _body(check: Callable[..., None], line: int) -> str:
    """The source of a check below its docstring, up to the statement that failed, without what it found to be right."""
    lines, first = inspect.getsourcelines(check)
    text = textwrap.dedent("".join(lines))
    function = ast.parse(text).body[0]
    assert isinstance(function, ast.FunctionDef)
    failed = line - first + 1
    left_out = {number for statement in function.body[1:] for number in _left_out(statement, failed)}
    shown = range(function.body[1].lineno, (function.end_lineno or 0) + 1)
    return textwrap.dedent("\n".join(text.splitlines()[number - 1] for number in shown if number not in left_out))


def _left_out(statement: ast.stmt, failed: int) -> set[int]:
    """The lines of a statement that an example does not need: other assertions than the failed one, loops of nothing
    else, and what comes after. What follows inside a loop stays, as earlier rounds needed it; so does a choice."""
    whole = set(range(statement.lineno, (statement.end_lineno or 0) + 1))
    if isinstance(statement, ast.Assert):
        return set() if failed in whole else whole
    if statement.lineno > failed:
        return whole if statement.col_offset == INDENT else set()
    inner = [*getattr(statement, "body", []), *getattr(statement, "orelse", [])]
    left_out = {number for each in inner for number in _left_out(each, failed)}
    body = {number for each in inner for number in range(each.lineno, (each.end_lineno or 0) + 1)}
    if inner and body == left_out:
        return whole
    return left_out if isinstance(statement, ast.For) else set()


def _place_of_import(line: str) -> tuple[bool, bool]:
    return line.startswith("from "), line.split()[1] not in sys.stdlib_module_names


def _imports(code: str, check: Callable[..., None]) -> list[str]:
    """The imports of the names of a check's module, and of spaces, that some code uses."""
    used = {node.id for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Name)}
    known = {cls.__name__: cls for cls in (Categorical, Ordinal, SearchSpace)} | check.__globals__
    modules: dict[str, list[str]] = {}
    plain = ["import numpy as np"] if "np" in used else []
    for name in sorted(used & known.keys() - {"np"}):
        if inspect.ismodule(known[name]):
            plain.append(f"import {known[name].__name__}")
        else:
            modules.setdefault(getattr(known[name], "__module__", check.__module__), []).append(name)
    return [*sorted(plain), *(f"from {module} import {', '.join(names)}" for module, names in sorted(modules.items()))]
