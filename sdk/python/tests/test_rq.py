"""RQ on a real Redis: forked and simple workers; failures, retries, timeouts, kills."""

from __future__ import annotations

import pytest
from queue_tools import BAD, OK, TWICE, check, of, programs, redis_url, thrice, wait_for_ends

__all__ = ["programs", "redis_url"]

SENDER = ("-c", "import sys; from queue_programs import rq_app; rq_app.send(sys.argv[1])")
WORKER = """
import os, sys
from redis import Redis
import rq
from queue_programs import rq_app
rq_worker = getattr(rq, sys.argv[1])(["extraction"], connection=Redis.from_url(os.environ["REDIS_URL"]))
rq_worker.work(burst=True, logging_level="ERROR")
"""


@pytest.mark.parametrize("kind", ["Worker", "SimpleWorker"])
def test_every_event_arrives_once(server, programs, tmp_path, kind):
    programs.run(*SENDER, str(tmp_path), DROP_KILLED="1" if kind == "SimpleWorker" else "")
    programs.run("-c", WORKER, kind)
    expected = {**thrice({"well": OK, "bad": BAD, "again": TWICE}), "slow": BAD, "first": OK, "second": OK}
    if kind == "Worker":
        expected["killed"] = BAD
    wait_for_ends(server, set(expected))
    check(server, expected, "well-0", "queue_programs.rq_app.well", stages=5)
    workers = {event["worker_id"] for event in server.of("job.started")}
    assert len(workers) == 1
    assert of(server, "bad-0", "job.failed")["error_type"] == "ValueError"
    assert of(server, "slow", "job.failed")["timed_out"] is True
    assert server.of("job.retried")[0]["max_retries"] == 2
