"""Why a cache on disk missed in one run, held against earlier lookups: of other runs, and of the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from jitscope.analysis.cache_keys import KeyStory, changes, distance, key_story
from jitscope.analysis.cache_outcomes import reason_text, unwritten_text
from jitscope.analysis.index import Index, index_events
from jitscope.analysis.program_text import without_name
from jitscope.errors import JitscopeError
from jitscope.model.caching import CACHE_NAMES, CacheLookup
from jitscope.model.events import CompilationEvent
from jitscope.model.misses import MISSES_SCHEMA, Miss, Misses, PartChange
from jitscope.model.recording import Recording


class _Asked(msgspec.Struct, frozen=True):
    """A lookup, and whose it is."""

    run: str
    function: str
    program: str
    file: str
    framework_line: int
    event: CompilationEvent
    lookup: CacheLookup
    story: KeyStory | None

    @property
    def identity(self) -> tuple[object, ...]:
        """What lookups of one program in several runs have in common."""
        return (self.lookup.cache, self.lookup.backward, self.function, self.program)


def misses_of(before: Sequence[Recording], run: Recording, function: str | None = None) -> Misses:
    """Explain the misses of ``run``.

    Args:
        before: other runs, the newest last; lookups of ``run`` itself that came before count, too.
        run: whose misses are explained.
        function: only those of this function: its qualified name, or the last part of it.

    Raises:
        JitscopeError: if ``run`` has no function of that name.
    """
    earlier = [one for recording in before for one in _asked(recording)]
    now = _asked(run)
    texts = {(one.lookup.cache, one.lookup.key): one.story for one in (*earlier, *now) if one.story and one.story.text}
    earlier = [_with_text(one, texts) for one in earlier]
    mine = [one for one in now if function is None or _called(one, function)]
    if function is not None and not mine:
        raise _unknown(function, now, run)
    found: list[Miss] = []
    for one in now:
        if one.lookup.result == "miss" and (function is None or _called(one, function)):
            found.append(_explain(one, earlier))
        earlier.append(one)
    asked = [one for one in mine if one.lookup.result in ("hit", "miss", "bypass")]
    return Misses(
        schema=MISSES_SCHEMA,
        runs=(*(recording.header.run for recording in before), run.header.run),
        function=function,
        hits=sum(one.lookup.result == "hit" for one in asked),
        asked=len(asked),
        misses=tuple(found),
    )


def _asked(recording: Recording) -> list[_Asked]:
    index = index_events(recording)
    return [
        _one(recording, index, event, lookup)
        for event in index.compilations
        for lookup in event.caches
        if lookup.cache in CACHE_NAMES
    ]


def _one(recording: Recording, index: Index, event: CompilationEvent, lookup: CacheLookup) -> _Asked:
    owner = index.functions.get(event.function) if event.function is not None else None
    return _Asked(
        run=recording.header.run,
        function=owner.name if owner is not None else event.program,
        program=event.program,
        file=owner.file if owner is not None else "",
        framework_line=owner.line if owner is not None else 0,
        event=event,
        lookup=lookup,
        story=key_story(lookup.parts, index.keys),
    )


def _with_text(one: _Asked, texts: Mapping[tuple[str, str | None], KeyStory]) -> _Asked:
    """A hit's program has no text: that of the miss that made its entry is the same."""
    known = texts.get((one.lookup.cache, one.lookup.key))
    if one.story is None or one.story.text is not None or known is None:
        return one
    story = msgspec.structs.replace(one.story, text=known.text, captured=known.captured)
    return msgspec.structs.replace(one, story=story)


def _called(one: _Asked, function: str) -> bool:
    return function in (one.function, one.function.rpartition(".")[2], one.program)


def _unknown(function: str, now: Sequence[_Asked], run: Recording) -> JitscopeError:
    names = list(dict.fromkeys(one.function for one in now if one.event.function is not None))
    there = f"there are {', '.join(names[:8])}" if names else "it has none that a cache on disk was asked for"
    return JitscopeError(
        f"no function {function} with lookups in run {run.header.run}: {there}", slug="unknown-function"
    )


