"""torch: situations of modules, methods and what belongs to them."""

from __future__ import annotations

import functools

import torch
from torch import nn

import jitscope
from causes.situation import FIRST, because, corpus, since

situations, situation = corpus("torch")

SINCE_2_15 = since(torch.__version__, 2, 15)


def ones(*sizes, **options):
    return torch.ones(*sizes, **options)


class Counter(nn.Module):
    def __init__(self, step=0):
        super().__init__()
        self.step = step

    def forward(self, x):
        self.step += 1
        return x * self.step


class Scaled(nn.Module):
    def __init__(self, scale):
        super().__init__()
        self.scale = scale

    def forward(self, x):
        return x * self.scale


class Noisy(nn.Module):
    """Its behaviour in training is its own: no submodule."""

    def forward(self, x):
        return x + 1 if self.training else x * 2


class Net(nn.Module):
    def __init__(self, width=4):
        super().__init__()
        self.lin = nn.Linear(width, width)
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(torch.relu(self.lin(x)))


class Stack(nn.Module):
    def __init__(self, depth=2):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(depth)])

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


class Shifted(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("shift", torch.zeros(4))

    def forward(self, x):
        return x + self.shift


# -- attributes ------------------------------------------------------------------------------------


@situation("compile*3", [FIRST, because(("module_attribute", "self.step")), because(("module_attribute", "self.step"))])
def a_counter_in_forward():
    model = jitscope.compile(Counter(), backend="eager")
    for _ in range(3):
        model(ones(4))


@situation("compile*2 hit", [FIRST, because(("module_attribute", "self.step"))])
def a_counter_in_forward_that_dynamo_may_treat_as_dynamic():
    with torch._dynamo.config.patch(allow_unspec_int_on_nn_module=True):
        model = jitscope.compile(Counter(2), backend="eager")
        for _ in range(3):
            model(ones(4))


@situation(
    "compile*3 hit", [FIRST, because(("module_attribute", "self.scale")), because(("module_attribute", "self.scale"))]
)
def an_integer_attribute_is_set():
    model = jitscope.compile(Scaled(2), backend="eager")
    for scale in (2, 3, 4, 3):
        model.scale = scale
        model(ones(4))


@situation("compile compile hit", [FIRST, because(("module_attribute", "self.scale"))])
def a_float_attribute_is_set():
    model = jitscope.compile(Scaled(1.5), backend="eager")
    for scale in (1.5, 2.5, 3.5):
        model.scale = scale
        model(ones(4))


@situation("compile compile", [FIRST, because(("module_attribute", "self.scale"))])
def an_attribute_changes_its_type():
    model = jitscope.compile(Scaled(2), backend="eager")
    model(ones(4))
    model.scale = 2.5
    model(ones(4))


@situation("compile compile", [FIRST, because(("module_attribute", "self.mode"))])
def a_text_attribute():
    class Switch(nn.Module):
        mode = "sin"

        def forward(self, x):
            return x.sin() if self.mode == "sin" else x.cos()

    model = jitscope.compile(Switch(), backend="eager")
    model(ones(4))
    model.mode = "cos"
    model(ones(4))


@situation("compile compile", [FIRST, because(("module_attribute", "self.inner.scale"))])
def an_attribute_of_a_submodule():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Scaled(2)

        def forward(self, x):
            return self.inner(x) + 1

    model = Outer()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(4))
    model.inner.scale = 3
    compiled(ones(4))


@situation("compile compile", [FIRST, because(("module_attribute", "self.scale"), ("dtype", "x"))])
def an_attribute_and_an_argument():
    model = jitscope.compile(Scaled(2), backend="eager")
    model(ones(4))
    model.scale = 3
    model(ones(4, dtype=torch.float64))


@situation("compile hit", [FIRST])
def an_attribute_that_forward_does_not_read():
    model = jitscope.compile(Net().eval(), backend="eager")
    model(ones(2, 4))
    model.note = "seen"
    model(ones(2, 4))


@situation(
    "compile compile compile",
    [FIRST, because(("module_attribute", "self.scale")), because(("module_attribute", "self.scale"))],
)
def one_class_many_instances():
    for scale in (2, 3, 4):
        model = Scaled(scale)
        model.compile(backend="eager")
        jitscope.watch(model)
        model(ones(4))


@situation("compile hit hit hit", [FIRST])
def instances_that_are_alike_share_the_entry():
    for _ in range(2):
        model = Scaled(2)
        model.compile(backend="eager")
        jitscope.watch(model)
        model(ones(4))
        model(ones(4))


# -- training and evaluation -----------------------------------------------------------------------


