"""What JAX's dispatch cache sees of a call's arguments, read with public API.

The key is what ``jaxlib``'s ``CallSignature`` compares (pjit.cc, jax_jit.cc; jax 0.6 to 0.12): static arguments
by type and value, keyword names, the pytree structure, and for each leaf the abstract value, and for a
``jax.Array`` its sharding and whether it is committed. A host value (NumPy, a Python number) has an entry
of its own.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import jax
import msgspec
import numpy as np

from jitscope.capture.frameworks.jax_tokens import token_of
from jitscope.capture.frameworks.signature_text import ArgumentNames, digest, static_leaf, value_text
from jitscope.model.notation import TEXT_LIMIT, cut, short_dtype
from jitscope.model.signature import ArrayLeaf, Leaf, Node, Signature, StaticLeaf

_SCALARS: dict[type, Callable[[], str]] = {
    bool: lambda: "bool",
    int: lambda: "i64" if jax.config.jax_enable_x64 else "i32",
    float: lambda: "f64" if jax.config.jax_enable_x64 else "f32",
    complex: lambda: "c128" if jax.config.jax_enable_x64 else "c64",
}

_PARTS = 128
"""Most parts of a long static value that are kept."""
_PART = 80
"""Most characters of one."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Equal values can be at different addresses; tokens tell those apart that differ."""


