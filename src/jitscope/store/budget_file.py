"""The budget in a ``pyproject.toml``: table ``tool.jitscope.budget``."""

from __future__ import annotations

import difflib
import math
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.budget import Budget, Limits
from jitscope.model.cause import CAUSE_KINDS

FILE = "pyproject.toml"
TABLE = "tool.jitscope.budget"


def find_file(start: Path | None = None) -> Path | None:
    """The nearest ``pyproject.toml`` with a table ``tool.jitscope``, in ``start`` (default: here) or above it; or None.

    Raises:
        JitscopeError: if one on the way can't be read.
    """
    folder = (Path.cwd() if start is None else start).absolute()
    for each in (folder, *folder.parents):
        path = each / FILE
        if path.is_file() and _tool_table(path) is not None:
            return path
    return None


def read_budget(path: Path) -> Budget | None:
    """The budget in the file ``path``; None where it has no table ``tool.jitscope.budget``.

    Raises:
        JitscopeError: if the file can't be read or is no TOML, or a key, a value or a kind of cause is wrong.
    """
    table = _tool_table(path)
    if table is None:
        return None
    if "budget" not in table:
        close = difflib.get_close_matches("budget", table, n=1, cutoff=0.5)
        if close:
            raise _wrong(path, f"tool.jitscope.{_key(close[0])}", "unknown key; did you mean budget?")
        return None
    return budget_of(table["budget"], path)


def budget_of(table: object, path: Path) -> Budget:
    """The budget that a table of the file ``path`` says.

    Raises:
        JitscopeError: naming the key that is wrong.
    """
    known = Budget.__struct_fields__
    table = _checked(table, path, TABLE, known)
    functions = _mapping(table.get("functions", {}), path, f"{TABLE}.functions")
    for pattern, limits in functions.items():
        place = f"{TABLE}.functions.{_key(pattern)}"
        if not pattern.strip():
            raise _wrong(path, place, "an empty pattern fits no function")
        for name in ("functions", "strict"):
            if isinstance(limits, dict) and name in limits:
                raise _wrong(path, f"{place}.{name}", f"holds for the whole run only: move it to {TABLE}")
        _checked(limits, path, place, Limits.__struct_fields__)
    return msgspec.convert(table, Budget)


def parse_kinds(names: Iterable[str]) -> list[str]:
    """Kinds of causes by name.

    Raises:
        ValueError: for one that there is not, with the one that may be meant.
    """
    found = list(names)
    for name in found:
        if name not in CAUSE_KINDS:
            raise ValueError(f"{name!r} is no kind of cause{_meant(name, CAUSE_KINDS)}")
    return found


def _tool_table(path: Path) -> Mapping[str, Any] | None:
    try:
        document = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        raise JitscopeError(f"no file {path}: check the path of --config", slug="budget-file-missing") from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise JitscopeError(
            f"cannot read {path}: {why}; check its permissions", slug="budget-file-unreadable"
        ) from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise JitscopeError(f"{path} is not TOML: {error}; correct it there", slug="budget-file-broken") from error
    tool = document.get("tool")
    table = tool.get("jitscope") if isinstance(tool, dict) else None
    return _mapping(table, path, "tool.jitscope") if table is not None else None


def _mapping(value: object, path: Path, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise _wrong(path, place, f"must be a table, not {_shown(value)}")
    return value


def _checked(value: object, path: Path, place: str, known: Iterable[str]) -> dict[str, Any]:
    """A table whose keys are ``known`` and whose limits are valid."""
    table = _mapping(value, path, place)
    for key in table:
        if key not in known:
            raise _wrong(path, f"{place}.{_key(key)}", f"unknown key{_meant(key, known)}")
    for key, each in table.items():
        if key != "functions":
            _check_value(key, each, path, f"{place}.{key}")
    return table


def _check_value(key: str, value: object, path: Path, place: str) -> None:
    if key == "forbid" and isinstance(value, list) and all(isinstance(each, str) for each in value):
        try:
            parse_kinds(value)
        except ValueError as error:
            raise _wrong(path, place, str(error)) from None
    try:
        msgspec.convert({key: value}, Budget)
    except msgspec.ValidationError:
        raise _wrong(path, place, f"must be {_WANTED[key]}, not {_shown(value)}") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise _wrong(path, place, f"must be {_WANTED[key]}, not {_shown(value)}")


_COUNT = "a whole number from 0 on"
_WANTED = {
    "max_recompiles": _COUNT,
    "max_compilations": _COUNT,
    "max_avoidable": _COUNT,
    "max_eager_fallbacks": _COUNT,
    "max_compile_seconds": "a number of seconds from 0 on",
    "forbid": 'a list of kinds of causes, as ["weak_type"]',
    "strict": "true or false",
}


def _meant(name: str, known: Iterable[str]) -> str:
    names = list(known)
    close = difflib.get_close_matches(name.replace("-", "_"), names, n=1, cutoff=0.5)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(names)}"


def _wrong(path: Path, place: str, what: str) -> JitscopeError:
    return JitscopeError(f"{path}: {place}: {what}", slug="budget-invalid")


def _key(name: str) -> str:
    """A key as TOML writes it."""
    bare = name.isascii() and name.replace("_", "").replace("-", "").isalnum()
    return name if bare else msgspec.json.encode(name).decode()


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    text = repr(value) if isinstance(value, float) else msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= 60 else text[:59] + "…"
