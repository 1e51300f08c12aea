"""`jitscope.warm`: compile, before traffic comes, what an earlier run compiled."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from jitscope.analysis.warm_plan import WarmItem, WarmPlan, plan_warming, telling_text
from jitscope.capture.warmth import OtherThreadError, Outcome
from jitscope.errors import JitscopeError
from jitscope.front import label
from jitscope.model.events import EndEvent
from jitscope.model.notation import cut, printable
from jitscope.model.recording import Recording
from jitscope.model.specs import CannotRebuildError
from jitscope.model.warming import WARMING_SCHEMA, WarmedSignature, WarmState, WarmUp
from jitscope.warming.progress import progress_bar
from jitscope.warming.targets import Arguments, Target, target_of

_DONE: tuple[WarmState, ...] = ("compiled", "from_disk", "already")


class Warmed(WarmUp, frozen=True):
    """What `warm` returns: a `WarmUp` that prints itself."""

    def print(self) -> None:
        """Print what was warmed, what was not and why, and what would still compile."""
        print(str(self), end="")  # noqa: T201

    def __str__(self) -> str:
        from jitscope.render.warming import render_warming

        return render_warming(self)


def warm(
    function: Any,
    recording: str | os.PathLike[str] | Recording,
    *,
    name: str | None = None,
    arguments: Arguments | None = None,
    jobs: int | None = None,
    max_seconds: float | None = None,
    check: bool = True,
) -> Warmed:
    """Compile every signature that ``function`` met in ``recording``, so that the first real calls compile nothing.

    JAX: each signature is traced, lowered and compiled from types alone; the function is not executed. torch compiles
    by calling: the function runs on zeros, once for each signature and once more for the check, under the recorded grad
    mode, autocast and training mode; random states, and buffers, tensors, plain attributes and gradients of its modules
    are put back, other side effects (prints, files, globals) happen.

    Args:
        function: what `jax.jit` or `torch.compile` made (watched or not): a function, a method, a module.
        recording: its path, the id of a run, or the value.
        name: what the recording calls it, where that is another name.
        arguments: what can't be rebuilt from a recording: objects by the names of the arguments
            (``{"params": params}``; in JAX only their structure is used, the types are the recorded ones), or a
            function that takes a recorded `Signature` and returns ``(args, kwargs)``, or None to leave it out.
        jobs: how many compile at once. Default: JAX on a CPU one for each processor, else one. torch compiles under one
            lock: there it is always one.
        max_seconds: begin nothing that is not expected to end in this time. Default: no limit.
        check: ask the framework at the end what would still compile.

    Raises:
        JitscopeError: the function is not compiled, or the recording has nothing of it, or can't be read; an option has
            a value that means nothing.
    """
    if jobs is not None and jobs < 1:
        raise JitscopeError(f"warm: jobs={jobs}: give 1 or more, or leave it out", slug="warm-bad-option")
    found = recording if isinstance(recording, Recording) else _load(recording)
    return warm_all(
        [target_of(function, name=name, arguments=arguments)],
        found,
        jobs=jobs,
        max_seconds=max_seconds,
        check=check,
    )


def _load(recording: str | os.PathLike[str]) -> Recording:
    from jitscope.store.locate import resolve
    from jitscope.store.reader import load

    return load(resolve(Path(recording)))


@dataclass
class Task:
    """One signature on its way."""

    target: Target
    item: WarmItem
    number: int
    outcome: Outcome | None = None
    again: str | None = None
    checked: bool = False
    under: str = ""
    text: str = ""


def tasks_of(targets: Sequence[Target], recording: Recording) -> tuple[list[Task], list[str]]:
    """What is to be warmed, the most valuable first, and notes.

    torch's signatures of one function stay together and in the recorded order: what Dynamo compiles depends on it.

    Raises:
        JitscopeError: the recording has nothing of one of the targets.
    """
    plans: list[tuple[Target, WarmPlan]] = [(target, plan_warming(recording, target.wanted)) for target in targets]
    units: list[tuple[float, list[tuple[Target, WarmItem]]]] = []
    for target, plan in plans:
        if plan.ordered:
            units.append((plan.value, [(target, item) for item in plan.items]))
        else:
            units += [(item.value, [(target, item)]) for item in plan.items]
    units.sort(key=lambda unit: -unit[0])
    flat = [pair for _, unit in units for pair in unit]
    tasks = [Task(target, item, number) for number, (target, item) in enumerate(flat)]
    for task in tasks:
        task.under = task.target.under(task.item)
        task.text = telling_text(task.item, [other.item for other in tasks if other.target is task.target])
    notes = [note for _, plan in plans for note in plan.notes]
    unused = [target.of_nothing(plan.items) for target, plan in plans]
    notes += [
        f"arguments has {printable(name)}, which is the name of no argument in the recorded signatures"
        for name in sorted(set.intersection(*unused) if unused else ())
    ]
    return tasks, [*_recording_notes(recording), *_version_notes(recording), *notes]


def warm_all(
    targets: Sequence[Target],
    recording: Recording,
    *,
    jobs: int | None = None,
    max_seconds: float | None = None,
    check: bool = True,
) -> Warmed:
    """As `warm`, for several functions of one recording."""
    tasks, notes = tasks_of(targets, recording)
    started = perf_counter()
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parallel = max(target.warmer.default_jobs(processors) if jobs is None else jobs for target in targets)
    if jobs is not None and jobs > 1 and any(target.framework == "torch" for target in targets):
        notes.append("torch compiles under one lock: its signatures are warmed one after the other")
    ends = started + max_seconds if max_seconds is not None else None
    seen_disk = any(target.warmer.disk_cache() for target in targets)
    # Where the process is recorded, calls made for warming are told as such.
    with label("warm-up"):
        with progress_bar(len(tasks)) as advance:
            _compile_all(tasks, parallel, _Budget(ends, 0.0 if seen_disk else 1.0), advance)
        checked = check and _check_all(tasks, ends)
    if check and not checked:
        notes.append("what would still compile was not looked at for all: the time was up")
    unwritten = sum(task.outcome is not None and task.outcome.written is False for task in tasks)
    if unwritten:
        notes.append(
            f"{unwritten} of the compiled programs were not written to JAX's persistent cache: they compile faster "
            "than jax_persistent_cache_min_compile_time_secs, or call back into Python"
        )
    return Warmed(
        schema=WARMING_SCHEMA,
        run=recording.header.run,
        seconds=perf_counter() - started,
        jobs=parallel if any(target.framework == "jax" for target in targets) else 1,
        signatures=tuple(_told(task) for task in tasks),
        notes=tuple(dict.fromkeys(notes)),
        checked=checked,
        cache={target.framework: target.warmer.disk_cache() for target in targets},
    )


@dataclass
class _Budget:
    """Whether one more is expected to end in time; what was recorded is scaled by what is measured here."""

    ends: float | None
    scale: float
    """Seconds here, for one that was recorded."""
    _recorded: float = 0.0
    _here: float = 0.0

    def allows(self, item: WarmItem) -> bool:
        return self.ends is None or perf_counter() + item.seconds * self.scale < self.ends

    def learn(self, item: WarmItem, outcome: Outcome) -> None:
        if outcome.state in ("compiled", "from_disk") and item.seconds > 0:
            self._recorded += item.seconds
            self._here += outcome.seconds
            self.scale = self._here / self._recorded


def _compile_all(tasks: Sequence[Task], parallel: int, budget: _Budget, advance: Callable[[], None]) -> None:
    running: dict[Future[Outcome], tuple[Task, Callable[[], Outcome]]] = {}
    stopped: set[int] = set()
    pool = ThreadPoolExecutor(parallel, thread_name_prefix="jitscope-warm")
    try:
        for task in tasks:
            while len(running) >= parallel:
                _collect(running, budget, advance)
            if id(task.target) in stopped or not budget.allows(task.item):
                task.outcome = Outcome("left_out", 0.0, "the time was up")
                if task.target.framework == "torch":
                    stopped.add(id(task.target))  # the order must be kept
                advance()
                continue
            end = _begin(task)
            if end is None:
                advance()
            elif parallel == 1:
                task.outcome = _outcome(end)
                budget.learn(task.item, task.outcome)
                advance()
            else:
                running[pool.submit(end)] = task, end
        while running:
            _collect(running, budget, advance)
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(task: Task) -> Callable[[], Outcome] | None:
    try:
        made = task.target.make(task.item, task.number)
        return task.target.start(task.item, made)
    except CannotRebuildError as error:
        task.outcome = Outcome("cannot", 0.0, str(error))
    except Exception as error:  # noqa: BLE001  # whatever the user's function raises while it is traced
        task.outcome = _failure(error)
    return None


def _collect(
    running: dict[Future[Outcome], tuple[Task, Callable[[], Outcome]]], budget: _Budget, advance: Callable[[], None]
) -> None:
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for one in done:
        task, end = running.pop(one)
        here = isinstance(one.exception(), OtherThreadError)
        task.outcome = _outcome(end if here else one.result)
        budget.learn(task.item, task.outcome)
        advance()


def _outcome(end: Callable[[], Outcome]) -> Outcome:
    try:
        return end()
    except Exception as error:  # noqa: BLE001  # the compiler's
        return _failure(error)


def _failure(error: Exception) -> Outcome:
    first = next(iter(str(error).strip().splitlines()), "")
    return Outcome("failed", 0.0, printable(cut(f"{type(error).__name__}: {first}" if first else type(error).__name__)))


def _check_all(tasks: Sequence[Task], ends: float | None) -> bool:
    """Ask what would still compile; whether there was time for all."""
    for task in tasks:
        if task.outcome is None or task.outcome.state not in _DONE:
            continue
        if ends is not None and perf_counter() > ends:
            return False
        try:
            task.again = task.target.again(task.item, task.target.make(task.item))
        except Exception as error:  # noqa: BLE001  # the user's function, called once more
            task.again = _failure(error).why
    return True


def _told(task: Task) -> WarmedSignature:
    item, outcome = task.item, task.outcome
    assert outcome is not None
    return WarmedSignature(
        function=item.function.name,
        framework=item.function.framework,
        text=task.text,
        under=task.under,
        calls=item.calls,
        recorded_seconds=item.seconds,
        state=outcome.state,
        seconds=outcome.seconds,
        why=outcome.why,
        again=task.again,
    )


def _recording_notes(recording: Recording) -> list[str]:
    if recording.header.processes or any(isinstance(event, EndEvent) for event in reversed(recording.events)):
        return []
    return ["the recording has no end: the program was killed or still runs, and what it met later is not in it"]


def _version_notes(recording: Recording) -> list[str]:
    then = dict(recording.header.versions)
    for event in reversed(recording.events):
        versions = getattr(event, "versions", None)
        if versions:
            then |= versions
            break
    notes = []
    for name in ("jax", "torch"):
        module: Any = sys.modules.get(name)
        now = str(getattr(module, "__version__", "")) if module is not None else ""
        if now and name in then and then[name] != now:
            notes.append(
                f"recorded with {name} {printable(then[name])}, and this is {now}: signatures may be told otherwise"
            )
    return notes
