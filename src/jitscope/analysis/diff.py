"""What differs between two signatures: every leaf, every aspect."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import ne
from typing import NamedTuple

import msgspec

from jitscope.analysis.advice import cause
from jitscope.model.cause import Cause
from jitscope.model.events import Framework
from jitscope.model.notation import array_text, cut
from jitscope.model.signature import ArrayLeaf, Leaf, Node, Signature, StaticLeaf, same_leaf

_EXCERPT = 60
"""Most characters of a container structure that are shown."""
_MOST_MOVED = 16
"""Most leaves and containers that appeared or went which are told one by one."""


def diff_signatures(
    old: Signature, new: Signature, *, framework: Framework = "jax", defaults: Collection[str] | None = None
) -> tuple[Cause, ...]:
    """Every difference between two signatures, in the order of the new one's leaves.

    Leaves are matched by path. One leaf can give several causes (dtype and shape both); what appeared or went with a
    container is one cause, that of the container, and of more than `_MOST_MOVED` leaves the rest is counted. The
    result is empty exactly where the two signatures are the same to the cache. ``defaults`` are the parameters that
    have one; None where that is not known: then each could.
    """
    if old.nodes == new.nodes and [leaf.path for leaf in old.leaves] == [leaf.path for leaf in new.leaves]:
        return _diff_alike(old, new, framework)
    before, after = _by_path(old.leaves), _by_path(new.leaves)
    passed_otherwise = (old.positional, old.keywords) != (new.positional, new.keywords)
    causes: list[Cause] = []
    for key, leaf in after.items():
        other = before.get(key)
        if other is not None and other is not leaf and not same_leaf(other, leaf):
            causes.extend(_leaf_causes(other, leaf, framework))
    changed = dict(_node_causes(old, new))
    moved = list(_moved(old, new, before, after, {path for path, whole in changed if whole}))
    told = [_moved_cause(one, old, new, passed_otherwise, defaults) for one in moved[:_MOST_MOVED]]
    if len(moved) > _MOST_MOVED:
        told.append(_rest(moved[_MOST_MOVED:], old, new))
    renamed = {node.path for node in new.nodes if node.type == "OrderedDict"}
    for (path, _), found in changed.items():
        if path not in renamed or not any(_leads_to(path, one.path) for one in moved):
            causes.extend(found)
    causes = [*told, *causes]
    order = {path: n for n, (path, _) in reversed(list(enumerate(after)))}
    causes.sort(key=lambda one: order.get(one.path or "", len(order)))
    return _with_what_is_beside(causes, old, new, passed_otherwise=passed_otherwise and not moved)


def _diff_alike(old: Signature, new: Signature, framework: Framework) -> tuple[Cause, ...]:
    """The difference where the containers and the paths of the leaves are the same: almost always."""
    causes: list[Cause] = []
    for other, leaf in zip(old.leaves, new.leaves, strict=True):
        if other is not leaf and not same_leaf(other, leaf):
            causes.extend(_leaf_causes(other, leaf, framework))
    if len({leaf.path for leaf in new.leaves}) < len(new.leaves):
        order = {leaf.path: n for n, leaf in reversed(list(enumerate(new.leaves)))}
        causes.sort(key=lambda one: order.get(one.path or "", len(order)))
    passed_otherwise = (old.positional, old.keywords) != (new.positional, new.keywords)
    return _with_what_is_beside(causes, old, new, passed_otherwise=passed_otherwise)


def _with_what_is_beside(
    causes: list[Cause], old: Signature, new: Signature, *, passed_otherwise: bool
) -> tuple[Cause, ...]:
    if old.options != new.options:
        causes += options_changed(*(dict(text.split("=", 1) for text in one.options) for one in (old, new)))
    if passed_otherwise:
        causes.append(_passing(old, new))
    if not causes and old.structure_digest != new.structure_digest:
        causes.append(cause("tree_structure", None, *_excerpts(old.structure, new.structure)))
    return tuple(causes)


def options_changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[Cause]:
    """The compile options in which two jits differ."""
    return [
        cause("options", name, before.get(name, "default"), after.get(name, "default"))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


class _Moved(NamedTuple):
    """A leaf, or a container with all in it, that one signature has and the other one lacks."""

    path: str
    old: str | None
    """What was there, as text."""
    new: str | None


def _moved(
    old: Signature, new: Signature, before: _Leaves, after: _Leaves, changed: Collection[str]
) -> Iterator[_Moved]:
    """What appeared, then what is gone; of what lies in each other, the outermost alone.

    What lies inside of ``changed``, which are containers of another type or length, is part of that.
    """
    sides = [({node.path: node for node in one.nodes}, leaves) for one, leaves in ((old, before), (new, after))]
    told: set[str] = set()
    for (nodes, leaves), (other_nodes, other_leaves) in (sides[::-1], sides):
        for path, occurrence in [*leaves, *((path, 0) for path in nodes)]:
            inside = path in nodes and (path, 0) not in leaves
            if path in other_nodes if inside else (path, occurrence) in other_leaves:
                continue
            prefixes = [path[:n] for n, char in enumerate(path) if char in ".["] + [path]
            outer = next((p for p in prefixes if p in nodes and p not in other_nodes), path)
            if outer in told or any(p in changed for p in prefixes):
                continue
            if outer != path or inside or path in other_nodes:
                told.add(outer)
            texts = [_text_at(outer, occurrence, *side) for side in sides]
            yield _Moved(outer, texts[0], texts[1])


def _text_at(path: str, occurrence: int, nodes: Mapping[str, Node], leaves: _Leaves) -> str | None:
    leaf = leaves.get((path, occurrence))
    if leaf is not None:
        return leaf.type_text
    return nodes[path].text if path in nodes else None


def _moved_cause(
    one: _Moved, old: Signature, new: Signature, passed_otherwise: bool, defaults: Collection[str] | None
) -> Cause:
    if passed_otherwise and one.old is None and _is_argument(one.path, new, old, defaults):
        return cause("argument_passing", one.path, "left to its default", f"given: {one.new}")
    if passed_otherwise and one.new is None and _is_argument(one.path, old, new, defaults):
        return cause("argument_passing", one.path, f"given: {one.old}", "left to its default")
    return cause("tree_structure", one.path, one.old, one.new)


def _rest(moved: Sequence[_Moved], old: Signature, new: Signature) -> Cause:
    """One cause for many: in the nearest container that all of them are in."""
    parts = [one.path[:n] for one in moved[:1] for n, char in enumerate(one.path) if char in ".["]
    container = next((p for p in reversed(parts) if all(_leads_to(p, one.path) for one in moved)), None)
    counts = [sum(_leads_to(container or "", leaf.path) for leaf in one.leaves) for one in (old, new)]
    before, after = (f"{count} leaves" for count in counts)
    return cause("tree_structure", container, before, after if before != after else f"{after} at other paths")


def _node_causes(old: Signature, new: Signature) -> Iterator[tuple[tuple[str, bool], list[Cause]]]:
    """Containers of another type or length (True: what is in them is part of that), or with other metadata."""
    before = {node.path: node for node in old.nodes}
    changed: list[str] = []
    for node in new.nodes:
        other = before.get(node.path)
        if other is None or other.key == node.key or any(_leads_to(path, node.path) for path in changed):
            continue
        whole = (other.type, other.identity) != (node.type, node.identity)
        if whole or (other.items != node.items and node.type == "tuple"):
            changed.append(node.path)
            after = node.text if other.text != node.text else f"{node.text} (another class of that name)"
            yield (node.path, True), [cause("tree_structure", node.path, other.text, after)]
        elif other.items == node.items or node.fields:
            # Otherwise its metadata are its keys, as far as can be told: the items say it.
            yield (node.path, False), _metadata_causes(other, node)


def _metadata_causes(old: Node, new: Node) -> list[Cause]:
    """Fields that differ, or the metadata as a whole."""
    found: list[Cause] = []
    if [one.partition("=")[0] for one in old.fields] == [one.partition("=")[0] for one in new.fields]:
        nothing = (None,) * len(new.fields)
        for one, another, token, now in zip(
            old.fields, new.fields, old.tokens or nothing, new.tokens or nothing, strict=True
        ):
            if token != now or (token is None and one != another):
                name, _, value = one.partition("=")
                after = another.partition("=")[2]
                found.append(cause("tree_structure", f"{new.path}.{name}", value, _other(value, after)))
    before, after = old.metadata or old.text, new.metadata or new.text
    return found or [cause("tree_structure", new.path, before, _other(before, after))]


def _other(before: str, after: str) -> str:
    return after if before != after else f"{after} (another object)"


def _leads_to(path: str, other: str) -> bool:
    return not path or (other.startswith(path) and other[len(path) : len(path) + 1] in ("", ".", "["))


def distance(old: Signature, new: Signature) -> tuple[int, int]:
    """How many leaves differ; then in how many aspects they do, together with what is beside the leaves."""
    around = sum(one != other for one, other in zip(_beside(old), _beside(new), strict=True))
    around += old.nodes != new.nodes and _node_keys(old) != _node_keys(new)
    if len(old.leaves) == len(new.leaves):
        pairs = [(one, other) for one, other in zip(old.leaves, new.leaves, strict=True) if one is not other]
        differing = [(one, other) for one, other in pairs if one.path != other.path or not same_leaf(one, other)]
        if all(one.path == other.path for one, other in differing):
            return len(differing), around + sum(_aspects(one, other) for one, other in differing)
    before, after = _by_path(old.leaves), _by_path(new.leaves)
    changed = [(before.get(key), leaf) for key, leaf in after.items() if not same_leaf(before.get(key), leaf)]
    gone = sum(key not in after for key in before)
    return len(changed) + gone, around + gone + sum(_aspects(one, other) for one, other in changed)


def nearest(earlier: Sequence[Signature], new: Signature) -> Signature | None:
    """The earlier signature that differs least (`distance`); of several, the most recent (the last)."""
    best: Signature | None = None
    least = (0, 0)
    for candidate in reversed(earlier):
        if best is not None and least <= (1, 1) and candidate.leaves != new.leaves:
            # Nearer than this is only a signature with the very same leaves, and that is quickly told.
            continue
        found = distance(candidate, new)
        if found == (0, 0):
            return candidate
        if best is None or found < least:
            best, least = candidate, found
    return best


def _aspects(old: Leaf | None, new: Leaf) -> int:
    """In how many fields two leaves differ; 1 where they are not comparable."""
    if type(old) is not type(new):
        return 1
    if isinstance(old, StaticLeaf) and isinstance(new, StaticLeaf):
        return sum(map(ne, old.key, new.key))
    return sum(map(ne, msgspec.structs.astuple(old), msgspec.structs.astuple(new)))


def _beside(signature: Signature) -> tuple[object, ...]:
    """What the cache sees of a call beside its leaves and containers."""
    return (signature.positional, signature.keywords, signature.structure_digest, signature.options)


def _node_keys(signature: Signature) -> tuple[tuple[object, ...], ...]:
    return tuple(node.key for node in signature.nodes)


def beside(signature: Signature) -> tuple[object, ...]:
    """All that `distance` compares beside leaves, each worth one aspect."""
    return (*_beside(signature), _node_keys(signature))


_Leaves = dict[tuple[str, int], Leaf]


def _by_path(leaves: Sequence[Leaf]) -> _Leaves:
    """Leaves by path; a path that occurs several times is told apart by its occurrence."""
    return dict(zip(leaf_places(leaves), leaves, strict=True))


def leaf_places(leaves: Sequence[Leaf]) -> list[tuple[str, int]]:
    """Path and occurrence of each leaf, from 0."""
    paths = [leaf.path for leaf in leaves]
    if len(set(paths)) == len(paths):
        return [(path, 0) for path in paths]
    seen: Counter[str] = Counter()
    found: list[tuple[str, int]] = []
    for leaf in leaves:
        found.append((leaf.path, seen[leaf.path]))
        seen[leaf.path] += 1
    return found


def _is_argument(path: str, here: Signature, there: Signature, defaults: Collection[str] | None) -> bool:
    """Whether ``path`` is a whole argument, passed here and left to its default there."""
    if not path.isidentifier() or (defaults is not None and path not in defaults):
        return False
    return (path in here.keywords and path not in there.keywords) or here.positional > there.positional


def _passing(old: Signature, new: Signature) -> Cause:
    moved = sorted(set(old.keywords) ^ set(new.keywords))
    if not moved:
        return cause("argument_passing", None, f"{old.positional} by position", f"{new.positional} by position")
    before = _how(moved, old, new)
    after = _how(moved, new, old)
    if before is not None and after is not None:
        return cause("argument_passing", ", ".join(moved), before, after)
    return cause("argument_passing", ", ".join(moved), _passing_text(old), _passing_text(new))


def _how(names: Sequence[str], here: Signature, there: Signature) -> str | None:
    """How the arguments were passed here, where all of them were passed the same way."""
    if all(name in here.keywords for name in names):
        return "by keyword"
    if any(name in here.keywords for name in names):
        return None
    return "by position" if here.positional > there.positional else "left to its default"


def _passing_text(signature: Signature) -> str:
    named = f", {', '.join(signature.keywords)} by keyword" if signature.keywords else ""
    return f"{signature.positional} by position{named}"


@lru_cache(maxsize=1 << 14)  # many functions, and all ranks, differ in the same leaves
def _leaf_causes(old: Leaf, new: Leaf, framework: Framework) -> tuple[Cause, ...]:
    if isinstance(old, ArrayLeaf) and isinstance(new, ArrayLeaf):
        found = tuple(_array_causes(old, new, framework))
        return found or (cause("unknown", new.path, old.type_text, new.type_text),)
    if isinstance(old, StaticLeaf) and isinstance(new, StaticLeaf):
        return (_static_cause(old, new),)
    return (cause("python_type", new.path, _kind_text(old, framework), _kind_text(new, framework)),)


def _static_cause(old: StaticLeaf, new: StaticLeaf) -> Cause:
    before, after = old.value, new.value
    if old.type != new.type:
        return cause("python_type", new.path, f"{before} ({old.type})", f"{after} ({new.type})")
    changed = [(one, other) for one, other in zip(old.fields, new.fields, strict=False) if one != other]
    if changed and len(changed) <= _MOST_MOVED and len(old.fields) == len(new.fields):
        before, after = (f"{old.type}(… {', '.join(side)} …)" for side in zip(*changed, strict=True))
    elif before == after and old.digest != new.digest:
        # Long values, cut at the same place.
        before, after = f"{before} (digest {old.digest})", f"{after} (digest {new.digest})"
    elif before == after:
        by_identity = old.identity != new.identity
        after = f"{after} ({'another object, compared by identity' if by_identity else 'another value that prints so'})"
    return cause("static_value", new.path, before, after)


def _array_causes(old: ArrayLeaf, new: ArrayLeaf, framework: Framework) -> Iterator[Cause]:
    path = new.path
    before, after = array_text(old.dtype, old.shape), array_text(new.dtype, new.shape)
    scalars = old.host != new.host and {old.host, new.host} <= _SCALARS
    if len(old.shape) != len(new.shape):
        yield cause("rank", path, before, after)
    elif old.shape != new.shape:
        yield cause("shape", path, before, after)
    if old.dtype != new.dtype:
        yield cause("dtype", path, before, after)
    if old.weak_type != new.weak_type and not scalars:
        yield cause("weak_type", path, _weak(before, old), _weak(after, new))
    if (old.host, old.subclass) != (new.host, new.subclass):
        yield cause("python_type", path, _python_type(old, framework), _python_type(new, framework))
    if old.layout != new.layout:
        yield cause("layout", path, old.layout or "default layout", new.layout or "default layout")
    if old.stride != new.stride and not _strides_follow(old, new):
        yield cause("layout", path, _stride(old), _stride(new))
    if old.device != new.device:
        default = "cpu" if framework == "torch" else "default device"
        yield cause("device", path, old.device or default, new.device or default)
    if old.sharding != new.sharding:
        yield cause("sharding", path, old.sharding or "one device", new.sharding or "one device")
    elif old.committed != new.committed:
        # A sharding commits by itself: the change of sharding says it all.
        yield cause("committed", path, _committed(before, old), _committed(after, new))
    if old.requires_grad != new.requires_grad:
        yield cause("requires_grad", path, f"requires_grad={old.requires_grad}", f"requires_grad={new.requires_grad}")
    if old.keys != new.keys:
        # What autograd makes of the tensor: an inference tensor has no autograd key.
        yield cause("requires_grad", path, old.keys or "ordinary tensor", new.keys or "ordinary tensor")


_SCALARS = {"bool", "int", "float", "complex"}
"""Python's numbers: whether their dtype is weak follows from their type."""