class JaxSignatureReader:
    """Reads keys and signatures for one jitted function."""

    def __init__(self, fn: Callable[..., Any], static_argnums: Sequence[int], static_argnames: Sequence[str]) -> None:
        self._names = ArgumentNames(fn)
        self._static_argnums = frozenset(static_argnums)
        self._static_argnames = frozenset(static_argnames)
        self._layouts = False
        """Whether an argument with an unusual layout was met: only then are layouts (1 µs a leaf) part of the key."""

    def static_positions(self, count: int) -> set[int]:
        """Positions of the static ones among ``count`` positional arguments."""
        return {n % count if -count <= n < 0 else n for n in self._static_argnums} if count else set()

    def _split(
        self, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[dict[int, Any], dict[str, Any], dict[int, Any], dict[str, Any]]:
        static = self.static_positions(len(args))
        return (
            {i: arg for i, arg in enumerate(args) if i not in static},
            {name: value for name, value in kwargs.items() if name not in self._static_argnames},
            {i: arg for i, arg in enumerate(args) if i in static},
            {name: value for name, value in kwargs.items() if name in self._static_argnames},
        )

    def key(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A hashable that is equal for two calls where JAX's dispatch sees the same arguments."""
        if self._static_argnums or self._static_argnames:
            dynamic, keywords, static, static_keywords = self._split(args, kwargs)
            statics: Any = (
                tuple((i, type(value), value) for i, value in static.items()),
                tuple((name, type(value), value) for name, value in sorted(static_keywords.items())),
            )
            tree: Any = (tuple(dynamic.values()), keywords)
        else:
            statics = ()
            tree = (args, kwargs)
        leaves, structure = jax.tree_util.tree_flatten(tree)
        keys = [_leaf_key(leaf) for leaf in leaves]
        if self._layouts:
            keys = [
                (key, layout) if isinstance(leaf, jax.Array) and (layout := _layout(leaf)) else key
                for key, leaf in zip(keys, leaves, strict=True)
            ]
        # Under another jax_enable_x64 a Python number is of another dtype.
        return (len(args), structure, statics, tuple(keys), jax.config.jax_enable_x64)

    def key_at_miss(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """As `key`, after a look at the layouts."""
        if not self._layouts:
            leaves = jax.tree_util.tree_leaves((args, kwargs))
            self._layouts = any(isinstance(leaf, jax.Array) and _layout(leaf) for leaf in leaves)
        key = self.key(args, kwargs)
        try:
            hash(key)
        except TypeError:
            # A static argument that is not hashable: JAX is about to refuse the call.
            return self.read(args, kwargs)
        return key

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Signature:
        """The full signature, with paths as the user would write them."""
        dynamic, keywords, static, static_keywords = self._split(args, kwargs)
        by_name: dict[str, list[Leaf]] = {}
        order: list[str] = []
        nodes: list[Node] = []
        for index in range(len(args)):
            name = self._names.positional(index)
            order.append(name)
            if index in static:
                by_name[name] = [_static(name, static[index])]
            else:
                by_name[name] = _read_tree(name, dynamic[index], nodes)
        for keyword in sorted(kwargs):
            name = self._names.keyword(keyword)
            order.append(name)
            if keyword in static_keywords:
                by_name[name] = [_static(name, static_keywords[keyword])]
            else:
                by_name[name] = _read_tree(name, keywords[keyword], nodes)
        return Signature(
            leaves=tuple(leaf for name in order for leaf in by_name[name]),
            structure_digest=digest(repr([node.key for node in nodes])) if nodes else "",
            nodes=tuple(nodes),
            positional=len(args),
            keywords=tuple(sorted(kwargs)),
        )


def program_signature(types: Sequence[tuple[str, Any]], called: Signature | None = None) -> Signature:
    """The signature of a compiled program that no call of a watched function stands for: its arguments' types.

    ``called`` is that of the call which was transformed: its names are used where the program has as many arguments.
    """
    arrays = [leaf for leaf in called.leaves if isinstance(leaf, ArrayLeaf)] if called is not None else []
    if len(arrays) == len(types):
        types = [(leaf.path, aval) for leaf, (_, aval) in zip(arrays, types, strict=True)]
    leaves = tuple(
        ArrayLeaf(
            path=name,
            dtype=short_dtype(str(aval.dtype)),
            shape=tuple(aval.shape),
            weak_type=bool(getattr(aval, "weak_type", False)),
        )
        for name, aval in types
        if hasattr(aval, "shape") and hasattr(aval, "dtype")
    )
    return Signature(leaves=leaves, positional=len(leaves), partial=True)


def _leaf_key(leaf: Any) -> Any:
    if isinstance(leaf, jax.Array):
        return (leaf.aval, leaf.sharding, leaf.committed)
    kind = type(leaf)
    if kind in _SCALARS:
        return kind
    if isinstance(leaf, (np.ndarray, np.generic)):
        return ("numpy", leaf.shape, jax.dtypes.canonicalize_dtype(leaf.dtype))
    return (kind, _safe_aval(leaf))


def _safe_aval(leaf: Any) -> Any:
    try:
        return jax.typeof(leaf)
    except Exception:
        return None


def _static(path: str, value: Any) -> StaticLeaf:
    """A static argument: JAX compares its type, and then the value by ``==``."""
    # A number of NumPy's is no array here: its value is what it is compared by.
    leaf = static_leaf(path, value.item() if isinstance(value, np.generic) else value)
    return msgspec.structs.replace(
        leaf,
        type="bool_" if isinstance(value, np.bool_) else type(value).__qualname__,  # NumPy 2 calls it bool as well
        value=_ADDRESS.sub("", leaf.value),
        token=token_of(value, typed=True),
        fields=tuple(f"{name}={cut(_text(part), _PART)}" for name, part in _parts(value, leaf.digest is not None)),
    )


def _parts(value: Any, long: bool) -> list[tuple[str, Any]]:
    """What a long dataclass, dict or named tuple consists of; empty for others: they are told as a whole."""
    if not long:
        return []
    if dataclasses.is_dataclass(value):
        return [(field.name, getattr(value, field.name, None)) for field in dataclasses.fields(value)[:_PARTS]]
    if isinstance(value, dict):
        return [(str(key), item) for key, item in islice(dict.items(value), _PARTS)]
    return list(zip(getattr(value, "_fields", ()), value, strict=False)) if isinstance(value, tuple) else []


def _read_tree(name: str, tree: Any, nodes: list[Node]) -> list[Leaf]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree, is_leaf=_is_none)
    if not (len(leaves) == 1 and leaves[0][0] == ()):
        _read_nodes(name, tree, nodes)
    return [_read_leaf(name + jax.tree_util.keystr(path), leaf) for path, leaf in leaves]


def _is_none(value: Any) -> bool:
    """To JAX None is a container without leaves; to the reader of a signature it is a value."""
    return value is None


def _read_nodes(path: str, tree: Any, nodes: list[Node]) -> None:
    """The containers of a tree, the outer first."""
    if tree is None:
        return
    children, structure = jax.tree_util.tree_flatten_with_path(tree, is_leaf=lambda value: value is not tree)
    data = structure.node_data()
    if data is None:
        return
    kind, metadata = data
    names = [str(getattr(step[0], "name", "")) for step, _ in children if step]
    nodes.append(_node(path, kind, metadata, tree, names))
    for step, child in children:
        if not isinstance(child, (jax.Array, np.ndarray, int, float, complex)):
            _read_nodes(path + jax.tree_util.keystr(step), child, nodes)


def _node(path: str, kind: type[Any], metadata: Any, tree: Any, data_fields: list[str]) -> Node:
    fields: list[tuple[str, Any]] = []
    if dataclasses.is_dataclass(kind) and isinstance(metadata, tuple):
        names = [field.name for field in dataclasses.fields(kind) if field.name not in data_fields]
        for name, value in ((name, getattr(tree, name, None)) for name in names):
            parts = _parts(value, len(_text(value)) > TEXT_LIMIT)
            fields += [(f"{name}.{part}", held) for part, held in parts] or [(name, value)]
    if kind is defaultdict:
        metadata = metadata[0]  # its keys are those of its items
    plain = kind in (list, tuple, dict) or metadata is None
    shown = metadata if not isinstance(metadata, tuple) or len(metadata) != 1 else metadata[0]
    text = "" if plain else _text(shown)
    return Node(
        path=path,
        type=kind.__qualname__,
        metadata=cut(text),
        fields=tuple(f"{name}={cut(_text(value))}" for name, value in fields),
        digest=digest(text) if len(text) > TEXT_LIMIT else "",
        identity=None if kind.__module__ in ("builtins", "collections") else id(kind),
        token=0 if plain else token_of(metadata),
        tokens=tuple(token_of(value) for _, value in fields),
        items=len(data_fields),
    )


def _text(value: Any) -> str:
    try:
        return _ADDRESS.sub("", value_text(value))
    except Exception:  # a user's code may raise anything
        return f"<{type(value).__qualname__}>"


def _read_leaf(path: str, leaf: Any) -> Leaf:
    if leaf is None:
        return static_leaf(path, None)
    if isinstance(leaf, jax.Array):
        aval = leaf.aval
        sharding, device = _placement(leaf.sharding)
        return ArrayLeaf(
            path=path,
            dtype=short_dtype(str(aval.dtype)),
            shape=tuple(aval.shape),
            weak_type=bool(getattr(aval, "weak_type", False)),
            committed=bool(leaf.committed),
            sharding=sharding,
            device=device,
            layout=_layout(leaf),
        )
    kind = type(leaf)
    if kind in _SCALARS:
        return ArrayLeaf(path=path, dtype=_SCALARS[kind](), shape=(), weak_type=kind is not bool, host=kind.__name__)
    if isinstance(leaf, (np.ndarray, np.generic)):
        dtype = jax.dtypes.canonicalize_dtype(leaf.dtype)
        return ArrayLeaf(path=path, dtype=short_dtype(str(dtype)), shape=tuple(leaf.shape), host="numpy")
    aval = leaf if isinstance(leaf, jax.ShapeDtypeStruct) else _safe_aval(leaf)
    if aval is None or not hasattr(aval, "shape"):
        return static_leaf(path, leaf)
    placed = getattr(leaf, "sharding", None) if isinstance(leaf, jax.ShapeDtypeStruct) else None
    sharding, device = _placement(placed) if placed is not None else (None, None)
    return ArrayLeaf(
        path=path,
        dtype=short_dtype(str(aval.dtype)),
        shape=tuple(aval.shape),
        weak_type=bool(getattr(aval, "weak_type", False)),
        host=kind.__name__,
        committed=placed is not None,
        sharding=sharding,
        device=device,
    )


@functools.lru_cache(maxsize=256)
def _placement(sharding: Any) -> tuple[str | None, str | None]:
    """Texts of the sharding and of the device, each None where it is the default."""
    kind = type(sharding).__name__
    memory = getattr(sharding, "memory_kind", None)
    suffix = "" if memory in (None, "device") or memory == _default_memory(sharding) else f" in {memory}"
    if kind == "SingleDeviceSharding":
        (device,) = sharding.device_set
        default = jax.local_devices()[0]
        return (suffix.strip() or None, None if device == default else str(device))
    return (sharding_text(sharding) + suffix, None)


def _default_memory(sharding: Any) -> str | None:
    """The kind of memory where its devices put arrays by themselves: on a CPU ``unpinned_host``, in some versions."""
    try:
        return str(next(iter(sharding.device_set)).default_memory().kind)
    except Exception:  # an abstract mesh has no devices
        return None


def sharding_text(sharding: Any) -> str:
    """A sharding in few words: ``P('x') on (x:4)``; its devices where they are not the first ones in order."""
    mesh = getattr(sharding, "mesh", None)
    if type(sharding).__name__ != "NamedSharding" or mesh is None:
        return cut(str(sharding), 120)
    axes = ",".join(f"{name}:{size}" for name, size in dict(getattr(mesh, "shape", {})).items())
    types = {str(t).rsplit(".", 1)[-1] for t in getattr(mesh, "axis_types", None) or ()}
    explicit = f" {'/'.join(sorted(types))}" if types - {"Auto"} else ""
    return f"{str(sharding.spec).replace('PartitionSpec', 'P')} on ({axes}){explicit}{devices_text(mesh)}"


def devices_text(mesh: Any) -> str:
    """The devices of a mesh, where it has some that are not the first ones in order."""
    if type(mesh).__name__ != "Mesh":  # an AbstractMesh has none, and may raise when asked
        return ""
    ids = [device.id for device in mesh.devices.flat]
    return "" if ids == list(range(len(ids))) else f" devices {','.join(map(str, ids[:16]))}"


def _layout(array: jax.Array) -> str | None:
    """The device layout where it is not row-major, as JAX writes it (``minor-to-major``); None if unknown."""
    try:
        layout = array.format.layout
        order = tuple(layout.major_to_minor)
    except Exception:
        # Donated (deleted) arrays have no layout any more; older versions name it otherwise.
        return None
    return None if order == tuple(range(len(order))) else str(order)
