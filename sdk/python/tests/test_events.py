"""What becomes of values that cannot be sent as they are."""

from __future__ import annotations

import datetime
import decimal
import enum
import json
import uuid

import pytest

from watchkeeper._clean import clean, name
from watchkeeper._counts import Counts
from watchkeeper._events import MAX_EVENT_BYTES, Encoder


def encoded(facts, type_="job.started"):
    counts = Counts()
    data = Encoder({"service": "s", "worker_id": "w", "host": "h", "pid": 1}, counts).encode(type_, facts)
    assert len(data) <= MAX_EVENT_BYTES
    assert b"\n" not in data
    return json.loads(data.decode("utf-8")), counts


class Colour(enum.Enum):
    RED = "red"


class Rude:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


def circle():
    made = {}
    made["self"] = made
    return made


def deep():
    made = []
    for _ in range(100_000):
        made = [made]
    return made


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        ("ä", "ä"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (10**30, str(10**30)),
        pytest.param(10**5000, "<a large number>", id="large"),
        (datetime.datetime(2025, 8, 1), "2025-08-01 00:00:00"),
        (decimal.Decimal("1.5"), "1.5"),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001"),
        (Colour.RED, "red"),
        (b"\xffabc", "\ufffdabc"),
        (("a", 2), ["a", 2]),
        ("\ud800", "?"),
        pytest.param(Rude(), "<test_events.Rude>", id="rude"),
        (object(), "<builtins.object>"),
    ],
)
def test_values_become_what_json_can_hold(value, expected):
    event, _ = encoded({"job_id": "j", "attributes": {"value": value}})
    assert event["attributes"]["value"] == expected
    assert (event["job_id"], event["service"], event["type"]) == ("j", "s", "job.started")


@pytest.mark.parametrize(
    "value",
    [circle(), deep(), "x" * 10_000_000, ["y" * 100] * 1_000_000, {str(n): n for n in range(100_000)}, "\0" * 50_000],
    ids=["circle", "deep", "text", "list", "dict", "escapes"],
)
def test_what_is_huge_deep_or_circular_is_cut_and_counted(value):
    event, counts = encoded({"job_id": "j", "attributes": {"value": value}})
    assert event["job_id"] == "j"
    assert counts.cleaned == 1


def test_an_event_may_have_its_own_id_time_and_worker():
    event, counts = encoded({"job_id": "j", "event_id": "mine", "time": 1754083800, "worker_id": "other"})
    assert (event["event_id"], event["time"], event["worker_id"]) == ("mine", 1754083800, "other")
    assert counts.cleaned == 0


def test_facts_of_the_process_go_where_there_is_a_field_for_them():
    assert "host" not in encoded({"job_id": "j"})[0]
    assert encoded({}, "worker.heartbeat")[0]["host"] == "h"
    assert encoded({}, "no.such.type")[0]["type"] == "no.such.type"


def test_ids_that_are_too_long_stay_different():
    one, two = name("x" * 1_000 + "1"), name("x" * 1_000 + "2")
    assert one != two
    assert len(one.encode()) <= 512
    assert len(name("ä" * 400).encode()) <= 512
    assert name(7) == "7"
    assert name(None) is None


def test_a_cleaned_copy_is_a_copy():
    value = {"a": [1]}
    assert clean({"v": value})[0]["v"] is not value


class Array:
    """Like numpy's: comparing gives no truth."""

    def __eq__(self, other):
        raise ValueError("the truth of an array is ambiguous")

    __hash__ = None


def test_values_that_cannot_be_compared_are_told_by_their_type():
    event, counts = encoded({"job_id": "j", "attributes": {"a": Array(), "b": [Array()]}})
    assert event["attributes"] == {"a": "<test_events.Array>", "b": ["<test_events.Array>"]}
    assert counts.cleaned == 1
