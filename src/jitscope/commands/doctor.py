"""``jitscope doctor``: what of a program jitscope can see here, and what is in the way."""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import click
import msgspec

from jitscope.analysis.environment import variables_of
from jitscope.analysis.health import advice_of, problems_of
from jitscope.commands.output import write_out
from jitscope.errors import FAILED
from jitscope.model.events import SCHEMA
from jitscope.model.health import Cache, FrameworkHealth, Health, Hook, Recordings
from jitscope.store.folders import measure, writable
from jitscope.store.locate import directory
from jitscope.version import __version__

FRAMEWORKS = ("jax", "torch")
_LIBRARIES = ("click", "msgspec", "networkx", "rich")
_EPILOG = """\b
Examples:
  jitscope doctor
  jitscope doctor --format json
"""


@click.command(epilog=_EPILOG)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--timeout", type=click.FloatRange(min=1), default=120, show_default=True, metavar="SECONDS",
              help="For each framework: one that takes longer is reported as broken.")  # fmt: skip
@click.option("--all", "all_", is_flag=True, help="Show every hook, also those that are there.")
def doctor(format_: str, timeout: float, all_: bool) -> None:
    """Say what of a program can be seen here: versions, hooks, devices, caches, environment.

    Each framework is imported in a process of its own. Exit code 1 where something is broken.
    """
    health = examine(timeout)
    if format_ == "json":
        from jitscope.render.json import render_json

        write_out(render_json(health))
    else:
        # A renderer is imported when it is used: rich takes longer than all the rest.
        from jitscope.render.health import render_health

        write_out(render_health(health, all_=all_))
    if not health.usable:
        click.get_current_context().exit(FAILED)


def examine(timeout: float) -> Health:
    """Look at everything; ``timeout`` seconds are what each framework is given."""
    started = [(name, _start(name)) for name in FRAMEWORKS]
    libraries = {name: _version(name) for name in _LIBRARIES}
    recordings = _recordings()
    try:
        frameworks = tuple(_finish(name, process, timeout) for name, process in started)
    finally:
        for _, process in started:
            process.kill()
    problems = problems_of(frameworks, recordings, libraries)
    return Health(
        schema=SCHEMA,
        usable=not problems,
        versions={"python": platform.python_version(), "jitscope": __version__}
        | {name: version or "not installed" for name, version in libraries.items()},
        executable=sys.executable,
        platform=platform.platform(),
        frameworks=frameworks,
        recordings=recordings,
        variables=variables_of(os.environ),
        problems=problems,
        advice=advice_of(frameworks, recordings, os.environ),
    )


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return ""


def _recordings() -> Recordings:
    folder = directory()
    sizes = [path.stat().st_size for path in folder.glob("*.jsonl") if path.is_file()] if folder.is_dir() else []
    return Recordings(str(folder), len(sizes), sum(sizes), writable(folder))


def _start(name: str) -> subprocess.Popen[bytes]:
    source = str(Path(__file__).resolve().parents[2])
    paths = [path for path in (os.environ.get("PYTHONPATH"), source) if path]
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(paths),
        # To look at the devices takes none of their memory.
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
    return subprocess.Popen(  # noqa: S603  # this Python, and a module of our own
        [sys.executable, "-m", "jitscope.capture.frameworks.examine", name],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _finish(name: str, process: subprocess.Popen[bytes], timeout: float) -> FrameworkHealth:
    """Put together what a framework's process said, however far it came."""
    stopped: str | None = None
    try:
        output, _ = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        output, _ = process.communicate()
        stopped = f"did not end within {timeout:g} s"
    lines = [line for line in output.splitlines(keepends=True) if line.endswith(b"\n")]
    parts = [msgspec.json.decode(line, type=dict[str, Any]) for line in lines]
    if not any(part["part"] in ("end", "missing", "broken") for part in parts):
        stopped = stopped or _died(process.returncode)
    return framework_of(name, parts, stopped)


def framework_of(name: str, parts: list[dict[str, Any]], stopped: str | None) -> FrameworkHealth:
    """What the parts say; ``stopped`` is how the process ended before it was through."""
    found = {part["part"]: part.get("found") for part in parts}
    if "missing" in found:
        return FrameworkHealth(name, "not installed")
    failed = {
        part["what"]: f"can't tell {part['what']} ({part['problem']})" for part in parts if part["part"] == "failed"
    }
    problems = [text for what, text in failed.items() if what == "caches"]
    broken = [part["problem"] for part in parts if part["part"] == "broken"]
    # Without devices no program runs.
    broken += [text for what, text in failed.items() if what != "caches"]
    if stopped is not None:
        doing = [part["what"] for part in parts if part["part"] == "doing"]
        broken.append(f"{doing[-1] if doing else f'starting Python for {name}'} {stopped}")
    version: dict[str, Any] = found.get("version") or {}
    return FrameworkHealth(
        name=name,
        status="broken" if broken else "ok",
        problem="; ".join([*broken, *problems]) or None,
        versions=version.get("versions", {}),
        location=version.get("location"),
        hooks=tuple(msgspec.convert(found.get("hooks") or [], list[Hook])),
        devices=tuple(found.get("devices") or ()),
        caches=tuple(_measured(one) for one in msgspec.convert(found.get("caches") or [], list[Cache])),
    )


def _measured(cache: Cache) -> Cache:
    size = measure(Path(cache.path)) if cache.path and "://" not in cache.path else None
    if size is None:
        return cache
    return msgspec.structs.replace(
        cache, exists=True, files=size.files, size=size.size, counted_all=size.counted_all
    )  # fmt: skip


def _died(code: int) -> str:
    if code >= 0:
        return f"ended the process with exit code {code}"
    try:
        return f"crashed ({signal.Signals(-code).name})"
    except ValueError:
        return f"crashed (signal {-code})"
