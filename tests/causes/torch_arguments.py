"""torch: situations of what a call passes: sizes, dtypes, values, containers."""

from __future__ import annotations

import dataclasses
import enum
from typing import NamedTuple

import torch

import jitscope
from causes.situation import FIRST, because, corpus

situations, situation = corpus("torch")


def ones(*sizes, **options):
    return torch.ones(*sizes, **options)


# -- sizes -----------------------------------------------------------------------------------------


@situation("compile compile hit*2", [FIRST, because(("shape", "x"))])
def a_size_changes_and_becomes_dynamic():
    def f(x):
        return x.sin()

    watched = jitscope.compile(f, backend="eager")
    for size in (4, 5, 6, 7):
        watched(ones(size))


@situation("compile*3 hit*2", [FIRST, because(("shape", "x")), because(("shape", "x"))])
def every_size_compiles_without_dynamic_shapes():
    def f(x):
        return x.sin()

    watched = jitscope.compile(f, backend="eager", dynamic=False)
    for size in (4, 5, 6, 5, 4):
        watched(ones(size))


@situation("compile hit*3", [FIRST])
def sizes_are_dynamic_from_the_start():
    def f(x):
        return x.sin()

    watched = jitscope.compile(f, backend="eager", dynamic=True)
    for size in (4, 5, 9, 2):
        watched(ones(size))


@situation("compile*3 hit", [FIRST, because(("shape", "x")), because(("shape", "x"))])
def one_axis_after_the_other_changes():
    @jitscope.watch
    @torch.compile(backend="eager")
    def f(x):
        return x.cos()

    for sizes in ((4, 8), (5, 8), (5, 9), (6, 10)):
        f(ones(*sizes))


@situation(
    "compile compile",
    [FIRST, because(("dtype", "a"), ("static_value", "b"), ("static_value", "c"), ("static_value", "d"))],
)
def four_arguments_change_at_once():
    def f(a, b, c, d):
        return a * b + c - d

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), 2, 3.5, 5)
    watched(ones(4, dtype=torch.float64), 3, 4.5, 6)


@situation("compile compile", [FIRST, because(("shape", "x"), ("dtype", "x"))])
def size_and_dtype_of_one_argument():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4, 3))
    watched(ones(5, 3, dtype=torch.float16))


@situation("compile compile", [FIRST, because(("shape", "x"), ("shape", "y"))])
def two_arguments_change_size():
    def f(x, y):
        return x.sum() + y.sum()

    watched = jitscope.compile(f, backend="eager", dynamic=False)
    watched(ones(4), ones(6))
    watched(ones(5), ones(7))


@situation("compile*3", [FIRST, because(("shape", "x")), because(("shape", "y"))])
def compared_with_the_entry_that_differs_least():
    def f(x, y):
        return x.sum() + y.sum()

    watched = jitscope.compile(f, backend="eager", dynamic=False)
    watched(ones(4), ones(6))
    watched(ones(5), ones(6))
    watched(ones(4), ones(7))


@situation(
    "compile*3",
    [FIRST, because(("dtype", "x"), ("shape", "y")), because(("dtype", "y"))],
)
def compared_with_an_older_entry():
    def f(x, y):
        return x.sum() + y.sum()

    watched = jitscope.compile(f, backend="eager", dynamic=False)
    watched(ones(4), ones(6))
    watched(ones(4, dtype=torch.float64), ones(9))
    watched(ones(4), ones(6, dtype=torch.float64))


@situation("compile compile", [FIRST, because(("shape", "batch['ids']"))])
def a_tensor_inside_a_dictionary_changes_size():
    def f(batch):
        return batch["ids"] * batch["scale"]

    watched = jitscope.compile(f, backend="eager")
    for size in (4, 5):
        watched({"ids": ones(size), "scale": ones(1)})


@situation("compile compile", [FIRST, because(("shape", "xs[1]"))])
def a_tensor_inside_a_list_changes_size():
    def f(xs):
        return xs[0].sum() + xs[1].sum()

    watched = jitscope.compile(f, backend="eager")
    for size in (4, 5):
        watched([ones(3), ones(size)])


@situation("compile compile", [FIRST, because(("rank", "x"))])
def another_rank():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4, 4))


