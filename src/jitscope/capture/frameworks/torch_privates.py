"""Every private name of torch that jitscope touches, feature-detected in one place.

Tried on torch 2.13.0 (CPU) and 2.11.0 (CUDA 13). Where a name is missing, its capability is None and the adapter
says what can't be seen.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import CodeType, FrameType
from typing import Any

from jitscope.capture.frameworks import torch_cuda_privates as cuda
from jitscope.capture.frameworks.capability import Capability


def _get(module: str, name: str) -> Any:
    try:
        return getattr(importlib.import_module(module), name, None)
    except ImportError:
        return None


_eval_frame = "torch._C._dynamo.eval_frame"

register_user_context_hook: Callable[[Callable[[], str]], None] | None = _get(
    "torch._dynamo.utils", "register_hook_for_recompile_user_context"
)
"""Called at the start of each compile of a frame, also at the recompile limit, with the calling frames on the
stack (2.9 on). Survives ``torch.compiler.reset()``. What it raises reaches the user."""

register_bytecode_hook: Callable[[Callable[[CodeType, CodeType], Any]], Any] | None = _get(
    "torch._dynamo.convert_frame", "register_bytecode_hook"
)
"""Called when Dynamo has made code for a frame."""

callback_handler: Any = _get("torch._dynamo.callback", "callback_handler")
"""Start and end of compiles, with trigger and compile id (2.8 on); ``torch.compiler.reset()`` clears it."""

get_compilation_metrics: Callable[[], list[Any]] | None = _get("torch._dynamo.utils", "get_compilation_metrics")
"""Records of the last compiles; the record of a compile is there once it ended."""

set_metrics_limit: Callable[[int], None] | None = _get("torch._dynamo.utils", "set_compilation_metrics_limit")

set_guard_complete_hook: Callable[[Any], Any] | None = _get(_eval_frame, "set_guard_complete_hook")
"""Called with True or False after each guard check of a cached frame (2.8 on). One slot for the process; what it
returns is taken for the answer; an exception in it aborts the process."""

list_entries: Callable[[CodeType], list[Any]] | None = _get(_eval_frame, "_debug_get_cache_entry_list")
"""Live cache entries of a code object, of all regions, the one used last first."""

guard_failures: dict[CodeType, list[Any]] | None = _get("torch._dynamo.utils", "guard_failures")
"""By code: why older entries were rejected, one text an entry; emptied by ``torch.compiler.reset()``."""

skip_module: Callable[[str], None] | None = _get("torch._dynamo.trace_rules", "add")
"""Frames of this package are run as they are, never compiled by themselves."""

without_torch_function: Callable[[], AbstractContextManager[Any]] = (
    _get("torch._C", "DisableTorchFunction") or contextlib.nullcontext
)
"""Inside, subclasses and function modes see nothing of what is asked of a tensor (2.0 on)."""

_innermost_fn: Callable[[Any], Any] | None = _get("torch._dynamo.eval_frame", "innermost_fn")
_compile_context: Any = _get("torch._guards", "CompileContext")
optimized_module: Any = _get("torch._dynamo.eval_frame", "OptimizedModule")
"""What ``torch.compile(module)`` returns."""

tree_flatten_with_path: Callable[..., Any] | None = _get("torch.utils._pytree", "tree_flatten_with_path")
keystr: Callable[[Any], str] | None = _get("torch.utils._pytree", "keystr")
"""torch's pytrees (no public module of them before 2.14)."""

LIMIT_TEXT = "recompile limit"
"""Part of the metrics' ``fail_reason`` when Dynamo gave up on a frame (2.6 on)."""

RESUME_PREFIX = "torch_dynamo_resume_in_"
"""Functions that Dynamo makes for the rest of a frame after a graph break: ``torch_dynamo_resume_in_f_at_23``."""


