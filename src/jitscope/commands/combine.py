"""``jitscope combine``: the processes or ranks of a run, put together."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import click

from jitscope.analysis.combine import Renumber, combined_end, combined_header, starts_of
from jitscope.analysis.divergence import Digest, Known, combined_of
from jitscope.analysis.programs import process_order, refuse_strangers
from jitscope.commands.choose import files_of, programs, without_parts
from jitscope.commands.output import refuse_overwriting, write_out
from jitscope.commands.progress import track
from jitscope.commands.workers import digests
from jitscope.model.combined import Combined
from jitscope.model.events import NoteEvent
from jitscope.store.assembly import Assembly
from jitscope.store.reader import load, read_header

_EPILOG = """\b
Examples:
  jitscope combine
  jitscope combine rank*.jsonl -o all.jsonl
  jitscope combine 20261123-101500-4711 --format json
"""


@click.command(epilog=_EPILOG)
@click.argument("files", nargs=-1, metavar="[FILES... | RUN_ID]")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="Write the combined recording, for report and why."
)
@click.option("--force", is_flag=True, help="Overwrite the file of -o.")
@click.option("--any", "any_", is_flag=True, help="Combine recordings that are not of one run, too.")
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
def combine(files: tuple[str, ...], output: Path | None, force: bool, any_: bool, format_: str) -> None:
    """Put the processes or ranks of a run together: what each did, and where they differ.

    FILES are the recordings of one run; or RUN_ID, the id of one of its processes. Without either, the newest run.
    Totals are sums over the processes: each process has caches of its own, and its own first compilations.
    """
    if not files:
        paths = programs()[0]
    elif len(files) == 1:
        paths = files_of(files[0], whole=True)
    else:
        paths = [path for name in files for path in files_of(name, whole=False)]
    if output is not None:
        for path in paths:
            refuse_overwriting(output, source=path, force=force)
    value = _combine(list(dict.fromkeys(paths)), output, force=force, any_=any_)
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(value))
        return
    from jitscope.render.combined import render_combined

    write_out(render_combined(value, written=str(output) if output is not None else None))


def _combine(paths: Sequence[Path], output: Path | None, *, force: bool, any_: bool) -> Combined:
    """Read the recordings one after another, in several processes: few are in memory at a time."""
    found = sorted(((read_header(path), path) for path in paths), key=lambda one: process_order(one[0]))
    refuse_strangers([header for header, _ in found], [str(path) for _, path in found], any_=any_)
    chosen, notes = without_parts(found)
    headers = [header for header, _ in chosen]
    alone = len(chosen) == 1
    known, renumber = Known(), Renumber()
    done: list[Digest] = []
    gc.disable()  # values without cycles: looking for some takes long
    with Assembly(output) if output is not None else nullcontext() as assembly:
        pairs = list(zip((path for _, path in chosen), starts_of(headers), strict=True))
        made = digests(pairs, known)
        for path, start in track(pairs, "combining recordings"):
            done.append(next(made))
            if assembly is not None and not alone:
                assembly.add(renumber.events(load(path), start))
        if assembly is not None and alone:
            assembly.copy(pairs[0][0], force=force)
        elif assembly is not None:
            processes = [one.info for one in done]
            assembly.add([*(NoteEvent(one.slug, one.text) for one in notes), combined_end(processes)])
            assembly.finish(combined_header(headers, [start for _, start in pairs], processes), force=force)
    program = headers[0].program or headers[0].run
    return combined_of(done, known, program=program, argv=headers[0].argv, notes=notes)
