"""Tokens of static values: the same where JAX finds two values equal."""

from __future__ import annotations

import dataclasses
import functools

import jax
import numpy as np
import pytest

from jitscope.capture.frameworks.jax_tokens import token_of


@dataclasses.dataclass(frozen=True)
class Frozen:
    a: object


@dataclasses.dataclass
class Plain:
    a: object


@dataclasses.dataclass(eq=False)
class ByIdentity:
    a: object


@jax.tree_util.register_pytree_node_class
class Node(list):
    def tree_flatten(self):
        return tuple(self), self.aux

    @classmethod
    def tree_unflatten(cls, aux, children):
        return cls(children)


def structure(aux):
    node = Node([1, 2])
    node.aux = aux
    return jax.tree_util.tree_structure(node)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (-1, -2),
        ((-1,), (-2,)),
        (Frozen(-1), Frozen(-2)),
        ([1], [2]),
        ({"a": [1]}, {"a": [2]}),
        (Plain([1]), Plain([2])),
        (Frozen([1]), Frozen([2])),
        (ByIdentity(1), ByIdentity(1)),
        (functools.partial(max, 1), functools.partial(max, 1)),
        (structure(1), structure(2)),
        (np.int64(-1), np.int64(-2)),
        ("a", "b"),
    ],
)
def test_values_that_differ(one, other):
    assert token_of(one) == token_of(one)
    assert token_of(one) != token_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, 1.0),
        (Frozen(1), Frozen(True)),
        ((1, (2,)), (1.0, (2,))),
        (Plain([1]), Plain([1])),
        (structure(1), structure(1)),
        (frozenset((1, 2)), frozenset((2, 1))),
    ],
)
def test_values_that_are_equal(one, other):
    assert one == other
    assert token_of(one) == token_of(other)


def test_the_type_of_a_static_argument_counts():
    assert token_of(1, typed=True) != token_of(1.0, typed=True)
    assert token_of("a", typed=True) == token_of("a", typed=True)


def test_what_cannot_be_hashed_has_none():
    class Raises:
        def __hash__(self):
            raise RuntimeError("no hash")

    assert token_of(Raises()) is None
    assert token_of({1, 2}) is None
    assert token_of(np.ones(3)) is None
