"""What a recording says there is to warm: which signatures, in which order, and what is left to say of the others."""

from __future__ import annotations

import msgspec
import pytest
from builders import array, compilation, function, recording, runs, signature, signatures, static

from jitscope.analysis.warm_plan import Wanted, plan_warming, telling_text
from jitscope.errors import JitscopeError
from jitscope.model.events import ContextEvent, Phase

STEP = Wanted("jax", "step", "/srv/train.py", named=False)
SMALL, LARGE = signature(array("x", "f32", 3)), signature(array("x", "f32", 9))


def texts(plan):
    return [item.signature.text if item.signature else None for item in plan.items]


def test_what_saves_most_comes_first():
    plan = plan_warming(
        recording(
            function(1),
            *signatures(1, SMALL, LARGE, start=2),
            compilation(10, signature=2, seconds=5.0),
            compilation(11, signature=3, seconds=1.0),
            runs(1, (2, "compile", 1), (3, "compile", 1), (3, "hit", 9)),
        ),
        STEP,
    )
    assert ["x: f32[9]", "x: f32[3]"] == texts(plan)
    assert [(10, 1.0), (1, 5.0)] == [(item.calls, item.seconds) for item in plan.items]
    assert not plan.ordered


def test_functions_of_one_source_and_equal_signatures_are_one():
    again = msgspec.structs.replace(SMALL, leaves=(msgspec.structs.replace(SMALL.leaves[0]),))
    plan = plan_warming(
        recording(
            function(1), function(2, body=2),
            *signatures(1, SMALL, start=3), *signatures(2, again, start=4),
            compilation(10, signature=3), compilation(11, function=2, signature=4),
            runs(1, (3, "compile", 1)), runs(2, (4, "compile", 1), (4, "hit", 2)),
        ),
        STEP,
    )  # fmt: skip
    assert [("x: f32[3]", 4, 2.0)] == [(item.signature.text, item.calls, item.seconds) for item in plan.items]


def test_a_signature_is_warmed_under_each_setting_that_it_was_compiled_under():
    plan = plan_warming(
        recording(
            function(1),
            *signatures(1, SMALL, start=2),
            ContextEvent(8, {"jax_enable_x64": "False"}),
            ContextEvent(9, {"jax_enable_x64": "True"}),
            compilation(10, signature=2, context=8),
            compilation(11, signature=2, context=9),
            runs(1, (2, "compile", 2)),
        ),
        STEP,
    )
    assert [{"jax_enable_x64": "False"}, {"jax_enable_x64": "True"}] == [item.settings for item in plan.items]


def test_signatures_that_compiled_nothing_are_met_as_well():
    plan = plan_warming(
        recording(function(1), *signatures(1, SMALL, start=2), runs(1, (2, "dispatch_miss", 1), (2, "hit", 4))), STEP
    )
    assert [("x: f32[3]", 5, None)] == [(item.signature.text, item.calls, item.settings) for item in plan.items]


@pytest.mark.parametrize("under", ["grad", "vmap", "backward", "transform"])
def test_programs_of_transformations_are_told_and_not_warmed(under):
    partial = msgspec.structs.replace(SMALL, partial=True)
    plan = plan_warming(
        recording(function(1), *signatures(1, partial, start=2), compilation(10, signature=2, under=under)), STEP
    )
    (item,) = plan.items
    assert item.why_not.endswith(("that maps it", "that takes the gradient", "that is transformed"))


def torch_events(*compiled, **fields):
    return recording(
        function(1, framework="torch"),
        *signatures(1, SMALL, LARGE, signature(array("x", "f32", 3), static("k", 2)), start=2),
        *compiled,
        **fields,
    )


def torch_compilation(number, call, signature, **fields):
    fields = {"framework": "torch", "phases": (Phase("dynamo", 0.0, 1.0),), "layers": ("dynamo", "compile"), **fields}
    return compilation(number, call=call, signature=signature, **fields)


TORCH = Wanted("torch", "step", "/srv/train.py", named=False)