@situation("compile compile hit*2", [FIRST, because(("training_mode", "self"))])
def training_then_evaluation():
    model = jitscope.compile(Noisy(), backend="eager")
    model(ones(4))
    model.eval()
    model(ones(4))
    model.train()
    model(ones(4))
    model.eval()
    model(ones(4))


@situation("compile compile", [FIRST, because(("training_mode", "self.drop"))])
def evaluation_of_a_module_with_dropout():
    # Only the dropout reads its mode: that of the others is not guarded.
    model = jitscope.compile(Net(), backend="eager")
    model(ones(2, 4))
    model.eval()
    model(ones(2, 4))


@situation("compile compile", [FIRST, because(("training_mode", "self[1]"))])
def evaluation_of_a_sequence():
    model = jitscope.compile(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.1)), backend="eager")
    model(ones(2, 4))
    model.eval()
    model(ones(2, 4))


@situation("compile compile", [FIRST, because(("training_mode", "self.drop"), ("shape", "x"))])
def evaluation_with_another_batch():
    model = jitscope.compile(Net(), backend="eager", dynamic=False)
    model(ones(2, 4))
    model.eval()
    model(ones(3, 4))


@situation("compile hit", [FIRST])
def evaluation_of_a_module_that_does_not_care():
    model = jitscope.compile(Stack(), backend="eager")
    model(ones(2, 4))
    model.eval()
    model(ones(2, 4))


# -- structure -------------------------------------------------------------------------------------


@situation("compile compile", [FIRST, because(("module_structure", "self.act"))])
def a_submodule_of_another_class():
    class Activated(nn.Module):
        def __init__(self):
            super().__init__()
            self.act = nn.ReLU()

        def forward(self, x):
            return self.act(x) + 1

    model = Activated()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(4))
    model.act = nn.Tanh()
    compiled(ones(4))


@situation("compile compile", [FIRST, because(("module_structure", "self.layers"))])
def one_more_layer():
    model = Stack()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(2, 4))
    model.layers.append(nn.Linear(4, 4))
    compiled(ones(2, 4))


@situation("compile compile", [FIRST, because(("module_structure", "self.lin.weight"))])
def a_parameter_is_frozen():
    model = Net().eval()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(2, 4))
    model.lin.weight.requires_grad_(False)
    compiled(ones(2, 4))


@situation("compile compile", [FIRST, because(("module_structure", "self.lin.weight"))])
def a_parameter_of_another_size():
    class Wide(nn.Module):
        def __init__(self):
            super().__init__()
            self.lin = nn.Linear(4, 4, bias=False)

        def forward(self, x):
            return self.lin(x)

    model = Wide()
    compiled = jitscope.compile(model, backend="eager", dynamic=False)
    compiled(ones(2, 4))
    model.lin.weight = nn.Parameter(ones(6, 4))
    compiled(ones(2, 4))


@situation(
    "compile compile",
    [FIRST, because(("module_structure", "self.lin.weight"), ("module_structure", "self.lin.bias"), ("dtype", "x"))],
)
def the_module_is_cast():
    model = Net().eval()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(2, 4))
    model.double()
    compiled(ones(2, 4, dtype=torch.float64))


@situation("compile compile", [FIRST, because(("module_structure", "self.bias"))])
def a_bias_is_removed():
    model = nn.Linear(4, 4)
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(2, 4))
    model.bias = None
    compiled(ones(2, 4))


@situation("compile compile", [FIRST, because(("module_structure", "self.shift"))])
def a_buffer_of_another_dtype():
    model = Shifted()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(4))
    model.shift = torch.zeros(4, dtype=torch.float64)
    compiled(ones(4))


@situation("compile hit*2", [FIRST])
def new_values_in_buffers_and_parameters():
    model = Shifted()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(4))
    model.shift = ones(4)
    compiled(ones(4))
    model.shift.add_(1)
    compiled(ones(4))


@situation("compile hit", [FIRST])
def a_submodule_of_the_same_class():
    model = Net().eval()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(2, 4))
    model.lin = nn.Linear(4, 4)
    compiled(ones(2, 4))


@situation("compile hit", [FIRST])
def a_hook_that_is_added_later_is_not_noticed():
    # torch's default skips guards on hooks: the hook does not run, and nothing is compiled.
    model = Net().eval()
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(2, 4))
    handle = model.lin.register_forward_hook(lambda module, args, result: result + 1)
    compiled(ones(2, 4))
    handle.remove()


