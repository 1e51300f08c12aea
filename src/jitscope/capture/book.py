"""The book of one watched function: its calls, run-length coded, and the signatures it met.

Counting is exact under threads: a hit is one `itertools.count` tick on the counter of the signature
that is live; everything else is written under a lock.
"""

from __future__ import annotations

import functools
import itertools
import sys
import threading
import weakref
from collections import Counter
from collections.abc import Callable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from jitscope.capture.folding import SAVED, fold, turn_of
from jitscope.capture.gates import REFUSALS
from jitscope.capture.pending import local, refusal_of
from jitscope.model.events import CallsEvent, FunctionEvent, Outcome, RepeatEvent, Run, SignatureEvent
from jitscope.model.signature import Signature

if TYPE_CHECKING:
    from jitscope.capture.pending import Miss
    from jitscope.capture.probe import Probe
    from jitscope.capture.recorder import Recorder
    from jitscope.capture.watched import Cells

RunKey = tuple[int | None, Outcome, int | None]
"""Signature, outcome, compilation."""

FLUSH_RUNS = 4096
"""Runs kept before they are handed to the sessions."""
KEPT_SIGNATURES = 20_000
"""Signatures of one function that are kept; of more, the oldest half is forgotten, and known anew if it comes again."""


def _show_the_call_only(refusal: BaseException) -> None:
    """Leave out of the traceback what is between the wrapper and the hook: frames of the framework and of ours."""
    if refusal.__traceback__ is not None:
        refusal.__traceback__.tb_next = None
    # JAX says there that it left out frames of its own.
    refusal.__dict__.pop("__notes__", None)
    refusal.__cause__ = refusal.__context__ = None


