"""A warm-up as a Python file: what `warm` would compile, checked, and written down instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from jitscope.analysis.warm_plan import WarmItem
from jitscope.errors import JitscopeError
from jitscope.model.notation import cut, printable
from jitscope.model.recording import Recording
from jitscope.model.specs import CallSpec, CannotRebuildError, Member, Record
from jitscope.render.warm_script import EmittedCall, EmittedFunction, Parts, Writer, render_warm_script
from jitscope.render.warm_script_jax import JaxWriter
from jitscope.render.warm_script_torch import TorchWriter
from jitscope.version import __version__
from jitscope.warming.run import tasks_of
from jitscope.warming.targets import Target

_WRITERS: dict[str, type[Writer]] = {"jax": JaxWriter, "torch": TorchWriter}


def emit_script(targets: Sequence[Target], recording: Recording) -> tuple[str, int, list[str]]:
    """The file's text, how many signatures it compiles, and which it does not and why.

    Raises:
        JitscopeError: nothing can be written.
    """
    tasks, _ = tasks_of(targets, recording)
    functions: list[EmittedFunction] = []
    skipped_lines: list[str] = []
    for target in targets:
        calls: list[EmittedCall] = []
        skipped: list[tuple[str, str]] = []
        classes: dict[str, tuple[str, str]] = {}
        for task in tasks:
            if task.target is not target:
                continue
            text = task.text
            try:
                spec = _spec(target, task.item, task.number)
                found = _classes(target, spec)
                call = EmittedCall(
                    spec, text, task.item.calls, task.item.seconds, _conditions(target, task.item), task.item.backward
                )
                _try(target, call, found)
            except Exception as error:  # noqa: BLE001  # the framework's too, of what a recording asks for
                why = str(error) if isinstance(error, CannotRebuildError) else f"{type(error).__name__}: {error}"
                skipped.append((text, why))
                skipped_lines.append(printable(f"{cut(text, 80) or 'a program'}: {cut(why)}"))
                continue
            classes |= found
            calls.append(call)
        functions.append(_function(target, tuple(calls), classes, tuple(skipped)))
    count = sum(len(function.calls) for function in functions)
    if not count:
        raise JitscopeError(
            f"nothing to write: none of the signatures can be rebuilt ({'; '.join(skipped_lines[:1])})",
            slug="warm-nothing",
        )
    text = render_warm_script(functions, run=recording.header.run, version=__version__, writers=_WRITERS)
    return text, count, skipped_lines


def _spec(target: Target, item: WarmItem, number: int) -> CallSpec:
    if target.callback is not None:
        raise CannotRebuildError("", "its arguments come from a function, and a file can't hold them")
    target.make(item, number)
    return target.specs[number]


def _classes(target: Target, spec: CallSpec) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for part in spec.parts():
        kind: Any = None
        if isinstance(part, Record):
            kind = target.warmer.classes.record(part)
        elif isinstance(part, Member):
            kind = type(target.warmer.classes.member(part))
        if kind is not None:
            found[part.type] = (kind.__module__, kind.__qualname__)  # type: ignore[union-attr]
    return found


def _conditions(target: Target, item: WarmItem) -> dict[str, str | None]:
    if target.framework == "torch":
        return dict(item.modes)
    from jitscope.capture.frameworks.jax_settings import changed_settings

    return changed_settings(item.settings)


def _try(target: Target, call: EmittedCall, classes: dict[str, tuple[str, str]]) -> None:
    """What can't be written is found out before anything is."""
    function = _function(target, (), classes, ())
    _WRITERS[target.framework](function, Parts()).body(call)


def _function(
    target: Target,
    calls: tuple[EmittedCall, ...],
    classes: dict[str, tuple[str, str]],
    skipped: tuple[tuple[str, str], ...],
) -> EmittedFunction:
    return EmittedFunction(
        framework=target.framework,
        module=target.module,
        attribute=target.attribute,
        calls=calls,
        classes=classes,
        filled=frozenset(name for name in classes if target.warmer.classes.has_own_constructor(name)),
        skipped=skipped,
        arguments=target.arguments,
        modules=target.warmer.module_names() if target.framework == "torch" else (),
    )