def _explain(one: _Asked, earlier: Sequence[_Asked]) -> Miss:
    lookup = one.lookup
    if lookup.key is None:
        return _miss(one, "no_key", reason_text(lookup) or "the framework made no key")
    if lookup.reason in ("unreadable", "guards", "fx_graph_missing"):
        unwritten = unwritten_text(lookup)
        more = f"; not written anew: {unwritten}" if unwritten else ""
        return _miss(one, "unreadable", (reason_text(lookup) or "") + more)
    same = [other for other in earlier if (other.lookup.cache, other.lookup.key) == (lookup.cache, lookup.key)]
    if same:
        return _same_key(one, same)
    nearest = _nearest(one, earlier)
    if nearest is None:
        told = "no earlier lookup of this program is recorded: it was compiled for the first time, as far as is known"
        return _miss(one, "first_time", told)
    return _changed(one, nearest)


def _same_key(one: _Asked, same: Sequence[_Asked]) -> Miss:
    """The key is the one of an earlier lookup: why was its entry not there?"""
    last = same[-1]
    kept = next((each for each in reversed(same) if each.lookup.written or each.lookup.result == "hit"), None)
    if kept is None:
        why = unwritten_text(last.lookup) or "whether it was written is not known"
        told = f"the key is the same: run {last.run} did not write the entry: {why}"
        return _miss(one, "not_written", told, last)
    before, now = kept.lookup.folder, one.lookup.folder
    if before != now:
        return _miss(one, "other_folder", f"the key is the same: the entry is in {before}, and {now} was asked", kept)
    told = (
        f"the key is the same, and its entry was there in run {kept.run}: it was deleted since (by hand, by jitscope "
        "cache prune, or where the cache has a maximum size by the framework)"
    )
    return _miss(one, "gone", told, kept)


def _nearest(one: _Asked, earlier: Sequence[_Asked]) -> _Asked | None:
    """The earlier lookup of the same program that differs least; else one that only has another name."""
    story = one.story
    if story is None:
        return None
    known = [(other, other.story) for other in earlier if other.lookup.cache == one.lookup.cache and other.story]
    alike = [(other, told) for other, told in known if other.identity == one.identity]
    signature = [(other, told) for other, told in alike if _same_call(other, one)]
    best = _least(signature or alike, story)
    if best is not None:
        return best
    if story.text is None:
        return None
    renamed = [
        (other, told)
        for other, told in known
        if told.text is not None and without_name(told.text) == without_name(story.text)
        and other.lookup.backward == one.lookup.backward
    ]  # fmt: skip
    return _least(renamed, story)


def _same_call(other: _Asked, one: _Asked) -> bool:
    """Whether two programs take the same arguments.

    Programs of one function for several shapes have one name: where another run has the same arguments, it is that one.
    """
    return _arguments(other.story) == _arguments(one.story)


def _arguments(story: KeyStory | None) -> object:
    if story is None:
        return None
    if story.text is not None and "func.func public @main(" in story.text:
        return story.text.partition("func.func public @main(")[2].partition(" {\n")[0]
    return tuple(part.text for name, part in story.parts.items() if name.startswith("example_inputs"))


def _least(known: Sequence[tuple[_Asked, KeyStory]], story: KeyStory) -> _Asked | None:
    best: tuple[tuple[bool, int, int], _Asked] | None = None
    for other, told in known:
        # A hit's program has no text: another of the same key may.
        score = (told.text is None and story.text is not None, *distance(told, story))
        if best is None or score <= best[0]:
            best = (score, other)
    return best[1] if best is not None else None


def _changed(one: _Asked, other: _Asked) -> Miss:
    assert one.story is not None
    assert other.story is not None
    found = changes(other.story, one.story)
    if not found:
        told = "all parts of the key that jitscope knows of are the same: another one differs, which this version of "
        return _miss(one, "key_changed", told + "the framework has and jitscope does not read", other)
    names = ", ".join(dict.fromkeys(change.title.partition(" (")[0] for change in found[:3]))
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    told = f"the key differs in {names}{more}"
    return _miss(one, "key_changed", told, other, found)


def _miss(one: _Asked, kind: str, told: str, other: _Asked | None = None, found: tuple[PartChange, ...] = ()) -> Miss:
    return Miss(
        cache=one.lookup.cache,
        function=one.function,
        program=one.program,
        run=one.run,
        key=one.lookup.key,
        backward=one.lookup.backward,
        seconds=one.lookup.compile_seconds,
        kind=kind,  # type: ignore[arg-type]
        told=told,
        against=other.run if other is not None else None,
        against_key=other.lookup.key if other is not None else None,
        changes=found,
    )
