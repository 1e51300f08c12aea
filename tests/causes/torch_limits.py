"""torch: situations of limits, resets, graph breaks, nesting and regions."""

from __future__ import annotations

import contextlib
import gc
import inspect

import torch

import jitscope
from causes.situation import FIRST, because, corpus

situations, situation = corpus("torch")


def ones(*sizes, **options):
    return torch.ones(*sizes, **options)


# -- limits ----------------------------------------------------------------------------------------


@situation(
    "compile*2 eager_fallback*2 hit*2 eager_fallback",
    [FIRST, because(("shape", "x")), because(("recompile_limit", "f"), ("shape", "x"))],
)
def the_limit_is_reached():
    def f(x):
        return x * 2

    with torch._dynamo.config.patch(recompile_limit=2):
        watched = jitscope.compile(f, backend="eager", dynamic=False)
        for size in (4, 5, 6, 7, 4, 5, 6):
            watched(ones(size))


@situation(
    "compile*2 eager_fallback*2 hit",
    [FIRST, because(("static_value", "mode")), because(("recompile_limit", "f"), ("static_value", "mode"))],
)
def the_limit_is_reached_by_texts():
    def f(x, mode):
        return x * len(mode)

    with torch._dynamo.config.patch(recompile_limit=2):
        watched = jitscope.compile(f, backend="eager")
        for mode in ("a", "bb", "ccc", "dddd", "a"):
            watched(ones(4), mode)


@situation(
    "compile*2 error hit",
    [FIRST, because(("shape", "x")), because(("recompile_limit", "f"), ("shape", "x"))],
)
def the_limit_with_fullgraph_is_an_error():
    def f(x):
        return x * 2

    with torch._dynamo.config.patch(recompile_limit=2):
        watched = jitscope.compile(f, backend="eager", dynamic=False, fullgraph=True)
        for size in (4, 5, 6, 4):
            with contextlib.suppress(torch._dynamo.exc.FailOnRecompileLimitHit):
                watched(ones(size))


@situation(
    "compile*2 eager_fallback hit",
    [FIRST, because(("shape", "x")), because(("recompile_limit", "f"), ("shape", "x"))],
)
def the_accumulated_limit_is_reached():
    def f(x):
        return x * 2

    with torch._dynamo.config.patch(accumulated_recompile_limit=2):
        watched = jitscope.compile(f, backend="eager", dynamic=False)
        for size in (4, 5, 6, 4):
            watched(ones(size))


class Scaled(torch.nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, x):
        return x * self.scale


@situation(
    "compile hit compile hit eager_fallback*2",
    [
        FIRST,
        because(("module_attribute", "self.scale")),
        because(("recompile_limit", "Scaled"), ("module_attribute", "self.scale")),
    ],
)
def many_instances_reach_the_limit():
    with torch._dynamo.config.patch(recompile_limit=2):
        for scale in (2, 3, 4):
            model = jitscope.compile(Scaled(scale), backend="eager")
            model(ones(4))
            model(ones(4))


# -- resets ----------------------------------------------------------------------------------------


@situation("compile hit compile hit", [FIRST, because(("cache_cleared", None))])
def a_reset_between_calls():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4))
    torch.compiler.reset()
    watched(ones(4))
    watched(ones(4))


@situation("compile compile compile hit", [FIRST, because(("cache_cleared", None)), because(("dtype", "x"))])
def a_reset_and_then_another_dtype():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    torch._dynamo.reset()
    watched(ones(4))
    watched(ones(4, dtype=torch.float64))
    watched(ones(4))


@situation("compile compile compile", [FIRST, because(("shape", "x")), because(("cache_cleared", None))])
def a_reset_where_sizes_had_become_dynamic():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(5))
    torch.compiler.reset()
    watched(ones(6))


# -- graph breaks ----------------------------------------------------------------------------------


