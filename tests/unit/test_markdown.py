"""The report as Markdown: short, and nothing that a program named does anything in it."""

import re

import msgspec
import pytest
from builders import array, compilation, function, header, recording, runs, signature, signatures, static, training
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from jitscope.analysis.build import build_report
from jitscope.model.caching import CacheLookup
from jitscope.model.events import CompilingCallEvent, NoteEvent, Site, Span
from jitscope.render.markdown import render_markdown
from jitscope.render.markdown_words import block, code, plain

GITHUB = MarkdownIt("gfm-like", {"linkify": False})


def markdown(value, **options):
    return render_markdown(build_report(value), **options)


def inlines(text):
    """All that a reader of GitHub's Markdown sees in it, piece by piece."""
    return [child for token in GITHUB.parse(text) for child in (token.children or [])]


def test_the_verdict_comes_first_then_what_to_do_then_the_numbers():
    lines = markdown(training()).splitlines()

    assert "**20.0 s, 30% compiling, 67% of that recompiling · hits 2 / 5 (40%)**" == lines[0]
    assert "3 compilations: 1 first, 2 again · 6.00 s, of which again 4.00 s" == lines[2]
    assert "1. **4.00 s**: `train_step` `train.py:12`: 2 recompilations: batch\\['x'\\] (shape)" in lines
    assert "   - seen: `axis 0: 64 → 63 → 61`" in lines
    assert any(line.startswith("   - fix: Pad axis 0 of batch\\['x'\\]") for line in lines)
    assert "| `train_step` `train.py:12` | 5 | 2 / 5 (40%) | 0 | 3 | 6.00 s | 4.00 s |" in lines


def test_versions_and_a_command_that_shows_the_same_come_last():
    *_, about, _, fence, run, report, end = markdown(training()).splitlines()

    assert "python 3.11.7 · jax 0.10.2 · cpu:0 · run 20261122-205427-4242" == about
    assert ("```sh", "jitscope run train.py --epochs 3", "jitscope report --format markdown", "```") == (
        fence,
        run,
        report,
        end,
    )


def test_first_calls_are_told_with_what_took_most_of_them():
    steps = (Span("trace", 1.0, 1.0, "step"), Span("compile", 2.0, 2.0, "step"))
    value = recording(
        function(1, "st_ep"),
        compilation(1, call=1, start=1.0),
        CompilingCallEvent(1, 1, 1.0, 4.0, steps),
        runs(1, (None, "compile", 1)),
    )

    assert "- 4.00 s `st_ep`: compile (XLA) 50%, trace 25%, dispatch 25%" in markdown(value).splitlines()
    assert "First calls" not in markdown(training())


def test_caches_on_disk_are_told_with_the_reasons():
    looked = CacheLookup("jax", "miss", key="k", reason="no-entry", written=False, unwritten="min-compile-time")
    one = msgspec.structs.replace(compilation(1, call=1), caches=(looked,))
    (line,) = [
        line
        for line in markdown(recording(function(), one, runs(1, (None, "compile", 1)))).splitlines()
        if "JAX's persistent cache" in line
    ]

    assert line.startswith("- JAX's persistent cache: found 0 / 1 (0%); ")


@pytest.mark.parametrize("argv", [(), ("",), ("-c", "x"), ("a" * 1000,)])
def test_no_command_where_there_is_none_that_would_work(argv):
    assert "jitscope run" not in markdown(recording(function(), header=header(argv=argv)))


def many():
    events = []
    for number in range(1, 40):
        events += [
            function(number, f"step{number}", line=number),
            *signatures(number, *(signature(array("x", "f32", size)) for size in (1, 2)), start=2 * number),
            compilation(2 * number, number, call=1, signature=2 * number),
            compilation(2 * number + 1, number, call=2, signature=2 * number + 1),
            runs(number, (2 * number, "compile", 1), (2 * number + 1, "compile", 1)),
            NoteEvent("odd", f"note {number}"),
        ]
    return recording(*events)


def test_it_stays_short_and_says_what_it_leaves_out():
    text = markdown(many())

    assert len(text.splitlines()) <= 60
    assert "34 more findings, 34.0 s." in text
    assert "31 more functions, 62.0 s compiling." in text
    assert "35 more notes" in text
    assert len(markdown(many(), all_=True).splitlines()) > 200


HOSTILE = (
    "|`</td><img src=x onerror=alert(1)>[a](javascript:1)*b*_c_~~d~~ @octocat #1 $x$ http://e.vil www.e.vil &lt;"
    "\x1b\n\u202e"
)


def test_what_programs_name_is_text_or_code():
    value = recording(
        function(1, HOSTILE, file=HOSTILE),
        *signatures(1, signature(static(HOSTILE, HOSTILE)), signature(static(HOSTILE, "b"))),
        compilation(1, call=1, signature=1, site=Site(HOSTILE, 1, HOSTILE)),
        compilation(2, call=2, signature=2, site=Site(HOSTILE, 1, HOSTILE)),
        compilation(3, None, library=True, program=HOSTILE),
        runs(1, (1, "compile", 1), (2, "compile", 1)),
        NoteEvent(HOSTILE, HOSTILE),
        header=header(argv=(HOSTILE,), versions={HOSTILE: HOSTILE}, run=HOSTILE, devices=(HOSTILE,)),
    )
    text = markdown(value, all_=True)
    tokens = GITHUB.parse(text)
    kinds = {child.type for child in inlines(text)}

    assert text.replace("\n", "").replace("\u200b", "").isprintable()
    assert {"text", "code_inline", "strong_open", "strong_close"} >= kinds
    assert not {"html_block", "html_inline"} & {token.type for token in tokens}
    rows = [sum(cell.type in {"td_open", "th_open"} for cell in row) for row in _rows(tokens)]
    assert {7} == set(rows)
    said = "".join(child.content for child in inlines(text) if child.type == "text")
    assert not re.search(r"@octocat|#1|http://|www\.", said)


def _rows(tokens):
    found = []
    for token in tokens:
        if token.type == "tr_open":
            found.append([])
        elif found:
            found[-1].append(token)
    return found


texts = st.text(st.sampled_from("`|\\*_[]()<>#@!~$&:/w.-+= ab\n\x1b") | st.characters(codec="utf-8"), max_size=30)


@given(texts)
def test_plain_text_is_only_text(text):
    (paragraph, inline, _) = GITHUB.parse(f"x: {plain(text)} y")

    assert "paragraph_open" == paragraph.type
    assert {"text", "text_special"} >= {child.type for child in inline.children}


@given(texts)
def test_code_is_one_piece_of_code(text):
    found = [child.type for child in inlines(f"x {code(text)} y")]

    assert found == (["text", "code_inline", "text"] if text else ["text"])


@given(texts)
def test_code_in_a_table_stays_in_its_cell(text):
    tokens = GITHUB.parse(f"| a | b |\n|---|---|\n| {code(text, cell=True)} | z |")
    (cell, last) = [token for token in tokens if token.type == "inline"][2:]

    assert "z" == last.content
    assert (["code_inline"] if text else []) == [child.type for child in cell.children]


@given(st.lists(texts, max_size=4))
def test_a_block_ends_where_it_should(lines):
    (fence,) = GITHUB.parse("\n".join(block(lines, "sh")))

    assert "fence" == fence.type
    assert len(lines) == fence.content.count("\n")
