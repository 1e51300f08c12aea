"""torch's guards that a call did not pass, read: what changed, at which path, from what to what.

Each `GuardFailure` holds the guard's text as torch 2.13 writes it and what was there instead. One entry of the cache
is one set of guards; `causes_of_guards` reads one entry's.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import product

import msgspec

from jitscope.analysis.advice import cause
from jitscope.analysis.global_state import state_causes
from jitscope.analysis.guards import related
from jitscope.model.cause import Cause, CauseKind
from jitscope.model.events import GuardFailure
from jitscope.model.notation import array_text, cut, short_dtype
from jitscope.model.signature import Signature, StaticLeaf

_CHECK_TENSOR = re.compile(r"^check_tensor\((?P<source>.+?), (?P<type>\w+), DispatchKeySet\(")
_TENSOR = re.compile(
    r"(?P<type>\w+), DispatchKeySet\((?P<keys>[^)]*)\), (?P<dtype>torch\.\w+), device=(?P<device>\w+), "
    r"requires_grad=(?P<grad>\w+), size=\[(?P<size>[^\]]*)\](?:, stride=\[(?P<stride>[^\]]*)\])?"
)
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

_ROOT = re.compile(r"\b[LG]\['(\w+)'\]")
_HELD = re.compile(r"\.(?:_modules|_parameters|_buffers|_\w*hooks\w*)(?:\[[^\]]*\])*$")
_DICTS = re.compile(r"\.__dict__\['(_modules|_parameters|_buffers)'\]")
_MEMBER = re.compile(r"\.(?:_modules|_parameters|_buffers)\['([^']*)'\]")
_ATTRIBUTE = re.compile(r"\.__dict__\['(\w+)'\]")
_CONTAINERS = frozenset(
    {"tuple", "list", "dict", "set", "frozenset", "OrderedDict", "defaultdict", "deque", "mappingproxy"}
)
_PLAIN = frozenset({"int", "float", "complex", "bool", "str", "NoneType"})
_BACKEND = re.compile(r"^(?:Sparse\w*?|Quantized|Nested\w*?)(?=CPU|CUDA|Meta|XPU|MPS)")
_GONE = "absent"
_MANY = 8
"""From how many changed parameters on they are told as the module that holds them."""
_ANOTHER = "another "
"""Begins the text of an object that its guard knows by address only."""
_AUTOCAST = re.compile(r"(?:, )?Autocast\w+")


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
    names = _Names(signature, wrapped=wrapped, defaults=defaults, parameters=parameters)
    known = {leaf.path: leaf for leaf in before.leaves} if before is not None else {}
    found: dict[tuple[CauseKind, str | None], Cause] = {}
    for failure in failures:
        for one in _causes(failure, names):
            leaf = known.get(one.path or "")
            if one.kind == "static_value" and isinstance(leaf, StaticLeaf) and (one.old or "").startswith(_ANOTHER):
                one = msgspec.structs.replace(one, old=_other(leaf.value, one.new))  # noqa: PLW2901
            found.setdefault((one.kind, one.path), one)
    return _merged(_without_followers(list(found.values())))


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


class _Names:
    """From torch's sources to the user's names."""

    def __init__(
        self,
        signature: Signature | None,
        *,
        wrapped: bool,
        defaults: Collection[str],
        parameters: Sequence[str] | None,
    ) -> None:
        self._wrapped = wrapped
        self._parameters = parameters
        self._defaults = defaults
        self._arguments = (
            list(dict.fromkeys(found[0] for leaf in signature.leaves if (found := re.match(r"\w+", leaf.path))))
            if signature is not None
            else []
        )

    def path(self, source: str) -> str:
        """``L['fn']._modules['1'].training`` → ``self[1].training``; of an expression, each source in it."""
        text = re.sub(r"___from_numpy\(([^()]+)\)", r"\1", source)
        text = re.sub(r"\bdict\((type\([^()]*\))\.__dict__\)\['(\w+)'\]", r"\1.\2", text)
        text = _ROOT.sub(r"\1", text)
        text = _DICTS.sub(r".\1", text)
        text = _MEMBER.sub(lambda found: f"[{found[1]}]" if found[1].isdigit() else f".{found[1]}", text)
        text = _ATTRIBUTE.sub(r".\1", text).replace(".__dict__", "").removesuffix(".__code__")
        text = re.sub(r"\b__import_(\w+)", lambda found: found[1].replace("_dot_", "."), text)
        if self._wrapped:
            text = re.sub(r"\bfn\b", "self", text)
        if self._parameters is None or not {"args", "kwargs"} & set(self._parameters):
            # A wrapper's arguments: the signature calls them as the function inside does.
            text = re.sub(r"\bargs\[(\d+)\]", lambda found: self._argument(int(found[1]), found[0]), text)
            text = re.sub(r"\bkwargs\['(\w+)'\]", lambda found: self._keyword(found[1], found[0]), text)
        return text

    def in_order(self, paths: Collection[str]) -> list[str]:
        """Paths in the order of the arguments that they start with."""
        known = list(self._parameters or self._arguments)
        roots = {path: re.match(r"\w+", path) for path in paths}
        place = {
            path: known.index(root[0]) if root and root[0] in known else len(known) for path, root in roots.items()
        }
        return sorted(paths, key=lambda path: (place[path], path))

    def left_out(self, path: str) -> bool:
        """Whether the call left the parameter that a path starts with to its default."""
        root = re.match(r"\w+", path)
        return root is not None and root[0] in self._defaults and root[0] not in self._arguments

    def _argument(self, index: int, text: str) -> str:
        known = self._arguments if self._parameters is None else self._parameters
        return known[index] if index < len(known) else text

    def _keyword(self, name: str, text: str) -> str:
        return name if name in self._arguments or name in (self._parameters or ()) else text


def _causes(failure: GuardFailure, names: _Names) -> Iterator[Cause]:
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
    if _CHECK_TENSOR.match(text):
        yield from _tensor_causes(text, failure, path, said)
        return
    kind_of = _Kinds(failure.origin, path, default=failure.origin == "argument" and names.left_out(path))
    for pattern in (_TYPE, _OBJECT):
        found = pattern.match(text)
        if found is None:
            continue
        old, new = (found["type"] or "object").rsplit(".", 1)[-1], failure.value
        if pattern is _TYPE:
            new = _plain_type(new or "")
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
        yield cause(kind, whole, "present", _GONE, said)
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
        before, after = _type_of(old), failure.type or _type_of(new)
        if old in ("None", "not None") or (before and after and before != after) or new.startswith("<class '"):
            yield cause(kind_of.type_change(before, after), kind_of.path, old, _plain_type(new), said)
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


def _relation(text: str, failure: GuardFailure, names: _Names, said: str) -> Iterator[Cause]:
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


def _tensor_causes(text: str, failure: GuardFailure, path: str, said: str) -> Iterator[Cause]:
    expected, actual = _TENSOR.search(text), _TENSOR.match(failure.value or "")
    module, captured = failure.origin == "module", failure.origin == "captured"
    if expected is None:
        yield cause("unknown", path, None, failure.value, said)
        return
    before = _array(expected)
    if actual is None:
        kind: CauseKind = "module_structure" if module else "captured_value" if captured else "python_type"
        yield cause(kind, path, before, _plain_type(failure.value or ""), said)
        return
    after = _array(actual)
    changes = list(_tensor_changes(expected, actual, before, after))
    if not changes and "inference_mode=True" in (failure.value or ""):
        yield cause("config", "inference_mode", "False", "True", said)
        return
    if not changes and "ADInplaceOrView" in expected["keys"] and "Autograd" not in expected["keys"]:
        # An ordinary tensor without autograd's key: inference mode took it away when the entry was made.
        yield cause("config", "inference_mode", "True", "False", said)
        return
    if not changes:
        # Keys of the thread (autocast) are part of what is compared: the global state says it.
        yield cause("unknown", path, before, f"{after}, by the thread's dispatch keys", said)
        return
    for kind, old, new in changes:
        if captured:
            yield cause("captured_value", path, old, new, said)
        elif module:
            yield cause("module_structure", path, old, new, said)
        else:
            yield cause(kind, path, old, new, said)


def _tensor_changes(
    expected: re.Match[str], actual: re.Match[str], before: str, after: str
) -> Iterator[tuple[CauseKind, str, str]]:
    if expected["type"] != actual["type"]:
        yield "python_type", expected["type"], actual["type"]
    sizes, now = _sizes(expected["size"]), _sizes(actual["size"])
    if len(sizes) != len(now):
        yield "rank", before, after
    elif any(one not in (None, other) for one, other in zip(sizes, now, strict=True)):
        yield "shape", before, after
    if expected["dtype"] != actual["dtype"]:
        yield "dtype", before, after
    if expected["grad"] != actual["grad"]:
        yield "requires_grad", f"requires_grad={expected['grad']}", f"requires_grad={actual['grad']}"
    yield from _key_changes(expected, actual)
    if len(sizes) == len(now) and _stride_changed(expected, actual, sizes, now):
        yield "layout", f"stride={expected['stride'].replace(' ', '')}", f"stride={actual['stride'].replace(' ', '')}"


def _key_changes(expected: re.Match[str], actual: re.Match[str]) -> Iterator[tuple[CauseKind, str, str]]:
    """What the dispatch keys tell: device and layout in the first, autograd in the rest."""
    old, new = ([key.strip() for key in _AUTOCAST.sub("", one["keys"]).split(",")] for one in (expected, actual))
    if not any(old) or not any(new):
        return
    device = (expected["device"], actual["device"])
    backend = [_BACKEND.sub("", one[0]) for one in (old, new)]
    if backend[0] != backend[1] or device[0] != device[1]:
        yield "device", _device(backend[0], device[0]), _device(backend[1], device[1])
    elif old[0] != new[0]:
        yield "layout", old[0], new[0]
    for view in ("Conjugate", "Negative"):
        if (view in old) != (view in new):
            texts = [f"a {view.lower()} view" if view in one else f"no {view.lower()} view" for one in (old, new)]
            yield "layout", texts[0], texts[1]
    inference = tuple("ADInplaceOrView" not in one for one in (old, new))
    if backend[0] == backend[1] and old[0] == new[0] and inference[0] != inference[1]:
        texts = ["inference tensor" if one else "ordinary tensor" for one in inference]
        yield "requires_grad", texts[0], texts[1]


def _device(backend: str, index: str) -> str:
    name = backend.lower()
    return name if index == "None" else f"{name}:{index}"


def _stride_changed(
    expected: re.Match[str], actual: re.Match[str], sizes: Sequence[int | None], now: Sequence[int | None]
) -> bool:
    """Whether the order of the axes in memory differs; strides that only follow other sizes do not count."""
    old, new = _sizes(expected["stride"] or ""), _sizes(actual["stride"] or "")
    if len(old) != len(new) or all(one in (None, other) for one, other in zip(old, new, strict=True)):
        return False
    if list(sizes) == list(now):
        return True
    if None in old or None in sizes:
        return any(one not in (None, other) for one, other in zip(old, new, strict=True)) and not _contiguous(now, new)
    return _contiguous(sizes, old) != _contiguous(now, new) or (
        not _contiguous(sizes, old) and _order(old) != _order(new)
    )


def _contiguous(sizes: Sequence[int | None], strides: Sequence[int | None]) -> bool:
    expected = 1
    for size, stride in zip(reversed(sizes), reversed(strides), strict=True):
        if size != 1 and stride != expected:
            return False
        expected *= size or 1
    return True


def _order(strides: Sequence[int | None]) -> list[int]:
    return sorted(range(len(strides)), key=lambda axis: strides[axis] or 0)


def _sizes(text: str) -> list[int | None]:
    return [int(one) if one.strip().lstrip("-").isdigit() else None for one in text.split(",") if one.strip()]


def _array(tensor: re.Match[str]) -> str:
    sizes = ["$" if size is None else size for size in _sizes(tensor["size"])]
    return array_text(short_dtype(tensor["dtype"]), sizes)


def _plain_type(text: str) -> str:
    """``<class 'a.b.C'>`` → ``C``."""
    return re.sub(r"^<class '(?:.*\.)?([^'.]+)'>$", r"\1", text)


def _type_of(text: str) -> str:
    """The type of a value that is written as Python writes it; empty where that can't be told."""
    if text in ("inf", "-inf", "nan"):
        return "float"
    try:
        return type(ast.literal_eval(text)).__name__
    except (ValueError, SyntaxError):
        return ""


