"""A trace for https://ui.perfetto.dev and other viewers of the Trace Event Format (JSON).

The format: "Trace Event Format" by Google's Chromium team; what Perfetto makes of it is in its documentation,
"Visualizing external trace formats". Times are whole microseconds, so that no reader rounds slices into each other.

Only what a recording has times for is in it: hits have none, and are told as sums.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final

import msgspec

from jitscope.analysis.timed import TimedCompilation, timed_compilations
from jitscope.model.notation import cut, printable
from jitscope.model.recording import Recording
from jitscope.model.report import CompilationReport, FunctionReport, Report
from jitscope.render.changes import change_lines
from jitscope.render.trace_tracks import Slice, Track, microseconds, tracks_of

VIEWER: Final = "https://ui.perfetto.dev"

_Json = dict[str, Any]


def render_perfetto(recording: Recording, report: Report) -> str:
    """Write ``report``, which is of ``recording``, as trace events, one a line; the same report gives the same text."""
    compilations = timed_compilations(recording, report)
    functions = {function.id: function for function in report.functions}
    tracks = tracks_of(compilations, functions, _args(compilations, functions))
    processes = _Processes(recording, report)
    head: list[_Json] = []
    timed: list[_Json] = []
    for event in processes.events(tracks):
        (head if event["ph"] == "M" else timed).append(event)
    for track in tracks:
        pid, number = processes.pids[track.process], next(processes.threads)
        head.append(_metadata("thread_name", pid, number, name=_shown(track.name)))
        head.append(_metadata("thread_sort_index", pid, number, sort_index=number))
        for one in track.slices:
            timed += _events(one, {"pid": pid, "tid": number})
    timed += _counters(compilations, processes.pids)
    # A stable sort: at one moment, what is around stays before what is in it.
    timed.sort(key=lambda event: event["ts"])
    lines = [msgspec.json.encode(event).decode() for event in (*head, *timed)]
    about = msgspec.json.encode(
        {
            "program": _shown(" ".join(report.run.argv)),
            "recording": _shown(report.run.id),
            "versions": {_shown(name): _shown(version) for name, version in report.run.versions.items()},
            "about": "Compilations as jitscope recorded them. Calls that hit a cache have no times: they are not here.",
        }
    ).decode()
    events = ",\n".join(lines)
    return f'{{"displayTimeUnit": "ms",\n"otherData": {about},\n"traceEvents": [\n{events}\n]}}\n'


class _Processes:
    """Numbers of processes and threads: no number is used twice, whatever hosts the processes ran on."""

    def __init__(self, recording: Recording, report: Report) -> None:
        self._recording, self._report = recording, report
        several = recording.header.processes
        real = [one.pid for one in several] if several else [recording.header.pid]
        unique = len(set(real)) == len(real) and min(real) > 0
        numbers = real if unique else list(range(1, len(real) + 1))
        self.pids: dict[int | None, int] = dict(enumerate(numbers)) if several else {None: numbers[0]}
        self.threads = (number for number in count(1) if number not in set(numbers))

    def events(self, tracks: Sequence[Track]) -> Iterator[_Json]:
        """Names of the processes, and a slice for each that spans its run."""
        report = self._report
        used = {track.process for track in tracks}
        known = report.run.processes
        program = _shown(" ".join(report.run.argv) or "program")
        for position, (key, pid) in enumerate(self.pids.items()):
            one = known[key] if key is not None else None
            label = one.label if one is not None else f"rank {report.run.rank}" if report.run.rank is not None else ""
            yield _metadata(
                "process_name", pid, pid, name=" · ".join(part for part in (_shown(label), program) if part)
            )
            yield _metadata("process_sort_index", pid, pid, sort_index=position)
            wall = one.wall_seconds if one is not None else report.run.wall_seconds
            if wall is None and key not in used:
                continue
            begins = microseconds(one.offset_seconds if one is not None else 0.0)
            tid = next(self.threads)
            yield _metadata("thread_name", pid, tid, name="run")
            yield _metadata("thread_sort_index", pid, tid, sort_index=-1)
            if wall is not None:
                ended = one.ended if one is not None else self._recording.end is not None
                args = {"calls and hits": self._sums(key), "ended": ended}
                run = Slice(program, begins, begins + microseconds(wall), "run", args)
                yield from _events(run, {"pid": pid, "tid": tid})

    def _sums(self, key: int | None) -> list[str]:
        """Calls have no times: how many there were is all that is known. A list, for a viewer splits names at dots."""
        mine = [function for function in self._report.functions if function.process == key and function.calls]
        shown = [f"{_shown(one.name)}: {one.calls} calls, {one.hits} hits" for one in mine[:_SUMS]]
        return [*shown, *([f"… {len(mine) - _SUMS} more functions"] if mine[_SUMS:] else [])]


def _events(one: Slice, where: _Json) -> Iterator[_Json]:
    """The slice, the arrows at it, and what is in it: a viewer ties an arrow to the innermost slice that is open.

    Begin and end are events of their own: of whole ones (``X``) that begin together, Perfetto takes all before the
    arrows, whatever their order in the file.
    """
    name = _shown(one.name)
    yield {"ph": "B", "name": name, "cat": one.category, "ts": one.start, **where, "args": one.args}
    for arrow in one.arriving:
        yield {"ph": "f", "bp": "e", "name": "led to", "cat": "flow", "id": arrow, "ts": one.start, **where}
    for arrow in one.leaving:
        yield {"ph": "s", "name": "led to", "cat": "flow", "id": arrow, "ts": one.start, **where}
    for inner in one.inner:
        yield from _events(inner, where)
    yield {"ph": "E", "name": name, "ts": one.end, **where}


def _counters(compilations: Sequence[TimedCompilation], pids: Mapping[int | None, int]) -> Iterator[_Json]:
    """Compile time so far, and entries in the caches of watched functions, as far as it is known."""
    steps: list[tuple[int, int, TimedCompilation, float, str]] = []
    for one in compilations:
        late = [each for each in one.late if each.known]
        if one.cleared:
            steps.append((microseconds(one.start), one.id, one, 0.0, "cleared"))
        steps.append((microseconds(one.end), one.id, one, one.seconds - sum(each.seconds for each in late), "made"))
        steps += [(microseconds(each.end), one.id, one, each.seconds, "late") for each in late]
    steps.sort(key=lambda step: step[:2])
    seconds = dict.fromkeys(pids, 0.0)
    entries: dict[int | None, dict[int | None, int]] = {key: {} for key in pids}
    total, generation = dict.fromkeys(pids, 0), dict.fromkeys(pids, 0)
    torch_functions = {one.function for one in compilations if one.framework == "torch"}
    for key, pid in pids.items() if steps else ():
        yield _counter("compile seconds", pid, 0, seconds[key])
        yield _counter("cache entries", pid, 0, 0)
    for when, _, one, spent, what in steps:
        key, pid = one.process, pids[one.process]
        mine = entries[key]
        if what == "cleared":
            total[key] -= mine.pop(one.function, 0)
        if one.framework == "torch" and one.generation > generation[key]:
            generation[key] = one.generation
            for function in torch_functions & mine.keys():  # a reset empties all of torch's caches
                total[key] -= mine.pop(function)
        if what == "made" and one.compiled and one.function is not None:
            mine[one.function] = mine.get(one.function, 0) + 1
            total[key] += 1
        if spent:
            seconds[key] += spent
            yield _counter("compile seconds", pid, when, round(seconds[key], 6))
        if what != "late" and one.function is not None:
            yield _counter("cache entries", pid, when, total[key])


def _counter(name: str, pid: int, when: int, value: float) -> _Json:
    # Perfetto's name for it is both words.
    first, _, second = name.partition(" ")
    return {"ph": "C", "name": first, "ts": when, "pid": pid, "args": {second: value}}


def _metadata(name: str, pid: int, tid: int, /, **args: str | int) -> _Json:
    return {"ph": "M", "name": name, "pid": pid, "tid": tid, "args": args}


def _args(compilations: Sequence[TimedCompilation], functions: Mapping[int, FunctionReport]) -> dict[int, _Json]:
    texts = {(one.id, each.id): each.text for one in functions.values() for each in one.signatures}
    details = {each.id: each for one in functions.values() for each in one.compilations_detail}
    found: dict[int, _Json] = {}
    for one in compilations:
        function = functions.get(one.function) if one.function is not None else None
        signature = texts.get((one.function, one.signature)) if one.function and one.signature is not None else None
        place = f"{function.file}:{function.line}" if function is not None and function.file else None
        known = {
            "function": one.name,
            "defined at": place,
            "program": one.program,
            "called at": f"{one.site.file}:{one.site.line}" if one.site is not None else None,
            "under": one.under,
            "signature": signature,
            **_why(details.get(one.id)),
            "failed": one.failed,
            "framework id": one.framework_id,
            "label": one.label,
        }
        shown: _Json = {name: _shown(text) for name, text in known.items() if text is not None}
        found[one.id] = {"compilation": one.id, "seconds": one.seconds} | shown
        if one.call is not None:
            found[one.id]["call"] = one.call
        untimed = {late.name: late.seconds for late in one.late if not late.known}
        if untimed:
            found[one.id]["later, when is not recorded"] = untimed
        if one.root is not None:
            found[one.id]["because of compilation"] = one.root
    return found


def _why(detail: CompilationReport | None) -> dict[str, str | None]:
    if detail is None:
        return {}
    changes = {f"change {number}": text for number, text in enumerate(change_lines(detail.causes)[:_CHANGES], start=1)}
    cached = {"persistent cache": detail.persistent_cache} if detail.persistent_cache in {"hit", "miss"} else {}
    return {**changes, "fix": detail.fix, **cached}


_SUMS: Final = 50
"""Functions whose calls are told: those that lost most time."""
_CHANGES: Final = 8
_TEXT: Final = 400


def _shown(text: str) -> str:
    return printable(cut(text, _TEXT))
