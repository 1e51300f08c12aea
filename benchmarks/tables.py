"""Tables for a terminal (rich) and for the documentation (Markdown), from the same cells."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from harness import Estimate, Row, Table, Unit

if TYPE_CHECKING:
    from rich.console import Console

Cell = Callable[[Row], str]


def quantity(value: float, unit: Unit) -> str:
    """A number that a person can read, with its unit."""
    if unit == "bytes":
        return f"{value:,.0f} B" if abs(value) < 10_000 else f"{value / 1e3:,.0f} kB"
    nanoseconds = value * 1e9 if unit == "s" else value
    for size, name in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if abs(nanoseconds) >= size:
            return (
                f"{nanoseconds / size:,.3g} {name}"
                if abs(nanoseconds) < 1e3 * size
                else f"{nanoseconds / size:,.0f} {name}"
            )
    return f"{nanoseconds:.1f} ns" if abs(nanoseconds) < 10 else f"{nanoseconds:.0f} ns"


def with_error(found: Estimate, unit: Unit) -> str:
    """A median and its standard error."""
    error = f" ± {quantity(found.error, unit)}" if found.error is not None else ""
    return f"{quantity(found.median, unit)}{error}"


def _added(row: Row) -> str:
    if row.added is None:
        return ""
    return with_error(row.added, row.unit) + (" · lost in noise" if row.added.lost and row.added.rounds > 1 else "")


def _spread(row: Row) -> str:
    found = row.added if row.added is not None else row.value
    return f"{quantity(found.low, row.unit)} … {quantity(found.high, row.unit)}" if found.rounds > 1 else "one round"


def _ratio(row: Row) -> str:
    if row.share is not None:
        return f"{row.share.median * 100:.2f} % of it"
    # Of bytes that a framework does not keep, jitscope's are any number of times as many.
    return f"× {row.ratio.median:.3f}" if row.ratio is not None and row.unit != "bytes" else ""


def _verdict(row: Row) -> str:
    return row.verdict.holds if row.verdict is not None else ""


def targets(table: Table) -> list[str]:
    """The targets of a table's rows, each once."""
    return list(dict.fromkeys(f"Target: {row.verdict.target}." for row in table.rows if row.verdict is not None))


_COLUMNS: tuple[tuple[str, Cell], ...] = (
    ("", lambda row: row.contestant),
    ("median", lambda row: quantity(row.value.median, row.unit)),
    ("added", _added),
    ("10 % … 90 %", _spread),
    ("ratio", _ratio),
    ("step", lambda row: with_error(row.step, row.unit) if row.step is not None else ""),
    ("rounds", lambda row: str(row.value.rounds)),
    ("target", _verdict),
)


def cells(table: Table) -> tuple[list[str], list[tuple[Row, list[str]]]]:
    """Heads of the columns that say something in this table, and the rows."""
    filled = [(row, [cell(row) for _, cell in _COLUMNS]) for row in table.rows]
    kept = [index for index in range(len(_COLUMNS)) if any(texts[index] for _, texts in filled)]
    return [_COLUMNS[index][0] for index in kept], [(row, [texts[index] for index in kept]) for row, texts in filled]


def show(table: Table, console: Console) -> None:
    """Print a table to a terminal."""
    from rich.table import Table as Grid
    from rich.text import Text

    grid = Grid(title=table.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    heads, rows = cells(table)
    for head in heads:
        grid.add_column(head, justify="left" if head in ("", "target") else "right", no_wrap=True)
    case = None
    for row, texts in rows:
        if row.case != case:
            case = row.case
            grid.add_row(Text(case, style="bold"))
        style = {"met": "green", "not met": "red"}.get(row.verdict.holds if row.verdict is not None else "", "")
        grid.add_row(
            *(Text(text, style=style if head == "target" else "") for head, text in zip(heads, texts, strict=True))
        )
    console.print(grid)
    for note in targets(table) + table.notes:
        console.print(Text(note, style="dim"))
    console.print()


def markdown(table: Table) -> str:
    """The table as Markdown, below its method."""
    heads, rows = cells(table)
    lines = [f"### {table.title}", "", table.method, "", "| | " + " | ".join(heads) + " |"]
    lines.append("|---" * 2 + "|---:" * (len(heads) - 1 - ("target" in heads)) + "|---" * ("target" in heads) + "|")
    case = None
    for row, texts in rows:
        lines.append(
            "| " + " | ".join(_escaped(text) for text in ("" if row.case == case else row.case, *texts)) + " |"
        )
        case = row.case
    for note in targets(table) + table.notes:
        lines += ["", note]
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("_", "\\_")
