"""RQ on a real Redis: forked and simple workers; failures, retries, timeouts, kills."""

from __future__ import annotations

import pytest
from queue_tools import BAD, OK, TWICE, check_lives, check_worker, programs, redis_url, wait_for_ends

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
    expected = {
        **{f"{name}-{n}": life for n in range(3) for name, life in (("well", OK), ("bad", BAD), ("again", TWICE))},
        **{"slow": BAD, "first": OK, "second": OK},
    }
    if kind == "Worker":
        expected["killed"] = BAD
    wait_for_ends(server, set(expected))
    server.events = [event for event in server.events if event.get("job_id") != "the-upload"]
    check_lives(server, expected)
    check_worker(server)
    workers = {event["worker_id"] for event in server.of("job.started")}
    assert len(workers) == 1
    started = next(event for event in server.of("job.started") if event["job_id"] == "well-0")
    assert (started["queue"], started["kind"]) == ("extraction", "queue_programs.rq_app.well")
    assert (started["parent_id"], started["request_id"]) == ("the-upload", "r-1")
    failed = {event["job_id"]: event for event in server.of("job.failed")}
    assert failed["bad-0"]["error_type"] == "ValueError"
    assert failed["slow"]["timed_out"] is True
    assert server.of("job.retried")[0]["max_retries"] == 2
    assert len(server.of("stage.finished")) == 5
