"""Graphs of compilations, and their roots."""

import json
import re
import xml.etree.ElementTree as ET

import msgspec
import networkx as nx
import pytest
import subprocesses
from builders import compilation
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.graph import call_graph, recompilation_graph, roots
from jitscope.model.cause import Cause
from jitscope.model.events import Site
from jitscope.model.notation import printable
from jitscope.model.report import (
    CompilationReport,
    FunctionReport,
    HistoryRun,
    Report,
    RunInfo,
    SignatureReport,
    Totals,
)
from jitscope.render.dot import label
from jitscope.render.graph import render_graph

FORMATS = ("graphml", "dot", "json")
GRAPHS = ("recompilations", "calls", "both")


def detail(number, signature=None, seconds=1.0, *causes, **fields):
    known = {
        "id": number,
        "call": number,
        "signature": signature,
        "program": "jit(step)",
        "start": float(number),
        "seconds": seconds,
        "wall_seconds": None,
        "phases": {},
        "layers": ("trace", "lower", "compile"),
        "persistent_cache": "off",
        "under": None,
        "site": Site("/home/u/train.py", 40, "main"),
        "causes": causes,
        "fix": None,
        "framework_id": None,
        "hits": 0,
        "recompile": "compared_with" in fields,
        "failed": None,
    }
    return CompilationReport(**known | fields)


def function_report(number, name, signatures=(), details=(), history=()):
    counts = ("dispatch_misses", "eager_fallbacks", "python_path_calls", "waited_calls", "failed_calls", "nested_calls")
    return FunctionReport(
        id=number,
        framework="jax",
        name=name,
        kind="function",
        file="/home/u/train.py",
        line=12,
        calls=sum(run.count for run in history),
        hits=sum(run.count for run in history if run.outcome == "hit"),
        **dict.fromkeys(counts, 0),
        compiling_calls=len(details),
        compilations=len(details),
        recompilations=sum(one.recompile for one in details),
        compile_seconds=sum(one.seconds for one in details),
        recompile_seconds=sum(one.seconds for one in details if one.recompile),
        phases={},
        state="polymorphic",
        signatures=tuple(signatures),
        families=(),
        history=tuple(history),
        compilations_detail=tuple(details),
    )


def report_of(*functions):
    run = RunInfo("20261122-205427-4242", ("train.py",), "2026-11-22T20:54:27Z", 20.0, None, None, {}, ())
    return Report(schema=1, run=run, totals=Totals(), functions=functions, eager_ops=(), notes=())


@pytest.fixture
def report():
    """A step that compiles for two sizes and a dtype, and a loss inside it that follows."""
    step = function_report(
        1,
        "step",
        [
            SignatureReport(1, "x: f32[8]", 3, 2, 1),
            SignatureReport(2, "x: f32[9]", 1, 0, 4),
            SignatureReport(5, "x: bf16[9]", 1, 0, 5),
        ],
        [
            detail(1, 1, 2.0, Cause("first_compile")),
            detail(3, 2, 1.5, Cause("shape", "x", "f32[8]", "f32[9]"), compared_with=1, call=4),
            detail(5, 5, 1.0, Cause("dtype", "x"), Cause("shape", "x"), compared_with=3, under="grad", site=None),
        ],
        [HistoryRun(1, "compile", 1), HistoryRun(1, "hit", 2), HistoryRun(2, "compile", 1)],
    )
    loss = function_report(
        2,
        "loss",
        [SignatureReport(3, "y: f32[8]", 0, 0, None)],
        [
            detail(2, 3, 0.5, Cause("first_compile"), inside=1, root=1, call=None),
            detail(4, None, 0.25, Cause("unknown"), inside=1, root=3, compared_with=2, call=None),
            detail(6, 3, 0.125, Cause("recompile_limit"), inside=1, compared_with=4, failed="the limit", call=None),
        ],
        [HistoryRun(None, "compile", 2), HistoryRun(None, "hit", 5), HistoryRun(None, "nested", 7)],
    )
    return report_of(loss, step)


