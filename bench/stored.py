"""Events in the store: how many are taken, and how soon a rare one is found. Ours is the engine by itself
(the example `events`); the peer is PostgreSQL with the same rows, their ids and the words of their messages
indexed."""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import measure
import psycopg
from machine import pinned
from services import Services

# As many as both take, and as many as the target is for.
ROWS = 1_000_000
MANY_ROWS = 10_000_000
BATCH = 1_000
REPEATS = 10

TABLE = """
CREATE TABLE job_events (event_id text PRIMARY KEY, time timestamptz NOT NULL, action text NOT NULL,
  job_id text NOT NULL, kind text, queue text, document_id text, worker_id text, service text, stage text,
  error_type text, error_message text, retry_count int8, cpu_seconds float8, memory_peak_bytes int8);
CREATE INDEX ON job_events (time);
CREATE INDEX ON job_events (job_id);
CREATE INDEX ON job_events USING gin (to_tsvector('simple', error_message));
"""
WORD = (
    "SELECT * FROM job_events WHERE to_tsvector('simple', error_message) @@ plainto_tsquery('simple', %s) "
    "ORDER BY time DESC LIMIT 100"
)
SCANS = {
    "one word, in one message": (WORD, "needle"),
    "one word, in no message": (WORD, "nowhere"),
    "events of one job": ("SELECT * FROM job_events WHERE job_id = %s ORDER BY time LIMIT 1000", "job_id"),
    "newest 100": ("SELECT * FROM job_events ORDER BY time DESC LIMIT 100", None),
}


@dataclass(frozen=True)
class Figures:
    """What was measured of one store. Times are milliseconds: first, with nothing in memory, and again."""

    rows_per_core_second: float
    bytes_per_row: float
    scans: dict[str, tuple[float, float]]


def measured(services: Services, example: str) -> tuple[Figures, Figures, Figures]:
    """Ours of many rows, ours of as many as both take, and theirs of those."""
    many, _ = ours(services.folder, example, MANY_ROWS)
    some, looked_for = ours(services.folder, example, ROWS)
    return many, some, theirs(services, example, looked_for)


def ours(folder: Path, example: str, rows: int) -> tuple[Figures, dict[str, str]]:
    """The engine's figures, and what was looked for."""
    path = folder / f"{rows}.json"
    data = folder / f"engine-{rows}"
    with pinned():
        subprocess.run([example, str(rows), str(data), str(path)], check=True, stdout=subprocess.DEVNULL)
    told = json.loads(path.read_text(encoding="utf-8"))
    scans = {what: (told[what][0], told[what][1]) for what in SCANS}
    looked_for = {"needle": told["needle"], "nowhere": "ffffffffffff0001", "job_id": told["job_id"]}
    return Figures(told["rows_per_core_second"], told["bytes_per_row"], scans), looked_for


def theirs(services: Services, example: str, looked_for: dict[str, str]) -> Figures:
    """PostgreSQL's figures."""
    pid, port = services.postgresql()
    with _connected(port) as connection:
        connection.execute(TABLE)
        before = measure.read(pid).cpu_seconds
        for batch in _batches(example):
            with connection.cursor() as cursor, cursor.copy("COPY job_events FROM STDIN") as copy:
                copy.write(batch)
        rate = ROWS / (measure.read(pid).cpu_seconds - before)
        # What it has gathered for the index of words is put there.
        connection.execute("VACUUM ANALYZE job_events")
        size = connection.execute("SELECT pg_total_relation_size('job_events')").fetchone()
    scans = {}
    for what, (text, name) in SCANS.items():
        scans[what] = _timed(services, port, text, [looked_for[name]] if name else [])
    return Figures(rate, (size[0] if size else 0) / ROWS, scans)


def _batches(example: str) -> Iterator[bytes]:
    with subprocess.Popen([example, "rows", str(ROWS)], stdout=subprocess.PIPE) as rows:
        if rows.stdout is None:
            raise RuntimeError("the rows cannot be read")
        while batch := b"".join(itertools.islice(rows.stdout, BATCH)):
            yield batch


def _connected(port: int) -> psycopg.Connection:
    return psycopg.connect(host="127.0.0.1", port=port, user="bench", dbname="postgres", autocommit=True)


def _timed(services: Services, port: int, text: str, values: list[str]) -> tuple[float, float]:
    _forget(services.folder / "postgresql")
    with _connected(port) as connection:
        times = [_elapsed(lambda: connection.execute(text, values).fetchall()) for _ in range(REPEATS + 1)]
    return times[0], statistics.median(times[1:])


def _elapsed(run: Callable[[], object]) -> float:
    start = time.perf_counter()
    run()
    return (time.perf_counter() - start) * 1e3


def _forget(data: Path) -> None:
    """Lets go of what the system keeps of the files in memory; the server's own memory stays."""
    for path in data.rglob("*"):
        if path.is_file():
            file = os.open(path, os.O_RDONLY)
            os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(file)
