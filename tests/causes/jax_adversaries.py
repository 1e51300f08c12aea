"""JAX: what adversaries found: programs made to mislead jitscope, each of which once did."""

from __future__ import annotations

import collections
import dataclasses
import functools
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, NamedSharding
from jax.sharding import PartitionSpec as P

import jitscope
from causes.jax_common import RECOMPILED, RELOWERED, array, mesh, situation
from causes.situation import FIRST, FULL, because

CLEARED = because(("cache_cleared", None))


@functools.partial(jax.tree_util.register_dataclass, data_fields=["x"], meta_fields=["meta"])
@dataclasses.dataclass
class Holder:
    x: Any
    meta: Any


# -- values that print alike and differ -----------------------------------------------------------


class Model:
    def apply(self, x):
        return x * 2


@situation("compile hit compile", [FIRST, because(("tree_structure", "state.meta"))])
def a_method_of_another_instance_in_the_metadata():
    f = jitscope.jit(lambda state: state.meta(state.x))
    first, second = Model(), Model()
    for model in (first, first, second):
        f(Holder(array(3), model.apply))


@situation("compile compile", [FIRST, because(("tree_structure", "state.meta"))])
def a_partial_made_anew_in_the_metadata():
    f = jitscope.jit(lambda state: state.x)
    for _ in range(2):
        f(Holder(array(3), functools.partial(max, 1)))


@situation("compile compile", [FIRST, because(("tree_structure", "state.meta"))])
def a_lambda_inside_a_tuple_in_the_metadata():
    f = jitscope.jit(lambda state: state.x)
    for _ in range(2):
        f(Holder(array(3), (1, lambda x: x)))


@situation("compile hit compile", [FIRST, because(("static_value", "act"))])
def static_methods_of_two_instances():
    f = jitscope.jit(lambda x, act: act(x), static_argnames="act")
    first, second = Model(), Model()
    for model in (first, first, second):
        f(array(3), act=model.apply)


@situation("compile compile hit", [FIRST, because(("static_value", "n"))])
def static_numbers_of_numpy():
    f = jitscope.jit(lambda x, n: x * n, static_argnums=1)
    for n in (4, 5, 4):
        f(array(3), np.int64(n))


@situation("compile compile", [FIRST, because(("static_value", "axis"))])
def minus_one_and_minus_two():
    """CPython gives the two of them, and tuples of them, one hash."""
    f = jitscope.jit(lambda x, axis: x.sum(axis), static_argnums=1)
    for axis in (-1, -2):
        f(array(3, 3), (axis,))


@dataclasses.dataclass(frozen=True)
class Settings:
    width: int
    seed: int = dataclasses.field(default=0, repr=False)
    name: str = dataclasses.field(default="", compare=False)


@situation("compile compile", [FIRST, because(("static_value", "cfg"))])
def a_field_that_is_not_printed():
    f = jitscope.jit(lambda x, cfg: x * cfg.width, static_argnames="cfg")
    for seed in (1, 2):
        f(array(3), cfg=Settings(2, seed))


Wide = dataclasses.make_dataclass("Wide", [(f"field_number_{n}", int, n) for n in range(40)], frozen=True)


@situation("compile compile", [FIRST, because(("static_value", "cfg"))])
def one_field_of_a_wide_config():
    f = jitscope.jit(lambda x, cfg: x, static_argnames="cfg")
    for value in (1, 2):
        f(array(3), cfg=Wide(field_number_39=value))


@situation("compile compile", [FIRST, because(("tree_structure", "state.meta.field_number_39"))])
def one_field_of_a_wide_config_in_the_metadata():
    f = jitscope.jit(lambda state: state.x)
    for value in (1, 2):
        f(Holder(array(3), Wide(field_number_39=value)))


