"""From Dynamo's metrics of a compile to a compilation event."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from time import perf_counter
from types import CodeType
from typing import Any

from jitscope.capture.frameworks import torch_privates as privates
from jitscope.model.caching import CacheLookup
from jitscope.model.events import CacheSource, CompilationEvent, GuardFailure, Phase, Site
from jitscope.model.notation import cut
from jitscope.model.signature import Signature

EVIDENCE_LIMIT = 2000
_RESUME = re.compile(re.escape(privates.RESUME_PREFIX) + r"(?P<name>.+)_at_\d+$")
_ENTRY = re.compile(r"^(?P<id>\[?!?[\w/]+\]?): ")


@dataclass(slots=True)
class CompileRecord:
    """A compile that Dynamo announced."""

    compile_id: str
    generation: int
    code: CodeType
    start: float
    """Monotonic clock, seconds."""
    site: Site | None
    made_code: bool = False
    evidence: tuple[str, ...] = ()
    """What Dynamo said when it began: one text for each older entry."""
    maker: tuple[str, int, int] | None = None
    signature: Signature | None = None
    """In a region: that of the frame."""
    guards: tuple[GuardFailure, ...] = ()
    """The guards of older entries that the call did not pass."""
    guards_asked: bool = False
    """All live entries were asked."""
    inside: int | None = None
    """The watched function around the owner's call, and which of its calls that was."""
    inside_call: int | None = None
    captured: dict[str, str] = field(default_factory=dict)
    """Plain values that the frame takes from around it."""
    modes: dict[str, str] = field(default_factory=dict)
    """What was in force when it began."""


class MetricsReader:
    """Finds the metrics of a compile and the guard failures that are new since the last look."""

    def __init__(self) -> None:
        self._consumed: dict[CodeType, int] = {}

    def find(self, record: CompileRecord) -> tuple[Any, ...]:
        """The newest forward record with this compile id, then those of what ran late for it; or nothing.

        Autotuning of kernels happens when they first run: torch keeps a record of its own for it (``is_runtime``),
        under the same compile id.
        """
        late: list[Any] = []
        for metrics in reversed(privates.get_compilation_metrics() if privates.get_compilation_metrics else ()):
            if str(metrics.compile_id) != record.compile_id or metrics.is_forward is False:
                continue
            if not getattr(metrics, "is_runtime", False):
                return metrics, *late
            late.insert(0, metrics)
        return ()

    def fresh_failures(self, code: CodeType) -> tuple[str, ...]:
        """Guard failures of ``code`` since the last call: one text for each older entry."""
        failures = (privates.guard_failures or {}).get(code)
        if failures is None:
            return ()
        consumed = self._consumed.get(code, 0)
        if consumed > len(failures):  # torch.compiler.reset() emptied the list
            consumed = 0
        self._consumed[code] = len(failures)
        return tuple(cut(str(failure), EVIDENCE_LIMIT) for failure in failures[consumed:])

    def forget_failures(self) -> None:
        """After a reset."""
        self._consumed.clear()


def backward_phase(start: float) -> Phase:
    """The compile of a backward graph that ends now."""
    return Phase("backward", start, perf_counter() - start)


def compilation_event(
    identity: int,
    record: CompileRecord,
    found: tuple[Any, ...],
    *,
    function: int | None,
    call: int | None,
    signature: int | None,
    wall_seconds: float | None,
    caches: tuple[CacheLookup, ...] = (),
) -> CompilationEvent:
    """Put together what is known of one compile; ``found`` is what `MetricsReader.find` found."""
    metrics = found[0] if found else None
    failed = _failed(record, metrics)
    resume = _RESUME.match(record.code.co_name)
    phases = phases_of(record, found)
    return CompilationEvent(
        id=identity,
        function=function,
        program=record.code.co_name,
        framework="torch",
        call=call,
        signature=signature,
        site=record.site,
        start=record.start,
        wall_seconds=wall_seconds,
        phases=phases,
        layers=() if failed else (*(phase.name for phase in phases), "compile"),
        persistent_cache=_persistent(metrics, caches),
        caches=caches,
        framework_id=record.compile_id,
        generation=record.generation,
        resume_of=resume["name"] if resume else None,
        failed=failed,
        evidence=record.evidence,
        maker=record.maker,
        rejected=tuple(entry["id"] for text in record.evidence if (entry := _ENTRY.match(text))),
        guards=record.guards,
        guards_asked=record.guards_asked,
        inside=record.inside,
        inside_call=record.inside_call,
        modes=tuple(record.modes.items()),
    )


def _failed(record: CompileRecord, metrics: Any) -> str | None:
    """Why no code came out of the compile, or None if some did."""
    fail_type = getattr(metrics, "fail_type", None)
    reason = str(getattr(metrics, "fail_reason", None) or "").split("\n", 1)[0]
    if fail_type:
        kind = "recompile limit" if "recompile limit" in reason or "RecompileLimit" in str(fail_type) else fail_type
        return cut(f"{kind}: {reason}", 400)
    # The metrics' has_guarded_code is True for frames that turned out to need no code, too (torch 2.13).
    by_metrics = bool(getattr(metrics, "has_guarded_code", False))
    if record.made_code if privates.register_bytecode_hook is not None else by_metrics:
        return None
    return "no code: nothing to compile"


def _micros(metrics: Any, name: str) -> float:
    value = getattr(metrics, name, None)
    return float(value) / 1e6 if value else 0.0


def phases_of(record: CompileRecord, found: tuple[Any, ...]) -> tuple[Phase, ...]:
    """Own times of the nested phases: the cumulative ones of the metrics contain each other."""
    if not found:
        return ()
    metrics, *late = found
    dynamo = _micros(metrics, "dynamo_cumulative_compile_time_us") or _micros(metrics, "duration_us")
    aot = min(_micros(metrics, "aot_autograd_cumulative_compile_time_us"), dynamo)
    inductor = min(_micros(metrics, "inductor_cumulative_compile_time_us"), aot)
    # Compiling the kernels (triton_compile_time_us) is part of it.
    codegen = min(_micros(metrics, "inductor_code_gen_cumulative_compile_time_us"), inductor)
    start = record.start
    nested = (
        ("dynamo", dynamo - aot),
        ("aot_autograd", aot - inductor),
        ("inductor", inductor - codegen),
        ("codegen", codegen),
        ("autotune", sum(_micros(one, "runtime_triton_autotune_time_us") for one in late)),
    )
    return tuple(Phase(name, start, seconds) for name, seconds in nested if seconds > 0)


def _persistent(metrics: Any, caches: tuple[CacheLookup, ...]) -> CacheSource:
    """Whether Inductor's or AOTAutograd's cache on disk had the graph."""
    told = {one.result for one in caches if one.cache in ("fx_graph", "aot_autograd")}
    if told and told <= {"off"}:
        return "off"
    counts = {
        kind: sum(
            getattr(metrics, f"{cache}_local_cache_{kind}_count", None) or 0 for cache in ("inductor_fx", "aotautograd")
        )
        for kind in ("hit", "miss")
    }
    if counts["miss"]:
        return "miss"
    return "hit" if counts["hit"] else "unknown"
