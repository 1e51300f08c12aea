"""`jitscope.warm` on torch: after it, the recorded calls compile nothing, by Dynamo's own callbacks."""

from __future__ import annotations

import random
import subprocess
import sys
from collections import OrderedDict, namedtuple

import msgspec
import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

import jitscope  # noqa: E402
from jitscope.capture.frameworks import torch_privates as privates  # noqa: E402
from jitscope.model.events import CompilationEvent  # noqa: E402
from jitscope.store.reader import load  # noqa: E402

Pair = namedtuple("Pair", "first second")  # noqa: PYI024


@pytest.fixture(autouse=True)
def fresh():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.fixture
def compiles():
    """How many compiles Dynamo announces while a function runs; backward graphs count."""

    def count(call):
        seen = []
        listener = lambda *details: seen.append(details)  # noqa: E731
        privates.callback_handler.register_start_callback(listener)
        try:
            call()
        finally:
            privates.callback_handler.remove_start_callback(listener)
        return len(seen)

    return count


def recorded_calls(tmp_path, make, traffic):
    """What calls of a function were recorded; every entry is gone afterwards."""
    path = tmp_path / "run.jsonl"
    with jitscope.record(path):
        traffic(jitscope.watch(make()))
    torch.compiler.reset()
    return path


def states(warmed):
    return [one.state for one in warmed.signatures]


# -- attention and a transformer ------------------------------------------------------------------


def make_attention(backend="aot_eager"):
    @torch.compile(backend=backend)
    def attention(q, k, v, causal=False):
        scores = torch.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
        if causal:
            scores = scores.masked_fill(torch.ones(scores.shape[-2:]).triu(1).bool(), float("-inf"))
        return torch.einsum("bhqk,bkhd->bqhd", scores.softmax(-1), v)

    return attention


def attention_traffic(attention):
    for length, dtype, causal in ((8, torch.float32, False), (16, torch.float32, False), (8, torch.bfloat16, True)):
        q = torch.ones(1, length, 2, 4, dtype=dtype)
        for _ in range(2):
            attention(q, q.clone(), q.clone(), causal=causal)


@pytest.mark.parametrize("backend", ["eager", "aot_eager"])
def test_attention_compiles_nothing_after_it_was_warmed(tmp_path, compiles, backend):
    path = recorded_calls(tmp_path, lambda: make_attention(backend), attention_traffic)
    attention = make_attention(backend)
    warmed = jitscope.warm(attention, path)
    assert ["compiled"] * 3 == states(warmed)
    assert warmed.ready
    assert 0 == compiles(lambda: attention_traffic(attention))


def test_without_warming_the_same_calls_compile(compiles):
    assert 0 < compiles(lambda: attention_traffic(make_attention()))