@situation("compile compile hit", [FIRST, because(("shape", "cache"))])
def a_growing_cache_becomes_dynamic():
    def decode(cache, x):
        return torch.cat([cache, x])

    watched = jitscope.compile(decode, backend="eager")
    cache = ones(2, 8)
    for _ in range(3):
        cache = watched(cache, ones(1, 8))


@situation("compile compile hit*6", [FIRST, because(("shape", "x"))])
def two_sizes_take_turns():
    def f(x):
        return x.exp()

    watched = jitscope.compile(f, backend="eager", dynamic=False)
    for _ in range(4):
        watched(ones(4))
        watched(ones(8))


# -- constraints on sizes --------------------------------------------------------------------------


@situation("compile compile compile", [FIRST, because(("shape", "x")), because(("shape_constraint", "x"))])
def size_one_is_special():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    for size in (4, 5, 1):
        watched(ones(size))


@situation("compile hit compile", [FIRST, because(("shape_constraint", "x"))])
def size_one_is_special_with_dynamic_shapes():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager", dynamic=True)
    for size in (4, 5, 1):
        watched(ones(size))


@situation("compile hit compile hit", [FIRST, because(("shape_constraint", "x"))])
def a_branch_on_a_size():
    def f(x):
        return x.sin() if x.shape[0] > 8 else x.cos()

    watched = jitscope.compile(f, backend="eager", dynamic=True)
    for size in (4, 6, 20, 30):
        watched(ones(size))


@situation("compile hit compile hit", [FIRST, because(("shape_constraint", "x"))])
def a_size_that_must_be_even():
    def f(x):
        y = x * 2
        return y.reshape(2, -1) if y.shape[0] % 2 == 0 else y

    watched = jitscope.compile(f, backend="eager", dynamic=True)
    for size in (4, 8, 7, 9):
        watched(ones(size))


@situation("compile compile", [FIRST, because(("shape_constraint", "y"))])
def two_equal_sizes_then_different_ones():
    def f(x, y):
        return x.sum() + y.sum()

    # One symbol, that of x, stands for both sizes (duck shape); y no longer fits it.
    watched = jitscope.compile(f, backend="eager", dynamic=True)
    watched(ones(4), ones(4))
    watched(ones(5), ones(6))


@situation("compile compile", [FIRST, because(("shape_constraint", "x"))])
def a_square_matrix_then_an_oblong_one():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager", dynamic=True)
    watched(ones(4, 4))
    watched(ones(5, 6))


@situation("compile hit compile", [FIRST, because(("shape_constraint", "x"))])
def a_size_marked_as_dynamic_is_branched_on():
    def f(x):
        return x.sin() if x.shape[0] <= 16 else x.cos()

    watched = jitscope.compile(f, backend="eager")
    for size in (4, 8, 32):
        x = ones(size)
        torch._dynamo.mark_dynamic(x, 0)
        watched(x)


@situation("compile compile", [FIRST, because(("shape_constraint", "x"))])
def the_same_size_is_marked_as_dynamic_later():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    x = ones(4)
    torch._dynamo.mark_dynamic(x, 0)
    watched(x)


@situation("compile hit*2", [FIRST])
def a_size_marked_as_dynamic_from_the_start():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    for size in (4, 5, 6):
        x = ones(size)
        torch._dynamo.mark_dynamic(x, 0)
        watched(x)


@situation("compile hit*2", [FIRST])
def a_size_of_which_nothing_is_assumed():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    for size in (1, 4, 5):
        x = ones(size)
        torch._dynamo.decorators.mark_unbacked(x, 0)
        watched(x)


@situation("compile*3", [FIRST, because(("shape", "x")), because(("shape", "x"))])
def a_size_marked_as_static():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    for size in (4, 5, 6):
        x = ones(size)
        torch._dynamo.mark_static(x, 0)
        watched(x)


# -- layout, dtype, device, autograd ---------------------------------------------------------------


@situation("compile compile", [FIRST, because(("layout", "x"))])
def a_transposed_matrix():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4, 4))
    watched(ones(4, 4).t())


@situation("compile compile hit", [FIRST, because(("layout", "image"))])
def another_memory_format():
    def f(image):
        return image.relu()

    watched = jitscope.compile(f, backend="eager")
    watched(ones(2, 3, 4, 5))
    watched(ones(2, 3, 4, 5).to(memory_format=torch.channels_last))
    watched(ones(2, 3, 4, 5))


