"""What only a GPU shows: the start of CUDA, Triton, its cache, autotuning, backward graphs in autograd's thread.

Left out where there is no GPU. Tried on an H100 with torch 2.11.0+cu130.
"""

from __future__ import annotations

import pytest
from subprocesses import run

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
import torch

def attention(q, k, v):
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) * q.shape[-1] ** -0.5
    weights = torch.softmax(scores, dim=-1, dtype=torch.float32).to(q.dtype)
    return torch.einsum("bhqk,bkhd->bqhd", weights, v)

attention = torch.compile(attention)
if __name__ == "__main__":
    given = [torch.randn(2, 128, 4, 64, device="cuda", dtype=torch.bfloat16) for _ in range(3)]
    attention(*given)
    torch.cuda.synchronize()
    print(dict(torch._dynamo.utils.counters["aot_autograd"]))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two processes under ``jitscope run`` with one cache, and a third with another setting."""
    home = tmp_path_factory.mktemp("gpu")
    (home / "program.py").write_text(PROGRAM, encoding="utf-8")
    cache = str(home / "cache")
    for name in ("first", "second"):
        jitscope_run(home, name, TORCHINDUCTOR_CACHE_DIR=cache)
    jitscope_run(home, "setting", TORCHINDUCTOR_CACHE_DIR=cache, TORCHINDUCTOR_MAX_AUTOTUNE_POINTWISE="1")
    return home


def jitscope_run(home, name, **environment):
    code = (
        "import sys; from jitscope.commands import main; "
        f"sys.argv = ['jitscope', 'run', '-o', {str(home / name) + '.jsonl'!r}, {str(home / 'program.py')!r}]; main()"
    )
    return run(code, JITSCOPE_STRICT="1", **environment)


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


def test_the_second_process_hits_as_torch_counts(folder):
    found = caches(folder, "second")
    assert (1, 0) == (found["aot_autograd"].hits, found["aot_autograd"].misses)
    assert (1, 0) == (found["fx_graph"].hits, found["fx_graph"].misses)
    assert 1 == found["triton"].hits


def test_where_workers_may_have_compiled_kernels_their_cache_is_unknown(folder):
    found = caches(folder, "first")
    assert (0, 1) == (found["fx_graph"].hits, found["fx_graph"].misses)
    assert 0 == found["triton"].hits


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


def test_what_is_measured_waits_for_the_device(recorded):
    torch.compiler.reset()
    big = torch.randn(4096, 4096, device="cuda")
    compiled = torch.compile(lambda x: (x @ x @ x @ x @ x).sum(), backend="aot_eager")
    with jitscope.record(recorded.path):
        found = jitscope.first_call(compiled, big).value
    # Four products of 137 GFLOP each: launching them takes microseconds, a device of 1 PFLOP/s 0.5 ms.
    assert found.measured.steady > 4 * 2 * 4096**3 / 1e15
