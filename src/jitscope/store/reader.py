"""Reading a recording back, with one clear error where it cannot be read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.events import SCHEMA, CompilationEvent, EndEvent, Event, Header, PhaseEvent, SignatureEvent
from jitscope.model.recording import Recording
from jitscope.model.signature import Leaf


class _Probe(msgspec.Struct):
    """The fields that tell what a line is, whatever else it holds."""

    event: str
    schema: int | None = None


_EVENT: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)
_HEADER = msgspec.json.Decoder(Header)
_PROBE = msgspec.json.Decoder(_Probe)
_KNOWN = frozenset(str(kind.__struct_config__.tag) for kind in get_args(Event))


def load(path: Path, *, without: frozenset[str] = frozenset()) -> Recording:
    """Read the recording at ``path``.

    Events of the kinds in ``without`` (as in the file: ``signature``) are left out, only looked at as JSON: that is
    several times quicker.

    A last line that was cut off is left out and flagged (`Recording.torn`); events of kinds that this
    jitscope does not know are counted (`Recording.skipped`); unknown fields are ignored. Anything else
    that is wrong is a `JitscopeError` naming the file and the line.
    """
    lines = _lines(path)
    first = next(lines)
    header = _header(path, first.removesuffix(b"\n"), whole=first.endswith(b"\n"))
    events: list[Event] = []
    skipped = 0
    torn = False
    passed = tuple(b'{"event":"%s"' % kind.encode() for kind in sorted(without))
    share = _Shared()
    for number, line in enumerate(lines, start=2):
        whole = line.endswith(b"\n")
        if passed and whole and line.startswith(passed):
            _glimpse(path, number, line)
            continue
        try:
            event = _event(path, number, line)
        except JitscopeError:
            if whole:
                raise
            # The program was killed in the middle of a line, or is writing it right now.
            torn = True
            break
        if event is None:
            skipped += 1
        else:
            share(event)
            events.append(event)
    return Recording(
        header=header, events=tuple(events), wall_seconds=_wall_seconds(events), torn=torn, skipped=skipped
    )


def read_header(path: Path) -> Header:
    """The header of the recording at ``path``, and nothing else of it; errors as for `load`."""
    line = next(_lines(path))
    return _header(path, line.removesuffix(b"\n"), whole=line.endswith(b"\n"))


def read_end(path: Path) -> EndEvent | None:
    """The end of the recording at ``path``, from the last of the file; None where it has none."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _TAIL))
        line = file.read().rstrip(b"\n").rpartition(b"\n")[2]
    try:
        event = _EVENT.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return event if isinstance(event, EndEvent) else None


_TAIL = 1 << 16
"""An end is shorter, in bytes."""


class _Shared:
    """Makes equal parts of events the same object: a long recording says the same things many times."""

    def __init__(self) -> None:
        self._leaves: dict[Leaf, Leaf] = {}
        self._parts: dict[object, object] = {}

    def __call__(self, event: Event) -> None:
        """Change ``event``, which was decoded just now and is nobody else's yet."""
        if isinstance(event, SignatureEvent):
            known = self._leaves
            leaves = tuple([known.setdefault(leaf, leaf) for leaf in event.signature.leaves])
            msgspec.structs.force_setattr(event.signature, "leaves", leaves)
        elif isinstance(event, CompilationEvent):
            for name in ("program", "site", "layers", "persistent_cache", "framework"):
                part = getattr(event, name)
                msgspec.structs.force_setattr(event, name, self._parts.setdefault(part, part))


def _lines(path: Path) -> Iterator[bytes]:
    """The lines of a file, each with its end; at least one."""
    try:
        with path.open("rb") as file:
            first = file.readline()
            if not first.strip() and not any(line.strip() for line in file):
                raise JitscopeError(
                    f"recording {path} is empty: the program stopped before it recorded anything; run it again",
                    slug="recording-empty",
                )
            yield first
            yield from file
    except FileNotFoundError:
        raise JitscopeError(
            f"no recording at {path}: check the path, or leave it out to use the newest one", slug="recording-missing"
        ) from None
    except IsADirectoryError:
        raise JitscopeError(
            f"{path} is a folder: name one of the recordings (*.jsonl) in it", slug="recording-is-folder"
        ) from None
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise JitscopeError(
            f"cannot read recording {path}: {why}; check the path and its permissions", slug="recording-unreadable"
        ) from error


def _header(path: Path, line: bytes, *, whole: bool) -> Header:
    try:
        probe = _PROBE.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if not whole and line.startswith(b'{"event":"header"'):
            raise JitscopeError(
                f"recording {path} is cut off in line 1, its header: nothing in it can be read; run the program again",
                slug="recording-broken",
            ) from None
        raise _foreign(path) from None
    if probe.event != "header" or probe.schema is None:
        raise _foreign(path)
    if probe.schema > SCHEMA:
        raise JitscopeError(
            f"recording {path} has schema {probe.schema} (line 1), this jitscope reads up to {SCHEMA}: "
            "upgrade jitscope to read it",
            slug="recording-newer",
        )
    try:
        return _HEADER.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(path, 1, error) from error


def _glimpse(path: Path, number: int, line: bytes) -> None:
    try:
        _PROBE.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _broken(path, number, error) from error


def _event(path: Path, number: int, line: bytes) -> Event | None:
    """Decode a line; None where its kind is unknown."""
    try:
        return _EVENT.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        try:
            probe = _PROBE.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise _broken(path, number, error) from error
        if probe.event in _KNOWN or probe.event == "header":
            raise _broken(path, number, error) from error
        return None


def _foreign(path: Path) -> JitscopeError:
    return JitscopeError(
        f"{path} is not a jitscope recording: its line 1 is not a recording's header; "
        "name a .jsonl file written by jitscope",
        slug="not-a-recording",
    )


def _broken(path: Path, number: int, error: Exception) -> JitscopeError:
    return JitscopeError(
        f"recording {path} is broken in line {number} ({error}): record again, or delete that line to read the rest",
        slug="recording-broken",
    )


def _wall_seconds(events: list[Event]) -> float | None:
    """What the end says; without an end, when the last compilation was over: a lower bound."""
    last: float | None = None
    for event in events:
        if isinstance(event, EndEvent):
            return event.wall_seconds
        over: float | None = None
        if isinstance(event, CompilationEvent):
            over = event.start + event.seconds
        elif isinstance(event, PhaseEvent):
            over = event.phase.start + event.phase.seconds
        if over is not None:
            last = over if last is None else max(last, over)
    return last