def test_compilations_lead_from_signature_to_signature(report):
    graph = recompilation_graph(report)

    assert ["f1/s1", "f1/s2", "f1/s5", "f2/s3", "f2/none"] == list(graph)
    assert {
        "kind": "signature", "function": 1, "signature": 1, "name": "step", "text": "x: f32[8]",
        "calls": 3, "hits": 2, "compilations": 1, "seconds": 2.0,
    } == graph.nodes["f1/s1"]  # fmt: skip
    assert [
        ("f1/s1", "f1/s2", "c3"), ("f1/s2", "f1/s5", "c5"), ("f2/s3", "f2/none", "c4"), ("f2/none", "f2/s3", "c6"),
    ] == list(graph.edges(keys=True))  # fmt: skip
    assert {
        "kind": "recompilation", "causes": "shape", "paths": "x", "seconds": 1.5, "weight": 1.5, "compilation": 3,
        "failed": False, "call": 4, "site": "train.py:40", "file": "/home/u/train.py",
    } == graph.edges["f1/s1", "f1/s2", "c3"]  # fmt: skip
    several = graph.edges["f1/s2", "f1/s5", "c5"]
    assert ("dtype, shape", "x", "grad") == (several["causes"], several["paths"], several["under"])
    assert "site" not in several


def test_no_second_of_compiling_is_lost(report):
    graph = recompilation_graph(report)
    firsts = [one for each in report.functions for one in each.compilations_detail if one.compared_with is None]

    assert sum(each.compile_seconds for each in report.functions) == sum(dict(graph.nodes(data="seconds")).values())
    assert graph.size("weight") + sum(one.seconds for one in firsts) == sum(dict(graph.nodes(data="seconds")).values())


def test_what_failed_is_no_compilation(report):
    graph = recompilation_graph(report)

    assert (1, 0.625) == (graph.nodes["f2/s3"]["compilations"], graph.nodes["f2/s3"]["seconds"])
    assert graph.edges["f2/none", "f2/s3", "c6"]["failed"]


def test_compilations_without_a_signature_have_a_place(report):
    place = recompilation_graph(report).nodes["f2/none"]

    assert ("no signature", 7, 5, 0.25) == (place["text"], place["calls"], place["hits"], place["seconds"])
    assert "signature" not in place


def test_compiling_the_same_signature_again_is_a_loop():
    again = function_report(
        1,
        "f",
        [SignatureReport(1, "()", 2, 0, 1)],
        [detail(1, 1), detail(2, 1, compared_with=1), detail(3, 1, compared_with=1)],
    )

    assert [("f1/s1", "f1/s1", "c2"), ("f1/s1", "f1/s1", "c3")] == list(
        recompilation_graph(report_of(again)).edges(keys=True)
    )


def test_another_object_of_the_same_source_follows_from_the_one_before():
    graph = recompilation_graph(
        report_of(
            *(
                function_report(
                    n, "<lambda>", [SignatureReport(n, "x", 1, 0, 1)], [detail(n, n, compared_with=n - 1 or None)]
                )
                for n in (1, 2, 3)
            )
        )
    )

    assert [("f1/s1", "f2/s2"), ("f2/s2", "f3/s3")] == list(graph.edges())


def test_what_is_not_in_the_report_has_no_edge(report):
    alone = msgspec.structs.replace(report, functions=(report.functions[0],))
    gone = function_report(1, "f", [SignatureReport(1, "()", 2, 0, 1)], [detail(2, 1, compared_with=1)])

    assert [] == list(call_graph(alone).edges())
    assert [] == list(recompilation_graph(report_of(gone)).edges())


def test_functions_inside_functions(report):
    graph = call_graph(report)

    assert ["f1", "f2"] == list(graph)
    assert {
        "kind": "function", "function": 2, "name": "loss", "framework": "jax", "file": "/home/u/train.py", "line": 12,
        "calls": 14, "hits": 5, "compilations": 2, "seconds": 0.875, "cascades": 2, "cascade_seconds": 0.75,
    } == graph.nodes["f2"]  # fmt: skip
    assert 0 == graph.nodes["f1"]["cascades"]
    assert [
        ("f1", "f2", {
            "kind": "inside", "compilations": 2, "seconds": 0.875, "weight": 0.875, "cascades": 2,
            "cascade_seconds": 0.75,
        })
    ] == list(graph.edges(data=True))  # fmt: skip


# Roots.


def test_what_compiles_inside_a_call_follows_from_what_that_call_compiles():
    inner = compilation(1, 2, inside=1, inside_call=4)
    eager = compilation(2, None, inside=1, inside_call=4)
    outer = compilation(3, 1, call=4)

    assert {1: 3, 2: 3} == roots([inner, eager, outer])


def test_the_root_is_the_outermost():
    events = [
        compilation(1, 3, call=None, inside=2, inside_call=7),
        compilation(2, 2, call=7, inside=1, inside_call=1),
        compilation(3, 1, call=1),
    ]

    assert {1: 3, 2: 3} == roots(events)


@pytest.mark.parametrize(
    "outer",
    [
        {"call": 3},
        {"call": None},
        {"call": 4, "under": "grad"},
        {"call": 4, "failed": "the recompile limit"},
        {"call": 4, "layers": ("trace", "lower")},
        {"call": 4, "function": 9},
    ],
)
def test_a_call_that_compiled_nothing_itself_leads_to_nothing(outer):
    events = [compilation(1, 2, inside=1, inside_call=4), compilation(2, **{"function": 1} | outer)]

    assert {} == roots(events)


