"""The figures of the corpus, as a table."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Sequence
from pathlib import Path

from causes.judge import Judged, Verdict

BEGIN, END = "<!-- accuracy: begin -->", "<!-- accuracy: end -->"
NAMES = {"jax": "JAX", "torch": "PyTorch"}
PREFACE = """\
# Accuracy

How often jitscope says what really happened, and why. `tests/causes` holds small programs whose truth is written by
hand: what became of each call, and all causes of each compilation, with their paths. `make accuracy` runs them and
writes this page. Beside it is what the framework says by itself of the same compilations
(`jax_explain_cache_misses`; the reason for a recompilation that Dynamo logs), read generously and judged by the same
rule. The path of a cause is what has to change: an argument, a setting, a function.

"""


def figures(verdicts: Sequence[Verdict]) -> list[tuple[str, str, str]]:
    """Rows of a framework: what is counted, jitscope's figure, the framework's own."""
    run = [verdict for verdict in verdicts if verdict.skipped is None]
    compilations = [one for verdict in run for one in verdict.compilations]
    true = [one for one in compilations if one.expected is not None]
    again = [one for one in true if one.needs_fix]
    calls = sum(len(verdict.expected_outcomes) for verdict in run)
    told = sum(
        one == other for verdict in run for one, other in zip(verdict.outcomes, verdict.expected_outcomes, strict=False)
    )
    return [
        ("situations", f"{len(run)}", ""),
        ("left out, for a package that is missing", f"{len(verdicts) - len(run)}", ""),
        ("calls", f"{calls}", ""),
        ("compilations", f"{len(true)}", ""),
        ("of them recompilations with something to say", f"{len(again)}", ""),
        ("calls whose outcome is right", share(told, calls), "–"),
        ("situations told right: calls, compilations, layers", share(sum(v.detected for v in run), len(run)), "–"),
        ("compilations with all causes, and only those", *_both(true, "right")),
        ("recompilations with all causes, and only those", *_both(again, "right")),
        ("recompilations with the right kinds", *_both(again, "kinds_right")),
        ("recompilations with the right paths", *_both(again, "paths_right")),
        ("recompilations with a fix", share(sum(one.fix for one in again), len(again)), "–"),
        (
            "causes that are none",
            f"{sum(len(one.wrong) for one in compilations)}",
            f"{sum(one.own_wrong for one in compilations)}",
        ),
    ]


def _both(compilations: Sequence[Judged], field: str) -> tuple[str, str]:
    return tuple(
        share(sum(getattr(one, prefix + field) for one in compilations), len(compilations)) for prefix in ("", "own_")
    )


def share(part: int, whole: int) -> str:
    """``97 of 100 (97.0 %)``."""
    return f"{part} of {whole} ({part / whole:.1%})".replace("%", " %") if whole else "–"


def markdown(results: dict[str, Sequence[Verdict]]) -> str:
    """The scoreboard of all frameworks."""
    parts: list[str] = []
    for framework, verdicts in results.items():
        name = NAMES[framework]
        rows = figures(verdicts)
        parts += [
            f"## {name} {importlib.metadata.version(framework)}",
            "",
            f"| | jitscope | {name}'s own explanation |",
            "|---|---|---|",
            *(f"| {what} | {ours} | {own} |" for what, ours, own in rows),
            "",
            *_failures(verdicts),
        ]
    return "\n".join(parts).rstrip() + "\n"


def _failures(verdicts: Sequence[Verdict]) -> list[str]:
    rows = [row for verdict in verdicts for row in _wrong(verdict)]
    if not rows:
        return ["In every situation jitscope is right.", ""]
    return [
        "Where jitscope is not right:",
        "",
        "| situation | what | true | reported |",
        "|---|---|---|---|",
        *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows),
        "",
    ]


def _wrong(verdict: Verdict) -> list[tuple[str, str, str, str]]:
    if verdict.skipped:
        return []
    if verdict.error:
        return [(verdict.name, "error", "", verdict.error.splitlines()[0])]
    rows = []
    if verdict.outcomes != verdict.expected_outcomes:
        rows.append((verdict.name, "outcomes", " ".join(verdict.expected_outcomes), " ".join(verdict.outcomes)))
    if verdict.layers != verdict.expected_layers:
        rows.append((verdict.name, "layers", _layers(verdict.expected_layers), _layers(verdict.layers)))
    for number, one in enumerate(verdict.compilations, 1):
        if not one.right:
            rows.append((verdict.name, f"causes of compilation {number}", causes(one.expected), causes(one.actual)))
        if one.needs_fix and not one.fix:
            rows.append((verdict.name, f"fix of compilation {number}", "one", "none"))
    return rows


def _layers(layers: Sequence[Sequence[str]]) -> str:
    return "; ".join("+".join(one) for one in layers)


def causes(found: Sequence[tuple[str, str | None]] | None) -> str:
    """Causes as text."""
    if found is None:
        return "no such compilation"
    return ", ".join(f"{kind} `{path}`" if path else kind for kind, path in found) or "nothing"


def plain(results: dict[str, Sequence[Verdict]]) -> str:
    """The scoreboard for a terminal."""
    lines: list[str] = []
    for framework, verdicts in results.items():
        rows = [("", "jitscope", NAMES[framework]), *figures(verdicts)]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        lines += [
            NAMES[framework],
            *("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows),
            "",
        ]
        lines += [text for verdict in verdicts if (text := what_is_wrong(verdict))]
    return "\n".join(lines)


def what_is_wrong(verdict: Verdict) -> str:
    """Where a report differs from the truth; empty where it does not."""
    return "\n".join(
        f"{name}: {what}\n  true:     {true}\n  reported: {reported}" for name, what, true, reported in _wrong(verdict)
    )


def write(path: Path, text: str) -> None:
    """Write the scoreboard between the markers of a file, or as the whole file."""
    before, after = PREFACE, ""
    if path.exists() and BEGIN in (old := path.read_text("utf-8")):
        before, _, rest = old.partition(BEGIN)
        after = rest.partition(END)[2].removeprefix("\n")
    path.write_text(f"{before}{BEGIN}\n{text}{END}\n{after}", "utf-8")
