"""torch's guards that a call did not pass, read: what changed, at which path, from what to what.

Each `GuardFailure` holds the guard's text as torch 2.13 writes it and what was there instead. One entry of the cache
is one set of guards; `causes_of_guards` reads one entry's.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

import msgspec

from jitscope.analysis.advice import cause
from jitscope.analysis.global_state import state_causes
from jitscope.analysis.torch_merging import GONE, merged_causes, without_followers
from jitscope.analysis.torch_names import Names
from jitscope.analysis.torch_tensors import is_tensor_guard, tensor_causes
from jitscope.analysis.torch_types import plain_type, type_of
from jitscope.model.cause import Cause, CauseKind
from jitscope.model.events import GuardFailure
from jitscope.model.notation import cut
from jitscope.model.signature import Signature, StaticLeaf

_TYPE = re.compile(r"^___check_type_id\(.*\), type=<class '(?P<type>[^']+)'>")
_OBJECT = re.compile(r"^___check_obj_id\(.*, \d+\)(?:, type=<class '(?P<type>[^']+)'>)?")
"""torch 2.11 does not tell the type."""
_LENGTH = re.compile(r"^len\((?P<what>.+)\) (?:==|!=) (?P<n>\d+)$")
_EMPTY = re.compile(r"^not (?P<what>[LG]\[.+|\w[\w.\[\]']*)$")
_CONTAINS = re.compile(r"^(?P<no>not )?___dict_contains\((?P<key>.+?), (?P<what>.+)\)$")
_KEY = re.compile(r"^list\((?:dict\.keys\()?(?P<what>.+?)\)?\)\[(?P<n>\d+)\]")
_VALUE = re.compile(r"^(?P<what>.+?) (?:==|is) (?P<old>.+)$")
_IDENTITY = re.compile(r"^(?P<one>.+?) is (?P<not>not )?(?P<other>[LG]\[.+)$")
_SIZES = re.compile(r"\.(?:size|stride|storage_offset)\(\)")
_PLACE = re.compile(r"  # (?P<line>.+?)  # (?P<file>[^\s:]+):(?P<number>\d+) in ")

_HELD = re.compile(r"\.(?:_modules|_parameters|_buffers|_\w*hooks\w*)(?:\[[^\]]*\])*$")
_CONTAINERS = frozenset(
    {"tuple", "list", "dict", "set", "frozenset", "OrderedDict", "defaultdict", "deque", "mappingproxy"}
)
_PLAIN = frozenset({"int", "float", "complex", "bool", "str", "NoneType"})
_ANOTHER = "another "
"""Begins the text of an object that its guard knows by address only."""


_SET = re.compile(r"^(?P<no>not )?set\.__contains__\((?P<what>.+), (?P<key>.+)\)$")
_HAS = re.compile(r"^(?P<no>not )?hasattr\((?P<what>.+), '(?P<name>\w+)'\)$")
_HELD_IN = re.compile(r"\._(?:modules|parameters|buffers|\w*hooks\w*)\[[^\]]*\]$")
_NAN = re.compile(r"__math_isnan")


def causes_of_guards(
    failures: Sequence[GuardFailure],
    signature: Signature | None,
    before: Signature | None,
    *,
    wrapped: bool,
    defaults: Collection[str] = (),
    parameters: Sequence[str] | None = None,
) -> list[Cause]:
    """What keeps one call from using one cache entry; each path and kind once, in the order of the guards.

    Args:
        failures: the entry's guards that fail.
        signature: that of the call, for the names of arguments.
        before: that of the call which made the entry, for the texts of objects that guards know by address only.
        defaults: the function's parameters that have a default.
        parameters: all of them, for what a wrapper got as ``args[0]`` or ``kwargs['x']``; None: as in the signature.
        wrapped: the code is torch's own wrapper around a module: ``fn`` is the module.
    """
    names = Names(signature, wrapped=wrapped, defaults=defaults, parameters=parameters)
    known = {leaf.path: leaf for leaf in before.leaves} if before is not None else {}
    found: dict[tuple[CauseKind, str | None], Cause] = {}
    for failure in failures:
        for one in _causes(failure, names):
            leaf = known.get(one.path or "")
            if one.kind == "static_value" and isinstance(leaf, StaticLeaf) and (one.old or "").startswith(_ANOTHER):
                one = msgspec.structs.replace(one, old=_other(leaf.value, one.new))  # noqa: PLW2901
            found.setdefault((one.kind, one.path), one)
    return merged_causes(without_followers(list(found.values())))


def failure_of(
    said: str, entry: str, path: str | None, *, module: bool = False, arguments: Collection[str] | None = None
) -> GuardFailure:
    """What Dynamo said of an entry, for a guard that can't be asked (the length of a dictionary).

    ``module``: the function is a module's, so that ``self`` is one. ``arguments`` are the names of the call's.
    """
    text = re.split(r"\n|  +#", said, maxsplit=1)[0].removeprefix(f"{entry}: ").rstrip()
    registered = path is not None and re.search(r"\._(?:modules|parameters|buffers|\w*hooks\w*)\b", path) is not None
    root = re.match(r"\w+", path or "")
    own = module and root is not None and root[0] in ("self", "fn")
    known = arguments is None or root is None or root[0] in ("self", "args", "kwargs", *arguments)
    origin = "module" if registered or own else "argument" if known and "G['" not in said else "captured"
    return GuardFailure(entry=entry, text=text, source=path, origin=origin)


def user_line(text: str) -> str | None:
    """The line of the user's that a guard comes from: ``if x.shape[0] > 8 (model.py:12)``."""
    place = _PLACE.search(text)
    if place is None:
        return None
    return f"{cut(place['line'].strip(), 80)} ({place['file'].rsplit('/', 1)[-1]}:{place['number']})"


