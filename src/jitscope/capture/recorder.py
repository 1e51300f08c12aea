"""The process's one recorder: ids, open sessions, books, adapters, notes."""

from __future__ import annotations

import itertools
import os
import threading
import warnings
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from time import perf_counter

import msgspec

from jitscope.capture import spans, switches
from jitscope.capture.book import KEPT_SIGNATURES, Book
from jitscope.capture.files import Files
from jitscope.capture.gates import Gates
from jitscope.capture.header import Surroundings, new_header
from jitscope.capture.pending import local
from jitscope.capture.probe import Adapter
from jitscope.capture.sessions import MemorySession, Session
from jitscope.capture.thrash import ThrashWatch
from jitscope.model.caching import CacheKeyEvent
from jitscope.model.events import (
    CompilationEvent,
    CompilingCallEvent,
    ContextEvent,
    EndEvent,
    Event,
    Framework,
    FunctionEvent,
    Header,
    LabelEvent,
    MeasuredEvent,
    NoteEvent,
    PhaseEvent,
    Site,
    StartEvent,
)
from jitscope.model.notation import cut
from jitscope.model.recording import Recording

MAX_NOTES_PER_SLUG = 5
MOST_COMPILING_CALLS = 32
"""Calls of one function that compiled of which is written where their time went."""


@dataclass(frozen=True, slots=True)
class FunctionKey:
    """What a watched function is called and where it stands."""

    framework: Framework
    name: str
    file: str
    line: int
    kind: str
    column: int = 0
    defaults: tuple[str, ...] | None = None
    parameters: tuple[str, ...] | None = None
    maker: str | None = None
    body: int = 0


