"""torch's guard failures, read: which argument each speaks of, and what kind of change it means.

The texts are those of torch 2.13's ``guard_failures`` and ``recompile_reasons``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from jitscope.model.cause import Cause, CauseKind

READ = 4000
"""Characters of a text that are read: one that lists all keys of a dict can be far longer."""

_ENTRY = re.compile(r"^(\d+/\d+): ")
_LOCAL = re.compile(r"\bL\['(\w+)'\]")
_PATH = r"[A-Za-z_][\w.]*(?:\[(?:'[^']*'|\"[^\"]*\"|\d+)\][\w.]*)*"
"""An argument and the way to one of its leaves: ``batch['x'][0].w``."""

_TENSOR = re.compile(r"^tensor '(?P<path>.+)' (?P<what>size|stride|rank|dtype|dispatch key set|requires_grad) mismatch")
_TENSOR_KINDS: dict[str, tuple[CauseKind, ...]] = {
    "size": ("shape",),
    "stride": ("layout",),
    "rank": ("rank",),
    "dtype": ("dtype",),
    "dispatch key set": ("device", "layout", "requires_grad"),
    "requires_grad": ("requires_grad",),
}
_FORMS: tuple[tuple[re.Pattern[str], tuple[CauseKind, ...]], ...] = (
    (re.compile(r"^expected type of '(?P<path>.+)' to be a tensor type"), ("python_type", "tree_structure")),
    (re.compile(rf"(?P<path>{_PATH})\.size\(\)\["), ("shape", "rank")),
    (re.compile(rf"(?P<path>{_PATH})\.(?:stride|storage_offset)\("), ("layout", "shape")),
    (re.compile(rf"^___check_type_id\((?P<path>{_PATH})"), ("python_type",)),
    (re.compile(rf"^___check_obj_id\((?P<path>{_PATH})"), ("static_value", "python_type")),
    (re.compile(rf"^list\(dict\.keys\((?P<path>{_PATH})\)\)"), ("tree_structure",)),
    (re.compile(rf"^(?:not )?___dict_contains\([^,]*, (?P<path>{_PATH})\)"), ("tree_structure",)),
    (re.compile(rf"^len\((?P<path>{_PATH})\) (?:==|!=|<|>)"), ("tree_structure", "argument_passing")),
    (re.compile(rf"^not (?P<path>{_PATH})$"), ("tree_structure", "argument_passing", "static_value")),
    (re.compile(rf"^(?P<path>{_PATH}) is (?:not )?None$"), ("python_type", "tree_structure")),
    (re.compile(rf"^(?P<path>{_PATH}) (?:==|!=|is|<=|<|>=|>) "), ("static_value", "python_type")),
)


class Guard(msgspec.Struct, frozen=True):
    """One guard that failed."""

    text: str
    """The framework's words, without the source line and the stack that follow them."""
    path: str | None = None
    """The argument or attribute it speaks of; None where that cannot be told."""
    kinds: tuple[CauseKind, ...] = ()
    """Kinds of change that it can mean, the likeliest first."""

    @property
    def entry(self) -> str | None:
        """The id of the cache entry that was rejected."""
        found = _ENTRY.match(self.text)
        return found[1] if found else None

    @property
    def bare(self) -> str:
        """The text without the id of the cache entry that was rejected."""
        return _ENTRY.sub("", self.text)


def parse_guard(evidence: str) -> Guard:
    """Read one text of torch's, with or without the id of the rejected entry before it (``0/0: ``)."""
    text = re.split(r"\n|  +#", evidence.strip(), maxsplit=1)[0].rstrip()
    # What a guard is about comes first; looking for it takes as long as the text's length, squared.
    bare = _LOCAL.sub(r"\1", _ENTRY.sub("", text[:READ]))
    tensor = _TENSOR.match(bare)
    if tensor:
        return Guard(text, tensor["path"], _TENSOR_KINDS[tensor["what"]])
    for pattern, kinds in _FORMS:
        found = pattern.search(bare)
        if found:
            return Guard(text, found["path"], kinds)
    return Guard(text)


def related(path: str | None, other: str | None) -> bool:
    """Whether two paths are the same, or one leads on to the other: ``xs`` and ``xs[2].w``."""
    if path is None or other is None:
        return False
    short, long = sorted((path, other), key=len)
    return long.startswith(short) and long[len(short) : len(short) + 1] in ("", ".", "[")


def matching(guard: Guard, causes: Sequence[Cause]) -> int | None:
    """Position of the cause that ``guard`` is evidence for: same path and kind before same path; None if none is."""
    same_path = [position for position, one in enumerate(causes) if related(guard.path, one.path)]
    for kind in guard.kinds:
        for position in same_path:
            if causes[position].kind == kind:
                return position
    # A guard stops at the first thing it finds: a stride that follows from a size, say.
    exact = [position for position in same_path if causes[position].path == guard.path]
    return next(iter(exact or same_path), None)
