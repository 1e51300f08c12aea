"""The report: what analysis makes of a recording. Its JSON form is docs/report.schema.json (schema 1).

All times are in seconds.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from jitscope.model.caching import CacheResult
from jitscope.model.cause import Cause, CauseKind
from jitscope.model.events import CacheSource, Framework, Outcome, ProcessInfo, Site
from jitscope.model.first_call import FirstCall, StartUp
from jitscope.model.note import Note as Note  # noqa: PLC0414 (its home for the readers of reports)

State = Literal["idle", "monomorphic", "polymorphic", "megamorphic", "thrashing"]
"""How many signatures a function compiled for: one, 2–4, 5 or more; ``thrashing``: one that it had compiled before."""


class RunInfo(msgspec.Struct, frozen=True):
    """Where and when the recording was made."""

    id: str
    argv: tuple[str, ...]
    started: str
    wall_seconds: float | None
    rank: int | None
    world_size: int | None
    versions: dict[str, str]
    devices: tuple[str, ...]
    processes: tuple[ProcessInfo, ...] = ()
    """Of a combined recording: those that it was made from."""


class Totals(msgspec.Struct, frozen=True, omit_defaults=False):
    """Sums over all functions."""

    calls: int = 0
    hits: int = 0
    dispatch_misses: int = 0
    eager_fallbacks: int = 0
    compiling_calls: int = 0
    python_path_calls: int = 0
    waited_calls: int = 0
    failed_calls: int = 0
    """Calls that raised before anything was compiled."""
    nested_calls: int = 0
    """Calls with tracers inside another trace; not part of `calls`."""
    compilations: int = 0
    recompilations: int = 0
    avoidable_recompilations: int = 0
    compile_seconds: float = 0.0
    recompile_seconds: float = 0.0
    eager_op_compilations: int = 0
    eager_op_compile_seconds: float = 0.0


class SignatureReport(msgspec.Struct, frozen=True):
    """One signature of a function."""

    id: int
    text: str
    calls: int
    hits: int
    first_call: int | None
    """Ordinal of the first call with it, from 1."""


class FamilyReport(msgspec.Struct, frozen=True):
    """Signatures that differ only in some axes: ``x: f32[$,128]``."""

    text: str
    signatures: int
    compile_seconds: float


class HistoryRun(msgspec.Struct, frozen=True):
    """Consecutive calls with the same fate."""

    signature: int | None
    outcome: Outcome
    count: int
    compilation: int | None = None


class CacheOutcome(msgspec.Struct, frozen=True):
    """What one cache on disk did for a compilation."""

    cache: str
    """``jax``, ``fx_graph``, ``aot_autograd``, ``triton``."""
    result: CacheResult
    why: str | None
    """In words; None for a plain hit."""
    reason: str | None
    """The same as a stable word: ``no_entry``, ``disabled``, ``not_cacheable``."""
    key: str | None
    backward: bool
    """torch: it was asked for the graph of the backward pass."""
    remote: bool
    read_seconds: float | None
    """Spent looking and reading; it is part of the compilation's seconds. AOTAutograd's contains Inductor's."""
    write_seconds: float | None
    written: bool | None
    """Of a miss: whether an entry was written; None: not known, or not yet."""
    unwritten: str | None
    """Why none was, as a stable word: ``too_quick``, ``host_callbacks``, ``failed``."""
    compile_seconds: float | None
    """Of a miss: what compiling took, which a later hit saves."""
    saved_seconds: float | None
    """Of a hit: what compiling took then, less what reading took now; None where only bounds are known, or nothing.

    AOTAutograd's contains Inductor's.
    """
    saved_at_least: float | None
    saved_at_most: float | None
    saved_from: Literal["entry", "recording", "bounds"] | None
    """Who says so: the entry itself; a recording of the run that made it; JAX's entry, in whole seconds cut down."""


class CompilationReport(msgspec.Struct, frozen=True):
    """One compilation of a function, judged."""

    id: int
    call: int | None
    signature: int | None
    program: str
    start: float
    seconds: float
    wall_seconds: float | None
    phases: dict[str, float]
    layers: tuple[str, ...]
    persistent_cache: CacheSource
    under: str | None
    site: Site | None
    causes: tuple[Cause, ...]
    fix: str | None
    framework_id: str | None
    hits: int
    """torch: calls that this cache entry served."""
    recompile: bool
    """Not the first of its source function."""
    failed: str | None
    compared_with: int | None = None
    """The earlier compilation that the causes compare this one with; None for a first one, or where there is none."""
    inside: int | None = None
    """The function whose call this ran inside of, where that is another one than its owner."""
    evidence: tuple[str, ...] = ()
    """What the framework itself said of it, verbatim; empty: it said nothing."""
    root: int | None = None
    """The compilation of an enclosing function, in the same call, that made this one necessary; None: it is a root."""
    label: str | None = None
    """What it happened under: a test, a cell of a notebook; None: under nothing in particular."""
    caches: tuple[CacheOutcome, ...] = ()
    """What caches on disk did for it, in order; empty: not known."""


class FunctionReport(msgspec.Struct, frozen=True):
    """One watched function."""

    id: int
    framework: Framework
    name: str
    kind: str
    file: str
    line: int
    calls: int
    hits: int
    dispatch_misses: int
    eager_fallbacks: int
    compiling_calls: int
    python_path_calls: int
    waited_calls: int
    failed_calls: int
    nested_calls: int
    compilations: int
    recompilations: int
    compile_seconds: float
    recompile_seconds: float
    phases: dict[str, float]
    state: State
    signatures: tuple[SignatureReport, ...]
    families: tuple[FamilyReport, ...]
    history: tuple[HistoryRun, ...]
    compilations_detail: tuple[CompilationReport, ...]
    column: int = 0
    """Of a lambda's body, which tells two on one line apart; 0 for other functions."""
    process: int | None = None
    """In the report of a combined recording: position of its process in `RunInfo.processes`."""


