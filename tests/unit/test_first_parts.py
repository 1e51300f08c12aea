"""Stretches put into each other: the parts of a whole add up to it, whatever the clocks said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.part_names import LABELS, NAMES, is_lifted, label_of, name_of
from jitscope.analysis.parts import Stretch, lift, nest, parts_of, programs_text, sum_of

times = st.integers(0, 2000).map(lambda n: n / 1000)
stretches = st.lists(
    st.builds(
        Stretch,
        name=st.sampled_from("abcd"),
        label=st.sampled_from("ab"),
        start=times,
        seconds=times,
        lifted=st.booleans(),
    ),
    max_size=25,
)


def at(name, start, end, **fields):
    return Stretch(name, name, start, end - start, **fields)


def tree(parts):
    return [(part.name, round(part.seconds, 6), tree(part.parts)) for part in parts]


def taken_apart(found, start=0.0, end=10.0):
    return parts_of(lift(nest(found, start, end)), start)


@given(stretches, times, times)
def test_parts_add_up_to_the_whole_and_none_is_negative(found, one, other):
    start, end = sorted((one, other))
    parts = taken_apart(found, start, end)

    def holds(part):
        assert part.seconds >= 0
        assert part.own >= 0
        assert part.own + sum_of(part.parts) == pytest.approx(part.seconds, abs=1e-9)
        for inner in part.parts:
            holds(inner)

    assert sum_of(parts) <= end - start + 1e-9
    for part in parts:
        holds(part)


@given(stretches)
def test_no_moment_is_told_twice(found):
    placed = nest(found, 0.0, 5.0)

    def holds(inner, start, end):
        for one in inner:
            assert start - 1e-9 <= one.start <= one.end <= end + 1e-9
            holds(one.inner, one.start, one.end)
            start = one.end

    holds(placed, 0.0, 5.0)


def test_what_lies_inside_is_nested_and_own_time_is_the_rest():
    parts = taken_apart([at("inner", 2, 3), at("outer", 1, 5), at("next", 5, 6), at("deep", 2.5, 2.75)])

    assert [("outer", 4, [("inner", 1, [("deep", 0.25, [])])]), ("next", 1, [])] == tree(parts)
    assert 3 == parts[0].own
    assert 0.75 == parts[0].parts[0].own


def test_neighbours_whose_clocks_overlap_by_microseconds_stay_neighbours():
    parts = taken_apart([at("trace", 0, 1.00001), at("lower", 1, 2), at("compile", 1.99999, 3)])

    assert ["trace", "lower", "compile"] == [part.name for part in parts]
    assert 3 == pytest.approx(sum_of(parts))


def test_what_sticks_out_of_the_call_is_cut():
    assert [("early", 1, []), ("late", 1, [])] == tree(taken_apart([at("early", -1, 1), at("late", 9, 12)]))


def test_those_of_one_name_are_joined_and_counted():
    (outer,) = taken_apart([at("codegen", 0, 9), at("cpp", 1, 2), at("wait", 3, 4), at("cpp", 5, 7)])

    assert [("cpp", 3, []), ("wait", 1, [])] == tree(outer.parts)
    assert [2, 1] == [part.count for part in outer.parts]
    assert 5 == outer.own


def test_what_only_wraps_is_lifted_and_what_has_the_name_of_the_one_around_is_that_one():
    found = [
        at("dynamo", 0, 9),
        at("dynamo", 1, 8),
        at("wrap", 1, 7, lifted=True),
        at("dynamo", 1, 6),
        at("guards", 2, 3),
    ]
    parts = taken_apart(found)

    assert [("dynamo", 9, [("guards", 1, [])])] == tree(parts)
    assert 8 == parts[0].own


def test_what_is_very_deep_is_told_with_what_is_around_it():
    parts = taken_apart([at(f"s{depth}", depth / 1000, 10 - depth / 1000) for depth in range(3000)])

    def depth(some):
        return 1 + depth(some[0].parts) if some else 0

    assert 100 == depth(parts)
    assert 10 == parts[0].seconds


def test_programs_are_told_with_their_numbers():
    assert programs_text([]) is None
    assert "add" == programs_text(["add", "add"])
    assert "add 2×, mul 1×" == programs_text(["add", "mul", "add"])
    assert programs_text(list("abcdef")).endswith(", … 2 more")


def test_steps_have_labels_and_the_names_of_phases():
    assert "dynamo" == name_of("entire_frame_compile")
    assert "autotune" == name_of("mm_template_autotuning")
    assert "C++ compile" == label_of("compile_file")
    assert "start JAX's backend cuda" == label_of("start jax cuda")
    assert "something new" == label_of(name_of("something new"))
    assert is_lifted("compile_attempt_1")
    assert is_lifted("pass.joint_graph_passes.pass_pattern_0")
    assert not any(is_lifted(name) for name in (*LABELS, *NAMES.values()))
