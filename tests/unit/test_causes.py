"""Why each compilation was needed."""

import msgspec
from builders import array, compilation, function, signature

from jitscope.analysis.causes import judge_compilation
from jitscope.analysis.compiled import Compiled, program_key

F4, F5, F6 = (signature(array("x", "f32", size)) for size in (4, 5, 6))


def compiled(number, called_with, owner=None, **fields):
    owner = owner or function()
    return Compiled(compilation(number, owner.id, framework=owner.framework, **fields), owner, called_with)


def causes_of(one, earlier):
    return judge_compilation(one, earlier).causes


def brief(causes):
    return [(one.kind, one.path, one.old, one.new) for one in causes]


TORCH = function(framework="torch")


def test_the_first_is_a_first_compile():
    (only,) = causes_of(compiled(1, F4), [])

    assert ("first_compile", "no") == (only.kind, only.avoidable)


def test_a_later_one_is_compared_with_the_nearest():
    earlier = [compiled(1, F4), compiled(2, F5)]

    assert [("shape", "x", "f32[5]", "f32[6]")] == brief(causes_of(compiled(3, F6), earlier))


def test_nothing_found_says_what_was_compared():
    (only,) = causes_of(compiled(2, F4), [compiled(1, F4, call=7)])

    assert "unknown" == only.kind
    assert "compared with that of call 7: 1 leaf," in only.evidence


def test_without_a_signature_it_says_so():
    (only,) = causes_of(compiled(2, None), [compiled(1, F4)])
    assert ("unknown", True) == (only.kind, "not recorded" in only.evidence)
    (only,) = causes_of(compiled(2, F4), [compiled(1, None)])
    assert ("unknown", True) == (only.kind, "no signature of an earlier compilation" in only.evidence)


def test_a_guard_becomes_evidence_of_the_change_it_speaks_of():
    one = compiled(2, F5, TORCH, evidence=("0/0: tensor 'x' size mismatch at index 0. expected 4, actual 5",))
    (only,) = causes_of(one, [compiled(1, F4, TORCH)])

    assert [("shape", "x", "f32[4]", "f32[5]")] == brief([only])
    assert "0/0: tensor 'x' size mismatch at index 0. expected 4, actual 5" == only.evidence


def test_a_guard_that_fits_no_change_is_kept_as_unknown():
    evidence = (
        "0/1: GLOBAL_STATE changed: grad_mode ",
        "0/0: GLOBAL_STATE changed: grad_mode ",
        "0/0: s.step == 0  # x",
    )
    causes = causes_of(compiled(2, F4, TORCH, evidence=evidence), [compiled(1, F4, TORCH)])

    assert [
        ("config", "grad_mode", "0/1: GLOBAL_STATE changed: grad_mode"),
        ("unknown", "s.step", "0/0: s.step == 0"),
    ] == [(one.kind, one.path, one.evidence) for one in causes]


def test_a_guard_beside_a_change_is_a_cause_of_its_own():
    evidence = ("0/0: GLOBAL_STATE changed: grad_mode ",)
    causes = causes_of(compiled(2, F5, TORCH, evidence=evidence), [compiled(1, F4, TORCH)])

    assert ["shape", "config"] == [one.kind for one in causes]


def test_a_guard_of_an_entry_that_differs_more_is_explained_by_that():
    far = signature(array("x", "f64", 4), array("y", "f32", 2))
    near = signature(array("x", "f32", 5), array("y", "f32", 3))
    new = signature(array("x", "f32", 5), array("y", "f32", 4))
    evidence = (
        "0/1: tensor 'y' size mismatch at index 0. expected 3, actual 4",
        "0/0: tensor 'x' dtype mismatch. expected Double, actual Float",
    )
    one = compiled(3, new, TORCH, evidence=evidence)
    (only,) = causes_of(one, [compiled(1, far, TORCH), compiled(2, near, TORCH)])

    assert [("shape", "y", "f32[3]", "f32[4]")] == brief([only])
    assert "; ".join(evidence) == only.evidence


def test_evidence_of_a_first_compile_is_kept():
    (only,) = causes_of(compiled(1, F4, TORCH, evidence=("0/0: k == 1",)), [])

    assert ("first_compile", "0/0: k == 1") == (only.kind, only.evidence)


