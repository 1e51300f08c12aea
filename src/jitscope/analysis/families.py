"""Families: signatures that differ only in the sizes of some axes, written ``x: f32[$,128]``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import msgspec

from jitscope.model.notation import array_text, cut
from jitscope.model.report import FamilyReport
from jitscope.model.signature import TEXT_LEAVES, ArrayLeaf, Signature, StaticLeaf

ALIKE_LEAVES = 3
"""Most leaves without a varying axis that a family's text shows; of more, the number is told."""


def families(signatures: Mapping[int, Signature], seconds: Mapping[int, float]) -> tuple[FamilyReport, ...]:
    """Collapse signatures into families, the costliest first; a signature like no other makes none.

    ``seconds`` is what compiling for each signature took, by id.
    """
    groups: dict[tuple[object, ...], list[int]] = {}
    for identity, signature in signatures.items():
        groups.setdefault(shape_free(signature), []).append(identity)
    found = [
        FamilyReport(
            text=family_text([signatures[member] for member in members]),
            signatures=len(members),
            compile_seconds=sum(seconds.get(member, 0.0) for member in members),
        )
        for members in groups.values()
        if len(members) > 1
    ]
    return tuple(sorted(found, key=lambda family: -family.compile_seconds))


def family_text(members: Sequence[Signature]) -> str:
    """One line for a family: axes whose sizes differ are ``$``; leaves that differ are shown before the others."""
    varying: list[str] = []
    constant: list[str] = []
    for column in zip(*(member.leaves for member in members), strict=True):
        first = column[0]
        if isinstance(first, StaticLeaf):
            constant.append(cut(first.text, 120))
            continue
        shapes = [leaf.shape for leaf in column if isinstance(leaf, ArrayLeaf)]
        sizes = [axis[0] if len(set(axis)) == 1 else "$" for axis in zip(*shapes, strict=True)]
        plain = first.type_text if "$" not in sizes else msgspec.structs.replace(first, stride=None).type_text
        # Only the shape is replaced: what follows it (weak type, sharding) is the same in all members.
        shown = plain.replace(array_text(first.dtype, first.shape), array_text(first.dtype, sizes), 1)
        (varying if "$" in sizes else constant).append(cut(f"{first.path}: {shown}", 120))
    if varying and len(constant) > ALIKE_LEAVES:
        more = [f"… {len(varying) - TEXT_LEAVES} more"] if len(varying) > TEXT_LEAVES else []
        return ", ".join([*varying[:TEXT_LEAVES], *more, f"{len(constant)} leaves alike"])
    if len(varying) + len(constant) > TEXT_LEAVES:
        shown_leaves = (varying + constant)[:TEXT_LEAVES]
        return f"{', '.join(shown_leaves)}, … {len(varying) + len(constant) - TEXT_LEAVES} more"
    order = [leaf.path for leaf in members[0].leaves]
    return ", ".join(sorted(varying + constant, key=lambda text: _position(text, order))) or "()"


def _position(text: str, order: Sequence[str]) -> int:
    return next((n for n, path in enumerate(order) if text.startswith((f"{path}: ", f"{path}="))), len(order))


@lru_cache(maxsize=1 << 14)
def _sizeless(leaf: ArrayLeaf) -> tuple[object, ...]:
    return msgspec.structs.replace(leaf, shape=(), stride=None), len(leaf.shape), leaf.stride is None


def shape_free(signature: Signature) -> tuple[object, ...]:
    """All of a signature but sizes and strides: what the signatures of one family have in common."""
    leaves = tuple([_sizeless(leaf) if isinstance(leaf, ArrayLeaf) else leaf for leaf in signature.leaves])
    return (leaves, signature.structure_digest, signature.positional, signature.keywords)
