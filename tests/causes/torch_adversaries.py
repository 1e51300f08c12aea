"""What adversaries found wrong once: programs chosen against jitscope, their truth written by hand."""

from __future__ import annotations

import enum
import functools
from collections import defaultdict

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

import jitscope
from causes.situation import FIRST, because, corpus

situations, situation = corpus("torch")


def ones(*shape, **options):
    return torch.ones(*shape, **options)


def _compiled(f):
    return jitscope.compile(f, backend="eager")


def decorated(forward):
    @functools.wraps(forward)
    def wrapper(self, *args, **kwargs):
        return forward(self, *args, **kwargs)

    return wrapper


# -- reading must not change what is read ----------------------------------------------------------


@situation("compile*2", [FIRST, because(("tree_structure", "d['a']"))])
def a_defaultdict_is_not_filled_by_looking_at_it():
    f = _compiled(lambda x, d: x * d["a"] if "a" in d else x + 1)
    full, empty = (defaultdict(int) for _ in range(2))
    full["a"] = 2
    f(ones(3), full)
    assert f(ones(3), empty).tolist() == [2.0, 2.0, 2.0]
    assert not empty


# -- whose compilation is it -----------------------------------------------------------------------


class Breaking(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        x = x * self.factor
        torch._dynamo.graph_break()
        return x + 2


class Other(nn.Module):
    def forward(self, x):
        x = x - 3
        torch._dynamo.graph_break()
        return x * 5


BROKEN = because(("graph_break", "forward"))


@situation("compile hit", [FIRST, FIRST, BROKEN, BROKEN, FIRST, BROKEN])
def two_frames_of_one_name_are_two_programs():
    # Dynamo compiles the frames it finds inside a call one after the other: here the children's `forward`.
    class Parent(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = Breaking(2), Other()

        def forward(self, x):
            y = self.a(x * 2)
            return self.b(y)

    f = _compiled(Parent())
    f(ones(2))
    f(ones(2))


@situation("compile hit*3", [FIRST])
def a_checkpointed_function_is_no_error():
    f = _compiled(lambda x: x.sin().cos())
    x = ones(3, requires_grad=True)
    for _ in range(2):
        checkpoint(f, x, use_reentrant=False).sum().backward()


# -- which entry is the nearest --------------------------------------------------------------------


@situation("compile*3", [FIRST, because(("tree_structure", "xs[1]")), because(("shape", "xs[0]"), ("shape", "xs[1]"))])
def a_list_that_grew_and_then_changed_size():
    f = _compiled(lambda xs: sum(x.sum() for x in xs))
    f([ones(3)])
    f([ones(3), ones(3)])
    f([ones(4), ones(4)])


@situation("compile*2", [FIRST, because(("shape", "batch['a']"), ("tree_structure", "batch['mask']"))])
def a_new_key_beside_another_size():
    f = _compiled(lambda batch: sum(value.sum() for value in batch.values()))
    f({"a": ones(3)})
    f({"a": ones(4), "mask": ones(2)})


# -- names behind wrappers -------------------------------------------------------------------------


@situation("compile*2", [FIRST, because(("shape", "x"))])
def an_argument_without_leaves_before_the_one_that_changes():
    class Model(nn.Module):
        @decorated
        def forward(self, cache, x, k):
            return x * k

    f = _compiled(Model())
    f([], ones(3), 2)
    f([], ones(4), 2)


@situation("compile*2", [FIRST, because(("argument_passing", "mask"))])
def one_more_argument_of_a_decorated_forward():
    class Model(nn.Module):
        @decorated
        def forward(self, x, mask=None):
            return x.sin() if mask is None else x * mask

    f = _compiled(Model())
    f(x=ones(3))
    f(x=ones(3), mask=ones(3))


# -- types and values ------------------------------------------------------------------------------


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@situation("compile*2", [FIRST, because(("static_value", "level"))])
def a_member_of_an_integer_enumeration():
    f = _compiled(lambda x, level: x + 1 if level is Level.LOW else x - 1)
    f(ones(3), Level.LOW)
    f(ones(3), Level.HIGH)


@situation("compile*2", [FIRST, because(("python_type", "m"))])
def none_and_then_a_list():
    f = _compiled(lambda x, m: x.sin() if m is None else x * m[0])
    f(ones(3), None)
    f(ones(3), [2])


@situation("compile*2", [FIRST, because(("static_value", "names"))])
def a_set_without_the_name():
    f = _compiled(lambda x, names: x.sin() if "sin" in names else x.cos())
    f(ones(3), {"sin"})
    f(ones(3), {"cos"})


@situation("compile*2", [FIRST, because(("module_structure", "self.layers"))])
def every_parameter_is_cast():
    model = nn.Sequential(*(nn.Linear(2, 2) for _ in range(6)))

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = model

        def forward(self, x):
            return self.layers(x.to(self.layers[0].weight.dtype))

    whole = Model()
    f = _compiled(whole)
    f(ones(2, 2))
    whole.double()
    f(ones(2, 2))


# -- a second round -----------------------------------------------------------------------------------


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("ids", torch.arange(8.0))

    def forward(self, x):
        if hasattr(self, "ids"):
            x = x + self.ids[: x.shape[0]]
        return x * 2


@situation("compile*2", [FIRST, because(("shape", "x"))])
def a_buffer_that_is_looked_for_is_not_gone():
    f = jitscope.compile(Positions(), backend="eager", dynamic=False)
    f(ones(3))
    f(ones(4))


@situation("compile*2", [FIRST, because(("tree_structure", "d['b']"))])
def a_dictionary_that_lost_a_key():
    f = _compiled(lambda d: sum(value.sum() for value in d.values()))
    f({"a": ones(2), "b": ones(3)})
    f({"a": ones(2)})


class Switched(nn.Module):
    def forward(self, x):
        return x.sin() if self.training else x.cos()


@situation("compile*2", [FIRST, because(("training_mode", "gen"), ("training_mode", "disc"))])
def two_models_are_switched():
    f = _compiled(lambda gen, disc, x: disc(gen(x)))
    gen, disc = Switched(), Switched()
    f(gen, disc, ones(3))
    gen.eval()
    disc.eval()
    f(gen, disc, ones(3))


WEIGHTS = {"a": 2}


@situation("compile*2", [FIRST, because(("captured_value", "WEIGHTS"))])
def a_global_dictionary_grows():
    def f(x):
        for weight in WEIGHTS.values():
            x = x * weight
        return x

    watched = _compiled(f)
    WEIGHTS.pop("b", None)
    watched(ones(3))
    WEIGHTS["b"] = 3
    watched(ones(3))


class Growing(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(3, 3)
        self.losses = {"l1": 1.0}

    def forward(self, x):
        x = self.a(x)
        for factor in self.losses.values():
            x = x * factor
        return self.proj(x) if hasattr(self, "proj") else x * 2


@situation("compile*2", [FIRST, because(("module_structure", "self.losses"))])
def a_dictionary_of_a_module_grows():
    model = Growing()
    f = _compiled(model)
    f(ones(3))
    model.losses["l2"] = 2.0
    f(ones(3))


@situation("compile*2", [FIRST, because(("module_structure", "self.proj"))])
def a_module_gets_what_it_looked_for():
    model = Growing()
    f = _compiled(model)
    f(ones(3))
    model.proj = nn.Linear(3, 3)
    f(ones(3))


@situation("compile*2", [FIRST, because(("aliasing", "pred"))])
def the_later_of_two_arguments_is_the_twin():
    def loss(target, pred):
        return ((target - pred) ** 2).sum()

    f = _compiled(loss)
    x = ones(3)
    f(x, ones(3))
    f(x, x)


@situation("compile*11", [FIRST, *[because(("static_value", "name"))] * 9, because(("dtype", "x"))])
def more_entries_than_are_asked():
    with torch._dynamo.config.patch(recompile_limit=64):
        f = _compiled(lambda x, name: getattr(torch, name)(x))
        for name in ("sin", "cos", "tan", "exp", "abs", "neg", "ceil", "sqrt", "floor", "round"):
            f(ones(3), name)
        f(ones(3, dtype=torch.float64), "round")