@situation("compile compile", [FIRST, because(("layout", "x"))])
def rows_of_a_wider_matrix():
    def f(x):
        return x + 1

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4, 4))
    watched(ones(4, 8)[:, :4])


@situation("compile compile", [FIRST, because(("layout", "x"))])
def an_expanded_tensor():
    def f(x):
        return x + 1

    watched = jitscope.compile(f, backend="eager")
    watched(ones(3, 4))
    watched(ones(1, 4).expand(3, 4))


@situation("compile compile", [FIRST, because(("shape", "x"), ("layout", "x"))])
def a_transposed_matrix_of_another_size():
    def f(x):
        return x + 1

    watched = jitscope.compile(f, backend="eager", dynamic=False)
    watched(ones(4, 6))
    watched(ones(5, 6).t().contiguous().t())


@situation("compile hit compile", [FIRST, because(("layout", "x"))])
def a_transposed_matrix_with_dynamic_shapes():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager", dynamic=True)
    watched(ones(4, 6))
    watched(ones(5, 7))
    watched(ones(7, 5).t())


@situation("compile eager_fallback*2", [FIRST])
def a_sparse_tensor_that_dynamo_gives_up_on():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4, 4))
    watched(ones(4, 4).to_sparse())
    watched(ones(4, 4))


@situation("compile*3 hit", [FIRST, because(("dtype", "x")), because(("dtype", "x"))])
def another_dtype():
    @torch.compile(backend="eager")
    def f(x):
        return x * 2

    watched = jitscope.watch(f)
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float64):
        watched(ones(4, dtype=dtype))


@situation("compile compile", [FIRST, because(("dtype", "mask"))])
def a_mask_of_integers_instead_of_booleans():
    def f(x, mask):
        return x * mask

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), ones(4, dtype=torch.bool))
    watched(ones(4), ones(4, dtype=torch.int64))


@situation("compile compile", [FIRST, because(("device", "x"))])
def another_device():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4, device="meta"))


@situation("compile compile", [FIRST, because(("requires_grad", "x"))])
def an_inference_tensor():
    def f(x):
        return x * 2

    # An inference tensor is one that autograd can't track, which is the nearest word for it.
    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    with torch.inference_mode():
        x = ones(4)
    watched(x)


@situation("compile compile hit", [FIRST, because(("requires_grad", "x"))])
def a_tensor_that_requires_grad():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4, requires_grad=True))
    watched(ones(4, requires_grad=True).detach())


@situation("compile compile", [FIRST, because(("requires_grad", "w"), ("dtype", "x"))])
def gradient_of_one_and_dtype_of_another():
    def f(x, w):
        return x * w

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), ones(4))
    watched(ones(4, dtype=torch.float64), ones(4, requires_grad=True))


class Tagged(torch.Tensor):
    pass


@situation("compile compile", [FIRST, because(("python_type", "x"))])
def a_tensor_subclass():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4).as_subclass(Tagged))


@situation("compile compile", [FIRST, because(("python_type", "w"))])
def a_parameter_instead_of_a_tensor():
    def f(w):
        return w * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(torch.nn.Parameter(ones(4), requires_grad=False))


@situation("compile compile", [FIRST, because(("python_type", "w"), ("requires_grad", "w"))])
def a_trainable_parameter_instead_of_a_tensor():
    def f(w):
        return w * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(torch.nn.Parameter(ones(4)))


@situation("compile compile", [FIRST, because(("aliasing", "y"))])
def one_tensor_for_two_arguments():
    def f(x, y):
        return x + y

    # The later argument is the one that is another's twin.
    watched = jitscope.compile(f, backend="eager")
    x, y = ones(4), ones(4)
    watched(x, y)
    watched(x, x)


@situation("compile compile hit", [FIRST, because(("aliasing", "y"))])
def two_tensors_where_there_was_one():
    def f(x, y):
        return x + y

    watched = jitscope.compile(f, backend="eager")
    x, y = ones(4), ones(4)
    watched(x, x)
    watched(x, y)
    watched(y, x)


# -- values ----------------------------------------------------------------------------------------


@situation("compile compile hit", [FIRST, because(("static_value", "k"))])
def an_integer_becomes_dynamic():
    def f(x, k):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    for k in (2, 3, 4):
        watched(ones(4), k)


