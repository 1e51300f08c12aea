"""The JSON schemas of what commands write; ``python -m jitscope.render.schema`` writes them all into docs/."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from jitscope.analysis.compare import DIFFERENCE_SCHEMA
from jitscope.analysis.divergence import COMBINED_SCHEMA
from jitscope.analysis.listing import LISTING_SCHEMA
from jitscope.model.combined import Combined
from jitscope.model.difference import RunDifference
from jitscope.model.disk import DISK_SCHEMA, CacheChecks, CachePrunings, DiskListing, DiskSums
from jitscope.model.events import SCHEMA
from jitscope.model.first_call import FirstCalls
from jitscope.model.listing import Listing, Pruning
from jitscope.model.misses import MISSES_SCHEMA, Misses
from jitscope.model.report import Report
from jitscope.model.warming import WARMING_SCHEMA, WarmUp

DEFAULT = Path("docs")

SCHEMAS: dict[str, tuple[type[msgspec.Struct], int]] = {
    "report": (Report, SCHEMA),
    "first": (FirstCalls, SCHEMA),
    "listing": (Listing, LISTING_SCHEMA),
    "pruning": (Pruning, LISTING_SCHEMA),
    "combined": (Combined, COMBINED_SCHEMA),
    "difference": (RunDifference, DIFFERENCE_SCHEMA),
    "cache-listing": (DiskListing, DISK_SCHEMA),
    "cache-sums": (DiskSums, DISK_SCHEMA),
    "cache-pruning": (CachePrunings, DISK_SCHEMA),
    "cache-checks": (CacheChecks, DISK_SCHEMA),
    "cache-misses": (Misses, MISSES_SCHEMA),
    "warming": (WarmUp, WARMING_SCHEMA),
}
"""What each file ``docs/NAME.schema.json`` is of, and the schema's number."""


def schema_of(name: str) -> dict[str, Any]:
    """JSON Schema (2020-12) of what `render_json` writes. Readers must accept fields that it does not name."""
    kind, number = SCHEMAS[name]
    schema = msgspec.json.schema(kind)
    schema["$defs"][kind.__name__]["properties"]["schema"] = {"const": number}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"jitscope {name}, schema {number}",
        **schema,
    }


def report_schema() -> dict[str, Any]:
    """That of the report."""
    return schema_of("report")


def schema_text(name: str = "report") -> str:
    """The schema as the file holds it."""
    return json.dumps(schema_of(name), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else DEFAULT
    for each in SCHEMAS:
        (folder / f"{each}.schema.json").write_text(schema_text(each), encoding="utf-8")
