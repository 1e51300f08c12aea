"""From a recorded signature to what its arguments are to be built from.

Recordings hold types, paths and short texts. Only what is certain is rebuilt: arrays by their types, literals by their
text, built-in containers, named tuples and dataclasses by their fields. Whoever builds reads the signature of what was
built and compares it with the recorded one.
"""

from __future__ import annotations

import contextlib
import itertools
import keyword
from collections.abc import Iterator, Sequence
from typing import Protocol

from jitscope.analysis.static_values import static_spec
from jitscope.analysis.tree_specs import Container, containers_in
from jitscope.model.events import Framework
from jitscope.model.signature import ArrayLeaf, Leaf, Node, Signature, StaticLeaf
from jitscope.model.specs import Array, CallSpec, CannotRebuildError, Given, Record, Spec, Tree
from jitscope.model.steps import Step, steps_of

_GUESSES = 6
"""Most places of unknown containers that are tried as a list and as a tuple."""
_NOTHING = {"", "()", "<_Missing>"}
"""The metadata of a dataclass without static fields; the last one is Equinox's."""
_BUILT_IN = {"list", "tuple", "dict", "OrderedDict"}


class Names(Protocol):
    """What a function calls its arguments."""

    def positional(self, index: int) -> str:
        """That at ``index``."""

    def keyword(self, name: str) -> str:
        """The one that is passed as ``name``."""


def rebuild(
    signature: Signature, framework: Framework, names: Names, given: frozenset[str] = frozenset()
) -> Iterator[CallSpec]:
    """The calls that ``signature`` can be of: one, or several to try where a container's type was cut off.

    Args:
        signature: as recorded.
        framework: the one that recorded it.
        names: of the function that is to be called.
        given: names of arguments that the user passes in.

    Raises:
        CannotRebuildError: an argument can't be rebuilt, or the function has no such argument.
    """
    if signature.partial:
        raise CannotRebuildError("", "only the types of the program were recorded, not the arguments of a call")
    shown = [names.positional(n) for n in range(signature.positional)]
    passed = [(names.keyword(name), name) for name in signature.keywords]
    for _, name in passed:
        if not name.isidentifier() or keyword.iskeyword(name):
            raise CannotRebuildError(name, "is no name of an argument")
    everything = [*shown, *(name for name, _ in passed)]
    strangers = [leaf.path for leaf in signature.leaves if not any(_under(leaf.path, name) for name in everything)]
    if strangers:
        raise CannotRebuildError(strangers[0], "the function has no such argument any more")
    if framework == "jax":
        builders: Iterator[_Builder] = iter([_FromNodes(signature)])
    else:
        builders = _torch_builders(signature, everything)
    for builder in builders:
        specs = {name: Given(name) if name in given else builder.build(name) for name in everything}
        yield CallSpec(
            tuple((name, specs[name]) for name in shown), tuple((name, specs[path]) for path, name in passed)
        )


def _under(path: str, name: str) -> bool:
    return path == name or (path.startswith(name) and path[len(name)] in ".[")


class _Builder(Protocol):
    def build(self, name: str) -> Spec: ...


def _leaf_spec(leaf: Leaf) -> Spec:
    return Array(leaf) if isinstance(leaf, ArrayLeaf) else static_spec(leaf)


# -- JAX: containers are nodes --------------------------------------------------------------------


class _FromNodes:
    def __init__(self, signature: Signature) -> None:
        self._leaves = {leaf.path: leaf for leaf in signature.leaves}
        self._nodes = {node.path: node for node in signature.nodes}

    def build(self, name: str) -> Spec:
        if name in self._leaves:
            return _leaf_spec(self._leaves[name])
        if name not in self._nodes:
            raise CannotRebuildError(name, "is not in the recorded signature")
        children: dict[tuple[Step, ...], list[tuple[Step, str]]] = {}
        first: dict[tuple[Step, ...], int] = {}
        for path in (*self._leaves, *self._nodes):
            if path != name and _under(path, name):
                steps = _steps(path, name)
                for n in range(1, len(steps) + 1):
                    first.setdefault(steps[:n], len(first))  # a container comes where its first leaf does
                children.setdefault(steps[:-1], []).append((steps[-1], path))
        for before, found in children.items():
            found.sort(key=lambda pair: first[(*before, pair[0])])
        return self._container(name, (), children)

    def _container(
        self, path: str, steps: tuple[Step, ...], children: dict[tuple[Step, ...], list[tuple[Step, str]]]
    ) -> Spec:
        leaf = self._leaves.get(path)
        if leaf is not None:
            return _leaf_spec(leaf)
        node = self._nodes[path]
        inside = [(step, self._container(inner, (*steps, step), children)) for step, inner in children.get(steps, ())]
        if node.type in _BUILT_IN and node.identity is None:
            return _built_in(path, node.type, inside)
        if node.type == "defaultdict" and node.identity is None:
            raise CannotRebuildError(path, "is a defaultdict, whose factory was not recorded")
        fields = [(step.key, spec) for step, spec in inside if step.attribute]
        if len(fields) != len(inside):
            raise CannotRebuildError(path, f"is a {node.type}, of which its fields were not recorded")
        return Record(node.type, path, (*fields, *_metadata(node)))


