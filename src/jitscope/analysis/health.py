"""What follows from what ``jitscope doctor`` found: what is broken, and what could be better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from jitscope.model.health import FrameworkHealth, Recordings

_OFF = {"0", "off", "false", "no"}


def problems_of(
    frameworks: Sequence[FrameworkHealth], recordings: Recordings, versions: Mapping[str, str]
) -> tuple[str, ...]:
    """What is broken: jitscope, or a framework, can't be used as it is."""
    found = [f"{name} is not installed, and jitscope needs it" for name, version in versions.items() if not version]
    found += [f"{one.name} is broken: {one.problem}" for one in frameworks if one.status == "broken"]
    if not recordings.writable:
        found.append(f"recordings can't be written to {recordings.path}: set JITSCOPE_DIR to a folder that can")
    return tuple(found)


def advice_of(
    frameworks: Sequence[FrameworkHealth], recordings: Recordings, environment: Mapping[str, str]
) -> tuple[str, ...]:
    """What could be better, the weightiest first."""
    advice = []
    if environment.get("JITSCOPE", "").strip().lower() in _OFF:
        advice.append("JITSCOPE=0 is set: unset it to record anything")
    advice += [
        f"{name}=1 is set: unset it, or torch.compile compiles nothing"
        for name in ("TORCH_COMPILE_DISABLE", "TORCHDYNAMO_DISABLE")
        if environment.get(name) == "1"
    ]
    if environment.get("JAX_DISABLE_JIT", "0").lower() not in {*_OFF, ""}:
        advice.append("JAX_DISABLE_JIT is set: unset it, or jax.jit compiles nothing")
    if frameworks and all(one.status == "not installed" for one in frameworks):
        advice.append('neither jax nor torch is installed here: pip install "jitscope[jax]" or "jitscope[torch]"')
    for one in frameworks:
        if one.status == "ok" and one.problem is not None:
            advice.append(f"{one.name}: {one.problem}")
        lost = [hook.name for hook in one.hooks if hook.lost and not hook.available]
        if lost:
            version = one.versions.get(one.name, "")
            advice.append(f"{one.name} {version} lacks {', '.join(lost)}: use a newer {one.name}, see hooks above")
        if any(cache.name == "jax" and not cache.on for cache in one.caches):
            advice.append(
                "jax's persistent cache is off: with JAX_COMPILATION_CACHE_DIR set to a folder, a program that is "
                "started again need not compile again"
            )
    if recordings.size > _MUCH:
        advice.append(f"recordings in {recordings.path} hold {recordings.size / 1e9:.1f} GB: delete old ones")
    return tuple(advice)


_MUCH = 1_000_000_000
"""Bytes of recordings that are worth a word."""