dynamo_errors: tuple[type[BaseException], ...] = tuple(
    kind
    for name in ("TorchDynamoException", "FailOnRecompileLimitHit")
    if isinstance(kind := _get("torch._dynamo.exc", name), type)
)
"""What Dynamo raises itself: a frame that failed so is tried again, one that failed otherwise is left alone."""


def entries(code: CodeType, region: int | None = None) -> list[Any]:
    """Live cache entries of a code object, the one used last first (unless ``_set_lru_cache(False)``).

    With ``torch.compile(..., isolate_recompiles=True)`` (2.13) only those of the wrapper's own ``region``.
    """
    found = list(list_entries(code)) if list_entries is not None else []
    if region is None:
        return [entry for entry in found if getattr(entry, "isolate_recompiles_id", -1) in (-1, None)]
    return [entry for entry in found if getattr(entry, "isolate_recompiles_id", None) == region]


def same_region(live: list[Any]) -> bool:
    """Whether no entry belongs to a wrapper that was compiled with ``isolate_recompiles=True`` (2.13)."""
    return all(getattr(entry, "isolate_recompiles_id", -1) in (-1, None) for entry in live)


def can_list_entries() -> bool:
    """Whether `entries` works on this version."""
    return list_entries is not None


def innermost(compiled: Any) -> Any:
    """The user's callable inside a compiled one."""
    if _innermost_fn is not None:
        return _innermost_fn(compiled)
    return getattr(compiled, "_torchdynamo_orig_callable", compiled)


_DEFAULTS = {"backend": "inductor", "dynamic": "None", "fullgraph": "False", "mode": "{}"}


def compile_options(compiled: Any) -> dict[str, str]:
    """The options of ``torch.compile`` that are not the default, as texts (2.11, 2.13); empty where they can't be read.

    The wrapper's context (closure variable ``self``, a module's ``dynamo_ctx``) holds the backend at the end of a
    chain of ``_torchdynamo_orig_backend``.
    """
    context = getattr(compiled, "dynamo_ctx", None)
    code = getattr(compiled, "__code__", None)
    if context is None and code is not None:
        cells = dict(zip(code.co_freevars, compiled.__closure__ or (), strict=False))
        context = getattr(cells.get("self"), "cell_contents", None)
    backend = getattr(context, "callback", None)
    for _ in range(8):
        backend = getattr(backend, "_torchdynamo_orig_backend", backend)
    if context is None or backend is None:
        return {}
    inductor = type(backend).__name__ == "_TorchCompileInductorWrapper"
    name = "inductor" if inductor else getattr(backend, "compiler_name", None) or getattr(backend, "__name__", None)
    config = getattr(backend, "config", None) if inductor else getattr(backend, "kwargs", None)
    found = {
        "backend": str(name or type(backend).__name__),
        "dynamic": str(getattr(backend, "dynamic", getattr(context, "_dynamic", None))),
        "fullgraph": str(getattr(context, "fullgraph", False)),
        "mode": str(dict(config) if config else {}),
    }
    return {name: text[:200] for name, text in found.items() if text != _DEFAULTS[name]}


modes_in_force: Callable[[], int] | None = _get("torch._C", "_len_torch_function_stack")
"""How many torch function modes are in force: they would see what is asked of a tensor (2.11, 2.13)."""


def swallows_errors() -> bool:
    """Whether Dynamo runs a frame eager, then and from then on, where its compile raised.

    ``torch._dynamo.config.suppress_errors`` (2.11, 2.13).
    """
    return bool(getattr(_get("torch._dynamo", "config"), "suppress_errors", False))


def limit_reached(frame: FrameType) -> bool:
    """Whether the compile that begins at ``frame`` will end at a recompile limit, with nothing compiled.

    ``_compile`` asks ``exceeds_recompile_limit(cache_size, compile_id)`` after its hooks (2.11, 2.13).
    """
    ask = _get("torch._dynamo.convert_frame", "exceeds_recompile_limit")
    size = frame.f_locals.get("cache_size")
    if ask is None or size is None:
        return False
    exceeded, _ = ask(size, frame.f_locals.get("compile_id"))
    return bool(exceeded)


