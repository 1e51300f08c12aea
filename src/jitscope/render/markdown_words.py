"""Text in GitHub's Markdown: what programs named is shown, and does nothing."""

from __future__ import annotations

import re
from typing import Final

from jitscope.model.notation import printable

_MARKUP: Final = frozenset("\\`*_{}[]<>#|~&$")
"""Round brackets do nothing without square ones before them."""
_WWW: Final = re.compile("www", re.IGNORECASE)
_BREAK: Final = "\u200b"
"""A blank without width: GitHub looks for mentions, issues and addresses in the text after all escapes are undone."""


def code(text: str, *, cell: bool = False) -> str:
    """``text`` as code that ends where it should; empty text stays empty. ``cell``: for a table's cell."""
    if not text:
        return ""
    shown = printable(text)
    fence = "`"
    while fence in shown:
        fence += "`"
    space = " " if shown.startswith("`") or shown.endswith("`") else ""
    whole = f"{fence}{space}{shown}{space}{fence}"
    # A table is taken apart before its code is: a bar in code has to be escaped there, and only there.
    return whole.replace("|", "\\|") if cell else whole


def plain(text: str) -> str:
    """Text in which nothing is Markdown, HTML, mathematics, a mention, an issue's number or an address."""
    escaped = "".join(f"\\{char}" if char in _MARKUP else char for char in printable(text))
    escaped = escaped.replace("@", f"@{_BREAK}").replace("\\#", f"\\#{_BREAK}")
    escaped = escaped.replace("://", f":{_BREAK}//")
    return _WWW.sub(lambda found: f"{found[0]}{_BREAK}", escaped)


def block(lines: list[str], language: str = "") -> list[str]:
    """Lines of a block of code, whatever they hold."""
    shown = [printable(line) for line in lines]
    fence = "```"
    while any(fence in line for line in shown):
        fence += "`"
    return [f"{fence}{language}", *shown, fence]
