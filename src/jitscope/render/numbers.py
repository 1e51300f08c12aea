"""Numbers for people: durations, shares, ratios with their denominator."""

from __future__ import annotations

import math


def seconds_text(seconds: float) -> str:
    """A duration with three significant digits or more: ``870 µs``, ``12.3 ms``, ``4.52 s``, ``312.4 s``."""
    if seconds <= 0:
        return "0 s"
    for unit, scale in (("µs", 1e6), ("ms", 1e3)):
        text = _digits(seconds * scale, most=0)
        # The rounded number decides: 999.96 ms is 1 s.
        if float(text) < 1000:
            return f"{text} {unit}"
    return f"{_digits(seconds, most=1)} s"


def share_text(share: float) -> str:
    """A share as whole per cents; what is not all or nothing is not shown as such: ``39%``, ``<1%``, ``>99%``."""
    if 0 < share < 0.01:
        return "<1%"
    if 0.99 < share < 1:
        return ">99%"
    return f"{share * 100:.0f}%"


def ratio_text(part: int, whole: int) -> str:
    """``487 / 497 (97.99%)``; rounded down, so that 100% means all; without per cents where there is nothing."""
    if whole == 0:
        return f"{part} / 0"
    percent = 100 * part / whole
    if part and percent < 0.1:
        return f"{part} / {whole} (<0.1%)"
    decimals = 2 if percent > 99 else 1
    floored = math.floor(percent * 10**decimals) / 10**decimals
    return f"{part} / {whole} ({floored:.{decimals}f}".rstrip("0").rstrip(".") + "%)"


def count_text(count: int, noun: str, plural: str | None = None) -> str:
    """``1 compilation``, ``3 compilations``."""
    return f"{count} {noun if count == 1 else plural or noun + 's'}"


def _digits(value: float, *, most: int) -> str:
    """Two decimals below 10, one below 100, then ``most``."""
    if value < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:.{most}f}"
