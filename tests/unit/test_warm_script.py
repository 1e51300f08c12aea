"""Emitted files: expressions are broken over lines, and nothing of a recording becomes code."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from jitscope.model.signature import ArrayLeaf
from jitscope.model.specs import Array, CallSpec, CannotRebuildError, Foreign, Member, Record, Tree, Value
from jitscope.render import warm_script, warm_script_jax, warm_script_torch
from jitscope.render.code import call_code, keyword_code, lines_of, name_code, value_code
from jitscope.render.warm_script import EmittedCall, EmittedFunction, render_warm_script
from jitscope.render.warm_script_jax import JaxWriter
from jitscope.render.warm_script_torch import TorchWriter

WRITERS = {"jax": JaxWriter, "torch": TorchWriter}
EVIL = "x\nimport os; os.abort()\n\u2028\"\"\"'''\\"


def script(framework, *calls, run="r1", **fields):
    fields = {"module": "serve", "attribute": "step", "classes": {}, **fields}
    function = EmittedFunction(framework=framework, calls=calls, **fields)
    return render_warm_script([function], run=run, version="0.0", writers=WRITERS)


def call(*positional, text="x: f32[3]", conditions=None, **keywords):
    spec = CallSpec(tuple((f"a{n}", one) for n, one in enumerate(positional)), tuple(keywords.items()))
    return EmittedCall(spec, text, 3, 1.5, conditions or {})


@pytest.mark.parametrize(
    "value",
    [
        0, -1.5, True, None, "it's", 'say "no"', "\n\x1b[31m\u202e", b"\x00", (), (1,), [1, [2]], {"a": {1: (None,)}},
        {1, 2}, range(3), slice(1, None), 1e300, 2j, complex(-0.0, 1), EVIL,
    ],
)  # fmt: skip
def test_values_are_written_so_that_they_are_read_back(value):
    (line,) = lines_of(value_code(value), 0, 10_000)
    assert repr(value) == repr(eval(line))  # what the file's reader does
    assert line.isascii()


@pytest.mark.parametrize("value", [object(), float, set(), complex("nan"), [object()]])
def test_other_values_are_refused(value):
    with pytest.raises(ValueError, match=r"^\w+$"):
        value_code(value)


@pytest.mark.parametrize("name", ["a b", "", "x;y", "é", "class", "a..b", "x\n", "1a"])
def test_what_is_no_name_is_not_written(name):
    with pytest.raises(ValueError, match=r"(?s)^.*$"):
        name_code(name)


def test_long_calls_are_broken_over_lines():
    inner = call_code("array", [value_code((1, 2)), keyword_code("weak_type", "True")])
    assert ["f(array((1, 2), weak_type=True))"] == lines_of(call_code("f", [inner]), 0, 40)
    assert ["f(", "    array((1, 2), weak_type=True),", "    a=1,", ")"] == lines_of(
        call_code("f", [inner, keyword_code("a", "1")]), 0, 36
    )


def test_a_hostile_text_stays_in_its_comment():
    for framework in WRITERS:
        source = script(
            framework, call(Array(ArrayLeaf("x", "f32", (3,))), text=EVIL), skipped=((EVIL, EVIL),), run=EVIL
        )
        tree = ast.parse(source)
        assert "os" not in {
            alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
        }
        assert "abort" not in {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}


@pytest.mark.parametrize("framework", WRITERS)
@pytest.mark.parametrize(
    "fields",
    [
        {"dtype": "f32)"},
        {"device": "cpu') or abort('"},
        {"sharding": "P(__import__('os')) on (x:4)", "committed": True},
    ],
)
def test_hostile_types_are_refused_or_quoted(framework, fields):
    leaf = ArrayLeaf(**{"path": "x", "dtype": "f32", "shape": (3,), **fields})
    try:
        source = script(framework, call(Array(leaf)))
    except CannotRebuildError:
        return
    names = {node.id for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Name)}
    assert not names & {"abort", "__import__", "os"}


@pytest.mark.parametrize(
    "conditions",
    [{"default_dtype": "load"}, {"autocast(cpu)": "os.abort()"}, {"function_modes": "Evil()"}],
)
def test_hostile_modes_are_refused(conditions):
    with pytest.raises(CannotRebuildError):
        script("torch", call(Value(1), conditions=conditions))


def test_a_tensor_that_was_passed_twice_has_a_name():
    leaves = [Array(ArrayLeaf(f"a{n}", "f32", (3,))) for n in range(4)]
    source = script("torch", call(*leaves, conditions={"same a2": "a0", "same a3": "a9", "same a1": EVIL}))
    assert "tensor_1 = zeros((3,), torch.float32)\n" in source
    assert "serve.step(tensor_1, zeros((3,), torch.float32), tensor_1, zeros((3,), torch.float32))" in source


def test_a_setting_without_a_context_is_refused_and_the_text_of_others_is_quoted():
    with pytest.raises(CannotRebuildError):
        script("jax", call(Value(1), conditions={"mesh": "(x:4)"}))
    source = script("jax", call(Value(1), conditions={"jax_default_matmul_precision": EVIL}))
    assert "abort" not in {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}


def test_classes_are_the_users_own():
    spec = Record("evil.Pair", "x", (("a", Value(1)), ("b", Member("Mode", "FAST"))))
    classes = {"evil.Pair": ("serve.types", "Pair"), "Mode": ("serve", "Mode")}
    source = script("jax", call(Tree("list", (), (spec,)), Foreign("jax.dtype", "bfloat16")), classes=classes)
    assert "serve.types.Pair(a=1, b=serve.Mode.FAST)" in source
    assert "import serve\nimport serve.types\n" in source
    assert "evil" not in source


def test_a_module_that_would_hide_a_helper_is_refused():
    for name in ("array", "tensor_1", "sys"):
        with pytest.raises(CannotRebuildError, match=f"a module called {name}"):
            script("jax", call(Value(1)), module=name)


def test_calls_that_compile_the_same_are_written_once():
    source = script("jax", call(Value(1)), call(Value(1), text="the same from NumPy"), call(Value(2)))
    assert "for 2 signatures" in source
    assert 2 == source.count(".compile()")


@pytest.mark.parametrize("module", [warm_script_jax, warm_script_torch])
def test_every_helper_of_the_file_has_a_name_that_a_users_module_does_not_get(module):
    helpers = set(
        re.findall(r"^def (\w+)\(.*:\n    \"\"\"", Path(module.__file__).read_text(encoding="utf-8"), re.MULTILINE)
    )
    own = {name for name in helpers if callable(getattr(module, name, None))}
    assert helpers - own
    assert set() == helpers - own - warm_script.RESERVED
