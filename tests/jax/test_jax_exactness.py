"""Hits per signature are exact on the fast path: held against a recorder that reads every signature on every call."""

from __future__ import annotations

import dataclasses
import functools
import threading
from collections import Counter, OrderedDict
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import jitscope
from jitscope.capture.frameworks.jax_signature import JaxSignatureReader
from jitscope.capture.watch import book_of


class Pair(NamedTuple):
    a: object
    b: object


@functools.partial(jax.tree_util.register_dataclass, data_fields=["x"], meta_fields=["tag"])
@dataclasses.dataclass
class Mine:
    """A pytree of the user's own, whose leaves JAX tells by attribute."""

    x: object
    tag: str


jax.tree_util.register_pytree_with_keys(
    dict_like := type("DictLike", (dict,), {}),
    lambda d: (tuple((jax.tree_util.DictKey(k), v) for k, v in sorted(d.items())), tuple(sorted(d))),
    lambda keys, leaves: dict_like(zip(keys, leaves, strict=True)),
)


def leaf(size, dtype=np.float32):
    return jnp.asarray(np.ones(size, dtype))


LEAVES = [
    leaf(2),
    leaf(3),
    leaf((2, 2)),
    leaf(2, np.int32),
    np.ones(2, np.float32),
    np.ones(2, np.int32),
    np.ones(3, np.float64),
    np.float32(1),
    1,
    2.0,
    True,
    jnp.asarray(1.0),
    jnp.asarray(np.float32(1)),
    jax.device_put(leaf(2), jax.devices()[0]),
]
TREES = [
    *LEAVES,
    None,
    (),
    (leaf(2),),
    [leaf(2)],
    [leaf(2), leaf(3)],
    {"a": leaf(2)},
    {"b": leaf(2)},
    {"a": leaf(2), "b": (leaf(3), None)},
    {"a": leaf(2), "b": (leaf(3), leaf(2))},
    Pair(leaf(2), leaf(2)),
    Pair(leaf(2), leaf(3)),
    dict_like(a=leaf(2)),
    dict_like(a=leaf(3)),
    Mine(leaf(2), "one"),
    Mine(leaf(3), "one"),
    Mine(leaf(2), "two"),
]
CALLS = st.tuples(
    st.sampled_from(range(len(LEAVES))),
    st.sampled_from(range(len(TREES))),
    st.sampled_from(["x", "xt", "xt_keyword", "keywords"]),
    st.sampled_from([None, 1, 1.0, True, "a"]),
)


STEPS = st.sampled_from(["call"] * 12 + ["clear", "clear_all", "bare", "other"])


def arguments(call):
    """Positional and keyword arguments of a call; static ``n`` and ``mode`` where there is something for them."""
    x, tree, passing, static = call
    x, tree = LEAVES[x], TREES[tree]
    kwargs = {} if static is None else {"mode": static}
    match passing:
        case "x":
            return (x,), kwargs
        case "xt":
            return (x, tree), kwargs
        case "xt_keyword":
            return (x,), {**kwargs, "tree": tree}
    return (), {**kwargs, "x": x, "tree": tree}


def body(x, tree=None, mode=None):
    return jax.tree_util.tree_map(lambda one: one * 2, (x, tree))


class Reference:
    """Reads each call's signature in full, before it is made."""

    def __init__(self, function):
        self.reader = JaxSignatureReader(function, (), ("mode",))
        self.counts = Counter()

    def call(self, watched, args, kwargs):
        self.counts[self.reader.read(args, kwargs)] += 1
        return watched(*args, **kwargs)


def counted(watched):
    """Calls by signature, as jitscope counted them."""
    book = book_of(watched)
    book.next_ordinal()  # enters what is not in the counts yet
    found = Counter()
    for (signature, _, _), count in book.history.counts.items():
        found[book.signature_by_id[signature].signature if signature is not None else None] += count
    return found


def fresh():
    """A function object of its own, so that no cache is shared between examples."""
    return jitscope.watch(jax.jit(lambda x, tree=None, mode=None: body(x, tree, mode), static_argnames="mode"))


RUN = settings(
    max_examples=12,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # an example is a whole program: shrinking takes minutes
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
)


@RUN
@given(st.lists(CALLS, min_size=2, max_size=6, unique=True), st.lists(st.integers(0, 5), min_size=20, max_size=120))
def test_interleaved_calls_are_counted_by_signature(pool, order):
    watched = fresh()
    reference = Reference(watched.__wrapped__)
    for number in order:
        reference.call(watched, *arguments(pool[number % len(pool)]))

    assert reference.counts == counted(watched)


