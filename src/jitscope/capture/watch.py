"""`watch`, `jit` and `compile`: from a callable to a watched one."""

from __future__ import annotations

import functools
import inspect
import os
import sys
import types
import warnings
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast, overload

from jitscope.capture import switches
from jitscope.capture.book import Book
from jitscope.capture.callsite import shown_file
from jitscope.capture.recorder import FunctionKey, recorder
from jitscope.capture.region import RegionProbe
from jitscope.capture.watched import Cells, OwnAttributes, make_watched
from jitscope.model.events import Framework

F = TypeVar("F", bound=Callable[..., Any])

_BOOK = "__jitscope_book__"
_module_books: weakref.WeakKeyDictionary[Any, tuple[Book, str]] = weakref.WeakKeyDictionary()
"""By module: its book, and the attribute that its calls go through."""


_wrappers: weakref.WeakKeyDictionary[Any, weakref.ref[Any]] = weakref.WeakKeyDictionary()
"""By compiled function: its wrapper. A function watched twice has one book."""


def watch(fn: F) -> F:
    """Watch a compiled callable: record each signature, hit, miss and compilation of its calls.

    Put it above the framework's own decorator::

        @jitscope.watch
        @jax.jit
        def attention(q, k, v): ...

    It takes what `jax.jit` or `torch.compile` made: a function, a method, a `functools.partial` of one, a compiled
    `torch.nn.Module` (watched in place, and returned). A plain function is watched as a region: every compile inside
    its calls is recorded, and nothing is compiled by watching. The result behaves as what was passed in; with
    ``JITSCOPE=0`` in the environment it *is* what was passed in.

    Args:
        fn: the callable.

    Returns:
        A function with the API of ``fn`` (``lower``, ``__wrapped__``, binding as a method, ...), or ``fn`` itself if
        it is a module or watched already.

    Raises:
        TypeError: if ``fn`` is not callable, or a class.
    """
    if switches.OFF:
        return fn
    if not callable(fn):
        raise TypeError(f"jitscope.watch takes a callable, not {type(fn).__qualname__}")
    if inspect.isclass(fn):
        raise TypeError(f"jitscope.watch takes a function, not the class {fn.__qualname__}: watch its methods")
    return cast("F", _watch(fn))


def _watch(fn: Any) -> Any:
    if book_of(fn) is not None:
        return fn
    if isinstance(fn, (staticmethod, classmethod)):
        return type(fn)(_watch(fn.__func__))
    if isinstance(fn, types.MethodType):
        return types.MethodType(_watch(fn.__func__), fn.__self__)
    if isinstance(fn, functools.partial) and _kind(fn.func) is not None:
        return functools.partial(_watch(fn.func), *fn.args, **fn.keywords)
    kind = _kind(fn)
    if kind == "module":
        return _watch_module(fn)
    if kind is None:
        return _watch_region(fn)
    known = _wrappers.get(fn)
    watched = known() if known is not None else None
    if watched is None:
        watched = _watch_jax(fn) if kind == "jax" else _watch_torch(fn)
        _wrappers[fn] = weakref.ref(watched)
    return watched


def watch_if_compiled(fn: Any) -> Any:
    """`watch` for what a program compiled that knows nothing of jitscope: what can't be watched stays as it is.

    Nothing is raised and nothing is warned of: an error of ours becomes a note.
    """
    try:
        kind = _kind(fn)
        if kind is None or (kind == "module" and not _is_compiled_module(fn)):
            return fn
        return _watch(fn)
    except Exception as error:
        recorder.internal_error("watch", error)
        return fn


def _is_compiled_module(fn: Any) -> bool:
    from jitscope.capture.frameworks.torch_target_privates import module_target

    return module_target(fn) is not None


def _kind(fn: Any) -> str | None:
    """Which framework made this callable, without importing a framework that the program did not import."""
    if "jax" in sys.modules:
        from jitscope.capture.frameworks.jax_adapter import is_jitted

        if is_jitted(fn):
            return "jax"
    if "torch" in sys.modules:
        from jitscope.capture.frameworks.torch_probe import is_module
        from jitscope.capture.frameworks.torch_target_privates import is_compiled

        if is_module(fn):
            return "module"
        if is_compiled(fn):
            return "torch"
    return None


