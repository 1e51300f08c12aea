"""The machine-read forms of a budget's result: workflow commands and JUnit XML, also with hostile names."""

import re
from xml.etree import ElementTree as ET

import pytest
from builders import compilation, function, recording, signature, signatures, static, training

from jitscope.analysis.budget import evaluate
from jitscope.analysis.build import build_report
from jitscope.model.budget import Budget, Limits
from jitscope.model.events import NoteEvent, Site
from jitscope.render.budget_github import command, relative_to, render_budget_github
from jitscope.render.budget_junit import render_budget_junit

EVIL = "::error::x\r\n::warning file=a::b %0A 100% <a b='c'>&]]>\x00\x1b\ufffe\ud800 \U0001f600"


def result(value, **limits):
    return evaluate(build_report(value), Budget(**limits))


def evil():
    return recording(
        function(1, EVIL, file=f"/home/u/a:b,{EVIL}.py"),
        *signatures(1, signature(static("mode", EVIL)), signature(static("mode", EVIL + "2"))),
        compilation(1, signature=1, call=1),
        compilation(2, signature=2, call=2, site=Site(f"/home/u/a:b,{EVIL}.py", 3, EVIL)),
        NoteEvent("odd", EVIL),
    )


def places(count):
    """A function compiled from as many lines."""
    return recording(
        function(),
        *signatures(1, *(signature(static("n", n)) for n in range(count))),
        *(
            compilation(n + 1, signature=n + 1, call=n + 1, site=Site("/r/a.py", n + 1, "main"))
            for n in range(count)
        ),
    )  # fmt: skip


def unescaped(text):
    """As GitHub's runner reads a message."""
    return text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")


def test_commands_are_escaped_as_the_toolkit_does():
    assert "::error::a%25b%0D%0Ac:d,e" == command("error", "a%b\r\nc:d,e")
    assert "::warning file=a%3A%2C%25.py,line=3,title=t%3A u::m" == command(
        "warning", "m", file="a:,%.py", line=3, title="t: u"
    )
    assert "%250A\n" == unescaped("%25250A%0A")


def test_each_line_is_one_command_whatever_the_program_is_named():
    limits = {"max_recompiles": 0, "functions": {EVIL + "*": Limits(max_recompiles=0)}}
    text = render_budget_github(result(evil(), **limits), root="/home/u", source=EVIL)
    *commands, last = text.splitlines()

    assert re.fullmatch(r"over budget: \d+ of \d+ limits? exceeded", last)
    assert ["::error", "::warning"] == [line.partition(" ")[0] for line in commands]
    for line in commands:
        assert re.fullmatch(r"::(error|warning)( [a-z]+=[^:,\r\n]*(,[a-z]+=[^:,\r\n]*)*)?::[^\r\n]*", line)
        assert line.isprintable()
    assert commands[0].startswith("::error file=a%3Ab%2C%3A%3Aerror%3A%3Ax")


def test_an_annotation_stands_at_the_call_and_tells_what_changed():
    (error, last) = render_budget_github(
        result(training(), max_recompiles=0), root="/home", source="r.jsonl"
    ).splitlines()
    assert error.startswith("::error file=u/train.py,line=40,title=jitscope%3A max_recompiles%3A 2%2C allowed 0::")
    message = unescaped(error.rpartition("::")[2]).splitlines()

    assert "train_step, call 3 at train.py:40 in main, 2.00 s" == message[0]
    assert "  batch['x']: f32[64,128] → f32[63,128] (shape)" == message[1]
    assert message[2].startswith("  fix: Pad axis 0")
    assert "jitscope why train_step r.jsonl" == message[-1]
    assert "over budget: 1 of 1 limit exceeded" == last


def test_no_more_annotations_than_are_shown():
    *commands, _ = render_budget_github(result(places(14), max_compilations=0)).splitlines()
    assert 10 == len(commands)
    assert "… and 4 more places" in unescaped(commands[-1])
    assert all("… and" not in line for line in commands[:-1])


def test_within_budget_there_is_no_annotation():
    assert "within budget: 1 limit kept\n" == render_budget_github(result(training(), max_recompiles=9))


def test_without_a_call_the_definition_is_pointed_at():
    value = recording(function(), compilation(1, site=None))
    text = render_budget_github(result(value, max_compilations=0))
    assert text.startswith("::error file=/home/u/train.py,line=12,")


@pytest.mark.parametrize(
    ("file", "root", "seen"),
    [
        ("/r/a/b.py", "/r", "a/b.py"), ("/r/a/b.py", "/r/", "a/b.py"), ("/rr/b.py", "/r", "/rr/b.py"),
        ("C:\\r\\a\\b.py", "C:\\r", "a/b.py"), ("b.py", "", "b.py"),
    ],
)  # fmt: skip
def test_paths_are_relative_to_the_checkout(file, root, seen):
    assert seen == relative_to(file, root)


def test_junit_has_a_case_for_each_limit():
    limits = {
        "max_recompiles": 1,
        "max_compilations": 9,
        "functions": {"train*": Limits(forbid=("shape",)), "x": Limits(max_recompiles=0)},
    }
    suites = ET.fromstring(render_budget_junit(result(training(), **limits)))
    cases = {case.get("name"): case for case in suites.iter("testcase")}

    assert ("4", "2", "1") == tuple(suites.get(name) for name in ("tests", "failures", "skipped"))
    assert [
        "max_recompiles",
        "max_compilations",
        "forbid shape [train*] train_step train.py:12",
        "max_recompiles [x]",
    ] == list(cases)
    assert "max_recompiles: 2, allowed 1, over by 1" == cases["max_recompiles"].find("failure").get("message")
    assert "f32[64,128] → f32[63,128] (shape)" in cases["max_recompiles"].find("failure").text
    assert [] == list(cases["max_compilations"])
    assert cases["max_recompiles [x]"].find("skipped") is not None


def test_junit_fails_for_doubts_where_it_is_strict():
    def case(**limits):
        suites = ET.fromstring(render_budget_junit(result(recording(function(), end=None), max_recompiles=0, **limits)))
        return suites.get("failures"), [each.tag for each in suites.find(".//testcase[@name='all is known']")]

    assert ("0", ["system-out"]) == case()
    assert ("1", ["failure"]) == case(strict=True)


@pytest.mark.parametrize("strict", [False, True])
def test_junit_is_well_formed_whatever_the_program_is_named(strict):
    limits = {
        "max_recompiles": 0,
        "functions": {EVIL + "*": Limits(max_recompiles=0), "\x00\ufffe": Limits(max_recompiles=0)},
    }
    text = render_budget_junit(result(evil(), **limits, strict=strict))
    suites = ET.fromstring(text.encode())

    assert not {"\x00", "\x1b", "\ufffe", "\ud800"} & set(text)
    assert any("<a b='c'>&]]>" in case.get("name") for case in suites.iter("testcase"))
