"""What became of the calls of one compiled function or module."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Callable, Collection
from time import perf_counter
from types import CodeType
from typing import TYPE_CHECKING, Any

import torch

from jitscope.capture.book import Book
from jitscope.capture.callsite import site_of
from jitscope.capture.decisions import LOGGED, Decisions, Question
from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.frameworks.torch_codes import is_among
from jitscope.capture.frameworks.torch_decisions import (
    Fact,
    Places,
    Source,
    differing,
    facts_of,
    fixed,
)
from jitscope.capture.frameworks.torch_metrics import CompileRecord
from jitscope.capture.frameworks.torch_signature import TorchSignatureReader
from jitscope.capture.history import RunKey
from jitscope.capture.pending import Miss, collect
from jitscope.model.signature import Signature

if TYPE_CHECKING:
    from jitscope.capture.frameworks.torch_adapter import TorchAdapter

EntryId = tuple[int, str]
"""Generation (how many resets before) and compile id."""

STANCES_THAT_MAY_NOT_COMPILE = ("eager_on_recompile", "eager_then_compile", "aot_eager_then_compile")
"""Stances of `torch.compiler.set_stance` under which a miss can run eager without any announcement."""


class TorchProbe:
    """Finds out what became of the calls of one compiled function or module."""

    def __init__(self, adapter: TorchAdapter, book: Book, original: Any, compiled: Callable[..., Any]) -> None:
        self.adapter = adapter
        self.book = book
        self.reader = TorchSignatureReader(original.forward if is_module(original) else original)
        self.codes: list[CodeType] = _codes(original, compiled)
        self.shares_code = is_module(original)
        """The code may serve other modules too: their entries are in the same list."""
        self._module = weakref.ref(original) if is_module(original) else None
        self.region: int | None = getattr(compiled, "_isolate_recompiles_id", None)
        self._entries: dict[EntryId, tuple[int | None, int | None]] = {}
        """By entry: the signature it was first met with, and its compilation."""
        self._facts: dict[EntryId, dict[Source, Fact]] = {}
        self._decisions: Decisions[EntryId] = Decisions(self._differing, self._fixed)
        self._places: Places | None = None
        self._bound = is_module(original) or hasattr(original, "__self__")
        self._ordered = True
        """Whether the list of entries is kept in order of use."""

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Signature | None:
        """The signature of a call, which is its own key; None where sizes are symbols."""
        return self.reader.read(args, kwargs)

    def module(self) -> Any:
        """The module that was compiled; None for a function."""
        return self._module() if self._module is not None else None

    def signatures_held(self) -> Collection[int]:
        """Those of the entries: a hit is told of the signature that its entry was compiled for."""
        return [met for met, _ in tuple(self._entries.values()) if met is not None]

    def enter(self) -> None:
        """Where a miss would run eager without a word: listen for it."""
        if self._watchful():
            self.adapter.fallbacks.begin(self)

    def _watchful(self) -> bool:
        return (
            self.adapter.stance in STANCES_THAT_MAY_NOT_COMPILE
            or self._given_up() == "limited"
            or (self.adapter.modes_used and privates.in_dispatch_mode())
        )

    def _skipped_under_a_mode(self) -> None:
        """A miss under a dispatch mode: Dynamo runs the frame eager, then and from then on."""
        adapter = self.adapter
        for code in self.codes:
            adapter.given_up.set(code, (adapter.generation, "skipped"))
        self._say_ran_eager(
            "it was called under a TorchDispatchMode, and Dynamo leaves such a frame alone from then on"
        )

    def _given_up(self) -> str | None:
        """Why Dynamo compiles this function no more, if it does not."""
        adapter = self.adapter
        found = [adapter.given_up.get(code) for code in self.codes]
        return next((one[1] for one in found if one is not None and one[0] == adapter.generation), None)

    def settle(
        self, entered: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException | None
    ) -> None:
        """Enter the call in the book."""
        ended = perf_counter()
        adapter = self.adapter
        if privates.stop_recomputation is not None and isinstance(error, privates.stop_recomputation):
            error = None
        missed = adapter.fallbacks.end(self) if adapter.fallbacks.installed else None
        miss = collect(sys._getframe(2))
        adapter.drain_ended()
        if miss is not None and miss.details:
            with adapter.recorder.lock:  # until it is entered, no other thread's call gets its ordinal
                self._announced(miss, error, (entered if entered > 0 else miss.start, ended))
        elif error is not None:
            self.book.add(None, "error")
        else:
            live = self._live()
            if self._uses_no_cache(missed, live, args, kwargs):
                signature = self._signature(args, kwargs)
                self.book.add(signature, "nested" if signature is None else "eager_fallback")
            else:
                self._hit(live, args, kwargs, entered)
        self._rest()

    def _signature(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | None:
        """Id of the call's signature; None where its sizes are symbols: then some tracer calls, not the program."""
        read = self.read(args, kwargs)
        return None if read is None else self.book.signature(read, lambda: read).id

    def _announced(self, miss: Miss, error: BaseException | None, times: tuple[float, float]) -> None:
        book, adapter = self.book, self.adapter
        adapter.check_reset()
        read = miss.key
        signature = book.signature(read, lambda: read).id if read is not None else None
        ordinal = book.next_ordinal()
        wall = perf_counter() - miss.start
        # What is no Exception passes through Dynamo, too: the frame is tried again.
        raised = isinstance(error, privates.dynamo_errors) or (error is not None and not isinstance(error, Exception))
        first = not self._entries
        compiled = limited = False
        main: int | None = None
        failure: str | None = None
        for record in miss.details:
            event = adapter.write(record, book, call=ordinal, signature=signature, wall_seconds=wall, raised=raised)
            if event.compiled:
                compiled = True
                if main is None and (is_among(record.code, self.codes) or first):
                    # Later on, what has another code is a frame that the function calls across a graph break.
                    main = event.id
                    self._learn(record, signature, event.id, miss.args, miss.kwargs)
            else:
                failure = event.failed
                limited = limited or privates.LIMIT_TEXT in (failure or "")
                if limited and not is_among(record.code, self.codes):
                    self._say_part_runs_eager(record.code.co_name)
        if limited and error is None:
            self._say_if_fallbacks_are_unseen()
            book.add(signature, "eager_fallback")
        elif compiled:
            book.add(signature, "compile", main)
        elif error is not None:
            book.add(signature, "error")
        else:
            book.add(signature, "eager_fallback")
            self._say_ran_eager(failure or "nothing to compile")
        adapter.recorder.flush_calls(book)
        adapter.recorder.compiling_call(book, ordinal, *times, site_of(miss.frame))

    def _learn(
        self,
        record: CompileRecord,
        signature: int | None,
        compilation: int,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        if not is_among(record.code, self.codes):
            self.codes.insert(0, record.code)
            self.adapter.listen(self, record.code)
        self._entries[(record.generation, record.compile_id)] = (signature, compilation)
        live = self._live()
        self._learn_guards(record, live, args, kwargs)
        if len(live) > 1 and str(live[0].compile_id) != record.compile_id and not self.book.overlapped():
            # torch._C._dynamo.eval_frame._set_lru_cache(False): the newest entry would be the first.
            self._ordered = False

    def _learn_guards(
        self, record: CompileRecord, live: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> None:
        """Find out what tells the new entry from the others."""
        if len(live) <= 1:
            self._decisions.clear()
            self._facts.clear()
        entry = next((one for one in live if str(one.compile_id) == record.compile_id), None)
        if entry is None:
            return
        if self._places is None:
            self._places = Places(record.code, bound=self._bound)
        self._add_guards((record.generation, record.compile_id), entry, args, kwargs)

    def _add_guards(self, key: EntryId, entry: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if key not in self._facts and self._decisions.possible:
            self._facts[key] = facts_of(entry)
            self._decisions.add(key, args, kwargs)

    def _differing(self, old: EntryId, new: EntryId, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Question | None:
        return differing(self._places, self._facts[old], self._facts[new]) if self._places is not None else None

    def _fixed(self, key: EntryId, question: Question, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        return fixed(self._facts[key], question)

    def _say_part_runs_eager(self, name: str) -> None:
        self.adapter.recorder.note(
            "partly-eager",
            f"{self.book.event.name}: {name}, a part of it, hit the recompile limit: calls counted as hits may run "
            "that part without compiled code",
            self.book.id,
        )

    def _say_if_fallbacks_are_unseen(self) -> None:
        flag = self.adapter.fallbacks
        if not flag.installed:
            self.adapter.recorder.note(
                "fallbacks-unseen",
                f"{self.book.event.name} hit the recompile limit, and the guard hook that tells later eager calls "
                + ("is in use by something else" if flag.shared else f"is missing in torch {torch.__version__}"),
                self.book.id,
            )

    def _say_ran_eager(self, why: str) -> None:
        self.adapter.recorder.note(
            "ran-eager", f"{self.book.event.name} ran without compiled code: {why}", self.book.id
        )

    def _uses_no_cache(
        self, missed: bool | None, live: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        """Whether a call that nothing announced ran eager all the same."""
        if self.adapter.stance == "force_eager":
            return True
        why = self._given_up()
        if why == "skipped":
            return True
        watchful = self._watchful()
        if watchful and live and self.adapter.fallbacks.installed:
            missed = missed if missed is not None else self._fits_no_entry(args, kwargs)
            if missed and privates.in_dispatch_mode():
                self._skipped_under_a_mode()
            return missed
        if privates.can_list_entries() and not live:
            if watchful:
                return True
            self._say_ran_eager("Dynamo is disabled, or skips the function")
            return True
        return False

    def _fits_no_entry(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
        """The second best evidence, where threads share the flag: no entry was compiled for this signature."""
        self.adapter.recorder.note(
            "fallback-between-threads",
            f"{self.book.event.name}: called by several threads at once after the recompile limit; whether a call ran "
            "eager is told by its signature there",
            self.book.id,
        )
        signature = self._signature(args, kwargs)
        return all(met != signature for met, _ in tuple(self._entries.values()))

    def _hit(self, live: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any], entered: float) -> None:
        book = self.book
        if not live:
            book.add(None, "hit")  # this torch does not list its entries
            return
        entry = (self.adapter.generation, str(live[0].compile_id))
        told = self._told_by_guards(live, args, kwargs) if len(live) > 1 else None
        if told is not None:
            entry = told
        elif len(live) > 1 and (not self._ordered or book.overlapped() or self._others_called(entered)):
            signature, compilation = self._by_signature(args, kwargs)
            book.add(signature, "hit", compilation)
            return
        known = self._entries.get(entry)
        if known is None:
            # Made before watching, or by another wrapper of the same code.
            compilation = self.adapter.compilations.get(entry)
            known = self._entries.setdefault(entry, (self._signature(args, kwargs), compilation))
            if self._places is None:
                code = next(code for code in self.codes if privates.entries(code, self.region))
                self._places = Places(code, bound=self._bound)
            self._add_guards(entry, live[0], args, kwargs)
            if compilation is None:
                self.adapter.recorder.note(
                    "entries-before-watch",
                    f"{book.event.name}: cache entry {entry[1]} was made before jitscope watched; its cost is unknown",
                    book.id,
                )
        book.add(known[0], "hit", known[1])

    def _others_called(self, entered: float) -> bool:
        """Whether others whose entries are in the same list were called since."""
        others = {one for code in self.codes for one in self.adapter.probes_of(code)} - {self}
        return any(one.book.called_since(entered) for one in others)

    def _by_signature(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int | None, int | None]:
        """Which entry served a call, where the order of the entries does not tell."""
        signature = self._signature(args, kwargs)
        # A copy (one C call): another thread may be adding an entry.
        compilations = {made for met, made in tuple(self._entries.values()) if met == signature}
        if len(compilations) == 1:
            return signature, compilations.pop()
        self.adapter.recorder.note(
            "entry-unknown",
            f"{self.book.event.name}: which entry served a call is unknown where its signature fits none or several: "
            + ("several threads call it at once" if self._ordered else "torch's order of use is switched off"),
            self.book.id,
        )
        return signature, None

    def _live(self) -> list[Any]:
        """The entries of the function's own frame, the one that served the last call first."""
        return next((found for code in self.codes if (found := privates.entries(code, self.region))), [])

    def _rest(self) -> None:
        """Go quiet where a silent call can only be a hit of the one entry there is."""
        book = self.book
        if self._given_up() or self.adapter.stance != "default" or not privates.can_list_entries():
            return
        if self.adapter.modes_used and privates.in_dispatch_mode():
            return
        found = self._live()
        if len(found) == 1:
            known = self._entries.get((self.adapter.generation, str(found[0].compile_id)))
            if known is not None:
                book.quiet(*known)
        elif found and not self._go_by_guards(found):
            self._go_by_the_first(found)

    def _go_by_guards(self, live: list[Any]) -> bool:
        """Where guards of the entries exclude each other, what they are about tells which one served a call."""
        unless = privates.modes_in_force
        if unless is None:
            return False  # a mode of the user's might see what is asked
        if not self._guards_tell(live):
            return False
        codes: dict[EntryId, RunKey] = {key: (known[0], "hit", known[1]) for key, known in self._entries.items()}
        book = self.book
        count = self._decisions.counter(codes, book.log, book.log_is_full, self._unknown, unless=unless)
        if count is not None:
            book.several(count)
        return count is not None

    def _guards_tell(self, live: list[Any]) -> bool:
        """Whether all entries there are, are known, and told apart by questions."""
        keys = {(self.adapter.generation, str(entry.compile_id)) for entry in live}
        return len(keys) <= len(self._decisions) and keys <= self._facts.keys() and keys <= self._entries.keys()

    def _told_by_guards(self, live: list[Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> EntryId | None:
        unless = privates.modes_in_force
        if unless is None or unless() or not self._guards_tell(live):
            return None
        told = self._decisions.of(args, kwargs)
        return told if any(told == (self.adapter.generation, str(entry.compile_id)) for entry in live) else None

    def _unknown(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """A silent call that none of the questions fit, or that a torch function mode would see them in."""
        try:
            signature, compilation = self._by_signature(args, kwargs)
            self.book.add(signature, "hit", compilation)
        except Exception as error:
            self.adapter.recorder.internal_error("hit", error, self.book.id)

    def _go_by_the_first(self, live: list[Any]) -> None:
        """With several entries the one that served a call is the first of the list when the call has ended.

        Nothing else is asked then. Where calls of two threads overlap that is not sure, and from the first time on
        every call is settled in full.
        """
        book, list_entries = self.book, privates.list_entries
        if not self._ordered or list_entries is None or not privates.same_region(live):
            return
        code = next(code for code in self.codes if privates.entries(code, self.region))
        generation = self.adapter.generation
        # The entries themselves: while they are referred to, torch hands out the same objects for them.
        keys: dict[Any, RunKey] = {}
        for entry in live:
            known = self._entries.get((generation, str(entry.compile_id)))
            if known is None:
                return
            keys[entry] = (known[0], "hit", known[1])
        marks, calls, log, append = book.marks, book.marks.calls, book.log, book.log.append

        def settle(entered: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            # A mark that another call left before the list was looked at is still there, or that call has ended and
            # said so.
            try:
                key = keys[list_entries(code)[0]]
                if len(calls) == 1 and not marks.overlapping:
                    append(key)
                    calls.pop()
                    if len(log) > LOGGED:
                        book.log_is_full()
                    return
                marks.overlapping = True
            except Exception as error:
                # An entry is gone, say.
                if not isinstance(error, LookupError):
                    self.adapter.recorder.internal_error("hit", error, book.id)
            book.alarm()
            book.settle(entered, args, kwargs)

        book.marked(settle)


def _codes(original: Any, compiled: Callable[..., Any]) -> list[CodeType]:
    """Code objects under which the entries of a compiled callable can be found before its first compile.

    Those of torch's own modules are under the one wrapper that ``torch.compile`` puts around all of them.
    """
    inner = privates.innermost(compiled)
    functions = [inner, type(original).forward] if is_module(original) else [original]
    codes = [getattr(getattr(function, "__func__", function), "__code__", None) for function in functions]
    return [code for code in codes if code is not None]


def is_module(fn: Any) -> bool:
    """Whether ``fn`` is a `torch.nn.Module`."""
    return isinstance(fn, torch.nn.Module)
