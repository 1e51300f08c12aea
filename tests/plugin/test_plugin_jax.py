"""The pytest plugin on real JAX: marks, fixture, what is told of functions that were jitted too early."""

from __future__ import annotations

import pytest

pytest.importorskip("jax")

LIBRARY = """
import jax

@jax.jit
def step(x):
    return x * 2

class Model:
    @jax.jit
    def update(x):
        return x + 1
"""


@pytest.fixture(scope="module")
def marks(tmp_path_factory, make_session):
    session = make_session(tmp_path_factory.mktemp("marks"))
    session.write(
        library=LIBRARY,
        test_marks="""
        import jax, jax.numpy as jnp, numpy as np, pytest, unittest
        from library import Model, step

        def x(n):
            return np.ones(n, np.float32)

        @pytest.mark.max_compilations(2)
        def test_within():
            for n in (3, 3, 4):
                step(x(n))

        @pytest.mark.max_compilations(1)
        def test_over():
            for n in (13, 14):
                step(x(n))

        @pytest.mark.max_compilations(0, function="step")
        def test_other_function():
            Model.update(x(3))
            step(x(3))

        @pytest.mark.max_compilations(0, function="Model.*")
        def test_pattern():
            Model.update(x(23))

        @pytest.mark.max_compilations(0, function=step)
        def test_function_object():
            step(x(24))

        @pytest.mark.max_compilations(0, function="stpe")
        def test_misspelt():
            step(x(3))

        @pytest.mark.max_compilations(0)
        def test_eager_operations_do_not_count():
            jnp.ones(31) + jnp.ones(31)

        @pytest.mark.max_compilations(0, eager_ops=True)
        def test_eager_operations_when_asked():
            jnp.ones(32) + jnp.ones(32)

        @pytest.mark.max_recompilations(0)
        def test_first_compilation_here_is_no_recompilation():
            step(x(41))

        @pytest.mark.max_recompilations(0)
        def test_recompiled():
            step(x(42))
            step(x(43))

        @pytest.mark.max_compilations("two")
        def test_bad_number():
            raise RuntimeError("must not run")

        @pytest.mark.max_compilations(1, functoin="step")
        def test_bad_option():
            raise RuntimeError("must not run")

        @pytest.mark.max_compilations(0)
        def test_own_exception_first():
            step(x(51))
            raise RuntimeError("own")

        @pytest.mark.xfail(strict=True)
        @pytest.mark.max_compilations(0)
        def test_expected():
            step(x(52))

        @pytest.mark.max_compilations(0)
        def test_lambda():
            jax.jit(lambda a: a)(x(3))

        @pytest.fixture
        def warm():
            step(x(61))

        @pytest.mark.max_compilations(0)
        def test_setup_does_not_count(warm):
            step(x(61))

        @pytest.mark.max_compilations(0)
        class TestClass:
            def test_inherits(self):
                step(x(71))

            @pytest.mark.max_compilations(1)
            def test_overrides(self):
                step(x(72))

        class TestUnit(unittest.TestCase):
            @pytest.mark.max_compilations(0)
            def test_unit(self):
                step(x(81))
        """,
    )
    return session.run()


def test_each_mark_holds_its_test(marks):
    expected = {
        "test_within": "passed",
        "test_over": "failure",
        "test_other_function": "passed",
        "test_pattern": "failure",
        "test_function_object": "failure",
        "test_misspelt": "failure",
        "test_eager_operations_do_not_count": "passed",
        "test_eager_operations_when_asked": "failure",
        "test_first_compilation_here_is_no_recompilation": "passed",
        "test_recompiled": "failure",
        "test_bad_number": "failure",
        "test_bad_option": "failure",
        "test_own_exception_first": "failure",
        "test_expected": "skipped",
        "test_lambda": "failure",
        "test_setup_does_not_count": "passed",
        "test_inherits": "failure",
        "test_overrides": "passed",
        "test_unit": "failure",
    }

    assert expected == marks.outcomes(), marks.output


def test_a_failure_names_each_compilation_its_site_its_causes_and_a_fix(marks):
    said = marks.said("test_over")

    assert "max_compilations(1): 2 compilations" in said
    assert "step  library.py:4  2 compilations" in said
    assert "test_marks.py:16" in said
    assert "x: f32[13] → f32[14] (shape)" in said
    assert "fix: Pad axis 0 of x" in said


def test_a_failure_shows_no_frames(marks):
    for name in ("test_over", "test_recompiled", "test_misspelt", "test_unit"):
        assert "pytest_plugin.py" not in marks.said(name)
        assert "site-packages" not in marks.said(name)
        assert "Traceback" not in marks.said(name)


def test_a_name_that_fits_nothing_fails_and_guesses(marks):
    assert "no function called 'stpe': did you mean 'step'?" in marks.said("test_misspelt")


def test_bad_marks_are_told_before_the_test_runs(marks):
    assert "takes one whole number, 0 or more" in marks.said("test_bad_number")
    assert "no option functoin" in marks.said("test_bad_option")
    assert "must not run" not in marks.said("test_bad_number") + marks.said("test_bad_option")


def test_an_exception_of_the_test_comes_first(marks):
    assert "RuntimeError: own" in marks.said("test_own_exception_first")
    assert "compilation" not in marks.said("test_own_exception_first").partition("own")[0].partition("E  ")[2]