@situation("compile compile", [FIRST, because(("module_structure", "self.lin"))])
def a_hook_that_is_guarded():
    # A hook is part of how the module is put together; no vocabulary is nearer.
    with torch._dynamo.config.patch(skip_nnmodule_hook_guards=False):
        model = Net().eval()
        compiled = jitscope.compile(model, backend="eager")
        compiled(ones(2, 4))
        handle = model.lin.register_forward_hook(lambda module, args, result: result + 1)
        compiled(ones(2, 4))
        handle.remove()


@situation("compile hit compile", [FIRST, because(("module_structure", "self.lin"))])
def a_hook_is_removed():
    model = Net().eval()
    handle = model.lin.register_forward_hook(lambda module, args, result: result + 1)
    compiled = jitscope.compile(model, backend="eager")
    compiled(ones(2, 4))
    compiled(ones(2, 4))
    handle.remove()
    compiled(ones(2, 4))


@situation("compile compile hit", [FIRST, because(("shape", "input"))])
def a_builtin_module():
    model = jitscope.compile(nn.Linear(4, 4), backend="eager")
    for batch in (2, 3, 5):
        model(ones(batch, 4))


@situation("compile compile hit", [FIRST, because(("shape", "x"))])
def a_module_with_another_batch():
    model = jitscope.compile(Net().eval(), backend="eager")
    for batch in (2, 3, 5):
        model(ones(batch, 4))


@situation(*(("compile compile hit", [FIRST, because(("shape", "input"))]) if SINCE_2_15 else ("eager_fallback*3", [])))
def a_builtin_module_compiled_in_place():
    # Dynamo skips torch's own files, and there is nothing of the user's around it; 2.15 compiles it.
    model = nn.Linear(4, 4)
    model.compile(backend="eager")
    jitscope.watch(model)
    for batch in (2, 3, 5):
        model(ones(batch, 4))


@situation("compile compile", [FIRST, because(("module_structure", "net.weight"))])
def a_module_as_an_argument():
    def f(net, x):
        return net(x)

    watched = jitscope.compile(f, backend="eager")
    net = nn.Linear(4, 4)
    watched(net, ones(2, 4))
    net.weight.requires_grad_(False)
    watched(net, ones(2, 4))


# -- methods ---------------------------------------------------------------------------------------


class Plain:
    """Not a module: its attributes are those of an argument called self."""

    def __init__(self, scale):
        self.scale = scale

    def apply(self, x):
        return x * self.scale


@situation("compile compile", [FIRST, because(("static_value", "self.scale"))])
def an_attribute_of_the_object_of_a_method():
    thing = Plain(2)
    apply = jitscope.compile(thing.apply, backend="eager")
    apply(ones(4))
    thing.scale = 3
    apply(ones(4))


@situation("compile compile", [FIRST, because(("static_value", "self.scale"))])
def a_method_watched_in_its_class():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        @jitscope.watch
        @functools.partial(torch.compile, backend="eager")
        def apply(self, x):
            return x * self.scale

    Model(2).apply(ones(4))
    Model(3).apply(ones(4))


@situation("compile hit", [FIRST])
def a_method_of_two_objects_that_are_alike():
    class Model:
        def __init__(self, scale):
            self.scale = scale

        @jitscope.watch
        @functools.partial(torch.compile, backend="eager")
        def apply(self, x):
            return x * self.scale

    Model(2).apply(ones(4))
    Model(2).apply(ones(4))


@situation("compile compile", [FIRST, because(("dtype", "x"))])
def a_static_method():
    class Model:
        @staticmethod
        @jitscope.watch
        @functools.partial(torch.compile, backend="eager")
        def apply(x):
            return x * 2

    Model.apply(ones(4))
    Model().apply(ones(4, dtype=torch.float64))


@situation("compile compile", [FIRST, because(("static_value", "cls.scale"))])
def a_class_method():
    class Model:
        scale = 2

        @classmethod
        @jitscope.watch
        @functools.partial(torch.compile, backend="eager")
        def apply(cls, x):
            return x * cls.scale

    Model.apply(ones(4))
    Model.scale = 3
    Model.apply(ones(4))


@situation("compile compile hit", [FIRST, because(("static_value", "k"))])
def partials_of_a_compiled_function():
    def f(x, k):
        return x * k

    compiled = torch.compile(f, backend="eager")
    two = jitscope.watch(functools.partial(compiled, k=2))
    three = jitscope.watch(functools.partial(compiled, k=3))
    two(ones(4))
    three(ones(4))
    three(ones(4))


@situation("compile compile hit", [FIRST, because(("shape", "x"))])
def a_compiled_partial():
    def f(x, k):
        return x * k

    watched = jitscope.compile(functools.partial(f, k=2), backend="eager")
    for size in (4, 5, 6):
        watched(ones(size))
