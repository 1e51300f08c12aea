"""torch: situations of what a function captures, and of torch's global state."""
# ruff: noqa: B007, PLW0603 - that globals and captured variables change is the point

from __future__ import annotations

import contextlib

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

import jitscope
from causes.situation import FIRST, because, corpus, since

situations, situation = corpus("torch")

SCALE = 2
RATE = 1.5
NAME = "sin"
TABLE = {"k": 2}
ITEMS = [2, 3]
WEIGHT = torch.ones(4)

PRECISION_OF_CUDA = [("config", "cuda_matmul_precision")] if since(torch.__version__, 2, 15) else []
"""2.15 guards on it apart from ``allow_tf32``; one setting changes both."""


def ones(*sizes, **options):
    return torch.ones(*sizes, **options)


def _helper(x):
    return x.sin()


# -- globals ---------------------------------------------------------------------------------------


@situation("compile*3 hit", [FIRST, because(("captured_value", "SCALE")), because(("captured_value", "SCALE"))])
def a_global_integer():
    global SCALE

    def f(x):
        return x * SCALE

    watched = jitscope.compile(f, backend="eager")
    try:
        for SCALE in (2, 3, 4, 3):
            watched(ones(4))
    finally:
        SCALE = 2


@situation("compile compile hit", [FIRST, because(("captured_value", "RATE"))])
def a_global_float():
    global RATE

    def f(x):
        return x * RATE

    watched = jitscope.compile(f, backend="eager")
    try:
        for RATE in (1.5, 2.5, 3.5):
            watched(ones(4))
    finally:
        RATE = 1.5


@situation("compile compile", [FIRST, because(("captured_value", "NAME"))])
def a_global_text():
    global NAME

    def f(x):
        return x.sin() if NAME == "sin" else x.cos()

    watched = jitscope.compile(f, backend="eager")
    try:
        for NAME in ("sin", "cos"):
            watched(ones(4))
    finally:
        NAME = "sin"


@situation("compile compile", [FIRST, because(("captured_value", "TABLE['k']"))])
def an_item_of_a_global_dictionary():
    def f(x):
        return x * TABLE["k"]

    watched = jitscope.compile(f, backend="eager")
    try:
        watched(ones(4))
        TABLE["k"] = 3
        watched(ones(4))
    finally:
        TABLE["k"] = 2


@situation("compile compile", [FIRST, because(("captured_value", "ITEMS"))])
def a_global_list_grows():
    def f(x):
        for item in ITEMS:
            x = x * item
        return x

    watched = jitscope.compile(f, backend="eager")
    try:
        watched(ones(4))
        ITEMS.append(4)
        watched(ones(4))
    finally:
        ITEMS.pop()


@situation("compile compile hit", [FIRST, because(("captured_value", "WEIGHT"))])
def a_global_tensor_of_another_dtype():
    global WEIGHT

    def f(x):
        return x * WEIGHT

    watched = jitscope.compile(f, backend="eager")
    try:
        for dtype in (torch.float32, torch.float64, torch.float32):
            WEIGHT = ones(4, dtype=dtype)
            watched(ones(4))
    finally:
        WEIGHT = ones(4)


@situation("compile compile", [FIRST, because(("captured_value", "_helper"))])
def a_global_function_is_replaced():
    global _helper

    def f(x):
        return _helper(x) + 1

    def other(x):
        return x.cos()

    watched = jitscope.compile(f, backend="eager")
    original = _helper
    try:
        for _helper in (original, other):
            watched(ones(4))
    finally:
        _helper = original


@situation("compile compile", [FIRST, because(("captured_value", "SCALE"), ("shape", "x"))])
def a_global_and_a_size():
    global SCALE

    def f(x):
        return x * SCALE

    watched = jitscope.compile(f, backend="eager", dynamic=False)
    try:
        for SCALE in (2, 3):
            watched(ones(SCALE))
    finally:
        SCALE = 2


