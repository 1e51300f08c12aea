"""Where the time of a first call goes on JAX: all of it is told, eager operations by name, nothing on hits."""

from __future__ import annotations

import functools
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jitscope
from jitscope.analysis.first_call import first_calls
from jitscope.capture.frameworks import jax_privates as privates
from jitscope.capture.recorder import recorder
from jitscope.errors import JitscopeError
from jitscope.model.events import CompilationEvent, CompilingCallEvent, StartEvent


def attention(q, k, v):
    scores = jnp.einsum("bhqd,bhkd->bhqk", q, k) / np.sqrt(q.shape[-1])
    causal = jnp.tril(jnp.ones(scores.shape[-2:], bool))
    return jnp.einsum("bhqk,bhkd->bhqd", jax.nn.softmax(jnp.where(causal, scores, -1e9), -1), v)


def transformer(layers, x):
    for layer in layers:
        q, k, v = jnp.split((x @ layer["qkv"]).reshape(*x.shape[:2], 4, -1).transpose(0, 2, 1, 3), 3, -1)
        x = x + attention(q, k, v).transpose(0, 2, 1, 3).reshape(x.shape) @ layer["out"]
        x = x + jax.nn.gelu(x @ layer["up"]) @ layer["down"]
    return x


def weights(rng, size=32):
    shapes = {"qkv": (size, 3 * size), "out": (size, size), "up": (size, 4 * size), "down": (4 * size, size)}
    return {name: rng.standard_normal(shape, dtype=np.float32) for name, shape in shapes.items()}


def array(*shape):
    return np.random.default_rng(0).standard_normal(shape, dtype=np.float32)


def arguments(kind):
    if kind == "attention":
        return (attention, [array(2, 4, 64, 16)] * 3)
    rng = np.random.default_rng(0)
    if kind == "transformer":
        return (transformer, [[weights(rng) for _ in range(3)], array(2, 16, 32)])
    return (jax.grad(lambda layers, x: transformer(layers, x).sum()), [[weights(rng)], array(2, 16, 32)])


def call_of(recorded, name):
    return next(one for one in first_calls(recorded.load()).calls if one.name.endswith(name))


def adds_up(part):
    assert part.own + sum(one.seconds for one in part.parts) == pytest.approx(part.seconds)
    for one in part.parts:
        adds_up(one)


@pytest.mark.parametrize("kind", ["attention", "transformer", "gradient"])
def test_the_parts_are_at_least_95_percent_of_the_call(recorded, kind):
    shares = []
    for turn in range(3):  # another program may take the processor between two phases
        function, given = arguments(kind)
        watched = jitscope.watch(jax.jit(lambda *args, turn=turn, function=function: function(*args)))
        with jitscope.record(recorded.path, force=True):
            watched(*given)
        (one,) = first_calls(recorded.load()).calls
        assert ["trace", "lower", "compile", "run"] == [part.name for part in one.parts if "start" not in part.name]
        assert one.complete
        assert one.not_attributed + sum(part.seconds for part in one.parts) == pytest.approx(one.seconds)
        for part in one.parts:
            adds_up(part)
        shares.append(one.attributed)
        if one.attributed >= 0.95:
            break
    assert max(shares) >= 0.95


def test_eager_operations_before_a_call_are_named_with_their_place(recorded):
    @jitscope.watch
    @jax.jit
    def after_eager(x):
        return x + 1

    jax.clear_caches()
    with jitscope.record(recorded.path):
        x = jnp.linspace(0.0, 1.0, 37) * 3
        after_eager(x)
        after_eager(x)
    one = call_of(recorded, "after_eager")

    assert "multiply" in {each.name for each in one.eager_before}
    assert {"test_jax_first_call.py"} == {site.text.split(":")[0] for each in one.eager_before for site in each.sites}
    assert () == one.eager_ops
    assert any("before this call: make its inputs with numpy" in text for text in one.advice)


def test_with_numpy_there_are_none(recorded):
    @jitscope.watch
    @jax.jit
    def after_numpy(x):
        return x + 1

    with jitscope.record(recorded.path):
        after_numpy(np.linspace(0.0, 1.0, 37))
    one = call_of(recorded, "after_numpy")

    assert () == one.eager_before == one.eager_ops


def test_eager_operations_inside_of_a_trace_are_counted_once(recorded):
    @jitscope.watch
    @jax.jit
    def constants_inside(x):
        with jax.ensure_compile_time_eval():
            table = jnp.cumsum(jnp.arange(41))
        return x + table

    jax.clear_caches()
    with jitscope.record(recorded.path):
        constants_inside(np.zeros(41, np.int32))
    one = call_of(recorded, "constants_inside")
    trace = next(part for part in one.parts if part.name == "trace")
    (inside,) = [part for part in trace.parts if part.name == "eager_op"]

    assert inside.count == sum(each.count for each in one.eager_ops) > 0
    assert "cumsum" in {each.name for each in one.eager_ops}
    assert trace.own + inside.seconds <= trace.seconds * (1 + 1e-9)


