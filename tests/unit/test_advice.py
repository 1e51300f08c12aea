"""Every kind of cause is explained, and has a fix in the user's own names."""

import string

import pytest
from builders import function

from jitscope.analysis.advice import ADVICE, avoidable, cause, changed_axes, fix_for
from jitscope.model.cause import CAUSE_KINDS


@pytest.mark.parametrize("kind", CAUSE_KINDS)
def test_every_kind_has_an_explanation_and_a_fix(kind):
    advice = ADVICE[kind]
    names = {name for text in (advice.fix, advice.torch or "") for _, name, _, _ in string.Formatter().parse(text)}

    assert advice.explanation.endswith(".")
    assert "{function}" in advice.fix
    assert names - {None} <= {"function", "path", "old", "new", "axes", "axis", "dtype"}


def test_nothing_else_has_advice():
    assert set(CAUSE_KINDS) == set(ADVICE)


def test_what_is_known_to_be_avoidable():
    assert {"first_compile", "graph_break", "backward"} == {kind for kind in ADVICE if ADVICE[kind].avoidable == "no"}
    expected = {"weak_type", "committed", "python_type", "argument_passing"}
    assert expected == {kind for kind in ADVICE if ADVICE[kind].avoidable == "yes"}


def test_a_compilation_is_avoidable_where_all_its_causes_are():
    weak, shape = cause("weak_type"), cause("shape")

    assert avoidable([weak])
    assert not avoidable([weak, shape])
    assert not avoidable([])


@pytest.mark.parametrize(
    ("causes", "framework", "expected"),
    [
        (
            [cause("shape", "batch['x']", "f32[64,128]", "f32[63,128]")],
            "jax",
            "Pad or bucket axis 0 of batch['x'] to a few fixed sizes before calling step (f32[64,128] → f32[63,128])",
        ),
        (
            [cause("shape", "x", "f32[4,8]", "f32[5,9]")],
            "torch",
            (
                "Mark axes 0, 1 of x as dynamic before the first call of step: torch._dynamo.mark_dynamic(x, 0), "
                "or compile it with dynamic=True (f32[4,8] → f32[5,9])"
            ),
        ),
        (
            [cause("weak_type", "loss", "f32[]{weak_type}", "f32[]")],
            "jax",
            (
                "Give loss an explicit dtype where it is first made, e.g. jnp.asarray(…, dtype='float32'), "
                "so that step sees one type (f32[]{weak_type} → f32[])"
            ),
        ),
        ([cause("first_compile")], "jax", None),
        ([cause("backward", "step")], "jax", None),
        ([cause("unknown", evidence="?")], "torch", None),
        (
            [cause("dtype", "a", "f32[4]", "bf16[4]"), cause("dtype", "b", "f32[4]", "bf16[4]")],
            "jax",
            "Cast a to one dtype before calling step (f32[4] → bf16[4]); the same for 1 more",
        ),
        (
            [cause("tree_structure", "d['{}']", None, "f32[4]")],
            "jax",
            "Pass d['{}'] to step with the same keys and lengths in every call (absent → f32[4])",
        ),
    ],
)
def test_the_fix_uses_the_users_names(causes, framework, expected):
    assert expected == fix_for(causes, function(framework=framework))


@pytest.mark.parametrize("kind", CAUSE_KINDS)
@pytest.mark.parametrize("framework", ["jax", "torch", "python"])
def test_a_fix_can_be_written_from_a_bare_cause(kind, framework):
    fix = fix_for([cause(kind)], function(framework=framework))

    assert fix is None or "step" in fix


def test_axes_that_changed():
    assert (0, 2) == changed_axes("f32[1,2,3]", "f32[9,2,4]")
    assert () == changed_axes("f32[1]", None)
    assert () == changed_axes("'a'", "'b'")
