"""What differs between two signatures: every leaf, every aspect."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from operator import ne

import msgspec

from jitscope.analysis.advice import cause
from jitscope.model.cause import Cause
from jitscope.model.events import Framework
from jitscope.model.notation import array_text, cut
from jitscope.model.signature import ArrayLeaf, Leaf, Signature, StaticLeaf

_EXCERPT = 60
"""Most characters of a container structure that are shown."""


def diff_signatures(
    old: Signature, new: Signature, *, framework: Framework = "jax", defaults: Collection[str] | None = None
) -> tuple[Cause, ...]:
    """Every difference between two signatures, in the order of the new one's leaves.

    Leaves are matched by path. One leaf can give several causes (dtype and shape both). The result is
    empty exactly where the two signatures are the same to the cache. ``defaults`` are the parameters that have one;
    None where that is not known: then each could.
    """
    before, after = _by_path(old.leaves), _by_path(new.leaves)
    passed_otherwise = (old.positional, old.keywords) != (new.positional, new.keywords)
    causes: list[Cause] = []
    appeared = False
    for key, leaf in after.items():
        other = before.get(key)
        if other is None:
            appeared = True
            causes.append(_appeared(leaf, old, new, passed_otherwise, framework, defaults))
        elif other != leaf:
            causes.extend(_leaf_causes(other, leaf, framework))
    for key, leaf in before.items():
        if key not in after:
            appeared = True
            causes.append(_gone(leaf, old, new, passed_otherwise, defaults))
    structure = [] if passed_otherwise else list(_node_causes(old, new, {one.path for one in causes}))
    causes.extend(structure)
    same_paths = not appeared
    if passed_otherwise and same_paths:
        causes.append(_passing(old, new))
    if same_paths and not structure and not passed_otherwise and old.structure_digest != new.structure_digest:
        causes.append(cause("tree_structure", None, *_excerpts(old.structure, new.structure)))
    return tuple(causes)


def _node_causes(old: Signature, new: Signature, told: Collection[str | None]) -> Iterator[Cause]:
    """Containers of another type, or with other metadata; what lies inside one that is told is left out."""
    before = {node.path: node for node in old.nodes}
    changed: list[str] = []
    for node in new.nodes:
        other = before.get(node.path)
        if other is None or other == node or any(_leads_to(path, node.path) for path in changed):
            continue
        if other.type != node.type or other.identity != node.identity:
            after = node.type if other.type != node.type else f"{node.type} (another class of that name)"
            changed.append(node.path)
            yield cause("tree_structure", node.path, other.type, after)
        elif other.fields != node.fields and other.digest != node.digest:
            for one, another in zip(other.fields, node.fields, strict=False):
                if one != another:
                    name, _, value = one.partition("=")
                    yield cause("tree_structure", f"{node.path}.{name}", value, another.partition("=")[2])
        elif other.metadata != node.metadata:
            yield cause("tree_structure", node.path, other.metadata, node.metadata)
        elif other.digest != node.digest and not any(path is not None and _leads_to(node.path, path) for path in told):
            # The text is the same: the metadata holds an object that is compared by identity.
            yield cause("tree_structure", node.path, node.metadata, f"{node.metadata} (another object)")


def _leads_to(path: str, other: str) -> bool:
    return other.startswith(path) and other[len(path) : len(path) + 1] in ("", ".", "[")


def distance(old: Signature, new: Signature) -> tuple[int, int]:
    """How many leaves differ; then in how many aspects they do, together with what is beside the leaves."""
    beside = sum(one != other for one, other in zip(_beside(old), _beside(new), strict=True))
    if len(old.leaves) == len(new.leaves):
        pairs = [(one, other) for one, other in zip(old.leaves, new.leaves, strict=True) if one is not other]
        differing = [(one, other) for one, other in pairs if one != other]
        if all(one.path == other.path for one, other in differing):
            return len(differing), beside + sum(_aspects(one, other) for one, other in differing)
    before, after = _by_path(old.leaves), _by_path(new.leaves)
    changed = [(before.get(key), leaf) for key, leaf in after.items() if before.get(key) != leaf]
    gone = sum(key not in after for key in before)
    return len(changed) + gone, beside + gone + sum(_aspects(one, other) for one, other in changed)


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
    return sum(map(ne, msgspec.structs.astuple(old), msgspec.structs.astuple(new)))


def _beside(signature: Signature) -> tuple[object, ...]:
    """What the cache sees of a call beside its leaves."""
    return (signature.positional, signature.keywords, signature.structure_digest, signature.nodes)


def _by_path(leaves: Sequence[Leaf]) -> dict[tuple[str, int], Leaf]:
    """Leaves by path; a path that occurs several times is told apart by its occurrence."""
    found: dict[tuple[str, int], Leaf] = {}
    for leaf in leaves:
        occurrence = 0
        while (leaf.path, occurrence) in found:
            occurrence += 1
        found[leaf.path, occurrence] = leaf
    return found


def _appeared(
    leaf: Leaf,
    old: Signature,
    new: Signature,
    passed_otherwise: bool,
    framework: Framework,
    defaults: Collection[str] | None,
) -> Cause:
    if passed_otherwise and _is_argument(leaf.path, new, old, defaults):
        return cause("argument_passing", leaf.path, "left to its default", f"given: {leaf.type_text}")
    return cause("tree_structure", leaf.path, None, leaf.type_text)


def _gone(
    leaf: Leaf, old: Signature, new: Signature, passed_otherwise: bool, defaults: Collection[str] | None
) -> Cause:
    if passed_otherwise and _is_argument(leaf.path, old, new, defaults):
        return cause("argument_passing", leaf.path, f"given: {leaf.type_text}", "left to its default")
    return cause("tree_structure", leaf.path, leaf.type_text, None)


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


def _leaf_causes(old: Leaf, new: Leaf, framework: Framework) -> Iterator[Cause]:
    if isinstance(old, ArrayLeaf) and isinstance(new, ArrayLeaf):
        found = tuple(_array_causes(old, new, framework))
        yield from found or (cause("unknown", new.path, old.type_text, new.type_text),)
    elif isinstance(old, StaticLeaf) and isinstance(new, StaticLeaf):
        yield _static_cause(old, new)
    else:
        yield cause("python_type", new.path, _kind_text(old, framework), _kind_text(new, framework))


def _static_cause(old: StaticLeaf, new: StaticLeaf) -> Cause:
    before, after = old.value, new.value
    if old.type != new.type:
        return cause("python_type", new.path, f"{before} ({old.type})", f"{after} ({new.type})")
    if before == after and old.digest != new.digest:
        # Long values, cut at the same place.
        before, after = f"{before} (digest {old.digest})", f"{after} (digest {new.digest})"
    elif before == after:
        after = f"{after} (another object, compared by identity)"
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