def test_calls_that_compile_in_several_threads_are_told_apart(recorded, eager_switching):
    watched = jitscope.watch(jax.jit(lambda x: x - 6))
    started = threading.Barrier(6)

    def work(size):
        started.wait()
        watched(np.ones(size, np.float32))

    with jitscope.record(recorded.path):
        threads = [threading.Thread(target=work, args=(size,)) for size in range(80, 86)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [1, 2, 3, 4, 5, 6] == sorted(one.call for one in recorded.events(CompilingCallEvent))
    assert [1, 2, 3, 4, 5, 6] == sorted(one.call for one in recorded.events(CompilationEvent))


def test_while_a_calls_compilations_are_written_no_other_call_gets_its_ordinal(monkeypatch):
    write, free = recorder.compilation, []

    def ask():
        free.append(recorder.lock.acquire(blocking=False))
        if free[-1]:
            recorder.lock.release()

    def asking(*args):
        other = threading.Thread(target=ask)
        other.start()
        other.join()
        write(*args)

    monkeypatch.setattr(recorder, "compilation", asking)
    jitscope.watch(jax.jit(lambda x: x + 8))(array(86))

    assert [False] == free


def test_a_trace_after_one_that_raised_is_told(recorded):
    state = {"calls": 0}

    @jitscope.watch
    @jax.jit
    def raises_once(x):
        y = jnp.sin(x)
        state["calls"] += 1
        if state["calls"] == 1:
            raise ZeroDivisionError
        return y

    with jitscope.record(recorded.path):
        with pytest.raises(ZeroDivisionError):
            raises_once(array(71))
        raises_once(array(71))
    one = call_of(recorded, "raises_once")

    assert 2 == one.call
    assert ["trace", "lower", "compile", "run"] == [part.name for part in one.parts if "start" not in part.name]


def test_a_compile_that_raises_is_taken_apart(recorded):
    watched = jitscope.watch(jax.jit(lambda x: x + 71, compiler_options={"no_such_option": "1"}))
    with jitscope.record(recorded.path), pytest.raises(Exception, match="no_such_option"):
        watched(array(71))
    (one,) = first_calls(recorded.load()).calls

    assert one.complete
    assert {"trace", "lower", "compile"} <= {part.name for part in one.parts}


def test_a_region_tells_the_programs_in_it(recorded):
    inner = jitscope.watch(jax.jit(lambda x: x * 2))

    @jitscope.watch
    def step(x):
        return inner(x) + 1

    jax.clear_caches()
    with jitscope.record(recorded.path):
        step(np.ones(43, np.float32))
    one = call_of(recorded, "step")

    assert "region" == one.kind
    owner = "test_a_region_tells_the_programs_in_it.<locals>.<lambda>"
    assert f"compile (XLA) of {owner}" in {part.label for part in one.parts}
    assert "add" in {each.name for each in one.eager_ops}
    assert one.not_attributed + sum(part.seconds for part in one.parts) == pytest.approx(one.seconds)


def test_hits_write_nothing_and_each_compiling_call_one_event(recorded):
    @jitscope.watch
    @jax.jit
    def few(x):
        return x - 1

    with jitscope.record(recorded.path):
        for size in (3, 3, 3, 4, 4, 3):
            few(np.ones(size, np.float32))
    calls = recorded.events(CompilingCallEvent)

    assert [1, 4] == [one.call for one in calls]
    assert all({"trace", "lower", "compile"} == {span.name for span in one.spans} for one in calls)


@pytest.mark.parametrize("found", [True, False], ids=["hit", "miss"])
def test_a_persistent_cache_is_read_inside_of_the_compile(recorded, tmp_path, found):
    from jax.experimental.compilation_cache import compilation_cache

    before = {
        name: getattr(jax.config, name)
        for name in ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    }
    jax.config.update("jax_compilation_cache_dir", str(tmp_path / "cache"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    compilation_cache.reset_cache()
    try:

        def cached(x):
            return jnp.sin(x) * 7

        if found:
            jax.jit(cached)(np.ones(47, np.float32))
        jax.clear_caches()
        watched = jitscope.watch(jax.jit(cached))
        with jitscope.record(recorded.path):
            watched(np.ones(47, np.float32))
    finally:
        for name, value in before.items():
            jax.config.update(name, value)
        compilation_cache.reset_cache()
    one = call_of(recorded, "cached")
    compile_ = next(part for part in one.parts if part.name == "compile")

    assert found == one.cache_hits
    assert ["cache_read", *([] if found else ["cache_write"])] == [part.name for part in compile_.parts]


def test_the_start_of_a_backend_is_told(monkeypatch):
    told = []
    monkeypatch.setattr(privates._bridge, privates._START, lambda platform: f"{platform} runs")
    monkeypatch.setattr(privates._bridge, privates._PLUGINS, lambda: None)

    assert privates.on_backend_start(lambda platform, seconds: told.append((platform, seconds >= 0)))
    assert "gpu runs" == getattr(privates._bridge, privates._START)("gpu")
    getattr(privates._bridge, privates._PLUGINS)()
    assert [("gpu", True), ("plugins", True)] == told


def test_without_the_hook_the_start_of_a_backend_is_not_told(monkeypatch):
    monkeypatch.delattr(privates._bridge, privates._START)

    assert not privates.on_backend_start(lambda platform, seconds: None)
    assert "xla_bridge._init_backend" in {one.name for one in privates.CAPABILITIES if not one.found()}


def test_starts_are_written_to_recordings_that_begin_later(recorded):
    from jitscope.capture.recorder import recorder

    recorder.started("start jax test", 1.0, 0.25)
    try:
        with jitscope.record(recorded.path):
            pass
        assert [("start jax test", 0.25)] == [
            (one.name, one.seconds) for one in recorded.events(StartEvent) if "test" in one.name
        ]
        assert all(one.start < 0 for one in recorded.events(StartEvent))
    finally:
        recorder.starts.pop()


def test_first_call_measures_and_returns_the_result(truth):
    def measured(x, *, by):
        return jnp.tanh(x) * by

    found = jitscope.first_call(jax.jit(measured), array(53), by=2.0)

    np.testing.assert_allclose(np.tanh(array(53)) * 2.0, found.result, rtol=1e-5)
    numbers = found.value.measured
    assert numbers.first >= found.value.seconds * 0.9
    assert 3 <= numbers.steady_calls <= 20
    assert 4 <= numbers.eager_calls <= 21
    assert "without jax.jit" in numbers.eager_is
    assert 1 == truth.compilations("measured")
    assert "measured: first call" in str(found)


def test_first_call_of_a_function_that_is_given_its_arguments_for_good():
    donated = jax.jit(lambda x: x + 1, donate_argnums=0)
    x = jnp.asarray(array(59))

    assert jitscope.first_call(donated, x).value.measured.steady_calls >= 3
    assert not x.is_deleted()


def test_what_first_call_compiles_for_itself_is_not_told_to_the_program(recorded):
    jax.clear_caches()
    x = jax.device_put(array(73))
    with jitscope.record(recorded.path):
        jitscope.first_call(jax.jit(lambda x: jnp.cumsum(x) + 1, donate_argnums=0), x)
        jitscope.watch(jax.jit(lambda x: x - 1))(array(73))
    calls = first_calls(recorded.load())

    assert [(), ()] == [one.eager_before for one in calls.calls]
    assert [()] == [one.eager_ops for one in calls.start_up]


def test_first_call_of_a_method_calls_the_method_without_the_compiler():
    class Model:
        @functools.partial(jax.jit, static_argnums=0)
        def step(self, x):
            return x * 2

    assert jitscope.first_call(Model().step, array(79)).value.measured.eager_calls > 1


def test_first_call_says_what_it_can_not_measure():
    compiled = jitscope.watch(jax.jit(lambda x: x * 3))
    compiled(array(61))

    with pytest.raises(JitscopeError, match="compiled nothing: it was compiled for these"):
        jitscope.first_call(compiled, array(61))
    with pytest.raises(JitscopeError, match="is not compiled"):
        jitscope.first_call(lambda x: x, 1)
    with pytest.raises(ZeroDivisionError):
        jitscope.first_call(jax.jit(lambda x: 1 // 0), array(3))


def test_where_it_does_not_run_eager_that_is_told():
    def traced_only(x):
        assert isinstance(x, jax.core.Tracer)
        return x

    numbers = jitscope.first_call(jax.jit(traced_only), array(67)).value.measured

    assert (None, None) == (numbers.eager_first, numbers.pays_after)
    assert "it raised AssertionError" in numbers.eager_is


def test_first_call_while_jitscope_is_switched_off_says_so(monkeypatch):
    monkeypatch.setattr("jitscope.capture.switches.OFF", True)

    with pytest.raises(JitscopeError, match="JITSCOPE=0 is set"):
        jitscope.first_call(jax.jit(lambda x: x), array(3))
