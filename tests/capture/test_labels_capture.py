"""`jitscope.label` and parts of a process: in memory, on disk, nested, from several threads, after a fork."""

from __future__ import annotations

import os
import threading

import pytest
from subprocesses import run

import jitscope
from jitscope.analysis.build import build_report
from jitscope.capture import memory
from jitscope.capture.recorder import recorder


@pytest.fixture
def step():
    return jitscope.watch(lambda: None)


def runs_by_label(recording):
    """Calls of regions by label, read off the events: the report leaves regions out."""
    found, label = {}, None
    for event in recording.events:
        if type(event).__name__ == "LabelEvent":
            label = event.text
        elif type(event).__name__ == "CallsEvent":
            found[label] = found.get(label, 0) + sum(run.count for run in event.runs)
    return found


def test_calls_belong_to_the_label_that_was_on(recorded, step):
    with jitscope.record(recorded.path):
        step()
        with jitscope.label("one"):
            step()
            step()
        with jitscope.label("two"):
            step()
        step()

    assert {None: 2, "one": 2, "two": 1} == runs_by_label(recorded.load())


def test_memory_keeps_calls_under_their_labels(step):
    part = recorder.open_part()
    with jitscope.label("in memory"):
        for _ in range(3):
            step()
    step()
    recorder.close_part(part)

    assert {"in memory": 3, None: 1} == runs_by_label(recorder.part(part))


def test_a_recording_that_begins_inside_a_label_knows_it(recorded, step):
    with jitscope.label("outer"), jitscope.record(recorded.path):
        step()

    assert {"outer": 1} == runs_by_label(recorded.load())


def test_inner_labels_are_joined_and_leave_the_outer_one_on(recorded, step):
    with jitscope.record(recorded.path), jitscope.label("epoch 1"):
        with jitscope.label("evaluation"):
            step()
        step()

    assert {"epoch 1 › evaluation": 1, "epoch 1": 1} == runs_by_label(recorded.load())


def test_labels_of_threads_may_end_in_any_order(recorded, step):
    entered, leave = threading.Event(), threading.Event()

    def other():
        with jitscope.label("other"):
            entered.set()
            leave.wait()

    with jitscope.record(recorded.path):
        thread = threading.Thread(target=other)
        with jitscope.label("main"):
            thread.start()
            entered.wait()
        step()
        leave.set()
        thread.join()
        step()

    assert {"other": 1, None: 1} == runs_by_label(recorded.load())


def test_no_call_is_lost_while_labels_change_under_threads(recorded, step, eager_switching):
    def work():
        for _ in range(500):
            step()

    with jitscope.record(recorded.path):
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for number in range(50):
            with jitscope.label(f"turn {number}"):
                pass
        for thread in threads:
            thread.join()

    assert 1500 == sum(runs_by_label(recorded.load()).values())


def test_an_exception_passes_a_label_as_it_is(recorded):
    error = ValueError("mine")
    with pytest.raises(ValueError, match="mine") as raised, jitscope.label("failing"):
        raise error

    assert raised.value is error
    assert [None] == [frame.tb_next for frame in [raised.tb]]


def test_a_label_is_a_string():
    with pytest.raises(TypeError, match=r"jitscope.label takes a string, not int"), jitscope.label(3):
        pass


def test_many_labels_in_memory_end_with_a_note(step, monkeypatch):
    monkeypatch.setattr(memory, "MEMORY_LABELS", 3)
    part = recorder.open_part()
    for number in range(5):
        with jitscope.label(f"turn {number}"):
            step()
    recorder.close_part(part)

    recording = recorder.part(part)
    assert 5 == sum(runs_by_label(recording).values())
    assert {"turn 0", "turn 1", None} >= set(runs_by_label(recording))
    assert "labels-bound" in [note.slug for note in build_report(recording).notes]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_fork_goes_on_under_the_label():
    done = run(
        """
        import os, jitscope
        step = jitscope.watch(lambda: None)
        with jitscope.label("outer"):
            if os.fork() == 0:
                step()
                print([one.text for one in jitscope.report().value.labels], flush=True)
                os._exit(0)
            os.wait()
        """
    )

    assert "['outer']" == done.stdout.strip()


def test_switched_off_a_label_does_nothing():
    done = run("import jitscope\nwith jitscope.label('x'): pass\nprint(jitscope.report().value.labels)", JITSCOPE="0")

    assert "()" == done.stdout.strip()