class Recorder:
    """Collects events from the adapters and hands them to the open sessions."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.books: dict[int, Book] = {}
        self.adapters: list[Adapter] = []
        self.gates = Gates()
        self.thrash = ThrashWatch()
        self._ids = itertools.count(1)
        self._notes: dict[str, int] = {}
        self._contexts: dict[tuple[tuple[str, str], ...], ContextEvent] = {}
        self._context_by_id: dict[int, ContextEvent] = {}
        zero = perf_counter()
        self.memory = MemorySession(new_header(zero), zero)
        self.sessions: list[Session] = [self.memory]
        self.labelled: str | None = None
        """To what label that which happens now belongs."""
        self.starts: list[StartEvent] = []
        """Parts of the program's start, on the process's monotonic clock."""
        self._gone: deque[Book] = deque()
        self.surroundings = Surroundings(self.adapters)
        self.files = Files(self)

    # -- definitions -------------------------------------------------------------------------

    def new_id(self) -> int:
        """An id that no other thing of this process has."""
        return next(self._ids)

    def new_book(self, key: FunctionKey, options: dict[str, str]) -> Book:
        """Open the book of a function."""
        event = FunctionEvent(
            id=self.new_id(),
            framework=key.framework,
            name=key.name,
            file=key.file,
            line=key.line,
            kind=key.kind,
            options=options,
            column=key.column,
            defaults=key.defaults,
            parameters=key.parameters,
            maker=key.maker,
            body=key.body,
        )
        book = Book(self, event)
        with self.lock:
            self._drop_gone_books()
            self.books[book.id] = book
        return book

    def forget(self, book: Book) -> None:
        """The watched function is gone: its book is closed when the next one is opened.

        The garbage collector calls this wherever it likes, so nothing is written here.
        """
        self._gone.append(book)

    def _drop_gone_books(self) -> None:
        """A program that makes functions in a loop must not pile up their books."""
        while self._gone:
            book = self._gone.popleft()
            if not book.in_flight:
                self.flush_calls(book)
                self.books.pop(book.id, None)
                for session in self.sessions:
                    session.defined.difference_update((book.id, *book.signature_by_id))
                    session.forget(book.id)

    def _define(self, session: Session, book: Book, signatures: Iterable[int | None]) -> None:
        if book.id not in session.defined:
            session.defined.add(book.id)
            session.write(book.event)
        for signature in signatures:
            if signature is not None and signature not in session.defined:
                known = book.signature_by_id.get(signature)
                if known is not None:  # another thread's call may have it, and it was forgotten just now
                    session.defined.add(signature)
                    session.write(known)

    def context(self, settings: dict[str, str]) -> int:
        """The id of these settings; equal ones have the same."""
        key = tuple(settings.items())
        with self.lock:
            known = self._contexts.get(key)
            if known is None:
                known = self._contexts[key] = ContextEvent(self.new_id(), settings)
                self._context_by_id[known.id] = known
            return known.id

    def definitions(self, event: CompilationEvent) -> tuple[Event, ...]:
        """What a compilation refers to: its function, signature and context, as far as there are any."""
        with self.lock:
            book = self.books.get(event.function) if event.function is not None else None
            found: list[Event | None] = [
                book.event if book is not None else None,
                book.signature_by_id.get(event.signature) if book is not None and event.signature is not None else None,
                self._context_by_id.get(event.context) if event.context is not None else None,
            ]
            return tuple(one for one in found if one is not None)

    # -- events ------------------------------------------------------------------------------

    def compilation(self, event: CompilationEvent, book: Book | None, keys: Iterable[CacheKeyEvent] = ()) -> None:
        """Write a compilation; ``event.start`` and its phases are on the process's monotonic clock.

        ``keys``: what its lookups in caches on disk refer to, in the order of their own references.
        """
        thread = threading.current_thread()
        if thread is not threading.main_thread():
            event = msgspec.structs.replace(event, thread=cut(thread.name))
        with self.lock:
            # Now, while it can be asked for.
            self.surroundings.rank(self.memory.header)
            if book is not None:
                book.compilations += event.compiled
                book.seconds += event.seconds
            for session in self.sessions:
                if book is not None:
                    self._define(session, book, [event.signature])
                if event.context is not None and event.context not in session.defined:
                    session.defined.add(event.context)
                    session.write(self._context_by_id[event.context])
                _define_keys(session, keys)
                session.write(_shifted(event, session.zero))
        if book is not None:
            try:
                self.thrash.compiled(event, book)
            except Exception as error:
                self.internal_error("thrashing", error, book.id)

    def phase(self, event: PhaseEvent, keys: Iterable[CacheKeyEvent] = ()) -> None:
        """Write a phase that came later."""
        with self.lock:
            for session in self.sessions:
                _define_keys(session, keys)
                phase = msgspec.structs.replace(event.phase, start=event.phase.start - session.zero)
                session.write(msgspec.structs.replace(event, phase=phase))

    def compiling_call(self, book: Book, call: int, start: float, end: float, site: Site | None) -> None:
        """Write where the time of a call went that compiled; ``start``, ``end``: the process's monotonic clock."""
        if book.compiling_calls >= MOST_COMPILING_CALLS:
            return
        book.compiling_calls += 1
        found, left_out = spans.between(start, end)
        event = CompilingCallEvent(book.id, call, start, end - start, found, left_out, site)
        with self.lock:
            for session in self.sessions:
                self._define(session, book, ())
                session.write(spans.shifted(event, session.zero))

    def started(self, name: str, start: float, seconds: float) -> None:
        """Write a part of the program's start; ``start`` is on the process's monotonic clock."""
        event = StartEvent(name, start, seconds)
        with self.lock:
            self.starts.append(event)
            for session in self.sessions:
                session.write(spans.shifted(event, session.zero))

    def measured(self, event: MeasuredEvent, book: Book) -> None:
        """Write what was measured of a function; ``start`` is on the process's monotonic clock."""
        with self.lock:
            for session in self.sessions:
                self._define(session, book, ())
                session.write(spans.shifted(event, session.zero))

    def flush_calls(self, book: Book) -> None:
        """Hand a book's fresh history to the sessions."""
        with self.lock:
            calls = book.take_calls()
            if not calls:
                return
            met = dict.fromkeys(run.signature for event in calls for run in event.runs)
            for session in self.sessions:
                self._define(session, book, met)
                session.write_calls(calls)
            gone = book.forget_signatures()
            if gone:
                for session in self.sessions:
                    session.defined.difference_update(gone)
                self.note(
                    "signatures-forgotten",
                    f"{book.event.name} met more than {KEPT_SIGNATURES} signatures: older ones are written again where "
                    "they come again; counts are exact",
                    book.id,
                )

    def note(self, slug: str, text: str, function: int | None = None) -> None:
        """Write what could not be seen; a slug is written a few times at most, and each text once."""
        with self.lock:
            known = f"{slug}:{function}:{text}"
            if known in self._notes or self._notes.get(slug, 0) >= MAX_NOTES_PER_SLUG:
                return
            self._notes[known] = 1
            self._notes[slug] = self._notes.get(slug, 0) + 1
            event = NoteEvent(slug=slug, text=text, function=function)
            for session in self.sessions:
                session.write(event)

    def internal_error(self, where: str, error: Exception, function: int | None = None) -> None:
        """An error of our own: a note, never the user's problem (raises under ``JITSCOPE_STRICT=1``)."""
        if switches.STRICT:
            raise error
        try:
            self.note("internal-error", f"{where}: {type(error).__name__}: {error}"[:400], function)
        except Exception as inner:  # a full disk, say: nothing more to be done, and nothing to be raised
            warnings.warn(f"jitscope: {where}: {inner}", RuntimeWarning, stacklevel=2)

    def label(self, text: str | None) -> None:
        """What happens from here on, in any thread, belongs to ``text``; what happened so far is written first."""
        with self.lock:
            if text == self.labelled:
                return
            try:
                self.flush()
                self.labelled = text
                for session in self.sessions:
                    session.write(LabelEvent(text))
            except Exception as error:
                self.internal_error("label", error)

    # -- sessions ----------------------------------------------------------------------------

    def flush(self) -> None:
        """Hand everything that is known to the sessions."""
        for adapter in list(self.adapters):
            try:
                adapter.drain()
            except Exception as error:
                self.internal_error("drain", error)
        self._flush_books()

    def _flush_books(self) -> None:
        for book in list(self.books.values()):
            self.flush_calls(book)

    def open_part(self) -> MemorySession:
        """From now on collect what happens, in memory, until `close_part`; any number may be open."""
        zero = perf_counter()
        session = MemorySession(self.fresh_header(zero), zero)
        self.add_session(session)
        return session

    def close_part(self, session: MemorySession) -> None:
        """Collect no more; closing again does nothing."""
        self.remove_session(session)

    def part(self, session: MemorySession) -> Recording:
        """What an open part holds so far, as a value."""
        with self.lock:
            return session.recording(self.end_of(session))

    def end_of(self, session: Session) -> EndEvent:
        """What would be the last line of a session if it ended now."""
        self.flush()
        return self.last_line(session)

    def snapshot(self, *, drain: bool = True) -> Recording:
        """Everything so far in this process, as a value.

        ``drain=False``: without what the adapters have not written yet. In the middle of a compile there can be such
        that has not ended.
        """
        with self.lock:
            if drain:
                self.flush()
            else:
                self._flush_books()
            return self.memory.recording(self.last_line(self.memory))

    def add_session(self, session: Session) -> None:
        """Hand events to ``session``, too, from now on."""
        with self.lock:
            self.flush()
            self.sessions = [*self.sessions, session]

    def remove_session(self, session: Session) -> None:
        """Hand what is known to ``session``, and no more."""
        with self.lock:
            self.flush()
            self.sessions = [one for one in self.sessions if one is not session]

    def last_line(self, session: Session) -> EndEvent:
        """As `end_of`, of a session that has been handed everything."""
        versions, devices = self.surroundings.versions_and_devices()
        rank, world_size = self.surroundings.rank(self.memory.header)
        return EndEvent(
            wall_seconds=perf_counter() - session.zero,
            versions=versions,
            devices=devices,
            rank=rank,
            world_size=world_size,
        )

    def remember_devices(self) -> None:
        """Look which devices are in use, and as which process of how many, for the end of a recording."""
        try:
            self.surroundings.versions_and_devices()
            self.surroundings.rank(self.memory.header)
        except Exception as error:
            self.internal_error("devices", error)

    def fresh_header(self, zero: float) -> Header:
        """Of a session that begins now; ``zero`` is now, on the process's monotonic clock."""
        versions, devices = self.surroundings.versions_and_devices()
        header = new_header(zero)
        return msgspec.structs.replace(header, versions=header.versions | versions, devices=devices)

    def after_fork_in_child(self) -> None:
        """A forked child's parent keeps the file: it records in memory, and if it is followed in a file of its own."""
        self.lock = threading.RLock()
        self._notes.clear()
        self.starts.clear()
        for adapter in self.adapters:
            adapter.forked()
        for book in self.books.values():
            book.lock = threading.RLock()
            book.start_anew()
        local.misses.clear()
        zero = perf_counter()
        self.memory = MemorySession(new_header(zero), zero)
        self.sessions = [self.memory]
        if self.labelled is not None:
            self.memory.write(LabelEvent(self.labelled))
        followed = self.files.after_fork_in_child(self.memory.header, zero)
        if followed and any(book.signatures for book in self.books.values()):
            self.note(
                "forked",
                "this process was forked from one that had compiled functions: hits of those are counted here, "
                "their compilations are in the other recording",
            )


def _define_keys(session: Session, keys: Iterable[CacheKeyEvent]) -> None:
    for key in keys:
        if key.id not in session.defined:
            session.defined.add(key.id)
            session.write(key)


def _shifted(event: CompilationEvent, zero: float) -> Event:
    phases = tuple(msgspec.structs.replace(phase, start=phase.start - zero) for phase in event.phases)
    return msgspec.structs.replace(event, start=event.start - zero, phases=phases)


recorder = Recorder()
"""The one recorder of this process."""

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=recorder.after_fork_in_child)
