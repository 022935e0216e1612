"""The same queries at a thousand, ten thousand and a hundred thousand series, in Watchkeeper, VictoriaMetrics and
Prometheus: how long half of the answers and all but a twentieth of them take, and what the servers hold by then."""

from __future__ import annotations

import itertools
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import measure
import servers
from services import Services

HOUR = 3600
# Series, and how long they last in hours: a hundred thousand for a day would take Prometheus an hour to take in.
SIZES = [(1_000, 24), (10_000, 6), (100_000, 1)]
# A service has fifty series; see the example `load`.
SERIES_A_SERVICE = 50
# How often each server is asked each query, in each order of them alike: the second longest of forty-two is the 95th
# percentile.
ASKED = 42
# VictoriaMetrics keeps no answers whose end is less than five minutes ago.
SETTLED_SECONDS = 330
# Prometheus collects its garbage after an answer, on the cores of whoever is asked next.
REST_SECONDS = 0.1

# What is asked, the query, and its step in seconds over all the time that there is; 0 is now alone.
QUERIES = [
    ("sum by of a rate, at 60 s", "sum by (instance) (rate(http_requests_total[5m]))", 60),
    ("avg by, at 60 s", "avg by (queue) (queue_depth)", 60),
    ("max_over_time, at 300 s", "max by (queue) (max_over_time(queue_depth[30m]))", 300),
    (
        "histogram_quantile, at 60 s",
        "histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket[5m])))",
        60,
    ),
    ("topk of a rate, at 60 s", "topk(5, rate(cpu_seconds_total[5m]))", 60),
    (
        "error ratio, at 60 s",
        'sum by (path) (rate(http_requests_total{code=~"5.."}[5m])) / sum by (path) (rate(http_requests_total[5m]))',
        60,
    ),
    ("one service, at 60 s", 'queue_depth{instance="service-00:9100"}', 60),
    ("sum by of a rate, now", "sum by (instance) (rate(http_requests_total[5m]))", 0),
    ("join, now", "queue_depth / queue_limit", 0),
    ("count of all, now", 'count({__name__=~".+",job="services"})', 0),
]


@dataclass(frozen=True)
class Times:
    """How long a query takes, in milliseconds."""

    median: float
    slow: float


@dataclass(frozen=True)
class Figures:
    """A server: each query with caches off where it has some, and as it comes; and its memory, in bytes."""

    off: list[Times]
    on: list[Times]
    held_bytes: int
    peak_bytes: int


def measured(folder: Path, binary: str, load: str, series: int, hours: int) -> dict[str, Figures]:
    """All servers have the data before the first question, and are asked in turns."""
    with ExitStack() as running:
        loaded = {
            name: _loaded(running.enter_context(Services(_place(folder, name))), start, load, series, hours)
            for name, start in servers.starters(binary).items()
        }
        now = min(each[1] for each in loaded.values())
        time.sleep(max(0, now + SETTLED_SECONDS - time.time()))
        asked = {name: server for name, (server, _) in loaded.items()}
        off: dict[str, list[Times]] = {name: [] for name in asked}
        on: dict[str, list[Times]] = {name: [] for name in asked}
        for _, query, step in QUERIES:
            path, parameters = _parameters(query, step, now, hours)
            for times, is_cached in ((off, False), (on, True)):
                for name, each in _in_turns(asked, path, parameters, is_cached=is_cached).items():
                    times[name].append(each)
        return {
            name: Figures(off[name], on[name], measure.read(server.pid).rss_bytes, servers.peak(server.pid))
            for name, server in asked.items()
        }


def _place(folder: Path, name: str) -> Path:
    place = folder / f"{name}-sizes"
    place.mkdir()
    return place


def _loaded(
    services: Services, start: Callable[[Services], servers.Server], load: str, series: int, hours: int
) -> tuple[servers.Server, int]:
    """A server that has the data, and the time up to which it does."""
    server = start(services)
    now = int(time.time()) // 15 * 15
    steps = str(hours * HOUR // 15)
    data = f"services:{series // SERIES_A_SERVICE}"
    subprocess.run([load, server.address, server.write, data, steps, steps, "2"], check=True)
    server.settle()
    return server, now


def _parameters(query: str, step: int, now: int, hours: int) -> tuple[str, dict[str, str]]:
    if step:
        start = str(now - hours * HOUR)
        return "query_range", {"query": query, "start": start, "end": str(now), "step": str(step)}
    return "query", {"query": query, "time": str(now)}


def _in_turns(
    asked: dict[str, servers.Server], path: str, parameters: dict[str, str], *, is_cached: bool
) -> dict[str, Times]:
    """Every server is asked about as often after each of the others: what one leaves in the machine's caches, the
    next one pays for."""

    def one(name: str) -> float:
        server = asked[name]
        time.sleep(REST_SECONDS)
        begun = time.perf_counter()
        answer = server.ask(path, parameters if is_cached else parameters | server.uncached)
        taken = (time.perf_counter() - begun) * 1000
        if b'"result":[]' in answer or b'"success"' not in answer:
            raise ValueError(f"{name} has no answer to {parameters['query']}: {answer[:200]!r}")
        return taken

    orders = itertools.islice(itertools.cycle(itertools.permutations(asked)), ASKED + 1)
    # The first answer of each finds nothing in memory.
    rounds = [{name: one(name) for name in order} for order in orders][1:]
    return {name: _times([each[name] for each in rounds]) for name in asked}


def _times(taken: list[float]) -> Times:
    taken = sorted(taken)
    return Times(taken[len(taken) // 2], taken[min(len(taken) - 1, len(taken) * 95 // 100)])
