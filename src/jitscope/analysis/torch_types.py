"""Python types in the texts of torch's guards."""

from __future__ import annotations

import ast
import re


def plain_type(text: str) -> str:
    """``<class 'a.b.C'>`` → ``C``."""
    return re.sub(r"^<class '(?:.*\.)?([^'.]+)'>$", r"\1", text)


def type_of(text: str) -> str:
    """The type of a value that is written as Python writes it; empty where that can't be told."""
    if text in ("inf", "-inf", "nan"):
        return "float"
    try:
        return type(ast.literal_eval(text)).__name__
    except (ValueError, SyntaxError):
        return ""
