"""JAX: what changes in the arguments."""

from __future__ import annotations

import collections
import dataclasses
import enum
import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import jitscope
from causes.jax_common import array, situation
from causes.situation import FIRST, because

# -- controls: nothing to compile again -----------------------------------------------------------


@situation("compile hit*5", [FIRST])
def the_same_types_hit():
    f = jitscope.jit(lambda x, y: x + y)
    for _ in range(6):
        f(array(3), array(3))


@situation("compile hit*3", [FIRST])
def values_of_python_numbers_do_not_matter():
    f = jitscope.jit(lambda x, lr: x * lr)
    for lr in (0.1, 0.2, 0.3, 1e9):
        f(array(3), lr)


@situation("compile hit*3", [FIRST])
def numpy_dtypes_that_are_one_to_jax():
    f = jitscope.jit(lambda x: x + 1)
    f(np.ones(3, np.float32))
    f(np.ones(3, np.float64))
    f(np.ones((3,), np.float32, order="F"))
    f(np.ones(6, np.float32)[::2])


@situation("compile hit hit", [FIRST])
def order_of_keywords_and_keys():
    f = jitscope.jit(lambda batch, a, b: batch["x"] + a + b)
    f({"x": array(3), "y": array(2)}, a=array(3), b=array(3))
    f({"x": array(3), "y": array(2)}, b=array(3), a=array(3))
    f({"y": array(2), "x": array(3)}, a=array(3), b=array(3))


@situation("compile compile hit*6", [FIRST, because(("shape", "x"))])
def two_shapes_take_turns():
    f = jitscope.jit(lambda x: x * 2)
    for size in (64, 32) * 4:
        f(array(size))


@situation("compile hit*4", [FIRST])
def donated_buffers_in_a_loop():
    step = jitscope.jit(lambda params, grad: params - grad, donate_argnames="params")
    params = array(8)
    for _ in range(5):
        params = step(params, array(8))


@dataclasses.dataclass(frozen=True)
class Config:
    width: int
    name: str = "net"


@situation("compile hit*3", [FIRST])
def equal_static_values():
    f = jitscope.jit(lambda x, cfg, mode: x * cfg.width, static_argnames=("cfg", "mode"))
    for suffix in ("n", "n", "n", "n"):
        f(array(3), Config(2), "trai" + suffix)


@situation("compile hit*3", [FIRST])
def values_of_prng_keys():
    f = jitscope.jit(lambda key, x: jax.random.bits(key, x.shape))
    for seed in range(4):
        f(jax.random.wrap_key_data(np.array([0, seed], np.uint32)), array(3))


# -- dispatch misses: a new entry, nothing compiled ------------------------------------------------


@situation("compile dispatch_miss hit hit", [FIRST])
def a_numpy_array_for_a_jax_array():
    f = jitscope.jit(lambda x: x + 1)
    f(array(3))
    f(np.ones(3, np.float32))
    f(np.ones(3, np.float32))
    f(array(3))


@situation("compile dispatch_miss hit", [FIRST])
def a_weak_array_for_a_python_number():
    f = jitscope.jit(lambda total, x: total + x.sum())
    f(0.0, array(3))
    f(jnp.asarray(0.0), array(3))
    f(1.0, array(3))


@situation("compile dispatch_miss hit", [FIRST])
def numpy_parameters_of_the_first_step():
    step = jitscope.jit(lambda params, x: {"w": params["w"] - x, "b": params["b"]})
    params = {"w": np.ones(4, np.float32), "b": np.zeros(2, np.float32)}
    for _ in range(3):
        params = step(params, array(4))


@situation("compile compile dispatch_miss", [FIRST, because(("shape", "x"))])
def a_new_shape_that_comes_as_numpy():
    f = jitscope.jit(lambda x: x + 1)
    f(array(3))
    f(np.ones(4, np.float32))
    f(array(4))


# -- shapes, ranks, dtypes ------------------------------------------------------------------------