def book_of(fn: Any) -> Book | None:
    """The book of a watched callable, or None."""
    if isinstance(fn, types.MethodType):
        fn = fn.__func__
    if isinstance(fn, functools.partial):
        return book_of(fn.func)
    book = getattr(fn, "__dict__", {}).get(_BOOK)
    if book is None:
        try:
            book, attribute = _module_books[fn]
        except (KeyError, TypeError):  # TypeError: not hashable or not weakly referable
            return None
        # Gone if the module was compiled again since.
        fn = vars(fn).get(attribute)
    return book if isinstance(book, Book) and book.opens(fn) else None


def identity(fn: Any) -> tuple[Framework, str, str] | None:
    """Framework, name and file that a recording has for a compiled callable; None where it is not compiled."""
    book = book_of(fn)
    if book is not None:
        return book.event.framework, book.event.name, book.event.file
    if isinstance(fn, types.MethodType):
        return identity(fn.__func__)
    if isinstance(fn, functools.partial):
        return identity(fn.func)
    kind = _kind(fn)
    if kind == "jax":
        from jitscope.capture.frameworks.jax_function_privates import transformations

        name = _location(fn).name
        for transformation in reversed(transformations(fn)):
            name = f"{transformation}({name})"
        return "jax", name, _location(fn).file
    if kind == "torch":
        from jitscope.capture.frameworks.torch_target_privates import original_of

        found = _location(original_of(fn))
        return "torch", found.name, found.file
    if kind != "module":
        return None
    from jitscope.capture.frameworks.torch_target_privates import module_target

    target = module_target(fn)
    return ("torch", target.name, _location(target.forward).file) if target is not None else None


def is_watched(fn: Any) -> bool:
    """Whether a compiled function has a wrapper that is alive, or is a watched one itself."""
    try:
        known = _wrappers.get(fn)
    except TypeError:  # not hashable or not weakly referable
        known = None
    return (known is not None and known() is not None) or book_of(fn) is not None


def place_of(fn: Any, *packages: str) -> str | None:
    """Name and place of the user's function behind ``fn``; None where it belongs to one of the packages."""
    inner = inspect.unwrap(fn) if hasattr(fn, "__wrapped__") else fn
    while isinstance(inner, functools.partial):
        inner = inner.func
    if str(getattr(inner, "__module__", "")).partition(".")[0] in (*packages, "jitscope"):
        return None
    found = _location(fn)
    return f"{found.name} ({os.path.basename(found.file)}:{found.line})" if found.file else found.name


# -- the wrapper --------------------------------------------------------------------------------


def _wrap(fn: Callable[..., Any], book: Book, own: dict[str, Any] | None = None) -> Callable[..., Any]:
    """Wrap ``fn``; ``own`` are attributes that belong to the wrapper alone."""
    watched = make_watched(fn, book.enter, book.settle, book.failed)
    book.bind(watched, Cells(watched))
    for name in functools.WRAPPER_ASSIGNMENTS:
        try:
            setattr(watched, name, getattr(fn, name))
        except (AttributeError, TypeError):
            # A callable object has no name of its own; what it lacks, the wrapper lacks.
            continue
    watched.__dict__ = OwnAttributes(getattr(fn, "__dict__", {}), {**(own or {}), _BOOK: book})
    return watched


def _when_gone(watched: Any, forget: Callable[[Any], None], probe: Any) -> None:
    """A function that is watched anew in each turn of a loop must not pile up."""
    weakref.finalize(watched, _forget, forget, probe).atexit = False


def _forget(forget: Callable[[Any], None], probe: Any) -> None:
    forget(probe)
    recorder.forget(probe.book)


class _Location(NamedTuple):
    """Where a user's function is defined."""

    name: str
    """Qualified name."""
    file: str
    line: int
    column: int
    """Where its body starts, which tells two lambdas on one line apart; 0 where that is not known."""
    maker: str | None
    """The function in whose body it is defined."""


