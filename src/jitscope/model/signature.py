"""Abstract signatures: what a framework's cache key sees of a call's arguments."""

from __future__ import annotations

import msgspec

from jitscope.model.notation import array_text, cut

TEXT_LEAVES = 8
"""Most leaves that a signature's one-line text shows."""


class ArrayLeaf(msgspec.Struct, frozen=True, tag="array", tag_field="leaf", omit_defaults=True):
    """The type of one array or tensor argument leaf.

    Fields that a framework does not key on are None (or False) and not written.
    """

    path: str
    """Where it sits, as the user would write it: ``params['layers'][0].w``."""
    dtype: str
    """Short dtype: ``bf16``."""
    shape: tuple[int, ...]
    """Sizes of the axes, in elements."""
    weak_type: bool = False
    """JAX: the dtype came from a Python scalar and gives way to others."""
    host: str | None = None
    """JAX: the value was not a ``jax.Array`` but this type (``ndarray``, ``float``): its dispatch entry differs."""
    committed: bool = False
    """JAX: placed on a device explicitly."""
    sharding: str | None = None
    """JAX: the sharding, unless it is one default device."""
    layout: str | None = None
    """A non-default layout: JAX's, or torch's ``sparse_coo``."""
    stride: tuple[int, ...] | None = None
    """torch: strides in elements, where they are not those of a contiguous tensor."""
    device: str | None = None
    """The device, where it is not the CPU (torch) or not the default one (JAX)."""
    requires_grad: bool = False
    """torch: autograd records operations on it."""
    subclass: str | None = None
    """torch: the type, where it is not ``torch.Tensor``."""
    keys: str | None = None
    """torch: what else Dynamo's guards see of it (an inference tensor), where unusual."""

    @property
    def type_text(self) -> str:
        """The type alone: ``f32[8]{committed}``."""
        marks = [
            "weak_type" if self.weak_type else None,
            self.host,
            self.sharding or ("committed" if self.committed else None),
            f"layout={self.layout}" if self.layout else None,
            f"stride={','.join(map(str, self.stride))}" if self.stride is not None else None,
            self.device,
            "requires_grad" if self.requires_grad else None,
            self.subclass,
            self.keys,
        ]
        shown = [mark for mark in marks if mark]
        text = array_text(self.dtype, self.shape)
        return f"{text}{{{', '.join(shown)}}}" if shown else text

    @property
    def text(self) -> str:
        """Path and type: ``q: bf16[32,1024,16,256]``."""
        return f"{self.path}: {self.type_text}"


class StaticLeaf(msgspec.Struct, frozen=True, tag="static", tag_field="leaf", omit_defaults=True):
    """An argument that enters the cache key by value: a static one, or a Python value that torch specialises on."""

    path: str
    type: str
    """The type's name: ``int``, ``Config``."""
    value: str
    """The value's ``repr``, cut at `TEXT_LIMIT` characters; never evaluated."""
    identity: int | None = None
    """``id()`` where the type compares by identity, so that equal texts can still be other objects."""
    digest: str | None = None
    """Digest of the whole ``repr`` where `value` was cut, so that long values can be told apart."""
    token: int | None = None
    """JAX: the same for values that are equal, in this process only; None where the value can't be hashed."""
    fields: tuple[str, ...] = ()
    """JAX: names and texts of what is in it, where `value` was cut: ``width=256``."""

    @property
    def key(self) -> tuple[object, ...]:
        """What the framework compares: the text is only shown where there is a token."""
        if self.token is not None:
            return (self.path, self.type, self.token)
        return (self.path, self.type, self.value, self.identity, self.digest)

    @property
    def type_text(self) -> str:
        """The value as the user would write it."""
        return self.value

    @property
    def text(self) -> str:
        """Path and value: ``causal=True``."""
        return f"{self.path}={self.value}"


Leaf = ArrayLeaf | StaticLeaf


def same_leaf(old: Leaf | None, new: Leaf | None) -> bool:
    """Whether two leaves are the same to the framework's cache."""
    if isinstance(old, StaticLeaf) and isinstance(new, StaticLeaf):
        return old is new or old.key == new.key
    return old == new


class Node(msgspec.Struct, frozen=True, omit_defaults=True):
    """JAX: a container around leaves, or around nothing."""

    path: str
    type: str
    """The type's name: ``list``, ``State``."""
    metadata: str = ""
    """What it has beside its leaves (static fields, auxiliary data), as text, cut at `TEXT_LIMIT` characters."""
    fields: tuple[str, ...] = ()
    """Names and texts of the metadata, where they are a dataclass's fields: ``lr=0.1``, ``cfg.width=256``."""
    digest: str = ""
    """Digest of the metadata's whole text, where `metadata` was cut."""
    identity: int | None = None
    """``id()`` of a type that is not built in: a class made again is another one."""
    token: int | None = None
    """The same for metadata that is equal, in this process only; None where it can't be hashed: then texts decide."""
    tokens: tuple[int | None, ...] = ()
    """The same for each of `fields`."""
    items: int = 0
    """How many containers and leaves are directly in it."""

    @property
    def key(self) -> tuple[object, ...]:
        """What JAX compares. Items that were added to a list or a dict are nodes and leaves themselves."""
        held = self.token if self.token is not None else (self.metadata, self.fields, self.tokens, self.digest)
        return (self.path, self.type, self.identity, held, self.items if self.type == "tuple" else None)

    @property
    def text(self) -> str:
        """Type and size: ``list of 2``."""
        return f"{self.type} of {self.items}" if self.type in _COUNTED else self.type


_COUNTED = {"list", "tuple", "dict", "OrderedDict", "defaultdict"}


class Signature(msgspec.Struct, frozen=True, omit_defaults=True):
    """All that one call's cache key sees of its arguments."""

    leaves: tuple[Leaf, ...] = ()
    structure: str = ""
    """torch: the container structure as it is written, cut at 1,000 characters. JAX's is in `nodes`."""
    nodes: tuple[Node, ...] = ()
    """JAX: the containers, in the order of the leaves, the outer first."""
    structure_digest: str = ""
    """Digest of the whole structure: two structures are the same where their digests are."""
    positional: int = 0
    """How many arguments were passed by position."""
    keywords: tuple[str, ...] = ()
    """Names of the arguments passed by keyword, sorted."""
    options: tuple[str, ...] = ()
    """JAX, in a region: the options of the jit that are not the default: ``donate_argnums=(0,)``."""
    partial: bool = False
    """JAX: only the types of a program, which no call's arguments stand for; how they were placed is not known."""

    @property
    def text(self) -> str:
        """One line: ``q: bf16[2,64,4,32], causal=True``; at most `TEXT_LEAVES` leaves, then how many more."""
        shown = ", ".join([cut(leaf.text, 120) for leaf in self.leaves[:TEXT_LEAVES]])
        rest = len(self.leaves) - TEXT_LEAVES
        return f"{shown}, … {rest} more" if rest > 0 else shown or "()"
