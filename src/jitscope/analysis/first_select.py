"""The one call that compiled which a user asks for."""

from __future__ import annotations

from jitscope.analysis.build import build_report
from jitscope.analysis.first_call import calls_of
from jitscope.analysis.grouping import SourceGroup
from jitscope.analysis.index import Index, index_events
from jitscope.analysis.select import select_source
from jitscope.errors import JitscopeError
from jitscope.model.first_call import FirstCall, StartUp
from jitscope.model.notation import cut
from jitscope.model.recording import Recording


def select_call(recording: Recording, wanted: str) -> tuple[FirstCall, StartUp | None]:
    """The first compiling call of the function that ``wanted`` tells (``step``, ``train.py:12``, ``f3``).

    With ``#N`` that of its compilation N. The second value is what came before, where the call was its process's first.

    Raises:
        JitscopeError: if there is no such function, compilation or call.
    """
    name, _, number = wanted.rpartition("#") if "#" in wanted else (wanted, "", "")
    group = select_source(build_report(recording), name)
    index = index_events(recording)
    own, start_up = calls_of(recording, index, {one.id for one in group.members})
    if not own:
        raise JitscopeError(f"{group.first.name}: {_why_none(group, index)}", slug="no-first-call")
    chosen = own[0]
    if number:
        chosen = _of_compilation(own, [one.id for one in group.details], group.first.name, number)
    earliest = next(one for one in own if one.process == chosen.process)
    before = next((one for one in start_up if one.process == chosen.process), None)
    return chosen, before if chosen is earliest else None


def _why_none(group: SourceGroup, index: Index) -> str:
    if group.details:
        return (
            "no call of it compiled: what was compiled of it was so ahead of time, for a backward pass, or under a "
            "transformation like jax.grad or jax.vmap (jitscope why tells which)"
        )
    members = {one.id for one in group.members}
    inside = {one.function for one in index.compilations if one.inside in members and one.function is not None}
    if inside:
        names = ", ".join(sorted({cut(index.functions[one].name, 40) for one in inside})[:3])
        return f"what compiled in its calls is told with the watched functions there: {names}"
    return "no call of it compiled anything in this recording"


def _of_compilation(calls: list[FirstCall], compilations: list[int], name: str, number: str) -> FirstCall:
    if not number.isdigit() or not 1 <= int(number) <= len(compilations):
        raise JitscopeError(
            f"{name} has no compilation #{number}: there are {len(compilations)}", slug="unknown-compilation"
        )
    wanted = compilations[int(number) - 1]
    found = next((one for one in calls if wanted in one.compilations), None)
    if found is None:
        raise JitscopeError(
            f"{name}#{number} belongs to no call: it was compiled ahead of time or for a backward pass",
            slug="no-first-call",
        )
    return found
