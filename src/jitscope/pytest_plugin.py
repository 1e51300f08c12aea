"""The pytest plugin: marks and a fixture that hold a test to its compilations, and ``--jitscope`` to record a run.

PYTEST_DONT_REWRITE: nothing in here asserts. Loading it imports nothing but pytest; jitscope itself is imported by the
first conftest or test module that mentions it.
"""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from jitscope.testing.handle import Handle
    from jitscope.testing.run import TestRun

_MARKS = ("max_compilations", "max_recompilations")
_WORDS = (b"jitscope", b"max_compilations", b"max_recompilations")
_run = pytest.StashKey["TestRun"]()
_handle = pytest.StashKey["Handle"]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--jitscope``, and ``jitscope_watch`` in the ini file."""
    group = parser.getgroup("jitscope", "what jax.jit and torch.compile compile")
    group.addoption(
        "--jitscope",
        nargs="?",
        const="",
        default=None,
        metavar="FILE",
        help="Record what the tests compile, and sum it up at the end; to .jitscope, or to FILE (--jitscope=FILE).",
    )
    parser.addini(
        "jitscope_watch",
        "Watch what is jitted and compiled from the start, not only from the first conftest or test module on that "
        "mentions jitscope or its marks.",
        type="bool",
        default=False,
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before a conftest can jit anything: watch, where that was asked for."""
    if getattr(early_config.known_args_namespace, "jitscope", None) is not None or early_config.getini(
        "jitscope_watch"
    ):
        _arm()


def pytest_configure(config: pytest.Config) -> None:
    """Name the marks."""
    config.addinivalue_line(
        "markers",
        "max_compilations(n, function=None, eager_ops=False): fail if the test compiles more than n times, and say why "
        "it did; function: only this one (a name, a pattern, or the function).",
    )
    config.addinivalue_line(
        "markers", "max_recompilations(n, function=None): the same for what had been compiled before."
    )


# -- when to watch ----------------------------------------------------------------------------------


def pytest_plugin_registered(plugin: object) -> None:
    """A conftest that mentions jitscope: watch from here on."""
    name = getattr(plugin, "__file__", None)
    if isinstance(name, str) and name.endswith("conftest.py"):
        _arm_for(Path(name))


def pytest_pycollect_makemodule(module_path: Path) -> None:
    """A test module that mentions jitscope, before it is imported: watch from here on."""
    _arm_for(module_path)


def _arm_for(path: Path) -> None:
    if _watching:
        return
    try:
        source = path.read_bytes()
    except OSError:
        return  # pytest will say so
    if any(word in source for word in _WORDS):
        _arm()


_watching = False


def _arm() -> None:
    global _watching  # noqa: PLW0603
    _watching = True
    from jitscope.testing.watching import arm

    arm()


# -- the fixture and the marks ------------------------------------------------------------------------


@pytest.fixture(name="jitscope")
def _jitscope(request: pytest.FixtureRequest) -> Iterator[Handle]:
    """What is compiled from here on: `.compilations`, `.recompilations`, `.hits`, `.report()`, `.assert_...`."""
    from jitscope.capture import switches

    if switches.OFF:
        pytest.skip("JITSCOPE=0 is set: the jitscope fixture has nothing to count")
    from jitscope.testing.handle import Handle

    handle = Handle()
    request.node.stash[_handle] = handle
    yield handle
    handle.close()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Hold a test that passed to its marks."""
    marks = [mark for mark in item.iter_markers() if mark.name in _MARKS]
    if not marks:
        return (yield)
    from jitscope.capture import switches
    from jitscope.testing.limits import LimitError, limits_of
    from jitscope.testing.watching import JitscopeWarning, Part

    try:
        limits = limits_of(marks)
    except LimitError as error:
        pytest.fail(str(error), pytrace=False)
    if switches.OFF:
        names = ", ".join(dict.fromkeys(mark.name for mark in marks))
        warnings.warn(JitscopeWarning(f"{names} not checked: JITSCOPE=0 is set"), stacklevel=1)
        return (yield)
    part = Part()
    try:
        result = yield
        broken = [text for limit in limits if (text := limit.broken(part)) is not None]
    finally:
        part.close()
    if broken:
        hint = "" if item.config.getoption("--jitscope") is not None else "\npytest --jitscope records it all\n"
        pytest.fail("\n\n".join(broken) + hint, pytrace=False)
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A failure is shown without jitscope's frames, and with what the fixture saw."""
    if call.excinfo is None:
        return (yield)
    handle = item.stash.get(_handle, None)
    if _watching or handle is not None:
        from jitscope.capture.launch import clean

        clean(call.excinfo.value)
    report = yield
    if handle is not None and not handle.told and call.when == "call" and report.failed:
        text = handle.text()
        if text:
            report.sections.append(("jitscope: what was compiled", text))
    return report


# -- pytest --jitscope ----------------------------------------------------------------------------------


def pytest_sessionstart(session: pytest.Session) -> None:
    """Begin to record."""
    config = session.config
    asked = config.getoption("--jitscope")
    if asked is None or config.getoption("collectonly", False):
        return
    if asked.endswith(".py") or "::" in asked or Path(asked or "-").is_dir():
        raise pytest.UsageError(
            f"--jitscope took {asked} for the file to record to: write --jitscope=FILE, or put --jitscope last"
        )
    from jitscope.errors import JitscopeError
    from jitscope.testing.run import TestRun, order_of

    run = TestRun()
    if not _is_controller(config):
        worker = getattr(config, "workerinput", {})
        try:
            run.start(Path(asked) if asked else None, order_of(worker.get("jitscope")))
        except JitscopeError as error:
            raise pytest.UsageError(f"--jitscope: {error}") from None
    config.stash[_run] = run
    config.pluginmanager.register(_Durations(run), "jitscope-durations")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    """Each test is a label of the recording."""
    run = item.config.stash.get(_run, None)
    if run is None:
        return (yield)
    entered = run.enter(item.nodeid)
    try:
        return (yield)
    finally:
        run.leave(entered)


class _Durations:
    """Adds up what tests take; a plugin of its own, since a report does not know its session."""

    def __init__(self, run: TestRun) -> None:
        self._run = run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A part of a test is over, in this process or in a worker."""
        self._run.took(report.nodeid, report.duration)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """End the recording; a worker of pytest-xdist sends its numbers."""
    run = session.config.stash.get(_run, None)
    if run is None:
        return
    run.stop()
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["jitscope"] = run.result()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what the tests compiled."""
    run = config.stash.get(_run, None)
    if run is None:
        return
    terminalreporter.section("jitscope")
    width = min(max(terminalreporter._tw.fullwidth, 40), 120)
    terminalreporter.write(run.text(width=width, color=bool(terminalreporter.hasmarkup)))


# -- pytest-xdist ------------------------------------------------------------------------------------------


def _is_controller(config: pytest.Config) -> bool:
    """Whether the tests run in other processes than this one."""
    return not hasattr(config, "workerinput") and config.getoption("dist", "no") != "no"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """A worker is about to start: it records to a file of its own."""
    run = node.config.stash.get(_run, None)
    if run is not None:
        asked = node.config.getoption("--jitscope")
        node.workerinput["jitscope"] = run.order(node.gateway.id, Path(asked) if asked else None)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """A worker has ended."""
    run = node.config.stash.get(_run, None)
    if run is not None:
        run.worker_ended(node.gateway.id, getattr(node, "workeroutput", {}).get("jitscope"))
