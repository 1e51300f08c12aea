"""Functions that are named on the command line: ``module:function``, ``module:Class.method``, ``module:f=recorded``."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Sequence
from typing import Any

from jitscope.errors import JitscopeError
from jitscope.model.notation import cut, printable
from jitscope.warming.targets import Target, target_of


def targets_of(names: Sequence[str], arguments: Any, arguments_name: str) -> list[Target]:
    """The functions that ``names`` mean.

    Raises:
        JitscopeError: one of them can't be imported, or is not compiled.
    """
    found: list[Target] = []
    for name in names:
        place, _, recorded = name.partition("=")
        target = target_of(imported(place, "MODULE:FUNCTION"), name=recorded or None, arguments=arguments)
        target.module, _, target.attribute = place.partition(":")
        target.arguments = arguments_name
        found.append(target)
    return found


def imported(place: str, option: str) -> Any:
    """What ``place`` (``module:name``) means.

    Raises:
        JitscopeError: it can't be imported.
    """
    module_name, colon, path = place.partition(":")
    if (
        not colon
        or module_name.endswith(".py")
        or not all(part.isidentifier() for part in (*module_name.split("."), *path.split(".")))
    ):
        hint = ""
        if module_name.endswith(".py"):
            hint = f"; for a file in the current folder, {printable(module_name.removesuffix('.py'))}:name"
        raise JitscopeError(
            f"{printable(place)!r} is no {option}: name it as module:name, such as serve:attention{hint}",
            slug="import-bad-name",
        )
    try:
        value: Any = importlib.import_module(module_name)
    except Exception as error:  # the user's module may raise anything
        first = next(iter(str(error).strip().splitlines()), "")
        raise JitscopeError(
            f"cannot import {module_name}: {type(error).__name__}: {printable(cut(first))}; run this where python -c "
            f"'import {module_name}' works",
            slug="import-failed",
        ) from error
    for part in path.split("."):
        names = [name for name in dir(value) if not name.startswith("_")]
        try:
            value = getattr(value, part)
        except AttributeError:
            close = difflib.get_close_matches(part, names, n=1, cutoff=0.6)
            hint = f": did you mean {close[0]}?" if close else ""
            raise JitscopeError(f"module {module_name} has no {path}{hint}", slug="import-no-such-name") from None
    return value
