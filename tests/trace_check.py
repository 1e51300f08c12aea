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
    """As a viewer reads it, in the order of the file: slices nest, and each arrow has a slice at both ends.

    The result is the two slices of each arrow, by its number.
    """
    return read(events)[1]


def read(events):
    """The slices, with their duration, and the two that each arrow ties."""
    timed = [event for event in events if event["ph"] != "M"]
    assert timed == sorted(timed, key=lambda event: event["ts"])
    found, stacks, begun, ended = [], {}, {}, {}
    for event in timed:
        stack = stacks.setdefault((event["pid"], event.get("tid")), [])
        match event["ph"]:
            case "B":
                found.append(dict(event))
                stack.append(found[-1])
            case "E":
                one = stack.pop()
                assert one["name"] == event["name"], "slices cross each other"
                one["dur"] = event["ts"] - one["ts"]
            case "s" | "f" as kind:
                assert stack, "an arrow without a slice"
                which = begun if kind == "s" else ended
                assert event["id"] not in which
                assert kind == "s" or event["id"] in begun, "an arrow ends before it begins"
                which[event["id"]] = stack[-1]
    assert not any(stacks.values()), "a slice without an end"
    assert begun.keys() == ended.keys()
    assert all(begun[number] is not ended[number] for number in begun)
    named = [event["tid"] for event in events if event.get("name") == "thread_name"]
    assert len(named) == len(set(named)), "Perfetto names threads by their number alone, whatever process they are in"
    assert not {event["pid"] for event in events} & set(named), "that number is the main thread's"
    return found, {number: (begun[number], ended[number]) for number in begun}


def slices(events, category):
    """The slices of one category, in the order in which they begin."""
    return [one for one in read(events)[0] if one["cat"] == category]


def tracks(events):
    """The names of the tracks."""
    return [event["args"]["name"] for event in events if event["ph"] == "M" and event["name"] == "thread_name"]
