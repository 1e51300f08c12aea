"""Looking at many recordings with several processes: each is judged by itself."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Final

from jitscope.analysis.combine import Start
from jitscope.analysis.divergence import Digest, Known, digest_of
from jitscope.errors import JitscopeError
from jitscope.model.signature import Signature
from jitscope.store.reader import load

FEW: Final = 12
"""So many recordings are looked at in this process: starting others takes longer."""
MOST: Final = 8
"""Most processes."""
AT_ONCE: Final = 4
"""Recordings that a process is given at a time."""

_known = Known()
"""In a worker: the signatures that it has sent."""

_Told = tuple[Digest, dict[bytes, Signature | None]] | JitscopeError


def digests(pairs: Sequence[tuple[Path, Start]], known: Known) -> Iterator[Digest]:
    """The digest of each recording, in order; its signatures are added to ``known``.

    Raises:
        JitscopeError: if one can't be read.
    """
    processes = min(os.cpu_count() or 1, MOST, len(pairs) // AT_ONCE)
    done = 0
    if len(pairs) > FEW and processes > 1:
        try:
            for digest in _by_workers(pairs, known, processes):
                done += 1
                yield digest
        except (BrokenExecutor, OSError):
            pass  # no processes to be had here, or one was killed: the rest is done in this one
    for path, start in pairs[done:]:
        yield digest_of(load(path), start, known)


def _by_workers(pairs: Sequence[tuple[Path, Start]], known: Known, processes: int) -> Iterator[Digest]:
    # Not forked: what runs this command may have threads.
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=gc.disable) as pool:
        try:
            for found in pool.map(_told, pairs, chunksize=AT_ONCE):
                if isinstance(found, JitscopeError):
                    raise found
                digest, signatures = found
                known.signatures.update(signatures)
                yield known.shared(digest)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise


def _told(pair: tuple[Path, Start]) -> _Told:
    """In a worker: what there is to send of one recording."""
    path, start = pair
    before = len(_known.signatures)
    try:
        digest = digest_of(load(path), start, _known)
    except JitscopeError as error:
        return error
    added = list(_known.signatures.items())[before:]
    return digest, dict(added)
