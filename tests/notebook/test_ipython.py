"""``%load_ext jitscope`` in a real IPython shell, in a process of its own: IPython has one shell a process."""

from __future__ import annotations

import textwrap

import pytest
from subprocesses import installed, run

pytestmark = pytest.mark.skipif(not installed("IPython"), reason="IPython is not installed")

SHELL = """
import os, sys, tempfile
sys.stderr = sys.stdout
os.environ["IPYTHONDIR"] = tempfile.mkdtemp()
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.run_line_magic("colors", "nocolor")
def cell(text):
    print(f"--- {shell.execution_count}", flush=True)
    return shell.run_cell(text, store_history=True)
"""


def cells(*texts, setup="", after="", **environment):
    """Run cells one after the other; what each printed, by its number, and what was printed after them."""
    program = [SHELL, textwrap.dedent(setup)]
    program += [f"r{n} = cell({textwrap.dedent(text)!r})" for n, text in enumerate(texts, start=1)]
    program += ["print('--- end')", textwrap.dedent(after)]
    done = run("\n".join(program), JITSCOPE_STRICT="1", **environment)
    parts = done.stdout.split("--- ")[1:]
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


DEFINE = """
import jax, numpy as np
@jax.jit
def step(x):
    return x * 2
"""
CALL = "for n in (2, 2, 3):\n    step(np.ones(n, np.float32))"


@pytest.fixture(scope="module")
def jax_session():
    pytest.importorskip("jax")
    return cells(
        "%load_ext jitscope",
        DEFINE,
        f"%%jitscope\n{CALL}",
        f"%%jitscope -q\n{CALL}",
        f"%%jitscope --all\n{CALL}\nstep(np.ones(4, np.float32))",
        "%jitscope why step",
        "%jitscope why stpe",
        "%%jitscope --loud\nprint('must not run')",
        "%jitscope nonsense",
        "%jitscope",
        after="""
        import jitscope
        for one in jitscope.report().value.labels:
            print(one.text, one.compilations, one.calls, one.hits)
        """,
    )


def test_a_cell_shows_what_it_compiled_and_where(jax_session):
    text = jax_session["3"]

    assert text.startswith("In [3]: ")
    assert "hits 1 / 3" in text
    assert "step  In [2]:2  2 compilations" in text
    assert "In [3]:3" in text
    assert "x: f32[2] → f32[3] (shape)" in text
    assert "fix:" in text


def test_a_cell_is_judged_with_those_before_it(jax_session):
    assert "In [4]: " in jax_session["4"]
    assert "nothing compiled" in jax_session["4"]
    assert "hits 3 / 3" in jax_session["4"]
    assert 1 == len(jax_session["4"].strip().splitlines())
    assert "1 compilation: 0 first, 1 again" in jax_session["5"]
    assert "x: f32[3] → f32[4]" in jax_session["5"] or "x: f32[2] → f32[4]" in jax_session["5"]


def test_line_magics(jax_session):
    assert "step  In [2]:2" in jax_session["6"]
    assert "#3" in jax_session["6"]
    assert "UsageError: no function called stpe" in jax_session["7"]
    assert "UsageError: %jitscope report [--all] or %jitscope why NAME" in jax_session["9"]
    assert "3 compilations" in jax_session["10"]


def test_a_cell_with_options_that_are_none_does_not_run(jax_session):
    assert "UsageError: %%jitscope [-q] [--all]" in jax_session["8"]
    assert "must not run" not in jax_session["8"]


def test_each_cell_is_a_label(jax_session):
    lines = jax_session["end"].splitlines()

    assert "In [2] 0 0 0" in lines
    assert "In [3] 2 3 1" in lines
    assert "In [4] 0 3 3" in lines
    assert "In [5] 1 4 3" in lines


def test_a_cell_behaves_as_without_the_magic():
    plain, watched = (
        cells(
            "%load_ext jitscope",
            f"{head}\ndef f():\n    return 1 / 0\nf()",
            f"{head}\n21 * 2",
            f"{head}\nimport asyncio\nawait asyncio.sleep(0, 'awaited')",
            "_, __",
            f"{head}\nx = = 2",
            setup="import re",
            after="print([r.success for r in (r1, r2, r3, r4, r5, r6)], r2.error_in_exec, type(r6.error_before_exec))",
        )
        for head in ("# a comment", "%%jitscope -q")
    )

    for number in "23456":
        shown = "\n".join(
            line for line in watched[number].splitlines() if not line.startswith(f"In [{number}]: ")
        ).replace("#%jitscope -q", "# a comment")
        assert plain[number].strip() == shown.strip()
    assert plain["end"] == watched["end"]
    assert "[True, False, True, True, True, False]" in watched["end"]
    assert "ZeroDivisionError" in watched["2"]
    assert "jitscope/" not in watched["2"]
    assert "42" in watched["3"]
    assert "'awaited'" in watched["4"]


