"""Finding classes by name, and resolving the settings that are given with a name: for optimizers and benchmarks alike.

A name is that of a module in our own folder, of an entry point of another package, or ``module:Class``.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import traceback
import typing
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from typing import Any

from search_spaces.errors import ArenaError, unknown


@dataclass(frozen=True)
class Registry:
    """The classes of one kind.

    Attributes:
        kind: "optimizer" or "benchmark", for messages.
        package: the folder whose modules are searched; each holds exactly one public class of the kind.
        base: the class that all of them derive from, or several, of which each derives from one.
        infrastructure: the modules of the folder that hold none.
        group: the entry-point group through which other packages add theirs.
    """

    kind: str
    package: str
    base: type | tuple[type, ...]
    infrastructure: frozenset[str]
    group: str

    def names(self) -> list[str]:
        """All known names, sorted. Imports none of the modules."""
        return sorted({*self._builtin(), *self._entry_points()})

    def load(self, name: str) -> type[Any]:
        """The class of that name.

        Raises:
            ArenaError: for an unknown name (nearest ones offered), a module that cannot be imported, a class that is
                not of the kind.
        """
        if ":" in name:
            return self._from_path(name)
        builtin, entry_points = self._builtin(), self._entry_points()
        if name in builtin and name in entry_points:
            raise ArenaError(f"{self.kind} {name!r} is built in, and {entry_points[name].value} claims the name too")
        if name in entry_points:
            return self._from_path(entry_points[name].value)
        if name not in builtin:
            raise unknown(self.kind, name, self.names())
        module = importlib.import_module(f"{self.package}.{name}")
        classes = [
            value
            for key, value in vars(module).items()
            if not key.startswith("_")
            and inspect.isclass(value)
            and issubclass(value, self.base)
            and value.__module__.startswith(module.__name__)
        ]
        if len(classes) != 1:
            raise ArenaError(f"{module.__name__} must hold exactly one public {self.kind}, it holds {len(classes)}")
        return classes[0]

    def name_of(self, cls: type, given: str) -> str:
        """The one name of a class, however it was spelled: a module of our own folder, or ``module:Class``.

        A class that is not found under its own name, such as one that a function made, keeps the ``given`` one.
        """
        package, _, module = cls.__module__.partition(".")
        builtin = module.partition(".")[0]
        if package == self.package and builtin in self._builtin():
            return builtin
        found = getattr(importlib.import_module(cls.__module__), cls.__name__, None)
        return f"{cls.__module__}:{cls.__name__}" if found is cls else given

    def _builtin(self) -> set[str]:
        paths = importlib.import_module(self.package).__path__
        return {module.name for module in pkgutil.iter_modules(paths)} - self.infrastructure

    def _entry_points(self) -> dict[str, metadata.EntryPoint]:
        return _entry_points(self.group)

    def _from_path(self, path: str) -> type[Any]:
        if not re.fullmatch(r"\w+(\.\w+)*:\w+", path):
            raise ArenaError(f"cannot read {path!r}; give module:Class, such as my_module:MyClass")
        module_name, _, class_name = path.partition(":")
        try:
            module = importlib.import_module(module_name)
        except (Exception, SystemExit) as error:  # it is the user's own code, and can raise anything
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ArenaError(
                f"cannot import {module_name!r} for {self.kind} {path!r}: {reason}; give module:Class, with the module "
                "installed or in the current folder"
            ) from None
        found = getattr(module, class_name, None)
        if found is None:
            raise unknown(f"class in {module_name}:", class_name, (key for key in vars(module) if key[0].isupper()))
        if not (inspect.isclass(found) and issubclass(found, self.base)):
            bases = self.base if isinstance(self.base, tuple) else (self.base,)
            names = " or ".join(base.__name__ for base in bases)
            raise ArenaError(f"{path} is no {self.kind}: it must derive from {names}")
        if inspect.isabstract(found):
            lacks = ", ".join(sorted(getattr(found, "__abstractmethods__", ())))
            raise ArenaError(f"{path} is abstract: it lacks {lacks}; write them")
        return found


@cache
def _entry_points(group: str) -> dict[str, metadata.EntryPoint]:
    """By name. Looked up once a process: it reads a file of every installed package."""
    return {point.name: point for point in metadata.entry_points(group=group)}


def default_settings(cls: type, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """The keyword arguments of a class with their defaults; those without a default are ``inspect.Parameter.empty``."""
    parameters = inspect.signature(cls).parameters
    return {
        name: parameter.default
        for name, parameter in parameters.items()
        if name not in leave_out and parameter.kind not in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL)
    }


def resolve_settings(cls: type, given: dict[str, Any], kind: str, leave_out: Iterable[str] = ()) -> dict[str, Any]:
    """The settings of a class with defaults filled in and types checked by its annotations.

    Raises:
        ArenaError: for an unknown setting (nearest ones offered), a wrong type, or one that is missing.
    """
    from pydantic import ValidationError

    settings = default_settings(cls, leave_out)
    hints = typing.get_type_hints(cls.__init__)  # type: ignore[misc]
    for name, value in given.items():
        if name not in settings:
            raise unknown(kind, name, settings)
        try:
            settings[name] = _validated(hints.get(name, Any), value)
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise ArenaError(f"{kind} {name!r}: {reason[0].lower()}{reason[1:]}, not {value!r}") from None
    for name, value in settings.items():
        if value is inspect.Parameter.empty:
            raise ArenaError(f"{kind} {name!r} has no default; give it")
    return settings


def construct(what: str, make: Callable[[], Any]) -> Any:
    """What ``make`` makes of a class that may be a user's own.

    Raises:
        ArenaError: for whatever goes wrong inside, with the line where it did.
    """
    try:
        return make()
    except ArenaError:
        raise
    except (MemoryError, OverflowError):
        raise ArenaError(f"{what} needs more memory than there is; make its settings smaller") from None
    except Exception as error:
        place = traceback.extract_tb(error.__traceback__)[-1]
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        raise ArenaError(f"{what} cannot be made: {reason} ({place.filename}, line {place.lineno})") from error


def _validated(annotation: Any, value: Any) -> Any:
    """The value, if it is of that type. A list passes for a tuple: TOML and JSON have no tuples."""
    from pydantic import TypeAdapter, ValidationError  # 0.1 s that `list` need not pay

    adapter = TypeAdapter(annotation)
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError:
        if not isinstance(value, list):
            raise
        return adapter.validate_python(_tuples(value), strict=True)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def parse_selection(text: str) -> tuple[str, dict[str, Any]]:
    """Splits ``"asng(lam=8, alpha=2)"`` into the name and its settings. A value that is no Python literal is a string.

    Raises:
        ArenaError: for a text of another form.
    """
    match = re.fullmatch(r"\s*([\w.:\-]+)\s*(?:\((.*)\))?\s*", text, re.DOTALL)
    if not match:
        raise ArenaError(f"cannot read {text!r}; write a name, or a name with settings as in 'asng(lam=8)'")
    name, inside = match.groups()
    settings: dict[str, Any] = {}
    for part in _split(inside or ""):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals or not key.isidentifier() or not value:
            raise ArenaError(f"cannot read the setting {part!r} of {name!r}; write name=value, as in 'asng(lam=8)'")
        if key in settings:
            raise ArenaError(f"{name!r} is given the setting {key!r} twice")
        settings[key] = _literal(value)
    return name, settings


def parse_values(text: str) -> list[Any]:
    """The values in ``"1.1, 1.5, 2"``. A value that is no Python literal is a string."""
    return [_literal(part) for part in _split(text)]


def _split(text: str) -> list[str]:
    """The parts between commas, those inside quotes and brackets left alone."""
    parts, depth, quote = [""], 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            depth += (character in "([{") - (character in ")]}")
        if character == "," and not quote and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part.strip() for part in parts if part.strip()]


def _literal(text: str) -> Any:
    if text in ("true", "false"):
        return text == "true"
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