def _location(fn: Any) -> _Location:
    """The user's function behind ``fn``."""
    inner = inspect.unwrap(fn) if hasattr(fn, "__wrapped__") else fn
    while isinstance(inner, functools.partial):
        inner = inner.func
    if isinstance(inner, types.MethodType):
        inner = inner.__func__
    name = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    code = getattr(inner, "__code__", None)
    if code is None:
        code = getattr(type(inner).__call__, "__code__", None)
    maker, inside, _ = name.rpartition(".<locals>.")
    return _Location(
        name,
        shown_file(getattr(code, "co_filename", "")),
        getattr(code, "co_firstlineno", 0),
        _column(code) if code is not None and code.co_name == "<lambda>" else 0,
        maker.rpartition("<locals>.")[2] if inside else None,
    )


def _column(code: types.CodeType) -> int:
    """The leftmost column of a lambda's body."""
    columns = [start for _, _, start, _ in code.co_positions() if start]
    return min(columns, default=0)


def _new_book(
    fn: Any,
    framework: Framework,
    kind: str,
    options: dict[str, str] | None = None,
    name: str | None = None,
    body: int = 0,
) -> Book:
    from jitscope.capture.frameworks.signature_text import parameters_of

    found = _location(fn)
    parameters, defaults = parameters_of(fn)
    key = FunctionKey(
        framework=framework,
        name=name or found.name,
        file=found.file,
        line=found.line,
        kind=kind,
        column=found.column,
        defaults=defaults,
        parameters=parameters,
        maker=found.maker,
        body=body,
    )
    return recorder.new_book(key, options or {})


# -- JAX ------------------------------------------------------------------------------------------

_JAX_API = ("lower", "trace", "eval_shape", "clear_cache", "_cache_size", "_clear_cache", "_fun", "_jit_info")


@functools.cache
def jax_adapter() -> Any:
    """The process's JAX adapter; installs its hooks the first time."""
    from jitscope.capture.frameworks.jax_adapter import JaxAdapter

    adapter = JaxAdapter(recorder)
    recorder.adapters.append(adapter)
    return adapter


def _watch_jax(fn: Any) -> Any:
    from jitscope.capture.frameworks.jax_adapter import jit_options
    from jitscope.capture.frameworks.jax_function_privates import transformations
    from jitscope.capture.frameworks.jax_probe import JaxProbe

    adapter = jax_adapter()
    name = _location(fn).name
    for transformation in reversed(transformations(fn)):
        name = f"{transformation}({name})"
    body = adapter.owners.number(fn.__wrapped__)
    book = _new_book(fn, "jax", "function", jit_options(fn), name, body)
    probe = JaxProbe(adapter, book, fn)
    book.probe = probe
    own = {name: getattr(fn, name) for name in _JAX_API if hasattr(fn, name)}
    for name in ("lower", "trace"):
        if name in own:
            own[name] = adapter.staging(own[name], probe)
    for name in ("clear_cache", "_clear_cache"):
        if name in own:
            own[name] = probe.clearing(own[name])
    watched = _wrap(fn, book, own)
    watched.__dict__["__wrapped__"] = fn.__wrapped__
    adapter.watch(probe)
    _when_gone(watched, adapter.forget, probe)
    return watched


# -- torch ----------------------------------------------------------------------------------------


@functools.cache
def torch_adapter() -> Any:
    """The process's torch adapter; installs its hooks the first time."""
    from jitscope.capture.frameworks.torch_adapter import TorchAdapter

    adapter = TorchAdapter(recorder)
    recorder.adapters.append(adapter)
    return adapter


def _watch_torch(fn: Any) -> Any:
    from jitscope.capture.frameworks.torch_privates import compile_options
    from jitscope.capture.frameworks.torch_probe import TorchProbe
    from jitscope.capture.frameworks.torch_target_privates import original_of

    adapter = torch_adapter()
    original = original_of(fn)
    book = _new_book(original, "torch", "function", compile_options(fn))
    book.probe = TorchProbe(adapter, book, original, fn)
    watched = _wrap(fn, book)
    # Dynamo inlines this in place of the wrapper when an outer frame being traced calls it.
    watched.__dict__.setdefault("_torchdynamo_inline", original)
    # Dynamo tells a wrapper of its own from a copy of its attributes by this.
    watched.__dict__["_torchdynamo_wrapper_id"] = id(watched)
    adapter.watch(book.probe)
    _when_gone(watched, adapter.forget, book.probe)
    return watched


