"""Run a program as Python itself would: as `__main__`, with its own arguments, path and traceback.

Not with `runpy`: its module is gone, and the old `__main__` back, as soon as the code has run, while the program's
threads and exit functions still pickle and import from it; and its frames would be in the traceback. What remains
without it is short.

An exception is left to the interpreter, which prints it, waits for threads, runs the exit functions and dies with the
right code or signal. Only the frames that are ours are taken out of its traceback before it is printed.
"""

from __future__ import annotations

import builtins
import contextlib
import importlib.util
import os
import pkgutil
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.machinery import BuiltinImporter, ModuleSpec, SourceFileLoader
from types import CodeType, ModuleType, TracebackType
from typing import Any, Literal

from jitscope.capture.entry import note_entry
from jitscope.errors import JitscopeError

Kind = Literal["script", "module", "code"]

_CAPTURE = os.path.dirname(os.path.abspath(__file__)) + os.sep
_IMPORTERS = (_CAPTURE + "launch.py", _CAPTURE + "autowatch.py")


@dataclass(frozen=True, slots=True)
class Program:
    """What to run, as it was given."""

    kind: Kind
    target: str
    """A file or folder, a module's name, or source code."""
    args: tuple[str, ...]


class NoProgramError(JitscopeError):
    """There is nothing to run; none of the program's code has run, but perhaps the packages that it is in."""

    def __init__(self, message: str) -> None:
        super().__init__(message, slug="no-program")


class Launch:
    """A program that is there and ready to run."""

    def __init__(self, program: Program) -> None:
        """Set `sys.argv` and the head of `sys.path` as the program is to see them.

        Raises:
            NoProgramError: if there is no such program.
        """
        self._program = program
        self._spec: ModuleSpec | None = None
        self._source: bytes | None = None
        self._interrupted = False
        find = {"script": self._find_script, "module": self._find_module, "code": self._find_code}
        first, folder = find[program.kind]()
        sys.argv = [first, *program.args]
        self._covered = _uncover(folder)

    def restore_modules(self) -> None:
        """Give jitscope its modules back, where the program has its own of that name: it has ended."""
        sys.modules.update(self._covered)

    # -- finding it ----------------------------------------------------------------------------

    def _find_script(self) -> tuple[str, str]:
        path = self._program.target
        if path == "-":
            _set_path("")
            return path, os.getcwd()
        if os.path.isdir(path) or not path.endswith((".py", ".pyc", ".pyw")):
            # As Python does: a folder or an archive with a __main__ in it.
            folder = _absolute(path)
            importer = pkgutil.get_importer(folder)
            if importer is not None:
                self._spec = importer.find_spec("__main__", None)
                if self._spec is None:
                    raise NoProgramError(f"can't find '__main__' module in {folder!r}")
                _set_path(folder)
                return path, folder
        try:
            with open(path, "rb") as file:
                self._source = file.read()
        except OSError as error:
            where = _absolute(path)
            raise NoProgramError(f"can't open file {where!r}: [Errno {error.errno}] {error.strerror}") from None
        folder = os.path.dirname(os.path.realpath(path))
        _set_path(folder)
        return path, folder

    def _find_module(self) -> tuple[str, str]:
        name = self._program.target
        folder = os.getcwd()
        _set_path(folder)
        # What lies inside of a package is found when the package runs.
        top = name.partition(".")[0]
        try:
            found = bool(top) and importlib.util.find_spec(top) is not None
        except ValueError:  # loaded, and without a spec
            found = True
        if not found:
            raise NoProgramError(f"No module named {name}")
        return "-m", folder

    def _find_code(self) -> tuple[str, str]:
        _set_path("")
        return "-c", os.getcwd()

    # -- running it ----------------------------------------------------------------------------

    def run(self) -> None:
        """Run the program; what it raises is raised, and will be printed without our frames.

        Raises:
            NoProgramError: if a package does not have the module that was named.
        """
        threading.excepthook = _print_thread_cleanly
        note_entry()
        try:
            module, code = self._prepare()
            exec(code, module.__dict__)  # noqa: S102
        except (SystemExit, NoProgramError):
            raise
        except BaseException as error:
            self._interrupted = type(error) is KeyboardInterrupt
            _print_cleanly()
            raise

    def end(self) -> None:
        """Let the interpreter die as the program would have: to be called last.

        After an unhandled Ctrl-C Python kills itself by SIGINT, unless anything was executed from a string since
        (CPython 3.11 to 3.13), as many modules do when they are imported. Another such Ctrl-C makes up for that.
        """
        if self._interrupted:
            with contextlib.suppress(KeyboardInterrupt):
                exec("raise KeyboardInterrupt")  # noqa: S102

    def _prepare(self) -> tuple[ModuleType, CodeType]:
        program, spec = self._program, self._spec
        module = ModuleType("__main__")
        names: dict[str, Any] = module.__dict__
        names["__builtins__"] = builtins
        if sys.version_info < (3, 14):
            names["__annotations__"] = {}
        sys.modules["__main__"] = module
        if program.kind == "module":
            spec = _spec_of(program.target)
            sys.argv[0] = str(spec.origin)
        if spec is not None:
            code = _code_of(spec)
            names |= {
                "__file__": spec.origin,
                "__cached__": spec.cached,
                "__loader__": spec.loader,
                "__package__": spec.parent,
                "__spec__": spec,
            }
            return module, code
        names["__loader__"] = BuiltinImporter
        if program.kind == "code":
            return module, _compiled(program.target, "<string>")
        if self._source is None:
            names |= {"__file__": "<stdin>", "__cached__": None}
            return module, _compiled(sys.stdin.read(), "<stdin>")
        path = _absolute(program.target)
        names |= {"__file__": path, "__cached__": None, "__loader__": SourceFileLoader("__main__", path)}
        return module, _code_in(path, self._source)


