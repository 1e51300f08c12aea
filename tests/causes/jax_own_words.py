"""What a reader gets from one of ``jax_explain_cache_misses``' texts, to judge it by the same rule as jitscope.

Read generously. A statement is a set of readings, one of which has to be right. A path that begins with ``*`` leaves
the name of the argument open, because JAX numbers arguments in pytree messages; ``~step`` is any name with ``step``
in it, because JAX writes bare names.
"""

from __future__ import annotations

import re

Reading = tuple[str, str | None]
Statement = frozenset[Reading]

_FUNCTION = re.compile(r"(?:never seen function:\s+|\bfor )(?P<name>\S+?)(?: id=\d+)? defined at")
_TYPES = re.compile(r"\* at (?P<path>.+?), now (?P<now>.+?) and before (?P<before>.+?)(?:https?:\S*)?$")
_TYPE = re.compile(
    r"(?P<dtype>[\w<>]+?)(?:<(?P<memory>host|device)>)?\[(?P<sizes>[^\]]*)\](?:\((?P<mesh>.*)\))?(?:\{weak_type=(?P<weak>\w+)\})?$"
)
_TREE = re.compile(r"\* at input path (?P<path>.*?), now (?P<now>.*) and before (?P<before>.*?), so (?P<so>.*)$")
_SETTING = re.compile(r"\* (?P<name>\w+)\b.*? differs: now")
_LENGTHS = re.compile(r"of length (\d+)")


def function_of(text: str) -> str:
    """The name of the function that a text speaks of."""
    found = _FUNCTION.search(text)
    return found["name"] if found else ""


def read(text: str, *, first: bool) -> list[Statement]:
    """The statements of a text; ``first``: nothing of this function's source had been compiled before."""
    if "never seen function" in text:
        # What it is told of a function that it saw before: that this is another one.
        return [frozenset({("first_compile", None) if first else ("new_function", "~" + function_of(text))})]
    statements: list[Statement] = []
    for line in map(str.strip, text.splitlines()):
        types, tree, setting = _TYPES.match(line), _TREE.match(line), _SETTING.match(line)
        if tree:
            statements += _tree(tree["path"], tree["now"], tree["before"], tree["so"])
        elif types:
            statements += _types(types["path"], types["now"], types["before"])
        elif setting:
            name = "mesh" if setting["name"].endswith("mesh_context_manager") else setting["name"]
            statements.append(frozenset({("config", name)}))
    return statements


def _types(path: str, now: str, before: str) -> list[Statement]:
    new, old = _TYPE.match(now), _TYPE.match(before)
    if new is None or old is None:
        return []
    kinds: list[str] = []
    sizes = [[size.partition("@")[0] for size in one["sizes"].split(",") if size] for one in (new, old)]
    if len(sizes[0]) != len(sizes[1]):
        kinds.append("rank")
    elif sizes[0] != sizes[1]:
        kinds.append("shape")
    if new["dtype"] != old["dtype"]:
        kinds.append("dtype")
    if new["weak"] != old["weak"] and not (new["dtype"] != old["dtype"] and "bool" in (new["dtype"], old["dtype"])):
        kinds.append("weak_type")
    placements = [(one["mesh"], one["memory"], re.findall(r"@[^,\]]+", one["sizes"])) for one in (new, old)]
    if placements[0] != placements[1] and not ({placements[0][0], placements[1][0]} <= {None, "{}"} and kinds):
        kinds.append("sharding")
    return [frozenset({(kind, path)}) for kind in kinds]


def _tree(path: str, now: str, before: str, so: str) -> list[Statement]:
    where = _argument(path)
    keys = re.search(r"key sets: \{(.*)\}", so)
    if keys:
        names = re.findall(r"'([^']*)'", keys[1])
        if path == "[1]":
            return [frozenset({("argument_passing", name)}) for name in names]
        return [frozenset({("tree_structure", f"{where}['{name}']")}) for name in names]
    lengths = [int(found[1]) for found in map(_LENGTHS.search, (now, before)) if found]
    if len(lengths) == 2:
        indices = range(min(lengths), max(lengths))
        if path == "[0]":
            return [frozenset({("argument_passing", "*"), ("tree_structure", f"*[{index}]")}) for index in indices]
        return [frozenset({("tree_structure", f"{where}[{index}]")}) for index in indices]
    if ("Static" in now) != ("Static" in before):
        return [frozenset({("options", "static_argnames"), ("options", "static_argnums"), ("python_type", where)})]
    if "Static" in now:
        return [frozenset({("static_value", where), ("python_type", where)})]
    if "None" in now or "None" in before or "leaf" in now or "leaf" in before:
        return [frozenset({("python_type", where), ("tree_structure", where)})]
    return [frozenset({("tree_structure", where)})]


def _argument(path: str) -> str:
    """``[0][1]['b']`` → ``*['b']``; ``[1]['n'].w`` → ``n.w``."""
    keyword = re.match(r"\[1\]\['(\w+)'\](.*)$", path)
    if keyword:
        return keyword[1] + keyword[2]
    return "*" + re.sub(r"^\[0\](?:\[(?:<flat index )?\d+>?\])?", "", path)
