"""Which caches on disk are worth telling."""

from __future__ import annotations

from jitscope.model.report import CacheReport, Report

WORTH = 1.0
"""Seconds of compiling from which on it is worth a line that no cache was on."""


def told_caches(report: Report) -> tuple[CacheReport, ...]:
    """Those that are worth telling: that were asked, or would have been worth it."""
    spent = report.totals.compile_seconds + report.totals.eager_op_compile_seconds
    return tuple(one for one in report.caches if one.hits or one.misses or one.bypassed or spent >= WORTH)
