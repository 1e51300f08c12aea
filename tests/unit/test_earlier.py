"""The earlier compilation that differs least, found without looking at all of them."""

from __future__ import annotations

import pytest
from builders import array, compilation, function, signature, static
from hypothesis import given, settings
from hypothesis import strategies as st

from jitscope.analysis import compiled, earlier
from jitscope.analysis.compiled import Compiled, nearest_compiled
from jitscope.analysis.earlier import FEW, LAST, Earlier
from jitscope.model.signature import Node


def made(number, known, *, context=None, owner=1):
    return Compiled(compilation(number, owner), function(owner), known, context)


def sized(number, *sizes, **fields):
    return made(number, signature(*(array(f"x{n}", "f32", size) for n, size in enumerate(sizes))), **fields)


def leaves(token):
    sizes = st.builds(lambda size, dtype: array("x", dtype, size), st.integers(1, 3), st.sampled_from(["f32", "i32"]))
    value = (lambda n: static("x", "same", token=n)) if token else (lambda n: static("x", n))
    return st.one_of(sizes, st.integers(1, 3).map(value))


def any_signature(token):
    return st.one_of(
        st.none(),
        st.builds(
            lambda first, rest, positional, nodes: signature(*first, *rest, positional=positional, nodes=nodes),
            st.lists(leaves(token), max_size=2),
            st.lists(st.integers(1, 4).map(lambda size: array("y", "f32", size, 8)), max_size=1),
            st.integers(1, 2),
            st.sampled_from([(), (Node("x", "list", items=1),)]),
        ),
    )


CONTEXTS = st.fixed_dictionaries({"a": st.sampled_from("12")}, optional={"b": st.sampled_from("12")})
SIMPLE = st.builds(
    lambda size, other: signature(array("x", "f32", size), array("y", "f32", other)),
    st.integers(1, 9),
    st.integers(1, 9),
)


@settings(max_examples=60, deadline=None)
@pytest.mark.parametrize("kind", [any_signature(False), any_signature(True), SIMPLE], ids=["texts", "tokens", "sizes"])
@pytest.mark.parametrize("contexts", [CONTEXTS, st.none()], ids=["settings", "no settings"])
@given(data=st.data())
def test_it_is_the_one_that_looking_at_all_of_them_finds(kind, contexts, data):
    values = data.draw(st.lists(st.tuples(kind, contexts, st.integers(1, 3)), min_size=2, max_size=40))
    items = [made(n, known, context=context, owner=owner) for n, (known, context, owner) in enumerate(values)]
    some = Earlier()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(earlier, "FEW", 0)
        patch.setattr(earlier, "MOST_CHOICES", 10**6)
        for n, one in enumerate(items):
            if n:
                found, whole = some.nearest(one)
                expected = nearest_compiled(one, items[:n])
                assert whole
                assert expected.event.id == found.event.id
            some.add(one)


def test_what_is_looked_at_grows_with_the_number_and_not_with_its_square(monkeypatch):
    counted = []
    real = compiled.distance
    monkeypatch.setattr(compiled, "distance", lambda *both: counted.append(1) or real(*both))
    some = Earlier()
    for n in range(3000):
        one = sized(n, n % 70, n // 7)
        some.nearest(one)
        some.add(one)

    assert len(counted) <= FEW * FEW


def test_of_a_hundred_sizes_the_newest_counts_and_a_size_met_before_is_itself():
    some = Earlier([sized(n, n) for n in range(100)])

    assert 99 == some.nearest(sized(1000, 5000))[0].event.id
    assert 42 == some.nearest(sized(1000, 42))[0].event.id


def test_where_very_much_varies_the_last_ones_count_and_the_very_same_call():
    some = Earlier([sized(n, *(n * k for k in range(1, 9))) for n in range(1, 501)])

    last, looked_at_all = some.nearest(sized(1000, *range(1001, 1009)))
    assert (500, False) == (last.event.id, looked_at_all)
    same, looked_at_all = some.nearest(sized(1000, *(7 * k for k in range(1, 9))))
    assert (7, True) == (same.event.id, looked_at_all)
    assert LAST < 500
