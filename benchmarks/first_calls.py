"""The first call of attention: cold, with the cache on disk, and warmed from a recording; second call and eager beside.

    python benchmarks/first_calls.py
    python benchmarks/first_calls.py --device cuda --shape 32,1024,16,256 --keep recordings [jax|torch …]

Each line is a fresh process (`programs/first_attention.py`). With ``--keep`` the recordings stay, for
``jitscope first``. ``docs/first-calls.md`` tells what came out.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from processes import PROGRAMS, answer, compile_source

PROGRAM = str(PROGRAMS / "first_attention.py")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--shape", default="2,64,4,32", help="batch, sequence, heads, head size")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="keep the recordings and the numbers there")
    parser.add_argument("frameworks", nargs="*", default=["jax", "torch"])
    options = parser.parse_args()
    compile_source()
    with tempfile.TemporaryDirectory(prefix="jitscope-first-") as scratch:
        folder = options.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        for framework in options.frameworks:
            found = measure(framework, options, folder, Path(scratch))
            (folder / f"{framework}.json").write_text(json.dumps(found, indent=2) + "\n")


def measure(framework: str, options: argparse.Namespace, folder: Path, scratch: Path) -> dict[str, Any]:
    """All of one framework, in turn, each in a process of its own."""
    print(f"\n{framework}: attention bf16[{options.shape}] on {options.device}\n")
    print(f"{'':24}{'imports':>9}{'warm-up':>9}{'first':>11}{'second':>11}{'steady':>11}  eager, compiles")
    recording = {name: str(folder / f"{framework}-{name}.jsonl") for name in ("cold", "disk")}
    turns = {
        "cold": ("measure", "cold", "empty"),
        "fills the cache": ("measure", "disk", "kept"),
        "cache on disk": ("measure", "disk", "kept"),
        "warmed": ("warm", "cold", "empty-too"),
        "warmed from the disk": ("warm", "cold", "kept"),
    }
    found: dict[str, Any] = {}
    for name, (how, which, cache) in turns.items():
        found[name] = one = answer(
            PROGRAM,
            framework,
            options.device,
            options.shape,
            how,
            recording[which],
            env=caches(framework, scratch, cache),
        )
        print(line(name, one), flush=True)
    return found


def caches(framework: str, scratch: Path, name: str) -> dict[str, str]:
    """Settings of a cache on disk. torch's is always on, so what is cold gets an empty one; so does JAX's."""
    folder = str(scratch / f"{framework}-{name}")  # without a blank: torch 2.13 does not quote it for g++
    if framework == "jax":
        return {
            "JAX_COMPILATION_CACHE_DIR": folder,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
    return {"TORCHINDUCTOR_CACHE_DIR": folder, "TRITON_CACHE_DIR": f"{folder}/triton"}


def line(name: str, one: dict[str, Any]) -> str:
    """One process."""
    warming = f"{one['warming']:8.2f}s" if "warming" in one else f"{'':9}"
    times = "".join(f"{one[key] * 1e3:9.2f}ms" if one.get(key) else f"{'':11}" for key in ("first", "second", "steady"))
    if "compiled" in one:
        rest = f"compiles while answering: {one['compiled']}, ready: {one['ready']}"
    elif one["eager_steady"] is None:
        rest = "eager: not measured"
    else:
        pays = f"pays after {one['pays_after']} calls" if one["pays_after"] is not None else "never pays"
        share = f"{one['attributed']:.1%} attributed"
        rest = f"{share}, eager {one['eager_first'] * 1e3:.2f}, then {one['eager_steady'] * 1e3:.2f} ms: {pays}"
    return f"{name:24}{one['imports']:8.2f}s{warming}{times}  {rest}"


if __name__ == "__main__":
    main()
