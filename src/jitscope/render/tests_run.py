"""What a test run compiled, for the end of pytest's output."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from jitscope.analysis.tests_run import FunctionRow, OneTest, RunSummary
from jitscope.render.numbers import count_text, seconds_text, share_text
from jitscope.render.page import Page

TESTS = 5
"""Tests shown."""
FUNCTIONS = 5
"""Functions shown."""
CAUSES = 3


def render_tests_run(run: RunSummary, durations: Mapping[str, float], *, width: int, color: bool) -> str:
    """Where compiling went: all tests, the slowest of them, and what was compiled again.

    ``durations`` are the seconds that the tests took, by their ids.
    """
    page = Page(width)
    total = sum(durations.values())
    _verdict(page, run, total)
    slow = sorted((one for one in run.tests if one.test is not None), key=lambda one: -one.seconds)
    if slow:
        page.add(("slowest to compile", "bold"))
    for one in slow[:TESTS]:
        _test(page, one, durations)
    if len(slow) > TESTS:
        rest = slow[TESTS:]
        page.add(f"… {count_text(len(rest), 'more test')}, {seconds_text(sum(one.seconds for one in rest))}", indent=2)
    if run.functions:
        page.add(("compiled again", "bold"))
    for each in run.functions[:FUNCTIONS]:
        _function(page, each)
    if len(run.functions) > FUNCTIONS:
        page.add(f"… {count_text(len(run.functions) - FUNCTIONS, 'more function')}", indent=2)
    for process in run.lost:
        page.add(("note: ", "yellow"), f"{process} ended without its numbers: they are not in here", hang=2)
    for path in run.recordings:
        page.add((f"jitscope report {shlex.quote(path)}", "dim"), wrap=False)
    return page.text(color=color)


def _verdict(page: Page, run: RunSummary, total: float) -> None:
    compilations = sum(one.compilations for one in run.tests)
    eager = sum(one.eager_op_compilations for one in run.tests)
    if not compilations and not eager:
        page.add(("nothing was compiled", "bold"), f" in {seconds_text(total)} of tests")
        return
    inside = sum(one.seconds for one in run.tests if one.test is not None)
    again = sum(one.recompilations for one in run.tests)
    share = f" ({share_text(inside / total)})" if total else ""
    parts = [count_text(compilations, "compilation") + (f", {again} again" if again else "")]
    if eager:
        parts.append(count_text(eager, "eager operation"))
    outside = run.seconds - inside
    if outside > 0:
        parts.append(f"{seconds_text(outside)} more outside of tests")
    page.add(
        (f"{seconds_text(inside)} of {seconds_text(total)} of tests compiling{share}", "bold"),
        f": {' · '.join(parts)}",
        hang=2,
    )


def _test(page: Page, one: OneTest, durations: Mapping[str, float]) -> None:
    took = durations.get(one.test or "")
    of = f" of {seconds_text(took)}" if took is not None else ""
    again = f", {one.recompilations} again" if one.recompilations else ""
    eager = f" · {count_text(one.eager_op_compilations, 'eager operation')}" if one.eager_op_compilations else ""
    page.add(
        (seconds_text(one.seconds), "yellow"), f"{of}  ", (one.test or "", "bold"),
        f"  {count_text(one.compilations, 'compilation')}{again}{eager}", indent=2, hang=2,
    )  # fmt: skip


def _function(page: Page, one: FunctionRow) -> None:
    place = f"  {one.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{one.line}" if one.file else ""
    tests = f" in {count_text(len(one.tests), 'test')}" if one.tests else ""
    more = ", …" if len(one.causes) > CAUSES else ""
    page.add(
        (seconds_text(one.seconds), "yellow"), "  ", (one.name.rpartition("<locals>.")[2], "bold"), place,
        f"  {one.recompilations} again{tests}: {', '.join(one.causes[:CAUSES])}{more}", indent=2, hang=2,
    )  # fmt: skip
