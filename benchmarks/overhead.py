"""Fills docs/overhead.md: everything between its marks comes from the results, never from a keyboard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

from harness import Row, Table
from machine import Results
from tables import markdown, quantity

PARTS = ("machine", "summary", "hits", "anatomy", "misses", "programs", "memory")
_TABLES = {
    "hits": ("hit_",),
    "anatomy": ("anatomy_",),
    "misses": ("miss_",),
    "programs": ("whole_", "startup"),
    "memory": ("memory", "recording"),
    "scale": ("scale",),
}


def lacks(page: Path) -> str | None:
    """What is wrong with a page that is to be written, in words; None if nothing is."""
    if not page.is_file():
        return f"{page}: no such page; docs/overhead.md is one"
    text = page.read_text(encoding="utf-8")
    for part in PARTS:
        begin, end = _marks(part)
        if not -1 < text.find(begin) < text.find(end):
            return f"{page}: it lacks {begin} … {end}, between which tables are written"
    return None


def _marks(part: str) -> tuple[str, str]:
    return f"<!-- {part} -->", f"<!-- end of {part} -->"


def write(page: Path, results: Results) -> None:
    """Replace what is between the marks of a page that `lacks` nothing."""
    text = page.read_text(encoding="utf-8")
    makers: dict[str, Callable[[Results], str]] = {"machine": machine, "summary": summary}
    for part in PARTS:
        begin, end = _marks(part)
        before, _, rest = text.partition(begin)
        after = rest.partition(end)[2]
        made = makers[part](results) if part in makers else _tables(results, _TABLES[part])
        text = f"{before}{begin}\n\n{made}\n{end}{after}"
    page.write_text(text, encoding="utf-8")


def machine(results: Results) -> str:
    """What it was measured on."""
    lines = [
        f"- {results.cpu}, {results.cores} cores, {results.machine}; load of the minute before: {results.load:.2f}",
        "- " + ", ".join(f"{name} {version}" for name, version in results.versions.items()),
        f"- commit {results.commit}, {results.date}, `{results.command.strip()}`, {results.seconds:.0f} s",
    ]
    if results.load > 0.5:
        lines.append(
            "- **Other programs kept this machine busy meanwhile**: spreads and errors are larger than need be."
        )
    lines += [f"- {name} is missing: {why}" for name, why in results.missing.items()]
    return "\n".join(lines) + "\n"


def summary(results: Results) -> str:
    """Every target, what was measured, and the worst of it."""
    judged = [(table, row) for table in results.tables for row in table.rows if row.verdict is not None]
    counts = Counter(row.verdict.holds for _, row in judged if row.verdict is not None)
    lines = [
        ", ".join(f"{counts[holds]} {holds}" for holds in ("met", "not met", "undecided")) + ".",
        "",
        "| | measured | target | |",
        "|---|---:|---|---|",
    ]
    for table, row in judged:
        assert row.verdict is not None
        holds = row.verdict.holds if row.verdict.holds == "met" else f"**{row.verdict.holds}**"
        what = f"{table.title}: {row.case}".replace("_", "\\_")
        if row.contestant not in ("jitscope", "of which inside jitscope"):
            what += f", {row.contestant}"
        lines.append(f"| {what} | {_measured(row)} | {row.verdict.target} | {holds} |")
    worst = [(table, row) for table, row in judged if row.unit == "ns" and row.added and not row.added.lost]
    if worst:
        table, row = max(worst, key=lambda one: one[1].added.median if one[1].added is not None else 0.0)
        lines += ["", f"**The worst case** of those above the noise: {table.title}, {row.case}: {_measured(row)}."]
    return "\n".join(lines) + "\n"


def _measured(row: Row) -> str:
    if row.share is not None:
        return f"{quantity(row.value.median, row.unit)}, {row.share.median * 100:.2f} %"
    if row.added is None or (row.verdict is not None and row.verdict.target.startswith("under ")):
        return quantity(row.value.median, row.unit)
    ratio = f", × {row.ratio.median:.3f}" if row.ratio is not None else ""
    lost = ", lost in noise" if row.added.lost else ""
    return f"adds {quantity(row.added.median, row.unit)}{ratio}{lost}"


def _tables(results: Results, names: tuple[str, ...]) -> str:
    found: list[Table] = [table for table in results.tables if table.name.startswith(names)]
    return "\n".join(map(markdown, found)) if found else "Not measured in this run.\n"
