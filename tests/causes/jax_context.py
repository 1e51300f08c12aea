"""JAX: settings, meshes, and where the arguments are placed."""

from __future__ import annotations

import contextlib
import threading

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental.layout import Format, Layout
from jax.sharding import AxisType, Mesh, NamedSharding, SingleDeviceSharding
from jax.sharding import PartitionSpec as P

import jitscope
from causes.jax_common import RECOMPILED, RELOWERED, array, mesh, situation
from causes.situation import FIRST, FULL, because


@contextlib.contextmanager
def updated(name, value):
    """A setting changed for the whole process, and back."""
    before = getattr(jax.config, name)
    jax.config.update(name, value)
    try:
        yield
    finally:
        jax.config.update(name, before)


def placed(sharding, *shape, dtype=np.float32):
    """An array on these devices, committed."""
    return jax.device_put(np.ones(shape, dtype), sharding)


# -- settings -------------------------------------------------------------------------------------


@situation("compile hit*4", [FIRST])
def settings_that_no_program_depends_on():
    f = jitscope.jit(lambda x: x + 1)
    f(array(3))
    with jax.transfer_guard("allow"):
        f(array(3))
    with jax.named_scope("scope"):
        f(array(3))
    with jax.default_prng_impl("rbg"):
        f(array(3))
    with jax.numpy_rank_promotion("allow"):
        f(array(3))


@situation("compile compile hit", [FIRST, because(("config", "jax_default_matmul_precision"))])
def the_matmul_precision():
    f = jitscope.jit(lambda x: x @ x)
    f(array(3, 3))
    with jax.default_matmul_precision("float32"):
        f(array(3, 3))
    f(array(3, 3))


@situation("compile compile hit hit", [FIRST, because(("config", "jax_default_matmul_precision"))])
def the_matmul_precision_of_the_process():
    f = jitscope.jit(lambda x: x @ x)
    f(array(3, 3))
    with updated("jax_default_matmul_precision", "highest"):
        f(array(3, 3))
        f(array(3, 3))
    f(array(3, 3))


@situation("compile compile hit", [FIRST, because(("config", "jax_enable_x64"))])
def x64_for_the_same_array():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    with jax.enable_x64(True):
        f(array(3))
        f(array(3))


@situation("compile compile", [FIRST, because(("config", "jax_enable_x64"), ("dtype", "x"))])
def x64_and_a_double():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    with updated("jax_enable_x64", True):
        f(array(3, dtype=np.float64))


@situation("compile compile", [FIRST, because(("config", "jax_default_device"))])
def the_default_device():
    f = jitscope.jit(lambda x: x * 2)
    x = array(3)
    f(x)
    with jax.default_device(jax.devices()[0]):
        f(x)


@situation("compile compile", [FIRST, because(("config", "jax_numpy_rank_promotion"))])
def rank_promotion():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    with jax.numpy_rank_promotion("raise"):
        f(array(3))


@situation("compile compile", [FIRST, because(("config", "jax_numpy_dtype_promotion"))])
def dtype_promotion():
    f = jitscope.jit(lambda x: x + x)
    f(array(3))
    with jax.numpy_dtype_promotion("strict"):
        f(array(3))


@situation("compile compile", [FIRST, because(("config", "jax_threefry_partitionable"))])
def partitionable_random_numbers():
    f = jitscope.jit(lambda key: jax.random.bits(key, (4,)))
    key = jax.random.wrap_key_data(np.zeros(2, np.uint32))
    f(key)
    with jax.threefry_partitionable(not jax.config.jax_threefry_partitionable):
        f(key)


@situation("compile compile", [FIRST, because(("config", "jax_debug_key_reuse"))])
def checks_of_key_reuse():
    f = jitscope.jit(lambda x: x - 1)
    f(array(3))
    with jax.debug_key_reuse(True):
        f(array(3))


@situation("compile compile", [FIRST, because(("config", "jax_random_seed_offset"))])
def an_offset_of_seeds():
    f = jitscope.jit(lambda x: x - 1)
    f(array(3))
    with updated("jax_random_seed_offset", 1):
        f(array(3))


