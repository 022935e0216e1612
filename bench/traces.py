"""Spans: what it takes to store them, and how soon a trace is there by its id. Traces of a pipeline, ten spans each, sent
by OTLP (the example `spans`)."""

from __future__ import annotations

import json
import random
import subprocess
import time
from dataclasses import dataclass

import servers
from ours import Ours, Times
from services import Services

SPANS = 5_000_000
MANY_SPANS = 50_000_000
SPANS_A_TRACE = 10
CONNECTIONS = 2
# The first is not counted.
ASKED = 101

_ALL = (1 << 64) - 1


@dataclass(frozen=True)
class Figures:
    """What was measured of a number of spans. CPU is that until the last was acknowledged, and until all was merged."""

    spans: int
    sent_bytes: int
    cpu_seconds: float
    merged_cpu_seconds: float
    wall_seconds: float
    ingest_peak_bytes: int
    asked_rss_bytes: int
    peak_bytes: int
    stored_bytes: int
    trace: Times
    none: Times


def measured(services: Services, binary: str, example: str, spans: int) -> Figures:
    """One server, from the first span to the last question."""
    server = Ours(services, binary)
    before, begun = server.cpu_seconds(), time.monotonic()
    command = [example, server.address, str(spans), str(CONNECTIONS)]
    sent = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    wall = time.monotonic() - begun
    cpu, ingest_peak = server.cpu_seconds() - before, servers.peak(server.pid)
    server.wait_until_merged("spans")
    merged_cpu = server.cpu_seconds() - before
    numbers = random.Random(spans).sample(range(sent["traces"]), min(ASKED, sent["traces"]))
    trace = server.timed("a trace", [lambda number=number: _is_whole(server, trace_id(number)) for number in numbers])
    absent = range(sent["traces"], sent["traces"] + ASKED)
    none = server.timed("no trace", [lambda number=number: not server.is_there(f"/api/v1/traces/{trace_id(number)}") for number in absent])
    rss, peak = server.rss_bytes(), servers.peak(server.pid)
    stored = server.stop_and_merge("spans")
    return Figures(
        sent["spans"], sent["bytes"], cpu, merged_cpu, wall, ingest_peak, rss, peak, stored, trace, none
    )


def trace_id(number: int) -> str:
    """The id of a trace by its number, as the example `spans` makes it."""
    return f"{_mixed(2 * number):016x}{_mixed(2 * number + 1):016x}"


def _mixed(number: int) -> int:
    mixed = (number + 1) * 0x9E3779B97F4A7C15 & _ALL
    mixed = (mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9 & _ALL
    mixed = (mixed ^ mixed >> 27) * 0x94D049BB133111EB & _ALL
    return mixed ^ mixed >> 31


def _is_whole(server: Ours, trace: str) -> bool:
    return len(server.get(f"/api/v1/traces/{trace}")["spans"]) == SPANS_A_TRACE
