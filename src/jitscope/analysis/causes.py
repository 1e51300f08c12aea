"""Why each compilation was needed: all causes, in the words of `CAUSE_KINDS`."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from jitscope.analysis.advice import cause
from jitscope.analysis.compiled import Compiled
from jitscope.analysis.earlier import Earlier
from jitscope.analysis.jax_causes import jax_causes
from jitscope.analysis.torch_causes import torch_causes
from jitscope.model.cause import Cause

_LIMIT = re.compile(r"recompile[_ ]limit|cache[_ ]size[_ ]limit", re.IGNORECASE)


class Verdict(msgspec.Struct, frozen=True):
    """The causes of one compilation, and what it was compared with."""

    causes: tuple[Cause, ...]
    """Never empty."""
    compared_with: Compiled | None = None
    bounded: bool = False
    """Not all earlier ones were looked at to find it."""


def judge_compilation(one: Compiled, earlier: Sequence[Compiled], *, nested: bool = False) -> Verdict:
    """All causes of a compilation.

    Args:
        one: the compilation.
        earlier: what was compiled before it for the same `compiled.program_key`, in order; quickest as an `Earlier`.
        nested: whether the function had been called inside another trace by then.

    Evidence of the framework's is in one of the causes, whatever jitscope makes of it.
    """
    event = one.event
    before = earlier if isinstance(earlier, Earlier) else Earlier(earlier)
    first = not before or event.under == "backward"
    # torch says itself which entries it rejected.
    base, whole = before.nearest(one) if first or event.framework != "torch" else (None, True)
    if first:
        # A gradient's program has no arguments that the user names.
        causes = [_first(one, nested=nested)]
    elif event.framework == "torch":
        causes, base = torch_causes(one, before)
    else:
        causes = jax_causes(one, before, base)
    if event.failed is not None and _LIMIT.search(event.failed):
        causes = [cause("recompile_limit", one.function.name, evidence=event.failed), *causes]
    causes = _with_evidence(causes or [_nothing_found(one, base)], event.evidence)
    return Verdict(tuple(causes), base, bounded=not whole)


def _first(one: Compiled, *, nested: bool) -> Cause:
    """The cause of the first compilation of a program."""
    event = one.event
    if event.resume_of is not None:
        return cause("graph_break", event.resume_of)
    if event.under == "backward":
        return cause("backward", one.function.name)
    if nested and event.under is None and event.compiled and "trace" not in event.layers:
        # JAX had traced it for the other function, and does not trace it again. Dynamo traces anew.
        return cause("nested_first")
    return cause("first_compile")


def _with_evidence(causes: Sequence[Cause], evidence: Sequence[str]) -> list[Cause]:
    """Keep the framework's words: where no cause holds any, the first one gets them."""
    if not evidence or any(one.evidence for one in causes):
        return list(causes)
    words = "; ".join(dict.fromkeys(re.split(r"\n|  +#", text.strip(), maxsplit=1)[0].rstrip() for text in evidence))
    return [msgspec.structs.replace(causes[0], evidence=words), *causes[1:]]


def _nothing_found(one: Compiled, base: Compiled | None) -> Cause:
    """Say what was compared, so that the reader knows what it is not."""
    if one.signature is None:
        compared = "nothing to compare: the call's signature was not recorded"
    elif base is None or base.signature is None:
        compared = "nothing to compare: no signature of an earlier compilation was recorded"
    else:
        other = f"that of call {base.event.call}" if base.event.call is not None else f"compilation {base.event.id}"
        count = len(one.signature.leaves)
        compared = (
            f"compared with {other}: {count} {'leaf' if count == 1 else 'leaves'}, structure, argument passing and "
            "settings are the same"
        )
    return cause("unknown", evidence=compared)
