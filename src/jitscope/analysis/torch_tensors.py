"""What changed about a tensor, from the guard that compares it (``check_tensor(...)``) and what was there."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from jitscope.analysis.advice import cause
from jitscope.analysis.torch_types import plain_type
from jitscope.model.cause import Cause, CauseKind
from jitscope.model.events import GuardFailure
from jitscope.model.notation import array_text, short_dtype

_CHECK_TENSOR = re.compile(r"^check_tensor\((?P<source>.+?), (?P<type>\w+), DispatchKeySet\(")
_TENSOR = re.compile(
    r"(?P<type>\w+), DispatchKeySet\((?P<keys>[^)]*)\), (?P<dtype>torch\.\w+), device=(?P<device>\w+), "
    r"requires_grad=(?P<grad>\w+), size=\[(?P<size>[^\]]*)\](?:, stride=\[(?P<stride>[^\]]*)\])?"
)
_BACKEND = re.compile(r"^(?:Sparse\w*?|Quantized|Nested\w*?)(?=CPU|CUDA|Meta|XPU|MPS)")
_AUTOCAST = re.compile(r"(?:, )?Autocast\w+")


def is_tensor_guard(text: str) -> bool:
    """Whether a guard compares a tensor."""
    return _CHECK_TENSOR.match(text) is not None


def tensor_causes(text: str, failure: GuardFailure, path: str, said: str) -> Iterator[Cause]:
    """Every aspect of a tensor that differs, at ``path``; ``said`` is the evidence."""
    expected, actual = _TENSOR.search(text), _TENSOR.match(failure.value or "")
    module, captured = failure.origin == "module", failure.origin == "captured"
    if expected is None:
        yield cause("unknown", path, None, failure.value, said)
        return
    before = _array(expected)
    if actual is None:
        kind: CauseKind = "module_structure" if module else "captured_value" if captured else "python_type"
        yield cause(kind, path, before, plain_type(failure.value or ""), said)
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
