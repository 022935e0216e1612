"""Taskiq on a real Redis: coroutines and threads; failures, retries, timeouts."""

from __future__ import annotations

from queue_tools import BAD, OK, TWICE, check, of, programs, redis_url, thrice, wait_for_ends

__all__ = ["programs", "redis_url"]

SENDER = ("-c", "import asyncio; from queue_programs import taskiq_app; asyncio.run(taskiq_app.send())")
WORKER = ("-m", "taskiq", "worker", "queue_programs.taskiq_app:broker", "-w", "1", "--log-level", "ERROR")


def test_every_event_arrives_once(server, programs):
    worker = programs.start(*WORKER)
    programs.run(*SENDER)
    expected = thrice({"well": OK, "plain": OK, "bad": BAD, "again": TWICE, "slow": BAD})
    wait_for_ends(server, set(expected))
    programs.stop(worker)
    assert check(server, expected, "again-0", "again", stages=6)["max_retries"] == 2
    assert of(server, "bad-0", "job.failed")["error_type"] == "ValueError"
    assert of(server, "slow-0", "job.failed")["timed_out"] is True
