"""The page's document: all of the report, in columns, and inert."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

import msgspec
import pytest
from builders import (
    compilation,
    function,
    header,
    ranks,
    recording,
    runs,
    signature,
    signatures,
    slow_start,
    static,
    training,
)

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.analysis.first_call import first_calls
from jitscope.analysis.select import select_functions
from jitscope.model.events import NoteEvent
from jitscope.render.html.data import page_data
from jitscope.render.html.pack import Values, table
from jitscope.render.html.page import json_in_html, page, render_html

EVIL = "</script><script>alert(1)</script><!--\u2028<img src=x onerror=alert(1)>&amp;\u202e\x00"


def unpacked(packed, values):
    """As ``frontend/src/decode.ts`` does it."""
    if isinstance(packed, list):
        return [unpacked(each, values) for each in packed]
    if not isinstance(packed, dict):
        return packed
    if set(packed) != {"rows", "columns"}:
        return {name: unpacked(each, values) for name, each in packed.items()}
    rows = [{} for _ in range(packed["rows"])]
    for name, column in packed["columns"].items():
        for n, row in enumerate(rows):
            if "plain" in column:
                row[name] = column["plain"][n]
            else:
                row[name] = values[column["of"][n] if "of" in column else column["all"]]
    return rows


def report_in(data):
    """The JSON report that the page's document holds."""
    report = unpacked(data["report"], data["values"])
    for name in ("signatures", "history", "compilations_detail"):
        rows = report.pop(name)
        for one in report["functions"]:
            one[name] = [
                {key: value for key, value in row.items() if key != "function"}
                for row in rows
                if row["function"] == one["id"]
            ]
    lookups = report.pop("lookups")
    for one in report["functions"]:
        for each in one["compilations_detail"]:
            each["caches"] = [without(row, "compilation") for row in lookups if row["compilation"] == each["id"]]
    calls = first_calls_in(data)
    report["first_calls"] = [calls[position] for position in data["first"]["report"]]
    return report


def without(row, name):
    return {key: value for key, value in row.items() if key != name}


def first_calls_in(data):
    """The first calls that the page's document holds, each with its trees of parts."""
    first = unpacked(data["first"], data["values"])
    calls = [{**without(row, "costliest"), "parts": [], "later": []} for row in first["calls"]]
    for row in first["parts"]:
        part = {key: value for key, value in row.items() if key not in ("call", "later", "depth")} | {"parts": []}
        into = calls[row["call"]]["later" if row["later"] else "parts"]
        for _ in range(row["depth"]):
            into = into[-1]["parts"]
        into.append(part)
    return calls


RECORDINGS = {
    "training": training,
    "ranks": lambda: combine(ranks((64, 63), (64, 62))),
    "slow start": slow_start,
    "nothing": recording,
    "hits only": lambda: recording(function(), *signatures(1, signature()), runs(1, (1, "hit", 3))),
    "unwatched": lambda: recording(compilation(1, None), compilation(2, None, program="jit(add)", library=True)),
}


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_page_holds_the_whole_json_report(name):
    value = RECORDINGS[name]()
    report = build_report(value)

    written = json.loads(json_in_html(page_data(value, report)))

    assert json.loads(msgspec.json.encode(report)) == report_in(written)


def test_all_first_calls_of_the_pages_functions_are_there():
    """The report has the longest ones only."""
    events = []
    for n in range(1, 10):
        events += [function(n, f"f{n}"), compilation(n, n, call=1, start=float(n), seconds=n / 16)]
    value = recording(*events)
    report = build_report(value)
    some = select_functions(report, "f[12]")

    whole, part = page_data(value, report), page_data(value, some)

    assert len(report.first_calls) < 9
    assert json.loads(msgspec.json.encode(first_calls(value).calls)) == json.loads(
        json.dumps(first_calls_in(whole)[: whole["first"]["shown"]])
    )
    assert ["f2", "f1"] == [one["name"] for one in first_calls_in(part)[: part["first"]["shown"]]]
    assert json.loads(msgspec.json.encode(some)) == report_in(json.loads(json_in_html(part)))


def test_what_took_most_of_a_first_call_is_told():
    data = page_data(slow_start(), build_report(slow_start()))
    rows = unpacked(data["first"], data["values"])["calls"]

    assert {
        "Model.forward": [["C++ compile", 2.0], ["inductor", 1.48], ["dynamo", 0.5], ["not attributed", 0.25]],
        "train_step": [["compile (XLA)", 1.6], ["trace", 1.0], ["lower", 0.45], ["not attributed", 0.55]],
    } == {
        row["name"]: [[label, pytest.approx(own)] for label, own in row["costliest"]]
        for row in rows
        if row["name"] != "quick"
    }  # fmt: skip


