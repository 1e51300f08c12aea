"""Locks that the frameworks hold on their caches: where one is held, nothing is deleted."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from jitscope.caches import jax_folder, torch_folder
from jitscope.errors import JitscopeError

PATIENCE = 2.0
"""Seconds to wait for JAX's lock, which it holds while it reads or writes an entry."""


@contextlib.contextmanager
def locked(root: Path, kind: str) -> Iterator[None]:
    """Hold what keeps the frameworks from using the folder meanwhile, as far as they lock it.

    JAX locks ``.lockfile`` where ``jax_compilation_cache_max_size`` is set, and nothing otherwise; Inductor one file in
    ``locks`` for each piece of code that is being built (both with ``flock``, through the package ``filelock``).

    Raises:
        JitscopeError: if a program holds one of them.
    """
    with contextlib.ExitStack() as stack:
        if kind == "jax":
            _hold(stack, root / jax_folder.LOCK, PATIENCE)
        elif kind == "torch":
            folder = root / torch_folder.LOCKS
            names = sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []
            for path in names:
                # Asked only: thousands of them can't be held.
                with contextlib.ExitStack() as one:
                    _hold(one, path, 0.0)
        yield


def _hold(stack: contextlib.ExitStack, path: Path, patience: float) -> None:
    try:
        import fcntl
    except ImportError:
        message = f"cannot tell on this system whether {path.parent} is in use: nothing was deleted"
        raise JitscopeError(message, slug="cache-locks-unknown") from None
    try:
        handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        message = f"cannot ask for the lock {path}: {why}; nothing was deleted"
        raise JitscopeError(message, slug="cache-locked") from error
    stack.callback(os.close, handle)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            if time.monotonic() >= until:
                raise JitscopeError(
                    f"a program is using {path.parent} (it holds {path.name}): nothing was deleted there; try again "
                    "when it has ended",
                    slug="cache-locked",
                ) from None
            time.sleep(0.05)
        else:
            return
