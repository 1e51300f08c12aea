"""Pictures: what is in them, the same file each time, names of programs as they are."""

import re
import xml.etree.ElementTree as ET

import pytest
import subprocesses
from builders import (
    array,
    compilation,
    function,
    header,
    ranks,
    recording,
    runs,
    signature,
    signatures,
    static,
    training,
)

pytest.importorskip("matplotlib", reason="pictures need matplotlib: pip install 'jitscope[pictures]'")

from jitscope.analysis.build import build_report
from jitscope.analysis.combine import combine
from jitscope.commands.forms import PLOT_NAMES
from jitscope.model.events import Phase, PhaseEvent, Site
from jitscope.render.pictures import PLOTS, render_picture

SVG = "{http://www.w3.org/2000/svg}"


def draw(value, name, kind="svg"):
    return render_picture(value, build_report(value), name, kind)


def texts(svg):
    """All texts of a picture, but for the metadata."""
    return [" ".join("".join(one.itertext()).split()) for one in ET.fromstring(svg).iter(f"{SVG}text")]


def colors(svg):
    return set(re.findall(rb"(?:fill|stroke): (#[0-9a-f]{6})", svg))


def test_the_command_offers_these_plots():
    assert PLOTS == PLOT_NAMES


def test_the_timeline_names_functions_phases_and_seconds():
    value = recording(
        function(),
        compilation(1, call=1),
        compilation(2, call=2),
        PhaseEvent(1, Phase("backward", 9.0, 0.5)),
        compilation(3, None, library=True),
        compilation(4, None),
    )
    found = texts(draw(value, "timeline"))

    assert {"step", "train.py:12", "trace", "lower", "compile", "backward", "eager operations", "not watched"} <= set(
        found
    )
    assert any("compiled again" in text for text in found)
    assert any(text.startswith("20.0 s, ") for text in found)


def test_the_timeline_has_a_block_for_each_phase():
    def blocks(value):
        return draw(value, "timeline").count(b'style="fill: #ee7733; stroke: #ee7733')

    one, two = recording(function(), compilation(1)), recording(function(), compilation(1), compilation(2, start=9.0))

    assert blocks(one) >= 1
    assert blocks(two) == blocks(one) + 1


def test_the_history_names_what_occurs_only():
    found = texts(draw(training(), "history"))

    assert {"compiled", "hit", "calls in their order"} <= set(found)
    assert not {"ran eager", "dispatch miss"} & set(found)


def test_a_long_history_says_that_calls_share_a_column():
    value = recording(function(), *signatures(1, signature()), runs(1, (1, "compile", 1), (1, "hit", 100_000)))

    assert any("up to 251 calls share a column" in text for text in texts(draw(value, "history")))


def test_the_causes_are_those_of_the_compilations():
    found = texts(draw(training(), "causes"))

    assert {"first_compile", "shape", "6.00 s", "seconds compiling, by the main cause"} <= set(found)


def test_the_graph_names_signatures_causes_and_costs():
    found = texts(draw(training(), "graph"))

    assert 3 == found.count("train_step")
    assert 2 == found.count("shape")
    assert "1 compile, 2.00 s; 3 calls, 2 hits" in found


def test_what_has_no_room_in_the_graph_is_counted():
    assert any("more signatures not shown" in text for text in texts(draw(training(range(64, 4, -1)), "graph")))


def test_functions_that_have_no_room_are_counted():
    events = [each for n in range(1, 31) for each in (function(n, f"f{n}", line=n), compilation(n, n, call=1))]
    value = recording(*events, *(runs(n, (None, "compile", 1)) for n in range(1, 31)))

    for name in ("timeline", "history", "causes"):
        assert any("10 more functions not shown" in text for text in texts(draw(value, name)))


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("kind", ["svg", "png"])
def test_the_same_report_gives_the_same_file(name, kind):
    first, second = draw(training(), name, kind), draw(training(), name, kind)

    assert first == second
    assert first.startswith(b"<?xml" if kind == "svg" else b"\x89PNG")
    assert not re.search(rb"202[5-9]-\d\d-\d\dT", first)


def test_nothing_of_matplotlibs_settings_gets_in(monkeypatch):
    import matplotlib as mpl

    expected = draw(training(), "causes")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "black", "svg.fonttype": "path"}):
        assert expected == draw(training(), "causes")


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("value", [recording(), recording(function()), combine(ranks((64, 63), (64,)))],
                         ids=["nothing", "never_called", "ranks"])  # fmt: skip
def test_there_is_a_picture_of_everything(name, value):
    assert texts(draw(value, name))


HOSTILE = [
    "$x_1^{$",
    "$\\frac{",
    "</text><script>alert(1)</script>",
    "a\x00\x1b[31m\nb",
    "\u202egnp",
    "-->",
    "x" * 100_000,
]


@pytest.mark.parametrize("name", PLOTS)
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text[:12]))
def test_names_of_programs_are_shown_as_they_are(name, text):
    value = recording(
        function(1, text, file=text),
        *signatures(1, signature(static(text, text)), signature(array(text, "f32", 4))),
        compilation(1, call=1, signature=1, site=Site(text, 1, text)),
        compilation(2, call=2, signature=2, site=Site(text, 1, text)),
        runs(1, (1, "compile", 1), (2, "compile", 1)),
        header=header(argv=(text,), run=text),
    )
    svg = draw(value, name)
    tree = ET.fromstring(svg)

    assert not [one for one in tree.iter() if one.tag in {f"{SVG}script", f"{SVG}image", f"{SVG}foreignObject"}]
    assert not re.search(r"[\x00-\x08\x0e-\x1f\u202e]", svg.decode())
    assert len(svg) < 200_000
    if len(text) < 20 and text.isprintable():
        assert any(text in shown for shown in texts(svg))
    assert draw(value, name, "png").startswith(b"\x89PNG")


def test_other_scripts_are_no_error():
    assert draw(recording(function(1, "注意力"), compilation(1)), "timeline", "png").startswith(b"\x89PNG")


def test_without_matplotlib_there_is_one_clear_line(tmp_path):
    from builders import write

    path = write(tmp_path / "run.jsonl", training())
    done = subprocesses.run(
        f"""
        import sys
        sys.modules["matplotlib"] = None
        from jitscope.commands import main
        main(["report", {str(path)!r}, "-o", {str(tmp_path / "x.svg")!r}])
        """,
        check=False,
    )
    assert 2 == done.returncode
    assert (
        "jitscope: error: pictures are drawn by matplotlib, which is not installed: pip install 'jitscope[pictures]'\n"
        == done.stderr
    )
    assert not (tmp_path / "x.svg").exists()