@situation("compile hit compile", [FIRST, because(("shape", "x"))])
def the_last_batch_is_smaller():
    @jitscope.watch
    @jax.jit
    def loss(params, x):
        return (x @ params["w"]).sum()

    params = {"w": array(4, 2)}
    for size in (8, 8, 5):
        loss(params, array(size, 4))


@situation("compile*6", [FIRST, *[because(("shape", "tokens"))] * 5])
def a_sequence_that_grows():
    decode = jitscope.jit(lambda tokens: tokens.sum())
    for length in range(1, 7):
        decode(array(length, dtype=np.int32))


@situation("compile compile", [FIRST, because(("shape", "x"), ("shape", "y"))])
def shapes_of_two_arguments():
    f = jitscope.jit(lambda x, y, scale: (x * y).sum() * scale)
    f(array(3), array(3), 2.0)
    f(array(5), array(5), 2.0)


@situation("compile compile", [FIRST, because(("rank", "x"))])
def a_batch_axis_appears():
    f = jitscope.jit(lambda x: x.sum())
    f(array(4))
    f(array(1, 4))


@situation("compile compile compile", [FIRST, because(("dtype", "x")), because(("dtype", "x"))])
def half_precision():
    f = jitscope.jit(lambda x: x * 2)
    f(array(4))
    f(array(4, dtype=jnp.bfloat16))
    f(array(4, dtype=np.float16))


@situation("compile compile", [FIRST, because(("shape", "x"), ("dtype", "x"))])
def shape_and_dtype_of_one_argument():
    f = jitscope.jit(lambda x: x * 2)
    f(array(4))
    f(array(6, dtype=np.int32))


@situation("compile compile", [FIRST, because(("rank", "x"), ("dtype", "y"))])
def rank_of_one_and_dtype_of_another():
    f = jitscope.jit(lambda x, y: x.sum() + y)
    f(array(4), array())
    f(array(4, 2), array(dtype=np.int32))


@situation("compile compile compile", [FIRST, because(("shape", "x")), because(("dtype", "x"))])
def the_dtype_changes_back_at_the_first_shape():
    """The third call differs from the first in its dtype alone."""
    f = jitscope.jit(lambda x: x + x)
    f(array(64))
    f(array(32))
    f(array(64, dtype=np.float16))


@situation(
    "compile compile",
    [FIRST, because(("dtype", "params['layers'][0]['w']"), ("dtype", "params['layers'][1]['w']"))],
)
def weights_are_cast_and_biases_are_not():
    def apply(params, x):
        for layer in params["layers"]:
            x = x @ layer["w"] + layer["b"]
        return x

    f = jitscope.jit(apply)
    for dtype in (np.float32, np.float16):
        layers = [{"w": array(4, 4, dtype=dtype), "b": array(4)} for _ in range(2)]
        f({"layers": layers}, array(2, 4))


@situation("compile compile", [FIRST, because(("rank", "key"), ("dtype", "key"))])
def a_raw_key_then_a_typed_one():
    f = jitscope.jit(lambda key: key)
    data = np.array([0, 1], np.uint32)
    f(jnp.asarray(data))
    f(jax.random.wrap_key_data(data))


@situation("compile compile", [FIRST, because(("dtype", "key"))])
def keys_of_another_generator():
    f = jitscope.jit(lambda key: key)
    f(jax.random.wrap_key_data(np.zeros(2, np.uint32), impl="threefry2x32"))
    f(jax.random.wrap_key_data(np.zeros(4, np.uint32), impl="rbg"))


@situation("compile compile hit", [FIRST, because(("shape", "indices"), ("dtype", "mask"))])
def an_empty_batch_with_another_mask():
    f = jitscope.jit(lambda x, indices, mask: x[indices].sum() + mask.sum())
    f(array(9), array(4, dtype=np.int32), array(4, dtype=bool))
    f(array(9), array(0, dtype=np.int32), array(4, dtype=np.int8))
    f(array(9), array(0, dtype=np.int32), array(4, dtype=np.int8))


