"""When long compilations are told of; with a clock of the test's own."""

import pytest

from jitscope.capture import progress, watchdog
from jitscope.model.progress import Compiling, FunctionNow
from jitscope.render.live import render_live


@pytest.fixture
def jobs(monkeypatch):
    found = []
    monkeypatch.setattr(progress, "current", lambda: tuple(found))
    return found


def compiling(name="step", since=100.0, over=None, signature="f32[3]"):
    return Compiling("jax", name, signature, since, over)


def test_lines_come_at_the_threshold_and_then_at_twice_the_time(jobs):
    said = []
    dog = watchdog.Watchdog(10.0, said.append)
    assert dog.look(100.0) is None

    jobs.append(compiling())
    assert 6.0 == dog.look(104.0)
    assert [] == said
    for now in (110.0, 115.0, 119.0, 120.0, 130.0, 141.0):
        assert dog.look(now) <= 10.0
    assert [f"compiling step (f32[3]) for {seconds} s…" for seconds in (10, 20, 41)] == said

    jobs[:] = [compiling(over=150.0)]
    dog.look(150.1)  # its next phase may follow
    assert 3 == len(said)
    assert dog.look(150.3) is None
    assert dog.look(160.0) is None
    assert ["step (f32[3]) took 50 s to compile"] == said[3:]


def test_a_short_compilation_is_not_told_of(jobs):
    said = []
    dog = watchdog.Watchdog(10.0, said.append)
    jobs.append(compiling(over=109.0))
    assert dog.look(130.0) is None
    assert [] == said


def test_a_name_is_no_command_for_the_terminal(jobs):
    said = []
    jobs.append(compiling(name="\x1b[2Jstep"))
    watchdog.Watchdog(10.0, said.append).look(110.0)
    assert ["compiling \\x1b[2Jstep (f32[3]) for 10 s…"] == said


@pytest.mark.parametrize(
    ("text", "seconds"), [("", 10.0), ("2.5", 2.5), ("0", None), ("-1", None), ("nonsense", 10.0), ("nan", None)]
)
def test_the_threshold(monkeypatch, text, seconds):
    monkeypatch.setenv(watchdog.AFTER, text)
    assert seconds == watchdog.seconds_until_told()


def test_phases_of_one_call_are_one_compilation(monkeypatch):
    progress.forget()
    clock = iter([1.0, 2.0, 2.5, 4.0, 9.0])
    monkeypatch.setattr(progress, "perf_counter", lambda: next(clock))
    progress.started("jax", "add", None)
    progress.stopped()
    progress.started("jax", "add", None)
    progress.stopped()
    assert [(1.0, 4.0)] == [(one.since, one.over) for one in progress.current()]
    progress.started("jax", "multiply", None)
    assert [("add", 4.0), ("multiply", None)] == [(one.name, one.over) for one in progress.current()]
    progress.forget()
    assert () == progress.current()


def test_the_live_table_has_no_more_rows_than_there_is_room_for():
    functions = [FunctionNow(n, "jax", f"f{n}[bold]", 10, 1, 5.0 - n / 10) for n in range(20)]
    lines = render_live(functions, [compiling()] * 9, now=112.0, width=60, height=8, color=False)
    assert 8 == len(lines)
    assert 2 == sum(line.startswith("compiling step (f32[3]) for 12.0 s") for line in lines)
    assert "f0[bold]" in lines[3]
    assert lines[-1].startswith("… 16 more")
    assert max(map(len, lines)) <= 60


def test_the_live_table_of_nothing():
    assert ["jitscope: nothing is being compiled"] == render_live([], [], now=0.0, width=60, height=8, color=False)
