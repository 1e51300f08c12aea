"""``%load_ext jitscope``: cells as labels, ``%%jitscope`` on a cell, ``%jitscope report`` and ``%jitscope why NAME``.

``%%jitscope`` is no magic that runs the cell: its line is made a comment before IPython runs the cell itself, so that
the cell's value, its line numbers, its exceptions and a top-level ``await`` are what they are without it. What the
cell compiled is shown when IPython says that it has run.
"""

from __future__ import annotations

import importlib
import shlex
import sys
from types import FrameType
from typing import Any

from jitscope.capture import autowatch, switches
from jitscope.capture.callsite import name_files, stop_naming
from jitscope.capture.labels import labels
from jitscope.capture.launch import clean
from jitscope.capture.recorder import recorder
from jitscope.capture.sessions import MemorySession
from jitscope.capture.watch import install_loaded_frameworks
from jitscope.errors import JitscopeError
from jitscope.model.notation import printable
from jitscope.model.report import Report

_MAGIC = "%%jitscope"
_USAGE = "%%jitscope [-q] [--all]"
_LINE_USAGE = "%jitscope report [--all] or %jitscope why NAME[#N] [--all]"
_NAMES = 4
"""Functions that are named."""
_OFF = "JITSCOPE=0 is set: nothing is watched"

_extensions: dict[int, Extension] = {}


def load_ipython_extension(shell: Any) -> None:
    """``%load_ext jitscope``: watch what is jitted and compiled from here on."""
    if id(shell) not in _extensions:
        _extensions[id(shell)] = Extension(shell)


def unload_ipython_extension(shell: Any) -> None:
    """``%unload_ext jitscope``: no labels and no magics any more; what is watched stays watched."""
    extension = _extensions.pop(id(shell), None)
    if extension is not None:
        extension.unload()


class CellReport:
    """What one cell compiled: HTML in a notebook, text in a terminal."""

    def __init__(self, report: Report, title: str, *, quiet: bool = False, all_: bool = False) -> None:
        self.value = report
        self._title, self._quiet, self._all = title, quiet, all_

    def __repr__(self) -> str:
        from jitscope.render.compiled import compiled_text
        from jitscope.render.text import render_text, verdict_line

        head = f"{self._title}: {verdict_line(self.value)}"
        if self._quiet:
            return head
        if self._all:
            return f"{self._title}\n{render_text(self.value, all_=True, color=False)}".rstrip()
        unwatched = [one for one in self.value.eager_ops if not one.library and one.compilations]
        told = compiled_text(
            self.value.functions, unwatched, why_unwatched="jitted before %load_ext jitscope; run its cell again"
        )
        return f"{head}\n{told}".rstrip()

    def _repr_html_(self) -> str:
        from jitscope.render.notebook import report_html

        return report_html(self.value, all_=self._all, quiet=self._quiet, title=self._title)


class _Cell:
    """A cell that is running."""

    def __init__(self, name: str, entered: object | None, part: MemorySession | None, options: list[str]) -> None:
        self.name, self.entered, self.part, self.options = name, entered, part, options