# -- Python numbers and weak types ----------------------------------------------------------------


@situation("compile compile hit hit", [FIRST, because(("weak_type", "total"))])
def a_carry_that_begins_as_a_python_number():
    @jitscope.watch
    @jax.jit
    def add(total, x):
        return total + x.sum()

    total = 0.0
    for _ in range(4):
        total = add(total, array(3))


@situation("compile compile", [FIRST, because(("weak_type", "state['step']"))])
def a_weak_counter_in_a_tree():
    f = jitscope.jit(lambda state, x: {"step": state["step"] + 1, "w": state["w"] * x})
    f({"step": jnp.asarray(0), "w": array(3)}, array(3))
    f({"step": array(dtype=np.int32), "w": array(3)}, array(3))


@situation("compile compile", [FIRST, because(("weak_type", "n"))])
def a_numpy_integer_for_a_python_one():
    f = jitscope.jit(lambda x, n: x * n)
    f(array(3), 1)
    f(array(3), np.int32(1))


@situation("compile compile", [FIRST, because(("weak_type", "lr"), ("shape", "x"))])
def a_strong_learning_rate_and_a_new_shape():
    f = jitscope.jit(lambda x, lr: x * lr)
    f(array(3), 0.5)
    f(array(4), np.float32(0.5))


@situation("compile compile hit", [FIRST, because(("dtype", "n"))])
def an_integer_then_a_float():
    f = jitscope.jit(lambda x, n: x * n)
    f(array(3), 1)
    f(array(3), 1.5)
    f(array(3), 2)


@situation("compile compile", [FIRST, because(("dtype", "flag"))])
def an_integer_then_a_bool():
    f = jitscope.jit(lambda x, flag: jnp.where(flag, x, -x))
    f(array(3), 1)
    f(array(3), True)


@situation("compile compile", [FIRST, because(("dtype", "n"), ("weak_type", "n"))])
def a_python_integer_then_a_float_array():
    f = jitscope.jit(lambda x, n: x * n)
    f(array(3), 2)
    f(array(3), array())


# -- None and containers --------------------------------------------------------------------------


@situation("compile compile hit", [FIRST, because(("python_type", "mask"))])
def none_then_an_array():
    def attend(x, mask):
        return x if mask is None else x * mask

    f = jitscope.jit(attend)
    f(array(3), None)
    f(array(3), array(3))
    f(array(3), None)


@situation("compile compile", [FIRST, because(("python_type", "batch['mask']"), ("shape", "batch['x']"))])
def an_array_then_none_in_a_dict_and_a_shape():
    f = jitscope.jit(lambda batch: batch["x"] * 2)
    f({"x": array(3), "mask": array(3)})
    f({"x": array(4), "mask": None})


@situation("compile compile", [FIRST, because(("tree_structure", "batch['y']"))])
def a_key_appears():
    f = jitscope.jit(lambda batch: batch["x"] * 2)
    f({"x": array(3)})
    f({"x": array(3), "y": array(2)})


@situation(
    "compile compile", [FIRST, because(("tree_structure", "batch['image']"), ("tree_structure", "batch['img']"))]
)
def a_key_is_renamed():
    f = jitscope.jit(lambda batch: sum(x.sum() for x in batch.values()))
    f({"image": array(3), "label": array(2)})
    f({"img": array(3), "label": array(2)})


@situation(
    "compile compile compile", [FIRST, because(("tree_structure", "xs[2]")), because(("tree_structure", "xs[3]"))]
)
def a_list_that_grows():
    f = jitscope.jit(lambda xs: sum(x.sum() for x in xs))
    for count in (2, 3, 4):
        f([array(3)] * count)


@situation("compile compile", [FIRST, because(("tree_structure", "xs"))])
def a_list_then_a_tuple():
    f = jitscope.jit(lambda xs: xs[0] + xs[1])
    f([array(3), array(3)])
    f((array(3), array(3)))