def test_values_of_other_types_are_not_mixed_up():
    values = Values()
    rows = [{"a": 1, "b": "1"}, {"a": True, "b": 1}, {"a": 1.0, "b": None}, {"a": None}]

    packed = json.loads(json.dumps(table(rows, values)))

    assert [(1, "1"), (True, 1), (1.0, None), (None, None)] == [
        (row["a"], row["b"]) for row in unpacked(packed, values.found)
    ]
    assert [int, bool, float, type(None)] == [type(row["a"]) for row in unpacked(packed, values.found)]


def test_a_text_that_repeats_is_there_once():
    values = Values()
    table([{"site": {"file": "a.py", "line": 1}}] * 100 + [{"site": None}], values)

    assert [{"file": "a.py", "line": 1}, None] == values.found


def test_libraries_functions_are_told_apart():
    files = {
        1: "/home/u/train.py",
        2: "/usr/lib/python3.11/functools.py",
        3: "/v/lib/python3.12/site-packages/flax/linen.py",
        4: "C:\\Python\\Lib\\site-packages\\optax\\base.py",
        5: "",
    }
    value = recording(*(function(n, f"f{n}", file=file) for n, file in files.items()))

    assert [2, 3, 4] == page_data(value, build_report(value))["library"]


def evil():
    return recording(
        function(1, EVIL, file=f"/home/{EVIL}/train.py"),
        *signatures(1, signature(static(EVIL, EVIL))),
        compilation(1, call=1, signature=1, program=EVIL, evidence=(EVIL,)),
        runs(1, (1, "compile", 1)),
        NoteEvent("evil", EVIL),
        header=header(argv=(EVIL,)),
    )


class Elements(HTMLParser):
    """What a browser makes of the page: elements, and the text of scripts."""

    def __init__(self, text):
        super().__init__()
        self.found, self.texts, self.open = [], {}, False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.open = True

    def handle_endtag(self, tag):
        self.open = False

    def handle_data(self, data):
        if not self.open:
            return
        tag, attrs = self.found[-1]
        key = attrs.get("id", tag)
        self.texts[key] = self.texts.get(key, "") + data


def test_hostile_texts_make_no_elements():
    harmless, hostile = (Elements(render_html(one, build_report(one))) for one in (training(), evil()))

    assert [tag for tag, _ in harmless.found] == [tag for tag, _ in hostile.found]
    assert EVIL == report_in(json.loads(hostile.texts["jitscope-data"]))["functions"][0]["name"]


def test_the_title_shows_what_would_hide():
    title = Elements(render_html(evil(), build_report(evil()))).texts["title"]

    assert "\\u202e" in title
    assert "\u202e" not in title


def test_the_policy_admits_the_bundle_alone():
    text = render_html(training(), build_report(training()))
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    elements = Elements(text)
    own = {
        kind: base64.b64encode(hashlib.sha256(elements.texts[kind].encode()).digest()).decode()
        for kind in ("script", "style")
    }

    assert "default-src 'none'" in policy
    assert f"script-src 'sha256-{own['script']}'" in policy
    assert f"style-src 'sha256-{own['style']}'" in policy
    assert "unsafe" not in policy
    assert not any(
        name.startswith("on") or name in ("style", "src", "href") for _, attrs in elements.found for name in attrs
    )


def test_no_part_of_the_page_is_looked_at_for_another():
    text = page({"text": "{script}{style}"}, title="{data}", summary="", read=lambda name: f"/* {name} {{data}} */")

    assert '{"text":"{script}{style}"}' in text
    assert "<title>{data}</title>" in text
    assert "/* page.js {data} */" in text


def test_the_page_says_the_verdict_without_running():
    text = Elements(render_html(training(), build_report(training()))).texts

    assert "3 compilations in 6.00 s, 30% of the 20.0 s that the run took" in text["p"]


def test_every_text_of_the_recording_is_cut_where_the_page_shows_it_outside_of_the_data():
    value = recording(function(1, "x" * 1_000_000), header=header(argv=("y" * 1_000_000,)))
    text = render_html(value, build_report(value))

    assert "y" * 200 not in text.split('id="jitscope-data"')[0]
