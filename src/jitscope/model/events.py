"""The events of a recording: one JSON object a line, the header first (schema 1).

Schema history:
  1: first version.

Times are seconds as float. ``start`` of a compilation or phase counts from the run's start on the
monotonic clock; only `Header.started` is wall-clock time.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from jitscope.model.caching import CacheKeyEvent, CacheLookup
from jitscope.model.signature import Signature

SCHEMA = 1

Framework = Literal["jax", "torch", "python"]
"""``python``: a plain function watched as a region."""

Outcome = Literal[
    "hit",
    "dispatch_miss",
    "compile",
    "eager_fallback",
    "python_path",
    "nested",
    "waited",
    "error",
]
"""What the framework did with a call; see docs/design.md."""

Under = Literal["vmap", "grad", "backward", "aot", "transform"]
"""Where a compilation happened other than in a direct call: inside a transformation, or ahead of time."""

CacheSource = Literal["hit", "miss", "off", "unknown"]
"""Whether a compilation came from the persistent cache on disk."""


class ProcessInfo(msgspec.Struct, frozen=True):
    """One of the processes whose recordings a combined recording was made from."""

    run: str
    """Its own run id."""
    host: str
    pid: int
    started: str
    """UTC, ISO 8601, by its host's clock."""
    offset_seconds: float
    """Its start, on the combined recording's clock."""
    clock: Literal["monotonic", "started"]
    """What its start was placed by: its host's monotonic clock, or the wall clock."""
    wall_seconds: float | None
    """None where it is not known; a lower bound where it did not end."""
    ended: bool
    """Its recording was closed."""
    rank: int | None = None
    process: str | None = None
    """As in its header: ``SpawnProcess-1``."""
    parent: int | None = None
    """Process id of the process that started it."""
    versions: dict[str, str] = {}
    devices: tuple[str, ...] = ()
    torn: bool = False
    """Its recording's last line was cut off."""
    skipped: int = 0
    """Events of a kind that the jitscope which combined did not know."""

    @property
    def label(self) -> str:
        """What people call it: ``rank 3``, ``SpawnProcess-1``, ``pid 4242``."""
        if self.rank is not None:
            return f"rank {self.rank}"
        return self.process or f"pid {self.pid}"


class Header(msgspec.Struct, frozen=True, tag="header", tag_field="event"):
    """First line of a recording: who ran what, where, when."""

    schema: int
    jitscope: str
    run: str
    """Run id: ``YYYYMMDD-HHMMSS-<pid>``, with ``-r<rank>`` in a distributed run."""
    argv: tuple[str, ...]
    cwd: str
    started: str
    """UTC, ISO 8601."""
    monotonic: float
    """Monotonic clock at the start, in seconds: joins the clocks of processes on one host."""
    host: str
    pid: int
    rank: int | None = None
    world_size: int | None = None
    versions: dict[str, str] = {}
    """``python``, and ``jax``/``jaxlib``/``torch`` where they were loaded when recording started."""
    devices: tuple[str, ...] = ()
    program: str | None = None
    """Run id of the first process of the program: what ties its processes' recordings together.

    None where the process neither followed its children nor was a child that was followed.
    """
    parent: int | None = None
    """Process id of the followed process that started this one; None in the first one."""
    process: str | None = None
    """What started it calls it: ``SpawnProcess-1``; None where it has no such name."""
    processes: tuple[ProcessInfo, ...] = ()
    """In a combined recording: the processes whose recordings it holds. Other events refer to them by position."""


class Site(msgspec.Struct, frozen=True):
    """A place in the user's code."""

    file: str
    line: int
    function: str

    @property
    def text(self) -> str:
        """``train.py:88`` — the file's name without its folders."""
        return f"{self.file.replace(chr(92), '/').rsplit('/', 1)[-1]}:{self.line}"