@situation("compile compile", [FIRST, because(("captured_value", "SCALE"), ("captured_value", "NAME"))])
def two_globals():
    global SCALE, NAME

    def f(x):
        return x * SCALE if NAME == "sin" else x + SCALE

    watched = jitscope.compile(f, backend="eager")
    try:
        watched(ones(4))
        SCALE, NAME = 3, "cos"
        watched(ones(4))
    finally:
        SCALE, NAME = 2, "sin"


# -- closures and defaults -------------------------------------------------------------------------


@situation("compile compile hit", [FIRST, because(("captured_value", "k"))])
def a_variable_of_a_closure():
    k = 2

    def f(x):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    for k in (2, 3, 4):
        watched(ones(4))


@situation("compile compile", [FIRST, because(("captured_value", "weight"))])
def a_tensor_of_a_closure():
    weight = ones(4)

    def f(x):
        return x * weight

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    weight = ones(4, requires_grad=True)
    watched(ones(4))


def _scaler(k):
    def scale(x):
        return x * k

    return scale


@situation("compile compile hit", [FIRST, because(("captured_value", "k"))])
def a_factory_of_functions():
    # Dynamo's cache belongs to the code, which the three share; the third finds a dynamic k.
    for k in (2, 3, 4):
        jitscope.compile(_scaler(k), backend="eager")(ones(4))


@situation("compile*3", [FIRST, because(("captured_value", "name")), because(("captured_value", "name"))])
def lambdas_in_a_loop():
    functions = [lambda x, name=name: getattr(torch, name)(x) for name in ("sin", "cos", "tan")]
    for function in functions:
        jitscope.compile(function, backend="eager")(ones(4))


@situation("compile compile", [FIRST, because(("captured_value", "k"))])
def another_default():
    # The caller passes nothing: what differs is the default that each function object carries.
    def make(default):
        def f(x, k=default):
            return x.sin() if k == "sin" else x.cos()

        return f

    for default in ("sin", "cos"):
        jitscope.compile(make(default), backend="eager")(ones(4))


@situation("compile compile", [FIRST, because(("captured_value", "k"))])
def another_keyword_only_default():
    def make(default):
        def f(x, *, k=default):
            return x.sin() if k == "sin" else x.cos()

        return f

    for default in ("sin", "cos"):
        jitscope.compile(make(default), backend="eager")(ones(4))


@situation("compile compile", [FIRST, because(("captured_value", "fn"))])
def a_captured_function():
    def make(fn):
        def f(x):
            return fn(x) + 1

        return f

    for fn in (torch.sin, torch.cos):
        jitscope.compile(make(fn), backend="eager")(ones(4))


@situation("compile hit*2", [FIRST])
def a_new_function_of_the_same_code():
    for _ in range(3):
        jitscope.compile(lambda x: x * 2, backend="eager")(ones(4))


@situation("compile hit*2", [FIRST])
def a_captured_value_that_is_equal():
    for k in (3, 3, 3):
        jitscope.compile(_scaler(k), backend="eager")(ones(4))


# -- torch's global state --------------------------------------------------------------------------


def _compiled(**options):
    def f(x):
        return x * 2

    return jitscope.compile(f, backend="eager", **options)


@situation("compile compile hit hit", [FIRST, because(("config", "grad_mode"))])
def without_gradients():
    f = _compiled()
    f(ones(4))
    with torch.no_grad():
        f(ones(4))
    f(ones(4))
    with torch.no_grad():
        f(ones(4))


@situation("compile compile", [FIRST, because(("config", "grad_mode"))])
def inference_mode_with_an_ordinary_tensor():
    f = _compiled()
    x = ones(4)
    f(x)
    with torch.inference_mode():
        f(x)


@situation("compile compile", [FIRST, because(("config", "grad_mode"), ("requires_grad", "x"))])
def inference_mode_with_an_inference_tensor():
    f = _compiled()
    f(ones(4))
    with torch.inference_mode():
        f(ones(4))


@situation("compile compile", [FIRST, because(("config", "autocast(cpu)_enabled"))])
def autocast_is_switched_on():
    f = _compiled()
    f(ones(4))
    with torch.autocast("cpu"):
        f(ones(4))


