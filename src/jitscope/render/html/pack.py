"""Rows as columns, each text once: what the page's JSON is made smaller by. ``frontend/src/decode.ts`` undoes it.

A table is ``{"rows": n, "columns": {name: column}}``, and a column one of

- ``{"plain": [...]}``: numbers, booleans and nulls as they are;
- ``{"of": [...]}``: positions in the document's list of values;
- ``{"all": position}``: one value that all rows have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

_PLAIN = (int, float, bool, type(None))


class Values:
    """Texts and nested values, each kept once."""

    def __init__(self) -> None:
        self.found: list[Any] = []
        self._positions: dict[object, int] = {}

    def add(self, value: Any) -> int:
        """Where ``value`` is; it is put there if it is new."""
        key = value if isinstance(value, str) else msgspec.json.encode(value)
        position = self._positions.get(key)
        if position is None:
            position = self._positions[key] = len(self.found)
            self.found.append(value)
        return position


def table(rows: Sequence[Mapping[str, Any]], values: Values) -> dict[str, Any]:
    """Rows of plain JSON values as columns; a field that a row lacks is None."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {"rows": len(rows), "columns": {name: _column([row.get(name) for row in rows], values) for name in names}}


def _column(cells: Sequence[Any], values: Values) -> dict[str, Any]:
    if all(isinstance(cell, _PLAIN) for cell in cells):
        if len(cells) > 1 and all(cell == cells[0] and type(cell) is type(cells[0]) for cell in cells):
            return {"all": values.add(cells[0])}
        return {"plain": list(cells)}
    positions = [values.add(cell) for cell in cells]
    return {"all": positions[0]} if len(positions) > 1 and len(set(positions)) == 1 else {"of": positions}
