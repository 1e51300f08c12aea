"""What the processes of a run did, beside each other, and where they differ.

A `Digest` is what of one recording is needed for that: recordings can be looked at one after another.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

import msgspec

from jitscope.analysis.combine import Start, process_info, starts_of
from jitscope.analysis.functions import Verdicts, function_reports, judge
from jitscope.analysis.index import index_events
from jitscope.analysis.notes import notes_of
from jitscope.analysis.portable import lone_devices, portable, signature_key
from jitscope.analysis.programs import process_order
from jitscope.analysis.side_by_side import legend
from jitscope.analysis.totals import eager_ops_of, totals_of
from jitscope.model.cause import CauseKind
from jitscope.model.combined import Combined, CombinedFunction, Divergence, ProcessSummary
from jitscope.model.events import FunctionEvent, ProcessInfo, Site
from jitscope.model.recording import Recording
from jitscope.model.report import FunctionReport, Note, Totals
from jitscope.model.signature import Signature

COMBINED_SCHEMA = 1
SITES = 8
"""Most call sites of one divergence."""

FunctionKey = tuple[str, str, str, int, int, tuple[tuple[str, str], ...]]
"""Framework, name, file, line, column, options."""
ProgramKey = tuple[str, str | None, bytes]
"""Program, transformation, signature."""


Part = TypeVar("Part")


class Cost(msgspec.Struct):
    """How often one process compiled something, and what that took."""

    count: int = 0
    seconds: float = 0.0
    causes: tuple[CauseKind, ...] = ()
    sites: tuple[Site, ...] = ()


class FunctionDigest(msgspec.Struct):
    """One function in one process."""

    calls: int = 0
    hits: int = 0
    compilations: int = 0
    recompilations: int = 0
    compile_seconds: float = 0.0
    recompile_seconds: float = 0.0
    programs: dict[ProgramKey, Cost] = msgspec.field(default_factory=dict)


class Digest(msgspec.Struct, frozen=True):
    """One process."""

    info: ProcessInfo
    totals: Totals
    functions: dict[FunctionKey, FunctionDigest]
    notes: tuple[Note, ...]


class Known(msgspec.Struct):
    """What processes have in common, kept once."""

    signatures: dict[bytes, Signature | None] = msgspec.field(default_factory=dict)
    verdicts: Verdicts = msgspec.field(default_factory=dict)
    parts: dict[object, object] = msgspec.field(default_factory=dict)

    def same(self, part: Part) -> Part:
        """The one object that stands for all that are equal to ``part``."""
        return self.parts.setdefault(part, part)  # type: ignore[return-value]

    def shared(self, digest: Digest) -> Digest:
        """``digest``, which another process made, with what it has in common with others."""
        for function in digest.functions.values():
            function.programs = {self.same(key): cost for key, cost in function.programs.items()}
            for cost in function.programs.values():
                cost.causes = self.same(cost.causes)
                cost.sites = self.same(cost.sites)
        return digest


def summarize(recordings: Sequence[Recording], *, notes: Sequence[Note] = ()) -> Combined:
    """The processes whose recordings these are, in one value, in whatever order they are given."""
    chosen = sorted(recordings, key=lambda one: process_order(one.header))
    known = Known()
    starts = starts_of([one.header for one in chosen])
    digests = [digest_of(one, start, known) for one, start in zip(chosen, starts, strict=True)]
    first = chosen[0].header
    return combined_of(digests, known, program=first.program or first.run, argv=first.argv, notes=notes)


def digest_of(recording: Recording, start: Start, known: Known) -> Digest:
    """What is needed of one recording; its signatures are added to ``known``."""
    index = index_events(recording)
    reports = function_reports(index, judge(index, known.verdicts), brief=True)
    devices = lone_devices(recording.events)
    keys: dict[int | None, bytes] = {}
    functions: dict[FunctionKey, FunctionDigest] = {}
    for function in reports:
        found = functions.setdefault(function_key(index.functions[function.id]), FunctionDigest())
        _add(found, function)
        for one in function.compilations_detail:
            if one.failed is not None or one.layers[-1:] != ("compile",):
                continue
            if one.signature not in keys:
                signature = (
                    portable(index.signatures[one.signature].signature, devices) if one.signature is not None else None
                )
                keys[one.signature] = key = signature_key(signature)
                known.signatures.setdefault(key, signature)
            program = known.same((one.program, one.under, keys[one.signature]))
            cost = found.programs.setdefault(program, Cost())
            cost.count += 1
            cost.seconds += one.seconds
            cost.causes = known.same(tuple(dict.fromkeys((*cost.causes, *(cause.kind for cause in one.causes)))))
            if one.site is not None and one.site not in cost.sites and len(cost.sites) < SITES:
                cost.sites = known.same((*cost.sites, known.same(one.site)))
    totals = totals_of(reports, eager_ops_of(index.compilations, index.added_up))
    return Digest(process_info(recording, start), totals, functions, notes_of(recording, index))


def function_key(function: FunctionEvent) -> FunctionKey:
    """What a function is the same by in another process."""
    options = tuple(sorted(function.options.items()))
    return (function.framework, function.name, function.file, function.line, function.column, options)


def _add(found: FunctionDigest, function: FunctionReport) -> None:
    found.calls += function.calls
    found.hits += function.hits
    found.compilations += function.compilations
    found.recompilations += function.recompilations
    found.compile_seconds += function.compile_seconds
    found.recompile_seconds += function.recompile_seconds


def combined_of(
    digests: Sequence[Digest], known: Known, *, program: str, argv: tuple[str, ...], notes: Sequence[Note] = ()
) -> Combined:
    """The processes in one value; ``digests`` in the order of `process_order`."""
    seconds = [one.totals.compile_seconds + one.totals.eager_op_compile_seconds for one in digests]
    earliest = min(digests, key=lambda one: one.info.offset_seconds)
    ends = [one.info.offset_seconds + one.info.wall_seconds for one in digests if one.info.wall_seconds is not None]
    own = [Note(note.slug, f"{one.info.label}: {note.text}") for one in digests for note in one.notes]
    return Combined(
        schema=COMBINED_SCHEMA,
        program=program,
        argv=argv,
        started=earliest.info.started,
        wall_seconds=max(ends, default=None),
        totals=sum_totals(one.totals for one in digests),
        slowest=seconds.index(max(seconds)) if any(seconds) else None,
        processes=tuple(ProcessSummary(one.info.label, one.info, one.totals) for one in digests),
        functions=_functions(digests),
        divergences=_divergences(digests, known),
        notes=tuple(dict.fromkeys([*notes, *own])),
    )


def sum_totals(totals: Iterable[Totals]) -> Totals:
    """The sum, field by field."""
    added: dict[str, float] = dict.fromkeys(Totals.__struct_fields__, 0)
    for one in totals:
        for name in added:
            added[name] += getattr(one, name)
    return msgspec.convert(added, Totals)


def _functions(digests: Sequence[Digest]) -> tuple[CombinedFunction, ...]:
    keys = dict.fromkeys(key for digest in digests for key in digest.functions)
    found: list[CombinedFunction] = []
    for key in keys:
        framework, name, file, line, column, options = key
        members = {n: digest.functions[key] for n, digest in enumerate(digests) if key in digest.functions}
        slowest = max(members, key=lambda n: (members[n].compile_seconds, -n))
        found.append(
            CombinedFunction(
                framework=framework,  # type: ignore[arg-type]  # it came from an event
                name=name,
                file=file,
                line=line,
                column=column,
                options=dict(options),
                processes=tuple(members),
                calls=sum(one.calls for one in members.values()),
                hits=sum(one.hits for one in members.values()),
                compilations=sum(one.compilations for one in members.values()),
                recompilations=sum(one.recompilations for one in members.values()),
                compile_seconds=sum(one.compile_seconds for one in members.values()),
                recompile_seconds=sum(one.recompile_seconds for one in members.values()),
                slowest=slowest,
                slowest_seconds=members[slowest].compile_seconds,
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.compile_seconds, one.name, one.file, one.line, one.column)))


def _divergences(digests: Sequence[Digest], known: Known) -> tuple[Divergence, ...]:
    ranks = [n for n, digest in enumerate(digests) if digest.info.rank is not None]
    found: list[Divergence] = []
    for key in dict.fromkeys(key for digest in digests for key in digest.functions):
        having = [n for n, digest in enumerate(digests) if key in digest.functions]
        # Ranks do the same work. Other processes (a main one and its workers) do where they share the function.
        peers = ranks if set(having) <= set(ranks) else having
        if len(peers) < 2:
            continue
        programs = {n: digests[n].functions[key].programs for n in having}
        different = [
            program
            for program in dict.fromkeys(each for n in having for each in programs[n])
            if len({programs[n][program].count if program in programs.get(n, ()) else 0 for n in peers}) > 1
        ]
        if different:
            met = dict.fromkeys(each[2] for n in having for each in programs[n])
            texts = signature_texts([(each, known.signatures[each]) for each in met])
            found += [_divergence(key, program, programs, peers, texts[program[2]]) for program in different]
    return tuple(sorted(found, key=lambda one: (-one.seconds, one.name, one.file, one.line, one.signature or "")))


def signature_texts(signatures: Iterable[tuple[bytes, Signature | None]]) -> dict[bytes, str | None]:
    """A line for each signature, to tell them apart; None for one that was not read."""
    pairs = list(signatures)
    read = [(key, signature) for key, signature in pairs if signature is not None]
    lines = legend([signature for _, signature in read])
    return {key: None for key, _ in pairs} | {key: line for (key, _), line in zip(read, lines, strict=True)}


def _divergence(
    key: FunctionKey,
    program: ProgramKey,
    programs: dict[int, dict[ProgramKey, Cost]],
    peers: Sequence[int],
    text: str | None,
) -> Divergence:
    framework, name, file, line, _, _ = key
    costs = {n: found[program] for n, found in programs.items() if program in found}
    missing = tuple(n for n in peers if n not in costs)
    return Divergence(
        framework=framework,  # type: ignore[arg-type]  # it came from an event
        name=name,
        file=file,
        line=line,
        program=program[0],
        under=program[1],
        signature=text,
        compilations={n: costs[n].count if n in costs else 0 for n in peers},
        compiled_by=tuple(costs),
        missing_in=missing,
        never_met=tuple(n for n in missing if n not in programs),
        seconds=sum(one.seconds for one in costs.values()),
        slowest_seconds=max(one.seconds for one in costs.values()),
        causes=tuple(dict.fromkeys(kind for one in costs.values() for kind in one.causes)),
        sites=tuple(dict.fromkeys(site for one in costs.values() for site in one.sites))[:SITES],
    )
