"""What differs between two signatures."""

import msgspec
import pytest
from builders import array, signature, static
from hypothesis import given
from hypothesis import strategies as st

from jitscope.analysis.diff import diff_signatures, distance, nearest
from jitscope.model.signature import ArrayLeaf, Node, Signature, StaticLeaf


def kinds(old, new, **options):
    return [(one.kind, one.path, one.old, one.new) for one in diff_signatures(old, new, **options)]


X = array("x", "f32", 4, 8)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (X, array("x", "f32", 5, 8), [("shape", "x", "f32[4,8]", "f32[5,8]")]),
        (X, array("x", "f32", 4), [("rank", "x", "f32[4,8]", "f32[4]")]),
        (X, array("x", "bf16", 4, 8), [("dtype", "x", "f32[4,8]", "bf16[4,8]")]),
        (
            X,
            array("x", "bf16", 5, 8),
            [("shape", "x", "f32[4,8]", "bf16[5,8]"), ("dtype", "x", "f32[4,8]", "bf16[5,8]")],
        ),
        (array("x", "f32", weak_type=True), array("x", "f32"), [("weak_type", "x", "f32[]{weak_type}", "f32[]")]),
        (X, array("x", "f32", 4, 8, host="numpy"), [("python_type", "x", "jax.Array", "numpy")]),
        (
            array("x", "i32", weak_type=True, host="int"),
            array("x", "f32", weak_type=True, host="float"),
            [("dtype", "x", "i32[]", "f32[]"), ("python_type", "x", "int", "float")],
        ),
        (X, static("x", None), [("python_type", "x", "f32[4,8] (jax.Array)", "None")]),
        (static("x", 2.5), X, [("python_type", "x", "2.5 (float)", "f32[4,8] (jax.Array)")]),
        (static("x", 1), static("x", 1.0), [("python_type", "x", "1 (int)", "1.0 (float)")]),
        (static("x", 1), static("x", 2), [("static_value", "x", "1", "2")]),
        (
            static("x", "a", identity=1),
            static("x", "a", identity=2),
            [("static_value", "x", "'a'", "'a' (another object, compared by identity)")],
        ),
        (
            static("x", "a", digest="12"),
            static("x", "a", digest="34"),
            [("static_value", "x", "'a' (digest 12)", "'a' (digest 34)")],
        ),
        (X, array("x", "f32", 4, 8, layout="(1, 0)"), [("layout", "x", "default layout", "(1, 0)")]),
        (X, array("x", "f32", 4, 8, device="cpu:1"), [("device", "x", "default device", "cpu:1")]),
        (
            X,
            array("x", "f32", 4, 8, committed=True),
            [("committed", "x", "f32[4,8]{uncommitted}", "f32[4,8]{committed}")],
        ),
        (
            X,
            array("x", "f32", 4, 8, committed=True, sharding="P('x') on (x:4)"),
            [("sharding", "x", "one device", "P('x') on (x:4)")],
        ),
    ],
)
def test_each_aspect_of_a_leaf_has_its_kind(old, new, expected):
    assert expected == kinds(signature(old), signature(new))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (X, array("x", "f32", 4, 8, stride=(1, 4)), [("layout", "x", "contiguous", "stride=1,4")]),
        (X, array("x", "f32", 4, 8, device="cuda:0"), [("device", "x", "cpu", "cuda:0")]),
        (
            X,
            array("x", "f32", 4, 8, requires_grad=True),
            [("requires_grad", "x", "requires_grad=False", "requires_grad=True")],
        ),
        (X, array("x", "f32", 4, 8, subclass="Parameter"), [("python_type", "x", "torch.Tensor", "Parameter")]),
        (X, array("x", "f32", 4, 8, keys="inference"), [("requires_grad", "x", "ordinary tensor", "inference")]),
        # The strides of a transposed tensor change with its sizes: that is one change.
        (
            array("x", "f32", 4, 8, stride=(1, 4)),
            array("x", "f32", 5, 8, stride=(1, 5)),
            [("shape", "x", "f32[4,8]", "f32[5,8]")],
        ),
    ],
)
def test_aspects_that_only_torch_has(old, new, expected):
    assert expected == kinds(signature(old), signature(new), framework="torch")


def test_every_leaf_that_differs_is_listed():
    old = signature(array("a", "f32", 4), array("b", "f32", 4), array("c", "f32", 4), static("n", 1))
    new = signature(array("a", "f32", 5), array("b", "f16", 4), array("c", "f32", 4), static("n", 2))

    assert ["a", "b", "n"] == [path for _, path, _, _ in kinds(old, new)]


