"""Dramatiq on a real Redis: processes with threads; failures, retries, delays, limits of time."""

from __future__ import annotations

from conftest import wait_until
from queue_tools import BAD, OK, TWICE, check, of, programs, redis_url, thrice, wait_for_ends

__all__ = ["programs", "redis_url"]

SENDER = ("-c", "from queue_programs import dramatiq_app; dramatiq_app.send()")
WORKER = ("-m", "dramatiq", "queue_programs.dramatiq_app", "-p", "2", "-t", "3")


def test_every_event_arrives_once(server, programs):
    worker = programs.start(*WORKER)
    programs.run(*SENDER)
    expected = thrice({"well": OK, "bad": BAD, "again": TWICE, "slow": BAD})
    wait_for_ends(server, set(expected))
    programs.stop(worker)
    assert check(server, expected, "again-0", "again", stages=3)["max_retries"] == 2
    assert of(server, "bad-0", "job.failed")["error_type"] == "ValueError"
    assert of(server, "slow-0", "job.failed")["timed_out"] is True


def test_a_message_that_was_delivered_twice_ends_twice(server, programs):
    worker = programs.start("-m", "dramatiq", "queue_programs.dramatiq_app", "-p", "1", "-t", "2")
    programs.run("-c", "from queue_programs import dramatiq_app; dramatiq_app.send_twice()")
    wait_until(lambda: len(server.of("job.completed")) == 2, 30)
    programs.stop(worker)
    assert {event["attributes"]["number"] for event in server.of("job.completed")} == {0, 1}
    assert server.of("worker.heartbeat")[-1]["active_tasks"] == 0