def _other(old: str, new: str | None) -> str:
    return f"{old} (another object)" if old == new else old


def _without_followers(causes: list[Cause]) -> list[Cause]:
    """Leave out what only follows from another cause."""
    kinds = {one.kind for one in causes}
    if "config" in kinds:
        # Under autocast a tensor shows other dispatch keys: the setting is the cause.
        causes = [one for one in causes if not (one.kind == "unknown" and "dispatch keys" in (one.new or ""))]
    if any(one.kind == "config" and one.path == "grad_mode" for one in causes):
        # Inference mode switches the grad mode off as well; torch names that.
        causes = [one for one in causes if (one.kind, one.path) != ("config", "inference_mode")]
    told = [one.path for one in causes if one.new != _GONE]
    # That an item is gone is told by a guard on its container, where there is one.
    causes = [one for one in causes if one.new != _GONE or not any(related(one.path, path) for path in told)]
    layouts = {one.path for one in causes if one.kind == "layout"}
    # Which stride equals which size follows from the layout.
    causes = [
        one
        for one in causes
        if not (one.kind == "shape_constraint" and one.path in layouts and ".stride()" in (one.old or ""))
    ]
    aliases = {one.path for one in causes if one.kind in ("static_value", "python_type", "captured_value")}
    return [one for one in causes if not (one.kind == "aliasing" and _about(one, aliases))]


