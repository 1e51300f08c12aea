"""What `jitscope ls`, `combine` and `diff` print, to the letter. JITSCOPE_UPDATE_GOLDEN=1 writes the files anew."""

import os
import time
from pathlib import Path

import msgspec
import pytest
from builders import (
    array,
    compilation,
    function,
    header,
    process,
    ranks,
    recording,
    runs,
    signature,
    signatures,
    static,
    training,
)
from rich.text import Text

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.analysis.compare import compare
from jitscope.analysis.divergence import summarize
from jitscope.analysis.listing import Found, listing_of
from jitscope.analysis.story import story_of
from jitscope.analysis.tally import tally
from jitscope.model.listing import Pruned, Pruning
from jitscope.render.combined import render_combined
from jitscope.render.difference import render_difference
from jitscope.render.difference_markdown import render_difference_markdown
from jitscope.render.listing import render_listing, render_pruning
from jitscope.render.text import render_text
from jitscope.render.why import render_why

HERE = Path(__file__).parent / "runs"


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    """Lists show local time."""
    if hasattr(time, "tzset"):
        monkeypatch.setenv("TZ", "UTC")
        time.tzset()
        yield
        monkeypatch.undo()
        time.tzset()
    else:
        yield


def found(value, **fields):
    known = {
        "file": f"{value.header.run}.jsonl",
        "bytes": 12345,
        "header": value.header,
        "state": "complete",
        "wall_seconds": value.wall_seconds,
        "torn": value.torn,
        "tally": tally(value),
    }
    return Found(**(known | fields))


def folder():
    launch = ranks((64, 63), (64,), (64, 63, 61))
    child = process(training((64,)), run="child", program="main", parent=7, pid=8, process="SpawnProcess-1")
    main = process(training((64, 63)), run="main", program="main", pid=7)
    inner = process(training((64,)), run="inner", program="main", pid=7, monotonic=1001.0)
    killed = process(recording(end=None, torn=True), run="killed", argv=(), started="2026-11-20T10:00:00Z")
    limit = compilation(1, layers=(), failed="recompile limit")
    odd = process(recording(function(), limit, end=None), run="odd", argv=("\x1b[31m", "[bold]"), started="yesterday")
    eager = process(recording(compilation(1, None, library=True)), run="eager", started="2026-11-19T10:00:00Z")
    together = process(combine(launch), run="together", started="2026-11-21T10:00:00Z")
    together = msgspec.structs.replace(
        together, header=msgspec.structs.replace(together.header, processes=combine(launch).header.processes)
    )
    return listing_of(
        ".jitscope",
        [
            *(found(one) for one in launch),
            *(found(one) for one in (child, main, inner)),
            found(killed, state="running"),
            found(odd, state="unknown", wall_seconds=5.0),
            found(eager),
            found(together, file="combined.jsonl"),
            found(training(), tally=None, wall_seconds=None, error="recording x is broken in line 3: record again"),
            Found("foreign.jsonl", 3, None, error="foreign.jsonl is not a jitscope recording"),
        ],
    )


def pruned():
    deleted = tuple(Pruned(f"{run}.jsonl", run, "2026-11-22T20:54:27Z", 9_000_000) for run in ("a", "b"))
    return Pruning(1, ".jitscope", False, 3, 3, deleted, (Pruned("c.jsonl", "c", None, 1, "its process 7 still runs"),))


def launch():
    """Ranks that differ in all ways: another size, a function that one never meets, one killed."""
    first, second, third, fourth = ranks((64, 63), (64, 63), (64, 63, 61), (64, 63))
    other = recording(
        *second.events[:-1],
        function(50, "evaluate", line=80),
        *signatures(50, signature(array("x", "f32", 8), static("mode", "\x1b[2J[bold]")), start=60),
        *(compilation(70 + n, 50, 0.5, call=n, signature=60, program="jit(evaluate)") for n in (1, 2)),
        runs(50, (60, "compile", 2)),
        end=None,
        header=second.header,
        wall_seconds=9.0,
    )
    return [first, other, third, fourth]


