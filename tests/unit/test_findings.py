"""Recompilations with one source and one main cause are one finding."""

from builders import array, compilation, function, recording, runs, signature, signatures

from jitscope.analysis.build import build_report

SIZES = [signature(array("x", "f32", size, 8)) for size in (64, 63, 61, 60)]


def growing(**fields):
    return [compilation(100 + n, seconds=2.0, call=n, signature=n, **fields) for n in range(1, 5)]


def findings(*events):
    return build_report(recording(*events)).findings


def test_one_path_of_one_function_is_one_finding_with_what_was_seen():
    (only,) = findings(function(), *signatures(1, *SIZES), *growing())

    assert ("shape", "x", (102, 103, 104), 6.0) == (only.kind, only.path, only.compilations, only.seconds)
    assert ("f32[64,8]", "f32[63,8]", "f32[61,8]", "f32[60,8]") == only.values
    assert 0.0 == only.avoidable_seconds
    assert "fixed sizes" in only.fix


def test_sizes_that_vary_come_with_a_bucket_plan():
    calls = runs(1, *((n, "compile", 1) for n in range(1, 5)))
    (only,) = findings(function(), *signatures(1, *SIZES), *growing(), calls)

    assert ("x", 0, [64], 4) == (
        only.plan.path,
        only.plan.axis,
        [bucket.size for bucket in only.plan.buckets],
        only.plan.compilations_before,
    )


def test_torch_gets_a_bucket_plan_only_where_dynamic_shapes_are_forbidden():
    def plan(**fields):
        owner = function(framework="torch", **fields)
        (only,) = findings(owner, *signatures(1, *SIZES), *growing(framework="torch"))
        return only.plan

    assert plan() is None
    assert plan(options={"dynamic": "False"}) is not None


def test_functions_made_in_a_loop_are_one_finding():
    events = [function(n, "<lambda>") for n in range(1, 7)]
    events += [
        event
        for n in range(1, 7)
        for event in (*signatures(n, SIZES[0], start=10 + n), compilation(100 + n, n, signature=10 + n, call=1))
    ]
    (only,) = findings(*events)

    assert ("new_function", 5, 5.0, 5.0) == (
        only.kind,
        len(only.compilations),
        only.seconds,
        only.avoidable_seconds,
    )
    assert (2, 3, 4, 5, 6) == only.functions


def test_first_compilations_are_no_finding():
    assert () == findings(function(), *signatures(1, SIZES[0]), compilation(101, call=1, signature=1))


def test_a_cascade_counts_for_its_root():
    outer, inner = function(1, "outer"), function(2, "inner", line=30)
    events = [
        outer,
        inner,
        *signatures(1, *SIZES[:2]),
        *signatures(2, *SIZES[:2], start=11),
        compilation(101, 1, seconds=1.0, call=1, signature=1),
        compilation(102, 2, seconds=5.0, call=1, signature=11, inside=1, inside_call=1),
        compilation(103, 1, seconds=1.0, call=2, signature=2),
        compilation(104, 2, seconds=5.0, call=2, signature=12, inside=1, inside_call=2),
    ]
    (only,) = findings(*events)

    assert ("outer", (103, 104), 6.0) == (only.name, only.compilations, only.seconds)


def test_a_call_that_compiled_nothing_itself_is_no_root():
    outer, inner = function(1, "outer"), function(2, "inner", line=30)
    events = [
        outer,
        inner,
        *signatures(1, SIZES[0]),
        *signatures(2, *SIZES[:2], start=11),
        compilation(101, 1, seconds=1.0, call=1, signature=1),
        compilation(102, 2, call=1, signature=11, inside=1, inside_call=1),
        compilation(104, 2, call=2, signature=12, inside=1, inside_call=2),
    ]
    (only,) = findings(*events)

    assert ("inner", (104,)) == (only.name, only.compilations)


def test_the_costliest_comes_first():
    events = [
        function(1),
        function(2, "other", line=40),
        *signatures(1, *SIZES[:2]),
        *signatures(2, *SIZES[:2], start=11),
        *(compilation(100 + n, 1, seconds=1.0, call=n, signature=n) for n in (1, 2)),
        *(compilation(110 + n, 2, seconds=3.0, call=n, signature=10 + n) for n in (1, 2)),
    ]

    assert ["other", "step"] == [one.name for one in findings(*events)]