def _causes(failure: GuardFailure, names: Names) -> Iterator[Cause]:
    text = re.split(r"\n|  +#", failure.text.strip(), maxsplit=1)[0].rstrip()
    said = f"{failure.entry}: {text}"
    if text.startswith("___check_global_state"):
        yield from state_causes(text, failure.value, said)
        return
    if text.startswith("___check_torch_function_mode_stack"):
        yield cause("config", "torch_function_mode", "other modes", failure.value or "none", said)
        return
    if text.startswith("utils_device.CURRENT_DEVICE"):
        yield cause("config", "default_device", text.rpartition(" == ")[2], failure.value, said)
        return
    if failure.source is None or text.startswith("check_no_aliasing"):
        yield from _relation(text, failure, names, said)
        return
    path = failure.name or names.path(failure.source)
    if "_dynamo_" in text and text.startswith(("hasattr(", "((", "_dynamo", "_has_dynamo")):
        yield cause("shape_constraint", path, "sizes not marked", "marked as dynamic, or otherwise than before", said)
        return
    if is_tensor_guard(text):
        yield from tensor_causes(text, failure, path, said)
        return
    kind_of = _Kinds(failure.origin, path, default=failure.origin == "argument" and names.left_out(path))
    for pattern in (_TYPE, _OBJECT):
        found = pattern.match(text)
        if found is None:
            continue
        old, new = (found["type"] or "object").rsplit(".", 1)[-1], failure.value
        if pattern is _TYPE:
            new = plain_type(new or "")
            yield cause(kind_of.type_change(old, new), kind_of.path, old, new, said)
        elif new is not None and old != "object" and failure.type in _PLAIN and failure.type != old:
            yield cause(kind_of.type_change(old, failure.type), kind_of.path, old, new, said)
        else:
            yield cause(kind_of.value(), kind_of.path, f"{_ANOTHER}{old}", new, said)
        return
    if text.endswith(" exists"):
        held = _HELD_IN.search(failure.source) is not None or path.endswith("]")
        kind: CauseKind = kind_of.structure() if held else kind_of.value()
        # Of a list of modules the list is told, as where its length is guarded.
        of_modules = failure.origin == "module" and held
        whole = re.sub(r"\[\d+\]$", "", kind_of.path) if of_modules else kind_of.path
        yield cause(kind, whole, "present", GONE, said)
        return
    has = _HAS.match(text)
    if has is not None:
        old, new = ("absent", "present") if has["no"] else ("present", "absent")
        target = f"{names.path(has['what'])}.{has['name']}"
        yield cause("module_structure" if failure.origin == "module" else kind_of.value(), target, old, new, said)
        return
    in_set = _SET.match(text)
    if in_set is not None:
        old, new = ("absent", "present") if in_set["no"] else ("present", "absent")
        key = in_set["key"]
        yield cause(kind_of.value(), names.path(in_set["what"]), f"{key} {old}", f"{key} {new}", said)
        return
    if _NAN.search(text):
        yield cause(kind_of.value(), kind_of.path, "nan", failure.value, said)
        return
    length = _LENGTH.match(text)
    if length is not None:
        new = f"length {failure.value}" if failure.value is not None else "another length"
        yield cause(kind_of.structure(), kind_of.path, f"length {length['n']}", new, said)
        return
    contains = _CONTAINS.match(text)
    if contains is not None:
        where, key = names.path(contains["what"]), contains["key"]
        changed = ("absent", "present") if contains["no"] else ("present", "absent")
        attribute = failure.origin == "module" or contains["what"].endswith(".__dict__")
        target = f"{_HELD.sub('', where)}.{key.strip(chr(39))}" if attribute else f"{where}[{key}]"
        kind = kind_of.value() if contains["what"].endswith(".__dict__") else kind_of.structure()
        yield cause(kind, target, *changed, said)
        return
    if _EMPTY.match(text):
        yield cause(kind_of.structure(), kind_of.path, "empty", f"length {failure.value}", said)
        return
    key_at = _KEY.match(text)
    if key_at is not None:
        yield cause(kind_of.structure(), names.path(key_at["what"]), text.rpartition(" == ")[2], failure.value, said)
        return
    value = _VALUE.match(text)
    if value is not None:
        old, new = value["old"], failure.value or ""
        before, after = type_of(old), failure.type or type_of(new)
        if old in ("None", "not None") or (before and after and before != after) or new.startswith("<class '"):
            yield cause(kind_of.type_change(before, after), kind_of.path, old, plain_type(new), said)
        else:
            yield cause(kind_of.value(), kind_of.path, old, new, said)
        return
    yield cause("unknown", path, None, failure.value, said)


