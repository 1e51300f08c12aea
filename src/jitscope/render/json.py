"""Values as JSON: the report by the schema in docs/report.schema.json, others by those beside it."""

from __future__ import annotations

import json
import re

import msgspec

_NO_TEXT = re.compile("[\ud800-\udfff]")


def render_json(value: msgspec.Struct) -> str:
    r"""Write a report, or another of analysis' values, as indented JSON, ended by a newline.

    Bytes of a file's name that are no text are written as what people read for them elsewhere: ``\udcff``.
    """
    try:
        packed = msgspec.json.encode(value)
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
        packed = _NO_TEXT.sub(lambda found: f"\\\\u{ord(found[0]):04x}", text).encode()
    return msgspec.json.format(packed, indent=2).decode() + "\n"
