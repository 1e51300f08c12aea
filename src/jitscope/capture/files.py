"""The recordings on disk of this process: that of a `record` block, and that of the whole program."""

from __future__ import annotations

import atexit
import os
import sys
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

import msgspec

from jitscope._startup import Member
from jitscope.capture import spans
from jitscope.capture.header import new_header, run_id, started_as, with_free_name
from jitscope.capture.sessions import FileSession, LateSession
from jitscope.capture.source import wanted
from jitscope.errors import JitscopeError
from jitscope.model.events import Header, LabelEvent
from jitscope.store.beside import path_in
from jitscope.store.locate import default_path

if TYPE_CHECKING:
    from jitscope.capture.recorder import Recorder


class Files:
    """Opens and closes the sessions of a recorder that write to disk."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder
        self.block: FileSession | None = None
        """That of an open `record` block."""
        self.run: FileSession | LateSession | None = None
        """That of ``jitscope run``: the whole program, which may open and close its own meanwhile."""
        self.member: Member | None = None
        """This process, where the program's processes are followed: its forks make recordings of their own."""
        self._atexit = False

    def start_block(self, path: Path | None, *, force: bool, with_source: bool = False) -> FileSession:
        """Open a recording on disk; where ``path`` is None, under the run's id in the usual folder.

        ``with_source``: lines of source around call sites are in it.

        Raises:
            JitscopeError: if the path can't be written or exists already.
            RuntimeError: if one is open already.
        """
        with self._recorder.lock:
            if self.block is not None:
                raise RuntimeError(
                    f"jitscope.record: a recording is already open ({self.block.path}); recordings may not overlap"
                )
            self.block = self._open(path, force=force, with_source=with_source)
            if not self._atexit:
                atexit.register(self.stop_block)
                self._atexit = True
            return self.block

    def stop_block(self) -> None:
        """Close the recording of a `record` block, if one is open."""
        with self._recorder.lock:
            session, self.block = self.block, None
            self._close(session)

    def start_run(
        self,
        path: Path | None,
        *,
        force: bool,
        followed: bool = False,
        program: str | None = None,
        process: str | None = None,
        with_source: bool = False,
    ) -> FileSession:
        """Open the recording of the whole program, next to which it may make its own.

        ``followed``: the header says that it is the first one of several; else ``program`` and ``process`` are what it
        says of them. ``with_source``: lines of source around call sites are in it.

        Raises:
            JitscopeError: if the path can't be written or exists already.
        """
        with self._recorder.lock:
            session = self._open(
                path, force=force, first=followed, program=program, process=process, with_source=with_source
            )
            self.run = session
            return session

    def stop_run(self) -> None:
        """Close the recording of the whole program, if one is open."""
        with self._recorder.lock:
            session, self.run = self.run, None
            self._close(session)

    def follow(self, member: Member) -> None:
        """Record this process, one of a program's, from now on: in a file of its own, once there is something to."""
        with self._recorder.lock:
            self.member = member
            zero = perf_counter()
            self._begin_late(new_header(zero), zero)

    def after_fork_in_child(self, header: Header, zero: float) -> bool:
        """The parent keeps its files; a child that is followed begins its own. Whether it is."""
        followed, self.block, self.run = self.run is not None, None, None
        if not followed or self.member is None:
            return False
        self.member.after_fork_in_child()
        self._begin_late(header, zero)
        return True

    def _begin_late(self, header: Header, zero: float) -> None:
        self.run = LateSession(zero, lambda: self._open_late(header, zero))
        self._recorder.sessions = [*self._recorder.sessions, self.run]

    def _open_late(self, header: Header, zero: float) -> FileSession | None:
        member = self.member
        assert member is not None
        versions, devices = self._recorder.surroundings.versions_and_devices()
        rank, world_size = self._recorder.surroundings.rank(header)
        process, parent = started_as(member)
        header = msgspec.structs.replace(
            header,
            run=member.run_id or run_id(header.started, header.pid, rank),
            argv=tuple(sys.argv),
            rank=rank,
            world_size=world_size,
            versions=header.versions | versions,
            devices=devices,
            program=member.program,
            parent=parent,
            process=process,
        )
        path = path_in(member.place, header.run, header.pid)
        if member.place.endswith(os.sep):
            header = msgspec.structs.replace(header, run=path.stem)
        try:
            return FileSession(path, header, zero, force=False, with_source=wanted())
        except JitscopeError as error:  # the folder is not this process's to write to, say
            self._recorder.note("not-recorded", f"this process is recorded in memory only: {error}")
            return None

    def _open(
        self,
        path: Path | None,
        *,
        force: bool,
        first: bool = False,
        program: str | None = None,
        process: str | None = None,
        with_source: bool = False,
    ) -> FileSession:
        recorder = self._recorder
        recorder.flush()
        zero = perf_counter()
        header = msgspec.structs.replace(recorder.fresh_header(zero), program=program, process=process)
        if path is None:
            header = with_free_name(header)
        if first:
            header = msgspec.structs.replace(header, program=header.run)
        session = FileSession(
            path or default_path(header.run), header, zero, force=force, with_source=with_source or wanted()
        )
        if recorder.labelled is not None:
            session.write(LabelEvent(recorder.labelled))
        for start in recorder.starts:
            session.write(spans.shifted(start, zero))
        recorder.sessions = [*recorder.sessions, session]
        return session

    def _close(self, session: FileSession | LateSession | None) -> None:
        if session is not None:
            self._recorder.remove_session(session)
            session.close(self._recorder.last_line(session))
