"""`frozen`, `freeze` and `expect` on torch: what would compile raises before it does, and nothing else does."""

from __future__ import annotations

import traceback

import pytest
import torch

import jitscope


def runs(function):
    return [(run.outcome, run.count) for run in jitscope.stats(function).history]


@pytest.fixture(autouse=True)
def thawed():
    yield
    jitscope.unfreeze()


def compiled(function, backend, **options):
    return jitscope.watch(torch.compile(function, backend=backend, dynamic=False, **options))


def test_a_recompile_is_refused_before_dynamo_makes_a_graph(truth, backend):
    step = compiled(lambda w, x: w @ x, backend)
    w = torch.ones(4, 4)
    step(w, torch.ones(4, 2))
    with jitscope.frozen():
        step(w, torch.ones(4, 2))
        with pytest.raises(jitscope.RecompileError) as caught:
            step(w, torch.ones(4, 3))

    assert 1 == backend.graphs == len(truth.compiled("<lambda>")) == jitscope.stats(step).compilations
    assert [("compile", 1), ("hit", 1), ("error", 1)] == runs(step)
    assert [("shape", "x", "f32[4,2]", "f32[4,3]")] == [
        (one.kind, one.path, one.old, one.new) for one in caught.value.causes
    ]
    frames = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert ["test_a_recompile_is_refused_before_dynamo_makes_a_graph", "watched"] == frames


def test_a_refused_call_compiles_when_it_is_allowed_to(truth, backend):
    step = compiled(lambda x: x + 1, backend)
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError, match="was not compiled before: x: f32"):
        step(torch.ones(2))
    for size in (2, 2, 3, 3, 2):
        step(torch.ones(size))

    assert 2 == backend.graphs == jitscope.stats(step).compilations
    assert ["error", "compile", "hit", "compile", "hit", "hit"] == [outcome for outcome, _ in runs(step)]


def test_unwatched_functions_are_refused_too(backend):
    plain = torch.compile(lambda x: x * 3, backend=backend)
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError, match="not watched"):
        plain(torch.ones(3))
    plain(torch.ones(3))
    assert 1 == backend.graphs


def test_a_region_is_refused_with_the_cause(backend):
    inner = torch.compile(lambda x: x * 3, backend=backend, dynamic=False)

    @jitscope.watch
    def region(x):
        return inner(x) * 2

    region(torch.ones(3))
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError) as caught:
        region(torch.ones(4))
    assert ["shape"] == [one.kind for one in caught.value.causes]
    region(torch.ones(4))
    assert 2 == backend.graphs == jitscope.stats(region).compilations


def test_a_module_is_refused(backend):
    model = jitscope.watch(torch.compile(torch.nn.Linear(4, 2), backend=backend, dynamic=False))
    model(torch.ones(3, 4))
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError) as caught:
        model(torch.ones(5, 4))
    assert ["shape"] == [one.kind for one in caught.value.causes]


def test_a_backward_graph_that_was_never_compiled_is_refused():
    loss = compiled(lambda x: (x.sin() ** 2).sum(), "aot_eager")
    x = torch.ones(3, requires_grad=True)
    value = loss(x)
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError, match="run a backward pass before"):
        value.backward()
    loss(x).backward()
    x.grad = None
    with jitscope.frozen():
        loss(x).backward()
    torch.testing.assert_close(x.grad, 2 * x.detach().sin() * x.detach().cos())


def test_where_dynamo_swallows_errors_the_call_raises_when_it_has_ended(backend):
    step = compiled(lambda x: x + 1, backend)
    step(torch.ones(2))
    with (
        torch._dynamo.config.patch(suppress_errors=True),
        jitscope.frozen(),
        pytest.raises(jitscope.RecompileError) as caught,
    ):
        step(torch.ones(3))
    assert ["shape"] == [one.kind for one in caught.value.causes]
    step(torch.ones(3))
    assert [("compile", 1), ("compile", 1), ("hit", 1)] == runs(step)


