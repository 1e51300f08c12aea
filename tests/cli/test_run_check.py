"""``jitscope run --check``: a program that ends well, and over its budget, ends with 3."""

import os
import textwrap

import pytest

pytest.importorskip("jax")
pytestmark = pytest.mark.jax

PROGRAM = """
    import atexit, sys
    import jax, jax.numpy as jnp
    from concurrent.futures import ThreadPoolExecutor

    step = jax.jit(lambda x: x + 1)
    kept = open("kept.txt", "w")  # never closed: Python writes it when it ends
    kept.write("all of it")
    # Its threads end only once Python has begun to.
    ThreadPoolExecutor(1).submit(lambda: [step(jnp.ones(n + 1)) for n in range(int(sys.argv[1]))])
    atexit.register(print, "exit function")
    if "late" in sys.argv:
        atexit.register(step, jnp.ones(9))
    if "exit" in sys.argv:
        sys.exit(0)
    if "fail" in sys.argv:
        sys.exit(7)
    if "raise" in sys.argv:
        raise ValueError("mine")
"""


@pytest.fixture
def checked(jitscope, tmp_path):
    (tmp_path / "train.py").write_text(textwrap.dedent(PROGRAM), encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text("[tool.jitscope.budget]\nmax_recompiles = 1\n", encoding="utf-8")
    return lambda *arguments: jitscope("run", "--check", "--no-report", "train.py", *arguments)


@pytest.mark.parametrize("arguments", [["3"], ["3", "exit"]])
def test_over_budget_is_exit_code_3_and_the_program_ends_as_ever(checked, tmp_path, arguments):
    done = checked(*arguments)

    assert (3, "exit function\n") == (done.returncode, done.stdout)
    assert done.stderr.startswith("\nover budget: 1 of 1 limit exceeded\n")
    assert "f32[1] → f32[2] (shape)" in done.stderr
    assert "(no-end)" not in done.stderr
    assert "all of it" == (tmp_path / "kept.txt").read_text(encoding="utf-8")


def test_within_budget_is_exit_code_0(checked):
    done = checked("2")
    assert (0, "exit function\n") == (done.returncode, done.stdout)
    assert "within budget: 1 limit kept" in done.stderr


@pytest.mark.parametrize(("how", "code", "said"), [("fail", 7, ""), ("raise", 1, "ValueError: mine")])
def test_the_code_of_a_program_that_failed_is_its_own(checked, how, code, said):
    done = checked("3", how)
    assert code == done.returncode
    assert said in done.stderr
    assert "over budget" not in done.stderr
    assert "did not end well: its budget was not checked" in done.stderr
    assert "jitscope/commands" not in done.stderr


def test_what_only_an_exit_function_compiled_is_said(checked):
    done = checked("2", "late")
    assert 0 == done.returncode
    assert "over budget" in done.stderr
    assert "exceeded by exit functions only" in done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_fork_that_ends_keeps_its_own_code(checked, tmp_path):
    (tmp_path / "train.py").write_text(
        textwrap.dedent(
            """
            import os
            import jax, jax.numpy as jnp

            # The runtime does not survive a fork: nothing is compiled before it.
            step = jax.jit(lambda x: x + 1)
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                os.read(reading, 1)  # until the parent is over budget
            else:
                for n in range(3):
                    step(jnp.ones(n + 1))
                os.write(writing, b".")
                print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
            """
        ),
        encoding="utf-8",
    )
    done = checked()
    assert (3, "0\n") == (done.returncode, done.stdout)
    assert 1 == done.stderr.count("over budget")


def test_without_a_budget_the_program_is_not_started(checked, tmp_path, refused):
    (tmp_path / "pyproject.toml").unlink()
    assert "add a table tool.jitscope.budget to pyproject.toml" in refused(checked("1"))
    (tmp_path / "pyproject.toml").write_text("[tool.jitscope.budget]\nmax_recompile = 1\n", encoding="utf-8")
    assert "did you mean max_recompiles?" in refused(checked("1"))
    assert not (tmp_path / ".jitscope").exists()


def test_switched_off_it_says_that_nothing_is_checked(jitscope, checked):
    done = jitscope("run", "--check", "--no-report", "-c", "print('ran')", JITSCOPE="0")
    assert (0, "ran\n") == (done.returncode, done.stdout)
    assert "nothing is watched, and the budget is not checked" in done.stderr


def test_json_is_for_jitscope_check(jitscope, checked):
    assert "leave --format json to jitscope check" in jitscope("run", "--check", "--format", "json", "train.py").stderr


CHILDREN = """
    import multiprocessing, sys

    def work(sizes):
        import jax, numpy as np
        step = jax.jit(lambda x: x + 1)
        for size in range(sizes):
            step(np.ones(size + 1))

    if __name__ == "__main__":
        for sizes in (1, int(sys.argv[1])):
            process = multiprocessing.get_context("spawn").Process(target=work, args=(sizes,))
            process.start()
            process.join()
"""


@pytest.mark.parametrize(("sizes", "code"), [(2, 0), (3, 3)])
def test_what_other_processes_compiled_counts(checked, tmp_path, sizes, code):
    (tmp_path / "train.py").write_text(textwrap.dedent(CHILDREN), encoding="utf-8")
    done = checked(sizes)

    assert code == done.returncode, done.stderr
    assert ("over budget" if code else "within budget") in done.stderr
