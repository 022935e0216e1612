"""arq on a real Redis: failures, retries, timeouts, many at once in one loop."""

from __future__ import annotations

from queue_tools import BAD, OK, TWICE, check, of, programs, redis_url, thrice, wait_for_ends

__all__ = ["programs", "redis_url"]

SENDER = ("-c", "import asyncio; from queue_programs import arq_app; asyncio.run(arq_app.send())")
WORKER = ("-c", "import arq; from queue_programs import arq_app; arq.run_worker(arq_app.WorkerSettings)")


def test_every_event_arrives_once(server, programs):
    programs.run(*SENDER)
    programs.run(*WORKER)
    expected = thrice({"well": OK, "bad": BAD, "again": TWICE, "slow": BAD})
    expected["no"] = ["submitted", "failed"]
    wait_for_ends(server, set(expected))
    assert check(server, expected, "well-0", "well", stages=3)["max_retries"] == 4
    assert of(server, "bad-0", "job.failed")["error_type"] == "ValueError"
    assert of(server, "slow-0", "job.failed")["timed_out"] is True
