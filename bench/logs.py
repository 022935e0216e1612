"""Records of logs: what it takes to store them, and how soon searches are answered. A pipeline's records of a day, sent
by OTLP (the example `logs`), beside figures of VictoriaLogs on a machine of this size."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass

import servers
from ours import Ours, Times, rfc3339
from services import Services

RECORDS = 5_000_000
GROWTH = [1_000_000, 10_000_000]
CONNECTIONS = 2
# The first of each question is not counted, and the second longest of the rest is the 95th percentile.
ASKED = 22
HOUR_NS = 3_600 * 10**9

# Each stands in one form of message or another, from a twelfth of all records to one in two hundred.
WORDS = [
    *("completed", "confidence", "received", "tenant", "calling", "prompt", "answered", "finish", "recognition"),
    *("wrote", "vector", "heartbeat", "resident", "queue", "waits", "cache", "embedding", "released", "postgres"),
    *("columns", "encrypted", "redis", "killed", "overloaded"),
]

TRACE = "a trace id, 24 h"
WORD_DAY = "a word counted, 24 h"
WORD_HOUR = "a word counted, 1 h"
NEWEST = "newest 100 with a word, 1 h"
LEVELS = "count by level a minute, 24 h"
LEVELS_SHOWN = "the same as the page shows it, in 1,000 steps"
REGEX = "a regular expression counted, 24 h"
ERRORS = "errors by service with p95, 24 h"
RARE = "a document counted, 24 h"
PART = "part of a word counted, 24 h"
PART_ANYWHERE = "the same as a wildcard"

# Milliseconds that VictoriaLogs takes, where they are known.
VICTORIA_LOGS = {
    TRACE: 5,
    WORD_DAY: 380,
    WORD_HOUR: 67,
    NEWEST: 108,
    LEVELS: 171,
    LEVELS_SHOWN: 171,
    REGEX: 420,
    ERRORS: 62,
}
# No filter can tell where these are, so all messages are gone over.
UNPRUNED = [PART, PART_ANYWHERE]


@dataclass(frozen=True)
class Sent:
    """What the example says that it has sent, and how long that took."""

    records: int
    raw_bytes: int
    from_ns: int
    to_ns: int
    seconds: float


@dataclass(frozen=True)
class Figures:
    """What was measured of a number of records. CPU is that until the last was acknowledged, and until all was
    merged."""

    sent: Sent
    cpu_seconds: float
    merged_cpu_seconds: float
    ingest_peak_bytes: int
    merged_peak_bytes: int
    asked_rss_bytes: int
    asked_peak_bytes: int
    running_bytes: int
    stored_bytes: int
    queries: dict[str, Times]


def measured(services: Services, binary: str, example: str, records: int) -> Figures:
    """One server, from the first record to the last question; files are merged by itself meanwhile, as they come."""
    server = Ours(services, binary)
    before = server.cpu_seconds()
    command = [example, server.address, str(records), str(CONNECTIONS)]
    sent = Sent(**json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout))
    cpu, ingest_peak = server.cpu_seconds() - before, servers.peak(server.pid)
    # Before files are merged, so that what was read for it is not at hand later.
    traces = _traces(server, sent)
    server.wait_until_merged("logs")
    merged_cpu, merged_peak = server.cpu_seconds() - before, servers.peak(server.pid)
    running = server.stored_bytes("logs") + servers.size(server.data / "wal")
    queries = {what: server.timed(what, asks) for what, asks in _questions(server, sent, traces).items()}
    rss, peak = server.rss_bytes(), servers.peak(server.pid)
    stored = server.stop_and_merge("logs")
    return Figures(
        sent, cpu, merged_cpu, ingest_peak, merged_peak, rss, peak, running, stored, queries
    )


def _traces(server: Ours, sent: Sent) -> list[str]:
    """Ids of traces from all over the day."""
    step = (sent.to_ns - sent.from_ns) // (ASKED + 1)
    times = (rfc3339(sent.from_ns + step * place) for place in range(1, ASKED + 1))
    pages = [server.get("/api/v1/logs", **{"from": at, "order": "oldest", "limit": 1}) for at in times]
    return [page["items"][0]["trace_id"] for page in pages]


def _questions(server: Ours, sent: Sent, traces: list[str]) -> dict[str, list[Callable[[], bool]]]:
    """What is asked, each time of something else."""

    def span(start: int, end: int) -> dict[str, str]:
        return {"from": rfc3339(start), "to": rfc3339(end)}

    day = span(sent.from_ns, sent.to_ns)

    def hour(place: int) -> dict[str, str]:
        start = sent.from_ns + HOUR_NS * place
        return span(start, start + HOUR_NS)

    def counted(query: str, when: dict[str, str]) -> bool:
        return server.get("/api/v1/logs/histogram", q=query, buckets=1, **when)["total"] > 0

    def page(query: str, limit: int, when: dict[str, str]) -> bool:
        # Of a few records there are fewer.
        wanted = limit if sent.records >= RECORDS else 1
        return len(server.get("/api/v1/logs", q=query, limit=limit, **when)["items"]) >= wanted

    def rows(statement: str, place: int) -> bool:
        return len(server.sql(statement.format(when=_when(sent, place)))) > 0

    def shown(place: int) -> bool:
        when = span(sent.from_ns + place * 10**9, sent.to_ns)
        return server.get("/api/v1/logs/histogram", buckets=1000, **when)["total"] > 0

    asks: dict[str, Callable[[int], bool]] = {
        TRACE: lambda place: page(f"trace_id:{traces[place]}", 1, day),
        WORD_DAY: lambda place: counted(WORDS[place], day),
        WORD_HOUR: lambda place: counted(WORDS[place], hour(place)),
        NEWEST: lambda place: page(WORDS[place % 8], 100, hour(place)),
        LEVELS: lambda place: rows(LEVELS_SQL, place),
        LEVELS_SHOWN: shown,
        REGEX: lambda place: counted(rf"message:/in {place + 1}\d+ ms with confidence 0\.\d/", day),
        ERRORS: lambda place: rows(ERRORS_SQL, place),
        # Of a few records some documents are in none.
        RARE: lambda place: counted(f'"doc-{place * 7919:08x}"', day) or sent.records < RECORDS,
        PART: lambda place: counted(f"message:/{WORDS[place][1:-1]}/", day),
        PART_ANYWHERE: lambda place: counted(f"*{WORDS[place][1:-1]}*", day),
    }
    return {what: [lambda ask=ask, place=place: ask(place) for place in range(ASKED)] for what, ask in asks.items()}


LEVELS_SQL = (
    "SELECT date_bin(interval '1 minute', time) AS minute, level, count(*) AS records FROM logs WHERE {when} "
    "GROUP BY minute, level ORDER BY minute"
)
ERRORS_SQL = (
    "SELECT service, count(*) AS errors, approx_percentile_cont(0.95) WITHIN GROUP "
    "(ORDER BY CAST(attributes['duration_ms'] AS DOUBLE)) AS p95 FROM logs "
    "WHERE level IN ('error', 'fatal') AND {when} GROUP BY service ORDER BY errors DESC"
)


def _when(sent: Sent, place: int) -> str:
    return f"time >= '{rfc3339(sent.from_ns + place * 10**9)}' AND time <= '{rfc3339(sent.to_ns)}'"