def test_added_and_removed_paths_are_structure():
    old = signature(array("d['a']", "f32", 4), array("d['b']", "f32", 2), positional=1)
    new = signature(array("d['a']", "f32", 4), array("d['c']", "f32", 3), positional=1)
    expected = [("tree_structure", "d['c']", None, "f32[3]"), ("tree_structure", "d['b']", "f32[2]", None)]

    assert expected == kinds(old, new)


def test_another_structure_around_the_same_paths():
    old = signature(X, structure="x=PyTreeDef([*])", structure_digest="1")
    new = signature(X, structure="x=PyTreeDef((*,))", structure_digest="2")

    assert [("tree_structure", None, "x=PyTreeDef([*])", "x=PyTreeDef((*,))")] == kinds(old, new)
    assert not kinds(old, signature(X, structure="written otherwise", structure_digest="1"))


def test_none_that_becomes_an_array_is_a_change_of_type():
    none, mask = static("m", None), array("m", "f32", 3)

    assert [("python_type", "m", "None", "f32[3] (jax.Array)")] == kinds(signature(X, none), signature(X, mask))
    assert [("python_type", "m", "f32[3] (jax.Array)", "None")] == kinds(signature(X, mask), signature(X, none))


def test_passing_by_keyword_is_not_a_change_of_structure():
    old = signature(X, static("n", 1), positional=2, structure_digest="1")
    new = signature(X, static("n", 1), positional=1, keywords=("n",), structure_digest="2")

    assert [("argument_passing", "n", "by position", "by keyword")] == kinds(old, new)
    assert [("argument_passing", "n", "by keyword", "by position")] == kinds(new, old)


def test_a_default_that_has_no_leaves():
    old, new = signature(X), signature(X, positional=1, keywords=("m",))
    assert [("argument_passing", "m", "left to its default", "by keyword")] == kinds(old, new)
    assert [("argument_passing", None, "1 by position", "2 by position")] == kinds(old, signature(X, positional=2))


def test_arguments_moved_both_ways():
    old = signature(X, static("n", 1), positional=1, keywords=("n",))
    new = signature(X, static("n", 1), positional=1, keywords=("x",))

    assert [("argument_passing", "n, x", "1 by position, n by keyword", "1 by position, x by keyword")] == kinds(
        old, new
    )


def test_a_default_that_is_spelled_out_is_argument_passing():
    old = signature(X)
    new = signature(X, static("n", 1), positional=1, keywords=("n",))

    assert [("argument_passing", "n", "left to its default", "given: 1")] == kinds(old, new)
    assert [("argument_passing", "n", "given: 1", "left to its default")] == kinds(new, old)


def test_more_of_args_is_structure():
    old = signature(array("args[0]", "f32", 2))
    new = signature(array("args[0]", "f32", 2), array("args[1]", "f32", 2))

    assert [("tree_structure", "args[1]", None, "f32[2]")] == kinds(old, new)


def test_the_nearest_has_the_fewest_differing_leaves():
    far = signature(array("a", "f32", 1), array("b", "f32", 1))
    near = signature(array("a", "f32", 2), array("b", "f32", 1))
    new = signature(array("a", "f32", 2), array("b", "f32", 2))

    assert near == nearest([near, far], new)
    assert near == nearest([far, near], new)
    assert nearest([], new) is None


def test_of_several_nearest_the_most_recent_counts():
    sizes = [signature(array("x", "f32", size)) for size in (64, 63, 61)]

    assert sizes[2] == nearest(sizes, signature(array("x", "f32", 60)))


def test_of_as_many_leaves_those_that_differ_in_less_are_nearer():
    """Shape, then dtype: the dtype is compared with what had the same shape."""
    first = signature(array("q", "bf16", 8), array("k", "bf16", 8))
    second = signature(array("q", "bf16", 9), array("k", "bf16", 9))

    assert first == nearest([first, second], signature(array("q", "f32", 8), array("k", "f32", 8)))
    assert second == nearest([second, first], signature(array("q", "f32", 9), array("k", "f32", 9)))


def test_a_leaf_that_differs_in_one_aspect_is_nearer_than_one_that_differs_in_two():
    same_shape = signature(array("x", "bf16", 64))
    newer = signature(array("x", "bf16", 32))

    assert same_shape == nearest([same_shape, newer], signature(array("x", "f32", 64)))


def test_equal_leaves_are_nearer_than_one_that_differs():
    same = signature(X, array("y", "f32", 2), positional=2)
    newer = signature(X, array("y", "f32", 3), positional=1, keywords=("y",))
    new = signature(X, array("y", "f32", 2), positional=1, keywords=("y",))

    assert same == nearest([same, newer], new)