class EagerOp(msgspec.Struct, frozen=True):
    """Programs that nobody watched, by name: eager operations and unwatched functions."""

    name: str
    framework: Framework
    library: bool
    """True: the framework's own (an eager operation); False: an unwatched function."""
    compilations: int
    compile_seconds: float
    sites: tuple[Site, ...]


class CacheReport(msgspec.Struct, frozen=True):
    """What a persistent cache on disk did in the whole process."""

    name: str
    """``jax``, ``inductor``, ``aot_autograd``."""
    hits: int
    misses: int
    seconds: float
    """Time spent reading it."""
    bypassed: int = 0
    """Programs that the framework does not cache."""
    off: int = 0
    """Compilations for which it was not asked: it is off."""
    unknown: int = 0
    written: int = 0
    write_seconds: float = 0.0
    reasons: dict[str, int] = {}
    """Why it was no hit, in words, and how often; the most frequent first."""
    unwritten: dict[str, int] = {}
    """Why misses were not written, in words, and how often."""
    saved_seconds: float = 0.0
    """Of the hits of which it is known."""
    saved_unknown: int = 0
    """Hits of which it is not."""
    saved_at_least: float = 0.0
    """Of all hits, where bounds are known."""
    rest_seconds: dict[str, float] = {}
    """What compilations that hit took all the same, beyond reading it, by phase."""


class Bucket(msgspec.Struct, frozen=True):
    """One size of a bucket plan."""

    size: int
    """What the axis is padded to, in elements."""
    sizes: tuple[int, ...]
    """The sizes seen that fall into it, ascending."""
    calls: int
    padding: float
    """Elements added over all its calls, as a share of the elements that were needed: 0.1 is 10 % more."""


class BucketPlan(msgspec.Struct, frozen=True):
    """Fixed sizes to pad one axis to."""

    path: str
    axis: int
    buckets: tuple[Bucket, ...]
    compilations_before: int
    """Compilations for the sizes that were seen."""
    seconds_before: float
    """What compiling them took."""
    seconds_after: float
    """Estimate: one compilation a bucket, at the mean time of those that were seen."""
    padding: float
    """Elements added over all calls, as a share of those needed."""
    same: tuple[str, ...] = ()
    """Further axes that always have the same size as this one, to be padded with it: ``batch['y'] axis 0``."""
    process: int | None = None
    """In the report of a combined recording: the process whose calls were counted, by its position."""


class Finding(msgspec.Struct, frozen=True):
    """Recompilations of one source function that have one main cause: what is worth telling first."""

    kind: CauseKind
    path: str | None
    paths: tuple[str, ...]
    """All that changed in this way, `path` first."""
    framework: Framework
    name: str
    """Of the source function."""
    file: str
    line: int
    functions: tuple[int, ...]
    """Its function objects."""
    compilations: tuple[int, ...]
    """The recompilations, and those that they led to in other functions (`CompilationReport.root`)."""
    seconds: float
    """What they took. Each compilation is in one finding, so the seconds of all findings add up."""
    avoidable_seconds: float
    sites: tuple[Site, ...]
    """The calls that caused them, the most frequent first."""
    values: tuple[str, ...]
    """What was seen, in order, neighbours that are equal once: ``f32[64,8]``, ``f32[63,8]``."""
    also: tuple[CauseKind, ...]
    """Other kinds of causes that some of the compilations have besides."""
    explanation: str
    fix: str | None
    evidence: str | None
    """The framework's own words about the first of them, or None where it said nothing."""
    plan: BucketPlan | None = None


class LabelReport(msgspec.Struct, frozen=True):
    """What happened under one label: in one test, in one cell of a notebook."""

    text: str | None
    """None: under no label."""
    entered: int
    """How often it began."""
    calls: int
    hits: int
    compilations: int
    """Of watched functions."""
    recompilations: int
    compile_seconds: float
    """Of watched functions, with their backward graphs that were compiled later."""
    recompile_seconds: float
    unwatched_compilations: int
    """Of functions of the program that were not watched."""
    unwatched_compile_seconds: float
    eager_op_compilations: int
    """Of the frameworks' own programs."""
    eager_op_compile_seconds: float
    functions: tuple[int, ...]
    """The functions that were compiled, in the order of their first compilation."""
    compilations_detail: tuple[int, ...]
    """The compilations of watched functions, by their ids."""


class Report(msgspec.Struct, frozen=True):
    """All that is known of a run."""

    schema: int
    run: RunInfo
    totals: Totals
    functions: tuple[FunctionReport, ...]
    eager_ops: tuple[EagerOp, ...]
    notes: tuple[Note, ...]
    caches: tuple[CacheReport, ...] = ()
    findings: tuple[Finding, ...] = ()
    """The costliest first."""
    labels: tuple[LabelReport, ...] = ()
    """In the order in which they first began; empty where the recording has none."""
    first_calls: tuple[FirstCall, ...] = ()
    """The longest of the functions' first calls, at most five; ``jitscope first`` has all of them."""
    start_up: tuple[StartUp, ...] = ()
    """What came before the first call that compiled, one a process."""
