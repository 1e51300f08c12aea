"""Cache folders made by hand, in the frameworks' forms."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import pickle
import time
import zlib

OLD = 100 * 86400.0
"""Seconds."""


def age(path, seconds=OLD):
    """Make a file as old."""
    moment = time.time() - seconds
    os.utime(path, (moment, moment))
    return path


def jax_entry(folder, program="jit_step", number=0, seconds=3, *, old=OLD, data=None, size=100):
    """An entry of JAX's, packed with zlib."""
    folder.mkdir(exist_ok=True, parents=True)
    digest = hashlib.sha256(f"{program}{number}".encode()).hexdigest()
    path = folder / f"{program}-{digest}-cache"
    if data is None:
        data = zlib.compress(seconds.to_bytes(4, "big") + os.urandom(size))
    path.write_bytes(data)
    age(path, old)
    return path


def atime(entry, seconds):
    """JAX's time stamp of an entry: last used ``seconds`` ago."""
    path = entry.with_name(entry.name.removesuffix("-cache") + "-atime")
    path.write_bytes(int((time.time() - seconds) * 1e9).to_bytes(8, "little"))
    return age(path, seconds)


def b32(data, length=51):
    return base64.b32encode(hashlib.sha256(data).digest())[:length].decode().lower()


def fx_entry(folder, number=0, nanoseconds=2_500_000_000, *, old=OLD, content=None):
    """An entry of Inductor's FX graph cache: a pickle, named by its content."""
    content = pickle.dumps({"_time_taken_ns": nanoseconds, "n": number}) if content is None else content
    key = "f" + b32(f"fx{number}".encode())
    where = folder / "fxgraph" / key[1:3] / key
    where.mkdir(parents=True, exist_ok=True)
    path = where / b32(content)
    path.write_bytes(content)
    return age(path, old)


def code_entry(folder, number=0, *, old=OLD):
    """Generated code, and the library made of it."""
    key = "c" + b32(f"code{number}".encode())
    where = folder / key[1:3]
    where.mkdir(parents=True, exist_ok=True)
    (where / f"{key}.main.cpp").write_text("int main;\n")
    (where / f"{key}.main.so").write_bytes(b"\x7fELF" + b"\0" * 50)
    for path in where.iterdir():
        age(path, old)
    return where / f"{key}.main.so"


def triton_entry(folder, number=0, name="triton_poi_add", *, old=OLD):
    """A kernel of Triton's."""
    key = base64.b32encode(hashlib.sha256(f"k{number}".encode()).digest()).decode().rstrip("=")
    where = folder / key
    where.mkdir(parents=True, exist_ok=True)
    (where / f"{name}.json").write_text(json.dumps({"name": name}))
    (where / f"{name}.cubin").write_bytes(b"x" * 40)
    for path in where.iterdir():
        age(path, old)
    return where
