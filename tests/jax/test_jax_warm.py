"""`jitscope.warm` on JAX: after it, the recorded calls trace, lower and compile nothing, by JAX's own events."""

from __future__ import annotations

import dataclasses
import enum
import functools
import importlib.util
import subprocess
import sys
from collections import OrderedDict, namedtuple

import pytest

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
import msgspec  # noqa: E402
import numpy as np  # noqa: E402
import subprocesses  # noqa: E402

import jitscope  # noqa: E402
from jitscope.model.events import SignatureEvent  # noqa: E402
from jitscope.store.reader import load  # noqa: E402

Pair = namedtuple("Pair", "first second")  # noqa: PYI024


class Mode(enum.Enum):
    FAST = 1
    SLOW = 2


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class State:
    weights: jax.Array
    rate: float = dataclasses.field(metadata={"static": True})


@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Weights:
    first: jax.Array
    second: dict

    def __post_init__(self):
        if isinstance(self.first, np.ndarray):
            self.first = jnp.asarray(self.first)


@dataclasses.dataclass(frozen=True)
class Config:
    width: int


def recorded_calls(tmp_path, make, traffic):
    """What calls of one function were recorded; the function to be warmed is another one, of the same source."""
    path = tmp_path / "run.jsonl"
    with jitscope.record(path):
        traffic(jitscope.watch(make()))
    return path


def compiles_nothing(truth, function, traffic):
    """Whether JAX lowers and compiles nothing of the function's, and its body does not run."""
    name = function.__name__
    before = [len(truth.events(kind, name)) for kind in ("jaxpr_to_mlir_module_duration", "backend_compile_duration")]
    traffic(function)
    after = [len(truth.events(kind, name)) for kind in ("jaxpr_to_mlir_module_duration", "backend_compile_duration")]
    return before == after


def states(warmed):
    return [one.state for one in warmed.signatures]


# -- attention and a transformer ---------------------------------------------------------------------


def make_attention():
    @functools.partial(jax.jit, static_argnames=("causal",))
    def attention(q, k, v, causal=False):
        bodies.append("attention")
        scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
        if causal:
            scores = jnp.where(jnp.tril(jnp.ones(scores.shape[-2:], bool)), scores, -jnp.inf)
        return jnp.einsum("bhqk,bkhd->bqhd", jax.nn.softmax(scores), v)

    return attention


bodies = []


def attention_traffic(attention):
    for length, dtype, causal in ((8, np.float32, False), (16, np.float32, True), (8, jnp.bfloat16, False)):
        q = jnp.asarray(np.ones((1, length, 2, 4), np.float32)).astype(dtype)
        for _ in range(2):
            jax.block_until_ready(attention(q, q, q, causal=causal))


def test_attention_compiles_nothing_after_it_was_warmed(tmp_path, truth):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    attention = make_attention()
    warmed = jitscope.warm(attention, path)
    assert ["compiled"] * 3 == states(warmed)
    assert warmed.ready
    assert warmed.checked
    assert [2, 2, 2] == [one.calls for one in warmed.signatures]
    traced = len(bodies)
    assert compiles_nothing(truth, attention, attention_traffic)
    assert traced == len(bodies)
    assert 3 == attention._cache_size()  # the entries of the calls themselves


def test_without_warming_the_same_calls_compile(tmp_path, truth):
    assert not compiles_nothing(truth, make_attention(), attention_traffic)


def make_transformer():
    @jax.jit
    def transformer(params, tokens):
        x = params["embedding"][tokens]
        for block in params["blocks"]:
            h = x - x.mean(-1, keepdims=True)
            q, k, v = (h @ w for w in block["attention"])
            x = x + jax.nn.softmax(q @ k.swapaxes(-1, -2)) @ v
            x = x + jax.nn.gelu(x @ block["mlp"].first) @ block["mlp"].second
        return x @ params["embedding"].T

    return transformer