def _absolute(path: str) -> str:
    """As Python makes a script's name absolute: with all its dots."""
    return os.path.abspath(path) if path == os.curdir or os.name == "nt" else os.path.join(os.getcwd(), path)


def _set_path(first: str) -> None:
    """Put the program's folder where Python put jitscope's; with ``-P`` there is none."""
    if not sys.flags.safe_path:
        sys.path[:1] = [first]


def _uncover(folder: str) -> dict[str, ModuleType]:
    """Forget modules that jitscope has imported where the program has its own of that name beside it; return them."""
    covered: dict[str, ModuleType] = {}
    if sys.flags.safe_path:
        return covered
    try:
        with os.scandir(folder) as entries:
            own = {_importable(entry) for entry in entries}
    except OSError:
        return covered
    for name in (own & sys.modules.keys()) - {"__main__", "jitscope", "msgspec"}:
        spec = getattr(sys.modules[name], "__spec__", None)
        if spec is None or not spec.has_location or (spec.origin or "").startswith(os.path.join(folder, "")):
            continue  # Python's own at start-up, or the program's own already
        for loaded in [one for one in sys.modules if one == name or one.startswith(f"{name}.")]:
            covered[loaded] = sys.modules.pop(loaded)
    return covered


def _importable(entry: os.DirEntry[str]) -> str:
    """The module that a folder's entry would be imported as; empty if none."""
    if entry.name.endswith(".py"):
        return entry.name[:-3]
    return entry.name if os.path.isfile(os.path.join(entry.path, "__init__.py")) else ""


def _spec_of(name: str) -> ModuleSpec:
    """What ``-m name`` runs: the module, or the ``__main__`` of the package.

    An exception that a package raises while it is imported is the program's own.
    """
    try:
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = importlib.util.find_spec(f"{name}.__main__")
            if spec is None:
                raise NoProgramError(
                    f"No module named {name}.__main__; {name!r} is a package and cannot be directly executed"
                )
    except ModuleNotFoundError as error:
        if error.name != name and not name.startswith(f"{error.name}."):
            raise
        raise NoProgramError(f"No module named {name} ({error})") from None
    except ValueError as error:  # loaded, and without a spec
        raise NoProgramError(f"Error while finding module specification for {name!r} ({error})") from None
    if spec is None or not hasattr(spec.loader, "get_code"):
        raise NoProgramError(f"No module named {name}")
    return spec


def _code_of(spec: ModuleSpec) -> CodeType:
    loader: Any = spec.loader
    code = loader.get_code(spec.name)
    if code is None:
        raise NoProgramError(f"No code object available for {spec.name}")
    assert isinstance(code, CodeType)
    return code


def _compiled(source: str | bytes, name: str) -> CodeType:
    code = compile(source, name, "exec", dont_inherit=True)
    assert isinstance(code, CodeType)
    return code


def _code_in(path: str, source: bytes) -> CodeType:
    if path.endswith(".pyc"):
        with open(path, "rb") as file:
            code = pkgutil.read_code(file)
        if not isinstance(code, CodeType):
            raise NoProgramError(f"Bad magic number in .pyc file {path!r}")
        return code
    return _compiled(source, path)


# -- tracebacks ---------------------------------------------------------------------------------


def _print_cleanly() -> None:
    """Have the exception that is about to leave printed without our frames, by whatever hook the program has set."""
    printer = sys.excepthook

    def print_cleanly(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
        sys.excepthook = printer
        clean(error)
        sys.last_traceback = error.__traceback__
        printer(kind, error, error.__traceback__)

    sys.excepthook = print_cleanly


def _print_thread_cleanly(found: threading.ExceptHookArgs) -> None:
    """Print what ended a thread, without our frames: Python's own hook, until the program sets another."""
    error = found.exc_value
    if error is not None:
        clean(error)
        found = threading.ExceptHookArgs((found.exc_type, error, error.__traceback__, found.thread))
    threading.__excepthook__(found)


def clean(error: BaseException) -> None:
    """Take our frames out of the tracebacks of an exception and of those that it came from."""
    for one in list(_related(error)):
        one.__traceback__ = _without_ours(one.__traceback__)


def _related(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting: list[BaseException | None] = [error]
    while waiting:
        one = waiting.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__]
        if isinstance(one, BaseExceptionGroup):
            waiting += one.exceptions


def _without_ours(traceback: TracebackType | None) -> TracebackType | None:
    entries = []
    while traceback is not None:
        entries.append(traceback)
        traceback = traceback.tb_next
    start = next((n + 1 for n, entry in enumerate(entries) if entry.tb_frame.f_code is Launch.run.__code__), 0)
    kept = [entry for entry in entries[start:] if not _file(entry).startswith(_CAPTURE)]
    if any(_file(entry).endswith(_IMPORTERS) for entry in entries[start:]):
        # Python takes the frames of its import system out, where ours are not in between.
        kept = [entry for entry in kept if not _file(entry).startswith("<frozen importlib")]
    following = None
    for entry in reversed(kept):
        entry.tb_next = following
        following = entry
    return following


def _file(entry: TracebackType) -> str:
    return entry.tb_frame.f_code.co_filename
