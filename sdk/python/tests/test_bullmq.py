"""BullMQ's Python package on a real Redis: failures and retries, several jobs at once."""

from __future__ import annotations

from queue_tools import BAD, OK, TWICE, check_lives, check_worker, programs, redis_url, wait_for_ends

__all__ = ["programs", "redis_url"]

CALL = "import asyncio; from queue_programs import bullmq_app as app; asyncio.run(app.{}())"


def test_every_event_arrives_once(server, programs, tmp_path):
    worker = programs.start("-c", CALL.format("work"), str(tmp_path / "stop"))
    programs.run("-c", CALL.format("send"))
    lives = {"well": OK, "bad": BAD, "again": TWICE}
    expected = {f"extraction:{name}-{n}": life for n in range(3) for name, life in lives.items()}
    expected.update({f"extraction:bulk-{n}": OK for n in range(2)})
    wait_for_ends(server, set(expected))
    (tmp_path / "stop").touch()
    assert worker.wait(15) == 0
    server.events = [event for event in server.events if event.get("job_id") != "the-upload"]
    check_lives(server, expected)
    check_worker(server)
    started = next(event for event in server.of("job.started") if event["job_id"] == "extraction:again-0")
    assert (started["queue"], started["kind"], started["max_retries"]) == ("extraction", "again", 2)
    assert (started["parent_id"], started["request_id"]) == ("the-upload", "r-1")
    failed = {event["job_id"]: event for event in server.of("job.failed")}
    assert failed["extraction:bad-0"]["error_type"] == "ValueError"
    assert len(server.of("stage.finished")) == 8