def transformer_params(seed=0):
    rng = np.random.default_rng(seed)

    def weights(*shape):
        return jnp.asarray(rng.standard_normal(shape, np.float32))

    blocks = [
        {"attention": tuple(weights(8, 8) for _ in range(3)), "mlp": Pair(weights(8, 16), weights(16, 8))}
        for _ in range(2)
    ]
    return {"embedding": weights(32, 8), "blocks": blocks}


def transformer_traffic(transformer):
    params = transformer_params()
    for length in (4, 8):
        jax.block_until_ready(transformer(params, np.zeros((2, length), np.int32)))
        jax.block_until_ready(transformer(params, jnp.asarray(np.zeros((2, length), np.int32))))


def test_a_transformer_compiles_nothing_after_it_was_warmed(tmp_path, truth):
    path = recorded_calls(tmp_path, make_transformer, transformer_traffic)
    transformer = make_transformer()
    warmed = jitscope.warm(transformer, path)
    assert warmed.ready
    # NumPy's and JAX's arrays are two dispatch entries of one program
    assert {"compiled": 2, "already": 2} == {name: states(warmed).count(name) for name in set(states(warmed))}
    assert compiles_nothing(truth, transformer, transformer_traffic)


# -- what signatures hold -------------------------------------------------------------------------------


def make_anything():
    @functools.partial(jax.jit, static_argnames=("how",), donate_argnames=("scratch",))
    def anything(tree, *rest, how=None, scratch=None, **named):
        leaves = jax.tree.leaves((tree, rest, named, scratch))
        arrays = [one for one in leaves if not jnp.issubdtype(one.dtype, jax.dtypes.prng_key)]
        total = sum(jnp.sum(jnp.abs(one)).astype(jnp.float32) for one in map(jnp.asarray, arrays))
        return total if scratch is None else (total, scratch * 2)

    return anything


ONE = np.ones(3, np.float32)
CALLS = {
    "containers": lambda f: f(
        {"a": [jnp.asarray(ONE), (ONE,)], "e": {3: (), 2: ONE}, "none": None, "od": OrderedDict(z=ONE, y=ONE)}
    ),
    "named tuple": lambda f: f(Pair(ONE, (ONE, Pair(ONE, ONE)))),
    "dataclass": lambda f: f(State(jnp.asarray(ONE), 0.5)),
    "dataclass of arrays": lambda f: f(Weights(ONE, {"a": ONE})),
    "python numbers": lambda f: f([1, 1.5, True, 2j]),
    "strong and weak": lambda f: f([jnp.asarray(1.0), jnp.float32(1.0), np.float32(1)]),
    "small types": lambda f: f([jnp.asarray(ONE, t) for t in (jnp.bfloat16, jnp.float16, jnp.int8, jnp.uint8, bool)]),
    "random keys": lambda f: f([jax.random.key(0), jax.random.key(1, impl="rbg"), jax.random.PRNGKey(0)]),
    "committed": lambda f: f(jax.device_put(ONE, jax.devices()[0])),
    "another device": lambda f: f(jax.device_put(ONE, jax.devices()[-1])),
    "starred": lambda f: f(ONE, ONE, 2.0, left=ONE, right={"x": ONE}),
    "donated": lambda f: f(ONE, scratch=jnp.asarray(ONE)),
    "static text": lambda f: f(ONE, how='it\'s "quoted"\n'),
    "static tuple": lambda f: f(ONE, how=(1, ("a", None), 1.5)),
    "static infinity": lambda f: f(ONE, how=float("-inf")),
    "static dtype": lambda f: f(ONE, how=jnp.bfloat16),
    "static NumPy dtype": lambda f: f(ONE, how=np.dtype("float16")),
    "static NumPy truth": lambda f: (f(ONE, how=np.bool_(True)), f(ONE, how=True)),
    "static NumPy number": lambda f: f(ONE, how=np.int64(3)),
    "static enumeration": lambda f: f(ONE, how=Mode.SLOW),
    "static range": lambda f: f(ONE, how=range(0, 8, 2)),
    "x64": lambda f: in_x64(lambda: f(np.ones(3, np.float64))),
    "precision": lambda f: within(jax.default_matmul_precision("float32"), lambda: f(ONE)),
    "default device": lambda f: within(jax.default_device(jax.devices()[-1]), lambda: f(ONE)),
    "made on the default device": lambda f: within(jax.default_device(jax.devices()[-1]), lambda: f(jnp.ones(3))),
    "default platform": lambda f: within(jax.default_device("cpu"), lambda: f(ONE)),
    "promotion": lambda f: within(jax.numpy_dtype_promotion("strict"), lambda: f(ONE)),
    "two settings": lambda f: (f(ONE), within(jax.default_matmul_precision("bfloat16"), lambda: f(ONE))),
}


