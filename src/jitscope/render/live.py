"""What a program is compiling right now, and what it has compiled so far: a few lines, drawn again and again."""

from __future__ import annotations

import io
from collections.abc import Sequence

from jitscope.model.notation import printable
from jitscope.model.progress import Compiling, FunctionNow
from jitscope.render.numbers import seconds_text
from jitscope.render.riches import Console, Table, Text


def render_live(
    functions: Sequence[FunctionNow],
    compiling: Sequence[Compiling],
    *,
    now: float,
    width: int,
    height: int,
    color: bool = True,
) -> list[str]:
    """At most ``height`` lines of at most ``width`` columns: what is under way first, then the costliest functions.

    ``now`` is on the clock of ``compiling``.
    """
    console = Console(
        file=io.StringIO(), width=width, color_system="standard" if color else None,
        force_terminal=color, legacy_windows=False, highlight=False, markup=False, emoji=False,
    )  # fmt: skip
    under_way = sorted((job for job in compiling if job.over is None), key=lambda job: job.since)
    for job in under_way[: max(height // 3, 1)]:
        what = printable(f"{job.name} ({job.signature})" if job.signature else job.name or f"a {job.framework} program")
        line = Text.assemble(("compiling ", "bold yellow"), what, f" for {job.seconds(now):.1f} s")
        line.truncate(width, overflow="ellipsis")
        console.print(line, no_wrap=True)
    if not under_way:
        console.print(Text("jitscope: nothing is being compiled", style="dim"))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("function", no_wrap=True, overflow="ellipsis")
    for name in ("hits", "compilations", "compiling"):
        table.add_column(name, justify="right", no_wrap=True)
    used = [one for one in functions if one.compilations or one.hits]
    room = height - max(min(len(under_way), height // 3), 1) - 1
    shown = used if len(used) <= room else used[: room - 1]
    for one in shown:
        table.add_row(Text(printable(one.name)), str(one.hits), str(one.compilations), seconds_text(one.seconds))
    if len(shown) < len(used):
        table.add_row(Text(f"… {len(used) - len(shown)} more", style="dim"))
    if used:
        console.print(table)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue().splitlines()[:height]
