"""torch: which calls compiled, which cache entry served the others, and which ran eager without a word.

Evidence: the hook that Dynamo calls at the start of each compile, its bytecode hook, its compile callbacks, its
compilation metrics and guard failures, the list of cache entries, and after the recompile limit its guard hook.
"""

from __future__ import annotations

import sys
import threading
import warnings
import weakref
from time import perf_counter
from types import CodeType, FrameType
from typing import Any

import torch

from jitscope.capture import progress, spans
from jitscope.capture.book import Book
from jitscope.capture.callsite import site_of
from jitscope.capture.frameworks import torch_privates as privates
from jitscope.capture.frameworks.capability import note_text
from jitscope.capture.frameworks.captured import captured_in
from jitscope.capture.frameworks.torch_codes import CodeMap, Sharing
from jitscope.capture.frameworks.torch_disk_cache import TorchDiskCache
from jitscope.capture.frameworks.torch_fallback import FallbackFlag
from jitscope.capture.frameworks.torch_gate import starting, starting_backward
from jitscope.capture.frameworks.torch_guards import failing_guards
from jitscope.capture.frameworks.torch_metrics import (
    CompileRecord,
    MetricsReader,
    backward_phase,
    compilation_event,
    phases_of,
)
from jitscope.capture.frameworks.torch_modes import modes_now, tensor_modes
from jitscope.capture.frameworks.torch_probe import STANCES_THAT_MAY_NOT_COMPILE, EntryId, TorchProbe
from jitscope.capture.frameworks.torch_signature import frame_signature
from jitscope.capture.frameworks.torch_start import time_cuda_start
from jitscope.capture.gates import REFUSALS
from jitscope.capture.pending import Miss, book_of, find, find_outermost, push, watched_frame
from jitscope.capture.recorder import Recorder
from jitscope.capture.region import RegionProbe
from jitscope.errors import RecompileWarning
from jitscope.model.caching import CacheKeyEvent, CacheLookup
from jitscope.model.events import CompilationEvent, PhaseEvent


