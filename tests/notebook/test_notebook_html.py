"""Reports as HTML: what they show, and that nothing of the watched program gets through unescaped."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from builders import (
    array,
    compilation,
    function,
    recording,
    runs,
    signature,
    signatures,
    static,
    training,
)

import jitscope
from jitscope.analysis.build import build_report
from jitscope.model.events import NoteEvent, Site
from jitscope.render.notebook import function_html, report_html

EVIL = "<script>alert('x')</script>\"><img src=x onerror=y>\u202e\x1b[31m&amp;"


class Elements(HTMLParser):
    """Collects the elements of a page, and whether each is closed."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.open, self.text = [], [], [], ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert tag == self.open.pop()

    def handle_data(self, data):
        self.text += data


def hostile():
    return recording(
        function(1, EVIL, file=f"/tmp/{EVIL}.py"),
        *signatures(1, signature(array(EVIL, "f32", 4)), signature(array(EVIL, EVIL, 5), static(EVIL, EVIL))),
        compilation(10, call=1, signature=1, site=Site(EVIL, 3, EVIL)),
        compilation(11, call=2, signature=2, site=Site(EVIL, 3, EVIL), program=EVIL),
        compilation(12, call=3, signature=2, failed=EVIL, layers=()),
        compilation(13, function=None, program=EVIL),
        compilation(14, function=None, program=EVIL, library=True),
        NoteEvent("slug", EVIL),
        runs(1, (1, "compile", 1), (2, "compile", 1)),
    )


def pages():
    report = build_report(hostile())
    yield report_html(report, title=EVIL)
    yield report_html(report, all_=True)
    for one in report.functions:
        yield function_html(one)


@pytest.mark.parametrize("page", list(pages()))
def test_data_stays_data(page):
    elements = Elements(page)

    assert {"div", "span", "b", "br", "table", "tr", "th", "td", "details", "summary", "ol", "li"} >= set(elements.tags)
    assert {"style"} >= {name for name, _ in elements.attributes}
    assert not [char for char in "\u202e\x1b" if char in page]
    assert "<script>alert" in elements.text
    assert r"\u202e\x1b[31m&amp;" in elements.text


@pytest.mark.parametrize("page", [*pages(), report_html(build_report(training()), all_=True)])
def test_it_is_one_closed_element_that_fetches_and_runs_nothing(page):
    elements = Elements(page)

    assert [] == elements.open
    assert page.startswith("<div")
    assert not re.search(r"url\(|https?:|@import|<style|<script|<link|<img", page)


def test_the_colours_are_those_of_the_notebook():
    """Text has no colour of its own but for accents: it is readable on light and on dark."""
    page = report_html(build_report(training()))

    assert {"inherit", "#d9534f", "#2f9e6b"} >= set(re.findall(r"(?<!-)\bcolor:([^;\"]+)", page))
    assert {"none"} >= set(re.findall(r"background:([^;\"]+)", page))


def test_a_report_says_what_the_text_says():
    text = Elements(report_html(build_report(training()))).text

    assert "6.00 s of 20.0 s compiling (30%)" in text
    assert "2 again" in text
    assert "train_step" in text
    assert "f32[64,128]" in text
    assert "fix:" in text
    assert "called at train.py:40" in text


def test_quiet_is_the_verdict_alone():
    text = Elements(report_html(build_report(training()), quiet=True, title="In [3]")).text

    assert text.startswith("In [3] 6.00 s of 20.0 s compiling (30%) · 3 compilations · 2 again")
    assert "train_step" not in text


def test_nothing_compiled_is_said():
    assert "nothing compiled" in report_html(build_report(recording()))


def test_stats_and_reports_show_themselves():
    step = jitscope.watch(lambda: None)
    step()

    numbers = jitscope.stats(step)
    assert "1" == re.search(r"calls</td><td[^>]*>(\d+)<", numbers._repr_html_())[1]
    assert 1 == numbers.calls
    assert jitscope.report()._repr_html_().startswith("<div")
