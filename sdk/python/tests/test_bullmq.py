"""BullMQ's Python package on a real Redis: failures and retries, several jobs at once."""

from __future__ import annotations

from queue_tools import BAD, OK, TWICE, check, of, programs, redis_url, thrice, wait_for_ends

__all__ = ["programs", "redis_url"]

CALL = "import asyncio; from queue_programs import bullmq_app as app; asyncio.run(app.{}())"


def test_every_event_arrives_once(server, programs, tmp_path):
    worker = programs.start("-c", CALL.format("work"), str(tmp_path / "stop"))
    programs.run("-c", CALL.format("send"))
    expected = thrice({"extraction:well": OK, "extraction:bad": BAD, "extraction:again": TWICE})
    expected.update({f"extraction:bulk-{n}": OK for n in range(2)})
    wait_for_ends(server, set(expected))
    (tmp_path / "stop").touch()
    assert worker.wait(60) == 0
    assert check(server, expected, "extraction:again-0", "again", stages=8)["max_retries"] == 2
    assert of(server, "extraction:bad-0", "job.failed")["error_type"] == "ValueError"