class TorchAdapter:
    """torch's process-wide part: the hooks."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.generation = 0
        self.stance = "default"
        """That of ``torch.compiler.set_stance``: under ``force_eager`` no call looks at the cache."""
        self.modes_used = False
        """Whether a dispatch mode of the user's was ever entered: a call inside one may run eager."""
        self.by_code: CodeMap[Sharing] = CodeMap()
        self.compilations: dict[EntryId, int] = {}
        """By entry: the id of its compilation event."""
        self._owners: dict[EntryId, int] = {}
        """By entry: the id of its function."""
        self.given_up: CodeMap[tuple[int, str]] = CodeMap()
        """Code that Dynamo compiles no more: since which generation, and why.

        ``limited``: its entries still serve; ``skipped``: it is left alone.
        """
        self.metrics = MetricsReader()
        self.fallbacks = FallbackFlag()
        self._disk = TorchDiskCache(recorder)
        self._codes: dict[tuple[int, str, int, str], list[weakref.ref[CodeType]]] = {}
        self._open: dict[EntryId, CompileRecord] = {}
        self._orphans: list[tuple[CompileRecord, Book | None, int | None]] = []
        self._backward_starts: dict[tuple[int, str], float] = {}
        self._warned_order: set[int] = set()
        self._lock = threading.RLock()
        self._install()

    def _install(self) -> None:
        if privates.register_user_context_hook is not None:
            privates.register_user_context_hook(self._on_compile)
        else:
            self._lacks("torch-no-hook")
        if privates.register_bytecode_hook is not None:
            privates.register_bytecode_hook(self._on_code)
        if privates.set_metrics_limit is not None:
            # torch keeps 64 records; more can come between two looks.
            privates.set_metrics_limit(4096)
        if privates.get_compilation_metrics is None:
            self._lacks("torch-no-metrics")
        if not privates.can_list_entries():
            self._lacks("torch-no-entries")
        if privates.skip_module is not None:
            # After a graph break Dynamo looks at every frame that runs; the wrapper's must stay as it is.
            privates.skip_module("jitscope")
        time_cuda_start()
        privates.on_timed(spans.begin, spans.end)  # without it the metrics tell the phases
        self._register_callbacks()
        if not privates.on_dispatch_mode(self._on_dispatch_mode):
            self._lacks("torch-modes")
        if not privates.on_stance(self._on_stance):
            self._lacks("torch-stance")

    def _lacks(self, slug: str) -> None:
        """Say what can't be seen."""
        self.recorder.note(slug, note_text(privates.CAPABILITIES, slug, f"torch {torch.__version__}"))

    def _on_dispatch_mode(self) -> None:
        self.modes_used = True
        self.fallbacks.install()
        self._alarm_all()

    def _alarm_all(self) -> None:
        for probe in {probe for sharing in self.by_code.values() for probe in tuple(sharing.probes)}:
            probe.book.alarm()

    def _on_stance(self, stance: str) -> None:
        self.stance = stance
        if stance != "default":
            if stance in STANCES_THAT_MAY_NOT_COMPILE:
                self.fallbacks.install()
            self._alarm_all()

    def _register_callbacks(self) -> None:
        handler = privates.callback_handler
        if handler is None:
            self._lacks("torch-no-callbacks")
            return
        handler.register_start_callback(self._on_start)
        handler.register_end_callback(self._on_end)

    def check_reset(self) -> None:
        """``torch.compiler.reset()`` clears the callbacks, and compile ids start anew: notice it by that."""
        handler = privates.callback_handler
        if handler is not None and self._on_end not in handler.end_callbacks:
            with self._lock:
                self.generation += 1
                self._open.clear()
                self.metrics.forget_failures()
                self._disk.forget()
                self._register_callbacks()

    # -- what Recorder asks --------------------------------------------------------------------

    def drain(self) -> None:
        """Write the compiles that no watched call will settle."""
        with self._lock:
            orphans, self._orphans = self._orphans, []
        for record, book, call in orphans:
            self.write(record, book, call=call, signature=None, wall_seconds=None)

    def drain_ended(self) -> None:
        """Write the orphans that have ended: their metrics are there, and may not be for long."""
        if not self._orphans:
            return
        with self._lock:
            ended = [orphan for orphan in self._orphans if self.metrics.find(orphan[0])]
            self._orphans = [orphan for orphan in self._orphans if orphan not in ended]
        for record, book, call in ended:
            self.write(record, book, call=call, signature=None, wall_seconds=None)

    def versions(self) -> dict[str, str]:
        """The version of torch."""
        return {"torch": str(torch.__version__)}

    def devices(self) -> tuple[str, ...]:
        """Names of the CUDA devices, if CUDA is in use."""
        if not torch.cuda.is_available() or not torch.cuda.is_initialized():
            return ()
        names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
        return tuple(f"torch: {name} x{names.count(name)}" for name in dict.fromkeys(names))

    def rank(self) -> tuple[int, int] | None:
        """Of ``torch.distributed``, once it is initialised."""
        distributed = torch.distributed
        if not distributed.is_available() or not distributed.is_initialized():
            return None
        return distributed.get_rank(), distributed.get_world_size()

    def forked(self) -> None:
        """Another thread may have held the lock, and been in a compile that nobody ends here."""
        self._lock = threading.RLock()
        self._open.clear()
        self._orphans.clear()
        self._backward_starts.clear()
        self._disk.forked()

    # -- watching ------------------------------------------------------------------------------

    def watch(self, probe: TorchProbe) -> None:
        """Listen for a function's compiles."""
        for code in probe.codes:
            self.listen(probe, code)

    def listen(self, probe: TorchProbe, code: CodeType) -> None:
        """Entries of ``probe`` are at ``code``."""
        sharing = self.by_code.get(code)
        if sharing is None:
            sharing = Sharing()
            self.by_code.set(code, sharing)
        sharing.probes.append(probe)
        probe.book.alarm()
        probe.book.share(sharing.marks)

    def probes_of(self, code: CodeType) -> tuple[TorchProbe, ...]:
        """Those whose entries are at ``code``."""
        sharing = self.by_code.get(code)
        return tuple(sharing.probes) if sharing is not None else ()

    def forget(self, probe: TorchProbe) -> None:
        """The watched function is gone: stop listening for it."""
        for code in probe.codes:
            sharing = self.by_code.get(code)
            if sharing is not None and probe in sharing.probes:
                sharing.probes.remove(probe)
                if not sharing.probes:
                    self.by_code.remove(code)

    # -- hooks -----------------------------------------------------------------------------------

    def _on_compile(self) -> str:
        """A compile of a frame starts in this thread. What this raised would reach the user."""
        try:
            self.check_reset()
            self._disk.listen()
            self.drain_ended()
            found = privates.compiling_frame(sys._getframe(1))
            if found is not None:
                self._started(*found)
        except REFUSALS:
            raise
        except Exception as error:
            self.recorder.internal_error("torch compile hook", error)
        return ""

    def _started(self, frame: FrameType, code: CodeType, compile_id: str) -> None:
        record = CompileRecord(
            compile_id=compile_id,
            generation=self.generation,
            code=code,
            start=perf_counter(),
            site=site_of(frame),
        )
        seen = privates.dynamo_frame(frame)
        if seen is not None:
            record.captured = captured_in(code, seen.f_locals, seen.f_globals)
        # Whatever was thought of it, Dynamo compiles it.
        self.given_up.remove(code)
        with self._lock:
            self._open[(self.generation, compile_id)] = record
            # Dynamo has just added why it rejects the older entries; what is there later can be another compile's.
            record.evidence = self.metrics.fresh_failures(code)
            record.maker = self._maker(code)
        compiled = privates.compiled_function(frame)
        if getattr(compiled, "__jitscope_region__", False):
            self._warn_order(compiled)
        outer = watched_frame(frame)
        book = book_of(outer) if outer is not None else None
        for probe in self.probes_of(code):
            if probe.book is not book:
                probe.book.alarm()  # its cache gets an entry that it did not cause
        if outer is None or book is None:
            self._ask_gates(frame, record, None, None)
            progress.started("torch", code.co_name, find_outermost())
            with self._lock:
                self._orphans.append((record, None, None))
            return
        miss = find(outer)
        if miss is None:
            miss = Miss(book, outer, outer.f_locals.get("args", ()), outer.f_locals.get("kwargs", {}))
            # Dynamo was at it before it called the hook.
            miss.start = min(miss.start, spans.opened())
            push(miss)
        record.site = site_of(outer)
        record.modes = self._modes(book, miss)
        self._ask_guards(record, frame, book)
        around = watched_frame(outer.f_back)
        inside = book_of(around) if around is not None else None
        if inside is not None:
            record.inside, record.inside_call = inside.id, inside.next_ordinal()
        if isinstance(book.probe, RegionProbe):
            record.signature = frame_signature(privates.dynamo_frame(frame), code)
        elif miss.key is None and isinstance(book.probe, TorchProbe):
            miss.key = book.probe.read(miss.args, miss.kwargs)
        self._ask_gates(frame, record, book, miss)
        miss.compiled = True
        progress.started("torch", code.co_name, find_outermost() or miss)
        if isinstance(book.probe, RegionProbe):
            with self._lock:
                self._orphans.append((record, book, book.next_ordinal()))
        else:
            miss.details.append(record)

    def _ask_gates(self, frame: FrameType, record: CompileRecord, book: Book | None, miss: Miss | None) -> None:
        """Ask whether this compile may go on. Dynamo has not looked at the frame's code yet, and can try it again."""
        if not self.recorder.gates.open or privates.limit_reached(frame):
            return  # nothing would be compiled
        try:
            self.recorder.gates.ask(starting(self.recorder, record, book, miss))
        except REFUSALS as refusal:
            if privates.swallows_errors():
                # Dynamo would not let it through, and leave the frame alone for good.
                if miss is not None:
                    miss.refused = refusal
                else:
                    where = (record.site.file, record.site.line) if record.site is not None else ("<unknown>", 1)
                    text = f"{refusal}\n  not stopped: torch._dynamo.config.suppress_errors is set"
                    warnings.warn_explicit(RecompileWarning(text), RecompileWarning, *where)
                return
            with self._lock:
                self._open.pop((record.generation, record.compile_id), None)
            raise
        except Exception as error:
            self.recorder.internal_error("gate", error)

    def _maker(self, code: CodeType) -> tuple[str, int, int]:
        """File, line, and a number that tells code objects of the same name and place apart."""
        place = (self.generation, code.co_filename, code.co_firstlineno, code.co_name)
        known = self._codes.setdefault(place, [])
        known[:] = [one for one in known if one() is not None]
        number = next((n for n, one in enumerate(known) if one() is code), None)
        if number is None:
            number = len(known)
            known.append(weakref.ref(code))
        return code.co_filename, code.co_firstlineno, number

    def _modes(self, book: Book, miss: Miss) -> dict[str, str]:
        """What is in force that the arguments don't show. An error in here must not hide the compile."""
        try:
            module = book.probe.module() if isinstance(book.probe, TorchProbe) else None
            return modes_now(module) | tensor_modes(book.probe, miss.args, miss.kwargs)
        except Exception as error:
            self.recorder.internal_error("torch modes", error, book.id)
            return {}

    def _ask_guards(self, record: CompileRecord, frame: FrameType, book: Book) -> None:
        """Find the guards of older entries that this call does not pass. An error in here must not hide the compile."""
        seen = privates.dynamo_frame(frame)
        if seen is None:
            return
        try:
            record.guards, record.guards_asked = failing_guards(seen, record.code, getattr(book.probe, "region", None))
        except Exception as error:
            self.recorder.internal_error("torch guards", error, book.id)

    def _warn_order(self, region: Any) -> None:
        if id(region) not in self._warned_order:
            self._warned_order.add(id(region))
            warnings.warn(
                f"jitscope.watch is below torch.compile on {region.__qualname__}: it sees no calls there. "
                "Put @jitscope.watch above @torch.compile",
                UserWarning,
                stacklevel=2,
            )

    def _on_code(self, code: CodeType, new_code: CodeType) -> None:
        """Dynamo has made code for a frame. An exception here would reach the user."""
        try:
            compile_id = privates.current_compile_id()
            record = self._open.get((self.generation, compile_id)) if compile_id is not None else None
            if record is not None:
                record.made_code = True
            for other in set(privates.inlined_code(sys._getframe(1))) - {code}:
                for probe in self.probes_of(other):
                    if not probe.shares_code:
                        probe.book.add(None, "nested")
        except Exception as error:
            self.recorder.internal_error("torch bytecode hook", error)

    def _on_start(self, *details: Any) -> None:
        try:
            if details and "BACKWARD" in str(details[0].callback_trigger):
                compile_id = str(details[0].compile_id)
                if self.recorder.gates.open:
                    self._ask_gates_backward(compile_id)
                progress.started("torch", f"backward graph {compile_id}", None)
                self._backward_starts[(threading.get_ident(), compile_id)] = perf_counter()
        except REFUSALS:
            raise
        except Exception as error:
            self.recorder.internal_error("torch start callback", error)

    def _ask_gates_backward(self, compile_id: str) -> None:
        """The backward graph of a forward compiled before is compiled when it is first needed, and then each time."""
        book = self.recorder.books.get(self._owners.get((self.generation, compile_id), 0))
        self.recorder.gates.ask(starting_backward(self.recorder, compile_id, book, site_of(sys._getframe(2))))

    def _on_end(self, *details: Any) -> None:
        try:
            progress.stopped("torch")
            if not details or "BACKWARD" not in str(details[0].callback_trigger):
                return
            compile_id = str(details[0].compile_id)
            start = self._backward_starts.pop((threading.get_ident(), compile_id), None)
            if start is None:
                return
            self.drain()
            compilation = self.compilations.get((self.generation, compile_id))
            if compilation is None:
                self.recorder.note("torch-backward", f"the backward graph of compile {compile_id} has no known forward")
                return
            caches, keys = self._disk.take(compile_id)
            self.recorder.phase(PhaseEvent(compilation, backward_phase(start), caches), keys)
        except Exception as error:
            self.recorder.internal_error("torch end callback", error)

    # -- writing ---------------------------------------------------------------------------------

    def write(
        self,
        record: CompileRecord,
        book: Book | None,
        *,
        call: int | None,
        signature: int | None,
        wall_seconds: float | None,
        raised: bool = False,
    ) -> CompilationEvent:
        """Write one compile; its metrics are there once it ended. ``raised``: Dynamo's own error reached the user."""
        if signature is None and book is not None and record.signature is not None:
            signature = book.signature_like(record.signature).id
        found = self.metrics.find(record)
        caches, keys = self._looked_up(record, found)
        event = compilation_event(
            self.recorder.new_id(),
            record,
            found,
            function=book.id if book is not None else None,
            call=call,
            signature=signature,
            wall_seconds=wall_seconds,
            caches=caches,
        )
        with self._lock:
            self._open.pop((record.generation, record.compile_id), None)
            self.compilations[(record.generation, record.compile_id)] = event.id
            if book is not None:
                self._owners[(record.generation, record.compile_id)] = book.id
        if event.failed is not None and not raised:
            self._give_up(record, event.failed)
        self.recorder.compilation(event, book, keys)
        return event

    def _looked_up(
        self, record: CompileRecord, found: tuple[Any, ...]
    ) -> tuple[tuple[CacheLookup, ...], tuple[CacheKeyEvent, ...]]:
        """What caches on disk did for a compile, and what that refers to."""
        try:
            ran = [phase.name for phase in phases_of(record, found)]
            return self._disk.take(record.compile_id, ran, found[0] if found else None, record.captured)
        except Exception as error:
            self.recorder.internal_error("torch caches", error)
            return (), ()

    def _give_up(self, record: CompileRecord, failed: str) -> None:
        """Dynamo marks code that it could not compile: to use what there is at the limit, else to be left alone."""
        limited = privates.LIMIT_TEXT in failed
        if limited:
            self.fallbacks.install()
        self.given_up.set(record.code, (record.generation, "limited" if limited else "skipped"))
        for probe in self.probes_of(record.code):
            probe.book.alarm()
