"""Where the time of a first call goes on torch: Dynamo's own steps, put into each other."""

from __future__ import annotations

import threading

import pytest
import torch

import jitscope
from jitscope.analysis.first_call import first_calls
from jitscope.capture import spans
from jitscope.capture.frameworks import torch_cuda_privates as cuda
from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.recorder import recorder
from jitscope.errors import JitscopeError
from jitscope.model.events import CompilationEvent, CompilingCallEvent


def attention(q, k, v):
    scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
    future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
    return torch.softmax(scores.masked_fill(future, float("-inf")), -1) @ v


def transformer():
    layer = torch.nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, dropout=0.0)
    return torch.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)


class Own(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = torch.nn.Linear(4, 3)

    def forward(self, x):
        return self.linear(x)


def only(recorded):
    (one,) = first_calls(recorded.load()).calls
    return one


def names(parts):
    return {name for part in parts for name in (part.name, *names(part.parts))}


def adds_up(one):
    def holds(part):
        assert part.own >= 0
        assert part.own + sum(each.seconds for each in part.parts) == pytest.approx(part.seconds)
        for each in part.parts:
            holds(each)

    assert one.not_attributed + sum(part.seconds for part in one.parts) == pytest.approx(one.seconds)
    for part in one.parts:
        holds(part)


@pytest.mark.parametrize("kind", ["attention", "transformer"])
def test_the_parts_are_at_least_95_percent_of_the_call(recorded, kind):
    shares = []
    for _ in range(3):  # another program may take the processor before Dynamo begins
        torch._dynamo.reset()
        if kind == "attention":
            function, given = attention, [torch.randn(1, 2, 16, 8) for _ in range(3)]
        else:
            function, given = transformer(), [torch.randn(2, 8, 32)]
        watched = jitscope.watch(torch.compile(function, backend="aot_eager"))
        with jitscope.record(recorded.path, force=True):
            watched(*given)
        one = only(recorded)
        assert {"dynamo", "build_guards", "backend_compile", "aot_autograd", "run"} <= names(one.parts)
        assert ["dynamo", "run"] == [part.name for part in one.parts]
        adds_up(one)
        shares.append(one.attributed)
        if one.attributed >= 0.95:
            break
    assert max(shares) >= 0.95


@pytest.mark.slow
@pytest.mark.inductor
@pytest.mark.parametrize("kind", ["attention", "transformer"])
def test_inductor_is_told_step_by_step(recorded, kind, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))
    torch._dynamo.reset()
    if kind == "attention":
        function, given = attention, [torch.randn(1, 2, 16, 8) for _ in range(3)]
    else:
        function, given = transformer(), [torch.randn(2, 8, 32)]
    watched = jitscope.watch(torch.compile(function))
    with jitscope.record(recorded.path):
        watched(*given).sum()
    one = only(recorded)

    assert {"aot_autograd", "inductor", "GraphLowering.run", "GraphLowering.codegen", "cache_key"} <= names(one.parts)
    assert {"compile_file", "async_compile.wait"} & names(one.parts)
    adds_up(one)
    assert one.attributed >= 0.95


def test_frames_after_a_graph_break_are_told_together_and_what_runs_between(recorded):
    def broken(x):
        y = x.sin()
        torch._dynamo.graph_break()
        return y.cos()

    watched = jitscope.watch(torch.compile(broken, backend="eager"))
    with jitscope.record(recorded.path):
        watched(torch.ones(5))
    one = only(recorded)

    assert {"dynamo": 2, "run": 2} == {part.name: part.count for part in one.parts}
    assert 2 == len(one.compilations)
    adds_up(one)


def test_a_backward_graph_comes_later(recorded):
    watched = jitscope.watch(torch.compile(lambda x: (x * x).sin(), backend="aot_eager"))
    with jitscope.record(recorded.path):
        watched(torch.ones(7, requires_grad=True)).sum().backward()
    one = only(recorded)

    assert ["backward"] == [part.name for part in one.later]
    assert "backward" not in names(one.parts)


def test_in_a_region_the_backward_graph_is_part_of_the_call(recorded):
    compiled = torch.compile(lambda x: (x * x).cos(), backend="aot_eager")

    @jitscope.watch
    def train_step(x):
        compiled(x).sum().backward()

    with jitscope.record(recorded.path):
        train_step(torch.ones(7, requires_grad=True))
    one = only(recorded)

    assert {"dynamo", "backward"} <= names(one.parts)
    assert () == one.later
    adds_up(one)


def test_hits_write_nothing_and_each_compiling_call_one_event(recorded, backend):
    watched = jitscope.watch(torch.compile(lambda x: x + 2, backend=backend, dynamic=False))
    with jitscope.record(recorded.path):
        for size in (3, 3, 4, 4, 3):
            watched(torch.ones(size))

    assert [1, 3] == [one.call for one in recorded.events(CompilingCallEvent)]
    assert 2 == backend.graphs


