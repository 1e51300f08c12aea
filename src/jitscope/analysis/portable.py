"""Signatures without what holds in one process only: to tell whether two processes, or two runs, met the same one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

import msgspec

from jitscope.model.events import Event, SignatureEvent
from jitscope.model.signature import ArrayLeaf, Leaf, Node, Signature, StaticLeaf

_ADDRESS = re.compile(r"\b0x[0-9a-fA-F]{4,}\b")
_NUMBERED = re.compile(r"(?P<kind>[a-z]\w*):\d+")
"""``cuda:3``; not a sharding, which may hold more."""


def lone_devices(events: Iterable[Event]) -> dict[str, str]:
    """What devices are called when counted within their process: ``{"cuda:3": "cuda"}``.

    A rank that uses one device of a kind runs the same programs as another rank does on its own. Where a process uses
    several of a kind, they keep their numbers.
    """
    kinds: dict[str, set[str]] = {}
    for event in events:
        if isinstance(event, SignatureEvent):
            for leaf in event.signature.leaves:
                device = leaf.device if isinstance(leaf, ArrayLeaf) else None
                numbered = _NUMBERED.fullmatch(device) if device is not None else None
                if device is not None and numbered is not None:
                    kinds.setdefault(numbered["kind"], set()).add(device)
    return {device: kind for kind, devices in kinds.items() for device in devices if len(devices) == 1}


def portable(signature: Signature, devices: Mapping[str, str]) -> Signature:
    """``signature`` as any process would write it: no ids, no hashes, no addresses, no numbers of lone devices."""
    return msgspec.structs.replace(
        signature,
        leaves=tuple(_leaf(leaf, devices) for leaf in signature.leaves),
        nodes=tuple(_node(node) for node in signature.nodes),
        # JAX's is made of its nodes, with what holds in one process only.
        structure_digest="" if signature.nodes else signature.structure_digest,
    )


def signature_key(signature: Signature | None) -> bytes:
    """Short, and the same for equal ones: of a `portable` signature, in every process."""
    return hashlib.blake2b(msgspec.json.encode(signature), digest_size=16).digest()


def _leaf(leaf: Leaf, devices: Mapping[str, str]) -> Leaf:
    if isinstance(leaf, StaticLeaf):
        if leaf.identity is None and leaf.token is None and "0x" not in leaf.value:
            return leaf
        return msgspec.structs.replace(leaf, identity=None, token=None, value=_ADDRESS.sub("0x…", leaf.value))
    if leaf.device is not None and leaf.device in devices:
        return msgspec.structs.replace(leaf, device=devices[leaf.device])
    return leaf


def _node(node: Node) -> Node:
    return msgspec.structs.replace(
        node, identity=None, token=None, tokens=(), metadata=_ADDRESS.sub("0x…", node.metadata)
    )