def _about(alias: Cause, changed: set[str | None]) -> bool:
    """Whether one side of an identity is a value that changed: then that is the news."""
    texts = (alias.path or "", (alias.old or "").partition(" as ")[2], (alias.old or "").partition(" than ")[2])
    return any(text and text in changed for text in texts)


def _merged(causes: Sequence[Cause]) -> list[Cause]:
    """Modules that were switched together, or whose parameters all changed, are told as the one that holds them."""
    merged = list(causes)
    roots = list(dict.fromkeys(_root(one) for one in causes))
    for root, (kind, least) in product(roots, (("training_mode", 2), ("module_structure", _MANY))):
        same = [one for one in merged if one.kind == kind and _root(one) == root]
        if len(same) < least:
            continue
        first = msgspec.structs.replace(same[0], path=common_path([one.path or "" for one in same]))
        if kind == "module_structure":
            first = msgspec.structs.replace(first, old=f"{len(same)} of its tensors: {first.old}")
        merged = [first if one is same[0] else one for one in merged if one is same[0] or one not in same]
    return merged


def _root(one: Cause) -> str:
    """The variable that a path starts with."""
    found = re.match(r"\w+", one.path or "")
    return found[0] if found is not None else ""


def common_path(paths: Sequence[str]) -> str:
    """The longest path that leads to all: ``["self.a.b", "self.a.c"]`` → ``self.a``."""
    steps = [re.findall(r"^\w+|\.\w+|\[[^\]]*\]", path) for path in paths]
    shared: list[str] = []
    for column in zip(*steps, strict=False):
        if len(set(column)) > 1:
            break
        shared.append(column[0])
    return "".join(shared) or paths[0]


def entries_of(failures: Sequence[GuardFailure]) -> Mapping[str, list[GuardFailure]]:
    """The failures by the cache entry whose guards they are, in the order of the recording."""
    found: dict[str, list[GuardFailure]] = {}
    for failure in failures:
        found.setdefault(failure.entry, []).append(failure)
    return found
