"""What was compiled, function by function: for a test that failed because of it."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.analysis.grouping import by_source
from jitscope.model.report import CompilationReport, EagerOp, FunctionReport
from jitscope.render.changes import add_compilation
from jitscope.render.numbers import count_text, seconds_text
from jitscope.render.page import Page

COMPILATIONS = 10
"""Compilations of one function that are shown."""
PROGRAMS = 10
"""Programs that nobody watched that are shown."""
SITES = 3
WIDTH = 100


def compiled_text(
    functions: Sequence[FunctionReport],
    unwatched: Sequence[EagerOp] = (),
    eager_ops: Sequence[EagerOp] = (),
    *,
    why_unwatched: str = "",
    width: int = WIDTH,
    color: bool = False,
) -> str:
    """Every compilation with its call site, what changed and what to do; empty where nothing was compiled."""
    page = Page(width)
    for group in by_source(functions):
        done = [one for one in group.details if _compiled(one)]
        if not done:
            continue
        first = group.first
        place = f"  {first.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{first.line}" if first.file else ""
        page.add((first.name.rpartition("<locals>.")[2], "bold"), f"{place}  {count_text(len(done), 'compilation')}")
        fix: str | None = None
        for one in done[:COMPILATIONS]:
            add_compilation(page, one, fix_shown=fix, program=first.kind == "region")
            fix = one.fix or fix
        if len(done) > COMPILATIONS:
            rest = done[COMPILATIONS:]
            page.add(f"… {len(rest)} more, {seconds_text(sum(one.seconds for one in rest))}", indent=3)
    _programs(page, "not watched", unwatched, why_unwatched)
    _programs(page, "eager operations", eager_ops, "")
    return page.text(color=color)


def _compiled(one: CompilationReport) -> bool:
    return one.failed is None and one.layers[-1:] == ("compile",)


def _programs(page: Page, title: str, programs: Sequence[EagerOp], why: str) -> None:
    if not programs:
        return
    page.add((title, "bold"), f": {why}" if why else "", hang=3)
    for one in programs[:PROGRAMS]:
        sites = ", ".join(dict.fromkeys(site.text for site in one.sites[:SITES]))
        page.add(
            f"{one.name}  {count_text(one.compilations, 'compilation')}  {seconds_text(one.compile_seconds)}",
            f"  called at {sites}" if sites else "",
            indent=3,
            hang=2,
        )
    if len(programs) > PROGRAMS:
        page.add(f"… {len(programs) - PROGRAMS} more", indent=3)
