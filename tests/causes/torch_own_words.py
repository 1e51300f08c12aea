"""What a reader gets from one of Dynamo's guard failures: to judge its explanation by the same rule as jitscope's.

Read generously: the likeliest kind, and the path in the user's names wherever the text has them
(``fn._modules['1'].training`` is ``self[1]``, ``kwargs['ids']`` is ``ids``; ``args[0]`` names nothing).
"""

from __future__ import annotations

import re

Cause = tuple[str, str | None]

_ENTRY = re.compile(r"^\d+/\d+: ")
_LOCAL = re.compile(r"\bL\[['\"](\w+)['\"]\]")
_GLOBAL = re.compile(r"\bG\[['\"](\w+)['\"]\]")
_NAME = r"[A-Za-z_]\w*(?:\.\w+|\[[^\]]+\])*"
"""A variable and the way to one of its parts: ``batch['x'][0].w``."""

_TENSOR = re.compile(
    r"^tensor '(?P<path>.+?)' (?P<what>size|stride|rank|dtype|dispatch key set|requires_grad) mismatch"
)
_TENSOR_KINDS = {
    "size": "shape",
    "stride": "layout",
    "rank": "rank",
    "dtype": "dtype",
    "requires_grad": "requires_grad",
}
_BACKENDS = re.compile(r"compiler='(\w+)', dynamic=(\w+)")
_FORMS: tuple[tuple[str, str], ...] = (
    (r"^expected type of '(?P<path>.+?)' to be a tensor type", "python_type"),
    (r"(?P<path>{name})\.size\(\)\[", "shape_constraint"),
    (r"(?P<path>{name})\.(?:stride|storage_offset)\(", "layout"),
    (r"^___check_type_id\((?P<path>{name})", "python_type"),
    (r"^___check_obj_id\((?P<path>{name})", "static_value"),
    (r"^list\(dict\.keys\((?P<path>{name})\)\)", "tree_structure"),
    (r"^len\((?P<path>{name})\) ", "tree_structure"),
    (r"^set\.__contains__\((?P<path>{name})", "static_value"),
    (r"^not (?P<path>{name})$", "tree_structure"),
    (r"^(?P<path>{name}) is (?:not )?None$", "python_type"),
    (r"^(?P<path>{name}) (?:==|!=|is|<=|<|>=|>) ", "static_value"),
    (r"<=? (?P<path>{name})", "shape_constraint"),
)


def read(text: str) -> set[Cause]:
    """The causes that a guard-failure text speaks of; empty where it tells nothing."""
    bare = _ENTRY.sub("", re.split(r"\n|  +#", text.strip(), maxsplit=1)[0].rstrip())
    if bare.startswith("GLOBAL_STATE changed:"):
        return {("config", setting) for setting in bare.partition(":")[2].split()}
    if "torch_function_mode_stack" in bare:
        return {("config", "torch_function_mode")}
    if bare.startswith("BACKEND_MATCH"):
        return {("options", _option(bare))}
    if "dynamo_dim_marking" in bare or "_dynamic_indices" in bare:
        return {("shape_constraint", None)}
    if bare.startswith("Duplicate tensors found"):
        names = re.findall(r'"([^"]+)"', bare)
        return {("aliasing", _users(names[-1]) if names else None)}
    plain = _LOCAL.sub(r"\1", bare)
    same = re.fullmatch(rf"({_NAME}) is ({_NAME})", plain)
    if same and same[2] != "None":
        return {("aliasing", _users(same[2]))}
    contained = re.match(rf"^(?:not )?___dict_contains\((['\"]\w+['\"]), ({_NAME})\)", plain)
    if contained:
        key, path = contained.groups()
        if path.endswith(".__dict__"):
            return {_belonging("module_attribute", f"{path.removesuffix('.__dict__')}.{key[1:-1]}")}
        return {_belonging("tree_structure", f"{path}[{key}]")}
    tensor = _TENSOR.match(plain)
    if tensor:
        kind = _TENSOR_KINDS.get(tensor["what"]) or _by_keys(plain)
        return {_belonging(kind, tensor["path"])}
    container = re.match(rf"^___check_type_id\(({_NAME}), \d+\), type=<class '(?:list|tuple|dict|set)'>", plain)
    if container:
        return {_belonging("tree_structure", container[1])}
    for form, kind in _FORMS:
        found = re.search(form.format(name=_NAME), plain)
        if found:
            return {_belonging(kind, found["path"])}
    return set()


def _option(text: str) -> str:
    backends = _BACKENDS.findall(text)
    if len(backends) == 2 and backends[0][0] == backends[1][0]:
        return "dynamic"
    return "backend"


def _by_keys(text: str) -> str:
    """What differs between two sets of dispatch keys."""
    sets = [set(keys.split(", ")) for keys in re.findall(r"DispatchKeySet\(([^)]*)\)", text)]
    changed = " ".join(sets[0] ^ sets[1]) if len(sets) == 2 else ""
    if "Sparse" in changed:
        return "layout"
    if changed and all(key.startswith(("Autograd", "ADInplace")) for key in changed.split()):
        return "requires_grad"
    return "device"


def _belonging(kind: str, path: str) -> Cause:
    """The kind by what the thing belongs to: a global, a module's mode, part or attribute, or an argument."""
    name = _users(path)
    if _GLOBAL.match(path):
        return "captured_value", name
    if kind == "static_value" and path.endswith(".training"):
        return "training_mode", name.removesuffix(".training")
    if "_hooks" in path:
        return "module_structure", name.rpartition(".")[0]
    if re.search(r"\._(?:parameters|buffers)\b", path) or (
        "._modules" in path and kind in ("python_type", "tree_structure")
    ):
        return "module_structure", name
    if kind == "static_value" and ("._modules" in path or name.startswith("self.")):
        return "module_attribute", name
    return kind, name


def _users(path: str) -> str:
    """A path as the user would write it."""
    path = _GLOBAL.sub(r"\1", _LOCAL.sub(r"\1", path))
    path = re.sub(r"^___from_numpy\((.*)\)$", r"\1", path)
    path = re.sub(r"^kwargs\[['\"](\w+)['\"]\]", r"\1", path)
    path = re.sub(r"\._modules\['(\d+)'\]", r"[\1]", path)
    path = re.sub(r"\._(?:modules|parameters|buffers)\['(\w+)'\]", r".\1", path)
    path = re.sub(r"\._modules$|\.__code__$", "", path)
    return re.sub(r"^fn(?=[.\[])", "self", path)
