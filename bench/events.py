"""The cost of an accepted event: batches sent to Watchkeeper, and the same rows put into PostgreSQL by one
prepared statement a batch, in the same run. Both answer when the batch is on the disk."""

from __future__ import annotations

import http.client
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone

import measure
import psycopg
from services import Services

BATCHES = 400
BATCH = 250
STAGES = ("extract", "chunk", "embed", "store")


@dataclass(frozen=True)
class Cost:
    """What one event took."""

    cpu_microseconds: float
    wall_microseconds: float


def batches() -> list[list[dict[str, object]]]:
    """Stages of jobs, as a pipeline reports them."""
    made = []
    for number in range(BATCHES):
        now = datetime.now(timezone.utc).isoformat()
        made.append(
            [
                {
                    "type": "stage.finished",
                    "event_id": uuid.uuid4().hex,
                    "time": now,
                    "job_id": f"job-{number}-{place // 4}",
                    "stage": STAGES[place % 4],
                    "worker_id": f"extraction-{place % 8}",
                    "service": "docpipe",
                    "duration_seconds": 0.25 + place / 1000,
                    "memory_rss_end_bytes": 300_000_000 + place * 4096,
                }
                for place in range(BATCH)
            ]
        )
    return made


def measured(services: Services, binary: str) -> tuple[Cost, Cost]:
    """What ours took, and what theirs did."""
    work = batches()
    ours, url = services.watchkeeper(binary)
    theirs, port = services.postgresql()
    return _timed(ours, lambda: _send(url, work)), _timed(theirs, lambda: _insert(port, work))


def _timed(pid: int, run: Callable[[], None]) -> Cost:
    before, begun = measure.read(pid), time.monotonic()
    run()
    wall = time.monotonic() - begun
    # Read while the server still runs, and the backend that did the work with it.
    cpu = measure.read(pid).cpu_seconds - before.cpu_seconds
    events = BATCHES * BATCH
    return Cost(cpu / events * 1e6, wall / events * 1e6)


def _send(url: str, work: list[list[dict[str, object]]]) -> None:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=60)
    for batch in work:
        connection.request("POST", "/api/v1/events", json.dumps(batch), {"Content-Type": "application/json"})
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status != 200 or answer["accepted"] != len(batch):
            raise RuntimeError(f"{response.status}: {answer}")
    connection.close()


_CONNECTIONS: list[psycopg.Connection] = []


def _insert(port: int, work: list[list[dict[str, object]]]) -> None:
    connection = psycopg.connect(host="127.0.0.1", port=port, user="bench", dbname="postgres", autocommit=True)
    # Kept open: the CPU time of a backend that has ended cannot be read any more.
    _CONNECTIONS.append(connection)
    connection.execute(
        "CREATE TABLE events (event_id text PRIMARY KEY, type text, time timestamptz, job_id text, stage text, "
        "worker_id text, service text, duration_seconds float8, memory_rss_end_bytes int8)"
    )
    statement = (
        "INSERT INTO events SELECT * FROM jsonb_to_recordset(%s::jsonb) AS row(event_id text, type text, "
        "time timestamptz, job_id text, stage text, worker_id text, service text, duration_seconds float8, "
        "memory_rss_end_bytes int8) ON CONFLICT DO NOTHING"
    )
    for batch in work:
        inserted = connection.execute(statement, [json.dumps(batch)], prepare=True).rowcount
        if inserted != len(batch):
            raise RuntimeError(f"{inserted} of {len(batch)} rows")
