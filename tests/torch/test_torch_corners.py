"""Where silence is no hit, and where reading must not touch: found by trying to break it."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import jitscope

ONES = torch.ones


class Logged:
    """A backend whose graphs log the compile id that they came from when they run."""

    def __init__(self):
        self.ran = []

    def __call__(self, graph, inputs):
        identity = str(torch._guards.CompileContext.current_compile_id())

        def run(*args):
            self.ran.append(identity)
            return graph.forward(*args)

        return run

    def take(self):
        ran, self.ran = self.ran, []
        return ran


@pytest.fixture
def backend():
    return Logged()


def outcomes(function):
    """The outcome of each call, one by one."""
    return [run.outcome for run in jitscope.stats(function).history for _ in range(run.count)]


def entries(function):
    """The compile id that served each call, as jitscope tells it."""
    stats = jitscope.stats(function)
    ids = {c.id: c.framework_id for f in jitscope.report().value.functions for c in f.compilations_detail}
    return [ids.get(run.compilation) for run in stats.history for _ in range(run.count)]


def test_export_of_a_watched_module_keeps_its_symbolic_sizes():
    class Model(torch.nn.Module):
        def forward(self, x):
            return x.sin()

    model = Model()
    model.compile(backend="eager")
    jitscope.watch(model)
    program = torch.export.export(model, (ONES(5, 3),), dynamic_shapes={"x": {0: torch.export.Dim("b")}})

    assert 1 == len(program.range_constraints)


def test_a_watched_function_can_be_compiled_and_explained_again(backend):
    watched = jitscope.compile(lambda x: x.sin(), backend=backend)
    again = torch.compile(watched, backend="eager")

    assert torch.equal(ONES(2).sin(), again(ONES(2)))
    assert 1 == torch._dynamo.explain(watched)(ONES(2)).graph_count


def test_reading_a_signature_is_hidden_from_torch_function_modes(backend):
    seen = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, fn, types, args=(), kwargs=None):
            seen.append(getattr(fn, "__name__", "?"))
            return fn(*args, **(kwargs or {}))

    def program(wrap):
        torch.compiler.reset()
        function = wrap(torch.compile(lambda x: x * 2, backend="eager"))
        x = ONES(2)
        with Mode():
            function(x)
            function(x)
        calls, seen[:] = list(seen), []
        return calls

    try:
        bare = program(lambda fn: fn)
    except AssertionError:
        pytest.skip("this torch can't compile under the mode")  # 2.11: its own guards fail at once
    assert bare == program(jitscope.watch)


def test_calls_of_a_frame_that_dynamo_skips_after_an_error_are_no_hits(backend):
    def raises(x, bad):
        y = x.sin()
        if bad:
            raise ValueError
        return y

    watched = jitscope.compile(raises, backend=backend)
    truth = []
    for bad in (False, True, False, False):
        try:
            watched(ONES(3), bad)
        except ValueError:
            truth.append("error")
        else:
            truth.append("ran" if backend.take() else "eager_fallback")

    assert ["ran", "error", "eager_fallback", "eager_fallback"] == truth
    assert ["compile", *truth[1:]] == outcomes(watched)


def test_a_branch_without_any_graph_makes_dynamo_skip_the_function(backend):
    watched = jitscope.compile(lambda x, v: x if v is None else x * v, backend=backend)
    truth = []
    for value in (2.0, None, 2.0, 2.0):
        watched(ONES(3), value)
        truth.append(bool(backend.take()))

    assert [True, False, False, False] == truth
    assert ["compile", "eager_fallback", "eager_fallback", "eager_fallback"] == outcomes(watched)
    assert 1 == jitscope.stats(watched).compilations


def test_the_limit_belongs_to_the_code_that_several_modules_share(backend):
    class Scaled(torch.nn.Module):
        def __init__(self, scale):
            super().__init__()
            self.scale = scale

        def forward(self, x):
            return x * self.scale

    with torch._dynamo.config.patch(recompile_limit=2):
        models = [jitscope.compile(Scaled(scale), backend=backend) for scale in range(4)]
        truth = []
        for model in models:
            model(ONES(2))
            model(ONES(2))
            truth.append(len(backend.take()))

    assert [2, 2, 0, 0] == truth
    assert truth == [stats.hits + stats.compiling_calls for stats in map(jitscope.stats, models)]
    assert [0, 0, 2, 2] == [jitscope.stats(model).eager_fallbacks for model in models]


def test_fallbacks_of_two_threads_are_told_apart(backend, eager_switching):
    with torch._dynamo.config.patch(recompile_limit=2):
        f = jitscope.compile(lambda x: x.cos(), backend=backend, dynamic=False)
        g = jitscope.compile(lambda x: x.sin(), backend=backend, dynamic=False)
        for function in (f, g):
            for size in (7, 8, 9):
                function(ONES(size))

    def work(function, x):
        for _ in range(300):
            function(x)

    threads = [threading.Thread(target=work, args=pair) for pair in ((f, ONES(7)), (g, ONES(20)))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert (300, 1) == (jitscope.stats(f).hits, jitscope.stats(f).eager_fallbacks)
    assert (0, 301) == (jitscope.stats(g).hits, jitscope.stats(g).eager_fallbacks)


def test_fallbacks_of_nested_calls_are_told_apart(backend):
    with torch._dynamo.config.patch(recompile_limit=2):
        inner = jitscope.compile(lambda x: x.cos(), backend=backend, dynamic=False)
        box = [ONES(7)]
        for size in (7, 8, 9):
            inner(ONES(size))

        @torch.compiler.disable
        def call_inner():
            return inner(box[0])

        def body(x, text):
            return x * len(text), call_inner()

        outer = jitscope.compile(body, backend=backend, dynamic=False)
        for text in ("a", "bb", "ccc"):
            outer(ONES(3), text)
        backend.take()
        truth = []
        for text, size in (("ccc", 7), ("dddd", 7), ("a", 20)):
            box[0] = ONES(size)
            outer(ONES(3), text)
            truth.append([identity.split("/")[0] for identity in backend.take()])

    assert [["0"], ["0"], ["1"]] == truth
    assert ["eager_fallback", "eager_fallback", "hit"] == outcomes(outer)[-3:]
    assert ["hit", "hit", "eager_fallback"] == outcomes(inner)[-3:]


def test_calls_under_eager_then_compile_are_no_hits(backend):
    watched = jitscope.compile(lambda x: x.sin(), backend=backend, dynamic=False)
    watched(ONES(3))
    watched(ONES(3))
    backend.take()
    with torch.compiler.set_stance("eager_then_compile"):
        watched(ONES(4))

    assert [] == backend.take()
    assert ["compile", "hit", "eager_fallback"] == outcomes(watched)


def test_a_frame_without_any_graph_is_not_counted_as_a_compilation(truth, backend):
    def program(x):
        y = x.sin()
        print(end="")
        y = y.cos()
        print(end="")
        return y

    watched = jitscope.compile(program, backend=backend)
    watched(ONES(3))
    watched(ONES(3))

    assert len(truth.compiled()) == jitscope.stats(watched).compilations


def test_a_helper_compiled_across_a_graph_break_does_not_take_the_functions_hits(backend):
    def leaf(y, text):
        return ONES(1) * len(text)

    @torch.compiler.disable(recursive=False)
    def middle(y, text):
        return leaf(y, text)

    watched = jitscope.compile(lambda x, s: (middle(x.sin(), s), x.cos()), backend=backend, dynamic=False)
    a, b = ONES(3), ONES(4)
    truth = []
    for x, text in ((a, "a"), (b, "a"), (a, "a"), (b, "a"), (a, "bb"), (a, "bb"), (b, "bb"), (a, "bb")):
        watched(x, text)
        truth.append(next(identity for identity in backend.take() if identity.startswith("0/")))

    told = entries(watched)
    # Where only the helper compiled, the entry of the function itself is not told.
    assert [told[i] or truth[i] for i in range(8)] == truth
    assert all(identity for identity, outcome in zip(told, outcomes(watched), strict=True) if outcome == "hit")


def test_hits_go_to_the_entry_that_served_them_also_where_one_shadows_another(backend):
    watched = jitscope.compile(lambda x: x + 2, backend=backend)
    for size in (3, 3, 5, 3, 6, 3):
        watched(ONES(size))

    assert backend.take() == entries(watched)


def test_isolated_wrappers_of_one_function_have_entries_of_their_own(backend):
    def body(x):
        return x.sin()

    options = {"backend": backend, "dynamic": False, "isolate_recompiles": True}
    try:
        first, second = (jitscope.compile(body, **options) for _ in range(2))
    except TypeError:
        pytest.skip("this torch has no isolate_recompiles")
    for function in (first, second, first, second):
        function(ONES(2))

    assert ["0/0", "0/1", "0/0", "0/1"] == backend.take()
    assert (["0/0", "0/0"], ["0/1", "0/1"]) == (entries(first), entries(second))


def test_without_an_order_of_use_the_signature_tells_the_entry(backend):
    from torch._C._dynamo import eval_frame

    if not hasattr(eval_frame, "_set_lru_cache"):
        pytest.skip("this torch always keeps the order of use")
    eval_frame._set_lru_cache(False)
    try:
        watched = jitscope.compile(lambda x: x.tan(), backend=backend, dynamic=False)
        for size in (2, 3, 4, 3, 4, 2):
            watched(ONES(size))
    finally:
        eval_frame._set_lru_cache(True)

    assert backend.take() == entries(watched)


@pytest.mark.parametrize("layout", [torch.jagged, torch.strided], ids=str)
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")
def test_nested_tensors_are_counted(layout):
    watched = jitscope.compile(lambda x: x * 2, backend="eager")
    for _ in range(3):
        watched(torch.nested.nested_tensor([ONES(2), ONES(3)], layout=layout))

    assert 3 == jitscope.stats(watched).calls
    assert "x=nested f32[*]" in jitscope.stats(watched).signatures[0].text


def test_a_module_compiled_again_can_be_watched_again(backend):
    class Model(torch.nn.Module):
        def forward(self, x):
            return x.sin()

    model = Model()
    model.compile(backend=backend)
    jitscope.watch(model)
    model(ONES(2))
    model.compile(backend=backend, dynamic=False)
    with pytest.raises(jitscope.JitscopeError, match="not watched"):
        jitscope.stats(model)
    jitscope.watch(model)
    for size in (2, 3, 4):
        model(ONES(size))

    assert 3 == jitscope.stats(model).calls


@settings(
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([torch.float32, torch.float64]), st.booleans(), st.booleans()),
        max_size=14,
    ),
    st.sampled_from([None, True, False]),
)
def test_any_program_of_calls_is_told_as_dynamo_ran_it(program, dynamic):
    torch.compiler.reset()
    backend = Logged()
    watched = jitscope.compile(lambda x, flag: x * (2 if flag else 3), backend=backend, dynamic=dynamic)
    truth = []
    for size, dtype, flag, grad in program:
        watched(torch.ones(size, dtype=dtype, requires_grad=grad), flag)
        ran = backend.take()
        truth.append(ran[0] if ran else None)

    stats = jitscope.stats(watched)
    assert truth == entries(watched)
    assert len(program) == stats.calls == stats.hits + stats.compiling_calls + stats.eager_fallbacks
    assert truth.count(None) == stats.eager_fallbacks
    assert len({*truth} - {None}) == stats.compilations


def test_hits_of_several_entries_are_exact_when_another_thread_begins_to_call(backend, eager_switching):
    watched = jitscope.compile(lambda x: x.tan(), backend=backend, dynamic=False)
    sizes = (2, 3, 4)
    for size in sizes:
        watched(ONES(size))
    for _ in range(50):
        for size in sizes:
            watched(ONES(size))
    started = threading.Barrier(3)

    def work(offset):
        started.wait()
        for number in range(100):
            watched(ONES(sizes[(number + offset) % 3]))

    threads = [threading.Thread(target=work, args=(offset,)) for offset in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    # Threads that check guards at once make torch compile a signature twice now and then: then it does not tell the
    # entry, which is said to be unknown.
    truth, told = Counter(backend.take()), Counter(entries(watched))
    unknown = told.pop(None, 0)
    assert truth >= told
    assert truth.total() == told.total() + unknown


def test_a_function_mode_sees_nothing_of_what_tells_the_entries_apart(backend):
    seen = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            seen.append(getattr(func, "__name__", str(func)))
            return func(*args, **(kwargs or {}))

    def program(function):
        inputs = [ONES(size) for size in (2, 3, 4)]
        for x in inputs:
            function(x)
        with Mode():
            for x in inputs:
                function(x)
            seen.clear()
            for x in inputs * 3:
                function(x)
        return list(seen)

    try:
        bare = program(torch.compile(lambda x: x.tan(), backend=backend, dynamic=False))
    except AssertionError:
        pytest.skip("this torch can't compile under the mode")
    torch.compiler.reset()
    assert bare == program(jitscope.compile(lambda x: x.tan(), backend=backend, dynamic=False))


def test_entries_are_told_apart_by_what_their_guards_fix(backend):
    """Optional tensors, Python values, keyword arguments, containers, dtypes: each call by the graph that ran."""
    watched = jitscope.compile(
        lambda x, mask=None, *, n=1, flag=False, d=None: (x * n if mask is None else x * mask) + (1 if flag else 2),
        backend=backend,
        dynamic=False,
    )
    calls = [
        ((ONES(3),), {}),
        ((ONES(3), ONES(3)), {}),
        ((ONES(3),), {"mask": ONES(3), "flag": True}),
        ((ONES(4),), {"n": 2}),
        ((ONES(4),), {"n": 3}),
        ((ONES(4, dtype=torch.float64),), {"n": 3}),
    ]
    for args, kwargs in calls * 4 + calls[::-1] * 3:
        watched(*args, **kwargs)

    assert backend.take() == entries(watched)


def test_an_entry_with_a_dynamic_size_beside_static_ones(backend):
    watched = jitscope.compile(lambda x: x.tan(), backend=backend)
    for size in (2, 3, 4, 5, 2, 3, 2, 4, 0, 1, 2, 0, 1, 7) * 3:
        watched(ONES(size))

    assert backend.take() == entries(watched)


def test_a_module_and_its_other_instances_share_entries(backend):
    class Model(torch.nn.Module):
        def forward(self, x):
            return x.tan()

    models = [jitscope.watch(torch.compile(Model(), backend=backend, dynamic=False)) for _ in range(2)]
    for size in (2, 3, 4, 3, 2, 4, 4, 2):
        for model in models:
            model(ONES(size))

    told = [one for model in models for one in entries(model)]
    assert Counter(backend.take()) == Counter(told)


@pytest.mark.parametrize("modules", [False, True])
def test_wrappers_that_share_entries_are_told_apart_between_threads(backend, eager_switching, modules):
    class Model(torch.nn.Module):
        def forward(self, x):
            return x.tan()

    def function(x):
        return x.tan()

    def make():
        made = Model() if modules else function
        return jitscope.watch(torch.compile(made, backend=backend))

    one, other = make(), make()
    # Two entries that no argument tells apart.
    for grad in (True, False, True, False):
        with torch.set_grad_enabled(grad):
            one(ONES(3))
            other(ONES(3))
    told = [len(entries(one)), len(entries(other))]
    started = threading.Barrier(2)

    def work(watched, grad):
        started.wait()
        with torch.set_grad_enabled(grad):
            for _ in range(300):
                watched(ONES(3))

    threads = [threading.Thread(target=work, args=pair) for pair in ((one, True), (other, False))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for watched, before in zip((one, other), told, strict=True):
        assert 1 >= len(set(entries(watched)[before:]) - {None})


def test_a_wrapper_that_calls_another_of_the_same_code_keeps_its_hits(backend):
    def shared(x, then=None):
        x = x.tan()
        if then is not None:
            torch._dynamo.graph_break()
            then(ONES(8))
        return x

    inner = jitscope.compile(shared, backend=backend, dynamic=False)
    outer = jitscope.compile(shared, backend=backend, dynamic=False)
    for _ in range(3):
        inner(ONES(8))
        outer(ONES(4))
    backend.take()
    before = len(entries(outer))
    for _ in range(5):
        outer(ONES(4))
    assert backend.take() == entries(outer)[before:]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupted_compile_is_no_end_to_compiling(error):
    interrupts, ran = [error()], []

    def interrupted(graph, inputs):
        if interrupts:
            raise interrupts.pop()
        return lambda *args: ran.append(1) or graph.forward(*args)

    source = "lambda x: x.tan()"
    first = jitscope.compile(eval(source), backend=interrupted, dynamic=False)
    with pytest.raises(error):
        first(ONES(2))
    # Of equal code, which is another object.
    second = jitscope.compile(eval(source), backend=interrupted, dynamic=False)
    for watched in (first, second):
        for _ in range(4):
            watched(ONES(2))

    assert 8 == len(ran)
    assert ["error", "compile", "hit", "hit", "hit"] == outcomes(first)
    assert ["compile", "hit", "hit", "hit"] == outcomes(second)