@situation("compile hit*2", [FIRST, because(("graph_break", "f"))])
def a_print_breaks_the_graph():
    def f(x):
        y = x.sin()
        print(end="")
        return y.cos()

    watched = jitscope.compile(f, backend="eager")
    for _ in range(3):
        watched(ones(4))


@situation("compile hit", [FIRST, because(("graph_break", "f")), because(("graph_break", "f"))])
def two_graph_breaks():
    def f(x):
        y = x.sin()
        torch._dynamo.graph_break()
        y = y.cos()
        torch._dynamo.graph_break()
        return y.tan()

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4))


@situation(
    "compile compile",
    [FIRST, because(("graph_break", "f")), because(("shape", "x")), because(("shape", "y"))],
)
def another_size_after_a_graph_break_too():
    def f(x):
        y = x.sin()
        torch._dynamo.graph_break()
        return y.cos()

    # The rest of the function has arguments of its own: the variables that live on.
    watched = jitscope.compile(f, backend="eager", dynamic=False)
    watched(ones(4))
    watched(ones(5))


@situation(
    "compile*3 hit",
    [FIRST, because(("graph_break", "f")), because(("static_value", "n")), because(("static_value", "n"))],
)
def a_number_that_only_the_rest_uses():
    def f(x, n):
        y = x.sin()
        torch._dynamo.graph_break()
        for _ in range(n):
            y = y.cos()
        return y

    watched = jitscope.compile(f, backend="eager")
    for n in (1, 2, 3, 1):
        watched(ones(4), n)


@situation(
    "compile*3 hit",
    [
        FIRST,
        because(("graph_break", "f")),
        because(("static_value", "___stack0")),
        because(("static_value", "___stack0")),
    ],
)
def a_number_read_from_a_tensor():
    def f(x, count):
        y = x.sin()
        n = count.item()
        for _ in range(n):
            y = y.cos()
        return y

    # What the rest starts from is the result of item(), which has no name but Dynamo's.
    watched = jitscope.compile(f, backend="eager", dynamic=False)
    for n in (1, 2, 3, 1):
        watched(ones(4), torch.tensor(n))


@situation("compile hit compile hit", [FIRST, because(("graph_break", "f")), because(("graph_break", "f"))])
def a_branch_on_data():
    def f(x):
        y = x.sin()
        if y.sum() > 0:
            return y.cos()
        return y.tan()

    watched = jitscope.compile(f, backend="eager")
    for value in (1.0, 1.0, -1.0, -1.0):
        watched(torch.full((4,), value))


@torch.compiler.disable
def _outside(x):
    return x + 1


@situation("compile hit", [FIRST, because(("graph_break", "f"))])
def a_call_of_a_disabled_function():
    def f(x):
        return _outside(x.sin()).cos()

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4))


@situation("compile hit", [FIRST, FIRST, because(("graph_break", "helper")), because(("graph_break", "f"))])
def a_graph_break_in_a_helper():
    def helper(x):
        y = x.sin()
        torch._dynamo.graph_break()
        return y.cos()

    # The helper can't be inlined: it is compiled for itself, and broken like the function that calls it.
    def f(x):
        return helper(x * 2) + 1

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4))


@situation("eager_fallback*2", [])
def a_graph_break_in_a_loop():
    def f(x):
        for _ in range(2):
            x = x.sin()
            torch._dynamo.graph_break()
        return x + 1

    # Dynamo can't resume inside a loop, and leaves the function alone.
    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4))


@situation("compile compile", [FIRST, because(("graph_break", "f")), because(("captured_value", "k"))])
def a_captured_value_after_a_graph_break():
    k = 2

    def f(x):
        y = x.sin()
        torch._dynamo.graph_break()
        return y * k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    k = 3
    watched(ones(4))


@situation("error", [])
def a_graph_break_with_fullgraph():
    def f(x):
        y = x.sin()
        torch._dynamo.graph_break()
        return y.cos()

    watched = jitscope.compile(f, backend="eager", fullgraph=True)
    with contextlib.suppress(torch._dynamo.exc.Unsupported):
        watched(ones(4))


