"""The report as JSON, by the schema in docs/report.schema.json."""

from __future__ import annotations

import msgspec

from jitscope.model.budget import BudgetResult
from jitscope.model.report import Report
from jitscope.model.story import Story


def render_json(report: Report | Story | BudgetResult) -> str:
    """Write ``report``, the story of one function, or what became of a budget, as indented JSON, ended by a newline."""
    return msgspec.json.format(msgspec.json.encode(report), indent=2).decode() + "\n"
