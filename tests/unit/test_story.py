"""The story of one function: who is meant, how it is numbered, what lay between, what one compilation tells."""

import msgspec
import pytest
from builders import array, compilation, function, recording, runs, signature, signatures, static, training
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.side_by_side import differences, legend
from jitscope.analysis.story import story_of
from jitscope.errors import JitscopeError
from jitscope.model.events import ContextEvent, GuardFailure, NoteEvent
from jitscope.model.signature import Node


def refused(value, wanted):
    with pytest.raises(JitscopeError) as error:
        story_of(value, wanted)
    return error.value.slug, str(error.value)


def loop(count=3, hits=2):
    """``count`` lambdas of one line, each compiled and then hit."""
    events = []
    for number in range(1, count + 1):
        events += [function(number, "make.<locals>.<lambda>", line=7, maker="make")]
        events += signatures(number, signature(array("x", "f32", 4)), start=number)
        events += [compilation(number, number, call=1, signature=number)]
        events += [runs(number, (number, "compile", 1), (number, "hit", hits))]
    return recording(*events)


def test_a_function_is_told_by_name_place_or_id():
    value = recording(
        function(1, "Model.step", file="/home/u/model.py", line=7),
        function(2, "attention"),
        function(3, "make.<locals>.<lambda>", line=30),
        function(4, "f2", line=40),
    )
    for wanted in (
        "Model.step",
        "step",
        "*.step",
        "model.py:7",
        "u/model.py:7",
        "/home/u/model.py:7",
        "./model.py:7",
        "f1",
    ):
        assert "Model.step" == story_of(value, wanted).name
    assert "make.<locals>.<lambda>" == story_of(value, "<lambda>").name
    # A name goes before an id.
    assert "f2" == story_of(value, "f2").name


def test_who_is_not_there():
    value = recording(function(1, "Model.step"), function(2, "attention", line=30))

    slug, text = refused(value, "atention")
    assert "unknown-function" == slug
    assert text.endswith("did you mean attention?")
    assert refused(value, "stepp")[1].endswith("did you mean step?")
    for line, place in ((1, 12), (13, 12), (29, 12), (31, 30)):
        assert refused(value, f"u/train.py:{line}")[1].endswith(f"did you mean train.py:{place}?")
    assert refused(value, "zzz.py:12")[1].endswith("there are Model.step, attention")
    for wanted in ("zzz", "f9", "", "#1", "zzz#1"):
        assert refused(value, wanted)[1].endswith("there are Model.step, attention")


def test_several_functions_that_fit_are_listed():
    value = recording(function(1, "A.step", line=3), function(2, "B.step", line=9), function(3, "other", line=20))
    slug, text = refused(value, "step#1")

    assert "ambiguous-function" == slug
    assert "A.step (train.py:3, f1), B.step (train.py:9, f2)" in text
    assert "A.step" == story_of(value, "A.step").name
    # The whole name of one is no longer ambiguous by being the end of another's.
    both = recording(function(1, "step", line=3), function(2, "B.step", line=9))
    assert 3 == story_of(both, "step").line


def test_a_compilation_that_is_not_there():
    assert ("unknown-compilation", "no compilation #9 of train_step: there are 3, from #1 to #3") == refused(
        training(), "train_step#9"
    )
    assert "there are 3" in refused(training(), "train_step#0")[1]
    assert refused(training((64, 64)), "train_step#2")[1].endswith("there is only #1")
    assert refused(recording(function()), "step#1")[1].endswith("it has none")


def test_what_selects_a_function_selects_it_alone():
    value = recording(
        function(1, "step", line=3),
        function(2, "step", line=9),
        function(3, "step", file="/other/train.py", line=9),
        function(4, "\x1b[2J", file="", line=0),
        function(5, "a#1", line=50),
    )
    for number in range(1, 6):
        told = story_of(value, f"f{number}")
        assert told == story_of(value, told.select)
    assert ["train.py:3", "f2", "f3", "f4", "train.py:50"] == [story_of(value, f"f{n}").select for n in range(1, 6)]


def test_calls_between_compilations():
    story = story_of(training((64, 64, 64, 63, 64, 63, 61)), "train_step")

    assert [1, 4, 7] == [one.detail.call for one in story.timeline]
    after = [[(calls.outcome, calls.count, calls.signatures) for calls in one.after] for one in story.timeline]
    assert [[("hit", 2, {1: 2})], [("hit", 2, {1: 1, 2: 1})], []] == after
    assert [None, 1, 2] == [one.compared_with for one in story.timeline]


