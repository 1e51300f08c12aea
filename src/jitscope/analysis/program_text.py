"""What differs between the texts of two programs: names, arguments, constants, operations."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

_MODULE = re.compile(r"(?P<head>module @)(?P<name>[\w.$-]+|\"[^\"]*\")")
_MAIN = re.compile(r"func\.func public @main\((?P<arguments>.*)\) -> (?P<results>.*) \{\s*$")
_DENSE = re.compile(r"dense<(?P<value>[^<>]*)>")
_NUMBER = re.compile(r"(?<![\w.%])-?(?:\d+\.\d*(?:e[+-]?\d+)?|\d+(?:e[+-]?\d+)?|inf|nan|True|False)(?![\w.])")
_ELIDED = "__elided__"
MOST = 4
"""Differences that are told."""
_LINES = 20_000
"""Lines of two texts together beyond which they are not compared one by one."""


def program_name(text: str) -> str | None:
    """The module's name in JAX's text."""
    match = _MODULE.search(text)
    return match["name"] if match is not None else None


def without_name(text: str) -> str:
    """JAX's text, without the module's name."""
    return _MODULE.sub(r"\g<head>_", text, count=1)


def text_differences(old: str, new: str) -> tuple[str, ...]:
    """What differs between two programs, in words, the most telling first; empty where the texts are equal."""
    found: list[str] = []
    names = program_name(old), program_name(new)
    if None not in names and names[0] != names[1]:
        found.append(f"the function's name: {_bare(names[0])} → {_bare(names[1])}")
    before = [line.strip() for line in without_name(old).splitlines() if line.strip()]
    after = [line.strip() for line in without_name(new).splitlines() if line.strip()]
    if before == after:
        return tuple(found)
    if len(before) + len(after) > _LINES:
        return (*found, f"the program: {len(before)} lines → {len(after)} lines")
    if len(before) == len(after):
        pairs = [(a, b) for a, b in zip(before, after, strict=True) if a != b]
        if all(_same_but_values(a, b) for a, b in pairs):
            told = dict.fromkeys(one for a, b in pairs for one in _values(a, b))
            return (*found, *_few([f"a constant: {one}" for one in told]))
    arguments = _arguments(before, after)
    if arguments is not None:
        found.append(arguments)
    return (*found, *_operations(before, after))


def hides_constants(text: str) -> bool:
    """Whether a text leaves out the contents of constant arrays."""
    return _ELIDED in text


def _bare(name: str | None) -> str:
    return (name or "").removeprefix("jit_")


def _same_but_values(a: str, b: str) -> bool:
    return _shape(a) == _shape(b)


def _shape(line: str) -> str:
    return _NUMBER.sub("#", _DENSE.sub("dense<#>", line)) if "dense<" not in line else _DENSE.sub("dense<#>", line)


def _values(a: str, b: str) -> list[str]:
    pattern = _DENSE if "dense<" in a else _NUMBER
    pairs = zip(_found(pattern, a), _found(pattern, b), strict=False)
    return [f"{_short(old)} → {_short(new)}" for old, new in pairs if old != new]


def _found(pattern: re.Pattern[str], line: str) -> list[str]:
    return [match["value"] if "value" in pattern.groupindex else match[0] for match in pattern.finditer(line)]


def _short(value: str) -> str:
    try:
        number = float(value)
    except ValueError:
        return value[:40]
    return f"{number:g}" if "." in value or "e" in value else value


def _arguments(before: Sequence[str], after: Sequence[str]) -> str | None:
    """Of JAX's ``main``: types of arguments and results."""
    old, new = (next((match for line in lines if (match := _MAIN.match(line))), None) for lines in (before, after))
    if old is None or new is None or old["arguments"] == new["arguments"]:
        return None
    types = [re.findall(r"tensor<([^<>]*)>", one["arguments"]) for one in (old, new)]
    if len(types[0]) == len(types[1]):
        pairs = [(n, a, b) for n, (a, b) in enumerate(zip(*types, strict=True)) if a != b]
        if pairs:
            return "the arguments: " + ", ".join(f"number {n} {a} → {b}" for n, a, b in pairs[:MOST])
    elif types[0] or types[1]:
        return f"the arguments: {len(types[0])} → {len(types[1])}"
    return "the arguments' attributes: sharding, donation or layout"


_OPERATION = re.compile(r"\b(?:stablehlo|mhlo|chlo|sdy|func|torch\.ops\.aten)\.(?P<name>[\w.]+)")


def _operations(before: Sequence[str], after: Sequence[str]) -> tuple[str, ...]:
    """Lines that are only in one of them; names of values are left out, since one more shifts all that follow."""
    old, new = [_unnumbered(line) for line in before], [_unnumbered(line) for line in after]
    matcher = difflib.SequenceMatcher(a=old, b=new, autojunk=False) if len(old) * len(new) < 4_000_000 else None
    if matcher is None:
        return (f"the program: {len(before)} lines → {len(after)} lines",)
    told: list[str] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        if tag == "equal":
            continue
        removed = [line for line in before[i:j] if not _MAIN.match(line)]
        added = [line for line in after[k:m] if not _MAIN.match(line)]
        if len(removed) == len(added) == 1 and _same_but_values(_unnumbered(removed[0]), _unnumbered(added[0])):
            told += [f"a constant: {one}" for one in _values(removed[0], added[0])]
            continue
        told += [f"no longer: {line[:120]}" for line in removed] + [f"new: {line[:120]}" for line in added]
    return _few(list(dict.fromkeys(told)))


def _unnumbered(line: str) -> str:
    return re.sub(r"%(?:arg)?\w+(?:[:#]\d+)?", "%", line)


def _few(told: Sequence[str]) -> tuple[str, ...]:
    if len(told) <= MOST:
        return tuple(told)
    return (*told[:MOST], f"and {len(told) - MOST} more differences")
