"""The start of a process of a program whose processes are followed.

`jitscope run` puts this folder at the head of ``PYTHONPATH``, and tells the program's other processes by environment
variables whose they are; ``sitecustomize`` in here is what Python imports when it starts. It must cost next to
nothing: until a framework is imported, nothing is, and nothing is written before something is compiled.
"""

from __future__ import annotations

import atexit
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from importlib.machinery import ModuleSpec
    from typing import Any

PROGRAM = "JITSCOPE_PROGRAM"
"""Environment: run id of the program's first process."""
PARENT = "JITSCOPE_PARENT"
"""Environment: process id of the nearest followed process."""
PLACE = "JITSCOPE_PLACE"
"""Environment: where recordings of further processes go; see `jitscope.store.locate.place_of`."""

FOLDER = os.path.dirname(os.path.abspath(__file__))
"""What is put into ``PYTHONPATH``."""

_FRAMEWORKS = ("jax", "torch")
_NOT_THE_PROGRAMS = ("compile_worker", "multiprocessing.resource_tracker")
"""In the command of processes that are the framework's own (Inductor's pool of compilers) or Python's."""


class Member:
    """This process, as one of a program's."""

    def __init__(self, program: str, place: str, parent: int | None) -> None:
        self.program = program
        self.place = place
        self.parent = parent
        """Process id of the followed process that started this one; None in the first."""
        self.pid = os.getpid()
        self.forked = False
        """Started by a fork, without a Python of its own."""
        self.forked_as: object = None
        """What multiprocessing took this process for when it was forked."""
        tell_children(self)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.after_fork_in_child)

    @property
    def run_id(self) -> str | None:
        """That of the first process; the others' are made when they record something."""
        return self.program if self.parent is None else None

    def after_fork_in_child(self) -> None:
        """Another process, started by this one. Calling again does nothing."""
        if self.pid == os.getpid():
            return
        self.parent, self.pid = self.pid, os.getpid()
        self.forked = True
        self.forked_as = current_process()
        if os.environ.get(PROGRAM) == self.program:
            os.environ[PARENT] = str(self.pid)


def current_process() -> Any:
    """What multiprocessing, if it is used, takes this process for."""
    process = sys.modules.get("multiprocessing.process")
    return process.current_process() if process is not None else None


def tell_children(member: Member) -> None:
    """Set the environment that this process's children inherit."""
    os.environ[PROGRAM] = member.program
    os.environ[PLACE] = member.place
    os.environ[PARENT] = str(member.pid)
    os.environ["PYTHONPATH"] = with_folder(os.environ.get("PYTHONPATH"))


def forget_children() -> None:
    """Children that start from now on are not followed."""
    for name in (PROGRAM, PLACE, PARENT):
        os.environ.pop(name, None)
    if os.environ.get("JITSCOPE") == "1":
        del os.environ["JITSCOPE"]
    path = os.environ.get("PYTHONPATH")
    if path is not None and FOLDER in path.split(os.pathsep):
        rest = [one for one in path.split(os.pathsep) if one != FOLDER]
        if rest:
            os.environ["PYTHONPATH"] = os.pathsep.join(rest)
        else:
            del os.environ["PYTHONPATH"]


def with_folder(path: str | None) -> str:
    """``PYTHONPATH`` with our folder at its head."""
    rest = [one for one in path.split(os.pathsep) if one != FOLDER] if path else []
    return os.pathsep.join([FOLDER, *rest])


class _Waiting:
    """A finder that finds nothing, and has the recording begin when a framework is looked for."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """Of a framework: as the finder that has it watched finds it."""
        if name not in _FRAMEWORKS:
            return None
        finder = _begin()
        found: ModuleSpec | None = finder.find_spec(name, path, target) if finder is not None else None
        return found


_waiting = _Waiting()
_path: list[str] = []
"""`sys.path` before the program's own folder is in it."""
_member: Member | None = None
_at_end: Callable[[], None] | None = None


def follow() -> None:
    """Watch this process, if its program is followed or ``JITSCOPE=1`` says so; calling again does nothing."""
    global _member
    program = os.environ.get(PROGRAM)
    on = os.environ.get("JITSCOPE", "")
    if _member is not None or on.strip().lower() in {"0", "off", "false", "no"} or not (program or on == "1"):
        return
    if any(text in argument for argument in sys.orig_argv for text in _NOT_THE_PROGRAMS):
        return
    pid = os.getpid()
    parent, place = os.environ.get(PARENT, ""), os.environ.get(PLACE)
    if program and place and parent.isdigit() and not (on == "1" and program.endswith(f"-{pid}")):
        _member = Member(program, place, int(parent))
    elif on == "1":
        # The first process, or what it has become by ``exec``.
        run = f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{pid}"
        folder = os.path.abspath(os.environ.get("JITSCOPE_DIR") or ".jitscope")
        _member = Member(run, os.path.join(folder, ""), None)
    else:
        return
    _path[:] = sys.path
    # Before the program registers its own exit functions: they run before this one.
    atexit.register(_end)
    if any(name in sys.modules for name in _FRAMEWORKS):
        _begin()
    else:
        sys.meta_path.insert(0, _waiting)


def stand_aside() -> None:
    """This is jitscope's own command: what it runs is its own affair."""
    global _member, _at_end
    _member = _at_end = None
    if _waiting in sys.meta_path:
        sys.meta_path.remove(_waiting)
    atexit.unregister(_end)


def _begin() -> Any:
    """A framework is about to be imported: get ready. Returns the finder to ask, or None where we can't watch."""
    global _at_end
    if _waiting in sys.meta_path:
        sys.meta_path.remove(_waiting)
    try:
        begin = _import_begin()
        assert _member is not None
        finder, _at_end = begin(_member)
    except Exception as error:  # what jitscope needs is not there for this Python, or not in its version
        missing = isinstance(error, ImportError) and not (error.name or "").startswith("jitscope")
        if os.environ.get("JITSCOPE_STRICT") == "1" and not missing:
            raise
        return None
    else:
        return finder


def _import_begin() -> Any:
    """Import what records, and leave the program the modules that it has by the same names as some of Python's."""
    before, path = set(sys.modules), list(sys.path)
    sys.path[:] = _path
    try:
        from jitscope.capture.following import begin
    finally:
        sys.path[:] = path
        own = [one for one in path if one not in _path]
        for name in [name for name in sys.modules if name not in before and not name.startswith("jitscope")]:
            top = name.partition(".")[0]
            files = (os.path.join(top, "__init__.py"), f"{top}.py")
            if any(os.path.isfile(os.path.join(folder or os.curdir, file)) for folder in own for file in files):
                del sys.modules[name]
    return begin


def _end() -> None:
    try:
        if _at_end is not None:
            _at_end()
        elif _member is not None and _member.parent is None and _others():
            report_of(_member)
    except Exception:  # whatever the program has done to this process
        if os.environ.get("JITSCOPE_STRICT") == "1":
            raise


def report_of(member: Member) -> None:
    """Print the report of the program that ``member`` was the first process of, unless ``JITSCOPE_REPORT=0``."""
    if os.environ.get("JITSCOPE_REPORT") != "0":
        from jitscope.commands.ended import report_of_program

        report_of_program(member)


def _others() -> bool:
    """Whether other processes of this program may have recorded something, by the names of the files alone."""
    assert _member is not None
    try:
        names = os.listdir(_member.place)
    except OSError:
        return False
    return any(name.endswith(".jsonl") and name >= _member.program[: len("YYYYMMDD-HHMMSS")] for name in names)