def within(context, call):
    with context:
        return call()


def in_x64(call):
    enable = jax.enable_x64 if hasattr(jax, "enable_x64") else jax.experimental.enable_x64
    return within(enable(True), call)


@pytest.mark.parametrize("what", CALLS)
def test_each_kind_of_argument_and_setting_is_rebuilt(tmp_path, truth, what):
    traffic = CALLS[what]
    path = recorded_calls(tmp_path, make_anything, traffic)
    anything = make_anything()
    warmed = jitscope.warm(anything, path)
    assert warmed.ready, str(warmed)
    assert compiles_nothing(truth, anything, traffic)


@pytest.mark.skipif(len(jax.devices()) < 4, reason="needs four devices")
@pytest.mark.parametrize("kind", ["rows", "both", "replicated", "other order"])
def test_shardings_are_rebuilt(tmp_path, truth, kind):
    devices = np.array(jax.devices()[:4])
    spec = jax.sharding.PartitionSpec
    mesh, parts = {
        "rows": (jax.sharding.Mesh(devices, ("x",)), spec("x")),
        "both": (jax.sharding.Mesh(devices.reshape(2, 2), ("x", "y")), spec(("x", "y"), None)),
        "replicated": (jax.sharding.Mesh(devices, ("x",)), spec()),
        "other order": (jax.sharding.Mesh(devices[::-1], ("x",)), spec(None, "x")),
    }[kind]

    def traffic(f):
        f(jax.device_put(np.ones((8, 8), np.float32), jax.sharding.NamedSharding(mesh, parts)))

    path = recorded_calls(tmp_path, make_anything, traffic)
    anything = make_anything()
    assert jitscope.warm(anything, path).ready
    assert compiles_nothing(truth, anything, traffic)


@pytest.mark.parametrize("jobs", [1, 2])
def test_inside_of_the_same_mesh_all_are_compiled_whatever_thread_does_it(tmp_path, truth, jobs):
    mesh = jax.sharding.Mesh(np.array(jax.devices()[:1]), ("x",))
    enter = getattr(jax, "set_mesh", None) or jax.sharding.use_mesh

    def make():
        @jax.jit
        def within_mesh(x):
            return x * 2

        return within_mesh

    def traffic(f):
        with enter(mesh):
            f(ONE)
            f(np.ones(4, np.float32))

    path = recorded_calls(tmp_path, make, traffic)
    function = make()
    assert {"cannot"} == set(states(jitscope.warm(function, path, jobs=jobs)))
    with enter(mesh):
        warmed = jitscope.warm(function, path, jobs=jobs)
    assert warmed.ready, str(warmed)
    assert compiles_nothing(truth, function, traffic)


def test_a_function_with_a_callback_is_warmed_too(tmp_path, truth):
    def make():
        @jax.jit
        def calling_back(x):
            jax.debug.callback(lambda value: None, x.sum())
            return x * 2

        return calling_back

    path = recorded_calls(tmp_path, make, lambda f: f(ONE))
    function = make()
    assert jitscope.warm(function, path).ready
    assert compiles_nothing(truth, function, lambda f: f(ONE))