def test_calls_before_the_first_compilation_and_nested_ones():
    value = recording(
        function(),
        *signatures(1, signature(array("x", "f32", 4)), signature(array("x", "f32", 5))),
        compilation(1, call=4, signature=2),
        runs(1, (1, "hit", 3), (None, "nested", 2), (2, "compile", 1), (None, "nested", 1), (2, "hit", 1)),
    )
    (one,) = story_of(value, "step").timeline

    assert [("hit", 3), ("nested", 2)] == [(calls.outcome, calls.count) for calls in one.before]
    assert [("nested", 1), ("hit", 1)] == [(calls.outcome, calls.count) for calls in one.after]


@given(st.lists(st.tuples(st.sampled_from(["hit", "compile", "eager_fallback", "nested"]), st.integers(1, 4))))
def test_every_call_is_told_once(history):
    """However runs are cut: calls with a compilation, and those around them, are all the calls."""
    compiles, ordinal = [], 1
    for outcome, count in history:
        if outcome == "compile":
            compiles += range(ordinal, ordinal + count)
        ordinal += count if outcome != "nested" else 0
    events = [compilation(number, call=call, signature=1) for number, call in enumerate(compiles, start=1)]
    known = signatures(1, signature(array("x", "f32", 4)))
    value = recording(function(), *known, *events, runs(1, *((1, *one) for one in history)))
    story = story_of(value, "step")
    told = sum(calls.count for one in story.timeline for calls in (*one.before, *one.after))

    if compiles:
        assert sum(count for _, count in history) == told + len(compiles)
    assert story.calls + story.outcomes.get("nested", 0) == sum(count for _, count in history)


def test_function_objects_of_one_source_are_one_story():
    story = story_of(loop(), "<lambda>")

    assert (3, 9, 6, None, "make") == (len(story.objects), story.calls, story.hits, story.state, story.maker)
    assert [1, 2, 3] == [one.function for one in story.timeline]
    # Each object met its own signature; they are the same one.
    (known,) = story.signatures
    assert ((1, 2, 3), 9, 6, (1, 2, 3)) == (known.ids, known.calls, known.hits, known.compiled_by)
    assert story == story_of(loop(), "f2")


def test_numbers_follow_the_order_of_the_recording_and_count_what_failed():
    value = recording(
        function(framework="torch"),
        *signatures(1, signature(array("x", "f32", 4)), signature(array("x", "f32", 5))),
        compilation(1, call=1, signature=1, framework="torch", framework_id="0/0"),
        compilation(5, call=9, signature=2, framework="torch", layers=(), failed="recompile limit"),
        runs(1, (1, "compile", 1), (1, "hit", 7, 1), (2, "eager_fallback", 4)),
    )
    story = story_of(value, "step#2")

    assert ([1, 2], 1) == ([one.number for one in story.timeline], story.compilations)
    assert "recompile_limit" == story.detail.kinds[0].kind
    assert [("eager_fallback", 3)] == [(calls.outcome, calls.count) for calls in story.timeline[1].after]
    assert {1: 7} == story.signatures[0].served_by


def test_cascades_are_told_at_both_ends():
    value = recording(
        function(1, "outer"),
        function(2, "inner", line=30),
        *signatures(1, signature(array("x", "f32", 4)), signature(array("x", "f32", 5))),
        *signatures(2, signature(array("y", "f32", 4)), start=3),
        compilation(1, 1, call=1, signature=1),
        compilation(2, 1, call=2, signature=2),
        compilation(3, 2, 0.5, call=1, signature=3, inside=1, inside_call=2),
    )
    outer, inner = story_of(value, "outer"), story_of(value, "inner")

    assert [(), ("inner", 1)] == [
        one.led_to and (one.led_to[0].function, one.led_to[0].number) for one in outer.timeline
    ]
    (one,) = inner.timeline
    assert ("outer", 2, "outer") == (one.because_of.function, one.because_of.number, one.inside)


def test_one_compilation_in_full():
    event = {"call": 2, "signature": 2, "context": 2, "guards_asked": True}
    failures = (GuardFailure("0/0", "L['x'].size()[0] == 4", value="5"), GuardFailure("7/7", "gone"))
    value = recording(
        function(framework="torch"),
        *signatures(1, signature(array("x", "f32", 4)), signature(array("x", "f32", 5))),
        ContextEvent(1, {"a": "1", "b": "2", "same": "0"}),
        ContextEvent(2, {"a": "3", "c": "4", "same": "0"}),
        compilation(1, call=1, signature=1, framework="torch", framework_id="0/0", context=1),
        compilation(2, framework="torch", framework_id="0/1", guards=failures, **event),
    )
    detail = story_of(value, "step#2").detail

    assert [("a", "1", "3"), ("b", "2", None), ("c", None, "4")] == [
        (one.path, one.before, one.now) for one in detail.settings
    ]
    assert (True, True) == (detail.settings_known, detail.guards_asked)
    assert [(1, "0/0"), (None, "7/7")] == [(one.number, one.failure.entry) for one in detail.guards]
    assert all(kind.page == f"docs/causes/{kind.kind}.md" and kind.explanation for kind in detail.kinds)


