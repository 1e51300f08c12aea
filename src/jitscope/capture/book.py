"""The book of one watched function: how its calls are counted, and the signatures it met.

Counting is exact under threads: a hit is one `itertools.count` tick on the counter of the signature
that is live; everything else is written under a lock.
"""

from __future__ import annotations

import itertools
import sys
import threading
import weakref
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from jitscope.capture.gates import REFUSALS
from jitscope.capture.history import History, RunKey
from jitscope.capture.marks import Marks
from jitscope.capture.pending import local, refusal_of
from jitscope.model.events import CallsEvent, FunctionEvent, Outcome, RepeatEvent, SignatureEvent
from jitscope.model.signature import Signature

if TYPE_CHECKING:
    from jitscope.capture.pending import Miss
    from jitscope.capture.probe import Probe
    from jitscope.capture.recorder import Recorder
    from jitscope.capture.watched import Cells

KEPT_SIGNATURES = 20_000
"""Signatures of one function that are kept; of more, the oldest half is forgotten, and known anew if it comes again."""


def _show_the_call_only(refusal: BaseException) -> None:
    """Leave out of the traceback what is between the wrapper and the hook: frames of the framework and of ours."""
    if refusal.__traceback__ is not None:
        refusal.__traceback__.tb_next = None
    # JAX says there that it left out frames of its own.
    refusal.__dict__.pop("__notes__", None)
    refusal.__cause__ = refusal.__context__ = None


class HitCounter:
    """Hits of one (signature, entry), counted by a C call."""

    __slots__ = ("_counter", "key", "taken", "tick")

    def __init__(self, key: RunKey) -> None:
        self.key = key
        self.taken = 0
        self._counter = itertools.count()
        self.tick: Callable[[], object] = self._counter.__next__

    def take(self) -> int:
        """Hits since the last `take`. The count is read from ``repr``: ``next`` would change it."""
        value = int(repr(self._counter)[6:-1])
        fresh, self.taken = value - self.taken, value
        return fresh