@situation("compile compile", [FIRST, because(("tree_structure", "cache['old']"), ("shape", "cache['x']"))])
def a_key_disappears_and_a_shape_changes():
    f = jitscope.jit(lambda cache, y: cache["x"].sum() + y)
    f({"x": array(3), "old": array(3)}, 1.0)
    f({"x": array(4)}, 1.0)


@situation("compile compile", [FIRST, because(("tree_structure", "p"))])
def a_namedtuple_class_made_again():
    f = jitscope.jit(lambda p: p[0] + p[1])
    for _ in range(2):
        point = collections.namedtuple("Point", "a b")  # noqa: PYI024
        f(point(array(3), array(3)))


@situation("compile compile", [FIRST, because(("tree_structure", "counts"))])
def a_defaultdict_with_another_factory():
    f = jitscope.jit(lambda counts: counts["a"] + 1)
    f(collections.defaultdict(int, {"a": array(3)}))
    f(collections.defaultdict(float, {"a": array(3)}))


@functools.partial(jax.tree_util.register_dataclass, data_fields=["w"], meta_fields=["lr"])
@dataclasses.dataclass
class State:
    w: Any
    lr: float


@situation("compile hit compile", [FIRST, because(("tree_structure", "state.lr"))])
def a_metadata_field():
    f = jitscope.jit(lambda state: state.w * state.lr)
    for lr in (0.1, 0.1, 0.05):
        f(State(array(3), lr))


@situation("compile compile", [FIRST, because(("tree_structure", "state.lr"), ("shape", "state.w"))])
def a_metadata_field_and_a_data_field():
    f = jitscope.jit(lambda state: state.w * state.lr)
    f(State(array(3), 0.1))
    f(State(array(4), 0.2))


@jax.tree_util.register_pytree_node_class
class Layer:
    def __init__(self, w, depth):
        self.w, self.depth = w, depth

    def tree_flatten(self):
        return (self.w,), self.depth

    @classmethod
    def tree_unflatten(cls, depth, children):
        return cls(*children, depth)


@situation("compile compile", [FIRST, because(("tree_structure", "net['head']"))])
def auxiliary_data_of_a_node():
    f = jitscope.jit(lambda net, x: net["head"].w * x)
    f({"head": Layer(array(3), 1)}, array(3))
    f({"head": Layer(array(3), 2)}, array(3))


@situation("compile compile compile", [FIRST, *[because(("tree_structure", "fn"))] * 2])
def a_lambda_in_a_partial_node():
    f = jitscope.jit(lambda fn, x: fn(x))
    for _ in range(3):
        f(jax.tree_util.Partial(lambda x: x + 1), array(3))


# -- how arguments are passed ---------------------------------------------------------------------


@situation("compile compile hit", [FIRST, because(("argument_passing", "y"))])
def by_position_then_by_keyword():
    f = jitscope.jit(lambda x, y: x + y)
    f(array(3), array(3))
    f(array(3), y=array(3))
    f(array(3), array(3))


@situation("compile compile", [FIRST, because(("argument_passing", "causal"))])
def a_static_default_is_spelled_out():
    f = jitscope.jit(lambda x, causal=True: x if causal else -x, static_argnames="causal")
    f(array(3))
    f(array(3), causal=True)


@situation("compile compile", [FIRST, because(("argument_passing", "scale"))])
def a_dynamic_default_is_spelled_out():
    f = jitscope.jit(lambda x, scale=2.0: x * scale)
    f(array(3))
    f(array(3), 2.0)


@situation("compile compile", [FIRST, because(("argument_passing", "y"), ("shape", "x"))])
def by_keyword_and_another_shape():
    f = jitscope.jit(lambda x, y: x.sum() + y)
    f(array(3), 1.0)
    f(array(5), y=1.0)


@situation("compile compile", [FIRST, because(("argument_passing", "n"))])
def a_static_by_keyword_then_by_position():
    f = jitscope.jit(lambda x, n: x * n, static_argnums=1)
    f(array(3), n=2)
    f(array(3), 2)


