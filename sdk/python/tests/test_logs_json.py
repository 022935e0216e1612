"""Lines of JSON, field by field."""

from __future__ import annotations

import datetime
import json
import logging
import re

import pytest

import watchkeeper as wk
from watchkeeper._context import enter_request, leave_request
from watchkeeper._requests import Request

SEED = json.loads(
    """
    {
      "timestamp": "2025-08-01T21:30:00.000Z",
      "level": "INFO",
      "service": "telegram-bot",
      "request_id": "req-12345",
      "user_id": "user-67890",
      "message": "File upload received",
      "details": {
        "file_size": 10485760,
        "file_type": "audio/mp3"
      }
    }
    """
)


def made(message="m", args=(), *, level=logging.INFO, exc_info=None, **extra):
    return logging.getLogger("bot.files").makeRecord(
        "bot.files", level, "files.py", 7, message, args, exc_info, "upload", extra
    )


def line(record, service=None):
    text = wk.logs.JsonFormatter(service).format(record)
    assert "\n" not in text
    return json.loads(text)


def test_a_line_is_that_of_the_seed_field_by_field():
    record = made(
        "File %s received",
        ("upload",),
        request_id="req-12345",
        user_id="user-67890",
        file_size=10485760,
        file_type="audio/mp3",
    )
    record.created = datetime.datetime(2025, 8, 1, 21, 30, tzinfo=datetime.timezone.utc).timestamp()
    told = line(record, "telegram-bot")
    for key, value in SEED.items():
        if key != "timestamp":
            assert told[key] == value, key
    assert told["timestamp"] == "2025-08-01T21:30:00.000000Z"
    assert datetime.datetime.fromisoformat(told["timestamp"][:-1]) == datetime.datetime(2025, 8, 1, 21, 30)
    assert [key for key in told if key in SEED] == list(SEED)
    assert set(told) - set(SEED) == {"logger"}


def test_details_may_be_given_as_such():
    told = line(made(details={"file_size": 1, "deep": {"a": [1, 2]}}, more=True))
    assert told["details"] == {"file_size": 1, "deep": {"a": [1, 2]}, "more": True}


def test_times_have_microseconds_and_are_utc():
    told = line(made())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", told["timestamp"])
    seen = datetime.datetime.fromisoformat(told["timestamp"][:-1] + "+00:00")
    assert abs((datetime.datetime.now(datetime.timezone.utc) - seen).total_seconds()) < 5
    record = made()
    record.created = -1.0
    assert line(record)["timestamp"] == "1969-12-31T23:59:59.000000Z"
    record.created = 1e30
    assert line(record)["timestamp"].startswith("1970")


def test_ids_come_from_what_runs_and_given_ones_hold(client):
    request = Request(client, "POST", "/documents", "r-1", None)
    before = enter_request(request)
    try:
        with wk.job("extract", id="j-1", document="d-1", tenant="acme") as job, job.stage("ocr"):
            told = line(made())
            assert (told["request_id"], told["job_id"], told["stage"]) == ("r-1", "j-1", "ocr")
            assert (told["trace_id"], told["span_id"]) == (job.trace_id, job.span_id)
            assert (told["document_id"], told["tenant"], told["service"]) == ("d-1", "acme", "tests")
            assert line(made(job_id="other"))["job_id"] == "other"
        assert (line(made())["trace_id"], line(made())["span_id"]) == (request.trace_id, request.span_id)
    finally:
        leave_request(before)
    with wk.job("extract", request_id="r-2"):
        assert line(made())["request_id"] == "r-2"
    assert set(line(made())) == {"timestamp", "level", "service", "message", "logger"}


def test_names_with_points_and_those_of_audits_stand_beside():
    told = line(made(**{"event.name": "audit.document.delete", "outcome": "denied", "target": "d-7", "reason": "x"}))
    assert (told["event.name"], told["outcome"], told["target"]) == ("audit.document.delete", "denied", "d-7")
    assert told["details"] == {"reason": "x"}


