"""Spans of a thread: the long ones outlive the short ones, and what is not kept is counted."""

from __future__ import annotations

import pytest

from jitscope.capture import spans


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(spans, "_local", spans._Local())
    monkeypatch.setattr(spans, "KEPT", 100)
    monkeypatch.setattr(spans, "MOST_OF_A_CALL", 40)


def add_frames(count, start, inner=29):
    """Frames of 1 s, each with short steps inside; returns when the last one ended."""
    for frame in range(count):
        for step in range(inner):
            spans.add("step", start + frame + step / 100, 0.005)
        spans.add("dynamo", start + frame, 1.0)
    return start + count


def test_of_very_many_spans_the_long_ones_are_kept_and_all_others_counted(fresh):
    end = add_frames(20, 100.0)
    kept, left_out = spans.between(100.0, end + 1)

    assert [100.0 + frame for frame in range(20)] == [span.start for span in kept if span.name == "dynamo"]
    assert 40 == len(kept)
    assert 20 * 30 - 40 == left_out


def test_what_another_call_lost_is_not_counted_here(fresh):
    before = add_frames(20, 100.0)
    spans.add("trace", before + 5, 0.5)

    assert 0 == spans.between(before + 4, before + 6)[1]
