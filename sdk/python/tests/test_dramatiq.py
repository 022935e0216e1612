"""Dramatiq on a real Redis: processes with threads; failures, retries, delays, limits of time."""

from __future__ import annotations

from conftest import wait_until
from queue_tools import BAD, OK, TWICE, check_lives, check_worker, programs, redis_url, wait_for_ends

__all__ = ["programs", "redis_url"]

SENDER = ("-c", "from queue_programs import dramatiq_app; dramatiq_app.send()")
WORKER = ("-m", "dramatiq", "queue_programs.dramatiq_app", "-p", "2", "-t", "3")


def test_every_event_arrives_once(server, programs):
    worker = programs.start(*WORKER)
    programs.run(*SENDER)
    lives = {"well": OK, "bad": BAD, "again": TWICE, "slow": BAD}
    expected = {f"{name}-{n}": life for n in range(3) for name, life in lives.items()}
    wait_for_ends(server, set(expected))
    programs.stop(worker)
    server.events = [event for event in server.events if event.get("job_id") != "the-upload"]
    check_lives(server, expected)
    check_worker(server)
    started = next(event for event in server.of("job.started") if event["job_id"] == "again-0")
    assert (started["queue"], started["kind"], started["max_retries"]) == ("extraction", "again", 2)
    assert (started["parent_id"], started["request_id"]) == ("the-upload", "r-1")
    failed = {event["job_id"]: event for event in server.of("job.failed")}
    assert failed["bad-0"]["error_type"] == "ValueError"
    assert failed["slow-0"]["timed_out"] is True
    assert len(server.of("stage.finished")) == 3


def test_a_message_that_was_delivered_twice_ends_twice(server, programs):
    worker = programs.start("-m", "dramatiq", "queue_programs.dramatiq_app", "-p", "1", "-t", "2")
    programs.run("-c", "from queue_programs import dramatiq_app; dramatiq_app.send_twice()")
    wait_until(lambda: len(server.of("job.completed")) == 2, 30)
    programs.stop(worker)
    assert {event["attributes"]["number"] for event in server.of("job.completed")} == {0, 1}
    assert server.of("worker.heartbeat")[-1]["active_tasks"] == 0