def test_a_method_is_warmed_with_its_object(tmp_path, truth):
    class Model:
        def __init__(self):
            self.scale = 3.0

        @functools.partial(jax.jit, static_argnums=0)
        def apply(self, x):
            return x * self.scale

    path = tmp_path / "run.jsonl"
    model = Model()
    with jitscope.record(path):
        jitscope.watch(model.apply)(ONE)
    jax.clear_caches()
    assert jitscope.warm(model.apply, path).ready
    assert compiles_nothing(truth, model.apply, lambda f: f(ONE))


# -- what can't be rebuilt, and what the user passes in -------------------------------------------------


def test_a_static_object_is_refused_by_name_and_can_be_passed_in(tmp_path, truth):
    config = Config(4)

    def traffic(f):
        f(ONE, how=config)

    path = recorded_calls(tmp_path, make_anything, traffic)
    anything = make_anything()
    refused = jitscope.warm(anything, path)
    assert ["cannot"] == states(refused)
    assert "how: is a Config, Config(width=4): no literal" == refused.signatures[0].why
    assert not refused.ready
    assert "arguments=" in str(refused)
    assert jitscope.warm(anything, path, arguments={"how": config}).ready
    assert compiles_nothing(truth, anything, traffic)


def test_passed_in_parameters_give_the_structure_and_the_recording_the_types(tmp_path, truth):
    path = recorded_calls(tmp_path, make_transformer, transformer_traffic)
    transformer = make_transformer()
    # Committed parameters would be another program.
    params = jax.device_put(transformer_params(1), jax.devices()[0])
    warmed = jitscope.warm(transformer, path, arguments={"params": params, "parms": params})
    assert warmed.ready
    assert [note for note in warmed.notes if "arguments has" in note] == [
        "arguments has parms, which is the name of no argument in the recorded signatures"
    ]
    assert compiles_nothing(truth, transformer, transformer_traffic)


def test_parameters_of_another_structure_are_refused(tmp_path):
    path = recorded_calls(tmp_path, make_transformer, transformer_traffic)
    params = transformer_params() | {"extra": ONE}
    warmed = jitscope.warm(make_transformer(), path, arguments={"params": params})
    assert {"cannot"} == set(states(warmed))
    assert "params['extra']: was not there" == warmed.signatures[0].why


def test_a_callback_makes_the_arguments_or_leaves_a_signature_out(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)

    def arguments(signature):
        leaf = signature.leaves[0]
        if leaf.dtype != "f32":
            return None
        causal = next(one for one in signature.leaves if one.path == "causal").value == "True"
        return [jax.ShapeDtypeStruct(leaf.shape, "float32")] * 3, {"causal": causal}

    warmed = jitscope.warm(make_attention(), path, arguments=arguments)
    assert ["cannot", "compiled", "compiled"] == sorted(states(warmed))
    neither = jitscope.warm(make_attention(), path, arguments=lambda signature: 5)
    assert {"arguments= gave a int, and not (args, kwargs)"} == {one.why for one in neither.signatures}
    wrong = jitscope.warm(make_attention(), path, arguments=lambda signature: ((ONE, ONE, ONE), {"causal": True}))
    assert {"cannot"} == set(states(wrong))


def test_what_a_transformation_compiled_is_told_and_not_warmed(tmp_path):
    def traffic(f):
        jax.grad(lambda x: f(x).sum())(jnp.asarray(ONE))

    def make():
        @jax.jit
        def inner(x):
            return x * x

        return inner

    path = recorded_calls(tmp_path, make, traffic)
    warmed = jitscope.warm(make(), path)
    assert {"cannot"} == set(states(warmed))
    assert "warm the function that takes the gradient" in str(warmed)


