"""Reads traces as a viewer would, and fails where one could not."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema

from jitscope.analysis.build import build_report
from jitscope.render.perfetto import render_perfetto

SCHEMA = jsonschema.Draft202012Validator(json.loads((Path(__file__).parent / "trace.schema.json").read_text("utf-8")))


def trace(value):
    found = json.loads(render_perfetto(value, build_report(value)))
    SCHEMA.validate(found)
    check(found["traceEvents"])
    return found["traceEvents"]


def check(events):
    """As a viewer reads it: in the order of time, slices nest, and each arrow has a slice at both ends."""
    timed = [event for event in events if event["ph"] != "M"]
    assert timed == sorted(timed, key=lambda event: event["ts"])
    stacks: dict[tuple, list] = {}
    begun, ended = {}, {}
    for event in timed:
        if event["ph"] == "C":
            continue
        stack = stacks.setdefault((event["pid"], event["tid"]), [])
        while (
            stack
            and stack[-1]["ts"] + stack[-1]["dur"] <= event["ts"]
            and not (stack[-1]["ts"] == event["ts"] and event["ph"] != "X")
        ):
            stack.pop()
        if event["ph"] == "X":
            if stack:
                assert event["ts"] + event["dur"] <= stack[-1]["ts"] + stack[-1]["dur"], "slices cross each other"
            stack.append(event)
        else:
            assert stack, "an arrow without a slice"
            which = begun if event["ph"] == "s" else ended
            assert event["id"] not in which
            assert event["ph"] == "s" or event["id"] in begun, "an arrow ends before it begins"
            which[event["id"]] = stack[-1]
    assert begun.keys() == ended.keys()
    assert len({event["tid"] for event in events if "tid" in event} | {event["pid"] for event in events}) == len(
        {event["tid"] for event in events if "tid" in event}
    ) + len({event["pid"] for event in events}), "a number names a process and a track"
    return {number: (begun[number], ended[number]) for number in begun}


def slices(events, category):
    return [event for event in events if event["ph"] == "X" and event["cat"] == category]


def tracks(events):
    return [event["args"]["name"] for event in events if event["name"] == "thread_name"]
