"""Signatures beside each other: what tells several apart, and how two of them differ, leaf by leaf."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jitscope.model.notation import cut
from jitscope.model.signature import Leaf, Node, Signature, StaticLeaf, same_leaf
from jitscope.model.story import Difference

WHOLE_LEAVES = 4
"""Most leaves of a signature that its line shows one by one, whether or not they vary."""
PATTERNS = 4
"""Most groups of leaves that vary together in a signature's line."""

_LEAF = 120
"""Most characters of one leaf in a signature's line."""
_STRUCTURE = 200

_Key = tuple[str, int]


def legend(signatures: Sequence[Signature]) -> tuple[str, ...]:
    """One line for each signature, to tell them apart: first the leaves that vary most among them.

    Leaves that vary together are one: the first is shown, the others are counted, as are those that are alike in all.
    Signatures with few leaves are shown whole.
    """
    columns = [_by_path(signature) for signature in signatures]
    keys = list(dict.fromkeys(key for column in columns for key in column))
    patterns: dict[tuple[int, ...], list[_Key]] = {}
    for key in keys:
        values: dict[Leaf | None, int] = {}
        pattern = tuple(values.setdefault(column.get(key), len(values)) for column in columns)
        patterns.setdefault(pattern, []).append(key)
    alike = len(patterns.pop((0,) * len(signatures), ()))
    varying = sorted(patterns.values(), key=lambda group: -len({column.get(group[0]) for column in columns}))
    passing = len({tuple(column.values()) for column in columns}) < len(columns)
    whole = len(keys) <= WHOLE_LEAVES or not varying
    texts: list[str] = []
    for signature, column in zip(signatures, columns, strict=True):
        text = signature.text if whole else _line(column, varying, alike)
        texts.append(f"{text} ({_passing(signature)})" if passing else text)
    return tuple(texts)


def _line(column: Mapping[_Key, Leaf], varying: Sequence[Sequence[_Key]], alike: int) -> str:
    parts: list[str] = []
    for group in varying[:PATTERNS]:
        there = [column[key] for key in group if key in column]
        if there:
            parts.append(cut(there[0].text, _LEAF) + (f" (+{len(there) - 1} like it)" if len(there) > 1 else ""))
    rest = sum(key in column for group in varying[PATTERNS:] for key in group)
    parts += [f"… {rest} more"] if rest else []
    parts += [f"{alike} alike in all"] if alike else []
    return ", ".join(parts) or "()"


def differences(old: Signature | None, new: Signature) -> tuple[Difference, ...]:
    """Every leaf of two signatures, side by side, in the order of the new one's; then what differs beside them.

    Without ``old``, ``before`` is None throughout and nothing differs.
    """
    after = _by_path(new)
    if old is None:
        return tuple(Difference(leaf.path, None, leaf.type_text, differs=False) for leaf in after.values())
    before = _by_path(old)
    found = [_pair(before.get(key), leaf) for key, leaf in after.items()]
    found += [_pair(leaf, None) for key, leaf in before.items() if key not in after]
    containers = list(_containers(old, new))
    found += containers
    if (old.positional, old.keywords) != (new.positional, new.keywords):
        found.append(Difference("how they are passed", _passing(old), _passing(new), differs=True))
    if old.structure_digest != new.structure_digest and not any(one.differs for one in found):
        shown, now = cut(old.structure, _STRUCTURE), cut(new.structure, _STRUCTURE)
        found.append(Difference("containers", shown, _told_apart(shown, now, "another one"), differs=True))
    return tuple(found)


def _pair(old: Leaf | None, new: Leaf | None) -> Difference:
    known = new if new is not None else old
    assert known is not None
    before = old.type_text if old is not None else None
    now = new.type_text if new is not None else None
    if old is not None and new is not None and not same_leaf(old, new) and before is not None and now is not None:
        before, now = _typed(old, new, before), _typed(new, old, now)
        now = _told_apart(before, now, "another object" if _identity(old) != _identity(new) else "differs further on")
    return Difference(known.path, before, now, differs=not same_leaf(old, new))


def _typed(leaf: Leaf, other: Leaf, text: str) -> str:
    """The text, with the type where the values alone do not show what differs: ``1 (int)`` and ``1 (bool)``."""
    if isinstance(leaf, StaticLeaf) and not (isinstance(other, StaticLeaf) and leaf.type == other.type):
        return text if leaf.type == "NoneType" else f"{text} ({leaf.type})"
    return text


def _identity(leaf: Leaf) -> int | None:
    return leaf.identity if isinstance(leaf, StaticLeaf) else None


def _told_apart(before: str, now: str, how: str) -> str:
    return now if before != now else f"{now} ({how})"


def _containers(old: Signature, new: Signature) -> list[Difference]:
    """The containers of another type or with other metadata."""
    before = {node.path: node for node in old.nodes}
    found: list[Difference] = []
    for node in new.nodes:
        other = before.get(node.path)
        if other is not None and other.key != node.key:
            shown, now = _node(other), _node(node)
            told = _told_apart(shown, now, "another object")
            found.append(Difference(f"{node.path or 'the arguments'} (container)", shown, told, differs=True))
    return found


def _node(node: Node) -> str:
    return f"{node.type}({node.metadata})" if node.metadata else node.type


def _passing(signature: Signature) -> str:
    named = [f"{', '.join(signature.keywords)} by keyword"] if signature.keywords else []
    return ", ".join([f"{signature.positional} by position", *named])


def _by_path(signature: Signature) -> dict[_Key, Leaf]:
    """Leaves by path; a path that occurs several times is told apart by its occurrence."""
    found: dict[_Key, Leaf] = {}
    seen: dict[str, int] = {}
    for leaf in signature.leaves:
        found[leaf.path, seen.setdefault(leaf.path, 0)] = leaf
        seen[leaf.path] += 1
    return found
