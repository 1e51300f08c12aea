"""The text report, to the letter. JITSCOPE_UPDATE_GOLDEN=1 writes the files anew: read the difference."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from builders import (
    array,
    compilation,
    function,
    header,
    jax_phases,
    recording,
    runs,
    signature,
    signatures,
    static,
    training,
)
from rich.text import Text

from jitscope.analysis.build import build_report
from jitscope.model.events import CacheEvent, NoteEvent, Phase, PhaseEvent, Site
from jitscope.render.text import render_text

HERE = Path(__file__).parent


def ranks():
    """A torch run: a graph break, a backward, guards, the recompile limit, eager fallbacks."""

    def entry(number, size, **fields):
        phases = (Phase("dynamo", 1.0 * number, 0.2), Phase("aot_autograd", 1.0 * number, 0.1))
        return compilation(
            number, framework="torch", signature=size, phases=phases, layers=("dynamo", "compile"),
            framework_id=f"0/{number - 1}", call=number, program=fields.pop("program", "forward"), **fields,
        )  # fmt: skip

    resume = {"program": "torch_dynamo_resume_in_forward_at_23", "resume_of": "forward"}
    guard = "0/0: tensor 'x' size mismatch at index 0. expected 4, actual 5"
    return recording(
        function(1, "Model.forward", framework="torch", kind="module", file="/home/u/model.py", line=7),
        *signatures(1, *(signature(array("x", "f32", size, 8, requires_grad=True)) for size in (4, 5, 6))),
        entry(1, 1),
        entry(2, 1, **resume),
        PhaseEvent(1, Phase("backward", 5.0, 0.6)),
        entry(3, 2, evidence=(guard, "0/0: GLOBAL_STATE changed: grad_mode ")),
        entry(4, 3, failed="recompile limit: Dynamo recompile limit exceeded with limit 2", site=None),
        runs(1, (1, "compile", 2), (1, "hit", 40, 1), (2, "compile", 1), (3, "eager_fallback", 17)),
        NoteEvent("shadowed", "an entry is never hit any more", function=1),
        header=header(versions={"python": "3.11.7", "torch": "2.13.0"}, rank=1, world_size=8),
    )


def everything():
    """One of each: lambdas in a loop, transformations, eager operations, caches, odd names, a killed program."""
    events = []
    for number in range(1, 9):
        events += [function(number, "make.<locals>.<lambda>", file="/home/u/opt.py", line=12)]
        events += signatures(number, signature(array("x", "f32", 4)), start=number)
        events += [compilation(number, number, 0.4, call=1, signature=number, program="jit(<lambda>)")]
        events += [runs(number, (number, "compile", 1), (number, "hit", 2))]
    events += [
        function(20, "[bold]evil[/bold]\x1b[31m", file="/home/u/\u202eevil.py", line=1),
        *signatures(20, signature(static("mode", "\x1b[2J")), signature(static("mode", "b" * 300)), start=20),
        compilation(20, 20, 0.002, call=1, signature=20, program="jit(evil)"),
        compilation(21, 20, 0.003, call=2, signature=21, program="jit(evil)", wall_seconds=0.1),
        compilation(22, 20, 0.25, under="grad", program="jit(evil)", persistent_cache="hit"),
        compilation(23, 20, 0.25, under="backward", program="jit(evil)", site=None),
        compilation(24, 20, call=3, layers=("trace", "lower"), phases=jax_phases(1e-4)[:2], program="jit(evil)"),
        runs(20, (20, "compile", 1), (21, "compile", 1), (None, "nested", 3), (None, "error", 1), (21, "waited", 1)),
    ]
    events += [function(30 + n, f"helper{n}", line=100 + n) for n in range(6)]
    events += [
        compilation(40 + n, None, 0.01 * n, program=f"jit({name})", library=True, site=Site("a.py", n, "f"))
        for n, name in enumerate(["add", "mul", "broadcast_in_dim", "convert_element_type", "iota", "add"])
    ]
    events += [compilation(50, None, 0.5, program="jit(unwatched)")]
    events += [CacheEvent("jax", hits=3, misses=7, seconds=0.05)]
    return recording(*events, end=None, wall_seconds=51.0, torn=True, skipped=1)


def params():
    """A training step whose 40 parameters all change their dtype."""

    def step(dtype):
        return signature(*(array(f"params['layer{n}'].w", dtype, 8, n + 1) for n in range(40)))

    events = [compilation(n, signature=n, call=n, program="jit(step)") for n in (1, 2)]
    return recording(
        function(), *signatures(1, step("f32"), step("bf16")), *events, runs(1, (1, "compile", 1), (2, "compile", 1))
    )


CASES = {
    "training": lambda: training((64, 64, 63, 64, 61, 60, 59, 58, 57)),
    "torch": ranks,
    "everything": everything,
    "params": params,
    "nothing": lambda: recording(header=header(argv=())),
    "hits_only": lambda: recording(function(), *signatures(1, signature()), runs(1, (1, "hit", 7)), end=0.5),
}


def check(name: str, actual: str) -> None:
    path = HERE / f"{name}.txt"
    if os.environ.get("JITSCOPE_UPDATE_GOLDEN") == "1":
        path.write_text(actual, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == actual


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("all_", [False, True], ids=["few", "all"])
def test_text_at_80_columns(name, all_):
    report = build_report(CASES[name]())
    text = render_text(report, width=80, color=False, all_=all_, source=".jitscope/run 1.jsonl")

    check(f"{name}_all" if all_ else name, text)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(name, width):
    *lines, command = render_text(build_report(CASES[name]()), width=width, color=False, all_=True).splitlines()

    assert [] == [line for line in lines if Text(line).cell_len > width]
    assert command.startswith('to keep it: with jitscope.record("run.jsonl")')


@pytest.mark.parametrize("name", CASES)
def test_nothing_of_the_programs_reaches_the_terminal(name):
    text = render_text(build_report(CASES[name]()), width=80, color=False, all_=True)

    assert text.replace("\n", "").isprintable()


def test_colour_changes_nothing_but_colour():
    report = build_report(everything())
    coloured = render_text(report, width=80, color=True)

    assert "\x1b[1m" in coloured
    assert render_text(report, width=80, color=False).rstrip() == Text.from_ansi(coloured).plain.rstrip()


def test_no_colour_where_there_is_no_terminal(monkeypatch):
    report = build_report(training())
    assert "\x1b" not in render_text(report)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b" in render_text(report)
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in render_text(report)


def test_the_renderer_imports_no_framework_and_no_capture():
    code = "import sys, jitscope.render.text; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert not {"jax", "torch", "numpy", "jitscope.capture"} & set(done.stdout.split())


def test_giving_up_is_shown_however_little_it_cost():
    sizes = [signature(array("x", "f32", size)) for size in range(1, 8)]
    compiles = [
        compilation(100 + n, seconds=10.0, call=n, signature=n, framework="torch", framework_id=f"0/{n}")
        for n in range(1, 7)
    ]
    limit = compilation(
        107,
        seconds=0.001,
        call=7,
        signature=7,
        framework="torch",
        layers=(),
        failed="recompile limit: Dynamo recompile limit exceeded",
    )
    value = recording(function(framework="torch"), *signatures(1, *sizes), *compiles, limit)

    assert "gave up compiling" in render_text(build_report(value), width=80, color=False)
