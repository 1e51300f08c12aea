"""From recorded texts to what arguments are built from; nothing in a recording is ever evaluated."""

from __future__ import annotations

import pytest

from jitscope.analysis.rebuilding import rebuild
from jitscope.analysis.static_values import static_spec
from jitscope.analysis.tree_specs import containers_in
from jitscope.model.notation import long_dtype, short_dtype
from jitscope.model.signature import ArrayLeaf, Node, Signature, StaticLeaf
from jitscope.model.specs import Array, CannotRebuildError, Foreign, Given, Member, Record, Tree, Value
from jitscope.model.steps import Step, steps_of


class Names:
    def __init__(self, *positional):
        self._positional = positional

    def positional(self, index):
        return self._positional[index]

    def keyword(self, name):
        return name


def leaf(path, *shape):
    return ArrayLeaf(path, "f32", shape)


# -- paths ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "steps"),
    [
        ("", ()),
        (".w", (Step(True, "w"),)),
        ("['a'][0].b", (Step(False, "a"), Step(False, 0), Step(True, "b"))),
        ("['a]b']", (Step(False, "a]b"),)),
        ("[(1, 'x]')]", (Step(False, (1, "x]")),)),
        ("[-1]", (Step(False, -1),)),
    ],
)
def test_paths_are_read_step_by_step(path, steps):
    assert steps == steps_of(path)


@pytest.mark.parametrize("path", ["x", "[", "[a]", "[__import__('os')]", ".1", "['a'", "[<flat index 0>]", "[" * 9999])
def test_other_paths_are_refused(path):
    with pytest.raises(ValueError, match=r"(?s)^.+$"):
        steps_of(path)


# -- static values ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "text", "spec"),
    [
        ("int", "-3", Value(-3)),
        ("bool", "True", Value(True)),
        ("NoneType", "None", Value(None)),
        ("float", "inf", Value(float("inf"))),
        ("str", "'it\\'s'", Value("it's")),
        ("tuple", "(1, ('a', None))", Value((1, ("a", None)))),
        ("range", "range(0, 8, 2)", Value(range(0, 8, 2))),
        ("slice", "slice(None, 3, None)", Value(slice(None, 3, None))),
        ("dtype", "torch.bfloat16", Foreign("torch.dtype", "bfloat16")),
        ("device", "device(type='cuda', index=1)", Foreign("torch.device", "cuda:1")),
        ("Float16DType", "dtype('float16')", Foreign("numpy.dtype", "float16")),
        ("_ScalarMeta", "<class bfloat16>", Foreign("jax.dtype", "bfloat16")),
        ("int64", "3", Foreign("numpy.scalar", "int64", 3)),
        ("Mode", "Mode.FAST", Member("Mode", "FAST")),
        ("Outer.Mode", "Outer.Mode.FAST", Member("Outer.Mode", "FAST")),
    ],
)
def test_what_is_certain_is_rebuilt(kind, text, spec):
    assert spec == static_spec(StaticLeaf("x", kind, text))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("str", "__import__('os').abort()"),
        ("Config", "Config(width=4)"),
        ("function", "<function f at train.py:3>"),
        ("int", "'3'"),
        ("str", "3"),
        ("dtype", "torch.load"),
        ("device", "device(type='evil')"),
        ("_ScalarMeta", "<class eval>"),
        ("Mode", "os.abort"),
        ("int", "9**9**9"),
        ("tuple", "(" * 199),
        ("str", "'cut…"),
        ("int", "[1 for _ in ()]"),
        ("set", "{[]}"),
    ],
)
def test_what_is_not_certain_is_refused(kind, text):
    with pytest.raises(CannotRebuildError):
        static_spec(StaticLeaf("x", kind, text))


def test_a_text_that_was_cut_is_refused_as_such():
    with pytest.raises(CannotRebuildError, match="its text was cut at 200 characters"):
        static_spec(StaticLeaf("x", "str", "'aaaa'", digest="0123"))


@pytest.mark.parametrize("name", ["float32", "bfloat16", "uint8", "int4", "complex64", "bool", "float8_e4m3fn"])
def test_dtypes_are_found_by_their_short_names(name):
    assert name == long_dtype(short_dtype(name))


@pytest.mark.parametrize("name", ["", "os", "key<fry>", "f32\n", "f32; import os", "x32"])
def test_what_is_no_dtype_has_no_long_name(name):
    assert long_dtype(name) is None


# -- JAX: nodes -------------------------------------------------------------------------------------------


