"""What a comparison of two runs says, in words that the text and the Markdown share."""

from __future__ import annotations

from jitscope.model.difference import CauseChange, FunctionChange, ProgramChange, RunDifference, Side
from jitscope.model.notation import cut
from jitscope.model.report import Totals
from jitscope.render.numbers import count_text, ratio_text, seconds_text


def verdict_text(value: RunDifference) -> str:
    """``B compiles 3 fewer times and 12.4 s less``; one sentence, whatever happened."""
    old, new = value.before.totals, value.after.totals
    count = abs(value.compilations)
    if value.comparable == "no":
        return (
            "A and B are not comparable: "
            f"{count_text(old.compilations, 'compilation')} in A, {new.compilations} in B, of other functions"
        )
    match value.verdict:
        case "same" if not old.compilations and not new.compilations:
            return "nothing is compiled, in A or in B"
        case "same" if not value.compile_seconds:
            times = "the same times"
            return f"nothing changed: {count_text(old.compilations, 'compilation')} in both, {times}"
        case "same":
            spent = f"{seconds_text(old.compile_seconds)} and {seconds_text(new.compile_seconds)}"
            return f"the same {count_text(old.compilations, 'compilation')} in both; they took {spent}"
        case "other":
            lead = f"B compiles as often as A ({old.compilations} times), but not the same"
        case "fewer":
            lead = f"B compiles {count_text(count, 'fewer time', 'fewer times')}"
        case "more":
            lead = f"B compiles {count_text(count, 'more time', 'more times')}"
    return f"{lead} and {_seconds(value.compile_seconds)}"


def _seconds(change: float) -> str:
    if not change:
        return "takes as long"
    return f"{seconds_text(abs(change))} {'less' if change < 0 else 'more'}"


def change_text(seconds: float) -> str:
    """``-12.4 s``, ``+3.1 s``, ``±0 s``."""
    return f"{'-' if seconds < 0 else '+'}{seconds_text(abs(seconds))}" if seconds else "±0 s"


def number_rows(value: RunDifference) -> list[tuple[str, str, str]]:
    """Name, A, B: the numbers of the two runs; those that are nothing in both are left out."""
    a, b = value.before.totals, value.after.totals
    rows = [
        ("compilations", f"{a.compilations}, {seconds_text(a.compile_seconds)}",
         f"{b.compilations}, {seconds_text(b.compile_seconds)}"),
        ("of them again", f"{a.recompilations}, {seconds_text(a.recompile_seconds)}",
         f"{b.recompilations}, {seconds_text(b.recompile_seconds)}"),
        ("avoidable", str(a.avoidable_recompilations), str(b.avoidable_recompilations)),
        ("hits", ratio_text(a.hits, a.calls), ratio_text(b.hits, b.calls)),
        ("eager fallbacks", str(a.eager_fallbacks), str(b.eager_fallbacks)),
        ("not watched", _eager(a), _eager(b)),
        ("whole run", _wall(value.before), _wall(value.after)),
    ]  # fmt: skip
    empty = {"0", "0, 0 s"}
    return [row for row in rows if row[0] == "compilations" or not {row[1], row[2]} <= empty]


def _eager(totals: Totals) -> str:
    return f"{totals.eager_op_compilations}, {seconds_text(totals.eager_op_compile_seconds)}"


def _wall(side: Side) -> str:
    if side.wall_seconds is None:
        return "unknown"
    return f"{'' if side.complete else 'at least '}{seconds_text(side.wall_seconds)}"


def side_text(side: Side) -> str:
    """The run in one line: command, versions, devices, processes, id."""
    versions = [f"{name} {side.versions[name]}" for name in ("jax", "torch") if name in side.versions]
    processes = count_text(side.processes, "process", "processes") if side.processes > 1 else ""
    parts = [cut(" ".join(side.argv), 60), *versions, cut(", ".join(side.devices), 40), processes, f"run {side.run}"]
    return " · ".join(part for part in parts if part)


def place_text(one: FunctionChange) -> str:
    """``train.py:12``, or ``train.py:12 → 15`` where it moved."""
    if not one.file:
        return ""
    name = one.file.replace("\\", "/").rsplit("/", 1)[-1]
    lines = [str(numbers.line) for numbers in (one.before, one.after) if numbers is not None]
    return f"{name}:{' → '.join(dict.fromkeys(lines))}"


def function_text(one: FunctionChange) -> str:
    """``7 → 4 compilations, -6.00 s · hits 2 / 9 (22.2%) → 7 / 9 (77.7%)``."""
    old, new = one.before, one.after
    if old is None or new is None:
        there = old or new
        assert there is not None
        return (
            f"{count_text(there.compilations, 'compilation')}, {seconds_text(there.compile_seconds)} · "
            f"hits {ratio_text(there.hits, there.calls)}"
        )
    count = (
        count_text(new.compilations, "compilation")
        if old.compilations == new.compilations
        else f"{old.compilations} → {count_text(new.compilations, 'compilation')}"
    )
    hits = [ratio_text(each.hits, each.calls) for each in (old, new)]
    parts = [f"{count}, {change_text(one.seconds)}", f"hits {' → '.join(dict.fromkeys(hits))}"]
    if old.avoidable_recompilations or new.avoidable_recompilations:
        parts.append(f"avoidable {old.avoidable_recompilations} → {new.avoidable_recompilations}")
    if old.eager_fallbacks or new.eager_fallbacks:
        parts.append(f"eager fallbacks {old.eager_fallbacks} → {new.eager_fallbacks}")
    return " · ".join(parts)


def program_text(one: ProgramChange, *, program: bool) -> str:
    """What is compiled: its signature; with ``program`` also the program's name."""
    under = f" under {one.under}" if one.under is not None else ""
    name = f"{one.program}{under}  " if program or under else ""
    return name + (one.signature or "a signature that was not read")


def program_cost(one: ProgramChange) -> str:
    """How often, how long and why: ``2.00 s (shape)``, ``1 → 3 times, +4.00 s (new_function)``."""
    why = f" ({', '.join(one.causes)})" if one.causes else ""
    if one.status == "changed":
        return f"{one.before} → {one.after} times, {change_text(one.seconds_after - one.seconds_before)}{why}"
    count = one.before or one.after
    times = f"{count} times, " if count > 1 else ""
    return f"{times}{seconds_text(one.seconds_before or one.seconds_after)}{why}"


def cause_text(one: CauseChange) -> str:
    """``batch['x'] (shape) of train_step: 6 → 0 compilations, 12.0 s → 0 s``."""
    what = f"{one.path} ({one.kind})" if one.path is not None else one.kind
    seconds = f"{seconds_text(one.seconds_before)} → {seconds_text(one.seconds_after)}"
    name = one.function.rpartition("<locals>.")[2]
    return f"{what} of {name}: {one.before} → {count_text(one.after, 'compilation')}, {seconds}"