class FunctionEvent(msgspec.Struct, frozen=True, tag="function", tag_field="event", omit_defaults=True):
    """A watched callable, written before anything refers to it."""

    id: int
    framework: Framework
    name: str
    """Qualified name."""
    file: str = ""
    line: int = 0
    kind: str = "function"
    """``function``, ``module`` or ``region``."""
    options: dict[str, str] = {}
    """Compile options that are not the default: ``{"static_argnames": "causal"}``."""
    column: int = 0
    """Of the body's start, which tells two lambdas on one line apart; 0 where it is not known."""
    defaults: tuple[str, ...] | None = None
    """Parameters that have a default; None where that is not known."""
    parameters: tuple[str, ...] | None = None
    """All parameters in order, without a leading ``self``, ``*args`` or ``**kwargs``; None where not known."""
    maker: str | None = None
    """The function in whose body it is defined: ``make_step``; None at module level."""
    body: int = 0
    """JAX: a number of its own for each function object that was compiled; 0 where that is not known."""
    process: int | None = None
    """In a combined recording: position of its process in `Header.processes`."""

    @property
    def source(self) -> tuple[object, ...]:
        """What functions made from the same source, in one process, have in common: caches belong to processes.

        Without a file there is no telling whether two functions share a source: each is its own.
        """
        own = None if self.file else self.id
        return (self.framework, self.file, self.line, self.column, self.name, own, self.process)


class SignatureEvent(msgspec.Struct, frozen=True, tag="signature", tag_field="event"):
    """An abstract signature met by a function, written before anything refers to it."""

    id: int
    function: int
    signature: Signature


class Phase(msgspec.Struct, frozen=True):
    """One phase of a compilation.

    JAX: ``trace``, ``lower``, ``compile``, ``cache_read``, ``cache_write``. torch: ``dynamo``,
    ``aot_autograd``, ``inductor``, ``codegen`` (kernels compiled), ``autotune``, ``backward``.
    """

    name: str
    start: float
    seconds: float
    """Own time: nested phases and nested compilations are subtracted."""


class ContextEvent(msgspec.Struct, frozen=True, tag="context", tag_field="event"):
    """Settings beside the arguments that a framework's cache key or guards see, written when first met."""

    id: int
    settings: dict[str, str]
    """By name: ``{"jax_enable_x64": "False", "mesh": "(x:4)"}``; a setting that is missing has no value."""


class GuardFailure(msgspec.Struct, frozen=True, omit_defaults=True):
    """torch: a guard of an older cache entry that this call does not pass, found by asking each guard."""

    entry: str
    """The entry's compile id."""
    text: str
    """The guard as torch writes it."""
    source: str | None = None
    """What it looks at, as torch writes it: ``L['self'].step``."""
    value: str | None = None
    """What is there now, in the field's notation; None where that could not be read, or nothing is there."""
    type: str | None = None
    """The type of what is there: ``int``."""
    name: str | None = None
    """The variable behind a closure's cell or a default, where `source` only counts them."""
    origin: str | None = None
    """``argument``, ``captured`` (a global, a closure's variable, a default) or ``module`` (an attribute of one)."""