class Book:
    """Calls and signatures of one watched function."""

    def __init__(self, recorder: Recorder, event: FunctionEvent) -> None:
        self.recorder = recorder
        self.event = event
        self.id = event.id
        self.probe: Probe
        self.cells: Cells | None = None
        self.in_flight: list[Miss] = []
        """Announced calls that have not ended, of all threads."""
        self.lock = threading.RLock()
        self.history = History()
        self.compilations = 0
        self.compiling_calls = 0
        """Calls of which was written where their time went."""
        self.seconds = 0.0
        """Spent on them."""
        self.signatures: dict[Any, SignatureEvent] = {}
        """By key: what makes two calls the same to the framework."""
        self.signature_by_id: dict[int, SignatureEvent] = {}
        self._by_value: dict[Signature, SignatureEvent] = {}
        self._inside = 0
        """Calls under way that began while the book was alarmed."""
        self._turns = 0
        """How many such calls began so far."""
        self._threads = False
        """Whether several threads were seen to call it."""
        self._last_left = (0, 0.0)
        """Thread and time of the last such call that ended."""
        self._watched: weakref.ref[Any] | None = None
        self.marks = Marks()
        """One for each call under way that began while calls were `marked`."""
        self.log: list[RunKey] = []
        """Hits that a function of `several` entered, in order, and that are not in the history yet."""
        self.incomplete = False
        """Whether keys were forgotten: then a silent call can have a signature that is not in `signatures`."""
        self._live: HitCounter | None = None
        self._retired: list[HitCounter] = []

    def share(self, marks: Marks) -> None:
        """Its calls, and those under way, must not overlap with those of others that have these marks."""
        with self.lock:
            if marks is not self.marks:
                for _ in range(self._inside):
                    marks.enter()
                    self.marks.leave(settled=True)
                self.marks = marks

    def opens(self, wrapper: Any) -> bool:
        """Whether this is the book of ``wrapper`` itself, not of one whose attributes it copied (`functools.wraps`)."""
        return self._watched is not None and self._watched() is wrapper

    def bind(self, wrapper: Any, cells: Cells) -> None:
        """Tie the book to its wrapper, without keeping that alive."""
        self._watched = weakref.ref(wrapper)
        self.cells = cells

    def start_anew(self) -> None:
        """This process is a fork: its calls are counted from 1, and its parent's are not its own."""
        self.in_flight.clear()
        self.marks.clear()
        self.take_calls()
        self.history = History()
        self.compilations = self.compiling_calls = 0
        self.seconds = 0.0

    # -- how the wrapper behaves -------------------------------------------------------------

    def alarm(self) -> None:
        """Settle every call in full from now on."""
        if self.cells is not None:
            self.cells.alarm()

    def quiet(self, signature: int | None, compilation: int | None = None) -> None:
        """Silent calls are hits of ``signature`` (and entry ``compilation``) from now on.

        Does nothing while other calls are under way that began while the book was alarmed: they may turn out to be
        more than hits.
        """
        if self.cells is None or self._inside or self.in_flight:
            return
        key: RunKey = (signature, "hit", compilation)
        with self.lock:
            if self._live is None or self._live.key != key:
                if self._live is not None:
                    self._retired.append(self._live)
                self._live = HitCounter(key)
            self.cells.quiet(self._live.tick)

    def several(self, count: Callable[[tuple[Any, ...], dict[str, Any]], None]) -> None:
        """Silent calls are hits that ``count`` enters in the log from now on; as with `quiet`, unless others run."""
        if self.cells is None or self._inside or self.in_flight:
            return
        with self.lock:
            self._absorb()
            self.cells.several(count)

    def marked(self, settle: Callable[[Any, tuple[Any, ...], dict[str, Any]], None]) -> None:
        """Calls leave a mark while they run, and ``settle`` enters them in the log; as with `quiet`, unless others run.

        ``settle`` takes its own call's mark away. Two marks at a time are two calls that overlap.
        """
        if self.cells is None or self._inside or self.in_flight or self.marks.calls or self.marks.overlapping:
            return
        with self.lock:
            self._absorb()
            self.cells.marked(self.marks.begin, settle)

    def log_is_full(self) -> None:
        """Enter the log in the history."""
        try:
            with self.lock:
                self._absorb(turns_only=True)
                full = self.history.is_full()
            if full:
                self.recorder.flush_calls(self)
        except Exception as error:
            self.recorder.internal_error("log", error, self.id)

    # -- what the wrapper calls --------------------------------------------------------------

    def enter(self) -> float:
        """Before a call, while the book is alarmed. Returns when that was (monotonic clock, seconds)."""
        with self.lock:
            self._inside += 1
            self._turns += 1
            self.marks.enter()
        try:
            self.probe.enter()
        except Exception as error:
            self.recorder.internal_error("enter", error, self.id)
        return perf_counter()

    def settle(self, entered: float | None, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """After a call that returned, while the book is alarmed.

        ``entered`` is 0 where it was not yet alarmed at the start, and None where the call left a mark then.

        Raises:
            RecompileError: if a gate refused a compilation of this call where the framework could not be stopped.
        """
        refused = refusal_of(sys._getframe(1)) if local.misses else None
        try:
            self._leave(entered)
            self.probe.settle(entered or 0.0, args, kwargs, None)
        except Exception as error:
            self.recorder.internal_error("settle", error, self.id)
        if refused is not None:
            raise refused.with_traceback(None) from None

    def failed(
        self, entered: float | None, error: BaseException, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """After a call that raised."""
        if isinstance(error, REFUSALS):
            _show_the_call_only(error)
        try:
            self._leave(entered)
            self.probe.settle(entered or 0.0, args, kwargs, error)
        except Exception as inner:
            self.recorder.internal_error("failed", inner, self.id)

    def _leave(self, entered: float | None) -> None:
        if entered == 0:
            local.overlapped = True
            return
        thread = threading.get_ident()
        with self.lock:
            left_by, _ = self._last_left
            # First of all: who finds the call under way no more has to find that it ended (`called_since`).
            self._last_left = (thread, perf_counter())
            local.overlapped = self.marks.leave(settled=entered is not None)
            if entered is not None:
                self._inside -= 1
                self._threads = self._threads or left_by not in (0, thread)
                # A thread's call may have begun when calls left no mark, and end after this one.
                local.overlapped = local.overlapped or self._threads
            local.turn = self._turns

    def called_since(self, entered: float) -> bool:
        """Whether a settled call of it is under way, or ended after ``entered``."""
        return self._inside > 0 or self._last_left[1] > entered

    def overlapped(self) -> bool:
        """Whether calls of other threads overlapped with this thread's last one, up to now."""
        return local.overlapped or local.turn != self._turns

    # -- counting ----------------------------------------------------------------------------

    def add(self, signature: int | None, outcome: Outcome, compilation: int | None = None, count: int = 1) -> int:
        """Enter ``count`` calls in the history; return the ordinal of the last one (from 1)."""
        with self.lock:
            self._absorb()
            self.history.add((signature, outcome, compilation), count)
            ordinal = self.history.calls
            full = self.history.is_full() or len(self.signature_by_id) > KEPT_SIGNATURES
        if full:  # outside of the lock: the recorder takes its own lock first, then the book's
            self.recorder.flush_calls(self)
        return ordinal

    def next_ordinal(self) -> int:
        """The ordinal that the next call to end will get."""
        with self.lock:
            self._absorb()
            return self.history.calls + 1

    def hits(self) -> int:
        """Calls so far that an entry of the cache served."""
        with self.lock:
            self._absorb()
            return sum(count for (_, outcome, _), count in self.history.counts.items() if outcome == "hit")

    def _absorb(self, *, turns_only: bool = False) -> None:
        """Enter what was counted in the history; with ``turns_only`` a turn that is cut off waits for its rest."""
        for counter in (*self._retired, self._live):
            if counter is not None and (fresh := counter.take()):
                self.history.add(counter.key, fresh)
        count = len(self.log)  # other threads may be adding to it
        if count:
            taken = self.history.add_log(self.log[:count], turns_only=turns_only)
            del self.log[:taken]

    def take_calls(self) -> list[CallsEvent | RepeatEvent]:
        """The history since the last time it was taken."""
        with self.lock:
            self._absorb()
            return self.history.take(self.id)

    # -- signatures --------------------------------------------------------------------------

    def signature(self, key: Any, read: Callable[[], Signature]) -> SignatureEvent:
        """The signature with this key; ``read`` is called where it is new."""
        with self.lock:
            known = self.signatures.get(key)
            if known is None:
                known = self.signatures[key] = self.signature_like(read())
            return known

    def signature_like(self, value: Signature) -> SignatureEvent:
        """The signature with this value; it is not found by any key."""
        with self.lock:
            known = self._by_value.get(value)
            if known is None:
                known = SignatureEvent(id=self.recorder.new_id(), function=self.id, signature=value)
                self._by_value[value] = known
                self.signature_by_id[known.id] = known
            return known

    def forget_signatures(self) -> list[int]:
        """Forget the older half of the signatures where there are too many; call it when the history was taken.

        What a probe or a counter still speaks of stays. A forgotten one that comes again gets another id: whoever reads
        the recording takes equal ones for the same. The result is the ids.
        """
        with self.lock:
            if len(self.signature_by_id) <= KEPT_SIGNATURES:
                return []
            held = {counter.key[0] for counter in (*self._retired, self._live) if counter is not None}
            held |= {key[0] for key in (*self.history.keys(), *self.log)} | set(self.probe.signatures_held())
            older = itertools.islice(self.signature_by_id, KEPT_SIGNATURES // 2)
            gone = {identity: None for identity in older if identity not in held}
            for identity in gone:
                self._by_value.pop(self.signature_by_id.pop(identity).signature, None)
            keys = len(self.signatures)
            self.signatures = {key: known for key, known in self.signatures.items() if known.id not in gone}
            self.incomplete = self.incomplete or len(self.signatures) < keys
            self.history.forget(gone)
            return list(gone)