@situation("compile compile", [FIRST, because(("tree_structure", "xs[2]"))])
def one_more_of_star_args():
    f = jitscope.jit(lambda *xs: sum(x.sum() for x in xs))
    f(array(3), array(3))
    f(array(3), array(3), array(3))


# -- static arguments -----------------------------------------------------------------------------


@situation("compile compile hit compile", [FIRST, because(("static_value", "n")), because(("static_value", "n"))])
def static_integers():
    f = jitscope.jit(lambda x, n: x * n, static_argnums=1)
    for n in (1, 2, 1, 3):
        f(array(3), n)


@situation("compile compile", [FIRST, because(("static_value", "mode"))])
def a_static_string():
    f = jitscope.jit(lambda x, mode: x, static_argnames="mode")
    f(array(3), mode="train")
    f(array(3), mode="eval")


class Mode(enum.Enum):
    TRAIN = 1
    EVAL = 2


@situation("compile compile hit*2", [FIRST, because(("static_value", "mode"))])
def a_static_enum():
    f = jitscope.jit(lambda x, mode: x, static_argnames="mode")
    for mode in (Mode.TRAIN, Mode.EVAL, Mode.TRAIN, Mode.EVAL):
        f(array(3), mode=mode)


@situation("compile compile compile", [FIRST, because(("python_type", "n")), because(("python_type", "n"))])
def static_values_equal_but_for_their_type():
    f = jitscope.jit(lambda x, n: x * 2, static_argnums=1)
    for n in (1, 1.0, True):
        f(array(3), n)


@situation("compile compile", [FIRST, because(("static_value", "cfg"))])
def a_frozen_dataclass_changes():
    f = jitscope.jit(lambda x, cfg: x * cfg.width, static_argnames="cfg")
    f(array(3), Config(2))
    f(array(3), Config(4))


class Plain:
    """Compared by identity."""


@situation("compile compile compile", [FIRST, because(("static_value", "cfg")), because(("static_value", "cfg"))])
def static_objects_compared_by_identity():
    f = jitscope.jit(lambda x, cfg: x * 2, static_argnames="cfg")
    for cfg in [Plain(), Plain(), Plain()]:
        f(array(3), cfg=cfg)


@situation("compile compile", [FIRST, because(("static_value", "activation"))])
def a_lambda_as_a_static_argument():
    f = jitscope.jit(lambda x, activation: activation(x), static_argnames="activation")
    for _ in range(2):
        f(array(3), activation=lambda x: x * 2)


@situation("compile compile", [FIRST, because(("static_value", "sizes"), ("shape", "x"))])
def a_static_tuple_and_a_shape():
    f = jitscope.jit(lambda x, sizes: x.reshape(sizes), static_argnames="sizes")
    f(array(4), (2, 2))
    f(array(6), (2, 3))


@situation("compile compile", [FIRST, because(("static_value", "heads"), ("static_value", "causal"), ("dtype", "q"))])
def two_static_values_and_a_dtype():
    f = jitscope.jit(lambda q, heads, causal: q * heads, static_argnames=("heads", "causal"))
    f(array(4), heads=2, causal=True)
    f(array(4, dtype=np.float16), heads=4, causal=False)


@situation("compile compile hit", [FIRST, because(("static_value", "self"))])
def a_method_with_a_static_self():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        @jitscope.watch
        @functools.partial(jax.jit, static_argnums=0)
        def apply(self, x):
            return x * self.scale

    first, second = Model(1.0), Model(2.0)
    first.apply(array(3))
    second.apply(array(3))
    first.apply(array(3))


@situation("compile compile error", [FIRST, because(("static_value", "axes"))])
def a_static_list_is_refused():
    f = jitscope.jit(lambda x, axes: x.sum(axes), static_argnames="axes")
    f(array(2, 3), axes=0)
    f(array(2, 3), axes=1)
    try:
        f(array(2, 3), axes=[0, 1])
    except ValueError:
        pass
    else:
        raise AssertionError
