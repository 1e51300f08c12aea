"""Inductor's folder on disk (``torch/_inductor/codecache.py``, ``_functorch/_aot_autograd/autograd_cache.py``, 2.13).

``fxgraph/<2>/<key>/<hash>`` and ``aotautograd/<key>/<hash>`` are pickles, named by a hash of their content;
``triton/<device>/<key>/…`` are Triton's kernels; ``<2>/c<hash>.*`` is generated code with what was built from it;
``precompiled_headers``, ``locks``, and ``cache/<hash>`` with autotuning results.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable
from pathlib import Path

from jitscope.caches.files import File, last_use, read_start
from jitscope.caches.pickled import numbers_in
from jitscope.model.disk import DiskEntry, EntryKind

_MOST = 1 << 32
_B32 = "[a-z2-7]"
_PATTERNS: tuple[tuple[EntryKind, re.Pattern[str]], ...] = (
    ("fx_graph", re.compile(rf"fxgraph/(?P<two>{_B32}{{2}})/(?P<key>f(?P=two){_B32}{{49}})/(?P<file>{_B32}{{51}})")),
    ("aot_autograd", re.compile(rf"aotautograd/(?P<key>a{_B32}{{51}})/(?P<file>{_B32}{{51}})")),
    ("triton", re.compile(r"triton/\d+/(?P<key>[A-Z2-7]{43,64})/[^/]+")),
    ("code", re.compile(rf"(?P<two>{_B32}{{2}})/(?P<key>c(?P=two){_B32}{{38,58}})\.[\w.]+")),
    ("header", re.compile(rf"precompiled_headers/(?P<key>c{_B32}{{40,60}})\.h(\.gch)?")),
    ("autotune", re.compile(r"cache/(?P<key>[0-9a-f]{64})")),
)
WEAK: tuple[EntryKind, ...] = ("autotune",)
"""Kinds whose names are too common to show that a folder is Inductor's: others keep ``cache/<sha256>``, too."""
_TRITON = re.compile(r"(?P<key>[A-Z2-7]{43,64})/[^/]+")
LOCKS = "locks/"
_OWN = re.compile(r"(locks|precompiled_headers/locks|tmp\w*|torchinductor_\w+)/.*|.*\.lock", re.DOTALL)
"""Torch's own, and no entry."""
NAMED_BY_CONTENT: tuple[EntryKind, ...] = ("fx_graph", "aot_autograd")


def kind_of(path: str) -> tuple[EntryKind, str] | None:
    """Which entry of Inductor's folder a file belongs to."""
    for kind, pattern in _PATTERNS:
        match = pattern.fullmatch(path)
        if match is not None:
            return kind, match["key"]
    return None


def entries_in(root: Path, files: Iterable[File]) -> tuple[list[DiskEntry], int]:
    """The entries among ``files``, and how many files are none."""
    groups: dict[tuple[EntryKind, str], list[File]] = {}
    strangers = 0
    for file in files:
        known = kind_of(file.path)
        if known is not None:
            groups.setdefault(known, []).append(file)
        elif _OWN.fullmatch(file.path) is None:
            strangers += 1
    return [_entry(root, kind, key, group) for (kind, key), group in groups.items()], strangers


def triton_entries_in(root: Path, files: Iterable[File]) -> tuple[list[DiskEntry], int]:
    """The same for a folder of Triton's own (``TRITON_CACHE_DIR``, ``~/.triton/cache``)."""
    groups: dict[str, list[File]] = {}
    strangers = 0
    for file in files:
        match = _TRITON.fullmatch(file.path)
        if match is not None:
            groups.setdefault(match["key"], []).append(file)
        else:
            strangers += 1
    return [_entry(root, "triton", key, group) for key, group in groups.items()], strangers


def _entry(root: Path, kind: EntryKind, key: str, files: list[File]) -> DiskEntry:
    used = last_use(files)
    seconds: float | None = None
    problem: str | None = None
    program: str | None = None
    if kind in NAMED_BY_CONTENT:
        seconds, problem = _stored(root, kind, files)
    elif kind == "triton":
        names = [file.name.rpartition(".")[0] for file in files if file.name.endswith(".json")]
        program = next((name for name in names if not name.startswith("__grp__")), None)
    elif kind == "code":
        program = next((file.name.partition(".")[2] for file in files), None)
    return DiskEntry(
        kind=kind,
        key=key,
        files=tuple(file.path for file in files),
        bytes=sum(file.size for file in files),
        modified=max(file.modified for file in files),
        used=used,
        used_by="file system" if used is not None else "unknown",
        program=program,
        seconds=seconds,
        problem=problem,
    )


_TIMES = {
    "fx_graph": ("_time_taken_ns",),
    "aot_autograd": ("forward_time_taken_ns", "backward_time_taken_ns"),
}
_READ = 64 << 20
"""Bytes. Of a larger entry the stored time is not looked for."""


def _stored(root: Path, kind: EntryKind, files: list[File]) -> tuple[float | None, str | None]:
    """What compiling took, and what is wrong with the entry, of one of its files."""
    if files[0].size > _READ:
        return None, None
    try:
        data = read_start(root / files[0].path, _READ + 1)
        found = numbers_in(data, _TIMES[kind])
    except OSError as error:
        return None, f"cannot be read: {(error.strerror or str(error)).lower()}"
    except ValueError:
        return None, "cut off or damaged"
    return (sum(found.values()) / 1e9 if found else None), None


def check(root: Path, entry: DiskEntry) -> str | None:
    """What is wrong with an entry; None where nothing is. Nothing of it is loaded or run.

    Raises:
        OSError: if it can't be read.
        LookupError: if there is no telling.
    """
    if entry.kind in NAMED_BY_CONTENT:
        for file in entry.files:
            data = read_start(root / file, _MOST)
            digest = base64.b32encode(hashlib.sha256(data).digest())[:51].decode().lower()
            if digest != file.rpartition("/")[2]:
                return "its content is not what its name says"
            try:
                numbers_in(data, ())
            except ValueError:
                return "no whole pickle"
        return None
    if entry.kind in ("triton", "autotune"):
        documents = [file for file in entry.files if file.endswith(".json") or entry.kind == "autotune"]
        for file in documents:
            try:
                json.loads(read_start(root / file, _MOST))
            except ValueError:
                return f"{file.rpartition('/')[2]} is no JSON"
        if not documents:
            raise LookupError("a compiler's own format")
        return None
    if any(not (root / file).stat().st_size for file in entry.files):
        return "empty file"
    if entry.kind == "code":
        return _built(root, entry)
    raise LookupError("a compiler's own format")


def _built(root: Path, entry: DiskEntry) -> str | None:
    for file in entry.files:
        if file.endswith(".so") and read_start(root / file, 4) not in _LIBRARIES:
            return f"{file.rpartition('/')[2]} is no library"
    return None


_LIBRARIES = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe", b"MZ\x90\x00")


_MADE_BY_TRITON = re.compile(r".*/(__grp__.*\.json|[^/]*\.(ttir|ttgir|llir|ptx|cubin|amdgcn|hsaco|so|pyd))", re.DOTALL)


def shows_triton(path: str) -> bool:
    """Whether a file shows that its folder is one of Triton's own: by its place, and as only Triton's are called."""
    return _TRITON.fullmatch(path) is not None and _MADE_BY_TRITON.fullmatch(path) is not None


def shows_inductor(path: str) -> bool:
    """Whether a file shows that its folder is Inductor's."""
    known = kind_of(path)
    return known is not None and known[0] not in WEAK