def test_an_exception_of_the_users_own_comes_through_where_dynamo_swallows_errors(backend):
    def fails(x):
        if x.shape[0] == 3:
            raise KeyError("mine")
        return x

    step = compiled(fails, backend)
    step(torch.ones(2))
    with torch._dynamo.config.patch(suppress_errors=True), jitscope.frozen(), pytest.raises(KeyError, match="mine"):
        step(torch.ones(3))


def test_expect_counts_the_parts_that_a_graph_break_makes(backend):
    def broken(x):
        x = x + 1
        torch._dynamo.graph_break()
        return x * 2

    step = compiled(broken, backend)
    with jitscope.expect(max_compilations=2, function=step) as found:
        step(torch.ones(2))
    assert 2 == found.compilations == backend.graphs

    with pytest.raises(jitscope.RecompileError, match="max_compilations=1"), jitscope.expect(max_compilations=1):
        step(torch.ones(3))
    assert 3 == backend.graphs


def test_expect_refuses_the_recompilation_that_is_one_too_many(backend):
    step = compiled(lambda x: x + 1, backend)
    with jitscope.expect(max_recompilations=1) as found:
        step(torch.ones(2))
        step(torch.ones(3))
        with pytest.raises(jitscope.RecompileError, match="max_recompilations=1"):
            step(torch.ones(4))
    assert (2, 1) == (found.compilations, found.recompilations)


def test_expect_counts_calls_that_run_eager_after_the_recompile_limit(backend):
    step = compiled(lambda x: x + 1, backend)

    def calls():
        with jitscope.expect(max_eager_fallbacks=1, function=step):
            for size in range(2, 8):
                step(torch.ones(size))

    with torch._dynamo.config.patch(recompile_limit=2), pytest.raises(jitscope.RecompileError) as caught:
        calls()
    assert 4 == jitscope.stats(step).eager_fallbacks
    assert str(caught.value).startswith("4 eager fallbacks (max_eager_fallbacks=1)")


def test_calls_that_run_eager_after_the_recompile_limit_compile_nothing_and_pass(backend):
    step = compiled(lambda x: x + 1, backend)
    with torch._dynamo.config.patch(recompile_limit=1):
        for size in (2, 3):
            step(torch.ones(size))
        with jitscope.frozen():
            step(torch.ones(4))
            step(torch.ones(2))
    assert 1 == backend.graphs


def test_a_warning_lets_the_compile_go_on(backend):
    step = compiled(lambda x: x + 1, backend)
    with jitscope.frozen(action="warn"), pytest.warns(jitscope.RecompileWarning, match="would compile") as seen:
        step(torch.ones(2))
    assert [__file__] == [one.filename for one in seen]
    assert 1 == backend.graphs


def test_a_gate_that_is_open_costs_no_graph_and_no_guard(backend, truth):
    """The same compiles with a gate that forbids nothing as without."""
    open_, closed = compiled(lambda x: x + 1, backend), compiled(lambda x: x + 1, backend)
    for function, block in (
        (open_, jitscope.expect(max_compilations=99)),
        (closed, jitscope.expect(max_eager_fallbacks=9)),
    ):
        with block:
            for size in (2, 3, 2, 4):
                function(torch.ones(size))
    assert runs(open_) == runs(closed)
    assert 6 == backend.graphs


def test_what_is_over_the_recompile_limit_compiles_nothing_and_passes(backend):
    step = compiled(lambda x: x + 1, backend)
    with torch._dynamo.config.patch(recompile_limit=2):
        step(torch.ones(2))
        step(torch.ones(3))
        with jitscope.frozen():
            for _ in range(2):
                step(torch.ones(4))
    assert 2 == backend.graphs
    assert 2 == jitscope.stats(step).eager_fallbacks


def test_where_dynamo_swallows_errors_an_unwatched_function_is_warned_of_and_stays_compiled(backend):
    plain = torch.compile(lambda x: x * 5, backend=backend, dynamic=False)
    plain(torch.ones(2))
    with (
        torch._dynamo.config.patch(suppress_errors=True),
        jitscope.frozen(),
        pytest.warns(jitscope.RecompileWarning, match="not stopped: torch._dynamo.config.suppress_errors") as seen,
    ):
        plain(torch.ones(3))
    plain(torch.ones(4))
    assert 3 == backend.graphs
    assert [__file__] == [one.filename for one in seen]