class Block(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = torch.nn.BatchNorm1d(8)
        self.qkv = torch.nn.Linear(8, 24)
        self.drop = torch.nn.Dropout(0.5)
        self.calls = 0

    def forward(self, x):
        x = self.norm(x.reshape(-1, 8)).reshape(x.shape)
        q, k, v = self.qkv(x).chunk(3, -1)
        return x + self.drop(F.scaled_dot_product_attention(q, k, v))


class Transformer(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(32, 8)
        self.blocks = torch.nn.ModuleList(Block() for _ in range(2))

    def forward(self, tokens):
        x = self.embedding(tokens)
        for block in self.blocks:
            x = block(x)
        return x @ self.embedding.weight.T


def make_transformer():
    torch.manual_seed(0)
    return torch.compile(Transformer(), backend="aot_eager")


def transformer_traffic(model):
    model.train()
    model(torch.ones(2, 4, dtype=torch.int64)).sum().backward()
    model.eval()
    with torch.inference_mode():
        for length in (4, 6, 7):
            model(torch.ones(2, length, dtype=torch.int64))
    with torch.no_grad(), torch.autocast("cpu"):
        model(torch.ones(2, 4, dtype=torch.int64))


def test_a_transformer_is_warmed_in_training_and_evaluation_with_its_backward(tmp_path, compiles):
    path = recorded_calls(tmp_path, make_transformer, transformer_traffic)
    model = make_transformer()
    warmed = jitscope.warm(model, path)
    assert warmed.ready, str(warmed)
    assert 4 == states(warmed).count("compiled")  # the third length hits the dynamic entry of the second
    assert 0 == compiles(lambda: transformer_traffic(model))


def test_what_warming_changes_is_put_back(tmp_path):
    path = recorded_calls(tmp_path, make_transformer, transformer_traffic)
    model = make_transformer()
    model.eval()
    model._orig_mod.blocks[0].train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    modes = [module.training for module in model.modules()]
    state, python = torch.get_rng_state(), random.getstate()
    flags = (torch.is_grad_enabled(), torch.get_default_dtype(), torch.is_autocast_enabled("cpu"))
    warmed = jitscope.warm(model, path)
    assert "compiled" in states(warmed)
    assert all(torch.equal(value, model.state_dict()[name]) for name, value in before.items())
    assert modes == [module.training for module in model.modules()]
    assert torch.equal(state, torch.get_rng_state())
    assert python == random.getstate()
    assert flags == (torch.is_grad_enabled(), torch.get_default_dtype(), torch.is_autocast_enabled("cpu"))
    assert all(parameter.grad is None for parameter in model.parameters())


class Stateful(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.cell = torch.nn.LSTMCell(3, 3)
        self.register_buffer("mean", ones(3))
        self.register_buffer("cache", ones(2, 3))
        self.state = (ones(1, 3), ones(1, 3))
        self.last = ones(1, 3)
        self.window = ones(3)

    def forward(self, x):
        self.mean = 0.5 * self.mean
        self.cache[0] = x[0]
        self.state = self.cell(x, self.state)
        self.last = x
        self.window.mul_(2)
        self.seen = True
        return self.state[0] + self.mean


def test_what_a_module_assigns_is_the_same_object_with_the_same_values_again(tmp_path, compiles):
    def make():
        return torch.compile(Stateful(), backend="eager")

    def held(module):
        named = {**dict(module.named_buffers()), "last": module.last, "window": module.window}
        return {"state": id(module.state), **{name: (id(one), one.tolist()) for name, one in named.items()}}

    path = recorded_calls(tmp_path, make, lambda f: f(ones(1, 3)))
    model = make()
    before = held(model._orig_mod)
    assert jitscope.warm(model, path).ready
    assert before == held(model._orig_mod)
    assert not hasattr(model._orig_mod, "seen")
    assert 0 == compiles(lambda: model(ones(1, 3)))


@pytest.mark.parametrize("had", [False, True])
def test_a_function_with_its_own_backward_leaves_no_gradient(tmp_path, had):
    model = torch.nn.Linear(3, 1)

    def make():
        @torch.compile(backend="eager")
        def step(x):
            model(x).sum().backward()

        return step

    path = recorded_calls(tmp_path, make, lambda f: f(ones(2, 3)))
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 7.0) if had else None
    before = [parameter.grad for parameter in model.parameters()]
    assert "compiled" in states(jitscope.warm(make(), path))
    for parameter, gradient in zip(model.parameters(), before, strict=True):
        assert gradient is parameter.grad
        assert not had or {7.0} == set(gradient.flatten().tolist())


class Output:
    def __init__(self, loss):
        self.loss = loss
        self.whole = self


def test_the_backward_graph_of_what_is_inside_of_an_object_is_compiled(tmp_path, compiles):
    def make():
        @torch.compile(backend="aot_eager")
        def model(x):
            return Output(x.sin().sum())

        return model

    def traffic(model):
        model(ones(requires_grad=True)).loss.backward()

    path = recorded_calls(tmp_path, make, traffic)
    model = make()
    assert jitscope.warm(model, path).ready
    assert 0 == compiles(lambda: traffic(model))


@pytest.mark.parametrize("transformation", ["vmap", "grad"])
def test_what_a_transformation_compiled_is_told_and_not_warmed(tmp_path, transformation):
    path = recorded_calls(
        tmp_path, make_anything, lambda f: getattr(torch.func, transformation)(lambda x: f(x).sum())(ones(3))
    )
    warmed = jitscope.warm(make_anything(), path)
    assert {"cannot"} == set(states(warmed))
    assert f"inside torch.func's {transformation}" in warmed.signatures[0].why


def test_a_mix_of_training_modes_is_not_guessed(tmp_path, compiles):
    def traffic(model):
        model.train()
        model._orig_mod.blocks[0].eval()
        with torch.no_grad():
            model(torch.ones(2, 4, dtype=torch.int64))

    path = recorded_calls(tmp_path, make_transformer, traffic)
    model = make_transformer()
    refused = jitscope.warm(model, path)
    assert ["cannot"] == states(refused)
    assert "some of its modules were training" in refused.signatures[0].why
    model._orig_mod.blocks[0].eval()
    assert jitscope.warm(model, path).ready
    assert 0 == compiles(lambda: traffic(model))


def test_a_tensor_passed_twice_is_told(tmp_path):
    path = recorded_calls(tmp_path, make_anything, passed_twice)
    warmed = jitscope.warm(make_anything(), path)
    assert ["rest[0] is tree[0], rest[1] is tree[0]", "rest[1] is tree[0]"] == [one.under for one in warmed.signatures]
    [refused, _] = jitscope.warm(make_anything(), path, arguments={"tree": [ones(), ones()]}).signatures
    assert "cannot" == refused.state


def test_a_module_compiled_in_place_is_warmed(tmp_path, compiles):
    def make():
        model = Transformer()
        model.compile(backend="eager")
        return model

    def traffic(model):
        model.eval()
        with torch.no_grad():
            model(torch.ones(2, 4, dtype=torch.int64))

    path = recorded_calls(tmp_path, make, traffic)
    model = make()
    assert jitscope.warm(model, path).ready
    assert 0 == compiles(lambda: traffic(model))


# -- what signatures hold ---------------------------------------------------------------------------


def make_anything():
    @torch.compile(backend="eager")
    def anything(tree, *rest, how=None, dtype=torch.float32):
        total = torch.zeros(3, dtype=dtype)
        for leaf in torch.utils._pytree.tree_leaves((tree, rest)):
            if isinstance(leaf, torch.Tensor):
                total = total + leaf.to(dtype).sum()
            elif isinstance(leaf, (int, float)):
                total = total + leaf
        return total

    return anything


def ones(*shape, **options):
    return torch.ones(*shape or (3,), **options)


def dynamic(f, mark):
    for size in (3, 5):
        x = ones(size, 2)
        mark(x, 0)
        f(x)


def growing(f):
    for size in (3, 4, 5, 6):
        f(ones(size))


def passed_twice(f):
    x = ones()
    f([x, ones()], x, x)
    f([x, ones()], ones(), x)


def inference_tensor():
    with torch.inference_mode():
        return ones()


CALLS = {
    "containers": lambda f: f({"b": [ones(), (ones(), None)], "a": {}, 3: Pair(ones(), (1, 2.5))}),
    "ordered": lambda f: f(OrderedDict(z=ones(), a=[])),
    "many leaves": lambda f: f([(ones(), ones(2)) for _ in range(80)]),
    "growing": growing,
    "marked dynamic": lambda f: dynamic(f, torch._dynamo.mark_dynamic),
    "marked unbacked": lambda f: dynamic(f, torch._dynamo.decorators.mark_unbacked),
    "marked static": lambda f: dynamic(f, torch._dynamo.mark_static),
    "passed twice": passed_twice,
    "marked maybe": lambda f: dynamic(f, torch._dynamo.maybe_mark_dynamic),
    "strides": lambda f: (f(ones(3, 4).t()), f(ones(8)[::2]), f(ones(1).expand(4)), f(ones(2, 3, 4, 4).to(
        memory_format=torch.channels_last))),
    "gradients": lambda f: f(ones(requires_grad=True)).sum().backward(),
    "parameters": lambda f: f([torch.nn.Parameter(ones()), torch.nn.Parameter(ones(), requires_grad=False)]),
    "types": lambda f: f([ones(dtype=t) for t in (torch.bfloat16, torch.float64, torch.int8, torch.uint8, torch.bool)]),
    "numbers": lambda f: (f([1, 2.5, True]), f([2, 2.5, True])),
    "statics": lambda f: f(ones(), how="it's", dtype=torch.float64),
    "grad modes": lambda f: (f(ones()), torch.no_grad()(f)(ones()), torch.inference_mode()(f)(ones())),
    "inference tensors": lambda f: f(inference_tensor()),
    "autocast": lambda f: (torch.autocast("cpu")(f)(ones()), torch.autocast("cpu", torch.float16)(f)(ones())),
    "starred": lambda f: f(ones(), ones(), 2, ones(4)),
    "default dtype": lambda f: with_default(torch.float64, lambda: f(ones())),
}  # fmt: skip


def with_default(dtype, call):
    torch.set_default_dtype(dtype)
    try:
        call()
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("what", CALLS)
def test_each_kind_of_argument_and_mode_is_rebuilt(tmp_path, compiles, what):
    traffic = CALLS[what]
    path = recorded_calls(tmp_path, make_anything, traffic)
    anything = make_anything()
    warmed = jitscope.warm(anything, path)
    assert warmed.ready, str(warmed)
    assert 0 == compiles(lambda: traffic(anything))


def test_modes_are_recorded_with_each_compile(tmp_path):
    path = recorded_calls(tmp_path, make_transformer, transformer_traffic)
    modes = [dict(event.modes) for event in load(path).events if isinstance(event, CompilationEvent)]
    evaluation = {"grad_mode": "False", "training": "False"}
    assert [
        {"grad_mode": "True", "training": "True"},
        evaluation | {"inference_mode": "True"},
        evaluation | {"inference_mode": "True"},
        evaluation | {"autocast(cpu)": "bfloat16"},
    ] == modes


# -- what can't be rebuilt ------------------------------------------------------------------------------


def test_a_module_argument_is_refused_and_can_be_passed_in(tmp_path, compiles):
    def make():
        @torch.compile(backend="eager")
        def step(model, x):
            return model(x)

        return step

    norm = torch.nn.BatchNorm1d(4)

    def traffic(f):
        f(norm, ones(2, 4))

    path = recorded_calls(tmp_path, make, traffic)
    step = make()
    refused = jitscope.warm(step, path)
    assert ["cannot"] == states(refused)
    assert refused.signatures[0].why.startswith("model: is a BatchNorm1d")
    before = norm.running_mean.clone()
    assert jitscope.warm(step, path, arguments={"model": norm}).ready
    assert torch.equal(before, norm.running_mean)
    assert 0 == compiles(lambda: traffic(step))


def test_a_subclass_is_refused(tmp_path):
    class Mine(torch.Tensor):
        pass

    path = recorded_calls(tmp_path, make_anything, lambda f: f(ones().as_subclass(Mine)))
    warmed = jitscope.warm(make_anything(), path)
    assert ["tree: is a test_a_subclass_is_refused.<locals>.Mine, which only its own code can make"] == [
        one.why for one in warmed.signatures
    ]


def test_a_device_that_is_not_here_is_refused(tmp_path):
    path = recorded_calls(tmp_path, make_anything, lambda f: f(ones()))
    text = path.read_text(encoding="utf-8").replace('"shape":[3]', '"shape":[3],"device":"nowhere:1"')
    path.write_text(text, encoding="utf-8")
    warmed = jitscope.warm(make_anything(), path)
    assert ["cannot"] == states(warmed)
    assert "tree: can't be made here" in str(warmed)


def test_what_ran_eager_after_the_recompile_limit_is_told(tmp_path):
    def make():
        @torch.compile(backend="eager", dynamic=False)
        def limited(x):
            return x.sin()

        return limited

    def traffic(f):
        for size in (2, 3, 4):
            f(ones(size))

    with torch._dynamo.config.patch(recompile_limit=2):
        path = recorded_calls(tmp_path, make, traffic)
        warmed = jitscope.warm(make(), path)
    assert ["compiled", "compiled", "cannot"] == states(warmed)
    assert "recompile limit" in warmed.signatures[2].why


def test_the_recompile_limit_of_this_process_is_told(tmp_path):
    path = recorded_calls(tmp_path, make_anything, lambda f: [f([ones()] * n) for n in (1, 2, 3)])
    with torch._dynamo.config.patch(recompile_limit=2):
        warmed = jitscope.warm(make_anything(), path)
    assert ["compiled", "compiled", "eager"] == states(warmed)
    assert not warmed.ready


def test_a_function_that_fails_on_zeros_is_told_in_one_line(tmp_path):
    def make():
        @torch.compile(backend="eager")
        def divide(x):
            return 1 // x

        return divide

    path = recorded_calls(tmp_path, make, lambda f: f(ones(dtype=torch.int64)))
    warmed = jitscope.warm(make(), path)
    assert ["failed"] == states(warmed)
    assert "\n" not in warmed.signatures[0].why
    assert "RuntimeError: ZeroDivisionError" == warmed.signatures[0].why


def test_attributes_that_a_recording_does_not_hold_are_told(tmp_path):
    class Counting(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.step = 0

        def forward(self, x):
            self.step += 1
            return x * self.step

    def make():
        return torch.compile(Counting(), backend="eager")

    path = recorded_calls(tmp_path, make, lambda f: [f(ones()) for _ in range(2)])
    model = make()
    warmed = jitscope.warm(model, path)
    assert ["compiled", "cannot"] == states(warmed)
    assert "compiled again with the same arguments" in warmed.signatures[1].why
    assert 0 == model._orig_mod.step


# -- how it is done ---------------------------------------------------------------------------------------


def test_the_budget_cuts_the_end_off_and_keeps_the_order(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    warmed = jitscope.warm(make_attention(), path, max_seconds=1e-9)
    assert ["left_out"] * 3 == states(warmed)


def test_jobs_are_one_and_it_is_said_why(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    warmed = jitscope.warm(make_attention(), path, jobs=4)
    assert 1 == warmed.jobs
    assert "torch compiles under one lock" in str(warmed)


def test_the_check_finds_what_would_compile_again(tmp_path, monkeypatch):
    from jitscope.capture.frameworks.torch_warm import TorchWarmer

    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    again = TorchWarmer.again

    def reset_first(self, made, modes, *, backward):
        torch.compiler.reset()
        return again(self, made, modes, backward=backward)

    monkeypatch.setattr(TorchWarmer, "again", reset_first)
    warmed = jitscope.warm(make_attention(), path)
    assert not warmed.ready
    assert {"torch compiled again"} == {one.again for one in warmed.signatures}


def test_old_recordings_without_modes_are_warmed_as_things_are(tmp_path, compiles):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    recording = load(path)
    events = tuple(
        msgspec.structs.replace(one, modes=()) if isinstance(one, CompilationEvent) else one for one in recording.events
    )
    attention = make_attention()
    assert jitscope.warm(attention, msgspec.structs.replace(recording, events=events)).ready
    assert 0 == compiles(lambda: attention_traffic(attention))


# -- the file -----------------------------------------------------------------------------------------------

PROGRAM = """
import collections
import torch

Pair = collections.namedtuple("Pair", "first second")
torch.manual_seed(0)
model = torch.compile(torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.BatchNorm1d(4)), backend="aot_eager")
scale = torch.nn.BatchNorm1d(4)

class Fading(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("level", torch.ones(4))

    def forward(self, x, y):
        self.level = self.level * 0.5
        self.last = y
        return Held(x * self.level + y)

class Held:
    def __init__(self, value):
        self.value = value
        self.whole = self

fading = torch.compile(Fading(), backend="aot_eager")

@torch.compile(backend="aot_eager")
def zeros(pair, *, how="a", dtype=None):  # called like a helper of the file
    return scale(pair.first["x"]) + pair.second

def traffic():
    model.train()
    model(torch.ones(2, 4)).sum().backward()
    model.eval()
    with torch.inference_mode():
        for n in (2, 3, 5):
            model(torch.ones(n, 4))
    with torch.no_grad(), torch.autocast("cpu"):
        zeros(Pair({"x": torch.ones(2, 4)}, 1), how="it's", dtype=torch.float16)
    zeros(Pair({"x": torch.ones(4, 2).t()}, 1.5))
    x = torch.ones(2, 4)
    torch._dynamo.mark_dynamic(x, 0)
    zeros(Pair({"x": x}, torch.ones(1).expand(2, 4)))
    x = torch.ones(2, 4)
    torch._dynamo.decorators.mark_unbacked(x, 0)
    fading(x, x)
    fading(torch.ones(2, 4, requires_grad=True), torch.ones(4)).value.sum().backward()
"""
RECORD = """
import jitscope, program
jitscope.watch(program.model)
jitscope.watch(program.fading)
program.zeros = jitscope.watch(program.zeros)
with jitscope.record("run.jsonl"):
    program.traffic()
"""
COUNT = """
import sys
assert "jitscope" not in sys.modules
import program, warm, torch
modules = torch.nn.ModuleList((program.model, program.scale, program.fading))
before = {name: value.clone() for name, value in modules.named_buffers()}
held = {name: id(value) for name, value in modules.named_buffers()}
warm.main()
after = dict(modules.named_buffers())
assert held == {name: id(value) for name, value in after.items()}
assert not hasattr(program.fading, "last")
assert all(torch.equal(value, after[name]) for name, value in before.items())
assert "jitscope" not in sys.modules
assert all(one.grad is None for one in program.model.parameters())
seen = []
torch._dynamo.callback.on_compile_start(lambda *details: seen.append(details))
program.traffic()
print(len(seen))
"""


def test_the_file_compiles_all_without_jitscope(tmp_path):
    import subprocesses

    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")

    def run(*command, path=()):
        environment = {"PYTHONPATH": ":".join([str(tmp_path), *path])}
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env={**subprocesses.os.environ, **environment},
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, done.stderr
        return done

    run("-c", RECORD, path=[subprocesses.SRC])
    functions = ("program:model=Sequential", "program:zeros", "program:fading=Fading")
    done = run("-m", "jitscope", "warm", "run.jsonl", *functions, "--emit", "warm.py", path=[subprocesses.SRC])
    assert "jitscope: 8 signatures in warm.py: python warm.py\n" == done.stderr
    assert "0\n" == run("-c", COUNT).stdout


@pytest.mark.inductor
@pytest.mark.slow
def test_inductor_is_warmed_and_the_disk_cache_is_told(tmp_path, compiles, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "cache"))

    def make():
        return make_attention("inductor")

    path = recorded_calls(tmp_path, make, attention_traffic)
    attention = make()
    warmed = jitscope.warm(attention, path)
    assert ["from_disk"] * 3 == states(warmed)
    assert warmed.ready
    assert {"torch": str(tmp_path / "cache")} == warmed.cache
    assert 0 == compiles(lambda: attention_traffic(attention))