# -- gradients -------------------------------------------------------------------------------------


@situation("compile hit", [FIRST])
def a_backward_belongs_to_its_forward():
    def f(x):
        return (x.sin() * x).sum()

    watched = jitscope.compile(f, backend="aot_eager")
    for _ in range(2):
        watched(ones(4, requires_grad=True)).backward()


@situation("compile compile hit", [FIRST, because(("shape", "x"))])
def a_backward_of_another_size():
    def f(x):
        return (x.sin() * x).sum()

    watched = jitscope.compile(f, backend="aot_eager", dynamic=False)
    for size in (4, 5, 4):
        watched(ones(size, requires_grad=True)).backward()


# -- nesting, regions, wrappers --------------------------------------------------------------------


@situation("compile hit compile hit", [FIRST, because(("nested_first", None))])
def an_inner_function_is_called_by_itself():
    def body(x):
        return x.sin()

    inner = jitscope.compile(body, backend="eager")

    def f(x):
        return inner(x) + 1

    # Functions in the order of their first calls that are calls: the nested ones are none.
    outer = jitscope.compile(f, backend="eager")
    outer(ones(4))
    outer(ones(4))
    inner(ones(4))
    inner(ones(4))


@situation("compile hit compile hit compile", [FIRST, because(("shape", "x")), FIRST])
def an_inner_function_that_was_compiled_before():
    def body(x):
        return x.sin()

    inner = jitscope.compile(body, backend="eager", dynamic=False)

    def f(x):
        return inner(x) + 1

    outer = jitscope.compile(f, backend="eager", dynamic=False)
    inner(ones(4))
    inner(ones(4))
    inner(ones(5))
    inner(ones(5))
    outer(ones(4))


@situation("compile hit compile", [FIRST, because(("shape", "x"))])
def a_region_around_a_compiled_function():
    def body(x):
        return x.sin()

    compiled = torch.compile(body, backend="eager", dynamic=False)

    @jitscope.watch
    def step(x):
        return compiled(x) + 1

    for size in (4, 4, 5):
        step(ones(size))


@situation("compile hit*2 compile hit*3", [FIRST, because(("dtype", "x"))])
def a_region_around_a_watched_function():
    def body(x):
        return x.sin()

    inner = jitscope.compile(body, backend="eager")

    # The compiles are the inner function's: a call of the region compiles nothing of its own.
    @jitscope.watch
    def step(x):
        return inner(x) + 1

    inner(ones(4))
    step(ones(4))
    step(ones(4))
    step(ones(4, dtype=torch.float64))


if "isolate_recompiles" in inspect.signature(torch.compile).parameters:

    @situation("compile hit compile hit", [FIRST, because(("new_function", "f"))])
    def wrappers_with_caches_of_their_own():
        # isolate_recompiles: what the first wrapper compiled is not looked at by the second.
        def f(x):
            return x * 2

        for _ in range(2):
            watched = jitscope.compile(f, backend="eager", isolate_recompiles=True)
            watched(ones(4))
            watched(ones(4))


@situation("compile hit compile compile", [FIRST, because(("cache_evicted", None)), because(("cache_evicted", None))])
def a_guarded_class_is_collected():
    def make():
        class Settings:
            scale = 2

        return Settings

    def f(x, settings):
        return x * settings.scale

    # With the class goes the entry that was made for it, so there is nothing to compare with.
    watched = jitscope.compile(f, backend="eager")
    for calls in (2, 1, 1):
        settings = make()
        for _ in range(calls):
            watched(ones(4), settings)
        del settings
        gc.collect()


@situation("compile hit*3", [FIRST])
def a_captured_object_is_replaced_by_its_like():
    class Thing:
        k = 3

    def make(thing):
        def f(x):
            return x * thing.k

        return f

    for _ in range(4):
        jitscope.compile(make(Thing()), backend="eager")(ones(4))