@RUN
@given(
    st.lists(CALLS, min_size=2, max_size=5, unique=True),
    st.lists(
        st.tuples(st.sampled_from(["call"] * 12 + ["clear", "clear_all", "bare", "other"]), st.integers(0, 4)),
        min_size=20,
        max_size=80,
    ),
)
def test_cleared_caches_and_other_wrappers_of_the_same_function_do_not_matter(pool, program):
    watched = fresh()
    bare = jax.jit(watched.__wrapped__, static_argnames="mode")
    other = jitscope.watch(jax.jit(watched.__wrapped__, static_argnames="mode", inline=True))
    reference = Reference(watched.__wrapped__)
    for what, number in program:
        args, kwargs = arguments(pool[number % len(pool)])
        match what:
            case "call":
                reference.call(watched, args, kwargs)
            case "clear":
                watched.clear_cache()
            case "clear_all":
                jax.clear_caches()
            case "bare":
                bare(*args, **kwargs)
            case "other":
                other(*args, **kwargs)

    assert reference.counts == counted(watched)


@RUN
@given(st.lists(CALLS, min_size=2, max_size=4, unique=True), st.integers(2, 4))
def test_threads_lose_no_call(eager_switching, pool, threads):
    watched = fresh()
    calls = [arguments(call) for call in pool]
    reference = Reference(watched.__wrapped__)

    def work(offset):
        for number in range(60):
            args, kwargs = calls[(number + offset) % len(calls)]
            watched(*args, **kwargs)

    workers = [threading.Thread(target=work, args=(offset,)) for offset in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    for offset in range(threads):
        for number in range(60):
            reference.counts[reference.reader.read(*calls[(number + offset) % len(calls)])] += 1

    assert reference.counts == counted(watched)


def test_donated_arguments_still_tell_their_signature():
    watched = jitscope.watch(jax.jit(lambda x: x + 1, donate_argnums=0))
    sizes = [2, 3, 2, 2, 3, 4, 3, 2, 4] * 4
    for size in sizes:
        watched(leaf(size))

    assert Counter(sizes) == Counter({one.leaves[0].shape[0]: count for one, count in counted(watched).items()})


@pytest.mark.parametrize("count", [2, 32, 70])
def test_many_signatures_in_turn_are_counted(count):
    watched = jitscope.watch(jax.jit(lambda x: x + 1))
    inputs = [leaf(2 + n) for n in range(count)]
    for _ in range(5):
        for x in inputs:
            watched(x)

    assert [5] * count == sorted(counted(watched).values())
    outcomes = [(run.outcome, run.count) for run in jitscope.stats(watched).history]
    assert [("compile", 1)] * count + [("hit", 1)] * 4 * count == outcomes


def test_the_history_keeps_its_order_over_many_hits():
    watched = jitscope.watch(jax.jit(lambda x: x + 1))
    x, y = leaf(2), leaf(3)
    watched(x)
    watched(y)
    for _ in range(1500):
        watched(x)
        watched(x)
        watched(y)

    history = [(run.outcome, run.count) for run in jitscope.stats(watched).history]
    assert [("compile", 1), ("compile", 1), *[("hit", 2), ("hit", 1)] * 1500] == history


def told(watched):
    """The signature of each call, as jitscope told it."""
    history = jitscope.stats(watched).history
    return [run.signature for run in history for _ in range(run.count)]


def test_ordered_dictionaries_with_other_orders_and_lengths_are_told_apart():
    watched = jitscope.watch(jax.jit(lambda x: 1.0))
    x = leaf(2)
    calls = [OrderedDict(b=1, a=x), OrderedDict(a=x, b=1), OrderedDict(a=x), OrderedDict(c=x, a=x)]
    for call in calls:
        watched(call)
    for call in calls * 3:
        watched(call)

    first = told(watched)[:4]
    assert 4 == len(set(first))
    assert first * 4 == told(watched)


class Lying:
    """A node with an attribute that is none of JAX's business, and a property that counts how often it is asked."""

    asked = 0

    def __init__(self, data, shape=None):
        self._data = data
        self.shape = shape

    @property
    def data(self):
        Lying.asked += 1
        return self._data


jax.tree_util.register_pytree_with_keys(
    Lying,
    lambda node: (((jax.tree_util.GetAttrKey("data"), node._data),), None),
    lambda _, leaves: Lying(leaves[0]),
)


def test_what_a_node_says_of_itself_is_not_taken_for_an_arrays():
    watched = jitscope.watch(jax.jit(lambda x: jax.tree_util.tree_leaves(x)[0].sum()))
    calls = [leaf(4), leaf(8), Lying(leaf(3), (99,)), Lying(leaf(3), (4,)), leaf(4), Lying(leaf(3), (8,))]
    for call in calls * 3:
        watched(call)

    one, other, node = told(watched)[:3]
    assert [one, other, node, node, one, node] * 3 == told(watched)


def test_no_property_of_the_users_runs_at_a_hit():
    watched = jitscope.watch(jax.jit(lambda x: jax.tree_util.tree_leaves(x)[0].sum()))
    calls = [Lying(leaf(3)), Lying(leaf(4))]
    for call in calls:
        watched(call)
    Lying.asked = 0
    for call in calls * 5:
        watched(call)

    assert 0 == Lying.asked
