"""What recordings in a folder measured of programs that another recording found in JAX's persistent cache."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from jitscope.errors import JitscopeError
from jitscope.model.events import CompilationEvent
from jitscope.store.locate import recordings_in

MOST_BYTES = 256 << 20
"""Of recordings, the newest first, that are looked through."""
_COMPILATION = msgspec.json.Decoder(CompilationEvent)


def measured_beside(folder: Path, keys: Iterable[str], *, but: Iterable[Path] = ()) -> dict[str, float]:
    """By key: what compiling took in the newest run that wrote its entry. Quick: only lines that may tell are read."""
    wanted = {key.encode(): key for key in keys}
    found: dict[str, float] = {}
    if not wanted:
        return found
    left = MOST_BYTES
    own = {path.resolve() for path in but}
    try:
        paths = recordings_in(folder)
    except JitscopeError:
        return found
    for path in paths:
        if path.resolve() in own:
            continue
        try:
            left -= path.stat().st_size
            if left < 0 or len(found) == len(wanted):
                break
            with path.open("rb") as file:
                for line in file:
                    if line.startswith(b'{"event":"compilation"') and b'"written":true' in line:
                        _add(line, wanted, found)
        except OSError:
            continue
    return found


def _add(line: bytes, wanted: dict[bytes, str], found: dict[str, float]) -> None:
    if not any(key in line for key in wanted):
        return
    try:
        event = _COMPILATION.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return  # cut off, or of a newer jitscope
    for lookup in event.caches:
        if lookup.written and lookup.key and lookup.key.encode() in wanted and lookup.compile_seconds is not None:
            found.setdefault(lookup.key, lookup.compile_seconds)