def test_a_function_that_raises_while_it_is_traced_is_told_in_one_line(tmp_path):
    broken = []

    def make():
        @jax.jit
        def sometimes(x):
            if broken:
                raise ValueError("no\nmore")
            return x

        return sometimes

    path = recorded_calls(tmp_path, make, lambda f: f(ONE))
    broken.append(1)
    warmed = jitscope.warm(make(), path)
    assert [("failed", "ValueError: no")] == [(one.state, one.why) for one in warmed.signatures]


# -- how it is done ---------------------------------------------------------------------------------------


def test_the_most_valuable_come_first_and_the_budget_leaves_out_the_rest(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    warmed = jitscope.warm(make_attention(), path, max_seconds=1e-9)
    assert ["left_out"] * 3 == states(warmed)
    assert "left out: 3 signatures" in str(warmed)
    values = [one.calls * one.recorded_seconds for one in warmed.signatures]
    assert sorted(values, reverse=True) == values


@pytest.mark.parametrize("jobs", [1, 3])
def test_it_is_the_same_with_any_number_of_jobs(tmp_path, truth, jobs):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    attention = make_attention()
    warmed = jitscope.warm(attention, path, jobs=jobs)
    assert jobs == warmed.jobs
    assert warmed.ready
    assert compiles_nothing(truth, attention, attention_traffic)


def test_the_check_finds_what_would_compile_again(tmp_path, monkeypatch):
    from jitscope.capture.frameworks.jax_warm import JaxWarmer

    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    attention = make_attention()
    again = JaxWarmer.again

    def clear_first(self, made, settings):
        attention.clear_cache()
        return again(self, made, settings)

    monkeypatch.setattr(JaxWarmer, "again", clear_first)
    warmed = jitscope.warm(attention, path)
    assert not warmed.ready
    assert {"JAX would trace and lower and compile again"} == {one.again for one in warmed.signatures}
    assert "0 of 3 signatures ready" in str(warmed)


def test_what_was_warmed_before_is_there_already(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    attention = make_attention()
    jitscope.warm(attention, path)
    assert ["already"] * 3 == states(jitscope.warm(attention, path))


def test_settings_and_configuration_are_as_before(tmp_path):
    path = recorded_calls(tmp_path, make_anything, CALLS["x64"])
    before = dict(jax.config.values)
    jitscope.warm(make_anything(), path)
    assert before == dict(jax.config.values)


def test_a_watched_function_is_warmed_like_a_bare_one_and_without_calls(tmp_path, truth):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    attention = jitscope.watch(make_attention())
    assert jitscope.warm(attention, path).ready
    assert 0 == jitscope.stats(attention).calls
    assert compiles_nothing(truth, attention, attention_traffic)
    assert 0 == jitscope.stats(attention).hits - 3  # each signature once by dispatch, then a hit


# -- bad input ------------------------------------------------------------------------------------------


def test_what_is_not_compiled_is_refused(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    with pytest.raises(jitscope.JitscopeError, match="is not compiled: pass what"):
        jitscope.warm(lambda x: x, path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"jobs": 0}, "warm: jobs=0: give 1 or more"),
        ({"arguments": ["q"]}, "warm: arguments is a list: give a dict"),
    ],
)
def test_options_that_mean_nothing_are_refused(tmp_path, options, said):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    with pytest.raises(jitscope.JitscopeError, match=said):
        jitscope.warm(make_attention(), path, **options)


def test_a_recording_without_its_end_is_noted(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    *lines, _ = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines), encoding="utf-8")
    (note,) = jitscope.warm(make_attention(), path).notes
    assert "the recording has no end" in note


def test_another_program_is_refused_with_what_may_have_been_meant(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)

    @jax.jit
    def attentive(x):
        return x

    with pytest.raises(jitscope.JitscopeError, match=r"no function called .*attentive in run"):
        jitscope.warm(attentive, path)


def test_a_function_that_was_renamed_is_found_by_the_recorded_name(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)

    @functools.partial(jax.jit, static_argnames=("causal",))
    def renamed(q, k, v, causal=False):
        return q

    assert jitscope.warm(renamed, path, name="attention").ready