@situation("compile compile hit*2", [FIRST, because(("static_value", "k"))])
def a_dynamic_integer_may_be_one_or_zero():
    def f(x, k):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    for k in (2, 3, 1, 0):
        watched(ones(4), k)


@situation("compile*4 hit", [FIRST, *[because(("static_value", "n"))] * 3])
def an_integer_that_python_loops_over():
    def f(x, n):
        for _ in range(n):
            x = x.sin()
        return x

    watched = jitscope.compile(f, backend="eager")
    for n in (1, 2, 3, 4, 2):
        watched(ones(4), n)


@situation("compile compile hit", [FIRST, because(("static_value", "scale"))])
def a_float_becomes_dynamic():
    def f(x, scale):
        return x * scale

    watched = jitscope.compile(f, backend="eager")
    for scale in (2.5, 3.5, 4.5):
        watched(ones(4), scale)


@situation("compile*3 hit", [FIRST, because(("static_value", "mode")), because(("static_value", "mode"))])
def a_text():
    def f(x, mode):
        return x.sin() if mode == "sin" else x.cos()

    watched = jitscope.compile(f, backend="eager")
    for mode in ("sin", "cos", "none", "sin"):
        watched(ones(4), mode)


@situation("compile compile hit*2", [FIRST, because(("static_value", "flip"))])
def a_flag():
    def f(x, flip):
        return -x if flip else x + 1

    watched = jitscope.compile(f, backend="eager")
    for flip in (False, True, False, True):
        watched(ones(4), flip)


@situation("compile compile", [FIRST, because(("python_type", "mask"))])
def none_then_a_tensor():
    def f(x, mask=None):
        return x + 1 if mask is None else x * mask

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), None)
    watched(ones(4), ones(4))


@situation("compile compile", [FIRST, because(("python_type", "mask"))])
def an_optional_tensor_is_given():
    def f(x, mask=None):
        return x + 1 if mask is None else x * mask

    # Dynamo sees the argument's value, not how it was passed: None became a tensor.
    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4), mask=ones(4))


@situation("compile compile", [FIRST, because(("python_type", "k"))])
def an_integer_then_a_float():
    def f(x, k):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), 2)
    watched(ones(4), 2.5)


@situation("compile compile", [FIRST, because(("python_type", "k"))])
def a_number_then_a_tensor():
    def f(x, k):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), 2)
    watched(ones(4), torch.tensor(2))


@situation("compile compile", [FIRST, because(("python_type", "k"))])
def a_number_then_none():
    def f(x, k):
        return x + 1 if k is None else x * k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), 2)
    watched(ones(4), None)


@situation("compile compile", [FIRST, because(("python_type", "k"))])
def an_integer_then_a_text():
    def f(x, k):
        return x + 1 if k == "one" else x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), 3)
    watched(ones(4), "one")


class Mode(enum.Enum):
    FAST = 1
    EXACT = 2


@situation("compile compile hit", [FIRST, because(("static_value", "mode"))])
def a_member_of_an_enumeration():
    def f(x, mode):
        return x.sin() if mode is Mode.FAST else x.cos()

    watched = jitscope.compile(f, backend="eager")
    for mode in (Mode.FAST, Mode.EXACT, Mode.FAST):
        watched(ones(4), mode)


@situation("compile compile", [FIRST, because(("static_value", "dtype"))])
def a_dtype_as_a_value():
    def f(x, dtype):
        return x.to(dtype) * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), torch.float64)
    watched(ones(4), torch.bfloat16)


@situation("compile compile", [FIRST, because(("static_value", "device"))])
def a_device_as_a_value():
    def f(x, device):
        return torch.zeros(3, device=device) + 1

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), torch.device("cpu"))
    watched(ones(4), torch.device("meta"))


@situation("compile compile", [FIRST, because(("static_value", "shape[0]"), ("static_value", "shape[1]"))])
def a_size_as_a_value():
    def f(x, shape):
        return x.reshape(shape) + 1

    watched = jitscope.compile(f, backend="eager", dynamic=False)
    watched(ones(24), torch.Size((4, 6)))
    watched(ones(24), torch.Size((3, 8)))


@dataclasses.dataclass
class Config:
    width: int
    name: str = "a"