def current_compile_id() -> str | None:
    """The id of the compile under way in this thread: ``0/1``."""
    current = getattr(_compile_context, "current_compile_id", None)
    identity = current() if current is not None else None
    return str(identity) if identity is not None else None


def on_stance(callback: Callable[[str], None]) -> bool:
    """Have ``callback`` told each stance that is set from now on (2.6 to 2.13); whether that worked.

    `torch.compiler.set_stance` calls ``eval_frame._set_stance``, which ``decorators`` imports by name.
    """
    original = _set_stance()
    if original is None:
        return False

    @functools.wraps(original)
    def set_stance(stance: Any) -> Any:
        prior = original(stance)
        callback(str(getattr(stance, "stance", stance)))
        return prior

    for home in _STANCE_HOMES:
        setattr(importlib.import_module(home), "_set_stance", set_stance)  # noqa: B010  # the module has no types
    return True


_STANCE_HOMES = ("torch._dynamo.eval_frame", "torch._dynamo.decorators")


def _set_stance() -> Any:
    """What every way to set a stance calls, or None."""
    found = [_get(home, "_set_stance") for home in _STANCE_HOMES]
    return found[0] if all(one is found[0] for one in found) else None


def global_state() -> str | None:
    """The global state that Dynamo guards on, in the JSON in which a guard's text gives it (2.13), or None."""
    state = _get("torch._C._dynamo.guards", "GlobalStateGuard")
    read = getattr(state, "__getstate__", None)
    return str(read(state())) if read is not None and read is not getattr(object, "__getstate__", None) else None


def function_modes() -> list[str]:
    """The torch function modes in force, the outermost first: ``DeviceContext(meta)`` (2.6 to 2.13)."""
    stack = _get("torch.overrides", "_get_current_function_mode_stack")
    found = []
    for mode in stack() if stack is not None else ():
        device = getattr(mode, "device", None)
        found.append(type(mode).__name__ + (f"({device})" if device is not None else ""))
    return found


def transformation() -> str | None:
    """The innermost ``torch.func`` transformation that a call is inside of: ``vmap``, ``grad`` (2.13); None: none."""
    peek = _get("torch._C._functorch", "peek_interpreter_stack")
    inner = peek() if peek is not None else None
    return str(inner.key()).rpartition(".")[2].lower() if inner is not None else None


def dispatch_keys(tensor: Any) -> str:
    """A tensor's dispatch keys, as guards write them (2.13)."""
    read = _get("torch._C", "_dispatch_keys")
    return str(read(tensor)) if read is not None else "DispatchKeySet()"


stop_recomputation: type[BaseException] | None = _get("torch.utils.checkpoint", "_StopRecomputationError")
"""Ends the recomputation of a checkpointed function as soon as it is no longer needed: not the user's error."""


def from_numpy(value: Any) -> Any:
    """The tensor that Dynamo's guards look at in place of a NumPy array or number."""
    return _get("torch", "as_tensor")(value)


def dynamo_frame(frame: FrameType) -> Any:
    """The frame being compiled, as Dynamo sees it: local ``frame`` of ``_compile`` (2.9 to 2.13), or None."""
    found = frame.f_locals.get("frame")
    return found if hasattr(found, "f_globals") and hasattr(found, "f_locals") else None


def in_dispatch_mode() -> bool:
    """Whether a dispatch mode is in force that is not torch's own plumbing (2.11, 2.13)."""
    ask = _get("torch.utils._python_dispatch", "is_in_any_mode_without_ignore_compile_internals")
    return bool(ask()) if ask is not None else False