dimensions = st.lists(st.integers(0, 4), max_size=3).map(tuple)
marks = st.none() | st.sampled_from(["a", "b"])
arrays = st.builds(
    ArrayLeaf,
    path=st.just(""),
    dtype=st.sampled_from(["f32", "bf16"]),
    shape=dimensions,
    weak_type=st.booleans(),
    host=st.none() | st.sampled_from(["int", "numpy"]),
    committed=st.booleans(),
    sharding=marks,
    layout=marks,
    stride=st.none() | dimensions,
    device=marks,
    requires_grad=st.booleans(),
    subclass=st.none() | st.sampled_from(["Parameter", "T"]),
    keys=marks,
)
statics = st.builds(
    StaticLeaf,
    path=st.just(""),
    type=st.sampled_from(["int", "str"]),
    value=st.sampled_from(["1", "2"]),
    identity=st.none() | st.integers(1, 2),
    digest=marks,
)
paths = st.sampled_from(["x", "x[0]", "d['a']", "d['b'].w", "n", "args[1]"])
leaves = st.lists(st.tuples(paths, arrays | statics), max_size=5).map(
    lambda pairs: tuple(msgspec.structs.replace(leaf, path=path) for path, leaf in pairs)
)
signatures = st.builds(
    Signature,
    leaves=leaves,
    structure=st.sampled_from(["", "x=PyTreeDef(None)", "PyTreeDef([*])"]),
    structure_digest=st.sampled_from(["1", "2"]),
    positional=st.integers(0, 2),
    keywords=st.sampled_from([(), ("n",), ("n", "x")]),
)


@given(signatures)
def test_nothing_differs_from_itself(one):
    assert () == diff_signatures(one, one)
    assert (0, 0) == distance(one, one)


@given(signatures, signatures)
def test_every_differing_leaf_is_listed(old, new):
    before, after = ({(n.path, k): n for k, n in numbered(one.leaves)} for one in (old, new))
    expected = {path for path, k in before.keys() | after.keys() if before.get((path, k)) != after.get((path, k))}
    found = {one.path for one in diff_signatures(old, new) if one.path is not None}

    assert expected <= found


@given(signatures, signatures)
def test_a_difference_is_seen_from_both_sides(old, new):
    assert bool(diff_signatures(old, new)) == bool(diff_signatures(new, old))
    assert distance(old, new) == distance(new, old)
    assert (distance(old, new) == (0, 0)) == (diff_signatures(old, new) == ())


@given(signatures, signatures, st.sampled_from(["jax", "torch"]))
def test_each_change_says_what_it_was_and_is(old, new, framework):
    for one in diff_signatures(old, new, framework=framework):
        assert one.old != one.new
        assert one.kind != "unknown"


@given(st.lists(signatures, min_size=1, max_size=5), signatures)
def test_the_nearest_is_one_of_the_closest(earlier, new):
    found = nearest(earlier, new)

    assert min(distance(one, new) for one in earlier) == distance(found, new)


def numbered(leaves):
    seen = {}
    for leaf in leaves:
        seen[leaf.path] = seen.get(leaf.path, -1) + 1
        yield seen[leaf.path], leaf


# -- equal by token, whatever they print ----------------------------------------------------------


def test_tokens_decide_and_texts_are_shown():
    one, other = (static("c", "Config", token=token) for token in (1, 2))
    assert [("static_value", "c", "'Config'", "'Config' (another value that prints so)")] == kinds(
        signature(one), signature(other)
    )
    printed_otherwise = static("c", "at another address", token=1)
    assert not kinds(signature(one), signature(printed_otherwise))
    assert (0, 0) == distance(signature(one), signature(printed_otherwise))
    assert signature(other) == nearest([signature(other), signature(one)], signature(other))


def test_of_long_values_the_parts_that_differ_are_shown():
    one, other = (
        static("c", "cut", type="Config", token=n, digest=str(n), fields=("depth=2", f"width={n}")) for n in (1, 2)
    )
    assert [("static_value", "c", "Config(… width=1 …)", "Config(… width=2 …)")] == kinds(
        signature(one), signature(other)
    )