def test_eager_operations_are_named_when_they_count(marks):
    assert "eager operations" in marks.said("test_eager_operations_when_asked")


def test_the_fixture_counts_since_it_was_set_up(session):
    session.write(
        library=LIBRARY,
        test_fixture="""
        import jax, numpy as np, pytest
        from library import step

        def x(n):
            return np.ones(n, np.float32)

        def test_before():
            step(x(1)); step(x(1))

        def test_counts(jitscope):
            assert (0, 0, 0, 0) == (jitscope.compilations, jitscope.recompilations, jitscope.calls, jitscope.hits)
            for n in (2, 2, 3, 1):
                step(x(n))
            assert (2, 1, 4, 2) == (jitscope.compilations, jitscope.recompilations, jitscope.calls, jitscope.hits)
            assert ["step"] == [one.name for one in jitscope.functions]
            assert 2 == jitscope.function("step").compilations == jitscope.function(step).compilations
            assert "2 compilations" in str(jitscope.report())
            assert "f32[2]" in str(jitscope.report()) and "hits 2 / 4" in str(jitscope.report())
            with pytest.raises(Exception, match="no function called 'stpe': did you mean 'step'"):
                jitscope.function("stpe")

        def test_reset_after_a_warm_up(jitscope):
            step(x(10))
            jitscope.reset()
            step(x(10))
            jitscope.assert_no_compilation()
            assert 1 == jitscope.hits
            step(x(11))
            assert 1 == jitscope.recompilations
            with pytest.raises(AssertionError, match="max_recompilations"):
                jitscope.assert_no_recompilation()

        def test_watch_a_plain_function(jitscope):
            def train(n):
                return step(x(n)) if n else jax.jit(lambda a: a)(x(4))
            region = jitscope.watch(train)
            region(0)
            assert 1 == jitscope.function("train").calls == jitscope.compilations

        def test_assertion(jitscope):
            step(x(20)); step(x(21))
            jitscope.assert_max_compilations(2, "step")
            jitscope.assert_no_recompilation()

        def test_shown_on_failure(jitscope):
            step(x(30))
            assert jitscope.compilations == 3

        def test_clean(jitscope):
            step("no array")
        """,
    )
    done = session.run("--tb=short")

    assert {"test_assertion", "test_shown_on_failure", "test_clean"} == {
        name for name, outcome in done.outcomes().items() if outcome != "passed"
    }, done.output
    assert "max_recompilations(0): 1 recompilation" in done.said("test_assertion")
    assert "→ f32[21]" in done.said("test_assertion")
    assert "handle.py" not in done.output
    assert "watched.py" not in done.output
    assert "jitscope: what was compiled" in done.output
    assert "→ f32[30] (shape)" in done.output


TOO_EARLY = {
    "conftest": "import early_library",
    "early_library": LIBRARY,
    "test_late": """
    import numpy as np, pytest
    from early_library import step

    def x(n):
        return np.ones(n, np.float32)

    @pytest.mark.max_compilations(1)
    def test_counted():
        step(x(1)); step(x(2))

    @pytest.mark.max_recompilations(0, function="step")
    def test_perhaps():
        step(x(3)); step(x(4))

    def test_unknown_hits(jitscope):
        step(x(3))
        assert "step (early_library.py:4)" in jitscope.unwatched
        with pytest.warns(UserWarning, match="hits of functions .* are not counted: Model.update .*, step "):
            assert 0 == jitscope.hits
    """,
}


def test_functions_jitted_too_early_are_counted_and_said_to_be_unknown(session):
    session.write(**TOO_EARLY)
    done = session.run()

    assert {"test_counted": "failure", "test_perhaps": "failure", "test_unknown_hits": "passed"} == done.outcomes()
    assert "not watched: jitted or compiled before jitscope watched" in done.said("test_counted")
    assert "step  2 compilations" in done.said("test_counted")
    assert "test_late.py:10" in done.said("test_counted")
    assert "jitscope_watch = true" in " ".join(done.said("test_counted").split())
    assert "1 compilation of functions that are not watched may be compilations again" in done.said("test_perhaps")


@pytest.mark.parametrize("how", ["ini", "option"])
def test_watching_from_the_start_misses_nothing(session, how):
    session.write(**TOO_EARLY)
    (session.folder / "pytest.ini").write_text("[pytest]\njitscope_watch = true\n" if how == "ini" else "[pytest]\n")
    done = session.run("-k", "counted", *(["--jitscope"] if how == "option" else []))

    assert {"test_counted": "failure"} == done.outcomes()
    assert "x: f32[1] → f32[2] (shape)" in done.said("test_counted")


def test_it_works_next_to_others_that_find_modules(session):
    """Assertions are still rewritten, and a conftest's own finder is asked."""
    session.write(
        conftest="""
        import sys
        class Finder:
            asked = []
            def find_spec(self, name, path=None, target=None):
                self.asked.append(name)
        sys.meta_path.insert(0, Finder)
        Finder.find_spec = classmethod(Finder.find_spec)
        """,
        test_finders="""
        import sys, jax, pytest, numpy as np
        @pytest.mark.max_compilations(1)
        def test_finders(jitscope):
            assert "jax" in next(one for one in sys.meta_path if hasattr(one, "asked")).asked
            assert 1 == int(jax.jit(lambda a: a + 1)(np.float32(1))), "one"
        """,
    )
    done = session.run()

    assert "assert 1 == 2" in done.said("test_finders"), done.output
