"""``jitscope doctor``, with frameworks that are there, missing, broken, crashing, hanging."""

import json
import os
import subprocess
import sys

import pytest
import subprocesses


@pytest.fixture
def with_fakes(jitscope, tmp_path):
    """Run the doctor where jax and torch are these modules."""

    def run(*options, jax, torch="raise ModuleNotFoundError('no', name='torch')"):
        for name, source in (("jax", jax), ("torch", torch)):
            (tmp_path / "fakes" / name).mkdir(parents=True, exist_ok=True)
            (tmp_path / "fakes" / name / "__init__.py").write_text(source, encoding="utf-8")
        path = os.pathsep.join([str(tmp_path / "fakes"), subprocesses.SRC])
        return jitscope("doctor", *options, PYTHONPATH=path)

    return run


NONE = "raise ModuleNotFoundError('no', name='jax')"


def test_frameworks_that_are_not_installed_are_said_and_are_no_error(with_fakes):
    done = with_fakes(jax=NONE)
    assert (0, "") == (done.returncode, done.stderr)
    for said in ("jax  not installed", "torch  not installed", 'pip install "jitscope[jax]"', "Python 3."):
        assert said in done.stdout


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("raise ImportError('libfoo.so: cannot open')", "ImportError: libfoo.so: cannot open"),
        ("import no_such_module", "No module named 'no_such_module'"),
        ("import os; os.abort()", "importing jax crashed (SIGABRT)"),
        ("import os; os._exit(5)", "importing jax ended the process with exit code 5"),
        ("raise SystemExit(0)", "SystemExit"),
        ("1 +", "SyntaxError"),
        ("import threading; threading.Event().wait()", "importing jax did not end within 1 s"),
    ],
)
def test_a_broken_framework_is_a_finding_not_a_traceback(with_fakes, source, said):
    done = with_fakes("--timeout", "1" if "wait" in source else "60", jax=source)
    assert (1, "") == (done.returncode, done.stderr)
    assert said in " ".join(done.stdout.split())
    assert "broken: jax is broken" in done.stdout
    assert "Traceback" not in done.stdout


def test_a_framework_that_prints_does_not_disturb(with_fakes):
    done = with_fakes("--format", "json", jax="print('hello'); " + NONE)
    assert "not installed" == json.loads(done.stdout)["frameworks"][0]["status"]


@pytest.mark.jax
@pytest.mark.torch
def test_the_frameworks_as_they_are(jitscope, tmp_path):
    pytest.importorskip("jax")
    pytest.importorskip("torch")
    environment = {
        "JAX_PLATFORMS": "cpu",
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path),
        "TORCHINDUCTOR_CACHE_DIR": str(tmp_path / "inductor"),
        "JAX_MY_PASSWORD": "hunter2",
    }
    done = jitscope("doctor", "--format", "json", **environment)
    assert (0, "") == (done.returncode, done.stderr)
    assert "hunter2" not in done.stdout
    health = json.loads(done.stdout)
    jax, torch = health["frameworks"]

    import jax as real_jax
    import torch as real_torch

    assert (real_jax.__version__, real_torch.__version__) == (jax["versions"]["jax"], torch["versions"]["torch"])
    assert ["cpu x1"] == jax["devices"]
    assert "cpu" == torch["devices"][0]
    assert jax["hooks"]
    hooks = [*jax["hooks"], *torch["hooks"]]
    assert [] == [hook["name"] for hook in hooks if not hook["available"] and hook["lost"]]
    assert [("jax", True, str(tmp_path), True)] == [
        (cache["name"], cache["on"], cache["path"], cache["exists"]) for cache in jax["caches"]
    ]
    inductor = torch["caches"][0]
    assert (str(tmp_path / "inductor"), True) == (inductor["path"], inductor["on"])
    assert {"JAX_PLATFORMS": "cpu", "JAX_MY_PASSWORD": None}.items() <= {
        one["name"]: one["value"] for one in health["variables"]
    }.items()


@pytest.mark.jax
@pytest.mark.parametrize(
    ("name", "missing"),
    [
        ("jax._src.pjit:_infer_params", "pjit._infer_params"),
        ("jax._src.pjit:_get_fastpath_data", "pjit._get_fastpath_data"),
        ("jax._src.util:clear_all_caches", "util.clear_all_caches"),
        ("jax.monitoring:register_scalar_listener", "monitoring.register_scalar_listener"),
        ("jax._src.core:trace_state_clean", "core.trace_state_clean"),
    ],
)
def test_what_the_doctor_calls_missing_is_what_the_adapter_misses(name, missing):
    pytest.importorskip("jax")
    module, _, attribute = name.partition(":")
    code = f"""
import importlib, sys, jax
del importlib.import_module({module!r}).{attribute}
from jitscope.capture.frameworks import jax_privates as privates
print([one.name for one in privates.CAPABILITIES if not one.found()])
from jitscope.capture.watch import install_loaded_frameworks
from jitscope.capture.recorder import recorder
install_loaded_frameworks()
print([one for one in recorder._notes if one.startswith("jax-") and ":" in one])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found, notes = done.stdout.splitlines()

    assert [missing] == eval(found)
    slugs = {"pjit._infer_params": "jax-no-hook", "monitoring.register_scalar_listener": "jax-no-span-starts"}
    assert ([slugs[missing]] if missing in slugs else []) == [note.partition(":")[0] for note in eval(notes)]
    assert all(f"has no {missing}" in note for note in eval(notes))