class CompilationEvent(msgspec.Struct, frozen=True, tag="compilation", tag_field="event", omit_defaults=True):
    """One run of the compiler."""

    id: int
    function: int | None = None
    """Owner, or None: an eager operation's or an unwatched function's program."""
    program: str = ""
    """The framework's name of what was compiled: ``jit(attention)``, ``torch_dynamo_resume_in_f_at_23``."""
    library: bool = False
    """The program belongs to a framework (an eager operation), not to an unwatched function."""
    framework: Framework = "jax"
    call: int | None = None
    """Ordinal of the call that caused it, from 1; None where no counted call did."""
    signature: int | None = None
    site: Site | None = None
    start: float = 0.0
    wall_seconds: float | None = None
    """Duration of the whole call that caused it."""
    phases: tuple[Phase, ...] = ()
    layers: tuple[str, ...] = ()
    """Layers that ran, in order: ``("trace", "lower", "compile")``. Without the last one nothing was compiled."""
    persistent_cache: CacheSource = "unknown"
    under: Under | None = None
    framework_id: str | None = None
    """torch: the compile id, ``0/1``."""
    generation: int = 0
    """torch: how many times ``torch.compiler.reset()`` had been called; compile ids restart there."""
    resume_of: str | None = None
    """torch: this is the resume function after a graph break in that function."""
    failed: str | None = None
    """Why no code came out of it (the recompile limit, an error), or None."""
    evidence: tuple[str, ...] = ()
    """The framework's own words: torch's guard failures, one per older cache entry."""
    rejected: tuple[str, ...] = ()
    """Ids of the older entries that `evidence` speaks of, where known."""
    inside: int | None = None
    """Function whose trace or call this ran inside of, where it is not the owner."""
    inside_call: int | None = None
    """Ordinal of that call, from 1 (its nested calls are not counted)."""
    context: int | None = None
    """The settings under which it was compiled: id of a `ContextEvent`."""
    guards: tuple[GuardFailure, ...] = ()
    """torch: every guard that fails, entry by entry; `evidence` is what torch itself says (the first one)."""
    guards_asked: bool = False
    """torch: the guards of all live entries were asked: `guards` is complete."""
    cleared: bool = False
    """The framework's cache of this function was emptied since its compilation before this one."""
    maker: tuple[str, int, int] | None = None
    """File and line of the compiled function, and a number that tells apart what shares them.

    JAX, in a region: a number of its own for each function object. torch: for each code object of one name and place
    (decorators, resume functions), in the order of their first compiles since a reset.
    """
    modes: tuple[tuple[str, str], ...] = ()
    """torch: what was in force and no argument shows, as names and values: ``grad_mode``, ``inference_mode``,
    ``autocast(cpu)``, ``default_dtype``, ``function_modes``, ``training`` of a compiled module, ``mark_dynamic x``,
    ``same k`` where the tensor was that of another argument,
    ``transformation`` inside of `torch.func`'s.
    What is off, or as it is by default, is left out, but for ``grad_mode``. Empty where it was not recorded."""
    process: int | None = None
    """In a combined recording: position of its process in `Header.processes`."""
    thread: str | None = None
    """Name of the thread that compiled, where it was not the main one."""
    caches: tuple[CacheLookup, ...] = ()
    """What each cache on disk did for it, in order; empty: not known."""

    @property
    def compiled(self) -> bool:
        """Whether the compiler proper ran: what the framework counts as a compilation."""
        return self.failed is None and bool(self.layers) and self.layers[-1] == "compile"

    @property
    def seconds(self) -> float:
        """Sum of the phases' own times."""
        total = 0.0
        for phase in self.phases:  # a report of a long run asks a million times: a generator costs twice as much
            total += phase.seconds
        return total


class PhaseEvent(msgspec.Struct, frozen=True, tag="phase", tag_field="event"):
    """A phase that came after its compilation was written: a backward graph compiled lazily."""

    compilation: int
    phase: Phase
    caches: tuple[CacheLookup, ...] = ()
    """What caches on disk did for it."""


class Run(msgspec.Struct, frozen=True, array_like=True):
    """Consecutive calls with the same fate."""

    signature: int | None
    """None where it was not read (a nested call, an early error)."""
    outcome: Outcome
    count: int
    compilation: int | None = None
    """torch: the cache entry that served the calls, by the compilation that made it."""


class CallsEvent(msgspec.Struct, frozen=True, tag="calls", tag_field="event"):
    """The next part of a function's call history, run-length coded."""

    function: int
    runs: tuple[Run, ...]


class RepeatEvent(msgspec.Struct, frozen=True, tag="repeat", tag_field="event"):
    """The next part of a function's call history: the same runs again and again.

    A kind of its own, so that a reader which does not know it says that it left something out, and never counts the
    runs once.
    """

    function: int
    runs: tuple[Run, ...]
    """One turn."""
    times: int


class AddedUpEvent(msgspec.Struct, frozen=True, tag="added_up", tag_field="event", omit_defaults=True):
    """Compilations of one program that were not kept one by one."""

    function: int | None = None
    program: str = ""
    library: bool = False
    framework: Framework = "jax"
    under: Under | None = None
    maker: tuple[str, int, int] | None = None
    compilations: int = 0
    """Those that ended in code."""
    first_seconds: float = 0.0
    """What the first of these took."""
    phases: dict[str, float] = {}
    """Seconds by phase, of those that ended in code and of the others."""
    other_phases: dict[str, float] = {}
    """Seconds by phase, of those that did not end in code: they are part of `phases`."""


class CacheEvent(msgspec.Struct, frozen=True, tag="cache", tag_field="event", omit_defaults=True):
    """What a persistent cache did."""

    name: str
    """``jax``, ``inductor``, ``aot_autograd``."""
    hits: int = 0
    misses: int = 0
    seconds: float = 0.0


