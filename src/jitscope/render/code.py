"""Python source from values: expressions that are broken over lines where they are too long.

Everything that is written comes from `repr` of checked values or from checked identifiers: see `name_code`.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

WIDTH = 100


@dataclass(frozen=True, slots=True)
class Group:
    """An opening, items with commas between, a closing: ``f(a, b)``."""

    opening: str
    items: tuple[Code, ...]
    closing: str
    trailing: bool = False
    """A comma after the last item, also on one line: a tuple of one."""


@dataclass(frozen=True, slots=True)
class Named:
    """``name=value``, or ``'key': value``."""

    name: str
    value: Code


Code = str | Group | Named


def name_code(name: str) -> str:
    """A dotted name, as it is.

    Raises:
        ValueError: it is no name of Python's.
    """
    for part in name.split("."):
        if not part.isidentifier() or keyword.iskeyword(part) or not part.isascii():
            raise ValueError(name)
    return name


def call_code(function: str, items: Sequence[Code]) -> Group:
    """``function(items)``."""
    return Group(f"{name_code(function)}(", tuple(items), ")")


def value_code(value: Any) -> Code:
    """A Python value: numbers, texts, None, ranges, slices, and containers of these.

    Raises:
        ValueError: it is another one.
    """
    kind = type(value)
    if kind is float and not math.isfinite(value):
        return f'float("{value}")'
    if kind is complex:
        return f"complex({value.real!r}, {value.imag!r})" if _finite(value) else _no(value)
    if kind in (bool, int, float, str, bytes, type(None), range, slice):
        return _quoted(value) if kind is str else repr(value)
    if kind is tuple:
        return Group("(", tuple(value_code(one) for one in value), ")", trailing=len(value) == 1)
    if kind is list:
        return Group("[", tuple(value_code(one) for one in value), "]")
    if kind is set and value:
        return Group("{", tuple(sorted((value_code(one) for one in value), key=str)), "}")
    if kind is dict:
        return Group("{", tuple(pair_code(key, value_code(one)) for key, one in value.items()), "}")
    return _no(value)


def _finite(value: complex) -> bool:
    return math.isfinite(value.real) and math.isfinite(value.imag)


def _no(value: object) -> str:
    raise ValueError(type(value).__qualname__)


def _quoted(text: str) -> str:
    """With double quotes, as people write them; characters that a reader can't see are escaped."""
    shown = ascii(text)
    return f'"{shown[1:-1]}"' if shown.startswith("'") and '"' not in shown and "\\'" not in shown else shown


def pair_code(key: Any, value: Code) -> Named:
    """An item of a dict."""
    return Named(f"{lines_of(value_code(key), 0, 10_000)[0]}: ", value)


def keyword_code(name: str, value: Code) -> Named:
    """An argument by its name."""
    return Named(f"{name_code(name)}=", value)


def lines_of(code: Code, indent: int, width: int = WIDTH, before: str = "", after: str = "") -> list[str]:
    """The lines of an expression, with what stands before and after it; all indented by ``indent`` blanks."""
    if isinstance(code, Named):
        return lines_of(code.value, indent, width, before + code.name, after)
    pad = " " * indent
    line = pad + before + _flat(code) + after
    if isinstance(code, str) or not code.items or len(line) <= width:
        return [line]
    if len(code.items) == 1 and not code.trailing and isinstance(code.items[0], Group):
        # f({ … }): the brackets of both on one line.
        return lines_of(code.items[0], indent, width, before + code.opening, code.closing + after)
    inner = [one for item in code.items for one in lines_of(item, indent + 4, width, after=",")]
    return [pad + before + code.opening, *inner, pad + code.closing + after]


def _flat(code: Code) -> str:
    if isinstance(code, str):
        return code
    if isinstance(code, Named):
        return code.name + _flat(code.value)
    return code.opening + ", ".join(_flat(item) for item in code.items) + ("," if code.trailing else "") + code.closing
