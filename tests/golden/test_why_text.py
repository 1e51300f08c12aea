"""``jitscope why`` in text, to the letter. JITSCOPE_UPDATE_GOLDEN=1 writes the files anew: read the difference."""

import os
from pathlib import Path

import pytest
from builders import array, compilation, function, header, recording, runs, signature, signatures, static, training
from rich.text import Text
from test_report_text import everything, params, ranks

from jitscope.analysis.story import story_of
from jitscope.model.events import ContextEvent, GuardFailure, Phase, Site
from jitscope.render.why import render_why

HERE = Path(__file__).parent / "why"


def module():
    """A torch module: an attribute that counts, then gradients off, all guards asked."""
    place = (
        "  # if self.step > 3:  # u/model.py:11 in forward (HINT: torch.compile considers integer attributes static)"
    )
    stack = '\nUser stack trace:\n  File "/home/u/model.py", line 11, in forward\n    if self.step > 3:\n'

    def step(entry, now):
        text = f"L['self'].step == {entry}{place}"
        return GuardFailure(f"0/{entry}", text, "L['self'].step", str(now), origin="module")

    state = GuardFailure("0/2", '___check_global_state() against {"grad_mode":true}', value='{"grad_mode":false}')

    def said(entry):
        return f"0/{entry}: self.step == {entry}{' ' * 30}{place}{stack}"

    def entry(number, **fields):
        phases = (Phase("dynamo", 1.0 * number, 0.2), Phase("aot_autograd", 1.0 * number, 0.1))
        return compilation(
            number, framework="torch", signature=1, framework_id=f"0/{number - 1}", call=number, program="forward",
            phases=phases, layers=("dynamo", "aot_autograd", "compile"), guards_asked=True, wall_seconds=1.25, **fields,
        )  # fmt: skip

    return recording(
        function(
            1, "Model", framework="torch", kind="module", file="/home/u/model.py", line=9, options={"mode": "'x'"}
        ),
        *signatures(1, signature(array("x", "f32", 4, 8))),
        entry(1),
        entry(2, guards=(step(0, 1),), evidence=(said(0),)),
        entry(3, guards=(step(1, 2), step(0, 2)), evidence=(said(1), said(0))),
        entry(
            4,
            guards=(state, step(1, 2), step(0, 2)),
            evidence=("0/2: GLOBAL_STATE changed: grad_mode ", said(1), said(0)),
        ),
        runs(1, (1, "compile", 4), (1, "hit", 41, 4), (1, "eager_fallback", 2)),
        header=header(versions={"python": "3.11.7", "torch": "2.13.0"}),
    )


def cascade():
    """Settings that differ, a compilation inside another function's call, one ahead of time."""
    known = [signature(array("x", "f32", 4), static("mode", "train")), signature(array("x", "f32", 5, 2), positional=1)]
    return recording(
        function(1, "outer"),
        function(2, "inner", line=30),
        *signatures(1, *known),
        *signatures(2, signature(array("y", "f32", 4)), signature(array("y", "f32", 5)), start=3),
        ContextEvent(1, {"jax_enable_x64": "False"}),
        ContextEvent(2, {"jax_enable_x64": "True", "mesh": "(x:4)"}),
        compilation(1, 1, call=1, signature=1, context=1),
        compilation(2, 2, 0.25, call=1, signature=3, inside=1, inside_call=1, context=1),
        compilation(3, 1, call=2, signature=2, context=2, persistent_cache="hit"),
        compilation(4, 2, 0.5, call=2, signature=4, inside=1, inside_call=2, context=2, site=Site("a.py", 3, "outer")),
        compilation(5, 1, 0.25, signature=2, under="aot", context=2, site=None),
        runs(1, (1, "compile", 1), (2, "compile", 1), (2, "waited", 1)),
    )


CASES = {
    "training": (training, "train_step"),
    "training_2": (training, "train_step#2"),
    "training_first": (training, "train_step#1"),
    "many": (lambda: training((64, 64, *range(63, 50, -1), 64)), "train_step"),
    "torch": (ranks, "forward"),
    "torch_3": (ranks, "forward#3"),
    "torch_4": (ranks, "forward#4"),
    "lambdas": (everything, "<lambda>"),
    "lambdas_2": (everything, "<lambda>#2"),
    "evil": (everything, "f20"),
    "evil_2": (everything, "f20#2"),
    "idle": (everything, "helper0"),
    "params": (params, "step"),
    "params_2": (params, "step#2"),
    "module": (module, "Model"),
    "module_3": (module, "Model#3"),
    "module_4": (module, "Model#4"),
    "outer": (cascade, "outer"),
    "outer_2": (cascade, "outer#2"),
    "inner_2": (cascade, "inner#2"),
}


def story(name):
    make, wanted = CASES[name]
    return story_of(make(), wanted)


def check(name: str, actual: str) -> None:
    path = HERE / f"{name}.txt"
    if os.environ.get("JITSCOPE_UPDATE_GOLDEN") == "1":
        path.parent.mkdir(exist_ok=True)
        path.write_text(actual, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == actual


@pytest.mark.parametrize("name", CASES)
def test_text_at_80_columns(name):
    check(name, render_why(story(name), width=80, color=False, source="run 1.jsonl"))


@pytest.mark.parametrize("name", ["many", "params_2", "module_3"])
def test_all_of_it(name):
    check(f"{name}_all", render_why(story(name), width=80, color=False, all_=True))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("width", [40, 80, 120])
@pytest.mark.parametrize("all_", [False, True], ids=["few", "all"])
def test_no_line_is_wider_than_the_terminal_and_nothing_of_the_programs_reaches_it(name, width, all_):
    text = render_why(story(name), width=width, color=False, all_=all_)
    *lines, command = text.splitlines()

    assert [] == [line for line in lines if Text(line).cell_len > width]
    assert command.startswith("jitscope ")
    assert text.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["everything_evil", "params_2", "module_3"])
def test_colour_changes_nothing_but_colour(name):
    told = story_of(everything(), "f20#2") if name == "everything_evil" else story(name)
    coloured = render_why(told, width=80, color=True)

    assert "\x1b[1m" in coloured
    assert render_why(told, width=80, color=False).rstrip() == Text.from_ansi(coloured).plain.rstrip()