def test_an_exception_of_a_watched_function_shows_no_frame_of_jitscope():
    pytest.importorskip("jax")
    failing = "import jax\n@jax.jit\ndef fails(x):\n    raise ValueError('mine')\nfails(1.0)"
    watched = cells("%load_ext jitscope", failing)
    plain = cells("pass", failing)

    assert "ValueError: mine" in watched["2"]
    assert plain["2"] == watched["2"]


def test_in_a_notebook_it_is_html_and_cells_are_named():
    """As ipykernel does it: the cell's file is in a temporary folder, and is named after the cell's hash."""
    pytest.importorskip("jax")
    found = cells(
        "%load_ext jitscope",
        DEFINE,
        f"%%jitscope\n{CALL}",
        setup="""
        from IPython.core.compilerop import CachingCompiler
        class KernelCompiler(CachingCompiler):
            def get_code_name(self, raw_code, transformed_code, number):
                return f"/tmp/ipykernel_1/{abs(hash(raw_code))}.py"
        shell.compile = KernelCompiler()
        """,
        after="""
        from jitscope.ipython import CellReport
        import jitscope
        from jitscope.capture.recorder import recorder
        from IPython.core.formatters import DisplayFormatter
        report = jitscope.report()
        formatter = DisplayFormatter()
        formatter.active_types = ["text/plain", "text/html"]
        data, _ = formatter.format(CellReport(report.value, "In [3]"))
        print(sorted(data), data["text/html"][:4], "In [2]:2" in data["text/html"])
        print("ipykernel" in data["text/html"], "/tmp" in data["text/html"])
        """,
    )

    assert "step  In [2]:2" in found["3"]
    assert "In [3]:3" in found["3"]
    assert ["['text/html', 'text/plain'] <div True", "False False"] == found["end"].strip().splitlines()


def test_functions_jitted_before_are_said_to_be_unwatched_and_counted():
    pytest.importorskip("jax")
    found = cells(DEFINE, "%load_ext jitscope", f"%%jitscope\n{CALL}")

    assert "not watched: step (" in found["2"]
    assert "Run their cells again to watch them" in found["2"]
    assert "not watched" in found["3"]
    assert "step  2 compilations" in found["3"]


@pytest.mark.skipif(not installed("torch"), reason="torch is not installed")
def test_torch_functions_are_watched():
    found = cells(
        "%load_ext jitscope",
        "import torch\n@torch.compile(backend='eager', dynamic=False)\ndef step(x):\n    return x * 2",
        "%%jitscope\nfor n in (2, 2, 3):\n    step(torch.ones(n))",
    )

    assert "hits 1 / 3" in found["3"]
    assert "step  In [2]:2  2 compilations" in found["3"]
    assert "x: f32[2] → f32[3] (shape)" in found["3"]


def test_unloaded_it_leaves_the_shell_as_it_was():
    found = cells(
        "%load_ext jitscope",
        "%unload_ext jitscope",
        "%load_ext jitscope",
        "%reload_ext jitscope",
        "%unload_ext jitscope",
        "%jitscope report",
        setup="before = [len(shell.input_transformers_cleanup), *map(len, shell.events.callbacks.values())]",
        after="""
        print(before == [len(shell.input_transformers_cleanup), *map(len, shell.events.callbacks.values())])
        """,
    )

    assert "True" == found["end"].strip()
    assert "not found" in found["6"]


def test_switched_off_it_says_so():
    found = cells("%load_ext jitscope", "%%jitscope\n40 + 2", "%jitscope", JITSCOPE="0")

    assert "JITSCOPE=0 is set: nothing is watched" in found["1"]
    assert "Out[2]: 42" in found["2"] or "42" in found["2"]
    assert "JITSCOPE=0 is set" in found["3"]


def test_a_cell_inside_of_a_cell_has_one_label():
    found = cells(
        "%load_ext jitscope",
        "%%capture out\nprint(1)",
        after="import jitscope\nprint([one.text for one in jitscope.report().value.labels])",
    )

    assert "›" not in found["end"]


def test_the_number_of_a_cell_where_ipython_counts_on_after_it():
    """As IPython before 9.18 does."""
    from types import SimpleNamespace

    from jitscope.ipython import _number

    assert 3 == _number(SimpleNamespace(execution_count=3))


def test_loading_the_extension_imports_no_framework():
    found = cells(
        "%load_ext jitscope",
        after="print([name for name in ('jax', 'torch', 'rich', 'networkx') if name in sys.modules])",
    )

    assert "[]" == found["end"].strip()
