"""What `jitscope doctor` makes of what it finds."""

import pytest

from jitscope.analysis.environment import EFFECTS, variables_of
from jitscope.analysis.health import advice_of, problems_of
from jitscope.commands.doctor import framework_of
from jitscope.model.health import Cache, FrameworkHealth, Health, Hook, Recordings, Variable
from jitscope.render.health import render_health, size_text
from jitscope.store.folders import measure, writable

KEPT = Recordings(".jitscope", 2, 2048, writable=True)
DOING = {"part": "doing", "what": "importing jax"}
VERSION = {"part": "version", "found": {"versions": {"jax": "1"}, "location": "/x/jax"}}


def test_values_are_shown_of_known_variables_only():
    found = variables_of(
        {
            "JAX_SECRET_TOKEN": "s3cret",
            "JAX_PLATFORMS": "cpu",
            "HF_TOKEN": "s3cret",
            "HOME": "/root",
            "TORCH_LOGS": "+x",
        }
    )
    assert [("JAX_PLATFORMS", "cpu"), ("JAX_SECRET_TOKEN", None), ("TORCH_LOGS", "+x")] == [
        (one.name, one.value) for one in found
    ]
    assert not [name for name in EFFECTS if any(word in name for word in ("TOKEN", "KEY", "SECRET", "PASSWORD"))]


@pytest.mark.parametrize(
    ("parts", "stopped", "status", "problem"),
    [
        ([DOING, {"part": "missing"}], None, "not installed", None),
        ([DOING, {"part": "broken", "problem": "ImportError: x"}], None, "broken", "ImportError: x"),
        ([DOING], "crashed (SIGSEGV)", "broken", "importing jax crashed (SIGSEGV)"),
        ([], "ended the process with exit code 1", "broken", "starting Python for jax ended"),
        ([DOING, VERSION, {"part": "end"}], None, "ok", None),
        ([VERSION, {"part": "failed", "what": "caches", "problem": "X: y"}], None, "ok", "can't tell caches (X: y)"),
        (
            [VERSION, {"part": "failed", "what": "devices", "problem": "X: y"}],
            None,
            "broken",
            "can't tell devices (X: y)",
        ),
    ],
)
def test_however_far_a_framework_comes_something_is_said(parts, stopped, status, problem):
    found = framework_of("jax", parts, stopped)
    assert status == found.status
    assert (found.problem or "").startswith(problem or "")
    assert (problem is None) == (found.problem is None)


def test_what_was_found_before_it_stopped_is_kept():
    found = framework_of("jax", [DOING, VERSION], "did not end within 2 s")
    assert ("broken", {"jax": "1"}) == (found.status, found.versions)


def test_problems():
    broken = FrameworkHealth("jax", "broken", "ImportError: x")
    assert () == problems_of([FrameworkHealth("jax", "not installed")], KEPT, {"rich": "15"})
    assert [
        "rich is not installed, and jitscope needs it",
        "jax is broken: ImportError: x",
        "recordings can't be written to .jitscope: set JITSCOPE_DIR to a folder that can",
    ] == list(problems_of([broken], Recordings(".jitscope", 0, 0, writable=False), {"rich": ""}))


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"JITSCOPE": "off"}, "JITSCOPE=0 is set"),
        ({"TORCH_COMPILE_DISABLE": "1"}, "TORCH_COMPILE_DISABLE=1 is set"),
        ({"JAX_DISABLE_JIT": "true"}, "JAX_DISABLE_JIT is set"),
        ({}, "neither jax nor torch is installed here"),
    ],
)
def test_advice_about_the_environment(environment, said):
    none = [FrameworkHealth(name, "not installed") for name in ("jax", "torch")]
    assert any(text.startswith(said) for text in advice_of(none, KEPT, environment))
    assert said == "neither jax nor torch is installed here" or not [
        text for text in advice_of(none, KEPT, {"JITSCOPE": "1", "JAX_DISABLE_JIT": "0"}) if text.startswith(said)
    ]


def health(*frameworks, **fields):
    return Health(
        schema=1,
        usable=True,
        versions={"python": "3.11.7", "jitscope": "0.1.0", "rich": "15"},
        executable="/bin/python",
        platform="Linux",
        frameworks=frameworks,
        recordings=KEPT,
        variables=fields.pop("variables", ()),
        problems=(),
        advice=advice_of(frameworks, KEPT, {}),
    )


def test_a_missing_hook_says_what_is_lost():
    hooks = (Hook("a.hook", False, "tells a", "b can't be seen", True), Hook("c", True, "tells c", "d", False))
    jax = FrameworkHealth("jax", "ok", versions={"jax": "0.5"}, hooks=hooks, caches=(Cache("jax", True, "/c"),))
    text = render_health(health(jax), width=100, color=False)

    assert "hooks  1 of 2\n    missing a.hook: b can't be seen\n" in text
    assert "advice: jax 0.5 lacks a.hook: use a newer jax" in text
    assert "tells c" not in text
    assert "c: tells c" in render_health(health(jax), width=100, color=False, all_=True)


def test_nothing_obeys_what_the_environment_holds():
    odd = Variable("TORCH_LOGS", "\x1b[2J[bold]\n", "x")
    text = render_health(health(FrameworkHealth("jax", "not installed"), variables=(odd,)), width=80, color=False)
    assert "TORCH_LOGS=\\x1b[2J[bold]\\n" in text


@pytest.mark.parametrize(
    ("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (999_960, "1.0 MB"), (1_234_567_890, "1.2 GB")]
)
def test_sizes(size, text):
    assert text == size_text(size)


def test_a_folder_is_measured_up_to_a_number_of_files(tmp_path):
    (tmp_path / "in").mkdir()
    for n in range(4):
        (tmp_path / "in" / str(n)).write_bytes(b"12345")
    (tmp_path / "loop").symlink_to(tmp_path)

    whole, part = measure(tmp_path), measure(tmp_path, most=2)
    assert (4, 20, True) == (whole.files, whole.size, whole.counted_all)
    assert (2, False) == (part.files, part.counted_all)
    assert measure(tmp_path / "none") is None
    assert writable(tmp_path / "not" / "there" / "yet")
    assert not writable(tmp_path / "in" / "0")
