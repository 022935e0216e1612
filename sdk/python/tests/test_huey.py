"""Huey on a real Redis: threads and processes; failures, retries, schedules, revocations."""

from __future__ import annotations

import pytest
from queue_tools import BAD, OK, TWICE, check, of, programs, redis_url, thrice, wait_for_ends

__all__ = ["programs", "redis_url"]

SENDER = ("-c", "from queue_programs import huey_app; huey_app.send()")
WORKER = ("-m", "huey.bin.huey_consumer", "queue_programs.huey_app.huey", "-w", "2", "-q")


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_every_event_arrives_once(server, programs, kind):
    worker = programs.start(*WORKER, "-k", kind)
    programs.run(*SENDER)
    expected = thrice({"well": OK, "bad": BAD, "again": TWICE})
    expected.update(late=OK, revoked=["submitted", "failed"])
    wait_for_ends(server, set(expected))
    programs.stop(worker)
    assert check(server, expected, "again-0", "again", stages=4)["max_retries"] == 2
    assert of(server, "bad-0", "job.failed")["error_type"] == "ValueError"
    assert of(server, "revoked", "job.failed")["error_type"] == "TaskRevoked"