@situation("compile compile", [FIRST, because(("static_value", "cfg.width"))])
def a_field_of_a_dataclass():
    def f(x, cfg):
        return x * cfg.width

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), Config(2))
    watched(ones(4), Config(3))


@situation("compile compile", [FIRST, because(("static_value", "cfg.width"), ("static_value", "cfg.name"))])
def two_fields_of_a_dataclass():
    def f(x, cfg):
        return x * cfg.width if cfg.name == "a" else x + cfg.width

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), Config(2))
    watched(ones(4), Config(3, "b"))


@situation("compile hit", [FIRST])
def a_field_that_nobody_reads():
    def f(x, cfg):
        return x * cfg.width

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), Config(2, "a"))
    watched(ones(4), Config(2, "b"))


@situation("compile compile hit", [FIRST, because(("static_value", "fn"))])
def another_function_as_an_argument():
    def f(x, fn):
        return fn(x) + 1

    watched = jitscope.compile(f, backend="eager")
    for fn in (torch.sin, torch.cos, torch.sin):
        watched(ones(4), fn)


def _double(x):
    return x * 2


def _triple(x):
    return x * 3


@situation("compile compile", [FIRST, because(("static_value", "fn"))])
def another_python_function_as_an_argument():
    def f(x, fn):
        return fn(x) + 1

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), _double)
    watched(ones(4), _triple)


@situation("compile compile", [FIRST, because(("static_value", "kind"))])
def a_class_as_an_argument():
    def f(x, kind):
        return x * 2 if kind is Config else x * 3

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), Config)
    watched(ones(4), Tagged)


@situation("compile compile", [FIRST, because(("python_type", "cfg"))])
def another_class_of_object():
    class A:
        k = 2

    class B:
        k = 2

    def f(x, cfg):
        return x * cfg.k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), A())
    watched(ones(4), B())


@situation("compile hit", [FIRST])
def another_object_of_one_class():
    class A:
        def __init__(self, k):
            self.k = k

    def f(x, cfg):
        return x * cfg.k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), A(3))
    watched(ones(4), A(3))


@situation("compile compile", [FIRST, because(("static_value", "span[1]"))])
def a_number_inside_a_tuple():
    def f(x, span):
        return x[span[0] : span[1]] * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(9), (2, 5))
    watched(ones(9), (2, 6))


# -- containers and passing ------------------------------------------------------------------------


@situation("compile*3 hit", [FIRST, because(("tree_structure", "xs[2]")), because(("tree_structure", "xs[3]"))])
def a_longer_list():
    def f(xs):
        return sum(x.sum() for x in xs)

    watched = jitscope.compile(f, backend="eager")
    for length in (2, 3, 4, 3):
        watched([ones(4) for _ in range(length)])


@situation("compile compile", [FIRST, because(("tree_structure", "caches[0]"))])
def an_empty_list_that_fills():
    def f(x, caches):
        return x + 1 if not caches else x + caches[0]

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), [])
    watched(ones(4), [ones(4)])


@situation("compile compile", [FIRST, because(("tree_structure", "xs[1]"))])
def more_positional_arguments():
    def f(*xs):
        return sum(x.sum() for x in xs)

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4), ones(4))


@situation("compile compile", [FIRST, because(("tree_structure", "options['b']"))])
def another_keyword():
    def f(x, **options):
        for value in options.values():
            x = x * value
        return x

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), a=2)
    watched(ones(4), a=2, b=3)


@situation("compile compile hit", [FIRST, because(("tree_structure", "batch['b']"))])
def one_more_key():
    def f(batch):
        return sum(value.sum() for value in batch.values())

    watched = jitscope.compile(f, backend="eager")
    watched({"a": ones(4)})
    watched({"a": ones(4), "b": ones(4)})
    watched({"a": ones(4)})


@situation("compile compile", [FIRST, because(("tree_structure", "batch"))])
def keys_in_another_order():
    def f(batch):
        x = ones(4)
        for value in batch.values():
            x = x * 2 + value
        return x

    watched = jitscope.compile(f, backend="eager")
    watched({"a": ones(4), "b": ones(4)})
    watched({"b": ones(4), "a": ones(4)})