def _metadata(node: Node) -> Iterator[tuple[str, Spec]]:
    """Static fields of a dataclass."""
    for field in node.fields:
        name, _, text = field.partition("=")
        if not name.isidentifier():
            raise CannotRebuildError(f"{node.path}.{name}", "was recorded in part")
        yield name, static_spec(StaticLeaf(f"{node.path}.{name}", "", text))
    if node.metadata not in _NOTHING and not node.fields:
        raise CannotRebuildError(node.path, f"is a {node.type}, which holds more than arrays")


def _steps(path: str, name: str) -> tuple[Step, ...]:
    try:
        return steps_of(path[len(name) :])
    except ValueError:
        raise CannotRebuildError(path, "has a key that is no literal") from None


def _built_in(path: str, kind: str, inside: Sequence[tuple[Step, Spec]]) -> Tree:
    if kind in ("list", "tuple"):
        ordered = sorted(inside, key=lambda pair: pair[0].key if isinstance(pair[0].key, int) else -1)
        if [step.key for step, _ in ordered] != list(range(len(ordered))):
            raise CannotRebuildError(path, f"is a {kind} that was recorded in part")
        return Tree("list" if kind == "list" else "tuple", (), tuple(spec for _, spec in ordered))
    if kind == "dict":
        with contextlib.suppress(TypeError):  # keys that can't be compared stay as they are: JAX sorts what it can
            inside = sorted(inside, key=lambda pair: pair[0].key)
    keys = tuple(step.key for step, _ in inside)
    return Tree("dict" if kind == "dict" else "OrderedDict", keys, tuple(spec for _, spec in inside))


# -- torch: containers are a text, which may be cut -----------------------------------------------


class _FromText:
    def __init__(self, signature: Signature, structure: dict[str, Container]) -> None:
        self._signature = signature
        self._structure = structure

    def build(self, name: str) -> Spec:
        leaves = iter([leaf for leaf in self._signature.leaves if _under(leaf.path, name)])
        spec = self._part(name, self._structure.get(name), leaves)
        if next(leaves, None) is not None:
            raise CannotRebuildError(name, "its structure does not fit its leaves")
        return spec

    def _part(self, path: str, container: Container | None, leaves: Iterator[Leaf]) -> Spec:
        if container is None:
            leaf = next(leaves, None)
            if leaf is None:
                raise CannotRebuildError(path, "is not in the recorded signature")
            return _leaf_spec(leaf)
        inside = [self._part(path, each, leaves) for each in container.children]
        if container.kind == "namedtuple":
            return Record(container.type, path, tuple(("", each) for each in inside))
        if container.kind in ("list", "tuple"):
            return Tree("list" if container.kind == "list" else "tuple", (), tuple(inside))
        if container.kind in ("dict", "OrderedDict") and container.keys is not None:
            kind = container.kind
            return Tree("dict" if kind == "dict" else "OrderedDict", container.keys, tuple(inside))
        raise CannotRebuildError(path, f"is a {container.kind}, which can't be built from its items")


def _torch_builders(signature: Signature, names: Sequence[str]) -> Iterator[_Builder]:
    whole = containers_in(signature.structure, names)
    if whole is not None:
        yield _FromText(signature, whole)
        return
    paths = [(leaf.path, name) for leaf in signature.leaves for name in names if _under(leaf.path, name)]
    nested = [(name, _steps(path, name), leaf) for (path, name), leaf in zip(paths, signature.leaves, strict=True)]
    places = sorted({place for _, steps, _ in nested for place in _places(steps)})
    if len(places) > _GUESSES:
        raise CannotRebuildError(nested[0][0], "its structure is longer than what is recorded of it")
    for kinds in itertools.product(("list", "tuple"), repeat=len(places)):
        yield _FromPaths(nested, dict(zip(places, kinds, strict=True)))


def _places(steps: tuple[Step, ...]) -> Iterator[str]:
    """Where a list or a tuple is, with all indices alike: ``[*][*]``."""
    for n, step in enumerate(steps):
        if not step.attribute and isinstance(step.key, int):
            yield _place(steps[:n])


def _place(steps: tuple[Step, ...]) -> str:
    return "".join("[*]" if isinstance(step.key, int) else f"[{step.key!r}]" for step in steps)


class _FromPaths:
    def __init__(self, nested: list[tuple[str, tuple[Step, ...], Leaf]], kinds: dict[str, str]) -> None:
        self._nested = nested
        self._kinds = kinds

    def build(self, name: str) -> Spec:
        return self._part(name, [(steps, leaf) for owner, steps, leaf in self._nested if owner == name], ())

    def _part(self, path: str, found: list[tuple[tuple[Step, ...], Leaf]], before: tuple[Step, ...]) -> Spec:
        if len(found) == 1 and found[0][0] == ():
            return _leaf_spec(found[0][1])
        groups: dict[Step, list[tuple[tuple[Step, ...], Leaf]]] = {}
        for steps, leaf in found:
            if not steps or steps[0].attribute:
                raise CannotRebuildError(path, "its structure is longer than what is recorded of it")
            groups.setdefault(steps[0], []).append((steps[1:], leaf))
        inside = [(step, self._part(path, inner, (*before, step))) for step, inner in groups.items()]
        sequence = all(isinstance(step.key, int) for step in groups)
        if sequence:
            return _built_in(path, self._kinds[_place(before)], inside)
        return Tree("dict", tuple(step.key for step, _ in inside), tuple(spec for _, spec in inside))