@situation(
    "compile compile",
    [FIRST, because(("config", "jax_default_matmul_precision"), ("config", "jax_numpy_rank_promotion"))],
)
def two_settings_at_once():
    f = jitscope.jit(lambda x: x @ x)
    f(array(3, 3))
    with jax.default_matmul_precision("bfloat16"), jax.numpy_rank_promotion("warn"):
        f(array(3, 3))


@situation(
    "compile compile",
    [FIRST, because(("config", "jax_default_matmul_precision"), ("shape", "x"), ("static_value", "n"))],
)
def a_setting_a_shape_and_a_static_value():
    f = jitscope.jit(lambda x, n: (x @ x) * n, static_argnames="n")
    f(array(3, 3), n=1)
    with jax.default_matmul_precision("float32"):
        f(array(4, 4), n=2)


@situation(
    "compile compile compile hit",
    [FIRST, because(("config", "jax_default_matmul_precision")), because(("shape", "x"))],
)
def a_setting_then_a_shape_under_it():
    f = jitscope.jit(lambda x: x @ x)
    f(array(3, 3))
    with jax.default_matmul_precision("float32"):
        f(array(3, 3))
        f(array(4, 4))
    f(array(3, 3))


@situation("compile compile hit", [FIRST, because(("config", "jax_enable_x64"))])
def another_thread_has_another_setting():
    f = jitscope.jit(lambda x: x * 2)
    x = array(3)
    f(x)

    def work():
        with jax.enable_x64(True):
            f(x)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    f(x)


@situation("compile compile hit", [FIRST, because(("config", "mesh"))])
def inside_a_mesh():
    f = jitscope.jit(lambda x: x * 2)
    f(array(4))
    with mesh("x"):
        f(array(4))
    f(array(4))


@situation("compile compile", [FIRST, because(("config", "mesh"))])
def a_mesh_set():
    f = jitscope.jit(lambda x: x * 2)
    f(array(4))
    with jax.set_mesh(mesh("x")):
        f(array(4))


@situation("compile compile hit", [FIRST, because(("config", "mesh"))])
def two_meshes():
    f = jitscope.jit(lambda x: x * 2)
    for axes in (("x",), ("x", "y"), ("x",)):
        with jax.set_mesh(mesh(*axes)):
            f(array(4))


@situation("compile compile", [FIRST, because(("config", "mesh"), ("dtype", "x"))])
def a_mesh_and_a_dtype():
    f = jitscope.jit(lambda x: x * 2)
    f(array(4))
    with jax.set_mesh(mesh("x")):
        f(array(4, dtype=np.int32))


# -- placement ------------------------------------------------------------------------------------


@situation("compile compile hit hit", [FIRST, because(("committed", "x"))], layers=[FULL, RELOWERED])
def a_committed_array():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    committed = jax.device_put(array(3), jax.devices()[0])
    f(committed)
    f(committed)
    f(array(3))


@situation(
    "compile compile",
    [FIRST, because(("committed", "params['b']"), ("committed", "params['w']"))],
    layers=[FULL, RELOWERED],
)
def committed_parameters():
    f = jitscope.jit(lambda params, x: x @ params["w"] + params["b"])
    params = {"w": array(3, 2), "b": array(2)}
    f(params, array(4, 3))
    f(jax.device_put(params, jax.devices()[0]), array(4, 3))


@situation("compile compile", [FIRST, because(("committed", "x"), ("shape", "x"))])
def a_committed_array_of_another_shape():
    f = jitscope.jit(lambda x: x * 2)
    f(array(3))
    f(jax.device_put(array(4), jax.devices()[0]))


@situation("compile compile", [FIRST, because(("device", "x"))], layers=[FULL, RECOMPILED])
def another_device():
    f = jitscope.jit(lambda x: x * 2)
    for device in jax.devices()[:2]:
        f(jax.device_put(array(3), device))


@situation("compile compile hit hit", [FIRST, because(("sharding", "x"))], layers=[FULL, RELOWERED])
def replicated_then_sharded():
    f = jitscope.jit(lambda x: x * 2)
    for spec in (P(), P("x"), P("x"), P()):
        f(placed(NamedSharding(mesh("x"), spec), 8))


