"""The example scripts compute attention, and measure what they say."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
SHAPE = (2, 6, 3, 4)


@pytest.fixture
def load(monkeypatch):
    """Import an example as a module of its own."""

    def load(name):
        spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        spec.loader.exec_module(module)
        return module

    return load


def reference(q, k, v):
    """Attention, spelled out."""
    np = pytest.importorskip("numpy")
    result = np.empty_like(q)
    for b in range(q.shape[0]):
        for h in range(q.shape[2]):
            scores = q[b, :, h] @ k[b, :, h].T / np.sqrt(q.shape[3])
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            result[b, :, h] = weights / weights.sum(axis=1, keepdims=True) @ v[b, :, h]
    return result


@pytest.mark.jax
def test_jax_attention(load):
    jax = pytest.importorskip("jax")
    import numpy as np

    example = load("attention_jax")
    arrays = example.inputs(SHAPE, "float32", jax.devices("cpu")[0])
    wanted = reference(*map(np.asarray, arrays))
    np.testing.assert_allclose(example.attention(*arrays), wanted, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(example.watched(*arrays), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.torch
def test_torch_attention(load):
    pytest.importorskip("torch")
    import numpy as np

    example = load("attention_torch")
    tensors = example.inputs(SHAPE, "float32", "cpu")
    wanted = reference(*(tensor.numpy() for tensor in tensors))
    np.testing.assert_allclose(example.attention(*tensors), wanted, rtol=1e-4, atol=1e-5)


@pytest.mark.jax
def test_jax_timings(load):
    pytest.importorskip("jax")
    check(load("attention_jax").measure((1, 8, 2, 4), rounds=3), "jax")


@pytest.mark.torch
def test_torch_timings(load):
    pytest.importorskip("torch")
    check(load("attention_torch").measure((1, 8, 2, 4), rounds=3, backend="eager"), "torch")


def check(timings, framework):
    """Every time was taken, and compiling took longer than not compiling."""
    assert timings.framework == framework
    assert timings.rounds == 3
    assert min(timings.eager, timings.second, timings.later, timings.bare) > 0
    assert timings.first > timings.second
    assert list(timings.changed) == ["sequence 8 to 4", "bfloat16 to float32"]
    assert min(timings.changed.values()) > timings.later