def test_the_causes_are_put_together_by_kind():
    known = (
        signature(array("x", "f32", 4), array("y", "f32", 4)),
        signature(array("x", "f16", 5), array("y", "f16", 5)),
    )
    value = recording(function(), *signatures(1, *known), *(compilation(n, call=n, signature=n) for n in (1, 2)))
    detail = story_of(value, "step#2").detail

    assert [("shape", ["x", "y"]), ("dtype", ["x", "y"])] == [
        (kind.kind, [one.path for one in kind.causes]) for kind in detail.kinds
    ]
    assert "no" == story_of(value, "step#1").detail.avoidable


def test_leaves_side_by_side():
    old = signature(array("a", "f32", 4), static("n", 1), static("gone", "x"), array("d", "f32", 1))
    new = signature(
        array("a", "f32", 5), static("n", True), array("b", "f32", 1), array("d", "f32", 1), keywords=("b",)
    )

    assert [
        ("a", "f32[4]", "f32[5]", True),
        ("n", "1 (int)", "True (bool)", True),
        ("b", None, "f32[1]", True),
        ("d", "f32[1]", "f32[1]", False),
        ("gone", "'x'", None, True),
        ("how they are passed", "4 by position", "4 by position, b by keyword", True),
    ] == [msgspec.structs.astuple(one) for one in differences(old, new)]
    assert [("a", None, "f32[4]", False)] == [
        msgspec.structs.astuple(one) for one in differences(None, signature(array("a", "f32", 4)))
    ]


def test_what_looks_the_same_is_told_apart():
    def shown(old, new):
        return [(one.before, one.now) for one in differences(old, new) if one.differs]

    one, other = (signature(static("f", 0, identity=n)) for n in (1, 2))
    assert [("0", "0 (another object)")] == shown(one, other)
    one, other = (signature(static("f", "a", digest=text)) for text in "xy")
    assert [("'a'", "'a' (differs further on)")] == shown(one, other)
    one, other = (signature(nodes=(Node("p", "State", "lr=1", digest=text),)) for text in "xy")
    assert [("State(lr=1)", "State(lr=1) (another object)")] == shown(one, other)
    one, other = (signature(structure="*", structure_digest=text) for text in "xy")
    assert [("*", "* (another one)")] == shown(one, other)
    twice = signature(array("x", "f32", 1), array("x", "f32", 2))
    assert [("f32[2]", "f32[3]")] == shown(twice, signature(array("x", "f32", 1), array("x", "f32", 3)))


def test_a_legend_tells_signatures_apart_however_many_leaves_they_have():
    params = [array(f"p{n}", "f32", n) for n in range(20)]
    half = [array(f"p{n}", "bf16", n) for n in range(20)]
    texts = legend(
        [
            signature(*params, array("x", "f32", 4), array("y", "f32", 4), static("n", 0)),
            signature(*params, array("x", "f32", 5), array("y", "f32", 5), static("n", 0)),
            signature(*half, array("x", "f32", 6), array("y", "f32", 6), static("n", 0)),
        ]
    )

    assert "x: f32[5] (+1 like it), p0: f32[0] (+19 like it), 1 alike in all" == texts[1]
    assert "x: f32[6] (+1 like it), p0: bf16[0] (+19 like it), 1 alike in all" == texts[2]
    assert len(set(texts)) == len(texts)
    assert ("x: f32[4] (1 by position)", "x: f32[4] (0 by position, x by keyword)") == legend(
        [signature(array("x", "f32", 4)), signature(array("x", "f32", 4), positional=0, keywords=("x",))]
    )
    assert () == legend([])


def test_notes_are_those_of_the_function_and_of_a_recording_without_an_end():
    other = function(2, "other", line=30)
    notes = [NoteEvent("mine", "a", function=1), NoteEvent("theirs", "b", function=2), NoteEvent("all", "c")]
    value = recording(function(), other, *notes, end=None)

    assert ["mine", "no-end"] == [note.slug for note in story_of(value, "step").notes]