def test_a_function_with_other_parameters_is_told(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)

    @jax.jit
    def other(q, k):
        return q

    warmed = jitscope.warm(other, path, name="attention")
    assert {"v: the function has no such argument any more"} == {one.why for one in warmed.signatures}


def test_a_recording_of_another_version_is_noted(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    recording = load(path)
    header = msgspec.structs.replace(recording.header, versions=recording.header.versions | {"jax": "0.1.2"})
    events = tuple(one for one in recording.events if type(one).__name__ != "EndEvent")
    old = msgspec.structs.replace(recording, header=header, events=events)
    assert f"recorded with jax 0.1.2, and this is {jax.__version__}" in str(jitscope.warm(make_attention(), old))


def test_hostile_values_are_refused_and_run_nothing(tmp_path):
    path = recorded_calls(tmp_path, make_anything, lambda f: f(ONE, how="text"))
    recording = load(path)
    for value in ("__import__('os').abort()", "[" * 190, "Mode.__class__", "os.abort", "1" * 190 + "…", "\\\n"):
        events = tuple(
            msgspec.structs.replace(
                event,
                signature=msgspec.structs.replace(
                    event.signature,
                    leaves=tuple(
                        msgspec.structs.replace(leaf, value=value) if leaf.path == "how" else leaf
                        for leaf in event.signature.leaves
                    ),
                ),
            )
            if isinstance(event, SignatureEvent)
            else event
            for event in recording.events
        )
        warmed = jitscope.warm(make_anything(), msgspec.structs.replace(recording, events=events))
        assert ["cannot"] == states(warmed), value


# -- the file ---------------------------------------------------------------------------------------------

PROGRAM = """
import collections, dataclasses, enum, functools
import jax, jax.numpy as jnp, numpy as np

Pair = collections.namedtuple("Pair", "first second")

@jax.tree_util.register_dataclass
@dataclasses.dataclass
class Weights:
    a: jax.Array
    def __post_init__(self):
        if isinstance(self.a, np.ndarray):
            self.a = jnp.asarray(self.a)
        elif isinstance(self.a, jax.ShapeDtypeStruct):
            raise TypeError(self.a)
    def __getitem__(self, key):
        return self.a

class Mode(enum.Enum):
    FAST = 1

@functools.partial(jax.jit, static_argnames=("mode", "scale"))
def array(x, pair, *, mode, scale=1.0):  # called like a helper of the file
    return x * scale + pair.first["a"] + pair.second[0]

def traffic(array):
    ones = np.ones(3, np.float32)
    array(ones, Pair({"a": jnp.asarray(ones)}, [1.0, None]), mode=Mode.FAST)
    array(jax.device_put(ones, jax.devices()[0]), Pair({"a": ones}, (2,)), mode="it's", scale=float("inf"))
    array(ones, Pair(Weights(ones), [1.0]), mode=Mode.FAST)
    with jax.default_device("cpu"):
        array(ones, Pair(Weights(ones), [2]), mode=Mode.FAST)
    with jax.default_device(jax.devices()[0]):
        array(ones, Pair(Weights(ones), [3]), mode=Mode.FAST)
    with jax.default_matmul_precision("float32"):
        array(np.ones((2, 3), np.float16), Pair({"a": ones}, [jax.random.PRNGKey(0)[0], ()]), mode=None)
"""
COUNT = """
import collections, sys
assert "jitscope" not in sys.modules
import warm, program, jax
warm.main()
assert "jitscope" not in sys.modules
seen = collections.Counter()
jax.monitoring.register_event_duration_secs_listener(
    lambda name, seconds, **how: seen.update([(name.rpartition("/")[2], how.get("fun_name"))]))
program.traffic(program.array)
found = {key: n for key, n in seen.items() if key[1] in ("array", "jit(array)") and "trace" not in key[0]}
print(found)
"""


@pytest.fixture
def emitted(tmp_path):
    """The source of a file that warms what ``PROGRAM`` met, beside the program."""
    from jitscope.commands.importing import targets_of
    from jitscope.warming.emit import emit_script

    (tmp_path / "program.py").write_text(PROGRAM, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("program", tmp_path / "program.py")
    program = importlib.util.module_from_spec(spec)
    sys.modules["program"] = program
    try:
        spec.loader.exec_module(program)
        with jitscope.record(tmp_path / "run.jsonl"):
            program.traffic(jitscope.watch(program.array))
        yield lambda recording: emit_script(targets_of(["program:array"], None, ""), recording)
    finally:
        del sys.modules["program"]


def test_a_device_of_the_cpu_is_found_beside_a_gpu(monkeypatch):
    from jitscope.capture.frameworks.jax_types import device_named

    cpu = jax.devices("cpu")[0]
    monkeypatch.setattr(jax, "devices", lambda platform=None: [cpu] if platform == "cpu" else ["cuda:0"])
    assert ("cuda:0", cpu, None) == (device_named("cuda:0"), device_named(str(cpu)), device_named("cuda:1"))


def test_the_file_finds_a_device_of_the_cpu_beside_a_gpu(monkeypatch):
    from jitscope.render.warm_script_jax import _DEVICE

    cpu = jax.devices("cpu")[0]
    monkeypatch.setattr(jax, "devices", lambda platform=None: [cpu] if platform == "cpu" else ["cuda:0"])
    helpers = {"jax": jax}
    exec(_DEVICE, helpers)
    assert (cpu, "cuda:0") == (helpers["device"](str(cpu)), helpers["device"]("cuda:0"))
    with pytest.raises(LookupError, match="there is no device cuda:1 here"):
        helpers["device"]("cuda:1")


def test_the_file_compiles_all_without_jitscope(tmp_path, emitted):
    text, count, skipped = emitted(load(tmp_path / "run.jsonl"))
    assert (6, []) == (count, skipped)
    assert "import jitscope" not in text
    (tmp_path / "warm.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", COUNT], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
    )
    assert (0, "{}") == (done.returncode, done.stdout.strip()), done.stderr


def test_the_file_is_formatted_and_passes_a_linter(tmp_path, emitted):
    ruff = importlib.util.find_spec("ruff")
    if ruff is None:
        pytest.skip("ruff is not installed")
    text, _, _ = emitted(load(tmp_path / "run.jsonl"))
    (tmp_path / "warm.py").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.ruff]\nline-length = 120\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--line-length", "120", "warm.py"],
        cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stdout


