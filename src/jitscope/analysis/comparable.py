"""Whether two runs can be compared, and what beside the program differs."""

from __future__ import annotations

from jitscope.model.difference import Caveat, Comparable, Side
from jitscope.model.notation import cut


def caveats_of(before: Side, after: Side) -> list[Caveat]:
    """All that makes the numbers say less than they seem to."""
    found: list[Caveat] = []
    if _command(before) != _command(after):
        text = f"another command line: {_argv(before)} in A, {_argv(after)} in B"
        found.append(Caveat("argv", text))
    names = sorted(before.versions.keys() | after.versions.keys())
    changed = [name for name in names if before.versions.get(name) != after.versions.get(name)]
    if "jax" in changed and "jaxlib" in changed and before.versions.get("jax") == before.versions.get("jaxlib"):
        changed.remove("jaxlib")
    for name in changed:
        old, new = before.versions.get(name), after.versions.get(name)
        if old is None or new is None:
            there = "B" if old is None else "A"
            found.append(Caveat("versions", f"{name} {new or old} in {there} only"))
        else:
            found.append(Caveat("versions", f"another {name}: {old} in A, {new} in B"))
    if before.devices != after.devices:
        found.append(Caveat("devices", f"other devices: {_devices(before)} in A, {_devices(after)} in B"))
    if before.processes != after.processes:
        found.append(
            Caveat("processes", f"another number of processes: {before.processes} in A, {after.processes} in B")
        )
    for name, side in (("A", before), ("B", after)):
        if not side.complete:
            text = f"{name} is incomplete: it was killed, still runs, or is cut off; it may have compiled more"
            found.append(Caveat("incomplete", text))
    return found


def grade(caveats: list[Caveat], *, common: bool) -> Comparable:
    """How far two runs can be compared; ``common``: they have a function in common, or at least one has none at all."""
    if not common:
        return "no"
    return "partly" if caveats else "yes"


def _command(side: Side) -> tuple[str, ...]:
    """The command line, wherever the program lies."""
    return (side.argv[0].replace("\\", "/").rsplit("/", 1)[-1], *side.argv[1:]) if side.argv else ()


def _argv(side: Side) -> str:
    return cut(" ".join(side.argv), 60) or "none"


def _devices(side: Side) -> str:
    return cut(", ".join(side.devices), 60) or "none known"