def test_the_first_compilation_of_the_call_is_the_root():
    events = [
        compilation(1, 1, call=4, under="vmap"),
        compilation(2, 1, call=4),
        compilation(3, 1, call=4, resume_of="f"),
        compilation(4, 2, inside=1, inside_call=4),
    ]

    assert {4: 2} == roots(events)


def test_a_function_inside_itself_is_no_cascade():
    assert {} == roots([compilation(1, 1, call=1, inside=1, inside_call=1), compilation(2, 1, inside=1, inside_call=1)])


def test_a_broken_recording_with_a_circle_still_has_roots():
    events = [
        compilation(1, 1, call=1, inside=2, inside_call=1),
        compilation(2, 2, call=1, inside=1, inside_call=1),
        compilation(3, 3, inside=1, inside_call=1),
    ]

    assert {3: 1} == roots(events)


@given(
    st.lists(
        st.tuples(*[st.integers(1, 4)] * 2, *[st.one_of(st.none(), st.integers(1, 4))] * 2),
        max_size=12,
    )
)
def test_a_root_is_a_root(drawn):
    events = [
        compilation(number, function, call=call, inside=inside, inside_call=inside_call)
        for number, (function, call, inside, inside_call) in enumerate(drawn)
    ]
    found = roots(events)

    assert not set(found.values()) & set(found)


# The three formats.

DOT = r"""digraph jitscope {
  rankdir=LR;
  node [shape=box];
  subgraph cluster_f1 {
    label="step";
    "f1/s1" [label="x: f32[8]\n3 calls, 2 hits\n1 compilation, 2.00 s"];
    "f1/s2" [label="x: f32[9]\n1 call, 0 hits\n1 compilation, 1.50 s"];
    "f1/s5" [label="x: bf16[9]\n1 call, 0 hits\n1 compilation, 1.00 s"];
    "f1" [shape=ellipse, label="step\n4 calls, 2 hits\n3 compilations, 4.50 s"];
  }
  subgraph cluster_f2 {
    label="loss";
    "f2/s3" [label="y: f32[8]\n0 calls, 0 hits\n1 compilation, 625 ms"];
    "f2/none" [label="no signature\n7 calls, 5 hits\n1 compilation, 250 ms"];
    "f2" [shape=ellipse, label="loss\n14 calls, 5 hits\n2 compilations, 875 ms\nof these 2 in cascades, 750 ms"];
  }
  "f1/s1" -> "f1/s2" [label="shape\nx\ncall 4 train.py:40\n1.50 s"];
  "f1/s2" -> "f1/s5" [label="dtype, shape\nx\ncall 5 under grad\n1.00 s"];
  "f2/s3" -> "f2/none" [label="unknown\ntrain.py:40\n250 ms"];
  "f2/none" -> "f2/s3" [label="recompile_limit\ntrain.py:40\n125 ms\nfailed"];
  "f1" -> "f2" [style=dashed, label="2 compilations, 875 ms\nof these 2 in cascades, 750 ms"];
}
"""

GRAPHML = """<?xml version="1.0" encoding="utf-8"?>
<graphml xmlns="http://graphml.graphdrawing.org/xmlns" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" \
xsi:schemaLocation="http://graphml.graphdrawing.org/xmlns http://graphml.graphdrawing.org/xmlns/1.0/graphml.xsd">
"""


def test_dot(report):
    assert DOT == render_graph(report, "both", "dot")


@pytest.mark.parametrize("which", GRAPHS)
def test_graphml_reads_back(report, which):
    text = render_graph(report, which, "graphml")
    graph = nx.parse_graphml(text, force_multigraph=True)
    data = json.loads(render_graph(report, which, "json"))

    assert text.startswith(GRAPHML)
    assert text.endswith("</graphml>\n")
    assert {node.pop("id"): node for node in data["nodes"]} == dict(graph.nodes(data=True))
    for edge in data["edges"]:
        edge.pop("key", None)
    assert data["edges"] == [
        {**attributes, "source": source, "target": target}
        for source, target, attributes in graph.edges(data=True)
        if attributes.pop("id", True)
    ]
    if which == "both":
        ids = re.findall(r'<edge [^>]*id="([^"]*)"', text)
        assert sorted({"f1-f2", "c3", "c4", "c5", "c6"}) == sorted(ids)


