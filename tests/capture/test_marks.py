"""Calls of several threads that must not overlap to be told apart: marks and settled calls of books that share them."""

from __future__ import annotations

import pytest

from jitscope.capture.book import Book
from jitscope.capture.marks import Marks
from jitscope.capture.recorder import Recorder
from jitscope.model.events import FunctionEvent


@pytest.fixture
def books():
    """Two books whose calls are told apart by one list."""
    recorder = Recorder()
    found = [
        Book(recorder, FunctionEvent(id=n, framework="torch", name="f", kind="function", file="f.py", line=1))
        for n in (1, 2)
    ]
    for book in found:
        book.probe = _Probe()
        book.share(found[0].marks)
    return found


class _Probe:
    def enter(self):
        pass

    def settle(self, entered, args, kwargs, error):
        pass


def test_a_call_alone_overlaps_with_none(books):
    one, other = books
    for book in (one, other, one):
        book.settle(book.enter(), (), {})
        assert not book.overlapped()
    one.marks.begin()
    one.settle(None, (), {})
    assert not one.overlapped()
    assert [] == one.marks.calls


def test_a_marked_call_within_a_settled_one_of_another_book_is_seen_by_both(books):
    one, other = books
    entered = one.enter()
    other.marks.begin()
    assert 2 == len(other.marks.calls)  # what a marked call looks at, at its end
    other.settle(None, (), {})
    assert other.overlapped()
    assert other.called_since(entered)
    one.settle(entered, (), {})
    assert one.overlapped() or other.called_since(entered)


def test_a_settled_call_within_a_marked_one_of_another_book_is_seen_by_both(books):
    one, other = books
    other.marks.begin()
    entered = one.enter()
    one.settle(entered, (), {})
    assert one.overlapped()
    assert other.marks.overlapping
    other.settle(None, (), {})
    assert other.overlapped()


def test_settled_calls_that_overlap_leave_marked_ones_to_come_alone(books):
    one, other = books
    first, second = one.enter(), other.enter()
    other.settle(second, (), {})
    assert other.overlapped()
    one.settle(first, (), {})
    assert not one.marks.overlapping
    assert [] == one.marks.calls


def test_a_book_that_comes_to_share_takes_its_calls_under_way_along(books):
    one, _ = books
    entered, marks = one.enter(), Marks()
    old = one.marks
    one.share(marks)
    assert (1, 0) == (len(marks.calls), len(old.calls))
    one.settle(entered, (), {})
    assert [] == marks.calls


def test_a_call_that_began_unmarked_is_told_from_none(books):
    one, _ = books
    one.settle(0.0, (), {})
    assert one.overlapped()
