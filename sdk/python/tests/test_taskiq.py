"""Taskiq on a real Redis: coroutines and threads; failures, retries, timeouts."""

from __future__ import annotations

from queue_tools import BAD, OK, TWICE, check_lives, check_worker, programs, redis_url, wait_for_ends

__all__ = ["programs", "redis_url"]

SENDER = ("-c", "import asyncio; from queue_programs import taskiq_app; asyncio.run(taskiq_app.send())")
WORKER = ("-m", "taskiq", "worker", "queue_programs.taskiq_app:broker", "-w", "1", "--log-level", "ERROR")


def test_every_event_arrives_once(server, programs):
    worker = programs.start(*WORKER)
    programs.run(*SENDER)
    lives = {"well": OK, "plain": OK, "bad": BAD, "again": TWICE, "slow": BAD}
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
    assert len(server.of("stage.finished")) == 6
