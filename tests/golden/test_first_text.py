"""``jitscope first`` in text, to the letter. JITSCOPE_UPDATE_GOLDEN=1 writes the files anew: read the difference."""

import os
from pathlib import Path

import pytest
from builders import compilation, function, recording, runs
from rich.text import Text
from test_report_text import everything

from jitscope.analysis.build import build_report
from jitscope.analysis.first_call import first_calls
from jitscope.analysis.first_select import select_call
from jitscope.model.events import CompilingCallEvent, MeasuredEvent, Phase, PhaseEvent, Site, Span, StartEvent
from jitscope.render.first_call import render_first_call, render_first_calls
from jitscope.render.text import render_text

HERE = Path(__file__).parent / "first"
EVIL = "s\x1b[31mtep[bold]\n"


def jax_start():
    """Many eager operations before a call that traces for long, and some inside of it."""
    site = Site("/home/u/train.py", 8, "init")
    alone = [
        compilation(
            100 + n, None, 0.05, program=("_normal", "multiply", "add")[n % 3], library=True, start=3.0 + n * 0.06,
            site=site,
        )
        for n in range(20)
    ]  # fmt: skip
    inner = [
        compilation(200 + n, None, 0.1, program="tril", library=True, start=6.2 + n * 0.2, inside=1, inside_call=1)
        for n in range(2)
    ]
    found = (Phase("trace", 6.0, 1.0), Phase("lower", 7.25, 0.5), Phase("compile", 7.8, 4.0))
    spans = [Span(phase.name, phase.start, phase.seconds) for one in inner for phase in one.phases]
    spans += [Span(phase.name, phase.start, phase.seconds, "step") for phase in found]
    return recording(
        StartEvent("python", -0.1, 0.1),
        StartEvent("import jax", 0.2, 0.6),
        StartEvent("start jax cuda", 2.5, 0.4),
        function(1),
        *alone,
        *inner,
        compilation(1, call=1, phases=found, start=6.0, wall_seconds=6.1, persistent_cache="off"),
        CompilingCallEvent(1, 1, 5.9, 6.1, tuple(spans), site=Site("/home/u/train.py", 40, "main")),
        runs(1, (None, "compile", 1), (None, "hit", 9)),
    )


def torch_start():
    """Inductor's steps, a kernel tuned, a backward graph later, and what was measured; a function of an evil name."""
    spans = (
        Span("import torch._inductor.compile_fx", 1.1, 0.9),
        Span("inductor_import", 1.1, 1.0),
        Span("aot_trace_joint_graph", 3.0, 0.5),
        Span("GraphLowering.run", 4.0, 0.5),
        *(Span("compile_file", 5.0 + n, 0.9) for n in range(3)),
        Span("Scheduler.codegen", 4.9, 3.2),
        Span("GraphLowering.codegen", 4.8, 3.4),
        Span("async_compile.wait", 8.3, 3.0),
        Span("inductor_compile", 3.9, 7.6),
        Span("create_aot_dispatcher_function", 2.9, 8.7),
        Span("backend_compile", 1.05, 10.7),
        Span("build_guards", 11.8, 0.1),
        Span("entire_frame_compile", 0.6, 11.4),
        Span("dynamo", 0.55, 11.5),
        Span("CachingAutotuner.benchmark_all_configs", 12.2, 0.4),
    )
    return recording(
        function(1, EVIL, framework="torch"),
        function(2, "helper", framework="torch", line=90),
        compilation(1, framework="torch", call=1, phases=(Phase("dynamo", 0.55, 11.5),), persistent_cache="hit"),
        CompilingCallEvent(1, 1, 0.5, 12.5, spans, left_out=3, site=Site("/home/u/train.py", 40, "main")),
        PhaseEvent(1, Phase("backward", 14.0, 3.0)),
        MeasuredEvent(1, 1, 12.6, 0.2, (0.01, 0.011, 0.012), (0.5, 0.03, 0.031), "the function without torch.compile"),
        compilation(2, 2, framework="torch", call=1, phases=(Phase("dynamo", 18.0, 0.2),), start=18.0),
        CompilingCallEvent(2, 1, 18.0, 0.3, (Span("dynamo", 18.0, 0.2),)),
    )


CASES = {"jax": (jax_start, "step"), "torch": (torch_start, "f1"), "phases": (everything, "f20")}


def check(name, actual):
    path = HERE / f"{name}.txt"
    if os.environ.get("JITSCOPE_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(actual, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == actual


def one(name, **options):
    make, wanted = CASES[name]
    return render_first_call(*select_call(make(), wanted), command="jitscope why f", **options)


@pytest.mark.parametrize("name", CASES)
def test_text_at_80_columns(name):
    check(name, one(name, width=80, color=False))


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_every_step(name):
    check(f"{name}_every", one(name, width=80, color=False, all_=True))


@pytest.mark.parametrize("name", CASES)
def test_all_calls(name):
    check(f"{name}_all", render_first_calls(first_calls(CASES[name][0]()), width=80, color=False))


def test_the_report_has_a_section_of_them():
    text = render_text(build_report(jax_start()), width=80, color=False)

    assert "first calls · jitscope first shows them step by step\n  6.10 s  step  compile (XLA) 66%" in text
    assert "first calls" not in render_text(build_report(everything()), width=80, color=False)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("all_", [False, True], ids=["few", "all"])
def test_no_line_is_wider_than_the_terminal_and_nothing_of_the_programs_reaches_it(name, width, all_):
    listed = render_first_calls(first_calls(CASES[name][0]()), width=width, color=False, all_=all_)
    for text in (one(name, width=width, color=False, all_=all_), listed):
        assert [] == [line for line in text.splitlines() if Text(line).cell_len > width]
        assert text.replace("\n", "").isprintable()


def test_colour_changes_nothing_but_colour():
    coloured = one("torch", width=80, color=True)

    assert "\x1b[1m" in coloured
    assert one("torch", width=80, color=False).rstrip() == Text.from_ansi(coloured).plain.rstrip()