def on_dispatch_mode(callback: Callable[[], None]) -> bool:
    """Have ``callback`` called when a dispatch mode is entered that compiled code is not to run under.

    ``torch.utils._python_dispatch.TorchDispatchMode.__enter__`` calls ``_push_mode`` there (2.11, 2.13); whether that
    worked.
    """
    if not _tells_dispatch_modes():
        return False
    home: Any = importlib.import_module(_MODES)
    original = home._push_mode

    @functools.wraps(original)
    def push_mode(mode: Any) -> Any:
        if not mode.ignore_compile_internals():
            callback()
        return original(mode)

    home._push_mode = push_mode
    return True


_MODES = "torch.utils._python_dispatch"


def _tells_dispatch_modes() -> bool:
    names = ("_push_mode", "is_in_any_mode_without_ignore_compile_internals")
    return all(_get(_MODES, name) is not None for name in names)


def on_timed(began: Callable[[str], None], ended: Callable[[str], None]) -> bool:
    """Have the begin and end of each step told that Dynamo times itself, in its thread; whether that worked.

    ``dynamo_timed`` hands its steps to ``ChromiumEventLogger.log_event_start`` and ``log_event_end`` (2.11, 2.13), each
    time anew through the class. The two must not raise.
    """
    logger = _event_logger()
    if logger is None:
        return False
    start, end = (getattr(logger, name) for name in _STEPS)

    @functools.wraps(start)
    def log_event_start(self: Any, *args: Any, **kwargs: Any) -> Any:
        began(str(args[0] if args else kwargs.get("event_name")))
        return start(self, *args, **kwargs)

    @functools.wraps(end)
    def log_event_end(self: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            return end(self, *args, **kwargs)
        finally:
            ended(str(args[0] if args else kwargs.get("event_name")))

    logger.log_event_start, logger.log_event_end = log_event_start, log_event_end
    return True


_STEPS = ("log_event_start", "log_event_end")


def _event_logger() -> Any:
    logger = _get("torch._dynamo.utils", "ChromiumEventLogger")
    return logger if all(callable(getattr(logger, name, None)) for name in _STEPS) else None


def compiling_frame(frame: FrameType | None) -> tuple[FrameType, CodeType, str] | None:
    """Dynamo's ``_compile`` on the stack: its frame, the code being compiled, the compile id (2.9 to 2.13)."""
    while frame is not None:
        if frame.f_code.co_name == "_compile" and frame.f_code.co_filename.endswith("convert_frame.py"):
            found = frame.f_locals
            code, identity = found.get("code"), found.get("compile_id")
            return (frame, code, str(identity)) if isinstance(code, CodeType) and identity is not None else None
        frame = frame.f_back
    return None


def compiled_function(frame: FrameType | None) -> Any:
    """What the ``torch.compile`` call around a compile was given: ``fn`` of its wrapper's frame (2.11, 2.13)."""
    while frame is not None:
        if frame.f_code.co_name == "compile_wrapper" and frame.f_code.co_filename.endswith("eval_frame.py"):
            return frame.f_locals.get("fn")
        frame = frame.f_back
    return None


def inlined_code(frame: FrameType | None) -> list[CodeType]:
    """Code objects that Dynamo inlined in the frame just compiled, seen from its bytecode hook.

    ``traced_code`` of the output graph that ``_compile_inner`` holds, as ``output`` (2.13) or in its
    ``tracer_output`` (2.11, 2.13); empty where there is none.
    """
    for _ in range(6):
        if frame is None:
            break
        if frame.f_code.co_filename.endswith("convert_frame.py"):
            found = frame.f_locals
            for graph in (found.get("output"), getattr(found.get("tracer_output"), "output_graph", None)):
                traced = getattr(graph, "traced_code", None)
                if traced is not None:
                    return list(traced)
        frame = frame.f_back
    return []


CAPABILITIES: tuple[Capability, ...] = (
    Capability(
        "utils.register_hook_for_recompile_user_context",
        lambda: register_user_context_hook is not None,
        "runs when the compile of a frame starts, with the caller on the stack (2.9 on)",
        "compiles can't be attributed",
        "torch-no-hook",
    ),
    Capability(
        "torch._C._len_torch_function_stack",
        lambda: modes_in_force is not None,
        "whether a torch function mode would see what is asked of a tensor",
        "which of several entries served a call is told by their order alone",
    ),
    Capability(
        "convert_frame.exceeds_recompile_limit",
        lambda: _get("torch._dynamo.convert_frame", "exceeds_recompile_limit") is not None,
        "whether a compile will end at the recompile limit, so that gates let it pass",
        "gates refuse a call that meets the recompile limit, though nothing would be compiled",
    ),
    Capability(
        "utils.get_compilation_metrics",
        lambda: get_compilation_metrics is not None,
        "phases and failures of each compile",
        "phases are unknown",
        "torch-no-metrics",
    ),
    Capability(
        "eval_frame._debug_get_cache_entry_list",
        can_list_entries,
        "which cache entry served a call",
        "which entry was hit is unknown",
        "torch-no-entries",
    ),
    Capability(
        "callback.callback_handler",
        lambda: callback_handler is not None,
        "tells when a backward graph is compiled, and of torch.compiler.reset()",
        "compiles of backward graphs can't be seen",
        "torch-no-callbacks",
    ),
    Capability(
        "TorchDispatchMode._push_mode",
        _tells_dispatch_modes,
        "tells when a dispatch mode is entered",
        "eager calls inside a dispatch mode look like hits",
        "torch-modes",
    ),
    Capability(
        "eval_frame._set_stance",
        lambda: _set_stance() is not None,
        "tells the stance that is set",
        "eager calls under a stance look like hits",
        "torch-stance",
    ),
    Capability(
        "eval_frame.set_guard_complete_hook",
        lambda: set_guard_complete_hook is not None,
        "tells calls that run eager after the recompile limit (2.8 on)",
        "such calls can't be seen; the note fallbacks-unseen says so when the limit is hit",
    ),
    Capability(
        "convert_frame.register_bytecode_hook",
        lambda: register_bytecode_hook is not None,
        "tells which compiles ended in code, and which functions were inlined",
        "the metrics tell what ended in code; nested calls are not counted",
    ),
    Capability(
        "utils.guard_failures",
        lambda: guard_failures is not None,
        "torch's own words: why older entries were rejected",
        "only what jitscope finds itself is told as a cause",
    ),
    Capability(
        "utils.set_compilation_metrics_limit",
        lambda: set_metrics_limit is not None,
        "keeps more than 64 records of compiles",
        "phases of many compiles in a row may be lost",
    ),
    Capability(
        "trace_rules.add",
        lambda: skip_module is not None,
        "keeps Dynamo from compiling jitscope's own frames",
        "after a graph break Dynamo may look at jitscope's wrapper",
    ),
    Capability(
        "guards.GlobalStateGuard.__getstate__",
        lambda: global_state() is not None,
        "global state that was guarded on, setting by setting (2.13)",
        "only torch's words tell which setting changed",
    ),
    Capability(
        "overrides._get_current_function_mode_stack",
        lambda: _get("torch.overrides", "_get_current_function_mode_stack") is not None,
        "torch function modes in force",
        "a change of modes is told by torch's words only",
    ),
    Capability(
        "_pytree.tree_flatten_with_path",
        lambda: tree_flatten_with_path is not None and keystr is not None,
        "paths of the arguments' leaves",
        "arguments are told apart as a whole, not leaf by leaf",
    ),
    Capability(
        "utils.ChromiumEventLogger",
        lambda: _event_logger() is not None,
        "begin and end of each step that Dynamo, AOTAutograd and Inductor time themselves",
        "the anatomy of a first call has the phases of the metrics only",
    ),
    Capability(
        f"torch._C.{cuda.START}",
        cuda.can_tell,
        "how long the start of CUDA takes (in a build with CUDA)",
        "the start of CUDA, where there is one, is part of what is not attributed",
    ),
)
"""All that the adapter uses of torch, in the order of what is lost without it."""
