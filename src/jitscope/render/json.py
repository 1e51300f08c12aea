"""Values as JSON: the report by the schema in docs/report.schema.json, others by those beside it."""

from __future__ import annotations

import msgspec


def render_json(value: msgspec.Struct) -> str:
    """Write a report, or another of analysis' values, as indented JSON, ended by a newline."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n"
