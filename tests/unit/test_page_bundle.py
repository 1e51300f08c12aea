"""The bundle in the package is what the sources in ``frontend/`` make, and nothing in it ends the page's elements."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

import jitscope

BUNDLE = Path(jitscope.__file__).parent / "render" / "html" / "bundle"
FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
SINGLE = ("licenses.ts", "package-lock.json", "package.json", "sources.ts", "tsconfig.json", "vite.config.ts")


def digest(root: Path) -> str:
    """As ``frontend/sources.ts`` computes it."""
    files = [*(root / name for name in SINGLE), *(path for path in (root / "src").rglob("*") if path.is_file())]
    found = hashlib.sha256()
    for name, path in sorted((path.relative_to(root).as_posix(), path) for path in files):
        found.update(f"{name}\0".encode() + path.read_bytes() + b"\0")
    return found.hexdigest()


def test_the_bundle_is_current():
    if not FRONTEND.is_dir():
        pytest.skip("an installed jitscope has no frontend/")

    assert (BUNDLE / "sources.sha256").read_text().strip() == digest(FRONTEND), "frontend/ changed: make frontend"


def test_a_change_of_the_sources_is_seen(tmp_path):
    (tmp_path / "src").mkdir()
    for name in SINGLE:
        (tmp_path / name).write_text(name)
    (tmp_path / "src" / "main.tsx").write_text("before")
    before = digest(tmp_path)
    (tmp_path / "src" / "main.tsx").write_text("after")

    assert before != digest(tmp_path)


def test_the_bundle_is_under_a_megabyte():
    assert 1_000_000 > sum((BUNDLE / name).stat().st_size for name in ("page.js", "page.css"))


@pytest.mark.parametrize(("name", "forbidden"), [("page.js", "</script"), ("page.js", "<!--"), ("page.css", "</style")])
def test_the_bundle_ends_no_element(name, forbidden):
    assert forbidden not in (BUNDLE / name).read_text(encoding="utf-8").lower()


def test_the_bundle_names_no_place_to_load_from():
    script = (BUNDLE / "page.js").read_text(encoding="utf-8")
    names = {part.split("`")[0].split('"')[0] for part in script.split("://")[1:]}

    # Names of XML vocabularies, which nothing is loaded from.
    assert all(name.startswith("www.w3.org/") for name in names), names
    assert "@import" not in (BUNDLE / "page.css").read_text(encoding="utf-8")


def test_the_notices_of_what_is_bundled_are_shipped():
    notices = (BUNDLE / "licenses.txt").read_text(encoding="utf-8")

    assert {"preact", "@tanstack/virtual-core"} <= {line.split(" ")[0] for line in notices.splitlines() if line}
