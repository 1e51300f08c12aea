"""Traces of what torch compiled."""

from __future__ import annotations

import pytest
import torch
from trace_check import check, slices, trace

import jitscope
from jitscope.store.reader import load


@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")  # Dynamo's own, after a graph break
def test_a_recording_of_torch_is_a_valid_trace(tmp_path):
    def broken(x):
        y = x * 2
        torch._dynamo.graph_break()
        return (y * 3).sum()

    with jitscope.record(tmp_path / "run.jsonl"):
        step = jitscope.compile(broken, backend="aot_eager")
        step(torch.ones(2, requires_grad=True)).backward()
        step(torch.ones(2, requires_grad=True))
    events = trace(load(tmp_path / "run.jsonl"))
    arrows = [(source["name"], target["name"]) for source, target in check(events).values()]

    assert ["call 1"] == [one["name"] for one in slices(events, "call")]
    assert 2 == len(slices(events, "compilation")), "a graph break: two compiles in one call"
    assert 2 == sum(source == "call 1" for source, _ in arrows)
    assert 2 == sum(target == "backward" for _, target in arrows)
    first, second = [one for one in slices(events, "phase") if one["name"] == "dynamo"]
    assert "note" not in first["args"], "Dynamo's start is recorded"
    assert all("note" in one["args"] for one in slices(events, "phase") if one["name"] == "aot_autograd")
    assert first["ts"] + first["dur"] <= second["ts"]
