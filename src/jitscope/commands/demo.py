"""``jitscope demo``: a small program that compiles, run under jitscope.

The programs are the scripts in ``examples/``; nothing of them is repeated here.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import platform
import shutil
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

import click

FRAMEWORKS = ("jax", "torch")
WITHOUT_COMPILER = "aot_eager"
"""torch's backend where Inductor cannot compile for the CPU."""


class Timings(Protocol):
    """What the examples measure, in seconds; they say what each means."""

    framework: str
    device: str
    shape: tuple[int, int, int, int]
    dtype: str
    options: str
    eager: float
    first: float
    second: float
    later: float
    bare: float
    rounds: int
    changed: dict[str, float]


_EPILOG = """\b
Examples:
  jitscope demo attention
  jitscope demo attention --framework jax --device cpu
"""


@click.group(epilog=_EPILOG)
def demo() -> None:
    """Run a small program that compiles, and see what jitscope says of it."""


@demo.command(epilog=_EPILOG)
@click.option(
    "--framework",
    type=click.Choice([*FRAMEWORKS, "both"]),
    default="both",
    show_default=True,
    help="What to run it on.",
)
@click.option(
    "--shape",
    type=click.IntRange(min=1),
    nargs=4,
    metavar="B T N H",
    help="Batch, sequence, heads, head size  [default: 32 1024 16 256 on a GPU, 2 64 4 32 on a CPU]",
)
@click.option("--dtype", type=click.Choice(["bfloat16", "float16", "float32"]), default="bfloat16", show_default=True)
@click.option("--device", type=click.Choice(["cpu", "cuda"]), help="[default: cuda where there is one]")
@click.option("--backend", help="torch.compile's backend  [default: inductor]")
def attention(
    framework: str, shape: tuple[int, int, int, int] | None, dtype: str, device: str | None, backend: str | None
) -> None:
    """Attention: eager, the first compiled call, the second, then another length and another dtype."""
    # JAX would take most of the GPU's memory for itself, and torch runs after it in the same process.
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    frameworks = _installed(FRAMEWORKS if framework == "both" else (framework,))
    if backend is not None:
        _check_backend(frameworks, backend)
    devices = {name: _device(name, device) for name in frameworks}

    import jitscope

    measured: list[Timings] = []
    with jitscope.record() as recording:
        for name in frameworks:
            example = load_example(f"attention_{name}")
            options = {"backend": backend or _default_backend(devices[name])} if name == "torch" else {}
            size = shape or (example.FULL_SHAPE if devices[name] == "cuda" else example.SMALL_SHAPE)
            _progress(f"{name}: attention {list(size)} {dtype} on {devices[name]}")
            measured.append(_measure(example, name, size, dtype, devices[name], options))
        report = str(recording.report())

    _print_table(measured)
    if recording.path.is_file():
        click.echo(report, nl=False)
    else:
        click.echo("Nothing was recorded: JITSCOPE=0 is set.")


def load_example(name: str) -> ModuleType:
    """Import an example script: from the wheel, or from the checkout of an editable install."""
    package = Path(__file__).resolve().parents[1]
    for folder in (package / "_examples", package.parents[1] / "examples"):
        path = folder / f"{name}.py"
        if path.is_file():
            spec = importlib.util.spec_from_file_location(name, path)
            assert spec is not None
            assert spec.loader is not None
            module = importlib.util.module_from_spec(spec)
            sys.modules[name] = module  # dataclasses look their module up
            spec.loader.exec_module(module)
            return module
    raise click.ClickException(f"this installation of jitscope lacks its example {name}.py: install it again")


def _measure(
    example: ModuleType, framework: str, shape: Sequence[int], dtype: str, device: str, options: dict[str, str]
) -> Timings:
    try:
        timings: Timings = example.measure(tuple(shape), dtype, device, **options)
    except (MemoryError, RuntimeError, ValueError) as error:
        # Out of memory, a backend that fails: the framework's first line says which.
        first = next(iter(str(error).strip().splitlines()), "")
        raise click.ClickException(
            f"{framework} could not run attention {list(shape)} {dtype} on {device}: {type(error).__name__}: {first}"
        ) from error
    return timings


