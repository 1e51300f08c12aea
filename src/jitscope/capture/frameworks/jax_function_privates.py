"""What JAX's own objects and frames tell of the user's functions: private shapes of theirs, read and never changed.

Tried on jax 0.6.2, 0.8.3, 0.10.2, 0.11.2 and 0.12.0.1. What is not as expected is None, or left out.
"""

from __future__ import annotations

import functools
import inspect
from types import CodeType, MethodType
from typing import Any


def role(code: CodeType) -> str | None:
    """What a frame of JAX's stands for on the stack of a compile event, or None.

    ``call``: the Python side of a jitted call (locals ``fun``, ``jit_info``). ``aot``: ``.lower()`` or
    ``.trace()`` (local ``jit_func``). ``stage``: ``Lowered.compile`` (local ``self``). ``impl``: the program about
    to be compiled (local ``jaxpr``). ``vmap``, ``grad``, ``backward``: the rule that made a transformed program.
    """
    name = code.co_name
    file = code.co_filename
    if file.endswith("pjit.py"):
        if name == "cache_miss":
            return "call"
        if name in ("jit_trace", "jit_lower", "jit_eval_shape"):
            return "aot"
        if name == "_pjit_call_impl_python":
            return "impl"
        if name.startswith("_pjit_batcher"):
            return "vmap"
        if name.startswith("_pjit_transpose"):
            return "backward"
        if name.startswith(("_pjit_lin", "_pjit_jvp")):
            return "grad"
    elif name == "compile" and file.endswith("stages.py"):
        return "stage"
    return None


UNKNOWN = ("<unknown>", "", 0)


def sources_of(fun: Any) -> list[tuple[str, str, int]]:
    """What `source_of` may say of the jaxprs of what was jitted: the function itself, or the one inside of it."""
    told = fun
    while isinstance(told, functools.partial):
        told = told.func
    told = inspect.unwrap(told)
    # 0.12 looks through all of it.
    codes = [code for code in (getattr(fun, "__code__", None), innermost_code(fun)) if code is not None]
    found = [(code.co_name, code.co_filename, code.co_firstlineno) for code in codes]
    return found if hasattr(told, "__code__") else [*found, UNKNOWN]


def source_of(jaxpr: Any) -> tuple[str, str, int] | None:
    """Name, file and line of the function that a jaxpr was traced from (debug info, 0.6.2 to 0.12.0.1), or None.

    Of a callable object, and of a partial inside of a decorator, JAX tells nothing: `UNKNOWN` (``fun_sourceinfo``).
    """
    jaxpr = getattr(jaxpr, "jaxpr", jaxpr)
    info = getattr(jaxpr, "debug_info", None)
    name, file, line = (getattr(info, field, None) for field in ("func_name", "func_filename", "func_lineno"))
    return (name, file or "", line or 0) if name else None


def innermost_code(fun: Any) -> CodeType | None:
    """The code of the user's function in what was jitted: decorators, partials, methods, transformations undone."""
    for _ in range(32):
        if hasattr(fun, "__wrapped__"):
            fun = fun.__wrapped__
        elif isinstance(fun, functools.partial):
            fun = fun.func
        elif isinstance(fun, MethodType):
            fun = fun.__func__
        elif hasattr(fun, "__code__"):
            return fun.__code__ if isinstance(fun.__code__, CodeType) else None
        else:
            fun = getattr(type(fun), "__call__", None)  # noqa: B004 (a callable object's)
    return None


def program_name(fun: Any) -> str:
    """The name that a function's program gets (``api_util.fun_name``, 0.6.2 to 0.12.0.1), without ``jit(…)``."""
    while isinstance(fun, functools.partial):
        fun = fun.func
    return str(getattr(fun, "__name__", "<unnamed function>"))


def transformations(jitted: Any) -> list[str]:
    """JAX's transformations between a jitted function and the user's, the outer first: ``["vmap", "grad"]``.

    Each is a function with ``__wrapped__``: ``grad_f`` in api.py, mostly inside the traceback filter's wrapper, whose
    closure calls it ``fun`` (0.6.2 to 0.12.0.1). What can't be told so is left out.
    """
    found: list[str] = []
    inner = getattr(jitted, "__wrapped__", None)
    while inner is not None and hasattr(inner, "__wrapped__"):
        code = getattr(inner, "__code__", None)
        if code is not None and code.co_filename.endswith("traceback_util.py"):
            cells = dict(zip(code.co_freevars, inner.__closure__ or (), strict=False))
            code = getattr(getattr(cells.get("fun"), "cell_contents", None), "__code__", None)
        if code is not None and "jax" in code.co_filename and code.co_filename.endswith(("api.py", "ad_checkpoint.py")):
            found.append(_TRANSFORMATIONS.get(code.co_name, code.co_name.removesuffix("_f")))
        inner = inner.__wrapped__
    return found


_TRANSFORMATIONS = {"jacfun": "jacobian", "fun_remat": "checkpoint"}