def test_a_later_compile_begins_with_dynamo(recorded, backend):
    watched = jitscope.watch(torch.compile(lambda x: x + 4, backend=backend, dynamic=False))
    watched(torch.ones(3))
    watched(torch.ones(3))
    with jitscope.record(recorded.path):
        watched(torch.ones(4))
    (call,) = recorded.events(CompilingCallEvent)

    assert "dynamo" == call.spans[-1].name
    assert call.spans[-1].start >= call.start


def test_calls_that_compile_in_several_threads_are_told_apart(recorded, backend, eager_switching):
    watched = jitscope.watch(torch.compile(lambda x: x + 6, backend=backend, dynamic=False))
    started = threading.Barrier(4)

    def work(size):
        started.wait()
        watched(torch.ones(size))

    with jitscope.record(recorded.path):
        threads = [threading.Thread(target=work, args=(size,)) for size in (2, 3, 4, 5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert [1, 2, 3, 4] == sorted(one.call for one in recorded.events(CompilingCallEvent))
    assert [1, 2, 3, 4] == sorted(one.call for one in recorded.events(CompilationEvent))


def test_while_a_calls_compilations_are_written_no_other_call_gets_its_ordinal(monkeypatch, backend):
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
    jitscope.watch(torch.compile(lambda x: x + 8, backend=backend))(torch.ones(9))

    assert [False] == free


def test_a_frame_that_dynamo_leaves_alone_is_taken_apart_too(recorded):
    def broken(x):
        for _ in range(3):
            x = x + 1
            torch._dynamo.graph_break()
        return x

    with jitscope.record(recorded.path), pytest.raises(JitscopeError, match="compiled nothing"):
        jitscope.first_call(torch.compile(broken, backend="eager"), torch.ones(5))
    one = only(recorded)

    assert one.complete
    assert {"dynamo", "run"} <= names(one.parts)


def test_first_call_of_a_method_calls_the_method_without_the_compiler():
    class Model:
        @torch.compile(backend="eager")
        def step(self, x):
            return x * 2

    assert jitscope.first_call(Model().step, torch.ones(5)).value.measured.eager_calls > 1


def test_a_compile_that_fails_leaves_no_open_step(recorded):
    def refuses(graph, inputs):
        raise ZeroDivisionError

    watched = jitscope.watch(torch.compile(lambda x: x + 3, backend=refuses))
    with pytest.raises(Exception, match="ZeroDivisionError"):
        watched(torch.ones(3))

    assert [] == spans._local.open


def test_first_call_of_a_function_and_of_modules():
    function = jitscope.first_call(torch.compile(lambda x: x.relu() + 1, backend="eager"), torch.ones(4))
    module = jitscope.first_call(torch.compile(torch.nn.Linear(4, 2), backend="eager"), torch.ones(1, 4))
    in_place = Own()
    in_place.compile(backend="eager")
    placed = jitscope.first_call(in_place, torch.ones(1, 4))

    assert torch.equal(torch.full((4,), 2.0), function.result)
    assert (1, 2) == module.result.shape
    assert (1, 3) == placed.result.shape
    for found in (function, module, placed):
        numbers = found.value.measured
        assert "the function without torch.compile" == numbers.eager_is
        assert numbers.steady_calls >= 3
        assert numbers.eager_steady is not None
        assert found.value.attributed > 0


def test_eager_calls_do_not_count_as_calls_of_the_function():
    watched = jitscope.watch(torch.compile(lambda x: x - 1, backend="eager"))
    found = jitscope.first_call(watched, torch.ones(4))
    stats = jitscope.stats(watched)

    assert 2 + found.value.measured.steady_calls == stats.calls
    assert 0 == stats.eager_fallbacks


def test_first_call_of_what_was_compiled_before():
    watched = jitscope.watch(torch.compile(lambda x: x / 2, backend="eager"))
    watched(torch.ones(3))

    with pytest.raises(JitscopeError, match="compiled nothing: it was compiled for these"):
        jitscope.first_call(watched, torch.ones(3))


def test_the_start_of_cuda_is_told_once_and_the_original_put_back(monkeypatch):
    told = []

    def init():
        return "started"

    monkeypatch.setattr(torch._C, cuda.START, init, raising=False)
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)

    assert cuda.can_tell()
    assert cuda.on_cuda_start(lambda seconds: told.append(seconds >= 0))
    assert not cuda.on_cuda_start(lambda seconds: told.append("twice"))
    assert "started" == getattr(torch._C, cuda.START)()
    assert [True] == told
    assert getattr(torch._C, cuda.START) is init


def test_without_the_logger_the_steps_are_not_told(monkeypatch):
    monkeypatch.setattr(torch._dynamo.utils, "ChromiumEventLogger", None)

    assert not privates.on_timed(spans.begin, spans.end)
    assert "utils.ChromiumEventLogger" in {one.name for one in privates.CAPABILITIES if not one.found()}