@situation("compile compile", [FIRST, because(("config", "autocast(cpu)_dtype"))])
def autocast_to_another_dtype():
    f = _compiled()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        f(ones(4))
    with torch.autocast("cpu", dtype=torch.float16):
        f(ones(4))


@situation("compile compile hit", [FIRST, because(("config", "num_threads"))])
def another_number_of_threads():
    f = _compiled()
    before = torch.get_num_threads()
    try:
        for number in (1, 2, 1):
            torch.set_num_threads(number)
            f(ones(4))
    finally:
        torch.set_num_threads(before)


@situation("compile compile", [FIRST, because(("config", "deterministic_algorithms"))])
def deterministic_algorithms():
    f = _compiled()
    f(ones(4))
    torch.use_deterministic_algorithms(True)
    try:
        f(ones(4))
    finally:
        torch.use_deterministic_algorithms(False)


@situation("compile compile", [FIRST, because(("config", "default_dtype"))])
def another_default_dtype():
    f = _compiled()
    x = ones(4)
    f(x)
    torch.set_default_dtype(torch.float64)
    try:
        f(x)
    finally:
        torch.set_default_dtype(torch.float32)


@situation("compile compile", [FIRST, because(("config", "default_dtype"), ("dtype", "x"))])
def tensors_made_with_another_default_dtype():
    f = _compiled()
    f(ones(4))
    torch.set_default_dtype(torch.float64)
    try:
        f(ones(4))
    finally:
        torch.set_default_dtype(torch.float32)


@situation("compile compile", [FIRST, because(("config", "allow_tf32"), *PRECISION_OF_CUDA)])
def another_matmul_precision():
    f = _compiled()
    f(ones(4))
    torch.set_float32_matmul_precision("high")
    try:
        f(ones(4))
    finally:
        torch.set_float32_matmul_precision("highest")


@situation("compile compile", [FIRST, because(("config", "torch_function_mode"))])
def another_default_device():
    f = _compiled()
    x = ones(4)
    f(x)
    torch.set_default_device("meta")
    try:
        f(x)
    finally:
        torch.set_default_device(None)


@situation("compile compile", [FIRST, because(("config", "torch_function_mode"))])
def under_a_device():
    f = _compiled()
    x = ones(4)
    f(x)
    with torch.device("cpu"):
        f(x)


class Passing(TorchFunctionMode):
    def __torch_function__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


@situation("compile compile", [FIRST, because(("config", "torch_function_mode"))])
def under_a_function_mode():
    f = _compiled()
    x = ones(4)
    f(x)
    with Passing():
        f(x)


@situation("compile compile", [FIRST, because(("config", "grad_mode"), ("config", "num_threads"), ("shape", "x"))])
def two_settings_and_a_size():
    f = _compiled(dynamic=False)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(1)
        f(ones(4))
        torch.set_num_threads(2)
        with torch.no_grad():
            f(ones(5))
    finally:
        torch.set_num_threads(before)


@situation("compile hit*2", [FIRST])
def settings_that_are_not_guarded():
    f = _compiled()
    f(ones(4))
    with torch._dynamo.config.patch(verbose=True):
        f(ones(4))
    torch.manual_seed(3)
    f(ones(4))


class Dispatching(TorchDispatchMode):
    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        return func(*args, **(kwargs or {}))


@situation("compile eager_fallback*2", [FIRST])
def a_dispatch_mode_makes_dynamo_give_up():
    # Under the mode Dynamo skips the function without a word, and leaves it alone from then on.
    f = _compiled()
    f(ones(4))
    with Dispatching():
        f(ones(4))
    f(ones(4))


# -- stances ---------------------------------------------------------------------------------------


@situation("compile eager_fallback hit", [FIRST])
def forced_to_run_eager():
    f = _compiled()
    f(ones(4))
    with torch.compiler.set_stance("force_eager"):
        f(ones(4))
    f(ones(4))


@situation("compile hit eager_fallback compile", [FIRST, because(("dtype", "x"))])
def eager_instead_of_a_recompile():
    f = _compiled()
    f(ones(4))
    with torch.compiler.set_stance("eager_on_recompile"):
        f(ones(4))
        f(ones(4, dtype=torch.float64))
    f(ones(4, dtype=torch.float64))


