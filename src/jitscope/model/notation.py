"""How types, paths and values are written, the same way for both frameworks.

The short form ``bf16[32,1024,16,256]`` is JAX's (``ShapedArray.str_short(short_dtypes=True)``);
dtypes of torch and NumPy are written in the same form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

TEXT_LIMIT = 200
"""Longest text of a static value or a name that is kept, in characters."""

LABEL_JOIN = " › "
"""Between the text of a label and that of one inside of it."""

_ELLIPSIS = "…"


def cut(text: str, limit: int = TEXT_LIMIT) -> str:
    """Shorten ``text`` to at most ``limit`` characters, ending in ``…`` where something was left out."""
    return text if len(text) <= limit else text[: max(limit - 1, 0)] + _ELLIPSIS


def short_dtype(name: str) -> str:
    """Shorten a dtype's name: ``torch.bfloat16`` → ``bf16``, ``float32`` → ``f32``, ``bool`` → ``bool``.

    The rule is JAX's own (``jax._src.dtypes.short_dtype_name``), applied to the name without its module.
    """
    name = name.removeprefix("torch.")
    for long, short in (("float", "f"), ("uint", "u"), ("int", "i"), ("complex", "c")):
        name = name.replace(long, short)
    return name


def long_dtype(name: str) -> str | None:
    """The name that `short_dtype` shortened: ``bf16`` → ``bfloat16``; None where it is none of an array's."""
    found = _SHORT.fullmatch(name)
    if found is None:
        return name if name == "bool" else None
    return f"{found['brain']}{_KINDS[found['kind']]}{found['rest']}"


_SHORT = re.compile(r"(?P<brain>b?)(?P<kind>[fiuc])(?P<rest>\d+(?:_[a-z0-9]+)*)", re.ASCII)
_KINDS = {"f": "float", "i": "int", "u": "uint", "c": "complex"}


def array_text(dtype: str, shape: Iterable[int | str]) -> str:
    """Write an array type: ``array_text("bf16", (32, 1024))`` → ``bf16[32,1024]``."""
    return f"{dtype}[{','.join(map(str, shape))}]"


def printable(text: str) -> str:
    """Make ``text`` safe to print on one line: control and bidirectional characters are escaped.

    Names and values come from the watched program; a terminal must not obey them.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char.isprintable() and not _is_bidi(char) else char.encode("unicode_escape").decode("ascii")
        for char in text
    )


def _is_bidi(char: str) -> bool:
    return char in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