@situation("compile compile", [FIRST, because(("tree_structure", "batch['bias']"))])
def a_key_that_was_missing():
    def f(x, batch):
        return x + batch.get("bias", 1)

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), {"other": 3})
    watched(ones(4), {"other": 3, "bias": 2})


@situation("compile compile", [FIRST, because(("tree_structure", "xs"))])
def a_tuple_instead_of_a_list():
    def f(xs):
        return xs[0] + xs[1]

    watched = jitscope.compile(f, backend="eager")
    watched([ones(4), ones(4)])
    watched((ones(4), ones(4)))


class Pair(NamedTuple):
    x: torch.Tensor
    n: int


@situation("compile compile", [FIRST, because(("dtype", "pair.x"), ("static_value", "pair.n"))])
def two_fields_of_a_named_tuple():
    def f(pair):
        return pair.x * pair.n

    watched = jitscope.compile(f, backend="eager")
    watched(Pair(ones(4), 2))
    watched(Pair(ones(4, dtype=torch.float64), 3))


@situation("compile hit", [FIRST])
def the_default_is_passed_explicitly():
    def f(x, k=3):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4), 3)


@situation("compile hit*2", [FIRST])
def by_position_and_by_keyword():
    def f(x, k):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4), 3)
    watched(ones(4), k=3)
    watched(k=3, x=ones(4))


@situation("compile compile", [FIRST, because(("static_value", "k"))])
def another_value_than_the_default():
    def f(x, k=3):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(ones(4), k=4)


@situation(
    "compile compile hit", [FIRST, because(("tree_structure", "batch['img']"), ("tree_structure", "batch['image']"))]
)
def a_key_is_renamed():
    def f(batch):
        return sum(value.sum() for value in batch.values())

    watched = jitscope.compile(f, backend="eager")
    watched({"image": ones(4), "label": ones(4)})
    watched({"img": ones(4), "label": ones(4)})
    watched({"image": ones(4), "label": ones(4)})


# -- numpy -----------------------------------------------------------------------------------------


@situation("compile compile hit", [FIRST, because(("shape", "a"))], needs=("numpy",))
def a_numpy_array_of_another_size():
    import numpy as np

    def f(a):
        return np.sin(a) * 2

    watched = jitscope.compile(f, backend="eager")
    for size in (4, 5, 6):
        watched(np.ones(size, np.float32))


@situation("compile compile", [FIRST, because(("dtype", "a"))], needs=("numpy",))
def a_numpy_array_of_another_dtype():
    import numpy as np

    def f(a):
        return np.sin(a) * 2

    watched = jitscope.compile(f, backend="eager")
    watched(np.ones(4, np.float32))
    watched(np.ones(4, np.float64))


@situation("compile compile", [FIRST, because(("python_type", "x"))], needs=("numpy",))
def a_numpy_array_instead_of_a_tensor():
    import numpy as np

    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    watched(ones(4))
    watched(np.ones(4, np.float32))


@situation("compile hit compile", [FIRST, because(("dtype", "k"))], needs=("numpy",))
def a_numpy_number():
    import numpy as np

    def f(x, k):
        return x * k

    # Dynamo takes a numpy number for an array without axes: its value is no constant.
    watched = jitscope.compile(f, backend="eager")
    for k in (np.float32(2), np.float32(3), np.float64(3)):
        watched(ones(4), k)


# -- controls: nothing here may recompile ----------------------------------------------------------


@situation("compile hit*4", [FIRST])
def other_values_in_tensors():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    for value in range(5):
        watched(torch.full((4,), float(value)))


@situation("compile hit*2", [FIRST])
def copies_of_a_tensor():
    def f(x):
        return x * 2

    watched = jitscope.compile(f, backend="eager")
    x = ones(4, 4)
    watched(x)
    watched(x.clone())
    watched(x.t().contiguous())


@situation("compile hit*3", [FIRST])
def a_new_list_of_the_same_tensors():
    def f(xs, options):
        return (xs[0] + xs[1]) * options["k"]

    watched = jitscope.compile(f, backend="eager")
    for _ in range(4):
        watched([ones(4), ones(4)], {"k": 3, "unread": object()})


@situation("compile hit*2", [FIRST])
def a_number_as_a_tensor():
    def f(x, k):
        return x * k

    watched = jitscope.compile(f, backend="eager")
    for k in (2.0, 3.0, 4.0):
        watched(ones(4), torch.tensor(k))
