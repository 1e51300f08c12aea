"""`frozen`, `freeze` and `expect` on JAX: what would compile raises before it does, and nothing else does."""

from __future__ import annotations

import functools
import pickle
import subprocess
import threading
import traceback
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from subprocesses import run

import jitscope


def array(*shape, dtype=np.float32):
    return jnp.asarray(np.ones(shape, dtype))


def runs(function):
    return [(run.outcome, run.count) for run in jitscope.stats(function).history]


@pytest.fixture(autouse=True)
def thawed():
    yield
    jitscope.unfreeze()


@pytest.fixture
def step():
    """A watched function, with a list of the shapes it was traced for."""

    @jitscope.watch
    @jax.jit
    def step(params, x):
        step_traced.append(x.shape)
        return params @ x

    step_traced = []
    step.__dict__["traced"] = step_traced
    return step


def test_a_retrace_is_refused_before_the_function_is_traced(step, truth):
    params = array(4, 4)
    step(params, array(4, 2))
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError) as caught:
        step(params, array(4, 3))

    assert [(4, 2)] == step.traced
    assert 1 == truth.compilations("step") == jitscope.stats(step).compilations
    assert [("compile", 1), ("error", 1)] == runs(step)
    assert [("shape", "x", "f32[4,2]", "f32[4,3]")] == [
        (one.kind, one.path, one.old, one.new) for one in caught.value.causes
    ]
    assert step.__qualname__ == caught.value.function
    first, site, change, fix = str(caught.value).splitlines()
    assert first.endswith("step would compile again (frozen)")
    assert "test_jax_gates.py:" in site
    assert "x: f32[4,2] → f32[4,3] (shape)" == change.strip()
    assert fix.startswith("  fix: Pad axis 1 of x")


def test_the_traceback_shows_the_call_and_nothing_inside_of_it(step):
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError) as caught:
        step(array(4, 4), array(4, 2))

    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    assert ["test_the_traceback_shows_the_call_and_nothing_inside_of_it", "watched"] == names
    assert caught.value.__cause__ is caught.value.__context__ is None
    assert not hasattr(caught.value, "__notes__")


def test_a_refused_call_compiles_when_it_is_allowed_to(step, truth):
    params, x = array(4, 4), array(4, 2)
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError):
        step(params, x)
    step(params, x)
    step(params, x)

    assert 1 == truth.compilations("step")
    (one,) = jitscope.stats(step).compilations_detail
    assert ("trace", "lower", "compile") == one.layers
    assert [("error", 1), ("compile", 1), ("hit", 1)] == runs(step)


def test_a_recompile_without_a_retrace_is_refused(step, truth):
    params, x = array(4, 4), array(4, 2)
    step(params, x)
    device = jax.devices()[0]
    committed = jax.device_put(params, device), jax.device_put(x, device)
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError) as caught:
        step(*committed)
    assert ["committed", "committed"] == [one.kind for one in caught.value.causes]
    assert 1 == truth.compilations("step")

    step(*committed)
    assert 2 == truth.compilations("step")
    assert "trace" not in jitscope.stats(step).compilations_detail[1].layers
    assert [(4, 2)] == step.traced


def test_a_call_that_only_misses_the_dispatch_cache_passes(step, truth):
    params, x = array(4, 4), array(4, 2)
    step(params, x)
    with jitscope.frozen():
        step(np.ones((4, 4), np.float32), x)
        step(params, x)

    assert [("compile", 1), ("dispatch_miss", 1), ("hit", 1)] == runs(step)
    assert 1 == truth.compilations("step")


def test_settings_that_jax_compiles_for_are_named(step):
    params, x = array(4, 4), array(4, 2)
    step(params, x)
    with jitscope.frozen(), jax.default_matmul_precision("high"), pytest.raises(jitscope.RecompileError) as caught:
        step(params, x)

    assert ["jax_default_matmul_precision"] == [one.path for one in caught.value.causes]


def test_what_is_compiled_ahead_of_time_passes(step, truth):
    with jitscope.frozen():
        step.lower(array(4, 4), array(4, 2)).compile()
        jax.eval_shape(step, array(4, 4), array(4, 9))
        jax.make_jaxpr(step)(array(4, 4), array(4, 8))

    assert 1 == truth.compilations("step")


def test_eager_operations_pass_unless_they_are_asked_for(truth):
    x = array(7, 3)
    with jitscope.frozen():
        x / 3.5 + jnp.flip(x)
    with jitscope.frozen(eager_ops=True), pytest.raises(jitscope.RecompileError):
        jnp.sort(array(7, 3, 2)[::-1])


def test_unwatched_functions_are_refused_too_and_the_cause_is_said_to_be_unknown(truth):
    @jax.jit
    def plain(x):
        return x * 3

    with jitscope.frozen(), pytest.raises(jitscope.RecompileError, match="not watched") as caught:
        plain(array(3))
    assert () == caught.value.causes
    assert 0 == truth.compilations("plain")