def test_json(report):
    data = json.loads(render_graph(report, "calls", "json"))

    assert ["directed", "edges", "graph", "multigraph", "nodes"] == sorted(data)
    assert nx.utils.graphs_equal(call_graph(report), nx.node_link_graph(data, edges="edges"))
    assert {"source": "f1", "target": "f2", "weight": 0.875}.items() <= data["edges"][0].items()


@pytest.mark.parametrize("format_", FORMATS)
@pytest.mark.parametrize("which", GRAPHS)
def test_the_same_report_gives_the_same_text(report, which, format_):
    other = msgspec.structs.replace(report, functions=report.functions[::-1])

    assert render_graph(report, which, format_) == render_graph(other, which, format_)


@pytest.mark.parametrize("which", GRAPHS)
def test_a_report_of_nothing(which):
    nothing = report_of()

    assert "digraph jitscope {\n  rankdir=LR;\n  node [shape=box];\n}\n" == render_graph(nothing, which, "dot")
    assert [] == json.loads(render_graph(nothing, which, "json"))["nodes"]
    assert [] == list(nx.parse_graphml(render_graph(nothing, which, "graphml")))


TOKEN = re.compile(r'\s+|"(?:[^"\\]|\\.)*"|->|[\w.]+|[\[\]{}=,;]', re.DOTALL)


def tokens(text):
    """DOT text as tokens; fails where there is anything else."""
    position, found = 0, []
    while position < len(text):
        match = TOKEN.match(text, position)
        assert match, text[position : position + 60]
        position = match.end()
        if not match[0].isspace():
            found.append(match[0])
    return found


def read(found):
    """Nodes, edges and labels of a ``digraph``, by the grammar as far as jitscope uses it."""
    nodes, edges, depth, rest = [], [], 0, iter(found)
    statement = []
    for token in rest:
        if token == "{":
            depth += 1
        if token in "{};":
            if "->" in statement:
                edges.append((statement[0], statement[2]))
            elif statement and statement[0].startswith('"'):
                nodes.append(statement[0])
            statement = []
        else:
            statement.append(token)
        if token == "}":
            depth -= 1
            assert depth >= 0
    assert 0 == depth
    return nodes, edges


def shown(quoted):
    """What Graphviz shows of a label: escapes, then entities."""
    assert quoted[0] == quoted[-1] == '"'
    text = re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], quoted[1:-1])
    return text.replace("&amp;", "&")


NASTY = ['a"b', "\\", '\\"', "\\N", "a\\", "&lt;", "&amp;", "x\ny", "\x00\x1b[2J", "\u202e", "\ud800", "]]>", "}", "é→"]


@pytest.mark.parametrize("name", NASTY)
def test_names_are_text_in_every_format(name):
    nasty = function_report(
        1,
        name,
        [SignatureReport(1, name, 1, 0, 1), SignatureReport(2, name, 1, 0, 1)],
        [
            detail(1, 1),
            detail(2, 2, 1.0, Cause("static_value", name), compared_with=1, site=Site(name, 1, name), inside=1),
        ],
    )
    report = report_of(nasty)

    dot = render_graph(report, "both", "dot")
    assert (['"f1/s1"', '"f1/s2"', '"f1"'], [('"f1/s1"', '"f1/s2"'), ('"f1"', '"f1"')]) == read(tokens(dot))
    assert all(char.isprintable() or char == "\n" for char in dot)
    graph = nx.parse_graphml(render_graph(report, "both", "graphml"))
    assert {printable(name)} == {one for _, one in graph.nodes(data="name")}
    assert name == json.loads(render_graph(report, "both", "json"))["nodes"][0]["text"]
    for format_ in FORMATS:
        render_graph(report, "both", format_).encode()


@given(st.lists(st.text(max_size=20), max_size=3))
def test_labels_show_what_they_were_given(lines):
    assert ["=", label(lines)] == tokens(f"={label(lines)}")
    assert "\n".join(map(printable, lines)) == shown(label(lines))


def test_long_texts_are_cut_and_wrapped(report):
    long = function_report(1, "f" * 5000, [SignatureReport(1, "x, " * 5000, 1, 0, 1)], [detail(1, 1)])

    assert all(len(line) < 400 for line in render_graph(report_of(long), "both", "dot").splitlines())


def test_graphml_is_well_formed(report):
    root = ET.fromstring(render_graph(report).encode())

    assert {"string", "long", "double", "boolean"} >= {key.get("attr.type") for key in root if key.tag.endswith("key")}


def test_networkx_is_imported_where_a_graph_is_made_only():
    subprocesses.run("""
        import sys
        import jitscope.analysis.build, jitscope.analysis.graph, jitscope.render.graph
        assert "networkx" not in sys.modules
    """)
