"""Time to the first answers of a server: cold, with the cache on disk, and warmed from a recording.

    python benchmarks/warm.py [--rounds N] [jax|torch …]

Each figure is of fresh processes (`programs/warm_*.py`), in turns; medians. ``docs/warm.md`` tells what came out.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import tempfile
from pathlib import Path

from processes import PROGRAMS, compile_source, python

CACHES = {
    "jax": {"JAX_COMPILATION_CACHE_DIR": "cache", "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"},
    "torch": {"TORCHINDUCTOR_CACHE_DIR": "cache"},
}
JOBS = {"jax": (1, 2), "torch": (1,)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("frameworks", nargs="*", default=list(CACHES))
    options = parser.parse_args()
    compile_source()
    for framework in options.frameworks:
        _measure(framework, options.rounds)


def _measure(framework: str, rounds: int) -> None:
    program = str(PROGRAMS / f"warm_{framework}.py")
    folder = Path(tempfile.mkdtemp(prefix="jitscope-warm-"))
    recording = str(folder / "run.jsonl")
    cache = {name: str(folder / value) if value == "cache" else value for name, value in CACHES[framework].items()}
    if framework == "torch":  # its cache is on by default: what is cold gets an empty one each time
        empty = str(folder / "empty")
    python(program, "record", recording, env=cache)  # and fills the cache
    found: dict[str, list[dict[str, object]]] = {}

    def run(name: str, *args: str, disk: bool) -> None:
        env = dict(cache) if disk else {}
        if framework == "torch" and not disk:
            shutil.rmtree(empty, ignore_errors=True)
            env = {"TORCHINDUCTOR_CACHE_DIR": empty}
        found.setdefault(name, []).append(json.loads(python(program, *args, env=env)[1].splitlines()[-1]))

    for _ in range(rounds):
        run("cold", "cold", recording, disk=False)
        run("cache on disk", "cold", recording, disk=True)
        for jobs in JOBS[framework]:
            run(f"warmed, {jobs} at once", "warm", recording, str(jobs), disk=False)
        run("warmed from the disk", "warm", recording, "1", disk=True)
    shutil.rmtree(folder, ignore_errors=True)
    print(f"\n{framework}: medians of {rounds}\n")
    print(f"{'':24}{'warm-up':>10}{'slowest answer':>16}{'all answers':>13}{'compiles while answering':>26}")
    for name, results in found.items():
        warming = statistics.median(float(one["warming"]) for one in results)  # type: ignore[arg-type]
        slowest = statistics.median(max(one["times"]) for one in results)  # type: ignore[call-overload]
        total = statistics.median(sum(one["times"]) for one in results)  # type: ignore[call-overload]
        compiled = sorted({str(one["compiled"]) for one in results})
        print(f"{name:24}{warming:9.2f}s{slowest * 1e3:14.1f}ms{total:12.2f}s{'/'.join(compiled):>26}")


if __name__ == "__main__":
    main()
