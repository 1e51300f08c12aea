"""The report as JSON, by the schema in docs/report.schema.json."""

from __future__ import annotations

import msgspec

from jitscope.model.budget import BudgetResult
from jitscope.model.health import Health
from jitscope.model.report import Report
from jitscope.model.story import Story


def render_json(report: Report | Story | BudgetResult | Health) -> str:
    """Write ``report``, or another value that a command makes, as indented JSON, ended by a newline."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
