"""A compilation with what it refers to, and the earlier one that it differs least from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from jitscope.analysis.diff import distance
from jitscope.model.events import CompilationEvent, FunctionEvent
from jitscope.model.signature import Signature


class Compiled(msgspec.Struct, frozen=True):
    """A compilation with what it refers to."""

    event: CompilationEvent
    function: FunctionEvent
    signature: Signature | None
    settings: Mapping[str, str] | None = None
    """Configuration and contexts, by name; None where they were not recorded."""

    @property
    def owner(self) -> tuple[object, ...]:
        """The function object that was compiled, with its options: what JAX's caches belong to."""
        options = self.function.options
        return (self.body, tuple(sorted(options.items())) if options else ())

    @property
    def body(self) -> tuple[object, ...]:
        """The function object alone: two jits of one function have the same."""
        return (self.function.body or -self.function.id, self.event.maker)


def program_key(one: Compiled) -> tuple[object, ...]:
    """What is compiled once: a program of a source function, as called or under a transformation."""
    # Of torch's code objects each has a cache of its own, and of JAX's eager operations, with their parameters; JAX's
    # function objects of one source are told as one.
    shared = one.event.framework == "jax" and not one.event.library
    made = one.event.maker[: 2 if shared else 3] if one.event.maker is not None else None
    # Ahead of time the same program is compiled as in a call.
    under = None if one.event.under == "aot" else one.event.under
    return (one.function.source, one.event.program, under, made)


def settings_changed(old: Mapping[str, str] | None, new: Mapping[str, str] | None) -> list[str]:
    """Names of the settings that differ, sorted; none where one side was not recorded."""
    if old is None or new is None:
        return []
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def nearest_compiled(one: Compiled, earlier: Sequence[Compiled]) -> Compiled | None:
    """The earlier compilation that differs least, in arguments and settings; of several, the most recent.

    Those of the same function object with the same options count before those with others, and these before those of
    another object.
    """
    same = [other for other in earlier if other.owner == one.owner]
    same = same or [other for other in earlier if other.body == one.body]
    best: Compiled | None = None
    least: tuple[int, int] | None = None
    for other in reversed(same or earlier):
        found = _apart(other, one)
        if best is None or (found is not None and (least is None or found < least)):
            best, least = other, found
        if least == (0, 0):
            break
    return best


def _apart(old: Compiled, new: Compiled) -> tuple[int, int] | None:
    if old.signature is None or new.signature is None:
        return None
    settings = len(settings_changed(old.settings, new.settings))
    if old.signature is new.signature:
        return settings, settings
    leaves, aspects = distance(old.signature, new.signature)
    return leaves + settings, aspects + settings
