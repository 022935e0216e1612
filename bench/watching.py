"""The cost of being watched: an idle server on a host with 500 processes, against Prometheus and two
exporters that watch the same host in the same minutes."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass

import measure
from services import Services, get, wait_for

PROCESSES = 500
WARM_UP_SECONDS = 45
MEASURED_SECONDS = 120


@dataclass(frozen=True)
class Cost:
    """What watching took."""

    cpu_seconds_per_hour: float
    memory_bytes: int


def measured(services: Services, binary: str) -> tuple[Cost, Cost]:
    """What ours took, and what theirs did."""
    watched = [subprocess.Popen(["sleep", "86400"], stdin=subprocess.DEVNULL) for _ in range(PROCESSES)]
    try:
        ours, url = services.watchkeeper(binary)
        theirs = services.prometheus()
        token = (services.folder / "data" / "local.token").read_text().strip()
        wait_for("all processes to be seen", lambda: _seen(url, token) >= PROCESSES)
        time.sleep(WARM_UP_SECONDS)
        before = measure.read(ours), measure.read(*theirs)
        begun = time.monotonic()
        time.sleep(MEASURED_SECONDS)
        hours = (time.monotonic() - begun) / 3600
        after = measure.read(ours), measure.read(*theirs)
    finally:
        for process in watched:
            process.kill()
        for process in watched:
            process.wait()
    ours, theirs = (
        Cost((late.cpu_seconds - early.cpu_seconds) / hours, late.rss_bytes) for early, late in zip(before, after)
    )
    return ours, theirs


def _seen(url: str, token: str) -> int:
    answer = get(f"{url}/prometheus/api/v1/query?query=process_group_count", token)
    results = json.loads(answer)["data"]["result"]
    return max((int(float(result["value"][1])) for result in results), default=0)
