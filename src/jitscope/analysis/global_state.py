"""torch's global state in Dynamo's guards: which setting changed, by the name that Dynamo itself uses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from jitscope.analysis.advice import cause
from jitscope.model.cause import Cause

_DEVICES = ("cpu", "cuda", "mtia", "maia", "xpu", "ipu", "hpu", "xla", "privateuseone", "mps")
"""The order of autocast's states (torch 2.13, ``at::autocast::_AUTOCAST_SUPPORTED_DEVICES``)."""
_DTYPES = {5: "float16", 6: "float32", 7: "float64", 15: "bfloat16"}
"""``at::ScalarType``."""
_CHANGED = re.compile(r"GLOBAL_STATE changed: (?P<names>.+)")


def state_causes(text: str, now: str | None, evidence: str) -> Iterator[Cause]:
    """The settings in which a guard's state (``___check_global_state() against {...}``) differs from the state ``now``.

    Both are JSON; where one can't be read, the cause is the global state as a whole.
    """
    expected, actual = _read(text.partition(" against ")[2]), _read(now or "")
    if expected is None or actual is None:
        yield cause("config", "global state", evidence=evidence)
        return
    for name, old in expected.items():
        new = actual.get(name)
        if old != new:
            yield cause("config", name, _text(name, old), _text(name, new), evidence)


def names_in_reason(evidence: str) -> list[str]:
    """The settings that torch names itself: ``GLOBAL_STATE changed: grad_mode num_threads`` → both."""
    found = _CHANGED.search(evidence)
    return found["names"].split() if found else []


def _read(text: str) -> dict[str, Any] | None:
    """A state as settings by name: ``autocast(cpu)_enabled``, ``grad_mode``."""
    try:
        state, _ = json.JSONDecoder().raw_decode(text)
    except ValueError:
        return None
    if not isinstance(state, dict):
        return None
    flat: dict[str, Any] = {}
    for name, value in state.items():
        if name != "autocast_state" or not isinstance(value, dict):
            flat[name] = value
            continue
        flat["autocast_cache_enabled"] = value.get("cached_enabled")
        for field in ("enabled", "dtype"):
            for index, one in enumerate(value.get(field, ())):
                device = _DEVICES[index] if index < len(_DEVICES) else str(index)
                flat[f"autocast({device})_{field}"] = one
    return flat


def _text(name: str, value: object) -> str:
    if name.endswith("dtype") and isinstance(value, int):
        return _DTYPES.get(value, f"ScalarType {value}")
    return str(value)