class Marks:
    """Calls under way, one mark each, of all whose calls must not overlap to be told apart.

    Beginning a call that is only marked is one append, in C: nothing can come between.
    """

    __slots__ = ("_lock", "_settled", "begin", "calls", "overlapping")

    def __init__(self) -> None:
        self.calls: list[None] = []
        self.begin: Callable[[], None] = functools.partial(self.calls.append, None)
        self.overlapping = False
        """Whether a marked call overlapped with another call, ever: for good, since that one may end before it."""
        self._settled = 0
        """How many of the calls are settled in full."""
        self._lock = threading.Lock()

    def enter(self) -> None:
        """Begin a call that is settled in full."""
        with self._lock:
            self._settled += 1
            self.begin()

    def leave(self, *, settled: bool) -> bool:
        """End a call; ``settled`` as it began. Returns whether another one is under way that it can't be told from."""
        with self._lock:
            if not self.calls:
                return self.overlapping  # a fork that was made in the middle of this call
            self.calls.pop()
            self._settled -= settled
            if not settled or len(self.calls) > self._settled:
                self.overlapping = self.overlapping or bool(self.calls)
            return bool(self.calls) if settled else self.overlapping

    def clear(self) -> None:
        """No call is under way: this process is a fork, and in others' threads nothing goes on."""
        self._lock = threading.Lock()
        self.calls.clear()
        self._settled = 0


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
        self.counts: Counter[RunKey] = Counter()
        self.calls = 0
        """Calls that ended, nested ones left out."""
        self.compilations = 0
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
        self._runs: list[tuple[RunKey, int]] = []
        self._no_look = self._no_looks = 0
        """How many times not to look for repeats: still, and after the last look that found few."""
        self._folded: list[tuple[tuple[tuple[RunKey, int], ...], int]] = []
        """What was before that: runs, and how often they came."""
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
        self.counts.clear()
        self.calls = self.compilations = 0
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
                full = self._is_full()
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
            self._append((signature, outcome, compilation), count)
            ordinal = self.calls
            full = self._is_full() or len(self.signature_by_id) > KEPT_SIGNATURES
        if full:  # outside of the lock: the recorder takes its own lock first, then the book's
            self.recorder.flush_calls(self)
        return ordinal

    def next_ordinal(self) -> int:
        """The ordinal that the next call to end will get."""
        with self.lock:
            self._absorb()
            return self.calls + 1

    def hits(self) -> int:
        """Calls so far that an entry of the cache served."""
        with self.lock:
            self._absorb()
            return sum(count for (_, outcome, _), count in self.counts.items() if outcome == "hit")

    def _absorb(self, *, turns_only: bool = False) -> None:
        """Enter what was counted in the history; with ``turns_only`` a turn that is cut off waits for its rest."""
        for counter in self._retired:
            self._take(counter)
        if self._live is not None:
            self._take(self._live)
        count = len(self.log)  # other threads may be adding to it
        if count:
            hits = self.log[:count]
            length = turn_of(hits) if count > SAVED else 0
            if turns_only and length:
                count -= count % length
            del self.log[:count]
            self._enter_hits(hits[:count], length)

    def _enter_hits(self, hits: list[RunKey], length: int) -> None:
        """Enter hits in their order; they repeat turns of this length, if it is not 0."""
        start = 0
        if length > 1:
            # A turn that begins with a change has the same runs each time.
            while hits[start] is hits[start - 1 + length]:
                start += 1
        turns = (len(hits) - start) // length if length > 1 else 0
        if turns * length < SAVED:
            self._enter_runs(hits)
            return
        self._enter_runs(hits[:start])
        self._fold()
        if self._runs:
            self._folded.append((tuple(self._runs), 1))
            self._runs = []
        runs = tuple((key, len(list(run))) for key, run in itertools.groupby(hits[start : start + length]))
        if self._folded and self._folded[-1][0] == runs:
            self._folded[-1] = (runs, self._folded[-1][1] + turns)
        else:
            self._folded.append((runs, turns))
        for key, times in runs:
            self.counts[key] += times * turns
        self.calls += turns * length
        self._enter_runs(hits[start + turns * length :])

    def _enter_runs(self, hits: list[RunKey]) -> None:
        for key, run in itertools.groupby(hits):
            self._append(key, len(list(run)))

    def _take(self, counter: HitCounter) -> None:
        fresh = counter.take()
        if fresh:
            self._append(counter.key, fresh)

    def _append(self, key: RunKey, count: int) -> None:
        self.counts[key] += count
        if key[1] != "nested":
            self.calls += count
        runs = self._runs
        if runs and runs[-1][0] == key:
            runs[-1] = (key, runs[-1][1] + count)
        else:
            runs.append((key, count))

    def _is_full(self) -> bool:
        """Whether there are many runs, whatever repeats folded."""
        if len(self._runs) <= FLUSH_RUNS:
            return False
        self._fold()
        return sum(len(runs) for runs, _ in self._folded) > FLUSH_RUNS

    def _fold(self) -> None:
        runs, folded = self._runs, len(self._folded)
        if self._no_look:
            self._no_look -= 1
            if runs:
                self._folded.append((tuple(runs), 1))
                self._runs = []
            return
        self._fold_now()
        if len(runs) > SAVED:
            # Where little repeats, it is not looked for each time.
            rest = len(self._runs) + sum(len(part) for part, _ in self._folded[folded:])
            self._no_looks = min(2 * self._no_looks + 1, 15) if 10 * rest > 9 * len(runs) else 0
            self._no_look = self._no_looks

    def _fold_now(self) -> None:
        found, self._runs = fold(self._runs)
        for runs, times in found:
            if times > 1 and self._folded and self._folded[-1][0] == runs:
                times += self._folded.pop()[1]  # noqa: PLW2901
            self._folded.append((runs, times))

    def take_calls(self) -> list[CallsEvent | RepeatEvent]:
        """The history since the last time it was taken."""
        with self.lock:
            self._absorb()
            if len(self._runs) > SAVED:
                self._fold()
            parts = [*self._folded, *([(tuple(self._runs), 1)] if self._runs else [])]
            self._runs, self._folded = [], []
        found: list[CallsEvent | RepeatEvent] = []
        for part, times in parts:
            runs = tuple(
                Run(signature=signature, outcome=outcome, count=count, compilation=compilation)
                for (signature, outcome, compilation), count in part
            )
            found.append(RepeatEvent(self.id, runs, times) if times > 1 else CallsEvent(self.id, runs))
        return found

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
            held |= {key[0] for key, _ in self._runs} | {key[0] for key in self.log} | set(self.probe.signatures_held())
            older = itertools.islice(self.signature_by_id, KEPT_SIGNATURES // 2)
            gone = {identity: None for identity in older if identity not in held}
            for identity in gone:
                self._by_value.pop(self.signature_by_id.pop(identity).signature, None)
            keys = len(self.signatures)
            self.signatures = {key: known for key, known in self.signatures.items() if known.id not in gone}
            self.incomplete = self.incomplete or len(self.signatures) < keys
            counts: Counter[RunKey] = Counter()
            for (signature, outcome, compilation), count in self.counts.items():
                counts[None if signature in gone else signature, outcome, compilation] += count
            self.counts = counts
            return list(gone)
