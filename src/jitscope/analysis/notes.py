"""What the report cannot say, said."""

from __future__ import annotations

from collections.abc import Sequence

from jitscope.analysis.idle import idle_entries
from jitscope.analysis.index import Index
from jitscope.model.events import CompilationEvent, ProcessInfo
from jitscope.model.recording import Recording
from jitscope.model.report import Note


def notes_of(recording: Recording, index: Index) -> tuple[Note, ...]:
    """Notes about the recording itself, then those that were recorded, each once."""
    notes: list[Note] = []
    processes = recording.header.processes
    for one in processes:
        notes += _process_notes(one)
    if index.end is None and not processes:
        notes.append(
            Note(
                "no-end",
                "the program was killed or is still running: hits since the last flush may be missing, "
                "and the run took at least the time shown",
            )
        )
    if recording.torn:
        notes.append(Note("torn", "the recording's last line was cut off and is left out"))
    if recording.skipped:
        notes.append(
            Note(
                "skipped-events",
                f"events of a kind that this jitscope does not know were left out: {recording.skipped}; upgrade "
                "jitscope to see them",
            )
        )
    if index.dangling:
        notes.append(
            Note(
                "broken-reference",
                f"events that refer to something the recording does not contain: {index.dangling}; "
                "was the file edited?",
            )
        )
    notes += recorded_notes(index, processes)
    by_function: dict[int, list[CompilationEvent]] = {}
    for compilation in index.compilations:
        if compilation.function is not None:
            by_function.setdefault(compilation.function, []).append(compilation)
    for identity, times in index.shortened.items():
        if identity in index.functions:
            name = index.functions[identity].name
            text = f"{name}: the same calls came {times} times in a row, and their order is told once"
            notes.append(Note("history-aggregated", f"{text}; counts are exact"))
    for function in index.functions.values():
        if function.framework == "torch" and function.id in by_function:
            notes += idle_entries(function, by_function[function.id], index.runs.get(function.id, ()))
    return tuple(dict.fromkeys(notes))


def _process_notes(one: ProcessInfo) -> list[Note]:
    """What one process of a combined recording did not record."""
    notes: list[Note] = []
    if not one.ended:
        notes.append(
            Note(
                "no-end",
                f"{one.label} was killed or was still running: hits since its last flush may be missing, and it took "
                "at least the time shown",
            )
        )
    if one.torn:
        notes.append(Note("torn", f"{one.label}: its recording's last line was cut off and is left out"))
    if one.skipped:
        text = f"{one.label}: events of a kind that jitscope did not know were left out: {one.skipped}"
        notes.append(Note("skipped-events", text))
    return notes


def recorded_notes(index: Index, processes: Sequence[ProcessInfo] = ()) -> list[Note]:
    """The notes that were written while the program ran."""
    notes: list[Note] = []
    for event in index.notes:
        function = index.functions.get(event.function) if event.function is not None else None
        text = f"{function.name}: {event.text}" if function and function.name not in event.text else event.text
        if event.process is not None and event.process < len(processes):
            text = f"{processes[event.process].label}: {text}"
        notes.append(Note(event.slug, text))
    return notes