def _installed(frameworks: Sequence[str]) -> list[str]:
    """Those of the frameworks that can be imported; a line for each of the others."""
    found = []
    for name in frameworks:
        if importlib.util.find_spec(name) is not None:
            found.append(name)
        elif len(frameworks) > 1:
            _progress(f'{name} is not installed, leaving it out: pip install "jitscope[{name}]"')
    if not found:
        raise click.ClickException(f'{" and ".join(frameworks)} not installed: pip install "jitscope[{frameworks[0]}]"')
    return found


def _device(framework: str, wanted: str | None) -> str:
    """``cuda`` where the framework has one, unless the user wants something else."""
    if wanted == "cpu":
        return wanted
    if _has_cuda(framework):
        return "cuda"
    if wanted == "cuda":
        raise click.UsageError(f"{framework} sees no CUDA device here; use --device cpu, or leave --device out.")
    return "cpu"


def _has_cuda(framework: str) -> bool:
    if framework == "torch":
        torch: Any = importlib.import_module("torch")
        return bool(torch.cuda.is_available())
    jax: Any = importlib.import_module("jax")
    try:
        devices = jax.devices()
    except RuntimeError as error:
        raise click.ClickException(f"jax finds no device it can use: {str(error).partition(chr(10))[0]}") from error
    return any(device.platform == "gpu" for device in devices)


def _check_backend(frameworks: Sequence[str], backend: str) -> None:
    if "torch" not in frameworks:
        raise click.UsageError("--backend is for torch; JAX has one compiler.")
    torch: Any = importlib.import_module("torch")
    if backend not in torch.compiler.list_backends(exclude_tags=()):
        known = ", ".join(["eager", "aot_eager", *torch.compiler.list_backends()])
        raise click.UsageError(f"torch has no backend {backend!r}; it has {known}.")


def _default_backend(device: str) -> str:
    """Inductor; on a CPU it needs a C++ compiler and Python's headers, and not every machine has them."""
    if device != "cpu":
        return "inductor"
    compiler = os.environ.get("CXX") or ("clang++" if platform.system() == "Darwin" else "g++")
    missing = [] if platform.system() == "Windows" or shutil.which(compiler) else [f"a C++ compiler ({compiler})"]
    if not (Path(sysconfig.get_path("include")) / "Python.h").is_file():
        missing.append("Python's headers (Python.h)")
    if not missing:
        return "inductor"
    _progress(f"torch: Inductor needs {' and '.join(missing)}: using --backend {WITHOUT_COMPILER}")
    return WITHOUT_COMPILER


def _progress(text: str) -> None:
    click.echo(text, err=True)


def _print_table(measured: Sequence[Timings]) -> None:
    """The timings, a column for each framework."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, title="attention", title_justify="left")
    table.add_column("")
    for timings in measured:
        options = f"\n{timings.options}" if timings.options else ""
        shape = ",".join(map(str, timings.shape))
        head = f"{timings.framework} on {timings.device}\n{timings.dtype}[{shape}]{options}"
        table.add_column(head, justify="right", overflow="fold")
    rounds = "/".join(str(number) for number in sorted({timings.rounds for timings in measured}))
    rows: list[tuple[str, list[float]]] = [
        ("eager (median)", [timings.eager for timings in measured]),
        ("first compiled call", [timings.first for timings in measured]),
        ("second compiled call", [timings.second for timings in measured]),
        (f"later calls (median of {rounds})", [timings.later for timings in measured]),
        ("  the same without jitscope", [timings.bare for timings in measured]),
    ]
    for label, seconds in rows:
        table.add_row(label, *map(_duration, seconds))
    table.add_row("then, for the first time:")
    for label in dict.fromkeys(label for timings in measured for label in timings.changed):
        cells = [_duration(timings.changed[label]) if label in timings.changed else "" for timings in measured]
        table.add_row(f"  {label}", *cells)
    Console(highlight=False).print(table)


def _duration(seconds: float) -> str:
    """Three digits and a unit: ``0.162 ms``, ``118 ms``, ``18.0 s``."""
    value, unit = (seconds, "s") if seconds >= 1 else (seconds * 1e3, "ms")
    decimals = 3 if value < 1 else 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:.{decimals}f} {unit}"
