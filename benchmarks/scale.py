"""How jitscope grows: calls, signatures, events, recordings, and what it takes to start.

``--quick`` takes a tenth or less of each. Every row is a measurement with its target; ``--json FILE`` writes them.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from processes import compile_source

HERE = Path(__file__).resolve().parent
Row = dict[str, Any]


def main() -> None:
    """Measure all, or the parts that are named."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", help=f"which: {', '.join(PARTS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="smaller: a minute or two")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to this file")
    parser.add_argument("--only", help=argparse.SUPPRESS)
    options = parser.parse_args()
    compile_source()
    measure(options)


def measure(options: argparse.Namespace) -> None:
    """Measure the parts one after another, each in a process of its own."""
    if options.only:
        # One part in a process of its own: its memory is its own.
        print(json.dumps(PARTS[options.only](quick=options.quick)))
        return
    rows: list[Row] = []
    for name in options.parts or PARTS:
        command = [sys.executable, __file__, "--only", name, *(["--quick"] if options.quick else [])]
        environment = os.environ | {"JITSCOPE_QUIET": "1"}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment)  # noqa: S603
        for row in json.loads(done.stdout.splitlines()[-1]):
            rows.append({"part": name, **row})
            print(line(rows[-1]), flush=True)
    if options.json:
        machine = {"python": platform.python_version(), "machine": platform.machine(), "cpus": os.cpu_count()}
        options.json.write_text(json.dumps({"quick": options.quick, **machine, "rows": rows}, indent=2) + "\n")


def line(row: Row) -> str:
    """One row of the table."""
    target = row.get("target")
    good = "" if target is None else f"  target {target:g}  {'ok' if row['value'] <= target else 'MISSED'}"
    return f"{row['part']:<11} {row['what']:<66} {row['value']:>10.3f} {row['unit']:<3}{good}"


def row(what: str, value: float, unit: str, target: float | None = None) -> Row:
    """A measurement."""
    return {"what": what, "value": value, "unit": unit, "target": target}


def memory() -> float:
    """Most memory of this process so far, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20 if sys.platform == "darwin" else 1000)


def resident() -> float:
    """Memory of this process now, in MB; where that can't be read, the most so far."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return memory()
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


@contextmanager
def recording(name: str) -> Iterator[Path]:
    """A recording of what the block does."""
    import jitscope

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"{name}.jsonl")
        with jitscope.record(path):
            yield path


class Probe:
    """Stands for a framework: tells the book that each call is a hit of its argument's signature."""

    def __init__(self, book: Any) -> None:
        self.book = book

    def signatures_held(self) -> tuple[int, ...]:
        """None."""
        return ()


def book(name: str = "step", line_: int = 1) -> Any:
    """A book of its own, without a framework."""
    from jitscope.capture.recorder import FunctionKey, recorder

    made = recorder.new_book(FunctionKey("jax", name, "/home/u/train.py", line_, "function"), {})
    made.probe = Probe(made)
    return made


def a_signature(size: int) -> Any:
    """As of a step with three arguments."""
    from jitscope.model.signature import ArrayLeaf, Signature

    return Signature(
        leaves=(
            ArrayLeaf("params['w']", "f32", (128, 10)),
            ArrayLeaf("batch['x']", "f32", (size, 128)),
            ArrayLeaf("batch['y']", "i32", (size,)),
        ),
        positional=2,
    )


# -- calls ----------------------------------------------------------------------------------------


def calls(*, quick: bool) -> list[Row]:
    """Many calls of one function with ten signatures."""
    total = 1_000_000 if quick else 10_000_000
    rows: list[Row] = []
    for what, of in (("in runs of 1,000", in_runs), ("in turn: A B A B …", in_turn), ("in random order", at_random)):
        before = resident()
        with recording("calls") as path:
            one = book()
            keys = [(one.signature(n, lambda n=n: a_signature(n)).id, "hit", None) for n in range(10)]
            start = time.perf_counter()
            of(one, keys, total)
            seconds = time.perf_counter() - start
            one.recorder.flush()
            size = path.stat().st_size / 1e6
            held = resident() - before
        counted = sum(one.history.counts.values())
        assert counted == total, (counted, total)
        name = f"{total:,} calls, {what}"
        rows.append(row(f"{name}: recorder", held, "MB", 20))
        rows.append(row(f"{name}: file", size, "MB", 1))
        rows.append(row(f"{name}: a call", seconds / total * 1e6, "µs"))
    return rows