def test_torch_keeps_the_recorded_order_and_resume_functions_belong_to_their_call():
    plan = plan_warming(
        torch_events(
            torch_compilation(10, 1, 2),
            torch_compilation(11, 1, 2, resume_of="step"),
            torch_compilation(12, 5, 3, seconds=9.0),
            runs(1, (2, "compile", 1, 10), (2, "hit", 3, 10), (3, "compile", 1, 12)),
        ),
        TORCH,
    )
    assert ["x: f32[3]", "x: f32[9]"] == texts(plan)
    assert [(4, 2.0), (1, 1.0)] == [(item.calls, item.seconds) for item in plan.items]
    assert plan.ordered


def test_torch_tells_what_the_arguments_do_not():
    backward = (Phase("dynamo", 0.0, 1.0), Phase("backward", 2.0, 1.0))
    plan = plan_warming(
        torch_events(
            torch_compilation(10, 1, 2, modes=(("grad_mode", "True"),), phases=backward),
            torch_compilation(11, 2, 2, modes=(("grad_mode", "False"),)),
            torch_compilation(12, 3, 2, modes=(("grad_mode", "False"),)),
            torch_compilation(13, 4, 3, failed="recompile limit: reached", layers=()),
            torch_compilation(14, 5, None),
            torch_compilation(15, 6, 4, modes=(("function_modes", "DeviceContext(meta)"),)),
        ),
        TORCH,
    )
    whys = [item.why_not for item in plan.items]
    assert [None, None] == whys[:2]
    assert [True, False] == [item.backward for item in plan.items[:2]]
    assert "compiled again with the same arguments" in whys[2]
    assert "ran without compiled code: recompile limit: reached" == whys[3]
    assert "its arguments were not recorded" == whys[4]
    assert "compiled under DeviceContext(meta): warm it inside of the same" == whys[5]


def test_the_same_again_after_a_reset_is_warmed_once():
    plan = plan_warming(torch_events(torch_compilation(10, 1, 2), torch_compilation(11, 2, 2, generation=1)), TORCH)
    assert [None] == [item.why_not for item in plan.items]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        (Wanted("jax", "stepp", "", named=False), "did you mean step?"),
        (Wanted("jax", "zzz", "", named=False), "it has step"),
        (Wanted("torch", "step", "", named=False), "step is compiled by torch here, and was by jax"),
        (STEP, "nothing to warm: step was watched in run"),
        (Wanted("jax", "evil\x1b[31m", "", named=False), r"no function called evil\x1b[31m in run"),
    ],
)
def test_what_is_not_there_is_told_in_one_line(wanted, said):
    with pytest.raises(JitscopeError) as raised:
        plan_warming(recording(function(1)), wanted)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_region_is_told():
    with pytest.raises(JitscopeError, match="was watched as a region"):
        plan_warming(recording(function(1, framework="python", kind="region")), STEP)


def test_another_file_is_noted():
    known = recording(function(1), *signatures(1, SMALL, start=2), runs(1, (2, "hit", 1)))
    assert () == plan_warming(known, STEP).notes
    other = plan_warming(known, Wanted("jax", "step", "b.py", named=False))
    assert ("step is in b.py here, and was in train.py",) == other.notes


def test_of_many_leaves_those_are_shown_that_tell_signatures_apart():
    weights = [array(f"params[{n}]", "f32", 8) for n in range(6)]
    plan = plan_warming(
        recording(
            function(1),
            *signatures(1, *(signature(*weights, array("x", "f32", n)) for n in (3, 9)), start=2),
            runs(1, (2, "hit", 1), (3, "hit", 2)),
        ),
        STEP,
    )
    assert ["x: f32[9], … 6 alike", "x: f32[3], … 6 alike"] == [telling_text(item, plan.items) for item in plan.items]
    (one, _) = plan.items
    assert one.signature.text == telling_text(one, [one])


def test_there_is_no_bar_where_standard_error_is_no_terminal_and_random_numbers_stay(monkeypatch):
    import io
    import random
    import sys

    from jitscope.warming.progress import progress_bar

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm")
    for stream, drawn in ((io.StringIO(), False), (Terminal(), True)):
        monkeypatch.setattr(sys, "stderr", stream)
        state = random.getstate()
        with progress_bar(3) as advance:
            advance()
        assert drawn == ("warming" in stream.getvalue())
        assert state == random.getstate()
