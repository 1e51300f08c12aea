"""Where the time of a first call went: what analysis makes of a recording for ``jitscope first``.

All times are in seconds. The parts of a thing add up to it: `Part.seconds` is `Part.own` and its parts' seconds.
"""

from __future__ import annotations

import msgspec

from jitscope.model.events import Framework, Site
from jitscope.model.note import Note


class Part(msgspec.Struct, frozen=True):
    """A part of a call: one stretch of time, or several of one kind inside the same part."""

    name: str
    """For programs: ``compile``, ``inductor``, ``eager_op``, ``run``; or what the framework calls the step."""
    label: str
    """For people."""
    start: float | None
    """Of the first of them, from the start of the whole; None: only its duration is known."""
    seconds: float
    own: float
    """Of that, what is in none of its parts."""
    count: int = 1
    """Stretches that it stands for."""
    program: str | None = None
    """What was compiled, where that is not the function itself; several: the most frequent ones with their numbers."""
    parts: tuple[Part, ...] = ()
    """In the order of their starts."""


class EagerPrograms(msgspec.Struct, frozen=True):
    """Programs of single operations, and of functions that nobody watched, compiled by themselves."""

    name: str
    count: int
    seconds: float
    """Own time of their phases."""
    library: bool
    """True: the framework's own (an eager operation); False: a function that nobody watched."""
    sites: tuple[Site, ...]
    """The most frequent first."""


class Measured(msgspec.Struct, frozen=True):
    """What `jitscope.first_call` measured; each call was waited for until its result was there."""

    first: float
    second: float
    steady: float | None
    """Median of the calls after the second one."""
    steady_calls: int
    eager_first: float | None
    """The first call without the compiler."""
    eager_steady: float | None
    """Median of the later calls without the compiler."""
    eager_calls: int
    eager_is: str
    """How those ran; or why there are none."""
    pays_after: int | None
    """Calls after which compiling has taken no longer than eager calls would have; None: never, or not known."""


class FirstCall(msgspec.Struct, frozen=True):
    """The anatomy of one call that compiled."""

    function: int
    framework: Framework
    name: str
    kind: str
    file: str
    line: int
    process: int | None
    call: int | None
    """Its ordinal, from 1; None where it is not known."""
    site: Site | None
    started: float
    """From the start of the recording."""
    seconds: float
    """Until it returned: the wall time that the parts add up to."""
    parts: tuple[Part, ...]
    not_attributed: float
    """What of `seconds` is in none of the parts."""
    attributed: float
    """Share of `seconds` that is in the parts."""
    complete: bool
    """Its spans were recorded. False: an older recording, a later recompilation; only the phases are known."""
    compilations: tuple[int, ...]
    """Ids of the compilations in it, of this function."""
    cache_hits: int
    """Of its compilations, those that came from a persistent cache."""
    caches_off: int
    """Of its compilations, those for which no persistent cache was set."""
    first: bool = False
    """It is the first call of its function that compiled."""
    later: tuple[Part, ...] = ()
    """What was compiled for it after it had returned: a backward graph."""
    eager_ops: tuple[EagerPrograms, ...] = ()
    """What was compiled by itself inside of it, the costliest first."""
    eager_before: tuple[EagerPrograms, ...] = ()
    """What was compiled by itself since the compiling call before it (of any function), the costliest first."""
    measured: Measured | None = None
    advice: tuple[str, ...] = ()
    """What can be done, the best first."""
    notes: tuple[Note, ...] = ()
    """What is not known, and why."""


class StartUp(msgspec.Struct, frozen=True):
    """What came before the first call that compiled."""

    process: int | None
    since: str
    """What `seconds` are counted from: ``process`` (its start), or ``recording``."""
    seconds: float
    parts: tuple[Part, ...]
    not_attributed: float
    """The program's own code, its other imports, calls that compiled nothing."""
    eager_ops: tuple[EagerPrograms, ...] = ()


class FirstCalls(msgspec.Struct, frozen=True):
    """What ``jitscope first --format json`` writes."""

    schema: int
    run: str
    """Its id."""
    calls: tuple[FirstCall, ...]
    """The longest first."""
    start_up: tuple[StartUp, ...]
    """One a process."""