def before():
    return recording(
        *training((64, 63, 61, 64)).events[:-1],
        function(50, "make.<locals>.loss", line=80),
        *signatures(50, signature(array("x", "f32", 8)), start=60),
        compilation(70, 50, 0.5, call=1, signature=60, program="jit(loss)"),
        runs(50, (60, "compile", 1), (60, "hit", 9)),
        function(51, "same", line=90),
        *signatures(51, signature(array("x", "f32", 8)), start=61),
        compilation(71, 51, 0.25, call=1, signature=61, program="jit(same)"),
        runs(51, (61, "compile", 1)),
        compilation(90, None, 0.1, program="jit(add)", library=True),
    )


def after():
    value = recording(
        *training((64, 64, 64, 64, 128)).events[:-1],
        function(51, "same", line=94),
        *signatures(51, signature(array("x", "f32", 8)), start=61),
        compilation(71, 51, 0.25, call=1, signature=61, program="jit(same)"),
        runs(51, (61, "compile", 1)),
        function(52, "evil\x1b[31m|`*[x](y)", line=99),
        *signatures(52, signature(static("mode", "`|\x1b[2J")), start=62),
        compilation(72, 52, 0.002, call=1, signature=62, program="jit(evil)"),
        runs(52, (62, "compile", 1)),
    )
    return process(value, run="20261122-215427-4243", versions={"python": "3.11.7", "jax": "0.11.2"}, pid=4243)


TEXTS = {
    "ls": lambda width: render_listing(folder(), width=width, color=False),
    "ls_empty": lambda width: render_listing(listing_of(".jitscope", []), width=width, color=False),
    "ls_keep": lambda width: render_pruning(pruned(), width=width, color=False),
    "ls_dry_run": lambda width: render_pruning(
        msgspec.structs.replace(pruned(), dry_run=True), width=width, color=False
    ),
    "combine": lambda width: render_combined(summarize(launch()), width=width, color=False),
    "combine_written": lambda width: render_combined(
        summarize(ranks((64, 63), (64, 63))), width=width, color=False, written="all of it.jsonl"
    ),
    "combine_many": lambda width: render_combined(
        summarize(ranks(*((64, 63) if rank % 5 else (64, 63, 61) for rank in range(40)))), width=width, color=False
    ),
    "combined_report": lambda width: render_text(
        build_report(combine(launch())), width=width, color=False, source="combined.jsonl"
    ),
    "combined_why": lambda width: render_why(
        story_of(combine(launch()), "train_step"), width=width, color=False, source="combined.jsonl"
    ),
    "diff": lambda width: render_difference(compare(before(), after()), width=width, color=False, source="b.jsonl"),
    "diff_same": lambda width: render_difference(compare(before(), before()), width=width, color=False),
    "diff_nothing_in_common": lambda width: render_difference(
        compare(training(), recording(function(1, "other"), compilation(1), header=header(argv=("other.py",)))),
        width=width,
        color=False,
    ),
}


def check(name, actual):
    path = HERE / name
    if os.environ.get("JITSCOPE_UPDATE_GOLDEN") == "1":
        path.write_text(actual, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == actual


@pytest.mark.parametrize("name", TEXTS)
def test_text_at_80_columns(name):
    check(f"{name}.txt", TEXTS[name](80))


def test_markdown():
    check("diff.md", render_difference_markdown(compare(before(), after())))


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("width", [40, 120])
def test_no_line_is_wider_than_the_terminal(name, width):
    *lines, _ = TEXTS[name](width).splitlines()
    # The table of two runs' numbers is not broken.
    lines = [line for line in lines if not name.startswith("diff") or not line.startswith((" " * 5, *"cohnew"))]

    assert [] == [line for line in lines if Text(line).cell_len > width]


@pytest.mark.parametrize("name", TEXTS)
def test_nothing_of_the_programs_reaches_the_terminal(name):
    assert TEXTS[name](80).replace("\n", "").isprintable()


def test_markdown_holds_nothing_of_the_programs_but_code():
    text = render_difference_markdown(compare(before(), after()))

    assert text.replace("\n", "").isprintable()
    (head,) = [line for line in text.splitlines() if line.startswith("### ``evil")]
    assert "[x](y)" in head
