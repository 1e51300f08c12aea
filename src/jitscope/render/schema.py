"""The JSON schema of the report; ``python -m jitscope.render.schema`` writes docs/report.schema.json."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from jitscope.model.events import SCHEMA
from jitscope.model.report import Report

DEFAULT = Path("docs/report.schema.json")


def report_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of what `render_json` writes. Readers must accept fields that it does not name."""
    schema = msgspec.json.schema(Report)
    schema["$defs"]["Report"]["properties"]["schema"] = {"const": SCHEMA}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"jitscope report, schema {SCHEMA}",
        **schema,
    }


def schema_text() -> str:
    """The schema as the file holds it."""
    return json.dumps(report_schema(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    target.write_text(schema_text(), encoding="utf-8")
