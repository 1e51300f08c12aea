"""What to do, in one sentence with the user's own names."""

import string

import pytest
from builders import function

from jitscope.analysis.advice import cause
from jitscope.analysis.fixes import FIXES, changed_axes, fix_for, main_cause
from jitscope.model.cause import CAUSE_KINDS

NOTHING_TO_DO = {"first_compile", "nested_first", "backward", "unknown"}


@pytest.mark.parametrize("kind", CAUSE_KINDS)
def test_every_kind_has_a_fix_or_nothing_to_do(kind):
    templates = [fix.template for fix in FIXES[kind]]
    names = {name for text in templates for _, name, _, _ in string.Formatter().parse(text)}

    assert (kind in NOTHING_TO_DO) == (not templates)
    assert names - {None} <= {"function", "path", "old", "new", "axes", "axis", "dtype", "maker"}


def test_nothing_else_has_a_fix():
    assert set(CAUSE_KINDS) == set(FIXES)


@pytest.mark.parametrize("framework", ["jax", "torch", "python"])
@pytest.mark.parametrize("kind", CAUSE_KINDS)
def test_a_fix_can_be_written_from_a_bare_cause(kind, framework):
    fix = fix_for([cause(kind)], function(framework=framework))

    assert (fix is None) == (kind in NOTHING_TO_DO)


@pytest.mark.parametrize(
    ("one", "framework", "expected"),
    [
        (
            cause("shape", "batch['x']", "f32[64,128]", "f32[63,128]"),
            "jax",
            "Pad axis 0 of batch['x'] to a few fixed sizes before calling step, and pass the real size along",
        ),
        (
            cause("shape", "x", "f32[4,8]", "f32[5,9]"),
            "torch",
            (
                "Mark axes 0, 1 of x as dynamic before the first call of step: torch._dynamo.mark_dynamic(x, 0), "
                "or compile it with dynamic=True"
            ),
        ),
        (
            cause("weak_type", "loss", "f32[]{weak_type}", "f32[]"),
            "jax",
            "Start loss as jnp.float32(…) instead of a Python number, before the first call of step",
        ),
        (
            cause("weak_type", "x", "f32[8]{weak_type}", "f32[8]"),
            "jax",
            "Make x with an explicit dtype, jnp.asarray(…, dtype=jnp.float32), before calling step",
        ),
        (
            cause("dtype", "x", "bf16[4]", "f32[4]"),
            "torch",
            "Cast x where it is made: x.to(torch.bfloat16), before calling step",
        ),
        (cause("dtype", "n", "i32[]", "f32[]"), "jax", "Pass n to step as a int32 in every call"),
        (
            cause("shape_constraint", "x", "2 <= x.size()[1], from y = x.sin() (f.py:3)", "x.size()[1] = 1"),
            "torch",
            (
                "Pad x to at least 2 along that axis, or call torch._dynamo.decorators.mark_unbacked(x, 1) before the "
                "first call of step"
            ),
        ),
        (
            cause("shape_constraint", "x", "2 <= x.size()[0] <= 8", "x.size()[0] = 20"),
            "torch",
            "Take the branch on the size of x out of step, or keep its sizes in one range",
        ),
        (
            cause("module_attribute", "self.step", "0", "1"),
            "torch",
            (
                "Register self.step as a buffer (a tensor), or set "
                "torch._dynamo.config.allow_unspec_int_on_nn_module = True before the first call of step"
            ),
        ),
        (
            cause("config", "jax_enable_x64", "False", "True"),
            "jax",
            "Set jax_enable_x64 once, before the first call of step: jax.config.update('jax_enable_x64', …)",
        ),
        (cause("config", "mesh", None, "(x:4)"), "jax", "Enter one mesh around every call of step"),
        (
            cause("static_value", "fn", "<function a at f.py:1>", "<function b at f.py:2>"),
            "torch",
            "Pass the same function for fn in every call of step",
        ),
        (
            cause("python_type", "total", "0.0", "Tensor"),
            "torch",
            "Start total as torch.tensor(0.0) before the first call of step",
        ),
        (
            cause("tree_structure", "xs[2]", None, "f32[4]"),
            "jax",
            "Stack what xs[2] belongs to into one array of fixed length before calling step",
        ),
        (cause("first_compile"), "jax", None),
        (cause("unknown", evidence="?"), "torch", None),
    ],
)
def test_the_fix_uses_the_users_names(one, framework, expected):
    assert expected == fix_for([one], function(framework=framework))


def test_who_makes_the_function_is_named():
    made = function(name="make_opt.<locals>.<lambda>", maker="make_opt")

    assert "Hoist the compilation of <lambda> out of make_opt(), and pass what it captures as arguments" == fix_for(
        [cause("new_function", "make_opt.<locals>.<lambda>")], made
    )


def test_one_fix_speaks_for_several_paths():
    causes = [cause("dtype", "a", "f32[4]", "bf16[4]"), cause("dtype", "b", "f32[4]", "bf16[4]")]

    assert fix_for(causes, function()).endswith("; the same for 1 more")


def test_names_of_the_program_are_not_taken_for_placeholders():
    assert "d['{}']" in fix_for([cause("tree_structure", "d['{}']", None, "f32[4]")], function())


def test_the_cause_that_others_follow_from_is_told_first():
    assert "new_function" == main_cause([cause("shape"), cause("new_function")]).kind
    assert "config" == main_cause([cause("dtype"), cause("config")]).kind


def test_axes_that_changed():
    assert (0, 2) == changed_axes("f32[1,2,3]", "f32[9,2,4]")
    assert (1,) == changed_axes("f32[$,2]", "f32[9,3]")
    assert (1,) == changed_axes("2 <= x.size()[1]", "x.size()[1] = 1")
    assert () == changed_axes("f32[1]", None)
    assert () == changed_axes("'a'", "'b'")