def test_metadata_is_compared_by_token():
    def state(token, *fields):
        return signature(
            X,
            nodes=(
                Node("s", "State", fields=tuple(f for f, _ in fields), token=token, tokens=tuple(t for _, t in fields)),
            ),
        )

    one = state(1, ("fn=<method>", 7), ("lr=0.1", 8))
    assert [("tree_structure", "s.fn", "<method>", "<method> (another object)")] == kinds(
        one, state(2, ("fn=<method>", 9), ("lr=0.1", 8))
    )
    assert not kinds(one, state(1, ("fn=<method at another place>", 7), ("lr=0.1", 8)))
    assert [("tree_structure", "s.lr", "0.1", "0.2")] == kinds(one, state(3, ("fn=<method>", 7), ("lr=0.2", 10)))
    assert [("tree_structure", "s", "State", "State (another object)")] == kinds(state(1), state(2))


# -- containers -----------------------------------------------------------------------------------


def tree(*nodes, leaves=()):
    return Signature(leaves=tuple(array(path, "f32", 3) for path in leaves), nodes=nodes, positional=1)


def test_what_comes_with_a_container_of_another_type_is_part_of_it():
    moments = [f"s[0].{name}['w{n}']" for name in ("mu", "nu") for n in range(100)]
    old = tree(Node("s", "tuple", items=1), Node("s[0]", "Empty", identity=1))
    new = tree(
        Node("s", "tuple", items=1),
        Node("s[0]", "Adam", identity=2, items=2),
        Node("s[0].mu", "dict", items=100),
        Node("s[0].nu", "dict", items=100),
        leaves=moments,
    )

    assert [("tree_structure", "s[0]", "Empty", "Adam")] == kinds(old, new)
    assert [("tree_structure", "s[0]", "Adam", "Empty")] == kinds(new, old)


def test_a_container_in_place_of_a_leaf_or_of_nothing():
    nothing, filled = tree(leaves=["x"]), tree(Node("m", "dict", items=2), leaves=["x", "m['a']", "m['b']"])
    assert [("tree_structure", "m", None, "dict of 2")] == kinds(nothing, filled)
    assert [("tree_structure", "m", "dict of 2", None)] == kinds(filled, nothing)

    none = msgspec.structs.replace(nothing, leaves=(*nothing.leaves, static("m", None)))
    assert [("tree_structure", "m", "None", "dict of 2")] == kinds(none, filled)
    assert [("tree_structure", "m", "dict of 2", "None")] == kinds(filled, none)


def test_containers_without_leaves():
    two, three = (
        tree(Node("s", "tuple", items=count), *(Node(f"s[{n}]", "Empty") for n in range(count))) for count in (2, 3)
    )
    assert [("tree_structure", "s", "tuple of 2", "tuple of 3")] == kinds(two, three)
    assert [("tree_structure", "s", "dict of 0", "tuple of 0")] == kinds(
        tree(Node("s", "dict")), tree(Node("s", "tuple"))
    )
    assert [("tree_structure", "s", "list of 0", "list of 0 (another class of that name)")] == kinds(
        tree(Node("s", "list", identity=1)), tree(Node("s", "list", identity=2))
    )


def test_items_of_a_list_and_of_a_dict_are_told_one_by_one():
    old = tree(Node("xs", "list", items=1), leaves=["xs[0]"])
    new = tree(Node("xs", "list", items=2), leaves=["xs[0]", "xs[1]"])
    assert [("tree_structure", "xs[1]", None, "f32[3]")] == kinds(old, new)

    ab = tree(Node("t", "OrderedDict", "('a', 'b')", token=1, items=2), leaves=["t['a']", "t['b']"])
    ba = tree(Node("t", "OrderedDict", "('b', 'a')", token=2, items=2), leaves=["t['b']", "t['a']"])
    ac = tree(Node("t", "OrderedDict", "('a', 'c')", token=3, items=2), leaves=["t['a']", "t['c']"])
    assert [("tree_structure", "t", "('a', 'b')", "('b', 'a')")] == kinds(ab, ba)
    assert [("tree_structure", "t['c']", None, "f32[3]"), ("tree_structure", "t['b']", "f32[3]", None)] == kinds(ab, ac)


def test_of_many_that_appeared_the_rest_is_counted():
    few, many = (
        tree(Node("s", "State"), Node("s.p", "dict", items=n), leaves=["x", *(f"s.p['w{k}']" for k in range(n))])
        for n in (1, 40)
    )
    found = kinds(few, many)

    assert 17 == len(found)
    assert ("tree_structure", "s.p", "1 leaves", "40 leaves") == found[-1]
    assert all(path.startswith("s.p['w") for _, path, _, _ in found[:-1])


def test_options_in_the_signature():
    old, new = (signature(X, options=options) for options in ((), ("donate_argnums=(0,)",)))

    assert [("options", "donate_argnums", "default", "(0,)")] == kinds(old, new)
    assert old == nearest([new, old], signature(X, positional=1))
