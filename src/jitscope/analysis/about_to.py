"""A compilation that is about to start, judged against what has been recorded."""

from __future__ import annotations

import msgspec

from jitscope.analysis.causes import Verdict, judge_compilation
from jitscope.analysis.compiled import Compiled, program_key
from jitscope.analysis.fixes import fix_for
from jitscope.analysis.index import index_events
from jitscope.model.cause import Cause
from jitscope.model.events import CompilationEvent, FunctionEvent
from jitscope.model.recording import Recording


class AboutTo(msgspec.Struct, frozen=True):
    """What is known of a compilation before it has run."""

    event: CompilationEvent
    function: FunctionEvent | None
    """None: it is not watched."""
    signature: str | None
    causes: tuple[Cause, ...]
    """Empty where the function is not watched: there is nothing to compare with."""
    fix: str | None
    recompile: bool | None
    """Whether its program was compiled before; None where that is not known."""


def judge_start(recording: Recording, event: CompilationEvent) -> AboutTo:
    """Judge the compilation ``event``, which is not in ``recording``, by those that are."""
    index = index_events(recording)
    function = index.functions.get(event.function) if event.function is not None else None
    if function is None:
        return AboutTo(event, None, None, (), None, None)

    def compiled(one: CompilationEvent, owner: FunctionEvent) -> Compiled:
        signature = index.signatures.get(one.signature) if one.signature is not None else None
        context = index.contexts.get(one.context) if one.context is not None else None
        return Compiled(
            one, owner, signature.signature if signature else None, context.settings if context is not None else None
        )

    now = compiled(event, function)
    key = program_key(now)
    earlier = [
        other
        for one in index.compilations
        if one.compiled and one.function is not None
        for other in (compiled(one, index.functions[one.function]),)
        if program_key(other) == key
    ]
    verdict: Verdict = judge_compilation(now, earlier)
    return AboutTo(
        event=event,
        function=function,
        signature=now.signature.text if now.signature is not None else None,
        causes=verdict.causes,
        fix=fix_for(verdict.causes, function),
        recompile=bool(earlier),
    )