def test_another_function_object_of_the_same_source():
    first, second = (function(number, "<lambda>") for number in (1, 2))
    (only,) = causes_of(compiled(2, F4, second), [compiled(1, F4, first)])
    assert "new_function" == only.kind
    # Both are causes: with the same object, the shape would still have compiled.
    causes = causes_of(compiled(2, F5, second), [compiled(1, F4, first)])
    assert ["new_function", "shape"] == [one.kind for one in causes]
    # The second object's own history counts from its second compilation on.
    causes = causes_of(compiled(3, F6, second), [compiled(1, F5, first), compiled(2, F4, second)])
    assert [("shape", "x", "f32[4]", "f32[6]")] == brief(causes)


def test_the_same_source_with_other_options():
    first = function(1)
    second = function(2, options={"donate_argnums": "0"})

    assert [("options", "donate_argnums", "default", "0")] == brief(
        causes_of(compiled(2, F4, second), [compiled(1, F4, first)])
    )


def test_objects_of_one_code_share_dynamos_cache():
    first, second = (function(number, framework="torch") for number in (1, 2))
    evidence = ("0/0: k == 2",)
    causes = causes_of(compiled(2, F4, second, evidence=evidence), [compiled(1, F4, first)])

    assert [("unknown", "k")] == [(one.kind, one.path) for one in causes]


def test_what_comes_after_a_graph_break():
    fields = {"program": "torch_dynamo_resume_in_step_at_23", "resume_of": "step"}
    (only,) = causes_of(compiled(2, F4, TORCH, **fields), [])
    assert ("graph_break", "step", "unknown") == (only.kind, only.path, only.avoidable)
    (only,) = causes_of(compiled(3, F5, TORCH, **fields), [compiled(2, F4, TORCH, **fields)])
    assert "shape" == only.kind


def test_a_backward_program():
    (only,) = causes_of(compiled(2, F4, under="backward"), [])

    assert ("backward", "step", "no") == (only.kind, only.path, only.avoidable)


def test_the_recompile_limit_and_what_led_to_it():
    one = compiled(2, F5, TORCH, failed="recompile limit: Dynamo recompile limit exceeded")
    causes = causes_of(one, [compiled(1, F4, TORCH)])

    assert ["recompile_limit", "shape"] == [cause.kind for cause in causes]
    assert "recompile limit: Dynamo recompile limit exceeded" == causes[0].evidence


# -- JAX: function objects, options, programs without a call --------------------------------------


def test_two_jits_of_one_function_object_share_its_programs():
    first, second, third = (
        function(number, body=5, options=options) for number, options in ((1, {}), (2, {}), (3, {"backend": "cpu"}))
    )
    causes = causes_of(compiled(2, F5, second), [compiled(1, F4, first)])
    assert [("shape", "x", "f32[4]", "f32[5]")] == brief(causes)
    # What was compiled last had other options: it is not what this is compared with.
    causes = causes_of(compiled(3, F5, second), [compiled(1, F4, first), compiled(2, F4, third)])
    assert [("shape", "x", "f32[4]", "f32[5]")] == brief(causes)
    causes = causes_of(compiled(3, F4, third), [compiled(1, F4, first), compiled(2, F5, second)])
    assert [("options", "backend", "default", "cpu")] == brief(causes)


def test_another_object_with_other_options_has_both_causes():
    first = function(1, body=5)
    second = function(2, body=6, options={"backend": "cpu"})

    assert ["new_function", "options"] == [
        one.kind for one in causes_of(compiled(2, F4, second), [compiled(1, F4, first)])
    ]


def test_the_types_of_a_program_alone_are_no_evidence_of_an_eviction():
    types = msgspec.structs.replace(F4, partial=True)
    again = Compiled(compilation(2, layers=("lower", "compile")), function(), types, {})
    (only,) = causes_of(again, [Compiled(compilation(1), function(), types, {})])

    assert "unknown" == only.kind
    assert "how it was called is not known" in only.evidence


def test_eager_operations_in_a_region_are_programs_of_their_own():
    maker = [("dispatch.py", 90, number) for number in (1, 2)]
    one, other = (Compiled(compilation(n, maker=maker[n], library=True), function(), F4) for n in (0, 1))
    assert program_key(one) != program_key(other)
    mine = [Compiled(compilation(n, maker=maker[n]), function(), F4) for n in (0, 1)]
    assert program_key(mine[0]) == program_key(mine[1])
