"""Runs a framework's corpus in a process of its own: ``python -m causes.runner jax verdicts.json [NAME ...]``.

The framework's own explanations are collected in the same run.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.util
import logging
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from causes.judge import Cause, Seen, Statement, Verdict, judge
from causes.situation import Situation

if TYPE_CHECKING:
    from jitscope.model.report import CompilationReport

FOLDER = Path(__file__).parent
FRAMEWORKS = ("jax", "torch")


def names(framework: str) -> list[str]:
    """The situations' names, read from the sources: without importing the framework."""
    return [
        node.name
        for path in _sources(framework)
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
        and any(ast.unparse(decorator).startswith("situation(") for decorator in node.decorator_list)
    ]


def installed(package: str) -> bool:
    """Whether a package can be imported; the folders ``tests/jax`` and ``tests/torch`` are none."""
    spec = importlib.util.find_spec(package)
    return spec is not None and spec.origin is not None


def measure(framework: str, only: Sequence[str] = ()) -> list[Verdict]:
    """Run the corpus in a subprocess."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("JITSCOPE", "JAX_"))}
    environment |= {
        "JITSCOPE_STRICT": "1",
        "JAX_PLATFORMS": "cpu",
        "XLA_FLAGS": "--xla_force_host_platform_device_count=4",
        "PYTHONPATH": os.pathsep.join([str(FOLDER.parent), *map(os.path.abspath, filter(None, sys.path))]),
    }
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder, "verdicts.json")
        done = subprocess.run(
            [sys.executable, "-m", "causes.runner", framework, str(output), *only],
            env=environment,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"the {framework} corpus could not be run:\n{done.stderr}")
        return msgspec.json.decode(output.read_bytes(), type=list[Verdict])


# -- in the subprocess ------------------------------------------------------------------------------


def _sources(framework: str) -> list[Path]:
    return sorted(FOLDER.glob(f"{framework}_*.py"))


def corpus_of(framework: str) -> list[Situation]:
    """All situations of a framework; imports it."""
    found: dict[str, Situation] = {}
    modules = [importlib.import_module(f"causes.{path.stem}") for path in _sources(framework)]
    for module in modules:
        for one in getattr(module, "situations", ()):
            assert found.setdefault(one.name, one) is one, f"two situations are called {one.name}"
    return list(found.values())


def run(framework: str, only: Sequence[str] = ()) -> list[Verdict]:
    """Run the corpus in this process."""
    witness = JaxWitness() if framework == "jax" else TorchWitness()
    return [_run_one(one, witness) for one in corpus_of(framework) if not only or one.name in only]


def _run_one(situation: Situation, witness: JaxWitness | TorchWitness) -> Verdict:
    missing = [package for package in situation.needs if not installed(package)]
    if missing:
        return Verdict(situation.name, situation.framework, skipped=f"{', '.join(missing)} not installed")
    import jitscope
    from jitscope.analysis.build import build_report
    from jitscope.store.reader import load

    gc.collect()
    witness.begin()
    try:
        with tempfile.TemporaryDirectory() as folder:
            with jitscope.record(Path(folder, "run.jsonl")) as recording:
                situation.program()
            report = build_report(load(recording.path))
    except Exception as error:  # noqa: BLE001 — whatever it is, the other situations are run
        return Verdict(situation.name, situation.framework, error=f"{type(error).__name__}: {error}")
    functions = sorted(report.functions, key=lambda function: function.id)
    outcomes = [
        run.outcome
        for function in functions
        if function.calls
        for run in function.history
        for _ in range(run.count)
        if run.outcome != "nested"
    ]
    fixed = {number for finding in report.findings if finding.fix for number in finding.compilations}
    compilations = sorted(
        (one for function in functions for one in function.compilations_detail if _counts(one)),
        key=lambda one: one.id,
    )
    seen = [
        Seen(
            causes=tuple((cause.kind, cause.path) for cause in one.causes),
            layers=one.layers,
            fix=one.fix is not None or one.id in fixed,
            own=witness.words_for(one),
        )
        for one in compilations
    ]
    return judge(situation, outcomes, seen)


def _counts(compilation: CompilationReport) -> bool:
    """Whether it compiled, or was given up for the recompile limit."""
    return compilation.failed is None or "limit" in compilation.failed


class JaxWitness:
    """What JAX itself says, program by program."""

    def __init__(self) -> None:
        import jax
        from jax import monitoring

        self._pending: list[str] = []
        self._said: dict[str, list[list[str]]] = {}
        self._sources: set[str] = set()
        jax.config.update("jax_explain_cache_misses", True)
        handler = logging.Handler()
        handler.emit = lambda record: self._pending.append(record.getMessage())
        for name in ("jax._src.pjit", "jax._src.interpreters.partial_eval"):
            logger = logging.getLogger(name)
            logger.addHandler(handler)
            logger.propagate = False
        monitoring.register_event_duration_secs_listener(self._on_duration)

    def _on_duration(self, name: str, seconds: float, **kwargs: object) -> None:
        from causes.jax_own_words import function_of

        if not name.endswith("/backend_compile_duration"):
            return
        program = _program(str(kwargs.get("fun_name", "")))
        mine = [text for text in self._pending if function_of(text) == program]
        if mine:
            # The others are of functions traced into this one, or of traces that failed.
            self._pending.clear()
        self._said.setdefault(program, []).append(mine[-1:])

    def begin(self) -> None:
        import jax

        jax.clear_caches()
        self._pending.clear()
        self._said.clear()
        self._sources.clear()

    def words_for(self, compilation: CompilationReport) -> tuple[Statement, ...] | None:
        """The statements about a compilation; asked in order."""
        from causes.jax_own_words import read

        said = self._said.get(_program(compilation.program), [])
        texts = said.pop(0) if said else []
        statements: list[frozenset[Cause]] = []
        for text in texts:
            source = text.partition("defined at ")[2].split("\n")[0]
            statements += read(text, first=source not in self._sources)
            self._sources.add(source)
        return tuple(tuple(sorted(statement)) for statement in statements) or None


def _program(name: str) -> str:
    return name.removeprefix("jit(").removesuffix(")")


class TorchWitness:
    """What torch itself says, compile id by compile id."""

    def __init__(self) -> None:
        self._warnings: list[str] = []
        handler = logging.Handler(logging.WARNING)
        handler.emit = lambda record: self._warnings.append(record.getMessage())
        logging.getLogger("torch._dynamo.convert_frame").addHandler(handler)
        self._metrics: dict[str, list[object]] | None = None

    def begin(self) -> None:
        import torch

        torch.compiler.reset()
        torch._dynamo.utils.clear_compilation_metrics()
        self._warnings.clear()
        self._metrics = None

    def words_for(self, compilation: CompilationReport) -> tuple[Statement, ...] | None:
        """The statements about a compilation; asked in order."""
        from causes.torch_own_words import read

        if compilation.failed is not None:
            return self._limit(read)
        if self._metrics is None:
            self._metrics = _metrics_by_id()
        mine = self._metrics.get(compilation.framework_id or "", [])
        metrics = mine.pop(0) if mine else None
        text = getattr(metrics, "recompile_reason", None)
        if text:
            return tuple((cause,) for cause in sorted(read(text), key=str)) or None
        resumed = re.match(r"torch_dynamo_resume_in_(.+)_at_\d+$", getattr(metrics, "co_name", None) or "")
        return ((("graph_break", resumed[1]),),) if resumed else None

    def _limit(self, read: Callable[[str], set[Cause]]) -> tuple[Statement, ...] | None:
        """What the warning at the recompile limit says."""
        texts = [text for text in self._warnings if "recompile_limit" in text]
        if not texts:
            return None
        text = texts[0]
        self._warnings.remove(text)
        function = re.search(r"function: '([^']+)'", text)
        reason = re.search(r"last reason: (.*)", text)
        causes = {("recompile_limit", function[1] if function else None)}
        return tuple((cause,) for cause in sorted(causes | (read(reason[1]) if reason else set()), key=str))


def _metrics_by_id() -> dict[str, list[object]]:
    import torch

    found: dict[str, list[object]] = {}
    for metrics in torch._dynamo.utils.get_compilation_metrics():
        if metrics.is_forward is not False and not getattr(metrics, "is_runtime", False) and metrics.co_name:
            found.setdefault(str(metrics.compile_id), []).append(metrics)
    return found


if __name__ == "__main__":
    Path(sys.argv[2]).write_bytes(msgspec.json.encode(run(sys.argv[1], sys.argv[3:])))