class Extension:
    """What is registered with one shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._running: list[_Cell] = []
        self._compiler = getattr(shell, "compile", None)
        if switches.OFF:
            print(f"jitscope: {_OFF}")  # noqa: T201  # said in the cell that loads it
        else:
            name_files(self._name)
            loaded = not autowatch.installed()
            autowatch.install()
            if loaded:
                _tell_of_earlier()
        self._showtraceback = shell.showtraceback
        shell.showtraceback = self._show
        shell.input_transformers_cleanup.append(self._comment_out)
        shell.events.register("pre_run_cell", self._before)
        shell.events.register("post_run_cell", self._after)
        shell.register_magic_function(self._line, "line", "jitscope")
        shell.register_magic_function(self._misread, "cell", "jitscope")

    def unload(self) -> None:
        """Take everything back."""
        stop_naming(self._name)
        if self._shell.showtraceback == self._show:  # nobody else has replaced it since
            self._shell.showtraceback = self._showtraceback
        self._shell.input_transformers_cleanup.remove(self._comment_out)
        self._shell.events.unregister("pre_run_cell", self._before)
        self._shell.events.unregister("post_run_cell", self._after)
        for kind in ("line", "cell"):
            self._shell.magics_manager.magics[kind].pop("jitscope", None)
        for cell in self._running:
            self._leave(cell)

    # -- cells --------------------------------------------------------------------------------------

    def _name(self, filename: str) -> str | None:
        """``In [3]`` for the file that IPython gave cell 3 (``CachingCompiler._filename_map``, IPython 7.27 to 9)."""
        numbers = getattr(self._compiler, "_filename_map", None)
        number = numbers.get(filename) if isinstance(numbers, dict) else None
        return f"In [{number}]" if number is not None else None

    def _comment_out(self, lines: list[str]) -> list[str]:
        """Make the line of a ``%%jitscope`` a comment, where its options are known."""
        if lines and _options_of(lines[0]) is not None:
            return ["#" + lines[0][1:], *lines[1:]]
        return lines

    def _before(self, info: Any) -> None:
        if switches.OFF:
            return
        if getattr(info, "store_history", False):
            # A cell of the user's never runs inside of another one: the end of one that is still there was not told.
            while self._running:
                self._leave(self._running.pop())
        options = _asked(str(getattr(info, "raw_cell", "") or ""))
        name = f"In [{_number(self._shell)}]"
        # %%capture runs the cell a second time, inside of itself.
        again = bool(self._running)
        entered = None if again else labels.enter(name)
        part = recorder.open_part() if options is not None and not again else None
        self._running.append(_Cell(name, entered, part, options or []))

    def _leave(self, cell: _Cell) -> None:
        if cell.entered is not None:
            labels.leave(cell.entered)
        if cell.part is not None:
            recorder.close_part(cell.part)

    def _after(self, result: Any = None) -> None:
        if not self._running:
            return
        cell = self._running.pop()
        self._leave(cell)
        if cell.part is None:
            return
        from jitscope.analysis.part import build_part_report

        report = build_part_report(recorder.snapshot(), recorder.part(cell.part))
        _display(CellReport(report, cell.name, quiet="-q" in cell.options, all_="--all" in cell.options))

    def _show(self, exc_tuple: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Show an exception as IPython does, without the wrapper's frame."""
        error = exc_tuple[1] if exc_tuple is not None else sys.exc_info()[1]
        if isinstance(error, BaseException):
            clean(error)
        return self._showtraceback(exc_tuple, *args, **kwargs)

    # -- magics -----------------------------------------------------------------------------------------

    def _misread(self, line: str, cell: str) -> None:
        """Show what the cell compiles: ``%%jitscope [-q] [--all]``, as its first line.

        ``-q``: in one line. ``--all``: everything that is known of it.
        """
        raise _usage_error(f"{_USAGE}: what is {printable(line.strip()) or 'that'}?")

    def _line(self, line: str) -> Any:
        """``%jitscope report [--all]``: everything so far. ``%jitscope why NAME[#N] [--all]``: one function's story."""
        if switches.OFF:
            print(f"jitscope: {_OFF}")  # noqa: T201  # a magic's answer
            return None
        try:
            words = shlex.split(line)
        except ValueError as error:
            raise _usage_error(f"{_LINE_USAGE} ({error})") from None
        all_ = "--all" in words
        match [word for word in words if word != "--all"]:
            case [] | ["report"]:
                from jitscope.analysis.build import build_report

                return CellReport(build_report(recorder.snapshot()), "so far", all_=all_)
            case ["why", name]:
                from jitscope.analysis.story import story_of
                from jitscope.render.why import render_why

                try:
                    story = story_of(recorder.snapshot(), name)
                except JitscopeError as error:
                    raise _usage_error(printable(str(error))) from None
                text = render_why(story, all_=all_, color=False)
                # Its last line is a command for a recording on disk.
                print(text.rstrip().rpartition("\n")[0].rstrip())  # noqa: T201  # a magic's answer
                return None
        raise _usage_error(_LINE_USAGE)


def _number(shell: Any) -> int:
    """The number of the cell that is about to run.

    IPython 9 counts on before it says that a cell runs (9.18), and earlier ones when it has run; 9's own variable is
    asked, where there is one.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "run_cell_async":
        frame = frame.f_back
    number = frame.f_locals.get("execution_count") if frame is not None else None
    return number if isinstance(number, int) else int(shell.execution_count)


def _options_of(line: str) -> list[str] | None:
    """The options of a line ``%%jitscope ...``; None where it is another line, or has others."""
    words = line.split()
    if not words or words[0] != _MAGIC or not set(words[1:]) <= {"-q", "--all"}:
        return None
    return words[1:]


def _asked(cell: str) -> list[str] | None:
    """The options of ``%%jitscope`` among the cell magics at a cell's head."""
    for line in cell.lstrip().splitlines():
        if not line.startswith("%%"):
            return None
        options = _options_of(line)
        if options is not None:
            return options
    return None


def _tell_of_earlier() -> None:
    """What was jitted before is seen to compile, and no more than that."""
    found = autowatch.compiled_before()
    if not found:
        return
    install_loaded_frameworks()
    more = f", … {len(found) - _NAMES} more" if len(found) > _NAMES else ""
    names = printable(", ".join(found[:_NAMES]) + more)
    print(  # noqa: T201  # said in the cell that loads it
        f"jitscope: jitted or compiled before %load_ext jitscope, and not watched: {names}. "
        "Run their cells again to watch them"
    )


def _display(value: Any) -> None:
    importlib.import_module("IPython.display").display(value)


def _usage_error(text: str) -> Exception:
    """What IPython shows as one line."""
    error: Exception = importlib.import_module("IPython.core.error").UsageError(text)
    return error
