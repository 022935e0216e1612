"""Huey on a real Redis: threads and processes; failures, retries, schedules, revocations."""

from __future__ import annotations

import pytest
from queue_tools import BAD, OK, TWICE, check_lives, check_worker, programs, redis_url, wait_for_ends

__all__ = ["programs", "redis_url"]

SENDER = ("-c", "from queue_programs import huey_app; huey_app.send()")
WORKER = ("-m", "huey.bin.huey_consumer", "queue_programs.huey_app.huey", "-w", "2", "-q")


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_every_event_arrives_once(server, programs, kind):
    worker = programs.start(*WORKER, "-k", kind)
    programs.run(*SENDER)
    lives = {"well": OK, "bad": BAD, "again": TWICE}
    expected = {f"{name}-{n}": life for n in range(3) for name, life in lives.items()}
    expected.update(late=OK, revoked=["submitted", "failed"])
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
    assert failed["revoked"]["error_type"] == "TaskRevoked"
    assert len(server.of("stage.finished")) == 4