@situation("compile compile", [FIRST, because(("sharding", "x"))])
def one_device_then_a_mesh():
    f = jitscope.jit(lambda x: x * 2)
    f(array(8))
    f(placed(NamedSharding(mesh("x"), P("x")), 8))


@situation("compile compile", [FIRST, because(("sharding", "x"))])
def a_mesh_axis_renamed():
    f = jitscope.jit(lambda x: x * 2)
    for axis in ("x", "data"):
        f(placed(NamedSharding(mesh(axis), P(axis)), 8))


@situation("compile compile", [FIRST, because(("sharding", "x"))], layers=[FULL, RECOMPILED])
def a_mesh_of_other_devices():
    f = jitscope.jit(lambda x: x * 2)
    devices = jax.devices()
    for chosen in (devices[:2], devices[2:4]):
        f(placed(NamedSharding(Mesh(np.array(chosen), ("x",)), P("x")), 8))


@situation("compile compile", [FIRST, because(("sharding", "x"))])
def explicit_axes():
    f = jitscope.jit(lambda x: x * 2)
    for kind in (AxisType.Auto, AxisType.Explicit):
        f(placed(NamedSharding(mesh("x", kind=kind), P("x")), 8))


@situation("compile compile", [FIRST, because(("sharding", "x"))])
def another_sharding_on_explicit_axes():
    f = jitscope.jit(lambda x: x * 2)
    for spec in (P(), P("x")):
        f(placed(NamedSharding(mesh("x", kind=AxisType.Explicit), spec), 8))


@situation("compile compile hit", [FIRST, because(("sharding", "state"))])
def the_output_comes_back_sharded():
    replicated = NamedSharding(mesh("x"), P())
    step = jitscope.jit(lambda state: state + 1, out_shardings=replicated)
    state = array(8)
    for _ in range(3):
        state = step(state)


@situation(
    "compile compile",
    [FIRST, because(("sharding", "batch['x']"), ("sharding", "batch['y']"))],
    layers=[FULL, RELOWERED],
)
def a_batch_that_is_sharded_now():
    f = jitscope.jit(lambda params, batch: params * batch["x"].sum() + batch["y"].sum())
    replicated, sharded = (NamedSharding(mesh("x"), spec) for spec in (P(), P("x")))
    params = placed(replicated, 3)
    f(params, {"x": placed(replicated, 8), "y": placed(replicated, 8)})
    f(params, {"x": placed(sharded, 8), "y": placed(sharded, 8)})


@situation("compile compile", [FIRST, because(("sharding", "x"), ("shape", "x"))])
def another_sharding_and_shape():
    f = jitscope.jit(lambda x: x * 2)
    f(placed(NamedSharding(mesh("x"), P()), 8))
    f(placed(NamedSharding(mesh("x"), P("x")), 12))


@situation("compile compile", [FIRST, because(("sharding", "x"))])
def another_kind_of_memory():
    f = jitscope.jit(lambda x: x)
    for kind in ("device", "pinned_host"):
        f(placed(SingleDeviceSharding(jax.devices()[0], memory_kind=kind), 4))


@situation("compile compile", [FIRST, because(("layout", "x"))], layers=[FULL, RELOWERED])
def another_layout():
    f = jitscope.jit(lambda x: x * 2)
    sharding = SingleDeviceSharding(jax.devices()[0])
    f(placed(sharding, 4, 8))
    f(placed(Format(Layout(major_to_minor=(1, 0)), sharding), 4, 8))


@situation("compile hit hit", [FIRST])
def equal_shardings_made_anew():
    f = jitscope.jit(lambda x: x * 2)
    for _ in range(3):
        f(placed(NamedSharding(mesh("x"), P("x")), 8))


@situation("compile compile", [FIRST, because(("committed", "x"), ("weak_type", "scale"))])
def committed_and_no_longer_weak():
    f = jitscope.jit(lambda x, scale: x * scale)
    f(array(3), jnp.asarray(2.0))
    f(jax.device_put(array(3), jax.devices()[0]), array())