def _watch_module(module: Any) -> Any:
    from jitscope.capture.frameworks.torch_privates import compile_options
    from jitscope.capture.frameworks.torch_probe import TorchProbe
    from jitscope.capture.frameworks.torch_target_privates import module_target

    adapter = torch_adapter()
    target = module_target(module)
    if target is None:
        warnings.warn(
            f"jitscope.watch: {type(module).__qualname__} is not compiled yet: call torch.compile(module) or "
            "module.compile() first, then watch it",
            UserWarning,
            stacklevel=4,
        )
        return module
    options = compile_options(module if target.attribute == "forward" else target.callable)
    book = _new_book(target.forward, "torch", "module", options, target.name)
    book.probe = TorchProbe(adapter, book, target.original, target.callable)
    watched = _wrap(target.callable, book)
    watched.__dict__.setdefault("_torchdynamo_inline", target.inline)
    target.install(watched)
    _module_books[module] = (book, target.attribute)
    adapter.watch(book.probe)
    _when_gone(watched, adapter.forget, book.probe)
    return module


# -- regions --------------------------------------------------------------------------------------


def _watch_region(fn: Any) -> Any:
    if inspect.iscoroutinefunction(fn) or inspect.isgeneratorfunction(fn) or inspect.isasyncgenfunction(fn):
        warnings.warn(
            f"jitscope.watch: {fn.__qualname__} only makes a coroutine or generator when it is called; it is not "
            "watched. Watch the compiled functions that it calls",
            UserWarning,
            stacklevel=4,
        )
        return fn
    if not hasattr(fn, "__code__") and not isinstance(fn, functools.partial):
        warnings.warn(
            f"jitscope.watch: a {type(fn).__qualname__} is no function, and a function around it would lack its "
            "attributes; it is not watched. Watch the compiled functions that it calls",
            UserWarning,
            stacklevel=4,
        )
        return fn
    book = _new_book(fn, "python", "region")
    book.probe = RegionProbe(book)
    watched = _wrap(fn, book)
    watched.__dict__["__wrapped__"] = fn
    watched.__dict__["__jitscope_region__"] = True
    watched.__dict__.setdefault("_torchdynamo_inline", fn)
    install_loaded_frameworks()
    # Not quiet yet: of the first call it is known when it began.
    return watched


def install_loaded_frameworks() -> None:
    """Install the hooks of the frameworks that the program has imported."""
    if "jax" in sys.modules:
        jax_adapter()
    if "torch" in sys.modules:
        torch_adapter()


# -- short forms ----------------------------------------------------------------------------------


@overload
def jit(fn: F, **options: Any) -> F: ...
@overload
def jit(fn: None = None, **options: Any) -> Callable[[F], F]: ...
def jit(fn: Callable[..., Any] | None = None, **options: Any) -> Any:
    """``watch(jax.jit(fn, **options))``; without ``fn``, a decorator.

    Args:
        fn: the function to compile.
        options: those of `jax.jit` (``static_argnames``, ``donate_argnums``, ...).

    Raises:
        ImportError: if jax is not installed.
    """
    if fn is None:
        return functools.partial(jit, **options)
    import jax

    return watch(jax.jit(fn, **options))


@overload
def compile(fn: F, **options: Any) -> F: ...
@overload
def compile(fn: None = None, **options: Any) -> Callable[[F], F]: ...
def compile(fn: Callable[..., Any] | None = None, **options: Any) -> Any:
    """``watch(torch.compile(fn, **options))``; without ``fn``, a decorator. A module stays a module.

    Args:
        fn: the function or `torch.nn.Module` to compile.
        options: those of `torch.compile` (``mode``, ``dynamic``, ``fullgraph``, ``backend``, ...).

    Raises:
        ImportError: if torch is not installed.
    """
    if fn is None:
        return functools.partial(compile, **options)
    import torch

    return watch(torch.compile(fn, **options))
