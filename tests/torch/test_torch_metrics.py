"""Phases from torch's metrics, on records as an H100 gave them (torch 2.11, seconds shortened)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from jitscope.capture.frameworks import torch_metrics
from jitscope.capture.frameworks.torch_metrics import CompileRecord, MetricsReader, compilation_event

FORWARD = SimpleNamespace(
    compile_id="1/0",
    co_name="attention",
    is_forward=True,
    is_runtime=False,
    has_guarded_code=True,
    fail_type=None,
    duration_us=4_600_000,
    dynamo_cumulative_compile_time_us=4_600_000,
    aot_autograd_cumulative_compile_time_us=4_400_000,
    inductor_cumulative_compile_time_us=2_600_000,
    inductor_code_gen_cumulative_compile_time_us=2_000_000,
    triton_compile_time_us=1_300_000,
    inductor_fx_local_cache_miss_count=1,
)
AUTOTUNE = SimpleNamespace(
    compile_id="1/0", co_name=None, is_forward=True, is_runtime=True, runtime_triton_autotune_time_us=100_000
)
BACKWARD = SimpleNamespace(compile_id="1/0", co_name=None, is_forward=False, is_runtime=False)
OTHER = SimpleNamespace(compile_id="0/0", co_name="f", is_forward=True, is_runtime=False)


@pytest.fixture
def event(monkeypatch):
    def make(*records):
        monkeypatch.setattr(torch_metrics.privates, "get_compilation_metrics", lambda: list(records))
        record = CompileRecord("1/0", 0, test_the_nested_phases_add_up.__code__, 10.0, None, made_code=True)
        return compilation_event(
            7,
            record,
            MetricsReader().find(record),
            function=1,
            call=1,
            signature=2,
            wall_seconds=5.0,
        )

    return make


def test_the_nested_phases_add_up(event):
    made = event(OTHER, FORWARD, AUTOTUNE, BACKWARD)

    assert {"dynamo": 0.2, "aot_autograd": 1.8, "inductor": 0.6, "codegen": 2.0, "autotune": 0.1} == {
        phase.name: pytest.approx(phase.seconds) for phase in made.phases
    }
    assert made.compiled
    assert "miss" == made.persistent_cache


def test_without_metrics_the_compile_is_known_but_not_its_phases(event):
    made = event(OTHER)

    assert made.compiled
    assert () == made.phases
