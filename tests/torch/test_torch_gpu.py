"""What only a GPU shows: the start of CUDA, Triton, its cache, autotuning, backward graphs in autograd's thread.

Left out where there is no GPU. Tried on an H100 with torch 2.11.0+cu130.
"""

from __future__ import annotations

import json

import pytest
from subprocesses import jitscope_run, run

torch = pytest.importorskip("torch")

import jitscope  # noqa: E402
from jitscope.analysis.build import build_report  # noqa: E402
from jitscope.analysis.cache_misses import misses_of  # noqa: E402
from jitscope.analysis.first_call import first_calls  # noqa: E402
from jitscope.caches.folders import read_named  # noqa: E402
from jitscope.store.reader import load  # noqa: E402

pytestmark = [
    pytest.mark.inductor,
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU"),
]

PROGRAM = """
import json, torch

def attention(q, k, v):
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
    return torch.einsum("bhqk,bkhd->bqhd", weights, v)

attention = torch.compile(attention)
if __name__ == "__main__":
    given = [torch.randn(2, 128, 4, 64, device="cuda", dtype=torch.bfloat16) for _ in range(3)]
    attention(*given)
    torch.cuda.synchronize()
    counters = torch._dynamo.utils.counters
    print(json.dumps([counters["aot_autograd"]["autograd_cache_hit"], counters["inductor"]["fxgraph_cache_hit"]]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two processes under ``jitscope run`` with one cache, and a third with another setting."""
    home = tmp_path_factory.mktemp("gpu")
    (home / "program.py").write_text(PROGRAM, encoding="utf-8")
    cache = str(home / "cache")
    settings = {"first": {}, "second": {}, "setting": {"TORCHINDUCTOR_MAX_AUTOTUNE_POINTWISE": "1"}}
    for name, more in settings.items():
        done = jitscope_run(home / "program.py", home / f"{name}.jsonl", TORCHINDUCTOR_CACHE_DIR=cache, **more)
        (home / f"{name}.counts").write_text(done.stdout.splitlines()[0], encoding="utf-8")
    return home


def only(recording):
    (one,) = first_calls(recording).calls
    return one


def names(parts):
    return {name for part in parts for name in (part.name, *names(part.parts))}


def caches(folder, name):
    return {one.name: one for one in build_report(load(folder / f"{name}.jsonl")).caches}


@pytest.mark.parametrize("name", ["first", "second"])
def test_the_parts_are_at_least_95_percent_of_the_call(folder, name):
    one = only(load(folder / f"{name}.jsonl"))
    assert one.attributed >= 0.95
    assert {"dynamo", "backend_compile", "run"} <= names(one.parts)


def test_triton_and_the_choice_of_kernels_are_parts_of_it(folder):
    found = names(only(load(folder / "first.jsonl")).parts)
    assert {"async_compile.precompile", "async_compile.wait"} & found
    assert "autotune" in found


def test_the_start_of_cuda_is_told_once(folder):
    (start,) = first_calls(load(folder / "first.jsonl")).start_up
    assert 1 == [part.name for part in start.parts].count("start cuda")


@pytest.mark.parametrize(("name", "hits"), [("first", [0, 0]), ("second", [1, 1])])
def test_hits_are_those_that_torch_counts(folder, name, hits):
    found = caches(folder, name)
    counted = json.loads((folder / f"{name}.counts").read_text(encoding="utf-8"))
    assert hits == counted == [found["aot_autograd"].hits, found["fx_graph"].hits]
    assert [1, 1] == [found[one].hits + found[one].misses for one in ("aot_autograd", "fx_graph")]


def test_kernels_come_with_a_graph_or_may_have_been_compiled_by_workers_unseen(folder):
    first, second = caches(folder, "first")["triton"], caches(folder, "second")["triton"]
    assert [(0, 1), (1, 0)] == [(one.hits, one.unknown) for one in (first, second)]


def test_the_folder_holds_triton_kernels_by_name(folder):
    place = read_named(folder / "cache")
    assert any(one.kind == "triton" and (one.program or "").startswith("triton_") for one in place.entries)
    assert {"fx_graph", "aot_autograd", "triton"} <= {one.kind for one in place.entries}


def test_a_changed_setting_is_named(folder):
    missed = misses_of([load(folder / "first.jsonl")], load(folder / "setting.jsonl")).misses
    assert {"torch._inductor.config.max_autotune_pointwise"} == {
        change.title for one in missed if one.cache == "fx_graph" for change in one.changes
    }


def test_a_warmed_function_compiles_nothing(folder, tmp_path):
    code = f"""
        import sys; sys.path.insert(0, {str(folder)!r})
        import jitscope, program, torch
        watched = jitscope.watch(program.attention)
        assert jitscope.warm(watched, {str(folder / "first.jsonl")!r}).ready
        before = torch._dynamo.utils.counters["stats"]["unique_graphs"]
        watched(*[torch.randn(2, 128, 4, 64, device="cuda", dtype=torch.bfloat16) for _ in range(3)])
        print(before, torch._dynamo.utils.counters["stats"]["unique_graphs"])
    """
    done = run(code, TORCHINDUCTOR_CACHE_DIR=str(tmp_path / "cache"), JITSCOPE_STRICT="1")
    assert "1 1" == done.stdout.strip()


def test_in_a_region_the_backward_graph_of_autograds_thread_is_part_of_the_call(recorded, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "inductor"))
    torch.compiler.reset()
    compiled = torch.compile(lambda x: (x * x).cos())

    @jitscope.watch
    def train_step(x):
        compiled(x).sum().backward()

    with jitscope.record(recorded.path):
        train_step(torch.ones(7, requires_grad=True, device="cuda"))
    one = only(recorded.load())
    assert {"dynamo", "backward"} <= names(one.parts)
    assert () == one.later
    assert one.attributed >= 0.95


def test_each_call_that_is_measured_is_waited_for(recorded, monkeypatch):
    torch.compiler.reset()
    calls, waits, synchronize = [], [], torch.cuda.synchronize
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: (waits.append(len(calls)), synchronize()))

    def backend(graph, inputs):
        return lambda *given: (calls.append(1), graph(*given))[1]

    with jitscope.record(recorded.path):
        jitscope.first_call(torch.compile(lambda x: x @ x, backend=backend), torch.ones(4, 4, device="cuda"))
    assert len(calls) > 2
    assert set(range(1, len(calls) + 1)) <= set(waits)
