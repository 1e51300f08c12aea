"""The benchmarks: what jitscope costs, held against what else one might do, and against its targets.

    python benchmarks/run.py [--quick] [--only NAME] [--json FILE] [--write docs/overhead.md]
    python benchmarks/run.py --from FILE [--only NAME] --write docs/overhead.md   (what is in FILE, and NAME anew)

Each suite runs in a process of its own, one after the other. Exits with 1 if a suite failed, whatever the targets say:
a target that is missed is told, in the table.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter

HERE = Path(__file__).resolve().parent
if importlib.util.find_spec("jitscope") is None:
    sys.path.insert(0, str(HERE.parent / "src"))

import msgspec  # noqa: E402
from harness import Options, Table  # noqa: E402
from processes import compile_source, environment  # noqa: E402

SUITES = {
    "hit_jax": "hit_jax:measure",
    "hit_torch": "hit_torch:measure",
    "anatomy_jax": "anatomy_jax:measure",
    "anatomy_torch": "anatomy_torch:measure",
    "miss_jax": "miss:measure_jax",
    "miss_torch": "miss:measure_torch",
    "whole_jax": "whole:measure_jax",
    "whole_torch": "whole:measure_torch",
    "startup": "startup:measure",
    "memory": "memory:measure",
}
"""By name: the module beside this one, and its function that measures: ``measure(options) -> Iterator[Table]``."""
NOT_QUICK = {"anatomy_jax", "anatomy_torch", "whole_torch", "memory"}


def main() -> int:
    """Read the command line, measure, print, write."""
    options = _parse()
    if options.inside is not None:
        _measure_inside(options.inside, options.to, _options(options))
        return 0
    from machine import Results, commit, cpu, load, versions
    from overhead import write
    from rich.console import Console
    from tables import show

    compile_source()
    console = Console(width=max(Console().width, 142))
    # Where files are on this machine is nobody's business.
    told = [Path(word).name if Path(word).is_absolute() else word for word in sys.argv[1:]]
    command = shlex.join(["python", "benchmarks/run.py", *told])
    if options.from_file is not None:
        try:
            results = msgspec.json.decode(options.from_file.read_bytes(), type=Results)
        except (OSError, msgspec.MsgspecError) as error:
            print(f"run.py: error: {options.from_file}: {error}; --json writes such files", file=sys.stderr)
            return 2
        for table in results.tables if not options.only else ():
            show(table, console)
        results.command += f" and {command}" if options.only else ""
    else:
        results = Results(
            command=command,
            date=datetime.now(UTC).strftime("%Y-%m-%d"),
            commit=commit(),
            machine=f"{platform.system()} {platform.machine()}",
            cpu=cpu(),
            cores=os.cpu_count() or 1,
            load=load(),
            versions=versions(),
            quick=options.quick,
            seconds=0.0,
            tables=[],
        )
    start = perf_counter()
    for name in _chosen(options):
        print(f"{name} …", file=sys.stderr)
        try:
            tables = _in_a_process(name)
        except RuntimeError as error:
            results.missing[name] = str(error)
            print(f"{name}: {error}", file=sys.stderr)
            continue
        results.missing.pop(name, None)
        fresh = {table.name for table in tables}
        results.tables = [table for table in results.tables if table.name not in fresh] + tables
        for table in tables:
            show(table, console)
    results.seconds = round(results.seconds + perf_counter() - start, 1)
    versions_ = ", ".join(f"{name} {version}" for name, version in results.versions.items())
    console.print(f"{results.cpu}, {results.cores} cores, load before {results.load}; {versions_}; {results.seconds} s")
    if options.json is not None:
        options.json.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")
    if options.write is not None:
        write(options.write, results)
    return 1 if results.missing else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").partition("\n")[0], epilog=f"Suites: {', '.join(SUITES)}."
    )
    parser.add_argument("--quick", action="store_true", help="fewer suites, cases and rounds: under a minute")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="this suite; repeatable")
    parser.add_argument("--longer", type=int, default=1, metavar="N", help="N times as many rounds")
    parser.add_argument("--inductor", action="store_true", help='misses with backend="inductor", too')
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here, too")
    parser.add_argument("--write", type=Path, metavar="FILE", help="fill the tables of this page")
    parser.add_argument("--from", dest="from_file", type=Path, metavar="FILE", help="results that --json wrote")
    parser.add_argument("--inside", help=argparse.SUPPRESS)
    parser.add_argument("--to", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    unknown = set(options.only) - set(SUITES)
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    if options.longer < 1:
        parser.error("--longer: at least 1")
    # Said now, not after ten minutes.
    if options.json is not None and not options.json.absolute().parent.is_dir():
        parser.error(f"--json: no folder {options.json.absolute().parent}")
    if options.write is not None:
        from overhead import lacks

        wrong = lacks(options.write)
        if wrong is not None:
            parser.error(f"--write: {wrong}")
    return options


def _options(options: argparse.Namespace) -> Options:
    return Options(quick=options.quick, longer=options.longer, inductor=options.inductor)


def _chosen(options: argparse.Namespace) -> list[str]:
    if options.from_file is not None:
        return list(options.only)
    chosen = options.only or [name for name in SUITES if not (options.quick and name in NOT_QUICK)]
    # A suite that is not there yet, or no more, is none of a full run.
    return [name for name in chosen if options.only or (HERE / f"{SUITES[name].partition(':')[0]}.py").is_file()]


def _in_a_process(name: str) -> list[Table]:
    """Have a suite measure in a fresh process.

    Raises:
        RuntimeError: if it failed; in words.
    """
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "tables.json"
        command = [sys.executable, __file__, *sys.argv[1:], "--inside", name, "--to", str(to)]
        done = subprocess.run(command, check=False, capture_output=True, text=True, env=environment())  # noqa: S603
        if done.returncode or not to.is_file():
            last = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise RuntimeError(last[-1])
        return msgspec.json.decode(to.read_bytes(), type=list[Table])


def _measure_inside(name: str, to: Path, options: Options) -> None:
    module, _, function = SUITES[name].partition(":")
    measure: Callable[[Options], Iterator[Table]] | None = getattr(importlib.import_module(module), function, None)
    if measure is None:
        raise SystemExit(
            f"benchmarks/{module}.py has no {function}(options) -> Iterator[Table]: see benchmarks/README.md"
        )
    to.write_bytes(msgspec.json.encode(list(measure(options))))


if __name__ == "__main__":
    sys.exit(main())
