"""The reporter delivers what it can, and never stands in the way."""

from __future__ import annotations

import time
from datetime import datetime, timezone
from pathlib import Path

from conftest import Receiver, eventually, free_port
from docpipe.watch import Watch


def test_events_arrive_in_order_with_their_own_ids(receiver: Receiver) -> None:
    watch = Watch(receiver.url, service="test", key="secret", batch_size=10, interval=0.01)
    for number in range(25):
        watch.report("job.progress", job_id=number, message=None, started_at=datetime.now(timezone.utc))
    watch.close()
    assert [event["job_id"] for event in receiver.events] == list(range(25))
    assert len({event["event_id"] for event in receiver.events}) == 25
    assert all("message" not in event and event["service"] == "test" for event in receiver.events)
    assert datetime.fromisoformat(receiver.events[0]["time"]).tzinfo is not None
    assert max(receiver.batches) <= 10
    assert receiver.authorization == "Bearer secret"
    assert (watch.sent, watch.dropped) == (25, 0)


def test_a_batch_is_tried_again_until_it_is_taken_and_then_no_more(receiver: Receiver) -> None:
    receiver.answers = [503, 429]
    watch = Watch(receiver.url, service="test", interval=0.01)
    watch.report("job.progress", job_id=1)
    eventually(lambda: receiver.events, "the event to arrive")
    watch.close()
    assert len(receiver.events) == 1
    assert not receiver.answers


def test_a_refused_batch_is_counted_and_the_next_one_is_sent(receiver: Receiver) -> None:
    receiver.answers = [400]
    watch = Watch(receiver.url, service="test", interval=0.01)
    watch.report("job.progress", job_id=1)
    eventually(lambda: watch.dropped == 1, "the refusal to be counted")
    watch.report("job.progress", job_id=2)
    watch.close()
    assert [event["job_id"] for event in receiver.events] == [2]


def test_an_answer_that_breaks_off_or_is_no_json_does_not_end_the_reports(receiver: Receiver) -> None:
    receiver.broken = [b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{", b"HTTP/1.1 200 OK\r\n\r\n<html>"]
    watch = Watch(receiver.url, service="test", interval=0.01)
    watch.report("job.progress", job_id=1)
    eventually(lambda: receiver.events, "the event to arrive")
    watch.close()
    assert not receiver.broken
    assert watch.sent == 1


def test_a_value_that_json_does_not_know_does_not_end_the_reports(receiver: Receiver) -> None:
    watch = Watch(receiver.url, service="test", interval=0.01)
    watch.report("job.progress", job_id=1, path=Path("a"), progress=float("nan"), priority=float("inf"))
    watch.close()
    (event,) = receiver.events
    assert (event["path"], "progress" in event, "priority" in event) == ("a", False, False)


def test_without_watchkeeper_the_work_goes_on_and_losses_are_counted() -> None:
    watch = Watch(f"http://127.0.0.1:{free_port()}", service="test", capacity=100, interval=0.01)
    started = time.monotonic()
    for number in range(1000):
        watch.report("job.progress", job_id=number)
    assert time.monotonic() - started < 1.0
    watch.close(timeout=0.5)
    assert time.monotonic() - started < 5.0
    assert (watch.sent, watch.dropped) == (0, 1000)


def test_without_an_address_nothing_is_kept() -> None:
    watch = Watch("", service="test")
    watch.report("job.progress", job_id=1)
    watch.close()
    assert (watch.sent, watch.dropped) == (0, 0)
