"""The signatures of a function side by side: only what is not the same in all of them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from jitscope.model.events import SignatureEvent
from jitscope.model.notation import cut
from jitscope.model.signature import Signature

PATHS = 24
"""Most paths that differ, and most that do not, that are listed."""
TEXT = 200
"""Longest text of a value, in characters."""
PASSED = "(passed)"
OPTIONS = "(options)"
CONTAINERS = "(containers)"


class SignatureRow(msgspec.Struct, frozen=True):
    """One signature."""

    signature: int
    values: tuple[str | None, ...]
    """At each path of the table; None: nothing is there."""


class SamePath(msgspec.Struct, frozen=True):
    """What all signatures have in common."""

    path: str
    text: str


class SignatureTable(msgspec.Struct, frozen=True):
    """The signatures of one function."""

    function: int
    paths: tuple[str, ...]
    """Where they differ, in the order of the arguments."""
    rows: tuple[SignatureRow, ...]
    same: tuple[SamePath, ...]
    more_paths: int
    """Paths that differ and are not listed."""
    more_same: int


def signature_table(function: int, events: Sequence[SignatureEvent]) -> SignatureTable:
    """Lay the signatures of ``function`` side by side."""
    found = [(event.id, _cells(event.signature)) for event in events]
    paths = dict.fromkeys(path for _, cells in found for path in cells)
    differ, same = [], []
    for path in paths:
        first = found[0][1].get(path)
        if first is not None and all(cells.get(path) == first for _, cells in found):
            same.append(SamePath(cut(path), first))
        else:
            differ.append(path)
    return SignatureTable(
        function=function,
        paths=tuple(cut(path) for path in differ[:PATHS]),
        rows=tuple(SignatureRow(one, tuple(cells.get(path) for path in differ[:PATHS])) for one, cells in found),
        same=tuple(same[:PATHS]),
        more_paths=max(len(differ) - PATHS, 0),
        more_same=max(len(same) - PATHS, 0),
    )


def _cells(signature: Signature) -> dict[str, str]:
    """What is at each path, and what belongs to no path where there is something of it."""
    cells = {leaf.path: cut(leaf.type_text, TEXT) for leaf in signature.leaves}
    if signature.nodes or signature.structure:
        containers = ", ".join(f"{node.path}: {node.text}" for node in signature.nodes) or signature.structure
        cells[CONTAINERS] = cut(containers, TEXT)
    if signature.keywords or signature.positional:
        cells[PASSED] = f"{signature.positional} by position" + "".join(f", {name}=" for name in signature.keywords)
    if signature.options:
        cells[OPTIONS] = cut(", ".join(signature.options), TEXT)
    return cells