def test_a_warm_up_prints_nothing_of_its_own_and_imports_no_other_framework(tmp_path):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    done = subprocesses.run(
        f"""
        import functools, sys, jax, jitscope
        @functools.partial(jax.jit, static_argnames=("causal",))
        def attention(q, k, v, causal=False):
            return q + k + v
        warmed = jitscope.warm(attention, {str(path)!r}, name="attention")
        assert warmed.ready
        assert "torch" not in sys.modules
        """
    )
    assert ("", "") == (done.stdout, done.stderr)


@pytest.mark.parametrize("switch", ["0", None])
def test_it_warms_where_jitscope_is_switched_off_too(tmp_path, switch):
    path = recorded_calls(tmp_path, make_attention, attention_traffic)
    done = subprocesses.run(
        f"""
        import functools, jax, jitscope, numpy as np
        @functools.partial(jax.jit, static_argnames=("causal",))
        def attention(q, k, v, causal=False):
            return q + k + v
        assert jitscope.warm(attention, {str(path)!r}, name="attention").ready
        seen = []
        jax.monitoring.register_event_duration_secs_listener(lambda name, *rest, **how: seen.append(name))
        q = np.ones((1, 8, 2, 4), np.float32)
        attention(q, q, q, causal=False)
        print([name for name in seen if "backend_compile" in name])
        """,
        **({"JITSCOPE": switch} if switch else {}),
    )
    assert "[]\n" == done.stdout
