"""The tables of a report as CSV (RFC 4180, with line feeds), for spreadsheets and data frames."""

from __future__ import annotations

import csv
import io
from typing import Final

from jitscope.model.notation import printable
from jitscope.model.recording import Recording
from jitscope.model.report import Report
from jitscope.render.tables import Cell, TableName, columns, table

_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""What a spreadsheet takes a text for a formula by, its wide forms too (OWASP, "CSV Injection")."""
_LONGEST: Final = 32_000
"""Characters: a cell of a spreadsheet holds 32,767."""


def render_csv(recording: Recording, report: Report, name: TableName = "compilations") -> str:
    """Write a table of ``report``, which is of ``recording``, its header first.

    Texts are quoted, numbers are not, and what is not known is empty. A text that a spreadsheet would run as a formula
    has an apostrophe before it.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, columns(name), quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    writer.writeheader()
    for row in table(name, recording, report):
        writer.writerow({column: _cell(value) for column, value in row.items()})
    return text.getvalue()


def _cell(value: Cell) -> str | int | float:
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return value
        case None:
            return ""
    shown = printable(value)
    if shown.lstrip().startswith(_FORMULA):
        shown = f"'{shown}"
    return shown[:_LONGEST]