class OneHash:
    """Its hash tells nothing."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, OneHash) and self.value == other.value

    def __hash__(self):
        return 1


@situation("compile hit compile", [FIRST, because(("tree_structure", "state.meta"), ("static_value", "cfg"))])
def values_that_differ_under_one_hash():
    f = jitscope.jit(lambda state, cfg: state.x, static_argnames="cfg")
    for value in (1, 1, 2):
        f(Holder(array(3), OneHash(value)), cfg=OneHash(value))


# -- values that print otherwise and are equal ----------------------------------------------------


class Equal:
    """Compared by its value; printed by its address."""

    def __init__(self, value):
        self.value = value

    def __eq__(self, other):
        return isinstance(other, Equal) and self.value == other.value

    def __hash__(self):
        return hash(self.value)


@situation("compile hit compile", [FIRST, because(("shape", "x"))])
def equal_objects_at_other_addresses():
    f = jitscope.jit(lambda x, state, cfg: x * cfg.value, static_argnames="cfg")
    kept = [Equal(2) for _ in range(6)]
    for n, size in enumerate((3, 3, 4)):
        f(array(size), Holder(array(3), kept[n]), cfg=kept[-1 - n])


@situation("compile hit compile", [FIRST, because(("shape", "x"))])
def a_field_that_is_not_compared():
    f = jitscope.jit(lambda x, cfg: x * cfg.width, static_argnames="cfg")
    for name, size in (("a", 3), ("b", 3), ("c", 4)):
        f(array(size), cfg=Settings(2, name=name))


@situation("compile hit compile", [FIRST, because(("shape", "state.x"))])
def metadata_that_is_equal_in_another_type():
    f = jitscope.jit(lambda state: state.x)
    for meta, size in ((1, 3), (1.0, 3), (True, 4)):
        f(Holder(array(size), meta))


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no repr")


@situation("compile compile", [FIRST, because(("shape", "state.x"))])
def metadata_that_cannot_be_printed():
    f = jitscope.jit(lambda state: state.x)
    meta = Unprintable()
    for size in (3, 4):
        f(Holder(array(size), meta))


# -- containers around nothing, and many at once --------------------------------------------------


class Empty(NamedTuple):
    """As the states of optimizers that keep nothing."""


class Moments(NamedTuple):
    """As the state of one that keeps something for each parameter."""

    mean: Any
    var: Any


@situation("compile compile", [FIRST, because(("tree_structure", "state"))])
def one_more_container_without_leaves():
    f = jitscope.jit(lambda x, state: x)
    for count in (2, 3):
        f(array(3), (Empty(),) * count)


@situation("compile compile compile", [FIRST, *[because(("tree_structure", "t"))] * 2])
def an_ordered_dict_and_its_order():
    f = jitscope.jit(lambda t: t["a"] + t["b"])
    x = array(3)
    f({"a": x, "b": x})
    f(collections.OrderedDict(a=x, b=x))
    f(collections.OrderedDict(b=x, a=x))


@situation("compile compile compile", [FIRST, *[because(("tree_structure", "t"))] * 2])
def empty_containers_of_other_types():
    f = jitscope.jit(lambda x, t: x)
    for empty in ({}, (), None):
        f(array(3), empty)


@situation("compile compile", [FIRST, because(("tree_structure", "state[0]"))])
def a_state_of_another_optimizer():
    """The leaves that come with it are part of the one change."""
    f = jitscope.jit(lambda state: state)
    params = {f"w{n}": array(3) for n in range(30)}
    f((Empty(), Empty()))
    f((Moments(params, params), Empty()))


# -- function objects -----------------------------------------------------------------------------


@situation("compile hit compile hit", [FIRST, because(("shape", "x"))])
def two_jits_of_one_function_share_its_programs():
    def double(x):
        return x * 2

    one, other = jitscope.jit(double), jitscope.jit(double)
    one(array(3))
    one(array(3))
    other(array(4))
    other(array(3))


@situation(
    "compile hit compile compile",
    [FIRST, because(("shape", "t['a']")), because(("static_value", "n")), because(("shape", "t['a']"))],
)
def a_call_past_the_wrapper():
    """The second program is compiled by the bare function: no call of the watched one."""
    bare = functools.partial(jax.jit, static_argnums=1)(lambda t, n: t["a"] * n)
    f = jitscope.watch(bare)
    f({"a": array(3)}, 2)
    bare({"a": array(4)}, 2)
    f({"a": array(4)}, 2)
    f({"a": array(4)}, 3)
    f({"a": array(5)}, 3)


class Loss:
    def __call__(self, x):
        return (jnp.sin(x) * x).sum()


def wrapped(function):
    @functools.wraps(function)
    def inner(*args):
        return function(*args)

    return inner


@situation(
    "",
    [FIRST, because(("backward", "loss")), FIRST, because(("backward", "loss")), FIRST, because(("backward", "Loss"))],
    layers=[RELOWERED] * 6,
)
def gradients_of_what_stands_around_a_function():
    def loss(scale, x):
        return (jnp.sin(x) * scale).sum()

    jax.grad(jitscope.jit(wrapped(functools.partial(loss, 2.0))))(array(3))
    jax.grad(jitscope.jit(functools.partial(wrapped(loss), 2.0)))(array(3))
    jax.grad(jitscope.jit(Loss()))(array(3))


@situation("", [FIRST, because(("backward", "checkpoint(loss)"))], layers=[RELOWERED] * 2)
def the_gradient_of_a_checkpoint():
    def loss(x):
        return (jnp.sin(x) * x).sum()

    jax.grad(jitscope.jit(jax.checkpoint(loss)))(array(3))


# -- settings and caches --------------------------------------------------------------------------


@situation("compile compile hit hit", [FIRST, because(("config", "jax_enable_x64"), ("dtype", "n"))])
def x64_for_a_python_number():
    f = jitscope.jit(lambda n: n * 2)
    f(1.0)
    with jax.enable_x64(True):
        f(1.0)
        f(2.0)
    f(2.0)


@situation("", [FIRST, CLEARED], layers=[RELOWERED] * 2)
def a_vmap_after_all_caches_were_cleared():
    f = jitscope.jit(lambda x: x * 2)
    jax.vmap(f)(array(2, 3))
    jax.clear_caches()
    jax.vmap(f)(array(2, 3))


@situation("compile", [FIRST, because(("options", "compiler_options"))], layers=[FULL, RECOMPILED])
def compiled_ahead_with_options_of_its_own():
    f = jitscope.jit(lambda x: x * 2)
    f.lower(array(3)).compile(compiler_options={"xla_cpu_enable_fast_math": True})
    f(array(3))


@situation("compile", [FIRST, because(("config", "jax_default_matmul_precision"))])
def lowered_under_a_setting_and_compiled_outside():
    f = jitscope.jit(lambda x: x @ x)
    f(array(3, 3))
    with jax.default_matmul_precision("float32"):
        lowered = f.lower(array(3, 3))
    lowered.compile()


@situation("", [FIRST, *[because(("sharding", "x"))] * 2], layers=[FULL, FULL, RELOWERED])
def shardings_of_abstract_values():
    f = jitscope.jit(lambda x: x * 2)
    for spec in (None, P("x"), P()):
        sharding = NamedSharding(mesh("x"), spec) if spec is not None else None
        f.lower(jax.ShapeDtypeStruct((8,), np.float32, sharding=sharding)).compile()


@situation("compile compile", [FIRST, because(("config", "mesh"))])
def inside_a_mesh_of_other_devices():
    f = jitscope.jit(lambda x: x * 2)
    x = array(8)
    for devices in (jax.devices()[:2], jax.devices()[2:4]):
        with Mesh(np.array(devices), ("x",)):
            f(x)


@situation("error compile", [FIRST], layers=[RECOMPILED])
def a_program_that_the_compiler_refuses():
    """What was lowered for it is used; no program came of it."""

    def double(x):
        return x * 2

    try:
        jitscope.jit(double, compiler_options={"no_such_option": True})(array(3))
    except jax.errors.JaxRuntimeError:
        pass
    else:
        raise AssertionError
    jitscope.jit(double)(array(3))


# -- inside of a region ---------------------------------------------------------------------------


@situation("compile compile hit", [FIRST, because(("static_value", "n"))])
def a_static_argument_inside_a_region():
    body = functools.partial(jax.jit, static_argnums=1)(lambda x, n: x * n)

    @jitscope.watch
    def step(n):
        return body(array(3), n)

    for n in (1, 2, 1):
        step(n)


@situation(
    "compile*3",
    [FIRST, because(("committed", "x")), because(("device", "x"))],
    layers=[FULL, RELOWERED, RECOMPILED],
)
def placement_inside_a_region():
    body = jax.jit(lambda x: x * 2)

    @jitscope.watch
    def step(x):
        return body(x)

    step(array(3))
    for device in jax.devices()[:2]:
        step(jax.device_put(np.ones(3, np.float32), device))


@situation("compile*2", [FIRST, because(("options", "donate_argnums"))], layers=[FULL, RELOWERED])
def options_inside_a_region():
    def double(x):
        return x * 2

    @jitscope.watch
    def step(donated):
        return jax.jit(double, donate_argnums=donated)(array(3))

    step(())
    step((0,))


@situation("compile", [FIRST, FIRST])
def two_gradients_inside_a_region():
    """Of two lambdas: the wrappers that `jax.grad` makes are all of one line."""

    @jitscope.watch
    def step(x):
        square = jax.jit(jax.grad(lambda x: (x * x).sum()))
        cube = jax.jit(jax.grad(lambda x: (x * x * x).sum()))
        return square(x), cube(x)

    step(array(3))


@situation("compile*2", [FIRST, because(("new_function", "scale"))])
def a_partial_made_anew_inside_a_region():
    def scale(factor, x):
        return factor * x

    @jitscope.watch
    def step(x):
        return jax.jit(functools.partial(scale, 2.0))(x)

    for _ in range(2):
        step(array(3))


@situation("compile*2", [FIRST, FIRST])
def eager_operations_with_other_parameters_inside_a_region():
    @jitscope.watch
    def step(x, axes):
        return jax.lax.transpose(x, axes)

    step(array(3, 3, 3), (1, 0, 2))
    step(array(3, 3, 3), (2, 1, 0))


@situation("compile compile", [FIRST, CLEARED])
def a_region_after_all_caches_were_cleared():
    body = jax.jit(lambda x: jnp.sin(x) + 1)

    @jitscope.watch
    def step(x):
        return body(x)

    step(array(3))
    jax.clear_caches()
    step(array(3))
