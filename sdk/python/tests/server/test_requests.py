"""Each framework under its server, with its requests in a running Watchkeeper: every one is there, once."""

from __future__ import annotations

import concurrent.futures
import json
import time
from collections import Counter

import pytest
from test_requests_servers import SERVERS, start

from .checks import check_account, check_stats

__all__ = ["start"]

REQUESTS = 300


def ask_all(application, numbers):
    """Asks for each of the documents, each under an id of its own, and gives the processes that answered."""

    def ask(number):
        status, headers, body = application.get(f"/documents/{number}", headers={"X-Request-ID": f"r-{number}"})
        assert (status, headers["x-request-id"]) == (200, f"r-{number}")
        return body

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return list(pool.map(ask, numbers))


def check_requests(server, numbers):
    """Each request is there once, and so is the job that it submitted, which knows it."""
    told = server.rows("SELECT request_id, trace_id, status_code, path FROM requests WHERE path <> '/healthz'")
    assert Counter(row["request_id"] for row in told) == {f"r-{number}": 1 for number in numbers}
    assert {(row["path"], row["status_code"]) for row in told} == {(f"/documents/{n}", 200) for n in numbers}
    traces = {row["request_id"]: row["trace_id"] for row in told}
    jobs = server.rows("SELECT action, job_id, request_id, trace_id FROM job_events")
    assert Counter((job["action"], job["job_id"]) for job in jobs) == {
        ("job.submitted", f"job-{n}"): 1 for n in numbers
    }
    assert all(job["request_id"] == "r-" + job["job_id"][4:] for job in jobs)
    assert all(job["trace_id"] == traces[job["request_id"]] for job in jobs)
    assert {job["status"] for job in server.jobs().values()} == {"pending"}


@pytest.mark.parametrize("name", list(SERVERS))
def test_every_request_is_stored_once(server, account, start, name):
    application = start(name)
    count, workers = 0, set()
    # All four workers of gunicorn are there when each has answered.
    deadline = time.monotonic() + 20
    while count < REQUESTS or (name == "fastapi-gunicorn" and len(workers) < 4):
        assert time.monotonic() < deadline, workers
        bodies = ask_all(application, range(count, count + 100))
        count += 100
        if name == "fastapi-gunicorn":
            workers |= {json.loads(body)["pid"] for body in bodies}
    application.stop()
    check_account(server, account)
    check_requests(server, range(count))
    check_stats(server, account)