class _Kinds:
    """Which word of the vocabulary a change at a path is."""

    def __init__(self, origin: str | None, path: str, *, default: bool) -> None:
        # What the call leaves to its default is the function's own.
        self._origin = "captured" if default else origin
        self.path = _HELD.sub("", path)
        self._mode = origin == "module" and path.endswith(".training")
        if self._mode:
            self.path = path.removesuffix(".training")

    def value(self) -> CauseKind:
        """Another value."""
        if self._mode:
            return "training_mode"
        if self._origin == "module":
            return "module_attribute"
        return "captured_value" if self._origin == "captured" else "static_value"

    def structure(self) -> CauseKind:
        """Another length, key or order."""
        if self._origin == "module":
            return "module_structure"
        return "captured_value" if self._origin == "captured" else "tree_structure"

    def type_change(self, old: str, new: str) -> CauseKind:
        """Another Python type; both are names of types."""
        if self._origin == "module":
            return "module_attribute" if {old, new} <= _PLAIN else "module_structure"
        if self._origin == "captured":
            return "captured_value"
        return "tree_structure" if {old, new} <= _CONTAINERS else "python_type"


def _relation(text: str, failure: GuardFailure, names: Names, said: str) -> Iterator[Cause]:
    """A guard between several sources: sizes, or who is whose twin."""
    identity = _IDENTITY.match(text)
    if text.startswith("check_no_aliasing"):
        # The value names the source that this one is the same as now.
        pair = names.in_order({names.path(one) for one in (failure.source or "", failure.value or "") if one})
        twin = f"the same as {pair[0]}" if pair else None
        yield cause("aliasing", pair[-1] if pair else None, "another tensor", twin, said)
        return
    if identity is not None:
        one, other = names.in_order({names.path(identity["one"]), names.path(identity["other"])})
        same, apart = f"the same as {one}", f"another than {one}"
        yield cause("aliasing", other, *((apart, same) if identity["not"] else (same, apart)), said)
        return
    if _SIZES.search(text) or re.search(r"[<>]|%|==|!=", text):
        subject = re.search(r"(?:L|G)\['\w+'\][^\s()]*?(?=\.(?:size|stride|storage_offset)\(\)|[\s)]|$)", text)
        path = names.path(subject[0]) if subject is not None else None
        where = user_line(failure.text)
        condition = names.path(text)
        new = names.path(failure.value) if failure.value else None
        exact = re.fullmatch(rf"{re.escape(path or '')} == (-?[\d.]+)", condition)
        if exact is not None and path is not None:
            yield cause("static_value", path, exact[1], new.rpartition(" = ")[2] if new else None, said)
            return
        yield cause("shape_constraint", path, condition + (f", from {where}" if where else ""), new, said)
        return
    yield cause("unknown", None, None, failure.value, said)


def _other(old: str, new: str | None) -> str:
    return f"{old} (another object)" if old == new else old


def entries_of(failures: Sequence[GuardFailure]) -> Mapping[str, list[GuardFailure]]:
    """The failures by the cache entry whose guards they are, in the order of the recording."""
    found: dict[str, list[GuardFailure]] = {}
    for failure in failures:
        found.setdefault(failure.entry, []).append(failure)
    return found
