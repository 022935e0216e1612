"""Twelve queries, as dashboards ask them, of the same 5,000 series over 24 hours (and fifty of them over
seven days) in Watchkeeper, VictoriaMetrics and Prometheus."""

from __future__ import annotations

import itertools
import statistics
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import servers
from services import Services

HOUR, DAY = 3600, 86_400
STEPS_A_DAY = DAY // 15

# What is asked, the query, how far back it goes and its step, in seconds.
QUERIES = [
    ("sum by of a rate, 1k series × 24 h", "sum by (instance) (rate(http_requests_total[5m]))", DAY, 300),
    ("avg by, 1k series × 24 h", "avg by (queue) (queue_depth)", DAY, 300),
    ("max_over_time, 1k series × 24 h", "max by (queue) (max_over_time(queue_depth[1h]))", DAY, 300),
    (
        "histogram_quantile, 1k series × 24 h",
        "histogram_quantile(0.95, sum by (le) (rate(request_seconds_bucket[5m])))",
        DAY,
        300,
    ),
    ("topk of a rate, 1k series × 6 h", "topk(5, rate(cpu_seconds_total[5m]))", 6 * HOUR, 60),
    ("join of 1k × 1k, 1 h at 15 s", "queue_depth / queue_limit", HOUR, 15),
    (
        "error ratio, 1k series × 24 h",
        'sum by (instance) (rate(http_requests_total{code=~"5.."}[5m]))'
        " / sum by (instance) (rate(http_requests_total[5m]))",
        DAY,
        300,
    ),
    ("count of all 5k series, now", 'count({__name__=~".+",job="services"})', 0, 15),
    (
        "regex matchers, 24 h",
        'sum(rate(http_requests_total{instance=~"service-[0-4].*",path!~"/path/[13]"}[5m]))',
        DAY,
        300,
    ),
    ("sum by of a rate, 24 h at 60 s", "sum by (mode) (rate(cpu_seconds_total[5m]))", DAY, 60),
    ("increase of 1 h, 1k series × 24 h", "sum by (path) (increase(http_requests_total[1h]))", DAY, 600),
    (
        "one series over 7 days",
        'avg_over_time(queue_depth{instance="service-00:9100",queue="3"}[1h])',
        7 * DAY,
        3600,
    ),
    # Beside the twelve: Watchkeeper answers from rollups when times are multiples of the step.
    (
        "the same at full hours",
        'avg_over_time(queue_depth{instance="service-00:9100",queue="3"}[1h])',
        7 * DAY,
        3600,
    ),
]
# Of these the geometric mean is taken.
TWELVE = 12
# VictoriaMetrics keeps no answers whose end is less than five minutes ago.
SETTLED_SECONDS = 330
# Prometheus collects its garbage after an answer, on the cores of whoever is asked next.
REST_SECONDS = 0.2
# How often each server is asked, twice in each order of three.
ASKED = 42


@dataclass(frozen=True)
class Loaded:
    """A server that has the data, and the time up to which it does."""

    server: servers.Server
    now: int


def measured(folder: Path, binary: str, load: str) -> dict[str, list[tuple[float, float]]]:
    """Milliseconds of each query, by server: with caches off where it has some, and asked again as it comes. All have
    the data before the first question, and are asked in turns: a machine that is shared is quicker in one minute than
    in the next."""
    with ExitStack() as running:
        loaded = {
            name: _loaded(running.enter_context(Services(_place(folder, name))), start, load)
            for name, start in servers.starters(binary).items()
        }
        settled = max(each.now for each in loaded.values()) + SETTLED_SECONDS
        time.sleep(max(0, settled - time.time()))
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in loaded}
        for number, (_, query, back, step) in enumerate(QUERIES):
            found = _times(loaded, query, back, step, at_steps=number >= TWELVE)
            for name, each in found.items():
                times[name].append(each)
    return times


def _place(folder: Path, name: str) -> Path:
    place = folder / f"{name}-queries"
    place.mkdir()
    return place


def _loaded(services: Services, start: Callable[[Services], servers.Server], load: str) -> Loaded:
    server = start(services)
    now = int(time.time()) // 15 * 15
    write = [load, server.address, server.write]
    subprocess.run([*write, "services:1", str(7 * STEPS_A_DAY), str(6 * STEPS_A_DAY), "2"], check=True)
    subprocess.run([*write, "services:100", str(STEPS_A_DAY), str(STEPS_A_DAY), "2"], check=True)
    server.settle()
    return Loaded(server, now)


def _times(
    loaded: dict[str, Loaded], query: str, back: int, step: int, *, at_steps: bool
) -> dict[str, tuple[float, float]]:
    """Each server's median with caches off, and as it comes."""
    asked = {name: _parameters(each, query, back, step, at_steps) for name, each in loaded.items()}
    uncached = {name: parameters | loaded[name].server.uncached for name, parameters in asked.items()}
    path = "query_range" if back else "query"
    for name, parameters in uncached.items():
        answer = loaded[name].server.ask(path, parameters)
        if b'"result":[]' in answer or b'"success"' not in answer:
            raise ValueError(f"{name} has no answer to {query}: {answer[:200]!r}")
    off, on = _in_turns(loaded, path, uncached), _in_turns(loaded, path, asked)
    return {name: (off[name], on[name]) for name in loaded}


def _in_turns(loaded: dict[str, Loaded], path: str, asked: dict[str, dict[str, str]]) -> dict[str, float]:
    """Medians. Every server is asked about as often after each of the others: what one leaves in the machine's
    caches, the next one pays for."""

    def one(name: str) -> float:
        time.sleep(REST_SECONDS)
        return _milliseconds(loaded[name].server, path, asked[name])

    orders = itertools.islice(itertools.cycle(itertools.permutations(asked)), ASKED)
    rounds = [{name: one(name) for name in order} for order in orders]
    return {name: statistics.median(each[name] for each in rounds) for name in loaded}


def _parameters(each: Loaded, query: str, back: int, step: int, at_steps: bool) -> dict[str, str]:
    end = each.now - each.now % step if at_steps else each.now
    if not back:
        return {"query": query, "time": str(end)}
    return {"query": query, "start": str(end - back), "end": str(end), "step": str(step)}


def _milliseconds(server: servers.Server, path: str, parameters: dict[str, str]) -> float:
    begun = time.perf_counter()
    server.ask(path, parameters)
    return (time.perf_counter() - begun) * 1000
