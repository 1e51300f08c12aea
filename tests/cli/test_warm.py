"""``jitscope warm`` as a program: what it prints, its exit codes, the file that it writes, its one-line errors."""

import json
import os
import sys

import pytest
import subprocesses
from builders import training, write

pytestmark = pytest.mark.skipif(not subprocesses.installed("jax"), reason="needs JAX")

SERVE = """
import functools, jax, numpy as np

class Config:
    pass

CONFIG = Config()
KNOWN = {"config": CONFIG}

@jax.jit
def attention(q, k):
    return q @ k.T

@functools.partial(jax.jit, static_argnames="config")
def step(x, config):
    return x * 2

def plain(x):
    return x

def traffic(attention, step):
    for n in (2, 3):
        attention(np.ones((n, 4), np.float32), np.ones((n, 4), np.float32))
    step(np.ones(3, np.float32), config=CONFIG)
"""
RECORD = """
import jitscope, serve
with jitscope.record("run.jsonl"):
    serve.traffic(jitscope.watch(serve.attention), jitscope.watch(serve.step))
"""
REPLAY = """
import jax, serve, {before}
seen = []
listen = jax.monitoring.register_event_duration_secs_listener
listen(lambda name, *rest, **how: seen.append((name, how.get("fun_name"))))
serve.traffic(serve.attention, serve.step)
print(sum(name.endswith("backend_compile_duration") and "attention" in str(fun) for name, fun in seen))
"""


@pytest.fixture
def serve(tmp_path):
    """A folder with a program and its recording."""
    (tmp_path / "serve.py").write_text(SERVE, encoding="utf-8")
    done = subprocesses.subprocess.run(
        [sys.executable, "-c", RECORD],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), subprocesses.SRC])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert 0 == done.returncode, done.stderr
    return tmp_path


def test_it_says_what_is_ready_and_that_it_ends_with_the_process(jitscope, serve):
    done = jitscope("warm", "run.jsonl", "serve:attention")
    assert (0, "") == (done.returncode, done.stderr)
    said = " ".join(done.stdout.split())
    assert said.startswith("2 of 2 signatures ready in ")
    assert "the next call of each compiles nothing" in said
    assert "attention jax" in said
    assert "q: f32[2,4]{numpy}, k: f32[2,4]{numpy} 1 call" in said
    assert "all of this ends with this process. Set JAX_COMPILATION_CACHE_DIR" in said


