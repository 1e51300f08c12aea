"""From the text of a static value to the value, where it is certain: literals, dtypes, members of enumerations.

Texts come from recordings, which anybody may have written: nothing is evaluated, and what is not recognised is refused.
"""

from __future__ import annotations

import re
from typing import Any

from jitscope.model.notation import TEXT_LIMIT, cut, long_dtype, printable, short_dtype
from jitscope.model.signature import StaticLeaf
from jitscope.model.specs import CannotRebuildError, Foreign, Member, Spec, Value
from jitscope.model.steps import literal

_RANGE = re.compile(r"range\((?P<start>-?\d{1,18}), (?P<stop>-?\d{1,18})(?:, (?P<step>-?\d{1,18}))?\)", re.ASCII)
_SLICE = re.compile(r"slice\((?P<parts>(?:(?:None|-?\d{1,18})(?:, |(?=\)))){3})\)", re.ASCII)
_TORCH_DTYPE = re.compile(r"torch\.(?P<name>\w+)", re.ASCII)
_TORCH_DEVICE = re.compile(r"device\(type='(?P<type>[a-z]+)'(?:, index=(?P<index>\d{1,4}))?\)", re.ASCII)
_NUMPY_DTYPE = re.compile(r"dtype\('(?P<name>[a-z]\w*)'\)", re.ASCII)
_DTYPE_CLASS = re.compile(r"<class (?P<name>[a-z]\w*)>", re.ASCII)
_MEMBER = re.compile(r"(?P<type>[^\W\d]\w*(?:\.[^\W\d]\w*)*)\.(?P<name>[^\W\d]\w*)", re.ASCII)
_NUMPY_SCALARS = frozenset(
    {"bool", "bool_", "float16", "float32", "float64", "bfloat16"}
    | {f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)}
)
DEVICES = frozenset({"cpu", "cuda", "xpu", "mps", "meta", "hpu", "mtia", "xla"})


def static_spec(leaf: StaticLeaf) -> Spec:
    """What ``leaf`` is to be built from; its type may be empty, where it was not recorded.

    Raises:
        CannotRebuildError: its text does not tell the value for certain.
    """
    text = leaf.value
    if leaf.digest is not None or len(text) > TEXT_LIMIT or text.endswith("…"):
        raise CannotRebuildError(leaf.path, f"its text was cut at {TEXT_LIMIT} characters")
    foreign = _foreign(leaf)
    if foreign is not None:
        return foreign
    try:
        value = _literal(text, leaf.type)
    except ValueError:
        member = _MEMBER.fullmatch(text)
        if member is not None and leaf.type in ("", member["type"]):
            return Member(member["type"], member["name"])
        kind = f"a {leaf.type}, " if leaf.type else ""
        shown = printable(cut(text, 60))
        raise CannotRebuildError(leaf.path, f"is {kind}{shown}: no literal") from None
    if leaf.type and type(value).__qualname__ != leaf.type:
        if leaf.type in _NUMPY_SCALARS and isinstance(value, (bool, int, float)):
            return Foreign("numpy.scalar", leaf.type, value)
        raise CannotRebuildError(leaf.path, f"is a {printable(leaf.type)}, and its text that of another type")
    return Value(value)


def _literal(text: str, kind: str) -> Any:
    if text in ("inf", "-inf", "nan") and kind in ("float", ""):
        return float(text)
    ranged = _RANGE.fullmatch(text)
    if ranged is not None:
        return range(int(ranged["start"]), int(ranged["stop"]), int(ranged["step"] or 1))
    sliced = _SLICE.fullmatch(text)
    if sliced is not None:
        return slice(*(None if part == "None" else int(part) for part in sliced["parts"].split(", ")))
    return literal(text)


def _foreign(leaf: StaticLeaf) -> Foreign | None:
    text, kind = leaf.value, leaf.type
    found = _TORCH_DTYPE.fullmatch(text)
    if found is not None and kind in ("dtype", "") and _is_dtype(found["name"]):
        return Foreign("torch.dtype", found["name"])
    found = _TORCH_DEVICE.fullmatch(text)
    if found is not None and kind in ("device", "") and found["type"] in DEVICES:
        return Foreign("torch.device", found["type"] + (f":{found['index']}" if found["index"] else ""))
    found = _NUMPY_DTYPE.fullmatch(text)
    if (
        found is not None
        and (kind.endswith("DType") or kind in ("dtype", "dtype[floating]", ""))
        and _is_dtype(found["name"])
    ):
        return Foreign("numpy.dtype", found["name"])
    found = _DTYPE_CLASS.fullmatch(text)
    if found is not None and kind == "_ScalarMeta" and _is_dtype(found["name"]):
        return Foreign("jax.dtype", found["name"])
    return None


def _is_dtype(name: str) -> bool:
    return long_dtype(short_dtype(name)) == name
