"""What became of the calls of one compiled function or module."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import perf_counter
from types import CodeType
from typing import TYPE_CHECKING, Any

import torch

from jitscope.capture.book import Book
from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.frameworks.torch_metrics import CompileRecord
from jitscope.capture.frameworks.torch_signature import TorchSignatureReader
from jitscope.capture.pending import Miss, collect

if TYPE_CHECKING:
    from jitscope.capture.frameworks.torch_adapter import TorchAdapter

EntryId = tuple[int, str]
"""Generation (how many resets before) and compile id."""


class TorchProbe:
    """Finds out what became of the calls of one compiled function or module."""

    def __init__(self, adapter: TorchAdapter, book: Book, original: Any, compiled: Callable[..., Any]) -> None:
        self.adapter = adapter
        self.book = book
        self.reader = TorchSignatureReader(original.forward if is_module(original) else original)
        self.codes: list[CodeType] = _codes(original, compiled)
        self.shares_code = is_module(original)
        """The code may serve other modules too: their entries are in the same list."""
        self.limited = False
        """The recompile limit was hit: from now on a miss runs eager without a word."""
        self._entries: dict[EntryId, tuple[int | None, int | None]] = {}
        """By entry: the signature it was first met with, and its compilation."""

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The signature of a call, which is its own key."""
        return self.reader.read(args, kwargs)

    def enter(self) -> None:
        """After the limit: clear the flag that a silent miss sets."""
        if self.limited or self.adapter.stance == "eager_on_recompile":
            self.adapter.fallbacks.clear()

    def settle(
        self, entered: float, args: tuple[Any, ...], kwargs: dict[str, Any], error: BaseException | None
    ) -> None:
        """Enter the call in the book."""
        miss = collect(sys._getframe(2))
        if miss is not None and miss.details:
            self._announced(miss, error)
        elif error is not None:
            self.book.add(None, "error")
        else:
            self._silent(args, kwargs)
        self._rest()

    def _announced(self, miss: Miss, error: BaseException | None) -> None:
        book, adapter = self.book, self.adapter
        adapter.check_reset()
        read = miss.key
        signature = book.signature(read, lambda: read)
        ordinal = book.next_ordinal()
        wall = perf_counter() - miss.start
        compiled = limited = False
        main: int | None = None
        failure: str | None = None
        for record in miss.details:
            event = adapter.write(record, book, call=ordinal, signature=signature.id, wall_seconds=wall)
            if event.compiled:
                compiled = True
                if event.resume_of is None and main is None:
                    main = event.id
                    self._learn(record, signature.id, event.id)
            else:
                failure = event.failed
                limited = limited or privates.LIMIT_TEXT in (failure or "")
        if limited and error is None:
            self._hit_limit()
            book.add(signature.id, "eager_fallback")
        elif compiled:
            book.add(signature.id, "compile", main)
        elif error is not None:
            book.add(signature.id, "error")
        else:
            book.add(signature.id, "eager_fallback")
            adapter.recorder.note(
                "ran-eager",
                f"{book.event.name}: Dynamo made no code for it ({failure or 'nothing to compile'})",
                book.id,
            )
        adapter.recorder.flush_calls(book)

    def _learn(self, record: CompileRecord, signature: int, compilation: int) -> None:
        if record.code not in self.codes:
            self.codes.insert(0, record.code)
            self.adapter.by_code.setdefault(record.code, []).append(self)
        elif self.codes[0] is not record.code:
            self.codes.remove(record.code)
            self.codes.insert(0, record.code)
        self._entries[(record.generation, record.compile_id)] = (signature, compilation)

    def _hit_limit(self) -> None:
        self.limited = True
        flag = self.adapter.fallbacks
        flag.install()
        if not flag.installed:
            self.adapter.recorder.note(
                "fallbacks-unseen",
                f"{self.book.event.name} hit the recompile limit, and the guard hook that tells later eager calls "
                + ("is in use by something else" if flag.shared else f"is missing in torch {torch.__version__}"),
                self.book.id,
            )

    def _silent(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        book = self.book
        stance = self.adapter.stance
        watchful = self.limited or stance == "eager_on_recompile"
        if stance == "force_eager" or (watchful and self.adapter.fallbacks.missed()):
            read = self.read(args, kwargs)
            book.add(book.signature(read, lambda: read).id, "eager_fallback")
            return
        head = self._head()
        if head is None:
            if privates.can_list_entries():
                read = self.read(args, kwargs)
                book.add(book.signature(read, lambda: read).id, "eager_fallback")
                self.adapter.recorder.note(
                    "ran-eager",
                    f"{book.event.name} ran without any compiled code: Dynamo is disabled, or skips the function",
                    book.id,
                )
            else:
                book.add(None, "hit")
            return
        entry = (self.adapter.generation, head)
        known = self._entries.get(entry)
        if known is None:
            # Made before watching, or by another wrapper of the same code.
            compilation = self.adapter.compilations.get(entry)
            read = self.read(args, kwargs)
            known = self._entries[entry] = (book.signature(read, lambda: read).id, compilation)
            if compilation is None:
                self.adapter.recorder.note(
                    "entries-before-watch",
                    f"{book.event.name}: cache entry {head} was made before jitscope watched; its cost is unknown",
                    book.id,
                )
        if len(self._entries) > 1 and book.overlapped():
            known = self._by_signature(args, kwargs)
        book.add(known[0], "hit", known[1])

    def _by_signature(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int, int | None]:
        """Which entry served a call while other threads use the cache: its order tells nothing then."""
        read = self.read(args, kwargs)
        signature = self.book.signature(read, lambda: read).id
        compilations = {made for met, made in self._entries.values() if met == signature}
        if len(compilations) == 1:
            return signature, compilations.pop()
        self.adapter.recorder.note(
            "entry-unknown-between-threads",
            f"{self.book.event.name}: called by several threads at once with several cache entries; which entry served "
            "a call is unknown where its signature fits none or several of them",
            self.book.id,
        )
        return signature, None

    def _live(self) -> list[Any]:
        """The entries of the function's own frame, the one that served the last call first."""
        return next((found for code in self.codes if (found := privates.entries(code))), [])

    def _head(self) -> str | None:
        """Compile id of the entry that served the last call: the list is kept in order of use."""
        live = self._live()
        return str(live[0].compile_id) if live else None

    def _rest(self) -> None:
        """Go quiet where a silent call can only be a hit of the one entry there is."""
        book = self.book
        if self.limited or self.adapter.stance != "default" or not privates.can_list_entries():
            return
        found = self._live()
        if len(found) != 1:
            return
        known = self._entries.get((self.adapter.generation, str(found[0].compile_id)))
        if known is not None:
            book.quiet(*known)


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