def _strides_follow(old: ArrayLeaf, new: ArrayLeaf) -> bool:
    """Whether the strides differ only because the sizes do: same order of axes, other sizes."""
    if old.stride is None or new.stride is None or old.shape == new.shape or len(old.stride) != len(new.stride):
        return False
    orders = [sorted(range(len(stride)), key=stride.__getitem__) for stride in (old.stride, new.stride)]
    return orders[0] == orders[1]


def _weak(text: str, leaf: ArrayLeaf) -> str:
    return f"{text}{{weak_type}}" if leaf.weak_type else text


def _committed(text: str, leaf: ArrayLeaf) -> str:
    return f"{text}{{committed}}" if leaf.committed else f"{text}{{uncommitted}}"


def _stride(leaf: ArrayLeaf) -> str:
    return "contiguous" if leaf.stride is None else f"stride={','.join(map(str, leaf.stride))}"


def _python_type(leaf: ArrayLeaf, framework: Framework) -> str:
    known = [name for name in (leaf.host, leaf.subclass) if name]
    return " ".join(known) or ("torch.Tensor" if framework == "torch" else "jax.Array")


def _kind_text(leaf: Leaf, framework: Framework) -> str:
    if isinstance(leaf, StaticLeaf):
        return leaf.value if leaf.type == "NoneType" else f"{leaf.value} ({leaf.type})"
    return f"{leaf.type_text} ({_python_type(leaf, framework)})"


def _excerpts(old: str, new: str) -> tuple[str, str]:
    """The parts of two structures where they differ, with a little of what is around."""
    start = next((i for i, (one, other) in enumerate(zip(old, new, strict=False)) if one != other), 0)
    start = max(start - _EXCERPT // 3, 0)
    lead = "…" if start else ""
    if old == new:
        return "another structure", "the same text: it differs where it was cut, or in its metadata"
    return lead + cut(old[start:], _EXCERPT), lead + cut(new[start:], _EXCERPT)
