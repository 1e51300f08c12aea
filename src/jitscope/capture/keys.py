"""What the keys of caches on disk were made of, as events: the first of a kind in full, later ones by what differs."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

from jitscope.model.caching import CacheKeyEvent, KeyPart, pack

MOST_TEXT = 64 * 1024
"""Characters of a program's text that are kept."""
KEPT = 1_000
"""Keys whose event is remembered, to be referred to again; what is forgotten is written again."""
WORDS = 300
"""Characters of a part's text that are kept."""
DIGEST = 16


class KeyBook:
    """Gives each key one event."""

    def __init__(self, new_id: Callable[[], int]) -> None:
        self._new_id = new_id
        self._lock = threading.Lock()
        self._bases: dict[str, CacheKeyEvent] = {}
        self._known: dict[tuple[str, str, bool], CacheKeyEvent] = {}

    def forked(self) -> None:
        """Another thread may have held the lock."""
        self._lock = threading.Lock()

    def events(
        self,
        cache: str,
        key: str,
        parts: Sequence[KeyPart],
        *,
        text: str | None = None,
        untold: str | None = None,
        captured: Mapping[str, str] | None = None,
    ) -> tuple[CacheKeyEvent, ...]:
        """The event of a key, the last one, behind the one that it refers to.

        ``text`` is the program's; where it is left out, ``untold`` says why.
        """
        with self._lock:
            known = self._known.get((cache, key, text is not None))
            base = self._bases.get(cache)
            if known is None:
                if text is not None and len(text) > MOST_TEXT:
                    untold = f"it has {len(text)} characters, more than {MOST_TEXT}"
                    text = None
                differing, gone = _against(base, parts)
                known = CacheKeyEvent(
                    id=self._new_id(),
                    cache=cache,
                    key=key,
                    base=base.id if base is not None else None,
                    parts=differing,
                    gone=gone,
                    packed=pack(text) if text is not None else None,
                    unpacked=untold if text is None else None,
                    captured=dict(captured or {}),
                )
                self._remember(known, told=text is not None)
            return (base, known) if base is not None and known.base == base.id else (known,)

    def _remember(self, event: CacheKeyEvent, *, told: bool) -> None:
        if event.base is None:
            self._bases[event.cache] = event
        self._known[(event.cache, event.key, told)] = event
        if len(self._known) > KEPT:
            del self._known[next(iter(self._known))]


def _against(base: CacheKeyEvent | None, parts: Sequence[KeyPart]) -> tuple[tuple[KeyPart, ...], tuple[str, ...]]:
    if base is None:
        return tuple(parts), ()
    before = {part.name: part for part in base.parts}
    names = {part.name for part in parts}
    return tuple(part for part in parts if before.get(part.name) != part), tuple(n for n in before if n not in names)
