"""Whatever changes between two calls, alone or together, is exactly what is named (hypothesis)."""

import contextlib
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import jitscope
from jitscope.analysis.build import build_report

jax = pytest.importorskip("jax")

import jax.numpy as jnp  # noqa: E402
import numpy as np  # noqa: E402

pytestmark = [pytest.mark.jax, pytest.mark.slow]


@jax.tree_util.register_pytree_node_class
@dataclass
class State:
    w: object
    lr: float

    def tree_flatten(self):
        return (self.w,), (self.lr,)

    @classmethod
    def tree_unflatten(cls, metadata, children):
        return cls(*children, *metadata)


CHANGES = {
    ("shape", "x"): ("size", 3),
    ("dtype", "batch['w']"): ("dtype", np.float16),
    ("rank", "batch['v']"): ("rank", 2),
    ("weak_type", "scale"): ("weak", False),
    ("committed", "y"): ("committed", True),
    ("tree_structure", "batch['more']"): ("more", True),
    ("python_type", "mask"): ("mask", True),
    ("static_value", "mode"): ("mode", "cos"),
    ("argument_passing", "extra"): ("extra", True),
    ("config", "jax_default_matmul_precision"): ("precision", "highest"),
    ("config", "jax_numpy_rank_promotion"): ("promotion", "warn"),
}


def call():
    return {"size": 2, "dtype": np.float32, "rank": 1, "weak": True, "committed": False, "more": False, "mask": False,
            "mode": "sin", "extra": False, "precision": None, "promotion": None}  # fmt: skip


def program(x, batch, scale, y, mask, mode, extra=1.0):
    total = sum(leaf.astype(jnp.float32).sum() for leaf in jax.tree.leaves(batch))
    masked = x.sum() if mask is None else (x.sum() * mask.sum())
    return (jnp.sin(masked) if mode == "sin" else jnp.cos(masked)) * scale + total + y.sum() + extra


def perform(f, made):
    x = jnp.ones((made["size"], 4))
    batch = {"w": np.ones(5, made["dtype"]), "v": np.ones((2,) * made["rank"], np.float32)}
    if made["more"]:
        batch["more"] = np.ones(2, np.float32)
    y = jax.device_put(np.ones(7, np.float32), jax.devices()[0]) if made["committed"] else jnp.ones(7)
    with contextlib.ExitStack() as around:
        if made["precision"]:
            around.enter_context(jax.default_matmul_precision(made["precision"]))
        if made["promotion"]:
            around.enter_context(jax.numpy_rank_promotion(made["promotion"]))
        f(
            x,
            batch,
            1.0 if made["weak"] else jnp.float32(1),
            y,
            jnp.ones(3) if made["mask"] else None,
            *([made["mode"], 2.0] if made["extra"] else [made["mode"]]),
        )


@settings(
    max_examples=30,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(st.sets(st.sampled_from(sorted(CHANGES)), min_size=1, max_size=5))
def test_what_changed_is_what_is_named(recorded, changes):
    with jitscope.record(recorded.path, force=True):
        # A lambda of its own: caches of the example before must not serve this one.
        f = jitscope.jit(
            lambda x, batch, scale, y, mask, mode, extra=1.0: program(x, batch, scale, y, mask, mode, extra),
            static_argnames=("mode",),
        )
        perform(f, call())
        second = call()
        for change in changes:
            name, value = CHANGES[change]
            second[name] = value
        perform(f, second)
    first, again = build_report(recorded.load()).functions[-1].compilations_detail

    assert [("first_compile", None)] == [(one.kind, one.path) for one in first.causes]
    assert changes == {(one.kind, one.path) for one in again.causes}
