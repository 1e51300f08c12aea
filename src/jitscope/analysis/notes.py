"""What the report cannot say, said."""

from __future__ import annotations

from jitscope.analysis.idle import idle_entries
from jitscope.analysis.index import Index
from jitscope.model.recording import Recording
from jitscope.model.report import Note


def notes_of(recording: Recording, index: Index) -> tuple[Note, ...]:
    """Notes about the recording itself, then those that were recorded, each once."""
    notes: list[Note] = []
    if index.end is None:
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
    notes += recorded_notes(index)
    for function in index.functions.values():
        if function.framework == "torch":
            mine = [one for one in index.compilations if one.function == function.id]
            notes += idle_entries(function, mine, index.runs.get(function.id, ()))
    return tuple(dict.fromkeys(notes))


def recorded_notes(index: Index) -> list[Note]:
    """The notes that were written while the program ran."""
    notes: list[Note] = []
    for event in index.notes:
        function = index.functions.get(event.function) if event.function is not None else None
        text = f"{function.name}: {event.text}" if function and function.name not in event.text else event.text
        notes.append(Note(event.slug, text))
    return notes
