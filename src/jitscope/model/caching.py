"""What caches on disk did for one compilation, and what their keys were made of."""

from __future__ import annotations

import base64
import zlib
from typing import Literal

import msgspec

CacheResult = Literal["hit", "miss", "bypass", "off", "unknown"]
"""What came of asking a cache: ``bypass`` is a program that the framework does not cache, ``off`` is a cache that was
not asked."""

CACHE_NAMES = {
    "jax": "JAX's persistent cache",
    "fx_graph": "Inductor's FX graph cache",
    "aot_autograd": "AOTAutograd's cache",
    "triton": "Triton's cache",
}
"""The caches, by the names that recordings and reports have for them."""


class KeyPart(msgspec.Struct, frozen=True, array_like=True):
    """One of the parts that a key is hashed from."""

    name: str
    """As the framework calls it: ``compile_options``, ``inductor_config[max_autotune]``."""
    digest: str
    """Of the part alone, hexadecimal or base 32, cut to 16 characters: equal parts have equal ones."""
    text: str | None = None
    """What was hashed, in short; None where it has no short text."""


class CacheLookup(msgspec.Struct, frozen=True, omit_defaults=True):
    """One compiled program, and one cache on disk."""

    cache: str
    """``jax``, ``fx_graph``, ``aot_autograd``."""
    result: CacheResult
    key: str | None = None
    """The framework's name of the entry: the stem of JAX's file, the folder of Inductor's."""
    parts: int | None = None
    """Id of the `CacheKeyEvent` that says what the key was made of."""
    reason: str | None = None
    """Why it was not a hit, a stable word: ``no_entry``, ``disabled``, ``unreadable``; None for a plain hit."""
    words: str | None = None
    """The framework's own words, or the settings behind `reason`."""
    folder: str | None = None
    """Where the entries are; None: nowhere on this disk, or not known."""
    remote: bool = False
    """A remote cache had it."""
    backward: bool = False
    """torch: the lookup was for the graph of the backward pass."""
    read_seconds: float | None = None
    """Time spent looking and loading; it is part of a phase."""
    write_seconds: float | None = None
    written: bool | None = None
    """Of what was not a hit: whether an entry was written; None: unknown, or nothing to be written."""
    unwritten: str | None = None
    """Why none was, a stable word: ``too_quick``, ``too_small``, ``broken_entry``, ``failed``."""
    unwritten_words: str | None = None
    """The setting or the error behind `unwritten`."""
    compile_seconds: float | None = None
    """What the framework measured for compiling this program now; an entry written stands for so much."""
    stored_seconds: float | None = None
    """Of a hit: what compiling had taken when the entry was made, as stored in it."""
    stored_whole: bool = False
    """`stored_seconds` was cut down to whole seconds (JAX)."""


class CacheKeyEvent(msgspec.Struct, frozen=True, tag="cache_key", tag_field="event", omit_defaults=True):
    """What a key was made of, written before a compilation refers to it."""

    id: int
    cache: str
    key: str
    base: int | None = None
    """Id of an earlier one: `parts` are those that differ from it."""
    parts: tuple[KeyPart, ...] = ()
    gone: tuple[str, ...] = ()
    """Names of parts that `base` has and this one has not."""
    packed: str | None = None
    """The program's text, packed: see `program_text`. Contents of constant arrays are left out of it."""
    unpacked: str | None = None
    """Why there is no text, where there is none."""
    captured: dict[str, str] = {}
    """Plain values that the function takes from around it (globals, closure, defaults), by name, as texts."""


def pack(text: str) -> str:
    """``text`` in few characters; `unpack` undoes it."""
    return base64.b85encode(zlib.compress(text.encode(), 6)).decode("ascii")


MOST_TEXT = 4 << 20
"""Bytes that a packed text may have when it is unpacked."""


def unpack(packed: str) -> str | None:
    """What `pack` packed; None where it is no such thing, or of more than `MOST_TEXT` bytes."""
    try:
        packer = zlib.decompressobj()
        text = packer.decompress(base64.b85decode(packed), MOST_TEXT)
        return text.decode() if packer.eof else None
    except (ValueError, zlib.error):
        return None