def test_nodes_become_containers():
    signature = Signature(
        leaves=(leaf("x['b'][0]", 3), StaticLeaf("x['b'][1]", "NoneType", "None"), leaf("x['p'].first"), leaf("k", 2)),
        nodes=(
            Node("x", "dict", items=3),
            Node("x['b']", "list", items=2),
            Node("x['e']", "tuple"),
            Node("x['p']", "Pair", identity=1, items=1, metadata="0.1", fields=("rate=0.1",)),
        ),
        positional=1,
        keywords=("k",),
    )
    (call,) = rebuild(signature, "jax", Names("x"))
    pair = Record("Pair", "x['p']", (("first", Array(leaf("x['p'].first"))), ("rate", Value(0.1))))
    listed = Tree("list", (), (Array(leaf("x['b'][0]", 3)), Value(None)))
    assert (("x", Tree("dict", ("b", "e", "p"), (listed, Tree("tuple", (), ()), pair))),) == call.positional
    assert (("k", Array(leaf("k", 2))),) == call.keywords


@pytest.mark.parametrize(
    ("nodes", "leaves", "why"),
    [
        ((Node("x", "list", items=2),), (leaf("x[1]"),), "x: is a list that was recorded in part"),
        ((Node("x", "defaultdict", items=1),), (leaf("x['a']"),), "x: is a defaultdict"),
        ((Node("x", "Model", identity=1, metadata="<function f>"),), (), "x: is a Model, which holds more"),
        ((Node("x", "Odd", identity=1, items=1),), (leaf("x[0]"),), "x: is a Odd, of which its fields"),
        ((), (), "x: is not in the recorded signature"),
        ((), (leaf("x"), leaf("y")), "y: the function has no such argument any more"),
    ],
)
def test_what_nodes_do_not_tell_is_refused(nodes, leaves, why):
    with pytest.raises(CannotRebuildError, match=why):
        next(rebuild(Signature(leaves=leaves, nodes=nodes, positional=1), "jax", Names("x")))


def test_what_the_user_passes_in_is_not_looked_into():
    signature = Signature(leaves=(StaticLeaf("x", "Config", "Config(…"),), positional=1)
    (call,) = rebuild(signature, "jax", Names("x"), frozenset({"x"}))
    assert (("x", Given("x")),) == call.positional


@pytest.mark.parametrize("name", ["a b", "class", "x=1)#", "", "1"])
def test_a_keyword_that_is_no_name_is_refused(name):
    with pytest.raises(CannotRebuildError, match="is no name of an argument"):
        next(rebuild(Signature(leaves=(leaf(name),), keywords=(name,)), "jax", Names()))


# -- torch: texts -----------------------------------------------------------------------------------------

STRUCTURE = """x=TreeSpec(dict, ['a', 'b, [', 3], [TreeSpec(list, None, [*,
    *]),
  TreeSpec(namedtuple, <class '__main__.Pair'>, [*,
    TreeSpec(tuple, None, [])]),
  *]), y=TreeSpec(tuple, None, [*])"""


def test_texts_become_containers():
    leaves = (leaf("x['a'][0]"), leaf("x['a'][1]"), leaf("x['b, ['].first"), StaticLeaf("x[3]", "int", "1"))
    signature = Signature(leaves=(*leaves, leaf("y[0]")), structure=STRUCTURE, positional=2)
    (call,) = rebuild(signature, "torch", Names("x", "y"))
    a, b, p, n = (Array(one) if isinstance(one, ArrayLeaf) else Value(1) for one in leaves)
    pair = Record("__main__.Pair", "x", (("", p), ("", Tree("tuple", (), ()))))
    assert Tree("dict", ("a", "b, [", 3), (Tree("list", (), (a, b)), pair, n)) == call.positional[0][1]
    assert Tree("tuple", (), (Array(leaf("y[0]")),)) == call.positional[1][1]


@pytest.mark.parametrize(
    "text",
    [
        STRUCTURE[:-1],
        STRUCTURE[:100] + "…",
        "x=",
        "x=TreeSpec(",
        "x=TreeSpec(list, None, [*)",
        "z=TreeSpec(list, None, [])",
    ],
)
def test_texts_that_were_cut_are_told(text):
    assert containers_in(text, ["x", "y"]) is None


def test_deep_texts_are_not_followed():
    assert containers_in("x=" + "TreeSpec(list, None, [" * 9999, ["x"]) is None


def test_where_the_text_was_cut_each_kind_of_sequence_is_tried():
    signature = Signature(leaves=(leaf("x[0][0]"), leaf("x[0][1]")), structure="x=TreeSpec(…", positional=1)
    found = [call.positional[0][1] for call in rebuild(signature, "torch", Names("x"))]
    assert 4 == len(found)
    assert {("list", "list"), ("list", "tuple"), ("tuple", "list"), ("tuple", "tuple")} == {
        (one.kind, one.items[0].kind) for one in found
    }