def test_a_transformed_program_is_refused(step, truth):
    params = array(4, 4)
    step(params, array(4, 2))
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError):
        jax.vmap(step, in_axes=(None, 0))(params, array(3, 4, 2))
    assert 1 == truth.compilations("step")

    jax.vmap(step, in_axes=(None, 0))(params, array(3, 4, 2))
    assert 2 == truth.compilations("step") == jitscope.stats(step).compilations


def test_a_region_is_refused_with_the_cause():
    inner = jax.jit(lambda x: x - 1)

    @jitscope.watch
    def region(x):
        return inner(x)

    region(array(3))
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError) as caught:
        region(array(4))
    assert ["shape"] == [one.kind for one in caught.value.causes]


def test_only_the_named_functions_are_frozen(step):
    @jitscope.watch
    @jax.jit
    def other(x):
        return x + 1

    with jitscope.frozen(other, "nothing.called.this"):
        step(array(4, 4), array(4, 2))
        with pytest.raises(jitscope.RecompileError):
            other(array(3))
    with jitscope.frozen("oth*", "*.other"), pytest.raises(jitscope.RecompileError):
        other(array(3))


def test_a_warning_is_given_once_for_each_compilation_at_the_call(step):
    params = array(4, 4)
    with jitscope.frozen(action="warn"), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        for size in (2, 2, 3, 3):
            step(params, array(4, size))

    assert [jitscope.RecompileWarning] * 2 == [one.category for one in seen]
    assert [__file__] * 2 == [one.filename for one in seen]
    assert "would compile again" in str(seen[1].message)
    assert 2 == jitscope.stats(step).compilations


def test_freeze_holds_for_all_threads_until_it_is_lifted(step):
    params = array(4, 4)
    step(params, array(4, 2))
    jitscope.freeze()
    errors = []

    def call():
        try:
            step(params, array(4, 3))
        except jitscope.RecompileError as error:
            errors.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert 1 == len(errors)
    jitscope.unfreeze()
    call()
    assert 1 == len(errors)


def test_expect_raises_at_the_call_that_is_one_too_many(step, truth):
    params = array(4, 4)
    found_in = []

    def calls():
        with jitscope.expect(max_compilations=2) as found:
            found_in.append(found)
            for size in (2, 3, 2, 4):
                step(params, array(4, size))

    with pytest.raises(jitscope.RecompileError, match="max_compilations=2"):
        calls()

    assert 2 == found_in[0].compilations == truth.compilations("step")
    assert [("compile", 1), ("compile", 1), ("hit", 1), ("error", 1)] == runs(step)


def test_after_a_refusal_the_other_signatures_compile_nothing(step, truth):
    params, x, y = array(4, 4), array(4, 2), array(4, 3)
    step(params, x)
    step(params, y)
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError):
        step(params, array(4, 5))
    for _ in range(2):
        step(params, x)
        step(params, y)

    assert 2 == truth.compilations("step")
    outcomes = ["compile", "compile", "error", "dispatch_miss", "dispatch_miss", "hit", "hit"]
    assert [(outcome, 1) for outcome in outcomes] == runs(step)


def test_expect_counts_recompilations_of_what_was_compiled_before_the_block(step):
    params = array(4, 4)
    step(params, array(4, 2))
    with jitscope.expect(max_recompilations=1, function=step) as found:
        step(params, array(4, 3))
    assert (1, 1) == (found.compilations, found.recompilations)
    with pytest.raises(jitscope.RecompileError, match="max_recompilations=0"), jitscope.expect(max_recompilations=0):
        step(params, array(4, 5))


def test_a_limit_of_seconds_is_looked_at_when_the_block_ends(step):
    with (
        pytest.raises(jitscope.RecompileError, match="max_compile_seconds=0") as caught,
        jitscope.expect(max_compile_seconds=0) as found,
    ):
        step(array(4, 4), array(4, 2))
    assert 0 < found.compile_seconds
    assert "step.<locals>.step call 1 at test_jax_gates.py:" in str(caught.value)


def test_what_the_block_swallows_is_not_counted_as_compiled_and_raises_no_more(step):
    with jitscope.expect(max_compilations=0) as found, pytest.raises(jitscope.RecompileError):
        step(array(4, 4), array(4, 2))
    assert 0 == found.compilations


def test_an_exception_of_the_block_is_not_hidden(step):
    def calls():
        with jitscope.expect(max_compile_seconds=0):
            step(array(4, 4), array(4, 2))
            raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        calls()