@situation("eager_fallback compile hit", [FIRST])
def eager_before_the_first_compile():
    with torch.compiler.set_stance("eager_then_compile"):
        f = _compiled()
        for _ in range(3):
            f(ones(4))


@situation("compile hit error compile", [FIRST, because(("dtype", "x"))])
def an_error_instead_of_a_recompile():
    f = _compiled()
    f(ones(4))
    with torch.compiler.set_stance("fail_on_recompile"):
        f(ones(4))
        with contextlib.suppress(RuntimeError):
            f(ones(4, dtype=torch.float64))
    f(ones(4, dtype=torch.float64))


# -- options ---------------------------------------------------------------------------------------


@situation("compile compile hit", [FIRST, because(("options", "backend"))])
def another_backend():
    def f(x):
        return x * 2

    first = jitscope.compile(f, backend="eager")
    second = jitscope.compile(f, backend="aot_eager")
    first(ones(4))
    second(ones(4))
    second(ones(4))


@situation("compile hit compile hit", [FIRST, because(("options", "backend"))])
def another_backend_each_function_with_its_hits():
    def f(x):
        return x.cos()

    first = jitscope.compile(f, backend="eager")
    first(ones(4))
    first(ones(4))
    second = jitscope.compile(f, backend="aot_eager")
    second(ones(4))
    second(ones(4))


@situation("compile compile", [FIRST, because(("options", "backend"), ("dtype", "x"))])
def another_backend_and_another_dtype():
    def f(x):
        return x * 2

    jitscope.compile(f, backend="eager")(ones(4))
    jitscope.compile(f, backend="aot_eager")(ones(4, dtype=torch.float64))


@situation("compile compile hit*2", [FIRST, because(("options", "dynamic"))])
def dynamic_shapes_are_switched_on():
    def f(x):
        return x * 2

    jitscope.compile(f, backend="eager", dynamic=False)(ones(4))
    second = jitscope.compile(f, backend="eager", dynamic=True)
    for size in (4, 5, 6):
        second(ones(size))


@situation("compile compile", [FIRST, because(("options", "dynamic"), ("shape", "x"))])
def dynamic_shapes_and_another_size():
    def f(x):
        return x * 2

    jitscope.compile(f, backend="eager", dynamic=False)(ones(4))
    jitscope.compile(f, backend="eager", dynamic=True)(ones(5))


@situation("compile hit", [FIRST])
def fullgraph_is_not_in_the_key():
    def f(x):
        return x * 2

    jitscope.compile(f, backend="eager")(ones(4))
    jitscope.compile(f, backend="eager", fullgraph=True)(ones(4))


@situation("compile hit", [FIRST])
def the_same_function_compiled_twice():
    def f(x):
        return x * 2

    for _ in range(2):
        jitscope.compile(f, backend="eager")(ones(4))


# -- what adversaries found --------------------------------------------------------------------------


@situation("compile*2", [FIRST, because(("config", "inference_mode"))])
def inference_mode_after_no_grad():
    f = _compiled()
    x = ones(4)
    with torch.no_grad():
        f(x)
    with torch.inference_mode():
        f(x)


@situation("compile*2", [FIRST, because(("config", "inference_mode"))])
def no_grad_after_inference_mode():
    f = _compiled()
    x = ones(4)
    with torch.inference_mode():
        f(x)
    with torch.no_grad():
        f(x)


@situation("compile*2", [FIRST, because(("options", "backend"))])
def a_backend_made_anew():
    def f(x):
        return x.cos()

    for _ in range(2):

        def backend(graph, _inputs):
            return graph.forward

        jitscope.compile(f, backend=backend)(ones(4))


@situation("compile*2", [FIRST, because(("argument_passing", "input"))])
def a_builtin_module_by_keyword():
    model = jitscope.compile(torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.ReLU()), backend="eager")
    model(ones(2, 4))
    model(input=ones(2, 4))