def test_fields_of_the_line_are_not_overwritten():
    given = {key: "no" for key in ("level", "service", "timestamp", "exception", "details", "logger")}
    record = made()
    record.__dict__.update(given)
    told = line(record, "s")
    assert (told["level"], told["service"], told["logger"]) == ("INFO", "s", "bot.files")
    assert told["details"] == given


class Silent:
    def __str__(self):
        raise AssertionError("it was printed")

    __repr__ = __str__


def test_values_that_cannot_be_encoded_become_text():
    circle = {}
    circle["self"] = circle
    told = line(
        made(silent=Silent(), circle=circle, nan=float("nan"), large=1 << 80, half="\ud800", when=datetime.date.min)
    )["details"]
    assert "Silent" in told["silent"]
    assert (told["nan"], told["large"], told["half"], told["when"]) == ("nan", str(1 << 80), "?", "0001-01-01")
    assert "circle" in told


def test_a_large_value_is_cut_and_many_are_bounded():
    many = {f"k{number}": "y" * 999 for number in range(900)}
    text = wk.logs.JsonFormatter().format(made("m" * 100_000, text="x" * 1_000_000, **many))
    assert len(text) < 60_000
    json.loads(text)


def test_arguments_that_do_not_fit_lose_nothing():
    told = line(made("%d of %d", ("a",)))
    assert told["message"].startswith("%d of %d (TypeError")


def recurse(depth):
    if depth:
        recurse(depth - 1)
    raise ValueError("deep")


def test_an_exception_is_structured_with_its_chain():
    try:
        try:
            {}["missing"]
        except KeyError as error:
            raise RuntimeError("could not read\nit") from error
    except RuntimeError as error:
        told = line(made(level=logging.ERROR, exc_info=(type(error), error, error.__traceback__)))["exception"]
    assert (told["type"], told["message"]) == ("RuntimeError", "could not read\nit")
    assert told["frames"][-1]["file"] == __file__
    assert "test_an_exception_is_structured" in told["frames"][-1]["function"]
    assert told["frames"][-1]["line"] > 0
    (before,) = told["chain"]
    assert (before["relation"], before["type"], before["message"]) == ("cause", "KeyError", "'missing'")
    assert told["stacktrace"].startswith("Traceback (most recent call last)")


def test_tracebacks_and_chains_are_bounded():
    try:
        recurse(200)
    except ValueError as error:
        for number in range(50):
            outer = ValueError(str(number))
            outer.__cause__ = error
            error = outer
        try:
            recurse(200)
        except ValueError as raised:
            raised.__cause__ = error
            text = wk.logs.JsonFormatter().format(made(exc_info=(ValueError, raised, raised.__traceback__)))
    told = json.loads(text)["exception"]
    assert len(told["frames"]) == 30
    assert told["frames_left_out"] == 172
    assert len(told["chain"]) == 5
    assert len(text) < 60_000


def test_a_chain_that_is_a_circle_ends():
    first, second = ValueError("a"), ValueError("b")
    first.__context__, second.__context__ = second, first
    told = line(made(exc_info=(ValueError, first, None)))["exception"]
    assert [entry["message"] for entry in told["chain"]] == ["b"]


class Mute(Exception):
    def __str__(self):
        raise ValueError("no words")


@pytest.mark.parametrize("info", [(None, None, None), True, (Mute, Mute(), None), "text"])
def test_odd_exceptions_do_no_harm(info):
    assert line(made(exc_info=info))["message"] == "m"


def test_other_letters_can_be_written_in_ascii():
    text = wk.logs.JsonFormatter(ensure_ascii=True).format(made("größer", emoji="😀"))
    assert text.isascii()
    assert json.loads(text)["details"] == {"emoji": "😀"}


class Empty(Exception):
    def __len__(self):
        return 0


def test_an_exception_that_counts_as_false_is_told():
    assert line(made(exc_info=(Empty, Empty("gone"), None)))["exception"]["message"] == "gone"
