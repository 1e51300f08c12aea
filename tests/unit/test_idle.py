"""Entries that no call uses any more are noted."""

from builders import compilation, function, recording, runs

from jitscope.analysis.build import build_report

TORCH = function(framework="torch")


def notes(*history):
    events = [
        compilation(101, framework="torch", framework_id="0/0", call=1),
        compilation(102, framework="torch", framework_id="0/1", call=3),
    ]
    report = build_report(recording(TORCH, *events, runs(1, *history)))
    return [note.text for note in report.notes if note.slug == "idle-entry"]


def test_an_entry_that_a_newer_one_took_over_from():
    (only,) = notes((None, "compile", 1, 101), (None, "hit", 1, 101), (None, "compile", 1, 102), (None, "hit", 9, 102))

    assert "entry 0/0" in only
    assert "9 hits" in only


def test_an_entry_in_use_is_not_idle():
    assert [] == notes(
        (None, "compile", 1, 101), (None, "compile", 1, 102), (None, "hit", 9, 102), (None, "hit", 1, 101)
    )


def test_a_few_calls_say_nothing():
    assert [] == notes((None, "compile", 1, 101), (None, "compile", 1, 102), (None, "hit", 2, 102))