def test_with_a_cache_on_disk_it_says_where_and_what_was_not_written(jitscope, serve):
    first = jitscope("warm", "run.jsonl", "serve:attention", JAX_COMPILATION_CACHE_DIR="cache")
    said = " ".join(first.stdout.split())
    assert "stays in cache; tracing is done anew in each process" in said
    assert "2 of the compiled programs were not written to JAX's persistent cache" in said
    kept = {"JAX_COMPILATION_CACHE_DIR": "cache", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    assert "were not written" not in jitscope("warm", "run.jsonl", "serve:attention", **kept).stdout
    assert 2 == jitscope("warm", "run.jsonl", "serve:attention", **kept).stdout.count("from the disk")


def test_what_can_not_be_warmed_is_told_and_exits_with_1(jitscope, serve):
    done = jitscope("warm", "run.jsonl", "serve:attention", "serve:step", "--format", "json")
    assert (1, "") == (done.returncode, done.stderr)
    found = json.loads(done.stdout)
    assert ["cannot", "compiled", "compiled"] == sorted(one["state"] for one in found["signatures"])
    assert "config: is a Config, <Config>: no literal" in {one["why"] for one in found["signatures"]}
    assert 1 == found["schema"]
    passed = jitscope("warm", "run.jsonl", "serve:step", "--arguments", "serve:KNOWN")
    assert 0 == passed.returncode, passed.stdout


def test_the_json_is_that_of_the_schema(jitscope, serve):
    jsonschema = pytest.importorskip("jsonschema")
    from jitscope.render.schema import schema_of

    done = jitscope("warm", "run.jsonl", "serve:attention", "--format", "json", "--max-seconds", "1e-9")
    jsonschema.validate(json.loads(done.stdout), schema_of("warming"))
    assert 0 == done.returncode
    assert {"left_out"} == {one["state"] for one in json.loads(done.stdout)["signatures"]}


def test_the_file_is_run_without_jitscope_and_compiles_all(jitscope, serve):
    done = jitscope("warm", "run.jsonl", "serve:attention", "--emit", "warm.py")
    assert (0, "", "jitscope: 2 signatures in warm.py: python warm.py\n") == (
        done.returncode, done.stdout, done.stderr,
    )  # fmt: skip

    def compiled(before):
        run = subprocesses.subprocess.run(
            [sys.executable, "-c", REPLAY.format(before=before)], cwd=serve, capture_output=True, text=True, check=False
        )
        assert 0 == run.returncode, run.stderr
        return run.stdout.strip()

    assert "2" == compiled("sys")
    assert "0" == compiled("warm; warm.main()")
    kept = (serve / "warm.py").read_text(encoding="utf-8")
    refused = jitscope("warm", "run.jsonl", "serve:attention", "--emit", "warm.py")
    assert 2 == refused.returncode
    assert "warm.py exists already" in refused.stderr
    assert kept == (serve / "warm.py").read_text(encoding="utf-8")
    assert 0 == jitscope("warm", "run.jsonl", "serve:attention", "--emit", "warm.py", "--force").returncode


def test_what_is_not_in_the_file_is_said_twice(jitscope, serve):
    done = jitscope("warm", "run.jsonl", "serve:attention", "serve:step", "--emit", "warm.py")
    assert 0 == done.returncode
    assert "jitscope: not in warm.py: x: f32[3]{numpy}, config=<Config>: config: is a Config" in done.stderr
    assert "# Not here: x: f32[3]{numpy}, config=<Config>" in (serve / "warm.py").read_text(encoding="utf-8")
    given = jitscope("warm", "run.jsonl", "serve:step", "--emit", "w.py", "--arguments", "serve:KNOWN")
    assert 0 == given.returncode, given.stderr
    assert 'config=serve.KNOWN["config"]' in (serve / "w.py").read_text(encoding="utf-8").replace("'", '"')


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("run.jsonl", "attention"),
            "'attention' is no MODULE:FUNCTION: name it as module:name, such as serve:attention",
        ),
        (("run.jsonl", "serve.py:attention"), "for a file in the current folder, serve:name"),
        (("run.jsonl", "serving:attention"), "cannot import serving: ModuleNotFoundError: No module named 'serving'"),
        (("run.jsonl", "serve:atention"), "module serve has no atention: did you mean attention?"),
        (("run.jsonl", "serve:plain"), "warm: plain is not compiled: pass what jax.jit or torch.compile made"),
        (("run.jsonl", "serve:attention=steep"), "no function called steep in run"),
        (("other.jsonl", "serve:attention"), "no recording at other.jsonl"),
        (("serve.py", "serve:attention"), "serve.py is not a jitscope recording"),
        (("train.jsonl", "serve:attention"), "no function called attention in run"),
        (("run.jsonl", "serve:attention", "--emit", "no/warm.py"), "cannot write no/warm.py"),
        (("run.jsonl", "serve:attention", "--emit", "run.jsonl"), "run.jsonl is the recording itself"),
        (("run.jsonl", "serve:step", "--emit", "w.py"), "nothing to write: none of the signatures can be rebuilt"),
        (("run.jsonl", "broken:f"), "cannot import broken: ValueError: one; run this where"),
    ],
)
def test_bad_input_gets_one_line(jitscope, serve, refused, arguments, said):
    write(serve / "train.jsonl", training())
    (serve / "broken.py").write_text("raise ValueError('one\\ntwo')", encoding="utf-8")
    assert said in refused(jitscope("warm", *arguments))
    assert not (serve / "w.py").exists()