def test_bad_arguments_are_refused_in_one_line(step):
    with pytest.raises(ValueError, match="give a limit"), jitscope.expect():
        pass
    with pytest.raises(ValueError, match='action is "raise" or "warn"'), jitscope.frozen(action="stop"):
        pass
    with pytest.raises(jitscope.JitscopeError, match="<lambda> is not watched"):
        jitscope.freeze(lambda: None)


def test_the_error_travels_between_processes(step):
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError) as caught:
        step(array(4, 4), array(4, 2))
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(caught.value), caught.value.function, caught.value.causes) == (str(copy), copy.function, copy.causes)


def test_without_gates_jax_keeps_its_slot_for_test_events():
    from jax._src import util

    before = util.test_event_listener
    with jitscope.frozen():
        assert before is not util.test_event_listener
    assert before is util.test_event_listener


def test_a_listener_of_jaxs_own_tests_still_hears_its_events(step):
    from jax._src import util

    heard = []
    before = util.test_event_listener
    util.test_event_listener = lambda name, *args: heard.append(name)
    try:
        with jitscope.expect(max_compilations=1):
            step(array(4, 4), array(4, 2))
    finally:
        util.test_event_listener = before
    assert {"trace_to_jaxpr", "create_pjit_jaxpr"} & set(heard)


THRASHING = """
    import jax, jax.numpy as jnp, numpy as np, warnings, jitscope
    warnings.simplefilter("error")

    @jitscope.watch
    @jax.jit
    def step(x):
        return x * 2

    for size in range(1, 60):
        step(jnp.asarray(np.ones(size)))
        step(jnp.asarray(np.ones(size)))

    for _ in range(40):
        jitscope.watch(jax.jit(lambda x: x * 3))(np.ones(3))
"""


def lines(done: subprocess.CompletedProcess) -> list[str]:
    return [line for line in done.stderr.splitlines() if line.startswith("jitscope: ")]


def test_a_function_that_keeps_recompiling_is_told_twice_while_the_program_runs():
    first, second, third, fourth = lines(run(THRASHING))

    assert first.startswith("jitscope: 5 of the last 9 calls of step recompiled, ")
    assert "x (shape): axis 0: 1 → 2 → 3 → 4 → 5 → 6; fix: Pad axis 0 of x" in first
    assert second.startswith("jitscope: 5 of the last 9 calls of step recompiled, ")
    assert "5 of the last 5 calls of <lambda> recompiled" in third
    assert "new_function" in third
    assert "<lambda>" in fourth


def test_the_warnings_are_silenced_by_the_environment():
    assert [] == lines(run(THRASHING, JITSCOPE_QUIET="1"))


def test_a_function_that_recompiles_now_and_then_is_not_told():
    program = """
        import jax, numpy as np, jitscope
        step = jitscope.jit(lambda x: x * 2)
        for size in range(1, 8):
            for _ in range(3):
                step(np.ones(size))
    """
    assert [] == lines(run(program))


def test_with_jitscope_off_nothing_is_checked_and_that_is_said():
    done = run(
        """
        import jax, numpy as np, jitscope
        with jitscope.expect(max_compilations=0), jitscope.frozen():
            jitscope.jit(lambda x: x * 2)(np.ones(3))
        """,
        JITSCOPE="0",
    )
    assert 2 == done.stderr.count("nothing is watched, and nothing is checked")


def test_a_warning_is_given_once_where_nothing_is_traced(step):
    params, x = array(4, 4), array(4, 2)
    jax.eval_shape(step, params, x)
    with jitscope.frozen(action="warn"), warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("default")
        step(params, x)

    assert 1 == len(seen)


def test_a_listener_that_calls_the_one_before_it_and_a_second_freeze(step, monkeypatch):
    from jax._src import util

    with jitscope.frozen("nothing"):
        before = util.test_event_listener
        monkeypatch.setattr(util, "test_event_listener", functools.partial(before))
        with jitscope.frozen("nothing either"):
            step(array(4, 4), array(4, 2))
    assert 1 == jitscope.stats(step).compilations


def test_while_jax_looks_for_a_nan_nothing_is_refused():
    inner = jax.jit(jnp.log)
    watched = jitscope.watch(jax.jit(lambda x: inner(x) * 2))
    with jax.debug_nans(True):
        watched(array(3))
        with jitscope.frozen(), pytest.raises(FloatingPointError):
            watched(-array(3))


def test_functions_of_jaxs_own_count_as_eager_operations():
    with jitscope.frozen():
        jax.lax.scan(lambda carry, x: (carry, x * 5), 0.0, array(4))
    with jitscope.frozen(eager_ops=True), pytest.raises(jitscope.RecompileError):
        jax.lax.scan(lambda carry, x: (carry, x * 7), 0.0, array(4))


def test_a_builtin_has_a_name():
    with jitscope.frozen(), pytest.raises(jitscope.RecompileError, match=r"^abs would compile"):
        jax.jit(abs)(array(3))