class NoteEvent(msgspec.Struct, frozen=True, tag="note", tag_field="event", omit_defaults=True):
    """What jitscope could not see or had to leave out."""

    slug: str
    text: str
    function: int | None = None
    process: int | None = None
    """In a combined recording: position of its process in `Header.processes`."""


class SourceEvent(msgspec.Struct, frozen=True, tag="source", tag_field="event"):
    """Lines of source around a call site; written only where it was asked for, by ``--with-source``."""

    file: str
    line: int
    """That of the call."""
    first: int
    """Number of the first of `lines`."""
    lines: tuple[str, ...]
    """Each cut at `TEXT_LIMIT` characters."""


class LabelEvent(msgspec.Struct, frozen=True, tag="label", tag_field="event", omit_defaults=True):
    """What happens from here on, in the order of the file, belongs to this: a test, a cell of a notebook."""

    text: str | None = None
    """None: to nothing in particular."""


class Span(msgspec.Struct, frozen=True, array_like=True):
    """A stretch of time in one thread. Those that lie inside of it, of the same call, are nested in it."""

    name: str
    """JAX: ``trace``, ``lower``, ``compile``, ``cache_read``; torch: what Dynamo itself calls it (``dynamo_timed``).

    Both: ``import torch._dynamo``, ``start jax cpu``, ``start cuda``.
    """
    start: float
    seconds: float
    """From its start to its end."""
    program: str = ""
    """JAX: the program that was traced, lowered or compiled."""


class CompilingCallEvent(msgspec.Struct, frozen=True, tag="compiling_call", tag_field="event", omit_defaults=True):
    """Where the time of a call went that compiled, written after its compilations; one of a function's first ones."""

    function: int
    call: int
    """Its ordinal, from 1."""
    start: float
    """Of the call; of a later call of a region, and of one of torch that was no first one: of its first compile."""
    seconds: float
    """Until it returned. JAX and CUDA run asynchronously: the result may not have been there yet."""
    spans: tuple[Span, ...] = ()
    """What was measured in it, in the calling thread, in the order of their ends."""
    left_out: int = 0
    """Spans that were not kept, the shortest of very many."""
    site: Site | None = None


class StartEvent(msgspec.Struct, frozen=True, tag="start", tag_field="event", omit_defaults=True):
    """A part of the program's start; ``start`` is below 0 where it began before the recording."""

    name: str
    """``python`` (until the recording began), ``import jax``, ``start jax cpu``, ``start cuda``."""
    start: float
    seconds: float
    process: int | None = None
    """In a combined recording: position of its process in `Header.processes`."""


class MeasuredEvent(msgspec.Struct, frozen=True, tag="measured", tag_field="event", omit_defaults=True):
    """What `jitscope.first_call` measured of a function. Each call was waited for until its result was there."""

    function: int
    call: int
    """Ordinal of the first of its calls."""
    first: float
    """Of the first call, until its result was there, in seconds."""
    second: float
    steady: tuple[float, ...] = ()
    """Of the calls after the second one, in order."""
    eager: tuple[float, ...] = ()
    """Of calls of the same function without the compiler, in order, the first one included."""
    eager_is: str = ""
    """How those ran, in words; or why there are none."""
    start: float = 0.0
    """Of all of it: what is compiled by itself from here on was for measuring, copies of arguments and eager calls."""
    seconds: float = 0.0
    """Until all of it was done; 0 in recordings of older versions, which don't say."""


class EndEvent(msgspec.Struct, frozen=True, tag="end", tag_field="event", omit_defaults=True):
    """Last line of a recording that was closed."""

    wall_seconds: float
    versions: dict[str, str] = {}
    """As in the header, for frameworks imported after it was written."""
    devices: tuple[str, ...] = ()
    rank: int | None = None
    """As in the header, where it was not known yet: ``jax.distributed`` and ``torch.distributed`` say it later."""
    world_size: int | None = None


Event = (
    FunctionEvent
    | SignatureEvent
    | ContextEvent
    | CompilationEvent
    | PhaseEvent
    | CallsEvent
    | RepeatEvent
    | AddedUpEvent
    | CacheEvent
    | CacheKeyEvent
    | NoteEvent
    | SourceEvent
    | LabelEvent
    | CompilingCallEvent
    | StartEvent
    | MeasuredEvent
    | EndEvent
)
