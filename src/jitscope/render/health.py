"""What ``jitscope doctor`` found, for a terminal."""

from __future__ import annotations

from jitscope.model.health import Cache, FrameworkHealth, Health
from jitscope.render.numbers import count_text
from jitscope.render.page import Page, terminal_color, terminal_width

_SIGNS = {"ok": ("ok", "green"), "not installed": ("not installed", "dim"), "broken": ("broken", "bold red")}


def render_health(health: Health, *, width: int | None = None, color: bool | None = None, all_: bool = False) -> str:
    """Write ``health`` as lines of at most ``width`` columns; ``all_`` shows the hooks that are there, too."""
    page = Page(terminal_width() if width is None else width)
    versions = health.versions
    page.add(("jitscope ", "bold"), f"{versions.get('jitscope', '')} · Python {versions.get('python', '')}", hang=2)
    rest = [f"{name} {version}" for name, version in versions.items() if name not in ("python", "jitscope")]
    page.add((f"{health.executable} · {health.platform} · {' · '.join(rest)}", "dim"), hang=2)
    for framework in health.frameworks:
        _framework(page, framework, all_=all_)
    page.blank()
    kept = health.recordings
    amount = f"{count_text(kept.files, 'recording')}, {size_text(kept.size)}" if kept.files else "no recordings yet"
    page.add(("recordings  ", "bold"), f"{kept.path}  {amount}", hang=2)
    if health.variables:
        page.blank()
        page.add(("environment", "bold"))
        for one in health.variables:
            value = one.name if one.value is None else f"{one.name}={one.value}"
            page.add(value, (f"  {one.effect}", "dim"), indent=2, hang=2)
    page.blank()
    for text in health.problems:
        page.add(("broken: ", "bold red"), text, hang=2)
    for text in health.advice:
        page.add(("advice: ", "yellow"), text, hang=2)
    if not health.problems:
        page.add(("usable", "bold green"), "" if health.advice else ": nothing to be done", hang=2)
    page.add(("jitscope run program.py" if health.usable else "jitscope doctor --format json", "dim"), wrap=False)
    return page.text(color=terminal_color() if color is None else color)


def size_text(size: int) -> str:
    """``512 B``, ``1.2 MB``."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 999.95 or unit == "TB":
            break
    return f"{value:.1f} {unit}"


def _framework(page: Page, one: FrameworkHealth, *, all_: bool) -> None:
    page.blank()
    versions = " · ".join(f"{name} {version}" for name, version in one.versions.items()) or one.name
    page.add((versions, "bold"), "  ", _SIGNS[one.status])
    if one.problem is not None:
        page.add(("problem: ", "red"), one.problem, indent=2, hang=2)
    if one.location is not None:
        page.add((one.location, "dim"), indent=2, hang=2)
    if one.devices:
        page.add(f"devices  {', '.join(one.devices)}", indent=2, hang=2)
    if one.hooks:
        missing = [hook for hook in one.hooks if not hook.available]
        page.add(f"hooks  {len(one.hooks) - len(missing)} of {len(one.hooks)}", indent=2)
        for hook in one.hooks:
            if not hook.available:
                style = "red" if hook.lost else "yellow"
                page.add(("missing ", style), f"{hook.name}: {hook.without}", indent=4, hang=2)
            elif all_:
                page.add(f"{hook.name}: {hook.purpose}", indent=4, hang=2)
    for cache in one.caches:
        page.add(f"persistent cache {cache.name}  {_cache(cache)}", indent=2, hang=2)


def _cache(cache: Cache) -> str:
    state = {True: "on", False: "off", None: "not known whether on"}[cache.on]
    parts = [state + (f", {cache.detail}" if cache.detail and cache.on else "")]
    if cache.path is not None:
        parts.append(cache.path)
        if cache.size is not None and cache.files is not None:
            least = "" if cache.counted_all else "at least "
            parts.append(f"{least}{count_text(cache.files, 'file')}, {size_text(cache.size)}")
        elif "://" not in cache.path:
            parts.append("not there yet" if not cache.exists else "can't be read")
    return "  ".join(parts)