def in_runs(one: Any, keys: list[Any], total: int) -> None:
    """A thousand calls of each, in turn."""
    for n in range(total // 1000):
        one.add(*keys[n % 10][:2], count=1000)


def in_turn(one: Any, keys: list[Any], total: int) -> None:
    """Two in turn, entered as a function of `Book.several` enters them."""
    from jitscope.capture.decisions import LOGGED

    log, pair = one.log, keys[:2]
    for _ in range(total // (2 * LOGGED)):
        log += pair * LOGGED
        one.log_is_full()
    log += pair * ((total - total // (2 * LOGGED) * 2 * LOGGED) // 2)


def at_random(one: Any, keys: list[Any], total: int) -> None:
    """Any of the ten."""
    import random

    chosen = random.Random(1).choices  # noqa: S311
    for _ in range(total // 5000):
        one.log += chosen(keys, k=5000)
        one.log_is_full()


# -- signatures -----------------------------------------------------------------------------------


def signatures(*, quick: bool) -> list[Row]:
    """Distinct signatures of one function, each compiled."""
    import jitscope
    from jitscope.capture.recorder import recorder
    from jitscope.model.events import CompilationEvent, Phase

    total = 20_000 if quick else 100_000
    before = resident()
    rows: list[Row] = []
    with recording("signatures") as path:
        one = book()
        seconds = []
        for n in range(total):
            start = time.perf_counter()
            known = one.signature(n, lambda n=n: a_signature(n)).id
            recorder.compilation(
                CompilationEvent(
                    id=recorder.new_id(),
                    function=one.id,
                    program="jit(step)",
                    call=one.next_ordinal(),
                    signature=known,
                    start=start,
                    phases=(Phase("trace", start, 0.001), Phase("lower", start, 0.001), Phase("compile", start, 0.01)),
                    layers=("trace", "lower", "compile"),
                ),
                one,
            )
            one.add(known, "compile")
            recorder.flush_calls(one)
            one.add(known, "hit", count=3)
            seconds.append(time.perf_counter() - start)
        held = resident() - before
        size = path.stat().st_size / 1e6
    tenth = total // 10
    what = f"{total:,} signatures"
    rows.append(row(f"{what}: recorder", held, "MB", 150))
    rows.append(row(f"{what}: file", size, "MB"))
    rows.append(row(f"{what}: a compilation, the first tenth", sum(seconds[:tenth]) / tenth * 1e6, "µs"))
    rows.append(row(f"{what}: a compilation, the last tenth", sum(seconds[-tenth:]) / tenth * 1e6, "µs"))
    start = time.perf_counter()
    report = jitscope.report().value
    rows.append(row(f"{what}: report in the program", time.perf_counter() - start, "s"))
    assert report.totals.calls == 4 * total
    assert report.totals.compilations == total
    return rows


def jax(*, quick: bool) -> list[Row]:
    """The same with JAX itself, watched and not."""
    import jax as framework
    import numpy as np

    import jitscope

    total = 200 if quick else 2000
    rows: list[Row] = []
    arrays = [np.ones(n, np.float32) for n in range(1, total + 1)]
    plain, watched = framework.jit(lambda x: x + 1), jitscope.jit(lambda x: x + 1)
    watched(np.ones((2, 2), np.float32))
    spent = {plain: 0.0, watched: 0.0}
    # In turn, so that what else the machine does falls on both.
    for one in arrays:
        for function in (plain, watched):
            start = time.perf_counter()
            function(one)
            spent[function] += time.perf_counter() - start
    rows.append(row(f"{total:,} compilations by JAX: each", spent[plain] / total * 1e3, "ms"))
    rows.append(row(f"{total:,} compilations by JAX: each, watched", spent[watched] / total * 1e3, "ms"))
    assert jitscope.stats(watched).compilations == total + 1
    return rows


def functions(*, quick: bool) -> list[Row]:
    """A new function in each step, as of a jit made in a loop."""
    import jitscope
    from jitscope.capture.recorder import recorder
    from jitscope.model.events import CompilationEvent, Phase

    total = 20_000 if quick else 200_000
    before = resident()
    for n in range(total):
        one = book("main.<locals>.<lambda>")
        known = one.signature(1, lambda: a_signature(8)).id
        recorder.compilation(
            CompilationEvent(
                id=recorder.new_id(),
                function=one.id,
                program="jit(<lambda>)",
                call=1,
                signature=known,
                start=float(n),
                phases=(Phase("compile", float(n), 0.01),),
                layers=("trace", "lower", "compile"),
            ),
            one,
        )
        one.add(known, "compile")
        one.add(known, "hit", count=9)
        recorder.forget(one)
    held = resident() - before
    totals = jitscope.report().value.totals
    assert (totals.calls, totals.compilations, totals.recompilations) == (10 * total, total, total - 1)
    return [row(f"{total:,} functions made in a loop: recorder", held, "MB", 100)]


# -- events ---------------------------------------------------------------------------------------


def events(*, quick: bool) -> list[Row]:
    """`jitscope report` on long recordings, by number of events."""
    sys.path.insert(0, str(HERE))
    import scale_recordings

    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for count in (10_000, 100_000) if quick else (10_000, 100_000, 1_000_000):
            path = scale_recordings.write(Path(folder, f"{count}.jsonl"), scale_recordings.mixed(count))
            rows += reported(path, f"{count:,} events", (20, 1000) if count == 1_000_000 else (None, None))
            path.unlink()
        for count in (1_000, 10_000) if quick else (1_000, 10_000, 100_000):
            path = scale_recordings.write(Path(folder, f"one{count}.jsonl"), scale_recordings.one_function(count))
            rows += reported(path, f"one function, {count:,} compilations", (None, None))
            path.unlink()
    return rows


def reported(path: Path, what: str, targets: tuple[float | None, float | None]) -> list[Row]:
    """Time, processor time and memory of one report."""
    seconds, processor, most = command("report", str(path))
    return [
        row(f"report, {what}", seconds, "s", targets[0]),
        row(f"report, {what}: processor time", processor, "s"),
        row(f"report, {what}: memory", most, "MB", targets[1]),
    ]


def command(*arguments: str, cwd: str | None = None) -> tuple[float, float, float]:
    """Run jitscope; its time, processor time and memory."""
    code = (
        "import resource, subprocess, sys, time\n"
        "start = time.perf_counter()\n"
        "subprocess.run([sys.executable, '-m', 'jitscope', *sys.argv[1:]], stdout=subprocess.DEVNULL, check=True)\n"
        "used = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
        "print(time.perf_counter() - start, used.ru_utime + used.ru_stime, used.ru_maxrss)\n"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, *arguments], stdout=subprocess.PIPE, text=True, check=True, cwd=cwd
    )
    seconds, processor, most = map(float, done.stdout.split())
    return seconds, processor, most / (1 << 20 if sys.platform == "darwin" else 1000)


def recordings(*, quick: bool) -> list[Row]:
    """`jitscope combine` on the ranks of a large launch."""
    sys.path.insert(0, str(HERE))
    import scale_recordings

    count = 50 if quick else 1000
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        paths = list(scale_recordings.ranks(Path(folder), count, 1_000_000))
        size = sum(path.stat().st_size for path in paths) / count / 1e6
        what = f"combine {count:,} recordings of {size:.2f} MB"
        names = [path.name for path in paths]
        seconds, processor, most = command("combine", *names, cwd=folder)
        rows.append(row(what, seconds, "s", None if quick else 60))
        rows.append(row(f"{what}: processor time", processor, "s"))
        rows.append(row(f"{what}: memory of the largest process", most, "MB"))
        some = names[:50]
        seconds, _, _ = command("combine", *some, "-o", "all.jsonl", "--any", cwd=folder)
        rows.append(row(f"combine {len(some)} of them into a file", seconds, "s"))
        seconds, _, most = command("report", "all.jsonl", cwd=folder)
        rows.append(row(f"report on the file combined of {len(some)}", seconds, "s"))
        rows.append(row(f"report on the file combined of {len(some)}: memory", most, "MB"))
    return rows


# -- starting -------------------------------------------------------------------------------------


def starting(*, quick: bool) -> list[Row]:
    """What is paid before anything is done: the best of several."""
    sys.path.insert(0, str(HERE))
    import scale_recordings

    turns = 3 if quick else 7
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        path = scale_recordings.write(Path(folder, "small.jsonl"), scale_recordings.mixed(300, functions=3))
        small = min(command("report", str(path))[0] for _ in range(turns))
        rows.append(row("report on a small recording", small, "s", 0.5))
    alone = "import time; start = time.perf_counter(); import jitscope; print(time.perf_counter() - start)"
    rows.append(row("import jitscope", 1e3 * best(alone, turns), "ms", 5))
    first = (
        "import time, {name}\n"
        "f = {make}\n"
        "start = time.perf_counter()\n"
        "import jitscope\n"
        "jitscope.watch(f)\n"
        "print(time.perf_counter() - start)"
    )
    for name, make in (("jax", "jax.jit(lambda x: x + 1)"), ("torch", "torch.compile(lambda x: x + 1)")):
        value = 1e3 * best(first.format(name=name, make=make), turns)
        rows.append(row(f"import jitscope and the first watch, after {name}", value, "ms", 30))
    return rows


def best(code: str, turns: int) -> float:
    """The least that programs print."""
    found: list[float] = []
    for _ in range(turns):
        done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
        found.append(float(done.stdout))
    return min(found)


PARTS: dict[str, Callable[..., list[Row]]] = {
    "calls": calls,
    "signatures": signatures,
    "jax": jax,
    "functions": functions,
    "events": events,
    "recordings": recordings,
    "starting": starting,
}

if __name__ == "__main__":
    main()
